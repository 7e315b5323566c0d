// Proof that a plan description is sound before anything is built from it: indices, order, limits, and that no buffer is reused too early.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Graph;

/// <summary>The tables of a description, once their place and size were checked.</summary>
[StructLayout(LayoutKind.Auto)]
internal unsafe struct PlanTables
{
    public PlanHeader* Header;
    public PlanNode* Nodes;
    public PlanInput* Inputs;
    public PlanCable* Cables;
    public PlanOutput* Outputs;
    public int* Successors;
    public PlanFeedback* Feedback;
    public PlanJack* Jacks;
    public int* Settings;
    public float* Parameters;
    public byte* State;
    public PlanModulation* Modulations;
}

/// <summary>
/// What is accepted here runs without a check and gives the same bits in any order the dependencies allow: every cable comes from an
/// ancestor, and a buffer changes hands only when its writer and all its readers are ancestors of the next writer. [steward]
/// </summary>
internal unsafe ref struct PlanCheck
{
    /// <summary>Largest gain of a cable: 60 dB, so that a sum of sound signals is finite.</summary>
    public const float MaxGain = 1000;

    private const int Free = -1; // owners of a slot: >= 0 an output, Free, <= Feedback0 a feedback line, and beyond the outputs the mixes by node
    private const int Feedback0 = -2;

    private readonly ModuleType* _types;
    private readonly int _typeCount;
    private readonly int _quantum;
    private PlanTables _t;
    private BuildError _error;

    // Scratch, one block of the pool.
    private int _words;
    private ulong* _ancestors;
    private ulong* _keys;
    private ulong* _gains;
    private int _gainSlots;
    private int* _ownerOfOutput;
    private int* _ownerOfSlot;
    private int* _readerStart;
    private int* _readers;
    private int* _indegree;
    private byte* _inputSeen;
    private byte* _slotSeen;

    private PlanCheck(ModuleType* types, int typeCount, int quantum)
    {
        _types = types;
        _typeCount = typeCount;
        _quantum = quantum;
        _error = new BuildError { FirstStateRefused = -1 };
    }

    /// <summary>Checks <paramref name="blob"/>; leaves nothing allocated either way.</summary>
    public static bool Run(PlanHeader* blob, long bytes, ModuleType* types, int typeCount, int quantum, Pool* pool, out PlanTables tables, out BuildError error)
    {
        var check = new PlanCheck(types, typeCount, quantum);
        var ok = check.Tables(blob, bytes) && check.NodesAlone() && check.OnScratch(pool);
        tables = check._t;
        error = check._error;
        return ok;
    }

    private bool Bad(BadPart part, int index, long value = 0)
    {
        _error = BuildError.Bad(part, index, value);
        return false;
    }

    private bool Tables(PlanHeader* h, long bytes)
    {
        if (bytes < sizeof(PlanHeader)) return Bad(BadPart.Header, 0, bytes);
        if (h->Version != AbiVersion.Plan) return Bad(BadPart.Header, 1, h->Version);
        if (h->Bytes > bytes || h->Bytes < sizeof(PlanHeader)) return Bad(BadPart.Header, 2, h->Bytes);
        if (h->Quantum != _quantum) return Bad(BadPart.Quantum, 0, h->Quantum);
        if (h->NodeCount > Limits.MaxInstances) return Bad(BadPart.Node, h->NodeCount, h->NodeCount);
        if (h->Width < 0 || h->Width > h->NodeCount) return Bad(BadPart.Header, 3, h->Width);
        if ((h->Flags & ~PlanFlags.Union) != 0) return Bad(BadPart.Header, 4, (long)h->Flags);
        _t.Header = h;
        if (!(Table(h, 0, h->NodeCount, h->NodesOffset, sizeof(PlanNode), out var nodes)
            && Table(h, 1, h->InputCount, h->InputsOffset, sizeof(PlanInput), out var inputs)
            && Table(h, 2, h->CableCount, h->CablesOffset, sizeof(PlanCable), out var cables)
            && Table(h, 3, h->OutputCount, h->OutputsOffset, sizeof(PlanOutput), out var outputs)
            && Table(h, 4, h->SuccessorCount, h->SuccessorsOffset, sizeof(int), out var successors)
            && Table(h, 5, h->FeedbackCount, h->FeedbackOffset, sizeof(PlanFeedback), out var feedback)
            && Table(h, 6, h->JackCount, h->JacksOffset, sizeof(PlanJack), out var jacks)
            && Table(h, 7, h->SettingCount, h->SettingsOffset, sizeof(int), out var settings)
            && Table(h, 8, h->ParameterCount, h->ParametersOffset, sizeof(float), out var parameters)
            && Table(h, 9, h->StateBytes, h->StateOffset, 1, out var state)
            && Table(h, 10, h->ModulationCount, h->ModulationsOffset, sizeof(PlanModulation), out var modulations))) return false;
        _t.Nodes = (PlanNode*)nodes;
        _t.Inputs = (PlanInput*)inputs;
        _t.Cables = (PlanCable*)cables;
        _t.Outputs = (PlanOutput*)outputs;
        _t.Successors = (int*)successors;
        _t.Feedback = (PlanFeedback*)feedback;
        _t.Jacks = (PlanJack*)jacks;
        _t.Settings = (int*)settings;
        _t.Parameters = (float*)parameters;
        _t.State = state;
        _t.Modulations = (PlanModulation*)modulations;

        // More slots than channels would be memory that nothing can use.
        var most = Limits.MaxChannels * ((long)h->InputCount + h->OutputCount + h->FeedbackCount);
        if (h->BufferSlots < 0 || h->BufferSlots > most) return Bad(BadPart.Buffer, 0, h->BufferSlots);
        return true;
    }

    private bool Table(PlanHeader* h, int number, int count, int offset, int size, out byte* table)
    {
        table = (byte*)h + offset;
        if (count == 0) return true;
        if (count > 0 && offset >= sizeof(PlanHeader) && (offset & 7) == 0 && offset + ((long)count * size) <= h->Bytes) return true;
        return Bad(BadPart.Offset, number, offset);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Within(int first, int count, int total) => first >= 0 && count >= 0 && (long)first + count <= total;

    // What can be said of a node without looking at others.
    private bool NodesAlone()
    {
        var h = _t.Header;
        long inputs = 0, outputs = 0, successors = 0, modulations = 0;
        for (var n = 0; n < h->NodeCount; n++)
        {
            var node = _t.Nodes + n;
            if ((uint)node->Module >= (uint)_typeCount) return Bad(BadPart.Module, n, node->Module);
            if ((uint)node->Slot >= Limits.MaxInstances) return Bad(BadPart.Slot, n, node->Slot);
            if ((node->Flags & ~NodeFlags.Bypassed) != 0) return Bad(BadPart.Node, n, (long)node->Flags);
            if (!float.IsFinite(node->Priority)) return Bad(BadPart.Order, n);
            if (node->Key == 0) return Bad(BadPart.Node, n);
            for (var c = 0; c < Limits.MaxCoreClasses; c++)
            {
                if (!(node->Costs[c] >= 0 && node->Costs[c] <= Placement.MostCost)) return Bad(BadPart.Order, n, c); // NaN fails, too
            }

            var type = _types + node->Module;
            if (!Within(node->FirstInput, type->Entry.Inputs, h->InputCount)) return Bad(BadPart.Input, n, node->FirstInput);
            if (!Within(node->FirstOutput, type->Entry.Outputs, h->OutputCount)) return Bad(BadPart.Output, n, node->FirstOutput);
            if (!Within(node->FirstSuccessor, node->SuccessorCount, h->SuccessorCount)) return Bad(BadPart.Successor, n, node->FirstSuccessor);
            if (!Within(node->FirstSetting, type->Entry.Settings, h->SettingCount)) return Bad(BadPart.Setting, n, node->FirstSetting);
            if (!Within(node->FirstParameter, type->Entry.Parameters, h->ParameterCount)) return Bad(BadPart.Parameter, n, node->FirstParameter);
            if (!Within(node->FirstModulation, node->ModulationCount, h->ModulationCount)) return Bad(BadPart.Parameter, n, node->FirstModulation);
            if (!Within(node->StateOffset, node->StateLength, h->StateBytes)) return Bad(BadPart.State, n, node->StateOffset);
            for (var s = 0; s < type->Entry.Settings; s++)
            {
                var value = _t.Settings[node->FirstSetting + s];
                if (value < type->Settings[s].Min || value > type->Settings[s].Max) return Bad(BadPart.Setting, n, value);
            }

            for (var p = 0; p < type->Entry.Parameters; p++)
            {
                var value = _t.Parameters[node->FirstParameter + p];
                if (!(value >= type->Parameters[p].Min && value <= type->Parameters[p].Max)) return Bad(BadPart.Parameter, n, p); // NaN fails, too
            }

            inputs += type->Entry.Inputs;
            outputs += type->Entry.Outputs;
            successors += node->SuccessorCount;
            modulations += node->ModulationCount;
        }

        // With each table entry claimed at most once (checked below), equal sums mean that nothing is left over.
        if (inputs != h->InputCount) return Bad(BadPart.Input, -1, inputs);
        if (outputs != h->OutputCount) return Bad(BadPart.Output, -1, outputs);
        if (successors != h->SuccessorCount) return Bad(BadPart.Successor, -1, successors);
        if (modulations != h->ModulationCount) return Bad(BadPart.Parameter, -1, modulations);
        return true;
    }

    private bool OnScratch(Pool* pool)
    {
        var h = _t.Header;
        _words = (h->NodeCount + 63) >> 6;
        var keySlots = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(2, h->NodeCount * 2));
        _gainSlots = GainTable.Places(h->CableCount + h->JackCount);
        var longs = ((long)h->NodeCount * _words) + keySlots + _gainSlots;
        var ints = (long)h->OutputCount + h->BufferSlots + h->OutputCount + 1 + h->CableCount + h->NodeCount;
        var bytes = (longs * 8) + (ints * 4) + h->InputCount + Limits.MaxInstances;
        var scratch = (byte*)pool->Allocate(0, bytes, 0);
        if (scratch == null)
        {
            _error = new BuildError { Status = ReplyStatus.OutOfMemory, Bytes = bytes, FirstStateRefused = -1 };
            return false;
        }

        NativeMemory.Clear(scratch, (nuint)bytes);
        _ancestors = (ulong*)scratch;
        _keys = _ancestors + ((long)h->NodeCount * _words);
        _gains = _keys + keySlots;
        _ownerOfOutput = (int*)(_gains + _gainSlots);
        _ownerOfSlot = _ownerOfOutput + h->OutputCount;
        _readerStart = _ownerOfSlot + h->BufferSlots;
        _readers = _readerStart + h->OutputCount + 1;
        _indegree = _readers + h->CableCount;
        _inputSeen = (byte*)(_indegree + h->NodeCount);
        _slotSeen = _inputSeen + h->InputCount;
        new Span<int>(_ownerOfOutput, h->OutputCount).Fill(Free);
        new Span<int>(_ownerOfSlot, h->BufferSlots).Fill(Free);
        var ok = Identities(keySlots) && Order() && Outputs() && FeedbackTargets() && Cables() && Reuse() && FeedbackSources() && Jacks();
        pool->Free(0, scratch);
        return ok;
    }

    private bool Identities(int keySlots)
    {
        for (var n = 0; n < _t.Header->NodeCount; n++)
        {
            var node = _t.Nodes + n;
            if (_slotSeen[node->Slot]++ != 0) return Bad(BadPart.Slot, n, node->Slot);
            if (!IsNew(_keys, keySlots, node->Key)) return Bad(BadPart.Node, n, (long)node->Key);
        }

        return true;
    }

    // Successors lie behind their node, so there is no cycle; ancestors gather on the way.
    private bool Order()
    {
        var h = _t.Header;
        for (var n = 0; n < h->NodeCount; n++)
        {
            var node = _t.Nodes + n;
            if (node->Pending != _indegree[n]) return Bad(BadPart.Order, n, node->Pending);
            var mine = _ancestors + ((long)n * _words);
            for (var k = 0; k < node->SuccessorCount; k++)
            {
                var next = _t.Successors[node->FirstSuccessor + k];
                if (next <= n || next >= h->NodeCount) return Bad(BadPart.Successor, n, next);
                _indegree[next]++;
                var theirs = _ancestors + ((long)next * _words);
                for (var w = 0; w <= n >> 6; w++) theirs[w] |= mine[w];
                theirs[n >> 6] |= 1UL << (n & 63);
            }
        }

        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool IsAncestor(int node, int of) => (_ancestors[((long)of * _words) + (node >> 6)] >> (node & 63) & 1) != 0;

    private bool Outputs()
    {
        var h = _t.Header;
        for (var n = 0; n < h->NodeCount; n++)
        {
            var node = _t.Nodes + n;
            var type = _types + node->Module;
            for (var p = 0; p < type->Entry.Outputs; p++)
            {
                var index = node->FirstOutput + p;
                var output = _t.Outputs + index;
                if (_ownerOfOutput[index] != Free) return Bad(BadPart.Output, index, n);
                _ownerOfOutput[index] = n;
                if (output->Channels is < 1 or > Limits.MaxChannels) return Bad(BadPart.Output, index, output->Channels);
                if (!Within(output->Slot, output->Channels, h->BufferSlots)) return Bad(BadPart.Buffer, index, output->Slot);
                // A module that says how many channels it writes writes that many.
                if (type->Outputs[p].Rule != ChannelRule.Follow && output->Channels != Declared(node, type->Outputs[p])) return Bad(BadPart.Output, index, output->Channels);
            }
        }

        return true;
    }

    private readonly int Declared(PlanNode* node, PortRule rule) => rule.Rule switch
    {
        ChannelRule.Fixed => rule.Channels,
        ChannelRule.Setting when rule.Channels < _types[node->Module].Entry.Settings => _t.Settings[node->FirstSetting + rule.Channels],
        _ => Limits.MaxChannels,
    };

    private bool FeedbackTargets()
    {
        var h = _t.Header;
        for (var f = 0; f < h->FeedbackCount; f++)
        {
            var feedback = _t.Feedback + f;
            if (feedback->Channels is < 1 or > Limits.MaxChannels) return Bad(BadPart.Feedback, f, feedback->Channels);
            if (!Within(feedback->Target, feedback->Channels, h->BufferSlots)) return Bad(BadPart.Feedback, f, feedback->Target);
            for (var c = 0; c < feedback->Channels; c++)
            {
                if (_ownerOfSlot[feedback->Target + c] != Free) return Bad(BadPart.Feedback, f, feedback->Target);
                _ownerOfSlot[feedback->Target + c] = Feedback0 - f;
            }
        }

        return true;
    }

    private bool Cables()
    {
        var h = _t.Header;
        long cables = 0;
        for (var n = 0; n < h->NodeCount; n++)
        {
            var node = _t.Nodes + n;
            var type = _types + node->Module;
            for (var p = 0; p < type->Entry.Inputs; p++)
            {
                var index = node->FirstInput + p;
                var input = _t.Inputs + index;
                if (_inputSeen[index]++ != 0) return Bad(BadPart.Input, index, n);
                if (input->Channels < 1 || input->Channels > Math.Clamp(Declared(node, type->Inputs[p]), 1, Limits.MaxChannels)) return Bad(BadPart.Input, index, input->Channels);
                if (!Within(input->FirstCable, input->CableCount, h->CableCount)) return Bad(BadPart.Cable, index, input->FirstCable);
                cables += input->CableCount;
                if (cables > h->CableCount) return Bad(BadPart.Cable, index, cables);
                for (var k = 0; k < input->CableCount; k++)
                {
                    if (!Cable(input->FirstCable + k, n)) return false;
                }

                if (input->MixSlot < -1) return Bad(BadPart.Buffer, index, input->MixSlot);
                if (input->MixSlot >= 0)
                {
                    if (input->CableCount == 0 || !Within(input->MixSlot, input->Channels, h->BufferSlots)) return Bad(BadPart.Buffer, index, input->MixSlot);
                }
                else if (input->CableCount == 0)
                {
                    if (input->Channels != 1) return Bad(BadPart.Input, index, input->Channels); // silence is one channel
                }
                else if (input->CableCount > 1 || !IsWhole(_t.Cables + input->FirstCable) || input->Channels > _t.Cables[input->FirstCable].Channels)
                {
                    return Bad(BadPart.Input, index, input->CableCount);
                }
            }

            // Each parameter once, so that two entries never meet in one row.
            var seen = 0UL;
            for (var m = node->FirstModulation; m < node->FirstModulation + node->ModulationCount; m++)
            {
                var modulation = _t.Modulations + m;
                if ((uint)modulation->Parameter >= (uint)type->Entry.Parameters || (seen >> modulation->Parameter & 1) != 0) return Bad(BadPart.Parameter, n, modulation->Parameter);
                seen |= 1UL << modulation->Parameter;
                if (modulation->CableCount < 1 || !Within(modulation->FirstCable, modulation->CableCount, h->CableCount)) return Bad(BadPart.Cable, m, modulation->FirstCable);
                cables += modulation->CableCount;
                if (cables > h->CableCount) return Bad(BadPart.Cable, m, cables);
                for (var k = 0; k < modulation->CableCount; k++)
                {
                    if (!Cable(modulation->FirstCable + k, n)) return false;
                }
            }
        }

        return true;
    }

    // Read in place: there is nobody to ramp it.
    private static bool IsWhole(PlanCable* cable) => cable->Gain == 1 && (cable->Id == 0 || cable->From == 1);

    private bool Cable(int index, int reader)
    {
        var cable = _t.Cables + index;
        if (!(MathF.Abs(cable->Gain) <= MaxGain && MathF.Abs(cable->From) <= MaxGain)) return Bad(BadPart.Cable, index); // NaN fails, too
        if (!IsNewGain(cable->Id)) return Bad(BadPart.Cable, index, (long)cable->Id);
        if (cable->Source < 0)
        {
            if (-1 - (long)cable->Source >= Limits.MaxJacks || cable->Channels != 1 || cable->SourceOutput != -1) return Bad(BadPart.Cable, index, cable->Source);
            return true;
        }

        if (cable->SourceOutput == -1)
        {
            if (cable->Source >= _t.Header->BufferSlots) return Bad(BadPart.Cable, index, cable->Source);
            var f = Feedback0 - _ownerOfSlot[cable->Source];
            if (f < 0 || _t.Feedback[f].Target != cable->Source || cable->Channels < 1 || cable->Channels > _t.Feedback[f].Channels) return Bad(BadPart.Cable, index, cable->Source);
            return true;
        }

        if ((uint)cable->SourceOutput >= (uint)_t.Header->OutputCount) return Bad(BadPart.Cable, index, cable->SourceOutput);
        var output = _t.Outputs + cable->SourceOutput;
        if (cable->Source != output->Slot || cable->Channels < 1 || cable->Channels > output->Channels) return Bad(BadPart.Cable, index, cable->Source);
        if (!IsAncestor(_ownerOfOutput[cable->SourceOutput], reader)) return Bad(BadPart.Order, reader, cable->SourceOutput);
        return true;
    }

    // A gain that two cables shared would be ramped twice as fast.
    private readonly bool IsNewGain(ulong id) => id == 0 || IsNew(_gains, _gainSlots, id);

    // Enters a key, not 0, into a set of open addressing; false where it was there.
    private static bool IsNew(ulong* set, int places, ulong key)
    {
        var at = (int)((key * 0x9E37_79B9_7F4A_7C15) >> 32) & (places - 1);
        for (; set[at] != 0; at = (at + 1) & (places - 1))
        {
            if (set[at] == key) return false;
        }

        set[at] = key;
        return true;
    }

    // Each slot passes from writer to writer in topological order, and only over a finished value.
    private bool Reuse()
    {
        var h = _t.Header;
        GatherReaders();
        for (var n = 0; n < h->NodeCount; n++)
        {
            var node = _t.Nodes + n;
            var type = _types + node->Module;
            for (var p = 0; p < type->Entry.Inputs; p++)
            {
                var input = _t.Inputs + node->FirstInput + p;
                if (input->MixSlot >= 0 && !Claim(n, input->MixSlot, input->Channels, h->OutputCount + n)) return false;
            }

            for (var p = 0; p < type->Entry.Outputs; p++)
            {
                var output = _t.Outputs + node->FirstOutput + p;
                if (!Claim(n, output->Slot, output->Channels, node->FirstOutput + p)) return false;
            }
        }

        return true;
    }

    private void GatherReaders()
    {
        var h = _t.Header;
        for (var pass = 0; pass < 2; pass++)
        {
            for (var n = 0; n < h->NodeCount; n++)
            {
                var node = _t.Nodes + n;
                for (var p = 0; p < _types[node->Module].Entry.Inputs; p++)
                {
                    var input = _t.Inputs + node->FirstInput + p;
                    for (var k = 0; k < input->CableCount; k++)
                    {
                        var source = _t.Cables[input->FirstCable + k].SourceOutput;
                        if (source < 0) continue;
                        if (pass == 0) _readerStart[source]++;
                        else _readers[--_readerStart[source]] = n;
                    }
                }

                for (var m = node->FirstModulation; m < node->FirstModulation + node->ModulationCount; m++)
                {
                    for (var k = 0; k < _t.Modulations[m].CableCount; k++)
                    {
                        var source = _t.Cables[_t.Modulations[m].FirstCable + k].SourceOutput;
                        if (source < 0) continue;
                        if (pass == 0) _readerStart[source]++;
                        else _readers[--_readerStart[source]] = n;
                    }
                }
            }

            if (pass != 0) continue;
            for (var o = 1; o <= h->OutputCount; o++) _readerStart[o] += _readerStart[o - 1]; // ends; the second pass counts down to starts
        }
    }

    private bool Claim(int writer, int slot, int channels, int owner)
    {
        for (var s = slot; s < slot + channels; s++)
        {
            var before = _ownerOfSlot[s];
            _ownerOfSlot[s] = owner;
            if (before == Free) continue;
            if (before <= Feedback0) return Bad(BadPart.Buffer, writer, s);
            var outputs = _t.Header->OutputCount;
            if (!IsAncestor(before >= outputs ? before - outputs : _ownerOfOutput[before], writer)) return Bad(BadPart.Buffer, writer, s);
            if (before >= outputs) continue; // a mix is read by its own node only
            for (var r = _readerStart[before]; r < _readerStart[before + 1]; r++)
            {
                if (!IsAncestor(_readers[r], writer)) return Bad(BadPart.Buffer, writer, s);
            }
        }

        return true;
    }

    private bool FeedbackSources()
    {
        var h = _t.Header;
        for (var f = 0; f < h->FeedbackCount; f++)
        {
            var feedback = _t.Feedback + f;
            if ((uint)feedback->SourceOutput >= (uint)h->OutputCount) return Bad(BadPart.Feedback, f, feedback->SourceOutput);
            var output = _t.Outputs + feedback->SourceOutput;
            if (feedback->Source != output->Slot || feedback->Channels != output->Channels) return Bad(BadPart.Feedback, f, feedback->Source);
            for (var c = 0; c < feedback->Channels; c++)
            {
                if (_ownerOfSlot[feedback->Source + c] != feedback->SourceOutput) return Bad(BadPart.Buffer, feedback->SourceOutput, feedback->Source + c); // written over before the copy
            }
        }

        return true;
    }

    private bool Jacks()
    {
        var h = _t.Header;
        for (var j = 0; j < h->JackCount; j++)
        {
            var jack = _t.Jacks + j;
            if ((uint)jack->Jack >= Limits.MaxJacks) return Bad(BadPart.Jack, j, jack->Jack);
            if (!(MathF.Abs(jack->Gain) <= MaxGain && MathF.Abs(jack->From) <= MaxGain)) return Bad(BadPart.Jack, j);
            if (!IsNewGain(jack->Id)) return Bad(BadPart.Jack, j, (long)jack->Id);
            if ((uint)jack->Slot >= (uint)h->BufferSlots || (uint)_ownerOfSlot[jack->Slot] >= (uint)h->OutputCount) return Bad(BadPart.Jack, j, jack->Slot);
        }

        return true;
    }
}
