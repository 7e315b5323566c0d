// Names and lines of jacks as the panel sets them: heard at once, kept soon, and nothing that was measured is lost.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Devices;
using SspHost.Diagnostics;
using SspHost.Panel;
using SspHost.Patching;
using SspHost.Playing;
using SspHost.Playing.Desks;
using SspHost.Supervision;

namespace SspHost.Tests.Desks;

public sealed unsafe class JackDeskTests : IDisposable
{
    private const string Card = "hw:CARD=SSP,DEV=0";

    private static readonly StatusReport s_status = new() { State = "playing" };

    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-jacks-").FullName;
    private readonly FakeEngine _engine = new();
    private readonly EngineSlot _slot = new();
    private readonly HandClock _clock = new();
    private readonly List<string> _said = [];
    private readonly EngineSink _sink;

    public JackDeskTests()
    {
        _slot.Put(EngineLink.Over(_engine.Map, () => false));
        _engine.Map.Header->State = (uint)EngineState.Playing;
        _sink = SinkOf(new AudioSetup { Card = CardKind.Alsa, AlsaName = Card, Rate = 48_000, Periods = 2, Threads = 1, Inputs = 16, Outputs = 8 });
    }

    private string Place => Path.Combine(_folder, "calibration.json");

    private JackBench* Bench => _engine.Map.Jacks;

