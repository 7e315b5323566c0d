// One module on the bench: built as the engine builds it, over guarded memory, stepped quantum by quantum.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Conformance;

/// <summary>What a rig is built with.</summary>
public sealed record RigOptions
{
    public int Rate { get; init; } = 48_000;

    public int Quantum { get; init; } = 32;

    /// <summary>Channels of the cable at each input; 0: unpatched. Null: one channel everywhere.</summary>
    public int[]? Cables { get; init; }

    /// <summary>Settings by id that differ from their defaults.</summary>
    public Dictionary<string, int> Settings { get; init; } = [];

    public ulong Seed { get; init; } = 1234;

    /// <summary>Bytes less than the module asked for.</summary>
    public long Withheld { get; init; }

    /// <summary>Outputs somebody reads; null: all.</summary>
    public bool[]? Read { get; init; }
}

/// <summary>
/// Drives one instance through its table of function pointers. Inputs and parameters are functions of absolute time, so that the same
/// performance can be rendered at any quantum. Every quantum it checks fences, that inputs were left alone and that every output
/// sample was written.
/// </summary>
public sealed unsafe class Rig : IDisposable
{
    // Replies come at multiples of the largest quantum, so that they come at the same time at any quantum.
    private const int ReplyGrid = Limits.MaxQuantum;

    private static readonly Dictionary<(string, float), GuardedBlock> SharedBlocks = [];
    private readonly ModuleEntry _entry;
    private readonly List<GuardedBlock> _blocks = [];
    private readonly GuardedBlock _self, _inputSignals, _outputSignals, _parameters, _events, _telemetry, _assets, _job, _silence, _pending;
    private readonly GuardedBlock[] _inputs, _outputs;
    private readonly int[] _settings;
    private readonly int _eventCapacity = Limits.MaxEventsPerQuantum;
    private ProcessResult _last;

    public Rig(string id, RigOptions? options = null)
    {
        Options = options ?? new RigOptions();
        Descriptor = Subjects.Descriptor(id);
        _entry = Subjects.Entry(id);
        _settings = [.. Descriptor.Settings.Select(s => Options.Settings.GetValueOrDefault(s.Id, s.Default))];
        Cables = Options.Cables ?? [.. Descriptor.Inputs.Select(_ => 1)];
        Values = [.. Descriptor.Parameters.Select(p => p.Default)];
        Parameter = (i, _) => Values[i];

        var widest = 1;
        for (var i = 0; i < Cables.Length; i++)
        {
            Expect.InRange(Cables[i], 0, Limits.MaxChannels);
            if (Descriptor.Inputs[i].Rule == ChannelRule.Follow) widest = Math.Max(widest, Cables[i]);
        }

        OutputChannels = [.. Descriptor.Outputs.Select(o => o.Rule switch
        {
            ChannelRule.Fixed => o.Channels,
            ChannelRule.Follow => widest,
            _ => _settings[o.Channels],
        })];

        var bytes = Limits.MaxQuantum * sizeof(float);
        _silence = Block(Limits.MaxChannels * bytes);
        _inputs = [.. Cables.Select(c => Block(Math.Max(1, c) * bytes))];
        _outputs = [.. OutputChannels.Select(c => Block(c * bytes))];
        _inputSignals = Block(Math.Max(1, _inputs.Length) * sizeof(Signal));
        _outputSignals = Block(Math.Max(1, _outputs.Length) * sizeof(Signal));
        _parameters = Block(Math.Max(1, Values.Length) * Limits.GridPoints * sizeof(float));
        _events = Block(_eventCapacity * sizeof(ModuleEvent));
        _telemetry = Block(Math.Max(1, Descriptor.TelemetryFloats) * sizeof(float));
        _assets = Block(Limits.MaxAssets * sizeof(nint));
        _job = Block(sizeof(WorkJob));
        _pending = Block(Limits.MaxInstances / 8);
        _self = Block(_entry.Size);

        fixed (int* settings = _settings)
        {
            var setup = new InstanceSetup
            {
                SampleRate = Options.Rate,
                Quantum = Options.Quantum,
                Settings = settings,
                Seed = Options.Seed,
                Shared = Shared(id),
            };
            Requirements need = default;
            _entry.Require(_entry.Context, &setup, &need);
            Required = need.Bytes;
            var size = Math.Max(0, need.Bytes - Options.Withheld);
            var memory = new InstanceMemory(Block(Math.Max(1, size)).Data, size);
            ModuleTiming timing = default;
            _entry.Construct(_entry.Context, _self.Data, &setup, &memory, &timing);
            Timing = timing;
            Overdrawn = memory.Overdrawn;
        }
    }

