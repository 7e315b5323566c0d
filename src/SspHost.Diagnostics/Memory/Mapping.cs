// One mapping of a process, as /proc/PID/smaps tells of it.
using System.Globalization;

namespace SspHost.Diagnostics;

/// <summary>A mapping. Sizes in bytes.</summary>
public sealed record Mapping
{
    public ulong Start { get; init; }

    public ulong End { get; init; }

    /// <summary>"rwxp": readable, writable, executable, private or shared.</summary>
    public required string Permissions { get; init; }

    /// <summary>Offset in the file.</summary>
    public long Offset { get; init; }

    /// <summary>The file, or the kernel's name in brackets; empty: anonymous.</summary>
    public required string Path { get; init; }

    public long Size => (long)(End - Start);

    /// <summary>In memory.</summary>
    public long Resident { get; init; }

    /// <summary>In memory, each page divided by the processes that map it; and of that, locked.</summary>
    public long Proportional { get; init; }

    /// <inheritdoc cref="Proportional"/>
    public long Locked { get; init; }

    /// <summary>In swap.</summary>
    public long Swapped { get; init; }

    /// <summary>
    /// Whether the kernel keeps what is in memory (VmFlags "lo"). The flag decides, not the Locked figure: that one is a share where two
    /// processes map the same.
    /// </summary>
    public bool IsLocked { get; init; }

    public bool IsExecutable => Permissions.Length > 2 && Permissions[2] == 'x';

    public bool IsWritable => Permissions.Length > 1 && Permissions[1] == 'w';

    /// <summary>
    /// The mappings of a process. Walks its page tables: milliseconds, in this process. Throws <see cref="IOException"/> or
    /// <see cref="UnauthorizedAccessException"/> where it is gone or another user's.
    /// </summary>
    public static IReadOnlyList<Mapping> Of(int pid) => Parse(File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/smaps")));

    /// <summary>Reads an smaps file; lines that mean nothing here are passed over.</summary>
    public static IReadOnlyList<Mapping> Parse(IEnumerable<string> lines)
    {
        var mappings = new List<Mapping>();
        foreach (var line in lines)
        {
            if (TryHead(line) is { } head) mappings.Add(head);
            else if (mappings.Count > 0) mappings[^1] = With(mappings[^1], line);
        }

        return mappings;
    }

    // "7f00-7f10 r-xp 00001000 fe:00 1234   /usr/lib/x.so"
    private static Mapping? TryHead(string line)
    {
        var dash = line.IndexOf('-', StringComparison.Ordinal);
        if (dash <= 0 || !char.IsAsciiHexDigitLower(line[0])) return null;
        var fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 5
            || !ulong.TryParse(line.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var start)
            || !ulong.TryParse(fields[0].AsSpan(dash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var end)
            || !long.TryParse(fields[2], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var offset)
            || end < start)
            return null;
        return new Mapping { Start = start, End = end, Permissions = fields[1], Offset = offset, Path = fields.Length > 5 ? fields[5].Trim() : "" };
    }

    private static Mapping With(Mapping m, string line) =>
        line.StartsWith("Rss:", StringComparison.Ordinal) ? m with { Resident = Bytes(line) }
        : line.StartsWith("Pss:", StringComparison.Ordinal) ? m with { Proportional = Bytes(line) }
        : line.StartsWith("Locked:", StringComparison.Ordinal) ? m with { Locked = Bytes(line) }
        : line.StartsWith("Swap:", StringComparison.Ordinal) ? m with { Swapped = Bytes(line) }
        : line.StartsWith("VmFlags:", StringComparison.Ordinal) ? m with { IsLocked = line.Split(' ').Contains("lo", StringComparer.Ordinal) }
        : m;

    // "Rss:     12 kB"
    private static long Bytes(string line)
    {
        var text = line.AsSpan(line.IndexOf(':', StringComparison.Ordinal) + 1).Trim();
        var end = text.IndexOf(' ');
        return long.TryParse(end < 0 ? text : text[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var kib) ? kib * 1024 : 0;
    }
}
