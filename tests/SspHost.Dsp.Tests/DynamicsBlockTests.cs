// Blocks of the dynamics family: oversampling by eight, curves, the pair in quadrature, phases, the vactrol.
using System.Runtime.Intrinsics;

namespace SspHost.Dsp.Tests;

public unsafe class DynamicsBlockTests
{
    [Theory]
    [InlineData(0.001, 0.001)]
    [InlineData(0.2, 0.01)]
    [InlineData(0.41, 0.02)]
    public void Eight_times_up_and_down_again_is_flat_to_0_41_of_the_rate(double turns, double tolerance)
    {
        var (up, down) = (default(EightTimes), default(EightTimes));
        var eight = stackalloc Vector128<float>[8];
        double re = 0, im = 0, area = 0;
        const int Warm = 1000, Count = 20_000;
        for (var n = 0; n < Warm + Count; n++)
        {
            up.Up(Vector128.Create((float)Math.Cos(2 * Math.PI * turns * n)), eight);
            var y = down.Down(eight)[2];
            if (n < Warm) continue;
            var w = Math.Pow(Math.Sin(Math.PI * (n - Warm) / Count), 4);
            area += w;
            re += w * y * Math.Cos(2 * Math.PI * turns * n);
            im += w * y * Math.Sin(2 * Math.PI * turns * n);
        }

        Assert.InRange(20 * Math.Log10(2 * Math.Sqrt((re * re) + (im * im)) / area), -tolerance, tolerance);
        if (turns < 0.01) Assert.InRange(Math.Atan2(im, re) / (2 * Math.PI * turns), EightTimes.Latency - 0.6, EightTimes.Latency + 0.5);
    }

    [Fact]
    public void What_lies_above_half_the_rate_is_taken_out_on_the_way_down()
    {
        var eight = stackalloc Vector128<float>[8];
        foreach (var turns in new[] { 0.6, 1.0, 1.7, 2.4, 3.1, 3.9 })
        {
            var down = default(EightTimes);
            var most = 0f;
            for (var n = 0; n < 2000; n++)
            {
                for (var k = 0; k < 8; k++) eight[k] = Vector128.Create((float)Math.Cos(2 * Math.PI * turns * ((8 * n) + k) / 8.0));
                var y = down.Down(eight)[0];
                if (n > 1000) most = Math.Max(most, Math.Abs(y));
            }

            Assert.True(most < 2e-5, $"{turns}: {most}");
        }
    }

    [Fact]
    public void Curves_are_their_formulas_at_any_size_and_clean_for_small_signals()
    {
        for (var x = 1e-7; x < 60; x *= 1.3)
        {
            foreach (var sign in new[] { -1, 1 })
            {
                var v = (float)(sign * x);
                Near(Math.Tanh(v), At<TanhSaturation>(v));
                Near(v < 0 ? Math.Tanh(0.8 * v) / 0.8 : Math.Tanh(v), At<TapeSaturation>(v));
                Near(Math.Asinh(v), At<DiodeSaturation>(v));
                Near(Math.Clamp(v, -1f, 1f), At<HardClip>(v));
            }
        }

        static float At<T>(float x) where T : struct, ISaturation => T.Between(Vector128.Create(x), Vector128.Create(x))[1];
        static void Near(double expected, float actual) => Assert.Equal(1.0, actual / expected, 2e-6);
    }

    [Fact]
    public void A_hard_clip_between_two_samples_is_the_mean_of_the_line_between_them()
    {
        var random = new Random(3);
        for (var n = 0; n < 20_000; n++)
        {
            var a = (float)((random.NextDouble() * 6) - 3);
            var b = a + (float)(Math.Pow(10, -7 * random.NextDouble()) * ((random.NextDouble() * 8) - 4));
            if (a == b) continue;
            double A(double x) => Math.Abs(x) <= 1 ? x * x / 2 : Math.Abs(x) - 0.5;

            // Divided differences lose digits where a and b are close; there the curve at the middle will do.
            var expected = Math.Abs(b - a) < 1e-5 ? Math.Clamp((a + (double)b) / 2, -1, 1) : (A(b) - A(a)) / ((double)b - a);
            Assert.Equal(expected, HardClip.Between(Vector128.Create(a), Vector128.Create(b))[0], 5e-6);
        }
    }

    [Theory]
    [InlineData(0.0002)]
    [InlineData(0.001)]
    [InlineData(0.05)]
    [InlineData(0.25)]
    [InlineData(0.45)]
    public void The_pair_is_in_quadrature_and_of_the_same_level(double turns)
    {
        var pair = default(HilbertPair);
        double c1 = 0, s1 = 0, c2 = 0, s2 = 0, area = 0;
        const int Warm = 60_000, Count = 60_000;
        for (var n = 0; n < Warm + Count; n++)
        {
            var t = 2 * Math.PI * turns * n;
            pair.Next(Vector128.Create((float)Math.Cos(t)), n, out var cosine, out var sine);
            if (n < Warm) continue;
            var w = Math.Pow(Math.Sin(Math.PI * (n - Warm) / Count), 4);
            area += w / 2;
            c1 += w * cosine[0] * Math.Cos(t);
            s1 += w * cosine[0] * Math.Sin(t);
            c2 += w * sine[3] * Math.Cos(t);
            s2 += w * sine[3] * Math.Sin(t);
        }

        Assert.InRange(Math.Sqrt((c1 * c1) + (s1 * s1)) / area, 0.9999, 1.0001);
        Assert.InRange(Math.Sqrt((c2 * c2) + (s2 * s2)) / area, 0.9999, 1.0001);
        var behind = Math.IEEERemainder(Math.Atan2(s2, c2) - Math.Atan2(s1, c1), 2 * Math.PI);
        Assert.Equal(Math.PI / 2, behind, 7e-4); // 2 / 7e-4 is 69 dB
    }

    [Fact]
    public void A_phase_that_slept_wakes_where_one_that_did_not_is()
    {
        var (awake, slept) = (default(PhaseLanes), default(PhaseLanes));
        var turns = Vector128.Create(0.01234567f, -0.3f, 0.6f, 1e-6f);
        for (var i = 0; i < 100_000; i++) awake.Advance(turns);
        slept.Advance(turns, 100_000);
        Assert.Equal(awake.Turns, slept.Turns);
        Assert.Equal(Math.IEEERemainder(100_000 * (double)-0.3f, 1), slept.Turns[1], 1e-4);
        Assert.Equal(Math.IEEERemainder(49_000, 1), Math.IEEERemainder(slept.Turns[2], 1), 1e-3); // held at 0.49
    }

    [Fact]
    public void A_vactrol_has_the_resistance_of_its_current_and_arrives_however_slow_it_is()
    {
        foreach (var light in new[] { 0f, 1e-4f, 0.01f, 0.3f, 1f })
        {
            var expected = 1136.213 + (3.4645912 / Math.Pow(10.1e-6 + (light * (40e-3 - 10.1e-6)), 1.4));
            Assert.Equal(1.0, Vactrol.Resistance(Vector128.Create(light))[0] / expected, 1e-5);
        }

        var vactrol = default(Vactrol);
        var slow = Vector128.Create(2e-6f); // 2.6 s at 192 kHz: a sum of floats would stop at 0.98
        for (var i = 0; i < 5_000_000; i++) vactrol.Follow(Vector128.Create(0.9f), slow, slow);
        Assert.Equal(0.9 * (1 - Math.Exp(-5_000_000 * 2e-6)), vactrol.Light[0], 1e-5);
    }
}
