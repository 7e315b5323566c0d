// The trace of a seat whose thread was replaced: one ring, two writers one after the other, and a ghost that writes nothing.
using SspHost.Abi;
using SspHost.Engine.Tests.Graph;
using SspHost.Engine.Tests.Probes;

namespace SspHost.Engine.Tests.Containment;

[Collection(nameof(ContainmentCollection))]
public sealed unsafe class TakeoverTraceTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    public void A_takeover_is_marked_with_its_module_and_the_ring_stays_sound_when_the_ghost_comes_back(int threads, int wanted)
    {
        const int Before = 20, After = 200;
        using var rig = new ContainmentRig(TrapKind.Spin, Before, threads, seed: 9);
        rig.Renderer.Diagnostics = DiagnosticFlags.Usual;
        rig.Start(wanted);
        var played = 0;
        for (; Volatile.Read(ref Trap.SprungAt) < 0 && played < 4000; played++) _ = rig.Play(1);
        _ = rig.Play(After);
        Volatile.Write(ref Trap.Release, 1);
        rig.Wait(() => rig.Renderer.StuckThreads == 0, "the stuck thread leaves");
        _ = rig.Play(After); // the seat's new thread and the old one, beside each other
        rig.Stop();

        var seat = wanted - 1;
        var takeovers = 0;
        for (var t = 0; t < threads; t++)
        {
            Assert.True(rig.Map.TryTrace(t, out var ring));
            Assert.Equal(0ul, ring.Dropped);
            var events = new List<TraceEvent>();
            while (ring.TryPop(out var e)) events.Add(e);
            TraceRig.AssertSound(events);
            var marks = events.Where(e => e.Kind == TraceKind.Takeover).ToArray();
            takeovers += marks.Length;
            if (t == seat || threads == 1) Assert.Equal(3, Assert.Single(marks).Slot); // where the trap is
            if (t != 0) continue;
            Assert.True(rig.Map.AudioStatus->TryRead(out var status));
            var quanta = events.Where(e => e.Kind == TraceKind.Quantum).Select(e => e.Quantum).ToArray();
            Assert.Equal(Enumerable.Range(0, (int)status.Quanta).Select(q => (ulong)q), quanta); // the one it was stuck in, too
        }

        Assert.Equal(1, takeovers);
        Assert.Equal(1UL, rig.Playback.Watch->Takeovers);
    }
}
