// What tests/Peers/jack-peer.c and ust-event.c print: a name and a number a line.
using System.Globalization;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Benches;

internal static class JackFigures
{
    /// <summary>Reads them; throws <see cref="PeerException"/> for a line of another form, a name twice, or nothing at all.</summary>
    public static IReadOnlyDictionary<string, double> Parse(string text)
    {
        var figures = new Dictionary<string, double>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (line.Split(' ') is not [var name, var number] || !double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value)
                || !double.IsFinite(value) || !figures.TryAdd(name, value))
                throw new PeerException($"expected a name and a number, not '{Tool.Short(line)}'");
        }

        return figures.Count > 0 ? figures : throw new PeerException("expected figures, and there are none");
    }

    /// <summary>One of them; throws <see cref="PeerException"/> where it is not there.</summary>
    public static double Get(IReadOnlyDictionary<string, double> figures, string name) =>
        figures.TryGetValue(name, out var value) ? value : throw new PeerException($"expected a figure '{name}', and there is none");
}
