// One case each: what is heard while a patch changes into another.
using SspHost.Patching;

namespace SspHost.EndToEnd.Tests.Changes;

public sealed unsafe class ChangeTests
{
    private const double Ramp = 5 * Math.PI / (2 * 240); // steepest part of a ramp of 5 V over 5 ms at 48 kHz

    private static readonly float[] Volts = [5f, 0f, 0f, 0f];

    [Fact]
    public void Two_modules_that_change_places_fade_out_first_and_then_come_back_in_the_new_order()
    {
        using var duet = Constant(Patch("swap", ["dc:audio-in", "a:mixer", "b:mixer", "out:audio-out"], "dc.out1>a.in1", "a.out>b.in1", "b.out>out.in1"));
        var heard = Listen(duet);
        Assert.True(duet.Apply(
            new Disconnect(new("dc", "out1"), new("a", "in1")), new Disconnect(new("a", "out"), new("b", "in1")), new Disconnect(new("b", "out"), new("out", "in1")),
            new Connect(new("dc", "out1"), new("b", "in1")), new Connect(new("b", "out"), new("a", "in1")), new Connect(new("a", "out"), new("out", "in1"))));
        Assert.True(duet.Reference.Waits);
        Assert.All(duet.Session.Current.Cables, c => Assert.False(c.Delayed)); // the two never play in a loop, so nothing is delayed
        Assert.True(duet.Settle());
        Assert.Equal(5f, heard[0]);
        Assert.Equal(5f, heard[^1]);
        Assert.Contains(0f, heard);
        Assert.InRange(LargestStep(heard), Ramp, 3.01 * Ramp); // three cables in a row go at once
    }

    [Fact]
    public void Unplugging_the_cable_that_closes_a_loop_moves_no_delay_elsewhere()
    {
        using var duet = Constant(Patch(
            "loops", ["dc:audio-in", "x:mixer", "y:mixer", "z:mixer", "out:audio-out"],
            "dc.out1>x.in1", "x.out>y.in1", "y.out>z.in1", "z.out>x.in2*0.3", "y.out>x.in3*0.2", "y.out>out.in1"));
        Assert.Equal(["z", "y"], duet.Session.Current.Cables.Where(c => c.Delayed).Select(c => c.From.Module));
        Assert.True(duet.Apply(new Disconnect(new("z", "out"), new("x", "in2"))));
        Assert.Equal(["y"], duet.Session.Current.Cables.Where(c => c.Delayed).Select(c => c.From.Module));
        Assert.True(duet.Settle());
        duet.Run(1000);
        Assert.Equal(5 / (1 - 0.2), duet.Chain.Out(0)[^1], 1e-4); // the sum of what goes round
    }

    [Fact]
    public void A_delayed_cable_whose_loop_is_gone_is_crossfaded_to_a_direct_one()
    {
        using var duet = Constant(Patch(
            "release", ["dc:audio-in", "x:mixer", "y:mixer", "out:audio-out"], "dc.out1>y.in1", "x.out>y.in2*0", "y.out>x.in1", "x.out>out.in1"));
        Assert.True(duet.Session.Current.Cables.Single(c => c.From.Module == "y").Delayed);
        var heard = Listen(duet);
        Assert.True(duet.Apply(new Disconnect(new("x", "out"), new("y", "in2"))));
        Assert.False(duet.Session.Current.Cables.Single(c => c.From.Module == "y").Delayed);
        Assert.True(duet.Settle());
        Assert.All(heard, v => Assert.Equal(5f, v, 1e-5f)); // a constant is the same a quantum later: one goes as the other comes
    }

