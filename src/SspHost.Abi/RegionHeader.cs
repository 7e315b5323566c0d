// First page of the region: who made it, whether both sides mean the same by it, and where everything lies.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// The header at offset 0. Written once by the engine before <see cref="Magic"/> is published (except <see cref="State"/>
/// and <see cref="Session"/>); offsets are bytes from the start of the region.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct RegionHeader
{
    /// <summary><see cref="AbiVersion.Magic"/>, stored last: a region without it is not ready.</summary>
    public ulong Magic;

    /// <summary><see cref="AbiVersion.Layout"/>.</summary>
    public uint Layout;

    /// <summary>sizeof this header.</summary>
    public uint HeaderBytes;

    /// <summary>Bytes of the region.</summary>
    public long Bytes;

    /// <summary>Pid of the engine.</summary>
    public int EnginePid;

    /// <summary><see cref="EngineState"/>, changed by the engine at any time.</summary>
    public uint State;

    /// <summary>Session of the control process that is served; raised at each Attach.</summary>
    public uint Session;

    /// <summary>Pid of that control process.</summary>
    public int ControlPid;

    /// <summary>Futex word: raised by the control process after a push to the request ring; the steward waits on it.</summary>
    public uint RequestBell;

    /// <summary>Futex word: raised by the steward after a push to the reply ring.</summary>
    public uint ReplyBell;

    /// <summary>CLOCK_MONOTONIC in ns when the engine process entered main, and when it was ready for requests.</summary>
    public ulong StartedAt, ReadyAt;

    /// <summary>CLOCK_MONOTONIC in ns of the first quantum; 0 before.</summary>
    public ulong FirstQuantumAt;

    /// <summary>Descriptor blob (<see cref="DescriptorBlob"/>); another one with each library, see <see cref="DescriptorsGeneration"/>.</summary>
    public long DescriptorsOffset;

    /// <inheritdoc cref="DescriptorsOffset"/>
    public long DescriptorsBytes;

    /// <summary>SpscRing of <see cref="Request"/>: control to steward.</summary>
    public long RequestsOffset;

    /// <summary>SpscRing of <see cref="Reply"/>: steward to control.</summary>
    public long RepliesOffset;

    /// <summary>SpscRing of <see cref="ModuleEvent"/>: control to audio thread.</summary>
    public long EventsOffset;

    /// <summary>SpscRing of <see cref="Notice"/>: audio thread to control.</summary>
    public long NoticesOffset;

    /// <summary>Seqlock of <see cref="AudioStatus"/>.</summary>
    public long AudioStatusOffset;

    /// <summary>Seqlock of <see cref="StewardStatus"/>.</summary>
    public long StewardStatusOffset;

    /// <summary>HistogramKind.Count times <see cref="Histogram"/>.</summary>
    public long HistogramsOffset;

    /// <summary>MaxInstances times <see cref="InstanceRecord"/>.</summary>
    public long InstancesOffset;

    /// <summary>MaxThreads times <see cref="ThreadRecord"/>.</summary>
    public long ThreadsOffset;

    /// <summary>The pool: blocks granted to the control process lie within.</summary>
    public long PoolOffset, PoolBytes;

    /// <summary>The read-only silence pages.</summary>
    public long SilenceOffset;

    /// <summary>Seqlock of <see cref="PoolStats"/>.</summary>
    public long PoolStatsOffset;

    /// <summary>Stacks of the RT threads: the first one's guard page, bytes from one to the next, and how many.</summary>
    public long StacksOffset, StackStride, StackCount;

    /// <summary>
    /// Cores of each class that the engine may use, fastest class first, and its speed relative to class 0: 1 and less. Zero cores: no
    /// such class. Written before the state is first <see cref="EngineState.Stopped"/>.
    /// </summary>
    public unsafe fixed int ClassCores[Limits.MaxCoreClasses];

    /// <inheritdoc cref="ClassCores"/>
    public unsafe fixed float ClassCapacity[Limits.MaxCoreClasses];

    /// <summary>MaxThreads offsets: of each seat's SpscRing of <see cref="TraceEvent"/>; 0: the seat was never filled. Written by the steward.</summary>
    public long TraceRingsOffset;

    /// <summary>Seqlock of <see cref="ClockAnchor"/>.</summary>
    public long ClockAnchorOffset;

    /// <summary>SpscRing of <see cref="StallRecord"/>: watchdog to control.</summary>
    public long StallsOffset;

    /// <summary>MaxThreads times <see cref="Histogram"/>: ns a quantum that each seat's thread worked in it.</summary>
    public long WorkerHistogramsOffset;

    /// <summary>
    /// CLOCK_MONOTONIC in ns since when the steward is inside a module (construct, shared data, saved state, work); 0: it is not. Written at once and
    /// not with a snapshot: a steward that does not come back publishes none.
    /// </summary>
    public ulong StewardSince;

    /// <summary>Key of that module's instance; 0: data that all of its type share.</summary>
    public ulong StewardKey;

    /// <summary>Index of its type.</summary>
    public int StewardModule;

    /// <summary>Raised by two with each change of the descriptors; odd while they change.</summary>
    public uint DescriptorsGeneration;

    /// <summary>Limits.MaxLibraries times <see cref="LibraryRecord"/>.</summary>
    public long LibrariesOffset;

    /// <summary>SignalTap.Count times <see cref="SignalTap"/>.</summary>
    public long TapsOffset;

    /// <summary>SpscRing of <see cref="ModuleEvent"/>: events thread to audio thread; 0: there is none.</summary>
    public long MidiEventsOffset;

    /// <summary>SpscRing of <see cref="Heard"/>: events thread to control.</summary>
    public long HeardOffset;

    /// <summary><see cref="MidiStatus"/>; then MidiLimits.Ports times <see cref="MidiPort"/>.</summary>
    public long MidiOffset, MidiPortsOffset;

    /// <summary><see cref="ControllerTable"/>: control to events thread.</summary>
    public long ControllersOffset;

    /// <summary>Seqlock of <see cref="FrameAnchor"/>: audio thread to events thread.</summary>
    public long FrameAnchorOffset;

    /// <summary>Name of the instance, UTF-8, zero-terminated; empty without one.</summary>
    public unsafe fixed byte StewardName[InstanceRecord.NameBytes];

    /// <summary>Version of the engine, UTF-8, zero-terminated.</summary>
    public unsafe fixed byte Version[32];

    /// <summary>A <see cref="JackBench"/>.</summary>
    public long JacksOffset;

    /// <summary>A <see cref="LoadRing"/>: the load of every block.</summary>
    public long LoadsOffset;
}

