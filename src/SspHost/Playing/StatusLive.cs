// The engine as the panel sees it from its published status alone: what jacks carry, what it costs, what was lost.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Panel;
using SspHost.Patching;

namespace SspHost.Playing;

/// <summary>Belongs to the panel's thread; a look allocates nothing. Levels, values and pictures of modules are not in the status.</summary>
internal sealed class StatusLive : ILive
{
    private readonly IEngineSource _engine;
    private readonly Func<CostsReport> _costs;
    private readonly Func<EngineLink, bool> _look;
    private readonly Dictionary<string, ModuleCostReport> _modules = new(StringComparer.Ordinal);
    private readonly float[] _inputs = new float[Limits.MaxJacks], _outputs = new float[Limits.MaxJacks];
    private CostsReport? _counted;
    private AudioStatus _audio;

    public StatusLive(IEngineSource engine, Func<CostsReport> costs) => (_engine, _costs, _look) = (engine, costs, Look);

    public bool Playing { get; private set; }

    public int Rate => Playing ? _audio.Rate : 0;

    public int Quantum => Playing ? _audio.Quantum : 0;

    public float Load => Playing ? _audio.Load : 0;

    public ulong Dropouts => _audio.Dropouts;

    public ulong Late => _audio.Late;

    public ReadOnlySpan<float> InputPeaks => _inputs.AsSpan(0, Playing ? Math.Clamp(_audio.Inputs, 0, Limits.MaxJacks) : 0);

    public ReadOnlySpan<float> OutputPeaks => _outputs.AsSpan(0, Playing ? Math.Clamp(_audio.Outputs, 0, Limits.MaxJacks) : 0);

    public void Refresh()
    {
        if (!_engine.Try(_look, otherwise: false)) (Playing, _audio) = (false, default);
        if (_costs() is var costs && costs == _counted) return;
        _counted = costs;
        _modules.Clear();
        foreach (var m in costs.Modules)
        {
            if (!m.Leaving) _modules[m.Name] = m;
        }
    }

    public ReadOnlySpan<float> OutputLevels(string module) => default;

    public ReadOnlySpan<float> Parameters(string module) => default;

    public ReadOnlySpan<float> Telemetry(string module, int entry) => default;

    public void Watch(int tap, PortRef? output)
    {
    }

    public ReadOnlySpan<float> Samples(int tap) => default;

    public float ModuleLoad(string module) => (float)(_modules.GetValueOrDefault(module)?.Share ?? double.NaN);

    public string? Shed(string module) => _modules.GetValueOrDefault(module)?.Shed;

    private unsafe bool Look(EngineLink link)
    {
        if (!link.TryAudio(out var audio)) return true; // written at this moment: what was seen before stands
        _audio = audio;
        Playing = link.State == EngineState.Playing;
        for (var j = 0; j < Limits.MaxJacks; j++)
        {
            _inputs[j] = LevelsSampler.Volts(audio.InputPeaks[j]);
            _outputs[j] = LevelsSampler.Volts(audio.OutputPeaks[j]);
        }

        return true;
    }
}
