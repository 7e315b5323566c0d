// A real-time thread: a pthread on a stack handed in, at SCHED_FIFO, on one core, that says how it really runs.
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Threads;

/// <summary>What a thread is asked to be.</summary>
public unsafe struct RtThreadSetup
{
    /// <summary>Lowest address of its stack, page-aligned; prefaulted, locked and with a guard page below by whoever made it.</summary>
    public void* Stack;

    /// <summary>Bytes of the stack. The C library keeps its thread block and the runtime its thread data at the top (some KiB).</summary>
    public long StackBytes;

    /// <summary>Arena of the pool that serves it where a module's library calls malloc there: its own, whatever seat it fills; 0 = none.</summary>
    public int Arena;

    /// <summary>SCHED_FIFO priority 1..99, or 0 for SCHED_OTHER.</summary>
    public int Priority;

    /// <summary>Core to pin it to, or -1.</summary>
    public int Core;

    /// <summary>Where it records how it runs; zeroed, valid until joined.</summary>
    public ThreadRecord* Record;

    /// <summary>
    /// Memory for signal handlers, <see cref="Faults.StackBytes"/> bytes, valid as long as the thread lives: a fault of a module is then held
    /// here. Null: faults go to the runtime.
    /// </summary>
    public void* SignalStack;
}

/// <summary>
/// A thread made by pthread, not by the runtime: its stack is ours, and nothing managed is allocated to make it. It is made at the first
/// <see cref="Start"/> and parked between runs: a thread that exits costs the runtime 176 managed bytes, and the engine allocates none.
/// The struct must stay where
/// it is (region or native memory) for good.
/// </summary>
public unsafe struct RtThread
{
    /// <summary>Characters of a thread's name the kernel keeps.</summary>
    public const int MaxName = 15;

    /// <summary>Threads kept ready to replace one that is stuck. One that faulted is used up.</summary>
    public const int Standbys = Limits.StandbyThreads;

    private const uint None = 0, Running = 1, Parked = 2, Leaving = 3;

    private nuint _handle;
    private uint _state; // futex word
    private int _tid;
    private delegate*<void*, void> _entry;
    private void* _argument;
    private ThreadRecord* _record;
    private long _stackBytes;
    private fixed byte _name[MaxName + 1];
    private void* _signalStack;
    private ThreadFiles _files;
    private int _arena;
    private FaultCell _cell;
    private SampleCell _sample;
    private byte* _stack;

    /// <summary>Runtimes of libraries that know it. [the thread itself]</summary>
    internal int Attached;

    /// <summary>Signals sent for a walk of its stack. [watchdog]</summary>
    internal uint SamplesAsked;

    /// <summary>Whether its function has been started and has not returned.</summary>
    public bool IsRunning => Volatile.Read(ref _state) == Running;

    /// <summary>Whether it exists and waits for something to run.</summary>
    public bool IsParked => Volatile.Read(ref _state) == Parked;

    /// <summary>Whether it got SCHED_FIFO in its present or last run.</summary>
    public bool RealTime { readonly get; private set; }

    /// <summary>The kernel's id, once it has run.</summary>
    public readonly int Tid => _tid;

    /// <summary>Signal it faulted with inside a module, or 0. It is held in the handler for good. [watchdog]</summary>
    public int Fault => Volatile.Read(ref _cell.Signal);

    /// <summary>Address of that fault.</summary>
    public readonly ulong FaultAddress => _cell.Address;

    /// <summary>CPU time it has used, in ns. One system call. [watchdog]</summary>
    public readonly ulong CpuTime => ThreadCalls.CpuTime(_tid);

    /// <summary>
    /// Whether it waits for something other than a core: sleeps, is blocked, is stopped. Asked of the kernel by reading a file, some 5 us.
    /// [watchdog]
    /// </summary>
    public readonly bool IsWaiting => _files.State() is not (0 or (byte)'R'); // unknown: then only what it computes counts

    /// <summary>What the kernel tells of it. [watchdog]</summary>
    [UnscopedRef]
    internal ThreadFiles* Files => (ThreadFiles*)Unsafe.AsPointer(ref _files);

    /// <summary>Where it walks its stack to. [watchdog]</summary>
    [UnscopedRef]
    internal SampleCell* Sample => (SampleCell*)Unsafe.AsPointer(ref _sample);

    /// <summary>
    /// Takes its priority away: from now on it runs only where nobody else wants to, and a fault of it is held. It goes back to being parked
    /// when its function returns, and gets a priority with its next <see cref="Start"/>. [watchdog]
    /// </summary>
    public void Demote()
    {
        var priority = 0;
        Volatile.Write(ref _cell.Ghost, 1);
        _ = ThreadCalls.SetScheduler(_tid, ThreadCalls.SchedIdle, &priority);
    }

