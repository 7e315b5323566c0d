// An engine that takes every plan and plays nothing: what a page does to the patch is what is tested.
using SspHost.Abi;
using SspHost.Patching;

namespace SspHost.Panel.Tests.Kit;

internal sealed class StillSink : IPlanSink
{
    /// <summary>Moves that were sent, in order.</summary>
    public List<ModuleEvent> Sent { get; } = [];

    /// <summary>What the next plan is refused with; null: it is taken.</summary>
    public PlanRefusal? Refuse { get; set; }

    public int Inputs => 16;

    public int Outputs => 8;

    public ReadOnlySpan<InstanceRecord> Instances => default;

    public ReadOnlyMemory<float> Costs => default;

    public PlanRefusal? Install(CompiledPlan plan) => Refuse;

    public bool Send(in ModuleEvent move)
    {
        Sent.Add(move);
        return true;
    }

    public string? SetAsset(in PlanAsset asset) => null;

    public string? LoadState(in PlanInstance instance, uint version, ReadOnlySpan<byte> state) => null;

    public byte[]? SaveState(in PlanInstance instance, out uint version)
    {
        version = 0;
        return null;
    }
}
