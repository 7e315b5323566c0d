// From the engine's cycle clock to CLOCK_MONOTONIC: straight lines between the anchors that its steward publishes.
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// Converts ticks to ns by the two anchors around a moment, and beyond them by the line through the last two: the kernel slews CLOCK_MONOTONIC
/// by up to 500 ppm, which in 10 s is 5 ms. What is ordered in ticks is ordered in ns.
/// </summary>
public sealed class TraceClock
{
    private readonly ClockAnchor[] _anchors;

    /// <summary>A clock by these anchors; those that go backwards are left out. None at all: a tick counts as a nanosecond.</summary>
    public TraceClock(ReadOnlySpan<ClockAnchor> anchors)
    {
        var kept = new List<ClockAnchor>(anchors.Length);
        foreach (var a in anchors)
            if (kept.Count == 0 || (a.Ticks > kept[^1].Ticks && a.Nanoseconds >= kept[^1].Nanoseconds)) kept.Add(a);
        _anchors = [.. kept];
    }

    /// <summary>Whether there is anything to go by.</summary>
    public bool Known => _anchors.Length > 0;

    /// <summary>CLOCK_MONOTONIC in ns at which the cycle clock was <paramref name="ticks"/>; never below 0.</summary>
    public ulong Nanoseconds(ulong ticks)
    {
        if (_anchors.Length == 0) return ticks;
        var (a, rate) = Line(ticks, byTicks: true);
        return Move(a.Nanoseconds, (long)(ticks - a.Ticks), rate);
    }

    /// <summary>The other way round, to about a tick.</summary>
    public ulong Ticks(ulong nanoseconds)
    {
        if (_anchors.Length == 0) return nanoseconds;
        var (a, rate) = Line(nanoseconds, byTicks: false);
        return Move(a.Ticks, (long)(nanoseconds - a.Nanoseconds), 1 / rate);
    }

    private static ulong Move(ulong from, long by, double rate)
    {
        var moved = (Int128)from + (Int128)Math.Round(by * rate);
        return moved < 0 ? 0 : moved > ulong.MaxValue ? ulong.MaxValue : (ulong)moved;
    }

    // The anchor to reckon from, and ns a tick.
    private (ClockAnchor From, double Rate) Line(ulong at, bool byTicks)
    {
        if (_anchors.Length == 1) return (_anchors[0], _anchors[0].Frequency > 0 ? 1e9 / _anchors[0].Frequency : 1);
        int low = 0, high = _anchors.Length - 2; // the last segment serves what comes after it, the first what comes before
        while (low < high)
        {
            var middle = (low + high + 1) >> 1;
            if ((byTicks ? _anchors[middle].Ticks : _anchors[middle].Nanoseconds) <= at) low = middle;
            else high = middle - 1;
        }

        var (a, b) = (_anchors[low], _anchors[low + 1]);
        var rate = (b.Nanoseconds - a.Nanoseconds) / (double)(b.Ticks - a.Ticks);
        return (a, rate > 0 ? rate : double.Epsilon);
    }
}
