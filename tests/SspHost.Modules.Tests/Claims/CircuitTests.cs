// What the filter circuits claim: ladder, diode ladder and Sallen-Key against their linear prototypes, in tune, bounded, without aliases.
using System.Numerics;

namespace SspHost.Modules.Tests;

public class CircuitTests
{
    private const int Rate = 48_000;

    /// <summary>Small-signal response at s = j f / cutoff with feedback k, from the circuits' equations.</summary>
    private static double Prototype(string id, int mode, double k, double ratio)
    {
        var s = new Complex(0, ratio);
        switch (id)
        {
            case "ladder":
                var p = 1 + s;
                Complex[] numerators = [1, p * p, 4 * s * s, 2 * s * p * p, s * s * s * s, s * s * p * p];
                return (numerators[mode] / ((p * p * p * p) + k)).Magnitude;
            case "diode-ladder":
                var q = 1 + (s / Math.Sqrt(2));
                return ((mode == 0 ? 1 : q) / ((8 * q * q * q * q) - (8 * q * q) + 1 + k)).Magnitude;
            default:
                Complex[] tops = [1, s, s * s];
                return (tops[mode] / ((s * s) + ((2 - k) * s) + 1)).Magnitude;
        }
    }

    private static double Feedback(string id) => id switch { "ladder" => 5, "diode-ladder" => 20, _ => 2.2 };

    [Theory, Trait("Category", "Quality")]
    [InlineData("ladder", 6, 0, 10_000, 1.0)]
    [InlineData("ladder", 6, 1, 16_000, 0.2)]
    [InlineData("diode-ladder", 2, 0, 10_000, 1.0)]
    [InlineData("diode-ladder", 2, 1, 16_000, 0.2)]
    [InlineData("sallen-key", 3, 0, 10_000, 1.0)]
    [InlineData("sallen-key", 3, 1, 16_000, 0.2)]
    public void Small_signals_see_the_analogue_response(string id, int modes, int quality, double highest, double limit)
    {
        for (var mode = 0; mode < modes; mode++)
        {
            foreach (var cutoff in new[] { 200f, 2500f, 6000f, 10_000f, 17_000f })
            {
                foreach (var resonance in new[] { 0f, 0.5f })
                {
                    using var rig = Circuit(id, cutoff, resonance, quality);
                    rig["mode"] = mode;
                    var (m, k) = (mode, resonance * Feedback(id));
                    var impulse = Response.Impulse(rig, "out", 4096, 0.1f);
                    var worst = Response.Worst(impulse, Rate, highest, f => Prototype(id, m, k, f / cutoff));
                    var name = rig.Descriptor.Parameters[4].Choices[mode];
                    Quality.AtMost(id, $"{(quality == 0 ? "standard" : "high")}, {name} against the analogue response", worst, limit, "dB");
                }
            }
        }
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData("ladder", 1)]
    [InlineData("diode-ladder", 2)]
    [InlineData("sallen-key", 1)]
    public void Low_passes_are_those_of_the_bilinear_transform_at_twice_the_rate(string id, int modes)
    {
        foreach (var cutoff in new[] { 500f, 7000f })
        {
            for (var mode = 0; mode < modes; mode++)
            {
                using var rig = Circuit(id, cutoff, 0.4f, 0);
                rig["mode"] = mode;
                var (m, k) = (mode, 0.4 * Feedback(id));
                var worst = Response.Worst(Response.Impulse(rig, "out", 4096, 0.1f), Rate, 18_000,
                    f => Prototype(id, m, k, Math.Tan(Math.PI * f / Rate / 2) / Math.Tan(Math.PI * cutoff / Rate / 2)), -60);
                Quality.AtMost(id, "response against its discrete prototype", worst, 0.05, "dB");
            }
        }
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData("diode-ladder", 0)]
    [InlineData("diode-ladder", 1)]
    [InlineData("sallen-key", 0)]
    [InlineData("sallen-key", 1)]
    [InlineData("ladder", 1)]
    public void It_sings_at_the_cutoff_over_six_octaves(string id, int quality)
    {
        for (var cutoff = 130.8f; cutoff < 9000f; cutoff *= quality == 0 ? 2f : 8f)
        {
            using var rig = Circuit(id, cutoff, 1f, quality);
            var kick = Rate / cutoff / 2f;
            rig.Input = (port, _, frame) => port == 0 && frame < kick ? 5f : 0f;
            var skip = (int)(Rate * (0.2f + (60f / cutoff)));
            var samples = rig.Run("out", skip + 16_384).AsSpan(skip, 16_384);
            var frequency = Spectrum.Frequency(samples, cutoff / Rate);
            Quality.AtMost(id, "pitch when it sings", Math.Abs(Spectrum.Cents(frequency * Rate, cutoff)), 5, "cent");
            Assert.InRange(Spectrum.Level(samples, frequency), 0.5, 8.0);
        }
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData("ladder")]
    [InlineData("diode-ladder")]
    [InlineData("sallen-key")]
    public void Ten_volts_at_the_resonance_CV_are_its_whole_travel(string id)
    {
        // The knob at 0.7 and -2.5 V at amount 0.8 are the knob at 0.5; 10 V on top of a knob at 0 sing in tune, and no louder than the knob.
        float[] Play(float resonance, float volts, float amount)
        {
            using var rig = Circuit(id, 880f, resonance, 0);
            rig["resonance_amount"] = amount;
            rig.Input = (port, _, frame) => port == 2 ? volts : port == 0 && frame < 27 ? 5f : 0f;
            return rig.Run("out", 48_000);
        }

        var (knob, both) = (Play(0.5f, 0f, 1f), Play(0.7f, -2.5f, 0.8f));
        for (var i = 0; i < knob.Length; i++) Assert.Equal(knob[i], both[i], 1e-4f);
        Assert.Equal(Play(1f, 0f, 1f), Play(0f, 10f, 1f));
        Assert.Equal(Play(1f, 0f, 1f), Play(0.5f, 99f, 1f));
        var sung = Play(0f, 10f, 1f).AsSpan(31_616);
        Quality.AtMost(id, "pitch when a CV makes it sing",
            Math.Abs(Spectrum.Cents(Spectrum.Frequency(sung[..16_384], 880.0 / Rate) * Rate, 880)), 5, "cent");
    }

