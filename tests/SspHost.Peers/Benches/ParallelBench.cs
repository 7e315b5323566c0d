// What a second thread is worth to a wide patch: ours beside supernova's parallel group, each against itself with one thread.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Timing;
using SspHost.Peers.Voices;

namespace SspHost.Peers.Benches;

internal sealed class ParallelBench(Places places) : Bench(places)
{
    private const int Voices = 128;
    private readonly Peer _supernova = new("supernova", "supercollider-supernova", "supernova");

    public override string Name => "parallel";

    public override string Title => "A wide patch on two threads";

    public override string Text =>
        $"{Voices} voices side by side, offline, blocks of {VoicePatch.Block} frames: wall time on one thread over wall time on two, each the difference of two lengths. The ratio is our gain over theirs: "
        + "more than 1 is better.";

    public override IReadOnlyList<Peer> Peers => [_supernova];

    public override void Round(Tally tally)
    {
        if (Environment.ProcessorCount < 2) throw new PeerException("one core: two threads need a second one");
        foreach (var kind in new[] { VoiceKind.SawLowPass, VoiceKind.SawLadder })
        {
            var ours = Gain(tally, kind, threads => new OurRenderer(threads));
            tally.Try(_supernova, () => tally.Add(
                new Comparison($"parallel.{VoicePatch.Id(kind)}", VoicePatch.Words(kind), "supernova, ParGroup", "x", 1, BenchBetter.More,
                    Command(new SuperColliderRenderer("supernova", 2, parallel: true), kind), Command(new OurRenderer(2), kind),
                    "each beside itself: a voice of ours that costs more has more to share. The threads of both that write the file run on the same cores"),
                ours, Gain(tally, kind, threads => new SuperColliderRenderer("supernova", threads, parallel: true))));
        }
    }

    private string Command(IRenderer renderer, VoiceKind kind) => Shell.Line(Places, renderer.Command(Places, kind, Voices, 12));

    private double Gain(Tally tally, VoiceKind kind, Func<int, IRenderer> with) => Wall(tally, kind, with(1)) / Wall(tally, kind, with(2));

    private double Wall(Tally tally, VoiceKind kind, IRenderer renderer)
    {
        var (brief, whole) = tally.Quick ? (1, 5) : (2, 12);
        var start = Timed.Run(Places, renderer.Command(Places, kind, Voices, brief)).Wall;
        return Timed.Run(Places, renderer.Command(Places, kind, Voices, whole)).Wall - start;
    }
}
