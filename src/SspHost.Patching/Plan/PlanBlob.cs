// The plan description as bytes: every table in its place.
using System.Text;
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>Writes the tables of <see cref="PlanHeader"/>.</summary>
internal sealed unsafe class PlanBlob(Wiring wiring, PlanGraph graph, ChannelResolver channels, BufferAssigner buffers, int[] jackOfInput)
{
    private PlanHeader _header;
    private long _end = (sizeof(PlanHeader) + 7) & ~7L;

    public byte[] Write(ulong serial, int width, float[] priorities, float[] costs, int[] slots)
    {
        var (cables, feedback, settings, parameters, state, inputs, modulations) = (0, 0, 0, 0, 0, 0, 0);
        for (var i = 0; i < channels.Inputs.Length; i++) cables += jackOfInput[i] >= 0 ? 1 : graph.InputStart[i + 1] - graph.InputStart[i];
        for (var o = 0; o < channels.Outputs.Length; o++)
        {
            if (graph.Feeds[o]) feedback++;
        }

        for (var v = 0; v < graph.Count; v++)
        {
            settings += graph.Types[v].Descriptor.Settings.Count;
            parameters += graph.Types[v].Descriptor.Parameters.Count;
            state += wiring.Modules[graph.Index[v]].Module.State.Bytes.Length;
            inputs += graph.Types[v].Descriptor.Inputs.Count;
            for (var i = FirstParameter(v); i < graph.FirstInput[v + 1]; i++) modulations += graph.InputStart[i + 1] > graph.InputStart[i] ? 1 : 0;
        }

        _header = new PlanHeader
        {
            Version = AbiVersion.Plan,
            Serial = serial,
            Quantum = wiring.Quantum,
            BufferSlots = buffers.Count,
            Width = width,
            Flags = wiring.Plain ? PlanFlags.None : PlanFlags.Union,
            NodeCount = graph.Count,
            InputCount = inputs,
            CableCount = cables,
            OutputCount = channels.Outputs.Length,
            SuccessorCount = graph.Successors.Length,
            FeedbackCount = feedback,
            JackCount = wiring.Lines.Length,
            SettingCount = settings,
            ParameterCount = parameters,
            StateBytes = state,
            ModulationCount = modulations,
        };
        _header.NodesOffset = Place((long)graph.Count * sizeof(PlanNode));
        _header.InputsOffset = Place((long)_header.InputCount * sizeof(PlanInput));
        _header.CablesOffset = Place((long)cables * sizeof(PlanCable));
        _header.OutputsOffset = Place((long)_header.OutputCount * sizeof(PlanOutput));
        _header.SuccessorsOffset = Place((long)_header.SuccessorCount * sizeof(int));
        _header.FeedbackOffset = Place((long)feedback * sizeof(PlanFeedback));
        _header.JacksOffset = Place((long)_header.JackCount * sizeof(PlanJack));
        _header.SettingsOffset = Place((long)settings * sizeof(int));
        _header.ParametersOffset = Place((long)parameters * sizeof(float));
        _header.StateOffset = Place(state);
        _header.ModulationsOffset = Place((long)modulations * sizeof(PlanModulation));
        _header.Bytes = checked((uint)_end);

        var bytes = new byte[_end];
        fixed (byte* b = bytes)
        {
            *(PlanHeader*)b = _header;
            Nodes((PlanNode*)(b + _header.NodesOffset), (int*)(b + _header.SettingsOffset), (float*)(b + _header.ParametersOffset), b + _header.StateOffset, priorities, costs, slots);
            Inputs((PlanNode*)(b + _header.NodesOffset), (PlanInput*)(b + _header.InputsOffset), (PlanModulation*)(b + _header.ModulationsOffset), (PlanCable*)(b + _header.CablesOffset));
            Outputs((PlanOutput*)(b + _header.OutputsOffset), (PlanFeedback*)(b + _header.FeedbackOffset));
            Jacks((PlanJack*)(b + _header.JacksOffset));
            graph.Successors.CopyTo(new Span<int>(b + _header.SuccessorsOffset, graph.Successors.Length));
        }

        return bytes;
    }

    private int Place(long bytes)
    {
        var at = _end;
        _end = (_end + bytes + 7) & ~7L;
        return checked((int)at);
    }

