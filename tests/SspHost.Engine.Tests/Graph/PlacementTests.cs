// Fast and slow cores in virtual time: the placement rule against blind placement and against the fast cores alone.
using SspHost.Abi;
using SspHost.Engine.Graph;
using SspHost.Modules;
using SspHost.Patching;

namespace SspHost.Engine.Tests.Graph;

public sealed unsafe class PlacementTests
{
    private const int Quantum = 32;
    private const long QuantumNs = (long)(Quantum * 1e9 / 48_000);
    private static readonly byte[] TwoAndFour = [0, 0, 1, 1, 1, 1];

    // Ns after the quantum's opening at which the last node ends.
    private sealed record Ends(long Alone, long Blind, long Placed)
    {
        public bool AloneFits => Alone <= QuantumNs;

        public bool BlindFits => Blind <= QuantumNs;

        public bool PlacedFits => Placed <= QuantumNs;
    }

    // Costs that keep two fast cores busy for this part of the quantum; each module is slow in its own way on a slow core.
    private static PatchDraft Draft(Random random, float load, int classes = 2)
    {
        var draft = PatchDraft.Random(random, random.Next(8, 120));
        var spread = random.Next(3) + 1;
        foreach (var node in draft.Nodes)
        {
            var cost = MathF.Exp(spread * ((2 * random.NextSingle()) - 1));
            node.Costs = [cost, cost / (0.35f + (0.15f * random.NextSingle())), classes > 2 ? cost / (0.15f + (0.1f * random.NextSingle())) : 0];
        }

        var scale = load * 2 * QuantumNs / draft.Nodes.Sum(n => n.Costs[0]);
        foreach (var node in draft.Nodes)
            for (var c = 0; c < node.Costs.Length; c++) node.Costs[c] *= scale;
        draft.PrioritiseByCost();
        return draft;
    }

    private static Plan* Install(Rig rig, byte[] blob, byte[] classes)
    {
        rig.Configure(2 * Quantum, 1); // another quantum: the plan before and its modules are gone
        rig.Configure(Quantum, classes.Length, startWorkers: false, classes: classes);
        rig.Install(blob);
        return rig.Renderer.State->Current;
    }

    private static Ends Measure(Plan* plan, byte[] classes, float[]? real = null)
    {
        fixed (float* given = real)
        {
            var target = plan->Target;
            var rehearsal = new Rehearsal(plan, classes, given == null ? plan->Costs : given);
            var placed = rehearsal.Run();
            plan->Target = Placement.Never;
            var alone = rehearsal.Run();
            plan->Target = target;
            rehearsal.Blind = true;
            return new Ends(alone, rehearsal.Run(), placed);
        }
    }

    // What nodes take in a quantum is not what they were said to: each is off by a factor around 1.
    private static float[] Disturbed(Random random, PatchDraft draft, float noise)
    {
        var real = new float[draft.Nodes.Count * Limits.MaxCoreClasses];
        for (var n = 0; n < draft.Nodes.Count; n++)
        {
            var factor = MathF.Exp(2 * noise * (random.NextSingle() + random.NextSingle() + random.NextSingle() - 1.5f)); // standard deviation = noise
            for (var c = 0; c < Limits.MaxCoreClasses; c++) real[(n * Limits.MaxCoreClasses) + c] = draft.Nodes[n].Costs[c] * factor;
        }

        return real;
    }

    [Theory]
    [InlineData(1, 0f)]
    [InlineData(2, 0.1f)]
    [InlineData(3, 0.3f)]
    public void Two_fast_and_four_slow_cores_render_more_plans_in_time_and_sooner_than_the_same_placed_blindly(int seed, float noise)
    {
        const int Plans = 300;
        var random = new Random(seed);
        using var rig = new Rig(Quantum);
        var ends = new List<Ends>();
        for (var i = 0; i < Plans; i++)
        {
            var draft = Draft(random, 0.2f + (1.4f * random.NextSingle()));
            ends.Add(Measure(Install(rig, draft.Compile(), TwoAndFour), TwoAndFour, noise > 0 ? Disturbed(random, draft, noise) : null));
        }

        Assert.DoesNotContain(ends, e => e.AloneFits && !e.PlacedFits); // slow cores never cost a deadline
        Assert.True(ends.Count(e => e.PlacedFits) > ends.Count(e => e.BlindFits));
        Assert.True(ends.Count(e => e.PlacedFits) > 1.4 * ends.Count(e => e.AloneFits));
        Assert.InRange(ends.Count(e => e.BlindFits && !e.PlacedFits), 0, noise == 0 ? 0 : Plans / 100);
        Assert.True(ends.Sum(e => e.Placed) < 0.96 * ends.Sum(e => e.Blind));
        Assert.True(ends.Sum(e => e.Placed) < 0.7 * ends.Sum(e => e.Alone));
    }

