// How many channels every port carries: the rules of the ports, carried along the cables until nothing grows any more.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>
/// Least fixed point of the channel rules. Every rule only ever grows with what it reads and is capped at 16, so the result
/// exists, is one, and does not depend on the order of work, feedback or not.
/// </summary>
internal sealed class ChannelResolver
{
    /// <summary>Channels by flat port, 1..16.</summary>
    public int[] Inputs = [], Outputs = [];

    /// <param name="graph">The graph of the wiring.</param>
    /// <param name="wiring">The wiring. An output that follows carries at least what its cables and jack lines carry of it: one that leaves
    /// keeps its channels, though nobody plugs as many in any more.</param>
    public static ChannelResolver Resolve(PlanGraph graph, Wiring wiring)
    {
        var r = new ChannelResolver { Inputs = new int[graph.FirstInput[graph.Count]], Outputs = new int[graph.FirstOutput[graph.Count]] };
        Array.Fill(r.Inputs, 1);
        var limit = new int[r.Inputs.Length]; // most channels an input takes
        var follows = new bool[graph.Count]; // whether the node has outputs that follow
        for (var v = 0; v < graph.Count; v++)
        {
            var d = graph.Types[v].Descriptor;
            var own = wiring.Modules[graph.Index[v]].Settings;
            for (var i = 0; i < d.Inputs.Count; i++) limit[graph.FirstInput[v] + i] = Given(d.Inputs[i], own, Limits.MaxChannels);
            for (var i = 0; i < d.Outputs.Count; i++)
            {
                r.Outputs[graph.FirstOutput[v] + i] = Given(d.Outputs[i], own, 1);
                follows[v] |= d.Outputs[i].Rule == ChannelRule.Follow;
            }
        }

        for (var i = 0; i < graph.FromOutput.Length; i++) r.AtLeast(graph.FromOutput[i], graph.CableChannels[i]);
        foreach (ref readonly var line in wiring.Lines.AsSpan()) r.AtLeast(graph.FirstOutput[graph.NodeOf[line.Module]] + line.Port, line.Channel + 1);

        // A queue of nodes whose inputs may have grown, each in it once; an input grows at most fifteen times.
        var queued = new bool[graph.Count];
        var queue = new Queue<int>(graph.Count);
        for (var v = 0; v < graph.Count; v++)
        {
            queue.Enqueue(v);
            queued[v] = true;
        }

        var outStart = CablesByOutput(graph, out var outCables);
        while (queue.TryDequeue(out var v))
        {
            queued[v] = false;
            var d = graph.Types[v].Descriptor;
            var widest = 1;
            for (var i = 0; i < d.Inputs.Count; i++)
            {
                var input = graph.FirstInput[v] + i;
                var channels = 1;
                for (var k = graph.InputStart[input]; k < graph.InputStart[input + 1]; k++)
                {
                    var cable = graph.InputCables[k];
                    channels = Math.Max(channels, graph.CableChannels[cable] > 0 ? graph.CableChannels[cable] : r.Outputs[graph.FromOutput[cable]]);
                }

                r.Inputs[input] = Math.Min(channels, limit[input]);
                if (d.Inputs[i].Rule == ChannelRule.Follow) widest = Math.Max(widest, r.Inputs[input]);
            }

            if (!follows[v]) continue;
            // All of them are as wide as the widest, be it by a cable that only carries on: a module counts its voices by any of them.
            for (var i = 0; i < d.Outputs.Count; i++)
            {
                if (d.Outputs[i].Rule == ChannelRule.Follow) widest = Math.Max(widest, r.Outputs[graph.FirstOutput[v] + i]);
            }

            for (var i = 0; i < d.Outputs.Count; i++)
            {
                var output = graph.FirstOutput[v] + i;
                if (d.Outputs[i].Rule != ChannelRule.Follow || r.Outputs[output] >= widest) continue;
                r.Outputs[output] = widest;
                for (var k = outStart[output]; k < outStart[output + 1]; k++)
                {
                    var to = graph.ToNode[outCables[k]];
                    if (queued[to]) continue;
                    queued[to] = true;
                    queue.Enqueue(to);
                }
            }
        }

        return r;
    }

    private void AtLeast(int output, int channels) => Outputs[output] = Math.Max(Outputs[output], channels);

    private static int Given(PortDescriptor port, ReadOnlySpan<int> settings, int follow) => port.Rule switch
    {
        ChannelRule.Fixed => Math.Clamp((int)port.Channels, 1, Limits.MaxChannels),
        ChannelRule.Setting => port.Channels < settings.Length ? Math.Clamp(settings[port.Channels], 1, Limits.MaxChannels) : 1,
        _ => follow,
    };

    private static int[] CablesByOutput(PlanGraph graph, out int[] cables)
    {
        var start = new int[graph.FirstOutput[graph.Count] + 1];
        foreach (var o in graph.FromOutput) start[o + 1]++;
        for (var i = 0; i + 1 < start.Length; i++) start[i + 1] += start[i];
        cables = new int[graph.FromOutput.Length];
        var fill = start.AsSpan(0, start.Length - 1).ToArray();
        for (var i = 0; i < cables.Length; i++) cables[fill[graph.FromOutput[i]]++] = i;
        return start;
    }
}
