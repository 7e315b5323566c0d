// Levels and pictures of modules as a test wants them.
using SspHost.Patching;

namespace SspHost.Panel.Tests.Kit;

internal sealed class ScriptedLive : ILive
{
    private readonly float[] _inputs = new float[16];
    private readonly float[] _outputs = new float[8];

    public Dictionary<string, float[]> Levels { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, float[]> Values { get; } = new(StringComparer.Ordinal);

    public Dictionary<(string Module, int Entry), float[]> Pictures { get; } = [];

    public Dictionary<string, float> Loads { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Off { get; } = new(StringComparer.Ordinal);

    public Action Refreshing { get; set; } = () => { };

    public bool Playing { get; set; } = true;

    public int Rate { get; set; } = 48_000;

    public int Quantum { get; set; } = 32;

    public float Load { get; set; } = 0.25f;

    public ulong Dropouts { get; set; }

    public ulong Late { get; set; }

    public ReadOnlySpan<float> InputPeaks => _inputs;

    public ReadOnlySpan<float> OutputPeaks => _outputs;

    public Span<float> Inputs => _inputs;

    public Span<float> Outputs => _outputs;

    public void Refresh() => Refreshing();

    public ReadOnlySpan<float> OutputLevels(string module) => Levels.GetValueOrDefault(module);

    public ReadOnlySpan<float> Parameters(string module) => Values.GetValueOrDefault(module);

    public ReadOnlySpan<float> Telemetry(string module, int entry) => Pictures.GetValueOrDefault((module, entry));

    public PortRef?[] Watched { get; } = new PortRef?[ILive.Taps];

    public Func<PortRef, float[]> Sound { get; set; } = _ => [];

    public void Watch(int tap, PortRef? output) => Watched[tap] = output;

    public ReadOnlySpan<float> Samples(int tap) => Watched[tap] is { } port ? Sound(port) : default;

    public float ModuleLoad(string module) => Loads.GetValueOrDefault(module, float.NaN);

    public string? Shed(string module) => Off.GetValueOrDefault(module);
}
