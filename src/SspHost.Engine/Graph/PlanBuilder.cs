// From a checked description to a plan that runs: all memory first, then modules, and only then anything another thread can see.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Graph;

/// <summary>[steward] No managed allocation. A refused plan leaves nothing behind.</summary>
internal sealed unsafe class PlanBuilder(Pool* pool, ModuleType* types, InstanceTable instances, RenderState* state)
{
    private const int LineHeader = 64; // a FeedbackLine, padded so that its samples are aligned

    private PlanTables _t;
    private Plan* _plan;
    private Plan* _base;
    private int _quantum;
    private float _rate;

    /// <summary>Offsets of the tables in a plan's block.</summary>
    [StructLayout(LayoutKind.Auto)]
    private struct Layout
    {
        public long Nodes, Outputs, Inputs, Directs, Mixes, Cables, Modulations, Successors, ByRank, Ready, InitialReady, Homes, Lines, Feedback, Jacks, Changes, BySlot;
        public long Aims, Ramps, Gains, Owners;
        public long Costs, Tails, Needs, LeastNeeds;
        public long Buffers, Total;
    }

    /// <summary>
    /// Builds a plan that goes on from <paramref name="before"/>, the plan that plays (or null). The plan holds its instances and lines;
    /// <see cref="Free"/> lets them go. Null when refused.
    /// </summary>
    public Plan* Build(PlanHeader* blob, long bytes, int typeCount, Plan* before, float rate, int quantum, out BuildError error)
    {
        _plan = null;
        _base = before;
        _rate = rate;
        _quantum = quantum;
        for (var f = 0; before != null && f < before->FeedbackCount; f++)
        {
            // As the playing plan has it: a plan that was built but withdrawn before it played may have said otherwise.
            var feedback = before->Feedback[f];
            ((FeedbackLine*)((byte*)feedback.Target - LineHeader))->Channels = feedback.Floats / quantum;
        }

        if (!PlanCheck.Run(blob, bytes, types, typeCount, quantum, pool, out _t, out error) || !SlotsAreOurs(ref error)) return null;
        if (Reserve(ref error) && ConstructAll(ref error))
        {
            instances.SettleShared(keep: true);
            Wire();
            return Enter();
        }

        Withdraw();
        instances.SettleShared(keep: false);
        return null;
    }

    private bool SlotsAreOurs(ref BuildError error)
    {
        for (var n = 0; n < _t.Header->NodeCount; n++)
        {
            var node = _t.Nodes + n;
            var held = instances[node->Slot];
            if (held == null) continue;
            var part = held->Key != node->Key ? BadPart.Slot : held->Type != types + node->Module ? BadPart.Module : BadPart.None;
            if (part == BadPart.None) continue;
            error = BuildError.Bad(part, n, node->Slot);
            return false;
        }

        return true;
    }

    // Ramps of cables first, then of jack lines: one row over both.
    private int GainCount => _t.Header->CableCount + _t.Header->JackCount;

    private (ulong Id, float From, float Gain) GainOf(int index)
    {
        if (index < _t.Header->CableCount)
        {
            var cable = _t.Cables + index;
            return (cable->Id, cable->From, cable->Gain);
        }

        var jack = _t.Jacks + (index - _t.Header->CableCount);
        return (jack->Id, jack->From, jack->Gain);
    }

    // The same cable in the plan that plays, or null.
    private GainEntry* GainBefore(ulong id)
    {
        if (_base == null || id == 0) return null;
        var entry = GainTable.Find(_base->Gains, _base->GainPlaces, id);
        return entry->Id == id ? entry : null;
    }

    // Whether a gain has a way to go when the plan is taken; and whether a ramp of the playing plan may still be on its way.
    private bool IsAimed(int index, out CableRamp* living, out float from)
    {
        var (id, start, gain) = GainOf(index);
        var before = GainBefore(id);
        living = before == null ? null : before->Ramp;
        from = before == null ? start : before->Gain;

        // One that has arrived is a constant again. It does not set off before this plan is taken.
        if (living != null && living->Gain.Rests(state->FadeFrames)) living = null;
        return id != 0 && from != gain;
    }

    private int CountAims()
    {
        var count = 0;
        for (var i = 0; i < GainCount; i++) count += IsAimed(i, out _, out _) ? 1 : 0;
        return count;
    }

