// Where plans and moves go: the session's view of an engine. The control process implements it over the region, tests by hand.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>
/// An engine as the session needs it. Called under the session's lock, one call at a time, from whatever thread edits.
/// A text that comes back is one line that says why not; null means done. While there is no engine a sink answers null, so that the
/// player can go on editing, and the owner calls <see cref="PatchSession.Reinstall"/> once there is one.
/// </summary>
public interface IPlanSink
{
    /// <summary>Jacks of the device in each direction, to compile for.</summary>
    int Inputs { get; }

    /// <inheritdoc cref="Inputs"/>
    int Outputs { get; }

    /// <summary>The engine's instance table, all MaxInstances records; empty where there is none (the session then keeps its own).</summary>
    ReadOnlySpan<InstanceRecord> Instances { get; }

    /// <summary>Measured cost of each module type in ns per quantum by type number; may be empty.</summary>
    ReadOnlyMemory<float> Costs { get; }

    /// <summary>
    /// Installs a plan and waits for it to play (or be set while stopped); loads <see cref="CompiledPlan.Assets"/> whose instance or
    /// path is new. On failure the plan before goes on as it was.
    /// </summary>
    string? Install(CompiledPlan plan);

    /// <summary>Sends a parameter move; false: the ring is full, the session sends it again later.</summary>
    bool Send(in ModuleEvent move);

    /// <summary>Changes one asset slot of a living instance.</summary>
    string? SetAsset(in PlanAsset asset);

    /// <summary>Gives saved state to a living instance.</summary>
    string? LoadState(in PlanInstance instance, uint version, ReadOnlySpan<byte> state);

    /// <summary>Asks a living instance for its state; null: there is none to be had.</summary>
    byte[]? SaveState(in PlanInstance instance, out uint version);
}
