// What the control process sees of a module while it plays: levels of its outputs, values of its parameters, and the samples of a tap.
using SspHost.Abi;
using SspHost.Engine.Graph;

namespace SspHost.Engine.Tests.Graph;

public sealed unsafe class LiveValueTests
{
    private const int Window = 2400; // 50 ms at 48 kHz

    private static Rig WireFromJack(int quantum, out PatchDraft draft)
    {
        draft = new PatchDraft { Quantum = quantum };
        _ = draft.Add(TestRegistry.Wire, 77, new DraftCable(0, 0, Jack: 1));
        var rig = new Rig(quantum);
        rig.Install(draft.Compile());
        return rig;
    }

    private static float Level(Rig rig, int slot, int port = 0)
    {
        var levels = new float[port + 1];
        OutputLevels.Read((OutputLevels*)rig.Map.At(rig.Map.Instances[slot].Levels), rig.Renderer.Window, levels);
        return levels[port];
    }

    [Theory]
    [InlineData(16)]
    [InlineData(32)]
    [InlineData(256)]
    public void A_peak_is_seen_for_50_to_100_ms_and_then_no_more(int quantum)
    {
        using var rig = WireFromJack(quantum, out _);
        for (var offset = 0; offset < 5; offset++)
        {
            for (var i = 0; i < (offset * 700) / quantum; i++) _ = rig.Step(); // wherever in a window it falls
            rig.In(1)[quantum - 3] = -4.5f;
            _ = rig.Step();
            rig.In(1)[quantum - 3] = 0;
            var seen = quantum;
            for (; Level(rig, 0) == 4.5f && seen < 10 * Window; seen += quantum) _ = rig.Step();
            Assert.Equal(0, Level(rig, 0));
            Assert.InRange(seen, Window - quantum, (2 * Window) + (2 * quantum));
        }
    }

    [Fact]
    public void A_level_is_that_of_the_loudest_channel_and_a_bypassed_module_shows_what_it_passes_on()
    {
        var draft = new PatchDraft();
        var faulty = draft.Add(TestRegistry.Faulty, 5);
        var wire = draft.Add(TestRegistry.Wire, 6, new DraftCable(faulty, 1));
        draft.Nodes[wire].Bypassed = true;
        using var rig = new Rig();
        rig.Install(draft.Compile());
        for (var i = 0; i < 4; i++) _ = rig.Step();
        Assert.Equal(127, Level(rig, faulty, 1));
        Assert.Equal(127, Level(rig, wire));
    }

    [Fact]
    public void A_parameters_present_value_follows_its_ramp()
    {
        var draft = new PatchDraft();
        _ = draft.Add(TestRegistry.Blend, 9);
        using var rig = new Rig();
        rig.Install(draft.Compile());
        _ = rig.Step();
        float Present(int p) => ((float*)rig.Map.At(rig.Map.Instances[0].Parameters))[p * Limits.GridPoints];
        Assert.Equal(0.5f, Present(0));
        rig.Send(new ModuleEvent { Target = 9, Kind = EventKind.Parameter, Index = 0, Value = 1 });
        _ = rig.Step();
        _ = rig.Step();
        Assert.InRange(Present(0), 0.51f, 0.6f);
        for (var i = 0; i < 20; i++) _ = rig.Step();
        Assert.Equal(1, Present(0));
    }

    [Theory]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(256)]
    public void A_tap_has_every_sample_of_its_output_in_order(int quantum)
    {
        using var rig = WireFromJack(quantum, out _);
        var aim = SignalTap.AimAt(0, 77, 0);
        rig.Map.Taps[3].Aim = aim;
        var into = new float[SignalTap.Samples];
        Assert.Equal(0, rig.Map.Taps[3].Read(aim, into));
        var n = 0;
        while (n < 3 * SignalTap.Capacity)
        {
            for (var i = 0; i < quantum; i++) rig.In(1)[i] = ((n + i) % 997) + 1;
            _ = rig.Step();
            n += quantum;
            if (n % 1024 != 0) continue;
            var count = rig.Map.Taps[3].Read(aim, into);
            Assert.Equal(Math.Min(n, SignalTap.Samples), count);
            for (var i = 0; i < count; i++) Assert.Equal(((n - count + i) % 997) + 1, into[SignalTap.Samples - count + i]);
        }

        Assert.Equal(100, rig.Map.Taps[3].Read(aim, into.AsSpan(0, 100)));
        Assert.Equal(((n - 1) % 997) + 1, into[99]);
    }

    [Fact]
    public void A_tap_of_an_instance_that_has_left_is_silent_and_one_that_is_aimed_anew_begins_anew()
    {
        using var rig = WireFromJack(32, out var draft);
        rig.In(1).Fill(2);
        var tap = rig.Map.Taps;
        var aim = tap->Aim = SignalTap.AimAt(0, 77, 0);
        for (var i = 0; i < 4; i++) _ = rig.Step();
        var into = new float[64];
        Assert.Equal(64, tap->Read(aim, into));
        Assert.All(into, v => Assert.Equal(2, v));

        draft.Nodes[0].Key = 78;
        draft.Nodes[0].Slot = 4;
        draft.Serial++;
        rig.Install(draft.Compile());
        for (var i = 0; i < 4; i++) _ = rig.Step();
        Assert.Equal(64, tap->Read(aim, into));
        Assert.All(into, v => Assert.Equal(0, v));

        var other = SignalTap.AimAt(4, 78, 0);
        tap->Aim = other;
        Assert.Equal(0, tap->Read(other, into)); // not taken yet
        _ = rig.Step();
        Assert.Equal(32, tap->Read(other, into));
        Assert.Equal(0, tap->Read(aim, into));
        Assert.All(into[32..], v => Assert.Equal(2, v));
    }

    [Fact]
    public void Nonsense_in_a_taps_word_is_silence()
    {
        using var rig = WireFromJack(32, out _);
        rig.In(1).Fill(2);
        var random = new Random(5);
        var into = new float[32];
        for (var i = 0; i < 2000; i++)
        {
            var aim = (ulong)random.NextInt64() | ((ulong)random.Next(2) << 63);
            if (i % 3 == 0) aim = SignalTap.AimAt(0, 77, random.Next(1, 256));
            rig.Map.Taps[i % SignalTap.Count].Aim = aim;
            _ = rig.Step();
            Assert.Equal(32, rig.Map.Taps[i % SignalTap.Count].Read(aim, into));
            Assert.All(into, v => Assert.Equal(0, v));
        }
    }
}
