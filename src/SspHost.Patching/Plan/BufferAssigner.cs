// Where every signal lies: buffers are reused only where no schedule whatever could mix up old and new.
namespace SspHost.Patching;

/// <summary>
/// Assigns buffer slots (one channel of one quantum each; the channels of a signal follow each other). The rule: a node may take a slot
/// only if the writer of its old value and all readers of it are ancestors of the node. Disjoint lifetimes in topological order
/// are not enough, for nodes run in parallel in any order their cables allow.
/// </summary>
internal sealed class BufferAssigner
{
    private const int Pinned = -2, Mix = -1;

    private readonly PlanGraph _graph;
    private int[] _writer = new int[256]; // node
    private int[] _value = new int[256]; // flat output, Mix or Pinned

    /// <summary>Slot by flat output; slot of the sum by flat input or -1; slot of a feedback's memory by flat output or -1.</summary>
    public int[] Outputs, Mixes, Feedback;

    /// <summary>Slots in all.</summary>
    public int Count;

    private BufferAssigner(PlanGraph graph)
    {
        _graph = graph;
        Outputs = new int[graph.FirstOutput[graph.Count]];
        Feedback = new int[Outputs.Length];
        Mixes = new int[graph.FirstInput[graph.Count]];
        Array.Fill(Feedback, -1);
        Array.Fill(Mixes, -1);
    }

    /// <param name="graph">The graph.</param>
    /// <param name="channels">Channels of every port.</param>
    /// <param name="mixes">Inputs that need a buffer of their own to sum in.</param>
    /// <param name="live">Outputs that must stay to the end of the quantum: those to the device.</param>
    public static BufferAssigner Assign(PlanGraph graph, ChannelResolver channels, bool[] mixes, bool[] live)
    {
        var a = new BufferAssigner(graph);
        for (var o = 0; o < a.Feedback.Length; o++)
        {
            if (graph.Feeds[o]) a.Feedback[o] = a.Append(channels.Outputs[o], 0, Pinned);
        }

        for (var v = 0; v < graph.Count; v++)
        {
            // The sum of an input is this node's own: written and read by it alone.
            for (var i = graph.FirstInput[v]; i < graph.FirstInput[v + 1]; i++)
            {
                if (mixes[i]) a.Mixes[i] = a.Take(v, channels.Inputs[i], Mix);
            }

            for (var o = graph.FirstOutput[v]; o < graph.FirstOutput[v + 1]; o++)
                a.Outputs[o] = a.Take(v, channels.Outputs[o], graph.Feeds[o] || live[o] ? Pinned : o);
        }

        return a;
    }

    // The lowest run of slots that the node may take, extended past the end where the last ones are free but too few.
    private int Take(int node, int channels, int value)
    {
        var run = 0;
        for (var s = 0; s < Count; s++)
        {
            if (!MayTake(s, node))
            {
                run = 0;
                continue;
            }

            if (++run < channels) continue;
            var first = s - channels + 1;
            for (var k = first; k <= s; k++)
            {
                _writer[k] = node;
                _value[k] = value;
            }

            return first;
        }

        for (var k = Count - run; k < Count; k++)
        {
            _writer[k] = node;
            _value[k] = value;
        }

        return Append(channels - run, node, value) - run;
    }

    private int Append(int channels, int node, int value)
    {
        var first = Count;
        Count += channels;
        if (Count > _writer.Length)
        {
            Array.Resize(ref _writer, Math.Max(Count, _writer.Length * 2));
            Array.Resize(ref _value, _writer.Length);
        }

        for (var k = first; k < Count; k++)
        {
            _writer[k] = node;
            _value[k] = value;
        }

        return first;
    }

    private bool MayTake(int slot, int node)
    {
        var value = _value[slot];
        if (value == Pinned || !_graph.IsAncestor(_writer[slot], node)) return false;
        if (value == Mix) return true;
        for (var k = _graph.ReaderStart[value]; k < _graph.ReaderStart[value + 1]; k++)
        {
            if (!_graph.IsAncestor(_graph.Readers[k], node)) return false;
        }

        return true;
    }
}
