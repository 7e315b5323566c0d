// What the RT threads did and when: one event a zone, written at its end into a ring of the thread's own.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// What an event tells. Zones have a duration, marks have none. The zones of a seat nest or are disjoint, also where a thread was replaced: Wake lies
/// in Wait and ends with it, Module, Join and Swap lie in Quantum, Module lies in Work, and Quantum and Wait take turns. A zone is written at its
/// end, the inner one first where two end together; so events of a ring are in the order of their ends, not of their beginnings.
/// </summary>
public enum TraceKind : byte
{
    None = 0,

    /// <summary>Zone: a quantum from the card's input to its output (seat 0). Value = load in millionths of what it had.</summary>
    Quantum = 1,

    /// <summary>Zone: the audio thread waited for the card (seat 0).</summary>
    Wait = 2,

    /// <summary>
    /// Zone at the end of a Wait: from the moment the card had a quantum and the thread had nothing else to do until the thread runs. Value = ns it
    /// was late, as in the histogram; the zone is cut where the thread had not begun to wait by then.
    /// </summary>
    Wake = 3,

    /// <summary>
    /// Zone: a module in a quantum, what it took to find it included. Slot = its slot, Value = low 32 bits of its key. None where it slept or was
    /// bypassed, and none for a call that its thread was replaced in.
    /// </summary>
    Module = 4,

    /// <summary>Zone: the audio thread waited for its workers after its own last node (seat 0), in quanta that were open to workers.</summary>
    Join = 5,

    /// <summary>Zone: a new plan was taken. Value = low 32 bits of its serial.</summary>
    Swap = 6,

    /// <summary>Zone: a worker was inside a quantum. Value = nodes it ran. One that is called again has several in it.</summary>
    Work = 7,

    /// <summary>
    /// Mark: page faults of the thread since it was last asked, in Value; only where there were some. The audio thread is asked after each wake-up, a
    /// worker before it sleeps and every 256 quanta. Quantum = the last one it took part in.
    /// </summary>
    Faults = 8,

    /// <summary>Mark: its core was taken from the thread, in Value how many times; else as <see cref="Faults"/>.</summary>
    Preempted = 9,

    /// <summary>Mark: a late quantum that was absorbed. Value = low 32 bits of the incident's number.</summary>
    Late = 10,

    /// <summary>Mark: frames were lost. Value = low 32 bits of the incident's number, Slot = frames; -1: not known yet, the card has gone.</summary>
    Dropout = 11,

    /// <summary>Mark: the thread of this seat was replaced by a standby. Slot = the module it was stuck in.</summary>
    Takeover = 12,
}

/// <summary>An event, 32 bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct TraceEvent
{
    /// <summary>Start by the engine's cycle clock; <see cref="ClockAnchor"/> leads to CLOCK_MONOTONIC.</summary>
    public ulong Ticks;

    /// <summary>
    /// Number of the quantum: <see cref="AudioStatus.Quanta"/> as it began. Events of one quantum have the same on all threads; a Wait and its Wake
    /// have that of the quantum they end in.
    /// </summary>
    public ulong Quantum;

    /// <summary>Length in ticks of that clock; what does not fit is the largest number that does.</summary>
    public uint Duration;

    public uint Value;

    /// <summary>Slot of a module, or -1.</summary>
    public int Slot;

    public TraceKind Kind;

    /// <summary>Always 0.</summary>
    public byte Spare;

    /// <summary>Core the seat is pinned to; 0xFFFF: none.</summary>
    public ushort Core;
}

/// <summary>
/// The cycle clock and CLOCK_MONOTONIC at one moment, published by the steward about ten times a second: a reader goes on from the two newest,
/// because the kernel slews the one against the other.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct ClockAnchor
{
    public ulong Ticks, Nanoseconds;

    /// <summary>Ticks a second, as measured at start.</summary>
    public double Frequency;
}

/// <summary>Sizes of the trace.</summary>
public static class TraceLimits
{
    /// <summary>Events a ring holds: with 40 modules at 32 frames a reader may be gone for half a second.</summary>
    public const int RingEvents = 32_768;
}
