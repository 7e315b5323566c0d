// JACK's graph: what one more client in a row costs, beside what one more module costs us.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Benches;

internal sealed class JackChainBench(Places places) : Bench(places)
{
    private static readonly int[] Clients = [2, 4, 8];
    private readonly Peer _jack = new("jackd", "jackd2", "jackd", places.Built("jack-peer"));

    public override string Name => "jack";

    public override string Title => "A client of JACK, a module of ours";

    public override string Text =>
        $"A row of {string.Join(", ", Clients)} clients, each a process that copies {NodesBench.Block} frames, on jackd with its dummy driver: from the start of the first callback to the end of the last, "
        + "median of the cycles; the slope over the clients. Ours: the same row of modules, as above under nodes.";

    public override IReadOnlyList<Peer> Peers => [_jack];

    public override void Round(Tally tally)
    {
        var seconds = tally.Quick ? 1 : 5;
        var ours = NodesBench.Ours(Places, tally.Quick);
        tally.Try(_jack, () =>
        {
            using var jack = JackServer.Start(NodesBench.Block);
            string[] Command(int clients) => [Places.Built("jack-peer"), "chain", $"{clients}", $"{seconds}"];
            var points = Clients.Select(c => ((double)c, JackFigures.Get(JackFigures.Parse(Tool.Run(TimeSpan.FromMinutes(2), Command(c), JackServer.Environment).Out), "p50"))).ToList();
            tally.Add(
                new Comparison("jack.client", "one more in the row", "jackd", "ns", 0.2, BenchBetter.Less, JackServer.Command(NodesBench.Block) + " & " + Shell.Line(Places, Command(Clients[^1])),
                    Shell.Line(Places, NodesBench.OurCommand(Places, 900, 10)),
                    "JACK's clients are processes of their own: a crash of one leaves the others, and each costs a wake-up of another process. Our modules share one process; a module that crashes is held by other means. Theirs is wall time, ours CPU time of one thread"),
                ours, Slope.Of(points));
        });
    }
}
