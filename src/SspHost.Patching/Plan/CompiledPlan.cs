// What the compiler makes of a patch: the description for the engine, and who is where in it.
using System.Collections.Immutable;
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>A module's place in a plan.</summary>
/// <param name="Module">Its id in the patch.</param>
/// <param name="Type">Number of its type.</param>
/// <param name="Slot">Slot in the instance table.</param>
/// <param name="Key">Identity of the instance; its low 32 bits address events and are unique in the plan and never 0.</param>
public readonly record struct PlanInstance(string Module, int Type, int Slot, ulong Key);

/// <summary>A file that belongs into an asset slot of an instance.</summary>
/// <param name="Path">Relative to the patch; null: the slot is to be empty.</param>
public readonly record struct PlanAsset(string Module, int Slot, ulong Key, int AssetSlot, string? Path);

/// <summary>A compiled patch. Immutable.</summary>
public sealed class CompiledPlan
{
    /// <summary>The plan description (<see cref="PlanHeader"/>), to be copied into a granted block as it is.</summary>
    public required ImmutableArray<byte> Description { get; init; }

    /// <summary>Serial number, as in the header.</summary>
    public required ulong Serial { get; init; }

    /// <summary>Instances in the order of the patch's modules.</summary>
    public required ImmutableArray<PlanInstance> Instances { get; init; }

    /// <summary>Instances of modules that are no longer in the patch and play on for a while.</summary>
    public required ImmutableArray<PlanInstance> Leaving { get; init; }

    /// <summary>Files to load, in the order of the patch's modules.</summary>
    public required ImmutableArray<PlanAsset> Assets { get; init; }

    /// <summary>One line each: what is not as the patch says (a jack the device does not have).</summary>
    public required ImmutableArray<string> Warnings { get; init; }

    /// <summary>Frames of a quantum.</summary>
    public required int Quantum { get; init; }
}
