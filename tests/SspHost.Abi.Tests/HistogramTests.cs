// The histogram against an exact sort of the same values.
using FsCheck;
using FsCheck.Fluent;

namespace SspHost.Abi.Tests;

public sealed unsafe class HistogramTests
{
    private static readonly double[] Points = [0, 0.01, 0.5, 0.9, 0.99, 0.999, 0.9999, 1];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_percentile_of_many_values_is_never_low_and_at_most_a_sixteenth_high(int seed)
    {
        var random = new Random(seed);
        var values = new ulong[300_000];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = seed switch
            {
                1 => (ulong)Math.Pow(2, random.NextDouble() * 36), // every octave alike
                2 => (ulong)random.Next(40), // where buckets are single values
                _ => (ulong)(random.Next(2) == 0 ? 100 + random.Next(20) : 1_000_000 + random.Next(50_000)), // two modes
            };
        }

        AssertMatchesSort(values);
    }

    [Fact]
    public void Any_values_at_all_keep_the_bound() =>
        Prop.ForAll(ArbMap.Default.ArbFor<ulong[]>(), ArbMap.Default.ArbFor<byte>(), (values, shift) =>
        {
            var small = Array.ConvertAll(values, v => (v >> (shift % 64)) & ((1UL << 40) - 1));
            if (small.Length > 0) AssertMatchesSort(small);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Buckets_tile_the_range_without_gap_or_overlap()
    {
        for (var b = 0; b + 1 < Histogram.Buckets; b++)
        {
            var (first, last) = (Histogram.LowerBound(b), Histogram.LowerBound(b + 1) - 1);
            Assert.True(last >= first);
            Assert.Equal(b, Histogram.BucketOf(first));
            Assert.Equal(b, Histogram.BucketOf(last));
            Assert.True(last - first <= first / 16.0, $"bucket {b} is {first}..{last}");
        }

        Assert.Equal(Histogram.Buckets - 1, Histogram.BucketOf((1UL << 40) - 1));
        Assert.Equal(Histogram.Buckets - 1, Histogram.BucketOf(ulong.MaxValue));
    }

    [Fact]
    public void Values_beyond_the_range_are_counted_and_the_maximum_stays_exact()
    {
        Histogram h = default;
        h.Record(5);
        h.Record(1UL << 50);
        Assert.Equal(2ul, h.Count);
        Assert.Equal(1UL << 50, h.Max);
        Assert.Equal(1UL << 50, h.Percentile(1));
        Assert.Equal(5ul, h.Percentile(0.5));
    }

    [Fact]
    public void An_empty_histogram_answers_zero() => Assert.Equal(0ul, default(Histogram).Percentile(0.99));

    [Fact]
    public void A_window_is_the_difference_of_two_copies()
    {
        Histogram h = default;
        for (ulong i = 0; i < 1000; i++) h.Record(10_000_000);
        var before = h;
        for (ulong i = 0; i < 100; i++) h.Record(i);
        var window = h.Since(before);
        Assert.Equal(100ul, window.Count);
        Assert.Equal(99ul * 100 / 2, window.Sum);
        Assert.InRange(window.Percentile(0.99), 98ul, 103ul);
    }

    [Fact]
    public void Of_ten_million_values_every_percentile_keeps_the_bound_and_the_maximum_is_exact()
    {
        // Log-normal with a few spikes, as the times of a module are.
        var random = new Random(11);
        var values = new ulong[10_000_000];
        for (var i = 0; i < values.Length; i += 2)
        {
            var radius = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()));
            var angle = 2 * Math.PI * random.NextDouble();
            values[i] = (ulong)Math.Exp(5 + (radius * Math.Cos(angle)));
            values[i + 1] = (ulong)Math.Exp(5 + (radius * Math.Sin(angle)));
        }

        for (var spike = 0; spike < 100; spike++) values[random.Next(values.Length)] = (ulong)random.NextInt64(1L << 30);
        AssertMatchesSort(values);
    }

    [Fact]
    public void The_maximum_of_a_window_is_that_of_the_values_since_it_was_asked_for_and_nothing_is_lost()
    {
        var random = new Random(12);
        Histogram h = default;
        Assert.Equal(0ul, h.MaxOfWindow);
        ulong all = 0, count = 0;
        for (var window = 0; window < 2_000; window++)
        {
            var before = h;
            h.AskForWindow();
            Assert.Equal(0ul, h.MaxOfWindow); // nothing was recorded in it
            var values = new ulong[random.Next(4)];
            for (var i = 0; i < values.Length; i++) values[i] = (ulong)random.NextInt64(1L << random.Next(1, 40));
            foreach (var v in values) h.Record(v);
            Assert.Equal(values.DefaultIfEmpty().Max(), h.MaxOfWindow);
            Assert.Equal((ulong)values.Length, h.Since(before).Count);
            Assert.Equal(values.Aggregate(0ul, (a, b) => a + b), h.Since(before).Sum);
            all = Math.Max(all, h.MaxOfWindow);
            count += (ulong)values.Length;
        }

        Assert.Equal((all, count), (h.Max, h.Count));
    }

    [Fact]
    public void A_reader_beside_the_writer_finds_every_value_in_a_window_and_no_maximum_that_was_not_recorded()
    {
        // The writer's values rise, so a window's largest is its last: it is at least what was recorded before the reader looked, and at most what
        // was by the time it had looked. A value being recorded while a window is asked for may count to either side. It goes on until so many
        // windows have been looked at that surely hold a whole record: where the two threads seldom run at the same time, a few must do.
        const int Many = 2_000, Few = 20;
        var soon = Environment.TickCount64 + 1_000;
        var memory = stackalloc Histogram[1];
        var h = memory;
        *h = default;
        var address = (nint)h;
        var stop = 0;
        ulong values = 0;
        var writer = new Thread(() =>
        {
            while (Volatile.Read(ref stop) == 0) ((Histogram*)address)->Record(++values);
        });
        writer.Start();
        try
        {
            for (int windows = 0, sure = 0; sure < (Environment.TickCount64 < soon ? Many : Few); windows++)
            {
                h->AskForWindow();
                var asked = Volatile.Read(ref h->Count);
                for (var spins = windows % 50; spins > 0; spins--) Thread.SpinWait(20);
                var before = Volatile.Read(ref h->Count);
                var max = h->MaxOfWindow;
                var after = Volatile.Read(ref h->Count) + 1; // it may be about to count
                if (before > asked + 1) // surely one whole record of this window
                {
                    Assert.InRange(max, before, after);
                    sure++;
                }
                else
                {
                    Assert.True(max <= after);
                    if (before == asked) Thread.Yield(); // the writer has no core: here is one
                }
            }
        }
        finally
        {
            Volatile.Write(ref stop, 1);
            writer.Join();
        }

        Assert.Equal((values, values, values * (values + 1) / 2), (h->Count, h->Max, h->Sum));
        ulong inBuckets = 0;
        for (var b = 0; b < Histogram.Buckets; b++) inBuckets += h->Counts[b];
        Assert.Equal(values, inBuckets);
    }

    private static void AssertMatchesSort(ulong[] values)
    {
        Histogram h = default;
        foreach (var v in values) h.Record(v);
        var sorted = (ulong[])values.Clone();
        Array.Sort(sorted);
        Assert.Equal((ulong)values.Length, h.Count);
        Assert.Equal(sorted[^1], h.Max);
        Assert.Equal(values.Aggregate(0UL, (a, b) => a + b), h.Sum);
        foreach (var p in Points)
        {
            var exact = sorted[Math.Max(0, (int)Math.Ceiling(p * sorted.Length) - 1)];
            var told = h.Percentile(p);
            Assert.True(told >= exact && told - exact <= exact / 16.0, $"p{p}: told {told}, exact {exact}");
        }
    }
}
