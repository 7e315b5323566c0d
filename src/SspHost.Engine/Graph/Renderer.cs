// A plan in, quanta out: what the audio loop and the steward see of the graph.
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Graph;

/// <summary>
/// Owns the plan, the instances and the threads' meeting point. Each function carries the thread that may call it; the steward and
/// the audio thread meet in one published pointer and one mailbox, and never wait for each other beyond a bound.
/// </summary>
public sealed unsafe class Renderer : IDisposable
{
    /// <summary>How long the steward waits for the audio thread to take a command, in ns.</summary>
    public const ulong CommandTimeoutNs = 250_000_000;

    // Late quanta, less those in time, from which modules are timed, and at which one is shed; and quanta after a change that do not count.
    private const int OverloadToJudge = 4, OverloadToShed = 8, RespiteQuanta = 16;

    // Result of a command that could not be carried out.
    private const int Refused = int.MinValue;

    private readonly RegionMap _map;
    private readonly Pool* _pool;
    private readonly ModuleType* _types;
    private int _typeCount;
    private readonly InstanceTable _instances;
    private readonly PlanBuilder _builder;
    private readonly RenderState* _s;
    private readonly SpscRing<ModuleEvent> _events, _midi;
    private readonly SpscRing<Notice> _notices;
    private Plan* _retired;
    private Plan* _sent; // published last; not settled before the audio thread has made it current
    private Asset* _orphan; // replaced by a command that was given up on after the audio thread took it
    private ulong _installations;
    private int _quantum;
    private float _rate;
    private bool _running;

    /// <summary>
    /// [start-up] Takes its tables from the pool. <paramref name="silence"/>: at least 16 channels of 256 zero floats, read-only.
    /// Throws <see cref="InsufficientMemoryException"/> where the pool is too small for the tables.
    /// </summary>
    public Renderer(RegionMap map, Pool* pool, ModuleRegistry registry, float* silence)
    {
        _map = map;
        _pool = pool;
        _events = map.Events;
        _midi = map.MidiEvents;
        _notices = map.Notices;
        _types = ModuleTypes.Build(registry, pool);
        _typeCount = registry.Entries.Count;
        _s = (RenderState*)ModuleTypes.Take(pool, sizeof(RenderState));
        _s->Silence = silence;
        _s->ThreadRecords = map.Threads;
        _s->Seats = (Seat*)ModuleTypes.Take(pool, Limits.MaxThreads * (long)sizeof(Seat));
        for (var t = 0; t < Limits.MaxThreads; t++)
        {
            var seat = _s->Seats + t;
            seat->Record = map.Threads + t;
            seat->Work = map.WorkerHistogram(t);
            seat->Tape.Follow(&_s->Diagnostics);
        }

        _s->Taps = map.Taps;
        _s->Ghosts = (Ghost*)ModuleTypes.Take(pool, Ghost.Most * (long)sizeof(Ghost));
        _s->JackIn = (float*)ModuleTypes.Take(pool, Limits.MaxJacks * (long)Limits.MaxQuantum * sizeof(float));
        _s->FadeShape = (float*)ModuleTypes.Take(pool, GainRamp.ShapeLength * (long)sizeof(float));
        _s->Events = (ModuleEvent*)ModuleTypes.Take(pool, Limits.MaxEventsPerQuantum * (long)sizeof(ModuleEvent));
        _s->Held = (ModuleEvent*)ModuleTypes.Take(pool, EventDrain.HeldCapacity * (long)sizeof(ModuleEvent));
        _instances = new InstanceTable(map, pool, _types, _typeCount);
        _builder = new PlanBuilder(pool, _types, _instances, _s);
        Threads.RtGuard.Install(map, registry);
    }

    internal RenderState* State => _s;

    internal ModuleType* Types => _types;

    internal int TypeCount => _typeCount;

    /// <summary>[steward] As many types as were filled behind the last one can be used from now on: no plan knows their numbers yet.</summary>
    internal void Grow(int types)
    {
        _typeCount += types;
        _instances.Grow(_typeCount);
    }

    internal InstanceTable Instances => _instances;

    /// <summary>
    /// [steward] Whether an audio thread may be calling <see cref="Render"/>. Set it before that thread starts and clear it after it ended:
    /// while it is false the steward does at once what it would otherwise hand over.
    /// </summary>
    public bool Running
    {
        get => _running;
        set
        {
            if (!value && _running)
            {
                _ = IsBusy;
                _s->Mailbox.State = Mailbox.Idle; // whatever was posted, nobody will take it now
                FreeOrphan();
            }

            _running = value;
            if (!value) _ = TakePublished(heard: false);
        }
    }

    /// <summary>Whether an installed plan has not been taken by the audio thread yet. [steward]</summary>
    public bool IsPlanWaiting => _running && !IsSettled;

    // Taking a plan is two steps of the audio thread, which may be preempted between them: it is only over when the plan is current.
    private bool IsSettled => _sent == null || (Plan*)Volatile.Read(ref *(nint*)&_s->Current) == _sent;

    /// <summary>Whether the audio thread, or one that is stuck, is in a command with this block: it must not be freed yet. [steward]</summary>
    public bool Uses(void* block)
    {
        if (_running && Volatile.Read(ref _s->Mailbox.State) == Mailbox.Taken && _s->Mailbox.Data == block) return true;
        for (var g = 0; g < Ghost.Most; g++)
        {
            if (Volatile.Read(ref _s->Ghosts[g].State) == Ghost.Inside && _s->Ghosts[g].Data == block) return true;
        }

        return false;
    }

