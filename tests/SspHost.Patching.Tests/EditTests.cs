// Edits: what each does, what it refuses, and which cable of a loop is delayed.
namespace SspHost.Patching.Tests;

public sealed class EditTests
{
    private static readonly PortRef Saw = TestModules.At("a.saw");

    [Fact]
    public void An_edit_gives_a_sound_patch_or_one_line_and_never_changes_what_it_was_given()
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var patch = TestModules.Full(random, 6, 10);
            for (var i = 0; i < 150; i++)
            {
                var edit = i % 10 == 0 ? TestModules.RandomEdit(random, TestModules.Full(random, 3, 3)) : TestModules.RandomEdit(random, patch);
                var before = PatchJson.Write(patch);
                var next = PatchEdits.Apply(patch, edit, TestModules.Index, out var error);
                Assert.Equal(before, PatchJson.Write(patch));
                Assert.True(next is null != error is null);
                if (next is null) continue;
                Assert.Null(PatchCheck.Structure(next));
                Assert.Null(PatchCheck.Types(next, TestModules.Index));
                AssertLoopsHold(next);
                patch = next;
            }
        }
    }

    [Fact]
    public void Every_edit_survives_its_json()
    {
        var random = new Random(3);
        for (var i = 0; i < 3000; i++)
        {
            var edit = TestModules.RandomEdit(random, TestModules.Full(random, 4, 6));
            var again = EditJson.Read(EditJson.Write(edit), out var error);
            Assert.Null(error);
            Assert.Equal([edit], again!);
        }
    }

    [Theory]
    [InlineData("{}", "line 1:1: the field 'op' is missing; expected one of add, remove")]
    [InlineData("""{"op":"jump"}""", "line 1:1: 'jump' is no edit; expected one of add, remove")]
    [InlineData("""{"op":"param","module":"a","param":"p"}""", "line 1:1: 'param' lacks a field; expected 'value'")]
    [InlineData("""{"op":"remove","module":"a","x":1}""", "line 1:1: 'remove' has no field 'x'; expected 'op', 'module'")]
    [InlineData("""{"op":"setting","module":"a","setting":"s","value":1.5}""", "line 1:1: the value of a setting; expected a whole number")]
    [InlineData("""[{"op":"bypass","module":"a","on":1}]""", "line 1:35: [0].on: 1; expected true or false")]
    public void What_is_no_edit_gives_one_line(string json, string start)
    {
        Assert.Null(EditJson.Read(System.Text.Encoding.UTF8.GetBytes(json), out var error));
        Assert.StartsWith(start, error!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Removing_a_module_takes_its_cables_and_nothing_else()
    {
        var patch = Chain("a", "b", "c");
        var after = TestModules.Must(patch, new RemoveModule("b"));
        Assert.Equal(["a", "c"], after.Modules.Select(m => m.Id));
        Assert.Empty(after.Cables);
        Assert.Equal(2, TestModules.Must(patch, new AddModule(TestModules.Make("d", "osc"))).Cables.Length);
    }

    [Fact]
    public void A_copy_has_all_that_was_set_and_on_request_the_cables_that_end_there()
    {
        var patch = TestModules.Must(Chain("a", "b"), new SetParameter("b", "tune", 2f));
        patch = TestModules.Must(patch, new SetCableGain(Saw, TestModules.At("b.fm"), 0.5f));
        var bare = TestModules.Must(patch, new Duplicate("b", "z"));
        var wired = TestModules.Must(patch, new Duplicate("b", "z", Inputs: true));
        Assert.Equal(patch.Find("b")!.Parameters, bare.Find("z")!.Parameters);
        Assert.Single(bare.Cables);
        Assert.Equal(new Cable(Saw, TestModules.At("z.fm")) { Gain = 0.5f }, wired.Cables[1]);
    }

    [Fact]
    public void Edits_that_cannot_be_say_why()
    {
        var patch = Chain("a", "b");
        Assert.Equal("there is no module 'x'", Refused(patch, new RemoveModule("x")));
        Assert.Equal("there is no module 'x'", Refused(patch, new SetParameter("x", "tune", 0)));
        Assert.Equal("a (osc) has no parameter 'warp'; expected one of tune, level, shape", Refused(patch, new SetParameter("a", "warp", 0)));
        Assert.Equal("a: Tune of 6 is out of range; expected -5..5 V/oct", Refused(patch, new SetParameter("a", "tune", 6)));
        Assert.Equal("a: Tune of NaN is out of range; expected -5..5 V/oct", Refused(patch, new SetParameter("a", "tune", float.NaN)));
        Assert.Equal("there is a cable from a.saw to b.fm already", Refused(patch, new Connect(Saw, TestModules.At("b.fm"))));
        Assert.Equal("a gain of 101; expected -100..100", Refused(patch, new Connect(Saw, TestModules.At("b.pitch"), 101)));
        Assert.Equal("'b' (osc) has no input 'out'; expected one of pitch, fm", Refused(patch, new Connect(Saw, TestModules.At("b.out"))));
        Assert.Equal("there is no cable from b.saw to a.fm", Refused(patch, new Disconnect(TestModules.At("b.saw"), TestModules.At("a.fm"))));
        Assert.Equal("there is a module 'a' already; expected a free id, such as osc1", Refused(patch, new AddModule(TestModules.Make("a", "osc"))));
        Assert.Equal("module.type: a2: there is no module type 'no'; expected one of in, out, osc, poly, narrow, seq, player, echo, split", Refused(patch, new AddModule(new Module { Id = "a2", Type = "no" })));
        Assert.Equal("quantum: a quantum of 48 frames; expected 16, 32, 64, 128 or 256", Refused(patch, new SetQuantum(48)));

        // A jack is the device's: no cable ends there.
        patch = TestModules.Must(TestModules.Must(patch, new AddModule(TestModules.Make("in", "in"))), new AddModule(TestModules.Make("out", "out")));
        Assert.Equal("'in' (in) has no input 'jack1'; expected none", Refused(patch, new Connect(Saw, TestModules.At("in.jack1"))));
        Assert.Equal("'out' (out) has no output 'jack1'; expected none", Refused(patch, new Connect(TestModules.At("out.jack1"), TestModules.At("a.fm"))));
    }

    [Fact]
    public void A_cable_may_end_at_any_parameter_also_a_stepped_one_and_nowhere_else()
    {
        var patch = Connected(Connected(Chain("a", "b"), "a.saw", "b.@tune"), "a.saw", "b.@shape");
        Assert.Equal(["b.fm", "b.@tune", "b.@shape"], patch.Cables.Select(c => c.To.ToString()));
        Assert.Equal("'b' (osc) has no parameter 'warp'; expected one of @tune, @level, @shape", Refused(patch, new Connect(Saw, TestModules.At("b.@warp"))));
        Assert.Equal("'b' (osc) has no parameter 'fm'; expected one of @tune, @level, @shape", Refused(patch, new Connect(Saw, TestModules.At("b.@fm"))));
        Assert.Equal("'a.@' to 'b.fm' is no cable", Refused(patch, new Connect(TestModules.At("a.@"), TestModules.At("b.fm"))));
        Assert.Equal("'a.saw' to 'b.@@tune' is no cable", Refused(patch, new Connect(Saw, TestModules.At("b.@@tune"))));
        Assert.Equal("'a.@tune' to 'b.fm' is no cable", Refused(patch, new Connect(TestModules.At("a.@tune"), TestModules.At("b.fm"))));
        Assert.Equal(["z.fm", "z.@tune", "z.@shape"], TestModules.Must(patch, new Duplicate("b", "z", Inputs: true)).Cables.Skip(3).Select(c => c.To.ToString()));
        Assert.Empty(TestModules.Must(patch, new RemoveModule("b")).Cables);
    }

    [Fact]
    public void A_cable_to_a_parameter_closes_a_loop_as_any_other_does()
    {
        var patch = Connected(Chain("a", "b", "c"), "c.saw", "a.@level");
        Assert.Equal(["c.saw"], Delayed(patch));
        Assert.Empty(Delayed(TestModules.Must(patch, new RemoveModule("b"))));
        Assert.True(Connected(Chain("a"), "a.saw", "a.@tune").Cables[0].Delayed);
    }

    [Fact]
    public void A_parameter_is_moved_by_so_many_cables_and_no_more()
    {
        var patch = TestModules.Must(new Patch { Id = "p" }, new AddModule(TestModules.Make("to", "osc")));
        for (var i = 0; i <= PatchLimits.ParameterCables; i++) patch = TestModules.Must(patch, new AddModule(TestModules.Make($"m{i}", "osc")));
        for (var i = 0; i < PatchLimits.ParameterCables; i++) patch = Connected(patch, $"m{i}.saw", "to.@tune");
        var one = new Connect(TestModules.At($"m{PatchLimits.ParameterCables}.saw"), TestModules.At("to.@tune"));
        Assert.Equal("65 cables to to.@tune; expected at most 64 that move one parameter", Refused(patch, one));
        patch = Connected(patch, one.From.ToString(), "to.@level"); // it is full, not its module
        var file = PatchJson.Write(patch with { Cables = patch.Cables.Add(new Cable(one.From, one.To)) });
        Assert.EndsWith("cables[65].to: 65 cables to to.@tune; expected at most 64 that move one parameter", PatchJson.Read(file, "f").Error!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Many_edits_at_once_are_what_they_are_one_by_one()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var patch = TestModules.Full(random, 12, 12);
            var (edits, one) = (new List<Edit>(), patch);
            for (var i = 0; i < 60; i++)
            {
                var edit = TestModules.RandomEdit(random, one);
                if (PatchEdits.Apply(one, edit, TestModules.Index, out _) is not { } next) continue;
                edits.Add(edit);
                one = next;
                for (var k = random.Next(6); k > 0 && one.Modules.Length > 0; k--)
                {
                    edit = new Move(one.Modules[random.Next(one.Modules.Length)].Id, k, i); // runs of edits that change one module each
                    edits.Add(edit);
                    one = TestModules.Must(one, edit);
                }
            }

            var many = PatchEdits.ApplyAll(patch, edits.ToArray(), TestModules.Index, out var error);
            Assert.Null(error);
            Assert.Equal(one, many);
            foreach (var m in many!.Modules) Assert.Same(m, many.Modules[many.IndexOf(m.Id)]);
            Assert.Null(PatchEdits.ApplyAll(patch, [.. edits, new SetParameter("nobody", "x", 0)], TestModules.Index, out error));
            Assert.Equal("there is no module 'nobody'", error!.ToString());
        }
    }

    [Fact]
    public void Edits_of_a_gesture_are_joined_to_what_they_come_to()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var patch = TestModules.Full(random, 4, 6);
            var (merged, one, given) = (new MergedEdits([]), patch, 0);
            for (var i = 0; i < 80; i++)
            {
                var edit = TestModules.RandomEdit(random, one);
                if (PatchEdits.Apply(one, edit, TestModules.Index, out _) is not { } next) continue;
                one = next;
                given++;
                merged.Add([edit]);
            }

            Assert.InRange(merged.Count, 1, given);
            Assert.Equal(one, PatchEdits.ApplyAll(patch, merged.ToArray(), TestModules.Index, out _));
        }

        var knobs = new MergedEdits([new SetParameter("a", "tune", 0), new SetParameter("b", "tune", 0)]);
        for (var i = 0; i < 1000; i++) knobs.Add([new SetParameter("a", "tune", i), new Bypass("a", i % 2 == 0)]);
        Assert.Equal([new SetParameter("a", "tune", 999), new SetParameter("b", "tune", 0), new Bypass("a", false)], knobs.ToArray());
    }

    [Fact]
    public void The_cable_that_closes_a_loop_is_delayed_and_no_other()
    {
        var patch = Loop(Chain("a", "b", "c"), "c", "a");
        Assert.Equal([false, false, true], patch.Cables.Select(c => c.Delayed));
        Assert.True(Loop(Chain("a"), "a", "a").Cables[0].Delayed); // a module into itself
    }

    [Fact]
    public void An_edit_elsewhere_never_moves_the_delay()
    {
        var patch = Loop(Chain("a", "b", "c"), "c", "a");

        // A second way round through d and e: its closing cable passes the delay at c-a, so it needs none of its own.
        patch = TestModules.Must(patch, new AddModule(TestModules.Make("d", "osc")));
        patch = Connected(Connected(patch, "a.sine", "d.pitch"), "d.saw", "c.pitch");
        Assert.Equal(["c.saw"], Delayed(patch));

        // One of two ways goes: the loop is still there, so is the delay.
        patch = TestModules.Must(patch, new Disconnect(TestModules.At("a.saw"), TestModules.At("b.fm")));
        Assert.Equal(["c.saw"], Delayed(patch));

        // The last way goes: no loop, no delay.
        patch = TestModules.Must(patch, new RemoveModule("d"));
        Assert.Empty(Delayed(patch));
    }

    [Fact]
    public void A_loop_within_a_loop_keeps_its_own_delay_when_the_outer_one_opens()
    {
        var patch = Loop(Loop(Chain("a", "b", "c"), "b", "a"), "c", "a");
        Assert.Equal(["b.saw", "c.saw"], Delayed(patch).Order());
        patch = TestModules.Must(patch, new Disconnect(TestModules.At("b.saw"), TestModules.At("c.fm")));
        Assert.Equal(["b.saw"], Delayed(patch));
    }

    private static IEnumerable<string> Delayed(Patch patch) => patch.Cables.Where(c => c.Delayed).Select(c => c.From.ToString());

    private static Patch Chain(params string[] ids)
    {
        var patch = new Patch { Id = "p" };
        for (var i = 0; i < ids.Length; i++)
        {
            patch = TestModules.Must(patch, new AddModule(TestModules.Make(ids[i], "osc")));
            if (i > 0) patch = Connected(patch, $"{ids[i - 1]}.saw", $"{ids[i]}.fm");
        }

        return patch;
    }

    private static Patch Loop(Patch patch, string from, string to) => Connected(patch, $"{from}.saw", $"{to}.{(from == "b" ? "pitch" : "fm")}");

    private static Patch Connected(Patch patch, string from, string to) => TestModules.Must(patch, new Connect(TestModules.At(from), TestModules.At(to)));

    private static string Refused(Patch patch, Edit edit)
    {
        Assert.Null(PatchEdits.Apply(patch, edit, TestModules.Index, out var error));
        return error!.ToString();
    }

    // By brute force: without the delayed cables nothing reaches itself; with them, each delayed cable's end reaches its start.
    private static void AssertLoopsHold(Patch patch)
    {
        var forward = Reach(patch, withDelayed: false);
        var all = Reach(patch, withDelayed: true);
        for (var i = 0; i < patch.Modules.Length; i++) Assert.False(forward[i, i], "an undelayed loop");
        foreach (var c in patch.Cables.Where(c => c.Delayed))
        {
            var (from, to) = (patch.IndexOf(c.From.Module), patch.IndexOf(c.To.Module));
            Assert.True(from == to || all[to, from], "a delay without a loop");
        }
    }

    internal static bool[,] Reach(Patch patch, bool withDelayed)
    {
        var n = patch.Modules.Length;
        var reach = new bool[n, n];
        foreach (var c in patch.Cables)
        {
            if (withDelayed || !c.Delayed) reach[patch.IndexOf(c.From.Module), patch.IndexOf(c.To.Module)] = true;
        }

        for (var k = 0; k < n; k++)
        {
            for (var i = 0; i < n; i++)
            {
                for (var j = 0; j < n && reach[i, k]; j++) reach[i, j] |= reach[k, j];
            }
        }

        return reach;
    }
}
