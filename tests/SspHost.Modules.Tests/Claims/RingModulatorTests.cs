// What the ring modulator claims: an exact product, sums that do not come down again, the diodes of the paper, a carrier in tune.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class RingModulatorTests
{
    [Fact]
    public void The_multiplier_is_exact()
    {
        using var rig = Make(0, 0);
        Assert.Equal(0, rig.Timing.LatencyFrames);
        rig.Input = static (port, _, frame) => 4f * (float)Math.Sin(frame * (port == 0 ? 0.1 : 0.033));
        var output = rig.Run("out", 4800);
        var worst = 0.0;
        for (var i = 0; i < output.Length; i++)
        {
            double x = 4f * (float)Math.Sin(i * 0.1), c = 4f * (float)Math.Sin(i * 0.033);
            worst = Math.Max(worst, Math.Abs(output[i] - (x * c / 5.0)));
        }

        Quality.AtMost("ring-modulator", "product error", Spectrum.Decibels(worst / 5.0), -120, "dB of 5 V");
    }

    [Fact]
    public void Sums_above_half_the_rate_are_left_out_at_high_quality()
    {
        // 15 and 13 kHz: the sum, 28 kHz, would come down at 20 kHz; the difference is 2 kHz.
        const int A = 10_239, B = 8873;
        foreach (var quality in new[] { 0, 1 })
        {
            using var rig = Make(quality, 0);
            rig.Input = static (port, _, frame) => port == 2 ? 0f : Tone.Sine(port == 0 ? A : B, frame);
            var samples = rig.Run("out", 4096 + Tone.Count)[4096..];
            Assert.InRange(Spectrum.Decibels(Spectrum.Level(samples, (A - B) / (double)Tone.Count) / 2.5), -0.1, 0.1);
            var mirrored = Spectrum.Decibels(Spectrum.Level(samples, (Tone.Count - A - B) / (double)Tone.Count) / 2.5);
            if (quality == 0) Assert.InRange(mirrored, -0.1, 0.1);
            else Quality.AtMost("ring-modulator", "sum of 28 kHz mirrored, high quality", mirrored, -80, "dB");
            var noise = Tone.NoiseFloor(samples, 48_000, Tone.Hertz(A - B), Tone.Hertz(Tone.Count - A - B));
            Quality.AtMost("ring-modulator", "noise floor", noise, quality == 0 ? -120 : -100, "dB of 5 V");
        }
    }

    [Theory]
    [InlineData(5f, 5f)]
    [InlineData(3f, 0.2f)]
    [InlineData(0.7f, 1.1f)]
    [InlineData(-2f, 4f)]
    [InlineData(0.3f, 0.1f)]
    public void The_diodes_are_those_of_the_paper(float x, float c)
    {
        // Parker 2011: four diodes see c + x/2, -(c + x/2), c - x/2 and -(c - x/2); each from 0.2 V as a parabola, from 0.4 V straight.
        static double Diode(double v) => v <= 0.2 ? 0 : v <= 0.4 ? (v - 0.2) * (v - 0.2) / 0.4 : v - 0.4 + 0.1;
        var (a, b) = (0.4 * (c + (x / 2.0)), 0.4 * (c - (x / 2.0)));
        var expected = 2.5 * (Diode(a) + Diode(-a) - Diode(b) - Diode(-b));
        using var rig = Make(0, 1);
        rig.Input = (port, _, _) => port == 0 ? x : port == 1 ? c : 0f;
        Assert.Equal(expected, rig.Run("out", 9600)[^1], 1e-4);
    }

    [Fact]
    public void Aliases_of_the_diodes_are_80_dB_down_at_2_kHz()
    {
        // 2 and 3 kHz: everything the diodes make is a multiple of 1 kHz.
        const int Unit = 683;
        using var rig = Make(0, 1);
        rig.Input = static (port, _, frame) => port == 2 ? 0f : Tone.Sine(port == 0 ? 2 * Unit : 3 * Unit, frame);
        var samples = rig.Run("out", 4096 + Tone.Count)[4096..];
        Quality.AtMost("ring-modulator", "aliases of the diodes, 2 and 3 kHz",
            Spectrum.WorstOther(samples, 48_000, 20_000, Tone.Harmonics(Unit)), -80, "dB");
        Assert.True(Spectrum.Level(samples, 7.0 * Unit / Tone.Count) > 0.02, "the diodes add nothing");
    }

    [Theory]
    [InlineData(440f, 0f)]
    [InlineData(55f, 3f)]
    [InlineData(220f, -2.5f)]
    public void Without_a_carrier_it_has_one_in_tune(float hertz, float volts)
    {
        using var rig = new Rig("ring-modulator", new RigOptions { Cables = [1, 0, 1] }) { ["frequency"] = hertz };
        rig.Input = (port, _, _) => port == 0 ? 5f : volts;
        var expected = hertz * Math.Pow(2, volts);
        var samples = rig.Run("out", 65_536);
        var measured = Spectrum.Frequency(samples, expected / 48_000) * 48_000;
        Quality.AtMost("ring-modulator", "pitch of its own carrier", Math.Abs(Spectrum.Cents(measured, expected)), 0.1, "cent");
        Assert.Equal(5.0, Spectrum.Level(samples, measured / 48_000), 0.01);
    }

    private static Rig Make(int quality, int circuit) =>
        new("ring-modulator", new RigOptions { Quantum = 128, Settings = { ["quality"] = quality, ["circuit"] = circuit } });
}