    /// <summary>Whether a thread is stuck in a module, or was and has not been let go yet. [steward]</summary>
    internal bool IsGhost(Threads.RtThread* thread)
    {
        for (var g = 0; g < Ghost.Most; g++)
        {
            if (Volatile.Read(ref _s->Ghosts[g].State) == Ghost.Inside && _s->Ghosts[g].Thread == thread) return true;
        }

        return false;
    }

    /// <summary>Threads that are stuck in a module. [steward]</summary>
    public int StuckThreads
    {
        get
        {
            var count = 0;
            for (var g = 0; g < Ghost.Most; g++) count += Volatile.Read(ref _s->Ghosts[g].State) == Ghost.Inside ? 1 : 0;
            return count;
        }
    }

    /// <summary>Whether there are workers to wait for. [audio-thread]</summary>
    public bool HasWorkers => _s->Crew.Workers + _s->Crew.SlowCrew > 0;

    /// <summary>Number of the last incident: the audio loop counts on from it. [audio-thread]</summary>
    public ulong* LastIncident => &_s->Incidents;

    /// <summary>Quanta rendered since the engine started. [any thread]</summary>
    public ulong Quanta => Volatile.Read(ref _s->Quanta);

    /// <summary>Outputs that failed the check. [any thread]</summary>
    public ulong BadOutputs => Volatile.Read(ref _s->BadOutputs);

    /// <summary>Events that named nobody, or a parameter that does not exist, or lay too far ahead. [any thread]</summary>
    public ulong DroppedEvents => Volatile.Read(ref _s->DroppedEvents);

    /// <summary>The audio thread's trace: the audio loop writes to it, too. [audio-thread]</summary>
    public Tape* AudioTape => &_s->Seats->Tape;

    /// <summary>MIDI events that came after their frame. [any thread]</summary>
    public ulong LateEvents => Volatile.Read(ref _s->LateEvents);

    /// <summary>
    /// Gives a thread of the crew, pinned to this core (-1: none), a trace. False: no memory for it. [steward, before the threads start]
    /// </summary>
    public bool OpenTrace(int thread, int core) => TraceRings.Open(_map, _pool, thread, core, &_s->Seats[thread].Tape);

    /// <summary>
    /// ns that a quantum may take before the watchdog looks why; 0: for ever. [steward, stopped]
    /// </summary>
    internal ulong PatienceNs
    {
        set => _s->PatienceTicks = (ulong)(value * CycleClock.Frequency / 1e9);
    }

    /// <summary>A quantum begins, at this reading of the cycle clock: says by when it should be over. [audio-thread]</summary>
    public void Begin(ulong now)
    {
        var deadline = _s->PatienceTicks == 0 ? 0 : now + _s->PatienceTicks;
        _s->Crew.Deadline = deadline;
        _s->Seats->Deadline = deadline;
    }

    /// <summary>It is over. [audio-thread]</summary>
    public void End() => _s->Seats->Deadline = 0;

    /// <summary>Ns the audio thread waited for its workers after its own last node, in the last quantum. [audio-thread]</summary>
    public ulong LastJoin => _s->LastJoin;

    /// <summary>Ns it took to take a plan in the last quantum; 0: there was none. [audio-thread]</summary>
    public ulong LastSwap => _s->LastSwap;

    /// <summary>Serial of the plan that plays; 0: none. [audio-thread or steward]</summary>
    public ulong PlanSerial
    {
        get
        {
            var plan = (Plan*)Volatile.Read(ref *(nint*)&_s->Current);
            return plan == null ? 0 : plan->Serial;
        }
    }

    /// <summary>Instances alive, leaving ones included. [steward]</summary>
    public int InstanceCount => _instances.Count;

    /// <summary>Diagnostics that are on; takes effect at the next quantum. [steward]</summary>
    public DiagnosticFlags Diagnostics
    {
        get => (DiagnosticFlags)Volatile.Read(ref _s->Diagnostics);
        set => Volatile.Write(ref _s->Diagnostics, (uint)value);
    }

    /// <summary>Number of the present window of levels. [audio-thread]</summary>
    public ulong Window => _s->Window;

    /// <summary>Whether every ramp that a plan began has ended. [audio-thread]</summary>
    public bool IsSettledDown => _s->Unsettled == 0;

    /// <summary>Number for the next incident; one series for everything that goes wrong. [audio-thread]</summary>
    public ulong NextIncident() => ++_s->Incidents;

