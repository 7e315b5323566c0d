// What the RT threads did and when: one event a zone, written at its end into a ring of the thread's own.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>What an event tells. Zones have a duration, marks have none.</summary>
public enum TraceKind : byte
{
    None = 0,

    /// <summary>Zone: a quantum from the card's input to its output (seat 0). Value = load in millionths of what it had.</summary>
    Quantum = 1,

    /// <summary>Zone: the audio thread waited for the card (seat 0).</summary>
    Wait = 2,

    /// <summary>Zone that ends where the audio thread runs: from the moment the card had a quantum and the thread had nothing else to do.</summary>
    Wake = 3,

    /// <summary>Zone: a module in a quantum. Slot = its slot, Value = low 32 bits of its key.</summary>
    Module = 4,

    /// <summary>Zone: the audio thread waited for its workers after its own last node.</summary>
    Join = 5,

    /// <summary>Zone: a new plan was taken. Value = low 32 bits of its serial.</summary>
    Swap = 6,

    /// <summary>Zone: a worker was inside a quantum. Value = nodes it ran.</summary>
    Work = 7,

    /// <summary>Mark: page faults of the thread since the mark before, in Value; only where there were some.</summary>
    Faults = 8,

    /// <summary>Mark: its core was taken from the thread that many times since the mark before.</summary>
    Preempted = 9,

    /// <summary>Mark: a late quantum that was absorbed. Value = low 32 bits of the incident's number.</summary>
    Late = 10,

    /// <summary>Mark: frames were lost. Value = low 32 bits of the incident's number, Slot = frames.</summary>
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

    /// <summary>Number of the quantum: <see cref="AudioStatus.Quanta"/> as it began. Events of one quantum have the same on all threads.</summary>
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
