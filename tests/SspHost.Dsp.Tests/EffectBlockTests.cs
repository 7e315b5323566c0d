// The blocks under circuits, rooms and effects, each by itself: gains, energies, round trips and glides that mathematics gives.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp.Tests;

public unsafe class EffectBlockTests
{
    [Fact]
    public void Circuits_have_the_gain_at_DC_that_their_feedback_leaves()
    {
        foreach (var k in new[] { 0f, 1f, 3f })
        {
            Assert.Equal(1.0 / (1.0 + k), AtDc(default(Ladder), k), 1e-4);
            Assert.Equal(1.0 / (1.0 + k), AtDc(default(DiodeLadder), k), 1e-4);
        }

        // The feedback of a Sallen-Key is a band-pass: none of it at DC.
        foreach (var k in new[] { 0f, 1f, 1.9f }) Assert.Equal(1.0, AtDc(default(SallenKey), k), 1e-4);
    }

    [Fact]
    public void A_ladder_is_four_trapezoidal_poles()
    {
        // At the cutoff each pole of the bilinear transform is 1 / (1 + j): the fourth is -1 / 4, turned by half.
        const double Turns = 0.05;
        var (ladder, re, im) = (default(Ladder), 0.0, 0.0);
        var x = stackalloc Vector128<float>[2];
        var (turns, k) = (Vector128.Create((float)Turns), Vector128<float>.Zero);
        for (var n = 0; n < 8000; n++)
        {
            x[0] = Vector128.Create(1e-3f * (float)Math.Cos(2 * Math.PI * Turns * n));
            ladder.Run(x, &turns, &k, 0, 1, 0, 0, 0);
            if (n < 4000) continue;
            re += x[0][1] * Math.Cos(2 * Math.PI * Turns * n) / 1e-3 / 2000;
            im += x[0][1] * Math.Sin(2 * Math.PI * Turns * n) / 1e-3 / 2000;
        }

        Assert.Equal(-0.25, re, 1e-3);
        Assert.Equal(0.0, im, 1e-3);
    }

    [Fact]
    public void Feedback_that_jumps_at_random_in_every_frame_bounds_every_circuit()
    {
        AssertBounded(default(Ladder), Ladder.MostFeedback);
        AssertBounded(default(DiodeLadder), DiodeLadder.MostFeedback);
        AssertBounded(default(SallenKey), SallenKey.MostFeedback);
    }

    [Fact]
    public void A_linear_filter_parts_its_input_exactly_and_its_band_is_one_over_k_at_the_cutoff()
    {
        const double Turns = 0.03;
        var (g, k) = (Vector128.Create((float)Math.Tan(Math.PI * Turns)), Vector128.Create(0.4f));
        var inverse = LinearSvf.Inverse(g, k);
        var (filter, most) = (default(LinearSvf), 0f);
        for (var n = 0; n < 4000; n++)
        {
            var x = Vector128.Create((float)Math.Sin(2 * Math.PI * Turns * n));
            filter.Next(x, g, k, inverse, out var low, out var band, out var high);
            Assert.Equal(x[0], (low + (k * band) + high)[0], 1e-5f);
            if (n > 2000) most = Math.Max(most, Math.Abs(band[3]));
        }

        Assert.Equal(2.5, most, 0.01);
        Assert.False(filter.Settle(Vector128<float>.Zero));
        for (var n = 0; n < 20_000; n++) filter.Next(Vector128<float>.Zero, g, k, inverse, out _, out _, out _);
        Assert.True(filter.Settle(Vector128.Create(-1).AsSingle()));
    }

    [Fact]
    public void Four_one_poles_are_the_one_pole()
    {
        var (lanes, one) = (default(OnePoleLanes), default(OnePole));
        var coefficient = OnePole.Coefficient(700f, 48_000f);
        var random = new Random(1);
        for (var i = 0; i < 2000; i++)
        {
            var x = (2f * random.NextSingle()) - 1f;
            Assert.Equal(one.LowPass(x, coefficient), lanes.LowPass(Vector128.Create(x), Vector128.Create(coefficient))[2], 1e-6f);
        }
    }

