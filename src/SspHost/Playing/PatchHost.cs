// The host as a whole on the control side: an engine kept alive, a patch session over it, audio started and stopped.
using System.Diagnostics;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Html;
using SspHost.Diagnostics.Tracing;
using SspHost.Patching;
using SspHost.Recording;
using SspHost.Supervision;

namespace SspHost.Playing;

/// <summary>What a host is made of.</summary>
internal sealed record HostOptions
{
    public required string Runtime { get; init; }

    public required AudioSetup Setup { get; init; }

    public required int RegionMib { get; init; }

    /// <summary>Whether its engine ends with this process, however that ends: no music is to survive a benchmark.</summary>
    public bool Bound { get; init; }

    /// <summary>Journal; null: nothing is kept.</summary>
    public string? Journal { get; init; }

    /// <summary>Where a line for the player goes; called from any thread.</summary>
    public required Action<string> Say { get; init; }

    /// <summary>File of measured costs; null: not kept.</summary>
    public string? Costs { get; init; }

    /// <summary>Whether the engine times its modules.</summary>
    public bool ModuleTimes { get; init; } = true;

    /// <summary>Directory of traces that dropouts leave; null: none are written.</summary>
    public string? Traces { get; init; }

    /// <summary>Where recorder modules' takes go; null: nowhere.</summary>
    public string? Recordings { get; init; }

    /// <summary>Makes the pump of a wav device.</summary>
    public Func<EngineLink, WavPump>? MakePump { get; init; }

    /// <summary>Directories whose libraries of modules are loaded, and where their copies are kept; null: none are.</summary>
    public (IReadOnlyList<string> Directories, string Copies)? Libraries { get; init; }

    /// <summary>Whether those directories are watched, and what changes in them is loaded.</summary>
    public bool WatchLibraries { get; init; }

    /// <summary>The LV2 plugins there are; null: they are left alone.</summary>
    public Lv2.Lv2Catalog? Lv2 { get; init; }
}

/// <summary>
/// Runs patches on an engine that may die: the engine is started again within a second with the patch as it is, and a patch that
/// took it down twice is opened stopped with the culprit bypassed.
/// </summary>
internal sealed class PatchHost : ISupervised, IDisposable
{
    private const int SumMs = 1000;
    private const int CostsSavedMs = 60_000; // after a power cut, a minute of measuring is lost

    private readonly HostOptions _options;
    private readonly ModuleCosts _costs;
    private readonly ModuleLibraries? _libraries;
    private readonly RuntimeWatch _runtimes = new();
    private ModuleWatch? _watch;
    private Lv2.Lv2Host? _lv2;
    private long _costsSaved;
    private int _costsGeneration;
    private readonly EngineSlot _slot = new();
    private readonly Supervisor _supervisor;
    private readonly DeathPolicy _policy = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private readonly NoticeWords _notices = new();
    private readonly StallReader _stalls = new();
    private PatchSession? _session;
    private EngineSink? _sink;
    private StatusSampler? _sampler;
    private int _sampledGeneration;
    private HeapWatch _heap = new();
    private int _heapGeneration;
    private string[] _recent = [];
    private EngineDeath? _death;
    private AfterDeath _afterDeath;
    private bool _openedStopped;
    private bool _empty;
    private bool _ending;
    private long _nextSum;
    private ModuleTakes? _takes;

    // Of TakeNotices and Look.
    private readonly List<string> _lines = [];
    private readonly List<(Notice Notice, string Text)> _told = [];
    private readonly Func<EngineLink, bool> _hear, _look;
    private readonly Func<ulong, string?> _nameOf;
    private readonly Func<int, string?> _typeOf;
    private int _toldRate;

