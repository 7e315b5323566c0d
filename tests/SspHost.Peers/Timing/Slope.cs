// What one more costs: the slope over how many there are, so that whatever does not grow (a start, a header) is not counted.
namespace SspHost.Peers.Timing;

internal static class Slope
{
    /// <summary>
    /// Least squares through points of how many (x) and what they took (y); with two points the line through both. Throws
    /// <see cref="ArgumentException"/> where all x are the same.
    /// </summary>
    public static double Of(IReadOnlyList<(double X, double Y)> points)
    {
        var (meanX, meanY) = (points.Average(p => p.X), points.Average(p => p.Y));
        var across = points.Sum(p => (p.X - meanX) * (p.X - meanX));
        if (across <= 0) throw new ArgumentException("a slope needs points at two places", nameof(points));
        return points.Sum(p => (p.X - meanX) * (p.Y - meanY)) / across;
    }
}