    /// <summary>
    /// [steward, stopped] Rate in Hz, frames of a quantum, RT threads (audio thread included). A change of rate or quantum drops the
    /// plan and every instance, because they were made for the old ones: install again. <paramref name="classes"/>: class of each thread's core,
    /// 0 = the fastest of the machine; missing: 0.
    /// </summary>
    public ReplyStatus Configure(float rate, int quantum, int threads, ReadOnlySpan<byte> classes = default)
    {
        if (_running) return ReplyStatus.WrongState;
        foreach (var c in classes)
            if (c >= Limits.MaxCoreClasses) return ReplyStatus.BadRequest;
        if (!(rate >= Limits.MinRate && rate <= Limits.MaxRate) || !Limits.IsQuantum(quantum) || threads is < 1 or > Limits.MaxThreads)
            return ReplyStatus.BadRequest;
        if (rate != _rate || quantum != _quantum)
        {
            DropAll();
            Disown(sharedToo: rate != _rate);
            if (rate != _rate) _instances.FreeAllShared();
        }

        _rate = rate;
        _quantum = quantum;
        _s->Rate = rate;
        _s->Frames = quantum;
        _s->RampSteps = Ramp.StepsAt(rate);
        _s->FadeFrames = GainRamp.FramesAt(rate);
        GainRamp.FillShape(_s->FadeShape, _s->FadeFrames);
        _s->HeldCount = 0;
        while (_midi.Exists && _midi.TryPop(out _)) // of another count of frames
        {
        }

        _s->WindowFrames = _s->WindowLeft = (int)(rate * OutputLevels.Seconds);
        SignalTaps.Align(_s);
        _s->Threads = threads;
        var crew = &_s->Crew;
        _s->FastClass = Limits.MaxCoreClasses - 1;
        for (var t = 0; t < threads; t++)
        {
            _s->Classes[t] = t < classes.Length ? classes[t] : (byte)0;
            _s->FastClass = Math.Min(_s->FastClass, _s->Classes[t]);
        }

        crew->SlowCrew = 0;
        for (var t = 1; t < threads; t++) crew->SlowCrew += Placement.IsSlow(_s, t) ? 1 : 0;
        crew->Workers = threads - 1 - crew->SlowCrew;
        crew->Stop = 0;
        // Quanta that follow each other at once are caught awake; in a gap of a device period a worker sleeps. Within a quantum waiting is
        // dearer asleep (a wake-up is some 5 us) than awake, but not for long: another core may need the power.
        crew->IdleTicks = PauseHint.Ticks(10);
        crew->StarvedTicks = PauseHint.Ticks(30);
        crew->JoinTicks = PauseHint.Ticks(50);
        crew->AloneTicks = PauseHint.Ticks(5);
        if (_s->Current != null) Placement.Place(_s, _s->Current);
        return ReplyStatus.Ok;
    }

    /// <summary>
    /// [steward] Builds a plan and publishes it: the audio thread takes it at its next quantum, or it is taken at once when stopped. A plan
    /// published earlier and not taken yet is replaced. Refused plans leave nothing allocated and change nothing.
    /// </summary>
    public ReplyStatus Install(PlanHeader* blob, long bytes, out BuildError error)
    {
        error = new BuildError { FirstStateRefused = -1 };
        if (_quantum == 0) return error.Status = ReplyStatus.WrongState;
        _ = Collect();
        // Taken back, so that what plays now is what plays until this one does: lines and parameters go on from there.
        var waiting = (Plan*)Interlocked.Exchange(ref *(nint*)&_s->Published, 0);
        if (waiting == null && !Settle()) return error.Status = ReplyStatus.TimedOut;
        var playing = (Plan*)Volatile.Read(ref *(nint*)&_s->Current);
        var plan = _builder.Build(blob, bytes, _typeCount, playing, _rate, _quantum, out error);
        if (plan == null)
        {
            if (waiting != null) Publish(waiting);
            return error.Status;
        }

        _installations++;
        for (var n = 0; n < plan->NodeCount; n++)
        {
            var instance = plan->Nodes[n].Instance;
            instance->Newest = _installations;
            Volatile.Write(ref *(uint*)&instance->Record->State, (uint)InstanceState.Active);
        }

        if (waiting != null) _ = _builder.Free(waiting); // it never played: nobody is in it
        for (var n = 0; playing != null && n < playing->NodeCount; n++)
        {
            var instance = playing->Nodes[n].Instance;
            if (instance->Newest != _installations) Volatile.Write(ref *(uint*)&instance->Record->State, (uint)InstanceState.Leaving);
        }

        if (playing != null) Retire(playing);
        Publish(plan);
        if (!_running) _ = TakePublished(heard: false);
        return ReplyStatus.Ok;
    }

    /// <summary>
    /// [steward] Takes back the plan that was published last, if the audio thread has not taken it: what played plays on, and nothing of the other is
    /// left. False: it plays, or will in a moment.
    /// </summary>
    public bool Withdraw()
    {
        var waiting = (Plan*)Interlocked.Exchange(ref *(nint*)&_s->Published, 0);
        if (waiting == null) return false;
        var playing = (Plan*)Volatile.Read(ref *(nint*)&_s->Current);
        _sent = playing;
        _installations++;
        for (var n = 0; playing != null && n < playing->NodeCount; n++)
        {
            var instance = playing->Nodes[n].Instance;
            instance->Newest = _installations;
            Volatile.Write(ref *(uint*)&instance->Record->State, (uint)InstanceState.Active);
        }

        for (var n = 0; n < waiting->NodeCount; n++)
        {
            var instance = waiting->Nodes[n].Instance;
            if (instance->Newest != _installations) Volatile.Write(ref *(uint*)&instance->Record->State, (uint)InstanceState.Leaving);
        }

        _ = _builder.Free(waiting); // it never played: nobody is in it
        return true;
    }