    [Fact]
    public void A_cable_that_grows_to_two_channels_and_back_does_not_waver()
    {
        using var duet = Constant(Patch(
            "poly", ["dc:audio-in", "wide:delay", "mix:mixer", "out:audio-out"], "dc.out1>mix.in1", "mix.out>out.in1"), "wide", "channels", 2);
        var heard = Listen(duet);
        for (var round = 0; round < 3; round++)
        {
            Assert.True(duet.Apply(new Connect(new("wide", "out"), new("mix", "in2"))));
            duet.Run(round * 3); // the second time into its ramp
            if (round != 1) Assert.True(duet.Settle());
            Assert.True(duet.Apply(new Disconnect(new("wide", "out"), new("mix", "in2"))));
            if (round != 1) Assert.True(duet.Settle());
        }

        Assert.True(duet.Settle());
        Assert.All(heard, v => Assert.Equal(5f, v, 1e-5f));
    }

    [Fact]
    public void A_module_deleted_and_brought_back_within_its_ramp_is_the_same_and_after_it_is_made_anew_with_the_state_it_left_with()
    {
        using var duet = Constant(Patch("undo", ["in:audio-in", "seq:seq8", "out:audio-out"], "in.out2>seq.clock", "seq.pitch>out.in1"));
        for (var pulse = 0; pulse < 3; pulse++) // three steps on
        {
            duet.Play = (jack, into, _) => into.Fill(jack == 1 ? 10 : 0);
            duet.Run(10);
            duet.Play = (_, into, _) => into.Clear();
            duet.Run(10);
        }

        var (instance, state) = Sequencer(duet);
        Assert.True(duet.Apply(new RemoveModule("seq")));
        duet.Run(3);
        Assert.True(duet.Undo());
        Assert.Equal(instance, Sequencer(duet).Instance);
        Assert.True(duet.Settle());

        Assert.True(duet.Apply(new RemoveModule("seq")));
        Assert.True(duet.Settle());
        duet.Run(4);
        Assert.Equal(2, duet.Chain.Renderer.InstanceCount); // it is gone
        Assert.True(duet.Undo());
        Assert.Equal(state, Sequencer(duet).State);
        Assert.True(duet.Settle());
    }

    [Fact]
    public void The_echoes_of_a_patch_are_heard_when_another_has_come_and_end()
    {
        using var duet = Constant(Echo("first"));
        duet.Run(200);
        Assert.True(duet.Apply(new ReplacePatch(Patch("second", ["out:audio-out"]))));
        Assert.NotEmpty(duet.Session.Plan!.Leaving);
        duet.Run(40); // far beyond the ramp
        Assert.InRange(Peak(duet, 200), 0.5f, 5.1f);
        Assert.True(duet.Settle());
        Assert.Empty(duet.Session.Plan!.Leaving);
        Assert.Equal(0f, Peak(duet, 200));
    }

    [Fact]
    public void A_tail_goes_on_through_two_changes_of_patch_and_comes_back_to_life_when_its_patch_does()
    {
        using var duet = Constant(Echo("first"));
        duet.Run(200);
        Assert.True(duet.Apply(new ReplacePatch(Patch("second", ["out:audio-out"]))));
        duet.Run(20);
        Assert.True(duet.Apply(new ReplacePatch(Patch("third", ["out:audio-out"]))));
        duet.Run(40);
        Assert.InRange(Peak(duet, 200), 0.2f, 5.1f);
        Assert.True(duet.Undo());
        Assert.True(duet.Undo()); // the echo was still there, and is fed again
        Assert.True(duet.Settle());
        Assert.InRange(Peak(duet, 400), 4.9f, 12f);
        Assert.True(duet.Apply(new ReplacePatch(Patch("second", ["out:audio-out"]))));
        duet.Run(20);
        Assert.True(duet.Apply(new ReplacePatch(Patch("third", ["out:audio-out"]))));
        Assert.True(duet.Settle());
        Assert.Equal(0f, Peak(duet, 200));
    }

