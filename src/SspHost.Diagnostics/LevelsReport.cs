// Peaks of the jacks, as a meter shows them: what `levels` sends, and the sampler that misses none.
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

/// <summary>Peaks of one direction, by jack.</summary>
/// <param name="Volts">Volts, 0 and up.</param>
/// <param name="Dbfs">The same in dB of 10 V, a converter's full scale where it is not calibrated; -160 is silence.</param>
public sealed record JackLevels(IReadOnlyList<float> Volts, IReadOnlyList<float> Dbfs);

/// <summary>Peaks since the report before (of at least the last 50 ms).</summary>
public sealed record LevelsReport
{
    /// <inheritdoc cref="Moment"/>
    public required string Time { get; init; }

    /// <inheritdoc cref="Moment"/>
    public required string Monotonic { get; init; }

    public required JackLevels Inputs { get; init; }

    public required JackLevels Outputs { get; init; }
}

/// <summary>Keeps the highest peaks between two reports. Not thread-safe.</summary>
public sealed unsafe class LevelsSampler
{
    /// <summary>dB of silence: below what 24 bits hold.</summary>
    public const float SilenceDb = -160f;

    /// <summary>How often to look at least, in ns: the engine's own peaks last 50 ms.</summary>
    public const ulong LookEveryNs = 50_000_000;

    private const float FullScaleVolts = 10f;

    private readonly float[] _inputs = new float[Limits.MaxJacks];
    private readonly float[] _outputs = new float[Limits.MaxJacks];
    private int _inputJacks, _outputJacks;

    /// <summary>Adds what the engine shows now; an engine that does not play is silent.</summary>
    public void Look(EngineLink link)
    {
        if (link.State != EngineState.Playing || !link.TryAudio(out var audio)) return;
        _inputJacks = Math.Clamp(audio.Inputs, 0, Limits.MaxJacks);
        _outputJacks = Math.Clamp(audio.Outputs, 0, Limits.MaxJacks);
        for (var j = 0; j < Limits.MaxJacks; j++)
        {
            _inputs[j] = Math.Max(_inputs[j], Volts(audio.InputPeaks[j]));
            _outputs[j] = Math.Max(_outputs[j], Volts(audio.OutputPeaks[j]));
        }
    }

    /// <summary>The report, and begins anew.</summary>
    public LevelsReport Take()
    {
        var now = Moment.Now();
        var report = new LevelsReport { Time = now.Time, Monotonic = now.Monotonic, Inputs = Levels(_inputs, _inputJacks), Outputs = Levels(_outputs, _outputJacks) };
        Array.Clear(_inputs);
        Array.Clear(_outputs);
        return report;
    }

    /// <summary>A peak as JSON can hold it: what a broken card or module makes of one is no number.</summary>
    public static float Volts(float peak) => peak >= 0 ? Math.Min(peak, Limits.MaxVolts) : 0;

    /// <summary>Volts in dB of full scale.</summary>
    public static float Decibels(float volts) => volts > 0 ? Math.Max(SilenceDb, MathF.Round(20f * MathF.Log10(volts / FullScaleVolts), 1)) : SilenceDb;

    private static JackLevels Levels(float[] peaks, int jacks)
    {
        var (volts, decibels) = (new float[jacks], new float[jacks]);
        for (var j = 0; j < jacks; j++) (volts[j], decibels[j]) = (peaks[j], Decibels(peaks[j]));
        return new JackLevels(volts, decibels);
    }
}
