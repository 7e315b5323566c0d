// What the kernel counted at one moment, kept as it was read: two of these make a window.
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Diagnostics;

/// <summary>A thread at one moment. Counters grow since it began.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ThreadSample
{
    public const int NameBytes = 16;

    public int Tid, Core, Policy, Priority;

    /// <summary>Ticks since boot when it began: tids come again, this does not.</summary>
    public ulong Start;

    /// <summary>ns it computed, ns it was ready and waited for its core, times it got it; 0 without <see cref="HasSched"/>.</summary>
    public ulong CpuNs, WaitNs, Slices;

    /// <summary>Its CPU time in ticks of 10 ms.</summary>
    public ulong Ticks;

    public ulong MinorFaults, MajorFaults, Voluntary, Involuntary;
    public byte State;

    /// <summary>Which of its files could be read.</summary>
    public bool HasSched, HasSwitches;

    public fixed byte Name[NameBytes];

    public readonly string NameText
    {
        get
        {
            fixed (byte* name = Name)
            {
                var bytes = new ReadOnlySpan<byte>(name, NameBytes);
                var end = bytes.IndexOf((byte)0);
                return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
            }
        }
    }
}

/// <summary>A process at one moment.</summary>
internal sealed class ProcessSample
{
    public int Pid;

    /// <summary>Ticks since boot when it began; 0: there is none.</summary>
    public ulong Start;

    public ulong MinorFaults, MajorFaults;

    /// <summary>Bytes; -1: not known.</summary>
    public long Resident = -1, Locked = -1, Swapped = -1;

    /// <summary>Open files; -1: not known.</summary>
    public int Files = -1;

    /// <summary>Threads beyond those kept.</summary>
    public int LeftOut;

    /// <summary>Threads ascending by tid.</summary>
    public ThreadSample[] Threads = new ThreadSample[UsualThreads]; // at once, not in the course of the first minute, when it is at rest

    private const int UsualThreads = 32;

    public int Count;

    public ReadOnlySpan<ThreadSample> All => Threads.AsSpan(0, Count);

    public void Clear()
    {
        (Pid, Start, MinorFaults, MajorFaults, Resident, Locked, Swapped, Files, LeftOut, Count) = (0, 0, 0, 0, -1, -1, -1, -1, 0, 0);
    }

    public void CopyTo(ProcessSample other)
    {
        (other.Pid, other.Start, other.MinorFaults, other.MajorFaults) = (Pid, Start, MinorFaults, MajorFaults);
        (other.Resident, other.Locked, other.Swapped, other.Files, other.LeftOut) = (Resident, Locked, Swapped, Files, LeftOut);
        if (other.Threads.Length < Count) other.Threads = new ThreadSample[Threads.Length];
        All.CopyTo(other.Threads);
        other.Count = Count;
    }
}

/// <summary>What the system counted.</summary>
internal struct SystemSample
{
    /// <summary>Some and full, of cpu, memory and io, in that order.</summary>
    public PressureLine CpuSome, CpuFull, MemorySome, MemoryFull, IoSome, IoFull;

    public double Load1, Load5, Load15;
    public ulong SwapIn, SwapOut, MajorFaults;

    /// <summary>Bytes; -1: not known.</summary>
    public long MemoryTotal, MemoryAvailable, SwapTotal, SwapFree, DiskFree, DiskTotal;

    /// <summary>Thousandths of a degree of the hottest zone; <see cref="int.MinValue"/>: not known.</summary>
    public int Temperature;

    /// <summary>Times the processor was slowed because it was hot, and the sum of the states of its cooling devices; -1: not known.</summary>
    public long Throttled, Cooling;

    public bool HasLoad, HasVmstat;

    public static SystemSample None => new()
    {
        MemoryTotal = -1, MemoryAvailable = -1, SwapTotal = -1, SwapFree = -1, DiskFree = -1, DiskTotal = -1, Temperature = int.MinValue, Throttled = -1, Cooling = -1,
    };
}

/// <summary>Everything at one moment.</summary>
internal sealed class Snapshot
{
    /// <summary>CLOCK_MONOTONIC in ns.</summary>
    public ulong Time;

    public ProcessSample Engine { get; } = new();

    /// <summary>The control process.</summary>
    public ProcessSample Control { get; } = new();

    public SystemSample System = SystemSample.None;

    public CoreTicks[] Cores = [];

    /// <summary>kHz by place in <see cref="Cores"/>; 0: not known.</summary>
    public int[] Kilohertz = [];

    public int CoreCount;

    public void CopyTo(Snapshot other)
    {
        other.Time = Time;
        Engine.CopyTo(other.Engine);
        Control.CopyTo(other.Control);
        other.System = System;
        if (other.Cores.Length < CoreCount) (other.Cores, other.Kilohertz) = (new CoreTicks[Cores.Length], new int[Cores.Length]);
        Cores.AsSpan(0, CoreCount).CopyTo(other.Cores);
        Kilohertz.AsSpan(0, CoreCount).CopyTo(other.Kilohertz);
        other.CoreCount = CoreCount;
    }
}
