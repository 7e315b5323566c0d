// Where every signal lies: buffers are reused only where no schedule whatever could mix up old and new.
using System.Numerics;

namespace SspHost.Patching;

/// <summary>
/// Assigns buffer slots (one channel of one quantum each; the channels of a signal follow each other). The rule: a node may take a slot
/// only if the writer of its old value and all readers of it are ancestors of the node. Disjoint lifetimes in topological order
/// are not enough, for nodes run in parallel in any order their cables allow.
/// </summary>
/// <remarks>
/// Of all slots only a few are ever worth a look: each is filed under the last node (in topological order) that its present value has
/// business with, and a node looks only under its own ancestors. What remains is checked in full.
/// </remarks>
internal sealed class BufferAssigner
{
    private const int Pinned = -2, Mix = -1;

    private readonly PlanGraph _graph;

    // By slot: the node that wrote its value, the value (flat output, Mix or Pinned), its neighbours in the file.
    private int[] _writer = new int[256], _value = new int[256], _next = new int[256], _previous = new int[256];

    // By node: its file, and which files hold anything.
    private readonly int[] _file;
    private readonly ulong[] _filed;

    // Slots the present node may take.
    private ulong[] _free = new ulong[4];

    /// <summary>Slot by flat output; slot of the sum by flat input or -1; slot of a feedback's memory by flat output or -1.</summary>
    public int[] Outputs, Mixes, Feedback;

    /// <summary>Outputs that lead to the device.</summary>
    public bool[] Live = [];

    /// <summary>Slots in all.</summary>
    public int Count;

    private BufferAssigner(PlanGraph graph)
    {
        _graph = graph;
        _file = new int[graph.Count];
        _filed = new ulong[graph.Words];
        Array.Fill(_file, -1);
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
        var a = new BufferAssigner(graph) { Live = live };
        for (var o = 0; o < a.Feedback.Length; o++)
        {
            if (graph.Feeds[o]) a.Feedback[o] = a.Append(channels.Outputs[o], 0, Pinned);
        }

        for (var v = 0; v < graph.Count; v++)
        {
            a.Gather(v);

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

    // Marks the slots the node may take.
    private void Gather(int node)
    {
        Array.Clear(_free);
        var ancestors = _graph.Ancestors.AsSpan(node * _graph.Words, _graph.Words);
        for (var w = 0; w < ancestors.Length; w++)
        {
            for (var files = ancestors[w] & _filed[w]; files != 0; files &= files - 1)
            {
                var (value, writer, may) = (Pinned, -1, false); // channels of one signal have one answer
                for (var s = _file[(w << 6) + BitOperations.TrailingZeroCount(files)]; s >= 0; s = _next[s])
                {
                    if (_value[s] != value || _writer[s] != writer) (value, writer, may) = (_value[s], _writer[s], MayTake(s, node));
                    if (may) _free[s >> 6] |= 1UL << (s & 63);
                }
            }
        }
    }

    // The lowest run of slots that the node may take, extended past the end where the last ones are free but too few.
    private int Take(int node, int channels, int value)
    {
        int run = 0, last = -2;
        for (var w = 0; w < _free.Length; w++)
        {
            for (var bits = _free[w]; bits != 0; bits &= bits - 1)
            {
                var s = (w << 6) + BitOperations.TrailingZeroCount(bits);
                run = s == last + 1 ? run + 1 : 1;
                last = s;
                if (run == channels) return Own(s - channels + 1, channels, node, value);
            }
        }

        if (last != Count - 1) run = 0;
        if (run == 0) return Append(channels, node, value);
        _ = Own(Count - run, run, node, value);
        return Append(channels - run, node, value) - run;
    }

    private int Append(int channels, int node, int value)
    {
        var first = Count;
        Count += channels;
        if (Count > _writer.Length)
        {
            var length = Math.Max(Count, _writer.Length * 2);
            Array.Resize(ref _writer, length);
            Array.Resize(ref _value, length);
            Array.Resize(ref _next, length);
            Array.Resize(ref _previous, length);
            Array.Resize(ref _free, (length + 63) >> 6);
        }

        for (var s = first; s < Count; s++) File(s, node, value);
        return first;
    }

    private int Own(int first, int channels, int node, int value)
    {
        for (var s = first; s < first + channels; s++)
        {
            _free[s >> 6] &= ~(1UL << (s & 63));
            Unfile(s);
            File(s, node, value);
        }

        return first;
    }

    private void File(int slot, int node, int value)
    {
        _writer[slot] = node;
        _value[slot] = value;
        if (value == Pinned) return;
        var last = LastWith(slot);
        var head = _file[last];
        _next[slot] = head;
        _previous[slot] = -1;
        if (head >= 0) _previous[head] = slot;
        _file[last] = slot;
        _filed[last >> 6] |= 1UL << (last & 63);
    }

    private void Unfile(int slot)
    {
        var (next, previous) = (_next[slot], _previous[slot]);
        if (next >= 0) _previous[next] = previous;
        if (previous >= 0)
        {
            _next[previous] = next;
            return;
        }

        var last = LastWith(slot);
        _file[last] = next;
        if (next < 0) _filed[last >> 6] &= ~(1UL << (last & 63));
    }

    // Readers stand in patch order, not in node order.
    private int LastWith(int slot)
    {
        var last = _writer[slot];
        var value = _value[slot];
        if (value == Mix) return last;
        for (var k = _graph.ReaderStart[value]; k < _graph.ReaderStart[value + 1]; k++) last = Math.Max(last, _graph.Readers[k]);
        return last;
    }

    private bool MayTake(int slot, int node)
    {
        var value = _value[slot];
        if (!_graph.IsAncestor(_writer[slot], node)) return false;
        if (value == Mix) return true;
        for (var k = _graph.ReaderStart[value]; k < _graph.ReaderStart[value + 1]; k++)
        {
            if (!_graph.IsAncestor(_graph.Readers[k], node)) return false;
        }

        return true;
    }
}
