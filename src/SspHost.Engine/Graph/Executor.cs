// Runs a plan's quantum on one or several threads by dependency counting.
using System.Runtime.CompilerServices;
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Graph;

/// <summary>
/// The audio thread opens a quantum, works in it like any worker, and closes it once every node has run and every worker has left.
/// What a node computes does not depend on who runs it or when, so the output is the same for any number of workers.
/// Priority is exact among nodes taken singly. Where nodes are short, fetching the ready word and a node's memory from another core costs
/// more than a node: there a thread takes several of one word at a time, first those it took in the quantum before, and priority is exact only
/// within what it took. It gives back what it has not begun as soon as another thread finds nothing, so no thread idles for longer than a node.
/// </summary>
internal static unsafe class Executor
{
    // Waits are bounded so that a lost wake-up (there should be none) costs a hiccup and not the concert.
    private const ulong WorkerWaitNs = 500_000_000;
    private const ulong JoinWaitNs = 1_000_000;
    private const ulong AccountEvery = 256;

    // On average, as the audio thread finds them (its waits for memory included). Moving a node to another core costs some five lines of
    // 50-100 ns; apart, so that a plan between the two does not change back and forth.
    private const int BatchBelowNs = 400, SingleAboveNs = 800;

    // Which of two copies of the loop a thread runs: what only slow cores have to ask costs the others nothing.
    private readonly struct FastCore;

    private readonly struct SlowCore;

    // A plan is dozing where all but this part of its nodes sleep.
    private const int DozingPart = 8;

    private enum Outcome
    {
        /// <summary>Every node of the quantum has run.</summary>
        Finished,

        /// <summary>Nothing to do for this worker.</summary>
        Starved,

        /// <summary>The thread lost its seat while it was inside a module.</summary>
        Lost,
    }

    /// <summary>
    /// One quantum of a plan. False: the thread lost its seat inside a module and must touch nothing more; another goes on. [audio-thread]
    /// </summary>
    public static bool Run(RenderState* state, Plan* plan)
    {
        var crew = &state->Crew;
        if (IsAlone(crew, plan)) return RunAlone(state, plan, 0);
        if (plan->Dozing != 0) return RunDozing(state, plan, 0);
        Open(crew, plan);
        return RunTogether(state, plan, -1);
    }

    /// <summary>Says in the seat's trace whom its thread was stuck in. [standby that fills it, before anything else]</summary>
    public static void MarkTakeover(Seat* seat)
    {
        seat->Tape.Mark(TraceKind.Takeover, 0, seat->Stuck);
        seat->Record->Current = 0;
    }

    // What the seat's thread worked in this quantum; no call, no record. [the thread that fills it]
    private static void CountWork(Seat* seat)
    {
        if (seat->Worked == 0) return;
        seat->Work->Record(CycleClock.ToNanoseconds(seat->Worked));
        seat->Worked = 0;
    }

    /// <summary>Goes on with the quantum that the audio thread before this one was stuck in. [standby that fills seat 0]</summary>
    public static bool Resume(RenderState* state, Plan* plan)
    {
        var seat = state->Seats;
        if (IsAlone(&state->Crew, plan)) return RunAlone(state, plan, seat->Abandoned + 1);
        return seat->Alone != 0 ? RunDozing(state, plan, seat->Abandoned + 1) : RunTogether(state, plan, seat->Abandoned);
    }

    private static bool RunTogether(RenderState* state, Plan* plan, int abandoned)
    {
        var seat = state->Seats;
        seat->Alone = 0;
        if (Work<FastCore>(state, plan, 0, seat->Mine, abandoned, out _) == Outcome.Lost) return false;
        Close(state, &state->Crew);
        plan->Dozing = state->Crew.Slept >= plan->NodeCount - (plan->NodeCount / DozingPart) ? 1 : 0;
        return true;
    }

