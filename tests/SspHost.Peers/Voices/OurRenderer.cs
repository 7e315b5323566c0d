// Our own: `ssp render` of a patch with one module for each part of each voice, and every voice plugged into one output.
using System.Globalization;
using System.Text.Json;

namespace SspHost.Peers.Voices;

internal sealed class OurRenderer(int threads = 1, int block = VoicePatch.Block, string? libraries = null) : IRenderer
{
    public Peer Peer { get; } = new("ssp render", "");

    public string Unlike(VoiceKind kind) => "";

    public bool Alike(VoiceKind kind) => true;

    public string[] Command(Places places, VoiceKind kind, int voices, int seconds)
    {
        var file = Path.Combine(places.Work, $"{VoicePatch.Id(kind)}-{voices}.json");
        Write(file, w => Voices(w, kind, voices), w => Cables(w, kind, voices));
        return Render(places, file, seconds);
    }

    /// <summary>The command that renders a patch as many seconds long.</summary>
    public string[] Render(Places places, string patch, int seconds) =>
    [
        places.Ssp, "render", patch, "--out", places.Sound("ours"), "--seconds", Number(seconds), "--rate", Number(VoicePatch.Rate), "--quantum", Number(block),
        "--threads", Number(threads), "--format", "float", "--region-mib", "64", .. libraries != null ? new[] { "--module-dir", libraries } : [],
    ];

    /// <summary>Writes a patch: its modules and its cables.</summary>
    public static void Write(string file, Action<Utf8JsonWriter> modules, Action<Utf8JsonWriter> cables)
    {
        using var stream = File.Create(file);
        using var w = new Utf8JsonWriter(stream);
        w.WriteStartObject();
        w.WriteNumber("format", 1);
        w.WriteString("id", "peers");
        w.WriteString("name", "Peers");
        w.WriteStartArray("modules");
        modules(w);
        w.WriteEndArray();
        w.WriteStartArray("cables");
        cables(w);
        w.WriteEndArray();
        w.WriteEndObject();
    }

    public static void Module(Utf8JsonWriter w, string id, string type, params (string Name, double Value)[] parameters)
    {
        w.WriteStartObject();
        w.WriteString("id", id);
        w.WriteString("type", type);
        w.WriteNumber("version", 1);
        w.WriteNumber("x", 0);
        w.WriteNumber("y", 0);
        w.WriteStartObject("params");
        foreach (var (name, value) in parameters) w.WriteNumber(name, value);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    public static void Cable(Utf8JsonWriter w, string from, string to)
    {
        w.WriteStartObject();
        w.WriteString("from", from);
        w.WriteString("to", to);
        w.WriteEndObject();
    }

    /// <summary>The module that filters such a voice; null: none.</summary>
    public static string? Filter(VoiceKind kind) => kind switch
    {
        VoiceKind.SawLowPass => "svf",
        VoiceKind.SawLadder => "ladder",
        _ => null,
    };

    /// <summary>Its output.</summary>
    public static string FilterOut(VoiceKind kind) => kind == VoiceKind.SawLowPass ? "low" : "out";

    private static void Voices(Utf8JsonWriter w, VoiceKind kind, int voices)
    {
        for (var v = 0; v < voices; v++)
        {
            Module(w, $"vco{v}", "vco", ("pitch", VoicePatch.Volts(v)));
            if (Filter(kind) is { } filter) Module(w, $"filter{v}", filter, ("cutoff", VoicePatch.Cutoff));
        }

        Module(w, "out", "audio-out", ("level", 1.0 / voices));
    }

    private static void Cables(Utf8JsonWriter w, VoiceKind kind, int voices)
    {
        for (var v = 0; v < voices; v++)
        {
            if (kind == VoiceKind.Sine)
            {
                Cable(w, $"vco{v}.sine", "out.in1");
                continue;
            }

            Cable(w, $"vco{v}.saw", $"filter{v}.in");
            Cable(w, $"filter{v}.{FilterOut(kind)}", "out.in1");
        }
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
