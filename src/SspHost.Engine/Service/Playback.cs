// Starting and stopping the RT threads: which core each gets, which stack, and in which order they come and go.
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Service;

/// <summary>The audio thread and its workers around one renderer. [steward]</summary>
public sealed unsafe class Playback
{
    private const int AudioPriority = 80;
    private const int WorkerPriority = 79;
    private const int FadeInMilliseconds = 10;
    private const int StopFadeMilliseconds = 50;
    private const ulong Second = 1_000_000_000;

    private readonly Region _region;
    private readonly Renderer _renderer;
    private readonly CoreInfo[] _cores;
    private readonly AudioSession<RendererQuantum>* _session;
    private readonly RendererQuantum* _quantum;
    private readonly RtThread* _rt; // made once, parked between runs: zeroed here and never again
    private readonly Worker* _workers;
    private readonly byte* _buffers;
    private int _threads;
    private bool _reaped;
    private byte* _inputStream, _outputStream;
    private int _rate;
    private DeviceReturn _return;

    /// <summary>Takes its places in the pool and looks at the machine's cores. [start-up]</summary>
    public Playback(Region region, Renderer renderer)
    {
        _region = region;
        _renderer = renderer;
        _cores = Topology.Read();
        _session = (AudioSession<RendererQuantum>*)Take(region, sizeof(AudioSession<RendererQuantum>));
        _quantum = (RendererQuantum*)Take(region, sizeof(RendererQuantum));
        _rt = (RtThread*)Take(region, Limits.MaxThreads * sizeof(RtThread));
        _workers = (Worker*)Take(region, Limits.MaxThreads * sizeof(Worker));
        _buffers = (byte*)Take(region, AudioLoop.BufferBytes);
        _ = StackLock.IsLocked(region.Stack(0, out var bytes), bytes); // its static field is made at the first call: now, not while the heap must stand still
        *_quantum = new RendererQuantum(renderer, region.Map);
    }

    /// <summary>Whether RT threads exist (a card that ended by itself leaves them until <see cref="Stop"/>).</summary>
    public bool IsRunning => _threads > 0;

    /// <summary>Whether a lost device is being looked for.</summary>
    public bool IsAwaiting => _return.Since != 0;

    /// <summary>Whether the card ended or was lost.</summary>
    public bool HasEnded => IsRunning && _session->End != AudioEnd.None;

    /// <summary>Whether the card streams through blocks that the control process was granted.</summary>
    public bool Streams => IsRunning && (_inputStream != null || _outputStream != null);

    /// <summary>Whether a block is a stream in use.</summary>
    public bool Uses(byte* block) => IsRunning && (block == _inputStream || block == _outputStream);

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

        if (status == ReplyStatus.Ok) status = _renderer.Configure(config->Rate, config->Quantum, threads);
        if (status != ReplyStatus.Ok)
        {
            Refuse(ref reply, status, a, b, config->Rate);
            return;
        }

        _return = default;
        _rate = config->Rate;
        _inputStream = config->InputStream == 0 ? null : _region.Map.At(config->InputStream);
        _outputStream = config->OutputStream == 0 ? null : _region.Map.At(config->OutputStream);
        _reaped = false;
        Begin(chosen, config->Quantum, ref reply);
        if (reply.Status == ReplyStatus.Ok && config->Card == CardKind.Alsa) _return.Config = *config;
    }

    /// <summary>
    /// Looks for a lost device now and then, and starts it again as it was once it is back; true if it plays. The patch pauses meanwhile:
    /// nobody hears it, and nothing it holds moves on.
    /// </summary>
    public bool TryReturn(ulong now)
    {
        if (!_return.IsDue(now)) return false;
        var rate = _return.Look(_region.Map.Notices, _renderer.LastIncident, now);
        if (rate != _return.Config.Rate) return false;
        var (config, away) = (_return.Config, _return);
        var reply = default(Reply);
        _threads = 0; // they are joined; Start makes them anew
        Start(&config, ref reply);
        if (reply.Status != ReplyStatus.Ok)
        {
            _return = away; // gone again in that moment, or taken by somebody: it is looked for on
            return false;
        }

        _return.Returned(in away, now);
        DeviceReturn.SayBack(_region.Map.Notices, _renderer.LastIncident, now, away.Since);
        return true;
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

        new Span<ThreadRecord>(map.Threads, Limits.MaxThreads).Clear();
        _renderer.Running = true;
        for (var t = 1; t < cores.Length; t++)
        {
            _workers[t] = new Worker { Renderer = *_quantum, Number = t };
            var error = RtThread.Start(_rt + t, Setup(t, workerPriority, cores[t]), WorkerName(t), &Worker.Run, _workers + t);
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
            LastIncident = _renderer.LastIncident,
            Buffers = _buffers,
        };
        var status = AudioSession<RendererQuantum>.Start(_session, _quantum, loop, _rt, Setup(0, audioPriority, cores[0]), out var failed);
        if (status != ReplyStatus.Ok)
        {
            Refuse(ref reply, status, failed, 0, 0);
            JoinWorkers(cores.Length);
            return;
        }

        _threads = cores.Length;
        for (var t = 0; t < cores.Length; t++)
        {
            var stack = _region.Stack(t, out var bytes);
            map.Threads[t].StackLocked = StackLock.IsLocked(stack, bytes) ? 1 : 0;
        }
    }

    /// <summary>
    /// Fades out over <paramref name="fadeFrames"/> (-1: a default), stops every thread and closes the card. Bounded: where a device hangs inside the
    /// kernel false is returned and the session stays as it is.
    /// </summary>
    public bool Stop(int fadeFrames)
    {
        _return = default;
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
        if (_session->End == AudioEnd.DeviceLost) _return.Await(Linux.Now());
    }

    private void JoinWorkers(int threads)
    {
        _renderer.StopWorkers();
        for (var t = 1; t < threads; t++) _ = RtThread.TryJoin(_rt + t, 5 * Second);
        _renderer.Running = false;
    }

    private RtThreadSetup Setup(int thread, int priority, int core) => new()
    {
        Stack = _region.Stack(thread, out var bytes),
        StackBytes = bytes,
        Priority = priority,
        Core = core,
        Record = _region.Map.Threads + thread,
    };

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

        public static void Run(void* worker) => ((Worker*)worker)->Renderer.Renderer.WorkerLoop(((Worker*)worker)->Number);
    }
}
