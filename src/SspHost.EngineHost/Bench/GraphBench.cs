// `ssp-engine bench graph`: what the engine costs around modules, and what a second thread is worth.
using System.Globalization;
using System.Text.Json;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>Quantum of 32 frames at 48 kHz. Threads are pinned and at SCHED_FIFO where there is the privilege and a core for each.</summary>
internal static class GraphBench
{
    private const string Usage = """
        usage: ssp-engine bench graph [--json] [--quanta N]

          --json       one JSON object on standard output
          --quanta N   quanta of each overhead figure, 100 to 1000000 (default 20000)
        """;

    /// <summary>Runs the benchmark; returns the process's exit code: 0, or 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var json = false;
        var quanta = 20_000;
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--json")
            {
                json = true;
                continue;
            }

            if (args[i] == "--quanta" && i + 1 < args.Length && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out quanta) && quanta is >= 100 and <= 1_000_000)
            {
                i++;
                continue;
            }

            Console.Error.WriteLine($"bench graph: cannot use '{args[i]}'");
            Console.Error.WriteLine(Usage);
            return 2;
        }

        CycleClock.Calibrate(50_000_000);
        var overheads = new List<GraphOverhead>();
        foreach (var (shape, make) in GraphBenchRun.Shapes)
        {
            for (var threads = 1; threads <= 4; threads++)
            {
                foreach (var times in new[] { false, true }) overheads.Add(GraphBenchRun.Overhead(shape, make(), threads, times, quanta));
            }
        }

        var enough = GraphBenchRig.Cores > 1;
        var join = enough ? GraphBenchRun.WakeAndJoin(4000) : default;
        var wide = enough ? Patches().Select(p => (p.Name, Result: GraphBenchRun.TwoThreads(p.Plan, 15))).ToList() : [];
        if (json) WriteJson(overheads, enough, join, wide);
        else WriteTable(overheads, enough, join, wide);
        return 0;
    }

    private static (string Name, GraphBenchPlan Plan)[] Patches() =>
    [
        ("16 voices of 6 modules", GraphBenchPlan.Voices(16, 6, 12)),
        ("8 voices of 8 heavy modules", GraphBenchPlan.Voices(8, 8, 60)),
        ("64 light modules side by side", GraphBenchPlan.Voices(64, 1, 8)),
    ];

    private static string Number(double v) => v.ToString(v < 1000 ? "F1" : "F0", CultureInfo.InvariantCulture).PadLeft(10);

    private static string Row(GraphFigure f) => Number(f.P50) + Number(f.P99) + Number(f.P999) + Number(f.Max);

    private static void WriteTable(
        List<GraphOverhead> overheads, bool enough, (GraphFigure WakeAndJoin, GraphFigure PingPong, double Ratio, bool RealTime) join,
        List<(string Name, (double Median, double Low, double High, double QuantumNs, bool RealTime) Result)> wide)
    {
        Console.WriteLine($"{GraphBenchRig.Cores} cores; quantum {GraphBenchRig.Quantum} frames; clock resolution {CycleClock.Resolution:F2} ns");
        Console.WriteLine();
        Console.WriteLine("overhead an empty module (time of a quantum / modules), ns        p50       p99     p99.9       max");
        foreach (var o in overheads)
        {
            var how = o.Threads > GraphBenchRig.Cores ? "more threads than cores" : o.RealTime ? "FIFO" : "ordinary priority";
            var label = $"{o.Shape}, {o.Modules} modules, {o.Threads} thread{(o.Threads > 1 ? "s" : "")}{(o.ModuleTimes ? ", module times" : "")}";
            Console.WriteLine(label.PadRight(52) + Row(o.PerModule) + "   " + how);
        }

        Console.WriteLine();
        if (!enough)
        {
            Console.WriteLine("one core: wake and join, and two threads beside two programs, need a second one");
            return;
        }

        Console.WriteLine("wake and join, ns                                   " + Row(join.WakeAndJoin));
        Console.WriteLine("bare futex ping-pong, ns                            " + Row(join.PingPong));
        Console.WriteLine(FormattableString.Invariant($"ratio of medians: {join.Ratio:F2} (to reach: at most 1.2){(join.RealTime ? "" : "; ordinary priority")}"));
        Console.WriteLine();
        foreach (var (name, r) in wide)
            Console.WriteLine(FormattableString.Invariant($"{name}: 2 threads reach {r.Median:F3} ({r.Low:F3} to {r.High:F3}) of two independent renderers; quantum {r.QuantumNs / 1000:F1} us (to reach: 0.9)"));
    }

    private static void WriteJson(
        List<GraphOverhead> overheads, bool enough, (GraphFigure WakeAndJoin, GraphFigure PingPong, double Ratio, bool RealTime) join,
        List<(string Name, (double Median, double Low, double High, double QuantumNs, bool RealTime) Result)> wide)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "graph");
            w.WriteNumber("cores", GraphBenchRig.Cores);
            w.WriteNumber("quantum", GraphBenchRig.Quantum);
            w.WriteNumber("clock_resolution_ns", Math.Round(CycleClock.Resolution, 2));
            w.WriteStartArray("overhead_per_empty_module_ns");
            foreach (var o in overheads)
            {
                w.WriteStartObject();
                w.WriteString("shape", o.Shape);
                w.WriteNumber("modules", o.Modules);
                w.WriteNumber("threads", o.Threads);
                w.WriteBoolean("module_times", o.ModuleTimes);
                w.WriteBoolean("fifo", o.RealTime);
                Write(w, o.PerModule);
                w.WriteEndObject();
            }

            w.WriteEndArray();
            if (enough)
            {
                w.WriteStartObject("wake_and_join_ns");
                Write(w, join.WakeAndJoin);
                w.WriteEndObject();
                w.WriteStartObject("futex_ping_pong_ns");
                Write(w, join.PingPong);
                w.WriteEndObject();
                w.WriteNumber("wake_and_join_ratio", Math.Round(join.Ratio, 3));
                w.WriteStartArray("two_threads_over_two_renderers");
                foreach (var (name, r) in wide)
                {
                    w.WriteStartObject();
                    w.WriteString("patch", name);
                    w.WriteNumber("median", Math.Round(r.Median, 4));
                    w.WriteNumber("low", Math.Round(r.Low, 4));
                    w.WriteNumber("high", Math.Round(r.High, 4));
                    w.WriteNumber("quantum_ns", Math.Round(r.QuantumNs));
                    w.WriteBoolean("fifo", r.RealTime);
                    w.WriteEndObject();
                }

                w.WriteEndArray();
            }

            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }

    private static void Write(Utf8JsonWriter w, GraphFigure f)
    {
        w.WriteNumber("p50", Math.Round(f.P50, 2));
        w.WriteNumber("p99", Math.Round(f.P99, 2));
        w.WriteNumber("p99_9", Math.Round(f.P999, 2));
        w.WriteNumber("max", Math.Round(f.Max, 2));
    }
}
