// The executor on real threads of two classes: what slow ones take, what they leave, and when they are woken.
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

[Collection("schedules")]
public sealed unsafe class SlowWorkerTests : IDisposable
{
    private const int Ages = 2_000_000_000; // a target in ns that no test outlasts

    public void Dispose() => Hook.Inside = null;

    // Nodes side by side; of each, whether its cost on a slow core is known.
    private static PatchDraft Wide(params bool[] known)
    {
        var draft = new PatchDraft { Width = known.Length };
        for (var i = 0; i < known.Length; i++) draft.Nodes[draft.Add(TestRegistry.Hook, (ulong)i + 1)].Costs = [1000, known[i] ? 2000 : 0];
        return draft;
    }

    private static Rig Playing(PatchDraft draft, int target, byte[] classes)
    {
        var rig = new Rig(32, classes.Length, startWorkers: false);
        rig.Configure(32, classes.Length, classes: classes);
        rig.Install(draft.Compile());
        var plan = rig.Renderer.State->Current;
        Placement.Weigh(plan, rig.Renderer.State->FastClass);
        plan->SlowWorkers = rig.Renderer.State->Crew.SlowCrew;
        plan->Target = target;
        return rig;
    }

    private static int Slot(Rig rig) => rig.Map.Threads[Rig.ThisThread].Current - 1;

    [Fact]
    public void A_slow_worker_takes_what_it_may_and_never_what_it_may_not()
    {
        using var rig = Playing(Wide(false, true, false, true, true, false, true, false), Ages, [0, 1]);
        var plan = rig.Renderer.State->Current;
        for (var round = 0; round < 200; round++)
        {
            plan->Batched = round % 2;
            var taken = 0;
            var wrong = 0;
            Hook.Inside = () =>
            {
                if (Rig.ThisThread == 1)
                {
                    if (plan->Costs[(Slot(rig) * Limits.MaxCoreClasses) + 1] == 0) Interlocked.Increment(ref wrong);
                    Interlocked.Increment(ref taken);
                    return;
                }

                // The fast thread waits in the first of its nodes: only so is there something left for the other, whatever the machine does.
                _ = SpinWait.SpinUntil(() => Volatile.Read(ref taken) > 0, 120_000);
            };
            _ = rig.Step();
            Assert.Equal(0, wrong);
            Assert.InRange(taken, 1, 4);
        }
    }

    [Fact]
    public void A_node_that_becomes_ready_too_late_for_a_slow_core_waits_for_a_fast_one()
    {
        const int LateMs = 20;
        var draft = new PatchDraft { Width = 4 };
        draft.Nodes[draft.Add(TestRegistry.Hook, 1)].Costs = [1000, 0];
        for (var i = 0; i < 3; i++) draft.Nodes[draft.Add(TestRegistry.Hook, (ulong)i + 2, new DraftCable(0, 0))].Costs = [1000, 2000];
        using var rig = Playing(draft, LateMs * 1_000_000, [0, 1, 1]);
        var plan = rig.Renderer.State->Current;
        var onSlow = 0;
        Hook.Inside = () =>
        {
            if (Rig.ThisThread != 0) Interlocked.Increment(ref onSlow);
            if (Slot(rig) == 0) SpinWait.SpinUntil(() => Placement.Left(plan, rig.Renderer.State->Crew.OpenedAt) < 0);
        };
        for (var round = 0; round < 5; round++) _ = rig.Step();
        Assert.Equal(0, onSlow);
        Assert.Equal(0u, rig.Renderer.State->Crew.SlowBell); // nor was one woken for them
    }

    [Fact]
    public void A_slow_worker_gives_up_what_it_made_ready_itself_where_it_is_too_late_for_it()
    {
        var draft = new PatchDraft { Width = 2 };
        draft.Nodes[draft.Add(TestRegistry.Hook, 1)].Costs = [1000, 0];
        draft.Nodes[draft.Add(TestRegistry.Hook, 2)].Costs = [1000, 2000];
        draft.Nodes[draft.Add(TestRegistry.Hook, 3, new DraftCable(1, 0))].Costs = [1000, 0]; // never on a slow core
        using var rig = Playing(draft, Ages, [0, 1]);
        for (var round = 0; round < 100; round++)
        {
            var ran = new int[3];
            Hook.Inside = () =>
            {
                ran[Slot(rig)] = Rig.ThisThread + 1;
                if (Slot(rig) == 0) _ = SpinWait.SpinUntil(() => Volatile.Read(ref ran[1]) != 0, 120_000);
            };
            _ = rig.Step();
            Assert.Equal([1, 2, 1], ran);
        }
    }

