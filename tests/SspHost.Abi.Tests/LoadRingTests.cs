// The ring of loads: a value says what it was made from, and a reader gets what was written, in order, and knows what it was too slow for.
using System.Numerics;
using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;

namespace SspHost.Abi.Tests;

public sealed unsafe class LoadRingTests
{
    private const ushort Prime = 32_749; // values of two rounds of the ring differ: 65536 is no multiple of it

    [Fact]
    public void A_value_is_the_load_rounded_up_in_units_of_8192_and_late_exactly_where_a_block_is()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<uint>(), ArbMap.Default.ArbFor<ushort>(), ArbMap.Default.ArbFor<bool>(), (took, period, lost) =>
        {
            var lasts = 100_000UL + ((ulong)period * 100); // 0.1 to 6.7 ms
            foreach (var t in new[] { took, took % (5 * lasts), lasts - 1, lasts, lasts + 1, 0UL, 4 * lasts, (4 * lasts) - 1, ulong.MaxValue / 8 })
            {
                var units = BigInteger.Min((new BigInteger(t) * 8192 + lasts - 1) / lasts, 0x7FFE);
                var value = BlockLoad.Of(t, lasts, lost);
                if (BlockLoad.Units(value) != (int)units || BlockLoad.IsLost(value) != lost || BlockLoad.IsLate(value) != t > lasts || value == BlockLoad.Missing) return false;
            }

            return true;
        }).QuickCheckThrowOnFailure();
        Assert.Equal(1.0, BlockLoad.Load(BlockLoad.Of(667_000, 667_000, lost: true)));
        Assert.False(BlockLoad.IsLate(BlockLoad.Missing) || BlockLoad.IsLost(BlockLoad.Missing));
    }

    [Fact]
    public void Any_sequence_of_writes_and_reads_gives_what_was_written_and_counts_what_was_overwritten()
    {
        // Each step writes so many values (some more than the ring holds) and reads into a buffer of some size.
        var steps = Gen.Zip(Gen.Choose(0, LoadRing.Capacity + 5_000), Gen.Choose(0, LoadRing.Capacity + 5_000)).ListOf().Select(l => l.Take(5).ToArray());
        Prop.ForAll(steps.ToArbitrary(), sequence =>
        {
            using var memory = new Memory();
            ulong written = 0, next = 0, seen = 0, missed = 0;
            foreach (var (writes, room) in sequence)
            {
                for (var i = 0; i < writes; i++) LoadRing.Push(memory.Ring, Value(written++));
                var into = new ushort[room];
                var from = next;
                var read = LoadRing.Read(memory.Ring, ref next, into, out var gap);
                // One value fewer than the ring holds: the place of the oldest is where the next one goes.
                var oldest = written < LoadRing.Capacity ? 0 : written - LoadRing.Capacity + 1;
                var first = Math.Max(from, oldest);
                if (gap != first - from || read != (int)Math.Min((ulong)room, written - first) || next != first + (ulong)read) return false;
                for (var i = 0; i < read; i++)
                {
                    if (into[i] != Value(first + (ulong)i)) return false;
                }

                seen += (ulong)read;
                missed += gap;
            }

            return seen + missed + (written - next) == written;
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(0ul, 0)]
    [InlineData(0ul, 1)] // the reader sleeps at times: it is lapped
    [InlineData((1ul << 32) - 100_000, 1)]
    public void Beside_a_writer_at_full_speed_every_value_read_is_the_one_of_its_block(ulong start, int sleeps)
    {
        const ulong count = 4_000_000;
        using var memory = new Memory();
        memory.Ring->Count = start;
        var writer = new Thread(() =>
        {
            for (var n = start; n < start + count; n++) LoadRing.Push(memory.Ring, Value(n));
        });
        writer.Start();
        var (next, seen, missed, wrong, random) = (start, 0UL, 0UL, 0UL, new Random(1));
        var buffer = new ushort[LoadRing.Capacity];
        while (next < start + count)
        {
            var read = LoadRing.Read(memory.Ring, ref next, buffer.AsSpan(0, random.Next(1, buffer.Length)), out var gap);
            for (var i = 0; i < read; i++)
            {
                if (buffer[i] != Value(next - (ulong)read + (ulong)i)) wrong++;
            }

            seen += (ulong)read;
            missed += gap;
            if (sleeps > 0 && random.Next(50) == 0) Thread.Sleep(sleeps);
        }

        writer.Join();
        Assert.Equal(0UL, wrong);
        Assert.Equal(count, seen + missed);
        if (sleeps > 0) Assert.True(missed > 0 && seen > 0, $"{seen} read, {missed} missed: the reader was never lapped, or always"); // else this proves nothing
    }

    [Fact]
    public void A_reader_that_does_not_look_again_does_read_values_of_the_next_round()
    {
        // The positive control: without the second look, the same traffic gives wrong values.
        using var memory = new Memory();
        var done = false;
        var writer = new Thread(() =>
        {
            for (ulong n = 0; !Volatile.Read(ref done); n++) LoadRing.Push(memory.Ring, Value(n));
        });
        writer.Start();
        var (wrong, buffer) = (0UL, new ushort[LoadRing.Capacity]);
        for (var until = Environment.TickCount64 + 20_000; wrong == 0 && Environment.TickCount64 < until;)
        {
            var count = Volatile.Read(ref memory.Ring->Count);
            if (count < LoadRing.Capacity) continue;
            var values = (ushort*)(memory.Ring + 1);
            for (var i = 0; i < LoadRing.Capacity; i++) buffer[i] = values[(count + (ulong)i) & (LoadRing.Capacity - 1)];
            for (var i = 0; i < LoadRing.Capacity; i++)
            {
                if (buffer[i] != Value(count - LoadRing.Capacity + (ulong)i)) wrong++;
            }
        }

        Volatile.Write(ref done, true);
        writer.Join();
        Assert.True(wrong > 0);
    }

    private static ushort Value(ulong n) => (ushort)(n % Prime);

    private sealed class Memory : IDisposable
    {
        public Memory()
        {
            Ring = (LoadRing*)NativeMemory.AlignedAlloc((nuint)LoadRing.Bytes, 128);
            NativeMemory.Clear(Ring, (nuint)LoadRing.Bytes);
        }

        public LoadRing* Ring { get; }

        public void Dispose() => NativeMemory.AlignedFree(Ring);
    }
}
