// System calls of the memory benchmark: malloc as the process has it, pages outside every allocator, priority, core, faults.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.EngineHost.Bench;

internal static unsafe partial class MemoryBenchPosix
{
    [LibraryImport("libc", EntryPoint = "malloc")]
    [SuppressGCTransition]
    public static partial void* Malloc(nuint bytes);

    [LibraryImport("libc", EntryPoint = "free")]
    [SuppressGCTransition]
    public static partial void Free(void* block);

    /// <summary>A page that holds <paramref name="code"/>; null where there is none or the system forbids it.</summary>
    public static void* ExecutablePage(ReadOnlySpan<byte> code)
    {
        var page = Pages(4096, execute: !code.IsEmpty);
        if (page == null || code.IsEmpty) return null;
        code.CopyTo(new Span<byte>(page, code.Length));
        return page;
    }

    /// <summary>Fresh anonymous pages, touched; null on failure.</summary>
    public static byte* Pages(long bytes, bool execute = false)
    {
        var p = (byte*)Linux.Mmap(null, (nuint)bytes, 3 | (execute ? 4 : 0), 0x22, -1, 0);
        if ((nint)p == -1) return null;
        for (long i = 0; i < bytes; i += 4096) p[i] = 0;
        return p;
    }

    /// <summary>Pins this thread to a core.</summary>
    public static bool Pin(int core)
    {
        var mask = stackalloc ulong[16];
        new Span<ulong>(mask, 16).Clear();
        mask[core >> 6] = 1UL << (core & 63);
        return SetAffinity(0, 128, mask) == 0;
    }

    /// <summary>SCHED_FIFO 80 for this thread.</summary>
    public static bool MakeRealTime()
    {
        var priority = 80;
        return SetScheduler(0, 1, &priority) == 0;
    }

    /// <summary>Minor and major page faults of this thread.</summary>
    public static long Faults()
    {
        var usage = stackalloc long[18]; // struct rusage: two timevals, then fourteen longs
        return GetUsage(1, usage) == 0 ? usage[8] + usage[9] : 0;
    }

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int pid, nuint bytes, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SetScheduler(int pid, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static partial int GetUsage(int who, long* usage);
}
