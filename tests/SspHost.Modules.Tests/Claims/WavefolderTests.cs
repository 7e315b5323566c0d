// What the wavefolder claims: the Bessel spectrum of a folded sine, no aliases, and nothing out where nothing comes in.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class WavefolderTests
{
    private const int Count = 32_768;

    [Theory]
    [InlineData(1367, 0f)] // 2002 Hz
    [InlineData(1367, 0.5f)]
    [InlineData(1367, 1f)]
    [InlineData(3413, 0.5f)] // 5000 Hz
    [InlineData(3413, 1f)]
    [InlineData(5461, 0.3f)] // 8000 Hz
    public void Aliases_below_20_kHz_are_80_dB_down(int bin, float fold)
    {
        foreach (var symmetry in new[] { 0f, 1.7f })
        {
            var samples = Folded(bin, fold, symmetry);
            var worst = Spectrum.WorstOther(samples, 48_000, 20_000,
                Enumerable.Range(1, Count / 2 / bin).Select(k => k * (double)bin * 48_000 / Count));
            Quality.AtMost("wavefolder", $"aliases at {bin * 48.0 / Count:f0} kHz", worst, -80, "dB");
        }
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.3f)]
    [InlineData(0.8f)]
    public void A_folded_sine_has_the_harmonics_of_Bessels_functions(float fold)
    {
        // sin(z sin t) = 2 sum J_k(z) sin(k t) over odd k (Jacobi and Anger), z = pi / 2 * gain at 5 V.
        const int Bin = 205; // 300 Hz
        var z = Math.PI / 2 * (1 + (9.0 * fold));
        var samples = Folded(Bin, fold, 0f);
        var worst = 0.0;
        for (var k = 1; k <= 25; k += 2)
        {
            var expected = 10.0 * Math.Abs(Bessel(k, z));
            var measured = Spectrum.Level(samples, k * (double)Bin / Count);
            worst = Math.Max(worst, Math.Abs(measured - expected));
        }

        Quality.AtMost("wavefolder", "harmonics against Bessel's functions", Spectrum.Decibels(worst / 5.0), -60, "dB of 5 V");
        var noise = Tone.NoiseFloor(samples, 48_000, [.. Tone.Harmonics(Bin)]);
        Quality.AtMost("wavefolder", "noise floor", noise, -120, "dB of 5 V");
    }

    [Fact]
    public void Symmetry_brings_even_harmonics_and_no_DC_at_rest()
    {
        const int Bin = 205;
        Assert.InRange(Spectrum.Level(Folded(Bin, 0.3f, 0f), 2.0 * Bin / Count), 0, 1e-4);
        Assert.True(Spectrum.Level(Folded(Bin, 0.3f, 2f), 2.0 * Bin / Count) > 0.5);
        using var rig = new Rig("wavefolder") { ["symmetry"] = 3f };
        Assert.All(rig.Run("out", 4800), static v => Assert.Equal(0f, v));
    }

    [Fact]
    public void The_dry_part_of_the_mix_comes_with_the_folded_one()
    {
        // Small signals pass a folder of gain 1 as pi / 2 times themselves: mixed half and half there is no comb.
        foreach (var bin in new[] { 341, 3413, 6827 })
        {
            using var rig = new Rig("wavefolder") { ["fold"] = 0f, ["mix"] = 0.5f };
            rig.Input = (port, _, frame) => port == 0 ? 0.05f * (float)Math.Sin(2.0 * Math.PI * ((long)bin * frame % Count) / Count) : 0f;
            var samples = rig.Run("out", 4096 + Count)[4096..];
            var level = Spectrum.Decibels(Spectrum.Level(samples, bin / (double)Count) / (0.05 * 0.5 * (1 + (Math.PI / 2))));
            Assert.InRange(level, -0.2, 0.05);
            Quality.AtMost("wavefolder", "comb of a half mix, to 10 kHz", Math.Abs(level), 0.2, "dB");
        }
    }

    [Fact]
    public void Fold_CV_of_10_V_is_its_whole_travel()
    {
        using var a = new Rig("wavefolder") { ["fold"] = 0.2f, ["fold_amount"] = 0.5f };
        using var b = new Rig("wavefolder") { ["fold"] = 0.5f };
        a.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(frame * 0.02) : port == 1 ? 6f : 0f;
        b.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(frame * 0.02) : 0f;
        var (x, y) = (a.Run("out", 4800), b.Run("out", 4800));
        for (var i = 0; i < x.Length; i++) Assert.Equal(y[i], x[i], 1e-4);
    }

    private static float[] Folded(int bin, float fold, float symmetry)
    {
        using var rig = new Rig("wavefolder", new RigOptions { Quantum = 128 }) { ["fold"] = fold, ["symmetry"] = symmetry };
        rig.Input = (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)bin * frame % Count) / Count) : 0f;
        return rig.Run("out", 4096 + Count)[4096..];
    }

    // J_k(z) by Bessel's integral, the trapezoid rule on a periodic function: exact to rounding.
    private static double Bessel(int k, double z)
    {
        double sum = 0;
        for (var i = 0; i < 512; i++)
        {
            var t = 2.0 * Math.PI * i / 512;
            sum += Math.Cos((k * t) - (z * Math.Sin(t)));
        }

        return sum / 512;
    }
}