    public static bool IsTimed(RenderState* state) => ((state->Diagnostics | (uint)state->Judging) & (uint)DiagnosticFlags.ModuleTimes) != 0;

    // Diagnostics as a thread finds them when it sits down to a quantum. Events of modules only where there is a trace for them.
    private static DiagnosticFlags Asked(RenderState* state, Seat* seat)
    {
        var asked = (DiagnosticFlags)(state->Diagnostics | (uint)state->Judging);
        if (!seat->Tape.IsOpen) asked &= ~DiagnosticFlags.Trace;
        return (asked & DiagnosticFlags.Trace) == 0 ? asked & ~DiagnosticFlags.ModuleTrace : asked;
    }

    private static bool IsAlone(Crew* crew, Plan* plan) => (crew->Workers | plan->SlowWorkers) == 0 || plan->Width < 2;

    // One thread: topological order is all it takes, and nothing is atomic.
    private static bool RunAlone(RenderState* state, Plan* plan, int from)
    {
        var node = plan->Nodes + from;
        var end = plan->Nodes + plan->NodeCount;
        var seat = state->Seats;
        var mine = seat->Mine;
        var asked = Asked(state, seat);
        var begun = asked != 0 ? CycleClock.Now() : 0;
        var clock = begun;
        if ((asked & DiagnosticFlags.ModuleTimes) == 0)
        {
            for (; node < end; node++)
            {
                if (!NodeRunner.Run(state, node, seat, mine)) return false;
            }

            if ((asked & DiagnosticFlags.Histograms) != 0) clock = CycleClock.Now();
        }
        else
        {
            for (; node < end; node++)
            {
                clock = RunTimed(state, node, seat, mine, clock, asked);
                if (clock == 0) return false;
            }
        }

        seat->Record->Nodes += (ulong)(plan->NodeCount - from);
        state->LastJoin = 0;
        if ((asked & DiagnosticFlags.Histograms) != 0)
        {
            seat->Worked += clock - begun;
            CountWork(seat);
        }

        return true;
    }

    // A sleeping patch is done before a worker would have come. Where it turns out that there is work after all, the rest is for everybody.
    private static bool RunDozing(RenderState* state, Plan* plan, int from)
    {
        var seat = state->Seats;
        var mine = seat->Mine;
        var asked = Asked(state, seat);
        var timed = (asked & DiagnosticFlags.ModuleTimes) != 0;
        var patience = state->Crew.AloneTicks;
        var begun = CycleClock.Now();
        var clock = begun;
        seat->Alone = 1;
        for (var n = from; n < plan->NodeCount; n++)
        {
            seat->Skipped = 0;
            if (timed) clock = RunTimed(state, plan->Nodes + n, seat, mine, clock, asked);
            else if (!NodeRunner.Run(state, plan->Nodes + n, seat, mine)) return false;
            if (clock == 0) return false;
            if (seat->Skipped != 0 || n + 1 == plan->NodeCount || CycleClock.Now() - begun < patience) continue;
            seat->Record->Nodes += (ulong)(n + 1 - from);
            if ((asked & DiagnosticFlags.Histograms) != 0) seat->Worked += CycleClock.Now() - begun;
            OpenRest(&state->Crew, plan, n + 1);
            return RunTogether(state, plan, -1);
        }

        seat->Record->Nodes += (ulong)(plan->NodeCount - from);
        state->LastJoin = 0;
        if ((asked & DiagnosticFlags.Histograms) != 0)
        {
            seat->Worked += CycleClock.Now() - begun;
            CountWork(seat);
        }

        return true;
    }

