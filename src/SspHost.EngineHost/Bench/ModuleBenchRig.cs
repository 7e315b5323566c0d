// One module on the bench: made and called through the engine's own table, its cables fed from memory that was filled before.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.EngineHost.Bench;

/// <summary>What a module is measured with.</summary>
/// <param name="Index">Its number in the registry.</param>
/// <param name="Quantum">Frames of a quantum.</param>
/// <param name="Channels">Voices of each cable.</param>
internal sealed record ModuleBenchSetup(int Index, int Quantum, int Channels)
{
    /// <summary>Ids of the inputs that a cable feeds; null: all, empty: none.</summary>
    public IReadOnlyList<string>? Inputs { get; init; }

    /// <summary>Ids of the outputs that somebody reads; null: all.</summary>
    public IReadOnlyList<string>? Outputs { get; init; }

    /// <summary>Whether every parameter moves over its whole range, each at a speed of its own.</summary>
    public bool Moves { get; init; }

    /// <summary>Parameters that are not at their default.</summary>
    public IReadOnlyDictionary<string, float> Values { get; init; } = new Dictionary<string, float>();

    /// <summary>Sample of an input by its place among the fed ones, voice and frame; null: <see cref="ModuleBenchRig.Live"/>.</summary>
    public Func<int, int, int, float>? Signal { get; init; }
}

/// <summary>Holds an instance and everything a call of process may touch. Only <see cref="Run"/> is meant to be timed.</summary>
internal sealed unsafe class ModuleBenchRig : IDisposable
{
    public const int Rate = 48_000;

    /// <summary>Frames of an input, after which it begins again.</summary>
    public const int InputFrames = 8192;

    private const int TravelPoints = 256;

    private readonly List<nint> _blocks = [];
    private readonly ModuleEntry _entry;
    private readonly ModuleDescriptor _descriptor;
    private readonly ModuleBenchSetup _setup;
    private readonly byte* _self;
    private readonly ProcessContext* _context;
    private readonly float*[] _inputs;
    private readonly float*[] _travels;
    private readonly int[] _settings;
    private int _at, _grid;

    public ModuleBenchRig(ModuleRegistry registry, ModuleBenchSetup setup, void* shared)
    {
        _setup = setup;
        _entry = registry.Entries[setup.Index];
        _descriptor = registry.Descriptors[setup.Index];
        _settings = Settings();
        _self = Take<byte>(_entry.Size);
        Construct(shared);
        _inputs = new float*[_descriptor.Inputs.Count];
        _travels = new float*[_descriptor.Parameters.Count];
        _context = Take<ProcessContext>(1);
        *_context = new ProcessContext
        {
            Silence = Take<float>(Limits.MaxChannels * Limits.MaxQuantum),
            Params = Take<float>(_travels.Length * Limits.GridPoints),
            Events = Take<ModuleEvent>(Limits.MaxEventsPerQuantum),
            Telemetry = Take<float>(_descriptor.TelemetryFloats),
            Assets = (Asset**)Take<nint>(Limits.MaxAssets),
            Job = Take<WorkJob>(1),
            WorkPending = Take<ulong>(Limits.MaxInstances / 64),
            Key = 1,
            Frames = setup.Quantum,
            SampleRate = Rate,
        };
        _context->Inputs = FillInputs();
        _context->Outputs = FillOutputs();
        for (var p = 0; p < _travels.Length; p++) FillParameter(p);
        for (var a = 0; a < _descriptor.Assets.Count; a++)
        {
            _context->Assets[a] = Recording();
            _entry.AssetChanged(_self, a, _context->Assets[a]);
        }
    }

    /// <summary>Channels that output <paramref name="port"/> carries.</summary>
    public int OutputChannels(int port) => _context->Outputs[port].Channels;

    /// <summary>What the last quantum left at an output.</summary>
    public float* Output(int port, int channel) => _context->Out(port, channel);

    /// <summary>What an input is fed, from the frame of the coming quantum on.</summary>
    public float* Input(int port, int channel) => _inputs[port] + (channel * InputFrames) + _at;

    /// <summary>Everything that is not the module's own work: the next stretch of each cable, parameters, a job that was asked for.</summary>
    public void Prepare()
    {
        _at = (_at + _setup.Quantum) & (InputFrames - 1);
        for (var i = 0; i < _inputs.Length; i++)
        {
            if (_inputs[i] != null) _context->Inputs[i].Data = _inputs[i] + _at;
        }

        _context->Time += (ulong)_setup.Quantum;
        var job = _context->Job;
        if (job->State == (int)WorkState.Requested)
        {
            job->State = (int)WorkState.Running;
            _entry.Work(_self, job);
            job->State = (int)WorkState.Replied;
        }

        if (!_setup.Moves) return;
        var segments = _setup.Quantum / Limits.Grid;
        for (var p = 0; p < _travels.Length; p++)
        {
            for (var g = 0; g <= segments; g++) _context->Params[(p * Limits.GridPoints) + g] = _travels[p][(_grid + g) & (TravelPoints - 1)];
        }

        _grid += segments;
    }

    /// <summary>One quantum.</summary>
    public ProcessResult Run() => _entry.Process(_self, _context);

    public void Dispose()
    {
        if (_entry.Destroy != null) _entry.Destroy(_self);
        foreach (var block in _blocks) NativeMemory.AlignedFree((void*)block);
        _blocks.Clear();
    }

