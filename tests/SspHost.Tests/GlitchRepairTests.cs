// A recording with holes, put together: as long as the time it is of, everything at its place, silence where something is missing, no click.
using SspHost.Diagnostics;

namespace SspHost.Tests;

public sealed class GlitchRepairTests
{
    private const int Rate = 48_000, Fade = Rate / 1000;

    [Fact]
    public void Whatever_is_missing_at_random_the_rest_stands_where_it_belongs_and_the_length_is_exact()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var channels = random.Next(1, 5);
            var (output, repair) = Make(channels);
            var first = (ulong)random.Next(100_000);
            var (frame, missing) = (first, new List<(long At, long Frames)>());
            for (var block = 0; block < 200; block++)
            {
                var frames = 16 << random.Next(5);
                if (block > 0 && random.Next(10) == 0)
                {
                    var gap = random.Next(1, random.Next(2) == 0 ? 10 : 20_000);
                    missing.Add(((long)(frame - first), gap));
                    frame += (ulong)gap;
                }

                _ = repair.Take(0, frame, 0, Block(frame, frames, channels));
                frame += (ulong)frames;
            }

            repair.Finish();
            Assert.Equal((long)(frame - first), repair.Frames);
            Assert.Equal(repair.Frames * channels, output.Count);
            Assert.Equal(missing, repair.Gaps.Select(g => (g.At, g.Frames)));
            CheckSamples(output, channels, first, missing);
        }
    }

    [Fact]
    public void A_constant_fades_to_silence_and_back_without_a_step()
    {
        var (output, repair) = Make(1);
        _ = repair.Take(0, 0, 0, Enumerable.Repeat(1f, 480).ToArray());
        Assert.True(repair.Take(0, 580, 0, Enumerable.Repeat(1f, 480).ToArray()));
        repair.Finish();
        var most = Math.PI / 2 / Fade * 1.01; // the steepest step of half a cosine over a millisecond
        for (var i = 1; i < output.Count; i++) Assert.True(Math.Abs(output[i] - output[i - 1]) <= most, $"a step at {i}");
        Assert.Equal((1f, 0f, 0f, 1f), (output[480 - Fade - 1], output[480], output[579], output[580 + Fade]));
    }

    [Fact]
    public void Audio_that_was_started_again_goes_on_after_the_time_in_between_by_the_clock()
    {
        const ulong Second = 1_000_000_000;
        var (output, repair) = Make(1);
        _ = repair.Take(1, 5000, 10 * Second, new float[480]);
        _ = repair.Take(2, 0, (12 * Second) + (480 * Second / Rate), new float[480]);
        repair.Finish();
        var gap = Assert.Single(repair.Gaps);
        Assert.Equal((480L, 2L * Rate, true), (gap.At, gap.Frames, gap.Restart));
        Assert.Equal((2L * Rate) + 960, repair.Frames);
        Assert.Equal(repair.Frames, output.Count);
    }

    [Fact]
    public void A_device_that_was_away_for_a_night_does_not_fill_the_disk()
    {
        long written = 0;
        var repair = new GlitchRepair(1, Rate, frames => written += frames.Length);
        _ = repair.Take(0, 0, 0, new float[32]);
        _ = repair.Take(0, ulong.MaxValue / 2, 0, new float[32]);
        repair.Finish();
        Assert.Equal(((long)GlitchRepair.MostSeconds * Rate) + 64, written);
    }

    [Fact]
    public void A_night_of_dropouts_is_counted_whole_and_remembered_in_part()
    {
        const int Nights = 5000;
        var repair = new GlitchRepair(1, Rate, _ => { });
        for (var n = 0; n < Nights; n++) _ = repair.Take(0, (ulong)n * 40, 0, new float[32]);
        Assert.Equal((GlitchRepair.MostGaps, Nights - 1L, (Nights - 1L) * 8), (repair.Gaps.Count, repair.GapCount, repair.Missing));
        Assert.Equal(32, repair.Gaps[0].At);
    }

    private static (List<float> Output, GlitchRepair Repair) Make(int channels)
    {
        var output = new List<float>();
        return (output, new GlitchRepair(channels, Rate, frames => output.AddRange(frames.Span)));
    }

    // Each sample says which frame and channel it is.
    private static float Value(ulong frame, int channel) => 1 + (((frame * 7) + (ulong)channel) % 8191);

    private static float[] Block(ulong frame, int frames, int channels)
    {
        var block = new float[frames * channels];
        for (var i = 0; i < frames; i++)
            for (var c = 0; c < channels; c++) block[(i * channels) + c] = Value(frame + (ulong)i, c);
        return block;
    }

    private static void CheckSamples(List<float> output, int channels, ulong first, List<(long At, long Frames)> missing)
    {
        var state = new byte[output.Count / channels]; // 0: as it was; 1: fading; 2: silence
        foreach (var (at, frames) in missing)
        {
            for (var i = Math.Max(0, at - Fade); i < Math.Min(state.Length, at + frames + Fade); i++) state[i] = Math.Max(state[i], (byte)1);
            for (var i = at; i < at + frames; i++) state[i] = 2;
        }

        for (var i = 0; i < state.Length; i++)
        {
            for (var c = 0; c < channels; c++)
            {
                var (v, whole) = (output[(i * channels) + c], Value(first + (ulong)i, c));
                if (!(state[i] == 0 ? v == whole : state[i] == 2 ? v == 0 : v > 0 && v <= whole)) Assert.Fail($"frame {i}: {v} of {whole}"); // millions: no text for those that hold
            }
        }
    }
}
