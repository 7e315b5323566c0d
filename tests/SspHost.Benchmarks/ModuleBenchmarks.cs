// What each shipped module costs a quantum: 32 frames at 48 kHz, every input fed by a signal that moves.
using BenchmarkDotNet.Attributes;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Engine.Threads;
using SspHost.Modules;

namespace SspHost.Benchmarks;

/// <summary>Calls process through the engine's own table. Nothing else is timed: inputs are rendered before and only pointed at.</summary>
[RealTime]
public unsafe class ModuleBenchmarks
{
    private const int Quantum = 32, Rate = 48_000, Quanta = 256;
    private const int InputFrames = Quantum * Quanta;
    private static readonly ModuleRegistry Registry = Fill();
    private readonly NativeBlocks _blocks = new();
    private delegate*<void*, ProcessContext*, ProcessResult> _process;
    private byte* _self;
    private ProcessContext* _context;
    private float** _inputs;
    private int _inputCount, _at;

    public static IEnumerable<string> Ids => Registry.Descriptors.Select(d => d.Id);

    [ParamsSource(nameof(Ids))]
    public string Id { get; set; } = "";

    [Params(1, 4)]
    public int Channels { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _ = FlushToZero.Enable();
        var index = Registry.Descriptors.ToList().FindIndex(d => d.Id == Id);
        var descriptor = Registry.Descriptors[index];
        var entry = Registry.Entries[index];
        _process = entry.Process;
        _self = _blocks.Take(entry.Size);
        var assets = (Asset**)_blocks.Take(Limits.MaxAssets * sizeof(nint));
        int[] settings = [.. descriptor.Settings.Select(s => s.Default)];
        Construct(entry, settings);
        if (descriptor.Assets.Count > 0)
        {
            assets[0] = Recording();
            entry.AssetChanged(_self, 0, assets[0]);
        }

        _inputCount = descriptor.Inputs.Count;
        _inputs = (float**)_blocks.Take(_inputCount * sizeof(nint));
        var inputs = _blocks.Take<Signal>(_inputCount);
        for (var i = 0; i < _inputCount; i++)
        {
            _inputs[i] = Live(i);
            inputs[i] = new Signal { Data = _inputs[i], Channels = Channels, Stride = InputFrames, Flags = SignalFlags.Connected };
        }

        var outputs = _blocks.Take<Signal>(descriptor.Outputs.Count);
        for (var o = 0; o < descriptor.Outputs.Count; o++)
        {
            var port = descriptor.Outputs[o];
            var follow = descriptor.Inputs.Any(p => p.Rule == ChannelRule.Follow) ? Channels : 1;
            var channels = port.Rule switch { ChannelRule.Fixed => port.Channels, ChannelRule.Follow => follow, _ => settings[port.Channels] };
            outputs[o] = new Signal { Data = _blocks.Take<float>(channels * Quantum), Channels = channels, Stride = Quantum, Flags = SignalFlags.Connected };
        }

        var parameters = _blocks.Take<float>(descriptor.Parameters.Count * Limits.GridPoints);
        for (var p = 0; p < descriptor.Parameters.Count; p++)
            new Span<float>(parameters + (p * Limits.GridPoints), Limits.GridPoints).Fill(descriptor.Parameters[p].Default);

        _context = _blocks.Take<ProcessContext>();
        *_context = new ProcessContext
        {
            Inputs = inputs,
            Outputs = outputs,
            Params = parameters,
            Events = _blocks.Take<ModuleEvent>(Limits.MaxEventsPerQuantum),
            Telemetry = _blocks.Take<float>(descriptor.TelemetryFloats),
            Assets = assets,
            Job = _blocks.Take<WorkJob>(),
            Silence = _blocks.Take<float>(Limits.MaxChannels * Limits.MaxQuantum),
            WorkPending = (ulong*)_blocks.Take(Limits.MaxInstances / 8),
            Key = 1,
            Frames = Quantum,
            SampleRate = Rate,
        };
    }

    [GlobalCleanup]
    public void Cleanup() => _blocks.Dispose();

    [Benchmark]
    public int Process()
    {
        _at = (_at + Quantum) & (InputFrames - 1);
        for (var i = 0; i < _inputCount; i++) _context->Inputs[i].Data = _inputs[i] + _at;
        _context->Time += Quantum;
        return (int)_process(_self, _context);
    }

    /// <summary>Every module that ships.</summary>
    internal static ModuleRegistry Fill()
    {
        var visitor = new Adder(new ModuleRegistry());
        Catalog.VisitAll(ref visitor);
        return visitor.Registry;
    }

    private void Construct(ModuleEntry entry, int[] settings)
    {
        var shared = entry.SharedBytes(entry.Context, Rate) is var bytes and > 0 ? _blocks.Take(bytes) : null;
        if (shared != null) entry.BuildShared(entry.Context, shared, Rate);
        fixed (int* s = settings)
        {
            var setup = new InstanceSetup { SampleRate = Rate, Quantum = Quantum, Settings = s, Seed = 1234, Shared = shared };
            Requirements need = default;
            entry.Require(entry.Context, &setup, &need);
            var memory = new InstanceMemory(_blocks.Take(need.Bytes), need.Bytes);
            ModuleTiming timing = default;
            entry.Construct(entry.Context, _self, &setup, &memory, &timing);
            if (memory.Overdrawn) throw new InvalidOperationException($"{Id} takes more memory than it asked for");
        }
    }

    // A sine, a gate that opens every 31 ms or a slow control voltage: a different one at each port, shifted at each channel.
    private float* Live(int port)
    {
        var data = _blocks.Take<float>(Channels * InputFrames);
        for (var c = 0; c < Channels; c++)
        {
            for (var f = 0; f < InputFrames; f++)
            {
                var t = f + (c * 101);
                data[(c * InputFrames) + f] = (port % 3) switch
                {
                    0 => 5f * MathF.Sin(t * (0.03f + (0.01f * port))),
                    1 => (t / 742 & 1) == 0 ? 10f : 0f,
                    _ => 2f * MathF.Sin(t * 0.0008f),
                };
            }
        }

        return data;
    }

    private Asset* Recording()
    {
        var asset = (Asset*)_blocks.Take(64 + (Rate * (long)sizeof(float)));
        *asset = new Asset { DataOffset = 64, Frames = Rate, Stride = Rate, Channels = 1, Rate = Rate };
        for (var f = 0; f < Rate; f++) Asset.Channel(asset, 0)[f] = 0.25f * MathF.Sin(f * 0.026f);
        return asset;
    }

    private readonly struct Adder(ModuleRegistry registry) : IModuleVisitor
    {
        public ModuleRegistry Registry => registry;

        public void Visit<T>() where T : unmanaged, IModule<T> => registry.Add<T>();
    }
}
