// From patch to patch while it plays: what leaves, what comes, at which gain, in which step.
using SspHost.Abi;

namespace SspHost.Patching.Tests;

public sealed unsafe class ChangeoverTests
{
    [Fact]
    public void A_cable_between_modules_that_play_starts_at_nothing_and_one_that_is_pulled_ends_there()
    {
        using var session = Playing(out var sink, "osc:osc", "echo:echo", "osc.sine>echo.in");
        Assert.Null(session.Apply(Plug("osc.saw", "echo.in", 0.5f), Pull("osc.sine", "echo.in")));
        var plan = Read(session, sink);
        Assert.Equal(PlanFlags.Union, plan.Header.Flags);
        Assert.Equal([(0f, 0.5f, "saw"), (1f, 0f, "sine")], CablesInto(plan, "echo"));
        Settle(session, sink);
        plan = Read(session, sink);
        Assert.Equal(PlanFlags.None, plan.Header.Flags);
        Assert.Equal([(0.5f, 0.5f, "saw")], CablesInto(plan, "echo"));
        Assert.True(session.IsSettled);
    }

    [Fact]
    public void A_module_that_comes_hears_its_inputs_whole_at_once_and_is_faded_in_by_its_outputs()
    {
        using var session = Playing(out var sink, "osc:osc", "out:out", "osc.sine>out.in1");
        Assert.Null(session.Apply(Add("echo"), Plug("osc.sine", "echo.in"), Plug("echo.out", "out.in1")));
        var plan = Read(session, sink);
        Assert.Equal([(1f, 1f, "sine")], CablesInto(plan, "echo")); // a pitch would glide up to its note otherwise
        Assert.Equal([(1f, 1f, "sine"), (0f, 1f, "out")], CablesInto(plan, "out"));
    }

    [Fact]
    public void A_module_that_goes_keeps_its_inputs_to_the_last_and_is_gone_once_it_has_faded()
    {
        using var session = Playing(out var sink, "osc:osc", "echo:echo", "out:out", "osc.sine>echo.in", "echo.out>out.in1");
        Assert.Null(session.Apply(new RemoveModule("echo")));
        var plan = Read(session, sink);
        Assert.Equal([(1f, 1f, "sine")], CablesInto(plan, "echo"));
        Assert.Equal([(1f, 0f, "out")], CablesInto(plan, "out"));
        Assert.Equal("echo", sink.Plans[^1].Leaving.Single().Module);
        Assert.Equal(["osc", "out"], sink.Plans[^1].Instances.Select(i => i.Module));
        Settle(session, sink);
        Assert.Empty(sink.Plans[^1].Leaving);
    }

    [Fact]
    public void Nothing_follows_before_the_ramps_have_ended_and_nothing_after_the_plan_is_plain()
    {
        using var session = Playing(out var sink, "osc:osc", "out:out", "osc.sine>out.in1");
        Assert.Null(session.Apply(new SetCableGain(TestModules.At("osc.sine"), TestModules.At("out.in1"), 2)));
        var plans = sink.Plans.Count;
        sink.Settled = false;
        for (var i = 0; i < 5; i++) Assert.Null(session.Pump());
        Assert.Equal(plans, sink.Plans.Count);
        Settle(session, sink);
        Assert.Equal(plans + 1, sink.Plans.Count);
        for (var i = 0; i < 5; i++) Assert.Null(session.Pump());
        Assert.Equal(plans + 1, sink.Plans.Count);
    }

    [Fact]
    public void An_edit_during_a_ramp_takes_what_still_leaves_along()
    {
        using var session = Playing(out var sink, "osc:osc", "a:echo", "b:echo", "out:out", "osc.sine>a.in", "osc.sine>b.in", "a.out>out.in1", "b.out>out.in1");
        sink.Settled = false;
        Assert.Null(session.Apply(new RemoveModule("a")));
        Assert.Null(session.Apply(new RemoveModule("b")));
        Assert.Equal(["b", "a"], sink.Plans[^1].Leaving.Select(i => i.Module));
        Assert.Equal([(1f, 0f), (0f, 0f)], CablesInto(Read(session, sink), "out").Select(c => (c.From, c.Gain))); // a is on its way already
        Assert.Null(session.Undo());
        Assert.Equal(["a"], sink.Plans[^1].Leaving.Select(i => i.Module)); // b came back as it was, and is no other
        Settle(session, sink);
        Assert.Empty(sink.Plans[^1].Leaving);
    }

