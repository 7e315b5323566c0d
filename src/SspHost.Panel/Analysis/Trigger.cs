// Where a scope's picture begins.
namespace SspHost.Panel.Analysis;

internal static class Trigger
{
    /// <summary>
    /// Index, with its fraction, of the last crossing of a level with at least <paramref name="after"/> samples behind it and
    /// <paramref name="before"/> in front; NaN: it does not cross there.
    /// </summary>
    public static double Last(ReadOnlySpan<float> samples, float level, bool rising, int before, int after)
    {
        for (var i = samples.Length - Math.Max(1, after); i > Math.Max(0, before); i--)
        {
            var (a, b) = (samples[i - 1], samples[i]);
            if (rising ? a < level && b >= level : a > level && b <= level) return i - 1 + ((level - a) / (b - a));
        }

        return double.NaN;
    }
}
