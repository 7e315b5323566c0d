// Three minutes of soak on the simulated card. What must hold on any machine is asserted: that all was kept, that all phases did what they are named
// after, that it is all explained and gone afterwards. How quiet this machine is, is not.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Diagnostics.Benching;
using SspHost.Diagnostics.Soak;
using SspHost.EndToEnd.Tests;

namespace SspHost.Soak.Tests;

/// <summary>One soak, looked at by several tests.</summary>
public sealed class ThreeMinutes : IAsyncLifetime
{
    private const int Seconds = 180, PhaseSeconds = 15;

    private readonly Runtime _runtime = new();

    internal Outcome Outcome { get; private set; } = null!;

    internal SoakReport Report { get; private set; } = null!;

    internal string Figures => _runtime.File("figures.json");

    internal string Data => _runtime.File("data");

    internal string Loads => Path.Combine(Data, "soak.loads");

    internal int Pid { get; private set; }

    public async Task InitializeAsync()
    {
        using var process = Executables.Start(
            Executables.Ssp, _runtime.Directory, "soak", "--seconds", Text(Seconds), "--phase", Text(PhaseSeconds), "--memory-mib", "256", "--device", "sim", "--data", Data, "--loads", Loads,
            "--out", Figures, "--json");
        Pid = process.Id;
        process.StandardInput.Close();
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(15));
        var (output, error) = (process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
        await process.WaitForExitAsync(patience.Token);
        Outcome = new Outcome(process.ExitCode, await output, await error);
        Assert.True(Outcome.ExitCode is 0 or 3, Outcome.ToString());
        Report = JsonSerializer.Deserialize(Outcome.Output, SoakJson.Default.SoakReport)!;
    }

    public Task DisposeAsync()
    {
        _runtime.Dispose();
        return Task.CompletedTask;
    }

    internal static string Text(int n) => n.ToString(CultureInfo.InvariantCulture);
}

public sealed class SoakTests(ThreeMinutes soak) : IClassFixture<ThreeMinutes>
{
    private SoakReport Report => soak.Report;

    [Fact]
    public void Every_block_that_was_rendered_has_its_value_or_is_counted_as_missing()
    {
        Assert.Equal(Report.Rendered, Report.Whole.Blocks + Report.Whole.Missing);
        var (head, values) = LoadFileReader.Read(soak.Loads);
        Assert.Equal((Report.Rate, Report.Quantum, 0UL), (head.Rate, head.Quantum, head.FirstBlock));
        Assert.Equal(Report.Rendered, values.Length);
        Assert.Equal(Report.Whole.Missing, values.Count(v => v == BlockLoad.Missing));
        Assert.True(Report.Whole.Missing == 0 || Report.Whole.Missing < values.Length / 10, soak.Outcome.ToString());
    }

    [Fact]
    public void The_figures_of_the_whole_are_those_of_the_values_in_the_file()
    {
        var seen = LoadFileReader.Read(soak.Loads).Values.Where(v => v != BlockLoad.Missing).ToArray();
        var sorted = seen.Select(v => v & 0x7FFF).Order().ToArray();
        double At(double p) => Math.Round(sorted[Math.Max(1, (long)Math.Ceiling(p * sorted.Length)) - 1] / 8192.0, 5);
        var w = Report.Whole;
        Assert.Equal((At(0.5), At(0.99), At(0.999), At(0.9999), At(1)), (w.P50, w.P99, w.P999, w.P9999, w.Worst));
        Assert.Equal((seen.Count(v => (v & 0x7FFF) > 8192), seen.Count(v => v >= 0x8000)), (w.Late, w.Lost));
        Assert.InRange(w.P50, 0.0005, 4); // a patch of forty modules takes its time
        Assert.True(sorted.Distinct().Count() > 100, "the loads of so many blocks differ");
    }

    [Fact]
    public void Every_phase_had_its_turns_and_they_cover_the_soak()
    {
        Assert.Equal(["idle", "memory", "disk", "network", "panel", "edits"], Report.Phases.Select(p => p.Name));
        Assert.All(Report.Phases, p => Assert.True(p.Turns >= 1 && p.Blocks > 0 && p.WakeWorst > 0 && p.WorstTime.Length > 0, p.ToString()));
        Assert.True(Report.Phases.Sum(p => p.Seconds) >= 150, soak.Outcome.ToString());
        Assert.True(Report.Phases.Sum(p => p.Blocks) <= Report.Whole.Blocks);
        Assert.Equal(Report.Whole.Worst, Math.Max(Report.Phases.Max(p => p.Worst), Report.Whole.Worst));
    }

