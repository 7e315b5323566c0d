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

    /// <summary>Serial number of the plan.</summary>
    public ulong Serial { get; init; } = 1;
}

/// <summary>Compiles patches. Pure and deterministic: the same arguments give the same bytes.</summary>
public static class PlanCompiler
{
    /// <summary>Cost in ns per quantum of a module type that was never measured: that of a middling one.</summary>
    public const float UnknownCost = 500f;

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
    internal static CompiledPlan? CompileChecked(Patch patch, DescriptorIndex modules, SlotMap slots, CompileOptions options, out PatchError? error)
    {
        patch = Loops.Normalise(patch, null);
        var graph = PlanGraph.Build(patch, modules);
        var firstSetting = new int[graph.Count + 1];
        var settings = Settings(patch, graph, firstSetting);
        var keys = Keys(patch, graph, settings, firstSetting);
        var slotOf = new int[graph.Count];
        if (!slots.TryAssign(keys, slotOf, out var missing))
        {
            error = PatchCheck.Bad("modules", $"{patch.Modules.Length} modules: {missing} more instances than the engine has room for while others ring out", $"at most {Limits.MaxInstances} at once");
            return null;
        }

        error = null;
        var channels = ChannelResolver.Resolve(graph, settings, firstSetting);
        var warnings = ImmutableArray.CreateBuilder<string>();
        var jacks = Jacks(patch, graph, settings, firstSetting, options, warnings);
        var mixes = new bool[channels.Inputs.Length];
        for (var i = 0; i < mixes.Length; i++)
        {
            var n = graph.InputStart[i + 1] - graph.InputStart[i];
            mixes[i] = n > 1 || (n == 1 && graph.Gain[graph.InputCables[graph.InputStart[i]]] != 1f);
        }

        var live = new bool[channels.Outputs.Length];
        for (var o = 0; o < live.Length; o++) live[o] = jacks.OfOutput[o] >= 0;
        var buffers = BufferAssigner.Assign(graph, channels, mixes, live);
        var blob = new PlanBlob(patch, graph, channels, buffers, jacks).Write(
            options.Serial, Width(graph), Priorities(graph, options.Costs.Span), keys, slotOf, settings, firstSetting);

        var instances = new PlanInstance[graph.Count];
        for (var v = 0; v < graph.Count; v++)
        {
            var p = graph.PatchIndex[v];
            instances[p] = new PlanInstance(patch.Modules[p].Id, graph.Types[v].Number, slotOf[v], keys[v]);
        }

        return new CompiledPlan
        {
            Description = ImmutableCollectionsMarshal.AsImmutableArray(blob),
            Serial = options.Serial,
            Instances = ImmutableCollectionsMarshal.AsImmutableArray(instances),
            Assets = Assets(patch, modules, instances),
            Warnings = warnings.ToImmutable(),
            Quantum = patch.Quantum,
        };
    }

    private static int[] Settings(Patch patch, PlanGraph graph, int[] first)
    {
        for (var v = 0; v < graph.Count; v++) first[v + 1] = first[v] + graph.Types[v].Descriptor.Settings.Count;
        var values = new int[first[graph.Count]];
        for (var v = 0; v < graph.Count; v++)
        {
            var d = graph.Types[v].Descriptor.Settings;
            var m = patch.Modules[graph.PatchIndex[v]];
            for (var i = 0; i < d.Count; i++) values[first[v] + i] = m.Settings.TryGet(d[i].Id, out var value) ? value : d[i].Default;
        }

        return values;
    }

    // In patch order, so that of two modules whose low 32 bits meet, the first keeps its key whatever comes after it.
    private static ulong[] Keys(Patch patch, PlanGraph graph, int[] settings, int[] firstSetting)
    {
        var nodeOf = new int[graph.Count];
        for (var v = 0; v < graph.Count; v++) nodeOf[graph.PatchIndex[v]] = v;
        var keys = new ulong[graph.Count];
        var taken = new HashSet<uint>(graph.Count);
        foreach (var v in nodeOf)
        {
            var m = patch.Modules[graph.PatchIndex[v]];
            var own = settings.AsSpan(firstSetting[v]..firstSetting[v + 1]);
            uint salt = 0;
            do keys[v] = PlanKey.Of(patch.Id, m.Id, m.Type, own, salt++);
            while ((uint)keys[v] == 0 || !taken.Add((uint)keys[v]));
        }

        return keys;
    }

