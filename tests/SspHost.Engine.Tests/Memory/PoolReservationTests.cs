// A plan's demand is served as a whole or not at all, and what an owner leaves behind can be taken back.
using SspHost.Engine.Memory;

namespace SspHost.Engine.Tests.Memory;

public sealed unsafe class PoolReservationTests
{
    [Fact]
    public void A_demand_that_fits_is_served_whole()
    {
        using var test = new TestPool(1 << 20);
        Span<Demand> demands = [new() { Bytes = 1000, Owner = 1 }, new() { Bytes = 200_000, Owner = 2 }, new() { Bytes = 64, Owner = 2 }];
        Assert.True(test.Pool->AllocateAll(demands, out _));
        foreach (var d in demands)
        {
            Assert.True(test.Pool->TryGetBlock(d.Block, out var bytes, out var owner));
            Assert.Equal((d.Bytes, d.Owner), (bytes, owner));
        }

        Assert.Equal(200_064, test.Pool->OwnerBytes(2));
        test.AssertSound();
    }

    [Fact]
    public void A_refused_demand_leaves_nothing_behind_and_says_how_much_there_was()
    {
        using var test = new TestPool(1 << 20);
        var random = new Random(5);
        for (var i = 0; i < 200; i++) _ = test.Pool->Allocate(0, random.Next(2000), 3);
        var (free, largest) = test.Pool->FreeBytes();
        var before = test.Stats();

        var demands = new Demand[40];
        for (var i = 0; i < demands.Length; i++) demands[i] = new Demand { Bytes = 1000 + (i * 1000), Owner = 9 };
        Assert.False(test.Pool->AllocateAll(demands, out var refusal));

        Assert.All(demands, d => Assert.True(d.Block == null));
        Assert.Equal(demands.Sum(d => d.Bytes), refusal.Asked);
        Assert.Equal((free, largest), (refusal.Free, refusal.Largest));
        Assert.InRange(refusal.Index, 1, demands.Length - 1);
        var after = test.Stats();
        Assert.Equal((before.Requested, before.Fragments, before.Cached), (after.Requested, after.Fragments, after.Cached));
        Assert.Equal(0, test.Pool->OwnerBytes(9));
        Assert.Equal(before.Failed + 1, after.Failed);
        test.AssertSound();

        // The figures are true: what is said to be the largest request is served, and one byte more is not.
        Assert.True(test.Pool->Allocate(0, refusal.Largest + 1, 0) == null);
        Assert.True(test.Pool->Allocate(0, refusal.Largest, 0) != null);
    }

    [Fact]
    public void Random_demands_are_all_or_nothing()
    {
        using var test = new TestPool(2 << 20);
        var random = new Random(11);
        var held = new List<Demand[]>();
        var refused = 0;
        for (var round = 0; round < 2000; round++)
        {
            var demands = new Demand[1 + random.Next(30)];
            for (var i = 0; i < demands.Length; i++) demands[i] = new Demand { Bytes = 1 + random.Next(1 << random.Next(4, 17)), Owner = 1 + (uint)(round % 4096) };
            var before = test.Stats().Requested;
            if (test.Pool->AllocateAll(demands, out _))
            {
                Assert.Equal(before + demands.Sum(d => d.Bytes), test.Stats().Requested);
                held.Add(demands);
            }
            else
            {
                Assert.Equal(before, test.Stats().Requested);
                refused++;
            }

            if (held.Count > 0 && random.Next(2) == 0)
            {
                var i = random.Next(held.Count);
                foreach (var d in held[i]) test.Pool->Free(0, d.Block);
                held.RemoveAt(i);
            }
        }

        Assert.InRange(refused, 100, 1900);
        test.AssertSound();
    }

    [Fact]
    public void Grants_of_a_session_that_is_gone_are_freed_and_nothing_else()
    {
        using var test = new TestPool(4 << 20);
        Assert.True(test.Pool->OpenArena(1, 64 << 10));
        var random = new Random(2);
        var kept = 0L;
        var mine = 0;
        for (var i = 0; i < 1000; i++)
        {
            var bytes = 1 + random.Next(3000);
            var session = Pool.FirstGrantOwner + (uint)random.Next(3);
            var owner = random.Next(3) == 0 ? 17u : session;
            var block = test.Pool->Allocate(0, bytes, owner);
            if (random.Next(4) == 0)
            {
                test.Pool->Free(0, block);
                continue;
            }

            if (owner == Pool.FirstGrantOwner + 1) mine++;
            else kept += bytes;
        }

        Assert.Equal(mine, test.Pool->FreeOwned(Pool.FirstGrantOwner + 1));
        Assert.Equal(0, test.Pool->FreeOwned(Pool.FirstGrantOwner + 1));
        Assert.Equal(kept, test.Stats().Requested);
        test.AssertSound();
    }
}
