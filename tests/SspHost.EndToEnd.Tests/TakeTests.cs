// The recorder module in a host that plays: its files hold what its cables carried, frame for frame, whatever ends a take.
using System.Text.Json.Nodes;
using SspHost.Abi.Link;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class TakeTests : IDisposable
{
    private const int SigKill = 9;
    private const string Said = "recorded ";

    private readonly Runtime _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public async Task Takes_hold_every_frame_of_every_track_and_end_with_the_switch_the_module_and_the_engine()
    {
        using var host = new PlayingHost(Patch());
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        Assert.Equal(0, (await Executables.Run(Executables.Ssp, host.Directory, "patch", "set", "rec", "record", "1")).ExitCode); // as a player does it
        await Task.Delay(1000);
        Set(control, "record", 0);
        var first = Next(host, 1);
        Set(control, "record", 1);
        await Task.Delay(600);
        Set(control, "record", 0);
        var second = Next(host, 2);
        Assert.NotEqual(first, second);
        await AssertRamp(host, first, atLeast: 0.8);
        await AssertRamp(host, second, atLeast: 0.4);

        // The module leaves the patch while it records.
        Set(control, "record", 1);
        await Task.Delay(600);
        control.Ask(new JsonObject { ["command"] = "edit", ["edits"] = new JsonObject { ["op"] = "remove", ["module"] = "rec" } });
        await AssertRamp(host, Next(host, 3), atLeast: 0.4);

        // The engine dies while it records: the file ends, another engine plays, and what is still switched on goes on in a new one.
        control.Ask(new JsonObject { ["command"] = "undo" });
        await Task.Delay(600);
        using (var engine = EngineProcess.Open(host.Look.Process!.Pid)) _ = engine!.Signal(SigKill);
        host.WaitForNextEngine();
        await AssertRamp(host, Next(host, 4), atLeast: 0.3);
        await Task.Delay(600);
        Set(control, "record", 0);
        await AssertRamp(host, Next(host, 5), atLeast: 0.3);
        host.End();
        Assert.Equal(5, Takes(host).Length);
    }

    [Fact]
    public async Task A_take_is_complete_when_the_host_is_ended_and_readable_when_it_is_killed()
    {
        using var host = new PlayingHost(Patch());
        using (var control = new Control(Path.Combine(host.Directory, "control.sock"))) Set(control, "record", 1);
        await Task.Delay(2500);
        Eventually.True(() => Takes(host).Length == 1, "a file\n" + host.Text);
        var file = Takes(host)[0];
        var early = file + ".early.wav";
        System.IO.File.Copy(file, early); // what a power cut would leave
        await AssertRamp(host, early, atLeast: 0.9);
        host.End();
        await AssertRamp(host, Next(host, 1), atLeast: 2);
    }

    [Fact]
    public async Task Without_a_recorder_nobody_looks_for_takes_and_with_one_somebody_does()
    {
        using var host = new PlayingHost(Executables.Patch("acid-line"));
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        Eventually.True(() => host.Look.Process != null && Switches(host) >= 0, "the thread is there");
        var settled = Switches(host);
        Eventually.True(() => settled == (settled = Switches(host)) && host.Audio.Quanta > 1000, "it sleeps");

        // By the kernel's count: what looked every 50 ms would have slept and woken forty times meanwhile.
        var quanta = host.Audio.Quanta;
        Eventually.True(() => host.Audio.Quanta > quanta + 3000, "two seconds of music");
        Assert.Equal(settled, Switches(host));
        control.Ask(new JsonObject { ["command"] = "load", ["path"] = Patch(), ["wait"] = true });
        Set(control, "record", 1);
        await Task.Delay(600);
        Set(control, "record", 0);
        await AssertRamp(host, Next(host, 1), atLeast: 0.4);
        Assert.InRange(Switches(host), settled + 5, long.MaxValue);
        host.End();
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_said_once_and_the_music_plays_on()
    {
        using var host = new PlayingHost(Patch());
        var state = Path.Combine(host.Directory, "ssphost");
        await System.IO.File.WriteAllTextAsync(Path.Combine(state, "recordings"), "in the way");
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        Set(control, "record", 1);
        Eventually.True(() => host.Text.Contains("is not recorded", StringComparison.Ordinal), "it is said\n" + host.Text);
        var quanta = host.Audio.Quanta;
        Eventually.True(() => host.Audio.Quanta > quanta + 500, "it plays on");
        Assert.Single(host.Text.Split('\n'), static l => l.Contains("recordings", StringComparison.Ordinal));
        host.End();
    }

    // How often the thread of takes has gone to sleep; -1: there is none.
    private static long Switches(PlayingHost host)
    {
        foreach (var task in Directory.GetDirectories($"/proc/{host.Pid}/task"))
        {
            if (System.IO.File.ReadAllText(Path.Combine(task, "comm")).Trim() != "takes") continue;
            var line = System.IO.File.ReadLines(Path.Combine(task, "status")).Single(static l => l.StartsWith("voluntary_ctxt_switches:", StringComparison.Ordinal));
            return long.Parse(line.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
        }

        return -1;
    }

    // A ramp of one second into track 1, and the same upside down into track 2.
    private string Patch()
    {
        var file = _files.File("takes.json");
        System.IO.File.WriteAllText(file, """
            {
              "format": 1, "id": "takes", "name": "Takes", "quantum": 64,
              "modules": [
                {"id": "ramp", "type": "lfo", "params": {"rate": 1, "shape": 2, "level": 5}},
                {"id": "turn", "type": "attenuverter", "params": {"amount1": -1}},
                {"id": "rec", "type": "recorder"}
              ],
              "cables": [
                {"from": "ramp.out", "to": "turn.in1"},
                {"from": "ramp.out", "to": "rec.in1"},
                {"from": "turn.out1", "to": "rec.in2"}
              ]
            }
            """);
        return file;
    }

    private static void Set(Control control, string parameter, double value) =>
        control.Ask(new JsonObject { ["command"] = "edit", ["edits"] = new JsonObject { ["op"] = "param", ["module"] = "rec", ["param"] = parameter, ["value"] = value } });

    private static string[] Takes(PlayingHost host) => [.. Directory.GetFiles(host.Directory, "rec-*.wav", SearchOption.AllDirectories).Where(static f => !f.Contains(".early", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    // The file named by the n-th line that says one is complete.
    private static string Next(PlayingHost host, int n) => Eventually.Get(
        () => host.Text.Split('\n').Where(static l => l.Contains(Said, StringComparison.Ordinal)).Skip(n - 1).FirstOrDefault() is { } line
            ? line[(line.IndexOf(" into ", StringComparison.Ordinal) + 6)..].Split(".wav")[0] + ".wav"
            : null,
        $"take {n} is complete\n" + host.Text);

    // As sox reads it. Each frame is one step of the ramp above the one before: none is missing, none is there twice; both tracks are the
    // same frame. A dropout of a busy machine is silence in both, faded by a millisecond, and the ramp goes on behind it.
    private static async Task AssertRamp(PlayingHost host, string file, double atLeast)
    {
        var up = await Recordings.Channel(file, 0);
        var down = await Recordings.Channel(file, 1);
        Assert.Equal(up.Length, down.Length);
        Assert.True(up.Length >= atLeast * 48_000, $"{file}: {up.Length} frames\n{host.Text}");
        var breaks = 0;
        for (var i = 0; i < up.Length; i++)
        {
            Assert.True(Math.Abs(up[i] + down[i]) < 1e-6, $"{file}, frame {i}: {up[i]} and {down[i]}");
            if (i == 0) continue;
            var step = up[i] - up[i - 1] - (1f / 48_000); // 10 V a second, 10 V full scale
            if (Math.Abs(step) < 2e-6 || Math.Abs(step + 1f) < 2e-6) continue;
            if (!NearSilence(up, i)) Assert.Fail($"{file}, frame {i} of {up.Length}: {up[i - 1]} and then {up[i]}\n{host.Text}");
            breaks++;
        }

        Assert.True(breaks < up.Length / 2, $"{file}: {breaks} breaks");
    }

    private static bool NearSilence(float[] samples, int at)
    {
        for (var i = Math.Max(1, at - 50); i < Math.Min(samples.Length, at + 50); i++)
            if (samples[i] == 0f && samples[i - 1] == 0f) return true;
        return false;
    }
}