    private Layout Measure(int changes, int aims)
    {
        var h = _t.Header;
        var l = default(Layout);
        var at = (sizeof(Plan) + 127L) & ~127L;
        long Take(long bytes)
        {
            var here = at;
            at += (bytes + 63) & ~63L;
            return here;
        }

        l.Nodes = Take(h->NodeCount * (long)sizeof(Node));
        l.Outputs = Take(h->OutputCount * (long)sizeof(Signal));
        l.Inputs = Take(h->InputCount * (long)sizeof(Signal));
        l.Directs = Take(h->InputCount * (long)sizeof(DirectOp));
        l.Mixes = Take(h->InputCount * (long)sizeof(MixOp));
        l.Cables = Take(h->CableCount * (long)sizeof(CableOp));
        l.Modulations = Take(h->ModulationCount * (long)sizeof(ModulationOp));
        l.Successors = Take(h->SuccessorCount * (long)sizeof(int));
        l.ByRank = Take(h->NodeCount * (long)sizeof(int));
        at = (at + 127) & ~127L; // written by every thread all the time: a pair of lines to itself
        l.Ready = Take((h->NodeCount + 63) / 64 * 8L);
        at = (at + 127) & ~127L;
        l.InitialReady = Take((h->NodeCount + 63) / 64 * 8L);
        at = (at + 127) & ~127L;
        l.Homes = Take(HomeWords(h) * (long)(Limits.MaxThreads * sizeof(ulong)));
        l.Lines = Take(h->OutputCount * (long)sizeof(FeedbackLine*));
        l.Feedback = Take(h->FeedbackCount * (long)sizeof(FeedbackOp));
        l.Jacks = Take(h->JackCount * (long)sizeof(JackOp));
        l.Changes = Take(changes * (long)sizeof(ParameterChange));
        l.Aims = Take(aims * (long)sizeof(GainAim));
        l.Ramps = Take(GainCount * (long)sizeof(CableRamp*));
        l.Gains = Take(GainTable.Places(GainCount) * (long)sizeof(GainEntry));
        l.Owners = Take(h->OutputCount * (long)sizeof(ushort));
        l.BySlot = Take(Limits.MaxInstances * (long)sizeof(ushort));
        l.Buffers = Take(Takeover.Areas * h->BufferSlots * (long)_quantum * sizeof(float));
        l.Costs = Take(h->NodeCount * (long)(Limits.MaxCoreClasses * sizeof(float)));
        l.Tails = Take(h->NodeCount * (long)sizeof(float));
        l.Needs = Take(h->NodeCount * (long)((Limits.MaxCoreClasses - 1) * sizeof(int)));
        l.LeastNeeds = Take((h->NodeCount + 63) / 64 * (long)((Limits.MaxCoreClasses - 1) * sizeof(int)));
        l.Total = at;
        return l;
    }

    // Two sets of bits, in whole pairs of lines.
    private static int HomeWords(PlanHeader* h) => (((h->NodeCount + 63) / 64 * 2) + 15) & ~15;

    private int CountChanges()
    {
        var count = 0;
        for (var n = 0; n < _t.Header->NodeCount; n++)
        {
            var node = _t.Nodes + n;
            var held = instances[node->Slot];
            if (held == null) continue;
            for (var p = 0; p < held->Type->Entry.Parameters; p++)
            {
                if (held->Planned[p] != _t.Parameters[node->FirstParameter + p]) count++;
            }
        }

        return count;
    }

