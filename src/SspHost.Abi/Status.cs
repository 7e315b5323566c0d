// What the engine tells of itself at any time: snapshots for whoever looks, nobody asks an RT thread anything.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>State of the engine.</summary>
public enum EngineState : uint
{
    /// <summary>Building the region; nothing may be read yet.</summary>
    Starting = 0,

    /// <summary>Serving requests, no audio.</summary>
    Stopped = 1,

    /// <summary>Playing.</summary>
    Playing = 2,

    /// <summary>The device ended, or did not start. (One that is away is still played on.)</summary>
    DeviceLost = 3,

    /// <summary>Leaving.</summary>
    Ending = 4,
}

/// <summary>Audio as it stands, published by the audio thread after each wake-up.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct AudioStatus
{
    /// <summary>Quanta rendered since the engine started: also the epoch after which an old plan is freed.</summary>
    public ulong Quanta;

    /// <summary>Frames rendered and played, or waiting in the card's buffer, since audio started; lost ones are not among them.</summary>
    public ulong Frames;

    /// <summary>Serial of the plan that plays; 0 = none.</summary>
    public ulong PlanSerial;

    /// <summary>Quanta whose rendering took longer than they last (a buffer may still have absorbed it).</summary>
    public ulong Late;

    /// <summary>Incidents in which frames were lost, one that is still going on included.</summary>
    public ulong Dropouts;

    /// <summary>Frames lost in all.</summary>
    public ulong LostFrames;

    /// <summary>Times the card's timestamps leapt or stopped against its own frame count: nothing is lost by that.</summary>
    public ulong ClockJumps;

    /// <summary>Managed allocations on RT threads in bytes: always 0, or it is a defect.</summary>
    public ulong AllocatedBytes;

    /// <summary>Page faults on RT threads within quanta.</summary>
    public ulong Faults;

    /// <summary>Module outputs that were not finite or beyond 1000 V.</summary>
    public ulong BadOutputs;

    /// <summary>Events that could not be delivered.</summary>
    public ulong DroppedEvents;

    /// <summary>MIDI events that came after their frame: played at once, but not in time.</summary>
    public ulong LateEvents;

    /// <summary>CLOCK_MONOTONIC of this snapshot in ns.</summary>
    public ulong Time;

    /// <summary>Sample rate in Hz and frames of a quantum, as running.</summary>
    public int Rate, Quantum;

    /// <summary>Device period and periods, as running.</summary>
    public int Period, Periods;

    /// <summary>Jacks as running.</summary>
    public int Inputs, Outputs;

    /// <summary>RT threads as running.</summary>
    public int Threads;

    /// <summary>1 where RT threads run at SCHED_FIFO.</summary>
    public int RealTime;

    /// <summary>Load of the last quantum: render time over its length.</summary>
    public float Load;

    /// <summary>Gain of the master fade, 0..1.</summary>
    public float MasterGain;

    /// <summary>1 where every ramp that a plan began has ended: what leaves may be taken away.</summary>
    public int Settled;

    /// <summary>1 while the card is away: quanta go on by the clock, heard by nobody.</summary>
    public int Away;

    /// <summary>Number of the present window of levels (<see cref="OutputLevels"/>).</summary>
    public ulong Window;

    /// <summary>Peaks in volts over the last 50 to 100 ms, by jack: a reader that looks twenty times a second misses none.</summary>
    public fixed float InputPeaks[Limits.MaxJacks];

    /// <inheritdoc cref="InputPeaks"/>
    public fixed float OutputPeaks[Limits.MaxJacks];
}

/// <summary>Memory and the proof that nothing is collected, published by the steward about ten times a second.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct StewardStatus
{
    /// <summary>Bytes of the region's pool: all, in use, most ever in use, largest free block.</summary>
    public long PoolBytes, PoolLive, PoolPeak, PoolLargest;

    /// <summary>Allocations refused.</summary>
    public long PoolFailed;

    /// <summary>GC.CollectionCount of all generations since start-up ended: 0, or it is a defect.</summary>
    public long Collections;

    /// <summary>GC.GetTotalAllocatedBytes since start-up ended: 0, or it is a defect.</summary>
    public long AllocatedBytes;

    /// <summary>CLOCK_MONOTONIC of this snapshot in ns.</summary>
    public ulong Time;

    /// <summary>Bytes of the region that were to be locked in memory, and that are.</summary>
    public long LockWanted, Locked;

    /// <summary>Bytes of text, constants and data of the engine's image and its libraries that were to be locked, and that are.</summary>
    public long ImageWanted, ImageLocked;

    /// <summary>Times a thread was replaced because it was stuck or faulted, and times one was looked at because it was late.</summary>
    public ulong Takeovers, Stalls;

    /// <summary>Calls of malloc and its family on RT threads outside any module: 0, or it is a defect of the engine.</summary>
    public ulong HeapCalls;

    /// <summary>Errno of the first lock that the kernel refused; 0 = none.</summary>
    public int LockError;

    /// <summary>Module instances alive, leaving ones included.</summary>
    public int Instances;

    /// <summary>Errors the steward met that no request was waiting for.</summary>
    public int Errors;

    private readonly int _pad;
}

