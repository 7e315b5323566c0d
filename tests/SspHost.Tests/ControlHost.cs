// A host for the control socket's tests: a real session and server over a region that a test fills by hand.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Tracing;
using SspHost.Patching;
using SspHost.Remote;

namespace SspHost.Tests;

/// <summary>What is read by its clients is judged by the schema when the host is disposed of: the test fails that made it wrong.</summary>
internal sealed unsafe class ControlHost : IEngineSource, IDisposable
{
    // Many lines of one kind say no more than a few.
    private const int JudgedOfAKind = 20;
    private const int DescriptorsStart = 5 << 20;

    private readonly SchemaValidator _validator;
    private readonly ProcTree _tree = new ProcTree().System();
    private readonly FakeEngine _engine = new();
    private readonly EngineLink _link;
    private readonly Dictionary<string, int> _seen = [];
    private readonly List<(string Line, string Command)> _lines = [];

    public ControlHost(SchemaValidator validator)
    {
        _validator = validator;
        Metrics = MetricsRecorder.ByHand(() => 42, root: _tree.Root, ownPid: 50);
        _link = EngineLink.Over(_engine.Map, () => _engine.Ended);
        _engine.Map.Header->State = (uint)EngineState.Playing;
        Play(quanta: 1000);
        var types = DescriptorBlob.Write([.. Modules.Types.Select(t => t.Descriptor)]);
        (_engine.Map.Header->DescriptorsOffset, _engine.Map.Header->DescriptorsBytes) = (DescriptorsStart, types.Length);
        types.CopyTo(new Span<byte>(_engine.Map.At(DescriptorsStart), types.Length));
        Session = PatchSession.Start(new PatchSessionOptions { Modules = Modules, Sink = new RegionSink(_engine.Map) });
        for (ulong i = 1; i <= 3; i++)
        {
            _tree.Process(42, start: 100).Process(50, start: 200).System(busy: 1000 + i).Thread(42, 43, cpu: i * 1_000_000_000, minor: i).Thread(42, 44, name: "idle", cpu: 1).Thread(50, 50, name: "ssp", cpu: i);
            Metrics.Take();
        }

        Flight = new FlightRecorder(this, new FlightRecorderOptions());
        Trace(1000);
        Target = new ControlTarget
        {
            Session = Session,
            Modules = Modules,
            Engine = this,
            Status = () => new StatusReport { State = "playing", EnginePid = 42 },
            Costs = () => Latest,
            Incidents = Incidents,
            Log = Log,
            Metrics = Metrics,
            Open = path => Session.Open(path, out _)?.ToString(),
            Start = () => Refusal,
            Stop = () => Refusal,
            Quit = () => Quits++,
            WriteLoads = path => (1000, 2000),
            Record = (path, jacks) => (Recording = $"{path} {jacks.Count}") == null ? "" : null,
            StopRecording = () => (new RecordingReport { File = "/recordings/take.wav", Frames = 96_000, Seconds = 2, Gaps = [] }, null),
            Flight = Flight,
            SwitchTracing = (trace, modules) =>
            {
                (Traced, TracedModules) = (trace ?? Traced, modules ?? TracedModules);
                return Refusal;
            },
            Tracing = () => new TracingReport { Trace = Traced, Modules = TracedModules, Events = 12, Scheduler = Flight.Scheduler },
            Version = "1.2.3",
        };
        Server = ControlServer.Start(SocketPath, Target);
    }

    /// <summary>Those that PROTOCOL.md speaks of, and two for the tests.</summary>
    public static DescriptorIndex Modules { get; } = new(
    [
        Type("vco", inputs: ["pitch"], outputs: ["saw"]) with { Parameters = [new ParameterDescriptor("pitch", "Pitch", "V/oct", -5, 5, 0)] },
        Type("mixer", inputs: ["in1", "in2", "in3"], outputs: ["out"]),
        Type("lfo", outputs: ["out"]) with { Telemetry = [new TelemetryDescriptor("scope", TelemetryKind.Scope, 5)] },
        Type("sample-player", outputs: ["left"]) with { Assets = [new AssetDescriptor("sample", "Sample")] },
        Type("audio-out", inputs: ["left"]) with { Settings = [new SettingDescriptor("first", "First jack", 0, 30, 0)] },
        Type("seq8", outputs: ["pitch"]) with { StateBytes = 8 },
        Type("tone", outputs: ["out"]) with { Parameters = [new ParameterDescriptor("pitch", "Pitch", "V/oct", -5, 5, 0)] },
        Type("ear", inputs: ["in"]),
    ]);

    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("ssp-ctl-").FullName;

    public string SocketPath => Path.Combine(Directory, Protocol.SocketName);

    public PatchSession Session { get; }

    public ControlServer Server { get; }

    public ControlTarget Target { get; }

