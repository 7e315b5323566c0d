// What the LFO claims: its rate, its shapes, its phase.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class LfoTests
{
    [Theory]
    [InlineData(48_000, 0.5f, 0f)]
    [InlineData(48_000, 7f, 0f)]
    [InlineData(192_000, 7f, 0f)]
    [InlineData(44_100, 2f, 3f)]
    public void A_ramp_falls_back_once_a_cycle(int rate, float hertz, float volts)
    {
        using var rig = new Rig("lfo", new RigOptions { Rate = rate, Quantum = 256, Cables = [1, 1, 0] });
        rig["rate"] = hertz;
        rig["shape"] = 2;
        rig.Input = (port, _, _) => port == 0 ? volts : 0f;
        var ramp = rig.Run("out", rate * 10);
        var falls = Enumerable.Range(1, ramp.Length - 1).Where(i => ramp[i] < ramp[i - 1]).ToArray();
        var period = rate / (hertz * Math.Pow(2, volts));
        for (var k = 0; k < falls.Length; k++) Assert.InRange(falls[k] - ((k + 1) * period), -1.01, 1.01 + (k * period * 3e-7));
        Assert.InRange(falls.Length, (ramp.Length / period) - 1.01, ramp.Length / period);
    }

    [Fact]
    public void Shapes_are_what_they_are_called()
    {
        Func<double, double>[] shapes =
        [
            static p => Math.Sin(2 * Math.PI * p),
            static p => p < 0.25 ? 4 * p : p < 0.75 ? 2 - (4 * p) : (4 * p) - 4,
            static p => (2 * p) - 1,
            static p => 1 - (2 * p),
            static p => p < 0.5 ? 1 : -1,
        ];
        for (var shape = 0; shape < shapes.Length; shape++)
        {
            using var rig = new Rig("lfo", new RigOptions { Cables = [1, 1, 0] }) { ["rate"] = 3f, ["shape"] = shape };
            var output = rig.Run("out", 48_000);
            for (var i = 1; i < output.Length; i++)
            {
                var p = (i / 16_000.0) % 1.0;
                if (Math.Abs(p - 0.5) < 1e-3 || p < 1e-3 || p > 1 - 1e-3) continue;
                Assert.Equal(5.0 * shapes[shape](p), output[i], 1e-3);
            }
        }
    }

    [Fact]
    public void Phase_and_range_shift_the_wave()
    {
        using var rig = new Rig("lfo", new RigOptions { Cables = [1, 1, 0] }) { ["rate"] = 1f, ["phase"] = 0.25f, ["range"] = 1f, ["level"] = 8f };
        var output = rig.Run("out", 48_000);
        for (var i = 0; i < output.Length; i++) Assert.Equal(4.0 + (4.0 * Math.Cos(2 * Math.PI * i / 48_000)), output[i], 1e-4);
    }

    [Fact]
    public void Reset_starts_the_cycle_at_its_frame()
    {
        using var rig = new Rig("lfo", new RigOptions { Cables = [1, 1, 0] }) { ["rate"] = 1f, ["shape"] = 2 };
        rig.Input = static (port, _, frame) => port == 1 && frame is >= 10_007 and < 10_055 ? 10f : 0f;
        var output = rig.Run("out", 20_000);
        Assert.Equal(-5.0 + (10.0 * 10_006 / 48_000), output[10_006], 1e-3);
        Assert.Equal(-5f, output[10_007]);
        Assert.True(output[10_008] > -5f);
    }

    [Fact]
    public void Random_holds_one_level_a_cycle_and_smooth_random_passes_through_them()
    {
        using var held = new Rig("lfo", new RigOptions { Cables = [1, 1, 0] }) { ["rate"] = 10f, ["shape"] = 5 };
        using var smooth = new Rig("lfo", new RigOptions { Cables = [1, 1, 0] }) { ["rate"] = 10f, ["shape"] = 6 };
        var steps = held.Run("out", 96_000);
        var curve = smooth.Run("out", 96_000);
        var levels = Enumerable.Range(0, 19).Select(k => steps[(k * 4800) + 2400]).ToArray();
        Assert.True(levels.Distinct().Count() == levels.Length && levels.Max() > 1f && levels.Min() < -1f);
        for (var k = 0; k < 19; k++)
        {
            for (var i = (k * 4800) + 2; i < ((k + 1) * 4800) - 2; i++) Assert.Equal(levels[k], steps[i]);
            Assert.Equal(levels[k], curve[(k * 4800) + 1], 0.01);
        }

        using var other = new Rig("lfo", new RigOptions { Seed = 99, Cables = [1, 1, 0] }) { ["rate"] = 10f, ["shape"] = 5 };
        Assert.NotEqual(levels[0], other.Run("out", 4800)[2400]);
    }

    [Theory]
    [InlineData("x1", 1.0)]
    [InlineData("/4", 0.25)]
    [InlineData("x3/2", 1.5)]
    [InlineData("x8", 8.0)]
    [Trait("Category", "Quality")]
    public void With_a_clock_the_phase_is_at_its_place_in_every_frame(string ratio, double cycles)
    {
        const int Period = 6007;
        using var rig = new Rig("lfo") { ["shape"] = 2f, ["level"] = 1f, ["range"] = 1f };
        rig["ratio"] = Array.IndexOf(SspHost.Dsp.ClockRatios.Names, ratio);
        rig.Input = static (port, _, frame) => port == 2 && frame % Period < 48 ? 10f : 0f;
        var ramp = rig.Run("out", 40 * Period);
        var worst = 0.0;
        for (var i = 4 * Period; i < ramp.Length; i++)
        {
            var off = ramp[i] - ((double)i / Period * cycles);
            worst = Math.Max(worst, Math.Abs(off - Math.Round(off)));
        }

        Quality.AtMost("lfo", "clocked phase off by", worst * 1e6, 1, "millionths of a cycle");
    }

    [Fact]
    public void A_clock_that_changes_its_tempo_is_followed_without_a_jump()
    {
        using var rig = new Rig("lfo") { ["ratio"] = Array.IndexOf(SspHost.Dsp.ClockRatios.Names, "/2") };

        // Ticks every 4000 frames, from the eleventh on every 3000.
        var ticks = Enumerable.Range(0, 40).Select(static k => k <= 10 ? k * 4000L : 40_000 + ((k - 10) * 3000L)).ToArray();
        var clock = EdgeList.Clock(ticks);
        rig.Input = (port, _, frame) => port == 2 ? clock(frame) : 0f;
        var output = rig.Run("out", 120_000);
        for (var i = 1; i < output.Length; i++) Assert.InRange(Math.Abs(output[i] - output[i - 1]), 0, 5 * 2 * Math.PI / 6000 * 1.5);
        for (var i = 46_000; i < output.Length; i++) Assert.Equal(5.0 * Math.Sin(2 * Math.PI * (i - 40_000) / 6000.0), output[i], 1e-3);
    }

    [Fact]
    public void The_scope_shows_the_wave()
    {
        using var rig = new Rig("lfo", new RigOptions { Cables = [1, 1, 0] }) { ["rate"] = 2f };
        rig.Run(48_000 * 5);
        var points = Enumerable.Range(1, rig.Descriptor.TelemetryFloats - 1).Select(rig.Telemetry).ToArray();
        Assert.InRange(points.Max(), 4.8f, 5f);
        Assert.InRange(points.Min(), -5f, -4.8f);
        Assert.InRange(rig.Telemetry(0), 0f, points.Length - 1f);
        Assert.Equal(TelemetryKind.Scope, rig.Descriptor.Telemetry[0].Kind);
    }

    [Fact]
    public void Random_levels_are_spread_evenly_over_the_whole_range()
    {
        using var rig = new Rig(
            "lfo", new RigOptions { Quantum = 256, Cables = [1, 1, 0] }) { ["rate"] = 100f, ["shape"] = 5, ["level"] = 10f };
        var output = rig.Run("out", 480 * 2000);
        var levels = Enumerable.Range(1, 1999).Select(k => (double)output[(k * 480) + 240]).ToArray();

        // Uniform: mean 0 and power 1/3 of the range's, within 3.3 standard deviations of 1999 throws.
        Assert.InRange(levels.Average(), -0.43, 0.43);
        Assert.InRange(levels.Average(static v => v * v), (100.0 / 3) - 2.2, (100.0 / 3) + 2.2);
        Assert.InRange(levels.Max(), 9.9, 10);
        Assert.InRange(levels.Min(), -10, -9.9);
    }
}
