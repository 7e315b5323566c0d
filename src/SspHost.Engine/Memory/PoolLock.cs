// The mutex of the steward's arena: three states in a futex word. No RT thread ever takes it.
using SspHost.Abi;

namespace SspHost.Engine.Memory;

/// <summary>U. Drepper, "Futexes Are Tricky" (2011), mutex 2: 0 free, 1 taken, 2 taken and somebody may wait.</summary>
internal static unsafe class PoolLock
{
    // A holder that is preempted is waited for in the kernel; this only bounds a wake-up that got lost to a dying thread.
    private const ulong RetryNs = 100_000_000;

    public static void Enter(uint* word)
    {
        var seen = Interlocked.CompareExchange(ref *word, 1, 0);
        if (seen == 0) return;
        if (seen != 2) seen = Interlocked.Exchange(ref *word, 2);
        while (seen != 0)
        {
            Linux.Wait(word, 2, RetryNs);
            seen = Interlocked.Exchange(ref *word, 2);
        }
    }

    public static void Exit(uint* word)
    {
        if (Interlocked.Exchange(ref *word, 0) == 2) Linux.Wake(word, 1);
    }
}
