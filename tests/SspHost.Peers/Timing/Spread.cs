// The middle of what the rounds gave, and how far they lie apart.
namespace SspHost.Peers.Timing;

/// <summary>Median (the mean of both middles of an even number), least and most.</summary>
internal readonly record struct Spread(double Median, double Low, double High)
{
    /// <summary>Of at least one value; throws <see cref="ArgumentException"/> for none.</summary>
    public static Spread Of(IReadOnlyCollection<double> values)
    {
        if (values.Count == 0) throw new ArgumentException("a spread of no values", nameof(values));
        var sorted = values.Order().ToArray();
        return new Spread((sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2, sorted[0], sorted[^1]);
    }

    /// <summary>The value below or at which a part of all lie, 0 to 1: the nearest rank, as the engine's own tables have it.</summary>
    public static double Percentile(double[] sorted, double part) =>
        sorted.Length == 0 ? throw new ArgumentException("a percentile of no values", nameof(sorted)) : sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Length) - 1, 0, sorted.Length - 1)];
}
