// What keeps the rules is not reported: a million quanta of the demo patches, patches that come and go, devices that start and stop, takeovers.
using System.Globalization;
using System.Text.Json.Nodes;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.EndToEnd.Tests;

namespace SspHost.Checked.Tests;

public sealed class CleanTests
{
    private const int Quantum = 16, Rate = 48_000, Million = 1_000_000;

    private static string[] Patches { get; } = Directory.GetFiles(Path.Combine(Executables.Root, "patches"), "*.json");

    [Fact]
    public async Task No_quantum_of_a_million_is_reported()
    {
        var seconds = (int)Math.Ceiling((double)Million / Patches.Length * Quantum / Rate);
        Assert.True((long)Patches.Length * seconds * Rate / Quantum >= Million);
        using var runtime = new Runtime();
        await Parallel.ForEachAsync(Patches, new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (patch, _) =>
        {
            var wav = runtime.File(Path.GetFileName(patch) + ".wav");
            var outcome = await CheckedEngine.Run(Executables.Ssp, "abort", "render", patch, "--out", wav, "--threads", "1", "--format", "pcm16",
                "--seconds", seconds.ToString(CultureInfo.InvariantCulture), "--quantum", Quantum.ToString(CultureInfo.InvariantCulture));
            Assert.True(outcome.ExitCode == 0, $"{patch}: {outcome}");
            Assert.True(new FileInfo(wav).Length > (long)seconds * Rate * 2, patch); // at least a channel of two bytes
            File.Delete(wav);
        });
    }

    [Fact]
    public async Task Patches_that_come_and_go_and_a_device_that_stops_and_starts_are_not_reported()
    {
        using var runtime = new Runtime();
        using var ssp = CheckedEngine.Start(Executables.Ssp, "abort", runtime.Directory, "run", Patches[0], "--device", "sim", "--web", "off");
        var lines = Executables.Follow(ssp);
        try
        {
            var engine = Eventually.Get(() => EngineFile.TryRead(runtime.Directory) is { } file && file.IsAlive() ? file : null, "the engine serves");
            Eventually.True(() => Quanta(runtime) > 0, "it plays: " + lines.Text);
            using (var control = new Control(runtime.File("control.sock")))
            {
                foreach (var patch in Patches)
                {
                    control.Ask(new JsonObject { ["command"] = "load", ["path"] = patch, ["wait"] = true });
                    var played = Quanta(runtime);
                    Eventually.True(() => Quanta(runtime) > played + 100, "it plays on");
                }
            }

            foreach (var command in new[] { new JsonObject { ["command"] = "stop" }, new JsonObject { ["command"] = "start" } })
            {
                using var control = new Control(runtime.File("control.sock"));
                control.Ask(command);
            }

            var before = Quanta(runtime);
            Eventually.True(() => Quanta(runtime) > before + 100, "it plays again");
            Assert.Equal(engine.Pid, EngineFile.TryRead(runtime.Directory)?.Pid); // the same process: none has died and come back
            var log = await File.ReadAllTextAsync(runtime.File("engine.log"));
            Assert.DoesNotContain("violation", log, StringComparison.Ordinal);
        }
        finally
        {
            ssp.Kill();
            await ssp.WaitForExitAsync();
        }
    }

    [Fact]
    public async Task A_takeover_is_the_modules_violation_and_never_the_engines()
    {
        // Of the modules that do not come back one sleeps and one throws: those are violations, and in warn mode the engine contains them.
        var outcome = await CheckedEngine.Run(CheckedEngine.Engine, "warn", "bench", "contain", "--json");
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var reports = CheckedEngine.Reports(outcome.Error);
        Assert.Contains(reports, r => r.What == "system call" && r.Detail == "futex");
        Assert.All(reports, r => Assert.True(r.Place.Split(',')[0].EndsWith("(hold)", StringComparison.Ordinal)
            || r.Place.StartsWith("in a module it was replaced in", StringComparison.Ordinal), r.ToString()));
        var rows = JsonNode.Parse(outcome.Output)!["contained"]!.AsArray();
        Assert.Contains(rows, r => (string)r!["reason"]! == "stuck");
        Assert.Contains(rows, r => (string)r!["reason"]! == "fault");
    }

    private static ulong Quanta(Runtime runtime)
    {
        if (EngineFile.TryRead(runtime.Directory) is not { } file || !file.IsAlive()) return 0;
        using var look = EngineLink.Look(runtime.Directory);
        return look.TryAudio(out AudioStatus audio) ? audio.Quanta : 0;
    }
}
