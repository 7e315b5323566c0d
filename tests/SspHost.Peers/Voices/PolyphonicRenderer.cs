// Our own as a player would patch so many voices: sixteen of them on one cable, from pitches to the sum.
using System.Text.Json;

namespace SspHost.Peers.Voices;

internal sealed class PolyphonicRenderer : IRenderer
{
    private const int Channels = 16;

    public Peer Peer { get; } = new("ssp render", "");

    public string Unlike(VoiceKind kind) => "";

    public bool Alike(VoiceKind kind) => true;

    public string[] Command(Places places, VoiceKind kind, int voices, int seconds)
    {
        if (voices % Channels != 0) throw new ArgumentOutOfRangeException(nameof(voices), voices, "expected whole cables of sixteen");
        var file = Path.Combine(places.Work, $"{VoicePatch.Id(kind)}-{voices}-polyphonic.json");
        OurRenderer.Write(file, w => Modules(w, kind, voices), w => Cables(w, kind, voices));
        return new OurRenderer(libraries: places.Built("modules")).Render(places, file, seconds);
    }

    private static void Modules(Utf8JsonWriter w, VoiceKind kind, int voices)
    {
        for (var v = 0; v < voices; v += Channels)
        {
            OurRenderer.Module(w, $"pitches{v}", "peer-pitches", ("first", VoicePatch.Volts(v)));
            OurRenderer.Module(w, $"vco{v}", "vco");
            if (OurRenderer.Filter(kind) is { } filter) OurRenderer.Module(w, $"filter{v}", filter, ("cutoff", VoicePatch.Cutoff));
            OurRenderer.Module(w, $"sum{v}", "panner", ("spread", 0));
        }

        OurRenderer.Module(w, "out", "audio-out", ("level", 1.0 / voices));
    }

    private static void Cables(Utf8JsonWriter w, VoiceKind kind, int voices)
    {
        for (var v = 0; v < voices; v += Channels)
        {
            OurRenderer.Cable(w, $"pitches{v}.out", $"vco{v}.pitch");
            OurRenderer.Cable(w, $"sum{v}.left", "out.in1");
            if (OurRenderer.Filter(kind) == null)
            {
                OurRenderer.Cable(w, $"vco{v}.sine", $"sum{v}.in");
                continue;
            }

            OurRenderer.Cable(w, $"vco{v}.saw", $"filter{v}.in");
            OurRenderer.Cable(w, $"filter{v}.{OurRenderer.FilterOut(kind)}", $"sum{v}.in");
        }
    }
}
