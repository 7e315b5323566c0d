// Figures of one allocator, and how they travel from the process that measured them.
using System.Text;
using System.Text.Json;

namespace SspHost.EngineHost.Bench;

/// <summary>Percentiles in ns, floor of the clock subtracted: p50, p99, p99.9, p99.99, max.</summary>
internal sealed class MemoryBenchResult
{
    public static readonly double[] Points = [0.5, 0.99, 0.999, 0.9999, 1];
    private static readonly string[] PointNames = ["p50", "p99", "p99_9", "p99_99", "max"];

    public required string Name { get; init; }

    public required double[] Allocate { get; init; }

    public required double[] Free { get; init; }

    public required string Clock { get; init; }

    /// <summary>Ns that an empty measurement takes, already subtracted.</summary>
    public required double Floor { get; init; }

    /// <summary>Ns of one step of the clock, as seen.</summary>
    public required double Resolution { get; init; }

    public required int Core { get; init; }

    public required bool RealTime { get; init; }

    public required bool Pinned { get; init; }

    /// <summary>Page faults within the measured part.</summary>
    public required long Faults { get; init; }

    public string ToJson()
    {
        using var stream = new MemoryStream();
        using (var w = new Utf8JsonWriter(stream)) Write(w);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    public void Write(Utf8JsonWriter w)
    {
        w.WriteStartObject();
        w.WriteString("allocator", Name);
        WritePoints(w, "alloc_ns", Allocate);
        WritePoints(w, "free_ns", Free);
        w.WriteString("clock", Clock);
        w.WriteNumber("clock_floor_ns", Math.Round(Floor, 2));
        w.WriteNumber("clock_resolution_ns", Math.Round(Resolution, 2));
        w.WriteNumber("core", Core);
        w.WriteBoolean("fifo", RealTime);
        w.WriteBoolean("pinned", Pinned);
        w.WriteNumber("faults", Faults);
        w.WriteEndObject();
    }

    public static MemoryBenchResult? FromJson(string text, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            return new MemoryBenchResult
            {
                Name = name,
                Allocate = Array.ConvertAll(PointNames, p => root.GetProperty("alloc_ns").GetProperty(p).GetDouble()),
                Free = Array.ConvertAll(PointNames, p => root.GetProperty("free_ns").GetProperty(p).GetDouble()),
                Clock = root.GetProperty("clock").GetString()!,
                Floor = root.GetProperty("clock_floor_ns").GetDouble(),
                Resolution = root.GetProperty("clock_resolution_ns").GetDouble(),
                Core = root.GetProperty("core").GetInt32(),
                RealTime = root.GetProperty("fifo").GetBoolean(),
                Pinned = root.GetProperty("pinned").GetBoolean(),
                Faults = root.GetProperty("faults").GetInt64(),
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null; // the run did not get so far; the caller says so
        }
    }

    private static void WritePoints(Utf8JsonWriter w, string name, double[] values)
    {
        w.WriteStartObject(name);
        for (var i = 0; i < values.Length; i++) w.WriteNumber(PointNames[i], Math.Round(values[i], 1));
        w.WriteEndObject();
    }
}
