// A patch that sleeps is the audio thread's alone; as soon as there is work, the rest of the quantum is everybody's. Nobody hears which it was.
using SspHost.Abi;

namespace SspHost.Engine.Tests.Graph;

public sealed unsafe class DozingTests
{
    private const int Quanta = 600;

    private static PatchDraft Patch(Random random)
    {
        var draft = new PatchDraft { Width = 8 };
        for (var i = 0; i < 36; i++)
        {
            var sleeper = i > 6 && random.Next(5) > 0;
            var node = draft.Nodes[draft.Add(sleeper ? TestRegistry.Sleeper : TestRegistry.Tick)];
            node.Priority = random.Next(10);
            for (var c = random.Next(1, 3); sleeper && c > 0; c--) node.Inputs[0].Add(new DraftCable(random.Next(i), 0, random.Next(2) == 0 ? 1 : 0.5f));
        }

        for (var j = 0; j < Rig.Jacks; j++)
        {
            var node = draft.Nodes[draft.Add(TestRegistry.Sleeper)]; // something that may sleep in front of what never does
            node.Inputs[0].Add(new DraftCable(random.Next(36), 0));
            var index = draft.Add(TestRegistry.JackOut);
            draft.Nodes[index].JackIndex = j;
            draft.Nodes[index].Inputs[0].Add(new DraftCable(index - 1, 0));
            draft.Nodes[index].Inputs[0].Add(new DraftCable(random.Next(36), 0));
        }

        return draft;
    }

    [Theory]
    [InlineData(2, 0)]
    [InlineData(3, 0)]
    [InlineData(2, 2)]
    [InlineData(3, 1000)]
    public void It_sounds_the_same_whoever_runs_what_and_wherever_the_quantum_is_handed_over(int threads, int microseconds)
    {
        var random = new Random(threads + microseconds);
        var blob = Patch(random).Compile();
        using var alone = new Rig();
        using var rig = new Rig(threads: threads);
        alone.Install(blob);
        rig.Install(blob);
        rig.Renderer.State->Crew.AloneTicks = Engine.Graph.PauseHint.Ticks(microseconds);
        int began = 0, ended = 0, dozed = 0;
        for (var q = 0; q < Quanta; q++)
        {
            for (var e = random.Next(8) == 0 ? random.Next(6) : 0; e > 0; e--)
            {
                var slot = random.Next(36);
                var note = new ModuleEvent { Kind = EventKind.NoteOn, Target = (uint)slot + 1, Slot = (ushort)slot, Frame = alone.Frame + (ulong)random.Next(32), Value = random.NextSingle() };
                alone.Send(note);
                rig.Send(note);
            }

            var before = rig.Renderer.State->Current->Dozing;
            Assert.Equal(alone.Step(), rig.Step());
            var after = rig.Renderer.State->Current->Dozing;
            if (before == 0 && after != 0) began++;
            if (before != 0 && after == 0) ended++;
            dozed += after;
        }

        Assert.True(began > 0 && dozed > 0, "it dozes");
        if (microseconds == 0) Assert.True(ended > 0, "and is handed over");
    }
}
