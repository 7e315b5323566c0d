// The one reader of /proc, /sys and /dev that the doctor's checks see: tests put a directory in its place.
using System.Globalization;

namespace SspHost.Diagnostics;

/// <summary>Reads small files below <paramref name="root"/>; what cannot be read is null, never an exception.</summary>
internal sealed class SystemFiles(string root = "/")
{
    private const int MaxBytes = 256 << 10;

    /// <summary>A file's text without the end of its last line.</summary>
    public string? Text(string path)
    {
        try
        {
            using var file = new FileStream(Path.Combine(root, path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
            var bytes = new byte[MaxBytes];
            var length = 0;
            while (length < MaxBytes && file.Read(bytes, length, MaxBytes - length) is > 0 and var got) length += got;
            return System.Text.Encoding.UTF8.GetString(bytes, 0, length).TrimEnd('\n', '\r', ' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>A file's bytes.</summary>
    public byte[]? Bytes(string path, int most)
    {
        try
        {
            using var file = new FileStream(Path.Combine(root, path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
            var bytes = new byte[most];
            var length = 0;
            while (length < most && file.Read(bytes, length, most - length) is > 0 and var got) length += got;
            return bytes[..length];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>A file that holds one number.</summary>
    public long? Number(string path) => long.TryParse(Text(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var n) ? n : null;

    /// <summary>Names in a directory, ordered; empty where it cannot be read. <paramref name="pattern"/> as in a shell.</summary>
    public IReadOnlyList<string> Names(string path, string pattern = "*")
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(Path.Combine(root, path), pattern).Select(e => Path.GetFileName(e)).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Whether there is such a file or directory.</summary>
    public bool Exists(string path) => Path.Exists(Path.Combine(root, path));

    /// <summary>The word in brackets of a file that shows its choices: "always [madvise] never".</summary>
    public string? Chosen(string path)
    {
        var text = Text(path);
        var open = text?.IndexOf('[', StringComparison.Ordinal) ?? -1;
        var close = text?.IndexOf(']', StringComparison.Ordinal) ?? -1;
        return open >= 0 && close > open ? text![(open + 1)..close] : null;
    }

    /// <summary>A limit of a process by its name in /proc/PID/limits: the soft one; null: not known, -1: unlimited.</summary>
    public long? Limit(string process, string name)
    {
        foreach (var line in (Text($"proc/{process}/limits") ?? "").Split('\n'))
        {
            if (!line.StartsWith(name, StringComparison.Ordinal)) continue;
            var words = line[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0) return null;
            if (words[0] == "unlimited") return -1;
            return long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;
        }

        return null;
    }

    /// <summary>Whether a process has a capability, by its number; null: not known.</summary>
    public bool? Capability(string process, int number)
    {
        var set = StatusField(process, "CapEff:");
        return ulong.TryParse(set, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var bits) ? (bits >> number & 1) != 0 : null;
    }

    /// <summary>A field of /proc/PID/status, "CapEff:" say.</summary>
    public string? StatusField(string process, string name)
    {
        foreach (var line in (Text($"proc/{process}/status") ?? "").Split('\n'))
            if (line.StartsWith(name, StringComparison.Ordinal)) return line[name.Length..].Trim();
        return null;
    }

    /// <summary>The kernel's form of a list of cores, "0-3,6"; what is no number is passed over.</summary>
    public static IReadOnlyList<int> Cores(string? list)
    {
        var cores = new SortedSet<int>();
        foreach (var part in (list ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var ends = part.Split('-');
            if (!int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first) || !int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)) continue;
            for (var c = first; c <= Math.Min(last, first + 4095); c++) _ = cores.Add(c);
        }

        return [.. cores];
    }
}
