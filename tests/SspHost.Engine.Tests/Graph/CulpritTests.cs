// Who took longest in a quantum: a name for the notice of a late one.
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

[Collection("schedules")]
public sealed class CulpritTests
{
    private const int Long = 500; // ms: longer than a busy machine takes a core away

    private static byte[] Patch()
    {
        var draft = new PatchDraft();
        var a = draft.Add(TestRegistry.Tick, 0x1_0000_0001);
        var slow = draft.Add(TestRegistry.Hook, 0x1_0000_0002, new DraftCable(a, 0));
        var b = draft.Add(TestRegistry.Wire, 0x1_0000_0003, new DraftCable(slow, 0));
        _ = draft.Add(TestRegistry.JackOut, 0x1_0000_0004, new DraftCable(b, 0));
        return draft.Compile();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void The_module_that_took_longest_is_named_for_that_quantum_and_not_for_the_next(int threads)
    {
        using var rig = new Rig(threads: threads);
        Assert.Equal(-1, rig.Renderer.Culprit().Slot); // nothing plays
        rig.Install(Patch());
        rig.Renderer.Diagnostics = DiagnosticFlags.ModuleTimes;
        for (var i = 0; i < 10; i++) _ = rig.Step();
        Hook.Inside = static () => Thread.Sleep(Long);
        try
        {
            _ = rig.Step();
        }
        finally
        {
            Hook.Inside = null;
        }

        var culprit = rig.Renderer.Culprit();
        Assert.Equal((1, 0x1_0000_0002UL), (culprit.Slot, culprit.Key));
        Assert.InRange(culprit.Nanoseconds, Long * 1_000_000UL, ulong.MaxValue);
        _ = rig.Step();
        Assert.InRange(rig.Renderer.Culprit().Nanoseconds, 0UL, culprit.Nanoseconds - 1); // by that quantum's times, not by the longest ever
    }

    [Fact]
    public void A_module_that_a_worker_ran_is_named_as_one_of_the_audio_thread_is()
    {
        using var rig = new Rig(threads: 2);
        var draft = new PatchDraft { Width = 8 };
        for (var i = 0; i < 8; i++) _ = draft.Add(i == 5 ? TestRegistry.Hook : TestRegistry.Blend, (ulong)i + 1);
        rig.Install(draft.Compile());
        rig.Renderer.Diagnostics = DiagnosticFlags.ModuleTimes;
        var byWorker = false;
        Hook.Inside = () =>
        {
            byWorker = Rig.ThisThread == 1;
            Thread.Sleep(byWorker ? Long : 1); // asleep here, the other thread is the next to come by
        };
        try
        {
            for (var i = 0; i < 2000 && !byWorker; i++) _ = rig.Step();
        }
        finally
        {
            Hook.Inside = null;
        }

        Assert.True(byWorker, "the worker came by");
        var culprit = rig.Renderer.Culprit();
        Assert.Equal((5, 6UL), (culprit.Slot, culprit.Key));
        Assert.InRange(culprit.Nanoseconds, Long * 1_000_000UL, ulong.MaxValue);
    }

    [Fact]
    public void Without_module_times_nobody_is_accused()
    {
        using var rig = new Rig();
        rig.Install(Patch());
        _ = rig.Step();
        Assert.Equal((-1, 0UL), (rig.Renderer.Culprit().Slot, rig.Renderer.Culprit().Key));
        rig.Renderer.Diagnostics = DiagnosticFlags.ModuleTimes;
        _ = rig.Step();
        rig.Renderer.Diagnostics = DiagnosticFlags.None;
        _ = rig.Step();
        Assert.Equal(-1, rig.Renderer.Culprit().Slot); // what was measured before is of another quantum
    }
}