    public PatchHost(HostOptions options)
    {
        _options = options;
        (_hear, _nameOf) = (Hear, NameOf);
        _look = link =>
        {
            SamplerOf(link).Look();
            return true;
        };
        _typeOf = i => Modules.Descriptors is var types && (uint)i < (uint)types.Count ? types[i].Id : null;
        _costs = options.Costs is { } costs ? ModuleCosts.Load(costs, options.Say) : new ModuleCosts();
        if (options.Libraries is { } libraries) _libraries = new ModuleLibraries(libraries.Directories, libraries.Copies);
        _supervisor = new Supervisor(options.Runtime, options.RegionMib, _slot, options.Bound);
        Flight = new FlightRecorder(_slot, new FlightRecorderOptions { Directory = options.Traces, Say = options.Say });
        Recorder = new Recorder(_slot, options.Say);
    }

    /// <summary>The session; after <see cref="Start"/>.</summary>
    public PatchSession Session => _session ?? throw new InvalidOperationException("The host was not started.");

    /// <summary>Where plans go; after <see cref="Start"/>.</summary>
    public EngineSink Sink => _sink ?? throw new InvalidOperationException("The host was not started.");

    /// <summary>The module types of the engine; after <see cref="Start"/>.</summary>
    public DescriptorIndex Modules { get; private set; } = new([]);

    /// <summary>The engine.</summary>
    public EngineSlot Slot => _slot;

    /// <summary>What listens to MIDI; null: nothing does.</summary>
    public MidiService? Midi { get; set; }

    /// <summary>Pid of the engine.</summary>
    public int EnginePid => _supervisor.Pid;

    /// <summary>Whether audio ought to play: false after a stop, and after a patch took the engine down twice.</summary>
    public bool Wanted { get; private set; }

    /// <summary>The last report; at most a second old while <see cref="Take"/> is called.</summary>
    public StatusReport Latest { get; private set; } = new() { State = "starting" };

    /// <summary>Told after each <see cref="Take"/>, on its thread.</summary>
    public Action? Taken { get; set; }

    /// <summary>What each module costs, as old as <see cref="Latest"/>.</summary>
    public CostsReport Costs { get; private set; } = NoCosts();

    /// <summary>What module types were measured to cost here.</summary>
    public ModuleCosts MeasuredCosts => _costs;

    /// <summary>The last seconds of everything the RT threads did.</summary>
    public FlightRecorder Flight { get; }

    /// <summary>What happened to the sound.</summary>
    public IncidentLog Incidents { get; } = new();

    /// <summary>Records what jacks carry.</summary>
    public Recorder Recorder { get; }

    /// <summary>
    /// Attaches to the engine or starts one, opens the journal. True where an engine was running already. Nothing is installed yet.
    /// </summary>
    public bool Start()
    {
        var attached = _supervisor.Ensure();
        Modules = new DescriptorIndex(_slot.Use(link => link.ReadDescriptors()));
        if (attached) _libraries?.Adopt(Modules);
        LoadLibraries();
        _sink = new EngineSink(_slot, _options.Setup, Modules, new AssetFiles(_options.Journal is { } j ? j + ".roots" : null), _options.Say)
        {
            Runtime = _options.Journal != null ? _options.Runtime : null,
            MakePump = _options.MakePump,
            MeasuredCosts = _costs,
            ModuleTimes = _options.ModuleTimes,
            Installed = Loaded,
        };
        _session = PatchSession.Start(new PatchSessionOptions { Modules = Modules, Sink = _sink, JournalPath = _options.Journal });
        _session.Changed += OnChanged;
        _supervisor.Watch(this);
        Flight.Start();
        if (_options is { WatchLibraries: true, Libraries: { } libraries }) _watch = new ModuleWatch(libraries.Directories, LoadChanged, _options.Say);
        if (_options.Recordings is { } recordings) _takes = new ModuleTakes(_slot, () => _session.Plan, () => Modules.Descriptors, recordings, _options.Say);
        return attached;
    }