    public RigOptions Options { get; }

    public ModuleDescriptor Descriptor { get; }

    public int[] Cables { get; }

    public int[] OutputChannels { get; }

    public long Required { get; }

    public bool Overdrawn { get; }

    public ModuleTiming Timing { get; }

    /// <summary>Values of the parameters while <see cref="Parameter"/> is not replaced.</summary>
    public float[] Values { get; }

    /// <summary>Value of parameter i at grid point g of all time.</summary>
    public Func<int, long, float> Parameter { get; set; }

    /// <summary>Sample at (port, channel, frame).</summary>
    public Func<int, int, long, float> Input { get; set; } = static (_, _, _) => 0f;

    /// <summary>Events by absolute frame, in order.</summary>
    public List<ModuleEvent> Events { get; } = [];

    /// <summary>Whether a sleeping module is left alone as the engine does.</summary>
    public bool HonoursSleep { get; set; }

    public long Time { get; private set; }

    public long Slept { get; private set; }

    public long AllocatedBytes { get; private set; }

    /// <summary>Called right before and right after each process.</summary>
    public Action? BeforeProcess { get; set; }

    /// <inheritdoc cref="BeforeProcess"/>
    public Action? AfterProcess { get; set; }

    /// <summary>What the last process took, in ticks of the stopwatch.</summary>
    public long ProcessTicks { get; private set; }

    public ProcessResult LastResult => _last;

    public float this[string parameter]
    {
        set => Values[IndexOf(parameter)] = value;
    }

    public int IndexOf(string parameter) => Descriptor.Parameters.ToList().FindIndex(p => p.Id == parameter);

    public int InputIndex(string port) => Descriptor.Inputs.ToList().FindIndex(p => p.Id == port);

    public int OutputIndex(string port) => Descriptor.Outputs.ToList().FindIndex(p => p.Id == port);

    public float Telemetry(int index) => _telemetry.Floats[index];

    /// <summary>Renders so many frames (rounded up to quanta); samples by [output][channel][frame].</summary>
    public float[][][] Run(long frames)
    {
        var quanta = (frames + Options.Quantum - 1) / Options.Quantum;
        var result = OutputChannels.Select(c =>
            Enumerable.Range(0, c).Select(_ => new float[quanta * Options.Quantum]).ToArray()).ToArray();
        for (long q = 0; q < quanta; q++)
        {
            Step();
            for (var o = 0; o < result.Length; o++)
            {
                for (var c = 0; c < result[o].Length; c++)
                    new ReadOnlySpan<float>(_outputs[o].Floats + (c * Limits.MaxQuantum),
                        Options.Quantum).CopyTo(result[o][c].AsSpan((int)(q * Options.Quantum)));
            }
        }

        Expect.True(_blocks.TrueForAll(static b => b.Intact), $"{Descriptor.Id} wrote outside its memory");
        return result;
    }

    /// <summary>Runs one output's channel 0.</summary>
    public float[] Run(string output, long frames) => Run(frames)[OutputIndex(output)][0];

    public void Reset()
    {
        _entry.Reset(_self.Data);
        Time = 0;
        _last = ProcessResult.Continue;
    }