    [Theory]
    [InlineData(10, 0, 0, 1, 1, 1, 1)]
    [InlineData(11, 0, 1, 1, 1)]
    [InlineData(12, 0, 0, 0, 0, 1, 1, 1)]
    [InlineData(13, 0, 1, 1, 2, 2, 2)]
    [InlineData(14, 1, 0, 0, 1)] // the audio thread on a slow core
    public void By_its_own_costs_a_placed_plan_never_ends_later_than_without_the_slow_cores_and_each_node_obeys_the_rule(int seed, params int[] crew)
    {
        var classes = Array.ConvertAll(crew, c => (byte)c);
        var random = new Random(seed);
        using var rig = new Rig(Quantum);
        var used = 0;
        for (var i = 0; i < 150; i++)
        {
            var draft = Draft(random, 2 * random.NextSingle(), 3);
            var plan = Install(rig, draft.Compile(), classes);
            var e = Measure(plan, classes);
            Assert.True(e.Placed <= e.Alone);
            Assert.InRange(plan->Target, plan->SlowWorkers == 0 ? int.MinValue : 1, plan->SlowWorkers == 0 ? Placement.Never : QuantumNs);
            used += plan->SlowWorkers > 0 ? 1 : 0;

            var begun = new long[plan->NodeCount];
            var thread = new int[plan->NodeCount];
            Array.Fill(begun, -1);
            fixed (long* b = begun)
            fixed (int* t = thread)
                _ = new Rehearsal(plan, classes, plan->Costs) { Begun = b, Thread = t }.Run();
            for (var n = 0; n < plan->NodeCount; n++)
            {
                Assert.True(begun[n] >= 0);
                var slow = thread[n] > 0 && classes[thread[n]] > classes.Min();
                var cost = draft.Nodes[n].Costs[classes[thread[n]]];
                foreach (var next in new ReadOnlySpan<int>(plan->Nodes[n].Successors, plan->Nodes[n].SuccessorCount))
                    Assert.True(begun[next] >= begun[n] + (long)cost);
                if (!slow) continue;
                Assert.True(begun[n] + cost + Below(draft, n, classes.Min()) <= QuantumNs);
            }

            for (var w = 0; w < plan->ReadyWords; w++) Assert.Equal(0ul, plan->Ready[w]);
            for (var n = 0; n < plan->NodeCount; n++) Assert.Equal(plan->Nodes[n].InitialPending, plan->Nodes[n].Pending);
        }

        Assert.InRange(used, 20, 150);
    }

    // Longest path below a node, straight from the draft.
    private static double Below(PatchDraft draft, int node, int coreClass)
    {
        var to = new double[draft.Nodes.Count];
        for (var i = draft.Nodes.Count - 1; i >= 0; i--)
        {
            foreach (var c in draft.Nodes[i].Inputs.SelectMany(x => x).Where(c => !c.Delayed && c.Jack < 0))
                to[c.Node] = Math.Max(to[c.Node], to[i] + draft.Nodes[i].Costs[coreClass]);
        }

        return to[node];
    }

    [Fact]
    public void A_long_chain_stays_on_a_fast_core_while_what_lies_beside_it_goes_to_slow_ones()
    {
        // 600 us in ten steps, and twenty voices of 30 us each: 1200 us of work. On a slow core a step takes 150 us, which the chain has not got.
        var draft = new PatchDraft { Width = 21 };
        var last = -1;
        for (var i = 0; i < 10; i++)
        {
            last = last < 0 ? draft.Add(TestRegistry.Wire, 1) : draft.Add(TestRegistry.Wire, (ulong)i + 1, new DraftCable(last, 0));
            draft.Nodes[last].Costs = [60_000, 150_000];
        }

        for (var i = 0; i < 20; i++) draft.Nodes[draft.Add(TestRegistry.Wire, (ulong)i + 100)].Costs = [30_000, 75_000];
        draft.PrioritiseByCost();
        byte[] classes = [0, 1, 1, 1, 1];
        using var rig = new Rig(Quantum);
        var plan = Install(rig, draft.Compile(), classes);
        var e = Measure(plan, classes);
        Assert.Equal(1_200_000, e.Alone);
        Assert.InRange(e.Placed, 600_000, QuantumNs);
        var thread = new int[plan->NodeCount];
        fixed (int* t = thread)
            _ = new Rehearsal(plan, classes, plan->Costs) { Thread = t }.Run();
        Assert.All(thread.Take(10), t => Assert.Equal(0, t));
        Assert.Contains(thread.Skip(10), t => t > 0);
    }

