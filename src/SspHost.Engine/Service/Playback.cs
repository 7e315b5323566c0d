// Starting and stopping the RT threads: which core each gets, which stack, and in which order they come and go.
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Graph;
using SspHost.Engine.Loading;
using SspHost.Engine.Memory;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Service;

/// <summary>The audio thread and its workers around one renderer. [steward]</summary>
public sealed unsafe partial class Playback
{
    private const int WatchdogPriority = 90;
    private const int AudioPriority = 80;
    private const int WorkerPriority = 79;
    private const int WatchdogThread = Watchdog.Threads;

    // A call of a module that takes so long is stuck: quanta, but no less than this, of what is heard as time passes; else a long time.
    private const int StuckQuanta = 8;
    private const ulong StuckNs = 10_000_000, StuckOfflineNs = 10 * Second;

    // Quanta after which the watchdog looks what one is doing; a card without time has no deadlines.
    private const int LateQuanta = 3;
    private const int FadeInMilliseconds = 10;
    private const int StopFadeMilliseconds = 50;
    private const ulong Second = 1_000_000_000;

    private readonly Region _region;
    private readonly Renderer _renderer;
    private readonly CoreInfo[] _cores;
    private readonly CoreClasses _classes;
    private readonly AudioSession<RendererQuantum>* _session;
    private readonly RendererQuantum* _quantum;
    private readonly RtThread* _rt; // made once, parked between runs: zeroed here and never again. Seats, standbys, watchdog
    private readonly byte* _signalStacks;
    private readonly Worker* _workers;
    private readonly Watched* _seats;
    private readonly Watchdog* _watchdog;
    private readonly byte* _buffers;
    private readonly RecordTaps* _taps;
    private int _threads;
    private bool _reaped;
    private byte* _inputStream, _outputStream, _record;
    private int _rate;
    private DeviceReturn _return;

    /// <summary>Takes its places in the pool and looks at the machine's cores. [start-up]</summary>
    public Playback(Region region, Renderer renderer)
    {
        _region = region;
        _renderer = renderer;
        _cores = Topology.Read();
        _classes = new CoreClasses(_cores);
        for (var c = 0; c < _classes.Count; c++)
        {
            region.Map.Header->ClassCores[c] = _classes.Cores(c);
            region.Map.Header->ClassCapacity[c] = _classes.Capacity(c);
        }

        _session = (AudioSession<RendererQuantum>*)Take(region, sizeof(AudioSession<RendererQuantum>));
        _quantum = (RendererQuantum*)Take(region, sizeof(RendererQuantum));
        _rt = (RtThread*)Take(region, Region.StackCount * sizeof(RtThread));
        _signalStacks = (byte*)Take(region, Region.StackCount * (long)Faults.StackBytes);
        _seats = (Watched*)Take(region, Limits.MaxThreads * sizeof(Watched));
        _watchdog = (Watchdog*)Take(region, sizeof(Watchdog));
        _workers = (Worker*)Take(region, Limits.MaxThreads * sizeof(Worker));
        _buffers = (byte*)Take(region, AudioLoop.BufferBytes);
        _taps = (RecordTaps*)Take(region, sizeof(RecordTaps));
        _ = StackLock.IsLocked(region.Stack(0, out var bytes), bytes); // its static field is made at the first call: now, not while the heap must stand still
        *_quantum = new RendererQuantum(renderer, region.Map);
        *_watchdog = new Watchdog
        {
            State = renderer.State, Instances = region.Map.Instances, Records = region.Map.Threads, Stalls = region.Map.Stalls, QuietNs = Second,
            Crew = _rt, Seats = _seats, AudioThread = AudioSession<RendererQuantum>.ThreadOf(_session), GiveUp = &GiveUp,
        };
        if (StallLook.Prepare() != 0) Log.Line("ssp-engine: late threads cannot be asked where they are"u8);
        if (Faults.Install() != 0) Log.Line("ssp-engine: faults of modules cannot be caught: they will end the engine"u8);
    }

    /// <summary>Threads that were replaced since the engine started.</summary>
    public ulong Takeovers => Volatile.Read(ref _watchdog->Takeovers);

    internal Watchdog* Watch => _watchdog;

    internal RtThread* Threads => _rt;

    /// <summary>ns of a call of a module after which it counts as stuck; 0 = by the card. Takes effect at the next start.</summary>
    internal ulong StuckLimitNs { get; set; }

