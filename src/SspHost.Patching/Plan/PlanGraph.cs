// A patch as numbers: nodes in topological order, ports and cables as indices, who must wait for whom.
using System.Runtime.CompilerServices;

namespace SspHost.Patching;

/// <summary>
/// The graph of a checked patch. Nodes are numbered in topological order over the cables that are not delayed; among nodes that
/// are ready the first of the patch goes first. Ports are numbered flat, in node order.
/// </summary>
internal sealed class PlanGraph
{
    /// <summary>Nodes, and node number to index in the patch.</summary>
    public int Count;
    public int[] PatchIndex = [];
    public ModuleType[] Types = [];

    /// <summary>First flat port of each node, one entry more than nodes.</summary>
    public int[] FirstInput = [], FirstOutput = [];

    /// <summary>Cables in patch order: node and flat port at both ends.</summary>
    public int[] FromNode = [], FromOutput = [], ToNode = [], ToInput = [];
    public float[] Gain = [];
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

    /// <summary>Builds the graph. The patch must have passed <see cref="PatchCheck.Types(Patch, DescriptorIndex, List{string})"/>.</summary>
    public static PlanGraph Build(Patch patch, DescriptorIndex modules)
    {
        var g = new PlanGraph { Count = patch.Modules.Length };
        var node = g.Sort(patch);
        g.Number(patch, modules, node);
        g.GroupCables();
        g.Reduce();
        return g;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsAncestor(int ancestor, int of) => (Ancestors[(of * Words) + (ancestor >> 6)] >> (ancestor & 63) & 1) != 0;

    // Kahn's algorithm with the smallest patch index first; answers patch index to node. Cable ends are left as patch indices.
    private int[] Sort(Patch patch)
    {
        var cables = patch.Cables.Length;
        FromNode = new int[cables];
        ToNode = new int[cables];
        Delayed = new bool[cables];
        Gain = new float[cables];
        var pending = new int[Count];
        var start = new int[Count + 1];
        for (var i = 0; i < cables; i++)
        {
            var c = patch.Cables[i];
            FromNode[i] = patch.IndexOf(c.From.Module);
            ToNode[i] = patch.IndexOf(c.To.Module);
            Delayed[i] = c.Delayed;
            Gain[i] = c.Gain;
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

        PatchIndex = new int[Count];
        var node = new int[Count];
        var n = 0;
        while (ready.TryDequeue(out var at, out _))
        {
            node[at] = n;
            PatchIndex[n++] = at;
            for (var k = start[at]; k < start[at + 1]; k++)
            {
                if (--pending[next[k]] == 0) ready.Enqueue(next[k], next[k]);
            }
        }

        if (n != Count) throw new InvalidOperationException("a patch with a loop that no delayed cable breaks came past the check");
        return node;
    }

    private void Number(Patch patch, DescriptorIndex modules, int[] node)
    {
        Types = new ModuleType[Count];
        FirstInput = new int[Count + 1];
        FirstOutput = new int[Count + 1];
        for (var i = 0; i < Count; i++)
        {
            Types[i] = modules.Find(patch.Modules[PatchIndex[i]].Type)!;
            FirstInput[i + 1] = FirstInput[i] + Types[i].Descriptor.Inputs.Count;
            FirstOutput[i + 1] = FirstOutput[i] + Types[i].Descriptor.Outputs.Count;
        }

        FromOutput = new int[FromNode.Length];
        ToInput = new int[FromNode.Length];
        for (var i = 0; i < FromNode.Length; i++)
        {
            var (from, to) = (node[FromNode[i]], node[ToNode[i]]);
            FromNode[i] = from;
            ToNode[i] = to;
            FromOutput[i] = FirstOutput[from] + Types[from].Output(patch.Cables[i].From.Port);
            ToInput[i] = FirstInput[to] + Types[to].Input(patch.Cables[i].To.Port);
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