    [Fact]
    public void Slow_cores_are_left_asleep_where_they_are_no_help()
    {
        using var rig = new Rig(Quantum);
        var chain = new PatchDraft { Width = 2 };
        for (var i = 0; i < 10; i++)
            chain.Nodes[i == 0 ? chain.Add(TestRegistry.Wire, 1) : chain.Add(TestRegistry.Wire, (ulong)i + 1, new DraftCable(i - 1, 0))].Costs = [60_000, 150_000];
        var light = new PatchDraft { Width = 6 };
        for (var i = 0; i < 6; i++) light.Nodes[light.Add(TestRegistry.Wire, (ulong)i + 1)].Costs = [500, 1200]; // over before they are awake
        var unknown = new PatchDraft { Width = 6 };
        for (var i = 0; i < 6; i++) unknown.Nodes[unknown.Add(TestRegistry.Wire, (ulong)i + 1)].Costs = [100_000, 0];
        foreach (var draft in new[] { chain, light, unknown })
        {
            draft.PrioritiseByCost();
            var plan = Install(rig, draft.Compile(), TwoAndFour);
            Assert.Equal((0, Placement.Never), (plan->SlowWorkers, plan->Target));
        }
    }

    [Fact]
    public void Placing_allocates_nothing_managed()
    {
        using var rig = new Rig(Quantum);
        _ = Install(rig, Draft(new Random(5), 1).Compile(), TwoAndFour);
        _ = rig.Renderer.Configure(48_000, Quantum, TwoAndFour.Length, TwoAndFour);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++) _ = rig.Renderer.Configure(48_000, Quantum, TwoAndFour.Length, TwoAndFour);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(rig.Renderer.State->Current->SlowWorkers > 0);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(-1f)]
    [InlineData(1.1e9f)]
    public void A_cost_that_is_none_is_refused(float cost)
    {
        using var rig = new Rig(Quantum);
        for (var c = 0; c < Limits.MaxCoreClasses; c++)
        {
            var draft = Draft(new Random(6), 1, 3);
            draft.Nodes[^1].Costs[c] = cost;
            Assert.Equal(ReplyStatus.BadRequest, rig.TryInstall(draft.Compile(), out var error));
            Assert.Equal((BadPart.Order, draft.Nodes.Count - 1), (error.Part, error.Index));
        }
    }

    // Ns a quantum, stand-ins in about the proportions of a desktop core: a test that measured them would judge other plans each time.
    private static readonly Dictionary<string, float> TypicalCosts = new(StringComparer.Ordinal)
    {
        ["vco"] = 1500, ["ladder"] = 2500, ["delay"] = 900, ["adsr"] = 500, ["lfo"] = 400, ["seq8"] = 300, ["sample-player"] = 400,
        ["mixer"] = 300, ["vca"] = 250, ["audio-in"] = 150, ["audio-out"] = 200,
    };

    [Fact]
    public void Every_demo_patch_that_fast_cores_render_in_time_stays_in_time_and_those_they_cannot_gain_as_much_as_blindly_placed()
    {
        var registry = new ModuleRegistry();
        var visitor = new Adder(registry);
        Catalog.VisitAll(ref visitor);
        var root = typeof(PlacementTests).Assembly.GetCustomAttributes(false).OfType<System.Reflection.AssemblyMetadataAttribute>().Single(a => a.Key == "SspRoot").Value!;
        using var rig = new Rig(Quantum, registry: registry, poolBytes: 64L << 20);
        var seen = 0;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(root, "patches"), "*.json").Order(StringComparer.Ordinal))
        {
            var patch = PatchJson.Read(File.ReadAllBytes(file)).Patch!;
            float[] costs = [.. registry.Descriptors.Select(d => TypicalCosts.GetValueOrDefault(d.Id, 500))];
            foreach (var load in new[] { 0.3, 0.6, 0.9, 1.2, 1.8, 2.5 })
            {
                // The same patch on a processor so slow that one fast core alone is busy for this part of the quantum.
                var total = patch.Modules.Sum(m => TypicalCosts.GetValueOrDefault(m.Type, 500));
                float[] fast = [.. costs.Select(c => (float)(c * load * QuantumNs / total))];
                var options = new CompileOptions { Costs = fast, SlowCosts = [fast.Select(c => c / 0.4f).ToArray()] };
                var plan = Install(rig, Compiled(patch, registry, options), TwoAndFour);
                var e = Measure(plan, TwoAndFour);
                Assert.True(e.Placed <= e.Alone);
                Assert.True(e.PlacedFits || !e.AloneFits);
                Assert.True(e.PlacedFits || !e.BlindFits, $"{Path.GetFileName(file)} at load {load}: {e}");
                seen++;
            }
        }

        Assert.True(seen >= 24);
    }

    private readonly struct Adder(ModuleRegistry registry) : IModuleVisitor
    {
        public void Visit<T>() where T : unmanaged, IModule<T> => registry.Add<T>();
    }

    private static byte[] Compiled(Patch patch, ModuleRegistry registry, CompileOptions options) =>
        [.. (PlanCompiler.Compile(patch with { Quantum = Quantum }, new DescriptorIndex(registry.Descriptors), new SlotMap(), options, out var error)
            ?? throw new PatchException(error!)).Description];
}
