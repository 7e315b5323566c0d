// The ring: first in, first out, bounded, and right between two threads that never wait for each other.
using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;

namespace SspHost.Abi.Tests;

public sealed unsafe class SpscRingTests
{
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public ulong Number, A, B, C;

        // Several words that must agree: a torn or early read shows.
        public static Entry Of(ulong n) => new() { Number = n, A = n * 3, B = ~n, C = n ^ 0x5555_5555_5555_5555 };

        public readonly bool IsWhole => A == Number * 3 && B == ~Number && C == (Number ^ 0x5555_5555_5555_5555);
    }

    [Fact]
    public void Any_sequence_of_pushes_and_pops_does_what_a_bounded_queue_does()
    {
        // true = push, false = pop; the model is a Queue that refuses beyond the capacity.
        Prop.ForAll(ArbMap.Default.ArbFor<bool[]>(), ArbMap.Default.ArbFor<byte>(), (ops, log) =>
        {
            using var memory = new RingMemory(1 << (log % 5), 0);
            var ring = memory.Ring;
            var model = new Queue<ulong>();
            ulong next = 0, dropped = 0;
            foreach (var push in ops)
            {
                if (push)
                {
                    var fits = model.Count < ring.Capacity;
                    if (ring.TryPush(Entry.Of(next)) != fits) return false;
                    if (fits) model.Enqueue(next);
                    else dropped++;
                    next++;
                }
                else
                {
                    var peeked = ring.Peek();
                    var popped = ring.TryPop(out var entry);
                    if (popped != model.TryDequeue(out var expected)) return false;
                    if (popped && (entry.Number != expected || !entry.IsWhole || peeked == null)) return false;
                    if (!popped && peeked != null) return false;
                }

                if (ring.Count != model.Count || ring.Dropped != dropped) return false;
                var waiting = ring.Waiting;
                if (waiting.IsEmpty != (model.Count == 0) || !waiting.ToArray().Select(e => e.Number).SequenceEqual(model.Take(waiting.Length))) return false;
            }

            // What is left is taken in one or two pieces: up to the end of the memory, and from its start.
            for (var piece = 0; piece < 2 && model.Count > 0; piece++)
            {
                var waiting = ring.Waiting;
                foreach (var entry in waiting)
                    if (!entry.IsWhole || entry.Number != model.Dequeue()) return false;
                ring.Take(waiting.Length);
            }

            return model.Count == 0 && ring.Count == 0;
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(1, 0ul)]
    [InlineData(2, 0ul)]
    [InlineData(64, 0ul)]
    [InlineData(64, ulong.MaxValue - 1000)] // the counters wrap on the way
    [InlineData(4096, (1ul << 32) - 5000)]
    public void Two_threads_at_full_speed_pass_every_entry_once_in_order_and_whole(int capacity, ulong start)
    {
        // A small ring is a conversation: two switches an entry on a busy machine.
        var count = Math.Min(1_000_000ul, (ulong)capacity * 30_000);
        using var memory = new RingMemory(capacity, start);
        var pushes = 0UL;
        var producer = new Thread(() =>
        {
            var ring = memory.Ring;
            for (ulong n = 0; n < count;)
            {
                if (ring.TryPush(Entry.Of(n))) n++;
                else Thread.Yield();
                pushes++;
            }
        });
        producer.Start();

        var consumer = memory.Ring;
        ulong next = 0, broken = 0;
        while (next < count)
        {
            if (!consumer.TryPop(out var entry))
            {
                Thread.Yield();
                continue;
            }

            if (entry.Number != next || !entry.IsWhole) broken++;
            next++;
        }

        producer.Join();
        Assert.Equal(0ul, broken);
        Assert.Equal(0, consumer.Count);
        Assert.Equal(pushes - count, consumer.Dropped);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-4)]
    [InlineData(3)]
    [InlineData(100)]
    public void A_capacity_that_is_no_power_of_two_is_refused(int capacity)
    {
        var memory = stackalloc byte[1024];
        var address = (nint)memory;
        Assert.Throws<ArgumentOutOfRangeException>(() => SpscRing<Entry>.Create((void*)address, capacity));
    }

    [Fact]
    public void A_push_that_never_finished_leaves_nothing_behind()
    {
        using var memory = new RingMemory(4, 0);
        Assert.True(memory.Ring.TryPush(Entry.Of(1)));

        // A producer that died after the entry and before the tail: the entry's bytes are there, and nobody sees them.
        *(Entry*)(memory.Start + sizeof(RingHeader) + sizeof(Entry)) = Entry.Of(99);
        Assert.True(memory.Ring.TryPop(out var entry));
        Assert.Equal(1ul, entry.Number);
        Assert.False(memory.Ring.TryPop(out _));
        Assert.True(memory.Ring.TryPush(Entry.Of(2)));
        Assert.True(memory.Ring.TryPop(out entry));
        Assert.Equal(2ul, entry.Number);
    }

    private sealed class RingMemory : IDisposable
    {
        public RingMemory(int capacity, ulong start)
        {
            var bytes = (nuint)SpscRing<Entry>.BytesFor(capacity);
            Start = (byte*)NativeMemory.AlignedAlloc(bytes, 128);
            NativeMemory.Clear(Start, bytes);
            SpscRing<Entry>.Create(Start, capacity);
            ((RingHeader*)Start)->Head = start;
            ((RingHeader*)Start)->Tail = start;
        }

        public byte* Start { get; }

        public SpscRing<Entry> Ring => new((RingHeader*)Start);

        public void Dispose() => NativeMemory.AlignedFree(Start);
    }
}
