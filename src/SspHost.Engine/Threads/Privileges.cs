// What the system lets us do: SCHED_FIFO, locked memory. Asked once at start, by trying.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Threads;

/// <summary>Rights of this process as found by <see cref="Probe"/>.</summary>
/// <param name="CanFifo">SCHED_FIFO at the priority asked for was granted when tried.</param>
/// <param name="RtPriorityLimit">RLIMIT_RTPRIO: highest priority an unprivileged process may take; 0 = none.</param>
/// <param name="MemlockBytes">RLIMIT_MEMLOCK in bytes, or <see cref="ulong.MaxValue"/>. Root is not bound by it.</param>
/// <param name="Root">Effective uid 0.</param>
/// <param name="RtRuntimeMicroseconds">
/// sched_rt_runtime_us: of each second (sched_rt_period_us) FIFO threads may run this long before the kernel freezes them; -1 = no limit,
/// 0 = unknown.
/// </param>
public readonly record struct Privileges(bool CanFifo, ulong RtPriorityLimit, ulong MemlockBytes, bool Root, int RtRuntimeMicroseconds)
{
    /// <summary>
    /// Raises the soft limits to the hard ones, as any process may, and tries SCHED_FIFO at <paramref name="priority"/> on the calling
    /// thread for
    /// a moment: containers and cgroups refuse in ways no limit shows. [start-up, an ordinary thread]
    /// </summary>
    public static unsafe Privileges Probe(int priority)
    {
        var rtPriority = RaiseToHard(ThreadCalls.RLimitRtPrio);
        var memlock = RaiseToHard(ThreadCalls.RLimitMemlock);
        var canFifo = false;
        int before;
        var policy = ThreadCalls.GetScheduler(0);
        if (policy >= 0 && ThreadCalls.GetParam(0, &before) == 0)
        {
            canFifo = ThreadCalls.SetScheduler(0, ThreadCalls.SchedFifo, &priority) == 0;
            if (canFifo) _ = ThreadCalls.SetScheduler(0, policy, &before);
        }

        return new Privileges(canFifo, rtPriority, memlock, ThreadCalls.GetEuid() == 0, ReadRtRuntime());
    }

    private static unsafe ulong RaiseToHard(int resource)
    {
        ThreadCalls.RLimit limit;
        if (ThreadCalls.GetRLimit(resource, &limit) != 0) return 0;
        if (limit.Soft == limit.Hard) return limit.Soft;
        var raised = new ThreadCalls.RLimit { Soft = limit.Hard, Hard = limit.Hard };
        return ThreadCalls.SetRLimit(resource, &raised) == 0 ? limit.Hard : limit.Soft;
    }

    private static unsafe int ReadRtRuntime()
    {
        int fd;
        fixed (byte* path = "/proc/sys/kernel/sched_rt_runtime_us\0"u8) fd = Linux.Open(path, 0x80000, 0);
        if (fd < 0) return 0;
        var text = stackalloc byte[32];
        var got = ThreadCalls.Read(fd, text, 32);
        _ = Linux.Close(fd);
        return got > 0 && System.Buffers.Text.Utf8Parser.TryParse(new ReadOnlySpan<byte>(text, (int)got), out int value, out _) ? value : 0;
    }
}

/// <summary>Settings of the C library that must precede the first thread.</summary>
public static class CLibrary
{
    private const int ArenaMax = -8; // M_ARENA_MAX

    /// <summary>
    /// One malloc arena: each thread's first malloc would otherwise map 64 MiB of address space for one of its own. [start-up]
    /// </summary>
    public static bool UseOneArena() => ThreadCalls.Mallopt(ArenaMax, 1) != 0;
}
