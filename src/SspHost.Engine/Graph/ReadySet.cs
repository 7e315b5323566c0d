// Nodes that are ready and not taken, in exact order of priority: one bit a node, ranked.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace SspHost.Engine.Graph;

/// <summary>
/// Lock-free, any number of pushers and poppers. It is empty when a quantum ends because every node was taken, so
/// beginning the next one is a copy of the initial words. No slot is ever reused for another node: no ABA (a node given back is the same
/// node, ready as before).
/// </summary>
internal static unsafe class ReadySet
{
    /// <summary>Adds a node. Full fence: a sleeper that was counted before sees the node, or we see the sleeper.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Push(Plan* plan, int rank) => Interlocked.Or(ref plan->Ready[rank >> 6], 1UL << (rank & 63));

    /// <summary>Takes the ready node of highest priority; -1: none.</summary>
    public static int Pop(Plan* plan)
    {
        for (var w = 0; w < plan->ReadyWords; w++)
        {
            var bits = Volatile.Read(ref plan->Ready[w]);
            while (bits != 0)
            {
                var seen = Interlocked.CompareExchange(ref plan->Ready[w], bits & (bits - 1), bits);
                if (seen == bits) return plan->ByRank[(w << 6) + BitOperations.TrailingZeroCount(bits)];
                bits = seen;
            }
        }

        return -1;
    }

    /// <summary>
    /// Takes several nodes of one word in one step, at most a fair part of what is ready and best first: of those that <paramref name="home"/>
    /// names, where there are any, else of all. Returns them as bits of <paramref name="word"/>; 0: none.
    /// </summary>
    public static ulong PopSome(Plan* plan, ulong* home, int threads, out int word)
    {
        for (word = 0; word < plan->ReadyWords; word++)
        {
            var bits = Volatile.Read(ref plan->Ready[word]);
            while (bits != 0)
            {
                var mine = bits & home[word];
                // Half of what is ours anyway: the rest is there for others to take. Of the others' much less.
                var count = mine != 0 ? (BitOperations.PopCount(mine) + 1) / 2 : BitOperations.PopCount(bits) / (2 * threads);
                var left = mine != 0 ? mine : bits;
                var taken = left & (0 - left);
                for (left &= left - 1; count > 1 && left != 0; count--, left &= left - 1) taken |= left & (0 - left);
                var seen = Interlocked.CompareExchange(ref plan->Ready[word], bits & ~taken, bits);
                if (seen == bits) return taken;
                bits = seen;
            }
        }

        return 0;
    }

    /// <summary>Whether any node is ready at this moment.</summary>
    public static bool Any(Plan* plan)
    {
        for (var w = 0; w < plan->ReadyWords; w++)
        {
            if (Volatile.Read(ref plan->Ready[w]) != 0) return true;
        }

        return false;
    }
}
