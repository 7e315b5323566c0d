// Tables of waves against the sums of sines they stand for.
namespace SspHost.Dsp.Tests;

public unsafe class WaveTableTests
{
    [Fact]
    public void Levels_lie_one_behind_the_other_and_fill_the_wave()
    {
        var at = 0;
        for (var level = 0; level < WaveTable.Levels; level++)
        {
            Assert.Equal(at, WaveTable.Offset(level));
            Assert.True(int.IsPow2(WaveTable.Size(level)) && WaveTable.Size(level) > 2 * WaveTable.HarmonicsAt(level));
            at += WaveTable.Size(level) + 8;
        }

        Assert.Equal(WaveTable.WaveFloats, at);
        Assert.Equal(1, WaveTable.HarmonicsAt(WaveTable.Levels - 1));
    }

    [Fact]
    public void The_level_for_a_pitch_fills_the_band_and_stays_below_its_limit()
    {
        for (var turns = 1e-5f; turns < 0.5f; turns *= 1.03f)
        {
            var level = WaveTable.LevelFor(turns, 0.58f);
            Assert.True(WaveTable.HarmonicsAt(level) * turns <= 0.5801f);
            if (level > 0 && level < 14) Assert.True(WaveTable.HarmonicsAt(level - 1) * turns > 0.5f);
        }
    }

    [Fact]
    public void A_cycle_taken_apart_and_put_together_is_the_sum_of_its_sines_at_every_level()
    {
        var random = new Random(7);
        foreach (var frames in new[] { 2048, 64, 600, 3000 })
        {
            var most = Math.Min(40, (frames - 1) / 2);
            var (a, b) = (new double[most + 1], new double[most + 1]);
            for (var h = 1; h <= most; h++) (a[h], b[h]) = ((random.NextDouble() - 0.5) / h, (random.NextDouble() - 0.5) / h);
            var cycle = new float[frames];
            for (var i = 0; i < frames; i++) cycle[i] = (float)(0.3 + Sum(a, b, most, i / (double)frames));
            var (wave, kernel) = (new float[WaveTable.WaveFloats], new float[WaveTable.KernelFloats]);
            var scratch = new double[WaveTable.ScratchDoubles];
            fixed (float* w = wave, k = kernel, c = cycle)
            fixed (double* s = scratch)
            {
                WaveTable.BuildKernel(k);
                WaveTable.Prepare(s);
                WaveTable.Analyse(c, frames, s);
                WaveTable.Synthesize(w, s, 2.0);
                for (var level = 0; level < WaveTable.Levels; level++)
                {
                    for (var n = 0; n < 200; n++)
                    {
                        var phase = random.NextSingle();
                        var table = w + WaveTable.Offset(level);
                        var read = WaveTable.At(table, table, k, WaveTable.Size(level), phase, 0.3f);
                        Assert.Equal(2 * Sum(a, b, Math.Min(most, WaveTable.HarmonicsAt(level)), phase), read, 2e-3);
                    }
                }
            }
        }
    }

    [Fact]
    public void Built_in_rows_follow_their_formulas()
    {
        // sin(x + I sin x) and an ideal pulse, summed from the harmonics that the row gives.
        for (var n = 0; n < 50; n++)
        {
            var x = (n + 0.5) / 50;
            double fm = 0, pulse = 0;
            for (var h = 1; h < 4000; h++)
            {
                var (ca, sa) = WaveBanks.Harmonic(4, 0.8, h);
                var (cp, sp) = WaveBanks.Harmonic(1, 0.5, h);
                if (h < 60) fm += (ca * Math.Cos(2 * Math.PI * h * x)) + (sa * Math.Sin(2 * Math.PI * h * x));
                pulse += (cp * Math.Cos(2 * Math.PI * h * x)) + (sp * Math.Sin(2 * Math.PI * h * x));
            }

            var index = 9 * 0.8 * 0.8;
            Assert.Equal(Math.Sin((2 * Math.PI * x) + (index * Math.Sin(2 * Math.PI * x))), fm, 1e-9);
            var width = 0.5 - (0.4667 * 0.5);
            Assert.Equal((x < width ? 1.0 : -1.0) - ((2 * width) - 1), pulse, 0.02);
        }
    }

    private static double Sum(double[] a, double[] b, int most, double x)
    {
        double sum = 0;
        for (var h = 1; h <= most; h++) sum += (a[h] * Math.Cos(2 * Math.PI * h * x)) + (b[h] * Math.Sin(2 * Math.PI * h * x));
        return sum;
    }
}
