// The one shared memory region, as its maker sees it: a sealed memfd, mapped, laid out, touched and locked before anything plays.
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;

namespace SspHost.Engine.Memory;

/// <summary>
/// Made once by the engine process at start. What could fault later is touched and locked here: everything in front of the pool and the
/// pool's first 32 MiB; a background thread does the rest by <see cref="PrefaultNext"/>, and only then is it offered.
/// </summary>
public sealed unsafe class Region : IDisposable
{
    /// <summary>Default size in bytes.</summary>
    public const long DefaultBytes = 256L << 20;

    /// <summary>Smallest size in bytes: room for the tables and 8 MiB of pool.</summary>
    public const long MinBytes = 32L << 20;

    /// <summary>Largest size in bytes.</summary>
    public const long MaxBytes = 8L << 30;

    /// <summary>Bytes of pool memory that are ready when the region is made.</summary>
    public const long FirstBytes = 32L << 20;

    /// <summary>
    /// RT arenas opened when the region is made: one per core of the boards this is for. More by <see cref="Memory.Pool.OpenArena"/>.
    /// </summary>
    public const int FirstArenas = 4;

    /// <summary>Stacks there are: one for each RT thread, the standbys, the watchdog and the events thread.</summary>
    public const int StackCount = RegionLayout.StackCount;

    /// <summary>
    /// Bytes of the span of a seat's arena, of a standby's and of the watchdog's and the events thread's: on RT threads there should be no malloc at all, so a span is what
    /// the library of a module may take by mistake before it is told that there is no more.
    /// </summary>
    public const long ArenaBytes = 1L << 20, StandbyArenaBytes = 256L << 10, WatchdogArenaBytes = 64L << 10;

    private readonly byte* _reserved;
    private readonly long _reservedBytes;
    private readonly RegionLayout _layout;
    private readonly long _page;
    private long _locked;
    private long _dataStart;
    private bool _disposed;

    private Region(byte* reserved, long reservedBytes, byte* start, long bytes, int fd, RegionLayout layout, long page)
    {
        _reserved = reserved;
        _reservedBytes = reservedBytes;
        _layout = layout;
        _page = page;
        Fd = fd;
        Map = RegionMap.Over(start, bytes);
    }

    /// <summary>
    /// The memfd; a control process opens it as /proc/PID/fd/Fd. Its size is sealed: nobody can pull memory from under the engine.
    /// </summary>
    public int Fd { get; }

    /// <summary>Whether memory is locked at all.</summary>
    public bool Locks { get; private init; }

    /// <summary>This process's view.</summary>
    public RegionMap Map { get; }

    /// <summary>The allocator.</summary>
    public Pool* Pool { get; private set; }

    /// <summary>Sixteen channels of the longest quantum, all zero; a write faults at once.</summary>
    public byte* Silence => Map.At(_layout.Silence);

    /// <summary>Bytes the kernel agreed to lock; less than the ready part where the privilege or RLIMIT_MEMLOCK is missing.</summary>
    public long LockedBytes => Interlocked.Read(ref _locked);

    /// <summary>Bytes that were to be locked so far. Equal to <see cref="LockedBytes"/> where all went well.</summary>
    public long WantedLockedBytes { get; private set; }

    /// <summary>Errno of the first lock that was refused; 0 = none.</summary>
    public int LockError { get; private set; }

    /// <summary>Whether the kernel took the advice to back the pool with huge pages (it may still not have any).</summary>
    public bool HugePagesAdvised { get; private set; }

    /// <summary>Whether all of the pool has been offered.</summary>
    public bool Complete => Pool->ReadyBytes == Pool->CapacityBytes;

