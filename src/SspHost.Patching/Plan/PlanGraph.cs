// A patch as numbers: nodes in topological order, ports and cables as indices, who must wait for whom.
using System.Runtime.CompilerServices;

namespace SspHost.Patching;

/// <summary>
/// The graph of a checked patch. Nodes are numbered in topological order over the cables that are not delayed; among nodes that
/// are ready the first of the patch goes first. Ports are numbered flat, in node order.
/// </summary>
internal sealed class PlanGraph
{
    /// <summary>Nodes, node number to index in the wiring, and back.</summary>
    public int Count;
    public int[] Index = [], NodeOf = [];
    public ModuleType[] Types = [];

    /// <summary>First flat port of each node, one entry more than nodes. A node's parameters stand behind its inputs: cables may end there, too.</summary>
    public int[] FirstInput = [], FirstOutput = [];

    /// <summary>Cables in the wiring's order: node and flat port at both ends, and channels (0: all of the source).</summary>
    public int[] FromNode = [], FromOutput = [], ToNode = [], ToInput = [], CableChannels = [];
    public bool[] Delayed = [];

    /// <summary>Cables by flat input: those of input i are InputCables[InputStart[i]..InputStart[i + 1]], in patch order.</summary>
    public int[] InputStart = [], InputCables = [];

    /// <summary>Readers within the quantum by flat output (nodes, a node as often as it has cables there), delayed cables left out.</summary>
    public int[] ReaderStart = [], Readers = [];

    /// <summary>Whether a delayed cable starts at the flat output, and whether any cable does.</summary>
    public bool[] Feeds = [], Read = [];

    /// <summary>Bit a of row v: node a comes before node v on some path. Rows of <see cref="Words"/> words.</summary>
    public ulong[] Ancestors = [];
    public int Words;

    /// <summary>Direct successors: a predecessor that another predecessor waits for is left out (transitive reduction).</summary>
    public int[] SuccessorStart = [], Successors = [], Pending = [];

    /// <summary>Builds the graph of a wiring that is known to have no loop.</summary>
    public static PlanGraph Build(Wiring wiring) =>
        TryBuild(wiring) ?? throw new InvalidOperationException("a patch with a loop that no delayed cable breaks came past the check");

    /// <summary>Builds the graph; null where its cables form a loop.</summary>
    public static PlanGraph? TryBuild(Wiring wiring)
    {
        var g = new PlanGraph { Count = wiring.Modules.Length, CableChannels = ChannelsOf(wiring) };
        if (!g.Sort(wiring)) return null;
        g.Number(wiring);
        g.GroupCables();
        g.Reduce();
        return g;
    }

