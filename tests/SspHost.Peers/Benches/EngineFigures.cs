// What the engine's own benchmarks print with --json, as far as the comparisons need it.
using System.Text.Json;

namespace SspHost.Peers.Benches;

/// <summary>One case of `bench modules --peers`; times in ns a frame, aliases in dB below the fundamental.</summary>
internal sealed record Kernel(string Case, int Voices, string Peer, double Ours, double Theirs, double? OurAlias, double? TheirAlias);

/// <summary>How late wake-ups were, us.</summary>
internal readonly record struct Lateness(double P50, double P99, double P999);

/// <summary>Each throws <see cref="PeerException"/> where the text is not what that benchmark prints.</summary>
internal static class EngineFigures
{
    /// <summary>ns: a time below it cannot be told from none.</summary>
    public const double ClockStep = 1;

    private static readonly string[] Points = ["p50", "p99", "p99_9", "p99_99"];

    /// <summary>Lateness of the real-time thread, us; and cyclictest's, where it was installed and measured in turns with it.</summary>
    public static (Lateness Ours, Lateness? Cyclictest) Wake(string json) => Read(json, root =>
    {
        var rows = root.GetProperty("late_us").EnumerateArray().ToDictionary(r => r.GetProperty("thread").GetString() ?? "", Late);
        if (!rows.TryGetValue("FIFO 80", out var ours)) throw new PeerException("SCHED_FIFO is refused here: wake-ups cannot be compared");
        return (ours, rows.TryGetValue("cyclictest", out var theirs) ? theirs : (Lateness?)null);

        static Lateness Late(JsonElement row) => new(row.GetProperty("p50").GetDouble(), row.GetProperty("p99").GetDouble(), row.GetProperty("p999").GetDouble());
    });

    /// <summary>ns of a trace event and of the clock that stamps it.</summary>
    public static double Event(string json) => Read(json, root =>
        root.GetProperty("one_of_each_ns") is var parts ? parts.GetProperty("event").GetDouble() + parts.GetProperty("clock").GetDouble() : 0);

    /// <summary>By allocator: "alloc.p50" and so on to ns; and lines about those that are missing.</summary>
    public static (IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>> Found, string[] Missing) Memory(string json) => Read(json, root =>
    {
        var found = new Dictionary<string, IReadOnlyDictionary<string, double>>();
        foreach (var row in root.GetProperty("results").EnumerateArray())
        {
            var figures = new Dictionary<string, double>();
            foreach (var what in new[] { "alloc", "free" })
                foreach (var point in Points) figures[$"{what}.{point.Replace('_', '.')}"] = row.GetProperty(what + "_ns").GetProperty(point).GetDouble();
            found[row.GetProperty("allocator").GetString()!] = figures;
        }

        if (!found.ContainsKey("pool")) throw new PeerException("bench memory: expected figures of the pool, and there are none");
        return ((IReadOnlyDictionary<string, IReadOnlyDictionary<string, double>>)found, root.GetProperty("missing").EnumerateArray().Select(m => m.GetString()!).ToArray());
    });

    /// <summary>Every comparison there is.</summary>
    public static IReadOnlyList<Kernel> Kernels(string json) => Read(json, root => root.GetProperty("peers").EnumerateArray().Select(p => new Kernel(
        p.GetProperty("case").GetString()!, p.GetProperty("voices").GetInt32(), p.GetProperty("peer").GetString()!, p.GetProperty("ours_ns_per_frame").GetDouble(),
        p.GetProperty("theirs_ns_per_frame").GetDouble(), Maybe(p, "our_alias_db"), Maybe(p, "their_alias_db"))).ToList());

    /// <summary>By patch and threads: one patch on them over as many independent processes. Empty on one core.</summary>
    public static IReadOnlyList<(string Patch, double Part)> Wide(string json) => Read(json, root =>
        root.TryGetProperty("threads_over_processes", out var rows)
            ? rows.EnumerateArray().Select(r => ($"{r.GetProperty("patch").GetString()}, {r.GetProperty("threads").GetInt32()} threads", r.GetProperty("median").GetDouble())).ToList()
            : []);

    private static double? Maybe(JsonElement at, string name) => at.TryGetProperty(name, out var value) ? value.GetDouble() : null;

    private static T Read<T>(string json, Func<JsonElement, T> take)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return take(document.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new PeerException($"the engine's figures are not what was expected: {Timing.Tool.Short(e.Message)}");
        }
    }
}
