// Whether real-time priority is granted: asked by trying, because containers refuse in ways that no limit shows.
using System.Runtime.InteropServices;

namespace SspHost.Diagnostics;

public static partial class FifoProbe
{
    private const int AudioPriority = 80;

    /// <summary>Whether SCHED_FIFO at the audio thread's priority is granted. Tried on a thread made for it that does nothing else.</summary>
    public static bool Granted()
    {
        var granted = false;
        var probe = new Thread(() => granted = Try()) { Name = "rt-probe" };
        probe.Start();
        probe.Join();
        return granted;
    }

    private static unsafe bool Try()
    {
        const int Other = 0, Fifo = 1;
        var priority = AudioPriority;
        if (SchedSetScheduler(0, Fifo, &priority) != 0) return false;
        priority = 0;
        _ = SchedSetScheduler(0, Other, &priority);
        return true;
    }

    [LibraryImport("libc", EntryPoint = "sched_setscheduler")]
    private static unsafe partial int SchedSetScheduler(int pid, int policy, int* priority);
}
