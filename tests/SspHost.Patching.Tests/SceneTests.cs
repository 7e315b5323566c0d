// Scenes: stored, recalled, morphed; and the travel of parameters that a morph goes along.
using SspHost.Abi;

namespace SspHost.Patching.Tests;

public sealed class SceneTests
{
    private static readonly ParameterDescriptor[] Kinds =
    [
        new("gain", "Gain", "dB", -60, 12, 0),
        new("tune", "Tune", "V/oct", -5, 5, 0),
        new("cutoff", "Cutoff", "Hz", 16, 20_000, 1000, ParameterCurve.Exponential),
        new("time", "Time", "s", 0.001f, 20, 0.5f, ParameterCurve.Exponential),
        new("shape", "Shape", "", 0, 7, 2, ParameterCurve.Stepped),
        new("fromzero", "From zero", "", 0, 100, 1, ParameterCurve.Exponential), // no ratio leads to 0: it is even
    ];

    [Fact]
    public void A_place_of_the_travel_has_a_value_and_the_value_has_its_place()
    {
        foreach (var p in Kinds)
        {
            Assert.Equal((0f, 1f), (ParameterTravel.Of(p, p.Min), ParameterTravel.Of(p, p.Max)));
            Assert.Equal((p.Min, p.Max), (ParameterTravel.At(p, 0), ParameterTravel.At(p, 1)));
            var before = p.Min;
            for (var i = 0; i <= 1000; i++)
            {
                var (t, value) = (i / 1000.0, ParameterTravel.At(p, i / 1000.0));
                Assert.InRange(value, before, p.Max);
                before = value;
                var steps = p.Curve == ParameterCurve.Stepped ? 0.5 / (p.Max - p.Min) : 0;
                Assert.InRange(ParameterTravel.Of(p, value), t - steps - 1e-6, t + steps + 1e-6);
                if (p.Curve == ParameterCurve.Stepped) Assert.Equal(MathF.Round(value), value);
            }
        }

        // By the definition of each curve.
        Assert.Equal(Math.Sqrt(16.0 * 20_000), ParameterTravel.At(Kinds[2], 0.5), 0.01);
        Assert.Equal(-24f, ParameterTravel.At(Kinds[0], 0.5));
        Assert.Equal(25f, ParameterTravel.At(Kinds[5], 0.25));
    }

    [Fact]
    public void Whatever_a_travel_is_given_it_stays_in_the_range()
    {
        double[] odd = [double.NaN, double.NegativeInfinity, double.PositiveInfinity, -1e300, 1e300, -0.0, 2, -1];
        foreach (var p in Kinds)
        {
            foreach (var x in odd)
            {
                Assert.InRange(ParameterTravel.At(p, x), p.Min, p.Max);
                Assert.InRange(ParameterTravel.Of(p, (float)x), 0f, 1f);
                if (double.IsFinite(x)) Assert.InRange(ParameterTravel.Turned(p, p.Default, x, Math.Sign(x), fine: false), p.Min, p.Max);
            }
        }
    }

