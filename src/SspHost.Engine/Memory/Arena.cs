// One thread's share of the pool: its free blocks, its magazines, its counters. Only that thread writes here, apart from Remote.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Engine.Memory;

/// <summary>
/// State of an arena, in the region. Arena 0 is the steward's, under a mutex; every other belongs to one RT thread and takes no lock.
/// Remote is written by all threads and lies 128 bytes away from what the owner writes (adjacent-line prefetch). Behind the struct follow
/// its arrays: <see cref="Heads"/>, <see cref="Counts"/>, <see cref="Magazine"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Arena
{
    /// <summary>Classes of the backend: fragments of 64 * 2^k bytes.</summary>
    public const int Classes = Abi.PoolStats.Classes;

    /// <summary>Classes that have a magazine: fragments up to 4 KiB.</summary>
    public const int MagazineClasses = 7;

    /// <summary>Blocks a magazine holds: with their number, one cache line.</summary>
    public const int MagazineSlots = 15;

    /// <summary>Blocks in quarantine while checks are on.</summary>
    public const int QuarantineSlots = 64;

    private const int HeadSlots = 32;

    /// <summary>log2 of the bytes from one arena to the next.</summary>
    public const int StrideBits = 11;

    /// <summary>Bytes of the struct and its arrays: at most 2^<see cref="StrideBits"/>.</summary>
    public static long Bytes => sizeof(Arena) + (HeadSlots * sizeof(uint)) + (Classes * sizeof(ClassCount)) + (MagazineClasses * (MagazineSlots + 1) * sizeof(uint));

    /// <summary>Head of the stack of blocks freed by other threads: granule number, 0 = empty. The link is the first word of each block.</summary>
    public uint Remote;

    /// <summary>Futex mutex, used in arena 0 only: 0 free, 1 taken, 2 taken and somebody waits.</summary>
    public uint Lock;

    private fixed byte _apart[120];

    /// <summary>Bit k is set while bin k holds a block.</summary>
    public uint Bins;

    /// <summary>The part of the remote stack already taken over, still to be put away.</summary>
    public uint Pending;

    /// <summary>What all tags of live blocks here have in common: <see cref="Tag.Live"/> and the arena's number.</summary>
    public ulong LiveTag;

    /// <summary>Granules in fragments of live blocks, and the most ever.</summary>
    public long Fragments, FragmentsPeak;

    /// <summary>Bytes requested by owner row; one table per arena, so that counting needs no atomic.</summary>
    public long* Owners;

    /// <summary>Number of this arena; -1 until it is opened.</summary>
    public int Number;

    private readonly int _pad;

    /// <summary>First granule and granules of its span (arena 0: the whole pool, other spans included).</summary>
    public uint First, Granules;

    /// <summary>Arena 0: granules given to the spans of others.</summary>
    public long SpanGranules;

    public long Failed, LastFailed, RemoteFrees, Faults;

    /// <summary>Ns of allocate and of free, recorded while <see cref="PoolFlags.Times"/> is on.</summary>
    public Abi.Histogram* AllocateTimes, FreeTimes;

    /// <summary>Blocks that ever entered and left the quarantine, and granules in it.</summary>
    public ulong QuarantineIn, QuarantineOut;

    public long QuarantineGranules;

    /// <summary>Ring of quarantined blocks.</summary>
    public fixed uint Quarantine[QuarantineSlots];

    private fixed byte _round[24]; // the arrays start on a cache line

    /// <summary>First block of each bin. Pointers of this form, not fixed buffers: the compiler adds a null check to each access of those.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint* Heads(Arena* a) => (uint*)(a + 1);

    /// <summary>Counters of each class.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ClassCount* Counts(Arena* a) => (ClassCount*)(Heads(a) + HeadSlots);

    /// <summary>Magazine of a class: the number of its blocks, then the blocks; entry n is the newest of n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint* Magazine(Arena* a, int sizeClass) => (uint*)(Counts(a) + Classes) + (sizeClass * (MagazineSlots + 1));

    /// <summary>Granules in magazines.</summary>
    public static long MagazineGranules(Arena* a)
    {
        long sum = 0;
        for (var k = 0; k < MagazineClasses; k++) sum += (long)*Magazine(a, k) << k;
        return sum;
    }

    /// <summary>Granules in bins: what is nowhere else.</summary>
    public static long FreeGranules(Arena* a) => a->Granules - a->SpanGranules - a->Fragments - MagazineGranules(a) - a->QuarantineGranules;

    /// <summary>Bytes requested by live blocks.</summary>
    public static long Requested(Arena* a)
    {
        long sum = 0;
        for (var row = 0; row < Tag.OwnerRows; row++) sum += a->Owners[row];
        return sum;
    }
}

/// <summary>Blocks of one class: handed out and given back since the start, and most ever live.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ClassCount
{
    public long Total, Freed, Peak;
    private readonly long _pad; // 32 bytes: an index is a shift

    public readonly long Live => Total - Freed;
}
