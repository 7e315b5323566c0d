// A description is never trusted: whatever a byte says, the plan is refused whole, or it plays exactly what it says.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Tests.Graph;

public sealed unsafe class BlobFuzzTests
{
    private static readonly int[] Values = [0, 1, -1, 2, 3, 7, 16, 17, 63, 64, 100, 1 << 20, int.MaxValue, int.MinValue, int.MaxValue - 7, 0x7FC00000, 0x3F800000];

    private static (int Refused, int Played) Try(byte[] blob)
    {
        using var rig = new Rig(32, 2);
        var status = rig.TryInstall(blob, out var error);
        if (status != ReplyStatus.Ok)
        {
            Assert.NotEqual(ReplyStatus.Ok, error.Status);
            Assert.Equal(rig.Baseline, rig.Live);
            Assert.Equal(0, rig.Renderer.InstanceCount);
            return (1, 0);
        }

        using var reference = new Reference(blob);
        var jacks = Enumerable.Range(0, Rig.Jacks).Select(j => Enumerable.Range(0, 32).Select(i => MathF.Sin(i + j)).ToArray()).ToArray();
        for (var q = 0; q < 4; q++)
        {
            for (var j = 0; j < Rig.Jacks; j++) jacks[j].CopyTo(rig.In(j));
            rig.Poison();
            var expected = reference.Render(jacks, Rig.Jacks, rig.Frame);
            _ = rig.Step();
            for (var j = 0; j < Rig.Jacks; j++) Assert.True(rig.Out(j).SequenceEqual(expected[j]), $"quantum {q}, jack {j}");
        }

        return (0, 1);
    }

    [Theory]
    [InlineData(21, 5)]
    [InlineData(22, 7)]
    [InlineData(23, 9)]
    public void Every_number_of_a_valid_blob_may_be_anything(int seed, int nodes)
    {
        var draft = PatchDraft.Random(new Random(seed), nodes);
        var wire = draft.Add(TestRegistry.Wire, 7777, new DraftCable(0, 0));
        draft.Nodes[wire].Follow = 1;
        draft.Nodes[wire].Inputs[0].Add(new DraftCable(wire, 0, 0.5f, Delayed: true));
        _ = draft.Add(TestRegistry.JackOut, 8888, new DraftCable(wire, 0));
        var valid = draft.Compile();
        var random = new Random(seed);
        int refused = 0, played = 0;
        for (var at = 0; at + 4 <= valid.Length; at += 4)
        {
            for (var k = 0; k < 3; k++)
            {
                var blob = (byte[])valid.Clone();
                var old = BitConverter.ToInt32(blob, at);
                var value = k == 0 ? old + 1 : k == 1 ? old - 1 : Values[random.Next(Values.Length)];
                BitConverter.TryWriteBytes(blob.AsSpan(at), value);
                var (r, p) = Try(blob);
                refused += r;
                played += p;
            }
        }

        Assert.InRange(refused, 200, int.MaxValue);
        Assert.InRange(played, 20, int.MaxValue); // names, keys, priorities, gains, parameters
    }

    [Fact]
    public void Random_damage_and_every_truncation_are_refused_or_played()
    {
        var random = new Random(9);
        var valid = PatchDraft.Random(random, 10).Compile();
        int refused = 0, played = 0;
        for (var i = 0; i < 400; i++)
        {
            var blob = (byte[])valid.Clone();
            for (var k = random.Next(1, 5); k > 0; k--) blob[random.Next(blob.Length)] = (byte)random.Next(256);
            var (r, p) = Try(blob);
            refused += r;
            played += p;
        }

        Assert.True(refused > 0 && played > 0);
        using var rig = new Rig();
        for (var length = 0; length < valid.Length; length++) Assert.Equal(ReplyStatus.BadRequest, rig.TryInstall(valid[..length], out _));
        rig.Install(valid);
    }

