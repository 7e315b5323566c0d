// A place at the table of a quantum, apart from the thread that fills it: whoever fills it finds here what its predecessor held.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Graph;

/// <summary>What the audio thread is about while it is inside a module.</summary>
internal enum Stage
{
    /// <summary>A node of the plan: every worker always is.</summary>
    Graph = 0,

    /// <summary>A command of the steward, before the graph.</summary>
    Command = 1,

    /// <summary>Resetting what failed, after the graph.</summary>
    Failures = 2,
}

/// <summary>
/// Seat 0 is the audio thread's, seat n worker n's. Everything a thread would otherwise keep on its stack while it is inside a module lies
/// here, written by plain stores of whoever fills the seat, so that another thread can go on when it does not come back.
/// <para>
/// The watchdog takes a seat in two steps: it marks the tenure as claimed, makes every core pass a barrier, and looks whether the thread is
/// still in the same module. So the thread itself pays one load a module and no fence: either it came back before the barrier, and the
/// watchdog sees that, or it comes back after it, and sees the claim. Where both see the other, one compare-and-swap decides.
/// </para>
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal unsafe struct Seat
{
    private const ulong Claimed = 1;
    private const int Tenures = 8;

    /// <summary>Who fills it: even, raised by two at each takeover; the lowest bit is a claim that is not decided yet.</summary>
    [FieldOffset(0)] public ulong Tenure;

    [FieldOffset(8)] public ThreadRecord* Record;

    /// <summary>Nodes taken from <see cref="Word"/> of the ready set and not begun.</summary>
    [FieldOffset(16)] public ulong Held;

    [FieldOffset(24)] private ulong* _home;
    [FieldOffset(32)] public int Word;
    [FieldOffset(36)] private int _threads;
    [FieldOffset(40)] private int _batched;

    /// <summary>Nodes finished and not counted yet.</summary>
    [FieldOffset(44)] public int Done;

    /// <summary>The bell's value when a worker entered the quantum.</summary>
    [FieldOffset(48)] public uint Heard;

    [FieldOffset(52)] public Stage Stage;

    /// <summary>Set at a takeover: the node that was abandoned; -1: none (it was not in the graph).</summary>
    [FieldOffset(56)] public int Abandoned;

    /// <summary>Nodes that did not have to be processed, and are not counted yet.</summary>
    [FieldOffset(60)] public int Skipped;

    /// <summary>1: this quantum is in the audio thread's hands alone, in topological order.</summary>
    [FieldOffset(64)] public int Alone;

    /// <summary>Set at a takeover, too: slot of the module its thread was stuck in.</summary>
    [FieldOffset(68)] public int Stuck;

    // Module + 1 that the thread of each tenure is in: one that has been replaced still clears its own when it comes back, and must not clear
    // its successor's. As many as tenures may overlap.
    [FieldOffset(72)] private fixed int _inside[Tenures];

    /// <summary>Where its trace is written.</summary>
    [FieldOffset(192)] public Tape Tape;

    /// <summary>Ns of work a quantum of whoever fills it; and of the present quantum so far, in ticks.</summary>
    [FieldOffset(240)] public Histogram* Work;

    [FieldOffset(248)] public ulong Worked;

    /// <summary>
    /// Cycle clock by which it should be through with the quantum it is in; 0: it is in none, or nobody minds. Who replaces it inherits that.
    /// </summary>
    [FieldOffset(104)] public ulong Deadline;

    /// <summary>The tenure of the thread that asks, as it begins a quantum. [the thread that fills it]</summary>
    public ulong Mine
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Volatile.Read(ref Tenure) & ~Claimed;
    }

    /// <summary>Module + 1 that whoever fills the seat in this tenure is in; 0: none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int* Inside(Seat* seat, ulong tenure) => seat->_inside + ((tenure >> 1) % Tenures);

    /// <summary>Before a module is called: should it take the engine down or hold the thread, this names it. [the thread that fills it]</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Enter(Seat* seat, ulong mine, int slot)
    {
        seat->Record->Current = slot + 1;
        *Inside(seat, mine) = slot + 1;
    }

    /// <summary>
    /// Right after it returned: whether the seat is still the thread's own. False: it has been replaced and must touch nothing more. [the thread
    /// that fills it]
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Leave(Seat* seat, ulong mine)
    {
        *Inside(seat, mine) = 0;
        if (Volatile.Read(ref seat->Tenure) != mine && !Defend(seat, mine)) return false;
        seat->Record->Current = 0;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Defend(Seat* seat, ulong mine)
    {
        while (true)
        {
            var tenure = Volatile.Read(ref seat->Tenure);
            if (tenure == mine) return true;
            if (tenure != (mine | Claimed)) return false;
            if (Interlocked.CompareExchange(ref seat->Tenure, mine, tenure) == tenure) return true;
        }
    }

    /// <summary>First step: the thread that comes back from now on notices. The tenure to decide with. [watchdog]</summary>
    public static ulong Claim(Seat* seat)
    {
        var mine = seat->Mine;
        Volatile.Write(ref seat->Tenure, mine | Claimed);
        Interlocked.MemoryBarrierProcessWide();
        return mine;
    }

    /// <summary>The thread had come back: nothing happened. [watchdog]</summary>
    public static void Withdraw(Seat* seat, ulong mine) => Interlocked.CompareExchange(ref seat->Tenure, mine, mine | Claimed);

    /// <summary>Last step: true if the seat is taken; false if its thread came back at this very moment. [watchdog]</summary>
    public static bool TryTake(Seat* seat, ulong mine) => Interlocked.CompareExchange(ref seat->Tenure, mine + 2, mine | Claimed) == (mine | Claimed);

    /// <summary>Sits down to a quantum with empty hands.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Begin(Plan* plan, int thread, int threads, int slow)
    {
        Held = 0;
        Done = 0;
        Skipped = 0;
        _threads = threads;
        _batched = slow == 0 ? plan->Batched : 0; // a node that is held cannot be judged when it is begun
        if (_batched == 0) return;
        _home = plan->Homes + (thread * plan->HomeWords);
        for (var w = 0; w < plan->ReadyWords; w++)
        {
            _home[w] = _home[plan->ReadyWords + w];
            _home[plan->ReadyWords + w] = 0;
        }
    }

    /// <summary>The next node to run, or -1: nothing is ready that it may begin. <paramref name="slow"/>: class of a slow core, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(Crew* crew, Plan* plan, int slow)
    {
        if (slow != 0) return Placement.Pop(plan, slow, Placement.Left(plan, crew->OpenedAt));
        if (_batched == 0) return ReadySet.Pop(plan);
        var held = Held;
        if (held == 0)
        {
            held = ReadySet.PopSome(plan, _home, _threads, out Word);
            if (held == 0) return -1;
        }

        var bit = BitOperations.TrailingZeroCount(held);
        Held = held & (held - 1);
        _home[plan->ReadyWords + Word] |= 1UL << bit;
        return plan->ByRank[(Word << 6) + bit];
    }

    /// <summary>Puts back what was not begun; how many nodes.</summary>
    public int GiveBack(Plan* plan)
    {
        var nodes = BitOperations.PopCount(Held);
        _ = Interlocked.Or(ref plan->Ready[Word], Held);
        Held = 0;
        return nodes;
    }
}
