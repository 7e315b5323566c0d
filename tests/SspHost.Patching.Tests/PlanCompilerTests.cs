// Plans: order, buffers, feedback and channels, each against the rule in its plainest form.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;

namespace SspHost.Patching.Tests;

public sealed unsafe class PlanCompilerTests
{
    [Fact]
    public void Every_node_comes_after_what_it_reads_and_waits_for_all_of_it()
    {
        ForRandomPatches((patch, plan) =>
        {
            var reach = EditTests.Reach(patch, withDelayed: false);
            var waits = Waits(plan);
            for (var a = 0; a < plan.Nodes.Length; a++)
            {
                for (var b = 0; b < plan.Nodes.Length; b++)
                {
                    Assert.Equal(reach[plan.PatchIndex[a], plan.PatchIndex[b]], waits[a, b]); // no dependency is missing and none is made up
                    if (waits[a, b]) Assert.True(a < b);
                }
            }
        });
    }

    [Fact]
    public void Successors_are_the_fewest_that_imply_every_dependency()
    {
        ForRandomPatches((_, plan) =>
        {
            var waits = Waits(plan);
            var pending = new int[plan.Nodes.Length];
            for (var a = 0; a < plan.Nodes.Length; a++)
            {
                var seen = new HashSet<int>();
                foreach (var b in plan.SuccessorsOf(a))
                {
                    Assert.True(seen.Add(b));
                    pending[b]++;
                    for (var k = 0; k < plan.Nodes.Length; k++) Assert.False(waits[a, k] && waits[k, b], "a successor that another one implies");
                }
            }

            Assert.Equal(pending, plan.Nodes.Select(n => n.Pending));
        });
    }

    [Fact]
    public void Two_values_in_one_buffer_are_ordered_in_every_schedule()
    {
        var reused = 0;
        ForRandomPatches((_, plan) =>
        {
            var waits = Waits(plan);
            var values = plan.Values();
            foreach (var x in values)
            {
                foreach (var y in values)
                {
                    if (ReferenceEquals(x, y) || x.First >= y.First + y.Channels || y.First >= x.First + x.Channels) continue;

                    // One of the two is completely over before the other begins: its writer and every reader are ancestors of the other's writer.
                    Assert.True(Over(x, y) || Over(y, x), $"slots {x.First}+{x.Channels} and {y.First}+{y.Channels}");
                    reused++;
                }
            }

            bool Over(Value x, Value y) => !x.ToTheEnd && waits[x.Writer, y.Writer] && x.Readers.All(r => waits[r, y.Writer]);
        });
        Assert.True(reused > 1000, $"only {reused} reuses: the test sees too little");
    }

    [Fact]
    public void A_random_schedule_of_a_random_plan_reads_what_the_patch_says()
    {
        // Runs plans symbolically: every slot holds the name of the value in it, and each reader must find the right one.
        for (var seed = 0; seed < 150; seed++)
        {
            var random = new Random(seed);
            var patch = TestModules.Random(random, 3 + (seed % 30), seed % 60);
            var plan = new ReadPlan(patch, Compiled(patch));
            var memory = new (int Output, int Channel)[plan.Header.BufferSlots];
            Array.Fill(memory, (-1, -1));
            var pending = plan.Nodes.Select(n => n.Pending).ToArray();
            var ready = Enumerable.Range(0, pending.Length).Where(i => pending[i] == 0).ToList();
            while (ready.Count > 0)
            {
                var at = random.Next(ready.Count);
                var v = ready[at];
                ready.RemoveAt(at);
                foreach (var cable in plan.CablesInto(v))
                {
                    for (var c = 0; c < cable.Channels && cable.SourceOutput >= 0; c++) Assert.Equal((cable.SourceOutput, c), memory[cable.Source + c]);
                }

                foreach (var i in plan.InputsOf(v))
                {
                    for (var c = 0; c < plan.Inputs[i].Channels && plan.Inputs[i].MixSlot >= 0; c++) memory[plan.Inputs[i].MixSlot + c] = (-2, i);
                }

                foreach (var o in plan.OutputsOf(v))
                {
                    for (var c = 0; c < plan.Outputs[o].Channels; c++) memory[plan.Outputs[o].Slot + c] = (o, c);
                }

                foreach (var next in plan.SuccessorsOf(v))
                {
                    if (--pending[next] == 0) ready.Add(next);
                }
            }

            Assert.All(pending, p => Assert.True(p <= 0));
            foreach (var f in plan.Feedback)
            {
                for (var c = 0; c < f.Channels; c++) Assert.Equal((f.SourceOutput, c), memory[f.Source + c]);
            }

            foreach (var j in plan.Jacks) Assert.True(memory[j.Slot].Output >= 0);
        }
    }