    /// <summary>All memory, or none: after a refusal the demand is still added up, so that the figure is the whole one.</summary>
    private bool Reserve(ref BuildError error)
    {
        var h = _t.Header;
        var changes = CountChanges();
        var aims = CountAims();
        var layout = Measure(changes, aims);
        var total = layout.Total;
        _plan = (Plan*)pool->Allocate(0, layout.Total, 0);
        var fits = _plan != null;
        if (fits) Lay(layout, changes, aims);

        for (var n = 0; n < h->NodeCount; n++)
        {
            var node = _t.Nodes + n;
            var held = instances[node->Slot];
            if (held != null)
            {
                if (_plan != null) _plan->Nodes[n].Instance = held;
                continue;
            }

            var shared = instances.SharedBytesFor(node->Module, _rate);
            var bytes = instances.BytesFor(node, _t.Settings + node->FirstSetting, _rate, _quantum);
            if (bytes < 0)
            {
                error = BuildError.Bad(BadPart.Memory, n);
                error.Status = ReplyStatus.ModuleFailed;
                return false;
            }

            total += shared + bytes;
            if (shared > 0) fits = instances.ReserveShared(node->Module, shared, countOnly: !fits);
            if (!fits) continue;
            var block = (Instance*)pool->Allocate(0, bytes, (uint)node->Slot + 1);
            fits = block != null;
            if (!fits) continue;
            block->Self = null;
            _plan->Nodes[n].Instance = block;
        }

        for (var f = 0; f < h->FeedbackCount; f++)
        {
            var lineBytes = LineBytes;
            var source = _t.Feedback[f].SourceOutput;
            if (_plan != null)
            {
                if (_plan->Lines[source] != null) continue; // a second delayed cable from the same output shares the line
                var old = LineBefore(source);
                if (old != null)
                {
                    _plan->Lines[source] = old;
                    continue;
                }
            }

            total += lineBytes;
            if (!fits) continue;
            var line = (FeedbackLine*)pool->Allocate(0, lineBytes, 0);
            fits = line != null;
            if (!fits) continue;
            NativeMemory.Clear(line, (nuint)lineBytes);
            line->Data = (float*)((byte*)line + LineHeader);
            _plan->Lines[source] = line;
        }

        for (var i = 0; i < GainCount; i++)
        {
            var aimed = IsAimed(i, out var living, out var from);
            if (living == null && !aimed) continue;
            if (living == null) total += sizeof(CableRamp);
            if (!fits) continue;
            if (living == null)
            {
                living = (CableRamp*)pool->Allocate(0, sizeof(CableRamp), 0);
                fits = living != null;
                if (!fits) continue;
                *living = new CableRamp { Gain = GainRamp.Resting(from) };
            }

            _plan->Ramps[i] = living;
        }

        error.Bytes = total;
        if (!fits) error.Status = ReplyStatus.OutOfMemory;
        return fits;
    }

    private long LineBytes => LineHeader + (Limits.MaxChannels * (long)_quantum * sizeof(float));

    // The line of the same (source node, output port) in the plan that plays.
    private FeedbackLine* LineBefore(int output)
    {
        if (_base == null) return null;
        var n = 0;
        while (output < _t.Nodes[n].FirstOutput || output >= _t.Nodes[n].FirstOutput + types[_t.Nodes[n].Module].Entry.Outputs) n++;
        var instance = instances[_t.Nodes[n].Slot];
        var index = instance == null ? 0 : _base->NodeBySlot[_t.Nodes[n].Slot];
        if (index == 0) return null;
        var first = (int)(_base->Nodes[index - 1].Context.Outputs - _base->Outputs);
        return _base->Lines[first + output - _t.Nodes[n].FirstOutput];
    }

    private void Lay(in Layout l, int changes, int aims)
    {
        var h = _t.Header;
        var start = (byte*)_plan;
        NativeMemory.Clear(start, (nuint)l.Total);
        *_plan = new Plan
        {
            Serial = h->Serial,
            NodeCount = h->NodeCount,
            Width = h->Width,
            Nodes = (Node*)(start + l.Nodes),
            ByRank = (int*)(start + l.ByRank),
            Ready = (ulong*)(start + l.Ready),
            InitialReady = (ulong*)(start + l.InitialReady),
            ReadyWords = (h->NodeCount + 63) / 64,
            Homes = (ulong*)(start + l.Homes),
            HomeWords = HomeWords(h),
            Costs = (float*)(start + l.Costs),
            Tails = (float*)(start + l.Tails),
            Needs = (int*)(start + l.Needs),
            LeastNeeds = (int*)(start + l.LeastNeeds),
            Outputs = (Signal*)(start + l.Outputs),
            OutputCount = h->OutputCount,
            Owners = (ushort*)(start + l.Owners),
            Inputs = (Signal*)(start + l.Inputs),
            Directs = (DirectOp*)(start + l.Directs),
            Mixes = (MixOp*)(start + l.Mixes),
            Cables = (CableOp*)(start + l.Cables),
            Modulations = (ModulationOp*)(start + l.Modulations),
            Successors = (int*)(start + l.Successors),
            Lines = (FeedbackLine**)(start + l.Lines),
            Feedback = (FeedbackOp*)(start + l.Feedback),
            FeedbackCount = h->FeedbackCount,
            Jacks = (JackOp*)(start + l.Jacks),
            JackCount = h->JackCount,
            Changes = (ParameterChange*)(start + l.Changes),
            ChangeCount = changes,
            Aims = (GainAim*)(start + l.Aims),
            AimCount = aims,
            Union = (h->Flags & PlanFlags.Union) != 0 ? 1 : 0,
            Ramps = (CableRamp**)(start + l.Ramps),
            RampCount = GainCount,
            Gains = (GainEntry*)(start + l.Gains),
            GainPlaces = GainTable.Places(GainCount),
            NodeBySlot = (ushort*)(start + l.BySlot),
            Buffers = (float*)(start + l.Buffers),
            BufferFloats = h->BufferSlots * (long)_quantum,
            MovingTo = -1,
            Bytes = l.Total,
        };
    }

