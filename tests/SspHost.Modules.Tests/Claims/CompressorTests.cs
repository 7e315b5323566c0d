// What the compressor claims: its static curve, its times in decibels, one gain for a pair, and the sidechain's word.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class CompressorTests
{
    [Theory]
    [InlineData(-20f, 4f, 0f)]
    [InlineData(-20f, 4f, 12f)]
    [InlineData(-40f, 50f, 6f)]
    [InlineData(-10f, 1.5f, 24f)]
    public void The_static_curve_is_that_of_its_threshold_ratio_and_knee(float threshold, float ratio, float knee)
    {
        var worst = 0.0;
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
            worst = Math.Max(worst, Math.Abs(Spectrum.Decibels(output / 5.0) - expected));
        }

        Quality.AtMost("compressor", "static curve", worst, 0.001, "dB");
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
        var worst = 0.0;
        for (var i = 0; i < 96_000; i++)
        {
            var expected = i < 48_000 ? 15.0 * (1 - Math.Exp(-(i + 1) / 960.0)) : 5.0 + (10.0 * Math.Exp(-(i - 47_999) / 14_400.0));
            Assert.Equal(expected, output[2][0][i] * 3.0, 2e-4);
            worst = Math.Max(worst, Math.Abs(expected + Spectrum.Decibels(output[0][0][i] / (i < 48_000 ? 5.0 : 0.5))));
        }

        Quality.AtMost("compressor", "reduction along attack and release", worst, 0.001, "dB");

        Assert.Equal(output[2][0][^1] * 3.0, rig.Telemetry(0), 1e-4);
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

    [Theory]
    [InlineData(0.4f, 0.005f)] // an attack slower than the release
    [InlineData(0.003f, 0.9f)]
    public void Each_of_four_voices_follows_its_own_sound_up_and_down(float attack, float release)
    {
        using var rig = new Rig("compressor", new RigOptions { Cables = [4, 0, 0] })
        {
            ["threshold"] = -40f, ["ratio"] = 2f, ["knee"] = 0f, ["attack"] = attack, ["release"] = release,
        };
        rig.Input = static (_, channel, frame) => frame / 3000 % (channel + 2) == 0 ? 5f : 0.5f;
        var output = rig.Run(24_000);
        var (a, r) = (1 - Math.Exp(-1 / (attack * 48_000.0)), 1 - Math.Exp(-1 / (release * 48_000.0)));
        for (var voice = 0; voice < 4; voice++)
        {
            var y = 0.0;
            for (var i = 0; i < 24_000; i++)
            {
                var wanted = i / 3000 % (voice + 2) == 0 ? 20.0 : 10.0;
                y += (wanted - y) * (wanted > y ? a : r);
                Assert.Equal(y, output[2][voice][i] * 3.0, 1e-3);
            }
        }
    }

    [Theory]
    [InlineData(5, 48_000, 240)]
    [InlineData(10, 44_100, 448)]
    public void Look_ahead_is_a_latency_and_lets_the_gain_go_first(int milliseconds, int rate, int frames)
    {
        using var rig = new Rig("compressor", new RigOptions { Rate = rate, Cables = [2, 2, 0], Settings = { ["lookahead"] = milliseconds } })
        {
            ["threshold"] = -20f, ["ratio"] = 50f, ["attack"] = 0.0005f, ["knee"] = 0f,
        };
        Assert.Equal(frames, rig.Timing.LatencyFrames);
        rig.Input = static (port, channel, frame) => (frame < 4800 ? 0.1f : 5f) * (port + channel + 1) / 3f;
        var output = rig.Run(9600);
        for (var side = 0; side < 2; side++)
        {
            for (var voice = 0; voice < 2; voice++)
            {
                for (var i = frames; i < 4800; i++) Assert.Equal(0.1f * (side + voice + 1) / 3f, output[side][voice][i]);
            }
        }

        // The first loud frame comes out with the gain it will keep.
        Assert.InRange(Spectrum.Decibels(output[0][0][4800 + frames] / output[0][0][^1]), -0.01, 0.01);
    }

    [Fact]
    public void A_sound_below_the_threshold_passes_clean()
    {
        using var rig = Mono(0f, 4f, 0f);
        var samples = Tone.Through(rig, "left", 341, 4.9);
        Quality.AtMost("compressor", "noise floor", Tone.NoiseFloor(samples, 48_000, Tone.Hertz(341)), -120, "dB of 5 V");
    }

    private static Rig Mono(float threshold, float ratio, float knee) =>
        new("compressor", new RigOptions { Cables = [1, 0, 0] })
        {
            ["threshold"] = threshold, ["ratio"] = ratio, ["knee"] = knee, ["attack"] = 0.001f, ["release"] = 0.01f,
        };
}