    private static JackTable Jacks(
        Patch patch, PlanGraph graph, int[] settings, int[] firstSetting, CompileOptions options, ImmutableArray<string>.Builder warnings)
    {
        var table = new JackTable(graph.FirstInput[graph.Count], graph.FirstOutput[graph.Count]);
        for (var v = 0; v < graph.Count; v++)
        {
            var d = graph.Types[v].Descriptor;
            var first = d.Settings.Count > 0 && d.Settings[0].Id == "first" ? settings[firstSetting[v]] : 0;
            var id = patch.Modules[graph.PatchIndex[v]].Id;
            var number = 0;
            for (var i = 0; i < d.Inputs.Count; i++)
            {
                if (d.Inputs[i].Kind != PortKind.Device) continue;
                var used = number < d.Outputs.Count && graph.Read[graph.FirstOutput[v] + number];
                table.OfInput[graph.FirstInput[v] + i] = Jack(first + number++, options.Inputs, used ? $"{id}: the device has no input" : null, warnings);
            }

            number = 0;
            for (var i = 0; i < d.Outputs.Count; i++)
            {
                if (d.Outputs[i].Kind != PortKind.Device) continue;
                var input = graph.FirstInput[v] + number;
                var used = number < d.Inputs.Count && graph.InputStart[input + 1] > graph.InputStart[input];
                table.OfOutput[graph.FirstOutput[v] + i] = Jack(first + number++, options.Outputs, used ? $"{id}: the device has no output" : null, warnings);
            }
        }

        return table;
    }

    // A missing jack is worth a word only where its counterpart on the module (the n-th cable port) is patched.
    private static int Jack(int jack, int jacks, string? warning, ImmutableArray<string>.Builder warnings)
    {
        if (jack >= 0 && jack < Math.Min(jacks, Limits.MaxJacks)) return jack;
        if (warning is not null) warnings.Add($"{warning} jack {jack + 1}, only {jacks}");
        return -1;
    }

    // Longest remaining path of costs, this node included. Redundant edges were left out, which changes no longest path: costs are positive.
    private static float[] Priorities(PlanGraph graph, ReadOnlySpan<float> costs)
    {
        var priorities = new float[graph.Count];
        for (var v = graph.Count - 1; v >= 0; v--)
        {
            var below = 0f;
            for (var k = graph.SuccessorStart[v]; k < graph.SuccessorStart[v + 1]; k++) below = Math.Max(below, priorities[graph.Successors[k]]);
            var type = graph.Types[v].Number;
            var cost = type < costs.Length && costs[type] > 0 && float.IsFinite(costs[type]) ? costs[type] : UnknownCost;
            priorities[v] = cost + below;
        }

        return priorities;
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

    private static ImmutableArray<PlanAsset> Assets(Patch patch, DescriptorIndex modules, PlanInstance[] instances)
    {
        var assets = ImmutableArray.CreateBuilder<PlanAsset>();
        for (var i = 0; i < instances.Length; i++)
        {
            foreach (var a in patch.Modules[i].Assets)
            {
                var slot = modules.Types[instances[i].Type].Asset(a.Name);
                if (slot >= 0) assets.Add(new PlanAsset(instances[i].Module, instances[i].Slot, instances[i].Key, slot, a.Value));
            }
        }

        return assets.ToImmutable();
    }
}

/// <summary>Which jack each flat port leads to; -1: none.</summary>
internal sealed class JackTable
{
    public JackTable(int inputs, int outputs)
    {
        OfInput = new int[inputs];
        OfOutput = new int[outputs];
        Array.Fill(OfInput, -1);
        Array.Fill(OfOutput, -1);
    }

    public int[] OfInput { get; }

    public int[] OfOutput { get; }
}