    [Fact]
    public void Where_old_and_new_cables_close_a_loop_the_old_ones_fade_before_the_new_ones_come()
    {
        using var session = Playing(out var sink, "a:echo", "b:echo", "out:out", "a.out>b.in", "b.out>out.in1");
        Assert.Null(session.Apply(Pull("a.out", "b.in"), Plug("b.out", "a.in"), Plug("a.out", "out.in2")));
        var plan = Read(session, sink);
        Assert.Equal([(1f, 0f, "out")], CablesInto(plan, "b"));
        Assert.Empty(CablesInto(plan, "a"));
        Assert.Equal(2, plan.Cables.Length); // what goes and what stays, nothing that comes
        sink.Settled = true;
        Assert.Null(session.Pump());
        plan = Read(session, sink);
        Assert.Empty(CablesInto(plan, "b"));
        Assert.Equal([(0f, 1f, "out")], CablesInto(plan, "a"));
        Assert.Null(session.Pump());
        Assert.True(session.IsSettled);
    }

    [Fact]
    public void When_its_loop_is_gone_a_delayed_cable_gives_way_to_a_direct_one()
    {
        using var session = Playing(out var sink, "a:echo", "b:echo", "out:out", "a.out>b.in", "b.out>a.in", "b.out>out.in1");
        Assert.Single(Read(session, sink).Feedback);
        Assert.Null(session.Apply(Pull("a.out", "b.in")));
        // Direct from b to a beside what leaves from a to b would be a loop: so that waits.
        Assert.Single(Read(session, sink).Feedback);
        sink.Settled = true;
        Assert.Null(session.Pump());
        var plan = Read(session, sink);
        Assert.Empty(plan.Feedback);
        Assert.Equal([(0f, 1f, "out")], CablesInto(plan, "a"));
    }

    [Fact]
    public void A_cable_that_gets_more_channels_is_another_one_and_the_old_one_keeps_its_own_to_the_end()
    {
        using var session = Playing(out var sink, "poly:poly", "osc:osc", "echo:echo", "out:out", "osc.sine>echo.in", "echo.out>out.in1");
        Assert.Null(session.Apply(Plug("poly.out", "echo.in")));
        var plan = Read(session, sink);
        Assert.Equal([(0f, 1f, 4), (1f, 0f, 1)], WidthsInto(plan, "out"));
        Settle(session, sink);
        Assert.Equal([4], WidthsInto(Read(session, sink), "out").Select(c => c.Channels));
        Assert.Null(session.Apply(Pull("poly.out", "echo.in")));
        plan = Read(session, sink);
        Assert.Equal([(0f, 1f, 1), (1f, 0f, 4)], WidthsInto(plan, "out"));
        Assert.Equal(4, plan.Outputs[plan.Nodes[plan.NodeOf("echo")].FirstOutput].Channels);
    }

    [Fact]
    public void While_one_of_its_cables_keeps_its_channels_every_output_that_follows_has_as_many()
    {
        // A module counts its voices by any of its outputs: one with fewer would be written beyond its end.
        using var session = Playing(out var sink, "poly:poly", "split:split", "bus:narrow", "out:out", "poly.out>split.in", "split.low>bus.any", "bus.out>out.in1");
        Assert.Null(session.Apply(new ReplacePatch(Of("q", "osc:osc", "out:out", "osc.sine>out.in1"))));
        sink.Settled = true;
        Assert.Null(session.Pump());
        var compiled = sink.Plans[^1];
        Assert.Contains("split", compiled.Leaving.Select(i => i.Module)); // it rings on, and nothing goes in any more
        var plan = new ReadPlan(WithLeaving(session.Current, compiled), compiled);
        var node = plan.Nodes[plan.NodeOf("split")];
        Assert.Equal(1, plan.Inputs[node.FirstInput].Channels);
        Assert.Equal([4, 4], Enumerable.Range(node.FirstOutput, 2).Select(o => plan.Outputs[o].Channels));
    }