    /// <summary>A sine, a gate that opens every 31 ms or a slow control voltage: a different one at each port, shifted at each voice.</summary>
    public static float Live(int port, int channel, int frame)
    {
        var t = frame + (channel * 101);
        return (port % 3) switch
        {
            0 => 5f * MathF.Sin(t * (0.03f + (0.01f * port))),
            1 => (t / 742 & 1) == 0 ? 10f : 0f,
            _ => 2f * MathF.Sin(t * 0.0008f),
        };
    }

    // As placed, but so many voices where a setting says how many.
    private int[] Settings()
    {
        int[] settings = [.. _descriptor.Settings.Select(s => s.Default)];
        foreach (var port in _descriptor.Outputs.Concat(_descriptor.Inputs).Where(p => p.Rule == ChannelRule.Setting && _setup.Channels > 1))
            settings[port.Channels] = Math.Clamp(_setup.Channels, _descriptor.Settings[port.Channels].Min, _descriptor.Settings[port.Channels].Max);
        return settings;
    }

    private void Construct(void* shared)
    {
        fixed (int* settings = _settings)
        {
            var setup = new InstanceSetup { SampleRate = Rate, Quantum = _setup.Quantum, Settings = settings, Seed = 1234, Shared = shared };
            Requirements need = default;
            _entry.Require(_entry.Context, &setup, &need);
            var memory = new InstanceMemory(Take<byte>(need.Bytes), need.Bytes);
            ModuleTiming timing = default;
            _entry.Construct(_entry.Context, _self, &setup, &memory, &timing);
            if (memory.Overdrawn) throw new InvalidOperationException($"{_descriptor.Id} takes more memory than it asked for");
        }
    }

    private Signal* FillInputs()
    {
        var signals = Take<Signal>(_inputs.Length);
        var fed = 0;
        for (var i = 0; i < _inputs.Length; i++)
        {
            if (_setup.Inputs != null && !_setup.Inputs.Contains(_descriptor.Inputs[i].Id))
            {
                signals[i] = new Signal { Data = _context->Silence, Channels = 1, Stride = Limits.MaxQuantum, Flags = SignalFlags.Silent };
                continue;
            }

            _inputs[i] = Take<float>(_setup.Channels * InputFrames);
            for (var n = 0; n < _setup.Channels * InputFrames; n++)
                _inputs[i][n] = (_setup.Signal ?? Live)(_setup.Signal == null ? i : fed, n / InputFrames, n % InputFrames);
            signals[i] = new Signal { Data = _inputs[i], Channels = _setup.Channels, Stride = InputFrames, Flags = SignalFlags.Connected };
            fed++;
        }

        return signals;
    }

    private Signal* FillOutputs()
    {
        var signals = Take<Signal>(_descriptor.Outputs.Count);
        var follow = _descriptor.Inputs.Any(p => p.Rule == ChannelRule.Follow) ? _setup.Channels : 1;
        for (var o = 0; o < _descriptor.Outputs.Count; o++)
        {
            var port = _descriptor.Outputs[o];
            var channels = port.Rule switch { ChannelRule.Fixed => port.Channels, ChannelRule.Follow => follow, _ => _settings[port.Channels] };
            var read = _setup.Outputs == null || _setup.Outputs.Contains(port.Id);
            signals[o] = new Signal
            {
                Data = Take<float>(channels * Limits.MaxQuantum),
                Channels = channels,
                Stride = Limits.MaxQuantum,
                Flags = read ? SignalFlags.Connected : SignalFlags.None,
            };
        }

        return signals;
    }

    // A triangle over the whole travel, its period 4096 frames over 1, 2, 3 ... by parameter.
    private void FillParameter(int index)
    {
        var p = _descriptor.Parameters[index];
        _travels[index] = Take<float>(TravelPoints);
        for (var g = 0; g < TravelPoints; g++)
        {
            var place = MathF.Abs((2f * (g * (1 + (index % 5)) % TravelPoints) / TravelPoints) - 1f);
            var value = p.Curve == ParameterCurve.Exponential ? p.Min * MathF.Pow(p.Max / p.Min, place) : p.Min + ((p.Max - p.Min) * place);
            _travels[index][g] = p.Curve == ParameterCurve.Stepped ? MathF.Round(value) : value;
        }

        new Span<float>(_context->Params + (index * Limits.GridPoints), Limits.GridPoints).Fill(_setup.Values.TryGetValue(p.Id, out var v) ? v : p.Default);
        if (_setup.Moves && p.Curve != ParameterCurve.Stepped) _context->Moving |= 1UL << index;
    }

    private Asset* Recording()
    {
        var asset = (Asset*)Take<byte>(64 + (Rate * (long)sizeof(float)));
        *asset = new Asset { DataOffset = 64, Frames = Rate, Stride = Rate, Channels = 1, Rate = Rate };
        for (var f = 0; f < Rate; f++) Asset.Channel(asset, 0)[f] = 0.25f * MathF.Sin(f * 0.026f);
        return asset;
    }

    private T* Take<T>(long count) where T : unmanaged
    {
        var bytes = (nuint)Math.Max(64, count * sizeof(T));
        var block = NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(block, bytes);
        _blocks.Add((nint)block);
        return (T*)block;
    }
}