    /// <summary>ns of a quantum after which the watchdog looks what it is doing; 0 = by the card. Takes effect at the next start.</summary>
    internal ulong LateLimitNs { get; set; }

    /// <summary>Quanta that passed their deadline. [steward]</summary>
    public ulong Stalls => Volatile.Read(ref _watchdog->Late);

    /// <summary>
    /// Asks the audio thread so many times for a walk of its stack while it is inside a module, up to three times each as the watchdog does. How many
    /// were answered at all, complete at the first look, and at any. [benchmark]
    /// </summary>
    public (int Pokes, int Answered, int First, int Any) PokeThreads(int pokes)
    {
        const ulong Patience = 20_000_000;
        var (answered, first, any) = (0, 0, 0);
        var thread = _seats->Thread;
        var seat = _renderer.State->Seats;
        var apart = StayAway(_seats->Setup.Core);
        for (var p = 0; p < pokes; p++)
        {
            var (got, complete) = (false, false);
            for (var look = 0; look < StallRecord.Samples && !complete; look++)
            {
                // Which moment of the quantum it is, chance decides: the poking thread has the time of day of another core.
                while (apart && Volatile.Read(ref *Seat.Inside(seat, seat->Mine)) == 0) { }
                if (!Samples.Take(thread->Sample, thread->Tid, ref thread->SamplesAsked, Patience)) continue;
                got = true;
                complete = thread->Sample->Complete != 0;
                if (complete && look == 0) first++;
                Samples.Release(thread->Sample);
            }

            answered += got ? 1 : 0;
            any += complete ? 1 : 0;
        }

        return (pokes, answered, first, any);
    }

    // On the core of the thread it pokes the calling one would never see it at work. False: there is no other core.
    private static bool StayAway(int core)
    {
        ThreadCalls.CoreSet cores = default;
        if (core < 0 || ThreadCalls.GetAffinity(0, (nuint)sizeof(ThreadCalls.CoreSet), &cores) < 0) return true;
        cores.Words[core >> 6] &= ~(1UL << (core & 63));
        return ThreadCalls.SetAffinity(0, (nuint)sizeof(ThreadCalls.CoreSet), &cores) == 0;
    }

    /// <summary>Whether RT threads exist (a card that ended by itself leaves them until <see cref="Stop"/>).</summary>
    public bool IsRunning => _threads > 0;

    /// <summary>Whether the card ended or was lost.</summary>
    public bool HasEnded => IsRunning && _session->End != AudioEnd.None;

    /// <summary>Whether the card streams through blocks that the control process was granted.</summary>
    public bool Streams => IsRunning && (_inputStream != null || _outputStream != null);

    /// <summary>Whether a block is a stream in use.</summary>
    public bool Uses(byte* block) => block == _record || (IsRunning && (block == _inputStream || block == _outputStream));

    /// <summary>
    /// Records into the ring in <paramref name="block"/> from the next quantum on, in place of what was recorded before; false if it describes no
    /// ring of <paramref name="bytes"/> bytes.
    /// </summary>
    public bool Record(byte* block, long bytes)
    {
        if (!RecordTap.TryMake((RecordRing*)block, bytes, out var tap)) return false;
        RecordTaps.Use(_taps, tap);
        _record = block;
        return true;
    }

    /// <summary>Ends the recording. False: the audio thread has not finished the quantum it was in; the block is still in use. Again then.</summary>
    public bool EndRecord()
    {
        RecordTaps.UseNone(_taps);
        var from = _renderer.Quanta;
        var until = Linux.Now() + (Second / 2);
        while (_record != null && IsRunning && !HasEnded && _renderer.Quanta < from + 2)
        {
            if (Linux.Now() > until) return false;
            var never = 0u;
            Linux.Wait(&never, 0, Second / 1000);
        }

        _record = null;
        return true;
    }

