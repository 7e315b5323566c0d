// Which file each address of a process comes from, as /proc/PID/maps tells; kept, because a process that died tells nothing any more.
using System.Globalization;

namespace SspHost.Diagnostics.Stalls;

/// <summary>A file as it is mapped.</summary>
/// <param name="Path">As the kernel has it; "[vdso]" and its like are no files.</param>
/// <param name="Base">Address of its first byte: what addresses in it are relative to.</param>
public readonly record struct MappedFile(string Path, ulong Base);

/// <summary>Parsed once; asked by binary search.</summary>
public sealed class ProcessMaps
{
    private readonly List<(ulong Start, ulong End, MappedFile File)> _ranges = [];

    /// <summary>Reads the maps of a process; lines that are not understood are left out.</summary>
    public static ProcessMaps Parse(IEnumerable<string> lines)
    {
        var maps = new ProcessMaps();
        var (path, start) = ("", 0UL);
        foreach (var line in lines)
        {
            // start-end permissions offset device inode    path
            var words = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            var dash = words.Length > 0 ? words[0].IndexOf('-', StringComparison.Ordinal) : -1;
            if (dash < 0 || !Hex(words[0][..dash], out var from) || !Hex(words[0][(dash + 1)..], out var to)) continue;
            if (words.Length < 6) continue; // no file
            if (!string.Equals(words[5], path, StringComparison.Ordinal) || (Hex(words[2], out var offset) && offset == 0)) (path, start) = (words[5], from);
            maps._ranges.Add((from, to, new MappedFile(path, start)));
        }

        maps._ranges.Sort(static (a, b) => a.Start.CompareTo(b.Start));
        return maps;
    }

    /// <summary>The maps of a process; null where they cannot be read.</summary>
    public static ProcessMaps? TryRead(int pid)
    {
        try
        {
            return Parse(File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/maps")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The file an address is in, or null.</summary>
    public MappedFile? Find(ulong address)
    {
        var (low, high) = (0, _ranges.Count);
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (_ranges[middle].Start <= address) low = middle + 1;
            else high = middle;
        }

        return low > 0 && address < _ranges[low - 1].End ? _ranges[low - 1].File : null;
    }

    private static bool Hex(string text, out ulong value) => ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
}
