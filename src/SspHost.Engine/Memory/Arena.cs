// One thread's share of the pool: its free blocks, its magazines, its counters. Only that thread writes here, apart from Remote.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Memory;

/// <summary>
/// State of an arena, in the region. Arena 0 is the steward's, under a mutex; every other belongs to one RT thread and takes no lock.
/// Remote is written by all threads and lies 128 bytes away from what the owner writes (adjacent-line prefetch).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Arena
{
    /// <summary>Classes of the backend: fragments of 64 * 2^k bytes.</summary>
    public const int Classes = Abi.PoolStats.Classes;

    /// <summary>Classes that have a magazine: fragments up to 4 KiB.</summary>
    public const int MagazineClasses = 7;

    /// <summary>Blocks a magazine holds.</summary>
    public const int MagazineSlots = 16;

    /// <summary>Blocks in quarantine while checks are on.</summary>
    public const int QuarantineSlots = 64;

    /// <summary>Head of the stack of blocks freed by other threads: granule number, 0 = empty. The link is the first word of each block.</summary>
    public uint Remote;

    /// <summary>Futex mutex, used in arena 0 only: 0 free, 1 taken, 2 taken and somebody waits.</summary>
    public uint Lock;

    private fixed byte _apart[120];

    /// <summary>Bit k is set while bin k holds a block.</summary>
    public uint Bins;

    /// <summary>The part of the remote stack already taken over, still to be put away.</summary>
    public uint Pending;

    /// <summary>Number of this arena; -1 until it is opened.</summary>
    public int Number;

    private readonly int _pad;

    /// <summary>First granule and granules of its span (arena 0: the whole pool, other spans included).</summary>
    public uint First, Granules;

    /// <summary>Granules in bins, and in magazines and quarantine.</summary>
    public long FreeGranules, CachedGranules;

    /// <summary>Bytes requested by live blocks, and the most ever; granules of their fragments, and the most ever.</summary>
    public long Requested, RequestedPeak, Fragments, FragmentsPeak;

    public long Failed, LastFailed, RemoteFrees, Faults;

    /// <summary>Bytes requested by owner row; one table per arena, so that counting needs no atomic.</summary>
    public long* Owners;

    /// <summary>Ns of allocate and of free, recorded while <see cref="PoolFlags.Times"/> is on.</summary>
    public Abi.Histogram* AllocateTimes, FreeTimes;

    public fixed uint Heads[Classes + 1];

    /// <summary>Blocks in each magazine, and their granule numbers.</summary>
    public fixed uint Counts[MagazineClasses + 1];

    public fixed uint Slots[MagazineClasses * MagazineSlots];

    /// <summary>By class: live now, most ever live, handed out since the start.</summary>
    public fixed long ClassLive[Classes];

    /// <inheritdoc cref="ClassLive"/>
    public fixed long ClassPeak[Classes];

    /// <inheritdoc cref="ClassLive"/>
    public fixed long ClassTotal[Classes];

    /// <summary>Ring of quarantined blocks, and how many ever entered and left.</summary>
    public fixed uint Quarantine[QuarantineSlots];

    public ulong QuarantineIn, QuarantineOut;
}