    /// <summary>Opens the card and starts every thread; on failure nothing is left running and <paramref name="reply"/> says why.</summary>
    public void Start(AudioConfig* config, ref Reply reply)
    {
        var threads = config->Threads == 0 ? CoreChoice.DefaultThreads(_cores) : config->Threads;
        Span<int> chosen = stackalloc int[Limits.MaxThreads];
        chosen = chosen[..threads];
        var unknown = CoreChoice.Choose(_cores, new ReadOnlySpan<int>(config->Cores, threads), chosen);
        if (unknown >= 0)
        {
            Refuse(ref reply, ReplyStatus.BadRequest, (long)BadPart.Config, unknown, config->Cores[unknown]);
            return;
        }

        *_session = default;
        var status = _session->Open(config, _region.Map.Base, _region.Map.Bytes, out var a, out var b);
        if (status == ReplyStatus.Ok && _session->Facts.Rate != config->Rate)
        {
            // The plan was made for another rate: the control process decides, not a resampler nobody asked for.
            (status, a, b) = (ReplyStatus.BadRequest, (long)BadPart.Rate, _session->Facts.Rate);
            _session->Close();
        }

        if (_region.Locks) ImageLock.Refresh(); // the card may have come with a library
        Span<byte> classes = stackalloc byte[Limits.MaxThreads];
        classes = classes[..threads];
        for (var t = 0; t < threads; t++) classes[t] = (byte)_classes.Of(chosen[t]);
        if (status == ReplyStatus.Ok) status = _renderer.Configure(config->Rate, config->Quantum, threads, classes);
        if (status != ReplyStatus.Ok)
        {
            Refuse(ref reply, status, a, b, config->Rate);
            return;
        }

        _return = new DeviceReturn(in *config);
        _region.Map.Jacks->Adopt(in *config);
        _rate = config->Rate;
        _inputStream = config->InputStream == 0 ? null : _region.Map.At(config->InputStream);
        _outputStream = config->OutputStream == 0 ? null : _region.Map.At(config->OutputStream);
        _reaped = false;
        _taps->Starts++;
        Begin(chosen, config->Quantum, ref reply);
    }

    /// <summary>Looks for a sound card that is away. The audio thread plays on by the clock, and takes the device once it is found.</summary>
    public void LookForDevice(ulong now)
    {
        var handover = IsRunning && !_reaped ? AudioSession<RendererQuantum>.HandoverOf(_session) : null;
        if (handover != null) _return.Look(handover, now);
    }

    private void Begin(ReadOnlySpan<int> cores, int quantum, ref Reply reply)
    {
        var map = _region.Map;

        // Rendering files has no deadline, so it must not have a priority that keeps everybody else off the core.
        var (audioPriority, workerPriority) = _session->Facts.RealTime ? (AudioPriority, WorkerPriority) : (0, 0);
        for (var t = 0; t < cores.Length; t++)
        {
            if (_region.Pool->OpenArena(t + 1, Region.ArenaBytes)) continue;
            Refuse(ref reply, ReplyStatus.OutOfMemory, Region.ArenaBytes, 0, 0);
            _session->Close();
            return;
        }

        _ = _renderer.Collect(); // stuck threads that have come back are themselves again
        var failed = MakeReady();
        for (var t = 0; t < cores.Length && failed == 0; t++)
        {
            _seats[t] = default;
            _seats[t].Thread = Free(t);
            if (_seats[t].Thread == null) failed = ThreadCalls.EBusy; // stuck threads are all there is
            _seats[t].Setup = Setup(t, t == 0 ? audioPriority : workerPriority, cores[t]);
            (t == 0 ? "ssp-audio"u8 : WorkerName(t)).CopyTo(new Span<byte>(_seats[t].Name, RtThread.MaxName));
        }

        if (failed != 0)
        {
            Refuse(ref reply, ReplyStatus.ThreadFailed, failed, 0, 0);
            _session->Close();
            return;
        }

        new Span<ThreadRecord>(map.Threads, Limits.MaxThreads).Clear();
        for (var t = 0; t < cores.Length; t++) map.Threads[t].Class = _classes.Of(cores[t]);
        for (var t = 0; t < cores.Length; t++)
        {
            if (!_renderer.OpenTrace(t, cores[t])) SayUntraced(t);
        }

        _renderer.Running = true;
        for (var t = 1; t < cores.Length; t++)
        {
            _workers[t] = new Worker { Renderer = *_quantum, Number = t };
            _seats[t].Resume = &Worker.Resume;
            _seats[t].Argument = _workers + t;
            var error = RtThread.Start(_seats[t].Thread, _seats[t].Setup, WorkerName(t), &Worker.Run, _workers + t);
            if (error == 0) continue;
            Refuse(ref reply, ReplyStatus.ThreadFailed, error, t, 0);
            _session->Close();
            JoinWorkers(t);
            return;
        }

        var loop = new AudioLoopSetup
        {
            Quantum = quantum,
            FadeIn = _rate / 1000 * FadeInMilliseconds,
            Threads = cores.Length,
            Header = map.Header,
            Histograms = map.Histogram(HistogramKind.Quantum),
            Records = map.Threads,
            Status = map.AudioStatus,
            Notices = map.Notices,
            Tape = _renderer.AudioTape,
            LastIncident = _renderer.LastIncident,
            Taps = _taps,
            Jacks = map.Jacks,
            Loads = map.Loads,
            Anchor = map.FrameAnchor,
            Buffers = _buffers,
        };
        _watchdog->Prepare();
        _watchdog->SeatCount = cores.Length;
        _watchdog->LimitNs = StuckLimitNs != 0 ? StuckLimitNs
            : _session->Facts.RealTime ? Math.Max(StuckNs, StuckQuanta * (ulong)quantum * Second / (ulong)_rate) : StuckOfflineNs;
        _watchdog->BudgetNs = LateLimitNs != 0 ? LateLimitNs : _session->Facts.RealTime ? LateQuanta * (ulong)quantum * Second / (ulong)_rate : 0;
        _renderer.PatienceNs = _watchdog->BudgetNs;
        var status = AudioSession<RendererQuantum>.Start(_session, _quantum, loop, _seats->Thread, _seats->Setup, out failed);
        if (status != ReplyStatus.Ok)
        {
            Refuse(ref reply, status, failed, 0, 0);
            JoinWorkers(cores.Length);
            return;
        }

        _threads = cores.Length;
        _seats->Resume = AudioSession<RendererQuantum>.Standby(_session, out var resumed);
        _seats->Argument = resumed;
        var watch = Setup(WatchdogThread, audioPriority > 0 ? WatchdogPriority : 0, CoreChoice.Housekeeping(_cores));
        failed = RtThread.Start(_rt + WatchdogThread, watch, "ssp-watchdog"u8, &Watchdog.Run, _watchdog);
        if (failed != 0)
        {
            Refuse(ref reply, ReplyStatus.ThreadFailed, failed, WatchdogThread, 0);
            _ = Stop(0);
            return;
        }

        for (var t = 0; t < cores.Length; t++)
        {
            var stack = _region.Stack((int)(_seats[t].Thread - _rt), out var bytes);
            map.Threads[t].StackLocked = StackLock.IsLocked(stack, bytes) ? 1 : 0;
        }
    }

