// What the pieces of delays and rooms claim: figures of interpolation, rings against a plain array, filters against their scalar forms.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp.Tests;

public unsafe class DelayBlockTests
{
    [Theory]
    [InlineData(16.0, 1.7e-4)]
    [InlineData(8.0, 0.0092)]
    [InlineData(4.0, 0.45)]
    public void Interpolation_is_never_louder_and_as_little_softer_as_it_says(double period, double decibels)
    {
        for (var t = 0.0; t < 1.0; t += 0.0625)
        {
            Lagrange.Weights(Vector128.Create((float)t), out var w0, out var w1, out var w2, out var w3, out var w4, out var w5);
            double re = 0, im = 0;
            float[] weights = [w0[0], w1[0], w2[0], w3[0], w4[0], w5[0]];
            for (var k = 0; k < 6; k++)
            {
                var (s, c) = Math.SinCos(2.0 * Math.PI / period * (k - 2 - t));
                re += weights[k] * c;
                im += weights[k] * s;
            }

            var level = 20.0 * Math.Log10(Math.Sqrt((re * re) + (im * im)));
            Assert.InRange(level, -decibels - 1e-5, 1e-5);
        }
    }

    [Fact]
    public void The_error_half_way_is_five_1024ths_of_the_sixth_power_of_the_angle()
    {
        foreach (var w in new[] { 0.3, 0.5, 0.7 })
        {
            Lagrange.Weights(Vector128.Create(0.5f), out var w0, out var w1, out var w2, out _, out _, out _);
            var sum = 2.0 * ((w2[0] * Math.Cos(0.5 * w)) + (w1[0] * Math.Cos(1.5 * w)) + (w0[0] * Math.Cos(2.5 * w)));
            Assert.InRange((1.0 - sum) / (5.0 / 1024.0 * Math.Pow(w, 6)), 0.85, 1.02);
        }
    }

    [Fact]
    public void A_line_by_segments_is_a_plain_array_of_the_past_wherever_its_ring_ends()
    {
        // A float holds a place near 400 to 3e-5 of a frame, and this noise moves by up to 3 a frame, at both ends of a step.
        const double Rounded = 4e-4;
        const int Longest = 500, Frames = 16 * 200;
        var memory = new float[SegmentLine.Floats(Longest)];
        var random = new Random(1);
        var past = new float[Frames];
        for (var i = 0; i < Frames; i++) past[i] = (2f * random.NextSingle()) - 1f;
        float* target = stackalloc float[Limits.Grid];
        float* more = stackalloc float[Limits.Grid];
        fixed (float* block = memory, source = past)
        {
            var line = new SegmentLine(block, Longest);
            for (var at = 0; at < Frames; at += Limits.Grid)
            {
                if (at > 600)
                {
                    var whole = random.Next((int)SegmentLine.Shortest, Longest);
                    line.Read(target, whole);
                    for (var i = 0; i < Limits.Grid; i++) Assert.Equal(past[at + i - whole], target[i]);

                    var (from, to) = (20.0 + (400 * random.NextDouble()), 0.0);
                    to = from + (20 * random.NextDouble()) - 0.5;
                    line.Read(target, from, from);
                    for (var i = 0; i < Limits.Grid; i++) Assert.Equal(At(past, at + i - from), target[i], 1e-5);
                    line.Read(target, from, to);
                    for (var i = 0; i < Limits.Grid; i++) Assert.Equal(At(past, at + i - from - ((to - from) * i / 16)), target[i], Rounded);
                    for (var i = 0; i < Limits.Grid; i++) more[i] = 30f * random.NextSingle();
                    line.Read(target, 25, more);
                    for (var i = 0; i < Limits.Grid; i++) Assert.Equal(At(past, at + i - 25 - more[i]), target[i], Rounded);
                    Assert.Equal(past[at - 7], *line.Sample(line.Position - 7));
                }

                line.Write(source + at);
                if (at > 600)
                {
                    line.Read(target, 3.25);
                    for (var i = 0; i < Limits.Grid; i++) Assert.Equal(At(past, at + i - 3.25), target[i], 1e-5);
                    line.Read(target, 0.0);
                    for (var i = 0; i < Limits.Grid; i++) Assert.Equal(past[at + i], target[i]);
                }

                line.Advance();
                Assert.False(line.AtRest);
            }

            new Span<float>(target, Limits.Grid).Clear();
            for (var i = 0; i < line.Length; i += Limits.Grid)
            {
                Assert.False(line.AtRest);
                line.Write(target);
                line.Advance();
            }

            Assert.True(line.AtRest);
        }
    }

    [Fact]
    public void Four_frames_of_a_one_pole_at_once_are_the_one_pole_frame_by_frame()
    {
        foreach (var hertz in new[] { 20f, 1000f, 11_000f })
        {
            var coefficient = OnePole.Coefficient(hertz, 48_000);
            var gains = new OnePoleGains(coefficient);
            var (four, one) = (default(OnePoleFour), default(OnePole));
            var random = new Random(2);
            for (var i = 0; i < 2000; i++)
            {
                var x = Vector128.Create(random.NextSingle(), random.NextSingle(), random.NextSingle(), random.NextSingle());
                var y = four.LowPass(x, in gains);
                for (var k = 0; k < 4; k++) Assert.Equal(one.LowPass(x[k], coefficient), y[k], 2e-5);
            }

            for (var i = 0; i < 20_000 && !four.IsZero; i++) _ = four.LowPass(Vector128<float>.Zero, in gains);
            Assert.True(four.IsZero);
        }
    }

