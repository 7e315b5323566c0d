// Everything RT threads share, in one block of the pool, laid out by who writes it.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>
/// The crew's meeting point. Each word that another thread writes in the middle of a quantum has 128 bytes to itself: on x86 the
/// prefetcher fetches lines in pairs, some arm64 lines are 128 bytes, and a shared line would cost every node a miss.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 128 * 13)]
internal unsafe struct Crew
{
    /// <summary>The quantum is open: workers may enter.</summary>
    public const ulong Open = 1UL << 31;

    /// <summary>Workers inside.</summary>
    public const ulong EnteredMask = Open - 1;

    // Written by the audio thread between quanta, read by all.
    [FieldOffset(0)] public Plan* Plan;
    [FieldOffset(8)] public int Workers;
    [FieldOffset(12)] public int Wanted;
    [FieldOffset(16)] public int Stop;

    /// <summary>Workers on cores slower than the crew's fastest; Workers and Wanted are about the others.</summary>
    [FieldOffset(20)] public int SlowCrew;

    // How long to wait awake, in ticks of the cycle clock.
    [FieldOffset(24)] public ulong IdleTicks;
    [FieldOffset(32)] public ulong StarvedTicks;
    [FieldOffset(40)] public ulong JoinTicks;

    /// <summary>Cycle clock when the quantum was opened, where the plan has use for slow workers.</summary>
    [FieldOffset(48)] public ulong OpenedAt;

    /// <summary>How long the audio thread works alone in a plan that dozed, in ticks.</summary>
    [FieldOffset(56)] public ulong AloneTicks;

    /// <summary>When the quantum should be over, by the cycle clock; 0: nobody minds.</summary>
    [FieldOffset(64)] public ulong Deadline;

    /// <summary>Generation (32 bits), open (1 bit), workers entered (31 bits): entering is one CAS that proves all three at once.</summary>
    [FieldOffset(128)] public ulong Gate;

    /// <summary>Nodes not finished; each thread subtracts what it ran when it runs dry, not node by node.</summary>
    [FieldOffset(256)] public int Remaining;

    /// <summary>Workers that sleep or are about to.</summary>
    [FieldOffset(384)] public int Sleepers;

    /// <summary>Futex word of the workers.</summary>
    [FieldOffset(512)] public uint Bell;

    /// <summary>Futex word of the join.</summary>
    [FieldOffset(640)] public uint JoinBell;

    /// <summary>1 while the audio thread sleeps in the join, or is about to.</summary>
    [FieldOffset(768)] public int JoinWaiting;

    /// <summary>1 from the moment a worker is called for an offered node until one has come: one system call, not one for each node offered meanwhile.</summary>
    [FieldOffset(896)] public int Called;

    /// <summary>Threads that look for a node in vain: whoever holds several gives them back.</summary>
    [FieldOffset(1024)] public int Hungry;

    // Sleepers, Bell and Called of the slow workers: they are called for other nodes than the others.
    [FieldOffset(1152)] public int SlowSleepers;
    [FieldOffset(1280)] public uint SlowBell;
    [FieldOffset(1408)] public int SlowCalled;

    /// <summary>Nodes that did not have to be processed; added as Remaining is taken from.</summary>
    [FieldOffset(1536)] public int Slept;
}

/// <summary>A command of the steward that only the audio thread may carry out while it plays.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Mailbox
{
    public const uint Idle = 0, Posted = 1, Taken = 2, Done = 3, Stuck = 4;

    public uint State;
    public RequestKind Kind;
    public Instance* Instance;
    public void* Data;
    public int Index, Bytes;
    public uint Version;
    public int Result;
}

/// <summary>The audio thread's own state and what RT threads read of it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RenderState
{
    public Crew Crew;

    // Read by every node.
    public ulong Time;
    public ulong Quantum;
    public ulong BroadcastQuantum;
    public ModuleEvent* Events;
    public int EventCount;
    public int Frames;
    public float Rate;
    public int RampSteps;

    /// <summary>Frames and shape of a gain's ramp.</summary>
    public int FadeFrames;
    public float* FadeShape;
    public uint Diagnostics;

    /// <summary>DiagnosticFlags.ModuleTimes while the audio thread needs to know what costs most.</summary>
    public int Judging;
    public int Threads;

    /// <summary>Ticks of the cycle clock that a quantum may take before somebody looks why; 0: for ever. [steward, stopped]</summary>
    public ulong PatienceTicks;

    /// <summary>Class of each thread's core, and the fastest among them. [steward, stopped]</summary>
    public fixed byte Classes[Limits.MaxThreads];
    public int FastClass;
    public float* Silence;
    public ThreadRecord* ThreadRecords;
    public Seat* Seats;

    /// <summary>Ghost.Most of them.</summary>
    public Ghost* Ghosts;

    /// <summary>Number of the present window of levels, its frames in all and those to come.</summary>
    public ulong Window;
    public int WindowFrames, WindowLeft;

    /// <summary>The taps, and 1 + node that each is marked in.</summary>
    public SignalTap* Taps;
    public fixed int TapNodes[SignalTap.Count];

    /// <summary>Nodes that failed in this quantum.</summary>
    public int Failed;

    private fixed byte _pad[128];

    // Audio thread; the steward reads.
    public Plan* Current;

    /// <summary>Quanta rendered: the epoch after which a replaced plan is freed.</summary>
    public ulong Quanta;

    public ulong BadOutputs;
    public ulong DroppedEvents, LateEvents;
    public ulong Incidents;
    public ulong LastJoin, LastSwap;
    public float* JackIn;

    /// <summary>Frames until every ramp that a plan began has ended.</summary>
    public int Unsettled;

    /// <summary>Late quanta, less those in time; and quanta until it counts again.</summary>
    public int Overload, Respite;

    /// <summary>Events taken from the ring that are not due yet, in order of time.</summary>
    public ModuleEvent* Held;
    public int HeldCount;

    // Steward writes, audio thread takes.
    private fixed byte _pad2[128];
    public Plan* Published;
    public Mailbox Mailbox;

    /// <summary>Bit of each slot whose module asked for work.</summary>
    public fixed ulong WorkPending[Limits.MaxInstances / 64];
}
