// Two or three looks at a thread that is late: what it computed, waited for and suffered between them, and where it stood.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Threads;

/// <summary>[watchdog] No allocation, no lock; some 100 us, of which most is asleep. Its system calls: pread, clock_gettime, tgkill, futex, process_vm_readv.</summary>
internal static unsafe partial class StallLook
{
    // A plain static: nothing to run at the first look.
    private static int s_pid;

    /// <summary>Installs the signal handler; 0 or an errno. [start-up]</summary>
    internal static int Prepare()
    {
        s_pid = Environment.ProcessId;
        return Samples.Install();
    }

    // Between looks, and how long a thread may take to its handler: a wake-up and some us where it has a core.
    private const ulong Between = 60_000, Patience = 150_000;

    /// <summary>Fills in what is about the thread; who it is and what it is in, the caller knows.</summary>
    internal static void Take(RtThread* thread, StallRecord* record)
    {
        uint never = 0;
        record->Tid = thread->Tid;
        var files = thread->Files;
        var first = files->Facts(record->Tid);
        // Before the first signal, which wakes a sleeper: what it was waiting for is gone after that.
        record->SystemCall = first.State == (byte)'R' ? -1 : files->SystemCall(out record->Argument);
        if (first.State is not ((byte)'R' or 0)) files->Wait(record->Wait, 32);
        if (IsFutex(record->SystemCall)) record->Owner = OwnerOf(record->Argument);
        var last = first;
        record->States = first.State;
        record->SampleCount = 0;
        for (var k = 0; k < StallRecord.Samples; k++)
        {
            if (k > 0)
            {
                Linux.Wait(&never, 0, Between);
                last = files->Facts(record->Tid);
                record->States |= (uint)last.State << (8 * k);
                if (last.State == (byte)'D' && record->SystemCall == -1) record->SystemCall = files->SystemCall(out record->Argument);
            }

            record->SampleCount = k + 1;
            record->FrameCounts[k] = 0;

            // A sleeper is asked once: its frames do not change, and each signal wakes it. One that is stopped would not answer.
            var asleep = first.State is not ((byte)'R' or 0);
            if (first.State is (byte)'T' or (byte)'t' || (asleep && k > 0 && record->FrameCounts[0] > 0)) continue;
            var cell = thread->Sample;
            if (!Samples.Take(cell, record->Tid, ref thread->SamplesAsked, k == 0 || record->FrameCounts[0] > 0 ? Patience : Between)) continue;
            record->FrameCounts[k] = cell->Count;
            record->Complete += cell->Complete;
            for (var f = 0; f < cell->Count; f++) record->Addresses[(k * StallRecord.Frames) + f] = cell->Addresses[f];
            Samples.Release(cell);
        }

        // Where it slept, the signal ended that: the rest of the time is what it did with its freedom, and says little.
        record->Window = last.Time - first.Time;
        record->CpuTime = last.CpuTime - first.CpuTime;
        record->RunDelay = last.RunDelay - first.RunDelay;
        record->MinorFaults = (uint)(last.MinorFaults - first.MinorFaults);
        record->MajorFaults = (uint)(last.MajorFaults - first.MajorFaults);
        record->VoluntarySwitches = (uint)(last.VoluntarySwitches - first.VoluntarySwitches);
        record->Preemptions = (uint)(last.Preemptions - first.Preemptions);
    }

    private static bool IsFutex(int call) => call == (RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 98 : 202);

    // pthread_mutex_t: the word waited on, a count, the owner. Some other futex has something else there: then it is no thread of ours.
    private static int OwnerOf(ulong futex)
    {
        const int OwnerAt = 8;
        int owner = 0;
        var into = new Span { At = &owner, Bytes = sizeof(int) };
        var from = new Span { At = (void*)(futex + OwnerAt), Bytes = sizeof(int) };
        return ReadMemory(s_pid, &into, 1, &from, 1, 0) == sizeof(int) && IsThread(owner) ? owner : 0;
    }

    // tgkill of signal 0 asks whether there is such a thread in this process.
    private static bool IsThread(int tid) => tid > 0 && TgKill(TgKillNumber, s_pid, tid, 0) == 0;

    private static nint TgKillNumber => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 131 : 234;

    [StructLayout(LayoutKind.Sequential)]
    private struct Span
    {
        internal void* At;
        internal nuint Bytes;
    }

    // By the kernel, because the memory may be gone: a read of our own would fault.
    [LibraryImport("libc", EntryPoint = "process_vm_readv")]
    private static partial nint ReadMemory(int pid, Span* into, nuint intoCount, Span* from, nuint fromCount, nuint flags);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint TgKill(nint number, nint pid, nint tid, nint signal);
}