    [Fact]
    public void Another_patch_rings_out_what_has_a_tail_and_what_carries_it_to_the_jacks()
    {
        using var session = Playing(
            out var sink, "osc:osc", "vca:narrow", "echo:echo", "bus:narrow", "fm:osc", "out:out", "osc.sine>vca.any", "vca.out>echo.in", "echo.out>bus.any", "echo.out>fm.fm",
            "osc.sine>bus.two", "fm.sine>out.in2", "bus.out>out.in1");
        Assert.Null(session.Apply(new ReplacePatch(Of("q", "osc:osc", "out:out", "osc.sine>out.in1"))));
        var plan = sink.Plans[^1];
        Assert.Equal(["osc", "vca", "echo", "bus", "fm", "out"], plan.Leaving.Select(i => i.Module));
        var read = new ReadPlan(session.Current, plan);
        float Gain(string from, string to) => read.Cables.Single(c => c.Id == Id(plan, from, to)).Gain;
        Assert.Equal(0, Gain("vca.out", "echo.in")); // nothing more goes in
        Assert.Equal(1, Gain("echo.out", "bus.any")); // what is in there goes on
        Assert.Equal(1, Gain("bus.out", "out.in1"));
        Assert.Equal(0, Gain("osc.sine", "bus.two")); // but not with it what only passed the same way
        Assert.Equal(0, Gain("fm.sine", "out.in2")); // an oscillator carries no echo
        Assert.Equal(1, Gain("osc.sine", "vca.any"));
        Assert.Equal((2, 2), (read.Jacks.Count(j => (j.From, j.Gain) == (0f, 1f)), read.Jacks.Count(j => (j.From, j.Gain) == (1f, 1f))));

        // What has faded goes, the tail and its carriers stay until the module sleeps.
        sink.Settled = true;
        Assert.Null(session.Pump());
        plan = sink.Plans[^1];
        Assert.Equal(["echo", "bus", "out"], plan.Leaving.Select(i => i.Module));
        var plans = sink.Plans.Count;
        for (var i = 0; i < 5; i++) Assert.Null(session.Pump());
        Assert.Equal(plans, sink.Plans.Count);
        sink[plan.Leaving[0].Slot].Slept += 3;
        Assert.Null(session.Pump());
        Assert.All(new ReadPlan(session.Current, sink.Plans[^1]).Jacks, j => Assert.True(j.Gain == 1 || j.From == 1));
        Settle(session, sink);
        Assert.Empty(sink.Plans[^1].Leaving);
    }

    [Fact]
    public void A_tail_that_never_ends_is_faded_after_twenty_seconds_and_one_that_says_when_after_that()
    {
        foreach (var (declared, seconds) in new[] { (-1L, 20.0), (96_000L, 2.1), (48_000L * 60, 20.0) })
        {
            using var session = Playing(out var sink, "osc:osc", "echo:echo", "out:out", "osc.sine>echo.in", "echo.out>out.in1");
            sink[sink.Plans[^1].Instances.Single(i => i.Module == "echo").Slot].TailFrames = declared;
            Assert.Null(session.Apply(new ReplacePatch(Of("q", "out:out"))));
            sink.Settled = true;
            Assert.Null(session.Pump());
            sink.Frames = (ulong)((seconds - 0.05) * 48_000);
            Assert.Null(session.Pump());
            Assert.Equal(2, sink.Plans[^1].Leaving.Length);
            sink.Frames = (ulong)((seconds + 0.05) * 48_000);
            Settle(session, sink);
            Assert.Empty(sink.Plans[^1].Leaving);
        }
    }

