// What the parametric EQ and the crossover claim: the analogue shapes, cuts that undo boosts, ranges that add up.
using System.Numerics;

namespace SspHost.Modules.Tests;

public class EqualizerTests
{
    private const int Rate = 48_000;

    [Theory, Trait("Category", "Quality")]
    [InlineData(0, 10_000, 1.0)]
    [InlineData(1, 16_000, 0.2)]
    public void Bands_have_the_shapes_of_analogue_equalizers(int quality, double highest, double limit)
    {
        foreach (var decibels in new[] { 18f, -12f, 4f })
        {
            foreach (var frequency in new[] { 60f, 1000f, 7000f, 14_000f })
            {
                foreach (var q in new[] { 0.7f, 4f })
                {
                    using var peak = Flat(quality);
                    peak["freq1"] = frequency;
                    peak["gain1"] = decibels;
                    peak["q1"] = q;
                    Check("peak", frequency, peak, f => Peak(f / frequency, decibels, q));
                }

                using var low = Flat(quality);
                low["low_freq"] = Math.Min(frequency, 2000f);
                low["low_gain"] = decibels;
                Check("low shelf", frequency, low, f => LowShelf(f / Math.Min(frequency, 2000f), decibels));
                using var high = Flat(quality);
                high["high_freq"] = Math.Max(frequency, 500f);
                high["high_gain"] = decibels;
                Check("high shelf", frequency, high, f => HighShelf(f / Math.Max(frequency, 500f), decibels));
            }
        }

        void Check(string band, float frequency, Rig rig, Func<double, double> wanted)
        {
            var worst = Response.Worst(Response.Impulse(rig, "out", frequency < 100 ? 65_536 : 8192), Rate, highest, wanted);
            Quality.AtMost("parametric-eq", $"{(quality == 0 ? "standard" : "high")}, {band} against the analogue response",
                worst, limit, "dB");
        }
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData(0)]
    [InlineData(1)]
    public void Far_below_half_the_rate_a_band_is_its_prototype(int quality)
    {
        foreach (var decibels in new[] { 18f, -12f })
        {
            using var low = Flat(quality);
            low["low_freq"] = 300f;
            low["low_gain"] = decibels;
            Check("low shelf", low, f => LowShelf(f / 300.0, decibels));
            using var peak = Flat(quality);
            peak["freq2"] = 800f;
            peak["gain2"] = decibels;
            peak["q2"] = 2f;
            Check("peak", peak, f => Peak(f / 800.0, decibels, 2));
            using var high = Flat(quality);
            high["high_freq"] = 500f;
            high["high_gain"] = decibels;
            Check("high shelf", high, f => HighShelf(f / 500.0, decibels));
        }

        void Check(string band, Rig rig, Func<double, double> wanted) =>
            Quality.AtMost("parametric-eq", $"{band} up to 2 kHz against its prototype",
                Response.Worst(Response.Impulse(rig, "out", 16_384), Rate, 2000, wanted), 0.05, "dB");
    }

    [Fact]
    public void A_cut_undoes_the_boost_of_the_same_decibels()
    {
        using var boost = Loud(1f);
        using var cut = Loud(-1f);
        var raised = boost.Run("out", 4096);
        cut.Input = (_, _, frame) => raised[frame];
        var back = cut.Run("out", 4096);
        Assert.Equal(0.01f, back[0], 1e-6f);
        Assert.All(back[1..], static v => Assert.InRange(v, -1e-6f, 1e-6f));

        static Rig Loud(float sign)
        {
            var rig = Flat(0);
            (string Gain, float Value)[] gains = [("low_gain", 12f), ("gain1", -7f), ("gain2", 15f), ("high_gain", 9f)];
            foreach (var (gain, value) in gains) rig[gain] = sign * value;
            rig.Input = static (_, _, frame) => frame == 0 ? 0.01f : 0f;
            return rig;
        }
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData(2, 0)]
    [InlineData(3, 0)]
    [InlineData(4, 0)]
    [InlineData(4, 1)]
    public void The_ranges_of_a_crossover_add_up_to_a_flat_response(int ways, int quality)
    {
        using var rig = Crossover(ways, quality);
        rig.Input = static (_, _, frame) => frame == 0 ? 0.01f : 0f;
        var output = rig.Run(8192);
        double[] sum = [.. Enumerable.Range(0, 8192).Select(i => output.Sum(o => o[0][i] / 0.01))];
        Quality.AtMost("crossover", "sum of its ranges, from flat", Response.Worst(sum, Rate, 18_000, static _ => 1.0), 0.05, "dB");
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData(0, 10_000, 1.0)]
    [InlineData(1, 16_000, 0.2)]
    public void The_slopes_of_a_crossover_are_Linkwitz_Rileys(int quality, double highest, double limit)
    {
        foreach (var split in new[] { 100f, 1000f, 5000f, 9000f })
        {
            foreach (var output in new[] { "low", "high" })
            {
                using var rig = Crossover(2, quality);
                rig["split1"] = split;
                var impulse = Response.Impulse(rig, output, 8192);
                var worst = Response.Worst(impulse, Rate, highest, f =>
                {
                    var s = new Complex(0, f / split);
                    return Complex.Pow((output == "low" ? 1 : s * s) / ((s * s) + (Math.Sqrt(2) * s) + 1), 2).Magnitude;
                });
                Quality.AtMost("crossover", $"{(quality == 0 ? "standard" : "high")}, slopes against the analogue response",
                    worst, limit, "dB");
                var own = Response.Worst(impulse, Rate, 18_000, f =>
                {
                    var over = Rate * (quality == 0 ? 2.0 : 8.0);
                    var s = new Complex(0, Math.Tan(Math.PI * f / over) / Math.Tan(Math.PI * split / over));
                    return Complex.Pow((output == "low" ? 1 : s * s) / ((s * s) + (Math.Sqrt(2) * s) + 1), 2).Magnitude;
                }, -48);
                Quality.AtMost("crossover", "response against its discrete prototype", own, 0.05, "dB");
            }
        }
    }

    // The prototypes of the Cookbook, A = 10^(dB / 40).
    private static double Peak(double ratio, double decibels, double q)
    {
        var (s, a) = (new Complex(0, ratio), Math.Pow(10, decibels / 40));
        return (((s * s) + (s * a / q) + 1) / ((s * s) + (s / (a * q)) + 1)).Magnitude;
    }

    private static double LowShelf(double ratio, double decibels)
    {
        var (s, a) = (new Complex(0, ratio), Math.Pow(10, decibels / 40));
        var b = Math.Sqrt(a) * Math.Sqrt(2);
        return (a * ((s * s) + (b * s) + a) / ((a * s * s) + (b * s) + 1)).Magnitude;
    }

    private static double HighShelf(double ratio, double decibels)
    {
        var (s, a) = (new Complex(0, ratio), Math.Pow(10, decibels / 40));
        var b = Math.Sqrt(a) * Math.Sqrt(2);
        return (a * ((a * s * s) + (b * s) + 1) / ((s * s) + (b * s) + a)).Magnitude;
    }

    private static Rig Flat(int quality)
    {
        var rig = new Rig("parametric-eq", new RigOptions { Quantum = 128, Settings = new() { ["quality"] = quality } });
        foreach (var gain in new[] { "low_gain", "gain1", "gain2", "high_gain" }) rig[gain] = 0f;
        return rig;
    }

    private static Rig Crossover(int ways, int quality) =>
        new("crossover", new RigOptions { Quantum = 128, Settings = new() { ["ways"] = ways, ["quality"] = quality } });
}
