// Runs one benchmark: who is there, round after round, what came of it.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Timing;

namespace SspHost.Peers;

internal static class Runner
{
    /// <summary>Writes the benchmark's file of results; false where ours could not be measured.</summary>
    public static bool Run(Places places, Bench bench, int rounds, bool quick)
    {
        _ = Directory.CreateDirectory(places.Work);
        _ = Directory.CreateDirectory(places.Results);
        Console.WriteLine($"== {bench.Name}: {bench.Title}");
        var tally = new Tally(quick);
        foreach (var peer in bench.Peers)
            if (peer.Missing() is { } missing) tally.LeaveOut(peer.Name, missing);
        var whole = true;
        // What is measured is the executable, which may be of another build than this program.
        var machine = BenchMachine.Read() with { Ssp = Tool.Run(TimeSpan.FromSeconds(20), [places.Ssp, "--version"]).Out.Trim() };
        try
        {
            bench.Begin(tally);
            for (var round = 0; round < rounds; round++) bench.Round(tally);
        }
        catch (Exception e) when (e is PeerException or IOException or InvalidDataException)
        {
            // Without ours nothing can be compared; what the rounds before gave stays.
            tally.Say("stopped", e.Message);
            Console.WriteLine($"   stopped: {e.Message}");
            whole = false;
        }
        finally
        {
            bench.End();
            places.Clear();
        }

        foreach (var (peer, why) in tally.Out) Console.WriteLine($"   {peer}: {why}");
        var file = tally.File(bench, machine, rounds, Versions.Of([.. bench.Peers.Select(p => p.Package), .. bench.Libraries]));
        foreach (var ratio in file.Figures.Where(f => f.Name.EndsWith(".ratio", StringComparison.Ordinal)))
        {
            var s = Spread.Of(ratio.Values);
            Console.WriteLine(FormattableString.Invariant($"   {ratio.Name,-44}{s.Median,8:0.000}  ({s.Low:0.000} to {s.High:0.000})"));
        }

        file.Write(Path.Combine(places.Results, bench.Name + ".json"));
        return whole;
    }
}