    [Fact]
    public void Two_patches_that_do_not_fit_together_follow_each_other_and_it_is_said()
    {
        using var chain = new Chain(new ChainOptions { PoolBytes = 48L << 20 });
        var session = Alone(chain, Big("first", 1f, 2), out var heard);
        var warnings = new List<string>();
        session.Changed += (_, change) => warnings.AddRange(change.Warnings);
        chain.Begin();
        Assert.Null(session.Apply(new ReplacePatch(Big("second", 0.5f, 2))));
        Assert.Equal(1, chain.Refused);
        Assert.Contains("do not fit", Assert.Single(warnings), StringComparison.Ordinal);
        Run(chain, session, 40);
        Assert.True(session.IsSettled);
        Assert.Equal("second", session.Current.Id);
        Assert.Equal(5f, heard[0]);
        Assert.Equal(2.5f, heard[^1]);
        Assert.InRange(LargestStep(heard), 0, Ramp * 1.01);
    }

    [Fact]
    public void A_patch_that_fits_not_even_alone_is_refused_and_the_old_one_plays_on_undisturbed()
    {
        using var chain = new Chain(new ChainOptions { PoolBytes = 48L << 20 });
        var session = Alone(chain, Big("first", 1f, 2), out var heard);
        chain.Begin();
        Assert.NotNull(session.Apply(new ReplacePatch(Big("second", 0.5f, 16))));
        Run(chain, session, 40);
        Assert.True(session.IsSettled);
        Assert.Equal("first", session.Current.Id);
        Assert.All(heard, v => Assert.Equal(5f, v));
        chain.Begin();
        Assert.Null(session.Apply(new ReplacePatch(Big("third", 0.5f, 2)))); // and nothing of it is left in the way
        Run(chain, session, 40);
        Assert.Equal(2.5f, heard[^1]);
    }

    [Fact]
    public void A_parameter_that_was_turned_goes_back_with_a_step_that_takes_more_than_it_back()
    {
        using var duet = Constant(Patch("turn", ["dc:audio-in", "mix:mixer", "out:audio-out"], "dc.out1>mix.in1", "mix.out>out.in1"));
        duet.BeginGesture();
        Assert.True(duet.Apply(new SetParameter("mix", "level1", 0.2f)));
        duet.Run(30);
        Assert.True(duet.Apply(new Connect(new("dc", "out2"), new("mix", "in2"))));
        duet.EndGesture();
        Assert.True(duet.Settle());
        Assert.Equal(1f, duet.Chain.Out(0)[^1], 1e-5f);
        Assert.True(duet.Undo());
        duet.Run(30);
        Assert.Equal(5f, duet.Chain.Out(0)[^1], 1e-5f);

        Assert.True(duet.Apply(new SetParameter("mix", "level1", 0.2f))); // not a quantum between the two
        Assert.True(duet.Apply(new SetParameter("mix", "level1", 0.6f), new Connect(new("dc", "out2"), new("mix", "in2"))));
        duet.Run(30);
        Assert.Equal(3f, duet.Chain.Out(0)[^1], 1e-5f);
    }

    [Fact]
    public void A_cable_into_the_cv_of_an_open_vca_closes_it_and_opens_it_again_without_a_click()
    {
        using var duet = Constant(Patch("vca", ["dc:audio-in", "vca:vca", "out:audio-out"], "dc.out1>vca.in", "vca.out>out.in1"));
        var heard = Listen(duet);
        Assert.True(duet.Apply(new Connect(new("dc", "out2"), new("vca", "cv")))); // 0 V
        Assert.True(duet.Settle());
        Assert.Equal(0f, heard[^1]);
        Assert.True(duet.Apply(new Disconnect(new("dc", "out2"), new("vca", "cv"))));
        Assert.True(duet.Settle());
        duet.Run(10);
        Assert.Equal(5f, heard[^1]);
        Assert.InRange(LargestStep(heard), 0.01, Ramp);
    }