    [Fact]
    public void Patches_that_do_not_fit_together_follow_each_other_with_tails_cut_and_it_is_said()
    {
        using var session = Playing(out var sink, "osc:osc", "echo:echo", "out:out", "osc.sine>echo.in", "echo.out>out.in1");
        var told = new List<PatchChange>();
        session.Changed += (_, change) => told.Add(change);
        sink.Room = 4;
        sink.Settled = true;
        var plans = sink.Plans.Count;
        Assert.Null(session.Apply(new ReplacePatch(Of("q", "osc:osc", "echo:echo", "out:out", "osc.sine>echo.in", "echo.out>out.in1"))));
        Assert.Contains("cut in 20 ms", told.Single().Warnings.Single(), StringComparison.Ordinal);
        var steps = sink.Plans.Skip(plans).Select(p => (p.Instances.Length, p.Leaving.Length)).ToList();
        Assert.Equal([(0, 3), (0, 0), (3, 0)], steps);
        Assert.All(new ReadPlan(session.Current, sink.Plans[plans]).Jacks, j => Assert.Equal(0, j.Gain));
        Assert.All(new ReadPlan(session.Current, sink.Plans[^1]).Jacks, j => Assert.Equal((0f, 1f), (j.From, j.Gain)));
    }

    [Theory]
    [InlineData(1_500_000, true)]
    [InlineData(40_000_000, false)]
    public void Whether_a_patch_would_fit_alone_is_judged_by_the_buffers_that_go_too(long missing, bool comes)
    {
        var parts = Enumerable.Range(0, 100).SelectMany(i => new[] { $"e{i}:osc", $"e{i}.sine>out.in1" }).Prepend("out:out").ToArray();
        using var session = Playing(out var sink, parts);
        sink.Settled = true;
        Assert.Null(session.Apply(new SetQuantum(256)));
        sink.Room = 101;
        sink.Missing = missing;
        var plans = sink.Plans.Count;
        var another = TestModules.Must(Of("q", "osc:osc", "out:out", "osc.sine>out.in1"), new SetQuantum(256));
        Assert.Equal(comes, session.Apply(new ReplacePatch(another)) is null);
        Assert.Equal(comes, sink.Plans.Count > plans); // what is refused leaves alone what plays
    }

    [Fact]
    public void A_patch_that_does_not_fit_at_all_is_refused_and_the_old_one_plays()
    {
        using var session = Playing(out var sink, "osc:osc", "out:out", "osc.sine>out.in1");
        var before = session.Current;
        sink.Room = 2;
        sink.Settled = true;
        var error = session.Apply(new ReplacePatch(Of("q", "osc:osc", "echo:echo", "out:out", "osc.sine>echo.in", "echo.out>out.in1")));
        Assert.Equal("too large", error!.ToString());
        Assert.Equal(before, session.Current);
        Assert.Equal(["osc", "out"], sink.Plans[^1].Instances.Select(i => i.Module));
        Assert.All(Read(session, sink).Jacks, j => Assert.Equal(1, j.Gain));
    }

    [Fact]
    public void What_is_put_back_after_a_refusal_comes_to_the_values_that_were_moved_since_it_was_wired()
    {
        using var session = Playing(out var sink, "osc:osc", "out:out", "osc.sine>out.in1");
        var parameter = TestModules.Index.Find("osc")!.Descriptor.Parameters[0];
        Assert.Null(session.Apply(new SetParameter("osc", parameter.Id, parameter.Max)));
        sink.Room = 2;
        sink.Settled = true;
        Assert.NotNull(session.Apply(new ReplacePatch(Of("q", "osc:osc", "echo:echo", "out:out", "osc.sine>echo.in", "echo.out>out.in1"))));
        Settle(session, sink);
        var plan = Read(session, sink);
        Assert.Equal(parameter.Max, plan.Parameters[plan.Nodes.Single(n => n.Slot == sink.Plans[^1].Instances[0].Slot).FirstParameter]);
        Assert.True(session.IsSettled);
    }

