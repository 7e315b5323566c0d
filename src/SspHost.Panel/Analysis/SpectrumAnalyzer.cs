// Spectra of what a tap heard: a Hann window, a transform, levels in decibels.
namespace SspHost.Panel.Analysis;

/// <summary>
/// Levels by bin. A sine of 1 V peak, wherever it lies, reads within 1.5 dB of 0 dB (the Hann window's scalloping, Harris, "On the Use of Windows",
/// Proc. IEEE 66, 1978). Belongs to one thread.
/// </summary>
internal sealed class SpectrumAnalyzer
{
    /// <summary>Samples that a spectrum is made of.</summary>
    public const int Size = 4096;

    /// <summary>dB that nothing lies below.</summary>
    public const float Floor = -120;

    private readonly Transform _transform = new(Size);
    private readonly float[] _window = new float[Size];
    private readonly float[] _levels = new float[Size / 2];

    public SpectrumAnalyzer()
    {
        for (var i = 0; i < Size; i++) _window[i] = (float)(0.5 - (0.5 * Math.Cos(2 * Math.PI * i / Size)));
    }

    /// <summary>dB of 1 V peak by bin, bin k at k * rate / <see cref="Size"/>; of the newest samples, none where there are too few.</summary>
    public ReadOnlySpan<float> Take(ReadOnlySpan<float> samples)
    {
        if (samples.Length < Size) return default;
        samples = samples[^Size..];
        var data = _transform.Data;
        for (var i = 0; i < Size; i++) data[i] = float.IsFinite(samples[i]) ? samples[i] * _window[i] : 0;
        _transform.Forward();
        // The window's mean is a half, and half of a sine is at the negative frequency.
        const double Scale = 4.0 / Size;
        _levels[0] = Level(data[0] * Scale / 2);
        for (var k = 1; k < _levels.Length; k++) _levels[k] = Level(Math.Sqrt(((double)data[k] * data[k]) + ((double)data[(Size / 2) + k] * data[(Size / 2) + k])) * Scale);
        return _levels;
    }

    private static float Level(double volts) => (float)Math.Max(Floor, 20 * Math.Log10(Math.Abs(volts) + 1e-12));
}