    private static void Refused(PatchDraft draft, BadPart part, Action<byte[]> harm)
    {
        using var rig = new Rig();
        var blob = draft.Compile();
        Assert.Equal(ReplyStatus.Ok, rig.TryInstall(blob, out _));
        rig.Configure(64, 1);
        rig.Configure(32, 1);
        harm(blob);
        Assert.Equal(ReplyStatus.BadRequest, rig.TryInstall(blob, out var error));
        Assert.Equal(part, error.Part);
    }

    private static ref T At<T>(byte[] blob, Func<PlanHeader, int> table, int index) where T : unmanaged =>
        ref MemoryMarshal.Cast<byte, T>(blob.AsSpan(table(MemoryMarshal.Read<PlanHeader>(blob))))[index];

    private static PatchDraft Fan()
    {
        var draft = new PatchDraft { Reuse = false };
        _ = draft.Add(TestRegistry.Blend, 1);
        _ = draft.Add(TestRegistry.Wire, 2, new DraftCable(0, 0));
        _ = draft.Add(TestRegistry.Wire, 3, new DraftCable(0, 0));
        _ = draft.Add(TestRegistry.JackOut, 4, new DraftCable(1, 0));
        draft.Nodes[3].Inputs[0].Add(new DraftCable(2, 0));
        return draft;
    }

    [Fact]
    public void A_buffer_that_a_parallel_node_still_reads_is_not_given_away() =>
        // Both wires read output 0; the second may run first, so the first must not write over it.
        Refused(Fan(), BadPart.Buffer, b =>
        {
            ref var output = ref At<PlanOutput>(b, h => h.OutputsOffset, 2);
            output.Slot = At<PlanOutput>(b, h => h.OutputsOffset, 0).Slot;
            foreach (ref var cable in MemoryMarshal.Cast<byte, PlanCable>(b.AsSpan(MemoryMarshal.Read<PlanHeader>(b).CablesOffset))[..4])
            {
                if (cable.SourceOutput == 2) cable.Source = output.Slot;
            }
        });

    [Fact]
    public void A_cable_without_a_dependency_is_refused() =>
        Refused(Fan(), BadPart.Order, b =>
        {
            // Wire 2 is told to read wire 1, on which it does not wait.
            ref var cable = ref At<PlanCable>(b, h => h.CablesOffset, 1);
            cable.SourceOutput = 2;
            cable.Source = At<PlanOutput>(b, h => h.OutputsOffset, 2).Slot;
        });

    [Fact]
    public void A_count_of_predecessors_that_is_wrong_is_refused() =>
        Refused(Fan(), BadPart.Order, b => At<PlanNode>(b, h => h.NodesOffset, 3).Pending = 1);

    [Fact]
    public void Two_nodes_in_one_slot_are_refused() =>
        Refused(Fan(), BadPart.Slot, b => At<PlanNode>(b, h => h.NodesOffset, 3).Slot = 0);

    [Fact]
    public void Two_nodes_of_one_key_are_refused() =>
        Refused(Fan(), BadPart.Node, b => At<PlanNode>(b, h => h.NodesOffset, 3).Key = 1);

    [Fact]
    public void A_parameter_out_of_range_or_not_a_number_is_refused()
    {
        Refused(Fan(), BadPart.Parameter, b => At<float>(b, h => h.ParametersOffset, 0) = 1.01f);
        Refused(Fan(), BadPart.Parameter, b => At<float>(b, h => h.ParametersOffset, 1) = float.NaN);
    }

    [Fact]
    public void A_gain_that_is_not_finite_is_refused() =>
        Refused(Fan(), BadPart.Cable, b => At<PlanCable>(b, h => h.CablesOffset, 0).Gain = float.PositiveInfinity);

    [Fact]
    public void Fewer_channels_than_a_module_writes_are_refused()
    {
        var draft = new PatchDraft();
        _ = draft.Add(TestRegistry.Faulty, 1);
        Refused(draft, BadPart.Output, b => At<PlanOutput>(b, h => h.OutputsOffset, 1).Channels = 1);
    }
}
