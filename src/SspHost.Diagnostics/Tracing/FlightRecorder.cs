// The last ten seconds of everything the RT threads did, always in memory: drained by a thread of the control process, written out on demand.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics.Tracing;

/// <summary>What a flight recorder is made of.</summary>
public sealed record FlightRecorderOptions
{
    /// <summary>Where traces go that a dropout causes; null: none are written.</summary>
    public string? Directory { get; init; }

    /// <summary>Where a line for the player goes; called from any thread.</summary>
    public Action<string> Say { get; init; } = _ => { };
}

/// <summary>A trace that was written.</summary>
/// <param name="Path">The file.</param>
/// <param name="Events">Zones and marks in it.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Seconds">Seconds it is of.</param>
/// <param name="Scheduler">"recorded", or why the scheduler's switches are not in it.</param>
public sealed record TraceResult(string Path, long Events, long Bytes, double Seconds, string Scheduler);

/// <summary>No trace, and why.</summary>
public sealed class TraceException(string message) : Exception(message);

/// <summary>Drains the rings of whatever engine there is. Everything but <see cref="Turn"/> may be called from any thread.</summary>
public sealed partial class FlightRecorder : IDisposable
{
    /// <summary>Seconds that are always in memory, where 32 MiB suffice for them.</summary>
    public const double Seconds = 10;

    /// <summary>A trace that is asked for lasts this long, in seconds.</summary>
    public const double Shortest = 0.1, Longest = 60;

    private const int TurnMs = 10;
    private const int TurnsOfTenth = 100 / TurnMs, TurnsOfPoll = 50 / TurnMs;
    private const long BaseBytes = 32 << 20, MostBytes = 192 << 20;
    private const int MostAnchors = 700, MostIncidents = 64; // anchors come ten times a second: 70 s
    private const int LateAnchors = 8; // 0.8 s: a spike is looked at a tenth of a second or two after it was

    private readonly IEngineSource _engine;
    private readonly FlightRecorderOptions _options;
    private readonly TraceDrain _drain;
    private readonly Func<EngineLink, bool> _turn;
    private readonly Func<TraceClock> _clock;
    private readonly ModuleNames _names = new();
    private readonly SwitchLog _switches = new();
    private readonly Lock _state = new();
    private readonly ClockAnchor[] _anchors = new ClockAnchor[MostAnchors];
    private readonly (ulong Time, long Live)[] _memory = new (ulong, long)[MostAnchors];
    private readonly Queue<TraceIncident> _incidents = [];
    private readonly List<double> _requests = [];
    private readonly CancellationTokenSource _ended = new();
    private readonly Thread _thread;
    private long _anchorCount, _memoryCount;
    private TraceHeader _about = new();
    private IReadOnlyList<ModuleDescriptor> _types = [];
    private SchedTrace? _scheduler;
    private string _schedulerState = "not traced";
    private int _schedulerUsers;
    private int _generation;
    private int _turns, _learntTakeovers;
    private ulong _learntPlan;
    private int _learntRate, _learntQuantum;
    private volatile bool _stop;
    private bool _started;

    public FlightRecorder(IEngineSource engine, FlightRecorderOptions options)
    {
        (_engine, _options) = (engine, options);
        _drain = new TraceDrain(Store, Loads, Spikes);
        _turn = TurnOn;
        _clock = ClockOfLately;
        _thread = new Thread(Run) { IsBackground = true, Name = "ssp-trace" };
        if (options.Directory is { } directory) Dumps = new TraceDumps(directory, options.Say);
    }

    /// <summary>The load of each quantum of the last twenty minutes and more.</summary>
    public LoadHistory Loads { get; } = new();

    /// <summary>The worst quanta and the late ones, with their zones.</summary>
    public SpikeKeeper Spikes { get; } = new();

    /// <summary>Names of modules, those that are gone included.</summary>
    public ModuleNames Names => _names;

    /// <summary>Traces written because of a dropout; null: none are.</summary>
    public TraceDumps? Dumps { get; }

    /// <summary>Events taken in, bytes they took, and bytes of memory that the store has.</summary>
    public (long Events, long EncodedBytes, long MemoryBytes) Size
    {
        get
        {
            lock (Store.Sync) return (Store.Events, Store.EncodedBytes, Store.MemoryBytes);
        }
    }

    /// <summary>Events that the engine's rings had no room for.</summary>
    public ulong Dropped => _drain.Dropped;

    /// <summary>Whether the scheduler's switches are being traced: "recorded", or why not.</summary>
    public string Scheduler
    {
        get
        {
            lock (_state) return _schedulerState;
        }
    }

    internal ChunkStore Store { get; } = new();

