// What the Scope page looks at and how; thirty times a second it takes what the taps heard.
using SspHost.Panel.Analysis;
using SspHost.Patching;

namespace SspHost.Panel.Pages.Scopes;

internal enum ScopeMode
{
    Scope,
    Spectrum,
    Xy,
    Tuner,
}

/// <summary>The state of the page, and the samples in its picture. Taking allocates nothing.</summary>
internal sealed class ScopeState
{
    public const int UsualTime = 4, UsualVolts = 4;

    private const ulong EachNs = 33_000_000; // thirty pictures a second are as many as are seen

    private static readonly double[] Times = [0.05e-3, 0.1e-3, 0.2e-3, 0.5e-3, 1e-3, 2e-3, 5e-3, 10e-3, 15e-3];
    private static readonly double[] VoltSteps = [0.1, 0.2, 0.5, 1, 2, 5];

    private readonly float[][] _samples = new float[ScopePage.Signals][];
    private readonly float[][] _levels = new float[ScopePage.Signals][];
    private readonly int[] _counts = new int[ScopePage.Signals];
    private readonly int[] _bins = new int[ScopePage.Signals];
    private readonly Measures[] _measures = new Measures[ScopePage.Signals];
    private readonly SpectrumAnalyzer _spectrum = new();
    private readonly PitchFinder _pitch = new();
    private ulong _next;
    private int _time = UsualTime, _volts = UsualVolts, _chosen;

    public ScopeState()
    {
        for (var i = 0; i < ScopePage.Signals; i++) (_samples[i], _levels[i]) = (new float[ILive.TapSamples], new float[SpectrumAnalyzer.Size / 2]);
    }

    /// <summary>Rises with each new picture.</summary>
    public int Version { get; private set; }

    /// <summary>Outputs that are looked at.</summary>
    public PortRef?[] Sources { get; } = new PortRef?[ScopePage.Signals];

    public ScopeMode Mode { get; set; }

    public bool Frozen { get; set; }

    public bool Measuring { get; set; }

    /// <summary>Volts at which the picture begins, on the signal <see cref="Source"/>.</summary>
    public float Level { get; set; }

    public bool Rising { get; set; } = true;

    /// <summary>The signal that triggers, 0..3.</summary>
    public int Source { get; set; }

    /// <summary>Whether the picture stands on a crossing of the level.</summary>
    public bool Triggered { get; private set; }

    /// <summary>Sample at which the picture begins, with its fraction.</summary>
    public double First { get; private set; }

    /// <summary>Hz of the samples.</summary>
    public double Rate { get; private set; } = 48_000;

    /// <summary>Hz of the chosen signal's tone; NaN: none is heard.</summary>
    public double Pitch { get; private set; } = double.NaN;

    /// <summary>Index of the seconds per division.</summary>
    public int Time
    {
        get => _time;
        set => _time = Math.Clamp(value, 0, Times.Length - 1);
    }

    /// <summary>Index of the volts per division.</summary>
    public int Volts
    {
        get => _volts;
        set => _volts = Math.Clamp(value, 0, VoltSteps.Length - 1);
    }

    /// <summary>The signal in hand, 0..3.</summary>
    public int Chosen
    {
        get => _chosen;
        set => _chosen = Math.Clamp(value, 0, ScopePage.Signals - 1);
    }

    public double SecondsPerDivision => Times[_time];

    public double VoltsPerDivision => VoltSteps[_volts];

    public ReadOnlySpan<float> Samples(int signal) => _samples[signal].AsSpan(0, _counts[signal]);

    /// <summary>dB of 1 V by bin.</summary>
    public ReadOnlySpan<float> Spectrum(int signal) => _levels[signal].AsSpan(0, _bins[signal]);

    public ref readonly Measures Figures(int signal) => ref _measures[signal];

    /// <summary>Something was chosen that changes the picture, frozen or not.</summary>
    public void Renew() => Work();

    public void Update(ILive live, ulong now)
    {
        if (Frozen || now < _next) return;
        _next = now + EachNs;
        var rate = live.Rate > 0 ? live.Rate : Rate;
        var changed = rate != Rate;
        Rate = rate;
        for (var i = 0; i < ScopePage.Signals; i++)
        {
            var heard = Sources[i] is null ? default : live.Samples(i);
            heard = heard[^Math.Min(heard.Length, ILive.TapSamples)..];
            if (heard.SequenceEqual(Samples(i))) continue;
            changed = true;
            heard.CopyTo(_samples[i]);
            _counts[i] = heard.Length;
        }

        if (changed) Work(); // what stands still is drawn once
    }

    private void Work()
    {
        Version++;
        Triggers();
        for (var i = 0; i < ScopePage.Signals; i++)
        {
            _bins[i] = 0;
            if (Mode == ScopeMode.Spectrum)
            {
                var levels = _spectrum.Take(Samples(i));
                levels.CopyTo(_levels[i]);
                _bins[i] = levels.Length;
            }

            _measures[i] = Measuring && _counts[i] > 0 ? Measures.Of(Samples(i), Rate) : default;
        }

        Pitch = Mode == ScopeMode.Tuner ? _pitch.Find(Samples(_chosen), Rate) : double.NaN;
    }

    private void Triggers()
    {
        var samples = Samples(Source);
        var shown = Math.Min(samples.Length, (int)(ScopePicture.Columns * SecondsPerDivision * Rate) + 1);
        var at = Trigger.Last(samples, Level, Rising, 0, shown);
        Triggered = double.IsFinite(at);
        First = Triggered ? at : samples.Length - shown;
    }
}
