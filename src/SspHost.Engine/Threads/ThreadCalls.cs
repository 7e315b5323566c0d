// The pthread and scheduler calls of libc, as they are.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Threads;

/// <summary>P/Invokes; pthread functions return the error, the others set errno.</summary>
internal static unsafe partial class ThreadCalls
{
    internal const int SchedOther = 0, SchedFifo = 1, SchedIdle = 5;
    internal const int EPerm = 1, EBusy = 16, EInval = 22;
    internal const int RLimitMemlock = 8, RLimitRtPrio = 14;
    internal const int PrSetName = 15, PrGetName = 16, PrSetTimerSlack = 29;

    /// <summary>pthread_attr_t: 56 bytes on x86-64, 64 on arm64.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Attributes
    {
        private fixed ulong _opaque[16];
    }

    /// <summary>cpu_set_t: 1024 cores.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct CoreSet
    {
        internal const int Cores = 1024;
        internal fixed ulong Words[Cores / 64];

        internal void Add(int core) => Words[core >> 6] |= 1UL << (core & 63);

        internal readonly bool Has(int core) => (Words[core >> 6] & (1UL << (core & 63))) != 0;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct RLimit
    {
        internal ulong Soft, Hard;
    }

    [LibraryImport("libc", EntryPoint = "pthread_attr_init")]
    internal static partial int AttrInit(Attributes* attributes);

    [LibraryImport("libc", EntryPoint = "pthread_attr_destroy")]
    internal static partial int AttrDestroy(Attributes* attributes);

    [LibraryImport("libc", EntryPoint = "pthread_attr_setstack")]
    internal static partial int AttrSetStack(Attributes* attributes, void* stack, nuint bytes);

    [LibraryImport("libc", EntryPoint = "pthread_attr_setinheritsched")]
    internal static partial int AttrSetInheritSched(Attributes* attributes, int explicitly);

    [LibraryImport("libc", EntryPoint = "pthread_attr_setschedpolicy")]
    internal static partial int AttrSetPolicy(Attributes* attributes, int policy);

    [LibraryImport("libc", EntryPoint = "pthread_attr_setschedparam")]
    internal static partial int AttrSetPriority(Attributes* attributes, int* priority);

    [LibraryImport("libc", EntryPoint = "pthread_attr_setaffinity_np")]
    internal static partial int AttrSetAffinity(Attributes* attributes, nuint bytes, CoreSet* cores);

    [LibraryImport("libc", EntryPoint = "pthread_create")]
    internal static partial int Create(nuint* thread, Attributes* attributes, delegate* unmanaged<void*, void*> entry, void* argument);

    [LibraryImport("libc", EntryPoint = "pthread_clockjoin_np")]
    internal static partial int ClockJoin(nuint thread, void** result, int clock, Linux.TimeSpec* until);

    [LibraryImport("libc", EntryPoint = "prctl")]
    internal static partial int Prctl(int option, byte* value, nuint a, nuint b, nuint c);

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    internal static partial int SetScheduler(int tid, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "sched_getscheduler")]
    internal static partial int GetScheduler(int tid);

    [LibraryImport("libc", EntryPoint = "sched_getparam")]
    internal static partial int GetParam(int tid, int* priority);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    internal static partial int GetAffinity(int tid, nuint bytes, CoreSet* cores);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    internal static partial int SetAffinity(int tid, nuint bytes, CoreSet* cores);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    internal static partial int GetRLimit(int resource, RLimit* limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    internal static partial int SetRLimit(int resource, RLimit* limit);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint GetEuid();

    [LibraryImport("libc", EntryPoint = "mallopt")]
    internal static partial int Mallopt(int parameter, int value);

    [LibraryImport("libc", EntryPoint = "read")]
    internal static partial nint Read(int fd, byte* buffer, nuint bytes);

    [LibraryImport("libc", EntryPoint = "pread")]
    internal static partial nint ReadAt(int fd, byte* buffer, nuint bytes, long offset);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, Linux.TimeSpec* time);

    /// <summary>CPU time of a thread of this process in ns, as pthread_getcpuclockid would have it; 0 where there is none.</summary>
    internal static ulong CpuTime(int tid)
    {
        const int PerThread = 4, Scheduler = 2;
        Linux.TimeSpec t;
        return ClockGetTime((~tid << 3) | PerThread | Scheduler, &t) == 0 ? ((ulong)t.Seconds * 1_000_000_000) + (ulong)t.Nanoseconds : 0;
    }

    [LibraryImport("libc", EntryPoint = "mincore")]
    internal static partial int Mincore(void* address, nuint length, byte* resident);
}