    /// <summary>
    /// Makes the region; null and one line in <paramref name="error"/> if the system refuses. <paramref name="bytes"/> is rounded up to 2
    /// MiB. <paramref name="locks"/>: false only to show what locking is good for.
    /// [start-up]
    /// </summary>
    public static Region? Create(long bytes, ReadOnlySpan<byte> descriptors, string version, out string error,
        PoolFlags flags = Memory.Pool.DefaultFlags, bool locks = true)
    {
        error = "";
        if (bytes is < MinBytes or > MaxBytes)
        {
            error = $"region: {bytes} bytes asked, expected {MinBytes} to {MaxBytes}";
            return null;
        }

        long page = Environment.SystemPageSize;
        bytes = (bytes + RegionLayout.HugePage - 1) & ~(RegionLayout.HugePage - 1);
        var layout = new RegionLayout(page, descriptors.Length);
        if (bytes - layout.Pool < MinBytes / 4)
        {
            error = $"region: {bytes} bytes leave {bytes - layout.Pool} for the pool, expected at least {MinBytes / 4}";
            return null;
        }

        int fd;
        fixed (byte* name = "ssp-region\0"u8) fd = Posix.MemfdCreate(name, Posix.MemfdCloseOnExec | Posix.MemfdAllowSealing);
        if (fd < 0)
        {
            error = Failed("create", bytes);
            return null;
        }

        if (Posix.Truncate(fd, bytes) != 0 || Posix.Fcntl(fd, Posix.AddSeals, Posix.SealShrink | Posix.SealGrow | Posix.SealSeal) < 0)
        {
            error = Failed("size", bytes);
            _ = Linux.Close(fd);
            return null;
        }

        // Addresses first, so that the mapping can start on a huge page's border; what is left over stays reserved.
        var reservedBytes = bytes + RegionLayout.HugePage;
        var reserved = (byte*)Linux.Mmap(null, (nuint)reservedBytes, Posix.ProtNone,
            Posix.MapPrivate | Posix.MapAnonymous | Posix.MapNoReserve, -1, 0);
        var start = (byte*)(((long)reserved + RegionLayout.HugePage - 1) & ~(RegionLayout.HugePage - 1));
        if ((nint)reserved == -1 ||
            (nint)Linux.Mmap(start, (nuint)bytes, Linux.ProtRead | Linux.ProtWrite, Linux.MapShared | Posix.MapFixed, fd, 0) == -1)
        {
            error = Failed("map", bytes);
            if ((nint)reserved != -1) _ = Linux.Munmap(reserved, (nuint)reservedBytes);
            _ = Linux.Close(fd);
            return null;
        }

        var region = new Region(reserved, reservedBytes, start, bytes, fd, layout, page) { Locks = locks };
        if (!region.Build(descriptors, version, flags))
        {
            error = Failed("protect", bytes);
            region.Dispose();
            return null;
        }

        return region;
    }