    /// <summary>
    /// Fades out over <paramref name="fadeFrames"/> (-1: a default), stops every thread and closes the card. Bounded: where a device hangs inside the
    /// kernel false is returned and the session stays as it is.
    /// </summary>
    public bool Stop(int fadeFrames)
    {
        if (!IsRunning) return true;
        if (fadeFrames < 0) fadeFrames = _rate / 1000 * StopFadeMilliseconds;
        _session->RequestStop(fadeFrames);
        var patience = (5 * Second) + (((ulong)fadeFrames + (2 * (ulong)_session->Facts.BufferFrames)) * Second / (ulong)_rate);
        if (!_session->TryJoin(patience)) return false;
        JoinWorkers(_threads);
        _threads = 0;
        _inputStream = _outputStream = null;
        return true;
    }

    /// <summary>After the card ended by itself: joins the threads, so that everything is the steward's again. Still to be stopped.</summary>
    public void Reap()
    {
        if (_reaped || !HasEnded || !_session->TryJoin(Second)) return;
        JoinWorkers(_threads);
        _reaped = true;
    }

    private void JoinWorkers(int threads)
    {
        // The audio thread has ended, so nobody is inside a module: the watchdog has nothing to do, and seats keep who fills them.
        Watchdog.Stop(_watchdog);
        _ = RtThread.TryJoin(_rt + WatchdogThread, 5 * Second);
        _renderer.StopWorkers();
        for (var t = 1; t < threads; t++) _ = RtThread.TryJoin(_seats[t].Thread, 5 * Second);
        _renderer.Running = false;
    }

    // The standbys exist, on stacks of their own, before anything plays. An errno.
    private int MakeReady()
    {
        for (var t = Limits.MaxThreads; t < Watchdog.Threads; t++)
        {
            if (_rt[t].IsParked || _rt[t].IsRunning) continue;
            var error = RtThread.Start(_rt + t, Setup(t, 0, -1), "ssp-standby"u8, &Nothing, null);
            if (error != 0) return error;
            _ = RtThread.TryJoin(_rt + t, Second);
        }

        return 0;
    }

