// The native engine's own threads: whatever a module does instead of coming back, the music goes on, and the verdict on it is right.
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using SspHost.Abi;
using SspHost.Diagnostics.Stalls;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class ContainTests
{
    private const int Kinds = 7;

    [Fact]
    public async Task Whatever_does_not_come_back_is_replaced_and_the_engine_says_why()
    {
        // The benchmark waits for the quanta after each of them: that it ends at all is what is tested; its figures are not.
        var outcome = await Executables.Run(Executables.Engine, Path.GetTempPath(), "bench", "contain", "--json");
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var told = JsonNode.Parse(outcome.Output)!;
        var rows = told["contained"]!.AsArray().Select(r => ((string)r!["module"]!, (string)r["reason"]!, (int)r["signal"]!)).ToList();
        Assert.Equal(0, rows.Count % Kinds);
        Assert.NotEmpty(rows);
        var names = new StackNames(ProcessMaps.Parse(told["maps"]!.AsArray().Select(l => (string)l!)), Executables.Engine);
        for (var i = 0; i < rows.Count; i += Kinds)
        {
            Assert.Equal(
                [
                    ("spins", "stuck", 0), ("sleeps", "stuck", 0), ("waits for a mutex", "stuck", 0), ("returns NaN", "failures", 0),
                    ("writes to address 0", "fault", 11), ("overflows its stack", "fault", 11),
                ],
                rows.Skip(i).Take(Kinds - 1));

            // The runtime lets one thread fail and holds those that fail after it: either way it is contained.
            Assert.Contains(rows[i + Kinds - 1], new[] { ("throws", "fault", 6), ("throws", "stuck", 0) });
            Check(told["contained"]![i]!, StallCause.Spinning, names);
            Check(told["contained"]![i + 1]!, StallCause.Blocked, names);
            Assert.Contains("a mutex held by thread ", Check(told["contained"]![i + 2]!, StallCause.Blocked, names), StringComparison.Ordinal);
        }
    }

    // Whoever is replaced has been looked at, and the module's own function is named, with its line.
    private static string Check(JsonNode row, StallCause cause, StackNames names)
    {
        var stall = MemoryMarshal.Read<StallRecord>(Convert.FromBase64String((string)row["stall"]!));
        var report = StallReport.Of(in stall, new StallContext("hold", "hold", 666_667), names);
        Assert.Null(names.Trouble);

        // Another process may have the core: then it was late for that besides, and says so.
        Assert.Contains(report.Verdict.Cause, new[] { cause, StallCause.Preempted });
        if (report.Verdict.Cause == cause)
            Assert.Contains(report.Detail, l => l.Contains("SspHost.EngineHost.Bench.HoldModule.Process", StringComparison.Ordinal) && l.Contains("ContainBench.cs:", StringComparison.Ordinal));
        return report.Verdict.Cause == cause ? report.Text : "a mutex held by thread ?";
    }

    [Fact]
    public async Task Walks_asked_for_inside_modules_reach_where_the_thread_began()
    {
        var outcome = await Executables.Run(Executables.Engine, Path.GetTempPath(), "bench", "samples", "--pokes", "1000", "--json");
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var told = JsonNode.Parse(outcome.Output)!;
        Assert.InRange((int)told["complete_any"]!, (int)((int)told["answered"]! * 0.99), 1000);
        Assert.InRange((int)told["answered"]!, 1, 1000);
    }
}
