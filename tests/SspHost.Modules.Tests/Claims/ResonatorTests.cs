// What the comb and the vowel filter claim: pitch, decay, formants where singers have them.
using System.Numerics;

namespace SspHost.Modules.Tests;

public class ResonatorTests
{
    private const int Rate = 48_000;

    [Theory, Trait("Category", "Quality")]
    [InlineData(41.2f, 2000f, 0.99f)]
    [InlineData(55f, 20_000f, 0.99f)]
    [InlineData(220f, 4000f, 0.99f)]
    [InlineData(987.77f, 8000f, 0.99f)]
    [InlineData(1760f, 20_000f, 0.99f)]
    [InlineData(3951f, 20_000f, 0.99f)]
    [InlineData(440f, 6000f, -0.99f)]
    [InlineData(3000f, 20_000f, -0.99f)]
    public void A_comb_resonates_in_tune(float pitch, float damping, float feedback)
    {
        using var rig = new Rig("comb", new RigOptions { Quantum = 128 });
        rig["frequency"] = 261.625565f;
        rig["feedback"] = feedback;
        rig["damping"] = damping;
        rig.Input = (port, _, _) => port == 1 ? (float)Math.Log2(pitch / 261.625565) : 0f;
        var impulse = Response.Impulse(rig, "out", 65_536);
        var expected = feedback > 0 ? pitch : pitch / 2.0;
        var (best, loudest) = (0.0, 0.0);
        for (var cents = -12.0; cents <= 12.0; cents += 0.5)
        {
            var level = Response.At(impulse, expected * Math.Pow(2, cents / 1200) / Rate).Magnitude;
            if (level > loudest) (best, loudest) = (cents, level);
        }

        Quality.AtMost("comb", "pitch of the first resonance", Math.Abs(best), 5, "cent");
    }

    [Theory]
    [InlineData(0.9f)]
    [InlineData(-0.6f)]
    public void A_comb_is_one_over_one_minus_feedback_at_its_teeth(float feedback)
    {
        // Whole frames of delay and no damping to speak of: in = sqrt(1 - |fb|), teeth 1 / (1 - |fb|), valleys 1 / (1 + |fb|).
        using var rig = new Rig("comb", new RigOptions { Quantum = 128 });
        rig["frequency"] = 240f;
        rig["feedback"] = feedback;
        rig["damping"] = 20_000f;
        var impulse = Response.Impulse(rig, "out", 16_384);
        var (tooth, valley) = feedback > 0 ? (240.0, 120.0) : (120.0, 240.0);
        var (into, size) = (Math.Sqrt(1 - Math.Abs(feedback)), Math.Abs(feedback));
        Assert.InRange(Spectrum.Decibels(Response.At(impulse, tooth / Rate).Magnitude / (into / (1 - size))), -0.1, 0.1);
        Assert.InRange(Spectrum.Decibels(Response.At(impulse, valley / Rate).Magnitude / (into / (1 + size))), -0.1, 0.1);
    }

    [Fact]
    public void A_comb_swept_at_audio_rate_with_most_feedback_stays_bounded()
    {
        using var rig = new Rig("comb", new RigOptions { Quantum = 64 });
        rig["feedback"] = 0.995f;
        var random = new Random(5);
        rig.Input = (port, _, _) => port switch
        {
            0 => 5f * ((2f * random.NextSingle()) - 1f),
            1 => 8f * ((2f * random.NextSingle()) - 1f),
            _ => 0f,
        };
        Assert.All(rig.Run("out", 96_000), static v => Assert.InRange(v, -101f, 101f));
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData("tenor a", 2, 0f, new[] { 650, 1080, 2650, 2900, 3250 }, new[] { 0, -6, -7, -8, -22 }, new[] { 80, 90, 120, 130, 140 })]
    [InlineData("bass i", 3, 0.5f, new[] { 250, 1750, 2600, 3050, 3340 }, new[] { 0, -30, -16, -22, -28 }, new[] { 60, 90, 100, 120, 120 })]
    [InlineData("soprano u", 0, 1f, new[] { 325, 700, 2700, 3800, 4950 }, new[] { 0, -16, -35, -40, -60 }, new[] { 50, 60, 170, 180, 200 })]
    public void A_vowel_has_the_formants_of_the_singer(string name, int voice, float place, int[] hertz, int[] levels, int[] widths)
    {
        using var rig = new Rig("vowel", new RigOptions { Quantum = 128 });
        rig["vowel"] = place;
        rig["voice"] = voice;
        var impulse = Response.Impulse(rig, "out", 32_768);
        Assert.InRange(Spectrum.Decibels(Response.At(impulse, hertz[0] / (double)Rate).Magnitude), 4.0, 8.0);
        Quality.AtMost("vowel", "response against its discrete prototype",
            Response.Worst(impulse, Rate, 10_000, f => Sum(f, static (x, centre) => Warped(x) / Warped(centre)), -40),
            0.05, "dB");
        Quality.AtMost("vowel", $"standard, {name} against the analogue response",
            Response.Worst(impulse, Rate, 10_000, f => Sum(f, static (x, centre) => x / centre)), 1, "dB");

        static double Warped(double x) => Math.Tan(Math.PI * x / Rate);

        double Sum(double f, Func<double, double, double> ratio)
        {
            var sum = Complex.Zero;
            for (var i = 0; i < hertz.Length; i++)
            {
                var s = new Complex(0, ratio(f, hertz[i]));
                var k = widths[i] / (double)hertz[i];
                sum += (i % 2 == 0 ? 2 : -2) * Math.Pow(10, levels[i] / 20.0) * k * s / ((s * s) + (k * s) + 1);
            }

            return sum.Magnitude;
        }
    }

    [Fact]
    public void Between_two_vowels_a_formant_goes_by_even_ratios_and_size_shifts_it_by_octaves()
    {
        // Tenor a to e: the first formant from 650 to 400 Hz; halfway sqrt(650 400) = 510 Hz, an octave up 1020 Hz.
        using var rig = new Rig("vowel", new RigOptions { Quantum = 128 });
        rig["focus"] = 4f;
        rig.Input = static (port, _, _) => port switch { 1 => 1.25f, 2 => 1f, _ => 0f };
        var impulse = Response.Impulse(rig, "out", 32_768);
        var (best, loudest) = (0.0, 0.0);
        for (var f = 700.0; f < 1400; f += 2)
        {
            var level = Response.At(impulse, f / Rate).Magnitude;
            if (level > loudest) (best, loudest) = (f, level);
        }

        Assert.InRange(best, 1010, 1030);
    }
}