    [Fact]
    public void Cables_are_summed_in_patch_order_and_mixed_only_where_they_must_be()
    {
        ForRandomPatches((patch, plan) =>
        {
            for (var v = 0; v < plan.Nodes.Length; v++)
            {
                var module = patch.Modules[plan.PatchIndex[v]];
                var d = TestModules.Index.Find(module.Type)!.Descriptor;
                for (var p = 0; p < d.Inputs.Count; p++)
                {
                    var input = plan.Inputs[plan.Nodes[v].FirstInput + p];
                    var wanted = patch.Cables.Where(c => c.To == new PortRef(module.Id, d.Inputs[p].Id)).ToList();
                    if (d.Inputs[p].Kind == PortKind.Device) continue;
                    var got = plan.Cables.AsSpan(input.FirstCable, input.CableCount).ToArray();
                    Assert.Equal(wanted.Select(c => c.Gain), got.Select(c => c.Gain));
                    Assert.Equal(wanted.Select(c => c.Delayed), got.Select(c => c.SourceOutput < 0));
                    Assert.Equal(wanted.Count > 1 || (wanted.Count == 1 && wanted[0].Gain != 1), input.MixSlot >= 0);
                    for (var k = 0; k < got.Length; k++) Assert.Equal(plan.FlatOutput(wanted[k].From), plan.SourceOf(got[k]));
                }
            }
        });
    }

    [Fact]
    public void Feedback_stands_exactly_where_delayed_cables_start()
    {
        ForRandomPatches((patch, plan) =>
        {
            var wanted = patch.Cables.Where(c => c.Delayed).Select(c => plan.FlatOutput(c.From)).Distinct().Order();
            Assert.Equal(wanted, plan.Feedback.Select(f => f.SourceOutput).Order());
            foreach (var f in plan.Feedback)
            {
                Assert.Equal(plan.Outputs[f.SourceOutput].Slot, f.Source);
                Assert.Equal(plan.Outputs[f.SourceOutput].Channels, f.Channels);
            }
        });
    }

    [Fact]
    public void The_same_patch_gives_the_same_bytes_and_costs_move_priorities_only()
    {
        var moved = false;
        for (var seed = 0; seed < 50; seed++)
        {
            var patch = TestModules.Random(new Random(seed), 20, 40);
            var a = Compiled(patch);
            var b = Compiled(PatchJson.Read(PatchJson.Write(patch)).Patch!);
            Assert.Equal(a.Description.ToArray(), b.Description.ToArray());
            var dear = new CompileOptions { Costs = new float[] { 1, 2, 3000, float.NaN, 5, -1, 7 } };
            var c = PlanCompiler.Compile(patch, TestModules.Index, new SlotMap(), dear, out _)!;
            Assert.Equal(WithoutPriorities(a), WithoutPriorities(c));
            moved |= !a.Description.AsSpan().SequenceEqual(c.Description.AsSpan());
        }

        Assert.True(moved, "no cost moved any priority");
    }

    [Fact]
    public void Priority_is_the_cost_of_the_longest_way_to_the_end()
    {
        var costs = new float[] { 10, 20, 300, 40, 50, 60, 70, 80, 90 };
        ForRandomPatches((patch, plan) =>
        {
            var longest = new Dictionary<int, float>();
            float Longest(int m)
            {
                if (longest.TryGetValue(m, out var known)) return known;
                var below = 0f;
                foreach (var c in patch.Cables)
                {
                    if (!c.Delayed && c.From.Module == patch.Modules[m].Id) below = Math.Max(below, Longest(patch.IndexOf(c.To.Module)));
                }

                return longest[m] = below + costs[TestModules.Index.Find(patch.Modules[m].Type)!.Number];
            }

            for (var v = 0; v < plan.Nodes.Length; v++) Assert.Equal(Longest(plan.PatchIndex[v]), plan.Nodes[v].Priority);
        }, new CompileOptions { Costs = costs });
    }