    public byte[] SaveState()
    {
        var state = new GuardedBlock(Math.Max(1, Descriptor.StateBytes));
        var written = _entry.SaveState(_self.Data, state.Data, Descriptor.StateBytes);
        Expect.InRange(written, 0, Descriptor.StateBytes);
        Expect.True(state.Intact);
        var bytes = new ReadOnlySpan<byte>(state.Data, written).ToArray();
        state.Dispose();
        return bytes;
    }

    public bool LoadState(uint version, byte[] state)
    {
        using var block = new GuardedBlock(Math.Max(1, state.Length));
        state.CopyTo(new Span<byte>(block.Data, state.Length));
        return _entry.LoadState(_self.Data, version, block.Data, state.Length);
    }

    /// <summary>Loads a planar recording into slot 0.</summary>
    public void LoadAsset(float rate, params float[][] channels)
    {
        var frames = channels[0].Length;
        var block = Block(64 + ((long)channels.Length * frames * sizeof(float)));
        var asset = (Asset*)block.Data;
        *asset = new Asset { DataOffset = 64, Frames = frames, Stride = frames, Channels = channels.Length, Rate = rate };
        for (var c = 0; c < channels.Length; c++) channels[c].CopyTo(new Span<float>(Asset.Channel(asset, c), frames));
        ((Asset**)_assets.Data)[0] = asset;
        _entry.AssetChanged(_self.Data, 0, asset);
    }

    /// <summary>Frames of one wave that the loaded file names.</summary>
    public int CycleFrames
    {
        set => ((Asset**)_assets.Data)[0]->CycleFrames = value;
    }

    /// <summary>Hands the module an empty slot or a damaged header.</summary>
    public void ReplaceAsset(Asset* asset)
    {
        ((Asset**)_assets.Data)[0] = asset;
        _entry.AssetChanged(_self.Data, 0, asset);
    }

    public ProcessResult Step()
    {
        var frames = Options.Quantum;
        var silent = FillInputs(frames);
        var moving = FillParameters(frames);
        var events = FillEvents(frames);
        var outputs = (Signal*)_outputSignals.Data;
        for (var o = 0; o < _outputs.Length; o++)
        {
            var read = Options.Read == null || Options.Read[o];
            outputs[o] = new Signal { Data = _outputs[o].Floats, Channels = OutputChannels[o], Stride = Limits.MaxQuantum,
                Flags = read ? SignalFlags.Connected : SignalFlags.None };
            new Span<float>(_outputs[o].Floats, OutputChannels[o] * Limits.MaxQuantum).Fill(float.NaN);
        }

        ServeWork();
        if (HonoursSleep && _last == ProcessResult.Sleep && silent && moving == 0 && events == 0)
        {
            for (var o = 0; o < _outputs.Length; o++) new Span<float>(_outputs[o].Floats, OutputChannels[o] * Limits.MaxQuantum).Clear();
            Slept++;
            Time += frames;
            return _last;
        }

        var context = new ProcessContext
        {
            Inputs = (Signal*)_inputSignals.Data,
            Outputs = outputs,
            Params = _parameters.Floats,
            Events = (ModuleEvent*)_events.Data,
            EventCount = events,
            Telemetry = _telemetry.Floats,
            Assets = (Asset**)_assets.Data,
            Job = (WorkJob*)_job.Data,
            Silence = _silence.Floats,
            WorkPending = (ulong*)_pending.Data,
            Time = (ulong)Time,
            Key = 77,
            Frames = frames,
            SampleRate = Options.Rate,
            Slot = 5,
            Moving = moving,
        };
        var before = Checksum(frames);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        BeforeProcess?.Invoke();
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        _last = _entry.Process(_self.Data, &context);
        ProcessTicks = System.Diagnostics.Stopwatch.GetTimestamp() - start;
        AfterProcess?.Invoke();
        AllocatedBytes += GC.GetAllocatedBytesForCurrentThread() - allocated;
        Expect.True(before == Checksum(frames), $"{Descriptor.Id} wrote to an input");
        for (var o = 0; o < _outputs.Length; o++)
        {
            if ((outputs[o].Flags & SignalFlags.Unwritten) == 0) continue;
            Expect.True(!outputs[o].Connected, $"{Descriptor.Id} says that it left {Descriptor.Outputs[o].Id} unwritten, which somebody reads");
            new Span<float>(_outputs[o].Floats, OutputChannels[o] * Limits.MaxQuantum).Clear();
        }

        Time += frames;
        return _last;
    }

