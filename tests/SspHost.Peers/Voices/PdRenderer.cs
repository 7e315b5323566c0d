// Pure Data without a sound card and without a window: an oscillator and a filter object a voice.
using System.Globalization;
using System.Text;

namespace SspHost.Peers.Voices;

internal sealed class PdRenderer : IRenderer
{
    public Peer Peer { get; } = new("pd", "puredata-core", "pd");

    public string Unlike(VoiceKind kind) => kind switch
    {
        VoiceKind.Sine => "osc~ reads a table",
        VoiceKind.SawLowPass => "phasor~ is not band-limited at all; vcf~ is linear, its cutoff a signal",
        _ => "phasor~ is not band-limited at all; bob~ saturates and is solved in double precision by Runge-Kutta, twice a frame",
    };

    public bool Alike(VoiceKind kind) => kind != VoiceKind.SawLowPass;

    public string[] Command(Places places, VoiceKind kind, int voices, int seconds)
    {
        var file = Path.Combine(places.Work, $"{VoicePatch.Id(kind)}-{voices}-{seconds}.pd");
        File.WriteAllText(file, Text(kind, voices, seconds));
        return ["pd", "-batch", "-nogui", "-noprefs", "-noaudio", "-nomidi", "-r", VoicePatch.Rate.ToString(CultureInfo.InvariantCulture), file];
    }

    /// <summary>A canvas: objects are numbered as they come, cables join numbers.</summary>
    public static string Text(VoiceKind kind, int voices, int seconds)
    {
        var (objects, cables) = (new List<string>(), new List<string>());
        int Add(string box)
        {
            objects.Add(box);
            return objects.Count - 1;
        }

        void Join(int from, int outlet, int to, int inlet) => cables.Add($"#X connect {from} {outlet} {to} {inlet};");
        var start = Add("#X obj 10 10 loadbang;");
        var on = Add("#X msg 10 30 \\; pd dsp 1;");
        var wait = Add(string.Create(CultureInfo.InvariantCulture, $"#X obj 10 50 delay {seconds * 1000};"));
        var quit = Add("#X msg 10 70 \\; pd quit;");
        var level = Add(string.Create(CultureInfo.InvariantCulture, $"#X obj 10 90 *~ {1.0 / voices:0.######};"));
        var dac = Add("#X obj 10 110 dac~ 1;");
        Join(start, 0, on, 0);
        Join(start, 0, wait, 0);
        Join(wait, 0, quit, 0);
        Join(level, 0, dac, 0);
        var cutoff = kind == VoiceKind.SawLowPass ? Add(string.Create(CultureInfo.InvariantCulture, $"#X obj 10 130 sig~ {VoicePatch.Cutoff};")) : -1;
        for (var v = 0; v < voices; v++)
        {
            var source = Add(string.Create(CultureInfo.InvariantCulture, $"#X obj 200 {10 + v} {(kind == VoiceKind.Sine ? "osc~" : "phasor~")} {VoicePatch.Frequency(v):0.####};"));
            var end = source;
            if (kind != VoiceKind.Sine)
            {
                end = Add(string.Create(CultureInfo.InvariantCulture, $"#X obj 400 {10 + v} {(kind == VoiceKind.SawLowPass ? "vcf~ 1" : "bob~")};"));
                Join(source, 0, end, 0);
            }

            if (kind == VoiceKind.SawLowPass) Join(cutoff, 0, end, 1);
            if (kind == VoiceKind.SawLadder)
            {
                // bob~'s numbers come by messages: cutoff, then resonance.
                foreach (var (value, inlet) in new[] { (VoicePatch.Cutoff, 1), (1.5f, 2) })
                {
                    var message = Add(string.Create(CultureInfo.InvariantCulture, $"#X msg 600 {10 + v} {value};"));
                    Join(start, 0, message, 0);
                    Join(message, 0, end, inlet);
                }
            }

            Join(end, 0, level, 0);
        }

        var text = new StringBuilder("#N canvas 0 0 800 600 10;\n");
        foreach (var line in objects.Concat(cables)) text.Append(line).Append('\n');
        return text.ToString();
    }
}
