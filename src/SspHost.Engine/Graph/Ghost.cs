// A thread that is stuck in a module, and what must be kept for as long as it is.
using System.Runtime.InteropServices;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Graph;

/// <summary>Entered by the watchdog, removed by the steward once the thread is parked.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Ghost
{
    public const uint Free = 0, Inside = 1;

    /// <summary>Ghosts at a time at most: each has cost a standby.</summary>
    public const int Most = RtThread.Standbys;

    public uint State;

    /// <summary>Buffer area of <see cref="Plan"/> whose addresses it was given.</summary>
    public int Area;

    public RtThread* Thread;
    public Instance* Instance;

    /// <summary>The plan whose node it is in; null: a command.</summary>
    public Plan* Plan;

    /// <summary>Block that a command handed to it.</summary>
    public void* Data;

    /// <summary>Asset that the command replaced, or data shared by its type that were made for another rate: freed with the ghost. [steward]</summary>
    public void* Orphan;
}