    /// <summary>
    /// [steward, stopped] The same for audio that will be started with <paramref name="rate"/>: what was made for another rate or quantum is dropped,
    /// but only for a plan that has proved sound. (Where the pool then turns out to be too small, nothing is left but the error.)
    /// </summary>
    public ReplyStatus Install(PlanHeader* blob, long bytes, float rate, out BuildError error)
    {
        error = new BuildError { FirstStateRefused = -1 };
        if (_running) return error.Status = ReplyStatus.WrongState;
        if (!(rate >= Limits.MinRate && rate <= Limits.MaxRate)) error = BuildError.Bad(BadPart.Rate, 0, (long)rate);
        else if (bytes < sizeof(PlanHeader)) error = BuildError.Bad(BadPart.Header, 0, bytes);
        else if (!Limits.IsQuantum(blob->Quantum)) error = BuildError.Bad(BadPart.Quantum, 0, blob->Quantum);
        else if (PlanCheck.Run(blob, bytes, _types, _typeCount, blob->Quantum, _pool, out _, out error))
        {
            _ = Configure(rate, blob->Quantum, threads: 1);
            return Install(blob, bytes, out error);
        }

        return error.Status;
    }

    /// <summary>
    /// [steward, stopped] When the last node of the current plan would end by the plan's costs, in ns after a quantum's opening, on the crew it is
    /// configured for: as it is placed, on the fast cores alone, and with every core taking the best node. Slow = slow workers it uses.
    /// </summary>
    public (long Placed, long Alone, long Blind, int Slow) Rehearse()
    {
        var plan = _s->Current;
        if (_running || plan == null) return default;
        var target = plan->Target;
        var rehearsal = new Rehearsal(plan, new ReadOnlySpan<byte>(_s->Classes, _s->Threads), plan->Costs);
        var placed = rehearsal.Run();
        plan->Target = Placement.Never;
        var alone = rehearsal.Run();
        plan->Target = target;
        rehearsal.Blind = true;
        return (placed, alone, rehearsal.Run(), plan->SlowWorkers);
    }

    private void Publish(Plan* plan)
    {
        _sent = plan;
        _ = Interlocked.Exchange(ref *(nint*)&_s->Published, (nint)plan);
    }

    // Waits for an audio thread that is taking a plan at this moment.
    private bool Settle()
    {
        if (!_running || IsSettled) return true;
        var end = Linux.Now() + CommandTimeoutNs;
        var never = 0u;
        while (!IsSettled)
        {
            if (Linux.Now() > end) return false;
            Linux.Wait(&never, 0, 100_000);
        }

        return true;
    }

    // A plan that plays is on this list from the first plan built to follow it.
    private void Retire(Plan* plan)
    {
        for (var p = _retired; p != null; p = p->NextRetired)
        {
            if (p == plan) return;
        }

        plan->RetiredAt = Volatile.Read(ref _s->Quanta);
        plan->NextRetired = _retired;
        _retired = plan;
    }

    /// <summary>
    /// [steward] Frees replaced plans, and instances only they held, once the audio thread has taken another and finished a quantum since
    /// (or is stopped). True if nothing is left to collect.
    /// </summary>
    public bool Collect()
    {
        if (_running && Volatile.Read(ref _s->Mailbox.State) == Mailbox.Taken) return false; // a command may still hold an instance
        Exorcise();
        var playing = (Plan*)Volatile.Read(ref *(nint*)&_s->Current);
        var now = Volatile.Read(ref _s->Quanta);
        var left = false;
        Plan* previous = null;
        for (var plan = _retired; plan != null;)
        {
            var next = plan->NextRetired;
            if (plan != playing && (!_running || now > plan->RetiredAt))
            {
                if (!_builder.Free(plan))
                {
                    previous = plan; // haunted: not soon
                }
                else if (previous == null)
                {
                    _retired = next;
                }
                else
                {
                    previous->NextRetired = next;
                }
            }
            else
            {
                left = true;
                previous = plan;
            }

            plan = next;
        }

        return !left;
    }

    // Threads that have come back after all leave what they were in to be freed or played again.
    private void Exorcise()
    {
        for (var g = 0; g < Ghost.Most; g++)
        {
            var ghost = _s->Ghosts + g;
            if (Volatile.Read(ref ghost->State) != Ghost.Inside || ghost->Thread->IsRunning) continue;
            if (ghost->Plan != null) _ = Interlocked.Decrement(ref ghost->Plan->Ghosts);
            if (ghost->Orphan != null) _pool->Free(0, ghost->Orphan);
            _instances.Exorcise(ghost->Instance);
            ghost->Plan = null;
            ghost->Data = null;
            ghost->Orphan = null;
            Volatile.Write(ref ghost->State, Ghost.Free); // last: the watchdog fills it anew
        }
    }

    // What stuck threads are in was made for another rate or quantum: it must not be played again when they have come back.
    private void Disown(bool sharedToo)
    {
        for (var g = 0; g < Ghost.Most; g++)
        {
            var ghost = _s->Ghosts + g;
            if (Volatile.Read(ref ghost->State) != Ghost.Inside) continue;
            _instances.Disown(ghost->Instance);
            var type = ghost->Instance->Type;
            if (!sharedToo || ghost->Orphan != null) continue;
            ghost->Orphan = type->Shared; // it may be reading that
            type->Shared = null;
        }
    }

    /// <summary>[steward] Runs the jobs that modules asked for.</summary>
    public void DoWork() => _instances.DoWork(_s->WorkPending);

    /// <summary>Tells what modules hold by malloc. [steward]</summary>
    public void PublishHeap() => _instances.PublishHeap();

    /// <summary>[worker] Takes part in quanta until <see cref="StopWorkers"/>. <paramref name="thread"/>: 1 .. threads - 1.</summary>
    public void WorkerLoop(int thread) => Executor.WorkerLoop(_s, thread);

