// A histogram over the last second or so: the difference of two copies of one that only grows.
namespace SspHost.Abi.Link;

/// <summary>Keeps the copy a window starts with. Not thread-safe: one watcher, one window.</summary>
public sealed unsafe class HistogramWindow
{
    private readonly RegionMap _map;
    private readonly HistogramKind _kind;
    private Histogram _start;

    /// <summary>A window over one of the region's histograms that starts now.</summary>
    public HistogramWindow(RegionMap map, HistogramKind kind)
    {
        _map = map;
        _kind = kind;
        _start = *map.Histogram(kind);
    }

    /// <summary>
    /// What was recorded since the last call, and starts the next window. The maximum is the window's own: exact if it is the
    /// greatest ever, else the upper edge of the window's highest bucket.
    /// </summary>
    public Histogram Next()
    {
        var now = *_map.Histogram(_kind);
        var window = Difference(in now, in _start);
        _start = now;
        return window;
    }

    /// <summary>Two windows as one. The maximum is the windows' own: not the greatest since the start.</summary>
    public static Histogram Sum(in Histogram a, in Histogram b)
    {
        var sum = a;
        sum.Count += b.Count;
        sum.Max = Math.Max(a.Max, b.Max);
        for (var i = 0; i < Histogram.Buckets; i++) sum.Counts[i] += b.Counts[i];
        return sum;
    }

    /// <summary>What <paramref name="now"/> has beyond <paramref name="earlier"/>, with the window's own count and maximum.</summary>
    public static Histogram Difference(in Histogram now, in Histogram earlier)
    {
        var window = now.Since(in earlier);
        // The copy was made while values were being recorded: the buckets are what was counted, Count is a moment off.
        ulong count = 0;
        var highest = -1;
        for (var i = 0; i < Histogram.Buckets; i++)
        {
            if (window.Counts[i] == 0) continue;
            count += window.Counts[i];
            highest = i;
        }

        window.Count = count;
        if (highest < 0) window.Max = 0;
        else if (now.Max == earlier.Max && highest + 1 < Histogram.Buckets) window.Max = Math.Min(now.Max, Histogram.LowerBound(highest + 1) - 1);
        return window;
    }
}