    private bool ConstructAll(ref BuildError error)
    {
        instances.BuildShared(_rate);
        for (var n = 0; n < _t.Header->NodeCount; n++)
        {
            var node = _t.Nodes + n;
            if (instances[node->Slot] != null) continue;
            var made = instances.Construct(
                _plan->Nodes[n].Instance, node, _t.Settings + node->FirstSetting, _t.Parameters + node->FirstParameter,
                _t.State + node->StateOffset, _rate, _quantum, out var stateRefused);
            if (made == null)
            {
                var bytes = error.Bytes;
                error = BuildError.Bad(BadPart.Memory, n);
                error.Status = ReplyStatus.ModuleFailed;
                error.Bytes = bytes;
                for (var m = 0; m < n; m++)
                {
                    if (instances[_t.Nodes[m].Slot] == null) instances.Destroy(_plan->Nodes[m].Instance);
                }

                return false;
            }

            if (!stateRefused) continue;
            if (error.StatesRefused++ == 0) error.FirstStateRefused = n;
        }

        return true;
    }

    // Gives back what was reserved: whatever is not in the table, and lines nobody holds.
    private void Withdraw()
    {
        if (_plan == null) return;
        for (var n = 0; n < _plan->NodeCount; n++)
        {
            var made = _plan->Nodes[n].Instance;
            if (made != null && instances[_t.Nodes[n].Slot] == null) pool->Free(0, made);
        }

        for (var o = 0; o < _plan->OutputCount; o++)
        {
            if (_plan->Lines[o] != null && _plan->Lines[o]->Refs == 0) pool->Free(0, _plan->Lines[o]);
        }

        for (var i = 0; i < _plan->RampCount; i++)
        {
            if (_plan->Ramps[i] != null && _plan->Ramps[i]->Refs == 0) pool->Free(0, _plan->Ramps[i]);
        }

        pool->Free(0, _plan);
    }

    private float* Slot(int slot) => _plan->Buffers + ((nint)slot * _quantum);

    private void Wire()
    {
        var h = _t.Header;
        for (var o = 0; o < h->OutputCount; o++)
        {
            var from = _t.Outputs + o;
            _plan->Outputs[o] = new Signal
            {
                Data = Slot(from->Slot),
                Channels = from->Channels,
                Stride = _quantum,
                Flags = from->Connected != 0 ? SignalFlags.Connected | SignalFlags.Silent : SignalFlags.Silent,
            };
        }

        // A feedback slot is found by its target; nobody else owns it (checked).
        int input = 0, direct = 0, mix = 0, cable = 0, modulation = 0, successor = 0, change = 0;
        for (var n = 0; n < h->NodeCount; n++)
        {
            WireNode(n, ref input, ref direct, ref mix, ref cable, ref modulation, ref successor, ref change);
            for (var c = 0; c < Limits.MaxCoreClasses; c++) _plan->Costs[(n * Limits.MaxCoreClasses) + c] = _t.Nodes[n].Costs[c];
        }

        RankByPriority();
        Placement.Place(state, _plan);

        for (var f = 0; f < h->FeedbackCount; f++)
        {
            var feedback = _t.Feedback + f;
            var line = _plan->Lines[feedback->SourceOutput];
            _plan->Feedback[f] = new FeedbackOp { Source = Slot(feedback->Source), Target = line->Data, Floats = feedback->Channels * _quantum };
        }

        for (var j = 0; j < h->JackCount; j++)
        {
            _plan->Jacks[j] = new JackOp
            {
                Source = Slot(_t.Jacks[j].Slot),
                Jack = _t.Jacks[j].Jack,
                Gain = _t.Jacks[j].Gain,
                Ramp = _plan->Ramps[h->CableCount + j],
            };
        }

        WireGains();
    }

