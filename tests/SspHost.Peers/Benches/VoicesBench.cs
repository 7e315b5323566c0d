// Voices offline: ns of CPU time a voice and frame takes, by the difference of a short and a long run.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Timing;
using SspHost.Peers.Voices;

namespace SspHost.Peers.Benches;

internal sealed class VoicesBench(Places places) : Bench(places)
{
    private const int Voices = 64;

    private readonly IRenderer[] _others = [new SuperColliderRenderer("scsynth"), new SuperColliderRenderer("supernova"), new CsoundRenderer(), new PdRenderer()];
    private readonly OurRenderer _single = new();
    private readonly PolyphonicRenderer _polyphonic = new();

    public override string Name => "voices";

    public override string Title => "The same patch offline";

    public override string Text =>
        $"{Voices} voices summed into one channel, 48 kHz, blocks of {VoicePatch.Block} frames, rendered by one thread into a file (Csound and Pd: nowhere). ns of CPU time of the whole program "
        + "(ours: `ssp` and its engine together) a voice and frame: the difference of two lengths, so that no start is counted. Ours twice: sixteen voices "
        + "to a cable, as they are patched, and each of modules of its own.";

    public override IReadOnlyList<Peer> Peers => [.. _others.Select(o => o.Peer)];

    public override void Round(Tally tally)
    {
        foreach (var kind in Enum.GetValues<VoiceKind>())
        {
            var (polyphonic, single) = (Measure(_polyphonic, kind, tally.Quick), Measure(_single, kind, tally.Quick));
            foreach (var other in _others)
            {
                tally.Try(other.Peer, () =>
                {
                    var theirs = Measure(other, kind, tally.Quick);
                    tally.Add(Comparison(kind, "", "", _polyphonic, other), polyphonic, theirs);
                    tally.Add(Comparison(kind, ".single", ", modules of its own a voice", _single, other), single, theirs);
                });
            }
        }
    }

    private double Measure(IRenderer renderer, VoiceKind kind, bool quick)
    {
        var (few, many) = Seconds(kind, quick);
        var brief = Timed.Run(Places, renderer.Command(Places, kind, Voices, few));
        var whole = Timed.Run(Places, renderer.Command(Places, kind, Voices, many));
        return (whole.Cpu - brief.Cpu) * 1e9 / ((many - few) * (double)VoicePatch.Rate * Voices);
    }

    // The difference is to be several times what a start takes: about a second of CPU time.
    private static (int Few, int Many) Seconds(VoiceKind kind, bool quick) => kind switch
    {
        VoiceKind.Sine => quick ? (1, 21) : (2, 62),
        VoiceKind.SawLowPass => quick ? (1, 11) : (2, 32),
        _ => quick ? (1, 4) : (2, 12),
    };

    private Comparison Comparison(VoiceKind kind, string suffix, string form, IRenderer ours, IRenderer other) => new(
        $"voices.{VoicePatch.Id(kind)}.{other.Peer.Name}{suffix}", VoicePatch.Words(kind) + form, other.Peer.Name, "ns", other.Alike(kind) ? 1 : null,
        BenchBetter.Less, Line(other, kind), Line(ours, kind), other.Unlike(kind));

    private string Line(IRenderer renderer, VoiceKind kind) => Shell.Line(Places, renderer.Command(Places, kind, Voices, Seconds(kind, false).Many));
}
