// What lies between two patches as far as the engine is concerned.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>Tells a new plan from moves that the playing one can take.</summary>
internal static class Transition
{
    /// <summary>How far a change reaches.</summary>
    public static ChangeKind Classify(Patch before, Patch after)
    {
        if (before.Id != after.Id || before.Quantum != after.Quantum || before.Modules.Length != after.Modules.Length || before.Cables.Length != after.Cables.Length)
            return ChangeKind.Structure;
        for (var i = 0; i < after.Cables.Length; i++)
        {
            var (a, b) = (before.Cables[i], after.Cables[i]);
            if (!ReferenceEquals(a, b) && (a.From != b.From || a.To != b.To || a.Gain != b.Gain || a.Delayed != b.Delayed)) return ChangeKind.Structure;
        }

        var kind = ChangeKind.Cosmetic;
        for (var i = 0; i < after.Modules.Length; i++)
        {
            var (a, b) = (before.Modules[i], after.Modules[i]);
            if (ReferenceEquals(a, b)) continue;
            if (a.Id != b.Id || a.Type != b.Type || a.Bypass != b.Bypass || a.Settings != b.Settings) return ChangeKind.Structure;
            if (a.Parameters != b.Parameters || a.Assets != b.Assets || a.State != b.State) kind = ChangeKind.Values;
        }

        return kind;
    }

    /// <summary>Parameters of a module whose values differ, defaults included.</summary>
    public static void Moves(Module before, Module after, ModuleType type, List<(int Parameter, float Value)> moves)
    {
        moves.Clear();
        if (before.Parameters == after.Parameters) return;
        var d = type.Descriptor.Parameters;
        for (var i = 0; i < d.Count; i++)
        {
            var value = Value(after, d[i]);
            if (Value(before, d[i]) != value) moves.Add((i, value));
        }
    }

    /// <summary>A parameter's value: what the patch says, else the default.</summary>
    public static float Value(Module module, ParameterDescriptor parameter) => module.Parameters.TryGet(parameter.Id, out var value) ? value : parameter.Default;

    /// <summary>The event that moves a parameter of an instance.</summary>
    public static ModuleEvent Event(in PlanInstance instance, int parameter, float value) => new()
    {
        Target = (uint)instance.Key,
        Slot = checked((ushort)instance.Slot),
        Kind = EventKind.Parameter,
        Index = parameter,
        Value = value,
    };
}
