// What the spectral freeze claims: nothing changes what passes, what is frozen stands, and neither begins with a click.
namespace SspHost.Modules.Tests;

public class SpectralFreezeTests
{
    private const int Rate = 48_000;

    [Theory]
    [InlineData(48_000, 0)]
    [InlineData(48_000, 2)]
    [InlineData(192_000, 1)]
    [Trait("Category", "Quality")]
    public void What_passes_is_a_delay_of_the_declared_latency(int rate, int window)
    {
        var random = new Random(window);
        var noise = Enumerable.Range(0, 40_000).Select(_ => 5f * ((2f * random.NextSingle()) - 1f)).ToArray();
        using var rig = new Rig("spectral-freeze", new RigOptions { Rate = rate, Quantum = 64, Settings = new() { ["window"] = window } });
        rig["smear"] = 0f;
        rig.Input = (port, _, frame) => port == 0 ? noise[frame] : 0f;
        var output = rig.Run("out", noise.Length);
        double error = 0, power = 0;
        for (var i = rig.Timing.LatencyFrames; i < output.Length; i++)
        {
            error += Math.Pow(output[i] - (double)noise[i - rig.Timing.LatencyFrames], 2);
            power += output[i] * (double)output[i];
        }

        Quality.AtMost("spectral-freeze", "noise floor, of what passes", 10 * Math.Log10(error / power), -120, "dB");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Category", "Quality")]
    public void A_frozen_chord_keeps_its_partials(bool byGate)
    {
        // Further apart than a window's lobes. Gone from the input after a second: what is heard afterwards is held.
        double[] partials = [300.0, 521.0, 803.0, 1760.0];
        using var rig = new Rig("spectral-freeze", new RigOptions { Quantum = 64 });
        rig["smear"] = 0f;
        if (!byGate) rig.Parameter = (i, g) => i == rig.IndexOf("freeze") ? (g >= 2400 ? 1f : 0f) : rig.Values[i];
        rig.Input = (port, _, frame) => port == 1 ? byGate && frame >= 38_400 ? 10f : 0f
            : frame < 48_000 ? (float)partials.Sum(f => Math.Sin(2 * Math.PI * f * frame / Rate)) : 0f;
        var output = rig.Run("out", 52_000 + 480_000);
        foreach (var f in partials)
        {
            var early = Spectrum.Level(output.AsSpan(52_000, 16_384), f / Rate);
            var late = Spectrum.Level(output.AsSpan(510_000, 16_384), f / Rate);
            Quality.AtMost("spectral-freeze", "drift of a frozen partial in 10 s", Math.Abs(Spectrum.Decibels(late / early)), 0.5, "dB");
            Quality.AtMost("spectral-freeze", "level of a frozen partial", Math.Abs(Spectrum.Decibels(early)), 1, "dB");
        }
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void Freezing_and_letting_go_do_not_click()
    {
        using var rig = new Rig("spectral-freeze", new RigOptions { Quantum = 32 });
        rig["smear"] = 0f;
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(frame * 0.03) : frame % 20_000 > 9000 ? 10f : 0f;
        var output = rig.Run("out", 96_000).AsSpan(8192);
        var largest = 0.0;
        for (var i = 1; i < output.Length; i++) largest = Math.Max(largest, Math.Abs(output[i] - (double)output[i - 1]));
        Quality.AtMost("spectral-freeze", "largest step of a sine frozen and let go", largest, 5 * 0.03 * 1.3, "V");
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void Smear_is_a_decay_of_its_time()
    {
        // 20 s times 0.5 cubed: 60 dB in 2.5 s.
        using var rig = new Rig("spectral-freeze", new RigOptions { Quantum = 256 });
        rig["smear"] = 0.5f;
        rig.Input = static (port, _, frame) => port == 0 && frame < 24_000 ? 5f * (float)Math.Sin(2 * Math.PI * 1000 * frame / Rate) : 0f;
        var output = rig.Run("out", 120_000);
        var fall = Spectrum.Decibels(Spectrum.Level(output.AsSpan(40_000, 8192), 1000.0 / Rate)
            / Spectrum.Level(output.AsSpan(100_000, 8192), 1000.0 / Rate));
        Quality.AtMost("spectral-freeze", "error of the decay", Math.Abs((fall / 60_000 * Rate / 60 * 2.5) - 1) * 100, 0.5, "%");
    }

    [Fact]
    public void Cuts_and_tilt_shape_what_comes_out()
    {
        double Level(double hertz, string knob, float value)
        {
            using var rig = new Rig("spectral-freeze", new RigOptions { Quantum = 256 });
            rig["smear"] = 0f;
            rig[knob] = value;
            rig.Input = (port, _, frame) => port == 0 ? (float)Math.Sin(2 * Math.PI * hertz * frame / Rate) : 0f;
            return Spectrum.Decibels(Spectrum.Level(rig.Run("out", 16_384).AsSpan(8192), hertz / Rate));
        }

        Assert.Equal(-6.02, Level(1000, "low_cut", 1000f), 0.2);
        Assert.Equal(-6.02, Level(2000, "high_cut", 2000f), 0.2);
        Assert.Equal(-10 * Math.Log10(Math.Pow(17, 2)), Level(4000, "high_cut", 2000f), 0.3);
        Assert.Equal(-6, Level(2000, "tilt", -6f), 0.2);
        Assert.Equal(-6, Level(500, "tilt", 6f), 0.2);
    }
}