    [Fact]
    public void Four_times_up_and_down_again_is_flat_to_0_41_of_the_rate()
    {
        foreach (var turns in new[] { 0.001, 0.2, 0.41 })
        {
            var (up, down) = (default(FourTimes), default(FourTimes));
            double re = 0, im = 0, area = 0;
            for (var n = 0; n < 12_000; n++)
            {
                up.Up(Vector128.Create((float)Math.Cos(2 * Math.PI * turns * n)), out var a, out var b, out var c, out var d);
                var y = down.Down(a, b, c, d)[1];
                if (n < 2000) continue;
                var w = Math.Pow(Math.Sin(Math.PI * (n - 2000) / 10_000), 4);
                area += w;
                re += w * y * Math.Cos(2 * Math.PI * turns * n);
                im += w * y * Math.Sin(2 * Math.PI * turns * n);
            }

            Assert.InRange(20 * Math.Log10(2 * Math.Sqrt((re * re) + (im * im)) / area), -0.02, 0.02);
        }
    }

    [Fact]
    public void One_value_between_six_samples_is_Lagranges_polynomial()
    {
        // Of order five: it is exact for x^5.
        var six = stackalloc float[6];
        for (var i = 0; i < 6; i++) six[i] = MathF.Pow((i - 2) * 0.3f, 5);
        foreach (var t in new[] { 0f, 0.25f, 0.7f, 1f }) Assert.Equal(Math.Pow(t * 0.3, 5), Lagrange.Between(six, t), 1e-6);
    }

    [Fact]
    public void A_pre_delay_is_exact_at_rest_and_bends_the_pitch_by_40_percent_at_most()
    {
        const float Longest = 0.1f;
        var memory = new float[PreDelay.Floats(Longest, 48_000f)];
        var samples = stackalloc float[Limits.Grid];
        fixed (float* block = memory)
        {
            var line = new PreDelay(block, Longest, 48_000f);
            var last = 0f;
            for (var at = 0; at < 96_000; at += Limits.Grid)
            {
                // A ramp of 1 a frame: its slope behind is the speed it is read at.
                for (var i = 0; i < Limits.Grid; i++) samples[i] = at + i;
                var still = line.Segment(samples, at < 24_000 ? 0.01f : 0.08f);
                if (at is < 24_000 or > 64_000) Assert.True(still);
                if (at is > 24_000 and < 50_000) Assert.False(still);
                for (var i = 0; i < Limits.Grid && at > 4800; i++)
                {
                    Assert.InRange(samples[i] - last, 0.59f, 1.41f);
                    last = samples[i];
                    if (still) Assert.Equal(at + i - (at < 24_000 ? 480 : 3840), samples[i]);
                }

                if (at <= 4800) last = samples[Limits.Grid - 1];
            }

            Assert.False(line.AtRest);
            line.Clear();
            Block.Clear(samples, Limits.Grid);
            _ = line.Segment(samples, 0f);
            Assert.Equal(0f, samples[3]);
        }
    }

    [Fact]
    public void A_network_without_absorption_loses_nothing_and_gains_nothing()
    {
        const int Longest = 2400;
        var memory = new float[FeedbackNetwork.Floats(Longest)];
        var zero = stackalloc float[Limits.Grid];
        var left = stackalloc float[Limits.Grid];
        var right = stackalloc float[Limits.Grid];
        Block.Clear(zero, Limits.Grid);
        fixed (float* block = memory)
        {
            var network = new FeedbackNetwork(block, Longest);
            NetworkControls controls = default;
            for (var line = 0; line < FeedbackNetwork.Lines; line++)
            {
                controls.From[line] = controls.To[line] = MathF.Round(FeedbackNetwork.Proportion(line) * Longest);
                controls.B0[line] = 1f;
            }

            var seconds = new double[10];
            for (var at = 0; at < 480_000; at += Limits.Grid)
            {
                // Turned on and on, each pair at its own speed.
                for (var turn = 0; turn < FeedbackNetwork.Turns; turn++)
                {
                    var (s, c) = Math.SinCos(at * (1e-5 + (turn * 1e-6)));
                    (controls.Sin[turn], controls.Cos[turn]) = ((float)s, (float)c);
                }

                left[0] = 0f;
                zero[0] = at == 0 ? 1f : 0f;
                network.Segment(in controls, zero, zero, left, right);
                for (var i = 0; i < Limits.Grid; i++) seconds[at / 48_000] += (left[i] * left[i]) + (right[i] * right[i]);
            }

            for (var second = 1; second < 10; second++) Assert.InRange(10 * Math.Log10(seconds[second] / seconds[0]), -1.0, 1.0);
        }
    }

