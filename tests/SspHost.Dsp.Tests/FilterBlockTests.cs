// The blocks under the filters: matched tuning, saturation solved without delay, resampling of segments, formants.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp.Tests;

public unsafe class FilterBlockTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(1, 1)]
    public void Eight_voices_of_a_state_variable_filter_are_to_the_last_bit_two_times_four(int step, int doublings)
    {
        var random = new Random(4);
        var frames = Limits.Grid << doublings;
        var filters = stackalloc MatchedSvf[4];
        new Span<byte>(filters, 4 * sizeof(MatchedSvf)).Clear();
        var gains = stackalloc MatchedGains[2 * Limits.Grid];
        var x = stackalloc Vector128<float>[2 * 3 * frames]; // that of the second group a stride on, as its outputs are
        var together = stackalloc Vector128<float>[2 * 3 * frames];
        var alone = stackalloc Vector128<float>[3 * frames];
        for (var segment = 0; segment < 200; segment++)
        {
            for (var g = 0; g < 2 * Limits.Grid; g++)
            {
                var tuning = MatchedTuning.Of(Vector128.Create(0.001f + (0.4f * random.NextSingle())), Vector128.Create((2f * random.NextSingle()) - 0.02f));
                gains[g] = MatchedGains.Of(in tuning);
            }

            for (var i = 0; i < 2 * 3 * frames; i++)
                x[i] = Vector128.Create(random.NextSingle(), random.NextSingle(), random.NextSingle(), random.NextSingle()) * Vector128.Create(10f);
            MatchedSvf.RunEight(filters, x, gains, step, doublings, together, together + frames, together + (2 * frames), 3 * frames);
            for (var group = 0; group < 2; group++)
            {
                filters[2 + group].RunFour(
                    x + (group * 3 * frames), gains + (group * Limits.Grid), step, doublings, alone, alone + frames, alone + (2 * frames));
                for (var i = 0; i < 3 * frames; i++) Assert.Equal(alone[i].AsInt32(), together[(group * 3 * frames) + i].AsInt32());
            }
        }
    }

    [Fact]
    public void Matched_tuning_puts_the_poles_where_the_exponential_of_the_analogue_ones_lies()
    {
        foreach (var turns in new[] { 1e-4, 0.003, 0.05, 0.2, 0.41, 0.455 })
        {
            foreach (var k in new[] { -0.025, 0.0, 0.01, 0.5, 1.4142, 2.0 })
            {
                var w = 2 * Math.PI * turns;
                var (a1, a2) = (-2 * Math.Exp(-k * w / 2) * Math.Cos(w * Math.Sqrt(1 - (k * k / 4))), Math.Exp(-k * w));
                var (g2, damping) = ((1 + a1 + a2) / (1 - a1 + a2), 2 * (1 - a2) / (1 - a1 + a2));
                var t = MatchedTuning.Of(Vector128.Create((float)turns), Vector128.Create((float)k));
                Assert.InRange(t.G[0] / Math.Sqrt(g2), 1 - 4e-6, 1 + 4e-6);
                Assert.InRange((t.K[0] * t.G[0]) - damping, -4e-6 * (1 + Math.Abs(damping)), 4e-6 * (1 + Math.Abs(damping)));
                Assert.InRange(t.Inverse[0] * (1 + damping + g2), 1 - 1e-5, 1 + 1e-5);
            }
        }
    }

    [Fact]
    public void A_saturating_loop_is_solved_as_far_as_it_says()
    {
        // z + b s(z) = a, followed for a wave of three times the saturation; a bisection in double precision is the judge.
        static double S(double z) => z / Math.Sqrt(1 + (2 * z * z / 3));
        foreach (var b in new[] { 0.001, 0.05, 0.25 })
        {
            var u = Vector128<float>.Zero;
            for (var i = 0; i < 400; i++)
            {
                var a = 3 * Math.Sin(i * 0.3);
                var (least, most) = (-5.0, 5.0);
                for (var n = 0; n < 60; n++)
                {
                    var z = (least + most) / 2;
                    if (z + (b * S(z)) < a) least = z;
                    else most = z;
                }

                u = Saturation.Solve(Vector128.Create((float)a), Vector128.Create((float)b), u);
                Assert.InRange(u[0] - S(least), -(0.3 * b * b) - 1e-6, (0.3 * b * b) + 1e-6);
            }
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Up_and_down_again_is_the_signal_after_the_declared_latency(int doublings)
    {
        Oversampler up = default, down = default;
        var block = stackalloc Vector128<float>[Oversampler.Scratch];
        double error = 0, wrong = 0;
        for (var segment = 0; segment < 64; segment++)
        {
            for (var i = 0; i < 16; i++) block[i] = Vector128.Create((float)Math.Sin(0.02 * ((segment * 16) + i)));
            up.Up(block, doublings);
            down.Down(block, doublings);
            if (segment < 8) continue;
            for (var i = 0; i < 16; i++)
            {
                var at = (segment * 16) + i - Oversampler.Latency(doublings);
                error = Math.Max(error, Math.Abs(block[i][2] - Math.Sin(0.02 * at)));
                wrong = Math.Max(wrong, Math.Abs(block[i][2] - Math.Sin(0.02 * (at + 1))));
            }
        }

        // Half a frame of a slope of 0.02.
        Assert.InRange(error, 0, 0.0101);
        Assert.True(wrong > error, "one frame less would fit better");
    }

    [Fact]
    public void Between_vowels_formants_go_by_even_ratios()
    {
        var table = stackalloc float[Formants.TableFloats];
        Formants.Build(table);
        Assert.Equal(650, Math.Pow(2, Formants.At(table, 2, 0f, 0)[0]), 0.01);
        Assert.Equal(Math.Sqrt(650 * 400), Math.Pow(2, Formants.At(table, 2, 0.5f, 0)[0]), 0.01);
        Assert.Equal(2950, Math.Pow(2, Formants.At(table, 3, 4f, 4)[0]), 0.05);
        Assert.Equal(Math.Pow(10, -36 / 20.0), Math.Pow(2, Formants.At(table, 3, 4f, 4)[1]), 1e-5);
    }
}