    [Fact]
    public void Where_not_even_what_played_can_be_put_back_it_is_tried_on_and_edits_go_on_meanwhile()
    {
        using var folder = new TestFolder();
        using var session = Playing(out var sink, "osc:osc", "echo:echo", "out:out", "osc.sine>echo.in", "echo.out>out.in1");
        var before = session.Current;
        sink.Settled = true;
        sink.Fits = plan => plan.Instances.Length == 0;
        Assert.NotNull(session.Apply(new ReplacePatch(Of("q", "osc:osc", "out:out", "osc.sine>out.in1"))));
        Assert.Equal(before, session.Current);
        Assert.Empty(sink.Plans[^1].Instances); // nothing is left
        Assert.False(session.IsSettled);
        Assert.Equal("too large", session.Pump());
        Assert.Null(session.Save(folder["p.json"]));
        Assert.NotNull(session.Apply(new SetParameter("osc", TestModules.Index.Find("osc")!.Descriptor.Parameters[0].Id, 1)));

        sink.Fits = _ => true;
        Settle(session, sink);
        Assert.Equal(["osc", "echo", "out"], sink.Plans[^1].Instances.Select(i => i.Module));
        Assert.All(Read(session, sink).Jacks, j => Assert.Equal(1, j.Gain));
        Assert.True(session.IsSettled);
    }

    [Fact]
    public void A_patch_of_another_quantum_that_is_refused_leaves_the_old_one_playing()
    {
        using var session = Playing(out var sink, "osc:osc", "out:out", "osc.sine>out.in1");
        sink.Settled = true;
        sink.Fits = plan => plan.Quantum == 32;
        Assert.NotNull(session.Apply(new SetQuantum(64)));
        Assert.Equal((32, 2), (sink.Plans[^1].Quantum, sink.Plans[^1].Instances.Length));
        Assert.Equal(2, sink.Plans.Count);
        Settle(session, sink);
        Assert.True(session.IsSettled);
        Assert.Equal(32, session.Current.Quantum);
    }

    [Fact]
    public void While_audio_stands_every_change_is_one_plan_at_once()
    {
        using var session = Playing(out var sink, "osc:osc", "out:out", "osc.sine>out.in1");
        sink.Running = false;
        Assert.Null(session.Apply(new RemoveModule("osc")));
        Assert.Equal(PlanFlags.None, Read(session, sink).Header.Flags);
        Assert.True(session.IsSettled);
    }

    [Fact]
    public void Whatever_is_edited_when_every_plan_holds_together_and_the_last_one_is_the_patch()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            using var session = Playing(out var sink);
            var played = new Dictionary<ulong, float>(); // gains of the plan before
            var seen = sink.Plans.Count;
            for (var i = 0; i < 60; i++)
            {
                _ = random.Next(12) == 0
                    ? session.Apply(new ReplacePatch(TestModules.Random(random, random.Next(12), random.Next(20)) with { Quantum = 32 }))
                    : session.Apply(TestModules.RandomEdit(random, session.Current));
                if (random.Next(3) == 0) sink.Settled = true;
                if (random.Next(2) == 0) Assert.Null(session.Pump());
                for (; seen < sink.Plans.Count; seen++) played = Check(new ReadPlan(session.Current, sink.Plans[seen]), played, sink.Plans[seen].Quantum);
                sink.Settled = false;
                sink.Retire();
            }

