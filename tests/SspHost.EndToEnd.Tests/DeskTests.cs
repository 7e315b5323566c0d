// The pages Jacks, Files and Settings on a host that really plays: keys are pressed as a browser presses them, and the card, files and engine tell.
using System.Buffers.Binary;
using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json.Nodes;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.TestCards;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class DeskTests : IDisposable
{
    private const int Jack = 3;
    private const int SigInt = 2, SigKill = 9;

    private readonly CardBench _stand = new();
    private readonly Runtime _runtime;
    private readonly TestCard _bench;
    private readonly List<Process> _started = [];
    private Lines? _lines;

    public DeskTests() => (_runtime, _bench) = (_stand.Runtime, _stand.Card);

    private float Meter => _bench.OutVolts[Jack - 1];

    public void Dispose()
    {
        foreach (var p in _started)
        {
            if (!p.HasExited) p.Kill(); // a host that is left brings its engine back: it goes first
            p.Dispose();
        }

        _stand.Dispose();
    }

    [Fact]
    public void An_output_is_calibrated_against_a_meter_while_the_patch_plays_and_that_is_heard_at_once_and_can_be_taken_back()
    {
        (_bench.OutFull[Jack - 1], _bench.OutZero[Jack - 1]) = (9.41f, 0.137f);
        var run = Run(_runtime.File("five.json"));
        Reads(0.137 + (9.41 * 0.5)); // nominally 5 V
        var starts = _bench.Starts;
        using (var hands = Hands())
        {
            hands.Page(4);
            hands.Turn(PanelHands.E1, 15 + Jack); // past the sixteen inputs
            hands.Press(PanelHands.K(2), PanelHands.K(1));
            var low = Reads(0.137 - (9.41 * 0.5)); // the panel holds half of full scale, in place of the patch
            Say(hands, low - -5);
            hands.Press(PanelHands.K(1));
            var high = Reads(0.137 + (9.41 * 0.5));
            Say(hands, high - 5);
            hands.Press(PanelHands.K(1), PanelHands.K(1));
            Reads(5); // the patch again, by the new line
            hands.Press(PanelHands.K(7));
            Reads(0.137 + (9.41 * 0.5));
            hands.With(PanelHands.ShiftLeft, PanelHands.K(7));
            Reads(5);
            hands.Press(PanelHands.K(1));
            hands.Type("Pitch");
            hands.Press(PanelHands.K(1));
            Eventually.True(
                () => Calibration("out") is { } jack && (string?)jack["name"] == "Pitch" && Math.Abs((double)jack["fullScale"]! - 9.41) < 0.01 && Math.Abs((double)jack["zero"]! - 0.137) < 0.002,
                "name and line are kept");
            Assert.Equal(starts, _bench.Starts); // all that without starting audio anew
        }

        Stop(run);
        run = Run();
        Reads(5);
        Stop(run);
    }

    [Fact]
    public void What_an_output_holds_is_let_go_when_the_host_that_asked_is_gone()
    {
        var run = Run(_runtime.File("five.json"));
        Reads(5);
        using (var hands = Hands())
        {
            hands.Page(4);
            hands.Turn(PanelHands.E1, 15 + Jack);
            hands.Press(PanelHands.K(2), PanelHands.K(1));
            Reads(-5);
            Signal(run, SigKill);
        }

        Reads(5); // the engine plays on, and nobody had to tell it
    }

    [Fact]
    public void All_outputs_are_recorded_from_the_Files_page()
    {
        var run = Run(_runtime.File("five.json"));
        Reads(5);
        var take = _runtime.File("ssphost/recordings/Five volts.wav");
        using (var hands = Hands())
        {
            hands.Page(6);
            hands.With(PanelHands.ShiftLeft, PanelHands.K(1));
            Eventually.True(() => File.Exists(take) && new FileInfo(take).Length > 300_000, "a recording that grows");
            hands.With(PanelHands.ShiftLeft, PanelHands.K(1));
            Eventually.True(() => _lines!.Text.Contains("recorded ", StringComparison.Ordinal), "the recording is finished");
        }

        var wav = File.ReadAllBytes(take);
        var format = wav.AsSpan(wav.AsSpan().IndexOf("fmt "u8) + 8);
        Assert.Equal(TestCard.Jacks, BinaryPrimitives.ReadUInt16LittleEndian(format[2..]));
        var data = wav.AsSpan().IndexOf("data"u8);
        var bytes = BinaryPrimitives.ReadInt32LittleEndian(wav.AsSpan(data + 4));
        Assert.True(bytes > 250_000 && data + 8 + bytes <= wav.Length, $"{bytes} bytes of sound in {wav.Length}");
        var frame = wav.AsSpan(data + 8 + (bytes / (8 * TestCard.Jacks) * 4 * TestCard.Jacks), 4 * TestCard.Jacks); // in the middle
        Assert.Equal(0.5f, BinaryPrimitives.ReadSingleLittleEndian(frame[(4 * (Jack - 1))..]), 1e-4f); // 10 V are 1
        Assert.Equal(0f, BinaryPrimitives.ReadSingleLittleEndian(frame));
        Stop(run);
    }

    [Fact]
    public void The_System_page_writes_a_report_and_a_trace_of_the_host_that_plays()
    {
        var run = Run(_runtime.File("five.json"));
        Reads(5);
        using (var hands = Hands())
        {
            hands.Page(7);
            hands.Press(PanelHands.K(4));
            Eventually.True(() => Files("reports", "*.tar.gz").Length == 1, "a report");
            PressUntil(hands, 5, () => Files("traces", "*.ssptrace").Length > 0, "a trace, from one press to the next");
        }

        var parts = new List<string>();
        using (var archive = new GZipStream(File.OpenRead(Files("reports", "*.tar.gz")[0]), CompressionMode.Decompress))
        using (var tar = new TarReader(archive))
        {
            while (tar.GetNextEntry() is { } entry) parts.Add(Path.GetFileName(entry.Name));
        }

        foreach (var part in new[] { "status.json", "patch.json", "doctor.json", "trace.ssptrace", "log.txt" }) Assert.Contains(part, parts);
        Stop(run);

        string[] Files(string folder, string pattern) => Directory.Exists(_runtime.File("ssphost/" + folder)) ? Directory.GetFiles(_runtime.File("ssphost/" + folder), pattern) : [];
    }

    [Fact]
    public void Settings_are_tried_gone_back_from_survived_and_kept()
    {
        var run = Run(_runtime.File("five.json"));
        Reads(5);
        using (var hands = Hands())
        {
            Try(hands);
            Eventually.True(() => Audio().Rate == 44_100, "44.1 kHz on trial");
            Reads(5);
            PressUntil(hands, 2, () => Audio().Rate == 48_000, "back to 48 kHz");
            Settled();

            // Another device: the card is let go, and comes back.
            hands.Turn(PanelHands.E1, -1);
            hands.Turn(PanelHands.E2, -1); // the last but one of the list is the simulated card
            hands.Press(PanelHands.K(1));
            Eventually.True(() => _bench.Open == 0, "the simulated card on trial");
            PressUntil(hands, 2, () => _bench.Open > 0, "the card again");
            Settled();
            Reads(5);

            // The host dies in a trial.
            Try(hands);
            Eventually.True(() => Audio().Rate == 44_100, "on trial again");
            Signal(run, SigKill);
        }

        Assert.Equal(44_100, Audio().Rate); // the engine plays what nobody has kept
        run = Run();
        Eventually.True(() => Audio().Rate == 48_000, "what is kept plays");
        Reads(5);
        Eventually.True(() => !File.Exists(_runtime.File("ssphost/trial")) && _lines!.Text.Contains("which nobody has kept", StringComparison.Ordinal), "and it is said");
        Assert.False(File.Exists(_runtime.File("ssphost/ssp.json")));
        using (var hands = Hands())
        {
            Try(hands);
            Eventually.True(() => Audio().Rate == 44_100, "on trial");
            PressUntil(hands, 1, () => File.Exists(_runtime.File("ssphost/ssp.json")), "it is kept");
        }

        Assert.Contains("\"rate\": 44100", File.ReadAllText(_runtime.File("ssphost/ssp.json")), StringComparison.Ordinal);
        Stop(run);
        run = Run();
        Reads(5);
        Assert.Equal(44_100, Audio().Rate);
        Stop(run);
    }

    // A key that says "one moment" until what was begun is done.
    private static void PressUntil(PanelHands hands, int key, Func<bool> condition, string what) => Eventually.True(
        () =>
        {
            hands.Press(PanelHands.K(key));
            Thread.Sleep(200);
            return condition();
        },
        what);

    private void Settled()
    {
        Eventually.True(() => !File.Exists(_runtime.File("ssphost/trial")), "the trial is over");
        Thread.Sleep(200); // and the panel has heard of it
    }

    // The line of the sample rate, one choice down.
    private static void Try(PanelHands hands)
    {
        hands.Page(8);
        hands.Turn(PanelHands.E1, -8);
        hands.Turn(PanelHands.E1, 1);
        hands.Turn(PanelHands.E2, -1);
        hands.Press(PanelHands.K(1));
    }

    // Turns until the panel says what the meter says.
    private static void Say(PanelHands hands, double volts)
    {
        var thousandths = (int)Math.Round(volts * 1000);
        hands.Turn(PanelHands.E1, thousandths / 100);
        hands.Turn(PanelHands.E2, thousandths % 100 / 10);
        hands.Turn(PanelHands.E3, thousandths % 10);
    }

    private double Reads(double volts)
    {
        Eventually.True(() => Math.Abs(Meter - volts) < 0.003, $"{volts} V at the jack, not {Meter}\n{_lines?.Text}");
        return Math.Round(Meter, 3);
    }

    private JsonNode? Calibration(string side)
    {
        var file = _runtime.File("ssphost/calibration.json");
        return File.Exists(file) ? JsonNode.Parse(File.ReadAllText(file))!["devices"]!["bench"]?[side]?["3"] : null;
    }

    private AudioStatus Audio()
    {
        try
        {
            using var look = EngineLink.Look(_runtime.Directory);
            return look.State == EngineState.Playing && look.TryAudio(out var audio) ? audio : default;
        }
        catch (Exception e) when (e is EngineGoneException or IOException or InvalidDataException)
        {
            return default;
        }
    }

    private Process Run(params string[] patch)
    {
        var run = Executables.Start(Executables.Ssp, _runtime.Directory, ["run", .. patch, "--device", "alsa:bench", "--period", "256", "--periods", "8", "--web", "127.0.0.1:0"]);
        _started.Add(run);
        _lines = Executables.Follow(run);
        return run;
    }

    private PanelHands Hands()
    {
        var lines = _lines!;
        return new PanelHands(() => lines.Text);
    }

    private static void Signal(Process process, int signal)
    {
        using (var handle = EngineProcess.Open(process.Id)) handle?.Signal(signal);
        Assert.True(process.WaitForExit(120_000), "it ends");
    }

    private void Stop(Process run)
    {
        Signal(run, SigInt);
        Assert.True(run.ExitCode == 0, $"exit code {run.ExitCode}\n{_lines!.Text}");
    }
}
