// Levels, costs and the status, over a region that is filled by hand.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;

namespace SspHost.Tests;

public sealed unsafe class FigureTests : IDisposable
{
    private static readonly ModuleDescriptor[] Types = [.. new[] { "vco", "vcf", "vca" }.Select(id => new ModuleDescriptor { Id = id, Name = id, Family = "", Text = "" })];

    private readonly FakeEngine _engine = new();
    private readonly EngineLink _link;

    public FigureTests()
    {
        _link = EngineLink.Over(_engine.Map, () => false);
        _engine.Map.Header->State = (uint)EngineState.Playing;
        var types = DescriptorBlob.Write(Types);
        (_engine.Map.Header->DescriptorsOffset, _engine.Map.Header->DescriptorsBytes) = (5 << 20, types.Length);
        types.CopyTo(new Span<byte>(_engine.Map.At(5 << 20), types.Length));
        Audio(0);
    }

    [Fact]
    public void The_highest_of_many_looks_is_the_level_and_each_report_begins_anew()
    {
        var sampler = new LevelsSampler();
        foreach (var volts in new[] { 0.1f, 5f, 0.2f })
        {
            Audio(volts);
            sampler.Look(_link);
        }

        var levels = sampler.Take();
        Assert.Equal((5f, 10f), (levels.Inputs.Volts[0], levels.Outputs.Volts[0]));
        Assert.Equal((-6f, 0f), (levels.Inputs.Dbfs[0], levels.Outputs.Dbfs[0]));
        Assert.Equal((2, 3), (levels.Inputs.Volts.Count, levels.Outputs.Volts.Count));
        Assert.Equal(LevelsSampler.SilenceDb, sampler.Take().Outputs.Dbfs[0]);
        _engine.Map.Header->State = (uint)EngineState.Stopped; // what it played last hangs in the snapshot
        sampler.Look(_link);
        Assert.Equal(0f, sampler.Take().Inputs.Volts[0]);
    }

    [Theory]
    [InlineData(10f, 0f)]
    [InlineData(5f, -6f)]
    [InlineData(1f, -20f)]
    [InlineData(0.001f, -80f)]
    [InlineData(0f, -160f)]
    [InlineData(1e-20f, -160f)]
    public void Volts_are_decibels_of_full_scale(float volts, float expected) => Assert.Equal(expected, LevelsSampler.Decibels(volts), 0.05f);

    [Fact]
    public void Costs_come_dearest_first_with_share_sleep_and_why_a_module_is_off()
    {
        Put(3, type: 0, "cheap");
        Put(7, type: 1, "dear");
        Put(9, type: 2, "new");
        var sampler = new CostSampler(_link, Types);
        Run(3, calls: 100, ns: 10_000, slept: 75);
        Run(7, calls: 100, ns: 250_000, slept: 0);
        _engine.Map.Instances[7].Shed = ShedReason.Overload;
        _engine.Map.Instances[7].Longest = 7777;
        _engine.Map.Instances[9].State = InstanceState.Leaving;
        var costs = sampler.Take();
        Assert.Equal(["dear", "cheap", "new"], costs.Modules.Select(m => m.Name));
        Assert.Equal(("vcf", 2500d, 7777ul, "overload"), (costs.Modules[0].Module, costs.Modules[0].Nanoseconds, costs.Modules[0].Longest, costs.Modules[0].Shed));
        Assert.Equal(1e6, costs.QuantumNanoseconds); // 48 frames at 48 kHz
        Assert.Equal((0.0025, 0d), (costs.Modules[0].Share, costs.Modules[0].Asleep));
        Assert.Equal((0.75, null), (costs.Modules[1].Asleep, costs.Modules[1].Shed));
        Assert.True(costs.Modules[2] is { Leaving: true, Nanoseconds: null, Share: null, Asleep: null });
        Assert.True(costs.Timed);
        Assert.False(sampler.Take().Timed);
    }

