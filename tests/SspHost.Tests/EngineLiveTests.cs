// What the panel sees of a playing engine, frame by frame.
using SspHost.Abi;
using SspHost.Panel;
using SspHost.Patching;
using SspHost.Playing;

namespace SspHost.Tests;

public sealed unsafe class EngineLiveTests : IDisposable
{
    private readonly SteppedEngine _engine = new();
    private readonly EngineLive _live;

    public EngineLiveTests()
    {
        _live = new EngineLive(_engine, _engine.Modules, () => _engine.Now);
        _engine.Install(Patched(Saw()));
    }

    public void Dispose() => _engine.Dispose();

    private static Module Saw() => new() { Id = "vco1", Type = "vco" };

    private static Patch Patched(params Module[] modules) => new()
    {
        Id = "test", Modules = [.. modules, new Module { Id = "lfo1", Type = "lfo" }, new Module { Id = "out1", Type = "audio-out" }],
        Cables = [new Cable(new PortRef("vco1", "saw"), new PortRef("out1", "in1"))],
    };

    private int Port(string type, string id) => _engine.Modules.Find(type)!.Output(id);

    [Fact]
    public void Figures_of_the_audio_and_levels_values_and_pictures_of_modules_are_those_of_the_engine()
    {
        _engine.Play(3000); // two seconds
        _live.Refresh();
        Assert.True(_live.Playing);
        Assert.Equal((SteppedEngine.Rate, SteppedEngine.Quantum, 0.25f, 3ul, 4ul), (_live.Rate, _live.Quantum, _live.Load, _live.Dropouts, _live.Late));
        Assert.Equal(2, _live.OutputPeaks.Length);
        Assert.InRange(_live.OutputLevels("vco1")[Port("vco", "saw")], 4, 7);
        Assert.Equal(_engine.Modules.Find("vco")!.Descriptor.Parameters.Select(p => p.Default), _live.Parameters("vco1").ToArray());
        Assert.Contains(_live.Telemetry("lfo1", 0).ToArray(), v => v != 0);
        Assert.Equal(_engine.Modules.Find("lfo")!.Descriptor.Telemetry[0].Length, _live.Telemetry("lfo1", 0).Length);
        Assert.True(_live.Telemetry("lfo1", 1).IsEmpty);
        Assert.Null(_live.Shed("vco1"));
        Assert.True(_live.Parameters("nobody").IsEmpty && _live.OutputLevels("nobody").IsEmpty && _live.Telemetry("nobody", 0).IsEmpty);
    }

    [Fact]
    public void A_parameter_is_seen_where_a_move_has_brought_it()
    {
        _engine.Play(2);
        var pitch = _engine.Modules.Find("vco")!.Descriptor.Parameters.Select((p, i) => (p, i)).First(x => x.p.Curve != ParameterCurve.Stepped);
        _live.Refresh();
        var slot = Enumerable.Range(0, Limits.MaxInstances).First(s => _engine.Map.Instances[s].State == InstanceState.Active);
        Assert.True(_engine.Link!.Push(new ModuleEvent { Target = (uint)_engine.Map.Instances[slot].Key, Slot = (ushort)slot, Kind = EventKind.Parameter, Index = pitch.i, Value = pitch.p.Max }));
        _engine.Play(100);
        _live.Refresh();
        Assert.Equal(pitch.p.Max, _live.Parameters("vco1")[pitch.i]);
    }

    [Fact]
    public void A_tap_follows_its_module_through_changes_of_the_patch()
    {
        _live.Watch(2, new PortRef("vco1", "saw"));
        _live.Refresh();
        Assert.True(_live.Samples(2).IsEmpty);
        _engine.Play(100);
        _live.Refresh();
        Assert.Equal(3200, _live.Samples(2).Length);
        Assert.Contains(_live.Samples(2).ToArray(), v => v > 3);
        _engine.Play(1000);
        _live.Refresh();
        Assert.Equal(ILive.TapSamples, _live.Samples(2).Length);

        // Another instance under the same name.
        _engine.Install(Patched(new Module { Id = "vco1", Type = "supersaw" }) with { Cables = [] });
        _live.Watch(2, new PortRef("vco1", _engine.Modules.Find("supersaw")!.Descriptor.Outputs[0].Id));
        _engine.Play(1);
        _live.Refresh();
        Assert.True(_live.Samples(2).IsEmpty);
        _engine.Play(10);
        _live.Refresh();
        Assert.Equal(320, _live.Samples(2).Length);
        _live.Watch(2, null);
        _live.Refresh();
        Assert.True(_live.Samples(2).IsEmpty);
        Assert.Equal(0ul, _engine.Map.Taps[2].Aim);
    }

    [Fact]
    public void What_a_module_costs_is_the_mean_of_the_last_second_and_unknown_where_nobody_measures()
    {
        _engine.Play(10);
        _live.Refresh();
        _engine.Play(1600);
        _live.Refresh();
        Assert.Equal(float.NaN, _live.ModuleLoad("vco1"));
        _engine.Renderer.Diagnostics = DiagnosticFlags.ModuleTimes;
        _engine.Play(1600);
        _live.Refresh();
        Assert.InRange(_live.ModuleLoad("vco1"), 1e-6f, 1f);
    }

    [Fact]
    public void A_module_that_is_switched_off_says_why()
    {
        _engine.Play(1);
        for (var s = 0; s < 3; s++) _engine.Map.Instances[s].Shed = ShedReason.Overload;
        _live.Refresh();
        Assert.Equal("overload", _live.Shed("vco1"));
    }

    [Fact]
    public void Without_an_engine_there_is_nothing_and_another_one_is_found_by_itself()
    {
        _live.Watch(0, new PortRef("vco1", "saw"));
        _engine.Play(100);
        _live.Refresh();
        var link = _engine.Link;
        _engine.Link = null;
        _live.Refresh();
        Assert.False(_live.Playing);
        Assert.True(_live.OutputLevels("vco1").IsEmpty && _live.Samples(0).IsEmpty && _live.OutputPeaks.IsEmpty);
        Assert.Equal(float.NaN, _live.ModuleLoad("vco1"));
        (_engine.Link, _engine.Generation) = (link, 2);
        _engine.Play(1);
        _live.Refresh();
        Assert.False(_live.OutputLevels("vco1").IsEmpty);
        _engine.Play(10);
        _live.Refresh();
        Assert.Equal(352, _live.Samples(0).Length); // it had watched all the time
    }

    [Fact]
    public void A_look_allocates_nothing()
    {
        _live.Watch(0, new PortRef("vco1", "saw"));
        _live.Watch(4, new PortRef("lfo1", _engine.Modules.Find("lfo")!.Descriptor.Outputs[0].Id));
        for (var i = 0; i < 60; i++) Frame();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 200; i++) Frame();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Frame()
        {
            _engine.Play(25);
            _live.Refresh();
            _ = _live.OutputLevels("vco1").Length + _live.Parameters("lfo1").Length + _live.Telemetry("lfo1", 0).Length + _live.Samples(0).Length;
        }
    }
}
