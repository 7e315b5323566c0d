// SuperCollider's servers without a sound card: a synth a voice.
using SspHost.Peers.SuperCollider;

namespace SspHost.Peers.Voices;

/// <summary>"scsynth" or "supernova", which then has so many threads.</summary>
internal sealed class SuperColliderRenderer(string server, int threads = 1, bool parallel = false) : IRenderer
{
    private const short Multiply = 2; // number of the operator

    public Peer Peer { get; } = new(server, server == "supernova" ? "supercollider-supernova" : "supercollider-server", server);

    public string Unlike(VoiceKind kind) => kind switch
    {
        VoiceKind.Sine => "SinOsc reads a table",
        VoiceKind.SawLowPass => "Saw leaves stronger aliases (see faust); RLPF is linear and has one output",
        _ => "Saw leaves stronger aliases; MoogFF is linear: it neither saturates nor oversamples, ours does both",
    };

    public bool Alike(VoiceKind kind) => kind != VoiceKind.SawLadder;

    public string[] Command(Places places, VoiceKind kind, int voices, int seconds)
    {
        var score = Path.Combine(places.Work, $"{server}-{VoicePatch.Id(kind)}-{voices}{(parallel ? "-parallel" : "")}-{seconds}.osc");
        Score.Write(score, Voice(kind, voices), "voice", voices, seconds, VoicePatch.Frequency, parallel);
        return Play(places, score, VoicePatch.Block);
    }

    /// <summary>The command that plays a score.</summary>
    public string[] Play(Places places, string score, int block) =>
        [.. Score.Arguments(server, score, places.Sound(server), block), .. server == "supernova" ? new[] { "-T", threads.ToString(System.Globalization.CultureInfo.InvariantCulture) } : []];

    /// <summary>One voice as a definition with the parameter "freq".</summary>
    public static SynthDef Voice(VoiceKind kind, int voices)
    {
        var def = new SynthDef("voice");
        var frequency = def.Parameter("freq", 440);
        var sound = kind switch
        {
            VoiceKind.Sine => def.Add("SinOsc", Rate.Audio, 0, frequency, 0f),
            VoiceKind.SawLowPass => def.Add("RLPF", Rate.Audio, 0, def.Add("Saw", Rate.Audio, 0, frequency), VoicePatch.Cutoff, 1f),
            _ => def.Add("MoogFF", Rate.Audio, 0, def.Add("Saw", Rate.Audio, 0, frequency), VoicePatch.Cutoff, 1.5f, 0f),
        };
        def.End("Out", Rate.Audio, 0f, def.Add("BinaryOpUGen", Rate.Audio, Multiply, sound, 1f / voices));
        return def;
    }
}
