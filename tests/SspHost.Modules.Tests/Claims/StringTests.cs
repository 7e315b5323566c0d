// What the string claims: its pitch, its decay at every pitch, its pick, its stiffness.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class StringTests
{
    private const int Rate = 48_000;
    private const double C4 = 261.6255653005986;

    [Theory]
    [InlineData(44_100, 0f, 0.6f)]
    [InlineData(48_000, 0f, 1f)]
    [InlineData(48_000, 1f, 0.6f)]
    [InlineData(48_000, 0.4f, 0f)]
    [InlineData(192_000, 0.5f, 0.6f)]
    public void It_is_in_tune_within_a_cent_from_20_Hz_to_4_kHz(int rate, float stiffness, float brightness)
    {
        foreach (var hertz in new[] { 20.6, 55.3, 110.7, 441.7, 987.7, 1975.5, 4186.0 })
        {
            using var rig = Plucked(rate, hertz);
            rig["stiffness"] = stiffness;
            rig["brightness"] = brightness;
            rig["decay"] = 10f;
            var samples = rig.Run("out", rate + (rate / 8)).AsSpan(rate / 8);
            var expected = hertz;
            Quality.AtMost("string", "pitch", Math.Abs(Spectrum.Cents(Spectrum.Frequency(samples, expected / rate) * rate, expected)), 1, "cent");
        }
    }

    [Theory]
    [InlineData(0.5f, 0.6f, 0f)]
    [InlineData(4f, 0.6f, 0f)]
    [InlineData(4f, 0.1f, 0.7f)]
    public void Its_fundamental_falls_by_60_dB_in_the_time_of_its_decay_at_every_pitch(float seconds, float brightness, float stiffness)
    {
        foreach (var hertz in new[] { 82.4, 220.0, 659.3, 1318.5, 2637.0 })
        {
            using var rig = Plucked(Rate, hertz);
            rig["decay"] = seconds;
            rig["brightness"] = brightness;
            rig["stiffness"] = stiffness;
            var frames = (int)(Rate * Math.Min(seconds, 2f));
            var samples = rig.Run("out", frames + 64);
            var measured = Tail.T60Of(samples, hertz / Rate, Rate, 4800, frames, Math.Max(4096, frames / 12));
            Quality.AtMost("string", $"T60 of {seconds} s", 100 * Math.Abs((measured / seconds) - 1), 5, "%");
        }
    }

    [Fact]
    public void A_pluck_in_the_middle_has_no_even_partials_and_at_a_fifth_no_fifth()
    {
        foreach (var (position, missing) in new[] { (0.5f, 2), (0.2f, 5) })
        {
            using var rig = Plucked(Rate, 240.0);
            rig["position"] = position;
            rig["brightness"] = 1f;
            var samples = rig.Run("out", 70_000)[2048..(2048 + 65_536)];
            var others = Enumerable.Range(1, 9).Where(k => k % missing != 0).Select(k => Level(samples, k)).Average();
            Quality.AtMost("string", "missing partial", Spectrum.Decibels(Level(samples, missing) / others), -40, "dB");
        }

        static double Level(float[] s, int k) => Spectrum.Level(s, k * 240.0 / Rate);
    }

    [Fact]
    public void Partials_are_harmonic_and_stiffness_stretches_them()
    {
        var stretched = Partial(1f, 6);
        Quality.AtMost("string", "6th partial, no stiffness", Math.Abs(Spectrum.Cents(Partial(0f, 6), 6 * 220.0)), 1, "cent");
        Assert.InRange(Spectrum.Cents(stretched, 6 * 220.0), 5, 300);

        static double Partial(float stiffness, int k)
        {
            using var rig = Plucked(Rate, 220.0);
            rig["stiffness"] = stiffness;
            rig["brightness"] = 1f;
            var samples = rig.Run("out", 70_000).AsSpan(2048, 65_536);
            var bins = Spectrum.Magnitudes(samples);
            var from = (int)(k * 215.0 / Rate * 65_536);
            var best = from;
            for (var b = from; b < k * 245.0 / Rate * 65_536; b++) best = bins[b] > bins[best] ? b : best;
            return Spectrum.Frequency(samples, best / 65_536.0) * Rate;
        }
    }

    [Fact]
    public void A_pluck_is_heard_in_its_very_frame()
    {
        using var rig = new Rig("string");
        rig.Input = static (port, _, frame) => port == 0 && frame is >= 333 and < 400 ? 10f : 0f;
        var samples = rig.Run("out", 2048);
        Assert.Equal(333, Array.FindIndex(samples, static v => v != 0f));
        Assert.InRange(samples.Max(Math.Abs), 1f, 10f);
    }

    [Fact]
    public void It_sings_at_its_pitch_when_noise_comes_into_the_exciter()
    {
        using var rig = new Rig("string");
        rig.Input = static (port, _, frame) => port == 3 ? (float)Performance.Hash(3, frame, 1) - 0.5f : 0f;
        var samples = rig.Run("out", 100_000).AsSpan(20_000, 65_536);
        var at = C4 / Rate;
        Assert.True(Spectrum.Level(samples, at) > 30 * Spectrum.Level(samples, at * 1.5));
    }

    private static Rig Plucked(int rate, double hertz)
    {
        var volts = (float)Math.Log2(hertz / C4);
        return new Rig("string", new RigOptions { Rate = rate, Quantum = 64 })
        {
            Input = (port, _, frame) => port == 0 && frame is > 0 and < 48 ? 10f : port == 1 ? 10f : port == 2 ? volts : 0f,
        };
    }
}
