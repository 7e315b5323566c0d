// Plan descriptions of a benchmark's graphs: chain, wide, diamonds, random, voices. Every output has a buffer of its own.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.EngineHost.Bench;

/// <summary>A graph as lists of predecessors (at most two a node, each read in place), in topological order.</summary>
internal sealed class GraphBenchPlan
{
    private readonly List<(int Module, float Parameter, int[] Before)> _nodes = [];

    public int Count => _nodes.Count;

    public int Width { get; private set; } = 1;

    /// <summary>Ns of node n on core class c at n * MaxCoreClasses + c, and priorities by them; null: priorities by the modules' parameters.</summary>
    public float[]? Costs { get; set; }

    /// <summary>Steps of the modules that burn time and were given none.</summary>
    public float Load { get; set; }

    /// <summary>Modules of the longest path.</summary>
    public int Depth
    {
        get
        {
            var depth = new int[Count];
            for (var i = 0; i < Count; i++) depth[i] = 1 + _nodes[i].Before.Select(b => depth[b]).DefaultIfEmpty().Max();
            return depth.Max();
        }
    }

    private int Add(int module, params int[] before) => AddBurn(module, 0, before);

    private int AddBurn(int module, float parameter, params int[] before)
    {
        _nodes.Add((module, parameter, before));
        return _nodes.Count - 1;
    }

    public static GraphBenchPlan Chain(int count, int module = 0)
    {
        var plan = new GraphBenchPlan();
        for (var i = 0; i < count; i++) _ = i == 0 ? plan.Add(module) : plan.Add(module, i - 1);
        return plan;
    }

    /// <summary>Modules side by side, of these types.</summary>
    public static GraphBenchPlan Line(ReadOnlySpan<int> modules)
    {
        var plan = new GraphBenchPlan { Width = modules.Length };
        foreach (var m in modules) plan.Add(m);
        return plan;
    }

    public static GraphBenchPlan Wide(int count, int module = 0)
    {
        var plan = new GraphBenchPlan { Width = count };
        for (var i = 0; i < count; i++) plan.Add(module);
        return plan;
    }

    /// <summary>One to seven to one: node 0 fans out, a binary tree brings them together; again and again.</summary>
    public static GraphBenchPlan Diamonds(int count, int module = 0)
    {
        var plan = new GraphBenchPlan { Width = 4 };
        var last = plan.Add(module);
        while (plan.Count + 7 <= count)
        {
            int a = plan.Add(module, last), b = plan.Add(module, last), c = plan.Add(module, last), d = plan.Add(module, last);
            last = plan.Add(module, plan.Add(module, a, b), plan.Add(module, c, d));
        }

        return plan;
    }

    public static GraphBenchPlan Random(int count, int seed, int module = 0)
    {
        var random = new Random(seed);
        var plan = new GraphBenchPlan { Width = 8 };
        for (var i = 0; i < count; i++)
        {
            int[] before = i == 0 || random.Next(8) == 0 ? [] : random.Next(2) == 0 ? [random.Next(i)] : [random.Next(i), random.Next(i)];
            plan.Add(module, before.Distinct().ToArray());
        }

        return plan;
    }

    /// <summary>Voices of a polyphonic patch: so many chains side by side, brought together in pairs.</summary>
    public static GraphBenchPlan Voices(int voices, int length, float steps)
    {
        var plan = new GraphBenchPlan { Width = voices };
        var heads = new List<int>();
        for (var v = 0; v < voices; v++)
        {
            var at = plan.AddBurn(1, steps);
            for (var k = 1; k < length; k++) at = plan.AddBurn(1, steps, at);
            heads.Add(at);
        }

        while (heads.Count > 1) heads = heads.Chunk(2).Select(p => plan.AddBurn(1, 1, p)).ToList();
        return plan;
    }

    public unsafe byte[] Compile(int quantum)
    {
        var successors = _nodes.Select(_ => new List<int>()).ToArray();
        var below = new float[Count];
        for (var i = 0; i < Count; i++) foreach (var b in _nodes[i].Before) successors[b].Add(i);
        for (var i = Count - 1; i >= 0; i--) below[i] = (Costs?[i * Limits.MaxCoreClasses] ?? 1 + (_nodes[i].Parameter * quantum)) + successors[i].Select(s => below[s]).DefaultIfEmpty().Max();

        var header = new PlanHeader { Version = AbiVersion.Plan, Serial = 1, Quantum = quantum, BufferSlots = Count, Width = Math.Min(Width, Count) };
        var nodes = new List<PlanNode>();
        var inputs = new List<PlanInput>();
        var cables = new List<PlanCable>();
        var outputs = new List<PlanOutput>();
        var parameters = new List<float>();
        var order = new List<int>();
        for (var i = 0; i < Count; i++)
        {
            var node = new PlanNode
            {
                Key = (ulong)i + 1,
                Priority = below[i],
                Module = _nodes[i].Module,
                Slot = i,
                Pending = _nodes[i].Before.Length,
                FirstInput = inputs.Count,
                FirstOutput = i,
                FirstSuccessor = order.Count,
                SuccessorCount = successors[i].Count,
                FirstParameter = parameters.Count,
            };
            for (var c = 0; Costs != null && c < Limits.MaxCoreClasses; c++) node.Costs[c] = Costs[(i * Limits.MaxCoreClasses) + c];
            nodes.Add(node);
            order.AddRange(successors[i]);
            if (_nodes[i].Module == 1) parameters.Add(Math.Max(_nodes[i].Parameter, Load));
            outputs.Add(new PlanOutput { Slot = i, Channels = 1, Connected = successors[i].Count > 0 ? 1 : 0 });
            if (_nodes[i].Module == 2) continue; // has no inputs
            for (var p = 0; p < 2; p++)
            {
                var plugged = p < _nodes[i].Before.Length;
                inputs.Add(new PlanInput { FirstCable = cables.Count, CableCount = plugged ? 1 : 0, Channels = 1, MixSlot = -1 });
                if (plugged) cables.Add(new PlanCable { Source = _nodes[i].Before[p], Channels = 1, Gain = 1, SourceOutput = _nodes[i].Before[p] });
            }
        }

        var blob = new List<byte>(new byte[(sizeof(PlanHeader) + 7) & ~7]);
        (header.NodeCount, header.NodesOffset) = Append(blob, nodes);
        (header.InputCount, header.InputsOffset) = Append(blob, inputs);
        (header.CableCount, header.CablesOffset) = Append(blob, cables);
        (header.OutputCount, header.OutputsOffset) = Append(blob, outputs);
        (header.SuccessorCount, header.SuccessorsOffset) = Append(blob, order);
        (header.ParameterCount, header.ParametersOffset) = Append(blob, parameters);
        header.Bytes = (uint)blob.Count;
        var bytes = blob.ToArray();
        MemoryMarshal.Write(bytes, header);
        return bytes;
    }

    private static (int Count, int Offset) Append<T>(List<byte> blob, List<T> items) where T : unmanaged
    {
        while (blob.Count % 8 != 0) blob.Add(0);
        var offset = blob.Count;
        blob.AddRange(MemoryMarshal.AsBytes<T>(CollectionsMarshal.AsSpan(items)));
        return (items.Count, offset);
    }
}
