// A quantum of a plan in virtual time, on cores of given speeds: the functions that take nodes are the executor's own, only the clock is not.
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>
/// Nobody may be running the plan meanwhile; its counters are left as they were. Time is in ns after the quantum's opening.
/// <paramref name="costs"/>: what node n takes on class c, at n * MaxCoreClasses + c. <paramref name="classes"/>: of each thread. [steward, tests, bench]
/// </summary>
internal unsafe ref struct Rehearsal(Plan* plan, ReadOnlySpan<byte> classes, float* costs)
{
    // Threads other than the audio thread are woken.
    private const int WakeNs = 5000;

    private readonly ReadOnlySpan<byte> _classes = classes;

    /// <summary>Any thread takes the best node, as if all were equally fast.</summary>
    public bool Blind { get; set; }

    /// <summary>Filled, where it is not null: when each node began, and on which thread.</summary>
    public long* Begun { get; set; }

    /// <inheritdoc cref="Begun"/>
    public int* Thread { get; set; }

    /// <summary>Slow threads that ran a node.</summary>
    public int SlowThreads { get; private set; }

    /// <summary>Runs the quantum; the time when its last node ends.</summary>
    public long Run()
    {
        var threads = _classes.Length;
        var node = stackalloc int[threads]; // -1: looks for one
        var until = stackalloc long[threads]; // end of its node; without one, when it begins to look
        var crew = default(Crew); // where nobody sleeps and nobody is called
        var slow = 0u;
        for (var w = 0; w < plan->ReadyWords; w++) plan->Ready[w] = plan->InitialReady[w];
        for (var t = 0; t < threads; t++) (node[t], until[t]) = (-1, t == 0 ? 0 : WakeNs);

        long now = 0, end = 0;
        while (now != long.MaxValue)
        {
            for (var t = 0; t < threads; t++)
            {
                if (node[t] < 0 || until[t] > now) continue;
                end = now;
                node[t] = Keep(Executor.Finish(&crew, plan, plan->Nodes + node[t]), t, now);
                until[t] = node[t] < 0 ? now : Begin(node[t], t, now);
            }

            var next = long.MaxValue;
            for (var t = 0; t < threads; t++)
            {
                if (node[t] < 0 && until[t] <= now)
                {
                    node[t] = IsLimited(t) ? Placement.Pop(plan, _classes[t], plan->Target - now) : ReadySet.Pop(plan);
                    if (node[t] < 0) continue; // looks again when something happens
                    until[t] = Begin(node[t], t, now);
                    if (t > 0 && _classes[t] > Fastest) slow |= 1u << t;
                }

                next = Math.Min(next, until[t]);
            }

            now = next;
        }

        SlowThreads = System.Numerics.BitOperations.PopCount(slow);
        return end;
    }

    private readonly int Fastest
    {
        get
        {
            var fastest = int.MaxValue;
            foreach (var c in _classes) fastest = Math.Min(fastest, c);
            return fastest;
        }
    }

    private readonly bool IsLimited(int thread) => !Blind && thread > 0 && _classes[thread] > Fastest;

    private readonly int Keep(int kept, int thread, long now)
    {
        if (kept < 0 || !IsLimited(thread)) return kept;
        var rank = plan->Nodes[kept].Rank;
        if (Placement.MayBegin(plan, _classes[thread], rank, plan->Target - now)) return kept;
        ReadySet.Push(plan, rank);
        return -1;
    }

    private readonly long Begin(int n, int thread, long now)
    {
        if (Begun != null) Begun[n] = now;
        if (Thread != null) Thread[n] = thread;
        var cost = costs[(n * Limits.MaxCoreClasses) + _classes[thread]];
        return now + (long)cost + (thread > 0 && _classes[thread] > Fastest ? Placement.HandOverNs : 0);
    }
}
