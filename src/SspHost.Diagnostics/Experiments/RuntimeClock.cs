// A 1 kHz quantum in this very runtime: a FIFO thread that enters managed code every millisecond, as an engine in one process would.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>
/// A pthread at SCHED_FIFO (where permitted) that sleeps to an absolute time each period, runs a little managed code, and records
/// how late it came. Its memory is unmanaged: the thread itself allocates nothing and is stopped by collections only.
/// </summary>
public sealed unsafe partial class RuntimeClock : IDisposable
{
    private const int Fifo = 1, AbsoluteTime = 1;

    private readonly Shared* _shared;
    private readonly nint _thread;
    private bool _ended;

    /// <summary>Starts the thread with a period in ns and a FIFO priority.</summary>
    public RuntimeClock(ulong periodNs, int priority)
    {
        _shared = (Shared*)NativeMemory.AllocZeroed((nuint)sizeof(Shared));
        _shared->Period = periodNs;
        _shared->Priority = priority;
        nint thread;
        var errno = PthreadCreate(&thread, null, &Enter, _shared);
        if (errno != 0)
        {
            NativeMemory.Free(_shared);
            throw new IOException($"a thread could not be made: {new System.ComponentModel.Win32Exception(errno).Message}");
        }

        _thread = thread;
    }

    /// <summary>Whether it got SCHED_FIFO; known once it ran.</summary>
    public bool RealTime => Volatile.Read(ref _shared->RealTime) != 0;

    /// <summary>Lateness of each wake-up in ns, so far.</summary>
    public Histogram Lateness => _shared->Lateness;

    /// <summary>Periods that were over before their thread ran.</summary>
    public ulong Missed => Volatile.Read(ref _shared->Missed);

    public void Dispose()
    {
        if (_ended) return;
        _ended = true;
        Volatile.Write(ref _shared->Stop, 1);
        _ = PthreadJoin(_thread, null);
        NativeMemory.Free(_shared);
    }

    [UnmanagedCallersOnly]
    private static void* Enter(void* shared) => Run((Shared*)shared);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* Run(Shared* s)
    {
        var priority = s->Priority;
        Volatile.Write(ref s->RealTime, SchedSetScheduler(0, Fifo, &priority) == 0 ? 1 : 0);
        var next = Linux.Now() + s->Period;
        while (Volatile.Read(ref s->Stop) == 0)
        {
            var until = Linux.TimeSpec.FromNanoseconds(next);
            _ = ClockNanosleep(Linux.ClockMonotonic, AbsoluteTime, &until, null);
            var now = Linux.Now();
            var late = now > next ? now - next : 0;
            s->Lateness.Record(late);
            next += s->Period;
            while (next <= now)
            {
                Volatile.Write(ref s->Missed, s->Missed + 1);
                next += s->Period;
            }
        }

        return null;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Shared
    {
        public ulong Period;
        public int Priority, RealTime, Stop;
        public ulong Missed;
        public Histogram Lateness;
    }

    [LibraryImport("libc", EntryPoint = "pthread_create")]
    private static partial int PthreadCreate(nint* thread, void* attributes, delegate* unmanaged<void*, void*> start, void* argument);

    [LibraryImport("libc", EntryPoint = "pthread_join")]
    private static partial int PthreadJoin(nint thread, void** result);

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static partial int SchedSetScheduler(int pid, int policy, int* priority);

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    private static partial int ClockNanosleep(int clock, int flags, Linux.TimeSpec* until, Linux.TimeSpec* left);
}
