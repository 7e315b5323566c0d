// A patch as a test states it, and its plan description: the smallest compiler that obeys the buffer rule.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

internal sealed record DraftCable(int Node, int Port, float Gain = 1, bool Delayed = false, int Jack = -1, ulong Id = 0, float? From = null);

internal sealed class DraftNode(int module, ulong key, int inputs)
{
    public int Module { get; } = module;
    public ulong Key { get; set; } = key;
    public int Slot { get; set; } = -1;
    public float Priority { get; set; }
    public float[] Costs { get; set; } = []; // ns by core class; missing: not known
    public bool Bypassed { get; set; }
    public float[]? Parameters { get; set; }
    public int[]? Settings { get; set; }
    public byte[] State { get; set; } = [];
    public uint StateVersion { get; set; }
    public int Follow { get; set; } // channels of following outputs that have no wider input; 0 = by the rule
    public int JackIndex { get; set; }
    public SortedDictionary<int, List<DraftCable>> Voltages { get; } = []; // cables that end at a parameter, by its number
    public IEnumerable<DraftCable> Cables => Inputs.SelectMany(x => x).Concat(Voltages.Values.SelectMany(x => x));
    public List<DraftCable>[] Inputs { get; } = Enumerable.Range(0, inputs).Select(_ => new List<DraftCable>()).ToArray();
}

internal sealed unsafe class PatchDraft
{
    private static readonly ModuleRegistry Registry = TestRegistry.Make();

    public List<DraftNode> Nodes { get; } = [];
    public int Quantum { get; set; } = 32;
    public ulong Serial { get; set; } = 1;
    public int Width { get; set; } = 4;
    public bool Reuse { get; set; } = true;

    public int Add(int module, ulong key = 0, params DraftCable[] firstInput)
    {
        var node = new DraftNode(module, key == 0 ? (ulong)Nodes.Count + 1 : key, Registry.Entries[module].Inputs) { Slot = Nodes.Count };
        Nodes.Add(node);
        if (firstInput.Length > 0) node.Inputs[0].AddRange(firstInput);
        return Nodes.Count - 1;
    }

