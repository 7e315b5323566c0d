// Cables that end at a parameter: 10 V are its whole travel, along its curve, the same at every quantum.
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

public sealed unsafe class ModulationTests
{
    private const int Level = 0, Pole = 1, Mode = 2; // of a Blend: linear 0..1, exponential 0.01..0.9, stepped 0..3

    // A source fed by a jack, and a Blend one of whose parameters it moves.
    private static PatchDraft Draft(int quantum, int parameter, params DraftCable[] cables)
    {
        var draft = new PatchDraft { Quantum = quantum };
        _ = draft.Add(TestRegistry.Wire, 11, new DraftCable(0, 0, Jack: 0));
        var blend = draft.Add(TestRegistry.Blend, 12);
        if (cables.Length > 0) draft.Nodes[blend].Voltages[parameter] = [.. cables];
        return draft;
    }

    private static float* Row(Rig rig, int slot, int parameter) => (float*)rig.Map.At(rig.Map.Instances[slot].Parameters) + (parameter * Limits.GridPoints);

    // What the patch says: travel by logarithms, in double.
    private static double Expected(ParameterDescriptor d, double value, double travel)
    {
        var exponential = d.Curve == ParameterCurve.Exponential;
        var at = exponential ? Math.Log(value / d.Min) / Math.Log(d.Max / (double)d.Min) : (value - d.Min) / (d.Max - (double)d.Min);
        at = Math.Clamp(at + travel, 0, 1);
        var v = exponential ? d.Min * Math.Pow(d.Max / (double)d.Min, at) : d.Min + (at * (d.Max - (double)d.Min));
        return d.Curve == ParameterCurve.Stepped ? Math.Round(v, MidpointRounding.AwayFromZero) : v;
    }

    [Theory]
    [InlineData(Level)]
    [InlineData(Pole)]
    [InlineData(Mode)]
    public void Each_grid_point_has_the_value_that_the_voltage_before_it_says(int parameter)
    {
        using var rig = new Rig(64);
        rig.Install(Draft(64, parameter, new DraftCable(0, 0, 0.7f), new DraftCable(0, 0, -0.3f)).Compile());
        var d = rig.Registry.Descriptors[TestRegistry.Blend].Parameters[parameter];
        var random = new Random(parameter);
        var last = 0f;
        for (var q = 0; q < 300; q++)
        {
            foreach (ref var v in rig.In(0)) v = (random.NextSingle() * 40) - 20;
            _ = rig.Step();
            for (var g = 0; g <= 4; g++)
            {
                var volts = g == 0 ? last : rig.In(0)[(g * 16) - 1];
                var travel = volts * 0.4 / 10;
                var expected = Expected(d, d.Default, travel);
                var actual = Row(rig, 1, parameter)[g];
                if (d.Curve == ParameterCurve.Stepped && Math.Abs((travel * 3) - Math.Round(travel * 3, MidpointRounding.ToZero) - 0.5) < 1e-5) continue;
                if (d.Curve == ParameterCurve.Exponential) Assert.InRange(1200 * Math.Log2(actual / expected), -0.1, 0.1);
                else Assert.Equal(expected, actual, 1e-6);
            }

            last = rig.In(0)[63];
        }
    }

    [Fact]
    public void Powers_of_two_are_less_than_a_hundredth_of_a_cent_off()
    {
        for (var x = -40f; x <= 40; x += 0.0037f) Assert.InRange(1200 * Math.Log2(Modulation.Exp2(x) / Math.Pow(2, x)), -0.01, 0.01);
        for (var whole = -126; whole <= 126; whole++) Assert.Equal(MathF.ScaleB(1, whole), Modulation.Exp2(whole));
    }

