// What a process really holds in memory, the shared region left out: from the kernel's own account of its mappings.
using System.Globalization;

namespace SspHost.Diagnostics;

/// <summary>Resident bytes by <c>/proc/PID/smaps</c>.</summary>
/// <param name="Region">In memfd mappings: the region.</param>
/// <param name="Outside">In all others.</param>
public readonly record struct ProcessMemory(long Region, long Outside)
{
    /// <summary>Asks the kernel about a process. Throws <see cref="IOException"/> if it is gone or another user's.</summary>
    public static ProcessMemory Of(int pid) =>
        Parse(File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/smaps")));

    /// <summary>Adds up the lines of an smaps file.</summary>
    public static ProcessMemory Parse(IEnumerable<string> lines)
    {
        long region = 0, outside = 0;
        var inRegion = false;
        foreach (var line in lines)
        {
            // A mapping starts with its addresses in hex; its figures follow as "Name:   12 kB".
            var dash = line.IndexOf('-', StringComparison.Ordinal);
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (dash > 0 && char.IsAsciiHexDigitLower(line[0]) && (colon < 0 || dash < colon))
            {
                inRegion = line.Contains("/memfd:", StringComparison.Ordinal) && !line.Contains("doublemapper", StringComparison.Ordinal);
                continue;
            }

            if (!line.StartsWith("Rss:", StringComparison.Ordinal)) continue;
            var bytes = long.Parse(line.AsSpan(4, line.Length - 4 - 2).Trim(), NumberStyles.None, CultureInfo.InvariantCulture) * 1024;
            if (inRegion) region += bytes;
            else outside += bytes;
        }

        return new ProcessMemory(region, outside);
    }
}
