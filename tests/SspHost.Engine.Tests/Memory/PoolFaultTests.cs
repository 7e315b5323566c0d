// What callers do wrong is found, named and survived.
using SspHost.Engine.Memory;

namespace SspHost.Engine.Tests.Memory;

public sealed unsafe class PoolFaultTests
{
    [Theory]
    [InlineData(PoolFlags.None, 0, 64)]
    [InlineData(PoolFlags.None, 1, 64)]
    [InlineData(PoolFlags.None, 1, 20_000)]
    [InlineData(PoolFlags.Checks, 0, 64)]
    [InlineData(PoolFlags.Checks, 1, 20_000)]
    public void A_second_free_is_counted_named_and_harmless(PoolFlags flags, int arena, long bytes)
    {
        using var test = Make(flags);
        var block = test.Pool->Allocate(arena, bytes, 3);
        test.Pool->Free(arena, block);
        test.Pool->Free(arena, block);
        Assert.Equal(1, test.Stats().Faults);
        Assert.Equal(PoolFaultKind.DoubleFree, test.Pool->LastFault.Kind);
        Assert.StartsWith("freed twice: block at pool + 0x", test.Pool->LastFault.ToString(), StringComparison.Ordinal);
        test.AssertSound();
    }

    [Fact]
    public void A_second_free_by_another_thread_is_found_while_the_first_is_on_its_way_home()
    {
        using var test = Make(PoolFlags.None);
        var block = test.Pool->Allocate(1, 64, 3);
        test.Pool->Free(2, block);
        test.Pool->Free(2, block);
        test.Pool->Free(1, block);
        Assert.Equal(2, test.Stats().Faults);
        Assert.Equal((PoolFaultKind.DoubleFree, 3u, 64L), (test.Pool->LastFault.Kind, test.Pool->LastFault.Owner, test.Pool->LastFault.Bytes));
        test.AssertSound();
    }

    [Theory]
    [InlineData(PoolFlags.None)]
    [InlineData(PoolFlags.Checks)]
    public void Pointers_that_are_no_blocks_are_refused(PoolFlags flags)
    {
        using var test = Make(flags);
        var block = (byte*)test.Pool->Allocate(1, 5000, 3);
        var local = 0L;
        void*[] wrong = [&local, block + 1, block + 64, block - 64, block + (64 << 20), (void*)1, (void*)-64];
        for (var i = 0; i < wrong.Length; i++)
        {
            test.Pool->Free(1, wrong[i]);
            test.Pool->Free(0, wrong[i]);
            Assert.False(test.Pool->TryGetBlock(wrong[i], out _, out _));
            Assert.Equal((i + 1) * 2, test.Stats().Faults);
        }

        Assert.True(test.Pool->TryGetBlock(block, out _, out _));
        test.AssertSound();
    }

    [Fact]
    public void A_stale_pointer_into_what_became_part_of_a_larger_block_is_refused()
    {
        using var test = Make(PoolFlags.None);
        var blocks = new nint[64];
        for (var i = 0; i < 64; i++) blocks[i] = (nint)test.Pool->Allocate(1, 8192, 1);
        foreach (var b in blocks) test.Pool->Free(1, (void*)b); // 8 KiB has no magazine: all of it joins
        var large = test.Pool->Allocate(1, 256 << 10, 1);
        Assert.True(large != null);
        foreach (var b in blocks) if ((void*)b != large) test.Pool->Free(1, (void*)b);
        Assert.Equal(63, test.Stats().Faults);
        test.AssertSound();
    }

