// What a hand on a knob costs the control process: edits of a patch of 2000 modules, within a gesture.
using BenchmarkDotNet.Attributes;
using SspHost.Abi;
using SspHost.Patching;

namespace SspHost.Benchmarks;

/// <summary>A patch is immutable, so an edit makes a new list of modules (16 KB here) and the module that it changes; nothing that grows.</summary>
public class SessionBenchmarks : IDisposable
{
    private const int Modules = 2000;
    private const int Knobs = 400;
    private const int Each = 8; // knobs of a module

    private readonly Edit[][] _morphs = [[], []];
    private readonly Edit[] _turn = new Edit[1];
    private PatchSession? _session;
    private int _at;

    [GlobalSetup]
    public void Setup()
    {
        var type = new ModuleDescriptor
        {
            Id = "knobs", Name = "Knobs", Family = "Bench", Text = "",
            Parameters = [.. Enumerable.Range(0, Each).Select(i => new ParameterDescriptor($"p{i}", $"P{i}", "Hz", 1, 1000, 10, ParameterCurve.Exponential))],
        };
        var index = new DescriptorIndex([type]);
        var patch = new Patch { Id = "bench", Modules = [.. Enumerable.Range(0, Modules).Select(i => new Module { Id = $"m{i}", Type = "knobs" })] };
        _session = PatchSession.Start(new PatchSessionOptions { Modules = index, Sink = new Still(), Start = patch });
        if (_session.Reinstall(newEngine: true) is { } error) throw new InvalidOperationException(error.ToString());

        // The first 50 modules' and the last's: what changes does not stand together.
        for (var m = 0; m < 2; m++)
        {
            _morphs[m] = [.. Enumerable.Range(0, Knobs).Select(i => (Edit)new SetParameter($"m{i / Each * (Modules / (Knobs / Each))}", $"p{i % Each}", 20 + m))];
        }

        _session.BeginGesture();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _session?.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>One detent of one knob.</summary>
    [Benchmark]
    [Allocates(24_000)]
    public bool ApplyTurnOfAKnob()
    {
        _turn[0] = new SetParameter("m1000", "p3", 1 + (_at++ & 511));
        return _session!.Apply(_turn) is null;
    }

    /// <summary>One detent of a morph of 400 knobs.</summary>
    [Benchmark]
    [Allocates(400_000)]
    public bool ApplyMorphOf400() => _session!.Apply(_morphs[_at++ & 1]) is null;

    private sealed class Still : IPlanSink
    {
        public int Inputs => 16;

        public int Outputs => 8;

        public ReadOnlySpan<InstanceRecord> Instances => default;

        public ReadOnlyMemory<float> Costs => default;

        public PlanRefusal? Install(CompiledPlan plan) => null;

        public bool Send(in ModuleEvent move) => true;

        public string? SetAsset(in PlanAsset asset) => null;

        public string? LoadState(in PlanInstance instance, uint version, ReadOnlySpan<byte> state) => null;

        public byte[]? SaveState(in PlanInstance instance, out uint version)
        {
            version = 0;
            return null;
        }
    }
}