    /// <summary>[standby] Finishes what worker <paramref name="thread"/> was stuck in, and takes part in its place.</summary>
    public void ResumeWorker(int thread) => Executor.ResumeWorker(_s, thread);

    /// <summary>[steward] Wakes every worker, so that it does what is to be done between quanta.</summary>
    internal void WakeWorkers() => Executor.Wake(&_s->Crew);

    /// <summary>[steward] Tells every worker to return from its loop. Call after the audio thread has stopped or from a live one: both are safe.</summary>
    public void StopWorkers() => Executor.Stop(&_s->Crew);

    /// <summary>
    /// [audio-thread] Renders one quantum. Inputs and outputs: one pointer a jack, a quantum of floats each, in volts.
    /// <paramref name="frame"/>: number of its first frame, a multiple of 16. False: the thread lost its seat while it was inside a module
    /// and must touch nothing more; a standby goes on with <see cref="Resume"/>.
    /// </summary>
    public bool Render(float** inputs, int inputCount, float** outputs, int outputCount, ulong frame)
    {
        var s = _s;
        Loading.Attachments.CatchUp(&s->Seats->Record->Attached);
        s->Time = frame;
        s->Quantum++;
        s->WindowLeft -= s->Frames;
        if (s->WindowLeft <= 0)
        {
            s->WindowLeft += s->WindowFrames;
            s->Window++;
        }

        s->Seats->Tape.Quantum = s->Quanta;
        if (Volatile.Read(ref s->Mailbox.State) == Mailbox.Posted && !TakeCommand()) return false;
        return RenderGraph(inputs, inputCount, outputs, outputCount);
    }

    /// <summary>
    /// [standby that fills the audio thread's seat] The rest of the quantum in which the audio thread got stuck; arguments and result as
    /// for <see cref="Render"/>.
    /// </summary>
    public bool Resume(float** inputs, int inputCount, float** outputs, int outputCount)
    {
        var s = _s;
        var seat = s->Seats;
        Executor.MarkTakeover(seat);
        switch (seat->Stage)
        {
            case Stage.Command:
                seat->Stage = Stage.Graph;
                TellShed(s->Mailbox.Instance);
                Volatile.Write(ref s->Mailbox.State, Mailbox.Stuck);
                return RenderGraph(inputs, inputCount, outputs, outputCount);
            case Stage.Failures:
                return Finish(s->Current, outputs, outputCount);
            default:
                return Executor.Resume(s, s->Current) && Finish(s->Current, outputs, outputCount);
        }
    }

    private bool RenderGraph(float** inputs, int inputCount, float** outputs, int outputCount)
    {
        var s = _s;
        s->LastSwap = 0;
        if (Volatile.Read(ref *(nint*)&s->Published) != 0)
        {
            var start = CycleClock.Now();
            if (TakePublished(heard: true))
            {
                var end = CycleClock.Now();
                s->LastSwap = Math.Max(1, CycleClock.ToNanoseconds(end - start));
                s->Seats->Tape.Zone(TraceKind.Swap, start, end, (uint)s->Current->Serial);
            }
        }

        var plan = s->Current;
        EventDrain.Run(s, plan, _events, _midi);
        SignalTaps.Begin(s, plan);
        var frames = s->Frames;
        for (var j = 0; j < outputCount; j++) Lanes.Zero(outputs[j], frames);
        if (plan == null) return Finish(plan, outputs, outputCount);
        for (var jacks = plan->InputJacks; jacks != 0; jacks &= jacks - 1)
        {
            var j = System.Numerics.BitOperations.TrailingZeroCount(jacks);
            var to = s->JackIn + (j * Limits.MaxQuantum);
            if (j < inputCount && Lanes.Magnitude(inputs[j], frames) <= Lanes.MaxMagnitude) Lanes.Copy(to, inputs[j], frames);
            else Lanes.Zero(to, frames);
        }

        return Executor.Run(s, plan) && Finish(plan, outputs, outputCount);
    }

    // From the last node to the end of the quantum.
    private bool Finish(Plan* plan, float** outputs, int outputCount)
    {
        var s = _s;
        var frames = s->Frames;
        if (plan != null)
        {
            if (s->Failed != 0 && !AfterFailures(plan)) return false;
            if (plan->MovingTo >= 0) Takeover.FindSources(plan);
            for (var f = 0; f < plan->FeedbackCount; f++) Lanes.Copy(plan->Feedback[f].Target, plan->Feedback[f].Source, plan->Feedback[f].Floats);
            for (var j = 0; j < plan->JackCount; j++)
            {
                if (plan->Jacks[j].Jack < outputCount) PlayJack(s, plan->Jacks + j, outputs[plan->Jacks[j].Jack]);
            }

            if (plan->MovingTo >= 0) Takeover.Settle(plan);
        }

        SignalTaps.End(s);
        s->Unsettled = Math.Max(0, s->Unsettled - frames);
        Volatile.Write(ref s->Quanta, s->Quanta + 1);
        return true;
    }

    /// <summary>
    /// [audio-thread, after a quantum] The module that took longest in it; none where module times were off. Looks at every node: for a
    /// quantum that is late already.
    /// </summary>
    public Culprit Culprit()
    {
        var worst = Audio.Culprit.None;
        var plan = _s->Current;
        if (plan == null || !Executor.IsTimed(_s)) return worst;
        for (var n = 0; n < plan->NodeCount; n++)
        {
            var instance = plan->Nodes[n].Instance;
            if (instance->LastNs > worst.Nanoseconds) worst = new Culprit { Slot = instance->Slot, Key = instance->Key, Nanoseconds = instance->LastNs };
        }

        return worst;
    }

