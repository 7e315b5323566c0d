// The oracle: reads a plan description as it is written and does what it says, node after node, sample by sample, with no buffer shared.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

/// <summary>Shares with the engine only the modules themselves and 2^x. No sleep, no skipping: a module that may be skipped must not make a difference.</summary>
internal sealed unsafe class Reference : IDisposable
{
    private readonly List<nint> _owned = [];
    private readonly byte[] _blob;
    private readonly GCHandle _pin;
    private readonly PlanHeader* _h;
    private readonly ModuleRegistry _registry = TestRegistry.Make();
    private readonly int _q;
    private readonly float _rate;
    private readonly Module[] _modules;
    private readonly Signal* _outputs;
    private readonly Dictionary<int, nint> _lines = []; // feedback target slot -> 16 channels
    private readonly float* _silence;
    private readonly ulong* _pending;

    private sealed class Module
    {
        public ModuleEntry Entry;
        public ModuleDescriptor Descriptor = null!;
        public byte* Self;
        public ProcessContext Context;
        public Queue<(int Point, int Parameter, float Value)> Moves = [];
        public (float Value, float Target, float Step, int Left)[] Ramps = [];
        public float[] Volts = [];
        public ulong Key;
        public int Slot;
        public bool Shed;
        public List<ulong> Failures = [];
    }

    public Reference(byte[] blob, float rate = 48_000)
    {
        _blob = (byte[])blob.Clone();
        _pin = GCHandle.Alloc(_blob, GCHandleType.Pinned);
        _h = (PlanHeader*)_pin.AddrOfPinnedObject();
        _q = _h->Quantum;
        _rate = rate;
        _silence = (float*)Zeroed(Limits.MaxChannels * Limits.MaxQuantum * 4);
        _pending = (ulong*)Zeroed(Limits.MaxInstances / 8);
        _outputs = (Signal*)Zeroed(Math.Max(1, _h->OutputCount) * sizeof(Signal));
        for (var o = 0; o < _h->OutputCount; o++)
            _outputs[o] = new Signal { Data = (float*)Zeroed(16 * _q * 4), Channels = Table<PlanOutput>(_h->OutputsOffset)[o].Channels, Stride = _q };
        for (var f = 0; f < _h->FeedbackCount; f++) _lines[Table<PlanFeedback>(_h->FeedbackOffset)[f].Target] = (nint)Zeroed(16 * _q * 4);
        _modules = new Module[_h->NodeCount];
        for (var n = 0; n < _h->NodeCount; n++) _modules[n] = Make(Table<PlanNode>(_h->NodesOffset) + n);
    }

    private T* Table<T>(int offset) where T : unmanaged => (T*)((byte*)_h + offset);

    private void* Zeroed(long bytes)
    {
        var p = NativeMemory.AlignedAlloc((nuint)Math.Max(64, bytes), 64);
        NativeMemory.Clear(p, (nuint)Math.Max(64, bytes));
        _owned.Add((nint)p);
        return p;
    }

    private Module Make(PlanNode* node)
    {
        var m = new Module { Entry = _registry.Entries[node->Module], Descriptor = _registry.Descriptors[node->Module], Key = node->Key, Slot = node->Slot };
        m.Self = (byte*)Zeroed(m.Entry.Size);
        var shared = Zeroed(m.Entry.SharedBytes(m.Entry.Context, _rate));
        if (m.Entry.SharedBytes(m.Entry.Context, _rate) > 0) m.Entry.BuildShared(m.Entry.Context, shared, _rate);
        var seed = node->Key + 0x9E37_79B9_7F4A_7C15;
        seed = (seed ^ (seed >> 30)) * 0xBF58_476D_1CE4_E5B9;
        seed = (seed ^ (seed >> 27)) * 0x94D0_49BB_1331_11EB;
        seed ^= seed >> 31;
        var setup = new InstanceSetup { SampleRate = _rate, Quantum = _q, Settings = Table<int>(_h->SettingsOffset) + node->FirstSetting, Seed = seed, Shared = shared };
        Requirements need = default;
        m.Entry.Require(m.Entry.Context, &setup, &need);
        var memory = new InstanceMemory((byte*)Zeroed(need.Bytes), need.Bytes);
        ModuleTiming timing = default;
        m.Entry.Construct(m.Entry.Context, m.Self, &setup, &memory, &timing);
        m.Ramps = new (float, float, float, int)[m.Entry.Parameters];
        m.Volts = new float[m.Entry.Parameters];
        for (var p = 0; p < m.Entry.Parameters; p++) m.Ramps[p].Value = Table<float>(_h->ParametersOffset)[node->FirstParameter + p];
        m.Context = new ProcessContext
        {
            Inputs = (Signal*)Zeroed(Math.Max(1, m.Entry.Inputs) * sizeof(Signal)),
            Outputs = _outputs + node->FirstOutput,
            Params = (float*)Zeroed(64 * Limits.GridPoints * 4),
            Telemetry = (float*)Zeroed(m.Entry.TelemetryFloats * 4),
            Assets = (Asset**)Zeroed(64),
            Job = (WorkJob*)Zeroed(sizeof(WorkJob)),
            Silence = _silence,
            WorkPending = _pending,
            Key = (uint)node->Key,
            Frames = _q,
            SampleRate = _rate,
            Slot = node->Slot,
        };
        for (var i = 0; i < m.Entry.Inputs; i++) m.Context.Inputs[i].Data = (float*)Zeroed(16 * _q * 4);
        return m;
    }

