// Where everything lies in the region: computed once, told to both sides through the header.
using SspHost.Abi;

namespace SspHost.Engine.Memory;

/// <summary>Offsets in bytes from the start of the region. Small pages first, then from a 2 MiB border on the pool.</summary>
internal readonly struct RegionLayout
{
    /// <summary>Entries of the rings. Events: a quantum takes 256 at most, and the control process may be late by several.</summary>
    public const int RequestEntries = 256, ReplyEntries = 256, EventEntries = 4096, NoticeEntries = 1024,
        StallEntries = 16, MidiEventEntries = 2048, HeardEntries = 4096;

    /// <summary>Bytes of a huge page.</summary>
    public const long HugePage = 2 << 20;

    /// <summary>Bytes of the stack of an RT thread, its guard pages not counted.</summary>
    public const long StackBytes = 256 << 10;

    /// <summary>Stacks: the audio thread's, the workers', the standbys', the watchdog's and the events thread's.</summary>
    public const int StackCount = Limits.MaxThreads + SspHost.Engine.Threads.RtThread.Standbys + 2;

    /// <summary>Bytes of silence: sixteen channels of the longest quantum.</summary>
    public const long SilenceBytes = Limits.MaxChannels * Limits.MaxQuantum * sizeof(float);

    // 128: adjacent-line prefetch on x86, 128-byte lines on some arm64.
    private const long Line = 128;

    public readonly long Requests, Replies, Events, Notices, AudioStatus, StewardStatus, PoolStatistics, Histograms, Instances, Threads,
        TraceRings, ClockAnchor, Stalls, WorkerHistograms, Libraries, Taps, Jacks, Loads, MidiEvents, Heard, Midi, MidiPorts, Controllers, FrameAnchor, Descriptors;
    public readonly long Silence, Stacks, StackStride, StacksEnd, Pool;

    public unsafe RegionLayout(long page, long descriptorBytes)
    {
        var at = page;
        Requests = Take(ref at, SpscRing<Request>.BytesFor(RequestEntries), Line);
        Replies = Take(ref at, SpscRing<Reply>.BytesFor(ReplyEntries), Line);
        Events = Take(ref at, SpscRing<ModuleEvent>.BytesFor(EventEntries), Line);
        Notices = Take(ref at, SpscRing<Notice>.BytesFor(NoticeEntries), Line);
        AudioStatus = Take(ref at, sizeof(Seqlock<AudioStatus>), Line);
        StewardStatus = Take(ref at, sizeof(Seqlock<StewardStatus>), Line);
        PoolStatistics = Take(ref at, sizeof(Seqlock<PoolStats>), Line);
        Histograms = Take(ref at, (int)HistogramKind.Count * sizeof(Histogram), Line);
        Instances = Take(ref at, Limits.MaxInstances * (long)sizeof(InstanceRecord), Line);
        Threads = Take(ref at, Limits.MaxThreads * (long)sizeof(ThreadRecord), Line);
        TraceRings = Take(ref at, Limits.MaxThreads * sizeof(long), Line);
        ClockAnchor = Take(ref at, sizeof(Seqlock<ClockAnchor>), Line);
        Stalls = Take(ref at, SpscRing<StallRecord>.BytesFor(StallEntries), Line);
        WorkerHistograms = Take(ref at, Limits.MaxThreads * (long)sizeof(Histogram), Line);
        Libraries = Take(ref at, Limits.MaxLibraries * (long)sizeof(LibraryRecord), Line);
        Taps = Take(ref at, SignalTap.Count * (long)sizeof(SignalTap), Line);
        Jacks = Take(ref at, sizeof(JackBench), Line);
        Loads = Take(ref at, LoadRing.Bytes, Line);
        MidiEvents = Take(ref at, SpscRing<ModuleEvent>.BytesFor(MidiEventEntries), Line);
        Heard = Take(ref at, SpscRing<Heard>.BytesFor(HeardEntries), Line);
        Midi = Take(ref at, sizeof(MidiStatus), Line);
        MidiPorts = Take(ref at, MidiLimits.Ports * (long)sizeof(MidiPort), Line);
        Controllers = Take(ref at, ControllerTable.Bytes, Line);
        FrameAnchor = Take(ref at, sizeof(Seqlock<FrameAnchor>), Line);
        Descriptors = Take(ref at, descriptorBytes, Line);
        Silence = Take(ref at, SilenceBytes, page);

        // guard, stack, guard, stack ... guard: what runs over a stack meets a guard page, never another stack.
        StackStride = page + Align(StackBytes, page);
        Stacks = Take(ref at, (StackCount * StackStride) + page, page);
        StacksEnd = at;
        Pool = Align(at, HugePage);
    }

    private static long Take(ref long at, long bytes, long alignment)
    {
        var start = Align(at, alignment);
        at = start + bytes;
        return start;
    }

    private static long Align(long value, long to) => (value + to - 1) & ~(to - 1);
}