/// <summary>State of an instance.</summary>
public enum InstanceState : uint
{
    /// <summary>The slot is unused.</summary>
    Free = 0,

    /// <summary>In the plan that plays.</summary>
    Active = 1,

    /// <summary>No longer in the plan; its memory waits for its last reader.</summary>
    Leaving = 2,
}

/// <summary>Why a module is switched off although the patch has it on.</summary>
public enum ShedReason : int
{
    /// <summary>It is not.</summary>
    None = 0,

    /// <summary>Its outputs were not finite, beyond 1000 V, or it said so itself, three times in a second.</summary>
    Failures = 1,

    /// <summary>The patch took longer than it lasts for several quanta, and this module cost most.</summary>
    Overload = 2,

    /// <summary>It did not come back from a call. Its thread was replaced; its memory is kept until the thread has left it.</summary>
    Stuck = 3,

    /// <summary>It faulted (SIGSEGV, SIGBUS, SIGFPE or SIGILL). Its thread never leaves it.</summary>
    Fault = 4,
}

/// <summary>An instance as the control process sees it: who it is, where its telemetry lies, what it costs. Index = slot.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct InstanceRecord
{
    /// <summary>Bytes of a name, terminating zero included.</summary>
    public const int NameBytes = 32;

    /// <summary>Identity; see <see cref="PlanNode.Key"/>.</summary>
    public ulong Key;

    /// <summary>Offset of its telemetry floats in the region; 0 = none.</summary>
    public long Telemetry;

    /// <summary>Bytes of the pool it owns.</summary>
    public long Bytes;

    /// <summary>Quanta processed while module times were on, their ns in all, and the longest.</summary>
    public ulong Calls, Nanoseconds, Longest;

    /// <summary>Quanta skipped because it slept.</summary>
    public ulong Slept;

    /// <summary>
    /// Of <see cref="Calls"/> and <see cref="Nanoseconds"/>, those in which it was awake on a core of class 1, 2, ...; the rest are class 0's.
    /// </summary>
    public fixed ulong SlowCalls[Limits.MaxCoreClasses - 1];

    /// <inheritdoc cref="SlowCalls"/>
    public fixed ulong SlowNanoseconds[Limits.MaxCoreClasses - 1];

    /// <summary>Outputs that were not finite or beyond 1000 V.</summary>
    public ulong BadOutputs;

    /// <summary>Calls of malloc and its family on an RT thread inside it: 0, or it is a defect of the module.</summary>
    public ulong HeapCalls;

    /// <summary>Bytes of the pool that its library holds by malloc, beyond <see cref="Bytes"/>.</summary>
    public long HeapBytes;

    /// <summary>
    /// Offset of its <see cref="SspHost.Abi.Histogram"/> of ns a quantum, of all <see cref="Calls"/> while histograms were on; 0 = none. It lies in the
    /// instance's memory: a reader looks at <see cref="Key"/> and <see cref="State"/> again after it copied.
    /// </summary>
    public long Histogram;

    /// <summary>Offset of the <see cref="OutputLevels"/> of its outputs; 0 = it has none. As with <see cref="Histogram"/>: look again after copying.</summary>
    public long Levels;

    /// <summary>
    /// Offset of its parameters as they play: number i at float i * <see cref="Limits.GridPoints"/>, with all that moves it (ramps, controllers, voltages);
    /// 0 = it has none. As with <see cref="Histogram"/>.
    /// </summary>
    public long Parameters;

    /// <summary>Latency and tail in frames, as the module declared them.</summary>
    public long TailFrames;

    public int LatencyFrames;

    /// <summary>Index of the module type.</summary>
    public int Module;

    public InstanceState State;

    /// <summary>Whether and why it is switched off; <see cref="RequestKind.RestoreModule"/> switches it on again.</summary>
    public ShedReason Shed;

    public fixed byte Name[NameBytes];
}