    [Fact]
    public void Lanes_are_the_voices_of_a_cable_and_back_whatever_their_number()
    {
        var source = new float[Limits.MaxChannels * Limits.Grid];
        var target = new float[Limits.MaxChannels * Limits.Grid];
        var silence = new float[Limits.Grid];
        var lanes = stackalloc Vector128<float>[Limits.Grid];
        for (var i = 0; i < source.Length; i++) source[i] = i + 1;
        fixed (float* from = source, to = target, none = silence)
        {
            for (var channels = 1; channels <= 7; channels++)
            {
                Array.Clear(target);
                var input = new Signal { Data = from, Channels = channels, Stride = Limits.Grid, Flags = SignalFlags.Connected };
                var output = new Signal { Data = to, Channels = channels, Stride = Limits.Grid, Flags = SignalFlags.Connected };
                var context = new ProcessContext { Inputs = &input, Outputs = &output, Silence = none, Frames = Limits.Grid, SampleRate = 48_000 };
                foreach (var whole in new[] { false, true })
                {
                    for (var first = 0; first < channels; first += 4)
                    {
                        if (whole) VoiceLanes.Load(in context, 0, first, channels, 0, lanes);
                        else Lanes.Load(in context, 0, 0, first, channels, lanes);
                        for (var lane = 0; lane < 4; lane++)
                            Assert.Equal(first + lane < channels ? source[((first + lane) * Limits.Grid) + 5] : 0f, lanes[5][lane]);
                        if (whole) VoiceLanes.Store(in context, 0, first, channels, 0, lanes);
                        else Lanes.Store(in context, 0, 0, first, channels, lanes);
                    }

                    Assert.Equal(source[..(channels * Limits.Grid)], target[..(channels * Limits.Grid)]);
                    Assert.All(target[(channels * Limits.Grid)..], static v => Assert.Equal(0f, v));
                }
            }
        }
    }

    [Fact]
    public void Drive_takes_half_of_its_decibels_back()
    {
        var parameters = stackalloc float[Limits.GridPoints];
        var block = stackalloc Vector128<float>[Limits.Grid];
        foreach (var (from, to) in new[] { (0f, 0f), (12f, 12f), (6f, 18f) })
        {
            (parameters[0], parameters[1]) = (from, to);
            var context = new ProcessContext { Params = parameters, Frames = Limits.Grid, SampleRate = 48_000 };
            var drive = new DriveRamp(in context, 0, 0, 5f);
            for (var i = 0; i < Limits.Grid; i++) block[i] = Vector128.Create(0.01f);
            drive.Push(block, 100f);
            Assert.Equal(0.01 / 5.0 * Math.Pow(10, from / 20), block[0][0], 1e-6);
            drive.Return(block);
            Assert.Equal(0.01 * Math.Pow(10, from / 40), block[0][0], 1e-6);
        }
    }

    private static double AtDc<TCore>(TCore core, float k) where TCore : unmanaged, ICircuitCore
    {
        var x = stackalloc Vector128<float>[16];
        var (turns, feedback) = (Vector128.Create(0.02f), Vector128.Create(k));
        for (var n = 0; n < 600; n++)
        {
            for (var i = 0; i < 16; i++) x[i] = Vector128.Create(1e-3f);
            core.Run(x, &turns, &feedback, 0, 16, 0, 0, 0);
        }

        return x[15][2] / 1e-3;
    }

    private static void AssertBounded<TCore>(TCore core, float most) where TCore : unmanaged, ICircuitCore
    {
        var random = new Random(5);
        var x = stackalloc Vector128<float>[16];
        var turns = stackalloc Vector128<float>[16];
        var k = stackalloc Vector128<float>[16];
        for (var n = 0; n < 4000; n++)
        {
            for (var i = 0; i < 16; i++)
            {
                x[i] = Vector128.Create((20f * random.NextSingle()) - 10f);
                turns[i] = Vector128.Create(0.0001f + (0.227f * random.NextSingle()));
                k[i] = Vector128.Create(most * (random.Next(2) == 0 ? random.NextSingle() : random.Next(2)));
            }

            core.Run(x, turns, k, 1, 16, 0, 0, 0);
            for (var i = 0; i < 16; i++) Assert.InRange(x[i][0], -60f, 60f);
        }

        Assert.InRange(core.Peak()[0], 0f, 60f);
        core.Clear(Vector128.Create(-1).AsSingle());
        Assert.Equal(Vector128<float>.Zero, core.Peak());
    }
}
