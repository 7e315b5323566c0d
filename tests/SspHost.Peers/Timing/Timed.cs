// A program run to its end by tests/Peers/timed.c: wall time, and the CPU time of it and all that it started.
using System.Globalization;

namespace SspHost.Peers.Timing;

/// <summary>What a run took, in s.</summary>
internal readonly record struct Took(double Wall, double Cpu);

internal static class Timed
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>Runs a program; throws <see cref="PeerException"/> with what it said where it does not end well.</summary>
    public static Took Run(Places places, params string[] command)
    {
        var figures = Path.Combine(places.Work, "timed");
        _ = Tool.Run(Patience, [places.Timed, figures, .. command]);
        return Parse(File.ReadAllText(figures));
    }

    /// <summary>Reads "WALL CPU" in ns; throws <see cref="PeerException"/> for anything else.</summary>
    public static Took Parse(string text)
    {
        var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 2 && long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var wall)
            && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var cpu))
            return new Took(wall / 1e9, cpu / 1e9);
        throw new PeerException($"timed: expected two numbers of ns, not '{Tool.Short(text)}'");
    }
}
