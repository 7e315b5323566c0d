// The pool against a model: a list of what should be live. Overlap, alignment, contents, counters and invariants.
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Tests.Memory;

public sealed unsafe class PoolModelTests
{
    public static TheoryData<int, PoolFlags, int, long> Runs()
    {
        var data = new TheoryData<int, PoolFlags, int, long>();
        for (var seed = 1; seed <= 6; seed++)
        {
            data.Add(seed, PoolFlags.None, seed % 2, 24 << 10); // so small that it is full most of the time
            data.Add(seed, PoolFlags.Checks, seed % 2, 96 << 10);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Any_sequence_of_calls_keeps_every_block_apart_aligned_and_unharmed_and_every_invariant(int seed, PoolFlags flags,
        int arena, long bytes)
    {
        using var test = new TestPool(2 * bytes, flags);
        if (arena != 0) Assert.True(test.Pool->OpenArena(arena, bytes));
        var model = new Model(test, arena, seed);
        for (var i = 0; i < 4000; i++)
        {
            model.Step(maxBytes: 6000);
            test.AssertSound();
        }

        model.AssertCounters();
        model.FreeAll();
        test.AssertSound();
        Assert.Equal(0, test.Stats().Requested);
        Assert.Equal(0, test.Stats().Fragments);
    }

    [Theory]
    [InlineData(0, PoolFlags.None)]
    [InlineData(1, PoolFlags.None)]
    [InlineData(1, PoolFlags.Checks)]
    [InlineData(0, PoolFlags.Times)]
    public void Up_to_a_million_random_calls_end_in_a_sound_pool_with_the_counters_of_the_model(int arena, PoolFlags flags)
    {
        using var test = new TestPool(24 << 20, flags);
        if (arena != 0) Assert.True(test.Pool->OpenArena(arena, 8 << 20));
        var model = new Model(test, arena, seed: 99);
        var calls = arena == 1 && flags == PoolFlags.None ? 1_000_000 : 200_000;
        for (var i = 0; i < calls; i++)
        {
            model.Step(maxBytes: 8192);
            if (i % 100_000 == 0) test.AssertSound();
        }

        test.AssertSound();
        model.AssertCounters();
        if ((flags & PoolFlags.Times) != 0)
        {
            Assert.Equal((ulong)test.Stats().Allocations + (ulong)test.Stats().Failed, test.Pool->Times(0, free: false)->Count);
            Assert.Equal((ulong)test.Stats().Frees, test.Pool->Times(0, free: true)->Count);
        }

        model.FreeAll();
        test.AssertSound();
        Assert.Equal(0, test.Stats().Faults);
    }

    [Fact]
    public void A_pool_that_was_exhausted_serves_its_largest_request_again_once_all_is_freed()
    {
        using var test = new TestPool(1 << 20);
        var (free, largest) = test.Pool->FreeBytes();
        for (var round = 0; round < 5; round++)
        {
            var blocks = new List<nint>();
            for (var bytes = 64L + (1000 * round); ; )
            {
                var block = test.Pool->Allocate(0, bytes, 0);
                if (block == null)
                {
                    if (bytes == 64) break;
                    bytes = 64;
                    continue;
                }

                blocks.Add((nint)block);
            }

            Assert.Equal(round + 1 + (round > 0 ? round : 0), test.Stats().Failed);
            Assert.Equal(0, test.Stats().Free);
            foreach (var block in blocks) test.Pool->Free(0, (void*)block);
            Assert.Equal((free, largest), test.Pool->FreeBytes());
            var whole = test.Pool->Allocate(0, largest, 0);
            Assert.True(whole != null);
            test.Pool->Free(0, whole);
            test.AssertSound();
        }
    }

    [Fact]
    public void An_arena_that_was_not_opened_refuses_and_counts()
    {
        using var test = new TestPool(1 << 20);
        Assert.True(test.Pool->Allocate(3, 64, 0) == null);
        Assert.Equal(1, test.Stats().Failed);
        Assert.True(test.Pool->Allocate(17, 64, 0) == null);
        Assert.True(test.Pool->Allocate(-1, 64, 0) == null);
    }

    [Theory]
    [InlineData(PoolFlags.None)]
    [InlineData(PoolFlags.Checks)]
    public void Sizes_at_the_edges_are_served_or_refused_never_believed(PoolFlags flags)
    {
        using var test = new TestPool(1 << 20, flags);
        foreach (var arena in (int[])[0, 1])
        {
            if (arena == 1) Assert.True(test.Pool->OpenArena(1, 64 << 10));
            foreach (var bytes in (long[])[-1, long.MinValue, long.MaxValue, 1L << 32, (1L << 32) - 1, 1L << 40, 2 << 20])
                Assert.True(test.Pool->Allocate(arena, bytes, 0) == null, $"{bytes} bytes");
            Assert.Equal(7, test.Stats().Failed - (arena * 7));
            foreach (var bytes in (long[])[0, 1, 63, 64, 65, 127, 128, 129, 4096, 4097])
            {
                var block = test.Pool->Allocate(arena, bytes, 5);
                Assert.True(block != null, $"{bytes} bytes");
                Assert.True(test.Pool->TryGetBlock(block, out var known, out var owner));
                Assert.Equal((bytes, 5u), (known, owner));
                test.Pool->Free(arena, block);
            }

            test.Pool->Free(arena, null);
            test.AssertSound();
            Assert.Equal(0, test.Stats().Faults);
        }
    }

    [Fact]
    public void A_pool_grows_while_it_is_used_and_joins_the_new_memory_to_what_was_free_before()
    {
        using var test = new TestPool(8 << 20, ready: 1 << 20);
        Assert.True(test.Pool->Allocate(0, 2 << 20, 1) == null);
        var before = test.Pool->Allocate(0, 100, 1);
        Assert.Equal(3 << 20, test.Pool->Extend(3 << 20));
        test.AssertSound();
        Assert.Equal(4 << 20, test.Pool->ReadyBytes - Engine.Memory.Pool.Alignment);
        var large = test.Pool->Allocate(0, 2 << 20, 1);
        Assert.True(large != null);
        Assert.Equal(test.Pool->CapacityBytes - test.Pool->ReadyBytes, test.Pool->Extend(long.MaxValue));
        Assert.Equal(0, test.Pool->Extend(64));
        test.AssertSound();
        test.Pool->Free(0, before);
        test.Pool->Free(0, large);
        Assert.Equal(test.Pool->CapacityBytes - Engine.Memory.Pool.Alignment, test.Pool->FreeBytes().Free);
    }

    [Fact]
    public void The_state_as_text_is_the_same_for_the_same_calls()
    {
        using var test = new TestPool(64 << 10);
        Assert.True(test.Pool->OpenArena(1, 8 << 10));
        var a = test.Pool->Allocate(0, 1000, 0);
        var b = test.Pool->Allocate(0, 70, 12);
        _ = test.Pool->Allocate(1, 64, 12);
        _ = test.Pool->Allocate(0, 200, Pool.FirstGrantOwner + 3);
        test.Pool->Free(0, a);
        test.Pool->Free(1, b);
        Assert.Equal("""
            pool: 65600 of 68544 bytes on offer, flags None
            arena 0: granules 1+1024, free 874, in magazines 16, in quarantine 0, in fragments 6 (peak 22), requested 270 bytes
              class 1 (128 bytes): live 1, peak 1, total 1, magazine 0
              class 2 (256 bytes): live 1, peak 1, total 1, magazine 0
              class 4 (1024 bytes): live 0, peak 1, total 1, magazine 1
              owner 11: 70 bytes
              owner grants: 200 bytes
              bin 9: 151+874
            arena 1: granules 2+126, free 125, in magazines 0, in quarantine 0, in fragments 1 (peak 1), requested 64 bytes
              class 0 (64 bytes): live 1, peak 1, total 1, magazine 0
              owner 11: 64 bytes
              bin 6: 3+125

            """.ReplaceLineEndings("\n"), test.Pool->Dump().Replace(", failed 0, remote frees 0, faults 0", "", StringComparison.Ordinal));
    }

    /// <summary>What should be live, each block filled with a pattern of its own.</summary>
    private sealed class Model(TestPool test, int arena, int seed)
    {
        private readonly Random _random = new(seed);
        private readonly List<(nint At, long Bytes, uint Owner, byte Pattern)> _live = [];
        private readonly SortedDictionary<long, long> _spans = [];
        private readonly Dictionary<uint, long> _owners = [];
        private long _requested, _allocations, _frees, _failed;

        public void Step(int maxBytes)
        {
            // Long stretches of growing and of shrinking: nearly full and nearly empty are both where defects hide.
            var grow = (_allocations + _frees + _failed) / 500 % 2 == 0;
            if (_live.Count == 0 || _random.Next(100) < (grow ? 65 : 35)) Allocate(maxBytes);
            else Free(_random.Next(_live.Count));
        }

        public void FreeAll()
        {
            while (_live.Count > 0) Free(_live.Count - 1);
        }

        public void AssertCounters()
        {
            var stats = test.Stats();
            Assert.Equal(_requested, stats.Requested);
            Assert.Equal(_allocations, stats.Allocations);
            Assert.Equal(_frees, stats.Frees);
            Assert.Equal(_failed, stats.Failed);
            Assert.Equal(_owners.GetValueOrDefault(0u), stats.EngineBytes);
            foreach (var (owner, bytes) in _owners)
                if (owner < Pool.FirstGrantOwner) Assert.Equal(bytes, test.Pool->OwnerBytes(owner));
            Assert.Equal(_owners.Where(o => o.Key >= Pool.FirstGrantOwner).Sum(o => o.Value), stats.GrantBytes);
            var byClass = new long[PoolStats.Classes];
            foreach (var (_, bytes, _, _) in _live) byClass[ClassOf(bytes)]++;
            for (var k = 0; k < byClass.Length; k++) Assert.Equal(byClass[k], stats.ClassLive[k]);
            Assert.Equal(byClass.Select((n, k) => n * (64L << k)).Sum(), stats.Fragments);
            Assert.True(stats.FragmentsPeak >= stats.Fragments);
        }

        private int ClassOf(long bytes)
        {
            // Stated again, and differently, on purpose: the smallest k with 64 * 2^k >= bytes (and canaries).
            var room = bytes + ((test.Pool->Flags & PoolFlags.Checks) != 0 ? 64 : 0);
            var k = 0;
            while (64L << k < room) k++;
            return k;
        }

        private void Allocate(int maxBytes)
        {
            var bytes = (long)Math.Exp(_random.NextDouble() * Math.Log(maxBytes));
            var owner = _random.Next(4) switch { 0 => 0u, 1 => 1u + (uint)_random.Next(4), 2 => 4096u,
                _ => Pool.FirstGrantOwner + (uint)_random.Next(3) };
            var block = test.Pool->Allocate(arena, bytes, owner);
            if (block == null)
            {
                _failed++;
                return;
            }

            var at = (long)block;
            Assert.Equal(0, at % Pool.Alignment);
            foreach (var (start, length) in Neighbours(at))
                Assert.True(at + bytes <= start || start + length <= at, "two live blocks overlap");
            var pattern = (byte)_random.Next(256);
            new Span<byte>(block, (int)bytes).Fill(pattern);
            _live.Add(((nint)block, bytes, owner, pattern));
            _spans.Add(at, bytes);
            _owners[owner] = _owners.GetValueOrDefault(owner) + bytes;
            _requested += bytes;
            _allocations++;
        }

        private void Free(int index)
        {
            var (at, bytes, owner, pattern) = _live[index];
            Assert.Equal(-1, new ReadOnlySpan<byte>((void*)at, (int)bytes).IndexOfAnyExcept(pattern));
            test.Pool->Free(arena, (void*)at);
            _live[index] = _live[^1];
            _live.RemoveAt(_live.Count - 1);
            _spans.Remove(at);
            _owners[owner] -= bytes;
            _requested -= bytes;
            _frees++;
        }

        // Small models are compared whole; large ones by the contents check at each free.
        private IEnumerable<KeyValuePair<long, long>> Neighbours(long at) =>
            _spans.Count <= 400 ? _spans : _spans.TryGetValue(at, out var n) ? [new(at, n)] : [];
    }
}