    public IncidentLog Incidents { get; } = new();

    /// <summary>Of processes that a directory plays.</summary>
    public MetricsRecorder Metrics { get; }

    public LogLines Log { get; } = new();

    public CostsReport Latest { get; set; } = new() { Time = Moment.Now().Time, Monotonic = Moment.Now().Monotonic };

    /// <summary>Drained by hand.</summary>
    public FlightRecorder Flight { get; }

    public bool Traced { get; private set; } = true;

    public bool TracedModules { get; private set; } = true;

    public string? Refusal { get; set; }

    public int Quits { get; private set; }

    /// <summary>File and number of jacks of the recording asked for last.</summary>
    public string? Recording { get; private set; }

    public FakeEngine Engine => _engine;

    public RegionMap Map => _engine.Map;

    public EngineLink Link => _link;

    public int Generation { get; set; } = 1;

    /// <summary>Whether there is an engine at present.</summary>
    public bool Gone { get; set; }

    public T Try<T>(Func<EngineLink, T> work, T otherwise) => Gone ? otherwise : work(_link);

    public RawClient Connect() => new(SocketPath, (line, command) =>
    {
        var kind = command + (line.Length < 200 ? line[..Math.Min(line.Length, 20)] : line[..40]);
        lock (_lines)
        {
            var seen = _seen.GetValueOrDefault(kind);
            _seen[kind] = seen + 1;
            if (seen < JudgedOfAKind) _lines.Add((line, command));
        }
    });

    /// <summary>Lets the engine have traced a quantum.</summary>
    public void Trace(ulong quantum, uint load = 300_000)
    {
        _engine.Trace(quantum, load);
        Flight.Turn();
    }

    /// <summary>Lets the engine have played.</summary>
    public void Play(ulong quanta, float peak = 0.5f)
    {
        var a = new AudioStatus { Quanta = quanta, Frames = quanta * 32, Rate = 48_000, Quantum = 32, Period = 64, Periods = 2, Inputs = 2, Outputs = 3, Threads = 1, Load = 0.25f, MasterGain = 1f, Settled = 1 };
        for (var j = 0; j < 3; j++) (a.InputPeaks[j], a.OutputPeaks[j]) = (peak, peak * 10);
        Map.AudioStatus->Write(in a);
    }

    /// <summary>Waits for what another thread does.</summary>
    public static void Until(Func<bool> done, string what)
    {
        Assert.True(SpinWait.SpinUntil(done, 120_000), "still not: " + what);
    }

    public void Dispose()
    {
        Server.Dispose();
        Flight.Dispose();
        Session.Dispose();
        _link.Dispose();
        _engine.Dispose();
        Metrics.Dispose();
        _tree.Dispose();
        System.IO.Directory.Delete(Directory, recursive: true);
        foreach (var (line, command) in _lines)
            if (_validator.Host(line, command) is { } wrong) Assert.Fail($"the schema does not describe this answer to '{command}': {wrong}\n{line}");
    }

    private static ModuleDescriptor Type(string id, string[]? inputs = null, string[]? outputs = null) => new()
    {
        Id = id, Name = id, Family = "Test", Text = "", Inputs = [.. (inputs ?? []).Select(p => new PortDescriptor(p, p))], Outputs = [.. (outputs ?? []).Select(p => new PortDescriptor(p, p))],
    };

    // Takes every plan, and writes its instances into the region as an engine would.
    private sealed class RegionSink(RegionMap map) : IPlanSink
    {
        private const int TelemetryStart = 6 << 20;

        public int Inputs => 2;

        public int Outputs => 32;

        public ReadOnlySpan<InstanceRecord> Instances => default;

        public ReadOnlyMemory<float> Costs => default;

        public PlanRefusal? Install(CompiledPlan plan)
        {
            foreach (var i in plan.Instances)
            {
                var r = new InstanceRecord { Key = i.Key, Module = i.Type, State = InstanceState.Active, Bytes = 4096, Telemetry = TelemetryStart + (i.Slot * 256) };
                for (var c = 0; c < Math.Min(i.Module.Length, InstanceRecord.NameBytes - 1); c++) r.Name[c] = (byte)i.Module[c];
                map.Instances[i.Slot] = r;
                var floats = (float*)map.At(r.Telemetry);
                (floats[0], floats[1], floats[2], floats[3], floats[4]) = (3f, 0.5f, 1.5f, float.NaN, -1f);
            }

            return null;
        }

        public bool Send(in ModuleEvent move) => true;

        public string? SetAsset(in PlanAsset asset) => null;

        public string? LoadState(in PlanInstance instance, uint version, ReadOnlySpan<byte> state) => null;

        public byte[]? SaveState(in PlanInstance instance, out uint version)
        {
            version = 0;
            return null;
        }
    }
}