    /// <summary>Starts draining.</summary>
    public void Start()
    {
        _started = true;
        _thread.Start();
    }

    /// <summary>The clock, as the anchors of the last minute tell it.</summary>
    public TraceClock Clock()
    {
        lock (_state) return new TraceClock(Recent(_anchors, _anchorCount));
    }

    // For what has just been: a moment between two anchors needs no others.
    private TraceClock ClockOfLately()
    {
        Span<ClockAnchor> lately = stackalloc ClockAnchor[LateAnchors];
        lock (_state)
        {
            var count = (int)Math.Min(_anchorCount, LateAnchors);
            for (var i = 0; i < count; i++) lately[i] = _anchors[(_anchorCount - count + i) % MostAnchors];
            return new TraceClock(lately[..count]);
        }
    }

    /// <summary>
    /// Who took the core longest from a thread that would have gone on, between two moments in CLOCK_MONOTONIC ns; null where nobody did or the
    /// scheduler's switches are not traced.
    /// </summary>
    public Preemption? Preempter(int tid, ulong from, ulong to) => _switches.Preempter(tid, from, to);

    /// <summary>Something happened to the sound: it is in the traces from now on, and frames lost or a quantum of twice its time cause one.</summary>
    public void Note(Incident incident, in Notice n)
    {
        Keep(n.Time, incident);
        if (n.Kind == NoticeKind.Dropout) Trigger("dropout");
        else if (n.Kind == NoticeKind.Late && n.A > 2 * n.B) Trigger("late");
    }

    /// <summary>The watchdog found a thread late: that is in the traces, and causes one.</summary>
    public void NoteStall(Incident incident, ulong time)
    {
        Keep(time, incident);
        Trigger("stall");
    }

    private void Keep(ulong time, Incident incident)
    {
        lock (_state)
        {
            _incidents.Enqueue(new TraceIncident(time, incident.Kind, incident.Text, incident.Module));
            if (_incidents.Count > MostIncidents) _incidents.Dequeue();
        }
    }

    /// <summary>
    /// Asks for a trace into the directory of traces, a second from now; false where there is none, or one was written within the last half minute.
    /// <paramref name="reason"/>: a word.
    /// </summary>
    public bool Trigger(string reason) => Dumps?.Ask(reason, path => Dump(path, reason)) ?? false;

    /// <summary>
    /// Writes what is in memory now, the last <paramref name="seconds"/> of it. Throws <see cref="TraceException"/> where there is nothing, and
    /// <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> as the file system does; then nothing is left behind.
    /// </summary>
    public TraceResult Dump(string path, string reason = "request", double seconds = Seconds)
    {
        var now = Linux.Now();
        return Write(path, reason, now - Math.Min(now, (ulong)(seconds * 1e9)), now);
    }