    [Fact]
    public void A_diffuser_passes_the_power_it_says_and_all_of_it_without_a_decay()
    {
        int* lengths = stackalloc int[Diffuser.Stages] { 142, 107, 379, 277 };
        var memory = new float[Diffuser.Floats(lengths)];
        float* samples = stackalloc float[Limits.Grid];
        fixed (float* block = memory)
        {
            foreach (var decay in new[] { 1e9f, 9600f, 2000f })
            {
                Array.Clear(memory);
                var diffuser = new Diffuser(block, lengths, 0.75f, 0.625f);
                diffuser.Set(decay, 1f);
                var power = 0.0;
                for (var at = 0; at < 60_000; at += Limits.Grid)
                {
                    new Span<float>(samples, Limits.Grid).Clear();
                    if (at == 0) samples[3] = 1f;
                    diffuser.Segment(samples);
                    for (var i = 0; i < Limits.Grid; i++) power += (double)samples[i] * samples[i];
                }

                Assert.Equal(diffuser.Loss, Math.Sqrt(power), 0.03 * diffuser.Loss);
                if (decay > 1e8f) Assert.Equal(1.0, power, 1e-3);
            }
        }
    }

    [Fact]
    public void Absorption_is_its_share_of_the_decay_at_both_ends_and_half_of_both_in_the_middle()
    {
        // Decibels by frames: 4000 of a decay of 48000 are 5 dB, at four tenths of it for the highs 12.5 dB.
        var filter = new Absorption(4000f, 48_000f, 0.4f, MathF.Tan(MathF.PI * 0.05f));
        Assert.Equal(-5.0, Level(0.0), 0.01);
        Assert.Equal(-12.5, Level(0.5), 0.01);
        Assert.Equal(-8.75, Level(0.05), 0.05);

        double Level(double turns)
        {
            var (s, c) = Math.SinCos(2.0 * Math.PI * turns);
            var above = Math.Pow(filter.B0 + (filter.B1 * c), 2) + Math.Pow(filter.B1 * s, 2);
            var below = Math.Pow(1.0 + (filter.A1 * c), 2) + Math.Pow(filter.A1 * s, 2);
            return 10.0 * Math.Log10(above / below);
        }
    }

    [Fact]
    public void The_ceiling_is_exact_below_ten_volts_and_never_above_twenty()
    {
        for (var x = -100f; x <= 100f; x += 0.37f)
        {
            var y = SoftLimit.Bend(x);
            Assert.Equal(y, SoftLimit.Bend(Vector128.Create(x))[2], 1e-5f);
            if (Math.Abs(x) <= 10f) Assert.Equal(x, y);
            Assert.InRange(y, -20f, 20f);
            Assert.True(SoftLimit.Bend(x + 0.1f) > y);
        }
    }

    [Fact]
    public void A_slow_phase_that_slept_is_where_it_would_be()
    {
        var (awake, sleeper) = (default(SlowPhase), default(SlowPhase));
        for (var quantum = 0; quantum < 1000; quantum++)
        {
            var context = new ProcessContext { Time = (ulong)quantum * 64, Frames = 64, SampleRate = 48_000 };
            _ = awake.Wake(in context);
            for (var k = 0; k < 4; k++) awake.Advance(0.37f, 48_000);
            if (quantum % 100 is > 20 and < 90) continue;
            Assert.Equal(quantum == 0 || quantum % 100 == 90, sleeper.Wake(in context));
            for (var k = 0; k < 4; k++) sleeper.Advance(0.37f, 48_000);
            Assert.Equal(awake.Turns(), sleeper.Turns());
        }

        Assert.Equal(0.37 * 64_000 / 48_000 % 1.0, awake.Turns(), 1e-4);
    }

    [Fact]
    public void A_matrix_turned_over_twice_is_itself()
    {
        var (a, b, c, d) = (Vector128.Create(0f, 1, 2, 3), Vector128.Create(4f, 5, 6, 7), Vector128.Create(8f, 9, 10, 11), Vector128.Create(12f, 13, 14, 15));
        Transpose.Four(ref a, ref b, ref c, ref d);
        Assert.Equal(Vector128.Create(0f, 4, 8, 12), a);
        Assert.Equal(Vector128.Create(1f, 5, 9, 13), b);
        Assert.Equal(Vector128.Create(3f, 7, 11, 15), d);
        Transpose.Four(ref a, ref b, ref c, ref d);
        Assert.Equal(Vector128.Create(8f, 9, 10, 11), c);
    }

    [Fact]
    public void A_switch_changes_only_where_nothing_is_heard()
    {
        var fade = default(SwitchFade);
        Assert.Equal(1f, fade.Next(2, 48_000).Start);
        var (changed, gain) = (false, 1f);
        for (var i = 0; i < 100; i++)
        {
            var ramp = fade.Next(3, 48_000);
            Assert.Equal(gain, ramp.Start, 1e-5);
            if (fade.Choice == 3 && !changed)
            {
                Assert.Equal(0f, ramp.Start, 1e-5);
                changed = true;
            }

            gain = ramp.Start + (Limits.Grid * ramp.Step);
        }

        Assert.True(changed && fade.Settled);
    }

    // Lagrange's formula itself, on the six samples around.
    private static double At(float[] past, double position)
    {
        var first = (int)Math.Floor(position) - 2;
        double sum = 0;
        for (var j = 0; j < 6; j++)
        {
            var weight = 1.0;
            for (var m = 0; m < 6; m++)
            {
                if (m != j) weight *= (position - first - m) / (j - m);
            }

            sum += weight * past[first + j];
        }

        return sum;
    }
}