    /// <summary>
    /// Runs <paramref name="entry"/> on the thread, making it first if there is none. Returns 0 or an errno: EBUSY while it runs, EINVAL
    /// for a stack too small or
    /// unaligned or a core this process may not use, EAGAIN where no thread can be made. Without the privilege for SCHED_FIFO it runs at
    /// SCHED_OTHER
    /// (<see cref="RealTime"/> is false) rather than not at all. Returns before the thread has recorded itself. [steward]
    /// </summary>
    /// <param name="thread">Zeroed before the first start, at a fixed address.</param>
    /// <param name="setup">What it is to be; its stack and its arena are the ones of the first start.</param>
    /// <param name="name">Name, ASCII; cut after 15 characters.</param>
    /// <param name="entry">Managed function to run.</param>
    /// <param name="argument">Its argument.</param>
    public static int Start(RtThread* thread, in RtThreadSetup setup, ReadOnlySpan<byte> name, delegate*<void*, void> entry, void* argument)
    {
        var state = Volatile.Read(ref thread->_state);
        if (state is Running or Leaving) return ThreadCalls.EBusy;
        thread->_entry = entry;
        thread->_argument = argument;
        thread->_record = setup.Record;
        thread->_cell.Current = setup.Record == null ? null : &setup.Record->Current;
        thread->_cell.Ghost = 0;
        if (state == None) thread->_signalStack = setup.SignalStack;
        if (state == None) thread->_arena = setup.Arena;
        for (var i = 0; i < MaxName; i++) thread->_name[i] = i < name.Length ? name[i] : (byte)0;

        thread->RealTime = setup.Priority > 0;
        if (state == Parked) return Resume(thread, setup);
        thread->_stackBytes = setup.StackBytes;
        thread->_stack = (byte*)setup.Stack;
        Volatile.Write(ref thread->_state, Running);
        var error = TryCreate(thread, setup);
        if (error == ThreadCalls.EPerm && thread->RealTime)
        {
            thread->RealTime = false;
            error = TryCreate(thread, setup);
        }

        if (error != 0) Volatile.Write(ref thread->_state, None);
        return error;
    }

    /// <summary>Waits until its function has returned, at most <paramref name="timeoutNs"/>; false if it still runs. [steward]</summary>
    public static bool TryJoin(RtThread* thread, ulong timeoutNs)
    {
        var until = Linux.Now() + timeoutNs;
        while (Volatile.Read(ref thread->_state) == Running)
        {
            var now = Linux.Now();
            if (now >= until) return false;
            Linux.Wait(&thread->_state, Running, until - now);
        }

        return true;
    }

    /// <summary>
    /// Lets a parked thread exit, so that its stack can be given back; false if it did not in time. [steward, when the process ends;
    /// tests]
    /// </summary>
    public static bool TryEnd(RtThread* thread, ulong timeoutNs)
    {
        if (!TryJoin(thread, timeoutNs)) return false;
        if (Volatile.Read(ref thread->_state) == None) return true;
        Volatile.Write(ref thread->_state, Leaving);
        Linux.Wake(&thread->_state, 1);
        var until = Linux.TimeSpec.FromNanoseconds(Linux.Now() + timeoutNs);
        if (ThreadCalls.ClockJoin(thread->_handle, null, Linux.ClockMonotonic, &until) != 0) return false;
        Volatile.Write(ref thread->_state, None);
        return true;
    }

    // The steward sets policy and cores of the sleeping thread, so that an error has somebody to go to.
    private static int Resume(RtThread* thread, in RtThreadSetup setup)
    {
        ThreadCalls.CoreSet cores = default;
        if (setup.Core >= ThreadCalls.CoreSet.Cores) return ThreadCalls.EInval;
        if (setup.Core >= 0) cores.Add(setup.Core);
        else if (ThreadCalls.GetAffinity(0, (nuint)sizeof(ThreadCalls.CoreSet), &cores) < 0) return Marshal.GetLastSystemError();
        if (ThreadCalls.SetAffinity(thread->_tid, (nuint)sizeof(ThreadCalls.CoreSet), &cores) != 0) return Marshal.GetLastSystemError();

        var priority = setup.Priority;
        if (thread->RealTime && ThreadCalls.SetScheduler(thread->_tid, ThreadCalls.SchedFifo, &priority) != 0) thread->RealTime = false;
        priority = 0;
        if (!thread->RealTime && ThreadCalls.SetScheduler(thread->_tid, ThreadCalls.SchedOther, &priority) != 0) return Marshal.GetLastSystemError();
        if (setup.Record != null) setup.Record->Current = 0; // a predecessor that is stuck is in a module; this thread is in none yet
        Volatile.Write(ref thread->_state, Running); // release: the job is seen before the state
        Linux.Wake(&thread->_state, 1);
        return 0;
    }

