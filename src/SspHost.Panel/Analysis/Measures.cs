// Figures of a signal: peak, RMS, frequency.
namespace SspHost.Panel.Analysis;

/// <summary>What a scope says of a signal in figures.</summary>
/// <param name="Peak">Largest magnitude in volts.</param>
/// <param name="Rms">Root of the mean square in volts, with its direct part.</param>
/// <param name="Hertz">Rising crossings of its middle a second, between the first and the last; NaN: fewer than two.</param>
internal readonly record struct Measures(float Peak, float Rms, double Hertz)
{
    /// <summary>Of the samples given; what is not finite counts as 0.</summary>
    public static Measures Of(ReadOnlySpan<float> samples, double rate)
    {
        var (low, high, sum) = (0f, 0f, 0.0);
        var any = false;
        foreach (var s in samples)
        {
            var v = float.IsFinite(s) ? s : 0;
            (low, high) = any ? (Math.Min(low, v), Math.Max(high, v)) : (v, v);
            any = true;
            sum += (double)v * v;
        }

        var rms = samples.Length > 0 ? Math.Sqrt(sum / samples.Length) : 0;
        return new Measures(Math.Max(high, -low), (float)rms, Crossings(samples, low, high, rate));
    }

    // With a dead band of a tenth of the range, so that noise at the crossing counts once.
    private static double Crossings(ReadOnlySpan<float> samples, float low, float high, double rate)
    {
        var middle = (low + high) / 2;
        var band = (high - low) / 20;
        if (!(band > 1e-5f)) return double.NaN;
        var (first, last, count, armed) = (-1.0, -1.0, 0, false);
        for (var i = 1; i < samples.Length; i++)
        {
            if (samples[i] < middle - band) armed = true;
            if (!armed || samples[i] < middle) continue;
            armed = samples[i] < middle;
            // Between the last sample below and this one.
            var (a, b) = (samples[i - 1], samples[i]);
            var at = b > a && a < middle ? i - 1 + ((middle - a) / (b - a)) : i;
            if (count++ == 0) first = at;
            last = at;
        }

        return count >= 2 ? (count - 1) * rate / (last - first) : double.NaN;
    }
}