/// <summary>
/// An RT thread as it really runs: asked back from the kernel by the thread itself. Padded to whole pairs of cache lines: each thread
/// writes its own record twice a module, and a shared line would travel between cores as often.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
public unsafe struct ThreadRecord
{
    /// <summary>Kernel thread id; 0 = unused.</summary>
    public int Tid;

    /// <summary>Core it is pinned to, or -1.</summary>
    public int Core;

    /// <summary>Scheduling policy (1 = SCHED_FIFO) and priority.</summary>
    public int Policy, Priority;

    /// <summary>1 where denormals are flushed to zero, as read back from the control register.</summary>
    public int FlushToZero;

    /// <summary>1 where its stack is locked in memory.</summary>
    public int StackLocked;

    /// <summary>
    /// Slot + 1 of the module it runs at this moment, 0 between modules. The region outlives the engine: this is how a
    /// control process names the module that took the engine down.
    /// </summary>
    public int Current;

    /// <summary>Class of that core: 0 = the fastest of this machine.</summary>
    public int Class;

    /// <summary>Libraries whose runtime knows this thread (see <see cref="LibraryRecord"/>), of all that have one, in the order of their loading.</summary>
    public int Attached;

    private readonly int _pad;

    /// <summary>Bytes of its stack.</summary>
    public long StackBytes;

    /// <summary>Quanta in which it took part, and nodes it ran.</summary>
    public ulong Quanta, Nodes;

    /// <summary>Page faults and involuntary switches within quanta.</summary>
    public ulong Faults, Preemptions;

    /// <summary>Managed bytes allocated since it started playing: 0, or it is a defect.</summary>
    public ulong AllocatedBytes;

    /// <summary>Name, zero-terminated.</summary>
    public fixed byte Name[16];
}