    private static int TryCreate(RtThread* thread, in RtThreadSetup setup)
    {
        ThreadCalls.Attributes attributes;
        var error = ThreadCalls.AttrInit(&attributes);
        if (error != 0) return error;
        var priority = thread->RealTime ? setup.Priority : 0;
        error = ThreadCalls.AttrSetStack(&attributes, setup.Stack, (nuint)setup.StackBytes);
        if (error == 0) error = ThreadCalls.AttrSetInheritSched(&attributes, 1); // explicit: never what the creator happens to have
        if (error == 0) error = ThreadCalls.AttrSetPolicy(&attributes, thread->RealTime ? ThreadCalls.SchedFifo : ThreadCalls.SchedOther);
        if (error == 0) error = ThreadCalls.AttrSetPriority(&attributes, &priority);
        if (error == 0 && setup.Core >= 0)
        {
            if (setup.Core < ThreadCalls.CoreSet.Cores)
            {
                ThreadCalls.CoreSet cores = default;
                cores.Add(setup.Core);
                error = ThreadCalls.AttrSetAffinity(&attributes, (nuint)sizeof(ThreadCalls.CoreSet), &cores);
            }
            else
            {
                error = ThreadCalls.EInval;
            }
        }

        nuint handle = 0;
        if (error == 0) error = ThreadCalls.Create(&handle, &attributes, &Entry, thread);
        thread->_handle = handle;
        _ = ThreadCalls.AttrDestroy(&attributes);
        return error;
    }

    // One line, for the runtime's sake: a thunk that itself inlines calls without GC transition aborts under a collection.
    [UnmanagedCallersOnly]
    private static void* Entry(void* thread) => Live((RtThread*)thread);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void* Live(RtThread* thread)
    {
        const ulong LongTime = 3_600_000_000_000;
        thread->_tid = NativeCalls.GetTid();
        _ = ThreadCalls.Prctl(ThreadCalls.PrSetTimerSlack, (byte*)1, 0, 0, 0); // 1 ns: without FIFO, sleeps would end up to 50 us late by design
        _ = FlushToZero.Enable();
        thread->_files.Open();
        if (thread->_signalStack != null)
        {
            Faults.Watch(&thread->_cell, thread->_signalStack);
            BeSampled(thread);
        }

        while (true)
        {
            _ = ThreadCalls.Prctl(ThreadCalls.PrSetName, thread->_name, 0, 0, 0);
            Loading.Attachments.CatchUp(&thread->Attached);
            if (thread->_record != null) thread->_record->Attached = thread->Attached;
            if (thread->_record != null) Describe(thread->_record, thread->_stackBytes);
            Heap.EnterThread(thread->_arena, thread->_cell.Current, &thread->_cell.Ghost);
            RtGuard.Enter(&thread->_cell);
            thread->_entry(thread->_argument);
            RtGuard.Leave();
            Heap.LeaveThread();

            Volatile.Write(ref thread->_state, Parked);
            Linux.Wake(&thread->_state, int.MaxValue);
            uint state;
            while ((state = Volatile.Read(ref thread->_state)) == Parked) Linux.Wait(&thread->_state, Parked, LongTime);
            if (state != Leaving) continue;
            Samples.Watch(null);
            if (thread->_signalStack != null) Faults.Unwatch();
            thread->_files.Close();
            return null;
        }
    }

    private static void BeSampled(RtThread* thread)
    {
        const ulong LongestEntry = 4096; // more than Live is long; nothing else of a thread's stack is near it
        var entry = (ulong)(delegate*<RtThread*, void*>)&Live;
        var low = (ulong)thread->_stack;
        thread->_sample = new SampleCell { Low = low, High = low + (ulong)thread->_stackBytes, Entry = entry, EntryEnd = entry + LongestEntry };
        thread->SamplesAsked = 0;
        Samples.Watch(&thread->_sample);
    }

    // Everything is asked back from the kernel or the register: what was requested is not evidence.
    private static void Describe(ThreadRecord* record, long stackBytes)
    {
        int priority;
        record->Policy = ThreadCalls.GetScheduler(0) & 0xFFFF;
        record->Priority = ThreadCalls.GetParam(0, &priority) == 0 ? priority : -1;
        record->Core = PinnedCore();
        record->FlushToZero = FlushToZero.IsEnabled ? 1 : 0;
        record->StackBytes = stackBytes;
        _ = ThreadCalls.Prctl(ThreadCalls.PrGetName, record->Name, 0, 0, 0);
        Volatile.Write(ref record->Tid, NativeCalls.GetTid()); // last: a reader that sees a tid sees the rest
    }

    private static int PinnedCore()
    {
        ThreadCalls.CoreSet cores = default;
        if (ThreadCalls.GetAffinity(0, (nuint)sizeof(ThreadCalls.CoreSet), &cores) < 0) return -1;
        var found = -1;
        for (var i = 0; i < ThreadCalls.CoreSet.Cores; i++)
        {
            if (!cores.Has(i)) continue;
            if (found >= 0) return -1; // more than one: not pinned
            found = i;
        }

        return found;
    }
}
