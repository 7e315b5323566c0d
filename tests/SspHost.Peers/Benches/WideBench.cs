// A wide patch on the cores beside as many independent programs: what `ssp-engine bench graph` measures.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Benches;

internal sealed class WideBench(Places places) : Bench(places)
{
    public override string Name => "wide";

    public override string Title => "A wide patch on the cores, beside independent programs";

    public override string Text =>
        "Quanta a second of one patch on N threads over those of N independent processes of the same patch, each alone on one of the same cores at the same time, by turns: 1 would be N cores without any loss.";

    public override IReadOnlyList<Peer> Peers => [];

    public override void Round(Tally tally)
    {
        string[] command = [Places.Engine, "bench", "graph", "--json", "--quanta", tally.Quick ? "300" : "2000"];
        var found = EngineFigures.Wide(Tool.Run(TimeSpan.FromMinutes(5), command).Out);
        if (found.Count == 0) throw new PeerException("one core: two threads need a second one");
        foreach (var (patch, part) in found)
        {
            tally.Add(
                new Comparison($"wide.{string.Join('-', patch.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))}", patch, "independent processes", "x", 0.9, BenchBetter.More, Shell.Line(Places, command), Shell.Line(Places, command), ""),
                part, 1);
        }
    }
}
