// The small blocks: half-band, delay line, envelope curve, trigger, random numbers, block math.
using System.Runtime.Intrinsics;

namespace SspHost.Dsp.Tests;

public unsafe class BuildingBlockTests
{
    [Fact]
    public void The_half_band_is_flat_to_0_416_and_100_dB_down_from_0_584_of_the_lower_rate()
    {
        double Response(double turnsOfHigher)
        {
            var filter = default(HalfBand);
            double re = 0, im = 0;
            for (var n = 0; n < 2000; n++)
            {
                // Down-sampling of a sine at the higher rate; its level at the (folded) lower rate.
                double At(int i) => Math.Sin(2 * Math.PI * turnsOfHigher * i);
                var y = filter.Down(Vector128.Create((float)At(2 * n)), Vector128.Create((float)At((2 * n) + 1)))[0];
                if (n < 1000) continue;
                var w = Math.Pow(Math.Sin(Math.PI * (n - 1000) / 1000.0), 4);
                re += w * y * Math.Cos(4 * Math.PI * turnsOfHigher * n);
                im += w * y * Math.Sin(4 * Math.PI * turnsOfHigher * n);
            }

            return 20 * Math.Log10(Math.Sqrt((re * re) + (im * im)) * 2 / 375);
        }

        foreach (var f in new[] { 0.01, 0.1, 0.15, 0.2, 0.208 }) Assert.InRange(Response(f), -0.01, 0.01);
        for (var f = 0.2925; f < 0.49; f += 0.003) Assert.True(Response(f) < -98, $"{f}: {Response(f):f1} dB");
    }

    [Fact]
    public void The_wide_half_band_is_flat_to_0_292_and_100_dB_down_from_0_708_of_the_lower_rate()
    {
        double Response(double turnsOfHigher)
        {
            var filter = default(HalfBandWide);
            double re = 0, im = 0;
            for (var n = 0; n < 2000; n++)
            {
                double At(int i) => Math.Sin(2 * Math.PI * turnsOfHigher * i);
                var y = filter.Down(Vector128.Create((float)At(2 * n)), Vector128.Create((float)At((2 * n) + 1)))[0];
                if (n < 1000) continue;
                var w = Math.Pow(Math.Sin(Math.PI * (n - 1000) / 1000.0), 4);
                re += w * y * Math.Cos(4 * Math.PI * turnsOfHigher * n);
                im += w * y * Math.Sin(4 * Math.PI * turnsOfHigher * n);
            }

            return 20 * Math.Log10(Math.Sqrt((re * re) + (im * im)) * 2 / 375);
        }

        foreach (var f in new[] { 0.01, 0.05, 0.1, 0.146 }) Assert.InRange(Response(f), -0.001, 0.001);
        for (var f = 0.354; f < 0.49; f += 0.003) Assert.True(Response(f) < -100, $"{f}: {Response(f):f1} dB");
    }

    [Fact]
    public void Up_and_down_again_is_the_signal_three_frames_later_at_low_frequencies()
    {
        var (up, down) = (default(HalfBand), default(HalfBand));
        for (var n = 0; n < 4000; n++)
        {
            up.Up(Vector128.Create(MathF.Sin(n * 0.01f)), out var a, out var b);
            var y = down.Down(a, b)[0];
            if (n > 200) Assert.Equal(Math.Sin((n - 3.1) * 0.01), y, 5e-4);
        }
    }

    [Fact]
    public void A_delay_line_is_exact_at_whole_delays_and_cubic_between()
    {
        const int Longest = 100;
        var memory = new float[DelayLine.Floats(Longest)];
        fixed (float* block = memory)
        {
            var line = new DelayLine(block, Longest);
            for (var n = 0; n < 1000; n++)
            {
                if (n > Longest + 4)
                {
                    for (var d = 2; d <= Longest; d++) Assert.Equal((float)Math.Sin((n - d) * 0.1), line.Read(d));
                    for (var d = 2.0; d < Longest; d += 3.37) Assert.Equal(Math.Sin((n - d) * 0.1), line.Read(d), 4e-4);
                }

                line.Write((float)Math.Sin(n * 0.1));
            }
        }
    }

    [Fact]
    public void A_trigger_has_hysteresis_between_a_tenth_and_one_volt()
    {
        var trigger = default(SchmittTrigger);
        Assert.False(trigger.Rises(0.99f));
        Assert.True(trigger.Rises(1f));
        Assert.False(trigger.Rises(5f));
        Assert.False(trigger.Rises(0.11f));
        Assert.True(trigger.IsHigh);
        Assert.False(trigger.Rises(0.1f));
        Assert.False(trigger.IsHigh);
        Assert.False(trigger.Rises(float.NaN));
        Assert.True(trigger.Rises(10f));
    }

    [Fact]
    public void Random_numbers_are_even_uncorrelated_and_repeat()
    {
        foreach (var seed in new ulong[] { 0, 1, ulong.MaxValue })
        {
            var (a, b) = (new Xorshift(seed), new Xorshift(seed));
            double sum = 0, squares = 0, products = 0, last = 0;
            const int Count = 200_000;
            for (var i = 0; i < Count; i++)
            {
                var x = a.NextBipolar();
                Assert.Equal(x, b.NextBipolar());
                Assert.InRange(x, -1f, 0.99999994f);
                sum += x;
                squares += x * x;
                products += x * last;
                last = x;
            }

            Assert.InRange(sum / Count, -0.006, 0.006);
            Assert.InRange(squares / Count, 0.33, 0.337);
            Assert.InRange(products / Count, -0.004, 0.004);
        }
    }

    [Fact]
    public void Block_math_is_what_its_name_says()
    {
        var memory = new float[64];
        fixed (float* p = memory)
        {
            for (var i = 0; i < 16; i++) p[i] = i - 5;
            Block.ScaleSegment(p + 16, p, new GridRamp(0f, 16f));
            for (var i = 0; i < 16; i++) Assert.Equal((i - 5f) * i, p[16 + i]);
            Block.AddScaledSegment(p + 16, p, new GridRamp(2f, 2f));
            for (var i = 0; i < 16; i++) Assert.Equal(((i - 5f) * i) + (2f * (i - 5f)), p[16 + i]);
            Assert.Equal(10f, Block.Peak(p, 16));
            Assert.False(Block.IsZero(p, 16));
            Block.Clear(p, 16);
            Assert.True(Block.IsZero(p, 16));
            p[15] = 1e-38f;
            Assert.False(Block.IsZero(p, 16));
        }
    }

    [Fact]
    public void What_is_far_below_hearing_becomes_zero_and_nothing_else()
    {
        Assert.Equal(0f, Denormal.Flush(9.9e-9f));
        Assert.Equal(1.1e-8f, Denormal.Flush(1.1e-8f));
        Assert.Equal(Vector128.Create(0f, 1f, 0f, -2f), Denormal.Flush(Vector128.Create(-9e-9f, 1f, 1e-40f, -2f)));
    }
}
