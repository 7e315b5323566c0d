// Makes memory short: locks what it may, then wants as much again and never stops touching it.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>
/// Runs in a process of its own that offers itself to the out-of-memory killer first. The bounds are its caller's: it takes no more than it is told.
/// </summary>
public static unsafe partial class MemoryPressure
{
    private const int ProtReadWrite = 3, PrivateAnonymous = 0x22;
    private const long Step = 4 << 20;

    /// <summary>
    /// Locks up to <paramref name="lockBytes"/>, then touches <paramref name="moreBytes"/> over and over until <paramref name="stop"/> says so.
    /// Tells its progress as lines: "locked N", "touching N".
    /// </summary>
    public static void Run(long lockBytes, long moreBytes, Action<string> tell, Func<bool> stop)
    {
        OfferToTheKiller();
        long locked = 0;
        while (locked < lockBytes && !stop())
        {
            var block = Linux.Mmap(null, (nuint)Step, ProtReadWrite, PrivateAnonymous, -1, 0);
            if ((nint)block == -1) break;
            if (Lock(block, (nuint)Step) != 0)
            {
                _ = Linux.Munmap(block, (nuint)Step);
                break; // RLIMIT_MEMLOCK, or there is no more
            }

            locked += Step;
        }

        tell($"locked {locked}");
        var more = (byte*)Linux.Mmap(null, (nuint)moreBytes, ProtReadWrite, PrivateAnonymous, -1, 0);
        if ((nint)more == -1)
        {
            tell("touching 0");
            while (!stop()) Thread.Sleep(10);
            return;
        }

        tell($"touching {moreBytes}");
        var page = Environment.SystemPageSize;
        for (var round = 1; !stop(); round++)
        {
            for (long at = 0; at < moreBytes; at += page)
            {
                more[at] = (byte)round;
                if ((at & (Step - 1)) == 0 && stop()) return;
            }
        }
    }

    /// <summary>Where memory runs out, this process is ended before any other.</summary>
    internal static void OfferToTheKiller()
    {
        try
        {
            File.WriteAllText("/proc/self/oom_score_adj", "1000");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then its size has to be reason enough.
        }
    }

    [LibraryImport("libc", EntryPoint = "mlock")]
    private static partial int Lock(void* start, nuint bytes);
}
