// What the ladder claims: where it cuts, how steeply, and that it sings in tune.
namespace SspHost.Modules.Tests;

public class LadderTests
{
    [Theory]
    [InlineData(48_000, 100f)]
    [InlineData(48_000, 1000f)]
    [InlineData(48_000, 8000f)]
    [InlineData(44_100, 5000f)]
    [InlineData(192_000, 16_000f)]
    public void Without_resonance_it_is_four_poles_at_the_cutoff(int rate, float cutoff)
    {
        // The analogue prototype: |H| = (1 + (f / fc)^2)^-2, which is -12.04 dB at the cutoff and 24 dB an octave beyond.
        foreach (var ratio in new[] { 0.25, 0.5, 1.0, 2.0, 4.0 })
        {
            var f = cutoff * ratio;
            if (f > 15_000) continue;
            var measured = Spectrum.Decibels(Gain(rate, cutoff, 0f, f));
            var prototype = -40.0 * Math.Log10(1.0 + (ratio * ratio));

            // Twice oversampled, the bilinear transform bends frequencies near the top; below 10 kHz it keeps within 1 dB.
            Assert.True(Math.Abs(measured - prototype) < (f < 4000 ? 0.1 : 1.5), $"{f} Hz: {measured:f3} dB instead of {prototype:f3} dB");
        }
    }

    [Fact]
    public void It_falls_by_24_dB_an_octave()
    {
        var slope = Spectrum.Decibels(Gain(48_000, 100f, 0f, 1600.0)) - Spectrum.Decibels(Gain(48_000, 100f, 0f, 3200.0));
        Assert.InRange(slope, 23.8, 24.2);
    }

    [Theory]
    [InlineData(0f)]
    [InlineData(0.2f)]
    [InlineData(0.6f)]
    public void Gain_at_DC_is_one_over_one_plus_feedback(float resonance)
    {
        using var rig = Ladder(48_000, 1000f, resonance);
        rig.Input = static (port, _, _) => port == 0 ? 0.01f : 0f;
        Assert.Equal(1.0 / (1.0 + (5.0 * resonance)), rig.Run("out", 9600)[^1] / 0.01, 4);
    }

    [Theory, Trait("Category", "Quality")]
    [InlineData(44_100)]
    [InlineData(48_000)]
    [InlineData(96_000)]
    public void It_sings_at_the_cutoff_within_5_cents_over_eight_octaves(int rate)
    {
        // Half a cycle of 5 V starts it. What is measured is the steady state: while the amplitude still grows, the linear poles lie
        // higher (k^(1/4) / sqrt 2 times the cutoff), so low notes need their seconds.
        foreach (var resonance in rate == 48_000 ? new[] { 0.85f, 1f } : [1f])
        {
            for (var cutoff = 55f; cutoff < 15_000f; cutoff *= 2f)
            {
                using var rig = Ladder(rate, cutoff, resonance);
                var kick = rate / cutoff / 2f;
                rig.Input = (port, _, frame) => port == 0 && frame < kick ? 5f : 0f;
                var skip = (int)(rate * (0.2f + (120f / cutoff)));
                var samples = rig.Run("out", skip + rate).AsSpan(skip, rate);
                var frequency = Spectrum.Frequency(samples, cutoff / rate);
                var level = Spectrum.Level(samples, frequency);
                var cents = Spectrum.Cents(frequency * rate, cutoff);
                Quality.AtMost("ladder", "pitch when it sings", Math.Abs(cents), 5, "cent");
                Assert.InRange(level, 1.0, 6.0);
            }
        }
    }

    [Fact]
    public void It_starts_to_sing_by_itself_and_not_below_0_8()
    {
        using var quiet = Ladder(48_000, 1000f, 0.79f);
        Assert.Equal(0f, quiet.Run("out", 48_000).Max());
        using var singing = Ladder(48_000, 1000f, 0.9f);
        Assert.InRange(singing.Run("out", 48_000)[24_000..].Max(), 0.5f, 6f);
    }

    [Fact]
    public void The_CV_moves_the_cutoff_an_octave_a_volt()
    {
        using var rig = Ladder(48_000, 440f, 1f);
        rig.Input = static (port, _, frame) => port == 1 ? 2f : frame == 0 ? 5f : 0f;
        var samples = rig.Run("out", 144_000)[48_000..];
        Assert.InRange(Spectrum.Cents(Spectrum.Frequency(samples, 1760.0 / 48_000) * 48_000, 1760.0), -1, 1);
    }

    [Fact, Trait("Category", "Quality")]
    public void Drive_saturates_without_aliases()
    {
        using var rig = Ladder(48_000, 20_000f, 0f);
        rig["drive"] = 18f;
        const int Count = 32_768, Bin = 1367; // 2002 Hz; odd, so that no alias falls on a harmonic
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2.0 * Math.PI * ((long)Bin * frame % Count) / Count) : 0f;
        var samples = rig.Run("out", 4096 + Count)[4096..];
        var worst = Spectrum.WorstOther(samples, 48_000, 20_000,
            Enumerable.Range(1, Count / 2 / Bin).Select(static k => k * (double)Bin * 48_000 / Count));
        Quality.AtMost("ladder", "standard, aliases of 5 V at 2 kHz, drive 18 dB", worst, -80, "dB");
        Assert.True(Spectrum.Level(samples, 3.0 * Bin / Count) > 0.1, "no third harmonic: it does not saturate");
    }

    [Fact]
    public void Audio_rate_modulation_over_the_whole_range_stays_bounded()
    {
        using var rig = Ladder(48_000, 600f, 1f);
        var random = new Random(3);
        rig.Input = (port, _, _) => port switch
        {
            0 => 5f * ((2f * random.NextSingle()) - 1f),
            1 => 10f * ((2f * random.NextSingle()) - 1f),
            _ => 0f,
        };
        Assert.All(rig.Run("out", 96_000), static v => Assert.InRange(v, -20f, 20f));
    }

    private static double Gain(int rate, float cutoff, float resonance, double hertz)
    {
        using var rig = Ladder(rate, cutoff, resonance);
        var turns = hertz / rate;
        rig.Input = (port, _, frame) => port == 0 ? 0.05f * (float)Math.Sin(2.0 * Math.PI * turns * frame) : 0f;
        var skip = 4096 + (int)(rate / cutoff * 4);
        return Spectrum.Level(rig.Run("out", skip + 32_768).AsSpan(skip), turns) / 0.05;
    }

    private static Rig Ladder(int rate, float cutoff, float resonance)
    {
        var rig = new Rig("ladder", new RigOptions { Rate = rate, Quantum = 128 });
        rig["cutoff"] = cutoff;
        rig["resonance"] = resonance;
        return rig;
    }
}
