// When something happened, on both clocks: the one that measures and the one on the wall.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>
/// A moment. CLOCK_MONOTONIC in ns passes 2^53 after 104 days of uptime, beyond which a JSON number loses digits in many readers: it is
/// written as a text of digits. Frames (2^53 last 1,487 years at 192 kHz) and durations are numbers.
/// </summary>
/// <param name="Monotonic">CLOCK_MONOTONIC in ns, digits.</param>
/// <param name="Time">ISO 8601, UTC, microseconds.</param>
public readonly record struct Moment(string Monotonic, string Time)
{
    /// <summary>Now.</summary>
    public static Moment Now() => At(Linux.Now());

    /// <summary>
    /// The moment at which CLOCK_MONOTONIC was <paramref name="monotonicNs"/>. Its wall clock is reckoned back from now, so that a wall clock
    /// that was set in between shows the new time.
    /// </summary>
    public static Moment At(ulong monotonicNs)
    {
        var ago = (long)(Linux.Now() - monotonicNs);
        var wall = DateTime.UtcNow;
        // A time from another boot, or none at all, must not throw: the calendar has an end.
        var ticks = Math.Clamp(ago / 100, wall.Ticks - DateTime.MaxValue.Ticks, wall.Ticks);
        return new Moment(monotonicNs.ToString(CultureInfo.InvariantCulture), wall.AddTicks(-ticks).ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));
    }
}
