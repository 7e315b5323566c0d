// What `cyclictest -q -h N` prints: lines of "us count", then comments.
using System.Globalization;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Benches;

/// <summary>How often the thread was so many whole us late; what was later than the table is counted in <paramref name="Beyond"/>.</summary>
internal sealed record CyclictestHistogram(IReadOnlyList<(int Us, long Count)> Rows, long Beyond)
{
    /// <summary>Reads one thread's; throws <see cref="PeerException"/> where there is none.</summary>
    public static CyclictestHistogram Parse(string text)
    {
        var rows = new List<(int Us, long Count)>();
        long beyond = 0;
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.StartsWith("# Histogram Overflows:", StringComparison.Ordinal))
            {
                if (!long.TryParse(line.Split(':')[1].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out beyond)) throw Bad(line);
                continue;
            }

            if (line[0] is '#' or '/' || !char.IsAsciiDigit(line[0])) continue;
            if (line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is not [var us, var count]
                || !int.TryParse(us, NumberStyles.None, CultureInfo.InvariantCulture, out var at) || !long.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var times)
                || (rows.Count > 0 && at <= rows[^1].Us)) throw Bad(line);
            rows.Add((at, times));
        }

        return rows.Sum(r => (decimal)r.Count) + beyond > 0 ? new CyclictestHistogram(rows, beyond) : throw new PeerException("cyclictest: expected a histogram, and there is nothing in it");
    }

    /// <summary>us at the nearest rank, 0 to 1; throws <see cref="PeerException"/> where that lies beyond the table.</summary>
    public double Percentile(double part)
    {
        var rank = Math.Max(1, Math.Ceiling(part * (Rows.Sum(r => r.Count) + Beyond)));
        long seen = 0;
        foreach (var (us, count) in Rows)
        {
            seen += count;
            if (seen >= rank) return us;
        }

        throw new PeerException($"cyclictest: {part * 100:0.###} % lie beyond its table");
    }

    private static PeerException Bad(string line) => new($"cyclictest: expected a number of us and a count, not '{Tool.Short(line)}'");
}