            Settle(session, sink);
            var fresh = PlanCompiler.Compile(session.Current, TestModules.Index, new SlotMap(), new CompileOptions { Inputs = 2, Outputs = 2 }, out _)!;
            var last = sink.Plans[^1];
            Assert.Equal(fresh.Instances.Select(i => i.Key), last.Instances.Select(i => i.Key));
            Assert.Empty(last.Leaving);
            var (a, b) = (new ReadPlan(session.Current, fresh), new ReadPlan(session.Current, last));
            Assert.Equal(a.Cables.Select(c => (c.Id, c.Gain, c.Channels)), b.Cables.Select(c => (c.Id, c.Gain, c.Channels)));
            Assert.Equal(a.Jacks.Select(j => (j.Id, j.Gain)), b.Jacks.Select(j => (j.Id, j.Gain)));
        }
    }

    // A gain that the plan before had goes on from there; identities are one; what is read in place is whole.
    private static Dictionary<ulong, float> Check(ReadPlan plan, Dictionary<ulong, float> before, int quantum)
    {
        Assert.True(quantum > 0);
        var gains = new Dictionary<ulong, float>();
        foreach (var (id, gain, from) in plan.Cables.Where(c => c.Id != 0).Select(c => (c.Id, c.Gain, c.From)).Concat(plan.Jacks.Select(j => (j.Id, j.Gain, j.From))))
        {
            Assert.True(gains.TryAdd(id, gain));
            if (before.TryGetValue(id, out var was) && plan.Header.Flags == PlanFlags.None) Assert.Equal(was, gain); // a plain plan moves nothing
            if (plan.Header.Flags == PlanFlags.None) Assert.Equal(gain, from);
        }

        foreach (var input in plan.Inputs.Where(i => i.CableCount == 1 && i.MixSlot < 0))
        {
            var cable = plan.Cables[input.FirstCable];
            Assert.Equal((1f, 1f), (cable.Gain, cable.From));
            Assert.True(cable.Channels >= input.Channels);
        }

        return gains;
    }

    private static ulong Id(CompiledPlan plan, string from, string to)
    {
        var (a, b) = (TestModules.At(from), TestModules.At(to));
        var (source, target) = (plan.Leaving.Single(i => i.Module == a.Module), plan.Leaving.Single(i => i.Module == b.Module));
        return PlanKey.Cable(source.Key, TestModules.Index.Types[source.Type].Output(a.Port), target.Key, TestModules.Index.Types[target.Type].Input(b.Port), delayed: false, 1);
    }

    private static IEnumerable<(float From, float Gain, string Port)> CablesInto(ReadPlan plan, string module) =>
        plan.CablesInto(plan.NodeOf(module)).Where(c => c.Source >= 0).Select(c => (c.From, c.Gain, PortOf(plan, plan.SourceOf(c))));

    private static IEnumerable<(float From, float Gain, int Channels)> WidthsInto(ReadPlan plan, string module) =>
        plan.CablesInto(plan.NodeOf(module)).Select(c => (c.From, c.Gain, c.Channels));

    private static string PortOf(ReadPlan plan, int output)
    {
        var v = Array.FindLastIndex(plan.Nodes, n => n.FirstOutput <= output);
        return TestModules.Index.Types[plan.Nodes[v].Module].Descriptor.Outputs[output - plan.Nodes[v].FirstOutput].Id;
    }

    private static ReadPlan Read(PatchSession session, FakeSink sink) => new(WithLeaving(session.Current, sink.Plans[^1]), sink.Plans[^1]);

    // So that names find modules that have left the patch, too.
    private static Patch WithLeaving(Patch patch, CompiledPlan plan) => patch with
    {
        Modules = [.. patch.Modules, .. plan.Leaving.Where(l => patch.Find(l.Module) is null).Select(l => TestModules.Make(l.Module, TestModules.Index.Types[l.Type].Descriptor.Id))],
    };

    private static void Settle(PatchSession session, FakeSink sink)
    {
        for (var i = 0; i < 10 && !session.IsSettled; i++)
        {
            sink.Settled = true;
            Assert.Null(session.Pump());
            sink.Retire();
            foreach (var l in sink.Plans[^1].Leaving) sink[l.Slot].Slept++;
        }

        Assert.True(session.IsSettled);
    }

    private static Connect Plug(string from, string to, float gain = 1) => new(TestModules.At(from), TestModules.At(to), gain);

    private static Disconnect Pull(string from, string to) => new(TestModules.At(from), TestModules.At(to));

    private static AddModule Add(string id) => new(TestModules.Make(id, id));

    private static Patch Of(string id, params string[] parts)
    {
        var patch = new Patch { Id = id, Quantum = 32 };
        foreach (var part in parts)
        {
            if (part.Split('>') is [var from, var to]) patch = TestModules.Must(patch, Plug(from, to));
            else if (part.Split(':') is [var name, var type]) patch = TestModules.Must(patch, new AddModule(TestModules.Make(name, type)));
        }

        return patch;
    }

    private static PatchSession Playing(out FakeSink sink, params string[] parts)
    {
        sink = new FakeSink();
        var session = PatchSession.Start(new PatchSessionOptions { Modules = TestModules.Index, Sink = sink, Start = Of("p", parts) });
        Assert.Null(session.Reinstall(newEngine: true));
        sink.Running = true;
        return session;
    }
}
