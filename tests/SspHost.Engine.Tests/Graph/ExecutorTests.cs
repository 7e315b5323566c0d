// The meeting of threads, moment by moment: who may enter a quantum, and when it is over.
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

[Collection("schedules")]
public sealed unsafe class ExecutorTests : IDisposable
{
    private static byte[] TwoHooks()
    {
        var draft = new PatchDraft();
        _ = draft.Add(TestRegistry.Hook, 1);
        _ = draft.Add(TestRegistry.Hook, 2);
        return draft.Compile();
    }

    public void Dispose() => Hook.Inside = null;

    [Fact]
    public void A_quantum_is_not_over_while_a_worker_is_inside_even_if_nothing_is_left_to_do()
    {
        using var rig = new Rig(32, 2, startWorkers: false);
        rig.Install(TwoHooks());
        var crew = &rig.Renderer.State->Crew;
        for (var round = 0; round < 5; round++)
        {
            var left = 0;
            Thread? late = null;
            Hook.Inside = () =>
            {
                if (late != null) return;
                Interlocked.Increment(ref crew->Gate); // a worker enters ...
                late = new Thread(() =>
                {
                    Thread.Sleep(20); // ... and loses its core before it has looked at anything
                    Volatile.Write(ref left, 1);
                    Interlocked.Decrement(ref crew->Gate);
                });
                late.Start();
            };
            _ = rig.Step();
            Assert.Equal(1, Volatile.Read(ref left));
            late!.Join();
        }
    }

    [Fact]
    public void A_gate_seen_open_does_not_open_again_once_its_quantum_is_over()
    {
        using var rig = new Rig(32, 2, startWorkers: false);
        rig.Install(TwoHooks());
        var crew = &rig.Renderer.State->Crew;
        ulong seen = 0;
        Hook.Inside = () => seen = Volatile.Read(ref crew->Gate);
        for (var q = 0; q < 100; q++)
        {
            _ = rig.Step();
            Assert.NotEqual(0ul, seen & Crew.Open);
            Assert.Equal(0ul, crew->Gate & (Crew.Open | Crew.EnteredMask));
            Assert.NotEqual(seen, Interlocked.CompareExchange(ref crew->Gate, seen + 1, seen)); // after the quantum
            Hook.Inside = () => Assert.NotEqual(seen, Volatile.Read(ref crew->Gate)); // and within the next
            _ = rig.Step();
            Hook.Inside = () => seen = Volatile.Read(ref crew->Gate);
        }
    }

    [Fact]
    public void A_plan_without_width_opens_no_gate_and_wakes_nobody()
    {
        var draft = new PatchDraft { Width = 1 };
        _ = draft.Add(TestRegistry.Hook, 1);
        _ = draft.Add(TestRegistry.Hook, 2, new DraftCable(0, 0));
        using var rig = new Rig(32, 3);
        rig.Install(draft.Compile());
        var before = rig.Renderer.State->Crew.Gate;
        Thread? ran = null;
        Hook.Inside = () => ran = Thread.CurrentThread;
        for (var q = 0; q < 100; q++)
        {
            _ = rig.Step();
            Assert.Same(Thread.CurrentThread, ran);
        }

        Assert.Equal(before, rig.Renderer.State->Crew.Gate);
        Assert.Equal(0u, rig.Renderer.State->Crew.Bell);
    }

    [Fact]
    public void Two_sleeping_workers_are_woken_and_all_three_threads_take_part()
    {
        var draft = new PatchDraft { Width = 3 };
        for (var i = 0; i < 3; i++) _ = draft.Add(TestRegistry.Hook, (ulong)i + 1);
        using var rig = new Rig(32, 3);
        rig.Install(draft.Compile());
        var crew = &rig.Renderer.State->Crew;
        for (var round = 0; round < 30; round++)
        {
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref crew->Sleepers) == 2, 120_000));
            var inside = 0;
            var met = 0;
            Hook.Inside = () =>
            {
                Interlocked.Increment(ref inside);
                if (SpinWait.SpinUntil(() => Volatile.Read(ref inside) == 3, 120_000)) Interlocked.Increment(ref met);
            };
            _ = rig.Step();
            Assert.Equal(3, met); // each waited for the other two, so three threads were in the quantum at once
        }

        Assert.InRange(rig.Map.Threads[1].Quanta, 30ul, 40ul); // it may look in twice
        Assert.Equal(30ul, rig.Map.Threads[2].Nodes);
    }
}