    [Fact]
    public void A_knob_turned_there_and_back_is_where_it_was()
    {
        var random = new Random(1);
        foreach (var p in Kinds)
        {
            for (var i = 0; i < 2000; i++)
            {
                // A pitch from any whole cent, what is stepped from any step: exactly. The rest to rounding.
                var start = p.Unit == "V/oct" ? random.Next(-2400, 2401) / 1200f : ParameterTravel.At(p, 0.2 + (0.6 * random.NextDouble()));
                if (p.Curve == ParameterCurve.Stepped) start = random.Next(3, 5);
                var (value, fine) = (start, random.Next(2) == 0);
                var turns = Enumerable.Range(0, 5).Select(_ => random.Next(1, 4)).ToArray();
                foreach (var t in turns) value = Turn(p, value, Math.Min(t, p.Curve == ParameterCurve.Stepped ? 0 : t), fine);
                foreach (var t in turns) value = Turn(p, value, -Math.Min(t, p.Curve == ParameterCurve.Stepped ? 0 : t), fine);
                if (p.Unit == "V/oct" || p.Curve == ParameterCurve.Stepped) Assert.Equal(start, value);
                else Assert.Equal(ParameterTravel.Of(p, start), ParameterTravel.Of(p, value), 2e-6);
            }
        }

        Assert.Equal(3f, ParameterTravel.Turned(Kinds[4], 2, 30, 1, fine: false)); // a detent is a step, however fast
        Assert.Equal(1 / 12f, ParameterTravel.Turned(Kinds[1], 0, 1, 1, fine: false), 1e-6f);
        Assert.Equal(1 / 1200f, ParameterTravel.Turned(Kinds[1], 0, 0.1, 1, fine: true), 1e-7f);

        static float Turn(ParameterDescriptor p, float value, int detents, bool fine) => ParameterTravel.Turned(p, value, fine ? detents / 10.0 : detents, detents, fine);
    }

    [Fact]
    public void A_scene_recalled_is_the_patch_as_it_was_when_it_was_stored()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var random = new Random(seed);
            var patch = TestModules.Full(random, 8, 8);
            var scene = SceneEdits.Take(patch, TestModules.Index, "then");
            var later = Turned(random, patch);
            var back = All(later, SceneEdits.Recall(later, scene, TestModules.Index));
            foreach (var m in patch.Modules)
            {
                Assert.Equal(m.Bypass, back.Find(m.Id)!.Bypass);
                foreach (var p in Parameters(m)) Assert.Equal(Transition.Value(m, p), Transition.Value(back.Find(m.Id)!, p));
            }

