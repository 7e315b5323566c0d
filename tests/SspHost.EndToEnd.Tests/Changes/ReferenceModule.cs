// One module of the reference: its own memory, its inputs summed as the patch says, its process called, its output checked.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Patching;
using ModuleType = SspHost.Patching.ModuleType;

namespace SspHost.EndToEnd.Tests.Changes;

/// <summary>What every module of a reference shares.</summary>
internal sealed unsafe class ReferenceWorld : IDisposable
{
    private readonly List<nint> _blocks = [];
    private readonly Dictionary<int, nint> _shared = [];

    public ReferenceWorld(ModuleRegistry registry, int rate, int quantum, int jacks)
    {
        (Registry, Rate, Quantum) = (registry, rate, quantum);
        FadeFrames = ReferenceGain.FramesAt(rate);
        Shape = ReferenceGain.Shape(FadeFrames);
        Silence = (float*)Take(Limits.MaxChannels * Limits.MaxQuantum * sizeof(float));
        WorkPending = (ulong*)Take(Limits.MaxInstances / 8);
        Events = (ModuleEvent*)Take(sizeof(ModuleEvent));
        JackIn = new float*[jacks];
        JackOut = new float*[jacks];
        for (var j = 0; j < jacks; j++)
        {
            JackIn[j] = (float*)Take(quantum * sizeof(float));
            JackOut[j] = (float*)Take(quantum * sizeof(float));
        }
    }

    public ModuleRegistry Registry { get; }
    public int Rate { get; }
    public int Quantum { get; }
    public int FadeFrames { get; }
    public float[] Shape { get; }
    public float* Silence { get; }
    public ulong* WorkPending { get; }
    public ModuleEvent* Events { get; }
    public float*[] JackIn { get; }
    public float*[] JackOut { get; }

    public void* Shared(int type)
    {
        if (_shared.TryGetValue(type, out var known)) return (void*)known;
        var entry = Registry.Entries[type];
        var bytes = entry.SharedBytes(entry.Context, Rate);
        var block = bytes > 0 ? Take(bytes) : null;
        if (block != null) entry.BuildShared(entry.Context, block, Rate);
        _shared[type] = (nint)block;
        return block;
    }

    public void Dispose()
    {
        foreach (var block in _blocks) NativeMemory.AlignedFree((void*)block);
        _blocks.Clear();
    }

    private void* Take(long bytes)
    {
        var block = NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear(block, (nuint)bytes);
        _blocks.Add((nint)block);
        return block;
    }
}

/// <summary>A cable as it plays.</summary>
internal sealed class ReferenceCable(ReferenceModule from, int fromPort, ReferenceModule to, int toPort, bool delayed, int channels)
{
    public readonly ReferenceModule From = from, To = to;
    public readonly int FromPort = fromPort, ToPort = toPort, Channels = channels;
    public readonly bool Delayed = delayed;

    /// <summary>What its gain is to be.</summary>
    public float Gain, NextGain;

    public ReferenceGain Ramp;
}

/// <summary>One channel of a device output on its way to a jack.</summary>
internal sealed class ReferenceLine(ReferenceModule module, int port, int channel, int jack)
{
    public readonly ReferenceModule Module = module;
    public readonly int Port = port, Channel = channel, Jack = jack;
    public float Gain;
    public ReferenceGain Ramp;
}

/// <summary>A living module.</summary>
internal sealed unsafe class ReferenceModule : IDisposable
{
    private readonly ReferenceWorld _world;
    private readonly ModuleEntry _entry;
    private readonly PortDescriptor[] _inputs;
    private readonly byte* _memory;
    private readonly void* _self;
    private readonly Ramp[] _ramps;
    private readonly ParameterDescriptor[] _parameters;
    private readonly float* _params;
    private readonly float* _telemetry;
    private readonly float* _mix; // per input, sixteen channels
    private readonly WorkJob* _job;
    private readonly Asset** _assets;
    private readonly Signal* _in;
    private readonly Signal* _out;
    private readonly ProcessContext* _context;
    private ReferenceGain _wet, _dry;
    private ulong _ramping;
    private bool _asleep, _shed;
    private int _failures;
    private ulong _lastFailure, _failureBefore;