    /// <summary>
    /// Traces from now on for some seconds (<see cref="Shortest"/> to <see cref="Longest"/>) and writes that. Several at once are possible. Throws
    /// as <see cref="Dump"/> does, and <see cref="OperationCanceledException"/> where the recorder ends meanwhile. <paramref name="end"/> ends it sooner.
    /// </summary>
    public async Task<TraceResult> RecordAsync(string path, double seconds, CancellationToken cancel = default, Task? end = null)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, _ended.Token);
        lock (_state)
        {
            _requests.Add(seconds);
            _schedulerUsers++;
        }

        try
        {
            // A path that cannot be written to is said now, not after a minute.
            CheckWritable(path);
            await Task.Delay(4 * TurnMs, either.Token); // the scheduler's switches begin at the next turn
            var from = Linux.Now();
            if (end is null) await Task.Delay(TimeSpan.FromSeconds(seconds), either.Token);
            else await Task.WhenAny(Task.Delay(TimeSpan.FromSeconds(seconds), either.Token), end);
            either.Token.ThrowIfCancellationRequested();
            var to = Linux.Now();
            await Task.Delay(10 * TurnMs, either.Token); // the last events are drained, and an anchor behind them is there
            return Write(path, "request", from, to);
        }
        finally
        {
            lock (_state)
            {
                _requests.Remove(seconds);
                _schedulerUsers--;
            }
        }
    }

    public void Dispose()
    {
        if (_stop) return;
        _stop = true;
        _ended.Cancel();
        if (_started) _thread.Join();
        Dumps?.Finish();
        _scheduler?.Dispose();
        Loads.Dispose();
        Store.Dispose();
        _ended.Dispose();
    }

    /// <summary>[the recorder's own thread; tests] One turn of draining.</summary>
    public void Turn()
    {
        _engine.Try(_turn, otherwise: false);
        if (_turns % TurnsOfPoll == 0) PollScheduler();
        if (_turns % TurnsOfTenth == 0) Age();
        _turns++;
    }

    private void Run()
    {
        var troubled = false;
        while (!_stop)
        {
            try
            {
                Turn();
            }
            catch (Exception e)
            {
                // A defect here must not end the process that plays; the rings drop and count meanwhile.
                if (!troubled) _options.Say($"tracing is in trouble: {PlainText.OneLine(e.Message)}; nothing else changes");
                troubled = true;
                _turns++;
            }

            Thread.Sleep(TurnMs);
        }
    }

    private bool TurnOn(EngineLink link)
    {
        if (_generation != _engine.Generation) Begin(link);
        _ = _drain.Turn(link.Map);
        if (_turns % TurnsOfTenth != 0) return true;
        Sample(link);
        Spikes.Collect(Store, _clock, _names);
        return true;
    }

    // Another engine: what the one before did last is worth a file, for it did not leave by itself.
    private void Begin(EngineLink link)
    {
        if (_generation != 0 && Dumps != null)
        {
            TraceSnapshot? last = null;
            lock (Store.Sync)
                if (Store.Events > 0) last = Store.Snapshot();
            if (last is { Events: > 0 })
            {
                var header = Header("engine-ended", 0, ulong.MaxValue);
                if (!Dumps.Ask("engine-ended", path => WriteAndLetGo(path, header, last), now: true)) last.Dispose();
            }
            else
            {
                last?.Dispose();
            }
        }

        _generation = _engine.Generation;
        lock (Store.Sync) Store.Clear();
        _drain.Restart();
        Loads.Clear();
        Spikes.Clear();
        _names.Clear();
        lock (_state) (_anchorCount, _memoryCount) = (0, 0);
        _types = link.ReadDescriptors();
        Learn(link);
    }

    // Ten times a second.
    private unsafe void Sample(EngineLink link)
    {
        var map = link.Map;
        lock (_state)
        {
            if (map.Header->ClockAnchorOffset != 0 && map.ClockAnchor->TryRead(out var anchor) && anchor.Ticks != 0
                && (_anchorCount == 0 || anchor.Ticks > _anchors[(_anchorCount - 1) % MostAnchors].Ticks)) _anchors[_anchorCount++ % MostAnchors] = anchor;
            if (link.TrySteward(out var steward) && steward.Time != 0 && (_memoryCount == 0 || steward.Time > _memory[(_memoryCount - 1) % MostAnchors].Time))
                _memory[_memoryCount++ % MostAnchors] = (steward.Time, steward.PoolLive);
        }

        if (link.TryAudio(out var audio) && (audio.PlanSerial != _learntPlan || audio.Rate != _learntRate || audio.Quantum != _learntQuantum || _drain.Takeovers != _learntTakeovers)) Learn(link);
    }

    private unsafe void Learn(EngineLink link)
    {
        _learntTakeovers = _drain.Takeovers;
        if (link.TryAudio(out var audio)) (_learntPlan, _learntRate, _learntQuantum) = (audio.PlanSerial, audio.Rate, audio.Quantum);
        _names.Learn(link.Map, _types);
        var seats = Seats(link.Map);
        lock (_state)
        {
            _about = new TraceHeader
            {
                Machine = MachineWords(), EngineVersion = link.Version, EnginePid = link.Map.Header->EnginePid, Rate = audio.Rate, Quantum = audio.Quantum, Seats = seats,
            };
        }

        FollowThreads();
    }

    private void Age()
    {
        var keep = Seconds;
        ulong before;
        lock (_state)
        {
            foreach (var r in _requests) keep = Math.Max(keep, r + 1);
            if (_anchorCount == 0) return;
            var newest = _anchors[(_anchorCount - 1) % MostAnchors]; // a tenth of a second old: near enough, and nothing is allocated
            before = newest.Ticks - Math.Min(newest.Ticks, (ulong)Math.Clamp(keep * newest.Frequency, 0, 1e18));
        }

        lock (Store.Sync)
        {
            Store.MaxBytes = Math.Min(MostBytes, (long)(BaseBytes * (keep / Seconds)));
            Store.Trim(before);
        }
    }

    private void PollScheduler()
    {
        bool wanted;
        lock (_state) wanted = _schedulerUsers > 0;
        if (wanted && _scheduler == null && _schedulerState is "not traced") StartScheduler();
        else if (!wanted && _schedulerState is not "not traced") StopScheduler();
        _scheduler?.Poll(_switches);
    }

    private void StartScheduler()
    {
        int[] tids;
        lock (_state) tids = [.. _about.Seats.Select(s => s.Tid)];
        _scheduler = SchedTrace.TryStart(tids, out var reason);
        lock (_state) _schedulerState = _scheduler != null ? "recorded" : "unavailable: " + reason;
    }

    private void StopScheduler()
    {
        _scheduler?.Dispose();
        _scheduler = null;
        _switches.Clear();
        lock (_state) _schedulerState = "not traced";
    }

    private void FollowThreads()
    {
        if (_scheduler == null) return;
        try
        {
            _scheduler.Follow([.. _about.Seats.Select(s => s.Tid)]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            StopScheduler();
            lock (_state) _schedulerState = "unavailable: " + PlainText.OneLine(e.Message);
        }
    }

    private TraceResult Write(string path, string reason, ulong from, ulong to)
    {
        OutputFile.Check(path);
        var clock = Clock();
        var header = Header(reason, from, to);
        TraceSnapshot snapshot;
        lock (Store.Sync) snapshot = Store.Snapshot(clock.Known ? clock.Ticks(from) : 0);
        return WriteAndLetGo(path, header, snapshot);
    }

    private TraceResult WriteAndLetGo(string path, TraceHeader header, TraceSnapshot snapshot)
    {
        using (snapshot)
        {
            if (snapshot.Events == 0) throw new TraceException(WhyNothing());
            var switches = header.Scheduler == "recorded" ? _switches.Copy(header.From, header.To) : [];
            var part = path + ".part";
            try
            {
                long events, bytes;
                using (var file = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
                {
                    events = RawTraceWriter.Write(file, header, snapshot, switches);
                    bytes = file.Length;
                }

                File.Move(part, path, overwrite: true);
                var seconds = header.To == ulong.MaxValue ? Seconds : (header.To - header.From) / 1e9;
                return new TraceResult(path, events, bytes, Math.Round(seconds, 3), header.Scheduler);
            }
            catch
            {
                TryDelete(part);
                throw;
            }
        }
    }

    private TraceHeader Header(string reason, ulong from, ulong to)
    {
        lock (_state)
        {
            return _about with
            {
                Reason = reason,
                Time = Moment.At(Math.Min(to, Linux.Now())).Time,
                From = from,
                To = to,
                BootOffset = BootOffset(),
                Modules = _names.All(),
                Anchors = [.. Recent(_anchors, _anchorCount).Select(a => new TraceAnchor(a.Ticks, a.Nanoseconds, a.Frequency))],
                Incidents = [.. _incidents.Where(i => i.Time >= from && i.Time <= to)],
                Memory = [.. Recent(_memory, _memoryCount).Where(m => m.Time >= from && m.Time <= to).Select(m => new TraceMemory(m.Time, m.Live))],
                Scheduler = _schedulerState,
            };
        }
    }

    private string WhyNothing() => _engine.Try(
        link => link.State != EngineState.Playing ? "nothing was traced: audio is not playing" : "nothing was traced: tracing is off (ssp trace on)",
        "nothing was traced: the engine is not running");

    private static void CheckWritable(string path)
    {
        OutputFile.Check(path);
        var part = path + ".part";
        using (new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
        }

        TryDelete(part);
    }

    private static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be deleted could not be made either.
        }
    }

    // A ring that counts on: its entries, the oldest first.
    private static T[] Recent<T>(T[] ring, long count)
    {
        var kept = new T[Math.Min(count, ring.Length)];
        for (var i = 0; i < kept.Length; i++) kept[i] = ring[(count - kept.Length + i) % ring.Length];
        return kept;
    }

    private static string MachineWords() => string.Create(
        CultureInfo.InvariantCulture, $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, {Environment.ProcessorCount} cores");

    private static unsafe List<TraceSeat> Seats(RegionMap map)
    {
        var seats = new List<TraceSeat>();
        for (var seat = 0; seat < Limits.MaxThreads; seat++)
        {
            var t = map.Threads + seat;
            if (t->Tid == 0) continue;
            var name = new ReadOnlySpan<byte>(t->Name, 16);
            var end = name.IndexOf((byte)0);
            seats.Add(new TraceSeat(seat, Encoding.UTF8.GetString(end < 0 ? name : name[..end]), t->Tid, t->Core, t->Policy == 1 ? "FIFO" : "OTHER", t->Priority));
        }

        return seats;
    }

    private static unsafe ulong BootOffset()
    {
        Linux.TimeSpec boot;
        if (ClockGetTime(7, &boot) != 0) return 0; // CLOCK_BOOTTIME
        var (mono, now) = (Linux.Now(), ((ulong)boot.Seconds * 1_000_000_000) + (ulong)boot.Nanoseconds);
        return now > mono ? now - mono : 0; // a machine that never slept: less than a microsecond is the time between the two looks
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static unsafe partial int ClockGetTime(int clock, Linux.TimeSpec* time);
}
