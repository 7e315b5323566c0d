// The bound is a theorem; here are its adversaries.
using SspHost.Engine.Memory;

namespace SspHost.Engine.Tests.Memory;

public sealed unsafe class HalfFitBoundTests
{
    private const int Unit = 64;

    [Fact]
    public void The_bound_is_two_M_times_one_plus_the_logarithm_of_the_size_ratio()
    {
        Assert.Equal(2 * 1000 * (1 + 0), HalfFit.Bound(1000, 64));
        Assert.Equal(2 * 1000 * (1 + 1), HalfFit.Bound(1000, 128));
        Assert.Equal(2 * 1000 * (1 + 7), HalfFit.Bound(1000, 8192));
        Assert.Equal(2 * 1000 * (1 + 8), HalfFit.Bound(1000, 8193));
        Assert.Equal(1000, HalfFit.Guaranteed(HalfFit.Bound(1000, 1 << 20), 1 << 20));
    }

    /// <summary>
    /// Robson's program against a power-of-two allocator: fill with the smallest blocks; then, for each larger power of two, keep only
    /// the blocks that cover one chosen residue, so that the holes are as useless as can be, and refill with blocks of that size.
    /// </summary>
    [Theory]
    [InlineData(4, false)]
    [InlineData(6, false)]
    [InlineData(8, false)]
    [InlineData(6, true)]
    [InlineData(10, true)]
    public void Robsons_program_never_makes_a_pool_of_H_bytes_refuse(int steps, bool rotateResidue)
    {
        var m = 256L * Unit << Math.Max(0, steps - 6);
        var n = (long)Unit << steps;
        using var test = new TestPool(HalfFit.Bound(m + Pool.MagazineBytes, n));
        var live = new List<(nint At, long Bytes)>();
        long used = 0, low = long.MaxValue, high = 0;

        void Fill(long bytes)
        {
            while (used + bytes <= m)
            {
                var block = test.Pool->Allocate(0, bytes, 0);
                Assert.True(block != null, $"refused {bytes} bytes with {used} of {m} live in {test.Stats().Offered}");
                live.Add(((nint)block, bytes));
                used += bytes;
                low = Math.Min(low, (nint)block);
                high = Math.Max(high, (nint)block + bytes);
            }
        }

        Fill(Unit);
        for (var i = 1; i <= steps; i++)
        {
            var period = (long)Unit << i;
            var residue = rotateResidue ? (i * 7L % (1 << i)) * Unit : 0;
            for (var j = live.Count - 1; j >= 0; j--)
            {
                var (at, bytes) = live[j];
                var first = ((at - low - residue) % period + period) % period;
                var covers = first == 0 || first + bytes > period;
                if (covers) continue;
                test.Pool->Free(0, (void*)at);
                used -= bytes;
                live.RemoveAt(j);
            }

            Fill(period);
            test.AssertSound();
        }

        Assert.Equal(0, test.Stats().Failed);
        Assert.True(high - low > m * 3 / 2, $"the adversary was harmless: {high - low} bytes for {m}"); // otherwise this test proves nothing
        Assert.True(high - low <= HalfFit.Bound(m + Pool.MagazineBytes, n));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void No_random_sequence_within_M_makes_a_pool_of_H_bytes_refuse(int seed)
    {
        const long m = 64 << 10;
        const long n = 16 << 10;
        using var test = new TestPool(HalfFit.Bound(m + Pool.MagazineBytes, n));
        var random = new Random(seed);
        var live = new List<(nint At, long Bytes)>();
        long used = 0;
        for (var i = 0; i < 200_000; i++)
        {
            // Sizes drift, so that what was freed small is asked for large.
            var bytes = Math.Min(n, (long)(Unit * Math.Pow(2, random.NextDouble() * (1 + (i / 5000 % 8)))));
            if (used + bytes <= m)
            {
                var block = test.Pool->Allocate(0, bytes, 0);
                Assert.True(block != null);
                live.Add(((nint)block, bytes));
                used += bytes;
            }
            else
            {
                var j = random.Next(live.Count);
                test.Pool->Free(0, (void*)live[j].At);
                used -= live[j].Bytes;
                live.RemoveAt(j);
            }
        }

        test.AssertSound();
    }

    [Fact]
    public void What_a_pool_says_it_guarantees_is_what_the_bound_says_of_its_memory()
    {
        using var test = new TestPool(16 << 20);
        Assert.True(test.Pool->OpenArena(1, 1 << 20));
        var guaranteed = test.Pool->GuaranteedBytes(1 << 20);
        Assert.InRange(guaranteed, 1, 1 << 20);
        Assert.True(HalfFit.Bound(guaranteed + Pool.MagazineBytes, 1 << 20) <= test.Pool->ReadyBytes - (1 << 20));
    }
}