    [Fact]
    public void The_status_names_the_eight_dearest_and_what_the_last_quantum_took()
    {
        for (var i = 0; i < 20; i++) Put(i, i % 3, $"m{i}");
        var sampler = new StatusSampler(_link);
        for (var i = 0; i < 20; i++) Run(i, calls: 100, ns: (ulong)(i * 10_000) + 1, slept: 0);
        var report = sampler.Take();
        Assert.Equal(["m19", "m18", "m17"], report.Dearest.Take(3).Select(d => d.Name));
        Assert.Equal(8, report.Dearest.Count);
        Assert.Equal("vcf", report.Dearest[0].Module);
        Assert.Equal((1900, 0.0019), (Math.Round(report.Dearest[0].Nanoseconds), Math.Round(report.Dearest[0].Share, 6)));
        Assert.Equal((0.25f, true), (report.Audio!.LoadNow, report.Audio.Settled));
        Assert.Equal(20, sampler.Costs!.Modules.Count);
    }

    [Fact]
    public void Telemetry_of_a_module_that_left_is_nothing_even_if_its_slot_is_taken()
    {
        var type = Types[0] with { Telemetry = [new TelemetryDescriptor("level", TelemetryKind.Meter, 1), new TelemetryDescriptor("step", TelemetryKind.Step, 1), new TelemetryDescriptor("scope", TelemetryKind.Scope, 4)] };
        Put(3, type: 0, "a");
        _engine.Map.Instances[3].Telemetry = 6 << 20;
        new float[] { 1.5f, 7f, float.NaN, 1f, 2f, 3f }.CopyTo(new Span<float>(_engine.Map.At(6 << 20), 6));
        var shown = TelemetryReader.Read(_link, "a", 3, key: 103, type)!.Telemetry;
        Assert.Equal([("level", "meter"), ("step", "step"), ("scope", "scope")], shown.Select(t => (t.Id, t.Kind)));
        Assert.Equal((1.5f, 7f, 0, 3), (shown[0].Values[0], shown[1].Values[0], shown[2].At, shown[2].Values.Count));
        Assert.All(shown, static t => Assert.Equal((null, null), (t.Unit, t.Text)));

        // Unit and text come with it; sound on its way to a file is left out, and what stands behind it is found.
        var other = type with { Telemetry = [new TelemetryDescriptor("takes", TelemetryKind.Recording, 2), new TelemetryDescriptor("levels", TelemetryKind.Spectrum, 3, "dB", "Levels."), new TelemetryDescriptor("pitch", TelemetryKind.Value, 1, "Hz")] };
        shown = TelemetryReader.Read(_link, "a", 3, key: 103, other)!.Telemetry;
        Assert.Equal([("takes", "recording", null, null), ("levels", "spectrum", "dB", "Levels."), ("pitch", "value", "Hz", null)], shown.Select(t => (t.Id, t.Kind, t.Unit, t.Text)));
        Assert.Empty(shown[0].Values);
        Assert.Equal([null, 1f, 2f], shown[1].Values);
        Assert.Equal([3f], shown[2].Values);
        Assert.Null(TelemetryReader.Read(_link, "a", 3, key: 104, type));
        Assert.Null(TelemetryReader.Read(_link, "a", -1, key: 103, type));
        Assert.Null(TelemetryReader.Read(_link, "a", Limits.MaxInstances, key: 103, type));
        _engine.Map.Instances[3].Telemetry = _engine.Map.Bytes - 4; // a damaged record
        Assert.Null(TelemetryReader.Read(_link, "a", 3, key: 103, type));
    }

    public void Dispose()
    {
        _link.Dispose();
        _engine.Dispose();
    }

    private void Audio(float volts)
    {
        var a = new AudioStatus { Rate = 48_000, Quantum = 48, Inputs = 2, Outputs = 3, Load = 0.25f, Settled = 1 };
        (a.InputPeaks[0], a.OutputPeaks[0]) = (volts, volts * 2);
        _engine.Map.AudioStatus->Write(in a);
    }

    private void Put(int slot, int type, string name)
    {
        var r = new InstanceRecord { Key = (ulong)slot + 100, Module = type, State = InstanceState.Active, Calls = 1, Nanoseconds = 1 };
        for (var c = 0; c < name.Length; c++) r.Name[c] = (byte)name[c];
        _engine.Map.Instances[slot] = r;
    }

    private void Run(int slot, ulong calls, ulong ns, ulong slept)
    {
        ref var r = ref _engine.Map.Instances[slot];
        (r.Calls, r.Nanoseconds, r.Slept) = (r.Calls + calls, r.Nanoseconds + ns, r.Slept + slept);
    }
}