    /// <summary>Renders the quantum at <paramref name="frame"/>. Events are those due in it, with absolute frames, in order.</summary>
    public float[][] Render(float[][] jacksIn, int jacksOut, ulong frame, params ModuleEvent[] events)
    {
        var heard = new List<ModuleEvent>();
        foreach (var e in events)
        {
            var copy = e;
            copy.Frame = Math.Max(e.Frame, frame) - frame;
            if (e.Kind != EventKind.Parameter) heard.Add(copy);
            foreach (var m in _modules)
            {
                if (e.Kind == EventKind.Parameter && e.Slot == m.Slot) m.Moves.Enqueue(((int)copy.Frame / Limits.Grid, e.Index, e.Value));
            }
        }

        fixed (ModuleEvent* list = heard.ToArray().Append(default).ToArray())
        {
            for (var n = 0; n < _modules.Length; n++) Node(n, jacksIn, frame, list, heard.Count);
        }

        for (var f = 0; f < _h->FeedbackCount; f++)
        {
            var feedback = Table<PlanFeedback>(_h->FeedbackOffset) + f;
            var source = _outputs + feedback->SourceOutput;
            for (var i = 0; i < feedback->Channels * _q; i++) ((float*)_lines[feedback->Target])[i] = source->Data[i];
        }

        var sums = Enumerable.Range(0, jacksOut).Select(_ => new float[_q]).ToArray();
        for (var j = 0; j < _h->JackCount; j++)
        {
            var jack = Table<PlanJack>(_h->JacksOffset) + j;
            if (jack->Jack >= jacksOut) continue;
            var from = LastWriter(jack->Slot);
            for (var i = 0; i < _q; i++) sums[jack->Jack][i] += from[i] * jack->Gain;
        }

        return sums;
    }

    // The channel of the last output in topological order that lies on this slot.
    private float* LastWriter(int slot)
    {
        float* found = null;
        for (var n = 0; n < _h->NodeCount; n++)
        {
            var first = Table<PlanNode>(_h->NodesOffset)[n].FirstOutput;
            for (var o = first; o < first + _modules[n].Entry.Outputs; o++)
            {
                var output = Table<PlanOutput>(_h->OutputsOffset)[o];
                if (slot >= output.Slot && slot < output.Slot + output.Channels) found = _outputs[o].Data + ((slot - output.Slot) * _q);
            }
        }

        return found;
    }

    private void Node(int n, float[][] jacksIn, ulong frame, ModuleEvent* events, int eventCount)
    {
        var node = Table<PlanNode>(_h->NodesOffset) + n;
        var m = _modules[n];
        for (var p = 0; p < m.Entry.Inputs; p++) Input(Table<PlanInput>(_h->InputsOffset) + node->FirstInput + p, m.Context.Inputs + p, jacksIn);
        Parameters(m);
        Voltages(node, m);
        m.Context.Time = frame;
        m.Context.Events = events;
        m.Context.EventCount = m.Entry.AcceptsEvents ? eventCount : 0;

        var ok = !m.Shed;
        if ((node->Flags & NodeFlags.Bypassed) != 0)
        {
            m.Shed = false;
            Bypass(m);
            return;
        }

        if (ok)
        {
            ProcessResult result;
            fixed (ProcessContext* context = &m.Context) result = m.Entry.Process(m.Self, context);
            for (var o = 0; o < m.Entry.Outputs; o++)
            {
                for (var i = 0; i < m.Context.Outputs[o].Channels * _q; i++) ok &= MathF.Abs(m.Context.Outputs[o].Data[i]) <= Limits.MaxVolts;
            }

            ok &= result != ProcessResult.Error;
            if (!ok)
            {
                m.Entry.Reset(m.Self);
                m.Failures.Add(frame);
                m.Shed = m.Failures.Count >= 3 && frame - m.Failures[^3] < _rate;
            }
        }

        if (ok) return;
        for (var o = 0; o < m.Entry.Outputs; o++) new Span<float>(m.Context.Outputs[o].Data, m.Context.Outputs[o].Channels * _q).Clear();
    }

    private void Bypass(Module m)
    {
        for (var o = 0; o < m.Entry.Outputs; o++)
        {
            var through = o < m.Entry.Inputs && m.Descriptor.Inputs[o].Kind == PortKind.Cable && m.Descriptor.Outputs[o].Kind == PortKind.Cable;
            for (var c = 0; c < m.Context.Outputs[o].Channels; c++)
            {
                for (var i = 0; i < _q; i++) m.Context.Out(o, c)[i] = through ? m.Context.In(o, c)[i] : 0;
            }
        }
    }

