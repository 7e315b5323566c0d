// A whole engine in this process on a simulated card that lives in virtual time: the session edits it, quanta pass when they are asked for.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Service;
using SspHost.Patching;

namespace SspHost.Tests;

/// <summary>The engine's own audio loop, card and renderer; only the steward's requests are calls. One thread.</summary>
internal sealed unsafe class VirtualEngine : IPlanSink, IDisposable
{
    private const int Jacks = 8, Periods = 3;
    private const long RegionBytes = 128L << 20;

    private readonly SteppedEngine _engine = new(RegionBytes);
    private readonly byte* _memory;
    private readonly AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>* _loop;
    private readonly VirtualTime* _time;

    public VirtualEngine()
    {
        var bytes = sizeof(AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>) + sizeof(RendererQuantum) + sizeof(VirtualTime) + AudioLoop.BufferBytes + 1024;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
        new Span<byte>(_memory, bytes).Clear();
        _loop = (AudioLoop<SimulatedCard<VirtualClock>, RendererQuantum>*)(_memory + AudioLoop.BufferBytes);
        _time = (VirtualTime*)(_loop + 1);
        var quantum = (RendererQuantum*)(_time + 1);
        var incident = (ulong*)(quantum + 1);
        var map = _engine.Map;
        *quantum = new RendererQuantum(_engine.Renderer, map);
        var setup = new AudioLoopSetup
        {
            Quantum = SteppedEngine.Quantum, Threads = 1, Header = map.Header, Histograms = map.Histogram(HistogramKind.Quantum), Records = map.Threads, Status = map.AudioStatus,
            Notices = map.Notices, LastIncident = incident, Loads = map.Loads, Buffers = _memory,
        };
        var config = new AudioConfig
        {
            Rate = SteppedEngine.Rate, Quantum = SteppedEngine.Quantum, Period = SteppedEngine.Quantum, Periods = Periods, Inputs = Jacks, Outputs = Jacks,
        };
        *_loop = new(new SimulatedCard<VirtualClock>(new VirtualClock(_time), config), quantum, setup);
        _engine.Renderer.Running = true;
        Assert.True(_loop->Begin());
    }

    /// <summary>Where a live view looks.</summary>
    public SteppedEngine Seen => _engine;

    public DescriptorIndex Modules => _engine.Modules;

    /// <summary>What the card's clock says, in ns.</summary>
    public ulong Now => _time->Now;

    public AudioStatus Audio => _engine.Map.AudioStatus->TryRead(out var s) ? s : throw new InvalidOperationException("torn status");

    /// <summary>Loudest sample at a jack so far, in volts.</summary>
    public float Loudest { get; private set; }

    public int Installed { get; private set; }

    public int Inputs => Jacks;

    public int Outputs => Jacks;

    public ReadOnlySpan<InstanceRecord> Instances => new(_engine.Map.Instances, Limits.MaxInstances);

    public ReadOnlyMemory<float> Costs => default;

    /// <summary>Each question takes a quantum: whoever waits for a ramp sees it end.</summary>
    public PlayState State
    {
        get
        {
            Play(1);
            return new PlayState(Running: true, _engine.Renderer.PlanSerial, _engine.Renderer.IsSettledDown, Audio.Frames, SteppedEngine.Rate);
        }
    }

    public int QuantumFor(int quantum) => SteppedEngine.Quantum;

    /// <summary>Plays so many quanta, as the audio thread does, and does what the steward does between them.</summary>
    public void Play(int quanta)
    {
        for (var q = 0; q < quanta; q++)
        {
            Assert.True(_loop->Step());
            _engine.Renderer.DoWork();
            _ = _engine.Renderer.Collect();
            while (_engine.Map.Notices.TryPop(out _))
            {
                // Nobody is told.
            }
        }

        var audio = Audio;
        for (var j = 0; j < Jacks; j++) Loudest = Math.Max(Loudest, audio.OutputPeaks[j]);
    }

    public PlanRefusal? Install(CompiledPlan plan)
    {
        var blob = plan.Description.AsSpan();
        var copy = (byte*)NativeMemory.AlignedAlloc((nuint)blob.Length, 64);
        blob.CopyTo(new Span<byte>(copy, blob.Length));
        ((PlanHeader*)copy)->Quantum = SteppedEngine.Quantum;
        var status = _engine.Renderer.Install((PlanHeader*)copy, blob.Length, out var error);
        NativeMemory.AlignedFree(copy);
        if (status != ReplyStatus.Ok) return new PlanRefusal($"{status}: {error.Part} {error.Index} {error.Value}, {error.Bytes} bytes", status == ReplyStatus.OutOfMemory);
        Installed++;
        Play(1);
        return null;
    }

    public bool Send(in ModuleEvent move) => _engine.Map.Events.TryPush(in move);

    public string? SetAsset(in PlanAsset asset) => asset.Path is null ? null : "there are no recordings here";

    public string? LoadState(in PlanInstance instance, uint version, ReadOnlySpan<byte> state)
    {
        var bytes = state.ToArray();
        _engine.Renderer.Running = false;
        fixed (byte* b = bytes)
        {
            var status = _engine.Renderer.LoadState(instance.Slot, (uint)instance.Key, b, bytes.Length, version);
            _engine.Renderer.Running = true;
            return status == ReplyStatus.Ok ? null : status.ToString();
        }
    }

    public byte[]? SaveState(in PlanInstance instance, out uint version)
    {
        var bytes = new byte[Modules.Types[instance.Type].Descriptor.StateBytes];
        _engine.Renderer.Running = false;
        fixed (byte* b = bytes)
        {
            var status = _engine.Renderer.SaveState(instance.Slot, (uint)instance.Key, b, bytes.Length, out var written, out version);
            _engine.Renderer.Running = true;
            return status == ReplyStatus.Ok ? bytes[..written] : null;
        }
    }

    public void Dispose()
    {
        _engine.Renderer.Running = false;
        _engine.Dispose();
        NativeMemory.AlignedFree(_memory);
    }
}
