// Loops: a delayed cable is late by exactly one quantum, and an edit elsewhere never makes it stumble.
using SspHost.Abi;

namespace SspHost.Engine.Tests.Graph;

public sealed class FeedbackTests
{
    // in -> wire; wire -(delayed, gain)-> wire; wire -> out
    private static PatchDraft Loop(int quantum, float gain, int more = 0)
    {
        var draft = new PatchDraft { Quantum = quantum };
        var input = draft.Add(TestRegistry.JackIn, 1);
        draft.Nodes[input].Inputs[0].Add(new DraftCable(0, 0, Jack: 0));
        for (var i = 0; i < more; i++) _ = draft.Add(TestRegistry.Blend, 100 + (ulong)i, new DraftCable(input, 0));
        var wire = draft.Add(TestRegistry.Wire, 2, new DraftCable(input, 0));
        draft.Nodes[wire].Inputs[0].Add(new DraftCable(wire, 0, gain, Delayed: true));
        draft.Nodes[wire].Slot = 2000;
        draft.Nodes[wire].Follow = 1;
        var output = draft.Add(TestRegistry.JackOut, 3, new DraftCable(wire, 0));
        draft.Nodes[output].Slot = 2001;
        return draft;
    }

    [Theory]
    [InlineData(16)]
    [InlineData(32)]
    [InlineData(256)]
    public void An_impulse_comes_round_again_after_exactly_one_quantum(int quantum)
    {
        using var rig = new Rig(quantum);
        rig.Install(Loop(quantum, 0.5f).Compile());
        rig.In(0)[5] = 8;
        var expected = 8f;
        for (var q = 0; q < 10; q++)
        {
            _ = rig.Step();
            for (var i = 0; i < quantum; i++) Assert.Equal(i == 5 ? expected : 0, rig.Out(0)[i]);
            expected *= 0.5f;
            rig.In(0).Clear();
        }
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(3, true)]
    public void A_new_plan_goes_on_with_what_the_loop_held(int threads, bool running)
    {
        using var rig = new Rig(32, threads);
        rig.Install(Loop(32, 1).Compile());
        rig.Renderer.Running = running;
        rig.In(0)[9] = 3;
        for (var q = 0; q < 40; q++)
        {
            _ = rig.Step();
            rig.In(0).Clear();
            for (var i = 0; i < 32; i++) Assert.Equal(i == 9 ? 3f : 0, rig.Out(0)[i]);
            var next = Loop(32, 1, more: q % 5);
            next.Serial = (ulong)q + 10;
            rig.Install(next.Compile());
            if (q % 3 == 0) rig.Install(Loop(32, 1, more: 7).Compile()); // replaced before it ever played
        }

        rig.Renderer.Running = false;
    }

    [Fact]
    public void A_loop_that_was_taken_out_starts_from_silence_when_it_comes_back()
    {
        using var rig = new Rig();
        rig.Install(Loop(32, 1).Compile());
        rig.In(0)[9] = 3;
        _ = rig.Step();
        rig.In(0).Clear();
        var without = Loop(32, 1);
        without.Nodes[1].Inputs[0].RemoveAll(c => c.Delayed);
        rig.Install(without.Compile());
        _ = rig.Step();
        Assert.Equal(0, rig.Out(0)[9]);
        rig.Install(Loop(32, 1).Compile());
        _ = rig.Step();
        Assert.Equal(0, rig.Out(0)[9]);
    }

    [Fact]
    public void A_loop_that_grows_wider_finds_zeros_in_its_new_channels()
    {
        static byte[] Wide(int channels)
        {
            var draft = new PatchDraft();
            var keeper = draft.Add(TestRegistry.Keeper, (ulong)(50 + channels));
            draft.Nodes[keeper].Slot = 50 + channels;
            draft.Nodes[keeper].Settings = [channels, 4];
            var wire = draft.Add(TestRegistry.Wire, 2, new DraftCable(keeper, 0));
            draft.Nodes[wire].Slot = 2;
            draft.Nodes[wire].Follow = channels;
            draft.Nodes[wire].Inputs[0].Add(new DraftCable(wire, 0, 1, Delayed: true));
            _ = draft.Add(TestRegistry.JackOut, 3, new DraftCable(wire, 0));
            draft.Nodes[2].Slot = 3;
            return draft.Compile();
        }

        using var rig = new Rig();
        rig.Install(Wide(4));
        _ = rig.Step(); // keeper says 1 in each of 4 channels
        Assert.Equal(4, rig.Out(0)[0]);
        rig.Install(Wide(1));
        _ = rig.Step(); // a new keeper says 1, the loop holds 1
        Assert.Equal(2, rig.Out(0)[0]);
        rig.Install(Wide(4));
        _ = rig.Step(); // a new keeper says 1 in each of 4, the loop held 2 in the first and nothing in the others
        Assert.Equal(4 + 2, rig.Out(0)[0]);
    }
}