    /// <summary>Nodes must already stand in topological order.</summary>
    public byte[] Compile()
    {
        var n = Nodes.Count;
        var entries = Nodes.Select(x => Registry.Entries[x.Module]).ToArray();
        var descriptors = Nodes.Select(x => Registry.Descriptors[x.Module]).ToArray();
        var firstOutput = new int[n + 1];
        var firstInput = new int[n + 1];
        for (var i = 0; i < n; i++)
        {
            firstOutput[i + 1] = firstOutput[i] + entries[i].Outputs;
            firstInput[i + 1] = firstInput[i] + entries[i].Inputs;
        }

        // Channels, in topological order; a delayed cable carries what was decided for it beforehand: its source's Follow, or 1.
        var channels = new int[firstOutput[n]];
        int ChannelsOf(DraftCable c) => c.Jack >= 0 ? 1 : channels[firstOutput[c.Node] + c.Port];
        for (var i = n - 1; i >= 0; i--)
        {
            for (var p = 0; p < entries[i].Outputs; p++)
            {
                var rule = descriptors[i].Outputs[p];
                channels[firstOutput[i] + p] = rule.Rule == ChannelRule.Fixed ? rule.Channels : rule.Rule == ChannelRule.Setting ? Setting(i, rule.Channels) : Math.Max(1, Nodes[i].Follow);
            }
        }

        var inputChannels = new int[firstInput[n]];
        for (var i = 0; i < n; i++)
        {
            var widest = 1;
            for (var p = 0; p < entries[i].Inputs; p++)
            {
                var w = Nodes[i].Inputs[p].Count == 0 ? 1 : Nodes[i].Inputs[p].Max(ChannelsOf);
                var rule = descriptors[i].Inputs[p];
                if (rule.Rule == ChannelRule.Fixed) w = Math.Min(w, rule.Channels);
                inputChannels[firstInput[i] + p] = w;
                widest = Math.Max(widest, w);
            }

            // A loop's width is fixed from outside (Follow) so that it does not depend on itself.
            for (var p = 0; Nodes[i].Follow == 0 && p < entries[i].Outputs; p++)
            {
                if (descriptors[i].Outputs[p].Rule == ChannelRule.Follow) channels[firstOutput[i] + p] = widest;
            }
        }

        // Dependencies and ancestors.
        var predecessors = new SortedSet<int>[n];
        var ancestors = new bool[n, n];
        for (var i = 0; i < n; i++)
        {
            predecessors[i] = new SortedSet<int>(Nodes[i].Cables.Where(c => !c.Delayed && c.Jack < 0).Select(c => c.Node));
            foreach (var p in predecessors[i])
            {
                ancestors[i, p] = true;
                for (var a = 0; a < n; a++) ancestors[i, a] |= ancestors[p, a];
            }
        }

        // Buffers: a slot is free for node i if its writer and all readers of its value are ancestors of i.
        var readers = new List<int>[firstOutput[n]];
        var pinned = new bool[firstOutput[n]];
        for (var o = 0; o < readers.Length; o++) readers[o] = [];
        for (var i = 0; i < n; i++)
        {
            foreach (var c in Nodes[i].Cables.Where(c => c.Jack < 0))
            {
                if (c.Delayed) pinned[firstOutput[c.Node] + c.Port] = true;
                else readers[firstOutput[c.Node] + c.Port].Add(i);
            }

            for (var p = 0; p < entries[i].Outputs; p++) pinned[firstOutput[i] + p] |= descriptors[i].Outputs[p].Kind == PortKind.Device;
        }

        var users = new List<(int Writer, int Output)>(); // by slot: last writer, its output or -1 for a mix
        int Place(int node, int count, int output)
        {
            bool Usable(int slot)
            {
                if (slot >= users.Count) return true;
                var (writer, value) = users[slot];
                return Reuse && ancestors[node, writer] && (value < 0 || (!pinned[value] && readers[value].TrueForAll(r => ancestors[node, r])));
            }

            var at = 0;
            while (!Enumerable.Range(at, count).All(Usable)) at++;
            while (users.Count < at + count) users.Add(default);
            for (var s = at; s < at + count; s++) users[s] = (node, output);
            return at;
        }

        var mixSlots = new int[firstInput[n]];
        var outputSlots = new int[firstOutput[n]];
        for (var i = 0; i < n; i++)
        {
            for (var p = 0; p < entries[i].Inputs; p++)
            {
                var cables = Nodes[i].Inputs[p];
                var single = cables.Count == 0 || (cables.Count == 1 && cables[0].Gain == 1);
                mixSlots[firstInput[i] + p] = single ? -1 : Place(i, inputChannels[firstInput[i] + p], -1);
            }

            for (var p = 0; p < entries[i].Outputs; p++) outputSlots[firstOutput[i] + p] = Place(i, channels[firstOutput[i] + p], firstOutput[i] + p);
        }

        var feedbackOf = new Dictionary<int, int>();
        var feedback = new List<PlanFeedback>();
        var slots = users.Count;
        foreach (var c in Nodes.SelectMany(x => x.Cables).Where(c => c.Delayed))
        {
            var o = firstOutput[c.Node] + c.Port;
            if (!feedbackOf.TryAdd(o, slots)) continue;
            feedback.Add(new PlanFeedback { Source = outputSlots[o], Target = slots, Channels = channels[o], SourceOutput = o });
            slots += channels[o];
        }

        // Tables.
        var nodes = new List<PlanNode>();
        var inputs = new List<PlanInput>();
        var cableTable = new List<PlanCable>();
        var outputs = new List<PlanOutput>();
        var successors = new List<int>();
        var jacks = new List<PlanJack>();
        var settings = new List<int>();
        var parameters = new List<float>();
        var state = new List<byte>();
        var modulations = new List<PlanModulation>();
        for (var i = 0; i < n; i++)
        {
            var mine = Enumerable.Range(0, n).Where(k => predecessors[k].Contains(i)).ToArray();
            var node = new PlanNode
            {
                Key = Nodes[i].Key,
                Priority = Nodes[i].Priority,
                Module = Nodes[i].Module,
                Slot = Nodes[i].Slot,
                Flags = Nodes[i].Bypassed ? NodeFlags.Bypassed : NodeFlags.None,
                Pending = predecessors[i].Count,
                FirstInput = firstInput[i],
                FirstOutput = firstOutput[i],
                FirstSuccessor = successors.Count,
                SuccessorCount = mine.Length,
                FirstSetting = settings.Count,
                FirstParameter = parameters.Count,
                FirstModulation = modulations.Count,
                ModulationCount = Nodes[i].Voltages.Count,
                StateOffset = state.Count,
                StateLength = Nodes[i].State.Length,
                StateVersion = Nodes[i].StateVersion,
            };
            for (var c = 0; c < Nodes[i].Costs.Length; c++) node.Costs[c] = Nodes[i].Costs[c];
            Encoding.UTF8.GetBytes($"{descriptors[i].Id} {i}", new Span<byte>(node.Name, InstanceRecord.NameBytes - 1));
            nodes.Add(node);
            successors.AddRange(mine);
            for (var s = 0; s < entries[i].Settings; s++) settings.Add(Setting(i, s));
            for (var p = 0; p < entries[i].Parameters; p++) parameters.Add(Nodes[i].Parameters?[p] ?? descriptors[i].Parameters[p].Default);
            state.AddRange(Nodes[i].State);
            for (var p = 0; p < entries[i].Inputs; p++)
            {
                var cables = Nodes[i].Inputs[p];
                inputs.Add(new PlanInput { FirstCable = cableTable.Count, CableCount = cables.Count, Channels = inputChannels[firstInput[i] + p], MixSlot = mixSlots[firstInput[i] + p] });
                foreach (var c in cables) cableTable.Add(Table(c));
            }

            foreach (var (parameter, cables) in Nodes[i].Voltages)
            {
                modulations.Add(new PlanModulation { Parameter = parameter, FirstCable = cableTable.Count, CableCount = cables.Count });
                foreach (var c in cables) cableTable.Add(Table(c));
            }

            for (var p = 0; p < entries[i].Outputs; p++)
            {
                var o = firstOutput[i] + p;
                outputs.Add(new PlanOutput { Slot = outputSlots[o], Channels = channels[o], Connected = readers[o].Count > 0 || pinned[o] ? 1 : 0 });
                if (descriptors[i].Outputs[p].Kind == PortKind.Device) jacks.Add(new PlanJack { Slot = outputSlots[o], Jack = Nodes[i].JackIndex, Gain = 1 });
            }
        }

        var header = new PlanHeader { Version = AbiVersion.Plan, Serial = Serial, Quantum = Quantum, BufferSlots = slots, Width = Math.Min(n, Width) };
        var blob = new List<byte>(new byte[(sizeof(PlanHeader) + 7) & ~7]);
        (header.NodeCount, header.NodesOffset) = Append(blob, nodes);
        (header.InputCount, header.InputsOffset) = Append(blob, inputs);
        (header.CableCount, header.CablesOffset) = Append(blob, cableTable);
        (header.OutputCount, header.OutputsOffset) = Append(blob, outputs);
        (header.SuccessorCount, header.SuccessorsOffset) = Append(blob, successors);
        (header.FeedbackCount, header.FeedbackOffset) = Append(blob, feedback);
        (header.JackCount, header.JacksOffset) = Append(blob, jacks);
        (header.SettingCount, header.SettingsOffset) = Append(blob, settings);
        (header.ParameterCount, header.ParametersOffset) = Append(blob, parameters);
        (header.StateBytes, header.StateOffset) = Append(blob, state);
        (header.ModulationCount, header.ModulationsOffset) = Append(blob, modulations);
        header.Bytes = (uint)blob.Count;
        var bytes = blob.ToArray();
        MemoryMarshal.Write(bytes, header);
        return bytes;

        PlanCable Table(DraftCable c)
        {
            var o = c.Jack >= 0 ? -1 : firstOutput[c.Node] + c.Port;
            return new PlanCable
            {
                Source = c.Jack >= 0 ? -1 - c.Jack : c.Delayed ? feedbackOf[o] : outputSlots[o],
                Channels = ChannelsOf(c),
                Gain = c.Gain,
                From = c.From ?? 0,
                SourceOutput = c.Delayed ? -1 : o,
                Id = c.Id,
            };
        }

        int Setting(int node, int index) => Nodes[node].Settings?[index] ?? descriptors[node].Settings[index].Default;
    }

