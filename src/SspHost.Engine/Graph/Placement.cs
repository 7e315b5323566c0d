// Which nodes a slow core may take, and until when: only those whose longest path still meets a target within the quantum.
using System.Numerics;
using System.Runtime.CompilerServices;
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Graph;

/// <summary>
/// A worker on a core slower than the crew's fastest may begin a node at a moment t after the quantum's opening if t + its cost there + the
/// longest path below it, on fast cores, is at most the plan's target. The other workers and the audio thread take the best ready node
/// as if there were no slow cores. The audio thread does so on any core: it answers for the quantum, so there is always somebody who may take a node.
/// <para>
/// The target is at most the quantum, and mostly less: list scheduling on more cores can take longer than on fewer (Graham, "Bounds on
/// multiprocessing timing anomalies", 1969), and slow cores make that common. So a few targets are rehearsed on the plan's own costs,
/// and the one that ends first is kept; where none ends clearly before the fast cores alone do, slow cores stay asleep.
/// </para>
/// </summary>
internal static unsafe class Placement
{
    /// <summary>Most a node may be said to cost, in ns: a quantum lasts 6 ms at most.</summary>
    public const float MostCost = 1e9f;

    /// <summary>A target that no node meets.</summary>
    public const int Never = int.MinValue;

    /// <summary>What it costs a core to fetch a node that another made ready, in ns: some five lines of 50 to 100 ns.</summary>
    public const int HandOverNs = 400;

    // An eighth of the quantum is kept for what is not in the plan's costs: device, events and jacks around the graph, hand-overs between
    // fast cores, and nodes that take longer than the average they are known by. Only a plan that ends first with it gets the whole.
    private const int KeptPart = 8;

    // Slow cores are worth waking, with their heat and their claims on the ready set, for a sixteenth of the time; less is noise in the costs.
    private const int WorthPart = 16;

    // The steward's time: a rehearsal of 200 nodes takes some 30 us of a desktop core, one of 4096 nodes 1 ms.
    private const int Targets = 6, TargetsOfLarge = 3, LargeNodes = 1024;

    /// <summary>Whether a thread's takings are limited.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsSlow(RenderState* state, int thread) => thread > 0 && state->Classes[thread] > state->FastClass;

    /// <summary>Ns that are left of the target of a quantum that was opened then. [worker]</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Left(Plan* plan, ulong openedAt) => plan->Target - (long)CycleClock.ToNanoseconds(CycleClock.Now() - openedAt);

    /// <summary>Whether a core of this class may begin the node of this rank when so much is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool MayBegin(Plan* plan, int coreClass, int rank, long left) => plan->Needs[((coreClass - 1) * plan->NodeCount) + rank] <= left;

    /// <summary>
    /// Takes, of the ready nodes that a core of this class may begin when so much is left, the one of highest priority; -1: none. (Taking the lowest,
    /// which leaves more to the fast cores, ended 5 % later on random plans: what the target lets through is early enough.)
    /// </summary>
    public static int Pop(Plan* plan, int coreClass, long left)
    {
        var needs = plan->Needs + ((coreClass - 1) * plan->NodeCount);
        var least = plan->LeastNeeds + ((coreClass - 1) * plan->ReadyWords);
        for (var w = 0; w < plan->ReadyWords; w++)
        {
            if (least[w] > left) continue;
            var bits = Volatile.Read(ref plan->Ready[w]);
            for (var unseen = bits; unseen != 0;)
            {
                var place = BitOperations.TrailingZeroCount(unseen);
                var bit = 1UL << place;
                unseen &= unseen - 1;
                if (needs[(w << 6) + place] > left) continue;
                var seen = Interlocked.CompareExchange(ref plan->Ready[w], bits & ~bit, bits);
                if (seen == bits) return plan->ByRank[(w << 6) + place];
                unseen = bits = seen;
            }
        }

        return -1;
    }