    // "id:type" and "module.port>module.port*gain".
    internal static Patch Patch(string id, string[] modules, params string[] cables)
    {
        var index = new DescriptorIndex(Chain.Shipped().Descriptors);
        var patch = Patching.Patch.Empty with { Id = id };
        foreach (var m in modules) patch = With(new AddModule(new Module { Id = m.Split(':')[0], Type = m.Split(':')[1] }));
        foreach (var c in cables)
        {
            var parts = c.Split('>', '*');
            Assert.True(PortRef.TryParse(parts[0], out var from) & PortRef.TryParse(parts[1], out var to));
            patch = With(new Connect(from, to, parts.Length > 2 ? float.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture) : 1));
        }

        return patch;

        Patch With(Edit edit) => PatchEdits.Apply(patch, edit, index, out var error) ?? throw new InvalidOperationException(error!.ToString());
    }

    private static Patch Echo(string id)
    {
        var patch = Patch(id, ["dc:audio-in", "echo:delay", "out:audio-out"], "dc.out1>echo.in", "echo.out>out.in1");
        var echo = patch.Find("echo")!;
        return patch with
        {
            Modules = patch.Modules.Replace(echo, echo with { Parameters = echo.Parameters.With("time", 0.12f).With("feedback", 0.5f).With("mix", 0.5f) }),
        };
    }

    // The delays of it take about a megabyte for each of their channels and hear nothing; the sound goes past them.
    private static Patch Big(string id, float gain, int delays)
    {
        var patch = Patch(
            id, ["dc:audio-in", "out:audio-out", .. Enumerable.Range(1, delays).Select(i => $"big{i}:delay")],
            $"dc.out1>out.in1*{gain.ToString(System.Globalization.CultureInfo.InvariantCulture)}");
        foreach (var m in patch.Modules.Where(m => m.Type == "delay"))
            patch = patch with { Modules = patch.Modules.Replace(m, m with { Settings = m.Settings.With("longest", 5).With("channels", 8) }) };
        return patch;
    }

    private static Duet Constant(Patch patch, string? module = null, string setting = "", int value = 0)
    {
        if (module is not null)
        {
            var m = patch.Find(module)!;
            patch = patch with { Modules = patch.Modules.Replace(m, m with { Settings = m.Settings.With(setting, value) }) };
        }

        var duet = new Duet(patch) { Play = (jack, into, _) => into.Fill(Volts[jack]) };
        Assert.True(duet.Settle());
        duet.Run(400);
        return duet;
    }

    private static PatchSession Alone(Chain chain, Patch patch, out List<float> heard)
    {
        var samples = heard = [];
        for (var j = 0; j < Chain.Jacks; j++) chain.In(j).Fill(Volts[j]);
        chain.Step = () =>
        {
            chain.Render();
            chain.Tend();
            samples.AddRange(chain.Out(0));
        };
        var session = PatchSession.Start(new PatchSessionOptions { Modules = chain.Modules, Sink = chain, Start = patch });
        chain.Begin();
        Assert.Null(session.Reinstall(newEngine: true));
        return session;
    }

    private static void Run(Chain chain, PatchSession session, int quanta)
    {
        for (var q = 0; q < quanta; q++)
        {
            chain.Step!();
            chain.Begin();
            Assert.Null(session.Pump());
        }
    }

    private static List<float> Listen(Duet duet)
    {
        var heard = new List<float>();
        duet.Heard = () => heard.AddRange(duet.Chain.Out(0));
        return heard;
    }

    private static float Peak(Duet duet, int quanta)
    {
        var heard = Listen(duet);
        duet.Run(quanta);
        duet.Heard = null;
        return heard.Max(Math.Abs);
    }

    private static double LargestStep(List<float> heard)
    {
        var largest = 0.0;
        for (var i = 1; i < heard.Count; i++) largest = Math.Max(largest, Math.Abs((double)heard[i] - heard[i - 1]));
        return largest;
    }

    private static (nint Instance, byte[] State) Sequencer(Duet duet)
    {
        var where = duet.Session.Plan!.Instances.Single(i => i.Module == "seq");
        return ((nint)duet.Chain.Renderer.Instances[where.Slot], duet.Chain.SaveState(where, out _)!);
    }
}