    // One reading a node: the end of one is the beginning of the next. 0: the seat is lost.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong RunTimed(RenderState* state, Node* node, Seat* seat, ulong mine, ulong start, DiagnosticFlags asked)
    {
        var skipped = seat->Skipped;
        if (!NodeRunner.Run(state, node, seat, mine)) return 0;
        var now = CycleClock.Now();
        var instance = node->Instance;
        var record = instance->Record;
        var ns = CycleClock.ToNanoseconds(now - start);
        record->Calls++;
        record->Nanoseconds += ns;
        if (ns > record->Longest) record->Longest = ns;
        instance->LastNs = ns;
        if (seat->Record->Class != 0) CountSlow(node, seat->Record->Class, ns);
        if ((asked & DiagnosticFlags.Histograms) != 0) instance->Histogram->Record(ns);
        if ((asked & DiagnosticFlags.ModuleTrace) != 0 && seat->Skipped == skipped)
            seat->Tape.Write(TraceKind.Module, start, now, (uint)instance->Key, instance->Slot);
        return now;
    }

    private static void CountSlow(Node* node, int coreClass, ulong ns)
    {
        if (node->Instance->Asleep != 0) return; // what sleep costs says nothing of the module
        node->Instance->Record->SlowCalls[coreClass - 1]++;
        node->Instance->Record->SlowNanoseconds[coreClass - 1] += ns;
    }

    // The first nodes in topological order have run: those that waited only for them are ready.
    private static void OpenRest(Crew* crew, Plan* plan, int done)
    {
        for (var w = 0; w < plan->ReadyWords; w++) plan->Ready[w] = plan->InitialReady[w];
        for (var n = 0; n < done; n++)
        {
            var node = plan->Nodes + n;
            plan->Ready[node->Rank >> 6] &= ~(1UL << (node->Rank & 63));
            for (var k = 0; k < node->SuccessorCount; k++)
            {
                var next = plan->Nodes + node->Successors[k];
                if (--next->Pending != 0) continue;
                next->Pending = next->InitialPending;
                if (node->Successors[k] >= done) plan->Ready[next->Rank >> 6] |= 1UL << (next->Rank & 63);
            }
        }

        Open(crew, plan, done);
    }

    private static void Open(Crew* crew, Plan* plan)
    {
        for (var w = 0; w < plan->ReadyWords; w++) plan->Ready[w] = plan->InitialReady[w];
        Open(crew, plan, 0);
    }

