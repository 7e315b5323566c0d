// engine.json: how a running engine says where its region is, and how one sees that it was left behind by a dead one.
using System.Text.Json;

namespace SspHost.Abi.Link;

/// <summary>What <c>engine.json</c> in the runtime directory says; written by the engine once it serves.</summary>
/// <param name="Pid">Process id of the engine.</param>
/// <param name="Start">Its start time in clock ticks since boot (field 22 of <c>/proc/PID/stat</c>): pids come again, this does not.</param>
/// <param name="Region">Path under which the region can be opened.</param>
/// <param name="Version">Version of the engine.</param>
public sealed record EngineFile(int Pid, long Start, string Region, string Version)
{
    private const int MaxBytes = 64 * 1024;

    /// <summary>Name of the file within the runtime directory.</summary>
    public const string FileName = "engine.json";

    /// <summary>
    /// Reads the file; null if there is none. Throws <see cref="InvalidDataException"/> with file and place if it is not what an engine writes.
    /// </summary>
    public static EngineFile? TryRead(string directory)
    {
        var path = Path.Combine(directory, FileName);
        byte[] bytes;
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > MaxBytes) throw new InvalidDataException($"{path}: {file.Length} bytes, expected a short JSON object");
            bytes = new byte[file.Length];
            file.ReadExactly(bytes);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        return Parse(bytes, path);
    }

    /// <summary>Parses the file's text; <paramref name="where"/> names it in errors.</summary>
    public static EngineFile Parse(ReadOnlyMemory<byte> json, string where)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw new InvalidDataException($"{where}: expected a JSON object");
            if (!root.TryGetProperty("pid", out var p) || p.ValueKind != JsonValueKind.Number || !p.TryGetInt32(out var pid) || pid <= 0)
                throw new InvalidDataException($"{where}: \"pid\" is missing or no process id");
            if (!root.TryGetProperty("start", out var s) || s.ValueKind != JsonValueKind.Number || !s.TryGetInt64(out var start))
                throw new InvalidDataException($"{where}: \"start\" is missing or no number of clock ticks");
            if (!root.TryGetProperty("region", out var r) || r.ValueKind != JsonValueKind.String || r.GetString() is not { Length: > 0 } region)
                throw new InvalidDataException($"{where}: \"region\" is missing or no path");
            var version = root.TryGetProperty("version", out var v) && v.ValueKind == JsonValueKind.String ? v.GetString()! : "";
            return new EngineFile(pid, start, region, version);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{where}, line {(e.LineNumber ?? 0) + 1}: not JSON: {e.Message}", e);
        }
    }

    /// <summary>Whether the process that wrote it still runs: same pid and same start time.</summary>
    public bool IsAlive() => EngineProcess.StartTimeOf(Pid) == Start;
}
