// What the watchdog found out about a thread that was late: addresses and counters only; the control process makes words of them.
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// One thread that passed its deadline, looked at two or three times 50 to 100 us apart. Counters are of the thread between the first look and the
/// last; the addresses are return addresses, innermost first, as the thread's own signal handler walked them.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct StallRecord
{
    /// <summary>Looks at most, and frames of each.</summary>
    public const int Samples = 3, Frames = 24;

    /// <summary>CLOCK_MONOTONIC in ns when it was noticed.</summary>
    public ulong Time;

    /// <summary>Quantum it was in.</summary>
    public ulong Quantum;

    /// <summary>Key of the module it was in; 0: none.</summary>
    public ulong Key;

    /// <summary>ns since the quantum began, and ns it had.</summary>
    public ulong Elapsed, Budget;

    /// <summary>Between first and last look: ns that passed, that the thread computed, that it was ready and did not get its core.</summary>
    public ulong Window, CpuTime, RunDelay;

    /// <summary>Faults and switches of the thread in that time.</summary>
    public uint MinorFaults, MajorFaults, VoluntarySwitches, Preemptions;

    /// <summary>Seat (0 = audio thread), kernel id of its thread, slot of the module or -1, and the core it is pinned to or -1.</summary>
    public int Seat, Tid, Slot, Core;

    /// <summary>The system call it is in as the kernel tells; -1: none, -2: not known.</summary>
    public int SystemCall;

    /// <summary>Thread that holds the mutex it waits for, as the mutex's memory has it; 0: it waits for none, or nobody knows.</summary>
    public int Owner;

    /// <summary>First argument of that call: a futex's address, a file's descriptor.</summary>
    public ulong Argument;

    /// <summary>State letters of the looks ('R' runs or waits for a core, 'S' sleeps, 'D' waits for a device), the first in the lowest byte.</summary>
    public uint States;

    /// <summary>Looks there are, and those whose walk came to where the thread began.</summary>
    public int SampleCount, Complete;

    /// <summary>Frames of each look; 0: the thread did not get to run its handler.</summary>
    public fixed int FrameCounts[Samples];

    /// <summary>Address at which it was interrupted, then its return addresses.</summary>
    public fixed ulong Addresses[Samples * Frames];

    /// <summary>Where it waits in the kernel (/proc/TID/wchan), zero-terminated; empty: it does not, or nobody says.</summary>
    public fixed byte Wait[32];
}
