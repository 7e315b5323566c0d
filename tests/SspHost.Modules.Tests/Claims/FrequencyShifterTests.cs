// What the frequency shifter claims: one sideband, at its level, the other 60 dB down over the whole range; through zero; bounded.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class FrequencyShifterTests
{
    [Theory]
    [InlineData(44_100)]
    [InlineData(48_000)]
    [InlineData(192_000)]
    public void The_other_sideband_is_60_dB_down_from_40_Hz_to_20_kHz(int rate)
    {
        var (worstOther, worstLevel) = (-300.0, 0.0);
        foreach (var hertz in new[] { 40.0, 55.0, 110.0, 333.0, 1000.0, 5000.0, 12_000.0, 19_950.0 })
        {
            // Up by some 700 Hz, or where that would not fit by some 200: in whole bins all three.
            var bin = (int)Math.Ceiling(hertz * Tone.Count / rate) | 1;
            var shift = (int)((hertz > 15_000 ? 200 : 700) * (double)Tone.Count / rate);
            using var rig = Make(rate, Tone.Hertz(shift, rate));
            rig.Input = (port, _, frame) => port == 0 ? Tone.Sine(bin, frame) : 0f;
            var output = rig.Run(16_384 + Tone.Count);
            foreach (var (samples, side) in new[] { (output[0][0], 1), (output[1][0], -1) })
            {
                var kept = samples.AsSpan(16_384, Tone.Count);
                worstLevel = Math.Max(worstLevel,
                    Math.Abs(Spectrum.Decibels(Spectrum.Level(kept, Math.Abs(bin + (side * shift)) / (double)Tone.Count) / 5.0)));
                worstOther = Math.Max(worstOther,
                    Spectrum.Decibels(Spectrum.Level(kept, Math.Abs(bin - (side * shift)) / (double)Tone.Count) / 5.0));
            }
        }

        Quality.AtMost("frequency-shifter", "other sideband, 40 Hz to 20 kHz", worstOther, -60, "dB");
        Quality.AtMost("frequency-shifter", "level of the sideband", worstLevel, 0.05, "dB");
    }

    [Fact]
    public void Only_what_was_shifted_comes_out()
    {
        const int Bin = 683, By = 137;
        using var rig = Make(48_000, Tone.Hertz(By));
        var samples = Tone.Through(rig, "up", Bin, 5.0, 16_384);
        var noise = Tone.NoiseFloor(samples, 48_000, Tone.Hertz(Bin + By), Tone.Hertz(Bin - By));
        Quality.AtMost("frequency-shifter", "noise floor", noise, -120, "dB of 5 V");
    }

    [Fact]
    public void The_shift_goes_through_zero_and_the_CV_moves_it_by_its_amount()
    {
        // -1 kHz at the knob, 15 V of CV at 100 Hz a volt: 500 Hz up.
        using var rig = new Rig("frequency-shifter", new RigOptions { Quantum = 128 }) { ["shift"] = -1000f, ["amount"] = 100f };
        rig.Input = static (port, _, frame) => port == 0 ? Tone.Sine(1365, frame) : 15f;
        var output = rig.Run(80_000);
        var (up, down) = (Tone.Hertz(1365) + 500.0, Tone.Hertz(1365) - 500.0);
        var measured = Spectrum.Frequency(output[0][0].AsSpan(14_000, 65_536), up / 48_000) * 48_000;
        Assert.Equal(up, measured, 0.001);
        measured = Spectrum.Frequency(output[1][0].AsSpan(14_000, 65_536), down / 48_000) * 48_000;
        Assert.Equal(down, measured, 0.001);
    }

    [Fact]
    public void Feedback_makes_a_ladder_of_partials_each_down_by_it()
    {
        // Each pass is moved on by 1 kHz and multiplied by 0.5.
        using var rig = Make(48_000, Tone.Hertz(683));
        rig["feedback"] = 0.5f;
        var samples = Tone.Through(rig, "up", 683, 1.0, 16_384);
        for (var k = 1; k <= 5; k++)
        {
            var level = Spectrum.Level(samples, 683.0 * (k + 1) / Tone.Count);
            Assert.InRange(Spectrum.Decibels(level / Math.Pow(0.5, k - 1)), -0.2, 0.2);
        }
    }

    [Fact]
    public void Full_feedback_stays_bounded_at_any_shift()
    {
        foreach (var shift in new[] { 0f, 0.1f, 3f, 700f, -2000f })
        {
            using var rig = Make(48_000, shift);
            rig["feedback"] = 0.9f;
            var random = new Random(7);
            rig.Input = (port, _, frame) => port == 0 && frame < 24_000 ? 10f * ((2f * random.NextSingle()) - 1f) : 0f;
            var output = rig.Run("up", 240_000);
            Assert.All(output, static v => Assert.InRange(v, -100f, 100f));
            Assert.InRange(output.TakeLast(4800).Max(Math.Abs), 0f, 0.01f);
        }
    }

    private static Rig Make(int rate, double shift) =>
        new("frequency-shifter", new RigOptions { Rate = rate, Quantum = 128 }) { ["shift"] = (float)shift };
}