    private static void PlayJack(RenderState* s, JackOp* jack, float* output)
    {
        var gain = jack->Gain;
        if (jack->Ramp != null)
        {
            var ramp = &jack->Ramp->Gain;
            if (!ramp->Rests(s->FadeFrames))
            {
                ramp->Add(output, jack->Source, s->FadeShape, s->Frames);
                ramp->At += s->Frames;
                return;
            }

            gain = ramp->Target;
        }

        if (gain == 1) Lanes.Add(output, jack->Source, s->Frames);
        else if (gain != 0) Lanes.Add(output, jack->Source, gain, s->Frames);
    }

    // Between quanta, or on the steward while stopped: then nobody hears a step, and nobody would see a ramp end. False: it was taken back.
    private bool TakePublished(bool heard)
    {
        var plan = (Plan*)Interlocked.Exchange(ref *(nint*)&_s->Published, 0);
        if (plan == null) return false;
        for (var i = 0; i < plan->ChangeCount; i++)
        {
            var change = plan->Changes[i];
            change.Instance->Planned[change.Parameter] = change.Value;
            change.Instance->Move(change.Parameter, 0, change.Value, _s->RampSteps);
        }

        for (var i = 0; i < plan->AimCount; i++)
        {
            var aim = plan->Aims[i];
            if (heard) aim.Ramp->Gain.Aim(aim.Target, _s->FadeShape, _s->FadeFrames);
            else aim.Ramp->Gain = GainRamp.Resting(aim.Target);
        }

        if (plan->AimCount > 0) _s->Unsettled = heard ? _s->FadeFrames : 0;
        Volatile.Write(ref *(nint*)&_s->Current, (nint)plan);
        return true;
    }

    // Rare: looks for the nodes that failed, in plan order so that notices do not depend on the schedule. What is to be said of one is said
    // before it is reset, so that whoever takes over from there finds it done.
    private bool AfterFailures(Plan* plan)
    {
        var seat = _s->Seats;
        var mine = seat->Mine;
        var second = (ulong)_s->Rate;
        seat->Stage = Stage.Failures;
        for (var n = 0; n < plan->NodeCount; n++)
        {
            var instance = plan->Nodes[n].Instance;
            if (instance->Untold != 0) TellShed(instance);
            if (instance->Failed == 0) continue;
            var port = instance->Failed - 1;
            instance->Failed = 0;
            _s->BadOutputs++;
            instance->Failures++;
            var shed = instance->Failures >= NodeRunner.FailuresToShed && _s->Time - instance->FailureBefore < second;
            instance->FailureBefore = instance->LastFailure;
            instance->LastFailure = _s->Time;
            Tell(NoticeKind.BadOutput, instance, port < instance->Type->Entry.Outputs ? port : -1, 0);
            if (shed)
            {
                instance->Wet = GainRamp.Resting(0); // at once: what it says is not to be faded, it is not to be heard
                Shed(instance, ShedReason.Failures, 0);
                TellShed(instance);
            }

            Seat.Enter(seat, mine, instance->Slot);
            instance->Type->Entry.Reset(instance->Self);
            if (!Seat.Leave(seat, mine)) return false;
        }

        _s->Failed = 0;
        seat->Stage = Stage.Graph;
        return true;
    }

    /// <summary>
    /// [audio-thread, after a quantum of a card that keeps time] Counts late quanta against those in time; too many, and the module that costs
    /// most is switched off. Not while two patches play at once or ramps run, nor right after: that load goes by itself.
    /// </summary>
    public void Judge(bool late)
    {
        var s = _s;
        var plan = s->Current;
        s->Overload = late ? s->Overload + 1 : Math.Max(0, s->Overload - 1);
        if (plan == null || plan->Union != 0 || s->Unsettled > 0) s->Respite = RespiteQuanta;
        if (s->Respite > 0)
        {
            s->Respite--;
            s->Overload = 0;
        }

        if (s->Overload == 0) s->Judging = 0;
        else if (s->Overload >= OverloadToJudge && s->Judging == 0) BeginJudging(plan);
        else if (s->Overload >= OverloadToShed) ShedCostliest(plan);
    }

    // Module times are on from here until somebody is found, or the load has gone.
    private void BeginJudging(Plan* plan)
    {
        _s->Judging = (int)DiagnosticFlags.ModuleTimes;
        for (var n = 0; n < plan->NodeCount; n++)
        {
            var instance = plan->Nodes[n].Instance;
            (instance->JudgedNs, instance->JudgedCalls) = (instance->Record->Nanoseconds, instance->Record->Calls);
        }
    }

    private void ShedCostliest(Plan* plan)
    {
        Instance* most = null;
        ulong cost = 0;
        for (var n = 0; n < plan->NodeCount; n++)
        {
            var instance = plan->Nodes[n].Instance;
            var calls = instance->Record->Calls - instance->JudgedCalls;
            if (!instance->Type->Entry.Sheddable || instance->Shed != 0 || (plan->Nodes[n].Flags & NodeFlags.Bypassed) != 0 || calls == 0) continue;
            var ns = (instance->Record->Nanoseconds - instance->JudgedNs) / calls;
            if (ns <= cost) continue;
            most = instance;
            cost = ns;
        }

        _s->Overload = _s->Judging = 0;
        _s->Respite = RespiteQuanta + (_s->FadeFrames / _s->Frames); // it is still processed while it fades
        if (most == null) return;
        Shed(most, ShedReason.Overload, (long)cost);
        TellShed(most);
    }

