// `ssp-engine bench graph`: what the engine costs around modules, how far it is from the ideal, and what a second thread is worth.
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>Everything that was measured.</summary>
internal sealed record GraphReport(
    IReadOnlyList<GraphOverhead> Overheads, IReadOnlyList<GraphIdealFigure> Ideals, (GraphFigure WakeAndJoin, GraphFigure PingPong, double Ratio, bool RealTime)? Join,
    IReadOnlyList<GraphProcessFigure> Wide);

/// <summary>Quantum of 32 frames at 48 kHz. Threads are pinned and at SCHED_FIFO where there is the privilege and a core for each.</summary>
internal static class GraphBench
{
    /// <summary>What is wanted of wake and join over bare futexes, and of threads over processes.</summary>
    public const double JoinTarget = 1.2, WideTarget = 0.9;

    private const int Burn = 1, MostThreads = 4, UsualQuanta = 20_000, UsualTurns = 15, Joins = 4000;
    private const int UsualSeconds = 30; // what the usual numbers take on a fast machine; --seconds scales them
    private const string Usage = """
        usage: ssp-engine bench graph [--json] [--quanta N | --seconds N]

          --json       one JSON object on standard output
          --quanta N   quanta of each overhead figure, 100 to 1000000 (default 20000)
          --seconds N  about so long in all, 1 to 3600 (default 30)
        """;

    /// <summary>Runs the benchmark; returns the process's exit code: 0, or 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var json = false;
        var (quanta, seconds) = (0, UsualSeconds);
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--json": json = true; continue;
                case "--quanta" when Benches.Number(value, 100, 1_000_000, out quanta): break;
                case "--seconds" when Benches.Number(value, 1, 3600, out seconds): break;
                case "--alone" when Benches.Number(value, 0, GraphProcesses.Count - 1, out var patch): return GraphProcesses.Child(patch);
                default:
                    Console.Error.WriteLine($"bench graph: cannot use '{args[i]}'");
                    Console.Error.WriteLine(Usage);
                    return 2;
            }

            i++;
        }

        if (quanta == 0) quanta = (int)Math.Clamp((long)UsualQuanta * seconds / UsualSeconds, 100, 1_000_000);
        var report = Measure(quanta, Math.Clamp(UsualTurns * seconds / UsualSeconds, 3, 1001) | 1, Math.Clamp(Joins * seconds / UsualSeconds, 50, 100_000));
        AddFigures(report);
        if (json) GraphBenchText.WriteJson(report);
        else GraphBenchText.WriteTable(report);
        return 0;
    }

    private static GraphReport Measure(int quanta, int turns, int joins)
    {
        CycleClock.Calibrate(50_000_000);
        var overheads = new List<GraphOverhead>();
        var ideals = new List<GraphIdealFigure>();
        foreach (var (shape, make) in GraphBenchRun.Shapes)
        {
            for (var threads = 1; threads <= MostThreads; threads++)
            {
                foreach (var times in new[] { false, true }) overheads.Add(GraphBenchRun.Overhead(shape, make(0), threads, times, quanta));
                ideals.Add(GraphIdeal.Measure(shape, make(Burn), threads));
            }
        }

        var wide = new List<GraphProcessFigure>();
        for (var threads = 2; threads <= Math.Min(MostThreads, GraphBenchRig.Cores); threads++)
            for (var patch = 0; patch < GraphProcesses.Count; patch++) wide.Add(GraphProcesses.Measure(patch, threads, turns));
        return new GraphReport(overheads, ideals, GraphBenchRig.Cores > 1 ? GraphBenchRun.WakeAndJoin(joins) : null, wide);
    }

    /// <summary>How a row's threads ran.</summary>
    public static string How(int threads, bool realTime) => threads > GraphBenchRig.Cores ? "more threads than cores" : realTime ? "FIFO" : "ordinary priority";

    private static void AddFigures(GraphReport report)
    {
        static string Note(int threads, bool realTime) => How(threads, realTime) is var how && how != "FIFO" ? how : "";
        foreach (var o in report.Overheads)
            BenchFigures.Add(FormattableString.Invariant($"graph.overhead.{o.Shape}.{o.Threads}{(o.ModuleTimes ? ".timed" : "")}"), "ns", o.PerModule, Note(o.Threads, o.RealTime));
        foreach (var f in report.Ideals)
            BenchFigures.Add(FormattableString.Invariant($"graph.over-ideal.{f.Shape}.{f.Threads}.p50"), "1", BenchFigures.Less, f.Ratio, note: Note(f.Threads, f.RealTime));
        if (report.Join is { } join)
        {
            BenchFigures.Add("graph.wake-and-join", "ns", join.WakeAndJoin, Note(2, join.RealTime));
            BenchFigures.Add("graph.wake-and-join.over-futex.p50", "1", BenchFigures.Less, join.Ratio, target: JoinTarget, note: Note(2, join.RealTime));
        }

        foreach (var w in report.Wide)
        {
            BenchFigures.Add(
                FormattableString.Invariant($"graph.threads-over-processes.{BenchFigures.Slug(w.Patch)}.{w.Threads}.p50"), "1", BenchFigures.More, w.Median, target: WideTarget, note: Note(w.Threads, w.RealTime));
        }
    }
}