    private static void Open(Crew* crew, Plan* plan, int done)
    {
        if (plan->NodeNs > SingleAboveNs) plan->Batched = 0;
        else if (plan->NodeNs is > 0 and < BatchBelowNs) plan->Batched = 1;
        crew->Plan = plan;
        crew->Wanted = Math.Min(crew->Workers, plan->Width - 1);
        crew->Remaining = plan->NodeCount - done;
        crew->Slept = 0;
        if (plan->SlowWorkers != 0) crew->OpenedAt = CycleClock.Now();

        // Full fence: all of the above is visible to whoever enters, and Sleepers is read after the gate is open. A worker that counts itself
        // as a sleeper looks at the gate after that, so one of the two sees the other.
        var generation = (crew->Gate >> 32) + 1;
        _ = Interlocked.Exchange(ref crew->Gate, (generation << 32) | Crew.Open);
        var wake = Volatile.Read(ref crew->Sleepers) - (crew->Workers - crew->Wanted);
        if (wake > 0) RingBell(&crew->Bell, wake);
        if (plan->SlowWorkers != 0) CallSlow(crew, plan, plan->Roots - 1 - crew->Wanted);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RingBell(uint* bell, int count)
    {
        _ = Interlocked.Increment(ref *bell);
        Linux.Wake(bell, count);
    }

    // After a push: wakes slow workers for what is left to them, if there is a node that they may begin now.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CallSlow(Crew* crew, Plan* plan, int nodes)
    {
        var asleep = Volatile.Read(ref crew->SlowSleepers) - (crew->SlowCrew - plan->SlowWorkers);
        if (nodes <= 0 || asleep <= 0 || Volatile.Read(ref crew->SlowCalled) != 0) return;
        var left = Placement.Left(plan, crew->OpenedAt);
        var any = false;
        for (var c = 1; c < Limits.MaxCoreClasses && !any; c++) any = Placement.Any(plan, c, left);
        if (any && Interlocked.Exchange(ref crew->SlowCalled, 1) == 0) RingBell(&crew->SlowBell, Math.Min(nodes, asleep));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RingJoin(Crew* crew)
    {
        _ = Interlocked.Increment(ref crew->JoinBell);
        Linux.Wake(&crew->JoinBell, 1);
    }

    /// <summary>
    /// Runs nodes until none is left. A worker that starves gives up, counted as a sleeper, with the bell's value from before it looked for
    /// the last time. <paramref name="abandoned"/>: the node to finish first for a predecessor in this seat, or -1.
    /// </summary>
    private static Outcome Work<TCore>(RenderState* state, Plan* plan, int thread, ulong mine, int abandoned, out uint bell)
        where TCore : unmanaged
    {
        var crew = &state->Crew;
        var seat = state->Seats + thread;
        var asked = Asked(state, seat);
        var timed = (asked & DiagnosticFlags.ModuleTimes) != 0;
        var begun = thread == 0 || asked != 0 ? CycleClock.Now() : 0;
        var clock = begun;
        var dry = begun; // end of the last node so far
        var ran = 0;
        var hungry = false; // never while in a module: nothing to inherit
        var patience = new Patience(thread == 0 ? crew->JoinTicks : crew->StarvedTicks);
        var outcome = Outcome.Finished;
        bell = 0;
        if (thread != 0) seat->Tape.Quantum = state->Quanta; // it cannot end while we are inside
        var slow = typeof(TCore) == typeof(SlowCore) ? state->Classes[thread] : 0; // class of a core whose takings are limited; 0: no limit
        int index;
        if (abandoned < 0)
        {
            seat->Begin(plan, thread, crew->Wanted + 1, slow);
            index = seat->Next(crew, plan, slow);
        }
        else
        {
            seat->Done++;
            index = Finish(crew, plan, plan->Nodes + abandoned);
            if (slow != 0) index = KeepSlow(crew, plan, index, slow);
            if (index < 0) index = seat->Next(crew, plan, slow);
        }

        while (true)
        {
            if (index >= 0)
            {
                if (hungry)
                {
                    hungry = false;
                    _ = Interlocked.Decrement(ref crew->Hungry);
                }

                var node = plan->Nodes + index;
                if (timed)
                {
                    clock = RunTimed(state, node, seat, mine, clock, asked);
                    if (clock == 0) return Outcome.Lost;
                }
                else if (!NodeRunner.Run(state, node, seat, mine))
                {
                    return Outcome.Lost;
                }

                seat->Done++;
                index = Finish(crew, plan, node);
                if (slow != 0) index = KeepSlow(crew, plan, index, slow);
                if (seat->Held != 0 && Volatile.Read(ref crew->Hungry) != 0)
                {
                    Offer(crew, seat->GiveBack(plan));
                }

                if (index < 0) index = seat->Next(crew, plan, slow);
                continue;
            }

            var done = seat->Done;
            if (done > 0)
            {
                seat->Record->Nodes += (ulong)done;
                ran += done;
                if (seat->Skipped != 0)
                {
                    _ = Interlocked.Add(ref crew->Slept, seat->Skipped);
                    seat->Skipped = 0;
                }

                var left = Interlocked.Add(ref crew->Remaining, -done);
                seat->Done = 0;
                patience.Renew();
                if (thread == 0) dry = CycleClock.Now();
                else
                {
                    if (left == 0 && Volatile.Read(ref crew->JoinWaiting) != 0) RingJoin(crew);
                    if (asked != 0) dry = timed ? clock : CycleClock.Now();
                }
            }

            if (Volatile.Read(ref crew->Remaining) == 0) break;
            if (!hungry && plan->Batched != 0 && slow == 0)
            {
                hungry = true;
                _ = Interlocked.Increment(ref crew->Hungry);
            }

            if (patience.IsOver())
            {
                if (thread == 0) SleepInJoin(crew, plan);
                else if (Starve(crew, plan, slow, out bell))
                {
                    outcome = Outcome.Starved;
                    break;
                }
            }

            index = seat->Next(crew, plan, slow);
            if (index >= 0 && timed) clock = CycleClock.Now();
        }

        if (hungry) _ = Interlocked.Decrement(ref crew->Hungry);
        if ((asked & DiagnosticFlags.Histograms) != 0)
        {
            seat->Worked += dry - begun;
            if (outcome == Outcome.Finished) CountWork(seat); // else it may be called again
        }

        if (thread != 0)
        {
            seat->Tape.Zone(TraceKind.Work, begun, seat->Tape.Now, (uint)ran);
        }
        else
        {
            state->LastJoin = dry;
            if (ran > 0 && abandoned < 0)
            {
                var ns = (int)Math.Min(CycleClock.ToNanoseconds(dry - begun), 1_000_000_000) / ran;
                plan->NodeNs = plan->NodeNs == 0 ? ns : plan->NodeNs + ((ns - plan->NodeNs) / 8);
            }
        }

        return outcome;
    }

    /// <summary>Counts a node as done for its successors. Returns the ready one of highest priority to go on with, offers the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Finish(Crew* crew, Plan* plan, Node* node)
    {
        Node* keep = null;
        var offered = 0;
        for (var k = 0; k < node->SuccessorCount; k++)
        {
            var next = plan->Nodes + node->Successors[k];
            if (next->InitialPending != 1) // an only predecessor need not ask
            {
                if (Interlocked.Decrement(ref next->Pending) != 0) continue;
                next->Pending = next->InitialPending; // nobody touches it again before the next quantum
            }

            if (keep == null)
            {
                keep = next;
                continue;
            }

            var later = next;
            if (next->Rank < keep->Rank)
            {
                later = keep;
                keep = next;
            }

            ReadySet.Push(plan, later->Rank);
            offered++;
        }

        if (offered > 0) Offer(crew, offered);
        return keep == null ? -1 : (int)(keep - plan->Nodes);
    }

    // A slow core goes on with what it made ready only if it may begin it.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int KeepSlow(Crew* crew, Plan* plan, int index, int slow)
    {
        if (index < 0) return -1;
        var rank = plan->Nodes[index].Rank;
        if (Placement.MayBegin(plan, slow, rank, Placement.Left(plan, crew->OpenedAt))) return index;
        ReadySet.Push(plan, rank);
        Offer(crew, 1);
        return -1;
    }

    // After a push (a full fence): wakes as many threads as got something to do, if the plan has use for them and they sleep.
    private static void Offer(Crew* crew, int nodes)
    {
        if (Volatile.Read(ref crew->JoinWaiting) != 0)
        {
            RingJoin(crew);
            nodes--;
        }

        var asleep = Volatile.Read(ref crew->Sleepers) - (crew->Workers - crew->Wanted);
        if (nodes > 0 && asleep > 0 && Volatile.Read(ref crew->Called) == 0 && Interlocked.Exchange(ref crew->Called, 1) == 0)
            RingBell(&crew->Bell, Math.Min(nodes, asleep));
        if (crew->SlowCrew != 0) CallSlow(crew, crew->Plan, nodes - Math.Max(0, asleep));
    }

    // The audio thread found nothing to do for a while: the rest is in other hands.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void SleepInJoin(Crew* crew, Plan* plan)
    {
        var bell = Volatile.Read(ref crew->JoinBell);
        _ = Interlocked.Exchange(ref crew->JoinWaiting, 1); // full fence: then look once more
        if (Volatile.Read(ref crew->Remaining) != 0 && !ReadySet.Any(plan)) Linux.Wait(&crew->JoinBell, bell, JoinWaitNs);
        Volatile.Write(ref crew->JoinWaiting, 0);
    }

    // Becoming a sleeper while still inside: a node offered from here on either is seen now or rings the bell.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Starve(Crew* crew, Plan* plan, int slow, out uint bell)
    {
        var bed = new Bed(crew, slow != 0);
        bell = Volatile.Read(ref *bed.Bell);
        bed.LieDown();
        var any = slow == 0 ? ReadySet.Any(plan) : Placement.Any(plan, slow, Placement.Left(plan, crew->OpenedAt));
        if (Volatile.Read(ref crew->Remaining) != 0 && !any) return true;
        bed.GetUp();
        return false;
    }

    private static void Close(RenderState* state, Crew* crew)
    {
        var gate = Interlocked.And(ref crew->Gate, ~Crew.Open); // from here on nobody enters
        var patience = new Patience(crew->JoinTicks);
        while ((gate & Crew.EnteredMask) != 0)
        {
            if (patience.IsOver())
            {
                var bell = Volatile.Read(ref crew->JoinBell);
                _ = Interlocked.Exchange(ref crew->JoinWaiting, 1);
                if ((Volatile.Read(ref crew->Gate) & Crew.EnteredMask) != 0) Linux.Wait(&crew->JoinBell, bell, JoinWaitNs);
                Volatile.Write(ref crew->JoinWaiting, 0);
            }

            gate = Volatile.Read(ref crew->Gate);
        }

        var dry = state->LastJoin;
        var now = CycleClock.Now();
        state->LastJoin = CycleClock.ToNanoseconds(now - dry);
        state->Seats->Tape.Zone(TraceKind.Join, dry, now, 0);
    }

    /// <summary>A worker's life until <see cref="Crew.Stop"/>, or until it loses its seat. [worker]</summary>
    public static void WorkerLoop(RenderState* state, int thread)
    {
        var crew = &state->Crew;
        var generation = Volatile.Read(ref crew->Gate) >> 32; // a quantum that is under way already may be entered, too
        if ((Volatile.Read(ref crew->Gate) & Crew.Open) != 0) generation--;
        Serve(state, thread, generation, Volatile.Read(ref *new Bed(crew, Placement.IsSlow(state, thread)).Bell), -1);
    }

    /// <summary>Finishes the quantum that the worker before this one was stuck in, and lives on in its place. [standby that fills a seat]</summary>
    public static void ResumeWorker(RenderState* state, int thread)
    {
        MarkTakeover(state->Seats + thread);
        var seat = state->Seats + thread;
        // Its predecessor has entered: the quantum cannot have ended.
        Serve(state, thread, Volatile.Read(ref state->Crew.Gate) >> 32, seat->Heard, seat->Abandoned);
    }

    private static void Serve(RenderState* state, int thread, ulong generation, uint heard, int abandoned)
    {
        var crew = &state->Crew;
        var slow = Placement.IsSlow(state, thread);
        var bed = new Bed(crew, slow);
        var patience = new Patience(crew->IdleTicks);
        var seat = state->Seats + thread;
        var mine = seat->Mine;
        var record = seat->Record;
        var counters = ThreadCounters.Read();
        while (abandoned >= 0 || Volatile.Read(ref crew->Stop) == 0)
        {
            if (abandoned < 0) Loading.Attachments.CatchUp(&record->Attached);
            var bell = Volatile.Read(ref *bed.Bell);
            var gate = Volatile.Read(ref crew->Gate);
            if (abandoned >= 0 || IsNews(gate, generation, bell, heard))
            {
                if (abandoned < 0)
                {
                    if (Interlocked.CompareExchange(ref crew->Gate, gate + 1, gate) != gate) continue;
                    if (gate >> 32 != (generation & uint.MaxValue)) // called again into the same one counts once
                    {
                        record->Quanta++;
                        CountWork(seat); // of the one before, that it left early
                    }

                    generation = gate >> 32;
                    heard = seat->Heard = bell;
                }

                patience.Renew();
                seat->Deadline = crew->Deadline;
                // Entered: the plan cannot be freed, because the join waits for us to leave.
                var outcome = slow
                    ? Work<SlowCore>(state, crew->Plan, thread, mine, abandoned, out var starvedAt)
                    : Work<FastCore>(state, crew->Plan, thread, mine, abandoned, out starvedAt);
                if (outcome == Outcome.Lost) return;
                abandoned = -1;
                seat->Deadline = 0;
                Leave(crew);
                if (record->Quanta % AccountEvery == 0) Account(seat, ref counters); // one that never sleeps is looked at, too
                if (outcome == Outcome.Finished) continue;
                Account(seat, ref counters);
                Linux.Wait(bed.Bell, starvedAt, WorkerWaitNs);
                bed.GetUp();
                continue;
            }

            if (!patience.IsOver()) continue;
            bed.LieDown();
            bell = Volatile.Read(ref *bed.Bell);
            gate = Volatile.Read(ref crew->Gate);
            Account(seat, ref counters);
            if (!IsNews(gate, generation, bell, heard) && Volatile.Read(ref crew->Stop) == 0) Linux.Wait(bed.Bell, bell, WorkerWaitNs);
            bed.GetUp();
        }
    }

    // Where a worker sleeps: slow ones apart, because they are called for other nodes.
    private readonly struct Bed(Crew* crew, bool slow)
    {
        private readonly int* _sleepers = slow ? &crew->SlowSleepers : &crew->Sleepers;
        private readonly int* _called = slow ? &crew->SlowCalled : &crew->Called;

        public uint* Bell { get; } = slow ? &crew->SlowBell : &crew->Bell;

        // Counts as a sleeper before the last look for work: an offer after that look rings. A call that met nobody is void.
        public void LieDown()
        {
            Volatile.Write(ref *_called, 0);
            _ = Interlocked.Increment(ref *_sleepers);
        }

        public void GetUp()
        {
            _ = Interlocked.Decrement(ref *_sleepers);
            Volatile.Write(ref *_called, 0);
        }
    }

    // A quantum not seen yet, or the bell rung since we left this one.
    private static bool IsNews(ulong gate, ulong generation, uint bell, uint heard) =>
        (gate & Crew.Open) != 0 && ((gate >> 32) != (generation & uint.MaxValue) || bell != heard);

    // What the kernel and the runtime counted on this worker since it was last asked: one getrusage, between quanta.
    private static void Account(Seat* seat, ref ThreadCounters counters)
    {
        var now = ThreadCounters.Read();
        var record = seat->Record;
        now.Tell(in counters, ref seat->Tape);
        record->Faults += now.Faults - counters.Faults;
        record->Preemptions += now.Preemptions - counters.Preemptions;
        record->AllocatedBytes += now.AllocatedBytes - counters.AllocatedBytes;
        counters = now;
    }

    private static void Leave(Crew* crew)
    {
        var gate = Interlocked.Decrement(ref crew->Gate);
        if ((gate & (Crew.Open | Crew.EnteredMask)) == 0 && Volatile.Read(ref crew->JoinWaiting) != 0) RingJoin(crew);
    }

    /// <summary>Every worker looks up, and finds what there is to be done between quanta. [steward]</summary>
    public static void Wake(Crew* crew)
    {
        RingBell(&crew->Bell, int.MaxValue);
        RingBell(&crew->SlowBell, int.MaxValue);
    }

    /// <summary>Sends every worker home. [steward]</summary>
    public static void Stop(Crew* crew)
    {
        _ = Interlocked.Exchange(ref crew->Stop, 1);
        RingBell(&crew->Bell, int.MaxValue);
        RingBell(&crew->SlowBell, int.MaxValue);
    }
}
