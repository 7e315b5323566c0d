// The native engine's own threads: whatever a module does instead of coming back, the music goes on.
using System.Text.Json.Nodes;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class ContainTests
{
    [Fact]
    public async Task Whatever_does_not_come_back_is_replaced_and_the_engine_says_why()
    {
        // The benchmark waits for the quanta after each of them: that it ends at all is what is tested; its figures are not.
        var outcome = await Executables.Run(Executables.Engine, Path.GetTempPath(), "bench", "contain", "--json");
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var rows = JsonNode.Parse(outcome.Output)!["contained"]!.AsArray().Select(r => ((string)r!["module"]!, (string)r["reason"]!, (int)r["signal"]!)).ToList();
        Assert.Equal(0, rows.Count % 5);
        Assert.NotEmpty(rows);
        for (var i = 0; i < rows.Count; i += 5)
        {
            Assert.Equal([("spins", "stuck", 0), ("sleeps", "stuck", 0), ("writes to address 0", "fault", 11), ("overflows its stack", "fault", 11)], rows.Skip(i).Take(4));

            // The runtime lets one thread fail and holds those that fail after it: either way it is contained.
            Assert.Contains(rows[i + 4], new[] { ("throws", "fault", 6), ("throws", "stuck", 0) });
        }
    }
}