    public ReferenceModule(ReferenceWorld world, ulong key, Module patched, ModuleType type, int[] settings, ReadOnlySpan<byte> state, uint version)
    {
        (_world, Key, Patched, Type, Settings) = (world, key, patched, type, settings);
        _entry = world.Registry.Entries[type.Number];
        _inputs = [.. type.Descriptor.Inputs];
        _parameters = [.. type.Descriptor.Parameters];
        Cables = new ReferenceCable[_inputs.Length][];
        Array.Fill(Cables, []);
        var outputs = type.Descriptor.Outputs.Count;
        InChannels = new int[_inputs.Length];
        OutChannels = new int[outputs];
        OutSilent = new bool[outputs];
        LineChannels = new int[outputs];
        Out = new float*[outputs];
        Line = new float*[outputs];
        _ramps = new Ramp[_parameters.Length];
        Planned = new float[_parameters.Length];

        fixed (int* s = settings)
        {
            var setup = new InstanceSetup { SampleRate = world.Rate, Quantum = world.Quantum, Settings = s, Seed = Seed(key), Shared = world.Shared(type.Number) };
            var need = default(Requirements);
            _entry.Require(_entry.Context, &setup, &need);
            var port = Limits.MaxChannels * (long)world.Quantum * sizeof(float);
            var bytes = 0L;
            long Take(long n)
            {
                var at = bytes;
                bytes += (n + 63) & ~63L;
                return at;
            }

            var self = Take(_entry.Size);
            var rows = Take(_parameters.Length * (long)Limits.GridPoints * sizeof(float));
            var telemetry = Take(_entry.TelemetryFloats * (long)sizeof(float));
            var job = Take(sizeof(WorkJob));
            var assets = Take(Limits.MaxAssets * sizeof(Asset*));
            var ins = Take(_inputs.Length * (long)sizeof(Signal));
            var outs = Take(outputs * (long)sizeof(Signal));
            var context = Take(sizeof(ProcessContext));
            var mix = Take(_inputs.Length * port);
            var rendered = Take(outputs * port);
            var before = Take(outputs * port);
            var own = Take(need.Bytes);
            _memory = (byte*)NativeMemory.AlignedAlloc((nuint)bytes, 64);
            NativeMemory.Clear(_memory, (nuint)bytes);
            _self = _memory + self;
            _params = (float*)(_memory + rows);
            _telemetry = (float*)(_memory + telemetry);
            _job = (WorkJob*)(_memory + job);
            _assets = (Asset**)(_memory + assets);
            _in = (Signal*)(_memory + ins);
            _out = (Signal*)(_memory + outs);
            _context = (ProcessContext*)(_memory + context);
            _mix = (float*)(_memory + mix);
            for (var o = 0; o < outputs; o++)
            {
                Out[o] = (float*)(_memory + rendered + (o * port));
                Line[o] = (float*)(_memory + before + (o * port));
            }

            for (var p = 0; p < _parameters.Length; p++)
            {
                Planned[p] = Wanted(p);
                _ramps[p].Value = _ramps[p].Target = Planned[p];
                new Span<float>(_params + (p * Limits.GridPoints), Limits.GridPoints).Fill(Planned[p]);
            }

            var memory = new InstanceMemory(_memory + own, need.Bytes);
            var timing = default(ModuleTiming);
            _entry.Construct(_entry.Context, _self, &setup, &memory, &timing);
            TailFrames = timing.TailFrames;
            fixed (byte* b = state)
            {
                if (!state.IsEmpty) _ = _entry.LoadState(_self, version, b, state.Length);
            }
        }

        // Who comes bypassed is bypassed at once.
        _wet = ReferenceGain.Resting(patched.Bypass ? 0 : 1);
        _dry = ReferenceGain.Resting(patched.Bypass ? 1 : 0);
    }

