// What the gate claims: levels, hysteresis, and times to the frame.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class NoiseGateTests
{
    [Fact]
    public void It_opens_at_the_frame_holds_and_closes_in_exactly_its_times()
    {
        using var rig = Make();
        rig["attack"] = 0.01f;
        rig["hold"] = 0.02f;
        rig["release"] = 0.1f;

        // 1 V is above the threshold of 0.05 V from frame 1000 to 1999; then 10 mV, below the 25 mV at which it may close.
        rig.Input = static (port, _, frame) => port != 0 ? 0f : frame is >= 1000 and < 2000 ? 1f : 0.01f;
        var output = rig.Run(12_000);
        var worst = 0.0;
        for (var i = 0; i < 12_000; i++)
        {
            var open = i is >= 1000 and < 2000 + 959;
            Assert.Equal(open ? 10f : 0f, output[1][0][i]);
            var travel = i < 1000 ? 0.0 : i < 2959 ? Math.Min(1.0, (i - 999) / 480.0) : Math.Max(0.0, 1.0 - ((i - 2958) / 4800.0));
            var gain = travel * travel * (3.0 - (2.0 * travel));
            var expected = gain * (i is >= 1000 and < 2000 ? 1.0 : 0.01);
            worst = Math.Max(worst, Math.Abs(output[0][0][i] - expected));
        }

        Quality.AtMost("gate", "gain error along attack, hold and release", worst, 3e-4, "of the input");
    }

    [Theory]
    [InlineData(-40f, 6f)]
    [InlineData(-20f, 0f)]
    [InlineData(-60f, 24f)]
    public void It_opens_at_the_threshold_and_closes_below_it_by_the_hysteresis(float threshold, float hysteresis)
    {
        using var rig = Make();
        rig["threshold"] = threshold;
        rig["hysteresis"] = hysteresis;
        rig["hold"] = 0.0001f;

        // Up by 0.01 dB every sixteen frames, and down again: 40 dB around the threshold.
        const int Turn = 16 * 4000;
        rig.Input = (port, _, frame) => port != 0 ? 0f
            : (float)(5.0 * Math.Pow(10, (threshold - 30 + (0.01 * ((frame < Turn ? frame : (2 * Turn) - frame) / 16))) / 20));
        var gate = rig.Run("gate", 2 * Turn);
        var opened = Array.IndexOf(gate, 10f);
        var closed = Array.IndexOf(gate, 0f, opened);
        Quality.AtMost("gate", "threshold error", Math.Abs(-30 + (0.01 * (opened / 16))), 0.02, "dB");
        Quality.AtMost("gate", "hysteresis error", Math.Abs(-30 + (0.01 * (((2 * Turn) - closed) / 16)) + hysteresis), 0.02, "dB");
    }

    [Fact]
    public void Hold_bridges_the_zeros_of_a_low_note_and_the_sidechain_decides_where_it_is_patched()
    {
        using var rig = Make();
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(frame * 0.005) : 0f;
        Assert.All(rig.Run("gate", 48_000)[1000..], static v => Assert.Equal(10f, v));

        using var keyed = new Rig("gate") { ["release"] = 0.001f };
        keyed.Input = static (port, _, frame) => port == 0 ? 2f : frame is > 100 and < 5000 ? 1f : 0f;
        var output = keyed.Run(12_000);
        Assert.Equal(0f, output[0][0][100]);
        Assert.Equal(2f, output[0][0][4000]);
        Assert.Equal(0f, output[0][0][11_000]);
    }

    [Fact]
    public void Range_is_what_is_left_when_closed_and_open_it_changes_nothing()
    {
        using var rig = Make();
        rig["range"] = -12f;
        rig.Input = static (port, _, _) => port == 0 ? 0.02f : 0f;
        Assert.Equal(0.02 * Math.Pow(10, -0.6), rig.Run("out", 960)[^1], 1e-7);
        using var open = Make();
        var samples = Tone.Through(open, "out", 341);
        Quality.AtMost("gate", "noise floor", Tone.NoiseFloor(samples, 48_000, Tone.Hertz(341)), -120, "dB of 5 V");
        for (var i = 0; i < 1000; i++) Assert.Equal(Tone.Sine(341, 4096 + i), samples[i]);
    }

    [Fact]
    public void A_range_of_80_dB_is_silence_and_one_of_79_is_not()
    {
        foreach (var (range, left) in new[] { (-80f, 0.0), (-79f, 0.02 * Math.Pow(10, -79 / 20.0)) })
        {
            using var rig = Make();
            rig["range"] = range;
            rig.Input = static (port, _, _) => port == 0 ? 0.02f : 0f;
            Assert.Equal(left, rig.Run("out", 960)[^1], left * 1e-3);
        }
    }

    private static Rig Make() => new("gate", new RigOptions { Cables = [1, 0] });
}