    [Fact]
    public void A_node_carries_what_it_costs_on_each_class_of_cores_and_none_where_that_is_not_known()
    {
        var options = new CompileOptions
        {
            Costs = new float[] { 10, 0, 300, float.NaN, 50, -1, 70 },
            SlowCosts = [new float[] { 20, 7, float.PositiveInfinity, 90, 3e9f }, new float[] { 40 }],
        };
        float[][] expected =
        [
            [10, PlanCompiler.UnknownCost, 300, PlanCompiler.UnknownCost, 50, PlanCompiler.UnknownCost, 70],
            [20, 7, 0, 90, 1e9f, 0, 0],
            [40, 0, 0, 0, 0, 0, 0],
        ];
        ForRandomPatches((patch, plan) =>
        {
            for (var v = 0; v < plan.Nodes.Length; v++)
            {
                for (var c = 0; c < Limits.MaxCoreClasses; c++)
                {
                    var node = plan.Nodes[v];
                    Assert.Equal(node.Module < 7 ? expected[c][node.Module] : c == 0 ? PlanCompiler.UnknownCost : 0, node.Costs[c]);
                }
            }
        }, options);
    }

    [Fact]
    public void Width_is_never_less_than_the_most_nodes_that_can_run_at_once()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var patch = TestModules.Random(random, random.Next(1, 12), random.Next(25));
            var plan = new ReadPlan(patch, Compiled(patch));
            var waits = Waits(plan);
            var n = plan.Nodes.Length;
            var most = 0;
            for (var set = 1; set < 1 << n; set++)
            {
                var size = System.Numerics.BitOperations.PopCount((uint)set);
                if (size <= most) continue;
                var free = true;
                for (var a = 0; a < n && free; a++)
                {
                    for (var b = 0; b < n && free; b++) free = (set >> a & 1) == 0 || (set >> b & 1) == 0 || !waits[a, b];
                }

                if (free) most = size;
            }

