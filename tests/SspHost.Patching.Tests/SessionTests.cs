// The session: undo without limit, gestures, what reaches the engine, and what a refusal leaves alone.
using SspHost.Abi;

namespace SspHost.Patching.Tests;

public sealed class SessionTests
{
    [Fact]
    public void Everything_can_be_undone_and_redone_back_to_the_beginning()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new Random(seed);
            using var session = Session(out _);
            var states = new List<Patch> { session.Current };
            for (var i = 0; i < 200; i++)
            {
                var sequence = session.Sequence;
                _ = session.Apply(TestModules.RandomEdit(random, session.Current));
                if (session.Sequence != sequence) states.Add(session.Current); // else refused, or it changed nothing
            }

            for (var i = states.Count - 2; i >= 0; i--)
            {
                Assert.Null(session.Undo());
                Assert.Equal(states[i], session.Current);
            }

            Assert.False(session.CanUndo);
            Assert.Equal("there is nothing to undo", session.Undo()!.ToString());
            for (var i = 1; i < states.Count; i++)
            {
                Assert.Null(session.Redo());
                Assert.Equal(states[i], session.Current);
            }

            Assert.Equal("there is nothing to redo", session.Redo()!.ToString());
        }
    }

    [Fact]
    public void Edits_applied_together_are_all_or_none_and_one_step()
    {
        using var session = Session(out var sink);
        var error = session.Apply(new AddModule(TestModules.Make("a", "osc")), new RemoveModule("b"));
        Assert.Equal("there is no module 'b'", error!.ToString());
        Assert.Equal(Patch.Empty, session.Current);
        Assert.Empty(sink.Plans);
        Assert.Null(session.Apply(new AddModule(TestModules.Make("a", "osc")), new AddModule(TestModules.Make("b", "osc")), Connect("a.saw", "b.fm")));
        Assert.Single(sink.Plans);
        Assert.Null(session.Undo());
        Assert.Equal(Patch.Empty, session.Current);
    }

    [Fact]
    public void An_edit_that_changes_nothing_leaves_nothing_to_undo()
    {
        using var session = Session(out var sink, "osc");
        var sequence = session.Sequence;
        Assert.Null(session.Apply(new Bypass("osc", false), new Rename("osc", "")));
        Assert.Equal((sequence, 1), (session.Sequence, sink.Plans.Count));
    }

    [Fact]
    public void A_gesture_is_one_step_however_many_edits_it_has()
    {
        using var session = Session(out var sink, "osc");
        var before = session.Current;
        session.BeginGesture();
        session.BeginGesture(); // a second hand on the panel
        for (var i = 0; i <= 100; i++) Assert.Null(session.Apply(new SetParameter("osc", "tune", i / 100f)));
        session.EndGesture();
        Assert.Null(session.Apply(new SetParameter("osc", "level", 3)));
        session.EndGesture();
        session.EndGesture(); // one too many does no harm
        var after = session.Current;
        Assert.Equal(101, sink.Sent.Count); // the first value was the default: it moved nothing
        Assert.Null(session.Undo());
        Assert.Equal(before, session.Current);
        Assert.Null(session.Redo());
        Assert.Equal(after, session.Current);

        // An undo within a gesture ends its step; what comes then is the next one.
        session.BeginGesture();
        Assert.Null(session.Apply(new SetParameter("osc", "tune", -1)));
        Assert.Null(session.Undo());
        Assert.Equal(after, session.Current);
        Assert.Null(session.Apply(new SetParameter("osc", "tune", -2)));
        session.EndGesture();
        Assert.Null(session.Undo());
        Assert.Equal(after, session.Current);
    }

    [Fact]
    public void A_turn_costs_the_same_after_ten_thousand_others_and_a_morph_what_it_moves()
    {
        var patch = new Patch { Id = "large", Modules = [.. Enumerable.Range(0, 2000).Select(i => TestModules.Make($"m{i}", "osc"))] };
        using var session = PatchSession.Start(new PatchSessionOptions { Modules = TestModules.Index, Sink = new FakeSink { Forgetful = true }, Start = patch });
        Assert.Null(session.Reinstall(newEngine: true));
        session.BeginGesture();
        var first = Turns(1000);
        _ = Turns(8000);
        var last = Turns(1000);
        Assert.InRange(last, 0, first * 1.1);
        Assert.InRange(last / 1000, 16_000, 32_000); // the list of modules, and little more

        // 400 knobs all over the patch: not 400 lists.
        var modules = Enumerable.Range(0, 200).Select(i => $"m{i * 10}").ToArray();
        var morphs = Enumerable.Range(0, 20).Select(n => modules.SelectMany(m => new Edit[] { new SetParameter(m, "tune", n / 20f), new SetParameter(m, "level", n / 4f) }).ToArray()).ToArray();
        Assert.Null(session.Apply(morphs[^1]));
        var start = GC.GetAllocatedBytesForCurrentThread();
        foreach (var morph in morphs) Assert.Null(session.Apply(morph));
        Assert.InRange((GC.GetAllocatedBytesForCurrentThread() - start) / morphs.Length, 1, 400_000);
        session.EndGesture();
        Assert.Null(session.Undo());
        Assert.Equal(patch, session.Current);

        double Turns(int count)
        {
            var from = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < count; i++) Assert.Null(session.Apply(new SetParameter("m1234", "level", (i % 1000 * 0.01f) + 0.001f)));
            return GC.GetAllocatedBytesForCurrentThread() - from;
        }
    }

    [Fact]
    public void Moves_go_as_events_names_and_places_not_at_all_and_only_structure_makes_a_plan()
    {
        using var session = Session(out var sink, "osc", "poly");
        Assert.Single(sink.Plans);
        var osc = sink.Plans[0].Instances[0];
        Assert.Null(session.Apply(new SetParameter("osc", "level", 2), new SetParameter("osc", "tune", 1)));
        Assert.Equal([(0, 1f), (1, 2f)], sink.Sent.Select(e => (e.Index, e.Value)));
        Assert.All(sink.Sent, e => Assert.Equal((EventKind.Parameter, (uint)osc.Key, (ushort)osc.Slot), (e.Kind, e.Target, e.Slot)));
        Assert.Null(session.Undo());
        Assert.Equal([(0, 0f), (1, 5f)], sink.Sent.Skip(2).Select(e => (e.Index, e.Value))); // back to the defaults
        foreach (var silent in new Edit[] { new Move("osc", 3, 4), new Rename("osc", "Bass"), new RenamePatch("x"), new SetNotes("y") }) Assert.Null(session.Apply(silent));
        Assert.Equal((1, 4), (sink.Plans.Count, sink.Sent.Count));
        foreach (var heard in new Edit[] { new Bypass("osc", true), Connect("osc.saw", "poly.gate"), new SetCableGain(TestModules.At("osc.saw"), TestModules.At("poly.gate"), 2), new SetSetting("poly", "voices", 2), new SetQuantum(64) }) Assert.Null(session.Apply(heard));
        Assert.Equal((6, 4), (sink.Plans.Count, sink.Sent.Count));
        Assert.Equal(osc.Slot, sink.Plans[^1].Instances[0].Slot);
        Assert.Equal([1UL, 2, 3, 4, 5, 6], sink.Plans.Select(p => p.Serial));
    }

    [Fact]
    public void A_move_that_finds_the_ring_full_is_sent_later_with_its_last_value()
    {
        using var session = Session(out var sink, "osc");
        sink.RingFull = true;
        Assert.Null(session.Apply(new SetParameter("osc", "tune", 1)));
        Assert.Null(session.Apply(new SetParameter("osc", "tune", 2)));
        session.Pump();
        Assert.Empty(sink.Sent);
        sink.RingFull = false;
        session.Pump();
        session.Pump();
        Assert.Equal([(0, 2f)], sink.Sent.Select(e => (e.Index, e.Value)));
    }

    [Fact]
    public void A_plan_the_engine_refuses_leaves_everything_as_it_was()
    {
        using var session = Session(out var sink, "osc", "player");
        var (patch, plan, sequence) = (session.Current, session.Plan, session.Sequence);
        sink.Refuse = "the pool has 12 bytes left, the plan needs 99";
        foreach (var edit in new Edit[] { new RemoveModule("osc"), new AddModule(TestModules.Make("b", "osc")), new SetAsset("player", "sample", "no.wav") })
        {
            Assert.Equal(sink.Refuse, session.Apply(edit)!.ToString());
            Assert.Equal((patch, plan, sequence), (session.Current, session.Plan, session.Sequence));
        }

        Assert.Equal(sink.Refuse, session.Undo()!.ToString());
        Assert.Equal(patch, session.Current);
        sink.Refuse = null;
        Assert.Null(session.Apply(new RemoveModule("osc")));
        Assert.Null(session.Undo());
        Assert.Equal(patch, session.Current);
    }

    [Fact]
    public void Assets_and_states_of_living_modules_are_changed_in_place()
    {
        using var session = Session(out var sink, "player", "seq");
        Assert.Null(session.Apply(new SetAsset("player", "other", "a/b.wav")));
        Assert.Equal([("player", 1, (string?)"a/b.wav")], sink.Assets.Select(a => (a.Module, a.AssetSlot, a.Path)));
        Assert.Null(session.Undo());
        Assert.Null(sink.Assets[^1].Path);
        Assert.Null(session.Apply(new SetState("seq", 3, new StateBlob([1, 2]))));
        Assert.Equal(("seq", "1,2"), (sink.Loaded[^1].Module, string.Join(',', sink.Loaded[^1].State)));
        Assert.Single(sink.Plans);
    }

    [Fact]
    public void A_module_that_comes_back_by_undo_has_the_state_it_left_with()
    {
        using var session = Session(out var sink, "seq", "osc");
        sink.LiveStates["seq"] = [9, 8, 7];
        Assert.Null(session.Apply(new RemoveModule("seq")));
        sink.Retire();
        Assert.Null(session.Undo());
        Assert.True(sink.Plans[^1].Description.AsSpan().IndexOf((ReadOnlySpan<byte>)[9, 8, 7]) > 0);
        Assert.True(session.Current.Find("seq")!.State.IsEmpty); // the patch itself is as it was
    }

    [Fact]
    public void A_saved_patch_has_the_states_of_the_moment_and_a_bad_file_changes_nothing()
    {
        using var folder = new TestFolder();
        using var session = Session(out var sink, "seq", "osc");
        sink.LiveStates["seq"] = [4, 5];
        Assert.Null(session.Save(folder["a.json"]));
        Assert.Equal([4, 5], PatchJson.Load(folder["a.json"], TestModules.Index).Find("seq")!.State.Bytes.ToArray());
        Assert.Contains("cannot be saved", session.Save(folder["no/a.json"])!.ToString(), StringComparison.Ordinal);

        var (patch, plans) = (session.Current, sink.Plans.Count);
        File.WriteAllText(folder["bad.json"], "{\"format\":1");
        Assert.StartsWith($"{folder["bad.json"]}:1:12: ", session.Open(folder["bad.json"], out _)!.ToString(), StringComparison.Ordinal);
        Assert.Equal((patch, plans), (session.Current, sink.Plans.Count));
        Assert.Null(session.Open(folder["a.json"], out var warnings));
        Assert.Empty(warnings);
        Assert.Null(session.Undo());
        Assert.Equal(patch, session.Current);
    }

    [Fact]
    public void A_patch_read_again_brings_the_states_of_its_file()
    {
        using var folder = new TestFolder();
        using var session = Session(out var sink, "seq");
        Assert.Null(session.Apply(new SetState("seq", 3, new StateBlob([1]))));
        Assert.Null(session.Save(folder["a.json"]));
        sink.LiveStates["seq"] = [2]; // played with since
        sink.Loaded.Clear();
        Assert.Null(session.Open(folder["a.json"], out _));
        Assert.Equal([1], sink.Loaded.Single().State);
    }

    [Fact]
    public void New_patches_are_never_taken_for_one_another()
    {
        using var one = PatchSession.Start(new PatchSessionOptions { Modules = TestModules.Index, Sink = new FakeSink() });
        using var two = PatchSession.Start(new PatchSessionOptions { Modules = TestModules.Index, Sink = new FakeSink() });
        Assert.NotEqual(one.Current.Id, two.Current.Id);
        Assert.Null(PatchCheck.Structure(one.Current));
    }

    [Fact]
    public void A_new_engine_gets_the_patch_as_it_is()
    {
        var patch = TestModules.Random(new Random(4), 10, 20);
        using var session = Session(out var sink);
        Assert.Null(session.Apply(new ReplacePatch(patch)));
        var first = sink.Plans[^1];
        Assert.Null(session.Reinstall(newEngine: false));
        Assert.Equal(first.Instances.AsSpan(), sink.Plans[^1].Instances.AsSpan());
        Assert.Equal(first.Serial + 1, sink.Plans[^1].Serial);
    }

    [Fact]
    public void Changes_are_told_in_order_with_what_was_and_what_is()
    {
        using var session = Session(out _);
        var told = new List<PatchChange>();
        session.Changed += (_, change) => told.Add(change);
        Assert.Null(session.Apply(new AddModule(TestModules.Make("a", "osc"))));
        Assert.Null(session.Apply(new SetParameter("a", "tune", 1)));
        Assert.Null(session.Apply(new Move("a", 1, 1)));
        Assert.NotNull(session.Apply(new RemoveModule("b")));
        Assert.Null(session.Undo());
        Assert.Equal([ChangeKind.Structure, ChangeKind.Values, ChangeKind.Cosmetic, ChangeKind.Cosmetic], told.Select(t => t.Kind));
        Assert.Equal([1L, 2, 3, 4], told.Select(t => t.Sequence));
        for (var i = 1; i < told.Count; i++) Assert.Same(told[i - 1].After, told[i].Before);
        Assert.Same(session.Current, told[^1].After);
    }

    [Fact]
    public void Many_hands_at_once_lose_nothing()
    {
        using var session = Session(out var sink);
        var threads = Enumerable.Range(0, 4).Select(t => new Thread(() =>
        {
            for (var i = 0; i < 50; i++)
            {
                Assert.Null(session.Apply(new AddModule(TestModules.Make($"m{t}-{i}", "osc"))));
                Assert.Null(session.Apply(new SetParameter($"m{t}-{i}", "tune", 1)));
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.Equal((200, 400L, 200, 200), (session.Current.Modules.Length, session.Sequence, sink.Plans.Count, sink.Sent.Count));
        for (var i = 0; i < 400; i++) Assert.Null(session.Undo());
        Assert.Equal(Patch.Empty, session.Current);
    }

    private static Connect Connect(string from, string to) => new(TestModules.At(from), TestModules.At(to));

    [Fact]
    public void What_the_engine_has_already_got_is_an_undo_step_and_is_not_sent_again()
    {
        using var session = Session(out var sink, "osc");
        var parameter = TestModules.Index.Find("osc")!.Descriptor.Parameters[0];
        var value = parameter.Default + ((parameter.Max - parameter.Default) / 2);
        Assert.Null(session.Adopt(new SetParameter("osc", parameter.Id, value)));
        Assert.Empty(sink.Sent);
        Assert.Equal(value, Transition.Value(session.Current.Find("osc")!, parameter));
        Assert.Null(session.Undo());
        Assert.Equal(parameter.Default, Assert.Single(sink.Sent).Value); // back to what it was is another matter
        Assert.Null(session.Redo());
        Assert.Equal(2, sink.Sent.Count);

        // A plan that comes later and says something else must say it, though no move was ever sent.
        Assert.Null(session.Adopt(new SetParameter("osc", parameter.Id, parameter.Max)));
        Assert.Null(session.Apply(new AddModule(TestModules.Make("more", "osc")), new SetParameter("osc", parameter.Id, parameter.Default)));
        Assert.Equal(parameter.Default, sink.Sent[^1].Value);
    }

    private static PatchSession Session(out FakeSink sink, params string[] modules)
    {
        sink = new FakeSink();
        var session = PatchSession.Start(new PatchSessionOptions { Modules = TestModules.Index, Sink = sink, Start = Patch.Empty });
        if (modules.Length > 0) Assert.Null(session.Apply([.. modules.Select(m => (Edit)new AddModule(TestModules.Make(m, m)))]));
        return session;
    }
}
