// A late thread's own walk of its stack, asked for by signal: the handler is C, the place for the addresses is ours.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Threads;

/// <summary>One walk. The same struct in C. States: 0 idle, 1 asked for, 2 walking, 3 done.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SampleCell
{
    internal const uint Idle = 0, Asked = 1, Done = 3;

    internal uint State;

    /// <summary>Signals that have arrived: none is sent while one is on its way.</summary>
    internal uint Ran;

    internal int Count;

    /// <summary>1: the walk ends where the thread began.</summary>
    internal int Complete;

    /// <summary>The thread's stack, and the function it began in.</summary>
    internal ulong Low, High, Entry, EntryEnd;
    internal fixed ulong Addresses[StallRecord.Frames];
}

/// <summary>
/// SIGRTMIN+8, whose handler uses no memory but the thread's signal stack, no lock and no system call. A thread that sleeps in the kernel is woken
/// by it (EINTR, where the call does not begin anew by itself): so only those are asked that are late.
/// </summary>
internal static unsafe partial class Samples
{
    private const string Library = "libssphost_native";

    /// <summary>Installs the handler, once, and loads what a walk needs; 0 or an errno. [start-up]</summary>
    [LibraryImport(Library, EntryPoint = "ssp_sample_install")]
    internal static partial int Install();

    /// <summary>The calling thread walks into this cell; null: no longer.</summary>
    [LibraryImport(Library, EntryPoint = "ssp_sample_watch")]
    internal static partial void Watch(SampleCell* cell);

    [LibraryImport(Library, EntryPoint = "ssp_sample_poke")]
    private static partial int Poke(int tid);

    /// <summary>
    /// Asks a thread for a walk and gives it some time. False: it did not get to it, because it has no core, is stopped, or is deep in the kernel;
    /// it then finds nobody waiting when it does. [watchdog]
    /// </summary>
    internal static bool Take(SampleCell* cell, int tid, ref uint sent, ulong patienceNs)
    {
        const ulong Nap = 25_000;
        uint never = 0;
        Volatile.Write(ref cell->State, SampleCell.Asked);
        if (Volatile.Read(ref cell->Ran) == sent)
        {
            if (Poke(tid) != 0) return Withdraw(cell);
            sent++;
        }

        for (ulong waited = 0; Volatile.Read(ref cell->State) != SampleCell.Done; waited += Nap)
        {
            // Sleeping, not spinning: the thread may need this very core.
            if (waited >= patienceNs && !IsWalking(cell)) return Withdraw(cell);
            Linux.Wait(&never, 0, Nap);
        }

        return true;
    }

    /// <summary>The cell is free for the next walk.</summary>
    internal static void Release(SampleCell* cell) => Volatile.Write(ref cell->State, SampleCell.Idle);

    private static bool IsWalking(SampleCell* cell) => Volatile.Read(ref cell->State) > SampleCell.Asked;

    private static bool Withdraw(SampleCell* cell)
    {
        uint never = 0;
        if (Interlocked.CompareExchange(ref cell->State, SampleCell.Idle, SampleCell.Asked) == SampleCell.Asked) return false;
        for (var tries = 0; tries < 40 && Volatile.Read(ref cell->State) != SampleCell.Done; tries++) Linux.Wait(&never, 0, 25_000); // it began at this moment
        return Volatile.Read(ref cell->State) == SampleCell.Done;
    }
}
