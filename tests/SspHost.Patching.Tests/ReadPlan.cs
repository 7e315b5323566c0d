// A plan description read back, table by table.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;

namespace SspHost.Patching.Tests;

internal sealed record Value(int Writer, int First, int Channels, bool ToTheEnd, List<int> Readers);

internal sealed unsafe class ReadPlan
{
    private readonly Patch _patch;

    public ReadPlan(Patch patch, CompiledPlan plan)
    {
        _patch = patch;
        var bytes = plan.Description.ToArray();
        Header = MemoryMarshal.Read<PlanHeader>(bytes);
        Assert.Equal(bytes.Length, (int)Header.Bytes);
        Nodes = Table<PlanNode>(bytes, Header.NodesOffset, Header.NodeCount);
        Inputs = Table<PlanInput>(bytes, Header.InputsOffset, Header.InputCount);
        Cables = Table<PlanCable>(bytes, Header.CablesOffset, Header.CableCount);
        Outputs = Table<PlanOutput>(bytes, Header.OutputsOffset, Header.OutputCount);
        Successors = Table<int>(bytes, Header.SuccessorsOffset, Header.SuccessorCount);
        Feedback = Table<PlanFeedback>(bytes, Header.FeedbackOffset, Header.FeedbackCount);
        Jacks = Table<PlanJack>(bytes, Header.JacksOffset, Header.JackCount);
        Settings = Table<int>(bytes, Header.SettingsOffset, Header.SettingCount);
        Parameters = Table<float>(bytes, Header.ParametersOffset, Header.ParameterCount);
        State = Table<byte>(bytes, Header.StateOffset, Header.StateBytes);
        Modulations = Table<PlanModulation>(bytes, Header.ModulationsOffset, Header.ModulationCount);
        PatchIndex = [.. Enumerable.Range(0, Nodes.Length).Select(v => patch.IndexOf(Name(v)))];
    }

    public PlanHeader Header { get; }

    public PlanNode[] Nodes { get; }

    public PlanInput[] Inputs { get; }

    public PlanCable[] Cables { get; }

    public PlanOutput[] Outputs { get; }

    public int[] Successors { get; }

    public PlanFeedback[] Feedback { get; }

    public PlanJack[] Jacks { get; }

    public int[] Settings { get; }

    public float[] Parameters { get; }

    public byte[] State { get; }

    public PlanModulation[] Modulations { get; }

    public int[] PatchIndex { get; }

    public string Name(int v)
    {
        fixed (byte* name = Nodes[v].Name) return Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name));
    }

    public int NodeOf(string module) => Array.IndexOf(PatchIndex, _patch.IndexOf(module));

    public int FlatOutput(PortRef port)
    {
        var v = NodeOf(port.Module);
        return Nodes[v].FirstOutput + TestModules.Index.Types[Nodes[v].Module].Output(port.Port);
    }

    public ReadOnlySpan<int> SuccessorsOf(int v) => Successors.AsSpan(Nodes[v].FirstSuccessor, Nodes[v].SuccessorCount);

    public IEnumerable<int> InputsOf(int v) => Enumerable.Range(Nodes[v].FirstInput, TestModules.Index.Types[Nodes[v].Module].Descriptor.Inputs.Count);

    public IEnumerable<int> OutputsOf(int v) => Enumerable.Range(Nodes[v].FirstOutput, TestModules.Index.Types[Nodes[v].Module].Descriptor.Outputs.Count);

    public IEnumerable<PlanModulation> ModulationsOf(int v) => Modulations.Skip(Nodes[v].FirstModulation).Take(Nodes[v].ModulationCount);

    public IEnumerable<PlanCable> CablesInto(int v) => InputsOf(v).SelectMany(i => Cables.Skip(Inputs[i].FirstCable).Take(Inputs[i].CableCount))
        .Concat(ModulationsOf(v).SelectMany(m => Cables.Skip(m.FirstCable).Take(m.CableCount)));

    public int SourceOf(PlanCable cable) => cable.SourceOutput >= 0 ? cable.SourceOutput : Feedback.Single(f => f.Target == cable.Source).SourceOutput;

    public List<Value> Values()
    {
        var values = new List<Value>();
        for (var v = 0; v < Nodes.Length; v++)
        {
            foreach (var o in OutputsOf(v))
            {
                var readers = Enumerable.Range(0, Nodes.Length).Where(r => CablesInto(r).Any(c => c.SourceOutput == o)).ToList();
                var live = Feedback.Any(f => f.SourceOutput == o) || Jacks.Any(j => j.Slot == Outputs[o].Slot && IsDevice(v, o));
                values.Add(new Value(v, Outputs[o].Slot, Outputs[o].Channels, live, readers));
            }

            foreach (var i in InputsOf(v))
            {
                if (Inputs[i].MixSlot >= 0) values.Add(new Value(v, Inputs[i].MixSlot, Inputs[i].Channels, false, []));
            }
        }

        // What a feedback brings from the quantum before is there from the start to the end.
        foreach (var f in Feedback) values.Add(new Value(0, f.Target, f.Channels, true, []));
        return values;
    }

    private bool IsDevice(int v, int o) => TestModules.Index.Types[Nodes[v].Module].Descriptor.Outputs[o - Nodes[v].FirstOutput].Kind == PortKind.Device;

    private static T[] Table<T>(byte[] bytes, int offset, int count) where T : unmanaged
    {
        Assert.Equal(0, offset & 7);
        return MemoryMarshal.Cast<byte, T>(bytes.AsSpan(offset, count * sizeof(T))).ToArray();
    }
}
