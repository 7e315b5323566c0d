// A Patch is compiled to a Plan: order, channels, buffers, feedback, priorities, and the blob that says it all.
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>What a patch is compiled for.</summary>
public sealed record CompileOptions
{
    /// <summary>Jacks of the device in each direction.</summary>
    public int Inputs { get; init; } = 16;

    /// <inheritdoc cref="Inputs"/>
    public int Outputs { get; init; } = 8;

    /// <summary>Measured cost of a module type in ns per quantum, by type number; missing, zero or not finite: unknown.</summary>
    public ReadOnlyMemory<float> Costs { get; init; }

    /// <summary>The same on the cores of each slower class, the faster of them first; a type that is unknown there stays on the fast cores.</summary>
    public IReadOnlyList<ReadOnlyMemory<float>> SlowCosts { get; init; } = [];

    /// <summary>Serial number of the plan.</summary>
    public ulong Serial { get; init; } = 1;
}

/// <summary>Compiles patches. Pure and deterministic: the same arguments give the same bytes.</summary>
public static class PlanCompiler
{
    /// <summary>Cost in ns per quantum of a module type that was never measured: that of a middling one.</summary>
    public const float UnknownCost = 500f;

    // What the engine takes at most: a second.
    private const float MostCost = 1e9f;

    /// <summary>
    /// Compiles a patch. Null with one error where the patch asks for what is not there. Nothing is changed, <paramref name="slots"/>
    /// included: it learns of the plan by <see cref="SlotMap.Installed"/>.
    /// </summary>
    public static CompiledPlan? Compile(Patch patch, DescriptorIndex modules, SlotMap slots, CompileOptions options, out PatchError? error)
    {
        error = PatchCheck.Structure(patch) ?? PatchCheck.Types(patch, modules);
        if (error is not null) return null;
        return CompileChecked(patch, modules, slots, options, out error);
    }

    /// <summary>The same for a patch that is known to have passed both checks and whose loops are in order.</summary>
    internal static CompiledPlan? CompileChecked(Patch patch, DescriptorIndex modules, SlotMap slots, CompileOptions options, out PatchError? error) =>
        Compile(Wiring.Of(Loops.Normalise(patch, null), modules, options), slots, options, out error);

    /// <summary>Compiles a wiring without a loop.</summary>
    internal static CompiledPlan? Compile(Wiring wiring, SlotMap slots, CompileOptions options, out PatchError? error)
    {
        var keys = Array.ConvertAll(wiring.Modules, m => m.Key);
        var slotOf = new int[keys.Length];
        if (!slots.TryAssign(keys, slotOf, out var missing))
        {
            error = PatchCheck.Bad(
                "modules", $"{wiring.Own} modules: {missing} more instances than the engine has room for while others ring out", $"at most {Limits.MaxInstances} at once");
            return null;
        }

        error = null;
        var graph = wiring.Graph ?? PlanGraph.Build(wiring);
        var channels = wiring.Channels ?? ChannelResolver.Resolve(graph, wiring);
        var mixes = new bool[channels.Inputs.Length];
        for (var v = 0; v < graph.Count; v++)
        {
            for (var i = graph.FirstInput[v]; i < graph.FirstInput[v] + graph.Types[v].Descriptor.Inputs.Count; i++) mixes[i] = NeedsMix(i, wiring, graph, channels);
        }

        var live = new bool[channels.Outputs.Length];
        foreach (ref readonly var line in wiring.Lines.AsSpan()) live[graph.FirstOutput[graph.NodeOf[line.Module]] + line.Port] = true;
        var buffers = BufferAssigner.Assign(graph, channels, mixes, live);
        var slotOfNode = new int[graph.Count];
        for (var v = 0; v < graph.Count; v++) slotOfNode[v] = slotOf[graph.Index[v]];
        var blob = new PlanBlob(wiring, graph, channels, buffers, InputJacks(wiring, graph, options))
            .Write(options.Serial, Width(graph), Priorities(graph, options.Costs.Span), Costs(graph, options), slotOfNode);

        var instances = new PlanInstance[wiring.Modules.Length];
        for (var i = 0; i < instances.Length; i++)
        {
            var m = wiring.Modules[i];
            instances[i] = new PlanInstance(m.Module.Id, m.Type.Number, slotOf[i], m.Key);
        }

        return new CompiledPlan
        {
            Description = ImmutableCollectionsMarshal.AsImmutableArray(blob),
            Serial = options.Serial,
            Instances = [.. instances.AsSpan(0, wiring.Own)],
            Leaving = [.. instances.AsSpan(wiring.Own)],
            Assets = Assets(wiring, instances),
            Warnings = wiring.Warnings,
            Quantum = wiring.Quantum,
        };
    }

