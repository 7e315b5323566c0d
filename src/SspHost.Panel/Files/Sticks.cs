// USB sticks: what is mounted from a device that can be pulled out, read from the kernel's mount table.
using System.Text;

namespace SspHost.Panel.Files;

/// <summary>A stick.</summary>
/// <param name="Root">Where it is mounted.</param>
/// <param name="ReadOnly">Whether nothing can be written to it.</param>
internal readonly record struct Stick(string Root, bool ReadOnly)
{
    public string Name => Path.GetFileName(Root.TrimEnd('/')) is { Length: > 0 } name ? name : Root;
}

/// <summary>Reads mountinfo as proc(5) describes it.</summary>
internal static class Sticks
{
    /// <summary>
    /// The sticks of a mount table: block devices that the kernel calls removable, or that are mounted below /media or /run/media, where desktops
    /// and automounters put what is plugged in. A line that makes no sense is left out.
    /// </summary>
    /// <param name="removable">Whether a device, "8:1", is one that can be pulled out.</param>
    public static IReadOnlyList<Stick> Parse(string table, Func<string, bool> removable)
    {
        var sticks = new List<Stick>();
        foreach (var line in table.Split('\n'))
        {
            // 36 35 8:1 / /media/stick rw,nosuid shared:1 - vfat /dev/sda1 rw
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var dash = Array.IndexOf(words, "-");
            if (dash < 6 || words.Length < dash + 3) continue;
            var (device, root, point, options, source) = (words[2], words[3], Plain(words[4]), words[5], words[dash + 2]);
            if (root != "/" || !source.StartsWith("/dev/", StringComparison.Ordinal) || point.Length < 2 || point[0] != '/') continue;
            var plugged = point.StartsWith("/media/", StringComparison.Ordinal) || point.StartsWith("/run/media/", StringComparison.Ordinal) || removable(device);
            if (!plugged || point.StartsWith("/boot", StringComparison.Ordinal)) continue;
            var readOnly = options.Split(',').Contains("ro");
            sticks.RemoveAll(s => s.Root == point); // a later mount lies over it
            sticks.Add(new Stick(point, readOnly));
        }

        return sticks;
    }

    /// <summary>The sticks there are now; none where the table cannot be read.</summary>
    public static IReadOnlyList<Stick> Read(string table)
    {
        try
        {
            return Parse(File.ReadAllText(table), Removable);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // A partition's parent is the disk.
    private static bool Removable(string device)
    {
        foreach (var up in (ReadOnlySpan<string>)["", "/.."])
        {
            try
            {
                if (File.ReadAllText($"/sys/dev/block/{device}{up}/removable").StartsWith('1')) return true;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                // A partition has no such file: its disk has.
            }
        }

        return false;
    }

    // Blanks and backslashes stand there as \040 and the like, in bytes of UTF-8.
    private static string Plain(string word)
    {
        if (!word.Contains('\\', StringComparison.Ordinal)) return word;
        var bytes = Encoding.UTF8.GetBytes(word);
        var length = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\\' && i + 3 < bytes.Length && Octal(bytes.AsSpan(i + 1, 3)) is { } value)
            {
                bytes[length++] = value;
                i += 3;
            }
            else
            {
                bytes[length++] = bytes[i];
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private static byte? Octal(ReadOnlySpan<byte> digits)
    {
        var value = 0;
        foreach (var d in digits)
        {
            if (d is < (byte)'0' or > (byte)'7') return null;
            value = (value * 8) + (d - '0');
        }

        return value <= 255 ? (byte)value : null;
    }
}
