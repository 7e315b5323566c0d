// Csound without a sound card: an instrument a voice.
using System.Globalization;
using System.Text;

namespace SspHost.Peers.Voices;

internal sealed class CsoundRenderer : IRenderer
{
    public Peer Peer { get; } = new("csound", "csound", "csound");

    public string Unlike(VoiceKind kind) => kind switch
    {
        VoiceKind.Sine => "oscili reads a table; Debian's Csound calculates in 64 bits",
        VoiceKind.SawLowPass => "vco2 reads band-limited tables; zdf_2pole is linear; 64 bits",
        _ => "vco2 reads band-limited tables; moogladder saturates without oversampling; 64 bits",
    };

    public bool Alike(VoiceKind kind) => true;

    public string[] Command(Places places, VoiceKind kind, int voices, int seconds)
    {
        var file = Path.Combine(places.Work, $"{VoicePatch.Id(kind)}-{voices}-{seconds}.csd");
        File.WriteAllText(file, Text(kind, voices, seconds));
        return ["csound", "-d", "-m0", "--nosound", file];
    }

    /// <summary>Orchestra and score.</summary>
    public static string Text(VoiceKind kind, int voices, int seconds)
    {
        var text = new StringBuilder();
        text.AppendLine("<CsoundSynthesizer>").AppendLine("<CsInstruments>");
        text.AppendLine(CultureInfo.InvariantCulture, $"sr = {VoicePatch.Rate}").AppendLine(CultureInfo.InvariantCulture, $"ksmps = {VoicePatch.Block}");
        text.AppendLine("nchnls = 1").AppendLine("0dbfs = 1").AppendLine("instr 1");
        text.AppendLine(kind == VoiceKind.Sine ? "a1 oscili 1, p4" : "a1 vco2 1, p4");
        if (kind == VoiceKind.SawLowPass) text.AppendLine(CultureInfo.InvariantCulture, $"a1 zdf_2pole a1, {VoicePatch.Cutoff}, 1, 0");
        if (kind == VoiceKind.SawLadder) text.AppendLine(CultureInfo.InvariantCulture, $"a1 moogladder a1, {VoicePatch.Cutoff}, 0.4");
        text.AppendLine(CultureInfo.InvariantCulture, $"out a1 * {1.0 / voices:R}").AppendLine("endin").AppendLine("</CsInstruments>").AppendLine("<CsScore>");
        for (var v = 0; v < voices; v++) text.AppendLine(CultureInfo.InvariantCulture, $"i 1 0 {seconds} {VoicePatch.Frequency(v):0.####}");
        return text.AppendLine("</CsScore>").AppendLine("</CsoundSynthesizer>").ToString();
    }
}
