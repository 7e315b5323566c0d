// ssp module test --lv2: plugins put through their trial and the rules, each in children of its own, as a table.
using System.Globalization;
using System.Text.Json;
using SspHost.Supervision;

namespace SspHost.Lv2;

/// <summary>What is known of a plugin after it. Mallocs: calls on an RT thread in 1 s, -1 where they cannot be counted.</summary>
internal sealed record Lv2Surveyed(string Id, string Uri, string? Refused, int Rules, IReadOnlyList<(string Rule, string Why)> Broken, long Mallocs, long Heap, int Latency, double Nanoseconds)
{
    /// <summary>Whether it plays and breaks nothing.</summary>
    public bool IsClean => Refused == null && Broken.Count == 0 && Mallocs <= 0;
}

internal static class Lv2Survey
{
    private const int Rate = 48_000, Quantum = 32;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static Lv2Surveyed Run(Lv2Module module)
    {
        var id = module.Descriptor.Id;
        if (Lv2Trial.Run(module, Rate, Quantum) is { } why) return Refused(id, module.Uri, why);
        var file = Path.GetTempFileName();
        try
        {
            Lv2Trial.Write(file, module);
            var (json, wrong) = LibraryProbe.Say(["survey", file], Patience);
            if (json == null) return Refused(id, module.Uri, wrong!);
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            var broken = root.GetProperty("broken").EnumerateArray().Select(b => (b.GetProperty("rule").GetString()!, b.GetProperty("why").GetString()!)).ToArray();
            return new Lv2Surveyed(
                id, module.Uri, null, root.GetProperty("rules").GetInt32(), broken, root.GetProperty("mallocs").GetInt64(), root.GetProperty("heap").GetInt64(),
                root.GetProperty("latency").GetInt32(), root.GetProperty("nanoseconds").GetDouble());
        }
        finally
        {
            File.Delete(file);
        }
    }

    public static Lv2Surveyed Refused(string id, string uri, string why) => new(id, uri, why, 0, [], 0, 0, 0, 0);

    /// <summary>The head of the table.</summary>
    public static string Head => "| plugin | rules kept | malloc calls in 1 s | heap | latency | ns per 32 frames |\n|---|---|---|---|---|---|";

    /// <summary>A row of it.</summary>
    public static string Row(Lv2Surveyed s) => s.Refused is { } why
        ? $"| `{s.Id}` | refused: {Cell(why)} | | | | |"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"| `{s.Id}` | {s.Rules - s.Broken.Count} of {s.Rules}{(s.Broken.Count > 0 ? ", not: " + string.Join("; ", s.Broken.Select(b => Cell(b.Rule))) : "")} | {(s.Mallocs < 0 ? "not counted" : s.Mallocs)} | {s.Heap / 1024.0:0} KiB | {s.Latency} | {s.Nanoseconds:0} |");

    private static string Cell(string text) => Lv2Names.Line(text, 300).Replace("|", "\\|", StringComparison.Ordinal);
}