    /// <summary>Channels of each cable.</summary>
    public static int[] ChannelsOf(Wiring wiring)
    {
        var channels = new int[wiring.Cables.Length];
        for (var i = 0; i < channels.Length; i++) channels[i] = wiring.Cables[i].Channels;
        return channels;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsAncestor(int ancestor, int of) => (Ancestors[(of * Words) + (ancestor >> 6)] >> (ancestor & 63) & 1) != 0;

    // Kahn's algorithm with the smallest index first. Cable ends are left as indices of the wiring. False: a loop.
    private bool Sort(Wiring wiring)
    {
        var cables = wiring.Cables.Length;
        FromNode = new int[cables];
        ToNode = new int[cables];
        Delayed = new bool[cables];
        var pending = new int[Count];
        var start = new int[Count + 1];
        for (var i = 0; i < cables; i++)
        {
            ref var c = ref wiring.Cables[i];
            FromNode[i] = c.From;
            ToNode[i] = c.To;
            Delayed[i] = c.Delayed;
            if (c.Delayed) continue;
            pending[ToNode[i]]++;
            start[FromNode[i] + 1]++;
        }

        for (var i = 0; i < Count; i++) start[i + 1] += start[i];
        var next = new int[start[Count]];
        var fill = start.AsSpan(0, Count).ToArray();
        for (var i = 0; i < cables; i++)
        {
            if (!Delayed[i]) next[fill[FromNode[i]]++] = ToNode[i];
        }

        var ready = new PriorityQueue<int, int>(Count);
        for (var i = 0; i < Count; i++)
        {
            if (pending[i] == 0) ready.Enqueue(i, i);
        }

        Index = new int[Count];
        NodeOf = new int[Count];
        var n = 0;
        while (ready.TryDequeue(out var at, out _))
        {
            NodeOf[at] = n;
            Index[n++] = at;
            for (var k = start[at]; k < start[at + 1]; k++)
            {
                if (--pending[next[k]] == 0) ready.Enqueue(next[k], next[k]);
            }
        }

        return n == Count;
    }

    private void Number(Wiring wiring)
    {
        Types = new ModuleType[Count];
        FirstInput = new int[Count + 1];
        FirstOutput = new int[Count + 1];
        for (var i = 0; i < Count; i++)
        {
            Types[i] = wiring.Modules[Index[i]].Type;
            FirstInput[i + 1] = FirstInput[i] + Types[i].Descriptor.Inputs.Count + Types[i].Descriptor.Parameters.Count;
            FirstOutput[i + 1] = FirstOutput[i] + Types[i].Descriptor.Outputs.Count;
        }

        FromOutput = new int[FromNode.Length];
        ToInput = new int[FromNode.Length];
        for (var i = 0; i < FromNode.Length; i++)
        {
            var (from, to) = (NodeOf[FromNode[i]], NodeOf[ToNode[i]]);
            FromNode[i] = from;
            ToNode[i] = to;
            FromOutput[i] = FirstOutput[from] + wiring.Cables[i].FromPort;
            ToInput[i] = FirstInput[to] + wiring.Cables[i].ToPort;
        }
    }

    private void GroupCables()
    {
        var (inputs, outputs) = (FirstInput[Count], FirstOutput[Count]);
        InputStart = new int[inputs + 1];
        ReaderStart = new int[outputs + 1];
        Feeds = new bool[outputs];
        Read = new bool[outputs];
        for (var i = 0; i < ToInput.Length; i++)
        {
            InputStart[ToInput[i] + 1]++;
            Read[FromOutput[i]] = true;
            if (Delayed[i]) Feeds[FromOutput[i]] = true;
            else ReaderStart[FromOutput[i] + 1]++;
        }

        for (var i = 0; i < inputs; i++) InputStart[i + 1] += InputStart[i];
        for (var i = 0; i < outputs; i++) ReaderStart[i + 1] += ReaderStart[i];
        InputCables = new int[ToInput.Length];
        Readers = new int[ReaderStart[outputs]];
        var fillInput = InputStart.AsSpan(0, inputs).ToArray();
        var fillReader = ReaderStart.AsSpan(0, outputs).ToArray();
        for (var i = 0; i < ToInput.Length; i++)
        {
            InputCables[fillInput[ToInput[i]]++] = i;
            if (!Delayed[i]) Readers[fillReader[FromOutput[i]]++] = ToNode[i];
        }
    }

    // Ancestors by union over predecessors, the latest first: one that is already an ancestor by then is waited for through another.
    private void Reduce()
    {
        Words = (Count + 63) >> 6;
        Ancestors = new ulong[Count * Words];
        Pending = new int[Count];
        SuccessorStart = new int[Count + 1];
        var edges = new List<(int From, int To)>(FromNode.Length);
        var before = new int[FromNode.Length];
        for (var v = 0; v < Count; v++)
        {
            var n = 0;
            for (var k = InputStart[FirstInput[v]]; k < InputStart[FirstInput[v + 1]]; k++)
            {
                var c = InputCables[k];
                if (!Delayed[c]) before[n++] = FromNode[c];
            }

            before.AsSpan(0, n).Sort();
            var row = Ancestors.AsSpan(v * Words, Words);
            for (var k = n - 1; k >= 0; k--)
            {
                var p = before[k];
                if ((row[p >> 6] >> (p & 63) & 1) != 0) continue;
                var theirs = Ancestors.AsSpan(p * Words, (p >> 6) + 1); // ancestors of p have smaller numbers
                for (var w = 0; w < theirs.Length; w++) row[w] |= theirs[w];
                row[p >> 6] |= 1UL << (p & 63);
                edges.Add((p, v));
                Pending[v]++;
                SuccessorStart[p + 1]++;
            }
        }

        for (var i = 0; i < Count; i++) SuccessorStart[i + 1] += SuccessorStart[i];
        Successors = new int[edges.Count];
        var fill = SuccessorStart.AsSpan(0, Count).ToArray();
        foreach (var (from, to) in edges) Successors[fill[from]++] = to; // in order of "to": deterministic
    }
}