    [Theory]
    [InlineData("ladder")]
    [InlineData("diode-ladder")]
    [InlineData("sallen-key")]
    public void The_resonance_of_each_voice_is_its_own(string id)
    {
        // A voice that sings by its CV beside one that must not: it stays silent for ever.
        using var rig = new Rig(id, new RigOptions { Quantum = 128, Cables = [2, 1, 2] });
        rig["resonance"] = 0f;
        rig["resonance_amount"] = 1f;
        rig.Input = static (port, voice, _) => port == 2 && voice == 1 ? 10f : 0f;
        var output = rig.Run(48_000)[0];
        Assert.All(output[0], static v => Assert.Equal(0f, v));
        Assert.InRange(output[1][24_000..].Max(), 0.3f, 8f);
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData("ladder", 0, 0)]
    [InlineData("ladder", 4, 0)]
    [InlineData("diode-ladder", 0, 0)]
    [InlineData("sallen-key", 0, 0)]
    [InlineData("sallen-key", 2, 0)]
    [InlineData("ladder", 4, 1)]
    [InlineData("sallen-key", 2, 1)]
    public void Saturation_makes_harmonics_and_no_aliases(string id, int mode, int quality)
    {
        const int Count = 32_768, Bin = 1367; // 2002 Hz; odd, so that no alias falls on a harmonic
        foreach (var cutoff in new[] { 1500f, 18_000f })
        {
            using var rig = Circuit(id, cutoff, 0.5f, quality);
            if (mode == 4 && cutoff > 2000f) continue; // 76 dB down at 2 kHz: there is nothing to compare with
            rig["drive"] = 12f;
            rig["mode"] = mode;
            rig.Input = static (port, _, frame) =>
                port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)Bin * frame % Count) / Count) : 0f;
            var samples = rig.Run("out", 4096 + Count).AsSpan(4096, Count);
            var worst = Spectrum.WorstOther(samples, Rate, 20_000,
                Enumerable.Range(1, Count / 2 / Bin).Select(static k => k * (double)Bin * Rate / Count));
            Quality.AtMost(id, $"{(quality == 0 ? "standard" : "high")}, aliases of 5 V at 2 kHz, drive 12 dB", worst, -80, "dB");
            if (cutoff < 2000f) Assert.True(Spectrum.Level(samples, 3.0 * Bin / Count) > 1e-3, "no third harmonic: it does not saturate");
        }
    }

    [Theory]
    [InlineData("ladder")]
    [InlineData("diode-ladder")]
    [InlineData("sallen-key")]
    public void Modulation_of_cutoff_and_resonance_at_audio_rate_stays_bounded_and_dies_away(string id)
    {
        // The cutoff alone at full resonance, by a square and by noise; then both, the resonance over its whole travel.
        for (var kind = 0; kind < 4; kind++)
        {
            using var rig = Circuit(id, 600f, kind < 2 ? 1f : 0.5f, 0);
            rig["resonance_amount"] = 1f;
            var random = new Random(3);
            var (square, resonates) = (kind % 2 == 1, kind >= 2);
            rig.Input = (port, _, frame) => port switch
            {
                0 => 5f * ((2f * random.NextSingle()) - 1f),
                2 when !resonates => 0f,
                2 when square => frame / 11 % 2 == 0 ? 5f : -5f,
                _ => square ? frame / 7 % 2 == 0 ? 5f : -5f : 10f * ((2f * random.NextSingle()) - 1f),
            };
            for (var mode = 0f; mode <= rig.Descriptor.Parameters[4].Max; mode++)
            {
                rig["mode"] = mode;
                Assert.All(rig.Run("out", 24_000), static v => Assert.InRange(v, -150f, 150f));
            }

            rig["resonance"] = 0.5f;
            rig["mode"] = 0f;
            rig.Input = (port, _, frame) => port == 1 ? frame / 7 % 2 == 0 ? 5f : -5f : 0f;
            Assert.All(rig.Run("out", 48_000)[40_000..], static v => Assert.InRange(v, -1e-4f, 1e-4f));
        }
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData("ladder")]
    [InlineData("diode-ladder")]
    [InlineData("sallen-key")]
    [InlineData("vowel")]
    [InlineData("comb")]
    [InlineData("parametric-eq")]
    [InlineData("crossover")]
    public void Its_noise_floor_is_120_dB_down(string id)
    {
        using var rig = new Rig(id, new RigOptions { Quantum = 128 });
        if (rig.IndexOf("resonance") >= 0) rig["resonance"] = 0.1f;
        const int Count = 16_384, Bin = 69; // 202 Hz
        rig.Input = static (port, _, frame) =>
            port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)Bin * frame % Count) / Count) : 0f;
        var samples = rig.Run(rig.Descriptor.Outputs[0].Id, 49_152 + Count)[49_152..];
        var worst = Spectrum.WorstOther(samples, Rate, 20_000, Enumerable.Range(1, 60).Select(static k => k * (double)Bin * Rate / Count));
        Quality.AtMost(id, "noise floor, 5 V at 200 Hz", worst, -120, "dB");
    }

    private static Rig Circuit(string id, float cutoff, float resonance, int quality)
    {
        var rig = new Rig(id, new RigOptions { Rate = Rate, Quantum = 128, Settings = new() { ["quality"] = quality } });
        rig["cutoff"] = cutoff;
        rig["resonance"] = resonance;
        return rig;
    }
}
