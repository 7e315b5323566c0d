// What the compressor claims: its static curve, its times in decibels, one gain for a pair, and the sidechain's word.
namespace SspHost.Modules.Tests;

public class CompressorTests
{
    [Theory]
    [InlineData(-20f, 4f, 0f)]
    [InlineData(-20f, 4f, 12f)]
    [InlineData(-40f, 50f, 6f)]
    [InlineData(-10f, 1.5f, 24f)]
    public void The_static_curve_is_that_of_its_threshold_ratio_and_knee(float threshold, float ratio, float knee)
    {
        for (var level = -60.0; level <= 6.0; level += 1.5)
        {
            using var rig = Mono(threshold, ratio, knee);
            var volts = 5f * (float)Math.Pow(10, level / 20);
            rig.Input = (_, _, _) => volts;
            var output = rig.Run("left", 9600)[^1];

            // Giannoulis, Massberg, Reiss, equation 4.
            var over = level - threshold;
            var expected = 2 * over < -knee ? level
                : 2 * Math.Abs(over) <= knee && knee > 0 ? level + (((1.0 / ratio) - 1) * Math.Pow(over + (knee / 2.0), 2) / (2.0 * knee))
                : threshold + (over / ratio);
            Assert.InRange(Spectrum.Decibels(output / 5.0) - expected, -0.001, 0.001);
        }
    }

    [Fact]
    public void Attack_and_release_are_time_constants_of_the_reduction_in_decibels()
    {
        using var rig = Mono(-30f, 2f, 0f);
        rig["attack"] = 0.02f;
        rig["release"] = 0.3f;

        // 0 dB for a second, -20 dB after: reductions of 15 and 5 dB.
        rig.Input = static (_, _, frame) => frame < 48_000 ? 5f : 0.5f;
        var output = rig.Run(96_000);
        for (var i = 0; i < 96_000; i++)
        {
            var expected = i < 48_000 ? 15.0 * (1 - Math.Exp(-(i + 1) / 960.0)) : 5.0 + (10.0 * Math.Exp(-(i - 47_999) / 14_400.0));
            Assert.Equal(expected, output[2][0][i] * 3.0, 2e-4);
            Assert.Equal(expected, -Spectrum.Decibels(output[0][0][i] / (i < 48_000 ? 5.0 : 0.5)), 1e-3);
        }

        Assert.Equal(output[2][0][^32], rig.Telemetry(0));
    }

    [Fact]
    public void The_louder_side_decides_for_both_and_the_sidechain_instead_of_them()
    {
        using var pair = new Rig("compressor", new RigOptions { Cables = [1, 1, 0] }) { ["threshold"] = -20f, ["knee"] = 0f };
        pair.Input = static (port, _, _) => port == 0 ? 0.1f : -5f;
        var output = pair.Run(48_000);
        Assert.Equal(-15.0, Spectrum.Decibels(output[0][0][^1] / 0.1), 0.01);
        Assert.Equal(-15.0, Spectrum.Decibels(output[1][0][^1] / -5.0), 0.01);

        using var keyed = new Rig("compressor", new RigOptions { Cables = [1, 0, 1] }) { ["threshold"] = -20f, ["knee"] = 0f };
        keyed.Input = static (port, _, frame) => port == 0 ? 5f : frame < 24_000 ? 0f : 5f;
        output = keyed.Run(48_000);
        Assert.Equal(5f, output[0][0][20_000]);
        Assert.Equal(5f, output[1][0][20_000]);
        Assert.Equal(-15.0, Spectrum.Decibels(output[1][0][^1] / 5.0), 0.01);
    }

    [Fact]
    public void Makeup_is_in_decibels_and_mix_0_is_the_sound_alone()
    {
        using var rig = Mono(0f, 1f, 0f);
        rig["makeup"] = 12f;
        rig.Input = static (_, _, frame) => (float)Math.Sin(frame * 0.1);
        var output = rig.Run("left", 960);
        for (var i = 0; i < 960; i++) Assert.Equal(Math.Sin(i * 0.1) * Math.Pow(10, 0.6), output[i], 1e-5);
        rig["mix"] = 0f;
        output = rig.Run("left", 960);
        for (var i = 0; i < 960; i++) Assert.Equal((float)Math.Sin((i + 960) * 0.1), output[i]);
    }

    private static Rig Mono(float threshold, float ratio, float knee) =>
        new("compressor", new RigOptions { Cables = [1, 0, 0] })
        {
            ["threshold"] = threshold, ["ratio"] = ratio, ["knee"] = knee, ["attack"] = 0.001f, ["release"] = 0.01f,
        };
}
