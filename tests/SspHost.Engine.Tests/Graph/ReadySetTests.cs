// The ready set: exact order of priority alone, nothing lost and nothing twice among many.
using System.Runtime.InteropServices;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

public sealed unsafe class ReadySetTests
{
    private const int Count = 300;

    private static Plan* Make()
    {
        var plan = (Plan*)NativeMemory.AllocZeroed((nuint)sizeof(Plan));
        plan->ReadyWords = (Count + 63) / 64;
        plan->Ready = (ulong*)NativeMemory.AllocZeroed((nuint)plan->ReadyWords * 8);
        plan->ByRank = (int*)NativeMemory.AllocZeroed(Count * 4);
        for (var i = 0; i < Count; i++) plan->ByRank[i] = Count - 1 - i; // rank 0 is the last node
        return plan;
    }

    private static void Free(Plan* plan)
    {
        NativeMemory.Free(plan->Ready);
        NativeMemory.Free(plan->ByRank);
        NativeMemory.Free(plan);
    }

    [Fact]
    public void What_comes_out_is_always_the_best_that_is_in()
    {
        var plan = Make();
        var random = new Random(1);
        var model = new SortedSet<int>();
        for (var i = 0; i < 20_000; i++)
        {
            if (random.Next(2) == 0)
            {
                var rank = random.Next(Count);
                if (!model.Add(rank)) continue;
                ReadySet.Push(plan, rank);
            }
            else
            {
                var expected = model.Count == 0 ? -1 : Count - 1 - model.Min;
                Assert.Equal(model.Count > 0, ReadySet.Any(plan));
                Assert.Equal(expected, ReadySet.Pop(plan));
                if (model.Count > 0) model.Remove(model.Min);
            }
        }

        Free(plan);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Four_threads_take_each_node_exactly_once(bool several)
    {
        var plan = Make();
        var taken = new int[Count];
        const int Rounds = 300;
        var started = 0;
        var left = Count * Rounds;
        var threads = Enumerable.Range(0, 4).Select(t => new Thread(() =>
        {
            Interlocked.Increment(ref started);
            var home = stackalloc ulong[5];
            for (var w = 0; w < 5; w++) home[w] = 0x1111_1111_1111_1111ul << t;
            while (Volatile.Read(ref left) > 0)
            {
                if (several)
                {
                    var bits = ReadySet.PopSome(plan, home, 4, out var word);
                    if (bits == 0) Thread.Yield();
                    for (; bits != 0; bits &= bits - 1)
                    {
                        Interlocked.Increment(ref taken[plan->ByRank[(word << 6) + System.Numerics.BitOperations.TrailingZeroCount(bits)]]);
                        Interlocked.Decrement(ref left);
                    }

                    continue;
                }

                var node = ReadySet.Pop(plan);
                if (node < 0)
                {
                    Thread.Yield();
                    continue;
                }

                Interlocked.Increment(ref taken[node]);
                Interlocked.Decrement(ref left);
            }
        })).ToArray();
        foreach (var t in threads) t.Start();
        for (var round = 0; round < Rounds; round++)
        {
            for (var rank = 0; rank < Count; rank++) ReadySet.Push(plan, rank);
            Assert.True(SpinWait.SpinUntil(() => !ReadySet.Any(plan), 60_000));
        }

        foreach (var t in threads) t.Join();
        Assert.All(taken, n => Assert.Equal(Rounds, n));
        Free(plan);
    }

    [Fact]
    public void Several_at_a_time_are_the_best_of_ones_own_or_a_fair_part_of_all()
    {
        var plan = Make();
        var home = stackalloc ulong[5];
        Assert.Equal(0ul, ReadySet.PopSome(plan, home, 2, out _));
        for (var rank = 8; rank < 24; rank++) ReadySet.Push(plan, rank);
        Assert.Equal(0b1111ul << 8, ReadySet.PopSome(plan, home, 2, out var word)); // 16 ready, two threads: a quarter
        Assert.Equal(0, word);
        home[0] = (0b111ul << 20) | 1; // rank 0 is ours but not ready
        Assert.Equal(0b11ul << 20, ReadySet.PopSome(plan, home, 2, out _));
        Assert.Equal(0b1ul << 22, ReadySet.PopSome(plan, home, 2, out _));
        Assert.Equal(0b11ul << 12, ReadySet.PopSome(plan, home, 2, out _)); // nine are left
        Assert.Equal(0b1ul << 14, ReadySet.PopSome(plan, home, 4, out _)); // never none while one is ready
        Free(plan);
    }

    [Theory]
    [InlineData(nameof(Crew.Gate))]
    [InlineData(nameof(Crew.Remaining))]
    [InlineData(nameof(Crew.Sleepers))]
    [InlineData(nameof(Crew.Bell))]
    [InlineData(nameof(Crew.JoinBell))]
    [InlineData(nameof(Crew.JoinWaiting))]
    [InlineData(nameof(Crew.Called))]
    [InlineData(nameof(Crew.Hungry))]
    public void A_word_that_threads_fight_over_has_128_bytes_to_itself(string field)
    {
        var offset = (int)Marshal.OffsetOf<Crew>(field);
        Assert.Equal(0, offset % 128);
        foreach (var other in typeof(Crew).GetFields().Where(f => !f.IsStatic && f.Name != field))
            Assert.NotEqual(offset / 128, (int)Marshal.OffsetOf<Crew>(other.Name) / 128);
        Assert.Equal(0, sizeof(Node) % 128);
    }
}