    public ulong Key { get; }
    public ModuleType Type { get; }
    public int[] Settings { get; }
    public long TailFrames { get; }

    /// <summary>The module as the last patch that had it says.</summary>
    public Module Patched { get; set; }

    /// <summary>It is in no patch any more; it rings out by itself; it is kept because of a tail, its own or one it carries.</summary>
    public bool Leaves { get; set; }
    public bool Tail { get; set; }
    public bool Rings { get; set; }

    /// <summary>Of its tail: until which frame at most, how often it had slept when that was first looked at, whether it is over.</summary>
    public ulong? Until { get; set; }
    public ulong? SleptAtFirst { get; set; }
    public bool TailIsOver { get; set; }

    public ulong Slept { get; private set; }
    public bool Failed { get; private set; }
    public int Failures { get; private set; }
    public ReferenceCable[][] Cables { get; }
    public int[] InChannels { get; }
    public int[] OutChannels { get; }
    public bool[] OutSilent { get; }
    public bool[] OutRead { get; set; } = [];

    /// <summary>Samples of this quantum by output, and of the one before where a delayed cable reads it (channels; 0: nobody does).</summary>
    public float*[] Out { get; }
    public float*[] Line { get; }
    public int[] LineChannels { get; }

    /// <summary>Parameter values of the last plan.</summary>
    public float[] Planned { get; }

    /// <summary>How much is heard of its own output, and of what it passes on when it is bypassed.</summary>
    public ReferenceGain Wet => _wet;

    /// <inheritdoc cref="Wet"/>
    public ReferenceGain Dry => _dry;

    /// <summary>First jack of its device ports.</summary>
    public int FirstJack => Type.Descriptor.Settings.Count > 0 && Type.Descriptor.Settings[0].Id == "first" ? Settings[0] : 0;

    /// <summary>A parameter as the patch has it.</summary>
    public float Wanted(int p) => Patched.Parameters.TryGet(_parameters[p].Id, out var value) ? value : _parameters[p].Default;

    /// <summary>Where a parameter is going.</summary>
    public float Going(int p) => _ramps[p].Target;

    public int Parameters => _parameters.Length;

    public void Move(int p, float value)
    {
        var d = _parameters[p];
        _ramps[p].AdvanceTo(_params + (p * Limits.GridPoints), 0);
        _ramps[p].Aim(Math.Clamp(value, d.Min, d.Max), Ramp.StepsAt(_world.Rate), d.Curve);
        _ramping |= 1UL << p;
    }

    public byte[] SaveState()
    {
        _asleep = false;
        var bytes = new byte[_entry.StateBytes];
        fixed (byte* b = bytes) return bytes[.._entry.SaveState(_self, b, bytes.Length)];
    }

    public bool LoadState(uint version, ReadOnlySpan<byte> state)
    {
        _asleep = false;
        fixed (byte* b = state) return _entry.LoadState(_self, version, b, state.Length);
    }

    public void SetAsset(int slot, Asset* asset)
    {
        _asleep = false;
        _assets[slot] = asset;
        _entry.AssetChanged(_self, slot, asset);
    }

    public void Work()
    {
        if (_job->State != (int)WorkState.Requested) return;
        _entry.Work(_self, _job);
        _job->State = (int)WorkState.Replied;
    }

