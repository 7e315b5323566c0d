// What the additive oscillator claims: frequencies and levels of its partials by formula, and nothing else in the spectrum.
namespace SspHost.Modules.Tests;

[Trait("Category", "Quality")]
public class AdditiveTests
{
    private const double C4 = 261.6255653005986;
    private const int Rate = 48_000;

    [Theory]
    [InlineData(8.0)]
    [InlineData(27.5)]
    [InlineData(440.0)]
    [InlineData(5000.0)]
    [InlineData(12_000.0)]
    public void Pitch_is_within_a_tenth_of_a_cent(double hertz)
    {
        var volts = (float)Math.Log2(hertz / C4);
        using var rig = Rig(hertz);
        rig["partials"] = 1f;
        var samples = rig.Run("out", (Rate * 2) + 4096)[4096..];
        var expected = C4 * Math.Pow(2.0, volts);
        var cents = Spectrum.Cents(Spectrum.Frequency(samples, expected / Rate) * Rate, expected);
        Quality.AtMost("additive", "pitch error, 8 Hz to 12 kHz", Math.Abs(cents), 0.1, "cent");
    }

    [Theory]
    [InlineData(-6f, 0f, 1f, 0f, 4f, 0f, 64f)]
    [InlineData(0f, 0f, 1f, 0f, 4f, 0f, 64f)]
    [InlineData(-12f, -0.4f, 1f, 0f, 4f, 0f, 64f)]
    [InlineData(-6f, 0.7f, 1.07f, 0f, 4f, 0f, 20f)]
    [InlineData(-3f, 0f, 1f, 0.8f, 5.5f, 0f, 64f)]
    [InlineData(-6f, 0f, 0.93f, 0f, 4f, 18f, 64f)]
    [InlineData(-6f, 0f, 1f, 0f, 4f, 0f, 7.25f)]
    public void Every_partial_is_where_and_as_strong_as_the_formula_says(
        float tilt, float balance, float stretch, float depth, float spacing, float formant, float partials)
    {
        const double F = 140.0;
        using var rig = Rig(F);
        rig["tilt"] = tilt;
        rig["odd_even"] = balance;
        rig["stretch"] = stretch;
        rig["comb_depth"] = depth;
        rig["comb"] = spacing;
        rig["formant_level"] = formant;
        rig["formant"] = 900f;
        rig["partials"] = partials;
        var levels = new double[65];
        for (var k = 1; k <= 64; k++)
        {
            var f = F * Math.Pow(k, stretch);
            levels[k] = Math.Pow(10, tilt * Math.Log2(k) / 20) * Math.Min(1, k % 2 == 1 ? 1 - balance : 1 + balance)
                * Math.Clamp(partials - k + 1, 0, 1) * (1 - (depth * 0.5 * (1 - Math.Cos(2 * Math.PI * k / spacing))))
                * (1 + ((Math.Pow(10, formant / 20) - 1) / (1 + Math.Pow(Math.Log2(f / 900) / 0.4, 2))))
                * Math.Clamp((0.49 - (f / Rate)) * 25, 0, 1);
        }

        var scale = 5 / Math.Sqrt(3) * Math.Sqrt(2) / Math.Sqrt(levels.Sum(static l => l * l));
        var samples = rig.Run("out", 4096 + 32_768)[4096..];
        var worst = 0.0;
        var pitch = C4 * Math.Pow(2, (float)Math.Log2(F / C4));
        for (var k = 1; k <= 64; k++)
        {
            var f = pitch * Math.Pow(k, stretch);
            if (f < 23_900) worst = Math.Max(worst, Math.Abs(Spectrum.Level(samples, f / Rate) - (levels[k] * scale)));
        }

        Quality.AtMost("additive", "error of a partial's level", worst * 1000, 2, "mV");
        var wanted = Enumerable.Range(1, 64).Select(k => pitch * Math.Pow(k, stretch)).Where(static f => f < Rate / 2.0);
        Quality.AtMost("additive", "anything else below 20 kHz", Spectrum.WorstOther(samples, Rate, 20_000, wanted), -100, "dB");
    }

    [Theory]
    [InlineData(1003.0)]
    [InlineData(5003.7)]
    public void High_notes_have_no_aliases(double hertz)
    {
        using var rig = Rig(hertz);
        rig["tilt"] = 0f;
        var samples = rig.Run("out", 4096 + 32_768)[4096..];
        var wanted = Enumerable.Range(1, (int)(Rate / 2 / hertz)).Select(k => k * C4 * Math.Pow(2, (float)Math.Log2(hertz / C4)));
        Quality.AtMost("additive", "anything else below 20 kHz", Spectrum.WorstOther(samples, Rate, 20_000, wanted), -100, "dB");
    }

    [Fact]
    public void Odd_and_even_add_up_to_all_and_contain_only_their_own()
    {
        using var rig = Rig(200.0);
        var output = rig.Run(4096 + 16_384);
        for (var i = 0; i < output[0][0].Length; i++) Assert.Equal(output[0][0][i], output[1][0][i] + output[2][0][i], 1e-4f);
        for (var k = 1; k < 20; k++)
        {
            Assert.InRange(Spectrum.Level(output[1 + (k % 2)][0].AsSpan(4096), k * 200.0 / Rate), 0, 1e-4);
            Assert.InRange(Spectrum.Level(output[2 - (k % 2)][0].AsSpan(4096), k * 200.0 / Rate), 0.1, 5);
        }
    }

    [Fact]
    public void Loudness_stays_while_the_timbre_moves()
    {
        foreach (var (tilt, balance, partials) in new[] { (-24f, 0f, 64f), (0f, 0f, 64f), (6f, 0f, 20f), (-6f, -1f, 64f), (-6f, 1f, 64f) })
        {
            using var rig = Rig(100.0);
            rig["tilt"] = tilt;
            rig["odd_even"] = balance;
            rig["partials"] = partials;
            var samples = rig.Run("out", 4800 + 48_000)[4800..];
            Assert.Equal(5.0 / Math.Sqrt(3.0), Math.Sqrt(samples.Average(static v => (double)v * v)), 0.03);
        }
    }

    private static Rig Rig(double hertz)
    {
        var volts = (float)Math.Log2(hertz / C4);
        return new Rig("additive", new RigOptions { Quantum = 64 }) { Input = (port, _, _) => port == 0 ? volts : 0f };
    }
}
