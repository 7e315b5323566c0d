// The command line, and the run: one benchmark after the other, each in so many rounds, each into a file of its own.
using System.Globalization;
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Benches;
using SspHost.Peers.Report;

namespace SspHost.Peers;

internal static class PeersProgram
{
    private const int UsualRounds = 7, MostRounds = 1000;

    private const string Usage = """
        usage: SspHost.Peers [--rounds N] [--quick] [--only NAME[,NAME...]]    measure, then write BENCHMARKS.md
               SspHost.Peers --report                                          only write it, of the files in artifacts/peers/results

          --rounds N   rounds of each benchmark, 1 to 1000 (default 7); ratios come from within a round
          --quick      shorter work in each: shows that all of it runs, its figures mean nothing
          --only       some of them: 
        """;

    /// <summary>0; 1 where one could not be measured at all; 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var (rounds, quick, report, only) = (UsualRounds, false, false, Array.Empty<string>());
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : "";
            switch (args[i])
            {
                case "--quick": quick = true; break;
                case "--report": report = true; break;
                case "--rounds" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out rounds) && rounds is >= 1 and <= MostRounds: i++; break;
                case "--only" when value.Length > 0: (only, i) = (value.Split(','), i + 1); break;
                default: return Refuse($"cannot use '{args[i]} {value}'");
            }
        }

        try
        {
            var places = Places.Find();
            var benches = All(places);
            if (Array.Find(only, o => !benches.Exists(b => b.Name == o)) is { } unknown) return Refuse($"there is no benchmark '{unknown}'");
            var whole = true;
            if (!report) foreach (var bench in benches.Where(b => only.Length == 0 || only.Contains(b.Name))) whole &= Runner.Run(places, bench, rounds, quick);
            whole &= Write(places, benches);
            return whole ? 0 : 1;
        }
        catch (Exception e) when (e is PeerException or IOException or InvalidDataException)
        {
            Console.Error.WriteLine($"peers: {e.Message}");
            return 1;
        }

        static int Refuse(string why)
        {
            Console.Error.WriteLine($"peers: {why}");
            Console.Error.WriteLine(Usage + string.Join(", ", All(new Places("")).Select(b => b.Name)));
            return 2;
        }
    }

    private static List<Bench> All(Places places) =>
    [
        new VoicesBench(places), new NodesBench(places), new RealTimeBench(places), new JackChainBench(places), new ParallelBench(places), new WideBench(places), new WakeBench(places),
        new MemoryBench(places), new TraceBench(places), new FaustBench(places),
    ];

    // A file that cannot be read is named; the report is made of the others.
    private static bool Write(Places places, List<Bench> benches)
    {
        var (files, whole) = (new List<BenchFile>(), true);
        foreach (var path in benches.Select(b => Path.Combine(places.Results, b.Name + ".json")).Where(File.Exists))
        {
            try
            {
                files.Add(BenchFile.Read(path));
            }
            catch (InvalidDataException e)
            {
                Console.Error.WriteLine($"peers: left out: {e.Message}");
                whole = false;
            }
        }

        var target = Path.Combine(places.Root, "BENCHMARKS.md");
        File.WriteAllText(target, Markdown.Of(files));
        Console.WriteLine($"wrote {target} of {files.Count} files");
        return whole;
    }
}
