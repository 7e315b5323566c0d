// The commands on a card of software: calibrated by a person and by a cable, pulled out, plugged in again, back at another rate.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.TestCards;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class AlsaDeviceTests : IDisposable
{
    private const int Jack = 3; // out 3 is plugged into in 3

    private readonly CardBench _stand = new();
    private readonly Runtime _runtime;
    private readonly TestCard _bench;

    public AlsaDeviceTests() => (_runtime, _bench) = (_stand.Runtime, _stand.Card);

    public void Dispose() => _stand.Dispose();

    [Fact]
    public async Task After_calibrating_an_output_with_a_meter_and_an_input_by_a_cable_five_volts_are_five_volts()
    {
        _bench.Loop = 1;
        (_bench.OutFull[Jack - 1], _bench.OutZero[Jack - 1]) = (9.41f, 0.137f);
        (_bench.InFull[Jack - 1], _bench.InZero[Jack - 1]) = (-10.83f, -0.071f); // and this one inverts

        // The person: reads the meter when asked, and types what it shows.
        using (var ssp = Start("calibrate", "out", "3"))
        {
            var said = new StringBuilder();
            for (var point = 0; point < 2; point++)
            {
                await ReadUntil(ssp, said, "in volts? ");
                said.Clear();
                var meter = _bench.OutVolts[Jack - 1];
                Assert.Equal(0.137 + (9.41 * (point == 0 ? -0.5 : 0.5)), meter, 1e-4);
                await ssp.StandardInput.WriteLineAsync(meter.ToString("0.0000", CultureInfo.InvariantCulture) + (point == 0 ? "" : " V"));
            }

            await ReadUntil(ssp, said, "full scale 9.41");
            await ssp.WaitForExitAsync();
            Assert.Equal(0, ssp.ExitCode);
        }

        var cable = await Ssp("calibrate", "in", "3", "--from", "3", "--seconds", "0.1");
        Assert.True(cable.ExitCode == 0, cable.ToString());
        Assert.Contains("reads as", cable.Output, StringComparison.Ordinal);
        var show = await Ssp("calibrate", "show");
        Assert.Contains("alsa:bench", show.Output, StringComparison.Ordinal);
        using (var file = JsonDocument.Parse(await File.ReadAllBytesAsync(_runtime.File("ssphost/calibration.json"))))
        {
            var line = file.RootElement.GetProperty("devices").GetProperty("bench").GetProperty("in").GetProperty("3");
            Assert.Equal(-10.83, line.GetProperty("fullScale").GetDouble(), 0.002);
            Assert.Equal(-0.071, line.GetProperty("zero").GetDouble(), 0.002);
        }

        using var run = Start(["run", _runtime.File("five.json"), .. Executables.NoPanel]);
        _ = Executables.Follow(run);
        Eventually.True(() => Math.Abs(_bench.OutVolts[Jack - 1] - 5) < 0.002f, "5 V at the jack");
        using (var look = EngineLink.Look(_runtime.Directory)) Eventually.True(() => Math.Abs(Peak(look) - 5) < 0.003f, "5 V at the input it is plugged into");
        var busy = await Ssp("calibrate", "out", "1");
        Assert.Equal(1, busy.ExitCode);
        Assert.Contains("a patch is open in engine", busy.Error, StringComparison.Ordinal);
        Stop(run);
    }

    [Fact]
    public async Task A_script_calibrates_without_a_person_and_what_makes_no_line_is_refused()
    {
        var good = await Ssp("calibrate", "out", "2", "--read", "-4.98", "--read", "5.02");
        Assert.True(good.ExitCode == 0, good.ToString());
        Assert.Contains("out 2 of alsa:bench: full scale 10.0000 V (gain 1.00000), zero at 20.00 mV", good.Output, StringComparison.Ordinal);
        foreach (var (expected, arguments) in new (string, string[])[]
        {
            ("these points mean", ["calibrate", "out", "2", "--read", "0", "--read", "0.01"]),
            ("--read: expected twice", ["calibrate", "out", "2", "--read", "1"]),
            ("jack: expected 1 to 32", ["calibrate", "out", "33", "--read", "-5", "--read", "5"]),
            ("output 7 is not calibrated", ["calibrate", "in", "1", "--from", "7"]),
            ("there is no output jack 12", ["calibrate", "out", "12"]),
        })
        {
            var refused = await Ssp(arguments);
            Assert.Equal(1, refused.ExitCode);
            Assert.Contains(expected, refused.Error, StringComparison.Ordinal);
            Assert.Single(refused.Error.Trim().Split('\n'));
        }

        var ask = await Ssp("devices", "alsa:bench");
        Assert.Contains("out: 1-8 channels, 44100, 48000, 88200, 96000, 176400, 192000 Hz, S32", ask.Output, StringComparison.Ordinal);
        Assert.Contains("not linked", ask.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_that_is_pulled_out_is_played_on_unheard_and_heard_again_when_it_is_back_also_at_another_rate()
    {
        using var run = Start(["run", _runtime.File("five.json"), .. Executables.NoPanel]);
        var lines = Executables.Follow(run);
        Eventually.True(() => Math.Abs(_bench.OutVolts[Jack - 1] - 5) < 0.01f, "it plays");
        using var look = EngineLink.Look(_runtime.Directory);
        for (var pulled = 0; pulled < 2; pulled++)
        {
            Pull();
            _bench.Gone = 0;
            Eventually.True(() => lines.Text.Split("the device was away and is back").Length == pulled + 2, "and says that it is back");
            Sounds();
        }

        var serial = Audio(look).PlanSerial;
        Pull();
        _bench.Rate = 44_100;
        _bench.Gone = 0;
        Eventually.True(() => lines.Text.Contains("the device runs at 44100 Hz, not at 48000 Hz: the patch is made for 44100 Hz", StringComparison.Ordinal), "the new rate is told");
        Sounds();
        Eventually.True(() => Audio(look) is { Rate: 44_100, Away: 0 }, "it runs at 44.1 kHz");
        Assert.NotEqual(serial, Audio(look).PlanSerial);
        EngineProcessTests.AssertHeapStoodStill(look);
        Stop(run);

        void Pull()
        {
            var before = lines.Text.Split("the device is away").Length;
            _bench.Gone = 1;
            Eventually.True(() => lines.Text.Split("the device is away").Length > before, "it is told");
            _bench.OutVolts[Jack - 1] = 0;
            var (quanta, lost) = (Audio(look).Quanta, Audio(look).LostFrames);
            Eventually.True(() => Audio(look) is var a && a.Quanta > quanta + 200 && a.LostFrames > lost + (200 * (ulong)a.Quantum), "time goes on");
            Assert.Equal((EngineState.Playing, 1, 0), (look.State, Audio(look).Away, _bench.Open));
        }

        void Sounds() => Eventually.True(() => Math.Abs(_bench.OutVolts[Jack - 1] - 5) < 0.01f, "sound again");
    }

    [Fact]
    public async Task While_a_card_is_away_the_patch_is_edited_the_status_says_so_and_the_engine_ends_in_time()
    {
        using var run = Start(["run", _runtime.File("five.json"), .. Executables.NoPanel]);
        var lines = Executables.Follow(run);
        Eventually.True(() => Math.Abs(_bench.OutVolts[Jack - 1] - 5) < 0.01f, "it plays");
        _bench.Gone = 1;
        Eventually.True(() => lines.Text.Contains("the device is away (No such device)", StringComparison.Ordinal), "it is told");
        var status = "";
        for (var patience = 0; patience < 100 && !status.Contains("DEVICE AWAY", StringComparison.Ordinal); patience++)
        {
            await Task.Delay(100); // it is sampled once a second
            status = (await Ssp("status")).Output;
        }

        Assert.Contains("DEVICE AWAY", status, StringComparison.Ordinal);
        using (var look = EngineLink.Look(_runtime.Directory))
        {
            var serial = Audio(look).PlanSerial;
            using (var control = new Control(_runtime.File("control.sock")))
                control.Ask(new JsonObject { ["command"] = "edit", ["edits"] = new JsonObject { ["op"] = "bypass", ["module"] = "v", ["on"] = true }, ["wait"] = false });
            Eventually.True(() => Audio(look) is { Away: 1 } a && a.PlanSerial > serial, "the edit is played, unheard");
            EngineProcessTests.AssertHeapStoodStill(look);
        }

        Stop(run);
        Assert.Equal(0, _bench.Open);
    }

    [Fact]
    public void A_card_with_one_rate_only_is_played_at_that_rate_from_the_start()
    {
        _bench.Rate = 96_000;
        using var run = Start(["run", _runtime.File("five.json"), .. Executables.NoPanel]);
        var lines = Executables.Follow(run);
        Eventually.True(() => Math.Abs(_bench.OutVolts[Jack - 1] - 5) < 0.01f, "it plays");
        Eventually.True(() => lines.Text.Contains("the device runs at 96000 Hz", StringComparison.Ordinal), "it is said\n" + lines.Text);
        Stop(run);
    }

    private Process Start(params string[] arguments) =>
        Executables.Start(Executables.Ssp, _runtime.Directory, [.. arguments, "--device", "alsa:bench", "--period", "256", "--periods", "8"]);

    private Task<Outcome> Ssp(params string[] arguments) =>
        Executables.Run(Executables.Ssp, _runtime.Directory, arguments[0] != "calibrate" || arguments[1] == "show" ? arguments : [.. arguments, "--device", "alsa:bench", "--period", "256", "--periods", "8"]);

    private static AudioStatus Audio(EngineLink look)
    {
        AudioStatus audio = default;
        Eventually.True(() => look.TryAudio(out audio), "a status");
        return audio;
    }

    private static unsafe float Peak(EngineLink look) => look.TryAudio(out var a) ? a.InputPeaks[Jack - 1] : 0;

    private static async Task ReadUntil(Process process, StringBuilder said, string what)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        var buffer = new char[256];
        while (!said.ToString().Contains(what, StringComparison.Ordinal))
        {
            var n = await process.StandardOutput.ReadAsync(buffer, patience.Token);
            if (n == 0) Assert.Fail($"it ended without saying '{what}': {said}{await process.StandardError.ReadToEndAsync(patience.Token)}");
            said.Append(buffer, 0, n);
        }
    }

    private static void Stop(Process run)
    {
        const int SigInt = 2;
        using var process = EngineProcess.Open(run.Id)!;
        process.Signal(SigInt);
        Assert.True(run.WaitForExit(120_000), "it leaves");
        Assert.Equal(0, run.ExitCode);
    }
}
