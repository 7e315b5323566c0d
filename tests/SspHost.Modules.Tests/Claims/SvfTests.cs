// What the state-variable filter claims: its analogue responses, its tuning, and that nothing makes it run away.
namespace SspHost.Modules.Tests;

public class SvfTests
{
    private static readonly string[] Outputs = ["low", "band", "high", "notch", "peak"];

    [Theory]
    [InlineData(48_000, 100f, 0f)]
    [InlineData(48_000, 1000f, 0.5f)]
    [InlineData(48_000, 8000f, 0.7f)]
    [InlineData(44_100, 5000f, 0.2f)]
    [InlineData(44_100, 15_000f, 0.3f)]
    [InlineData(192_000, 16f, 0.3f)]
    [InlineData(192_000, 16_000f, 0.3f)]
    public void Every_output_has_the_response_of_its_prototype(int rate, float cutoff, float resonance)
    {
        // The analogue prototype with s = j tan(pi f / rate) / tan(pi fc / rate): low 1, band s, high s^2 over s^2 + k s + 1.
        var k = (2.0 * (1 - (double)resonance) * (1 - resonance)) - (0.025 * resonance);
        foreach (var ratio in new[] { 0.25, 0.7, 1.0, 1.6, 3.0 })
        {
            var f = cutoff * ratio;
            if (f > 20_000) continue;
            using var rig = Svf(rate, cutoff, resonance);
            var turns = f / rate;
            rig.Input = (port, _, frame) => port == 0 ? 0.01f * (float)Math.Sin(2.0 * Math.PI * turns * frame) : 0f;
            var skip = 4096 + (int)(rate / cutoff * 8 / k);
            var count = Math.Max(16_384, (int)(24 / turns));
            var output = rig.Run(skip + count);
            var s = Math.Tan(Math.PI * turns) / Math.Tan(Math.PI * cutoff / rate);
            var pole = new System.Numerics.Complex(1 - (s * s), k * s);
            double[] numerators = [1, s, s * s, Math.Abs(1 - (s * s)), 1 + (s * s)];
            for (var o = 0; o < Outputs.Length; o++)
            {
                var measured = Spectrum.Level(output[o][0].AsSpan(skip), turns) / 0.01;
                var prototype = numerators[o] / pole.Magnitude;
                var error = Math.Abs(Spectrum.Decibels(measured) - Spectrum.Decibels(prototype));
                if (ratio == 1.0 && o == 3)
                {
                    Assert.True(measured < 1e-3, $"the notch lets {Spectrum.Decibels(measured):f1} dB through");
                    continue;
                }

                Report.Line($"svf {Outputs[o]} {cutoff} Hz, resonance {resonance} at {rate}: {f:f0} Hz off by {error:f4} dB");
                Assert.True(error < 0.05, $"{Outputs[o]} at {f} Hz: off by {error:f3} dB");
            }
        }
    }

    [Theory]
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
            Report.Line($"svf sings {cutoff} Hz at {rate}: {cents:f3} cent, {level:f2} V");
            Assert.InRange(cents, -1, 1);
            Assert.InRange(level, 4.5, 5.5);
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
        foreach (var o in output) Assert.All(o[0], static v => Assert.InRange(v, -100f, 100f));

        // With nothing coming in and a positive damping, modulating the cutoff brings no energy.
        Assert.All(output[0][0][132_000..], static v => Assert.InRange(v, -0.01f, 0.01f));
    }

    [Fact]
    public void Its_noise_floor_is_120_dB_down()
    {
        // What is left of a 5 V sine when its harmonics and everything else that ought to be there are taken away.
        using var rig = Svf(48_000, 200f, 0f);
        const int Count = 32_768, Bin = 137;
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)Bin * frame % Count) / Count) : 0f;
        var samples = rig.Run("low", 32_768 + Count)[32_768..];
        var worst = Spectrum.WorstOther(samples, 48_000, 20_000,
            Enumerable.Range(1, 60).Select(static k => k * (double)Bin * 48_000 / Count));
        Report.Line($"svf noise: largest bin {worst:f1} dB");
        Assert.True(worst < -120, $"{worst:f1} dB");
    }

    private static Rig Svf(int rate, float cutoff, float resonance)
    {
        var rig = new Rig("svf", new RigOptions { Rate = rate, Quantum = 128 });
        rig["cutoff"] = cutoff;
        rig["resonance"] = resonance;
        return rig;
    }
}