    private static float[] Play(int quantum, int frames, bool delayed = false)
    {
        var draft = new PatchDraft { Quantum = quantum };
        var lfo = draft.Add(TestRegistry.Wire, 11, new DraftCable(0, 0, Jack: 0));
        var blend = draft.Add(TestRegistry.Blend, 12, new DraftCable(0, 0, Jack: 1));
        draft.Nodes[blend].Voltages[Level] = [new DraftCable(lfo, 0, 1, delayed)];
        draft.Nodes[blend].Voltages[Pole] = [new DraftCable(lfo, 0, 0.5f), new DraftCable(lfo, 0, -0.1f)];
        draft.Nodes[blend].Parameters = [0.5f, 0.3f, 0];
        var jack = draft.Add(TestRegistry.JackOut, 13, new DraftCable(blend, 0));
        draft.Nodes[jack].JackIndex = 2;
        using var rig = new Rig(quantum);
        rig.Install(draft.Compile());
        var heard = new float[frames];
        for (var at = 0; at < frames; at += quantum)
        {
            for (var i = 0; i < quantum; i++)
            {
                rig.In(0)[i] = 5 * MathF.Sin((at + i) * 0.003f);
                rig.In(1)[i] = 5 * MathF.Sin((at + i) * 0.05f);
            }

            if (at == 1024) rig.Send(new ModuleEvent { Frame = 1024, Target = 12, Slot = 1, Kind = EventKind.Parameter, Index = Pole, Value = 0.8f });
            _ = rig.Step();
            rig.Out(2).CopyTo(heard.AsSpan(at));
        }

        return heard;
    }

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(256)]
    public void A_modulated_patch_sounds_the_same_at_every_quantum(int quantum)
    {
        var small = Play(16, 8192);
        var large = Play(quantum, 8192);
        Assert.Contains(small, v => MathF.Abs(v) > 0.1f);
        for (var i = 0; i < small.Length; i++) Assert.InRange(large[i] - small[i], -1e-6f, 1e-6f); // -120 dB of a volt
    }

    [Fact]
    public void A_delayed_cable_moves_a_parameter_one_quantum_later()
    {
        using var rig = new Rig(16);
        rig.Install(Draft(16, Level, new DraftCable(0, 0, 1, Delayed: true)).Compile());
        rig.In(0).Fill(2);
        _ = rig.Step();
        Assert.Equal(0.5f, Row(rig, 1, Level)[1]);
        _ = rig.Step();
        Assert.Equal(0.7f, Row(rig, 1, Level)[1], 1e-6f);
    }

    [Fact]
    public void A_cable_comes_and_goes_along_its_ramp_and_leaves_the_parameter_as_the_hand_has_it()
    {
        var draft = Draft(16, Level);
        using var rig = new Rig(16);
        rig.Install(draft.Compile());
        rig.Renderer.Running = true; // as while it plays: what comes and goes is heard
        rig.In(0).Fill(5);
        _ = rig.Step();
        var values = new List<float>();
        void Change(ulong serial, float? gain, float from, int quanta)
        {
            draft.Serial = serial;
            draft.Nodes[1].Voltages.Clear();
            if (gain is { } g) draft.Nodes[1].Voltages[Level] = [new DraftCable(0, 0, g, Id: 4711, From: from)];
            rig.Install(draft.Compile());
            for (var q = 0; q < quanta; q++)
            {
                _ = rig.Step();
                Assert.Equal(values.Count == 0 ? 0.5f : values[^1], Row(rig, 1, Level)[0]); // no step between quanta
                values.Add(Row(rig, 1, Level)[1]);
            }
        }

        Change(2, 0.5f, 0, 40);
        Assert.Equal(0.75f, values[^1], 1e-6f);
        for (var i = 1; i < values.Count; i++) Assert.InRange(values[i] - values[i - 1], 0, 0.03f); // 0.25 in 15 segments of a cosine
        Change(3, 0, 0.5f, 40);
        Assert.Equal(0.5f, values[^1], 1e-6f);
        Change(4, null, 0, 3);
        Assert.Equal(0.5f, values[^1]);
        rig.Send(new ModuleEvent { Target = 12, Slot = 1, Kind = EventKind.Parameter, Index = Level, Value = 0.9f });
        for (var q = 0; q < 40; q++) _ = rig.Step();
        Assert.Equal(0.9f, Row(rig, 1, Level)[0]);
    }

    [Fact]
    public void A_parameter_that_nothing_moves_is_not_touched()
    {
        var draft = Draft(32, Level, new DraftCable(0, 0));
        using var rig = new Rig();
        rig.Install(draft.Compile());
        rig.In(0).Fill(3);
        for (var q = 0; q < 3; q++) _ = rig.Step();
        Row(rig, 1, Pole)[0] = 0.123f; // what stands there stays
        for (var q = 0; q < 3; q++) _ = rig.Step();
        Assert.Equal(0.123f, Row(rig, 1, Pole)[0]);
        Assert.Equal(0ul, rig.Renderer.State->Current->Nodes[0].Modulated);
        Assert.Equal(1ul << Level, rig.Renderer.State->Current->Nodes[1].Modulated);
        Assert.Equal(0ul, rig.Renderer.State->Current->Nodes[1].Context.Moving); // a steady voltage moves nothing
    }

    [Fact]
    public void A_moving_voltage_wakes_a_module_that_sleeps()
    {
        var draft = new PatchDraft();
        _ = draft.Add(TestRegistry.Wire, 11, new DraftCable(0, 0, Jack: 0));
        var sleeper = draft.Add(TestRegistry.Sleeper, 12);
        draft.Nodes[sleeper].Voltages[0] = [new DraftCable(0, 0, -1)];
        using var rig = new Rig();
        rig.Install(draft.Compile());
        for (var q = 0; q < 5; q++) _ = rig.Step();
        var calls = rig.Telemetry(sleeper, 0);
        for (var q = 0; q < 5; q++) _ = rig.Step();
        Assert.Equal(calls, rig.Telemetry(sleeper, 0));
        rig.In(0).Fill(1);
        _ = rig.Step();
        Assert.Equal(calls + 1, rig.Telemetry(sleeper, 0));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_description_with_a_bad_modulation_is_refused(int how)
    {
        var blob = Draft(32, Level, new DraftCable(0, 0)).Compile();
        fixed (byte* b = blob)
        {
            var h = (PlanHeader*)b;
            var m = (PlanModulation*)(b + h->ModulationsOffset);
            var nodes = (PlanNode*)(b + h->NodesOffset);
            switch (how)
            {
                case 0: m->Parameter = 3; break;
                case 1: m->CableCount = 2; break;
                case 2: m->FirstCable = -1; break;
                case 3: nodes[1].ModulationCount = 0; break;
                default: (nodes[0].ModulationCount, nodes[1].ModulationCount) = (1, 0); break; // Wire has no parameter
            }
        }

        using var rig = new Rig();
        Assert.Equal(ReplyStatus.BadRequest, rig.TryInstall(blob, out _));
    }
}
