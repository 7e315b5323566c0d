// Walk-throughs: what a player does with encoders and keys, and what becomes of the patch and the picture.
using SspHost.Panel.Tests.Kit;
using SspHost.Patching;

namespace SspHost.Panel.Tests;

public sealed class WalkTests : IDisposable
{
    private readonly TestHost _host = new();
    private readonly FrontPanel _panel;

    public WalkTests() => _panel = new FrontPanel(_host);

    public void Dispose()
    {
        _panel.Dispose();
        _host.Dispose();
    }

    [Fact]
    public void An_empty_patch_says_what_to_press_and_a_first_sound_is_made_with_encoders_and_keys_alone() => Play(
        """
        expect page patch
        golden patch-empty
        press K1                       # add
        expect page add
        golden add
        press K2                       # search
        expect page text
        type vco
        golden text
        press K1
        expect page add
        press K1                       # the first that was found
        expect page patch
        expect module vco1 vco
        expect selected vco1
        press K1
        press K2
        type audio out
        press K1
        hold K1                        # place and connect
        expect page connect
        expect module audio-out1
        turn E1 left 9                 # the oscillator at the left
        turn E2 left 9
        turn E2 right 2                # sine, triangle, saw
        push E4
        expect cable vco1.saw -> audio-out1.in1
        golden connect
        push E4
        expect no cable vco1.saw -> audio-out1.in1
        press K7                       # undo
        expect cable vco1.saw -> audio-out1.in1
        press shift-left + K7
        expect no cable vco1.saw -> audio-out1.in1
        press K7
        press K6
        expect page patch
        golden patch-two
        """);

    [Fact]
    public void A_module_is_bypassed_copied_moved_named_and_taken_away_and_all_of_it_comes_back()
    {
        Load(P("vco1", "vco"), P("svf1", "svf"), P("audio-out1", "audio-out"));
        var before = _host.Session.Current;
        Play(
            """
            expect page patch
            turn E1 left 9
            expect selected vco1
            press K4
            expect bypass vco1
            press shift-left + K1
            expect module vco2 vco
            press shift-left + K3
            expect page text
            type !
            press K1
            press shift-left + right
            press K5
            expect no module vco2
            """);
        for (var steps = 0; !before.Equals(_host.Session.Current); steps++)
        {
            Assert.InRange(steps, 0, 5); // bypass, copy, name, move, delete
            Assert.Null(_host.Session.Undo());
        }
    }

    [Fact]
    public void A_knob_turns_in_its_own_curve_finely_with_shift_and_goes_back_to_its_default_by_a_push() => Play(
        """
        press K1
        press K2
        type state variable
        press K1
        press K1
        press K3
        expect page module
        golden module
        turn E1 right 10
        down shift-left
        turn E1 right 10
        up shift-left
        wait 1000
        press K7                       # two turns of one knob, close together, are one step
        press K7
        """);

    [Fact]
    public void All_turns_of_a_knob_until_it_rests_are_one_step()
    {
        Load(P("svf1", "svf"));
        var before = _host.Session.Current;
        Play("press K3\nturn E1 right 5 fast\nturn E1 left 3 fast\nwait 1000\nturn E1 right 2 fast\nwait 1000");
        Assert.Null(_host.Session.Undo());
        Assert.NotEqual(before, _host.Session.Current);
        Assert.Null(_host.Session.Undo());
        Assert.Equal(before, _host.Session.Current);
    }

    [Fact]
    public void Scenes_are_stored_recalled_and_morphed()
    {
        Load(P("svf1", "svf"));
        Play(
            """
            down shift-right
            press K3
            up shift-right
            expect page scenes
            press K2
            expect says "stored as scene 1"
            """);
        Play("down shift-right\npress K2\nup shift-right\nturn E1 right 40\ndown shift-right\npress K3\nup shift-right\nturn E1 right\npress K2\ngolden scenes");
        var type = _host.Modules.Find("svf")!.Descriptor.Parameters[0];
        var high = _host.Session.Current.Find("svf1")!.Parameters.TryGet(type.Id, out var v) ? v : type.Default;
        Play("push E4\nturn E1 left\npress K1");
        Assert.Equal(type.Default, Value(type.Id, type.Default), 3);
        Play("turn E4 right 200 fast\nwait 1000");
        Assert.Equal(high, Value(type.Id, type.Default), 3);
        Play("turn E4 left 50");
        Assert.InRange(Value(type.Id, type.Default), Math.Min(type.Default, high), Math.Max(type.Default, high));
    }

