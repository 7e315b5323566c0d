// A Patch is compiled to a Plan: order, buffers, feedback, priorities.
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
    /// <summary>
    /// Compiles a patch. Null with one error where the patch asks for what is not there; nothing is changed, <paramref name="slots"/>
    /// included: it learns of the plan by <see cref="SlotMap.Installed"/>.
    /// </summary>
    public static CompiledPlan? Compile(Patch patch, DescriptorIndex modules, SlotMap slots, CompileOptions options, out PatchError? error)
    {
        throw new NotSupportedException();
    }
}