    /// <summary>
    /// Lowest address and bytes of the stack of RT thread <paramref name="thread"/> (0..15; then the standbys, the watchdog, the events thread): locked,
    /// between guard pages, left out of forks.
    /// </summary>
    public byte* Stack(int thread, out long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)thread, (uint)StackCount, nameof(thread));
        bytes = _layout.StackStride - _page;
        return Map.At(_layout.Stacks) + _page + (thread * _layout.StackStride);
    }

    /// <summary>
    /// Touches and locks the next <paramref name="bytes"/> bytes of the pool, then offers them. True while there is more to come. Takes
    /// about
    /// 0.6 ms per MiB with small pages. [one thread that is not RT, with the lowest priority there is]
    /// </summary>
    public bool PrefaultNext(long bytes)
    {
        var pool = Pool;
        var ready = pool->ReadyBytes;
        var n = Math.Min(bytes & -Memory.Pool.Alignment, pool->CapacityBytes - ready);
        if (n > 0)
        {
            TouchAndLock(_layout.Pool + Memory.Pool.TagsEndFor(ready), TagsEnd(ready + n));
            TouchAndLock(_dataStart + ready, _dataStart + ready + n);
            pool->Extend(n);
        }

        return !Complete;
    }

    /// <summary>Publishes the pool's statistics for the control process, and hands them out. [steward]</summary>
    public void PublishPoolStats(out PoolStats stats)
    {
        stats = default;
        Pool->ReadStats(ref stats);
        stats.Locked = LockedBytes;
        Map.PoolStats->Write(stats);
    }

    /// <summary>
    /// Unmaps the region and closes its file: whoever else mapped it keeps it. Blocks of the pool are gone for this process.
    /// </summary>
    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _ = Linux.Munmap(_reserved, (nuint)_reservedBytes);
        _ = Linux.Close(Fd);
    }

    private bool Build(ReadOnlySpan<byte> descriptors, string version, PoolFlags flags)
    {
        var start = Map.Base;

        // Advice, never a condition: without huge pages the same memory comes in small ones.
        HugePagesAdvised = Posix.Advise(start + _layout.Pool, (nuint)(Map.Bytes - _layout.Pool), Posix.HugePage) == 0;

        // Guard pages before the first touch, so that they never cost memory.
        var stacks = start + _layout.Stacks;
        for (var i = 0; i <= StackCount; i++)
            if (Posix.Protect(stacks + (i * _layout.StackStride), (nuint)_page, Posix.ProtNone) != 0) return false;
        if (Posix.Advise(stacks, (nuint)(_layout.StacksEnd - _layout.Stacks), Posix.DontFork) != 0) return false;

        TouchAndLock(0, _layout.Stacks);
        for (var i = 0; i < StackCount; i++)
        {
            var stack = Map.OffsetOf(Stack(i, out var stackBytes));
            TouchAndLock(stack, stack + stackBytes);
        }

        var poolBytes = Map.Bytes - _layout.Pool;
        var overhead = Memory.Pool.OverheadFor(poolBytes);
        var ready = Math.Min(FirstBytes, poolBytes - overhead) & -Memory.Pool.Alignment;
        _dataStart = _layout.Pool + overhead;
        TouchAndLock(_layout.Pool, TagsEnd(ready));
        TouchAndLock(_dataStart & -_page, _dataStart + ready);
        Pool = Memory.Pool.Create(start + _layout.Pool, poolBytes, ready, flags);
        if (Pool == null) return false;
        for (var arena = 1; arena <= FirstArenas; arena++) Pool->OpenArena(arena, ArenaBytes);
        for (var arena = 1 + Limits.MaxThreads; arena < StackCount - 1; arena++) Pool->OpenArena(arena, StandbyArenaBytes);
        for (var arena = StackCount - 1; arena <= StackCount; arena++) Pool->OpenArena(arena, WatchdogArenaBytes);

        Publish(descriptors, version);
        return Posix.Protect(Silence, (nuint)RegionLayout.SilenceBytes, Linux.ProtRead) == 0;
    }

    // The last tags may share a page with the first data, which the data's piece counts.
    private long TagsEnd(long ready) => Math.Min(_layout.Pool + Memory.Pool.TagsEndFor(ready), _dataStart & -_page);

    private void Publish(ReadOnlySpan<byte> descriptors, string version)
    {
        var header = Map.Header;
        header->Layout = AbiVersion.Layout;
        header->HeaderBytes = (uint)sizeof(RegionHeader);
        header->Bytes = Map.Bytes;
        header->EnginePid = Environment.ProcessId;
        header->State = (uint)EngineState.Starting;
        header->StartedAt = Linux.Now();
        header->DescriptorsOffset = _layout.Descriptors;
        header->DescriptorsBytes = descriptors.Length;
        header->RequestsOffset = _layout.Requests;
        header->RepliesOffset = _layout.Replies;
        header->EventsOffset = _layout.Events;
        header->NoticesOffset = _layout.Notices;
        header->AudioStatusOffset = _layout.AudioStatus;
        header->StewardStatusOffset = _layout.StewardStatus;
        header->PoolStatsOffset = _layout.PoolStatistics;
        header->HistogramsOffset = _layout.Histograms;
        header->InstancesOffset = _layout.Instances;
        header->ThreadsOffset = _layout.Threads;
        (header->StacksOffset, header->StackStride, header->StackCount) = (_layout.Stacks, _layout.StackStride, StackCount);
        header->TraceRingsOffset = _layout.TraceRings;
        header->ClockAnchorOffset = _layout.ClockAnchor;
        header->StallsOffset = _layout.Stalls;
        header->WorkerHistogramsOffset = _layout.WorkerHistograms;
        header->LibrariesOffset = _layout.Libraries;
        header->TapsOffset = _layout.Taps;
        header->JacksOffset = _layout.Jacks;
        header->LoadsOffset = _layout.Loads;
        (header->MidiEventsOffset, header->HeardOffset) = (_layout.MidiEvents, _layout.Heard);
        (header->MidiOffset, header->MidiPortsOffset) = (_layout.Midi, _layout.MidiPorts);
        (header->ControllersOffset, header->FrameAnchorOffset) = (_layout.Controllers, _layout.FrameAnchor);
        header->PoolOffset = _layout.Pool;
        header->PoolBytes = Map.Bytes - _layout.Pool;
        header->SilenceOffset = _layout.Silence;
        var text = new Span<byte>(header->Version, 32);
        Encoding.UTF8.GetEncoder().Convert(version, text[..31], flush: true, out _, out _, out _); // whole characters, cut to fit

        descriptors.CopyTo(new Span<byte>(Map.At(_layout.Descriptors), descriptors.Length));
        SpscRing<Request>.Create(Map.At(_layout.Requests), RegionLayout.RequestEntries);
        SpscRing<Reply>.Create(Map.At(_layout.Replies), RegionLayout.ReplyEntries);
        SpscRing<ModuleEvent>.Create(Map.At(_layout.Events), RegionLayout.EventEntries);
        SpscRing<Notice>.Create(Map.At(_layout.Notices), RegionLayout.NoticeEntries);
        SpscRing<ModuleEvent>.Create(Map.At(_layout.MidiEvents), RegionLayout.MidiEventEntries);
        SpscRing<Heard>.Create(Map.At(_layout.Heard), RegionLayout.HeardEntries);
        SpscRing<StallRecord>.Create(Map.At(_layout.Stalls), RegionLayout.StallEntries);
        PublishPoolStats(out _);

        // Release: who sees the magic sees all of the above.
        Volatile.Write(ref header->Magic, AbiVersion.Magic);
    }

    // A write per page: a read would leave shared pages to fault again at their first write. Nothing lives there yet.
    // Both ends are rounded up to pages: pieces that follow each other share none, and the first piece starts on a page.
    private void TouchAndLock(long from, long to)
    {
        from = (from + _page - 1) & -_page;
        to = (to + _page - 1) & -_page;
        if (from >= to) return;
        var locked = Locks ? Posix.Lock(Map.At(from), (nuint)(to - from)) : -1;
        if (Locks && locked != 0 && LockError == 0) LockError = Marshal.GetLastSystemError();
        for (var at = from; at < to; at += _page) Interlocked.Or(ref *(int*)Map.At(at), 0);
        WantedLockedBytes += to - from;
        if (locked == 0) Interlocked.Add(ref _locked, to - from);
    }

    private static string Failed(string what, long bytes) =>
        $"region of {bytes} bytes: cannot {what} it: {new Win32Exception(Marshal.GetLastSystemError()).Message}";
}
