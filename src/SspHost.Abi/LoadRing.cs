// The load of every block, sixteen bits each: what a soak keeps for hours, so that any block can be looked at afterwards.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// A block's load as sixteen bits. Bits 0..14: time its processing took (input, modules, output, conversion) over the time it lasts, in units of
/// 1/8192, rounded up: so a block is late, by a nanosecond or more, exactly where this is above <see cref="One"/>. Bit 15: frames were lost with it,
/// or between it and the block before.
/// </summary>
public static class BlockLoad
{
    /// <summary>As long as a block lasts: the largest value of one that was in time.</summary>
    public const int One = 1 << 13;

    /// <summary>The largest load: nearly four times what a block lasts, and all beyond.</summary>
    public const int Most = 0x7FFE;

    /// <summary>The bit of lost frames.</summary>
    public const int Lost = 0x8000;

    /// <summary>In a file of loads: this block was rendered and its value was not kept. Never in the ring.</summary>
    public const ushort Missing = 0xFFFF;

    /// <summary>The value of a block that took <paramref name="took"/> of the <paramref name="lasts"/> ns it lasts.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Of(ulong took, ulong lasts, bool lost)
    {
        var load = took >= 4 * lasts ? Most : Math.Min(((took * One) + lasts - 1) / lasts, Most);
        return (ushort)(load | (lost ? Lost : 0u));
    }

    /// <summary>Bits 0..14. Not of <see cref="Missing"/>.</summary>
    public static int Units(ushort value) => value & (Lost - 1);

    /// <summary>Load of a value: 1 = all of the time there was. Not of <see cref="Missing"/>.</summary>
    public static double Load(ushort value) => Units(value) / (double)One;

    /// <summary>Whether it took longer than it lasts.</summary>
    public static bool IsLate(ushort value) => value != Missing && Units(value) > One;

    /// <summary>Whether frames were lost with it or just before it.</summary>
    public static bool IsLost(ushort value) => value != Missing && (value & Lost) != 0;
}

/// <summary>
/// The last <see cref="Capacity"/> of them; values follow the header. The audio thread writes one a block and waits for nobody: it overwrites the
/// oldest. Readers are any number, keep their own place, and find out what they were too slow for.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
public unsafe struct LoadRing
{
    /// <summary>Values it holds: 43 s of blocks of 32 frames at 48 kHz, 5 s of the shortest at the highest rate.</summary>
    public const int Capacity = 1 << 16;

    /// <summary>Values ever written. Blocks are numbered by it: the value of block n is the n-th.</summary>
    [FieldOffset(0)]
    public ulong Count;

    /// <summary>Bytes of a ring.</summary>
    public static long Bytes => sizeof(LoadRing) + (Capacity * sizeof(ushort));

    /// <summary>Adds a value. Two stores and a fence. [audio-thread]</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Push(LoadRing* ring, ushort value)
    {
        var n = ring->Count;
        Values(ring)[n & (Capacity - 1)] = value;
        Volatile.Write(ref ring->Count, n + 1);
        Thread.MemoryBarrier(); // no reader sees a value take an old one's place before it could see the count that announces it
    }

    /// <summary>
    /// Copies what was written from block <paramref name="next"/> on, as much as fits, and moves <paramref name="next"/> behind it; how many. What was
    /// overwritten before it could be read is counted in <paramref name="missed"/> and skipped: it comes before what is copied. [any reader]
    /// </summary>
    public static int Read(LoadRing* ring, ref ulong next, Span<ushort> into, out ulong missed)
    {
        missed = 0;
        while (true)
        {
            var count = Volatile.Read(ref ring->Count);
            if (next > count) next = count; // another engine's ring
            var oldest = Oldest(count);
            if (next < oldest)
            {
                missed += oldest - next;
                next = oldest;
            }

            var take = (int)Math.Min((ulong)into.Length, count - next);
            var values = Values(ring);
            var at = (int)(next & (Capacity - 1));
            var first = Math.Min(take, Capacity - at);
            new ReadOnlySpan<ushort>(values + at, first).CopyTo(into);
            new ReadOnlySpan<ushort>(values, take - first).CopyTo(into[first..]);
            Thread.MemoryBarrier(); // every value was read before the count is read again
            if (next < Oldest(Volatile.Read(ref ring->Count))) continue; // lapped while copying: what was copied may be of the next round
            next += (ulong)take;
            return take;
        }
    }

    // The value after the last one may be being written, over the oldest.
    private static ulong Oldest(ulong count) => count < Capacity ? 0 : count - Capacity + 1;

    private static ushort* Values(LoadRing* ring) => (ushort*)(ring + 1);
}