    [Fact]
    public void Every_phase_did_what_it_is_named_after_as_the_kernel_counted_it()
    {
        long Did(string phase, string what) => Report.Phases.First(p => p.Name == phase).Did.GetValueOrDefault(what);
        Assert.InRange(Did("memory", "filledBytes"), 64L << 20, 512L << 20); // what was allowed, and the program itself
        Assert.True(Did("memory", "faults") > (64L << 20) / Environment.SystemPageSize);
        if (Environment.UserName == "root" && CanDropCaches) Assert.True(Did("memory", "cachesDropped") > 0);
        Assert.True(Did("disk", "writtenBytes") > 1 << 20 && Did("disk", "writes") > 4, soak.Outcome.Output);
        Assert.True(Did("network", "receivedBytes") > 50L << 20, soak.Outcome.Output);
        Assert.True(Did("panel", "framesDrawn") > 100 && Did("panel", "framesShown") > 100 && Did("panel", "viewerFrames") > 100 && Did("panel", "viewerBytes") > 1 << 20, soak.Outcome.Output);
        Assert.All(["added", "removed", "connected", "disconnected", "turned", "undone"], word => Assert.True(Did("edits", word) > 0, word));
        Assert.True(Did("edits", "plans") > 20, soak.Outcome.Output);
    }

    [Fact]
    public void Every_row_of_late_blocks_is_named_with_its_cause()
    {
        Assert.Equal(Report.Whole.BadRuns, Report.Runs.Count + Report.MoreRuns);
        Assert.All(Report.Runs, r =>
        {
            Assert.True(r.Length > 0 && (r.Lost > 0 || r.Worst > 1), r.ToString());
            Assert.True(r.Cause is not ("" or "unknown") && r.Told.Length > 0, r.ToString());
        });
        if (Report.MoreRuns == 0) Assert.Equal(Report.Whole.Bad, Report.Runs.Sum(r => r.Length));
    }

    [Fact]
    public void The_patch_plays_on_and_nothing_grows()
    {
        Assert.Equal(0, Report.Restarts);
        Assert.Equal((40, 32), (Report.Modules, Report.Quantum is 128 ? 32 : Report.Quantum)); // what the edits added is gone; 128 without real-time privilege
        Assert.InRange(Report.EngineBytesAfter, 1, Report.EngineBytesBefore + (8L << 20));
        Assert.InRange(Report.ControlBytesAfter, 1, Report.ControlBytesBefore + (64L << 20));
        Assert.DoesNotContain("died", Report.Verdict.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void The_verdict_is_its_exit_code_and_follows_from_the_blocks()
    {
        var (w, v) = (Report.Whole, Report.Verdict);
        Assert.Equal(v.Passed ? 0 : 3, soak.Outcome.ExitCode);
        Assert.Equal(LateBound.Upper(w.Bad + w.Missing, w.Blocks + w.Missing), v.Bound, 1e-12);
        Assert.False(v.Passed); // three minutes are too few for one in a million, whatever happened
        Assert.NotEmpty(v.Why);
        Assert.Equal(Report.Quantum / (double)Report.Rate / v.Bound / 3600, v.HoursBetween, 1e-9);
    }

    [Fact]
    public void The_figures_can_be_compared()
    {
        var file = BenchFile.Read(soak.Figures);
        Assert.Equal("soak", file.Bench);
        Assert.Equal([Report.Verdict.Bound], file.Find("soak.late.bound")!.Values);
        Assert.Equal([Report.Whole.P999], file.Find("soak.whole.load.p99.9")!.Values);
        Assert.All(Report.Phases, p => Assert.Equal([(double)p.Blocks], file.Find($"soak.{p.Name}.blocks")!.Values));
    }

    [Fact]
    public void Nothing_is_left_but_the_file_of_loads()
    {
        Assert.Equal([soak.Loads], Directory.GetFileSystemEntries(soak.Data));
        Assert.Empty(Children.Of(soak.Pid));
    }

    private static bool CanDropCaches
    {
        get
        {
            try
            {
                File.WriteAllText("/proc/sys/vm/drop_caches", "1");
                return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return false; // a container's root is not this machine's
            }
        }
    }
}

/// <summary>Processes that a soak started, by their command lines, which name it.</summary>
internal static class Children
{
    public static List<(int Pid, string What)> Of(int owner)
    {
        var found = new List<(int, string)>();
        var name = owner.ToString(CultureInfo.InvariantCulture);
        foreach (var directory in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out var pid)) continue;
            try
            {
                var words = File.ReadAllText(Path.Combine(directory, "cmdline")).Split('\0');
                for (var i = 0; i + 1 < words.Length; i++)
                {
                    if (words[i] == "--owner" && words[i + 1] == name) found.Add((pid, "engine"));
                    if (words[i] == "soak-load" && words.Length > i + 2 && words[i + 2] == name) found.Add((pid, words[i + 1]));
                }
            }
            catch (IOException)
            {
                // It ended at this moment.
            }
        }

        return found;
    }
}
