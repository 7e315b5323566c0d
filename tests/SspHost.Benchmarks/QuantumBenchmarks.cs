// A whole quantum of a patch that ships, and of the loop around it: what the audio thread does, from the card to the card.
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Events;
using SspHost.Engine.Graph;
using SspHost.Engine.Memory;
using SspHost.Engine.Probes;
using SspHost.Engine.Service;
using SspHost.Engine.Threads;
using SspHost.Patching;

namespace SspHost.Benchmarks;

/// <summary>One thread, 32 frames at 48 kHz, the acid line. The card is the simulated one, whose time passes when the loop sleeps.</summary>
[RealTime]
public unsafe class QuantumBenchmarks
{
    private const int Frames = 32, Rate = 48_000, Jacks = 2, RecordBlocks = 64;
    private readonly NativeBlocks _blocks = new();
    private readonly uint[] _flags = GC.AllocateArray<uint>(1, pinned: true);
    private Region _region = null!;
    private Renderer _renderer = null!;
    private RendererQuantum* _quantum;
    private AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>* _loop;
    private float** _inputs, _outputs;
    private Tape* _tape;
    private PeakMeter* _peaks;
    private MasterFade* _fade;
    private RecordRing* _recording;
    private RecordTap _tap;
    private MidiParser* _midi;
    private ModuleEvent _turn;
    private ulong _frame;

    [GlobalSetup]
    public void Setup()
    {
        _ = FlushToZero.Enable();
        CycleClock.Calibrate();
        var registry = ModuleBenchmarks.Fill();
        _region = Region.Create(Region.MinBytes, DescriptorBlob.Write(registry.Descriptors), "bench", out var error) ?? throw new IOException(error);
        _renderer = new Renderer(_region.Map, _region.Pool, registry, (float*)_region.Silence);
        Install(new DescriptorIndex(registry.Descriptors));
        _quantum = _blocks.Take<RendererQuantum>();
        *_quantum = new RendererQuantum(_renderer, _region.Map);
        _inputs = Lines();
        _outputs = Lines();
        MakeLoop();
        _tape = _blocks.Take<Tape>();
        _tape->Follow((uint*)Marshal.UnsafeAddrOfPinnedArrayElement(_flags, 0));
        _flags[0] = (uint)DiagnosticFlags.Trace;
        var ring = _blocks.Take(SpscRing<TraceEvent>.BytesFor(1024));
        _ = SpscRing<TraceEvent>.Create(ring, 1024);
        _tape->Open((RingHeader*)ring, core: 0);
        _peaks = _blocks.Take<PeakMeter>();
        _fade = _blocks.Take<MasterFade>();
        _fade->In(int.MaxValue / 2);
        var bytes = RecordRing.BytesFor(Jacks, RecordBlocks);
        _recording = (RecordRing*)_blocks.Take(bytes);
        (_recording->Channels, _recording->Capacity) = (Jacks, RecordBlocks);
        if (!RecordTap.TryMake(_recording, bytes, out _tap)) throw new InvalidOperationException("no recording");
        _midi = _blocks.Take<MidiParser>();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _renderer.Dispose();
        _region.Dispose();
        _blocks.Dispose();
    }

    /// <summary>Every module and cable of the patch, the outputs' check, the histograms.</summary>
    [Benchmark]
    public bool RenderAQuantum() => Render();

    /// <summary>The same while a knob is turned: an event comes, and its parameter moves.</summary>
    [Benchmark]
    public bool RenderWhileAKnobTurns()
    {
        _turn.Value = 0.25f + (_frame / Frames % 2 * 0.5f);
        _turn.Frame = _frame;
        return _region.Map.Events.TryPush(in _turn) && Render();
    }

    /// <summary>One wake-up of the audio thread: the card, a quantum, meters, counters, status.</summary>
    [Benchmark]
    public bool LoopStep() => _loop->Step();

    [Benchmark]
    public ulong TapeZone()
    {
        var now = CycleClock.Now();
        _tape->Zone(TraceKind.Module, now, now + 100, 1, slot: 3);
        return now;
    }

    [Benchmark]
    public void PeakMeterTake() => _peaks->Take(0, _outputs[0], Frames);

