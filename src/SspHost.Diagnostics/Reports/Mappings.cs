// smaps made short: how much of each kind of mapping is in memory, locked and swapped out.
using System.Globalization;

namespace SspHost.Diagnostics;

/// <summary>Mappings of one kind, in bytes.</summary>
public sealed record MappingKind(string Kind, int Mappings, long Size, long Resident, long Proportional, long Locked, long Swapped);

/// <summary>A process's mappings by kind.</summary>
public sealed record MappingsReport(int Pid, IReadOnlyList<MappingKind> Kinds, MappingKind Sum)
{
    /// <summary>Adds up the lines of an smaps file.</summary>
    public static MappingsReport Parse(int pid, IEnumerable<string> lines)
    {
        var kinds = new SortedDictionary<string, long[]>(StringComparer.Ordinal);
        var now = new long[6];
        foreach (var line in lines)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var dash = line.IndexOf('-', StringComparison.Ordinal);
            if (dash > 0 && char.IsAsciiHexDigitLower(line[0]) && (colon < 0 || dash < colon))
            {
                var words = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
                var kind = KindOf(words.Length > 5 ? words[5].Trim() : "", words.Length > 1 ? words[1] : "");
                if (!kinds.TryGetValue(kind, out now!)) kinds[kind] = now = new long[6];
                now[0]++;
                continue;
            }

            var field = colon > 0 ? Array.IndexOf(Fields, line[..colon]) : -1;
            if (field < 0 || !line.EndsWith(" kB", StringComparison.Ordinal)) continue;
            if (long.TryParse(line.AsSpan(colon + 1, line.Length - colon - 4).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var kb)) now[field + 1] += kb * 1024;
        }

        var list = kinds.Select(k => Of(k.Key, k.Value)).ToArray();
        var sum = new long[6];
        foreach (var k in kinds.Values)
            for (var i = 0; i < sum.Length; i++) sum[i] += k[i];
        return new MappingsReport(pid, list, Of("all", sum));
    }

    private static readonly string[] Fields = ["Size", "Rss", "Pss", "Locked", "Swap"];

    private static MappingKind Of(string kind, long[] v) => new(kind, (int)v[0], v[1], v[2], v[3], v[4], v[5]);

    private static string KindOf(string name, string rights)
    {
        if (name.Contains("/memfd:ssp-region", StringComparison.Ordinal)) return "region";
        if (name.StartsWith("[stack", StringComparison.Ordinal)) return "stack";
        if (name.StartsWith("[heap", StringComparison.Ordinal)) return "heap";
        if (name.StartsWith('[')) return "kernel";
        if (name.Length == 0) return rights.StartsWith("---", StringComparison.Ordinal) ? "reserved" : "anonymous";
        var file = name.Split('/')[^1];
        return (file.Contains(".so", StringComparison.Ordinal) ? "library" : "image") + (rights.Contains('x', StringComparison.Ordinal) ? " text" : rights.Contains('w', StringComparison.Ordinal) ? " data" : " constants");
    }
}