            Assert.Empty(SceneEdits.Recall(back, scene, TestModules.Index));
            Assert.Equal(scene.Parameters, SceneEdits.Take(back, TestModules.Index).Parameters);
        }
    }

    [Fact]
    public void A_scene_leaves_alone_what_came_later_and_passes_over_what_has_left()
    {
        var patch = All(new Patch { Id = "p" }, [new AddModule(TestModules.Make("a", "osc")), new AddModule(TestModules.Make("b", "osc"))]);
        var scene = SceneEdits.Take(patch, TestModules.Index);
        patch = All(patch, [new RemoveModule("a"), new AddModule(TestModules.Make("c", "osc")), new SetParameter("c", "tune", 2), new SetParameter("b", "tune", 3)]);
        Assert.Equal([new SetParameter("b", "tune", 0)], SceneEdits.Recall(patch, scene, TestModules.Index));

        // Another type under the old name, and values that an older version of the module allowed.
        var odd = new Scene
        {
            Parameters = NamedValues<NamedValues<float>>.Empty.With("b", NamedValues<float>.Empty.With("tune", 99).With("gone", 1)).With("nobody", NamedValues<float>.Empty.With("x", 1)),
        };
        Assert.Equal([new SetParameter("b", "tune", 5)], SceneEdits.Recall(patch, odd, TestModules.Index));
        Assert.Equal([new SetParameter("b", "tune", 5)], SceneEdits.Morph(patch, odd, odd, 0.5, TestModules.Index));
    }

    [Fact]
    public void A_morph_ends_exactly_at_its_scenes_and_goes_along_the_curves_between()
    {
        var modules = new DescriptorIndex([new ModuleDescriptor { Id = "all", Name = "All", Family = "Test", Text = "", Parameters = Kinds }]);
        var random = new Random(3);
        for (var n = 0; n < 50; n++)
        {
            var patch = new Patch { Id = "p", Modules = [new Module { Id = "m", Type = "all" }] };
            var (first, second) = (Scene(), Scene());
            Assert.Equal(first.Parameters, TakenAt(0).Parameters);
            Assert.Equal(second.Parameters, TakenAt(1).Parameters);
            foreach (var p in Kinds)
            {
                var (a, b) = (Of(first, p), Of(second, p));
                var before = a;
                for (var i = 0; i <= 50; i++)
                {
                    var place = i / 50.0;
                    var value = Of(TakenAt(place), p);
                    Assert.True(a <= b ? value >= before && value <= b : value <= before && value >= b, $"{p.Id} at {place}: {before} to {value}, on the way from {a} to {b}");
                    before = value;
                    var wanted = p.Curve switch
                    {
                        ParameterCurve.Stepped => place < 0.5 ? a : b,
                        ParameterCurve.Exponential when p.Min > 0 => a * Math.Pow((double)b / a, place),
                        _ => a + ((b - (double)a) * place),
                    };
                    Assert.Equal(wanted, value, 2e-6 * Math.Max(p.Max - p.Min, 1));
                }
            }

            Assert.Equal([.. new[] { false, true }.Select(on => on == first.Bypass[0].Value)], new[] { false, true }.Select(on => on == TakenAt(0.49).Bypass[0].Value));
            Assert.Equal(second.Bypass, TakenAt(0.5).Bypass);
            Assert.Equal(first.Parameters, TakenAt(double.NaN).Parameters);

            Scene Scene() => SceneEdits.Take(All(patch, [.. Kinds.Select(p => (Edit)new SetParameter("m", p.Id, TestModules.Value(random, p))), new Bypass("m", random.Next(2) == 0)], modules), modules);
            Scene TakenAt(double place) => SceneEdits.Take(All(patch, SceneEdits.Morph(patch, first, second, place, modules), modules), modules);
        }

        static float Of(Scene scene, ParameterDescriptor p) => scene.Parameters[0].Value.TryGet(p.Id, out var v) ? v : throw new InvalidOperationException(p.Id);
    }

    [Fact]
    public void Scenes_are_numbered_and_empty_ones_at_the_end_are_none()
    {
        var patch = All(new Patch { Id = "p" }, [new AddModule(TestModules.Make("a", "osc"))]);
        var scene = SceneEdits.Take(patch, TestModules.Index, "x");
        patch = All(patch, [new StoreScene(5, scene), new StoreScene(2, scene)]);
        Assert.True(patch.Scenes.SequenceEqual([null, null, scene, null, null, scene]));
        Assert.True(All(patch, [new StoreScene(5, null)]).Scenes.SequenceEqual([null, null, scene]));
        Assert.Empty(All(patch, [new StoreScene(5, null), new StoreScene(2, null)]).Scenes);
        Assert.Equal(patch, All(patch, [new StoreScene(7, null)]));
        Assert.Equal("there is no scene 8; expected 0 to 7", Refused(patch, new StoreScene(8, scene)));
        Assert.Equal("there is no scene -1; expected 0 to 7", Refused(patch, new StoreScene(-1, null)));
        Assert.StartsWith("scene.params.a.tune: NaN", Refused(patch, new StoreScene(0, new Scene { Parameters = NamedValues<NamedValues<float>>.Empty.With("a", NamedValues<float>.Empty.With("tune", float.NaN)) })), StringComparison.Ordinal);
        var read = PatchJson.Read("""{"format":1,"id":"p","scenes":[null,{"name":"x"},null,null]}"""u8);
        Assert.Equal(2, read.Patch!.Scenes.Length);
    }

    [Fact]
    public void A_controller_is_mapped_once_for_a_parameter_and_leaves_and_comes_back_with_its_module()
    {
        using var session = PatchSession.Start(new PatchSessionOptions { Modules = TestModules.Index, Sink = new FakeSink(), Start = Patch.Empty });
        Assert.Null(session.Apply(new AddModule(TestModules.Make("a", "osc")), new AddModule(TestModules.Make("b", "osc"))));
        var map = new ControllerMap { Port = "Keys", Channel = 1, Number = 74, Module = "a", Parameter = "tune", From = -1, To = 1 };
        Assert.Null(session.Apply(new MapController(map)));
        Assert.Null(session.Apply(new MapController(map with { From = -2 }))); // the same one reaches further
        Assert.Null(session.Apply(new MapController(map with { Channel = 2 }), new MapController(map with { Module = "b" })));
        Assert.Equal([map with { From = -2 }, map with { Channel = 2 }, map with { Module = "b" }], session.Current.Controllers.ToArray());
        var with = session.Current;
        Assert.Null(session.Apply(new RemoveModule("a")));
        Assert.Equal([map with { Module = "b" }], session.Current.Controllers.ToArray());
        Assert.Null(session.Undo());
        Assert.Equal(with, session.Current);
        Assert.Null(session.Apply(new UnmapController(map)));
        Assert.Equal(2, session.Current.Controllers.Length);
        Assert.Equal("controller 74 does not move a.tune", session.Apply(new UnmapController(map))!.ToString());
        Assert.Null(session.Undo());
        Assert.Equal(with, session.Current);

        Assert.Equal("MIDI channel 17; expected 1 to 16, or 0 for any", session.Apply(new MapController(map with { Channel = 17 }))!.ToString());
        Assert.Equal("controller 32; expected 0 to 31, of 14 bits", session.Apply(new MapController(map with { Number = 32, Fine = true }))!.ToString());
        Assert.Equal("a: Tune of 9 is out of range; expected -5..5 V/oct", session.Apply(new MapController(map with { To = 9 }))!.ToString());
        Assert.Equal("a (osc) has no parameter 'warp'; expected one of tune, level, shape", session.Apply(new MapController(map with { Parameter = "warp" }))!.ToString());
        Assert.Equal("there is no module 'x'", session.Apply(new MapController(map with { Module = "x" }))!.ToString());
        Assert.Equal(with, session.Current);
    }

    [Fact]
    public void Storing_and_mapping_is_nothing_to_be_heard()
    {
        var sink = new FakeSink();
        using var session = PatchSession.Start(new PatchSessionOptions { Modules = TestModules.Index, Sink = sink, Start = Patch.Empty });
        Assert.Null(session.Apply(new AddModule(TestModules.Make("a", "osc"))));
        var kinds = new List<ChangeKind>();
        session.Changed += (_, change) => kinds.Add(change.Kind);
        var scene = SceneEdits.Take(session.Current, TestModules.Index);
        Assert.Null(session.Apply(new StoreScene(0, scene)));
        Assert.Null(session.Apply(new MapController(new ControllerMap { Number = 1, Module = "a", Parameter = "level", From = 0, To = 10 })));
        Assert.Null(session.Undo());
        Assert.Null(session.Undo());
        Assert.Null(session.Redo());
        Assert.Equal(scene, session.Current.Scenes[0]);
        Assert.Equal((1, 0), (sink.Plans.Count, sink.Sent.Count));
        Assert.All(kinds, k => Assert.Equal(ChangeKind.Cosmetic, k));
        Assert.Equal(5, kinds.Count);
    }

    private static IReadOnlyList<ParameterDescriptor> Parameters(Module m) => TestModules.Index.Find(m.Type)!.Descriptor.Parameters;

    private static Patch Turned(Random random, Patch patch)
    {
        foreach (var m in patch.Modules)
        {
            foreach (var p in Parameters(m)) patch = TestModules.Must(patch, new SetParameter(m.Id, p.Id, TestModules.Value(random, p)));
            patch = TestModules.Must(patch, new Bypass(m.Id, random.Next(2) == 0));
        }

        return patch;
    }

    private static Patch All(Patch patch, List<Edit> edits, DescriptorIndex? modules = null) =>
        PatchEdits.ApplyAll(patch, edits.ToArray(), modules ?? TestModules.Index, out var error) ?? throw new InvalidOperationException(error!.ToString());

    private static string Refused(Patch patch, Edit edit)
    {
        Assert.Null(PatchEdits.Apply(patch, edit, TestModules.Index, out var error));
        return error!.ToString();
    }
}
