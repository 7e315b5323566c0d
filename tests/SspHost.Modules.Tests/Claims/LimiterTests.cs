// What the limiter claims: a ceiling without exception, a sound left alone below it, its release, and true peaks.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class LimiterTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    public void Nothing_comes_out_above_the_ceiling(int lookahead, int peaks)
    {
        using var rig = Make(lookahead, peaks);
        rig["gain"] = 30f;
        rig["release"] = 0.005f;
        var random = new Random(5);
        rig.Input = (_, _, frame) => (frame / 977 % 3 == 0 ? 8f : 0.3f) * ((2f * random.NextSingle()) - 1f);
        var output = rig.Run(48_000);
        var most = output[0][0].Concat(output[1][0]).Max(Math.Abs);
        Assert.True(most <= 5f, $"{most:r} V");
        Quality.AtMost("limiter", "peak above the ceiling", Spectrum.Decibels(most / 5.0), 0, "dB");
        Assert.InRange(most, peaks == 0 ? 4.5f : 3f, 5f); // true peaks lie above the samples of noise
    }

    [Fact]
    public void Nor_above_one_that_moves()
    {
        using var rig = Make(1, 0);
        rig["gain"] = 20f;
        var ceiling = rig.IndexOf("ceiling");
        rig.Parameter = (i, grid) => i == ceiling ? Level(grid) : rig.Values[i];
        rig.Input = static (port, _, frame) => 5f * (float)Math.Sin(frame * (port + 1) * 0.0713);
        var output = rig.Run(24_000);
        for (var i = 0; i < 24_000; i++)
        {
            var (from, to) = (Volts(Level(i / 16)), Volts(Level((i / 16) + 1)));
            Assert.True(Math.Abs(output[0][0][i]) <= (from + ((to - from) * (i % 16) / 16.0)) * 1.000001, $"frame {i}");
        }

        static float Level(long grid) => -6f + (6f * (float)Math.Sin(grid * 0.05));
        static double Volts(double decibels) => 5.0 * Math.Pow(10, decibels / 20.0);
    }

    [Theory]
    [InlineData(0, 48_000, 63)]
    [InlineData(1, 48_000, 127)]
    [InlineData(2, 48_000, 255)]
    [InlineData(1, 96_000, 255)]
    [InlineData(1, 192_000, 511)]
    public void Below_the_ceiling_it_is_a_delay_of_its_latency(int lookahead, int rate, int latency)
    {
        using var rig = Make(lookahead, 0, rate);
        Assert.Equal(latency, rig.Timing.LatencyFrames);
        rig.Input = static (port, _, frame) => 4.9f * (float)Math.Sin(frame * (port + 1) * 0.1);
        var output = rig.Run(4096);
        for (var i = latency; i < 4096; i++)
        {
            Assert.Equal(4.9f * Math.Sin((i - latency) * 0.1), output[0][0][i], 1e-6 * 4.9);
            Assert.Equal(4.9f * Math.Sin((i - latency) * 0.2), output[1][0][i], 1e-6 * 4.9);
        }

        Assert.All(output[2][0], static v => Assert.Equal(0f, v));
    }

    [Fact]
    public void The_gain_comes_back_with_its_release_and_is_down_before_the_peak_is_there()
    {
        using var rig = Make(1, 0);
        rig["release"] = 0.2f;
        rig.Input = static (_, _, frame) => frame is >= 4800 and < 9600 ? 20f : 1f;
        var output = rig.Run("left", 57_600);
        Assert.Equal(1f, output[4799], 1e-6);
        Assert.Equal(5f, output[4800 + 127], 1e-4); // the first loud frame, already at the ceiling
        var worst = 0.0;
        for (var i = 10_000; i < 40_000; i += 100)
        {
            // 1 - gain falls by e every 0.2 s; what it has fallen by since the first of these.
            var expected = (1.0 - output[10_000]) * Math.Exp(-(i - 10_000) / 9600.0);
            worst = Math.Max(worst, Math.Abs(Spectrum.Decibels(output[i] / (1.0 - expected))));
        }

        Quality.AtMost("limiter", "release against its exponential", worst, 0.01, "dB");
    }

    [Fact]
    public void A_steady_sound_far_above_the_ceiling_is_as_clean_as_one_below()
    {
        // Samples of a sine of 750 Hz hit every peak alike, so the gain stands still.
        using var rig = Make(2, 0);
        rig["gain"] = 20f;
        rig["release"] = 1f;
        const int Bin = 512;
        var noise = Tone.NoiseFloor(Tone.Through(rig, "left", Bin, 5.0, 96_000), 48_000, Tone.Hertz(Bin));
        Quality.AtMost("limiter", "noise floor, 20 dB of limiting", noise, -80, "dB of 5 V");
        using var quiet = Make(2, 0);
        noise = Tone.NoiseFloor(Tone.Through(quiet, "left", Bin, 4.9), 48_000, Tone.Hertz(Bin));
        Quality.AtMost("limiter", "noise floor", noise, -120, "dB of 5 V");
    }

    [Theory]
    [InlineData(0.25, 0.25)]
    [InlineData(0.125, 0.4)]
    [InlineData(0.3125, 0.1)]
    [InlineData(0.375, 0.3)]
    public void True_peaks_stay_below_the_ceiling_too(double turns, double phase)
    {
        // A sine whose samples miss its tips: at a quarter of the rate and half-way between, by 3 dB.
        using var rig = Make(1, 1);
        rig.Input = (_, _, frame) => 7f * (float)Math.Sin(2.0 * Math.PI * ((turns * frame) + (phase / 2.0)));
        var level = Spectrum.Level(rig.Run("left", 40_000).AsSpan(7000, 32_768), turns);
        Quality.AtMost("limiter", "true peak above the ceiling, to 0.375 of the rate", Spectrum.Decibels(level / 5.0), 0.5, "dB");
        Assert.InRange(level, 4.4, 5.3);
    }

    [Fact]
    public void Both_sides_get_the_gain_of_the_louder_one()
    {
        using var rig = Make(1, 0);
        rig.Input = static (port, _, _) => port == 0 ? 20f : 1f;
        var output = rig.Run(9600);
        Assert.Equal(5f, output[0][0][^1], 1e-4);
        Assert.Equal(0.25f, output[1][0][^1], 1e-5);
        Assert.Equal(12.0412 / 3.0, output[2][0][^1], 1e-4);
        Assert.Equal(12.0412, rig.Telemetry(0), 1e-3);
    }

    private static Rig Make(int lookahead, int peaks, int rate = 48_000) =>
        new("limiter", new RigOptions { Rate = rate, Quantum = 128, Settings = { ["lookahead"] = lookahead, ["peaks"] = peaks } });
}
