// What the noise claims: slopes in dB per octave, equal strength, and channels that have nothing in common.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class NoiseTests
{
    [Theory]
    [InlineData(44_100)]
    [InlineData(48_000)]
    [InlineData(192_000)]
    public void Each_colour_rises_or_falls_by_its_slope_from_30_Hz_to_20_kHz(int rate)
    {
        (string Name, double Slope)[] colours = [("white", 0), ("pink", -3.0103), ("red", -6.0206), ("blue", 3.0103), ("violet", 6.0206)];
        const int Count = 16_384, Averages = 48;
        using var rig = new Rig("noise", new RigOptions { Rate = rate, Quantum = 256 });
        rig.Run(rate);
        var output = rig.Run(Count * (Averages + 1) / 2);
        for (var c = 0; c < colours.Length; c++)
        {
            // Welch's method with half overlaps; then the mean power of each third of an octave against the ideal one.
            var power = new double[(Count / 2) + 1];
            for (var a = 0; a < Averages; a++)
            {
                var bins = Spectrum.Magnitudes(output[c][0].AsSpan(a * Count / 2, Count));
                for (var i = 0; i < power.Length; i++) power[i] += bins[i] * bins[i];
            }

            var levels = new List<(double Octave, double Decibels)>();
            var width = rate / (double)Count;
            for (var f = rate > 100_000 ? 250.0 : 60.0; f * Math.Pow(2, 1 / 6.0) < 20_000; f *= Math.Pow(2, 1 / 3.0))
            {
                double measured = 0, ideal = 0;
                for (var i = (int)(f * Math.Pow(2, -1 / 6.0) / width) + 1; i * width < f * Math.Pow(2, 1 / 6.0); i++)
                {
                    measured += power[i];
                    ideal += Math.Pow(i * width / 1000.0, colours[c].Slope / 3.0103);
                }

                levels.Add((Math.Log2(f / 1000.0), 10.0 * Math.Log10(measured / ideal)));
            }

            var mean = levels.Average(static l => l.Decibels);
            var worst = levels.Max(l => Math.Abs(l.Decibels - mean));
            var middle = levels.Average(static l => l.Octave);
            var slope = levels.Sum(l => (l.Octave - middle) * (l.Decibels - mean)) / levels.Sum(l => Math.Pow(l.Octave - middle, 2));
            Quality.AtMost("noise", $"slope of {colours[c].Name}, 60 Hz to 20 kHz", Math.Abs(slope), 0.1, "dB/octave");

            // What chance leaves of the lowest thirds; the filters themselves are held by NoiseColourTests.
            Quality.AtMost("noise", $"thirds of {colours[c].Name}", worst, 1.2, "dB");
        }
    }

    [Theory]
    [InlineData(44_100)]
    [InlineData(48_000)]
    public void Grey_weighted_by_the_ears_curve_is_white(int rate)
    {
        const int Count = 16_384, Averages = 48;
        using var rig = new Rig("noise", new RigOptions { Rate = rate, Quantum = 256 });
        rig.Run(rate);
        var samples = rig.Run("grey", Count * (Averages + 1) / 2);
        var power = new double[(Count / 2) + 1];
        for (var a = 0; a < Averages; a++)
        {
            var bins = Spectrum.Magnitudes(samples.AsSpan(a * Count / 2, Count));
            for (var i = 0; i < power.Length; i++) power[i] += bins[i] * bins[i];
        }

        var levels = new List<double>();
        var width = rate / (double)Count;
        for (var f = 63.0; f * Math.Pow(2, 1 / 6.0) < 20_000; f *= Math.Pow(2, 1 / 3.0))
        {
            double weighted = 0;
            var (first, last) = ((int)(f * Math.Pow(2, -1 / 6.0) / width) + 1, (int)(f * Math.Pow(2, 1 / 6.0) / width));
            for (var i = first; i <= last; i++) weighted += power[i] * Math.Pow(AWeighting(i * width), 2);
            levels.Add(10.0 * Math.Log10(weighted / (last - first + 1)));
        }

        // What chance leaves; the filter itself is held by GreyNoiseTests.
        var mean = levels.Average();
        var worst = levels.Max(l => Math.Abs(l - mean));
        Quality.AtMost("noise", "grey by the A-weighting of IEC 61672, thirds from 63 Hz to 20 kHz", worst, 1.3, "dB");
    }

    private static double AWeighting(double f)
    {
        var f2 = f * f;
        return 12_194.0 * 12_194.0 * f2 * f2
            / ((f2 + (20.6 * 20.6)) * Math.Sqrt((f2 + (107.7 * 107.7)) * (f2 + (737.9 * 737.9))) * (f2 + (12_194.0 * 12_194.0)));
    }

    [Fact]
    public void All_colours_are_equally_strong_and_white_stays_within_its_level()
    {
        using var rig = new Rig("noise") { ["level"] = 4f };
        rig.Run(48_000);
        var output = rig.Run(480_000);
        Assert.All(output[0][0], static v => Assert.InRange(v, -4f, 4f));
        for (var c = 0; c < 6; c++)
        {
            var rms = Math.Sqrt(output[c][0].Average(static v => (double)v * v));

            // Red noise is mostly slower than a second: ten of them measure it to 2 dB only. Most of the grey is a band of 20 Hz.
            var chance = c switch { 2 => 2.5, 5 => 1.5, _ => 0.3 };
            Assert.InRange(Spectrum.Decibels(rms / (4.0 / Math.Sqrt(12.0))), -chance, chance);
        }
    }

    [Fact]
    public void Channels_and_seeds_have_nothing_in_common()
    {
        const int Count = 48_000;
        var options = new RigOptions { Settings = new() { ["channels"] = 16 } };
        using var one = new Rig("noise", options);
        using var other = new Rig("noise", options with { Seed = 1235 });
        float[][] all = [.. one.Run(Count)[0], .. other.Run(Count)[0]];
        for (var a = 0; a < all.Length; a++)
        {
            for (var b = 0; b < a; b++)
            {
                double product = 0;
                for (var i = 0; i < Count; i++) product += (double)all[a][i] * all[b][i];
                Assert.InRange(product / Count / (25.0 / 12.0), -0.025, 0.025);
            }
        }
    }
}