    private void WireGains()
    {
        var aim = 0;
        for (var i = 0; i < GainCount; i++)
        {
            var (id, _, gain) = GainOf(i);
            if (id == 0) continue;
            *GainTable.Find(_plan->Gains, _plan->GainPlaces, id) = new GainEntry { Id = id, Ramp = _plan->Ramps[i], Gain = gain };
            if (IsAimed(i, out _, out _)) _plan->Aims[aim++] = new GainAim { Ramp = _plan->Ramps[i], Target = gain };
        }
    }

    private void WireNode(int n, ref int input, ref int direct, ref int mix, ref int cable, ref int modulation, ref int successor, ref int change)
    {
        var from = _t.Nodes + n;
        var node = _plan->Nodes + n;
        var instance = node->Instance;
        var entry = &types[from->Module].Entry;
        _plan->NodeBySlot[from->Slot] = (ushort)(n + 1);
        node->Pending = node->InitialPending = from->Pending;
        node->Successors = _plan->Successors + successor;
        node->SuccessorCount = from->SuccessorCount;
        for (var k = 0; k < from->SuccessorCount; k++) _plan->Successors[successor++] = _t.Successors[from->FirstSuccessor + k];
        node->Process = entry->Process;
        node->Self = instance->Self;
        node->Flags = from->Flags;
        node->AcceptsEvents = entry->AcceptsEvents ? 1 : 0;
        node->InputCount = entry->Inputs;
        node->OutputCount = entry->Outputs;
        for (var o = 0; o < entry->Outputs; o++) _plan->Owners[from->FirstOutput + o] = (ushort)n;
        node->Directs = _plan->Directs + direct;
        node->Mixes = _plan->Mixes + mix;
        node->Context = new ProcessContext
        {
            Inputs = _plan->Inputs + input,
            Outputs = _plan->Outputs + from->FirstOutput,
            Params = instance->Params,
            Events = state->Events,
            Telemetry = instance->Telemetry,
            Assets = instance->Assets,
            Job = instance->Job,
            Silence = state->Silence,
            WorkPending = state->WorkPending,
            Key = (uint)instance->Key,
            Frames = _quantum,
            SampleRate = _rate,
            Slot = from->Slot,
        };

        for (var p = 0; p < entry->Inputs; p++)
        {
            var port = _t.Inputs + from->FirstInput + p;
            var signal = _plan->Inputs + input++;
            *signal = new Signal { Data = state->Silence, Channels = 1, Stride = _quantum, Flags = SignalFlags.Silent };
            if (port->CableCount == 0) continue;
            signal->Channels = port->Channels;
            signal->Flags = SignalFlags.Connected;
            if (port->MixSlot < 0)
            {
                var only = Resolve(_t.Cables + port->FirstCable);
                signal->Data = only.Source;
                if (only.SourceFlags == null) continue;
                _plan->Directs[direct++] = new DirectOp { Input = &signal->Flags, Source = only.SourceFlags };
                node->DirectCount++;
                continue;
            }

            signal->Data = Slot(port->MixSlot);
            _plan->Mixes[mix++] = new MixOp { Input = signal, Cables = _plan->Cables + cable, Count = port->CableCount };
            node->MixCount++;
            for (var k = 0; k < port->CableCount; k++) _plan->Cables[cable++] = Resolve(_t.Cables + port->FirstCable + k);
        }

        node->Modulations = _plan->Modulations + modulation;
        node->ModulationCount = from->ModulationCount;
        for (var m = 0; m < from->ModulationCount; m++)
        {
            var described = _t.Modulations + from->FirstModulation + m;
            var op = _plan->Modulations + modulation++;
            *op = new ModulationOp { Cables = _plan->Cables + cable, Count = described->CableCount, Parameter = described->Parameter };
            op->Set(types[from->Module].Parameters + described->Parameter);
            node->Modulated |= 1UL << described->Parameter;
            for (var k = 0; k < described->CableCount; k++) _plan->Cables[cable++] = Resolve(_t.Cables + described->FirstCable + k);
        }

        if (instances[from->Slot] == null) return;
        for (var p = 0; p < entry->Parameters; p++)
        {
            var value = _t.Parameters[from->FirstParameter + p];
            if (instance->Planned[p] != value) _plan->Changes[change++] = new ParameterChange { Instance = instance, Parameter = p, Value = value };
        }
    }

