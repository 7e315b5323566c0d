// From the words of LV2's RDF to ours: ids, families, units, lines and pages.
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace SspHost.Lv2;

internal static partial class Lv2Names
{
    /// <summary>How the ids of all plugins begin.</summary>
    public const string Prefix = "lv2-";

    private const int MostId = 48;
    private const string Core = "http://lv2plug.in/ns/lv2core#", Units = "http://lv2plug.in/ns/extensions/units#";

    // Parts of URIs that say nothing of the plugin.
    private static readonly string[] Empty = ["plugins", "plugin", "lv2", "oss", "ns", "urn", "www", "uri", "com", "org", "net", "http", "https"];

    /// <summary>
    /// An id for each URI, from its last two telling parts. Where two would have the same, both carry a hash of theirs, so that an id does not
    /// depend on the order in which plugins are found.
    /// </summary>
    public static IReadOnlyDictionary<string, string> Ids(IReadOnlyList<string> uris)
    {
        var ids = uris.Distinct(StringComparer.Ordinal).ToDictionary(u => u, Id, StringComparer.Ordinal);
        foreach (var same in ids.GroupBy(p => p.Value, StringComparer.Ordinal).Where(g => g.Count() > 1).ToArray())
            foreach (var (uri, id) in same) ids[uri] = id + "-" + Hash(uri);
        return ids;
    }

    /// <summary>A port's symbol as one of our ids that is not among <paramref name="taken"/>.</summary>
    public static string Unique(string symbol, IReadOnlyCollection<string> taken)
    {
        var id = NotInId().Replace(symbol.ToLowerInvariant(), "_");
        if (id.Length == 0) id = "port";
        if (id.Length > MostId) id = id[..MostId];
        var unique = id;
        for (var n = 2; taken.Contains(unique); n++) unique = string.Create(CultureInfo.InvariantCulture, $"{id}_{n}");
        return unique;
    }

    /// <summary>The family of a plugin class.</summary>
    public static string Family(string type) => (type.StartsWith(Core, StringComparison.Ordinal) ? type[Core.Length..] : "") switch
    {
        "GeneratorPlugin" or "OscillatorPlugin" or "InstrumentPlugin" => "Sources",
        "FilterPlugin" or "EQPlugin" or "ParaEQPlugin" or "MultiEQPlugin" or "LowpassPlugin" or "HighpassPlugin" or "BandpassPlugin" or "AllpassPlugin" or "CombPlugin" => "Filters",
        "DynamicsPlugin" or "CompressorPlugin" or "LimiterPlugin" or "ExpanderPlugin" or "GatePlugin" or "AmplifierPlugin" or "DistortionPlugin" or "WaveshaperPlugin" => "Dynamics",
        "DelayPlugin" or "ReverbPlugin" or "ChorusPlugin" or "FlangerPlugin" or "PhaserPlugin" or "SpatialPlugin" or "SpectralPlugin" or "PitchPlugin" or "SimulatorPlugin" => "Space",
        "ModulatorPlugin" or "EnvelopePlugin" or "FunctionPlugin" or "ConstantPlugin" => "Modulation",
        _ => "Utility",
    };

    /// <summary>A unit of the units extension; null: it is none of those.</summary>
    public static string? Unit(string? uri) => uri == null ? "" : !uri.StartsWith(Units, StringComparison.Ordinal) ? null : uri[Units.Length..] switch
    {
        "hz" => "Hz", "khz" => "kHz", "mhz" => "MHz", "s" => "s", "ms" => "ms", "min" => "min", "db" => "dB", "pc" => "%", "cent" => "ct", "semitone12TET" => "st",
        "oct" => "oct", "bpm" => "BPM", "beat" => "beats", "bar" => "bars", "degree" => "°", "m" => "m", "cm" => "cm", "mm" => "mm", "km" => "km", "frame" => "frames",
        _ => "",
    };

    /// <summary>One line without control characters, at most so long.</summary>
    public static string Line(string text, int most)
    {
        var line = Blanks().Replace(Clean(text), " ").Trim();
        return line.Length <= most ? line : line[..(most - 1)].TrimEnd() + "…";
    }

    /// <summary>Paragraphs separated by one empty line; markup is taken out.</summary>
    public static string Page(string text)
    {
        var plain = WebUtility.HtmlDecode(Markup().Replace(text, " "));
        return string.Join("\n\n", Paragraphs().Split(plain).Select(p => Blanks().Replace(Clean(p), " ").Trim()).Where(p => p.Length > 0));
    }

    private static string Clean(string text) => new([.. text.Where(c => !char.IsControl(c) || char.IsWhiteSpace(c))]);

    private static string Id(string uri)
    {
        var parts = new List<string>();
        var scheme = uri.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? uri : uri[(scheme + 3)..];
        if (scheme >= 0)
        {
            var slash = rest.IndexOf('/', StringComparison.Ordinal);
            var host = slash < 0 ? rest : rest[..slash];
            parts.Add(host.Split('.').FirstOrDefault(label => label is not ("www" or "")) ?? "");
            rest = slash < 0 ? "" : rest[slash..];
        }

        parts.AddRange(rest.Split(['/', '#', ':', '?', '='], StringSplitOptions.RemoveEmptyEntries));
        var told = parts.Select(p => NotInSlug().Replace(p.ToLowerInvariant(), "-").Trim('-')).Where(p => p.Length > 0 && !Empty.Contains(p, StringComparer.Ordinal)).ToArray();
        var slug = string.Join('-', told.TakeLast(2));
        if (slug.Length is 0 or > MostId) slug = (slug.Length == 0 ? "plugin" : slug[..(MostId - 8)].TrimEnd('-')) + "-" + Hash(uri);
        return Prefix + slug;
    }

    // FNV-1a, 24 bits of it: among the few that are alike.
    private static string Hash(string uri)
    {
        var hash = 2_166_136_261u;
        foreach (var b in Encoding.UTF8.GetBytes(uri)) hash = (hash ^ b) * 16_777_619;
        return (hash & 0xFF_FFFF).ToString("x6", CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("[^a-z0-9_]+", RegexOptions.None, 1000)]
    private static partial Regex NotInId();

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.None, 1000)]
    private static partial Regex NotInSlug();

    [GeneratedRegex("\\s+", RegexOptions.None, 1000)]
    private static partial Regex Blanks();

    [GeneratedRegex("\\n[ \\t]*\\n", RegexOptions.None, 1000)]
    private static partial Regex Paragraphs();

    [GeneratedRegex("<[a-zA-Z/][^<>]*>", RegexOptions.None, 1000)]
    private static partial Regex Markup();
}