    [Benchmark]
    public void MasterFadeApply() => _fade->Apply(_outputs, Jacks, Frames);

    /// <summary>Two jacks into a recording that nobody fetches: a full ring costs what an empty one does, less the copy.</summary>
    [Benchmark]
    public ulong RecordTapPush()
    {
        _recording->Head = _recording->Tail;
        var head = new RecordBlock { Frame = _frame, Frames = Frames };
        _tap.Push(in head, _inputs, Jacks, _outputs, Jacks);
        return _recording->Tail;
    }

    [Benchmark]
    public ulong ThreadCountersRead() => ThreadCounters.Read().Faults;

    /// <summary>A note, in bytes as they come from a cable.</summary>
    [Benchmark]
    public int MidiParserNote()
    {
        _ = _midi->Put(0x93, out _);
        _ = _midi->Put(60, out _);
        return _midi->Put(100, out var message) ? message.Channel : -1;
    }

    /// <summary>The largest |volts| of the last quantum.</summary>
    internal float Loudest
    {
        get
        {
            var loudest = 0f;
            for (var j = 0; j < Jacks; j++)
                for (var i = 0; i < Frames; i++) loudest = MathF.Max(loudest, MathF.Abs(_outputs[j][i]));
            return loudest;
        }
    }

    /// <summary>Quanta that were rendered.</summary>
    internal ulong Quanta => _renderer.Quanta;

    private bool Render()
    {
        var rendered = _quantum->Render(_inputs, Jacks, _outputs, Jacks, _frame);
        _frame += Frames;
        return rendered;
    }

    private float** Lines()
    {
        var lines = (float**)_blocks.Take(Limits.MaxJacks * sizeof(nint));
        for (var j = 0; j < Limits.MaxJacks; j++) lines[j] = _blocks.Take<float>(Limits.MaxQuantum);
        return lines;
    }

    private void Install(DescriptorIndex modules)
    {
        using var file = typeof(QuantumBenchmarks).Assembly.GetManifestResourceStream("acid-line.json")!;
        var json = new byte[file.Length];
        file.ReadExactly(json);
        var patch = PatchJson.Read(json, "acid-line.json", modules).Patch ?? throw new InvalidOperationException("acid-line.json is no patch");
        var plan = PlanCompiler.Compile(patch, modules, new SlotMap(), new CompileOptions { Inputs = Jacks, Outputs = Jacks }, out var error)
            ?? throw new InvalidOperationException(error!.ToString());
        var ladder = plan.Instances.Single(i => i.Module == patch.Modules.First(m => m.Type == "ladder").Id);
        _turn = new ModuleEvent { Kind = EventKind.Parameter, Slot = (ushort)ladder.Slot, Target = (uint)ladder.Key };
        if (_renderer.Configure(Rate, plan.Quantum, threads: 1) != ReplyStatus.Ok || plan.Quantum != Frames) throw new InvalidOperationException("the renderer is not configured");
        var blob = (PlanHeader*)_blocks.Take(plan.Description.Length);
        plan.Description.AsSpan().CopyTo(new Span<byte>(blob, plan.Description.Length));
        if (_renderer.Install(blob, plan.Description.Length, out var refused) != ReplyStatus.Ok) throw new InvalidOperationException($"the plan is refused: {refused.Part} {refused.Index}");
        _renderer.Running = true;
    }

    private void MakeLoop()
    {
        var map = _region.Map;
        var config = new AudioConfig { Rate = Rate, Quantum = Frames, Period = Frames, Periods = 4, Inputs = Jacks, Outputs = Jacks };
        var card = new SimulatedCard<VirtualClock>(new VirtualClock(_blocks.Take<VirtualTime>()), in config);
        _loop = _blocks.Take<AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>>();
        *_loop = new AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>(in card, _quantum, new AudioLoopSetup
        {
            Quantum = Frames, Threads = 1, Header = map.Header, Histograms = map.Histogram((HistogramKind)0), Records = map.Threads, Status = map.AudioStatus,
            Notices = map.Notices, LastIncident = _renderer.LastIncident, Buffers = _blocks.Take(AudioLoop.BufferBytes), Taps = _blocks.Take<RecordTaps>(),
        });
        if (!_loop->Begin()) throw new InvalidOperationException("the simulated card does not start");
    }
}