    public void Dispose()
    {
        _slot.Dispose();
        _engine.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_line_is_heard_at_once_and_written_once_when_the_knob_rests()
    {
        using var desk = Desk();
        var (version, lines) = (desk.Version, Bench->Lines);
        Assert.Equal(new JackSetup("", 10, 0, false), desk.Setup(output: true, 2));
        for (var i = 1; i <= 5; i++)
        {
            Assert.Null(desk.Set(output: true, 2, new JackSetup("Pitch", 10 + (i * 0.125), 0.25, true)));
            _clock.Move(0.1);
            Assert.False(File.Exists(Place));
        }

        Assert.NotEqual(version, desk.Version);
        Assert.Equal(lines + 5, Bench->Lines);
        Assert.Equal((10.625f, 0.25f), (Bench->OutputFullScale[2], Bench->OutputZero[2]));
        Assert.Equal(new JackLine(10.625f, 0.25f), _sink.Setup.Calibration[new Jack(JackSide.Out, 3)]); // the next start of audio has it, too
        _clock.Move(0.3);
        var file = CalibrationFile.Load(Place);
        Assert.Equal((new JackLine(10.625f, 0.25f), "Pitch"), (file.Of(Card)[new Jack(JackSide.Out, 3)], file.NameOf(Card, new Jack(JackSide.Out, 3))));
        Assert.Equal(new JackSetup("Pitch", 10.625, 0.25, true), desk.Setup(output: true, 2));
    }

    [Fact]
    public void What_was_set_is_there_after_a_restart_and_forgetting_it_keeps_the_name()
    {
        using (var desk = Desk()) Assert.Null(desk.Set(output: false, 0, new JackSetup("Keys", -8, 0.5, true)));
        // Another host, which reads the file as it starts.
        var sink = SinkOf(_sink.Setup.Calibrated(CalibrationFile.Load(Place)));
        using var next = new JackDesk(_slot, sink, () => new StatusReport { State = "playing" }, Place, _said.Add, _clock);
        Assert.Equal(new JackSetup("Keys", -8, 0.5, true), next.Setup(output: false, 0));
        Assert.Null(next.Set(output: false, 0, next.Setup(output: false, 0) with { Calibrated = false }));
        Assert.Equal(new JackSetup("Keys", 10, 0, false), next.Setup(output: false, 0));
        Assert.Equal((0f, 0f), (Bench->InputFullScale[0], Bench->InputZero[0]));
        _clock.Move(1);
        Assert.Empty(CalibrationFile.Load(Place).Devices);
        Assert.Equal("Keys", CalibrationFile.Load(Place).NameOf(Card, new Jack(JackSide.In, 1)));
    }

    [Theory]
    [InlineData(0.1, 0, "at full scale")]
    [InlineData(1000, 0, "at full scale")]
    [InlineData(double.NaN, 0, "at full scale")]
    [InlineData(10, double.PositiveInfinity, "at full scale")]
    public void A_line_that_no_converter_has_is_refused(double full, double zero, string why)
    {
        using var desk = Desk();
        Assert.Contains(why, desk.Set(output: true, 0, new JackSetup("", full, zero, true)), StringComparison.Ordinal);
        Assert.Equal(new JackSetup("", 10, 0, false), desk.Setup(output: true, 0));
    }

    [Fact]
    public void Without_a_sound_card_jacks_have_names_and_nothing_to_calibrate()
    {
        var sink = SinkOf(_sink.Setup with { Card = CardKind.Simulated, AlsaName = "" });
        using (var desk = new JackDesk(_slot, sink, () => new StatusReport { State = "playing" }, Place, _said.Add, _clock))
        {
            Assert.Null(desk.Set(output: true, 0, new JackSetup("Left", 10, 0, false)));
            Assert.Contains("without a sound card", desk.Set(output: true, 0, new JackSetup("Left", 9, 0, true)), StringComparison.Ordinal);
            Assert.Contains("one line", desk.Set(output: true, 0, new JackSetup("two\nlines", 10, 0, false)), StringComparison.Ordinal);
            Assert.Equal("Left", desk.Setup(output: true, 0).Name);
        }

        Assert.Equal("Left", CalibrationFile.Load(Place).NameOf("sim", new Jack(JackSide.Out, 1)));
    }

    [Fact]
    public void A_file_that_cannot_be_understood_is_never_written_over()
    {
        File.WriteAllText(Place, "{ measured at the bench");
        using (var desk = Desk()) Assert.Contains("mend it or move it away first", desk.Set(output: true, 0, new JackSetup("x", 9, 0, true)), StringComparison.Ordinal);
        Assert.Equal("{ measured at the bench", File.ReadAllText(Place));
    }

    [Fact]
    public void What_somebody_else_wrote_meanwhile_is_kept()
    {
        using var desk = Desk();
        var other = CalibrationFile.Load(Place);
        other.Set("hw:CARD=Other,DEV=0", new Jack(JackSide.Out, 1), new JackLine(7, 0));
        other.Save();
        Assert.Null(desk.Set(output: true, 0, new JackSetup("x", 9, 0, true)));
        _clock.Move(1);
        Assert.Equal(["hw:CARD=Other,DEV=0", Card], CalibrationFile.Load(Place).Devices);
    }

    [Fact]
    public void A_file_that_cannot_be_written_is_said_and_what_was_set_still_plays()
    {
        File.WriteAllText(Path.Combine(_folder, "no"), "in the way of a folder");
        using var desk = new JackDesk(_slot, _sink, () => new StatusReport { State = "playing" }, Path.Combine(_folder, "no", "calibration.json"), _said.Add, _clock);
        Assert.Null(desk.Set(output: true, 0, new JackSetup("x", 9, 0, true)));
        _clock.Move(1);
        Assert.Contains(_said, s => s.Contains("the jacks are not kept", StringComparison.Ordinal));
        Assert.Equal(9, desk.Setup(output: true, 0).FullScale);
    }

    [Fact]
    public void An_output_is_held_while_it_plays_and_let_go_and_an_input_is_heard()
    {
        using var desk = Desk();
        Assert.Null(desk.Hold(2, -0.5));
        Assert.Equal((4u, -0.5f), (Bench->Held, Bench->Samples[2]));
        Assert.InRange(Bench->HeldUntil, Linux.Now(), Linux.Now() + JackBench.LeaseNs);
        Assert.Null(desk.Hold(2, null));
        Assert.Equal(0u, Bench->Held);
        Assert.Equal(double.NaN, desk.Raw(1));
        Assert.InRange(Bench->HeardUntil, Linux.Now(), Linux.Now() + JackBench.LeaseNs);
        (Bench->Windows, Bench->Means[1]) = (1, 0.25f);
        Assert.Equal(0.25, desk.Raw(1));
        _engine.Map.Header->State = (uint)EngineState.Stopped;
        Assert.Equal(double.NaN, desk.Raw(1));
        Assert.Contains("stopped", desk.Hold(2, 0), StringComparison.Ordinal);
        Assert.Equal(0u, Bench->Held);
    }

    [Fact]
    public void A_page_that_looks_at_every_jack_allocates_nothing()
    {
        using var desk = Desk();
        Look();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Look();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Look()
        {
            _ = desk.Version;
            for (var j = 0; j < 16; j++) _ = desk.Setup(output: false, j);
            for (var j = 0; j < 8; j++) _ = desk.Setup(output: true, j);
            _ = desk.Inputs + desk.Outputs + desk.Raw(3);
            _ = desk.Hold(1, 0.5);
        }
    }

    private JackDesk Desk() => new(_slot, _sink, () => s_status, Place, _said.Add, _clock);

    private EngineSink SinkOf(AudioSetup setup) => new(_slot, setup, new DescriptorIndex([]), new AssetFiles(null), _said.Add);
}