    // A single cable is read in place where nothing has to be done to it on the way.
    private static bool NeedsMix(int input, Wiring wiring, PlanGraph graph, ChannelResolver channels)
    {
        var cables = graph.InputStart[input + 1] - graph.InputStart[input];
        if (cables != 1) return cables > 1;
        ref readonly var c = ref wiring.Cables[graph.InputCables[graph.InputStart[input]]];
        return c.Ramps || c.Gain != 1f || c.Channels < channels.Inputs[input];
    }

    private static int[] InputJacks(Wiring wiring, PlanGraph graph, CompileOptions options)
    {
        var jacks = new int[graph.FirstInput[graph.Count]];
        Array.Fill(jacks, -1);
        for (var m = 0; m < wiring.Modules.Length; m++)
        {
            var ports = wiring.Modules[m].Type.Descriptor.Inputs;
            var number = 0;
            for (var p = 0; p < ports.Count; p++)
            {
                if (ports[p].Kind == PortKind.Device) jacks[graph.FirstInput[graph.NodeOf[m]] + p] = wiring.JackOf(m, number++, options.Inputs);
            }
        }

        return jacks;
    }

    // Longest remaining path of costs, this node included. Redundant edges were left out, which changes no longest path: costs are positive.
    private static float[] Priorities(PlanGraph graph, ReadOnlySpan<float> costs)
    {
        var priorities = new float[graph.Count];
        for (var v = graph.Count - 1; v >= 0; v--)
        {
            var below = 0f;
            for (var k = graph.SuccessorStart[v]; k < graph.SuccessorStart[v + 1]; k++) below = Math.Max(below, priorities[graph.Successors[k]]);
            priorities[v] = CostOf(graph, v, costs, UnknownCost) + below;
        }

        return priorities;
    }

    private static float CostOf(PlanGraph graph, int node, ReadOnlySpan<float> costs, float otherwise)
    {
        var type = graph.Types[node].Number;
        return type < costs.Length && costs[type] > 0 && float.IsFinite(costs[type]) ? Math.Min(costs[type], MostCost) : otherwise;
    }

    private static float[] Costs(PlanGraph graph, CompileOptions options)
    {
        var costs = new float[graph.Count * Limits.MaxCoreClasses];
        for (var v = 0; v < graph.Count; v++)
        {
            costs[v * Limits.MaxCoreClasses] = CostOf(graph, v, options.Costs.Span, UnknownCost);
            for (var c = 1; c < Limits.MaxCoreClasses && c <= options.SlowCosts.Count; c++)
                costs[(v * Limits.MaxCoreClasses) + c] = CostOf(graph, v, options.SlowCosts[c - 1].Span, 0);
        }

        return costs;
    }

    // The most nodes that can run at once is the largest antichain, which is the smallest number of chains that cover the graph
    // (Dilworth 1950). Any cover has at least as many chains, so a greedy one is an upper bound: no worker that could help stays
    // asleep. A node extends the chain whose end is its latest ancestor.
    private static int Width(PlanGraph graph)
    {
        var ends = new int[graph.Count];
        var chains = 0;
        for (var v = 0; v < graph.Count; v++)
        {
            var best = -1;
            if (graph.Pending[v] > 0)
            {
                for (var c = 0; c < chains; c++)
                {
                    if ((best < 0 || ends[c] > ends[best]) && graph.IsAncestor(ends[c], v)) best = c;
                }
            }

            ends[best < 0 ? chains++ : best] = v;
        }

        return chains;
    }

    private static ImmutableArray<PlanAsset> Assets(Wiring wiring, PlanInstance[] instances)
    {
        var assets = ImmutableArray.CreateBuilder<PlanAsset>();
        for (var i = 0; i < wiring.Own; i++)
        {
            foreach (var a in wiring.Modules[i].Module.Assets)
            {
                var slot = wiring.Modules[i].Type.Asset(a.Name);
                if (slot >= 0) assets.Add(new PlanAsset(instances[i].Module, instances[i].Slot, instances[i].Key, slot, a.Value));
            }
        }

        return assets.ToImmutable();
    }
}