    private void Input(PlanInput* port, Signal* input, float[][] jacksIn)
    {
        input->Stride = _q;
        input->Channels = port->CableCount == 0 ? 1 : port->Channels;
        input->Flags = port->CableCount == 0 ? SignalFlags.Silent : SignalFlags.Connected;
        var written = new bool[16];
        var all = true;
        for (var i = 0; i < 16 * _q; i++) input->Data[i] = 0;
        for (var k = 0; k < port->CableCount; k++)
        {
            var cable = Table<PlanCable>(_h->CablesOffset) + port->FirstCable + k;
            var known = cable->SourceOutput >= 0;
            var silent = known;
            float Sample(int c, int i)
            {
                if (cable->Source < 0) return -1 - cable->Source < jacksIn.Length ? jacksIn[-1 - cable->Source][i] : 0;
                if (!known) return ((float*)_lines[cable->Source])[(c * _q) + i];
                return _outputs[cable->SourceOutput].Data[(c * _q) + i];
            }

            var width = known ? _outputs[cable->SourceOutput].Channels : cable->Channels; // silent is what the whole output is
            for (var i = 0; silent && i < width * _q; i++) silent = Sample(i / _q, i % _q) == 0;
            all &= silent;
            if (port->MixSlot >= 0 && silent) continue; // left out of a sum
            for (var c = 0; c < port->Channels; c++)
            {
                if (cable->Channels != 1 && c >= cable->Channels) continue;
                for (var i = 0; i < _q; i++)
                {
                    var v = Sample(cable->Channels == 1 ? 0 : c, i) * cable->Gain;
                    input->Data[(c * _q) + i] = written[c] ? input->Data[(c * _q) + i] + v : v;
                }

                written[c] = true;
            }
        }

        if (all && port->CableCount > 0) input->Flags |= SignalFlags.Silent;
    }

    // A grid point hears the sample before it: 10 V, times the gain, are the whole travel.
    private void Voltages(PlanNode* node, Module m)
    {
        for (var k = node->FirstModulation; k < node->FirstModulation + node->ModulationCount; k++)
        {
            var modulation = Table<PlanModulation>(_h->ModulationsOffset)[k];
            var p = modulation.Parameter;
            var d = m.Descriptor.Parameters[p];
            var row = m.Context.Params + (p * Limits.GridPoints);
            for (var g = 0; g <= _q / 16; g++)
            {
                if (g > 0)
                {
                    m.Volts[p] = 0;
                    for (var c = modulation.FirstCable; c < modulation.FirstCable + modulation.CableCount; c++)
                    {
                        var cable = Table<PlanCable>(_h->CablesOffset)[c];
                        var source = cable.SourceOutput >= 0 ? _outputs[cable.SourceOutput].Data : (float*)_lines[cable.Source];
                        m.Volts[p] += source[(g * 16) - 1] * cable.Gain;
                    }
                }

                var travel = Math.Clamp(m.Volts[p] * 0.1f, -1, 1);
                var value = d.Curve == ParameterCurve.Exponential ? row[g] * Modulation.Exp2(travel * MathF.Log2(d.Max / d.Min)) : row[g] + (travel * (d.Max - d.Min));
                if (d.Curve == ParameterCurve.Stepped) value = MathF.Round(value, MidpointRounding.AwayFromZero);
                row[g] = Math.Clamp(value, d.Min, d.Max);
            }
        }
    }

    private void Parameters(Module m)
    {
        var steps = Math.Max(1, (int)MathF.Round(_rate * 0.010f / 16));
        m.Context.Moving = 0;
        for (var g = 0; g <= _q / 16; g++)
        {
            for (var p = 0; p < m.Ramps.Length; p++)
            {
                ref var r = ref m.Ramps[p];
                if (g > 0 && r.Left > 0)
                {
                    r.Left--;
                    r.Value = r.Left == 0 ? r.Target : m.Descriptor.Parameters[p].Curve == ParameterCurve.Exponential ? r.Value * r.Step : r.Value + r.Step;
                    m.Context.Moving |= 1UL << p;
                }

                m.Context.Params[(p * Limits.GridPoints) + g] = r.Value;
            }

            if (g == _q / 16) return;
            while (m.Moves.Count > 0 && m.Moves.Peek().Point == g)
            {
                var (_, p, value) = m.Moves.Dequeue();
                ref var r = ref m.Ramps[p];
                var curve = m.Descriptor.Parameters[p].Curve;
                r.Target = Math.Clamp(value, m.Descriptor.Parameters[p].Min, m.Descriptor.Parameters[p].Max);
                r.Left = curve == ParameterCurve.Stepped ? 1 : steps;
                r.Step = curve == ParameterCurve.Exponential ? MathF.Pow(r.Target / r.Value, 1f / r.Left) : (r.Target - r.Value) / r.Left;
            }
        }
    }

    public void Dispose()
    {
        foreach (var p in _owned) NativeMemory.AlignedFree((void*)p);
        _pin.Free();
    }
}
