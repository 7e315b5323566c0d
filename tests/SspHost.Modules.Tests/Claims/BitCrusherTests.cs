// What the bit crusher claims: its steps, where the mirror images lie and how loud they are, and what dither does.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class BitCrusherTests
{
    private const int Bin = 1367; // 2 kHz

    [Theory]
    [InlineData(3f)]
    [InlineData(8f)]
    [InlineData(9.3f)]
    public void The_levels_are_multiples_of_a_step_and_0_is_one_of_them(float bits)
    {
        foreach (var quality in new[] { 0, 1 })
        {
            using var rig = Make(quality, bits, 48_000f);
            rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin((frame / 200) * 0.37) : 0f; // stairs of 200 frames
            var step = 10.0 * Math.Pow(2, -bits);
            var output = rig.Run("out", 9600);
            for (var i = 199; i < 9600; i += 200)
            {
                var x = 5f * Math.Sin((i / 200) * 0.37);
                Assert.Equal(step * Math.Floor((x / step) + 0.5), output[i - 100], 1e-4);
                Assert.InRange(Math.Abs(output[i - 100] - x), 0, (step / 2) + 1e-4);
            }

            Assert.Equal(0f, output[150]);
        }
    }

    [Fact]
    public void While_the_bits_move_a_standing_voltage_is_the_nearest_level_of_each_moment()
    {
        // From 2 bits to 10 in a second at every frame; where two levels are as near, rounding decides.
        using var rig = Make(0, 2f, 48_000f);
        var bits = rig.IndexOf("bits");
        rig.Parameter = (i, g) => i == bits ? 2f + (g / 3000f * 8f) : rig.Values[i];
        rig.Input = static (port, _, _) => port == 0 ? 3.21f : 0f;
        var output = rig.Run("out", 48_000);
        for (var i = 0; i < output.Length; i++)
        {
            var step = 10.0 * Math.Pow(2, -2.0 - (8.0 * i / 48_000));
            var tie = Math.Abs(Math.IEEERemainder((3.21f / step) + 0.5, 1.0)) < 1e-3;
            if (!tie) Assert.Equal(step * Math.Floor((3.21f / step) + 0.5), output[i], 2e-4);
        }
    }

    [Fact]
    public void Raw_images_are_those_of_a_staircase_of_six_frames()
    {
        using var rig = Make(0, 16f, 8000f);
        var samples = Tone.Through(rig, "out", Bin);
        var (f, worst) = (Bin / (double)Tone.Count, 0.0);
        for (var n = -2; n <= 3; n++)
        {
            var image = Math.Abs(f + (n / 6.0));
            if (image > 0.5) continue;
            var expected = 5.0 * Math.Abs(Math.Sin(Math.PI * image * 6.0) / (6.0 * Math.Sin(Math.PI * image)));
            worst = Math.Max(worst, Math.Abs(Spectrum.Decibels(Spectrum.Level(samples, image) / expected)));
        }

        Quality.AtMost("bit-crusher", "level of raw images, 8 kHz of 48", worst, 0.05, "dB");
    }

    [Fact]
    public void Band_limited_images_are_those_of_a_zero_order_hold_and_there_is_nothing_else()
    {
        const int Rate = 5309; // 7777 Hz
        using var rig = Make(1, 16f, (float)Tone.Hertz(Rate));
        Assert.Equal(18, rig.Timing.LatencyFrames);
        var samples = Tone.Through(rig, "out", Bin);
        var (wanted, worst) = (new List<double>(), 0.0);
        for (var n = -5; n <= 5; n++)
        {
            var image = Math.Abs(Bin + (n * Rate));
            wanted.Add(Tone.Hertz(image));
            if (Tone.Hertz(image) > 19_000) continue;
            var x = Math.PI * image / Rate;
            var expected = 5.0 * Math.Abs(Math.Sin(x) / x);
            worst = Math.Max(worst, Math.Abs(Spectrum.Decibels(Spectrum.Level(samples, image / (double)Tone.Count) / expected)));
        }

        Quality.AtMost("bit-crusher", "level of band-limited images, 7.8 kHz of 48", worst, 0.1, "dB");
        Quality.AtMost("bit-crusher", "what is no image, 2 kHz held at 7.8", Spectrum.WorstOther(samples, 48_000, 20_000, wanted), -80, "dB");
    }

    [Fact]
    public void Sixteen_bits_at_the_full_rate_leave_the_noise_of_sixteen_bits()
    {
        // A step of q adds q^2 / 12: 6.02 bits + 1.76 dB below a sine over all steps.
        using var rig = Make(0, 12f, 48_000f);
        var noise = Tone.NoiseFloor(Tone.Through(rig, "out", Bin), 48_000, Tone.Hertz(Bin));
        Assert.InRange(noise, -(6.02 * 12) - 1.76 - 2, -(6.02 * 12) - 1.76 + 5);
    }

    [Fact]
    public void Dither_makes_the_mean_of_a_quiet_voltage_that_voltage()
    {
        foreach (var quality in new[] { 0, 1 })
        {
            using var rig = Make(quality, 4f, 48_000f);
            var step = 10.0 / 16.0;
            rig.Input = (port, _, _) => port == 0 ? (float)(0.3 * step) : 0f;
            Assert.Equal(0f, rig.Run("out", 4800)[^1]);
            rig["dither"] = 1f;
            var mean = rig.Run("out", 96_000).Skip(4800).Average(static v => (double)v);
            Assert.InRange(mean / step, 0.29, 0.31);
        }
    }

    [Fact]
    public void The_rate_CV_is_an_octave_a_volt()
    {
        using var a = Make(0, 16f, 3000f);
        using var b = Make(0, 16f, 6000f);
        a.Input = static (port, _, frame) => port == 0 ? Tone.Sine(Bin, frame) : port == 2 ? 1f : 0f;
        b.Input = static (port, _, frame) => port == 0 ? Tone.Sine(Bin, frame) : 0f;
        Assert.Equal(b.Run("out", 4800), a.Run("out", 4800));
    }

    private static Rig Make(int quality, float bits, float rate) =>
        new("bit-crusher", new RigOptions { Settings = { ["quality"] = quality } }) { ["bits"] = bits, ["rate"] = rate };
}