    private static void Shed(Instance* instance, ShedReason reason, long cost)
    {
        instance->Shed = (int)reason;
        instance->ShedCost = cost;
        instance->Fading = 1;
        instance->Untold = 1;
        Volatile.Write(ref *(int*)&instance->Record->Shed, (int)reason);
    }

    private void TellShed(Instance* instance)
    {
        instance->Untold = 0;
        Tell(NoticeKind.ModuleShed, instance, instance->Shed, instance->ShedCost);
    }

    private void Tell(NoticeKind kind, Instance* instance, long a, long b) => _ = _notices.TryPush(new Notice
    {
        Kind = kind,
        Slot = instance->Slot,
        Key = instance->Key,
        Incident = NextIncident(),
        Frame = _s->Time,
        Time = Linux.Now(),
        A = a,
        B = b,
    });

    /// <summary>
    /// [steward] Puts an asset into a slot of an instance (null empties it). It must be a whole block of the pool of <paramref name="bytes"/> bytes.
    /// <paramref name="taken"/>: the block now belongs to the engine, which frees it when it is replaced or its instance goes; so it is with
    /// Ok, and with TimedOut where the module got it but has not come back. <paramref name="key"/>: low 32 bits of the instance's key.
    /// </summary>
    public ReplyStatus SetAsset(int slot, uint key, int index, Asset* asset, long bytes, out bool taken)
    {
        taken = false;
        var instance = Find(slot, key);
        if (IsBusy) return ReplyStatus.TimedOut;
        if (instance == null || (uint)index >= (uint)instance->Type->Entry.Assets || (asset != null && !IsSound(asset, bytes))) return ReplyStatus.BadRequest;
        if (IsHaunted(instance)) return ReplyStatus.WrongState;
        var old = instance->Assets[index];
        var status = Command(new Mailbox { Kind = RequestKind.SetAsset, Instance = instance, Data = asset, Index = index }, out _);
        // Still in the module; or it got the asset, and its thread has come back or not (which may happen at any moment).
        var inside = _running && Volatile.Read(ref _s->Mailbox.State) != Mailbox.Idle;
        taken = inside || instance->Assets[index] == asset;
        if (old == null || old == asset || !taken) return status;
        if (inside) _orphan = old; // the module may be reading it still
        else if (IsHaunted(instance)) LeaveToGhost(instance, old);
        else _pool->Free(0, old);
        return status;
    }

    private static bool IsSound(Asset* asset, long bytes) =>
        bytes >= sizeof(Asset) && asset->DataOffset >= sizeof(Asset) && (asset->DataOffset & 63) == 0 && asset->DataOffset <= bytes
        && asset->Channels is >= 1 and <= Limits.MaxChannels && asset->Frames >= 0 && asset->Stride >= asset->Frames
        && asset->Stride <= (bytes - asset->DataOffset) / ((long)sizeof(float) * asset->Channels)
        && float.IsFinite(asset->Rate) && asset->Rate > 0;

    /// <summary>[steward] Lets an instance write its state; <paramref name="bytes"/> must be at least what its descriptor says.</summary>
    public ReplyStatus SaveState(int slot, uint key, byte* into, long bytes, out int written, out uint version)
    {
        written = 0;
        version = 0;
        var instance = Find(slot, key);
        if (instance == null || bytes < instance->Type->Entry.StateBytes) return ReplyStatus.BadRequest;
        if (IsHaunted(instance)) return ReplyStatus.WrongState;
        version = instance->Type->Entry.Version;
        if (instance->Type->Entry.SavesBesidePlaying)
        {
            using var visit = new StewardVisit(_map, instance->Record->Module, (uint)slot + 1, instance->Key, instance->Record->Name);
            written = Math.Max(0, instance->Type->Entry.SaveState(instance->Self, into, instance->Type->Entry.StateBytes));
            return ReplyStatus.Ok;
        }

        return Command(new Mailbox { Kind = RequestKind.SaveState, Instance = instance, Data = into, Bytes = instance->Type->Entry.StateBytes }, out written);
    }

    /// <summary>[steward] Hands saved state to an instance; StateRefused where it means nothing to the module.</summary>
    public ReplyStatus LoadState(int slot, uint key, byte* from, long bytes, uint version)
    {
        var instance = Find(slot, key);
        if (instance == null || bytes is < 0 or > int.MaxValue) return ReplyStatus.BadRequest;
        if (IsHaunted(instance)) return ReplyStatus.WrongState;
        var status = Command(new Mailbox { Kind = RequestKind.LoadState, Instance = instance, Data = from, Bytes = (int)bytes, Version = version }, out var accepted);
        return status == ReplyStatus.Ok && accepted == 0 ? ReplyStatus.StateRefused : status;
    }

    /// <summary>[steward] Switches a shed module on again; WrongState while a stuck thread is inside it.</summary>
    public ReplyStatus Restore(int slot, uint key)
    {
        var instance = Find(slot, key);
        if (instance == null) return ReplyStatus.BadRequest;
        if (IsHaunted(instance)) return ReplyStatus.WrongState;
        return Command(new Mailbox { Kind = RequestKind.RestoreModule, Instance = instance }, out _);
    }

