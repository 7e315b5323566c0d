// Looks a thousand times a second whether a thread is stuck in a module, and puts another in its place.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Threads;

/// <summary>A seat as the watchdog sees it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Watched
{
    /// <summary>Who fills it.</summary>
    public RtThread* Thread;

    /// <summary>What a thread in this seat is to be; its stack is its own.</summary>
    public RtThreadSetup Setup;

    public fixed byte Name[RtThread.MaxName + 1];

    /// <summary>What a standby runs to go on in this seat, and its argument.</summary>
    public delegate*<void*, void> Resume;
    public void* Argument;

    // The quantum it was last late in, and whether that was told: one is told once.
    internal ulong Told;
    internal bool IsTold;

    // The module it was seen in last, since when, and what of that time counts.
    internal int Current;
    internal Stage Stage;
    internal ulong Quantum, Since, Charge, CpuTime;
}

/// <summary>
/// Lives at a fixed address of the region; run by a thread of its own at a priority above all others, on the housekeeping core. Between two
/// looks it sleeps. A thread counts as stuck once it has computed for the limit inside one call of a module, or waited there for so long for
/// anything but a core: one that is kept from running by others is not stuck, however long that takes.
/// <para>
/// Before that it looks at a thread that passed the deadline of its quantum, and records why (<see cref="StallLook"/>). Its priority is above theirs, so
/// it runs where it shares its core with them, too: on a machine of one core it takes it from them for a moment, a thousand times a second.
/// </para>
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Watchdog
{
    /// <summary>RT threads there are: one a seat, and the standbys.</summary>
    public const int Threads = Limits.MaxThreads + RtThread.Standbys;

    private const ulong Tick = 1_000_000;

    // What a tick counts at most: where the whole machine stood still, nobody was stuck.
    private const ulong MostOfATick = 2 * Tick;

    public RenderState* State;

    /// <summary>The region's, for keys and cores.</summary>
    public InstanceRecord* Instances;
    public ThreadRecord* Records;

    /// <summary>Where what it saw goes; full: it is dropped and counted.</summary>
    public SpscRing<StallRecord> Stalls;

    /// <summary>Watchdog.Threads of them.</summary>
    public RtThread* Crew;

    /// <summary>Limits.MaxThreads of them; the first <see cref="SeatCount"/> count.</summary>
    public Watched* Seats;

    /// <summary>Where the audio session has its thread.</summary>
    public RtThread** AudioThread;

    /// <summary>ns of a call after which its thread is replaced.</summary>
    public ulong LimitNs;

    /// <summary>ns of a quantum after which it looks why; 0: never.</summary>
    public ulong BudgetNs;

    /// <summary>ns between two stalls that are told: a patch that is too heavy is late in every quantum.</summary>
    public ulong QuietNs;

    public int SeatCount;

    /// <summary>1 while somebody starts one of those that stand by: the watchdog, or the steward.</summary>
    public int StandbysTaken;

    /// <summary>Called when a thread is stuck and no other is left to take its place.</summary>
    public delegate*<void> GiveUp;

    /// <summary>Takeovers so far.</summary>
    public ulong Takeovers;

    /// <summary>Quanta that passed their deadline, told or not.</summary>
    public ulong Late;

    private uint _stop;
    private ulong _quietUntil;
    private StallRecord _record;

    /// <summary>The thread's life until <see cref="Stop"/>. [watchdog]</summary>
    public static void Run(void* watchdog)
    {
        var self = (Watchdog*)watchdog;
        var before = Linux.Now();
        while (Volatile.Read(ref self->_stop) == 0)
        {
            Linux.Wait(&self->_stop, 0, self->Nap());
            var now = Linux.Now();
            if (self->BudgetNs != 0) self->LookForLate(now, now - before);
            for (var i = 0; i < self->SeatCount; i++) self->Look(i, now, Math.Min(now - before, MostOfATick));
            before = now;
        }
    }

    /// <summary>Sends it home; it can be run again. [steward]</summary>
    public static void Stop(Watchdog* self)
    {
        Volatile.Write(ref self->_stop, 1);
        Linux.Wake(&self->_stop, 1);
    }

    /// <summary>Before the thread is started. [steward]</summary>
    public void Prepare() => _stop = 0;

    // Until the next deadline, if that is sooner than the next tick.
    private ulong Nap()
    {
        const ulong Least = 50_000;
        if (BudgetNs == 0) return Tick;
        var clock = CycleClock.Now();
        var nap = Tick;
        for (var i = 0; i < SeatCount; i++)
        {
            var deadline = Volatile.Read(ref State->Seats[i].Deadline);
            if (deadline > clock) nap = Math.Min(nap, Math.Max(CycleClock.ToNanoseconds(deadline - clock), Least));
        }

        return nap;
    }

    // One quantum, one stall: of the threads that are late it is the one inside a module, else a worker, else the audio thread, which waits for them.
    private void LookForLate(ulong now, ulong elapsed)
    {
        var clock = CycleClock.Now();
        var worst = -1;
        for (var i = SeatCount - 1; i >= 0; i--)
        {
            if (!IsLate(i, clock)) continue;
            if (worst < 0 || (InsideOf(i) != 0 && InsideOf(worst) == 0)) worst = i;
        }

        if (worst < 0) return;
        var quantum = Volatile.Read(ref State->Quantum);
        for (var i = 0; i < SeatCount; i++)
        {
            if (Seats[i].Told == quantum && IsLate(i, clock)) return;
        }

        (Seats[worst].Told, Seats[worst].IsTold) = (quantum, now >= _quietUntil);
        Volatile.Write(ref Late, Late + 1);
        if (now < _quietUntil) return;
        _quietUntil = now + QuietNs;
        Describe(worst, now, clock);
        if (elapsed > Tick + BudgetNs) _record.Window = elapsed; // it did not run itself, above everybody else: nothing did
        else StallLook.Take(Seats[worst].Thread, (StallRecord*)Unsafe.AsPointer(ref _record));
        Tell();
    }

    private readonly bool IsLate(int index, ulong clock)
    {
        var deadline = Volatile.Read(ref State->Seats[index].Deadline);
        return deadline != 0 && clock > deadline;
    }

    private readonly int InsideOf(int index) => Volatile.Read(ref *Seat.Inside(State->Seats + index, State->Seats[index].Mine));

    private void Describe(int index, ulong now, ulong clock)
    {
        var seat = State->Seats + index;
        var slot = InsideOf(index) - 1;
        var deadline = Volatile.Read(ref seat->Deadline);
        _record = default;
        _record.Time = now;
        _record.Quantum = State->Quanta;
        _record.Key = slot >= 0 ? Instances[slot].Key : 0;
        _record.Elapsed = BudgetNs + (clock > deadline ? CycleClock.ToNanoseconds(clock - deadline) : 0);
        _record.Budget = BudgetNs;
        _record.Seat = index;
        _record.Slot = slot;
        _record.Core = Records[index].Core;
        _record.Tid = Seats[index].Thread->Tid;
        _record.SystemCall = -2;
    }

    private void Tell() => _ = Stalls.TryPush(in _record);

    private void Look(int index, ulong now, ulong elapsed)
    {
        var seat = State->Seats + index;
        var watched = Seats + index;
        var current = Volatile.Read(ref *Seat.Inside(seat, seat->Mine));
        if (current == 0)
        {
            watched->Current = 0;
            return;
        }

        var quantum = Volatile.Read(ref State->Quantum);
        if (watched->Thread->Fault != 0)
        {
            (watched->Current, watched->Stage, watched->Quantum) = (current, seat->Stage, quantum);
            _ = TakeOver(index, now, ShedReason.Fault, watched->Thread->Fault);
            return;
        }

        // A node runs once a quantum, so the same one in the same quantum is the same call.
        if (current != watched->Current || quantum != watched->Quantum || seat->Stage != watched->Stage)
        {
            (watched->Current, watched->Stage, watched->Quantum) = (current, seat->Stage, quantum);
            (watched->Since, watched->Charge, watched->CpuTime) = (now, 0, watched->Thread->CpuTime);
            return;
        }

        var used = watched->Thread->CpuTime;
        watched->Charge += watched->Thread->IsWaiting ? elapsed : Math.Min(used - watched->CpuTime, MostOfATick);
        watched->CpuTime = used;
        if (watched->Charge < LimitNs) return;
        var told = watched->Told == quantum && watched->IsTold;
        if (!told) DescribeStuck(index, now);
        if (TakeOver(index, now, ShedReason.Stuck, (long)(now - watched->Since)) && !told) Tell();
    }

    // Whoever is replaced is told of in any case: where it has no deadline, or another was told of within the second.
    private void DescribeStuck(int index, ulong now)
    {
        var watched = Seats + index;
        Describe(index, now, CycleClock.Now());
        StallLook.Take(watched->Thread, (StallRecord*)Unsafe.AsPointer(ref _record));
        _record.Elapsed = now - watched->Since;
    }

    private bool TakeOver(int index, ulong now, ShedReason reason, long cost)
    {
        var seat = State->Seats + index;
        var watched = Seats + index;
        if (Interlocked.CompareExchange(ref StandbysTaken, 1, 0) != 0) return false; // the steward has one of them for a moment: at the next tick
        var took = TakeOverWith(FindStandby(), seat, watched, index, reason, cost);
        Volatile.Write(ref StandbysTaken, 0);
        return took;
    }

    private bool TakeOverWith(RtThread* standby, Seat* seat, Watched* watched, int index, ShedReason reason, long cost)
    {
        var ghost = FindGhost();
        if (standby == null || ghost == null)
        {
            GiveUp();
            return false;
        }

        var mine = Seat.Claim(seat);
        if (Volatile.Read(ref *Seat.Inside(seat, mine)) != watched->Current || Volatile.Read(ref State->Quantum) != watched->Quantum
            || seat->Stage != watched->Stage || !Seat.TryTake(seat, mine))
        {
            Seat.Withdraw(seat, mine); // it has come back
            watched->Current = 0;
            return false;
        }

        *Seat.Inside(seat, mine + 2) = 0;
        watched->Thread->Demote();
        Abandon(ghost, seat, watched, reason, cost);
        watched->Current = 0;
        watched->Thread = standby;
        if (index == 0) *AudioThread = standby;
        Takeovers++;
        var name = new ReadOnlySpan<byte>(watched->Name, RtThread.MaxName);
        if (RtThread.Start(standby, watched->Setup, name, watched->Resume, watched->Argument) != 0) GiveUp();
        return true;
    }

    private Ghost* FindGhost()
    {
        for (var g = 0; g < Ghost.Most; g++)
        {
            if (Volatile.Read(ref State->Ghosts[g].State) == Ghost.Free) return State->Ghosts + g;
        }

        return null;
    }

    private void Abandon(Ghost* ghost, Seat* seat, Watched* watched, ShedReason reason, long cost)
    {
        ghost->Thread = watched->Thread;
        seat->Abandoned = -1;
        seat->Stuck = watched->Current - 1;
        if (watched->Stage == Stage.Command)
        {
            ghost->Instance = State->Mailbox.Instance;
            ghost->Data = State->Mailbox.Data;
        }
        else
        {
            var node = State->Current->NodeBySlot[watched->Current - 1] - 1;
            ghost->Instance = State->Current->Nodes[node].Instance;
            if (watched->Stage == Stage.Graph)
            {
                seat->Abandoned = node;
                ghost->Plan = State->Current;
            }
        }

        Takeover.Abandon(State, ghost, seat->Abandoned, reason, cost);
    }

    // A parked thread. One that is parked but still counts as a ghost has not been seen by the steward yet.
    private RtThread* FindStandby()
    {
        for (var t = 0; t < Threads; t++)
        {
            if (!Crew[t].IsParked) continue;
            var free = true;
            for (var g = 0; g < Ghost.Most; g++) free &= Volatile.Read(ref State->Ghosts[g].State) == Ghost.Free || State->Ghosts[g].Thread != Crew + t;
            for (var s = 0; s < SeatCount; s++) free &= Seats[s].Thread != Crew + t;
            if (free) return Crew + t;
        }

        return null;
    }
}