    [Theory]
    [InlineData(100, 100, 1)]
    [InlineData(100, 127, 1)]
    [InlineData(64, 64, 1)]
    [InlineData(5000, 5003, 2)]
    public void A_write_past_the_end_is_found_at_its_byte(int bytes, int at, int count)
    {
        using var test = Make(PoolFlags.Checks);
        var block = (byte*)test.Pool->Allocate(1, bytes, 3);
        for (var i = 0; i < count; i++) block[at + i] = 1;
        Assert.Contains($"written past its end, at byte {at}", test.Pool->Verify(), StringComparison.Ordinal);
        test.Pool->Free(1, block);
        var fault = test.Pool->LastFault;
        Assert.Equal((PoolFaultKind.Overrun, at, 3u, bytes), (fault.Kind, (int)fault.Offset, fault.Owner, (int)fault.Bytes));
        Assert.EndsWith($"of {bytes} bytes, owned by instance slot 2, arena 1", fault.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_write_just_before_a_block_is_found_in_its_neighbour()
    {
        using var test = Make(PoolFlags.Checks);
        var a = (byte*)test.Pool->Allocate(1, 100, 3);
        var b = (byte*)test.Pool->Allocate(1, 100, 4);
        Assert.True(b > a);
        b[-1] = 0;
        Assert.NotNull(test.Pool->Verify());
        test.Pool->Free(1, a);
        Assert.Equal(PoolFaultKind.Overrun, test.Pool->LastFault.Kind);
    }

    [Fact]
    public void A_write_after_the_free_is_found_when_the_block_leaves_quarantine()
    {
        using var test = Make(PoolFlags.Checks);
        var block = (byte*)test.Pool->Allocate(1, 100, 3);
        Assert.Equal(-1, new ReadOnlySpan<byte>(block, 100).IndexOfAnyExcept(Pool.FreshPoison));
        test.Pool->Free(1, block);
        Assert.Equal(-1, new ReadOnlySpan<byte>(block, 100).IndexOfAnyExcept(Pool.FreedPoison));
        block[42] = 0;
        Assert.Contains("written after its free, at byte 42", test.Pool->Verify(), StringComparison.Ordinal);
        for (var i = 0; i < 70; i++) test.Pool->Free(1, test.Pool->Allocate(1, 100, 0));
        Assert.Equal((PoolFaultKind.WriteAfterFree, 42L, 3u), (test.Pool->LastFault.Kind, test.Pool->LastFault.Offset, test.Pool->LastFault.Owner));
        Assert.Equal(1, test.Stats().Faults);
    }

    [Fact]
    public void With_checks_a_freed_block_is_not_given_out_again_at_once()
    {
        using var test = Make(PoolFlags.Checks);
        var block = test.Pool->Allocate(1, 100, 3);
        test.Pool->Free(1, block);
        for (var i = 0; i < 63; i++)
        {
            var other = test.Pool->Allocate(1, 100, 3);
            Assert.True(other != block);
            test.Pool->Free(1, other);
        }
    }

    [Fact]
    public void A_link_overwritten_on_its_way_home_loses_memory_but_never_the_pool()
    {
        using var test = Make(PoolFlags.None);
        var a = test.Pool->Allocate(1, 64, 3);
        var b = test.Pool->Allocate(1, 64, 3);
        test.Pool->Free(2, a);
        test.Pool->Free(2, b);
        *(uint*)b = 0xDEAD_BEEF; // b is home first; its link to a is gone
        _ = test.Pool->Allocate(1, 64, 4);
        _ = test.Pool->Allocate(1, 64, 4);
        Assert.Equal(1, test.Stats().Faults);
        Assert.Equal(PoolFaultKind.BrokenLink, test.Pool->LastFault.Kind);
        Assert.Equal(64, test.Pool->OwnerBytes(3));
        test.AssertSound();
    }

    [Fact]
    public void The_invariant_walk_finds_a_damaged_tag()
    {
        // The tags lie before the data; damage each word near the first blocks in turn and put it back.
        using var test = Make(PoolFlags.None);
        var blocks = new nint[20];
        for (var i = 0; i < 20; i++) blocks[i] = (nint)test.Pool->Allocate(0, 300, 1);
        for (var i = 0; i < 20; i += 2) test.Pool->Free(0, (void*)blocks[i]);
        test.AssertSound();
        var first = (byte*)blocks[1];
        var tag = (ulong*)first; // walk back from the data to the tag of this block: the only word that says 300 bytes, owner 1, live
        Assert.True(test.Pool->TryGetBlock(first, out var bytes, out _));
        Assert.Equal(300, bytes);
        var expected = 1UL | (3UL << 3) | (1UL << 13) | (300UL << 30);
        while (*tag != expected) tag--;
        foreach (var bad in (ulong[])[0, expected + 8, expected ^ (1UL << 8), expected + (1UL << 13), expected + (1UL << 30), 2, 3, 4, 5])
        {
            *tag = bad;
            Assert.NotNull(test.Pool->Verify());
        }

        *tag = expected;
        test.AssertSound();
    }

    private static TestPool Make(PoolFlags flags)
    {
        var test = new TestPool(4 << 20, flags);
        Assert.True(test.Pool->OpenArena(1, 1 << 20));
        Assert.True(test.Pool->OpenArena(2, 64 << 10));
        return test;
    }
}
