// The patch's controllers as the engine needs them: module and parameter by slot, key and number.
using SspHost.Abi;
using SspHost.Patching;

namespace SspHost.Playing;

/// <summary>A table of controllers and, row by row, what it moves in the patch.</summary>
internal sealed class MidiControllers
{
    private MidiControllers(ControllerRow[] rows, (string Module, string Parameter)[] targets, uint generation) => (Rows, Targets, Generation) = (rows, targets, generation);

    public ControllerRow[] Rows { get; }

    public (string Module, string Parameter)[] Targets { get; }

    public uint Generation { get; }

    /// <summary>The controllers of a patch whose modules play in this plan; those of modules or parameters that are not there are left out.</summary>
    public static MidiControllers Of(Patch patch, CompiledPlan? plan, DescriptorIndex modules, uint generation)
    {
        var rows = new List<ControllerRow>();
        var targets = new List<(string, string)>();
        foreach (var map in patch.Controllers)
        {
            if (rows.Count == MidiLimits.Controllers) break;
            if (Row(map, plan, modules) is not { } row) continue;
            rows.Add(row);
            targets.Add((map.Module, map.Parameter));
        }

        return new MidiControllers([.. rows], [.. targets], generation);
    }

    private static ControllerRow? Row(ControllerMap map, CompiledPlan? plan, DescriptorIndex modules)
    {
        foreach (var instance in plan?.Instances ?? [])
        {
            if (instance.Module != map.Module) continue;
            var parameters = modules.Types[instance.Type].Descriptor.Parameters;
            for (var p = 0; p < parameters.Count; p++)
            {
                var d = parameters[p];
                if (d.Id != map.Parameter) continue;
                var (from, to) = (Within(d, map.From), Within(d, map.To));
                return new ControllerRow
                {
                    Port = MidiPorts.Hash(map.Port), Channel = (byte)map.Channel, Number = (byte)map.Number, Fine = map.Fine ? (byte)1 : (byte)0,
                    Slot = checked((ushort)instance.Slot), Target = (uint)instance.Key, Parameter = p, Curve = (byte)d.Curve, Min = d.Min, Max = d.Max,
                    FromValue = from, ToValue = to, From = Travel.Of(d.Curve, d.Min, d.Max, from), To = Travel.Of(d.Curve, d.Min, d.Max, to),
                };
            }
        }

        return null;
    }

    // What an older version of the module allowed is brought into its present range.
    private static float Within(ParameterDescriptor d, float value) =>
        d.Max > d.Min ? Math.Clamp(d.Curve == ParameterCurve.Stepped ? MathF.Round(value) : value, d.Min, d.Max) : d.Min;
}
