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