    /// <summary>Priorities as the compiler makes them: cost on a fast core of the longest path from a node to the end.</summary>
    public void PrioritiseByCost()
    {
        foreach (var node in Nodes) node.Priority = 0;
        for (var i = Nodes.Count - 1; i >= 0; i--)
        {
            Nodes[i].Priority += Nodes[i].Costs[0];
            foreach (var c in Nodes[i].Cables.Where(c => !c.Delayed && c.Jack < 0))
                Nodes[c.Node].Priority = Math.Max(Nodes[c.Node].Priority, Nodes[i].Priority);
        }
    }

    private static (int Count, int Offset) Append<T>(List<byte> blob, List<T> items) where T : unmanaged
    {
        while (blob.Count % 8 != 0) blob.Add(0);
        var offset = blob.Count;
        blob.AddRange(MemoryMarshal.AsBytes<T>(CollectionsMarshal.AsSpan(items)));
        return (items.Count, offset);
    }

    /// <summary>Chains, fans, diamonds, random graphs; feedback, polyphony, sums, bypasses, jacks; random priorities.</summary>
    public static PatchDraft Random(Random random, int nodes, int quantum = 32)
    {
        var draft = new PatchDraft { Quantum = quantum, Width = nodes };
        var shape = random.Next(4);
        _ = draft.Add(TestRegistry.JackIn, 1);
        draft.Nodes[0].Inputs[0].Add(new DraftCable(0, 0, Jack: random.Next(4)));
        draft.Nodes[0].Inputs[1].Add(new DraftCable(0, 0, Jack: 0));
        if (random.Next(2) == 0) draft.Nodes[0].Inputs[1].Add(new DraftCable(0, 0, 0.5f, Jack: 1));
        int[] modules = [TestRegistry.Blend, TestRegistry.Blend, TestRegistry.Blend, TestRegistry.Wire, TestRegistry.Sleeper, TestRegistry.Tick, TestRegistry.Keeper, TestRegistry.JackOut];
        for (var i = 1; i < nodes; i++)
        {
            var index = draft.Add(modules[random.Next(modules.Length)], (ulong)random.NextInt64(1L << 40) * 4096 + (ulong)i + 1);
            var node = draft.Nodes[index];
            if (node.Module == TestRegistry.Blend && random.Next(3) == 0) node.Follow = random.Next(1, 5);
            if (node.Module == TestRegistry.Keeper) node.Settings = [random.Next(1, 5), 16];
            if (node.Module == TestRegistry.JackOut) node.JackIndex = random.Next(4);
            node.Bypassed = random.Next(12) == 0;
            node.Priority = random.Next(5) * 10f;
            foreach (var input in node.Inputs)
            {
                var count = random.Next(5) switch { 0 => 0, 1 or 2 => 1, 3 => 2, _ => random.Next(1, 5) };
                for (var c = 0; c < count; c++)
                {
                    var from = shape switch
                    {
                        0 => index - 1,
                        1 => random.Next(Math.Min(index, 3)),
                        2 => Math.Max(0, (index / 4 * 4) - 1 - random.Next(2)),
                        _ => random.Next(index),
                    };
                    if (from >= index) from = index - 1;
                    var gain = random.Next(3) == 0 ? (random.NextSingle() * 1.5f) - 0.75f : 1;
                    var outputs = Registry.Entries[draft.Nodes[from].Module].Outputs;
                    if (Registry.Descriptors[draft.Nodes[from].Module].Outputs[0].Kind == PortKind.Device) continue;
                    input.Add(new DraftCable(from, random.Next(outputs), gain));
                }
            }
        }

        // Voltages on parameters, from nodes before and, delayed, from nodes behind.
        for (var index = 1; index < nodes; index++)
        {
            var node = draft.Nodes[index];
            if (node.Module is not (TestRegistry.Blend or TestRegistry.Sleeper) || random.Next(3) != 0) continue;
            var cables = new List<DraftCable>();
            for (var c = random.Next(1, 4); c > 0; c--)
            {
                var delayed = random.Next(4) == 0;
                var from = delayed ? random.Next(index, nodes) : random.Next(index);
                var source = draft.Nodes[from];
                if (Registry.Descriptors[source.Module].Outputs[0].Kind == PortKind.Device) continue;
                if (delayed && source.Follow == 0) source.Follow = random.Next(1, 4);
                cables.Add(new DraftCable(from, 0, (random.NextSingle() * 4) - 2, delayed));
            }

            if (cables.Count > 0) node.Voltages[node.Module == TestRegistry.Blend ? random.Next(3) : 0] = cables;
        }

        // Delayed cables from later nodes to earlier ones; a node may feed itself.
        for (var f = random.Next(nodes / 4 + 1); f > 0; f--)
        {
            var to = random.Next(1, nodes);
            var from = random.Next(to, nodes);
            if (draft.Nodes[to].Inputs.Length == 0 || draft.Nodes[to].Module == TestRegistry.JackIn) continue;
            var source = draft.Nodes[from];
            if (Registry.Descriptors[source.Module].Outputs[0].Kind == PortKind.Device) continue;
            if (source.Follow == 0) source.Follow = random.Next(1, 4);
            draft.Nodes[to].Inputs[random.Next(draft.Nodes[to].Inputs.Length)].Add(new DraftCable(from, 0, 0.3f, Delayed: true));
        }

        return draft;
    }
}