    private CableOp Resolve(PlanCable* cable)
    {
        var op = new CableOp { Channels = cable->Channels, Gain = cable->Gain, Ramp = _plan->Ramps[cable - _t.Cables] };
        if (cable->Source < 0)
        {
            var jack = -1 - cable->Source;
            _plan->InputJacks |= 1u << jack;
            op.Source = state->JackIn + (jack * Limits.MaxQuantum);
        }
        else if (cable->SourceOutput >= 0)
        {
            op.Source = Slot(cable->Source);
            op.SourceFlags = &_plan->Outputs[cable->SourceOutput].Flags;
        }
        else
        {
            var f = 0;
            while (_t.Feedback[f].Target != cable->Source) f++;
            op.Source = _plan->Lines[_t.Feedback[f].SourceOutput]->Data;
        }

        return op;
    }

    // Heap sort: in place, no managed memory, same order every time (ties by topological order).
    private void RankByPriority()
    {
        var order = _plan->ByRank;
        var count = _plan->NodeCount;
        for (var i = 0; i < count; i++) order[i] = i;
        for (var i = (count / 2) - 1; i >= 0; i--) Sift(order, i, count);
        for (var end = count - 1; end > 0; end--)
        {
            (order[0], order[end]) = (order[end], order[0]);
            Sift(order, 0, end);
        }

        for (var r = 0; r < count; r++)
        {
            var node = _plan->Nodes + order[r];
            node->Rank = r;
            if (node->InitialPending != 0) continue;
            _plan->InitialReady[r >> 6] |= 1UL << (r & 63);
            _plan->Roots++;
        }
    }

    private void Sift(int* heap, int at, int count)
    {
        while (true)
        {
            var child = (2 * at) + 1;
            if (child >= count) return;
            if (child + 1 < count && RunsLater(heap[child + 1], heap[child])) child++;
            if (!RunsLater(heap[child], heap[at])) return;
            (heap[at], heap[child]) = (heap[child], heap[at]);
            at = child;
        }
    }

    private bool RunsLater(int a, int b)
    {
        float pa = _t.Nodes[a].Priority, pb = _t.Nodes[b].Priority;
        return pa < pb || (pa == pb && a > b);
    }

    // From here on nothing can fail.
    private Plan* Enter()
    {
        for (var n = 0; n < _plan->NodeCount; n++)
        {
            var from = _t.Nodes + n;
            var instance = _plan->Nodes[n].Instance;
            if (instances[from->Slot] == null) instances.Enter(instance, from);
            else InstanceTable.Rename(instance, from);
            instance->Refs++;
        }

        for (var f = 0; f < _plan->FeedbackCount; f++)
        {
            var feedback = _t.Feedback + f;
            var line = _plan->Lines[feedback->SourceOutput];
            if (feedback->Channels > line->Channels)
            {
                // Nobody who plays reads these channels; an older, wider plan may have left something in them.
                new Span<float>(line->Data + (line->Channels * _quantum), (feedback->Channels - line->Channels) * _quantum).Clear();
            }

            line->Channels = feedback->Channels;
        }

        for (var o = 0; o < _plan->OutputCount; o++)
        {
            if (_plan->Lines[o] != null) _plan->Lines[o]->Refs++;
        }

        for (var i = 0; i < _plan->RampCount; i++)
        {
            if (_plan->Ramps[i] != null) _plan->Ramps[i]->Refs++;
        }

        return _plan;
    }

    /// <summary>
    /// Lets a plan go that no thread can reach any more. False: a stuck thread still has the plan's
    /// addresses, and the block stays until it has left.
    /// </summary>
    public bool Free(Plan* plan)
    {
        for (var n = 0; n < plan->NodeCount; n++)
        {
            var instance = plan->Nodes[n].Instance;
            plan->Nodes[n].Instance = null;
            if (instance != null) instances.Release(instance);
        }

        for (var o = 0; o < plan->OutputCount; o++)
        {
            var line = plan->Lines[o];
            plan->Lines[o] = null;
            if (line != null && --line->Refs == 0) pool->Free(0, line);
        }

        for (var i = 0; i < plan->RampCount; i++)
        {
            var ramp = plan->Ramps[i];
            plan->Ramps[i] = null;
            if (ramp != null && --ramp->Refs == 0) pool->Free(0, ramp);
        }

        if (plan->Ghosts != 0) return false;
        pool->Free(0, plan);
        return true;
    }
}
