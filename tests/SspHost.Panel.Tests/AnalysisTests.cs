// The scope's figures against signals whose figures are known.
using SspHost.Panel.Analysis;

namespace SspHost.Panel.Tests;

public sealed class AnalysisTests
{
    private const double Rate = 48_000;

    [Theory]
    [InlineData("sine")]
    [InlineData("saw")]
    [InlineData("square")]
    [InlineData("missing fundamental")]
    public void The_tuner_is_within_a_cent_from_47_Hz_to_4_kHz(string wave)
    {
        var finder = new PitchFinder();
        // The partial of the last one that is as strong as the others is the fifth: up to a fifth of a quarter of the rate.
        for (var hertz = 47.0; hertz < (wave == "missing fundamental" ? Rate / 4 / 5 : 4000); hertz *= 1.1937)
        {
            var found = finder.Find(Wave(wave, hertz), Rate);
            Assert.True(Math.Abs(1200 * Math.Log2(found / hertz)) < 1, FormattableString.Invariant($"{wave} of {hertz:0.000} Hz is heard as {found:0.000} Hz"));
        }
    }

    [Fact]
    public void What_has_no_tone_or_is_too_quiet_or_broken_has_no_pitch()
    {
        var finder = new PitchFinder();
        var random = new Random(5);
        Assert.True(double.IsNaN(finder.Find(new float[8192], Rate)));
        Assert.True(double.IsNaN(finder.Find(new float[100], Rate)));
        Assert.True(double.IsNaN(finder.Find([.. Enumerable.Range(0, 8192).Select(_ => (random.NextSingle() * 10) - 5)], Rate)));
        Assert.True(double.IsNaN(finder.Find([.. Enumerable.Repeat(3f, 8192)], Rate)));
        var broken = Wave("sine", 440);
        broken[^10] = float.NaN;
        Assert.True(double.IsNaN(finder.Find(broken, Rate)));
    }

    [Fact]
    public void A_tone_in_noise_is_still_found()
    {
        var random = new Random(6);
        var finder = new PitchFinder();
        var noisy = Wave("saw", 220).Select(v => v + ((random.NextSingle() - 0.5f) * 0.5f)).ToArray();
        Assert.InRange(1200 * Math.Log2(finder.Find(noisy, Rate) / 220), -3, 3);
    }

    [Theory]
    [InlineData(1.0, 0)]
    [InlineData(10.0, 20)]
    [InlineData(0.01, -40)]
    public void A_spectrum_reads_a_sine_within_1_5_dB_at_its_own_frequency(double volts, double db)
    {
        var analyzer = new SpectrumAnalyzer();
        for (var hertz = 60.0; hertz < 20_000; hertz *= 1.31)
        {
            var levels = analyzer.Take([.. Enumerable.Range(0, 8192).Select(i => (float)(volts * Math.Sin(2 * Math.PI * hertz * i / Rate)))]);
            var best = 0;
            for (var k = 1; k < levels.Length; k++) best = levels[k] > levels[best] ? k : best;
            Assert.InRange(best, (hertz * SpectrumAnalyzer.Size / Rate) - 1, (hertz * SpectrumAnalyzer.Size / Rate) + 1);
            Assert.InRange(levels[best], db - 1.5, db + 0.1);
        }
    }

    [Fact]
    public void Measures_are_those_of_the_textbook()
    {
        var sine = Measures.Of(Wave("sine", 1000), Rate);
        Assert.Equal(5, sine.Peak, 0.02f);
        Assert.Equal(5 / Math.Sqrt(2), sine.Rms, 0.02);
        Assert.Equal(1000, sine.Hertz, 0.1);
        var square = Measures.Of(Wave("square", 250), Rate);
        Assert.Equal(5, square.Rms, 0.05); // the partials above half of the rate are missing
        Assert.Equal(250, square.Hertz, 0.5);
        Assert.True(double.IsNaN(Measures.Of(new float[100], Rate).Hertz));
        Assert.Equal(0, Measures.Of([], Rate).Rms);
    }

    [Fact]
    public void A_trigger_stands_on_the_last_crossing_in_its_direction_between_two_samples()
    {
        float[] ramp = [-3, -1, 1, 3, -3, -1, 1, 3];
        Assert.Equal(5.5, Trigger.Last(ramp, 0, rising: true, 0, 1));
        Assert.Equal(1.5, Trigger.Last(ramp, 0, rising: true, 0, 4));
        Assert.Equal(3.5, Trigger.Last(ramp, 0, rising: false, 0, 1));
        Assert.True(double.IsNaN(Trigger.Last(ramp, 5, rising: true, 0, 1)));
        Assert.True(double.IsNaN(Trigger.Last([], 0, rising: true, 0, 1)));
    }

    // Without partials above the half of the rate, so that nothing is heard but the tone itself.
    private static float[] Wave(string wave, double hertz)
    {
        var samples = new float[8192];
        for (var k = 1; k * hertz < Rate / 2 && k < 80; k++)
        {
            var volts = wave switch
            {
                "sine" => k == 1 ? 5 : 0,
                "saw" => 10 / Math.PI / k,
                "square" => k % 2 == 1 ? 20 / Math.PI / k : 0,
                _ => k is >= 2 and <= 5 ? 2 : 0,
            };
            if (volts == 0) continue;
            for (var i = 0; i < samples.Length; i++) samples[i] += (float)(volts * Math.Sin((2 * Math.PI * hertz * k * i / Rate) + (0.3 * k * (wave == "missing fundamental" ? 1 : 0))));
        }

        return samples;
    }
}
