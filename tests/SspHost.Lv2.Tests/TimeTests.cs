// Musical time: where a plugin that asks for it believes the beat to be, against arithmetic.
using SspHost.Abi;
using SspHost.Conformance;

namespace SspHost.Lv2.Tests;

public sealed class TimeTests
{
    private const double TwoMilliseconds = 0.002;

    [Fact]
    public void A_plugin_that_asks_for_the_time_has_a_clock_jack_and_a_tempo_knob()
    {
        var d = Bundles.Ours("time").Descriptor;
        Assert.Equal("clock", d.Inputs.Single().Id);
        Assert.Equal(("tempo", "BPM", 20f, 300f, 120f), d.Parameters.Select(p => (p.Id, p.Unit, p.Min, p.Max, p.Default)).Single());
        Assert.Equal(("pulses", 1, 24, 4), d.Settings.Select(s => (s.Id, s.Min, s.Max, s.Default)).Single());
        Assert.True(d.AcceptsEvents);
    }

    [Fact]
    public void Without_a_clock_it_goes_at_the_knob_and_follows_it()
    {
        using var rig = Bundles.Rig(Bundles.Ours("time"), new RigOptions { Cables = [0] });
        rig["tempo"] = 90;
        var first = rig.Run(48_000);
        AssertBeats(first[0][0], f => f * 1.5 / 48_000, 0, 90);
        Assert.All(first[1][0], t => Assert.Equal(90f, t, 1e-3f));
        Assert.All(first[2][0], s => Assert.Equal(1f, s));
        rig["tempo"] = 240;
        var second = rig.Run(24_000);
        AssertBeats(second[0][0], f => 1.5 + (f * 4.0 / 48_000), 0, 240);
        Assert.Equal(240f, second[1][0][^1], 1e-3f);
    }

    [Theory]
    [InlineData(6000, 4, 120)]
    [InlineData(1000, 24, 120)]
    [InlineData(17_000, 1, 169.4118)]
    public void With_a_clock_in_its_jack_it_is_where_the_pulses_are(int period, int pulses, double tempo)
    {
        var options = new RigOptions { Cables = [1], Settings = new Dictionary<string, int> { ["pulses"] = pulses } };
        using var rig = Bundles.Rig(Bundles.Ours("time"), options);
        rig.Input = (_, _, frame) => frame % period < 48 ? 10f : 0f;
        var output = rig.Run(96_000);
        var known = period + 64; // two pulses, and the quantum after them
        AssertBeats(output[0][0], f => f / (double)period / pulses, known, tempo);
        Assert.All(output[1][0].Skip(known), t => Assert.Equal(tempo, t, tempo * 1e-3));
        Assert.Equal(0f, output[2][0][period - 64]);
        Assert.All(output[2][0].Skip(known), s => Assert.Equal(1f, s));
    }

    [Fact]
    public void A_clock_that_stops_stops_the_time_where_the_next_pulse_would_have_been()
    {
        using var rig = Bundles.Rig(Bundles.Ours("time"), new RigOptions { Cables = [1] });
        rig.Input = static (_, _, frame) => frame < 60_000 && frame % 6000 < 48 ? 10f : 0f;
        var output = rig.Run(144_000);
        Assert.Equal(0f, output[2][0][^1]);
        Assert.Equal(10 / 4.0, output[0][0][^1], 0.01);
    }

    [Fact]
    public void The_MIDI_clock_takes_over_from_the_knob_and_start_stop_and_continue_are_obeyed()
    {
        using var rig = Bundles.Rig(Bundles.Ours("time"), new RigOptions { Cables = [0] });
        const int Tick = 1250; // 96 beats a minute
        for (var t = 0; t < 400; t++) rig.Events.Add(new ModuleEvent { Frame = (ulong)(t * Tick), Kind = EventKind.Clock });
        void At(int tick, EventKind kind) => rig.Events.Insert(rig.Events.FindIndex(e => e.Frame >= (ulong)(tick * Tick)), new ModuleEvent { Frame = (ulong)((tick * Tick) - 100), Kind = kind });
        At(48, EventKind.Start); // tick 48 is beat 0
        At(144, EventKind.Stop); // after 96 ticks
        At(240, EventKind.Continue);
        var output = rig.Run(400 * Tick);
        Assert.Equal(96f, output[1][0][^1], 0.1f);
        double Beats(int tick) => output[0][0][(tick * Tick) + 300];
        const double Later = 300.0 / Tick / 24;
        Assert.Equal((20 / 24.0) + Later, Beats(20), 0.005);
        Assert.Equal((20 / 24.0) + Later, Beats(68), 0.005);
        Assert.Equal(4 - (1 / 24.0), Beats(200), 0.005 + (1 / 24.0)); // stopped a hundred frames before its tick
        Assert.Equal(0f, output[2][0][200 * Tick]);
        Assert.Equal(4 + (59 / 24.0) + Later, Beats(300), 0.005 + (1 / 24.0));
        Assert.Equal(1f, output[2][0][300 * Tick]);
    }

    private static void AssertBeats(float[] beats, Func<int, double> expected, int from, double tempo)
    {
        for (var f = from; f < beats.Length; f++) Assert.Equal(expected(f), beats[f], (TwoMilliseconds * 1.2 * tempo / 60) + 1e-4);
    }
}
