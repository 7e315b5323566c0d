// What the state-variable filter claims: its analogue responses, its tuning, and that nothing makes it run away.
using System.Numerics;

namespace SspHost.Modules.Tests;

public class SvfTests
{
    private static readonly string[] Outputs = ["low", "band", "high", "notch", "peak"];

    [Theory, Trait("Category", "Quality")]
    [InlineData(48_000, 100f, 0f)]
    [InlineData(48_000, 1000f, 0.5f)]
    [InlineData(48_000, 8000f, 0.7f)]
    [InlineData(44_100, 15_000f, 0.3f)]
    [InlineData(192_000, 16f, 0.3f)]
    [InlineData(192_000, 16_000f, 0.3f)]
    public void Every_output_has_the_response_of_its_prototype(int rate, float cutoff, float resonance)
    {
        // Poles exp(s) of the analogue ones give denominator 1 + a1 / z + a2 / z^2; in terms of S = (z - 1) / (g (z + 1)) that is
        // 1 + K S + S^2. Numerators agree at 0 Hz, in the curvature there, and at half the rate.
        var k = Damping(resonance);
        var w = 2.0 * Math.PI * cutoff / rate;
        var (a1, a2) = (-2.0 * Math.Exp(-k * w / 2) * Math.Cos(w * Math.Sqrt(1 - (k * k / 4))), Math.Exp(-k * w));
        var g = Math.Sqrt((1 + a1 + a2) / (1 - a1 + a2));
        var (damping, u, f) = (2 * (1 - a2) / (1 - a1 + a2) / g, 4 * g * g / (w * w), Math.PI / w);
        var top = 1 / Math.Sqrt(Math.Pow(1 - (f * f), 2) + (k * k * f * f));
        var bend = (damping * damping) - 2 - (u * ((k * k) - 2));
        var peak = (1 + (f * f)) * top * (1 + (0.08 * (1 - (k * k / 4)) * w * w));
        double[][] weights =
        [
            [1, Math.Sqrt(Math.Max(0, (2 * top) + bend)), top],
            [0, Math.Sqrt(u), f * top * (1.2 + (0.03 * (1 - (k / 2)) * w * w))],
            [0, 0, u],
            [1, 0, Math.Pow(g / Math.Tan(w / 2), 2)],
            [1, Math.Sqrt(Math.Max(0, (2 * peak) + bend + (2 * u))), peak],
        ];
        double worst = 0;
        for (var o = 0; o < Outputs.Length; o++)
        {
            using var rig = Svf(rate, cutoff, resonance);
            var impulse = Response.Impulse(rig, Outputs[o], cutoff < 50 ? 65_536 : 16_384, cutoff < 50 ? 1f : 0.01f);
            var n = weights[o];
            worst = Math.Max(worst, Response.Worst(impulse, rate, 20_000, hertz =>
            {
                var s = new Complex(0, Math.Tan(Math.PI * hertz / rate) / g);
                return ((n[0] + (n[1] * s) + (n[2] * s * s)) / (1 + (damping * s) + (s * s))).Magnitude;
            }, o == 3 ? -24 : -60));
        }

        Quality.AtMost("svf", "response against its discrete prototype", worst, 0.05, "dB");
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData(0, 10_000, 1.0)]
    [InlineData(1, 16_000, 0.2)]
    public void Its_responses_are_those_of_the_analogue_filter(int quality, double highest, double limit)
    {
        foreach (var cutoff in new[] { 100f, 2500f, 5000f, 9000f, 14_000f, 20_000f })
        {
            foreach (var resonance in new[] { 0f, 0.4f, 0.75f })
            {
                var k = Damping(resonance);
                using var rig = Svf(48_000, cutoff, resonance, quality);
                rig.Input = static (port, _, frame) => port == 0 && frame == 0 ? 0.01f : 0f;
                var output = rig.Run(cutoff < 200 ? 32_768 : 8192); // until it has rung out
                for (var o = 0; o < Outputs.Length; o++)
                {
                    double[] impulse = [.. output[o][0].Select(static v => v / 0.01)];
                    var which = o;
                    var worst = Response.Worst(impulse, 48_000, highest, f =>
                    {
                        var s = new Complex(0, f / cutoff);
                        return (new[] { 1, s, s * s, 1 + (s * s), 1 - (s * s) }[which] / (1 + (k * s) + (s * s))).Magnitude;
                    });
                    Quality.AtMost("svf", $"{(quality == 0 ? "standard" : "high")}, {Outputs[o]} against the analogue response",
                        worst, limit, "dB");
                }
            }
        }
    }

