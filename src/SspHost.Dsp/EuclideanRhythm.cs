// Pulses spread over steps as evenly as they can be: the rhythms of half the world's music.
namespace SspHost.Dsp;

/// <summary>
/// Bjorklund's algorithm (The Theory of Rep-Rate Pattern Generation in the SNS Timing System, 2003) as Toussaint applies it (The Euclidean
/// Algorithm Generates Traditional Musical Rhythms, BRIDGES 2005): the smaller group of patterns is appended to the larger one, one each,
/// until one pattern or none remains over.
/// </summary>
public static class EuclideanRhythm
{
    /// <summary>Steps of the longest pattern.</summary>
    public const int Longest = 32;

    /// <summary>Bit i is set where step i sounds; the first step does where any does. Out of range is taken as the nearest in range.</summary>
    public static uint Pattern(int pulses, int steps)
    {
        steps = Math.Min(Math.Max(steps, 1), Longest);
        pulses = Math.Min(Math.Max(pulses, 0), steps);
        var all = (uint)((1UL << steps) - 1UL);
        if (pulses == 0) return 0;
        if (pulses == steps) return all;

        // Patterns as bits and length, first step in bit 0: `many` times the head, then `few` times the rest.
        var (head, headLength, many) = (1UL, 1, pulses);
        var (rest, restLength, few) = (0UL, 1, steps - pulses);
        do
        {
            var pairs = Math.Min(many, few);
            var (joined, joinedLength) = (head | (rest << headLength), headLength + restLength);
            if (many > few)
            {
                (rest, restLength) = (head, headLength);
                few = many - pairs;
            }
            else
            {
                few -= pairs;
            }

            (head, headLength, many) = (joined, joinedLength, pairs);
        }
        while (few > 1);

        var pattern = 0UL;
        var at = 0;
        for (var i = 0; i < many; i++, at += headLength) pattern |= head << at;
        for (var i = 0; i < few; i++, at += restLength) pattern |= rest << at;
        return (uint)pattern & all;
    }

    /// <summary>The pattern begun <paramref name="by"/> steps later.</summary>
    public static uint Rotate(uint pattern, int steps, int by)
    {
        steps = Math.Min(Math.Max(steps, 1), Longest);
        while (by >= steps) by -= steps;
        if (by <= 0) return pattern;
        var wide = (ulong)pattern;
        return (uint)(((wide << by) | (wide >> (steps - by))) & ((1UL << steps) - 1UL));
    }
}