    /// <summary>One quantum.</summary>
    public void Run(ulong time)
    {
        var frames = _world.Quantum;
        var allSilent = true;
        var device = 0;
        for (var i = 0; i < _inputs.Length; i++)
        {
            if (_inputs[i].Kind == PortKind.Device) Jack(i, FirstJack + device++);
            else Sum(i);
            allSilent &= _in[i].Silent;
        }

        var moving = MoveParameters();
        var bypassed = Patched.Bypass;
        if (_wet.To != (bypassed || _shed ? 0f : 1f)) _wet.Aim(bypassed || _shed ? 0f : 1f, _world.Shape, _world.FadeFrames);
        if (_dry.To != (bypassed ? 1f : 0f)) _dry.Aim(bypassed ? 1f : 0f, _world.Shape, _world.FadeFrames);
        if (_wet.Rests(_world.FadeFrames) && _wet.To == 0f)
        {
            if (bypassed)
            {
                _shed = _asleep = false;
                _failures = 0;
            }

            BeSilent();
            Through();
            Advance();
            return;
        }

        if (_asleep && allSilent && moving == 0 && _job->State == (int)WorkState.Idle)
        {
            Slept++;
            BeSilent();
            Advance();
            return;
        }

        _asleep = false;
        var result = Process(time, moving, frames);
        var sounds = false;
        for (var o = 0; o < Out.Length; o++)
        {
            var peak = 0f;
            for (var c = 0; c < OutChannels[o] * frames; c++)
            {
                var v = Math.Abs(Out[o][c]);
                if (!(v <= Limits.MaxVolts))
                {
                    Fail();
                    return;
                }

                peak = Math.Max(peak, v);
            }

            OutSilent[o] = peak == 0f;
            sounds |= peak != 0f;
        }

        Own();
        Through();
        Advance();
        if (result == ProcessResult.Error) Fail();
        else if (result == ProcessResult.Sleep && !sounds) _asleep = true;
    }