    /// <summary>
    /// Waits until every thread that may come to play is known to every runtime that libraries brought: those that stand by do it now, those that
    /// play between two quanta, those that do not exist yet when they start. False: one did not come to it in time.
    /// </summary>
    internal bool AttachThreads()
    {
        const ulong Patience = 2 * Second, Step = Second / 1000;
        var until = Linux.Now() + Patience;
        var never = 0u;
        var count = Attachments.Count;
        for (var t = 0; t < Watchdog.Threads; t++)
        {
            while (Interlocked.CompareExchange(ref _watchdog->StandbysTaken, 1, 0) != 0)
            {
                if (Linux.Now() > until) return false;
                Linux.Wait(&never, 0, Step);
            }

            var parked = _rt[t].IsParked && !_renderer.IsGhost(_rt + t);
            if (parked) parked = RtThread.Start(_rt + t, Setup(t, 0, -1) with { Record = null }, "ssp-standby"u8, &Nothing, null) == 0 && RtThread.TryJoin(_rt + t, Second);
            Volatile.Write(ref _watchdog->StandbysTaken, 0);
        }

        for (var t = 0; t < _threads; t++)
        {
            while (!HasEnded && Volatile.Read(ref _region.Map.Threads[t].Attached) < count)
            {
                if (Linux.Now() > until) return false;
                _renderer.WakeWorkers();
                Linux.Wait(&never, 0, Step);
            }
        }

        return true;
    }

    private static void Nothing(void* argument)
    {
    }

    // The seat's own thread, or a standby where that one is still stuck from before.
    private RtThread* Free(int seat)
    {
        if (!_rt[seat].IsRunning && !_renderer.IsGhost(_rt + seat)) return _rt + seat; // one that came back this moment is still to be let go
        for (var t = Limits.MaxThreads; t < Watchdog.Threads; t++)
        {
            var taken = !_rt[t].IsParked || _renderer.IsGhost(_rt + t);
            for (var s = 0; s < seat; s++) taken |= _seats[s].Thread == _rt + t;
            if (!taken) return _rt + t;
        }

        return null;
    }

    private RtThreadSetup Setup(int thread, int priority, int core) => new()
    {
        Stack = _region.Stack(thread, out var bytes),
        StackBytes = bytes,
        Arena = thread + 1,
        Priority = priority,
        Core = core,
        Record = thread < Limits.MaxThreads ? _region.Map.Threads + thread : null,
        SignalStack = thread < WatchdogThread ? _signalStacks + (thread * (long)Faults.StackBytes) : null,
    };

    // The supervisor starts a new engine and learns from the threads' records who held the thread.
    private static void GiveUp()
    {
        RtGuard.Permit(); // the process ends here: the watchdog may write why
        Log.Line("ssp-engine: a module holds its thread and none is left to take its place: the engine ends"u8);
        Exit(70); // EX_SOFTWARE
    }

    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void Exit(int code);

    private static ReadOnlySpan<byte> WorkerName(int thread) => thread switch
    {
        1 => "ssp-worker-1"u8,
        2 => "ssp-worker-2"u8,
        3 => "ssp-worker-3"u8,
        4 => "ssp-worker-4"u8,
        5 => "ssp-worker-5"u8,
        6 => "ssp-worker-6"u8,
        7 => "ssp-worker-7"u8,
        _ => "ssp-worker-n"u8,
    };

    private static void SayUntraced(int seat)
    {
        var log = default(Log);
        log.Text("thread "u8);
        log.Number(seat);
        log.Text(" is not traced: no memory for its ring; it plays all the same"u8);
        log.End();
    }

    private static void Refuse(ref Reply reply, ReplyStatus status, long a, long b, long c)
    {
        reply.Status = status;
        (reply.A, reply.B, reply.C) = (a, b, c);
    }

    private static void* Take(Region region, long bytes)
    {
        var block = region.Pool->Allocate(0, bytes, 0);
        if (block == null) throw new InsufficientMemoryException("the region is too small for the engine's own tables");
        new Span<byte>(block, checked((int)bytes)).Clear();
        return block;
    }

    // A worker's argument, at a fixed address of the region.
    private struct Worker
    {
        public RendererQuantum Renderer;
        public int Number;

        public static void Resume(void* worker) => ((Worker*)worker)->Renderer.Renderer.ResumeWorker(((Worker*)worker)->Number);

        public static void Run(void* worker) => ((Worker*)worker)->Renderer.Renderer.WorkerLoop(((Worker*)worker)->Number);
    }
}
