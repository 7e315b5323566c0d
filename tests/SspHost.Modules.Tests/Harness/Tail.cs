// How fast a sound dies: the slope of its level in decibels, by least squares.
namespace SspHost.Modules.Tests;

/// <summary>Decay times of rendered signals.</summary>
public static class Tail
{
    /// <summary>Seconds for 60 dB, from RMS levels of windows of <paramref name="window"/> frames between two frames.</summary>
    public static double T60(ReadOnlySpan<float> samples, double rate, int from, int to, int window)
    {
        var levels = new List<double>();
        for (var at = from; at + window <= to; at += window)
        {
            double sum = 0;
            foreach (var v in samples.Slice(at, window)) sum += (double)v * v;
            levels.Add(10.0 * Math.Log10(Math.Max(sum / window, 1e-40)));
        }

        return FromLevels(levels, window / rate);
    }

    /// <summary>Seconds for 60 dB of the component at <paramref name="turns"/>.</summary>
    public static double T60Of(ReadOnlySpan<float> samples, double turns, double rate, int from, int to, int window)
    {
        var levels = new List<double>();
        for (var at = from; at + window <= to; at += window)
            levels.Add(Spectrum.Decibels(Spectrum.Level(samples.Slice(at, window), turns)));
        return FromLevels(levels, window / rate);
    }

    private static double FromLevels(List<double> levels, double step)
    {
        var (mx, my) = ((levels.Count - 1) / 2.0, levels.Average());
        double xy = 0, xx = 0;
        for (var i = 0; i < levels.Count; i++)
        {
            xy += (i - mx) * (levels[i] - my);
            xx += (i - mx) * (i - mx);
        }

        return -60.0 * step / (xy / xx);
    }
}