    // A thread that is stuck in it has come back?
    private bool IsHaunted(Instance* instance)
    {
        Exorcise();
        return instance->Ghost != 0;
    }

    private void LeaveToGhost(Instance* instance, void* orphan)
    {
        for (var g = 0; g < Ghost.Most; g++)
        {
            var ghost = _s->Ghosts + g;
            if (Volatile.Read(ref ghost->State) != Ghost.Inside || ghost->Instance != instance) continue;
            ghost->Orphan = orphan;
            return;
        }

        _pool->Free(0, orphan); // it has left already
    }

    private Instance* Find(int slot, uint key)
    {
        if ((uint)slot >= Limits.MaxInstances) return null;
        var instance = _instances[slot];
        return instance != null && (uint)instance->Key == key ? instance : null;
    }

    // An earlier command that was given up on is still in its module.
    private bool IsBusy
    {
        get
        {
            if (!_running) return false;
            if (Interlocked.CompareExchange(ref _s->Mailbox.State, Mailbox.Idle, Mailbox.Done) == Mailbox.Done) FreeOrphan(); // it came back after all
            if (Interlocked.CompareExchange(ref _s->Mailbox.State, Mailbox.Idle, Mailbox.Stuck) == Mailbox.Stuck && _orphan != null)
            {
                LeaveToGhost(_s->Mailbox.Instance, _orphan);
                _orphan = null;
            }

            return Volatile.Read(ref _s->Mailbox.State) != Mailbox.Idle;
        }
    }

    private void FreeOrphan()
    {
        if (_orphan != null) _pool->Free(0, _orphan);
        _orphan = null;
    }

    // Done here when stopped; else posted, and waited for without ever making the audio thread do more than a store.
    private ReplyStatus Command(in Mailbox command, out int result)
    {
        result = 0;
        var box = &_s->Mailbox;
        if (!_running)
        {
            *box = command;
            result = Carry(box);
            box->State = Mailbox.Idle;
            return Outcome(ref result);
        }

        if (IsBusy) return ReplyStatus.TimedOut;
        *box = command;
        Volatile.Write(ref box->State, Mailbox.Posted);
        var end = Linux.Now() + CommandTimeoutNs;
        while (true)
        {
            var state = Volatile.Read(ref box->State);
            if (state == Mailbox.Done) break;
            if (state == Mailbox.Stuck)
            {
                Volatile.Write(ref box->State, Mailbox.Idle);
                return ReplyStatus.TimedOut;
            }

            if (Linux.Now() >= end)
            {
                if (state == Mailbox.Posted && Interlocked.CompareExchange(ref box->State, Mailbox.Idle, Mailbox.Posted) == Mailbox.Posted) return ReplyStatus.TimedOut;
                if (Volatile.Read(ref box->State) != Mailbox.Done) return ReplyStatus.TimedOut; // taken, and stuck in the module
                break;
            }

            Linux.Wait(&box->State, state, 500_000); // nobody wakes: a system call is the steward's to make, not the audio thread's
        }

        result = box->Result;
        Volatile.Write(ref box->State, Mailbox.Idle);
        return Outcome(ref result);
    }

    // A thread may have got stuck in the module while the command was on its way.
    private static ReplyStatus Outcome(ref int result)
    {
        if (result != Refused) return ReplyStatus.Ok;
        result = 0;
        return ReplyStatus.WrongState;
    }

    private bool TakeCommand()
    {
        var box = &_s->Mailbox;
        if (Interlocked.CompareExchange(ref box->State, Mailbox.Taken, Mailbox.Posted) != Mailbox.Posted) return true; // withdrawn
        var seat = _s->Seats;
        var mine = seat->Mine;
        seat->Stage = Stage.Command;
        Seat.Enter(seat, mine, box->Instance->Slot);
        var result = Carry(box);
        if (!Seat.Leave(seat, mine)) return false;
        seat->Stage = Stage.Graph;
        box->Result = result;
        Volatile.Write(ref box->State, Mailbox.Done);
        return true;
    }

    private static int Carry(Mailbox* box)
    {
        var instance = box->Instance;
        var entry = &instance->Type->Entry;
        if (Volatile.Read(ref instance->Ghost) != 0) return Refused; // nobody may call it
        instance->Asleep = 0; // the module may have something to say now
        switch (box->Kind)
        {
            case RequestKind.SetAsset:
                instance->Assets[box->Index] = (Asset*)box->Data;
                entry->AssetChanged(instance->Self, box->Index, (Asset*)box->Data);
                return 0;
            case RequestKind.SaveState:
                return Math.Max(0, Math.Min(entry->SaveState(instance->Self, (byte*)box->Data, box->Bytes), box->Bytes));
            case RequestKind.LoadState:
                return entry->LoadState(instance->Self, box->Version, (byte*)box->Data, box->Bytes) ? 1 : 0;
            case RequestKind.RestoreModule:
                if (instance->Shed != 0) NodeRunner.Restore(instance);
                return 0;
            default:
                return 0;
        }
    }

    private void DropAll()
    {
        _ = TakePublished(heard: false);
        if (_s->Current != null) Retire(_s->Current);
        _s->Current = null;
        _sent = null;
        _ = Collect();
    }

    /// <summary>[steward, stopped] Frees plans, instances and shared data. The tables stay: the region goes with the process.</summary>
    public void Dispose()
    {
        if (_running) return;
        DropAll();
        _instances.FreeAllShared();
    }
}
