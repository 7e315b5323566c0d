// What a program costs around its units: many nodes in a row, each of which copies its input to its output.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.SuperCollider;
using SspHost.Peers.Timing;
using SspHost.Peers.Voices;

namespace SspHost.Peers.Benches;

internal sealed class NodesBench(Places places) : Bench(places)
{
    public const int Block = 32;
    private const int Few = 100, Many = 900;
    private readonly SuperColliderRenderer[] _servers = [new("scsynth"), new("supernova")];

    public override string Name => "nodes";

    public override string Title => "Scheduling overhead a node, offline";

    public override string Text =>
        $"A row of {Few} and of {Many} nodes that each copy {Block} frames, offline and on one thread: ns of CPU time of the whole program a node and block, by the differences of two lengths "
        + "and of both numbers, so that neither start nor files are counted. Ours is a module in C (tests/Peers/pass.c) with one cable to the next, SuperCollider's a synth of In and ReplaceOut.";

    public override IReadOnlyList<Peer> Peers => [.. _servers.Select(s => s.Peer)];

    public override void Round(Tally tally)
    {
        var ours = Ours(Places, tally.Quick);
        foreach (var server in _servers)
        {
            tally.Try(server.Peer, () => tally.Add(
                new Comparison($"nodes.{server.Peer.Name}", "a node that passes its input", server.Peer.Name, "ns", 1, BenchBetter.Less,
                    Shell.Line(Places, Theirs(server, Many, 10)), Shell.Line(Places, OurCommand(Places, Many, 10)),
                    "our engine checks each output for NaN and excess once a block, and can switch off, bypass and time a module; a synth reads and writes a bus"),
                ours,
                PerNode(tally.Quick, (nodes, seconds) => Theirs(server, nodes, seconds))));
        }
    }

    /// <summary>Our ns a module and block.</summary>
    public static double Ours(Places places, bool quick) => PerNode(places, quick, (nodes, seconds) => OurCommand(places, nodes, seconds));

    /// <summary>The command that gives it.</summary>
    public static string[] OurCommand(Places places, int nodes, int seconds)
    {
        var file = Path.Combine(places.Work, $"pass-{nodes}.json");
        OurRenderer.Write(
            file,
            w =>
            {
                for (var i = 0; i < nodes; i++) OurRenderer.Module(w, $"pass{i}", "peer-pass");
                OurRenderer.Module(w, "out", "audio-out");
            },
            w =>
            {
                for (var i = 0; i < nodes; i++)
                    OurRenderer.Cable(w, $"pass{i}.out", i + 1 < nodes ? $"pass{i + 1}.in" : "out.in1");
            });
        return new OurRenderer(threads: 1, Block, places.Built("modules")).Render(places, file, seconds);
    }

    private string[] Theirs(SuperColliderRenderer server, int nodes, int seconds)
    {
        var def = new SynthDef("pass");
        def.End("ReplaceOut", Rate.Audio, 0f, def.Add("In", Rate.Audio, 0, 0f));
        var score = Path.Combine(Places.Work, $"{server.Peer.Name}-pass-{nodes}-{seconds}.osc");
        Score.Write(score, def, "pass", nodes, seconds, _ => 440, parallel: false);
        return server.Play(Places, score, Block);
    }

    private double PerNode(bool quick, Func<int, int, string[]> command) => PerNode(Places, quick, command);

    private static double PerNode(Places places, bool quick, Func<int, int, string[]> command)
    {
        var (brief, whole) = quick ? (1, 5) : (2, 22);
        double Longer(int nodes) => Timed.Run(places, command(nodes, whole)).Cpu - Timed.Run(places, command(nodes, brief)).Cpu;
        return Slope.Of([(Few, Longer(Few)), (Many, Longer(Many))]) * 1e9 * Block / ((whole - brief) * (double)VoicePatch.Rate);
    }
}