    /// <summary>After the quantum: what failed is reset, and the third time within a second it is switched off.</summary>
    public void Recover(ulong time)
    {
        Failed = false;
        _entry.Reset(_self);
        Failures++;
        _failures++;
        if (_failures >= 3 && time - _failureBefore < (ulong)_world.Rate)
        {
            _shed = true;
            _wet = ReferenceGain.Resting(0);
        }

        _failureBefore = _lastFailure;
        _lastFailure = time;
    }

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    // SplitMix64's finaliser: the seed of an instance follows from its key.
    private static ulong Seed(ulong key)
    {
        var z = unchecked(key + 0x9E37_79B9_7F4A_7C15);
        z = unchecked((z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9);
        z = unchecked((z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB);
        return z ^ (z >> 31);
    }

    private void Jack(int input, int jack)
    {
        var there = jack >= 0 && jack < _world.JackIn.Length;
        _in[input] = new Signal
        {
            Data = there ? _world.JackIn[jack] : _world.Silence,
            Channels = 1,
            Stride = _world.Quantum,
            Flags = there ? SignalFlags.Connected : SignalFlags.Silent,
        };
    }

    private void Sum(int input)
    {
        var frames = _world.Quantum;
        var cables = Cables[input];
        if (cables.Length == 0)
        {
            _in[input] = new Signal { Data = _world.Silence, Channels = 1, Stride = frames, Flags = SignalFlags.Silent };
            return;
        }

        var channels = InChannels[input];
        var sum = _mix + ((nint)input * Limits.MaxChannels * frames);
        new Span<float>(sum, channels * frames).Clear();
        var sounds = false;
        foreach (var cable in cables)
        {
            var rests = cable.Ramp.Rests(_world.FadeFrames);
            var silent = (!cable.Delayed && cable.From.OutSilent[cable.FromPort]) || (rests && cable.Ramp.To == 0f);
            if (!silent)
            {
                sounds = true;
                var source = cable.Delayed ? cable.From.Line[cable.FromPort] : cable.From.Out[cable.FromPort];
                for (var c = 0; c < channels; c++)
                {
                    if (c >= cable.Channels && cable.Channels > 1) break;
                    Add(sum + (c * frames), source + ((cable.Channels == 1 ? 0 : c) * frames), in cable.Ramp, rests);
                }
            }

            if (!rests) cable.Ramp.Age += frames;
        }

        _in[input] = new Signal
        {
            Data = sum, Channels = channels, Stride = frames, Flags = sounds ? SignalFlags.Connected : SignalFlags.Connected | SignalFlags.Silent,
        };
    }

    private void Add(float* to, float* from, in ReferenceGain gain, bool rests)
    {
        var frames = _world.Quantum;
        if (rests)
        {
            for (var i = 0; i < frames; i++) to[i] += from[i] * gain.To;
            return;
        }

        var span = gain.To - gain.From;
        for (var i = 0; i < frames; i++) to[i] += from[i] * (gain.From + (span * _world.Shape[gain.Age + i]));
    }

    private ulong MoveParameters()
    {
        var moving = 0UL;
        for (var p = 0; p < _parameters.Length && _ramping != 0; p++)
        {
            if ((_ramping >> p & 1) == 0) continue;
            ref var ramp = ref _ramps[p];
            var moves = ramp.At > 0 || ramp.Left > 0;
            ramp.AdvanceTo(_params + (p * Limits.GridPoints), _world.Quantum / Limits.Grid);
            ramp.At = 0;
            if (moves) moving |= 1UL << p;
            else _ramping &= ~(1UL << p);
        }

        return moving;
    }

    private ProcessResult Process(ulong time, ulong moving, int frames)
    {
        for (var o = 0; o < Out.Length; o++)
            _out[o] = new Signal { Data = Out[o], Channels = OutChannels[o], Stride = frames, Flags = OutRead[o] ? SignalFlags.Connected : SignalFlags.None };
        *_context = new ProcessContext
        {
            Inputs = _in,
            Outputs = _out,
            Params = _params,
            Events = _world.Events,
            Telemetry = _telemetry,
            Assets = _assets,
            Job = _job,
            Silence = _world.Silence,
            WorkPending = _world.WorkPending,
            Time = time,
            Key = (uint)Key,
            Frames = frames,
            SampleRate = _world.Rate,
            Moving = moving,
        };
        var result = _entry.Process(_self, _context);
        for (var o = 0; o < Out.Length; o++)
        {
            if (!OutRead[o] && (_out[o].Flags & SignalFlags.Unwritten) != 0) new Span<float>(Out[o], OutChannels[o] * frames).Clear();
        }

        return result;
    }

    // Its own output by the one gain of a bypass.
    private void Own()
    {
        if (_wet.Rests(_world.FadeFrames)) return;
        var span = _wet.To - _wet.From;
        for (var o = 0; o < Out.Length; o++)
        {
            for (var c = 0; c < OutChannels[o]; c++)
            {
                for (var i = 0; i < _world.Quantum; i++) Out[o][(c * _world.Quantum) + i] *= _wet.From + (span * _world.Shape[_wet.Age + i]);
            }
        }
    }

    // What input i passes to output i by the other.
    private void Through()
    {
        var rests = _dry.Rests(_world.FadeFrames);
        if (rests && _dry.To == 0f) return;
        for (var o = 0; o < Out.Length && o < _inputs.Length; o++)
        {
            if (_inputs[o].Kind != PortKind.Cable || Type.Descriptor.Outputs[o].Kind != PortKind.Cable || _in[o].Silent) continue;
            for (var c = 0; c < OutChannels[o]; c++) Add(Out[o] + (c * _world.Quantum), _in[o].Voice(c, _world.Silence), in _dry, rests);
            OutSilent[o] = false;
        }
    }

    private void Advance()
    {
        if (!_wet.Rests(_world.FadeFrames)) _wet.Age += _world.Quantum;
        if (!_dry.Rests(_world.FadeFrames)) _dry.Age += _world.Quantum;
    }

    private void BeSilent()
    {
        for (var o = 0; o < Out.Length; o++)
        {
            new Span<float>(Out[o], OutChannels[o] * _world.Quantum).Clear();
            OutSilent[o] = true;
        }
    }

    private void Fail()
    {
        BeSilent();
        Failed = true;
        _asleep = false;
    }
}
