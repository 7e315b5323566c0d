// Blocks for malloc, held against a model: any alignment, resized in place, told from the engine's own, each byte accounted.
using SspHost.Engine.Memory;

namespace SspHost.Engine.Tests.Memory;

public sealed unsafe class PoolHeapTests
{
    private const uint Owner = 7;

    private readonly record struct Held(nint Address, long Bytes, long Taken, long Alignment, int Arena, byte Seed);

    [Theory]
    [InlineData(PoolFlags.None, 1)]
    [InlineData(PoolFlags.None, 2)]
    [InlineData(PoolFlags.Checks, 3)]
    public void Thousands_of_random_operations_keep_alignment_contents_accounts_and_the_pools_own_order(PoolFlags flags, int seed)
    {
        using var test = new TestPool(8 << 20, flags);
        var pool = test.Pool;
        Assert.True(pool->OpenArena(1, 1 << 20) && pool->OpenArena(2, 1 << 20));
        var random = new Random(seed);
        var live = new List<Held>();
        var own = (nint)pool->Allocate(0, 5000, Owner); // the engine's own memory of the same owner, between all of that
        long bytes = 0;
        for (var step = 0; step < 6000; step++)
        {
            var arena = random.Next(3);
            if (live.Count > 0 && random.Next(100) < (live.Count > 200 ? 70 : 45))
            {
                var i = random.Next(live.Count);
                var held = live[i];
                AssertIntact(held);
                if (random.Next(3) == 0)
                {
                    var wanted = Size(random);
                    if (pool->HeapResize(arena, (void*)held.Address, wanted, out var more, out var whose))
                    {
                        Assert.Equal((Owner, held.Arena), (whose, arena));
                        bytes += more;
                        live[i] = Fill(held with { Bytes = wanted, Taken = held.Taken + more }, random);
                        Assert.True(pool->HeapUsable((void*)held.Address, out _) >= wanted);
                    }
                }
                else
                {
                    Assert.Equal(held.Taken, pool->HeapFree(arena, (void*)held.Address, out var whose));
                    Assert.Equal(Owner, whose);
                    bytes -= held.Taken;
                    live.RemoveAt(i);
                }
            }
            else
            {
                var (size, alignment) = (Size(random), 16L << (random.Next(3) == 0 ? random.Next(13) : 0));
                var block = (nint)pool->HeapAllocate(arena, size, alignment, Owner, out var taken);
                if (block == 0) continue;
                Assert.Equal(0, block % Math.Max(alignment, Pool.Alignment));
                Assert.True(pool->HeapUsable((void*)block, out var whose) >= size);
                Assert.Equal(Owner, whose);
                Assert.InRange(taken, size, size + alignment + 1);
                live.Add(Fill(new Held(block, size, taken, alignment, arena, 0), random));
                bytes += taken;
            }

            if (step % 500 == 0) test.AssertSound();
        }

        foreach (var held in live)
        {
            AssertIntact(held);
            bytes -= pool->HeapFree(held.Arena, (void*)held.Address, out _);
        }

        pool->Free(0, (void*)own);
        Assert.Equal(0, bytes);
        for (var i = 0; i < 3000; i++) // what waits on its way home goes home with its arena's next operations
            for (var arena = 0; arena < 3; arena++) pool->Free(arena, pool->Allocate(arena, 64, 0));
        Assert.Equal(0, pool->OwnerBytes(Owner));
        Assert.Equal(0, test.Stats().Faults);
        test.AssertSound();
    }

    [Fact]
    public void A_wrong_free_takes_nothing_from_the_engine_and_is_counted()
    {
        using var test = new TestPool(1 << 20);
        var pool = test.Pool;
        var own = (byte*)pool->Allocate(0, 4096, Owner); // an instance's block: its library knows the address, and must not free it
        var grant = pool->Allocate(0, 100, Pool.FirstGrantOwner + 0x8001); // a session whose number has malloc's bit
        var heap = (byte*)pool->HeapAllocate(0, 100, 16, Owner, out _);
        var aligned = (byte*)pool->HeapAllocate(0, 10_000, 4096, Owner, out _);
        var faults = 0;
        foreach (var wrong in new[] { (nint)own, (nint)(own + 64), (nint)(own + 1), (nint)(heap + 8), (nint)(aligned + 64), (nint)(aligned - 64), 64, -64 })
        {
            Assert.Equal(0, pool->HeapFree(0, (void*)wrong, out _));
            Assert.Equal(-1, pool->HeapUsable((void*)wrong, out _));
            Assert.False(pool->HeapResize(0, (void*)wrong, 100, out _, out _));
            Assert.Equal(++faults, test.Stats().Faults);
        }

        Assert.Equal(100, pool->HeapFree(0, heap, out _));
        Assert.Equal(0, pool->HeapFree(0, heap, out _)); // twice
        Assert.True(pool->HeapFree(0, aligned, out _) >= 10_000);
        Assert.Equal(0, pool->HeapFree(0, aligned, out _));
        Assert.Equal(faults + 2, test.Stats().Faults);
        pool->Free(0, own);
        pool->Free(0, grant);
        Assert.Equal(faults + 2, test.Stats().Faults);
        test.AssertSound();
    }

    [Fact]
    public void What_is_freed_on_another_arena_comes_home_also_where_it_was_aligned()
    {
        using var test = new TestPool(1 << 20);
        Assert.True(test.Pool->OpenArena(1, 256 << 10));
        var blocks = new List<nint>();
        for (void* b; (b = test.Pool->HeapAllocate(1, 3000, 1024, Owner, out _)) != null;) blocks.Add((nint)b);
        Assert.InRange(blocks.Count, 20, 64);
        foreach (var b in blocks) Assert.NotEqual(0, test.Pool->HeapFree(0, (void*)b, out _));
        var again = 0;
        while (test.Pool->HeapAllocate(1, 3000, 1024, Owner, out _) != null) again++;
        Assert.Equal(blocks.Count, again);
        test.AssertSound();
    }

    [Fact]
    public void There_is_an_arena_for_every_thread_there_is()
    {
        using var region = Region.Create(Region.MinBytes * 2, default, "test", out var error);
        Assert.True(region != null, error);
        Assert.Equal(1 + Region.StackCount, Pool.MaxArenas);
        for (var arena = 1; arena < Pool.MaxArenas; arena++) Assert.True(region.Pool->OpenArena(arena, Region.ArenaBytes));
        var seen = new HashSet<nint>();
        for (var arena = 1; arena < Pool.MaxArenas; arena++)
        {
            Assert.True(region.Pool->SpanBytes(arena) >= Region.WatchdogArenaBytes / 2);
            Assert.True(seen.Add((nint)region.Pool->HeapAllocate(arena, 1000, 16, 1, out _)));
        }

        Assert.True(region.Pool->HeapAllocate(Pool.MaxArenas, 1000, 16, 1, out _) == null);
        Assert.Null(region.Pool->Verify());
    }

    private static long Size(Random random) => random.Next(20) switch
    {
        0 => 0,
        1 => random.Next(200_000),
        < 6 => random.Next(5000),
        _ => random.Next(300),
    };

    private static Held Fill(Held held, Random random)
    {
        var filled = held with { Seed = (byte)random.Next(256) };
        new Span<byte>((void*)held.Address, (int)held.Bytes).Fill(filled.Seed);
        return filled;
    }

    private static void AssertIntact(Held held) =>
        Assert.True(new ReadOnlySpan<byte>((void*)held.Address, (int)held.Bytes).IndexOfAnyExcept(held.Seed) < 0, $"{held} was written by another");
}
