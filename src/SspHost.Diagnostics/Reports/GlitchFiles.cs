// The directory of glitch reports: each written whole or not at all, the last twenty kept.
using System.Globalization;
using System.Text.Json;

namespace SspHost.Diagnostics;

/// <summary>Files of glitch reports in a state directory.</summary>
public sealed class GlitchFiles(string stateDirectory)
{
    /// <summary>Reports kept, and bytes that one may have.</summary>
    public const int Kept = 20, MaxBytes = 1 << 20;

    /// <summary>The directory.</summary>
    public string Directory { get; } = Path.Combine(stateDirectory, "glitches");

    /// <summary>How a file is made; tests make one on a full disk.</summary>
    internal Func<string, Stream> Create { get; init; } = path => new FileStream(path, FileMode.Create, FileAccess.Write);

    /// <summary>Names of the reports, the oldest first.</summary>
    public IReadOnlyList<string> Names()
    {
        try
        {
            return [.. System.IO.Directory.EnumerateFiles(Directory, "glitch-*.json").Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Reads a report; null with one line on why not.</summary>
    public static (GlitchReport? Report, string? Trouble) Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > 4 * MaxBytes) return (null, $"{path}: {file.Length} bytes, expected at most {MaxBytes}");
            var report = JsonSerializer.Deserialize(file, MetricsJson.Default.GlitchReport);
            return report is { Incidents.Count: > 0 } ? (report, null) : (null, $"{path}: no dropout in it");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            return (null, $"{path}: cannot be read: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>
    /// Writes a report and removes what is beyond the twenty. Throws <see cref="IOException"/> with one line; then nothing of it is left.
    /// </summary>
    public string Write(GlitchReport report, DateTime utc)
    {
        System.IO.Directory.CreateDirectory(Directory);
        var path = Path.Combine(Directory, "glitch-" + utc.ToString("yyyyMMdd'T'HHmmss'.'fff'Z'", CultureInfo.InvariantCulture) + ".json");
        var temporary = path + ".tmp";
        try
        {
            using (var file = Create(temporary)) JsonSerializer.Serialize(file, report, MetricsJson.Default.GlitchReport);
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            Remove(temporary);
            throw;
        }

        var names = Names();
        foreach (var old in names.Take(Math.Max(0, names.Count - Kept))) Remove(old);
        return path;
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // One file too many harms nobody.
        }
    }
}