    [Fact]
    public void Morph_goes_from_low_over_band_and_high_to_notch()
    {
        string[] places = ["low", "band", "high", "notch"];
        for (var i = 0; i < places.Length; i++)
        {
            using var rig = Svf(48_000, 1000f, 0.3f);
            rig["morph"] = i / 6f;
            rig["morph_amount"] = 1f;
            rig.Input = (port, _, frame) => port switch { 0 => 5f * (float)Math.Sin(frame * 0.2), 4 => i * 10f / 6f, _ => 0f };
            var output = rig.Run(4096);
            var wanted = output[rig.OutputIndex(places[i])][0];
            var got = output[rig.OutputIndex("morph")][0];
            for (var f = 0; f < got.Length; f++) Assert.Equal(wanted[f], got[f], 1e-4f);
        }
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData(0)]
    [InlineData(1)]
    public void Driven_hard_it_stays_free_of_aliases(int quality)
    {
        const int Count = 32_768, Bin = 1367; // 2002 Hz
        foreach (var resonance in new[] { 0.2f, 0.85f })
        {
            using var rig = Svf(48_000, 2000f, resonance, quality);
            rig["drive"] = 12f;
            rig.Input = static (port, _, frame) =>
                port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)Bin * frame % Count) / Count) : 0f;
            var output = rig.Run(8192 + Count);
            for (var o = 0; o < 3; o++)
            {
                var worst = Spectrum.WorstOther(output[o][0].AsSpan(8192, Count), 48_000, 20_000,
                    Enumerable.Range(1, Count / 2 / Bin).Select(static n => n * (double)Bin * 48_000 / Count));
                Quality.AtMost("svf", $"{(quality == 0 ? "standard" : "high")}, aliases of 5 V at 2 kHz, drive 12 dB", worst, -80, "dB");
            }
        }
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData(44_100)]
    [InlineData(48_000)]
    [InlineData(96_000)]
    [InlineData(192_000)]
    public void It_sings_at_the_cutoff_within_5_cents(int rate)
    {
        foreach (var cutoff in new[] { 32.7f, 220f, 1760f, 7040f, 18_000f })
        {
            using var rig = Svf(rate, cutoff, 1f);
            var kick = rate / cutoff / 2f;
            rig.Input = (port, _, frame) => port == 0 && frame < kick ? 5f : 0f;
            var skip = (int)(rate * (0.2 + (40.0 / cutoff)));
            var samples = rig.Run("low", skip + (rate / 2)).AsSpan(skip, rate / 2);
            var frequency = Spectrum.Frequency(samples, cutoff / rate);
            var cents = Spectrum.Cents(frequency * rate, cutoff);
            var level = Spectrum.Level(samples, frequency);
            Quality.AtMost("svf", "pitch when it sings", Math.Abs(cents), 5, "cent");
            Assert.InRange(level, 4.0, 5.5);
        }
    }

    [Fact]
    public void It_starts_to_sing_by_itself_and_not_below_0_89()
    {
        using var quiet = Svf(48_000, 2000f, 0.89f);
        Assert.Equal(0f, quiet.Run("low", 48_000).Max());
        using var singing = Svf(48_000, 2000f, 1f);
        Assert.InRange(singing.Run("low", 48_000)[40_000..].Max(), 4.5f, 5.5f);
    }

    [Fact]
    public void Pitch_moves_the_cutoff_an_octave_a_volt_and_FM_by_its_amount()
    {
        using var rig = Svf(48_000, 440f, 1f);
        rig["fm"] = -0.5f;
        rig.Input = static (port, _, frame) => port switch { 0 => frame == 0 ? 5f : 0f, 1 => 3f, 2 => 2f, _ => 0f };
        var samples = rig.Run("band", 96_000)[48_000..];
        Assert.InRange(Spectrum.Cents(Spectrum.Frequency(samples, 1760.0 / 48_000) * 48_000, 1760.0), -1, 1);
    }

    [Fact]
    public void Resonance_CV_of_10_V_is_its_whole_travel()
    {
        using var rig = Svf(48_000, 1000f, 0f);
        rig["resonance_amount"] = 1f;
        rig.Input = static (port, _, frame) => port switch
        {
            0 => 0.01f * (float)Math.Sin(2.0 * Math.PI * frame / 48),
            3 => 5f,
            _ => 0f,
        };
        var level = Spectrum.Level(rig.Run("band", 24_576).AsSpan(8192), 1.0 / 48);
        Assert.Equal(1.0 / ((2.0 * 0.25) - 0.0125), level / 0.01, 0.002);
    }

    [Fact]
    public void Audio_rate_modulation_of_everything_stays_bounded_and_dies_away()
    {
        using var rig = Svf(48_000, 600f, 0.85f);
        rig["fm"] = 1f;
        rig["resonance_amount"] = -0.5f; // up to 1.0 at -3 V, down to 0.35 at 10 V
        var random = new Random(3);
        rig.Input = (port, _, frame) => port switch
        {
            0 => frame < 96_000 ? 5f * ((2f * random.NextSingle()) - 1f) : 0f,
            3 => frame < 96_000 ? 10f * ((2f * random.NextSingle()) - 1f) : 0f,
            _ => 10f * ((2f * random.NextSingle()) - 1f),
        };
        var output = rig.Run(144_000);
        foreach (var o in output) Assert.All(o[0], static v => Assert.InRange(v, -250f, 250f));

        // With nothing coming in and a positive damping, modulating the cutoff brings no energy.
        Assert.All(output[0][0][132_000..], static v => Assert.InRange(v, -0.01f, 0.01f));
    }

    [Fact, Trait("Category", "Quality")]
    public void Its_noise_floor_is_120_dB_down()
    {
        // What is left of a 5 V sine when its harmonics and everything else that ought to be there are taken away.
        using var rig = Svf(48_000, 200f, 0f);
        const int Count = 32_768, Bin = 137;
        rig.Input = static (port, _, frame) =>
            port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)Bin * frame % Count) / Count) : 0f;
        var samples = rig.Run("low", 32_768 + Count)[32_768..];
        var worst = Spectrum.WorstOther(samples, 48_000, 20_000,
            Enumerable.Range(1, 60).Select(static k => k * (double)Bin * 48_000 / Count));
        Quality.AtMost("svf", "noise floor, 5 V at 200 Hz", worst, -120, "dB");
    }

    private static double Damping(float r) => (2.0 * (1 - (double)r) * (1 - r)) - (0.025 * r);

    private static Rig Svf(int rate, float cutoff, float resonance, int quality = 0)
    {
        var rig = new Rig("svf", new RigOptions { Rate = rate, Quantum = 128, Settings = new() { ["quality"] = quality } });
        rig["cutoff"] = cutoff;
        rig["resonance"] = resonance;
        return rig;
    }
}