    [Fact]
    public void The_audio_thread_takes_anything_even_on_a_slow_core_and_all_of_it_where_nobody_else_does()
    {
        using var rig = Playing(Wide(false, false, true), 0, [1, 0, 1]);
        rig.Rest(); // no worker comes at all
        var ran = 0;
        Hook.Inside = () => ran++;
        _ = rig.Step();
        Assert.Equal(3, ran);
    }

    [Fact]
    public void Slow_workers_sleep_through_a_plan_that_has_no_use_for_them()
    {
        using var rig = Playing(Wide(true, true, true, true), Ages, [0, 0, 1, 1]);
        var crew = &rig.Renderer.State->Crew;
        rig.Renderer.State->Current->SlowWorkers = 0;
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref crew->SlowSleepers) == 2, 120_000));
        for (var q = 0; q < 200; q++) _ = rig.Step();
        Assert.Equal(0u, crew->SlowBell);
        Assert.Equal((0ul, 0ul), (rig.Map.Threads[2].Nodes, rig.Map.Threads[3].Nodes));
    }

    [Fact]
    public void Sleeping_slow_workers_are_woken_for_what_they_may_begin_and_all_take_part()
    {
        using var rig = Playing(Wide(true, true, true), Ages, [0, 1, 2]);
        var draft = rig.Renderer.State->Current;
        for (var n = 0; n < 3; n++) draft->Costs[(n * Limits.MaxCoreClasses) + 2] = 3000;
        Placement.Weigh(draft, 0);
        var crew = &rig.Renderer.State->Crew;
        for (var round = 0; round < 30; round++)
        {
            Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref crew->SlowSleepers) == 2, 120_000));
            var inside = 0;
            var met = 0;
            Hook.Inside = () =>
            {
                Interlocked.Increment(ref inside);
                if (SpinWait.SpinUntil(() => Volatile.Read(ref inside) == 3, 120_000)) Interlocked.Increment(ref met);
            };
            _ = rig.Step();
            Assert.Equal(3, met);
        }
    }

    [Fact]
    public void What_a_module_takes_is_counted_for_the_class_it_ran_on()
    {
        using var rig = Playing(Wide(true, true), Ages, [0, 1]);
        rig.Map.Threads[1].Class = 1;
        rig.Renderer.Diagnostics = DiagnosticFlags.ModuleTimes;
        var both = 0;
        Hook.Inside = () =>
        {
            Interlocked.Increment(ref both);
            _ = SpinWait.SpinUntil(() => Volatile.Read(ref both) >= 2, 120_000);
        };
        for (var q = 0; q < 50; q++)
        {
            both = 0;
            _ = rig.Step();
        }

        ulong slow = 0;
        for (var i = 0; i < 2; i++)
        {
            var r = rig.Map.Instances + i;
            Assert.Equal(50ul, r->Calls);
            slow += r->SlowCalls[0];
            Assert.Equal(0ul, r->SlowCalls[1]);
            Assert.True(r->SlowNanoseconds[0] <= r->Nanoseconds && (r->SlowCalls[0] == 0) == (r->SlowNanoseconds[0] == 0));
        }

        Assert.Equal(50ul, slow); // one of the two each time
    }

    [Fact]
    public void A_plan_is_placed_again_when_the_crew_changes()
    {
        var draft = new PatchDraft { Width = 12 };
        for (var i = 0; i < 12; i++) draft.Nodes[draft.Add(TestRegistry.Hook, (ulong)i + 1)].Costs = [50_000, 120_000, 0];
        using var rig = new Rig(32, 1);
        rig.Install(draft.Compile());
        var plan = rig.Renderer.State->Current;
        Assert.Equal((0, Placement.Never), (plan->SlowWorkers, plan->Target));
        rig.Configure(32, 6, startWorkers: false, classes: [0, 0, 1, 1, 1, 1]);
        Assert.Equal(4, plan->SlowWorkers);
        Assert.InRange(plan->Target, 100_000, 666_667);
        Assert.Equal((1, 4), (rig.Renderer.State->Crew.Workers, rig.Renderer.State->Crew.SlowCrew));
        rig.Configure(32, 6, startWorkers: false, classes: [1, 1, 1, 1, 1, 1]); // all alike, and slow: then that is as fast as it goes
        Assert.Equal((0, 5, 0), (plan->SlowWorkers, rig.Renderer.State->Crew.Workers, rig.Renderer.State->Crew.SlowCrew));
        rig.Configure(32, 6, startWorkers: false, classes: [0, 0, 2, 2, 2, 2]); // nobody knows what it costs there
        Assert.Equal(0, plan->SlowWorkers);
        Assert.Equal(ReplyStatus.BadRequest, rig.Renderer.Configure(48_000, 32, 2, [0, Limits.MaxCoreClasses]));
        rig.Configure(32, 1);
        _ = rig.Step();
    }
}