    /// <summary>
    /// Loads libraries of modules anew: the one that type <paramref name="module"/> comes from, or every one whose file is new or has changed. What
    /// plays of them goes on in the new ones.
    /// </summary>
    public ReloadReport Reload(string? module)
    {
        if (_libraries is not { } libraries) return new ReloadReport { Loaded = [], Refused = [] };
        var report = libraries.Reload(_slot, Modules, Session, module);
        Tell(libraries, report);
        return report;
    }

    private void StopWatchingFiles()
    {
        _watch?.Dispose();
        _watch = null;
    }

    private bool LoadChanged()
    {
        var report = _libraries!.ReloadChanged(_slot, Modules, Session, out var again);
        Tell(_libraries, report);
        return again;
    }

    private void Tell(ModuleLibraries libraries, ReloadReport report)
    {
        foreach (var loaded in report.Loaded) _options.Say($"loaded {loaded.File}: {string.Join(", ", loaded.Modules)}");
        foreach (var refused in report.Refused) _options.Say($"{refused.File}: not loaded: {refused.Why}");
        if (libraries.Warning(Modules) is { } warning) _options.Say(warning);
    }

    /// <summary>Opens a patch file in place of the patch that plays; null or the one error that left everything as it was.</summary>
    public string? Open(string path)
    {
        Sink.Assets.AddRoot(Path.GetDirectoryName(Path.GetFullPath(path))!);
        if (Session.Open(path, out var warnings) is { } error) return error.ToString();
        foreach (var warning in warnings) _options.Say(warning);
        return null;
    }

    /// <summary>Plays: installs what the session has where that is missing, and starts audio. Null or why not.</summary>
    public string? Play()
    {
        bool empty;
        lock (_lock)
        {
            if (_openedStopped) _policy.Forgive();
            _openedStopped = false;
            empty = _empty;
        }

        // Not under the lock: the session calls back into it.
        if (empty && Session.Reinstall(newEngine: true) is { } error) return error.ToString();
        lock (_lock)
        {
            _empty = false;
            Wanted = true;
        }

        return StartAudio();
    }

    // A device that runs at another rate only is no reason to be silent: the patch is made for its rate.
    private string? StartAudio() => Sink.StartAudio() is not { } why ? null : Sink.OfferedRate > 0 ? FollowRate(Sink.OfferedRate) : why;

