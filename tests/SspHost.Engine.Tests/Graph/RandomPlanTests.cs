// Any plan, any number of threads, any schedule: the same bits as a naive interpreter of the plan's description.
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

[Collection("schedules")]
public sealed unsafe class RandomPlanTests
{
    private static ModuleEvent[] RandomEvents(Random random, PatchDraft draft, ulong frame, int quantum)
    {
        var events = new ModuleEvent[random.Next(4) == 0 ? random.Next(1, 6) : 0];
        for (var i = 0; i < events.Length; i++)
        {
            var index = random.Next(draft.Nodes.Count);
            var node = draft.Nodes[index];
            var e = new ModuleEvent { Frame = frame + (ulong)random.Next(quantum), Target = (uint)node.Key, Slot = (ushort)node.Slot };
            if (node.Module == TestRegistry.Blend)
            {
                e.Kind = EventKind.Parameter;
                e.Index = random.Next(3);
                e.Value = e.Index == 2 ? random.Next(4) : random.NextSingle();
            }
            else
            {
                e.Kind = EventKind.NoteOn;
                e.Value = random.NextSingle();
                if (node.Module is not (TestRegistry.Tick or TestRegistry.Sleeper or TestRegistry.Keeper)) e.Target = 0;
            }

            events[i] = e;
        }

        return events.OrderBy(e => e.Frame).ToArray();
    }

    private static void Compare(int seed, int threads, int quanta, bool chaos, int nodeNs = 0, byte[]? classes = null)
    {
        var random = new Random(seed);
        var quantum = 16 << random.Next(5);
        var draft = PatchDraft.Random(random, random.Next(2, 40), quantum);
        draft.Reuse = random.Next(4) != 0;
        foreach (var node in draft.Nodes) node.Costs = [1000, random.Next(4) == 0 ? 0 : random.Next(1000, 100_000), random.Next(200_000)];
        var blob = draft.Compile();
        using var rig = new Rig(quantum, threads, startWorkers: false);
        rig.Configure(quantum, threads, classes: classes);
        using var reference = new Reference(blob);
        rig.Install(blob);
        Chaos.On = chaos;
        try
        {
            for (var q = 0; q < quanta; q++)
            {
                if (nodeNs != 0 && rig.Renderer.State->Current != null) rig.Renderer.State->Current->NodeNs = nodeNs;
                if (classes != null)
                {
                    var plan = rig.Renderer.State->Current;
                    plan->SlowWorkers = random.Next(5) == 0 ? 0 : rig.Renderer.State->Crew.SlowCrew;
                    plan->Target = random.Next(3) == 0 ? 50_000_000 : random.Next(1_000_000); // loose, or tight in the midst of the quantum
                    if (q == 0) Placement.Weigh(plan, rig.Renderer.State->FastClass);
                }

                var jacks = new float[Rig.Jacks][];
                for (var j = 0; j < Rig.Jacks; j++)
                {
                    jacks[j] = new float[quantum];
                    if (q % 7 == 3) continue; // silence now and then
                    foreach (ref var v in jacks[j].AsSpan()) v = (random.NextSingle() * 10) - 5;
                }

                for (var j = 0; j < Rig.Jacks; j++) jacks[j].CopyTo(rig.In(j));
                var events = RandomEvents(random, draft, rig.Frame, quantum);
                foreach (var e in events) rig.Send(e);
                rig.Poison();
                var expected = reference.Render(jacks, Rig.Jacks, rig.Frame, events);
                _ = rig.Step();
                for (var j = 0; j < Rig.Jacks; j++)
                {
                    for (var i = 0; i < quantum; i++)
                    {
                        if (BitConverter.SingleToInt32Bits(rig.Out(j)[i]) != BitConverter.SingleToInt32Bits(expected[j][i]))
                            Assert.Fail($"seed {seed}, {threads} threads, quantum {q} of {quantum} frames, jack {j}, frame {i}: {rig.Out(j)[i]:R}, expected {expected[j][i]:R}");
                    }
                }
            }

            Assert.Equal(0ul, rig.Renderer.BadOutputs);
            Assert.Equal(0ul, rig.Renderer.DroppedEvents);
        }
        finally
        {
            Chaos.On = false;
        }
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 1000)]
    [InlineData(3, 2000)]
    [InlineData(4, 3000)]
    public void A_random_plan_sounds_bit_for_bit_like_the_reference_on_any_number_of_threads(int threads, int seed)
    {
        for (var i = 0; i < 40; i++) Compare(seed + i, threads, 40, chaos: false);
    }

    [Theory]
    [InlineData(2, 10_000)]
    [InlineData(3, 11_000)]
    [InlineData(4, 12_000)]
    public void Threads_that_stall_at_random_change_nothing(int threads, int seed)
    {
        for (var i = 0; i < 25; i++) Compare(seed + i, threads, 60, chaos: true);
    }

    [Theory]
    [InlineData(30_000, 0, 1)]
    [InlineData(31_000, 0, 1, 1)]
    [InlineData(32_000, 0, 0, 1, 2)]
    [InlineData(33_000, 1, 0, 2, 0)]
    [InlineData(34_000, 2, 2, 2)]
    public void Classes_of_cores_decide_who_runs_a_node_and_change_nothing(int seed, params int[] classes)
    {
        var crew = Array.ConvertAll(classes, c => (byte)c);
        for (var i = 0; i < 15; i++) Compare(seed + i, crew.Length, 40, chaos: i % 2 == 0, nodeNs: i % 3 == 0 ? 1 : 0, crew);
    }

    // 1 ns: the executor takes several nodes at a time; 1 s: it never does. Left to itself it may do either here.
    [Theory]
    [InlineData(2, 20_000, 1)]
    [InlineData(4, 21_000, 1)]
    [InlineData(4, 22_000, 1_000_000_000)]
    public void Short_nodes_taken_several_at_a_time_and_long_ones_taken_singly_change_nothing(int threads, int seed, int nodeNs)
    {
        for (var i = 0; i < 25; i++) Compare(seed + i, threads, 40, chaos: i % 2 == 0, nodeNs);
    }

    [Fact]
    public void Thousands_of_quanta_on_four_threads_end_like_one_thread()
    {
        for (var seed = 500; seed < 503; seed++)
        {
            var blob = PatchDraft.Random(new Random(seed), 60).Compile();
            using var alone = new Rig(32, 1);
            using var crew = new Rig(32, 4);
            alone.Install(blob);
            crew.Install(blob);
            for (var q = 0; q < 4000; q++)
            {
                Chaos.On = q % 1000 < 300;
                if (alone.Step() != crew.Step()) Assert.Fail($"seed {seed}: quantum {q} differs");
            }

            Chaos.On = false;
        }
    }

    [Fact]
    public void A_worker_that_comes_late_or_never_changes_nothing()
    {
        var blob = PatchDraft.Random(new Random(77), 50).Compile();
        using var alone = new Rig(32, 1);
        using var crew = new Rig(32, 4, startWorkers: false);
        alone.Install(blob);
        crew.Install(blob);
        for (var q = 0; q < 900; q++)
        {
            if (q == 200) crew.StartWorker(2);
            if (q == 400) crew.StartWorker(1);
            if (q == 600) crew.Rest(); // gone in the middle of a run; the audio thread goes on alone
            Assert.Equal(alone.Step(), crew.Step());
        }
    }
}