    [Fact]
    public void A_morph_never_leaps_wherever_the_knobs_stand()
    {
        Load(P("svf1", "svf"));
        var cutoff = _host.Modules.Find("svf")!.Descriptor.Parameters[0];
        double Octaves() => Math.Log2(Value(cutoff.Id, cutoff.Default) / cutoff.Min);
        var travel = Math.Log2(cutoff.Max / cutoff.Min);
        void Set(float value) => Assert.Null(_host.Session.Apply(new SetParameter("svf1", cutoff.Id, value)));
        Set(cutoff.Min);
        Play("down shift-right\npress K3\nup shift-right\npress K2");
        Set(cutoff.Max);
        Play("turn E1 right\npress K2\nwait 600"); // this is the right end, and here the knobs stand
        Play("turn E4 left 1\nwait 600");
        Assert.InRange(Octaves(), travel * 0.9, travel * 0.9999);
        Set((float)Math.Sqrt(cutoff.Min * cutoff.Max)); // somebody turns a knob
        Play("turn E4 right 1\nwait 600");
        Assert.InRange(Octaves(), travel * 0.5001, travel * 0.6);
        Play("turn E4 right 200 fast\nwait 600"); // and so comes to the end all the same
        Assert.Equal(travel, Octaves(), 3);
        Play("turn E4 left 200 fast\nwait 600");
        Assert.Equal(0, Octaves(), 3);
    }

    [Fact]
    public void A_controller_is_learned_and_forgotten()
    {
        Load(P("svf1", "svf"));
        Play("press K3\npress K4\nturn E1 right\nexpect says \"move a controller\"");
        _host.LastController = new ControllerMove(1, "Keys", 3, 74, false, 0.5f);
        Play("wait 100\nexpect says \"controller 74 moves\"");
        var map = Assert.Single(_host.Session.Current.Controllers);
        Assert.Equal(("Keys", 3, 74, "svf1"), (map.Port, map.Channel, map.Number, map.Module));
        Play("press shift-left + K4");
        Assert.Empty(_host.Session.Current.Controllers);
    }

    [Fact]
    public void Forty_modules_are_laid_out_in_signal_order_and_no_two_cards_share_a_place()
    {
        var random = new Random(3);
        var types = TestHost.Shipped.Where(t => t.Outputs.Any(o => o.Kind == 0) && t.Inputs.Any(i => i.Kind == 0)).ToArray();
        var patch = Patch.New() with { Name = "forty", Modules = [.. Enumerable.Range(0, 40).Select(i => P($"m{i}", types[random.Next(types.Length)].Id))] };
        for (var i = 0; i < 60; i++)
        {
            var (a, b) = (random.Next(40), random.Next(40));
            if (a == b) continue;
            var from = new PortRef($"m{a}", _host.Modules.Find(patch.Modules[a].Type)!.Descriptor.Outputs.First(o => o.Kind == 0).Id);
            var to = new PortRef($"m{b}", _host.Modules.Find(patch.Modules[b].Type)!.Descriptor.Inputs.First(o => o.Kind == 0).Id);
            patch = PatchEdits.Apply(patch, new Connect(from, to), _host.Modules, out _) ?? patch;
        }

        var layout = Pages.Cards.CardLayout.Of(patch, Pages.Cards.CardGrid.RowsFor(40));
        Assert.Equal(40, layout.Cells.Distinct().Count());
        Assert.InRange(layout.Rows, 1, Pages.Cards.CardGrid.SmallRows);
        Assert.All(patch.Cables.Where(c => !c.Delayed), c =>
            Assert.True(layout.Cells[patch.IndexOf(c.From.Module)].Column < layout.Cells[patch.IndexOf(c.To.Module)].Column));
        Assert.Null(_host.Session.Apply(new ReplacePatch(patch)));
        foreach (var m in patch.Modules) (_host.Moving.Levels[m.Id], _host.Moving.Loads[m.Id]) = ([2.5f], 0.012f);
        Play("turn E1 right 12\ngolden patch-forty");
    }

    private void Play(string script) => Script.Play(_panel, _host, script);

    private float Value(string parameter, float usual) => _host.Session.Current.Find("svf1")!.Parameters.TryGet(parameter, out var v) ? v : usual;

    private void Load(params Module[] modules) => Assert.Null(_host.Session.Apply(new ReplacePatch(Patch.New() with { Modules = [.. modules] })));

    private static Module P(string id, string type) => new() { Id = id, Type = type };
}