    private string? FollowRate(int rate)
    {
        _options.Say(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"the device runs at {rate} Hz, not at {Sink.Setup.Rate} Hz: the patch is made for {rate} Hz"));
        if (Sink.UseRate(rate) is { } notStopped) return notStopped;
        return Session.Reinstall(newEngine: true) is { } error ? error.ToString() : Sink.StartAudio();
    }

    /// <summary>
    /// Plays on another setup from now on, or, where audio is stopped, takes it up for the next start. Null, or why it does not play: then nothing does.
    /// </summary>
    public string? UseAudio(AudioSetup setup)
    {
        if (Sink.UseSetup(setup) is { } notStopped) return notStopped;
        bool empty;
        lock (_lock) empty = _empty;
        if (!empty && Session.Reinstall(newEngine: true) is { } error) return error.ToString();
        return Wanted ? StartAudio() : null;
    }

    /// <summary>Fades out and stops audio; the patch stays.</summary>
    public string? Stop()
    {
        lock (_lock) Wanted = false;
        return Sink.StopAudio(Sink.FadeFrames);
    }

    /// <summary>Fades out and ends the engine. Nothing is supervised any more.</summary>
    public void End()
    {
        lock (_lock)
        {
            _ending = true;
            Wanted = false;
        }

        StopWatchingFiles();
        _supervisor.StopWatching();
        _takes?.Dispose();
        Recorder.Dispose(); // its file is finished while the engine still is
        try
        {
            _slot.Try(
                link =>
                {
                    link.Shutdown(_sink?.FadeFrames ?? 0);
                    return true;
                },
                otherwise: false);
        }
        catch (Exception e) when (e is EngineGoneException or EngineTimeoutException or EngineRefusedException)
        {
            _options.Say(e.Message);
        }

        _sink?.EndPump();
    }

    /// <summary>Looks at the engine's meters, and at the plan for recorder modules; often.</summary>
    public void Look()
    {
        _takes?.Notice();
        _slot.Try(_look, otherwise: false);
    }

    /// <summary>A report over the time since the last one; once a second.</summary>
    public StatusReport Take()
    {
        Latest = _slot.Try(
            link =>
            {
                Measure(link);
                var sampler = SamplerOf(link);
                var report = sampler.Take();
                Costs = sampler.Costs ?? NoCosts();
                return report;
            },
            new StatusReport { State = "none" });
        if (Recorder.Report is { } recording) Latest = Latest with { Recording = recording };
        if (Latest.State == "none") Costs = NoCosts();
        if (_clock.ElapsedMilliseconds - _costsSaved >= CostsSavedMs) SaveCosts();
        Taken?.Invoke();
        return Latest;
    }

    /// <summary>The recorder has begun or ended: <see cref="Latest"/> says so at once.</summary>
    public void NoteRecording() => Latest = Latest with { Recording = Recorder.Report };

    /// <summary>The state of tracing.</summary>
    public TracingReport Tracing()
    {
        var (events, _, bytes) = Flight.Size;
        var flags = Sink.Diagnostics;
        return new TracingReport
        {
            Trace = (flags & DiagnosticFlags.Trace) != 0,
            Modules = (flags & DiagnosticFlags.ModuleTrace) != 0,
            Events = events,
            Missing = Flight.Dropped,
            Bytes = bytes,
            Scheduler = Flight.Scheduler,
        };
    }

    /// <summary>Writes the load of every quantum that is known into a file; how many, and its bytes.</summary>
    public (long Quanta, long Bytes) WriteLoads(string path)
    {
        var name = Session.Current.Name is { Length: > 0 } title ? title : Session.Current.Id;
        var incidents = Incidents.Since(0);
        var run = _slot.Try(link => LoadRuns.Take(Flight, link.Map, incidents, name), otherwise: null)
            ?? throw new TraceException("the engine is not running; it is being started again");
        return (run.Loads.Length, LoadRunFile.Write(run, path));
    }

    /// <summary>The lines of what happened since the last call. Where nothing did, nothing is allocated: it is asked twenty times a second.</summary>
    public IReadOnlyList<string> TakeNotices()
    {
        _lines.Clear();
        _told.Clear();
        _toldRate = 0;
        _slot.Try(_hear, otherwise: false);
        foreach (var (notice, text) in _told) Recorder.Note(in notice, text);
        if (_toldRate != 0 && _toldRate != Sink.Setup.Rate && Wanted && FollowRate(_toldRate) is { } why) _lines.Add(why);
        // An overloaded patch drops out hundreds of times a second: a line a second says it, more would hide everything else.
        if (_clock.ElapsedMilliseconds >= _nextSum) SumUp();
        return _lines.Count == 0 ? [] : _lines.ToArray();
    }

    private bool Hear(EngineLink link)
    {
        while (_lines.Count < 100 && link.TryTakeNotice(out var notice))
        {
            if (notice.Kind == NoticeKind.DeviceRate) _toldRate = (int)notice.A;
            var incident = Incidents.Add(in notice, NameOf(notice.Key));
            Flight.Note(incident, in notice);
            _told.Add((notice, incident.Text));
            _stalls.Heard(in notice);
            if (_notices.Line(in notice, NameOf) is { } line) _lines.Add(line);
        }

        _stalls.Take(link, Incidents, Flight, _nameOf, _typeOf, _lines);
        return true;
    }

    private void SumUp()
    {
        _nextSum = _clock.ElapsedMilliseconds + SumMs;
        if (_notices.TakeLate() is { } late) _lines.Add(late);
        if (_notices.TakeDropouts() is { } dropouts) _lines.Add(dropouts);
        _lines.AddRange(_slot.Try(link => _runtimes.Look(link.Map, _slot.Generation), otherwise: []));
        foreach (var notice in _slot.Try(link => WatchOf().Look(link.Map), otherwise: []))
        {
            Incidents.Add(in notice, NameOf(notice.Key));
            _lines.Add(IncidentKinds.Line(in notice, NameOf(notice.Key)));
        }
    }

    void ISupervised.Died(EngineDeath death)
    {
        lock (_lock)
        {
            if (_ending) return;
            _death = death;
            _afterDeath = _policy.Died(_clock.Elapsed, death.FromOutside);
        }

        var how = death.Hung ? "hung in a module for 10 s and was ended" : death.Stood ? "stood still for 3 s and was ended" : death.How is { } h ? h.ToString() : "nobody saw how";
        var who = death.Suspects.Count == 0 ? "" : "; it was running " + string.Join(", ", death.Suspects.Select(s => $"'{NameOf(s.Key) ?? s.Module}'"));
        _options.Say($"the engine died ({how}){who}; starting it again");
        _sink?.Renew();
    }

    void ISupervised.Waits(EngineFault module, TimeSpan since) =>
        _options.Say(string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"'{NameOf(module.Key) ?? module.Module}' has not come back for {since.TotalSeconds:0} s from being made or from work: the patch plays on, edits wait"));

    void ISupervised.CannotStart(Exception why, TimeSpan next) =>
        _options.Say(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"the engine cannot be started: {why.Message}; next try in {next.TotalSeconds:0} s"));

    void ISupervised.Restarted()
    {
        try
        {
            var shipped = _slot.Use(link => link.ReadDescriptors());
            if (!DescriptorBlob.Write(shipped).AsSpan().SequenceEqual(DescriptorBlob.Write([.. Modules.Descriptors.Where(d => d.File.Length == 0)])))
            {
                _options.Say("the engine that started has other modules than the one before: restart ssp to use it");
                return;
            }

            Modules.Update(shipped); // the session plays nothing until what follows installs it again
            LoadLibraries();
            if (_afterDeath == AfterDeath.OpenStopped) OpenStopped();
            else PlayOn();
        }
        catch (EngineGoneException e)
        {
            _options.Say(e.Message); // the supervisor finds it dead in a moment
        }
    }

    public void Dispose()
    {
        StopWatchingFiles();
        _supervisor.StopWatching();
        Flight.Dispose();
        SaveCosts();
        _sink?.EndPump();
        _session?.Dispose();
        _slot.Dispose();
        _supervisor.Dispose();
    }

    private void LoadLibraries()
    {
        if (_options.Lv2 is { } catalog)
        {
            _lv2 ??= new Lv2.Lv2Host(catalog, _slot, Modules, _options.Say) { Audio = () => ((_sink?.Setup ?? _options.Setup).Rate, (_sink?.Setup ?? _options.Setup).QuantumOverride) };
            _lv2.Begin();
        }

        if (_libraries?.LoadAll(_slot, Modules) is not { } report) return;
        foreach (var refused in report.Refused) _options.Say($"{refused.File}: not loaded: {refused.Why}");
    }

    private unsafe void Measure(EngineLink link)
    {
        if (_costsGeneration != _slot.Generation) _costs.Restart();
        _costsGeneration = _slot.Generation;
        if (_options.ModuleTimes && link.State == EngineState.Playing && link.TryAudio(out var a) && a.Rate != 0)
            _costs.Update(new ReadOnlySpan<InstanceRecord>(link.Map.Instances, Limits.MaxInstances), Modules.Descriptors, a.Rate, a.Quantum);
    }

    private static CostsReport NoCosts()
    {
        var now = Moment.Now();
        return new CostsReport { Time = now.Time, Monotonic = now.Monotonic };
    }

    private void SaveCosts()
    {
        _costsSaved = _clock.ElapsedMilliseconds;
        if (_options.Costs is { } path && _costs.Save(path) is { } trouble) _options.Say(trouble);
    }

    private void PlayOn()
    {
        if (Session.Reinstall(newEngine: true) is { } error)
        {
            _options.Say("the patch was not installed: " + error);
            return;
        }

        if (Wanted && StartAudio() is { } why) _options.Say("audio was not started: " + why);
        else _options.Say(Wanted ? "playing again" : "the engine is back, stopped as before");
    }

    private void OpenStopped()
    {
        bool again;
        lock (_lock)
        {
            again = _openedStopped;
            _openedStopped = true;
            Wanted = false;
            _empty = true;
        }

        if (again)
        {
            _options.Say("the engine died again with the patch only opened: it stays empty until you change the patch and start");
            return;
        }

        var culprits = Culprits();
        Sink.Hold = true; // the engine is new: it gets the patch once, bypassed already
        try
        {
            if (culprits.Length > 0 && Session.Apply(culprits.Select(Edit (id) => new Bypass(id, On: true)).ToArray()) is { } refused)
                _options.Say("not bypassed: " + refused);
        }
        finally
        {
            Sink.Hold = false;
        }

        _options.Say(culprits.Length > 0
            ? $"the engine died twice within {DeathPolicy.Probation.TotalSeconds:0} s of loading this patch: {string.Join(", ", culprits.Select(c => $"'{c}'"))} bypassed, the patch is open and stopped (ssp start plays it; undo takes the bypass back)"
            : $"the engine died twice within {DeathPolicy.Probation.TotalSeconds:0} s of loading this patch and no module could be named: the patch is open and stopped (ssp start plays it)");
        if (Session.Reinstall(newEngine: true) is { } error) _options.Say("the patch was not installed: " + error);
        else lock (_lock) _empty = false;
    }

    // Who the engine or its last records blame, by key, then by name; else what was added last.
    private string[] Culprits()
    {
        var patch = Session.Current;
        var named = new List<string>();
        foreach (var s in _death?.Suspects ?? [])
        {
            var id = IdOf(s.Key) ?? patch.Modules.FirstOrDefault(m => m.Id == s.Module || m.Label == s.Module)?.Id;
            if (id != null && !named.Contains(id, StringComparer.Ordinal)) named.Add(id);
        }

        if (named.Count == 0) named.AddRange(_recent.Where(id => patch.Find(id) != null));
        return [.. named.Where(id => patch.Find(id) is { Bypass: false })];
    }

    private void OnChanged(object? sender, PatchChange change)
    {
        // What the plan itself warns of was said when it was installed.
        foreach (var warning in change.Warnings)
            if (_session?.Plan?.Warnings.Contains(warning) != true) _options.Say(warning);

        // Only what was added to a patch that played can be suspected; of a whole new patch, everything was added.
        if (change.Kind != ChangeKind.Structure || change.Before.Id != change.After.Id) return;
        var added = change.After.Modules.Where(m => change.Before.Find(m.Id) == null).Select(m => m.Id).ToArray();
        if (added.Length > 0) _recent = added;
    }

    private void Loaded()
    {
        lock (_lock) _policy.Loaded(_clock.Elapsed);
    }

    private string? IdOf(ulong key)
    {
        if (key == 0 || _session?.Plan is not { } plan) return null;
        foreach (var i in plan.Instances.Concat(plan.Leaving))
            if (i.Key == key) return i.Module;
        return null;
    }

    private string? NameOf(ulong key) => IdOf(key);

    private HeapWatch WatchOf()
    {
        if (_heapGeneration != _slot.Generation) (_heap, _heapGeneration) = (new HeapWatch(), _slot.Generation);
        return _heap;
    }

    private StatusSampler SamplerOf(EngineLink link)
    {
        if (_sampler == null || _sampledGeneration != _slot.Generation) (_sampler, _sampledGeneration) = (new StatusSampler(link), _slot.Generation);
        return _sampler;
    }
}