    /// <summary>Whether a core of this class might begin any node that is ready now.</summary>
    public static bool Any(Plan* plan, int coreClass, long left)
    {
        var needs = plan->Needs + ((coreClass - 1) * plan->NodeCount);
        var least = plan->LeastNeeds + ((coreClass - 1) * plan->ReadyWords);
        for (var w = 0; w < plan->ReadyWords; w++)
        {
            if (least[w] > left) continue;
            for (var bits = Volatile.Read(ref plan->Ready[w]); bits != 0; bits &= bits - 1)
            {
                if (needs[(w << 6) + BitOperations.TrailingZeroCount(bits)] <= left) return true;
            }
        }

        return false;
    }

    /// <summary>Decides whether and how a plan uses the slow workers of the crew as it is. Nobody may be running the plan. [steward]</summary>
    public static void Place(RenderState* state, Plan* plan)
    {
        plan->SlowWorkers = 0;
        plan->Target = Never;
        if (state->Crew.SlowCrew == 0 || plan->Width < 2) return;
        Weigh(plan, state->FastClass);
        var rehearsal = new Rehearsal(plan, new ReadOnlySpan<byte>(state->Classes, state->Threads), plan->Costs);
        var alone = rehearsal.Run();
        var quantum = (int)(state->Frames * 1e9 / state->Rate);
        var latest = Math.Min(quantum - (quantum / KeptPart), alone);
        var earliest = Math.Min(latest, Shortest(plan, state));
        var steps = plan->NodeCount <= LargeNodes ? Targets : TargetsOfLarge;
        var (best, target, workers) = (alone - (alone / WorthPart), Never, 0);
        for (var k = 0; k <= steps; k++)
        {
            plan->Target = (int)(k == steps ? quantum : earliest + ((latest - earliest) * k / (steps - 1)));
            var time = rehearsal.Run();
            if (time >= best) continue;
            (best, target, workers) = (time, plan->Target, rehearsal.SlowThreads);
        }

        plan->Target = target;
        plan->SlowWorkers = workers;
    }

    /// <summary>Fills what a node needs on each class. <paramref name="fast"/>: the class that the path below it is reckoned on.</summary>
    public static void Weigh(Plan* plan, int fast)
    {
        for (var n = plan->NodeCount - 1; n >= 0; n--)
        {
            var node = plan->Nodes + n;
            var tail = 0f;
            for (var k = 0; k < node->SuccessorCount; k++)
            {
                var next = node->Successors[k];
                tail = Math.Max(tail, plan->Tails[next] + plan->Costs[(next * Limits.MaxCoreClasses) + fast]);
            }

            plan->Tails[n] = tail;
        }

        for (var c = 1; c < Limits.MaxCoreClasses; c++)
        {
            var needs = plan->Needs + ((c - 1) * plan->NodeCount);
            var least = plan->LeastNeeds + ((c - 1) * plan->ReadyWords);
            new Span<int>(least, plan->ReadyWords).Fill(int.MaxValue);
            for (var r = 0; r < plan->NodeCount; r++)
            {
                var n = plan->ByRank[r];
                var cost = plan->Costs[(n * Limits.MaxCoreClasses) + c];
                var need = cost + HandOverNs + plan->Tails[n];
                needs[r] = cost > 0 && need < MostCost ? (int)need : int.MaxValue;
                least[r >> 6] = Math.Min(least[r >> 6], needs[r]);
            }
        }
    }

    // No schedule ends before the longest path has, nor before all cores together have done the work.
    private static long Shortest(Plan* plan, RenderState* state)
    {
        Span<double> work = stackalloc double[Limits.MaxCoreClasses];
        work.Clear();
        var path = 0f;
        for (var n = 0; n < plan->NodeCount; n++)
        {
            path = Math.Max(path, plan->Tails[n] + plan->Costs[(n * Limits.MaxCoreClasses) + state->FastClass]);
            for (var c = 0; c < Limits.MaxCoreClasses; c++) work[c] += plan->Costs[(n * Limits.MaxCoreClasses) + c];
        }

        var speed = 0.0;
        for (var t = 0; t < state->Threads; t++)
        {
            var own = work[state->Classes[t]];
            speed += own > 0 ? work[state->FastClass] / own : 0;
        }

        return (long)Math.Max(path, speed > 0 ? work[state->FastClass] / speed : 0);
    }
}