            Assert.InRange(plan.Header.Width, most, n);
        }
    }

    [Theory]
    [InlineData("poly.out", 4, "osc.sine", 4)] // follows the widest of its inputs
    [InlineData("poly.five", 5, "osc.sine", 5)]
    [InlineData("poly.mono", 1, "osc.sine", 1)]
    [InlineData("poly.out", 16, "osc.sine", 16)]
    public void Outputs_that_follow_are_as_wide_as_the_widest_input(string from, int voices, string read, int channels)
    {
        var patch = Patch("poly", "osc");
        if (from == "poly.out") patch = TestModules.Must(patch, new SetSetting("poly", "voices", voices));
        patch = TestModules.Must(patch, new Connect(TestModules.At(from), TestModules.At("osc.fm")));
        var plan = new ReadPlan(patch, Compiled(patch));
        Assert.Equal(channels, plan.Outputs[plan.FlatOutput(TestModules.At(read))].Channels);
    }

    [Fact]
    public void Inputs_take_at_most_what_their_rule_says_and_outputs_that_do_not_follow_stay()
    {
        var patch = Patch("poly", "narrow", "osc");
        foreach (var to in new[] { "narrow.two", "narrow.any", "narrow.set" }) patch = TestModules.Must(patch, new Connect(TestModules.At("poly.five"), TestModules.At(to)));
        var plan = new ReadPlan(patch, Compiled(patch));
        var node = plan.Nodes[plan.NodeOf("narrow")];
        Assert.Equal([2, 5, 3], Enumerable.Range(0, 3).Select(i => plan.Inputs[node.FirstInput + i].Channels));
        Assert.Equal([5, 3], Enumerable.Range(0, 2).Select(i => plan.Outputs[node.FirstOutput + i].Channels));
        Assert.Equal(1, plan.Inputs[plan.Nodes[plan.NodeOf("osc")].FirstInput].Channels); // nothing plugged in
    }

    [Fact]
    public void Channels_go_round_a_loop_through_the_delayed_cable()
    {
        var patch = Patch("a:osc", "b:osc", "poly");
        patch = TestModules.Must(patch, new Connect(TestModules.At("a.saw"), TestModules.At("b.fm")));
        patch = TestModules.Must(patch, new Connect(TestModules.At("b.saw"), TestModules.At("a.fm")));
        var alone = new ReadPlan(patch, Compiled(patch));
        Assert.Equal(1, alone.Outputs[alone.FlatOutput(TestModules.At("a.saw"))].Channels);
        patch = TestModules.Must(patch, new Connect(TestModules.At("poly.five"), TestModules.At("b.pitch")));
        var fed = new ReadPlan(patch, Compiled(patch));
        Assert.Equal(5, fed.Outputs[fed.FlatOutput(TestModules.At("a.saw"))].Channels);
        Assert.Equal(5, fed.Feedback.Single().Channels);
    }

    [Fact]
    public void Cables_to_parameters_become_modulations_that_keep_order_channels_and_buffers_sound()
    {
        var patch = Patch("poly", "a:osc", "b:osc");
        patch = TestModules.Must(patch, new Connect(TestModules.At("a.saw"), TestModules.At("b.fm")));
        patch = patch with
        {
            Cables =
            [
                .. patch.Cables,
                new Cable(TestModules.At("poly.five"), new PortRef("b", "@level")) { Gain = 0.5f },
                new Cable(TestModules.At("a.sine"), new PortRef("b", "@level")),
                new Cable(TestModules.At("b.sine"), new PortRef("a", "@tune")) { Delayed = true },
            ],
        };
        var compiled = PlanCompiler.CompileChecked(patch, TestModules.Index, new SlotMap(), new CompileOptions(), out var error);
        Assert.Null(error);
        var plan = new ReadPlan(patch, compiled!);
        var (a, b) = (plan.NodeOf("a"), plan.NodeOf("b"));
        Assert.True(plan.NodeOf("poly") < b && a < b);
        Assert.Equal([(1, 2)], plan.ModulationsOf(b).Select(m => (m.Parameter, m.CableCount)));
        Assert.Equal([(0, 1)], plan.ModulationsOf(a).Select(m => (m.Parameter, m.CableCount)));
        var level = plan.ModulationsOf(b).Single();
        Assert.Equal([0.5f, 1f], plan.Cables.Skip(level.FirstCable).Take(2).Select(c => c.Gain)); // in patch order
        Assert.Equal(plan.FlatOutput(TestModules.At("poly.five")), plan.Cables[level.FirstCable].SourceOutput);
        Assert.Equal(plan.Feedback.Single().Target, plan.Cables[plan.ModulationsOf(a).Single().FirstCable].Source);
        Assert.Equal(1, plan.Outputs[plan.FlatOutput(TestModules.At("b.saw"))].Channels); // five voices at a knob are no five voices
        Assert.Equal(5, plan.Header.InputCount); // pitch and fm of two, gate, and none for parameters
        Assert.Equal(plan.Cables.Length, plan.Cables.Select(c => c.Id).Distinct().Count());
    }

    [Fact]
    public void Device_ports_lead_to_jacks_from_the_first_setting_on_and_missing_jacks_are_named_where_patched()
    {
        var patch = Patch("in", "out");
        patch = TestModules.Must(patch, new Connect(TestModules.At("in.out1"), TestModules.At("out.in1")));
        patch = TestModules.Must(patch, new Connect(TestModules.At("in.out2"), TestModules.At("out.in2")));
        patch = TestModules.Must(patch, new SetSetting("in", "first", 3));
        var compiled = PlanCompiler.Compile(patch, TestModules.Index, new SlotMap(), new CompileOptions { Inputs = 5, Outputs = 1 }, out _)!;
        var plan = new ReadPlan(patch, compiled);
        var node = plan.Nodes[plan.NodeOf("in")];
        Assert.Equal([-4, -5], Enumerable.Range(0, 2).Select(i => plan.Cables[plan.Inputs[node.FirstInput + i].FirstCable].Source));
        Assert.Equal([(plan.Outputs[plan.FlatOutput(TestModules.At("out.jack1"))].Slot, 0)], plan.Jacks.Select(j => (j.Slot, j.Jack)));
        Assert.Equal(["out: the device has no output jack 2, only 1"], compiled.Warnings.ToArray());
        Assert.Empty(PlanCompiler.Compile(Patch("in", "out"), TestModules.Index, new SlotMap(), new CompileOptions { Inputs = 0, Outputs = 0 }, out _)!.Warnings);
    }

    [Fact]
    public void Nodes_carry_settings_parameters_state_bypass_and_name()
    {
        ForRandomPatches((patch, plan) =>
        {
            for (var v = 0; v < plan.Nodes.Length; v++)
            {
                var m = patch.Modules[plan.PatchIndex[v]];
                var d = TestModules.Index.Find(m.Type)!.Descriptor;
                var n = plan.Nodes[v];
                Assert.Equal(m.Id, plan.Name(v));
                Assert.Equal(m.Bypass, n.Flags == NodeFlags.Bypassed);
                for (var i = 0; i < d.Settings.Count; i++) Assert.Equal(m.Settings.TryGet(d.Settings[i].Id, out var s) ? s : d.Settings[i].Default, plan.Settings[n.FirstSetting + i]);
                for (var i = 0; i < d.Parameters.Count; i++) Assert.Equal(m.Parameters.TryGet(d.Parameters[i].Id, out var x) ? x : d.Parameters[i].Default, plan.Parameters[n.FirstParameter + i]);
                Assert.Equal(m.State.Bytes.ToArray(), plan.State.AsSpan(n.StateOffset, n.StateLength).ToArray());
            }
        });
    }

    [Fact]
    public void Keys_are_the_same_in_every_process_and_differ_where_an_instance_must()
    {
        Assert.Equal(KnownKey, PlanKey.Of("patch", "vco1", "vco", [1, -2]));
        var keys = new HashSet<ulong>
        {
            KnownKey, PlanKey.Of("patch", "vco1", "vco", [1, 2]), PlanKey.Of("patch", "vco1", "vco", [1]), PlanKey.Of("patch", "vco1", "vcf", [1, -2]),
            PlanKey.Of("patch", "vco", "1vco", [1, -2]), PlanKey.Of("patch2", "vco1", "vco", [1, -2]), PlanKey.Of("patch", "vco1", "vco", [1, -2], 1),
        };
        Assert.Equal(7, keys.Count);
    }

    // Computed once by an independent program in another language (FNV-1a 64 over UTF-8, 0xFF after each text, settings and salt as
    // four bytes little-endian, then SplitMix64's mixer).
    private const ulong KnownKey = 0x5041ee1f1d978b81;

    [Fact]
    public void A_default_setting_said_or_unsaid_is_the_same_instance()
    {
        var patch = Patch("poly");
        var said = TestModules.Must(patch, new SetSetting("poly", "voices", 4));
        var other = TestModules.Must(patch, new SetSetting("poly", "voices", 5));
        Assert.Equal(Compiled(patch).Instances[0].Key, Compiled(said).Instances[0].Key);
        Assert.NotEqual(Compiled(patch).Instances[0].Key, Compiled(other).Instances[0].Key);
    }

    [Fact]
    public void A_slot_stays_with_its_instance_and_is_not_given_away_before_it_is_free()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            var sink = new FakeSink(); // refuses a slot that is not free
            var slots = new SlotMap();
            var patch = TestModules.Random(random, 10, 10);
            var of = new Dictionary<ulong, int>();
            for (var i = 0; i < 100; i++)
            {
                patch = PatchEdits.Apply(patch, TestModules.RandomEdit(random, patch), TestModules.Index, out _) ?? patch;
                slots.Observe(sink.Instances);
                var plan = PlanCompiler.Compile(patch, TestModules.Index, slots, new CompileOptions(), out var error);
                Assert.Null(error);
                Assert.Equal(plan!.Instances.Length, plan.Instances.Select(x => x.Slot).Distinct().Count());
                foreach (var x in plan.Instances) Assert.Equal(of.GetValueOrDefault(x.Key, x.Slot), x.Slot);
                if (random.Next(5) == 0) continue; // compiled, never installed: leaves no trace
                Assert.Null(sink.Install(plan));
                slots.Installed(plan);
                of = plan.Instances.ToDictionary(x => x.Key, x => x.Slot);
                if (random.Next(3) == 0) sink.Retire();
            }
        }
    }

    [Fact]
    public void More_instances_than_there_are_slots_give_one_line()
    {
        var many = new Patch { Id = "p", Modules = [.. Enumerable.Range(0, 2048).Select(i => TestModules.Make($"m{i}", "osc"))] };
        var slots = new SlotMap();
        slots.Installed(Compiled(many));
        slots.Installed(Compiled(many with { Id = "q" }, slots));
        Assert.Null(PlanCompiler.Compile(many with { Id = "r" }, TestModules.Index, slots, new CompileOptions(), out var error));
        Assert.Equal("modules: 2048 modules: 2048 more instances than the engine has room for while others ring out; expected at most 4096 at once", error!.ToString());
        Assert.Null(PlanCompiler.Compile(many with { Modules = many.Modules.Add(TestModules.Make("x", "osc")) }, TestModules.Index, slots, new CompileOptions(), out error));
        Assert.Equal("modules: 2049 modules; expected at most 2048", error!.ToString());
        Assert.Null(PlanCompiler.Compile(new Patch { Id = "p", Modules = [new Module { Id = "m", Type = "none" }] }, TestModules.Index, slots, new CompileOptions(), out error));
        Assert.StartsWith("modules[0].type: m: there is no module type 'none'", error!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_patch_is_a_plan_without_nodes()
    {
        var plan = new ReadPlan(Patching.Patch.Empty, Compiled(Patching.Patch.Empty));
        Assert.Equal((0, 0, 0), (plan.Header.NodeCount, plan.Header.Width, plan.Header.BufferSlots));
    }

    [Fact]
    public void The_benchmark_compiles_a_thousand_modules_of_each_shape()
    {
        foreach (var t in CompileBench.Run(runs: 3)) Assert.True(t is { Modules: 1000, Cables: >= 999, Median: > 0, BufferSlots: > 0 }, t.ToString());
    }

    private static Patch Patch(params string[] modules)
    {
        var patch = new Patch { Id = "p" };
        foreach (var m in modules)
        {
            var parts = m.Split(':');
            patch = TestModules.Must(patch, new AddModule(TestModules.Make(parts[0], parts[^1])));
        }

        return patch;
    }

    private static CompiledPlan Compiled(Patch patch, SlotMap? slots = null) =>
        PlanCompiler.Compile(patch, TestModules.Index, slots ?? new SlotMap(), new CompileOptions(), out var error) ?? throw new PatchException(error!);

    private static void ForRandomPatches(Action<Patch, ReadPlan> check, CompileOptions? options = null)
    {
        for (var seed = 0; seed < 120; seed++)
        {
            var patch = TestModules.Random(new Random(seed), seed % 40, seed % 90);
            var plan = PlanCompiler.Compile(patch, TestModules.Index, new SlotMap(), options ?? new CompileOptions(), out var error);
            Assert.Null(error);
            check(patch, new ReadPlan(patch, plan!));
        }
    }

    // Who surely ends before whom, from the successor lists alone.
    private static bool[,] Waits(ReadPlan plan)
    {
        var n = plan.Nodes.Length;
        var waits = new bool[n, n];
        for (var a = n - 1; a >= 0; a--)
        {
            foreach (var b in plan.SuccessorsOf(a))
            {
                waits[a, b] = true;
                for (var k = 0; k < n; k++) waits[a, k] |= waits[b, k];
            }
        }

        return waits;
    }

    private static byte[] WithoutPriorities(CompiledPlan plan)
    {
        var bytes = plan.Description.ToArray();
        fixed (byte* b = bytes)
        {
            var h = (PlanHeader*)b;
            for (var i = 0; i < h->NodeCount; i++)
            {
                var node = (PlanNode*)(b + h->NodesOffset) + i;
                node->Priority = 0;
                for (var c = 0; c < Limits.MaxCoreClasses; c++) node->Costs[c] = 0;
            }
        }

        return bytes;
    }
}
