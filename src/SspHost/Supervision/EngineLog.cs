// engine.log as the control process reads it: the last line said, and who the engine blames for its own death.
using System.Globalization;
using System.Text;

namespace SspHost.Supervision;

/// <summary>The module that the engine says took it down.</summary>
/// <param name="Module">Its name.</param>
/// <param name="Key">Key of its instance; 0: not said.</param>
/// <param name="Signal">The signal.</param>
internal sealed record EngineFault(string Module, ulong Key, int Signal);

/// <summary>Reads the log from a place on: what an earlier engine wrote is not this one's.</summary>
internal static class EngineLog
{
    /// <summary>Name of the file within the runtime directory.</summary>
    public const string FileName = "engine.log";

    private const int Tail = 64 * 1024;
    private const string FaultStart = "fault: module ";

    /// <summary>Bytes in the log; 0 if there is none.</summary>
    public static long Length(string path) => File.Exists(path) ? new FileInfo(path).Length : 0;

    /// <summary>Puts a long log aside as <c>engine.log.1</c>. Called while no engine writes to it.</summary>
    public static void Rotate(string path, long limit)
    {
        if (Length(path) > limit) File.Move(path, path + ".1", overwrite: true);
    }

    /// <summary>The last line written after <paramref name="from"/>, or null.</summary>
    public static string? LastLine(string path, long from) => Lines(path, from).LastOrDefault(l => l.Length > 0);

    /// <summary>The last fault written after <paramref name="from"/>, or null.</summary>
    public static EngineFault? LastFault(string path, long from)
    {
        EngineFault? last = null;
        foreach (var line in Lines(path, from)) last = ParseFault(line) ?? last;
        return last;
    }

    /// <summary>Reads <c>fault: module NAME key K signal N</c>, wherever it stands in a line. The name may hold spaces.</summary>
    public static EngineFault? ParseFault(string line)
    {
        var start = line.IndexOf(FaultStart, StringComparison.Ordinal);
        if (start < 0) return null;
        var rest = line[(start + FaultStart.Length)..].TrimEnd();
        var keyAt = rest.LastIndexOf(" key ", StringComparison.Ordinal);
        if (keyAt <= 0) return null;
        var words = rest[(keyAt + 5)..].Split(' ');
        if (words.Length < 3 || words[1] != "signal") return null;
        var hex = words[0].StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (!ulong.TryParse(hex ? words[0][2..] : words[0], hex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var key)) return null;
        return int.TryParse(words[2], NumberStyles.None, CultureInfo.InvariantCulture, out var signal) ? new EngineFault(rest[..keyAt], key, signal) : null;
    }

    private static string[] Lines(string path, long from)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length < from) from = 0; // it was put aside meanwhile
            file.Position = Math.Max(from, file.Length - Tail);
            using var reader = new StreamReader(file, Encoding.UTF8);
            return reader.ReadToEnd().Split('\n', StringSplitOptions.TrimEntries);
        }
        catch (IOException)
        {
            return [];
        }
    }
}
