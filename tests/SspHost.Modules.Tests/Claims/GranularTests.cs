// What the granular module claims: when grains begin, their pitch, that windows add up, that nothing clicks, how many there are.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class GranularTests
{
    private const int Rate = 48_000;

    [Theory]
    [InlineData(20f, 0.1f)]
    [InlineData(30f, 0.1f)]
    [InlineData(100f, 0.04f)]
    public void Overlapping_windows_of_a_steady_stream_add_up_to_a_constant(float density, float size)
    {
        using var rig = Cloud(Enumerable.Repeat(1f, Rate).ToArray());
        rig["density"] = density;
        rig["size"] = size;
        var samples = rig.Run("left", Rate)[(int)(2 * size * Rate)..];
        Quality.AtMost("granular", "ripple of windows", samples.Max(static v => Math.Abs((v / 5.0) - 1)) * 100, 0.01, "%");
    }

    [Fact]
    public void Grains_begin_as_often_as_the_density_says_in_exact_frames()
    {
        using var rig = Cloud(Enumerable.Repeat(1f, Rate).ToArray());
        rig["density"] = 7f;
        rig["size"] = 0.02f;
        rig["shape"] = 1f;
        var samples = rig.Run("left", 10 * Rate);
        var starts = Starts(samples);
        Assert.Equal(70, starts.Count);

        // The first frame of a window is zero, so it is heard in the next.
        for (var k = 0; k < starts.Count; k++)
            Quality.AtMost("granular", "start of a grain", Math.Abs(starts[k] - 1 - Math.Ceiling(k * Rate / (double)7f)), 0, "frames");
    }

    [Fact]
    public void A_trigger_starts_one_grain_in_its_frame()
    {
        using var rig = Cloud(Enumerable.Repeat(1f, Rate).ToArray(), trigger: true);
        rig["size"] = 0.02f;
        rig.Input = static (port, _, frame) => port == 2 && frame % 3001 is >= 777 and < 825 ? 10f : 0f;
        var starts = Starts(rig.Run("left", 20_000));
        Assert.Equal([778, 3779, 6780, 9781, 12_782, 15_783, 18_784], starts);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(1f)]
    [InlineData(-0.5f)]
    public void Pitch_is_the_recorded_one_times_the_ratio(float volts)
    {
        using var rig = Cloud(Sine(441.0 / Rate, 2 * Rate), trigger: true);
        rig["size"] = 1f;
        rig["shape"] = 1f;
        rig["position"] = 0f;
        rig.Input = (port, _, frame) => port == 2 && frame >= 64 && frame < 128 ? 10f : port == 3 ? volts : 0f;
        var samples = rig.Run("left", Rate).AsSpan(4800, 40_000);
        var expected = 441.0 * Math.Pow(2, volts);
        Quality.AtMost("granular", "pitch", Math.Abs(Spectrum.Cents(Spectrum.Frequency(samples, expected / Rate) * Rate, expected)), 0.1, "cent");
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(1.6f)]
    [InlineData(3.3f)]
    public void A_grain_pitched_up_folds_nothing_back_below_20_kHz(float volts)
    {
        // Two partials: one stays in hearing, the other would fold into it. One grain, between its tapers.
        var ratio = Math.Pow(2, volts);
        var (low, high) = (Sine(900.0 / ratio / Rate, 12 * Rate), Sine(31_000.0 / ratio / Rate, 12 * Rate));
        using var rig = Cloud([.. low.Zip(high, static (a, b) => 0.4f * (a + b))], trigger: true);
        rig["size"] = 1f;
        rig["shape"] = 1f;
        rig["position"] = 0f;
        rig.Input = (port, _, frame) => port == 2 && frame >= 64 && frame < 128 ? 10f : port == 3 ? volts : 0f;
        var samples = rig.Run("left", 8192 + 16_384).AsSpan(8192);
        Quality.AtMost("granular", "aliases of grains pitched up", Spectrum.WorstOther(samples, Rate, 20_000, [900.0]), -80, "dB");
        Assert.Equal(2.0, Spectrum.Level(samples, 900.0 / Rate), 0.01);
    }

    [Fact]
    public void Nor_does_a_live_one()
    {
        using var rig = new Rig("granular", new RigOptions { Cables = [1, 0, 1, 1, 0, 0, 0], Settings = new() { ["seconds"] = 4 } });
        (rig["spray"], rig["spread"], rig["size"], rig["shape"], rig["position"]) = (0f, 0f, 1f, 1f, 0.6f);
        rig.Input = static (port, _, frame) => port switch
        {
            0 => (float)(Math.Sin(2 * Math.PI * 450 * frame / Rate) + Math.Sin(2 * Math.PI * 15_500 * frame / Rate)),
            2 => frame >= 3 * Rate && frame < (3 * Rate) + 64 ? 10f : 0f,
            _ => 1f,
        };
        var samples = rig.Run("left", (3 * Rate) + 8192 + 16_384).AsSpan((3 * Rate) + 8192);
        Quality.AtMost("granular", "aliases of grains pitched up", Spectrum.WorstOther(samples, Rate, 20_000, [900.0]), -80, "dB");
        Assert.Equal(1.0, Spectrum.Level(samples, 900.0 / Rate), 0.01);
    }

    [Fact]
    public void No_grain_clicks_at_either_end()
    {
        // A constant: every change is the window's. The steepest taper is 0.05 of 20 ms, sin^2 over 48 frames.
        using var rig = Cloud(Enumerable.Repeat(1f, Rate).ToArray());
        rig["density"] = 11f;
        rig["size"] = 0.02f;
        rig["shape"] = 1f;
        var samples = rig.Run("left", 2 * Rate);
        double worst = 0;
        for (var i = 1; i < samples.Length; i++) worst = Math.Max(worst, Math.Abs(samples[i] - samples[i - 1]));
        Quality.AtMost("granular", "largest step, of 5 V", worst, 5 * Math.PI / 2 / 48 * 1.01, "V");
    }

    [Fact]
    public void No_more_than_48_grains_sound_and_the_cloud_repeats_by_its_seed()
    {
        float[] Play(ulong seed)
        {
            using var rig = Cloud(Sine(0.01, Rate), seed: seed);
            rig["density"] = 200f;
            rig["size"] = 1f;
            rig["spray"] = 1f;
            rig["jitter"] = 1f;
            rig["pitch_spray"] = 1f;
            rig["spread"] = 1f;
            var samples = rig.Run("left", 2 * Rate);
            Assert.Equal(48f, rig.Telemetry(0));
            return samples;
        }

        Assert.Equal(Play(5), Play(5));
        Assert.NotEqual(Play(5), Play(6));
    }

    [Fact]
    public void Live_grains_replay_what_came_in_and_freeze_keeps_it()
    {
        using var rig = new Rig("granular", new RigOptions { Cables = [1, 0, 0, 0, 0, 0, 1], Settings = new() { ["seconds"] = 1 } });
        rig["spray"] = 0f;
        rig["spread"] = 0f;
        rig["position"] = 0.5f;
        rig.Input = static (port, _, frame) => port == 0
            ? (frame < Rate ? 3f * (float)Math.Sin(2 * Math.PI * 300 * frame / Rate) : 0f)
            : frame >= Rate ? 10f : 0f;
        var samples = rig.Run("left", 4 * Rate);
        Assert.InRange(Spectrum.Level(samples.AsSpan(3 * Rate, 32_768), 300.0 / Rate), 0.5, 3.1);
        Assert.Equal(samples.AsSpan(2 * Rate, 4800).ToArray(), samples.AsSpan(3 * Rate, 4800).ToArray());
    }

    [Fact]
    public void With_nothing_to_play_it_sleeps()
    {
        using var rig = new Rig("granular", new RigOptions { Settings = new() { ["seconds"] = 1 } });
        rig.Input = static (port, _, frame) => port == 0 && frame < 4800 ? 1f : 0f;
        rig.Run(3 * Rate);
        Assert.Equal(ProcessResult.Sleep, rig.LastResult);
    }

    private static List<int> Starts(float[] samples)
    {
        var starts = new List<int>();
        for (var i = 1; i < samples.Length; i++)
        {
            if (samples[i] != 0f && samples[i - 1] == 0f) starts.Add(i);
        }

        return starts;
    }

    private static Rig Cloud(float[] recording, bool trigger = false, ulong seed = 1234)
    {
        var rig = new Rig("granular", new RigOptions { Seed = seed, Cables = [0, 0, trigger ? 1 : 0, 1, 0, 0, 0], Settings = new() { ["seconds"] = 1 } });
        rig["spray"] = 0f;
        rig["spread"] = 0f;
        rig.LoadAsset(Rate, recording);
        return rig;
    }

    private static float[] Sine(double turns, int frames) =>
        [.. Enumerable.Range(0, frames).Select(i => (float)Math.Sin(2.0 * Math.PI * turns * i))];
}
