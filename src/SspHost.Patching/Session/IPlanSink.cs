// Where plans and moves go: the session's view of an engine. The control process implements it over the region, tests by hand.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>What the engine plays at this moment.</summary>
/// <param name="Running">Whether audio runs; where it does not, every change is at once.</param>
/// <param name="Serial">Serial of the plan that plays.</param>
/// <param name="Settled">Whether every ramp that a plan began has ended.</param>
/// <param name="Frames">Frames played since audio started.</param>
/// <param name="Rate">Sample rate in Hz.</param>
public readonly record struct PlayState(bool Running, ulong Serial, bool Settled, ulong Frames, int Rate);

/// <summary>Why a plan was not installed.</summary>
/// <param name="What">One line.</param>
/// <param name="DoesNotFit">Whether there was not enough memory for it beside what plays.</param>
public sealed record PlanRefusal(string What, bool DoesNotFit = false);

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

    /// <summary>What plays.</summary>
    PlayState State => default;

    /// <summary>Frames of the quantum that audio would run at for a patch that asks for <paramref name="quantum"/>.</summary>
    int QuantumFor(int quantum) => quantum;

    /// <summary>
    /// Installs a plan and waits for it to play (or be set while stopped); loads <see cref="CompiledPlan.Assets"/> whose instance or
    /// path is new. On failure the plan before goes on as it was.
    /// </summary>
    PlanRefusal? Install(CompiledPlan plan);

    /// <summary>Sends a parameter move; false: the ring is full, the session sends it again later.</summary>
    bool Send(in ModuleEvent move);

    /// <summary>Changes one asset slot of a living instance.</summary>
    string? SetAsset(in PlanAsset asset);

    /// <summary>Gives saved state to a living instance.</summary>
    string? LoadState(in PlanInstance instance, uint version, ReadOnlySpan<byte> state);

    /// <summary>Asks a living instance for its state; null: there is none to be had.</summary>
    byte[]? SaveState(in PlanInstance instance, out uint version);
}