/// <summary>What happened, from the audio thread to whoever shows it.</summary>
public enum NoticeKind : uint
{
    None = 0,

    /// <summary>
    /// A quantum took longer than it lasts. A = ns it took, B = ns it had, Slot and Key = the module that took longest in it (none where
    /// module times are off), C = its ns.
    /// </summary>
    Late = 1,

    /// <summary>
    /// Frames were lost; after the incident, when their number is known. A = frames, B = a <see cref="DropoutCause"/>; after a slow
    /// quantum, Slot, Key and C as in <see cref="Late"/>.
    /// </summary>
    Dropout = 2,

    /// <summary>A module's output was not finite or beyond 1000 V; it was silenced and reset. A = output port.</summary>
    BadOutput = 3,

    /// <summary>
    /// A module was switched off, until it is restored or bypassed and back. A = a <see cref="ShedReason"/>; B = ns a quantum it cost
    /// (Overload), ns it was stuck (Stuck) or the signal (Fault).
    /// </summary>
    ModuleShed = 4,

    /// <summary>The device ended by itself (a recording is over). A = frames.</summary>
    DeviceEnded = 5,

    /// <summary>The device failed for good: it did not start, or nobody looks for it. A = errno.</summary>
    DeviceLost = 6,

    /// <summary>
    /// The card went away, or stands still; playing goes on by itself when it is back, which a Dropout of the same incident tells. A = errno
    /// (0: not known).
    /// </summary>
    DeviceAway = 7,

    /// <summary>The card's timestamps leapt against its frame count. A = ns (0: they stopped, or are missing). Nothing is lost by that.</summary>
    ClockJump = 8,

    /// <summary>
    /// The card that is away is there again, at another sample rate; it plays once the control process starts it at that one. A = Hz, B = Hz
    /// before. Of the incident of its DeviceAway.
    /// </summary>
    DeviceRate = 17,

    /// <summary>
    /// malloc or one of its family was called on an RT thread: inside a module (Slot, Key), or in none (Slot -1). A = calls so far. Not from the
    /// engine: the control process finds it in the counters, and tells it once a module.
    /// </summary>
    HeapCalls = 32,
}

/// <summary>Why frames were lost.</summary>
public enum DropoutCause : int
{
    Unknown = 0,

    /// <summary>A quantum was rendered too slowly.</summary>
    SlowRender = 1,

    /// <summary>The audio thread was woken, or got its core, too late.</summary>
    LateWakeUp = 2,

    /// <summary>The device reported it without a reason on our side.</summary>
    Device = 3,

    /// <summary>The card was away.</summary>
    Unplugged = 4,

    /// <summary>Capture and playback run by clocks that drift apart: frames captured were skipped, or repeated.</summary>
    Drift = 8,
}

/// <summary>A notice.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Notice
{
    public NoticeKind Kind;

    /// <summary>Slot of the module concerned, or -1.</summary>
    public int Slot;

    /// <summary>Key of that module.</summary>
    public ulong Key;

    /// <summary>Number of the incident: each has one.</summary>
    public ulong Incident;

    /// <summary>Frame counter.</summary>
    public ulong Frame;

    /// <summary>CLOCK_MONOTONIC in ns.</summary>
    public ulong Time;

    public long A, B, C;

    /// <summary>
    /// Of Late and Dropout: page faults of the audio thread, and times its core was taken from it, from the end of the wake-up before until now. A
    /// module that was preempted is long and not guilty. Those of workers come as trace events of the same quantum.
    /// </summary>
    public uint Faults, Preemptions;
}

/// <summary>Histograms of the audio thread, in this order in the region.</summary>
public enum HistogramKind : int
{
    /// <summary>Rendering of a quantum in ns.</summary>
    Quantum = 0,

    /// <summary>Wake-up: ns from the moment the device had a quantum to the audio thread running.</summary>
    Wake = 1,

    /// <summary>Join: ns the audio thread waited for its workers after its own last node.</summary>
    Join = 2,

    /// <summary>Load in millionths (render time / budget * 10^6), so that one histogram answers at any rate.</summary>
    Load = 3,

    /// <summary>Taking a new plan, in ns: what an edit costs the audio thread.</summary>
    Swap = 4,

    /// <summary>Rendering of the quantum in which a plan was taken, that included, in ns: its memory is cold.</summary>
    SwapQuantum = 5,

    Count = 6,
}
