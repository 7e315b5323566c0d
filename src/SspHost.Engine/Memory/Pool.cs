// The pool allocator: every byte that modules, plans and grants live in. O(1), no system call, no fault, one arena per RT thread.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Memory;

/// <summary>What the pool does besides serving.</summary>
[Flags]
public enum PoolFlags : uint
{
    None = 0,

    /// <summary>Canaries, poison, quarantine. Fixed when the pool is made.</summary>
    Checks = 1,

    /// <summary>A fault ends the process with its message, instead of being counted. Fixed when the pool is made.</summary>
    FailFast = 2,

    /// <summary>Times of allocate and free go into histograms. May be switched at any time.</summary>
    Times = 4,
}

/// <summary>
/// The allocator, in the region and used by pointer. Arena 0 belongs to threads that are not real-time, under a mutex; arena t + 1 to RT
/// thread t,
/// which alone calls <see cref="Allocate"/> with it. In front stand magazines (fragments up to 4 KiB), refilled one block at a time from
/// the
/// <see cref="HalfFit"/> backend. A block freed by another thread than its arena's goes onto a lock-free stack that the arena empties
/// one block per operation.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe partial struct Pool
{
    /// <summary>
    /// Arenas there can be: the steward's and one per RT thread there is, standbys and the watchdog included. Not per seat: a thread that is
    /// stuck in a module, perhaps in its malloc, and the standby that took its seat must not share one.
    /// </summary>
    public const int MaxArenas = 1 + Limits.MaxThreads + Limits.StandbyThreads + 2;

    /// <summary>Alignment of every block in bytes, and the smallest fragment.</summary>
    public const int Alignment = Tag.Granule;

    /// <summary>First owner number of grants to control processes: plus the session's low 16 bits.</summary>
    public const uint FirstGrantOwner = 0xFFFF_0000;

    /// <summary>Most bytes that magazines keep of one arena's memory: part of "live" in <see cref="HalfFit.Bound"/>.</summary>
    public const long MagazineBytes = Arena.MagazineSlots * (((1L << Arena.MagazineClasses) - 1) << Tag.GranuleBits);

    private const long MaxBytes = 1L << (Tag.GranuleBits + Arena.Classes - 1);

    // Remote frees put away by the steward's arena per operation: it is not real-time and serves many.
    private const int StewardDrain = 32;

    // Remote frees put away before a request of an RT arena is refused.
    private const int LastDrain = 8;

    private byte* _data;
    private ulong* _tags;
    private byte* _arenas;
    private uint _flags;
    private uint _ready;
    private uint _capacity;
    private readonly uint _pad;
    private PoolFault _lastFault;

    /// <summary>Bytes on offer.</summary>
    public readonly long ReadyBytes => (long)_ready << Tag.GranuleBits;

    /// <summary>Bytes there can ever be on offer.</summary>
    public readonly long CapacityBytes => (long)_capacity << Tag.GranuleBits;

    /// <summary>What is switched on.</summary>
    public readonly PoolFlags Flags => (PoolFlags)_flags;

    /// <summary>Switches the recording of times. [any thread]</summary>
    public void RecordTimes(bool on) =>
        Volatile.Write(ref _flags, on ? _flags | (uint)PoolFlags.Times : _flags & ~(uint)PoolFlags.Times);

    /// <summary>
    /// A block of at least <paramref name="bytes"/> bytes, 64-byte aligned and not zeroed, or null when it does not fit or the arena is
    /// not open (counted).
    /// [the arena's thread; arena 0: any thread that is not RT]
    /// </summary>
    /// <param name="owner">Instance slot + 1, 0 = the engine itself, 0xFFFF_0000 + session = a grant.</param>
    public void* Allocate(int arena, long bytes, uint owner)
    {
        // One test for everything unusual: arena 0 (unsigned wrap), a number out of range, checks, times.
        if ((uint)(arena - 1) >= MaxArenas - 1 || _flags != 0) return AllocateUnusual(arena, bytes, owner);
        return AllocateIn(ArenaAt(arena), bytes, bytes, owner);
    }

    /// <summary>
    /// Gives a block back; null is ignored. <paramref name="arena"/> is the caller's own, whichever arena the block came from.
    /// A pointer that is no live block is counted and left alone. [any thread]
    /// </summary>
    public void Free(int arena, void* block)
    {
        if ((uint)(arena - 1) >= MaxArenas - 1 || _flags != 0)
        {
            FreeUnusual(arena, block);
            return;
        }

        FreeIn(ArenaAt(arena), block);
    }

    /// <summary>
    /// Whether <paramref name="block"/> is the start of a live block; its requested bytes and its owner. For pointers from outside. [any
    /// thread]
    /// </summary>
    public readonly bool TryGetBlock(void* block, out long bytes, out uint owner)
    {
        var offset = (byte*)block - _data;
        bytes = 0;
        owner = 0;
        if ((ulong)offset >= (ulong)ReadyBytes || (offset & (Tag.Granule - 1)) != 0) return false;
        var tag = Volatile.Read(ref _tags[offset >> Tag.GranuleBits]);
        if (Tag.State(tag) != Tag.Live) return false;
        bytes = Tag.Bytes(tag);
        owner = Tag.Decode(Tag.OwnerCode(tag));
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly Arena* ArenaAt(int number) => (Arena*)(_arenas + ((nint)(uint)number << Arena.StrideBits));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void* AllocateIn(Arena* a, long bytes, long room, uint owner)
    {
        var k = HalfFit.ClassOf(room);
        if ((uint)k >= Arena.Classes) return Refuse(a, bytes, room, owner); // 0 and less too: unsigned, they are huge
        uint block, count;
        var granules = 1u << k;
        uint* magazine;
        if (k < Arena.MagazineClasses && (count = *(magazine = Arena.Magazine(a, k))) != 0)
        {
            block = magazine[count];
            *magazine = count - 1;
        }
        else
        {
            var fit = HalfFit.Fit(a, k);
            if (fit == 0) return Refuse(a, bytes, room, owner);
            block = HalfFit.TakeFrom(a, _tags, fit, granules);
        }

        var memory = Hand(a, block, k, granules, bytes, owner);
        if ((a->Pending | Volatile.Read(ref a->Remote)) != 0) DrainOne(a);
        return memory;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void* Hand(Arena* a, uint block, int k, uint granules, long bytes, uint owner)
    {
        var code = Tag.Encode(owner);
        _tags[block] = Tag.ForLive(a->LiveTag, k, code, bytes);
        var counts = Arena.Counts(a) + k;
        var total = counts->Total + 1;
        counts->Total = total;
        var live = total - counts->Freed;
        if (live > counts->Peak) counts->Peak = live;
        var fragments = a->Fragments + granules;
        a->Fragments = fragments;
        if (fragments > a->FragmentsPeak) a->FragmentsPeak = fragments;
        a->Owners[Tag.Row(code)] += bytes;
        return _data + ((long)block << Tag.GranuleBits);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FreeIn(Arena* a, void* block)
    {
        var offset = (byte*)block - _data;
        if ((ulong)offset >= (ulong)ReadyBytes || (offset & (Tag.Granule - 1)) != 0)
        {
            if (block != null) Report(a, PoolFaultKind.ForeignPointer, block, 0);
            return;
        }

        var index = (uint)(offset >> Tag.GranuleBits);
        var tag = Volatile.Read(ref _tags[index]);
        if (Tag.State(tag) != Tag.Live)
        {
            Report(a, PoolFaults.OfWrongFree(tag), block, tag);
            return;
        }

        if (Tag.Arena(tag) != a->Number)
        {
            FreeRemote(a, index, tag);
            return;
        }

        Discount(a, tag);
        PutAway(a, index, tag);
        if ((a->Pending | Volatile.Read(ref a->Remote)) != 0) DrainOne(a);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Discount(Arena* a, ulong tag)
    {
        var k = Tag.Class(tag);
        Arena.Counts(a)[k].Freed++;
        a->Fragments -= 1L << k;
        a->Owners[Tag.Row(Tag.OwnerCode(tag))] -= Tag.Bytes(tag);
    }

    // Into the magazine while there is room, else to the backend.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void PutAway(Arena* a, uint index, ulong tag)
    {
        var k = Tag.Class(tag);
        uint count;
        var magazine = Arena.Magazine(a, k);
        if (k < Arena.MagazineClasses && (count = *magazine) < Arena.MagazineSlots)
        {
            _tags[index] = Tag.With(tag, Tag.Cached);
            *magazine = ++count;
            magazine[count] = index;
            return;
        }

        HalfFit.Give(a, _tags, index, 1u << k);
    }

    // A push onto the owner's stack. Two threads that free the same block at once: one exchange of the tag wins, the
    // other is a double free.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FreeRemote(Arena* caller, uint index, ulong tag)
    {
        if (Interlocked.CompareExchange(ref _tags[index], Tag.With(tag, Tag.Remote), tag) != tag)
        {
            Report(caller, PoolFaultKind.DoubleFree, _data + ((long)index << Tag.GranuleBits), tag);
            return;
        }

        var home = ArenaAt(Tag.Arena(tag));
        var link = (uint*)(_data + ((long)index << Tag.GranuleBits));
        uint head;
        do
        {
            head = Volatile.Read(ref home->Remote);
            *link = head; // the exchange below publishes it: a full barrier
        }
        while (Interlocked.CompareExchange(ref home->Remote, index, head) != head);
    }

    // One block home. The owner takes the whole stack at once, so there is no ABA, and works it off one block per operation.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void DrainOne(Arena* a)
    {
        var index = a->Pending;
        if (index == 0)
        {
            index = Interlocked.Exchange(ref a->Remote, 0);
            if (index == 0) return;
        }

        var tag = _tags[index];
        var next = *(uint*)(_data + ((long)index << Tag.GranuleBits));

        // The link lay in a block that somebody may have written to after its free. A false one is never followed:
        // what hangs behind it is lost to the pool, and counted as a fault.
        if (next != 0 && (next >= _ready || Tag.State(_tags[next]) != Tag.Remote || Tag.Arena(_tags[next]) != a->Number))
        {
            Report(a, PoolFaultKind.BrokenLink, _data + ((long)index << Tag.GranuleBits), tag);
            next = 0;
        }

        a->Pending = next;
        a->RemoteFrees++;
        Discount(a, tag);
        if ((_flags & (uint)PoolFlags.Checks) != 0) PutInQuarantine(a, index, tag);
        else PutAway(a, index, tag);
    }

    // Not reached while requests fit. Remote frees that wait may hold what is asked for, and the steward may also empty its magazines.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void* Refuse(Arena* a, long bytes, long room, uint owner)
    {
        if (room == 0) room = 1;
        if (room > 0 && room <= MaxBytes && a->Number >= 0)
        {
            var k = HalfFit.ClassOf(room);
            if (a->Number == 0) FlushSteward(a);
            else for (var i = 0; i < LastDrain && (a->Pending | Volatile.Read(ref a->Remote)) != 0; i++) DrainOne(a);
            var magazine = Arena.Magazine(a, k);
            uint block;
            if (k < Arena.MagazineClasses && *magazine != 0) block = magazine[(*magazine)--];
            else block = HalfFit.Take(a, _tags, k);
            if (block != 0) return Hand(a, block, k, 1u << k, bytes, owner);
        }

        a->Failed++;
        a->LastFailed = bytes;
        return null;
    }

    // Everything the steward's arena keeps at hand goes back to its backend. [arena 0's mutex held]
    private void FlushSteward(Arena* a)
    {
        while ((a->Pending | Volatile.Read(ref a->Remote)) != 0) DrainOne(a);
        while (a->QuarantineOut != a->QuarantineIn) LeaveQuarantine(a);
        for (var k = 0; k < Arena.MagazineClasses; k++)
        {
            var magazine = Arena.Magazine(a, k);
            while (*magazine != 0) HalfFit.Give(a, _tags, magazine[(*magazine)--], 1u << k);
        }
    }

    // Arena 0, checks, times, or a caller that names no arena.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void* AllocateUnusual(int arena, long bytes, uint owner)
    {
        if ((uint)arena >= MaxArenas) return null;
        var a = ArenaAt(arena);
        var times = (Volatile.Read(ref _flags) & (uint)PoolFlags.Times) != 0;
        var start = times ? Linux.Now() : 0;
        if (arena == 0) PoolLock.Enter(&a->Lock);
        var block = (_flags & (uint)PoolFlags.Checks) != 0 ? AllocateChecked(a, bytes, owner) : AllocateIn(a, bytes, bytes, owner);
        if (arena == 0)
        {
            for (var i = 1; i < StewardDrain && (a->Pending | Volatile.Read(ref a->Remote)) != 0; i++) DrainOne(a);
            if (times) a->AllocateTimes->Record(Linux.Now() - start);
            PoolLock.Exit(&a->Lock);
        }
        else if (times)
        {
            a->AllocateTimes->Record(Linux.Now() - start);
        }

        return block;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FreeUnusual(int arena, void* block)
    {
        if ((uint)arena >= MaxArenas) arena = 0;
        var a = ArenaAt(arena);
        var times = (Volatile.Read(ref _flags) & (uint)PoolFlags.Times) != 0;
        var start = times ? Linux.Now() : 0;
        if (arena == 0) PoolLock.Enter(&a->Lock);
        if ((_flags & (uint)PoolFlags.Checks) != 0) FreeChecked(a, block);
        else FreeIn(a, block);
        if (times) a->FreeTimes->Record(Linux.Now() - start);
        if (arena == 0) PoolLock.Exit(&a->Lock);
    }
}
