// Blocks freed by other threads than their arena's: none lost, none twice, the owner's counters exact once they are home.
using SspHost.Engine.Memory;

namespace SspHost.Engine.Tests.Memory;

public sealed unsafe class PoolRemoteFreeTests
{
    [Theory]
    [InlineData(PoolFlags.None)]
    [InlineData(PoolFlags.Checks)]
    public void Threads_that_free_each_others_blocks_lose_nothing(PoolFlags flags)
    {
        const int threads = 4;
        const int rounds = 20_000;
        using var test = new TestPool(64 << 20, flags);
        for (var t = 1; t < threads; t++) Assert.True(test.Pool->OpenArena(t, 4 << 20));
        var mail = new nint[threads * 64]; // blocks on their way to whoever finds them
        var errors = 0;
        var allocated = new long[threads];

        void Work(int arena)
        {
            var random = new Random(arena);
            for (var i = 0; i < rounds; i++)
            {
                var bytes = 16 + random.Next(6000);
                var block = (byte*)test.Pool->Allocate(arena, bytes, (uint)arena);
                if (block != null)
                {
                    allocated[arena]++;
                    *(int*)block = bytes;
                    for (var b = 4; b < bytes; b++) block[b] = (byte)bytes;
                }

                var found = (byte*)Interlocked.Exchange(ref mail[random.Next(mail.Length)], (nint)block);
                if (found == null) continue;
                var size = *(int*)found;
                for (var b = 4; b < size; b++)
                    if (found[b] != (byte)size)
                    {
                        Interlocked.Increment(ref errors);
                        break;
                    }

                test.Pool->Free(arena, found);
            }
        }

        Parallel(threads, Work);
        foreach (var block in mail) test.Pool->Free(0, (void*)block);

        // Every arena brings one block home per call of its own.
        test.Pool->Maintain();
        for (var t = 1; t < threads; t++)
            for (var i = 0; i < 64 * threads * 8; i++) test.Pool->Free(t, test.Pool->Allocate(t, 64, 0));

        Assert.Equal(0, errors);
        test.AssertSound();
        var stats = test.Stats();
        Assert.Equal(0, stats.Faults);
        Assert.Equal(0, stats.Requested);
        Assert.Equal(stats.Allocations, stats.Frees);
        Assert.True(stats.RemoteFrees > rounds / 2, $"only {stats.RemoteFrees} remote frees: the test tested something else");
        for (var t = 1; t < threads; t++) Assert.Equal(0, test.Pool->OwnerBytes((uint)t));
    }

    [Fact]
    public void A_block_freed_by_another_thread_counts_as_live_until_its_owner_brings_it_home()
    {
        using var test = new TestPool(4 << 20);
        Assert.True(test.Pool->OpenArena(1, 64 << 10));
        var blocks = new nint[10];
        for (var i = 0; i < 10; i++) blocks[i] = (nint)test.Pool->Allocate(1, 100, 7);
        foreach (var block in blocks) test.Pool->Free(2, (void*)block);
        Assert.Equal(1000, test.Pool->OwnerBytes(7));
        test.AssertSound();

        for (var i = 1; i <= 10; i++)
        {
            _ = test.Pool->Allocate(1, 64, 8); // brings exactly one home
            Assert.Equal(i, test.Stats().RemoteFrees);
            Assert.Equal(1000 - (100 * i), test.Pool->OwnerBytes(7));
        }

        test.AssertSound();
    }

    [Fact]
    public void A_full_arena_serves_again_from_what_others_freed_meanwhile()
    {
        using var test = new TestPool(4 << 20);
        Assert.True(test.Pool->OpenArena(1, 64 << 10));
        var blocks = new List<nint>();
        for (void* b; (b = test.Pool->Allocate(1, 8192, 1)) != null;) blocks.Add((nint)b);
        Assert.Equal(1, test.Stats().Failed);
        foreach (var block in blocks) test.Pool->Free(0, (void*)block);
        Assert.True(test.Pool->Allocate(1, 8192, 1) != null);
        Assert.Equal(1, test.Stats().Failed);
    }

    [Fact]
    public void Many_threads_share_the_stewards_arena_under_its_mutex()
    {
        using var test = new TestPool(32 << 20);
        Parallel(6, t =>
        {
            var random = new Random(t);
            var mine = new nint[50];
            for (var i = 0; i < 10_000; i++)
            {
                ref var slot = ref mine[random.Next(mine.Length)];
                if (slot != 0) Assert.Equal(t, *(int*)slot);
                test.Pool->Free(0, (void*)slot);
                slot = (nint)test.Pool->Allocate(0, 4 + random.Next(2000), (uint)t);
                *(int*)slot = t;
            }

            foreach (var block in mine) test.Pool->Free(0, (void*)block);
        });
        test.AssertSound();
        Assert.Equal(0, test.Stats().Requested);
        Assert.Equal(6 * 10_000, test.Stats().Allocations);
    }

    private static void Parallel(int count, Action<int> work)
    {
        var failures = new Exception?[count];
        var threads = Enumerable.Range(0, count).Select(t => new Thread(() =>
        {
            try
            {
                work(t);
            }
            catch (Exception e)
            {
                failures[t] = e;
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.All(failures, Assert.Null);
    }
}