    private void Nodes(PlanNode* nodes, int* settings, float* parameters, byte* states, float[] priorities, float[] costs, int[] slots)
    {
        var (setting, parameter, state) = (0, 0, 0);
        for (var v = 0; v < graph.Count; v++)
        {
            var wired = wiring.Modules[graph.Index[v]];
            var m = wired.Module;
            var d = graph.Types[v].Descriptor;
            var node = nodes + v;
            node->Key = wired.Key;
            node->Priority = priorities[v];
            for (var c = 0; c < Limits.MaxCoreClasses; c++) node->Costs[c] = costs[(v * Limits.MaxCoreClasses) + c];
            node->Module = graph.Types[v].Number;
            node->Slot = slots[v];
            node->Flags = m.Bypass ? NodeFlags.Bypassed : NodeFlags.None;
            node->Pending = graph.Pending[v];
            node->FirstOutput = graph.FirstOutput[v];
            node->FirstSuccessor = graph.SuccessorStart[v];
            node->SuccessorCount = graph.SuccessorStart[v + 1] - graph.SuccessorStart[v];
            node->FirstSetting = setting;
            foreach (var value in wired.Settings) settings[setting++] = value;
            node->FirstParameter = parameter;
            for (var i = 0; i < d.Parameters.Count; i++)
                parameters[parameter++] = m.Parameters.TryGet(d.Parameters[i].Id, out var value) ? value : d.Parameters[i].Default;

            node->StateOffset = state;
            node->StateLength = m.State.Bytes.Length;
            node->StateVersion = m.State.IsEmpty ? 0 : m.Version;
            m.State.Bytes.CopyTo(new Span<byte>(states + state, m.State.Bytes.Length));
            state += m.State.Bytes.Length;
            Encoding.UTF8.GetBytes(m.Id, new Span<byte>(node->Name, PatchLimits.IdLength)); // ids are ASCII and fit; the rest is zero
        }
    }

    // The flat port where a node's parameters begin.
    private int FirstParameter(int node) => graph.FirstInput[node] + graph.Types[node].Descriptor.Inputs.Count;

    private void Inputs(PlanNode* nodes, PlanInput* inputs, PlanModulation* modulations, PlanCable* cables)
    {
        var (input, modulation, cable) = (0, 0, 0);
        for (var v = 0; v < graph.Count; v++)
        {
            nodes[v].FirstInput = input;
            for (var i = graph.FirstInput[v]; i < FirstParameter(v); i++)
            {
                var port = new PlanInput { FirstCable = cable, Channels = channels.Inputs[i], MixSlot = buffers.Mixes[i] };
                if (jackOfInput[i] >= 0) cables[cable++] = new PlanCable { Source = -1 - jackOfInput[i], Channels = 1, Gain = 1f, From = 1f, SourceOutput = -1 };
                else Cables(i, cables, ref cable);
                port.CableCount = cable - port.FirstCable;
                inputs[input++] = port;
            }

            nodes[v].FirstModulation = modulation;
            for (var i = FirstParameter(v); i < graph.FirstInput[v + 1]; i++)
            {
                if (graph.InputStart[i + 1] == graph.InputStart[i]) continue;
                var first = cable;
                Cables(i, cables, ref cable);
                modulations[modulation++] = new PlanModulation { Parameter = i - FirstParameter(v), FirstCable = first, CableCount = cable - first };
            }

            nodes[v].ModulationCount = modulation - nodes[v].FirstModulation;
        }
    }

    private void Cables(int port, PlanCable* cables, ref int cable)
    {
        for (var k = graph.InputStart[port]; k < graph.InputStart[port + 1]; k++)
        {
            ref readonly var c = ref wiring.Cables[graph.InputCables[k]];
            var o = graph.FromOutput[graph.InputCables[k]];
            cables[cable++] = new PlanCable
            {
                Source = c.Delayed ? buffers.Feedback[o] : buffers.Outputs[o],
                Channels = c.Channels,
                Gain = c.Gain,
                From = c.Start,
                SourceOutput = c.Delayed ? -1 : o,
                Id = c.Id,
            };
        }
    }

    private void Outputs(PlanOutput* outputs, PlanFeedback* feedback)
    {
        var n = 0;
        for (var o = 0; o < channels.Outputs.Length; o++)
        {
            outputs[o] = new PlanOutput { Slot = buffers.Outputs[o], Channels = channels.Outputs[o], Connected = graph.Read[o] || buffers.Live[o] ? 1 : 0 };
            if (graph.Feeds[o])
                feedback[n++] = new PlanFeedback { Source = buffers.Outputs[o], Target = buffers.Feedback[o], Channels = channels.Outputs[o], SourceOutput = o };
        }
    }

    private void Jacks(PlanJack* lines)
    {
        for (var i = 0; i < wiring.Lines.Length; i++)
        {
            ref readonly var line = ref wiring.Lines[i];
            var output = graph.FirstOutput[graph.NodeOf[line.Module]] + line.Port;
            lines[i] = new PlanJack { Slot = buffers.Outputs[output] + line.Channel, Jack = line.Jack, Gain = line.Gain, From = line.Start, Id = line.Id };
        }
    }
}