    public void Dispose()
    {
        if (_entry.Destroy != null && !Overdrawn && Timing.LatencyFrames >= 0) _entry.Destroy(_self.Data);
        foreach (var block in _blocks) block.Dispose();
    }

    private bool FillInputs(int frames)
    {
        var signals = (Signal*)_inputSignals.Data;
        var allSilent = true;
        for (var i = 0; i < _inputs.Length; i++)
        {
            var data = Cables[i] == 0 ? _silence.Floats : _inputs[i].Floats;
            var silent = true;
            for (var c = 0; c < Cables[i]; c++)
            {
                for (var f = 0; f < frames; f++)
                {
                    var v = Input(i, c, Time + f);
                    data[(c * Limits.MaxQuantum) + f] = v;
                    silent &= v == 0f;
                }
            }

            allSilent &= silent;
            var flags = (Cables[i] > 0 ? SignalFlags.Connected : 0) | (silent ? SignalFlags.Silent : 0);
            signals[i] = new Signal { Data = data, Channels = Math.Max(1, Cables[i]), Stride = Limits.MaxQuantum, Flags = flags };
        }

        return allSilent;
    }

    private ulong FillParameters(int frames)
    {
        ulong moving = 0;
        for (var p = 0; p < Values.Length; p++)
        {
            var values = _parameters.Floats + (p * Limits.GridPoints);
            for (var g = 0; g <= frames / Limits.Grid; g++)
            {
                values[g] = Parameter(p, (Time / Limits.Grid) + g);
                if (values[g] != values[0]) moving |= 1UL << p;
            }
        }

        return moving;
    }

    private int FillEvents(int frames)
    {
        var count = 0;
        var events = (ModuleEvent*)_events.Data;
        foreach (var e in Events)
        {
            if ((long)e.Frame < Time || (long)e.Frame >= Time + frames) continue;
            events[count] = e;
            events[count++].Frame = e.Frame - (ulong)Time;
        }

        return count;
    }

    private void ServeWork()
    {
        var job = (WorkJob*)_job.Data;
        if (Time % ReplyGrid != 0 || job->State != (int)WorkState.Requested) return;
        var pending = (ulong*)_pending.Data;
        Expect.Equal(1UL << 5, pending[0]);
        pending[0] = 0;
        job->State = (int)WorkState.Running;
        _entry.Work(_self.Data, job);
        job->State = (int)WorkState.Replied;
    }

    private long Checksum(int frames)
    {
        long sum = 0;
        for (var i = 0; i < _inputs.Length; i++)
        {
            var data = (int*)_inputs[i].Data;
            for (var c = 0; c < Math.Max(1, Cables[i]); c++)
            {
                for (var f = 0; f < frames; f++) sum = (sum * 31) + data[(c * Limits.MaxQuantum) + f];
            }
        }

        for (var f = 0; f < Limits.MaxQuantum; f++) sum += _silence.Floats[f] == 0f ? 0 : 1;
        return sum;
    }

    private void* Shared(string id)
    {
        lock (SharedBlocks)
        {
            if (SharedBlocks.TryGetValue((id, Options.Rate), out var block)) return block.Data;
            var bytes = _entry.SharedBytes(_entry.Context, Options.Rate);
            if (bytes == 0) return null;
            block = new GuardedBlock(bytes);
            _entry.BuildShared(_entry.Context, block.Data, Options.Rate);
            Expect.True(block.Intact, $"{id} wrote outside its shared data");
            SharedBlocks.Add((id, Options.Rate), block);
            return block.Data;
        }
    }

    private GuardedBlock Block(long bytes)
    {
        var block = new GuardedBlock(bytes);
        _blocks.Add(block);
        return block;
    }
}
