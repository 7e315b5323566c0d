// What `ssp-engine bench graph` says: as a table, and as an object.
using System.Globalization;
using System.Text.Json;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

internal static class GraphBenchText
{
    public static void WriteTable(GraphReport report)
    {
        Console.WriteLine($"{GraphBenchRig.Cores} cores; quantum {GraphBenchRig.Quantum} frames; clock resolution {CycleClock.Resolution:F2} ns");
        Console.WriteLine();
        Console.WriteLine("overhead an empty module (time of a quantum / modules), ns        p50       p99     p99.9       max");
        foreach (var o in report.Overheads)
        {
            var label = $"{o.Shape}, {o.Modules} modules, {Threads(o.Threads)}{(o.ModuleTimes ? ", module times" : "")}";
            Console.WriteLine(label.PadRight(52) + Row(o.PerModule) + "   " + GraphBench.How(o.Threads, o.RealTime));
        }

        Console.WriteLine();
        Console.WriteLine("working modules, us a quantum                        measured     ideal     ratio   (ideal: the longer of work / threads with a core, and the longest path)");
        foreach (var f in report.Ideals)
        {
            var label = $"{f.Shape}, {f.Modules} modules, path of {f.Depth}, {Threads(f.Threads)}";
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{label,-52}{f.QuantumNs / 1000,9:F1}{f.IdealNs / 1000,10:F1}{f.Ratio,10:F3}   {GraphBench.How(f.Threads, f.RealTime)}"));
        }

        Console.WriteLine();
        if (report.Join is not { } join)
        {
            Console.WriteLine("one core: wake and join, and threads beside processes, need a second one");
            return;
        }

        Console.WriteLine("wake and join, ns                                   " + Row(join.WakeAndJoin));
        Console.WriteLine("bare futex ping-pong, ns                            " + Row(join.PingPong));
        Console.WriteLine(FormattableString.Invariant($"ratio of medians: {join.Ratio:F2} (to reach: at most {GraphBench.JoinTarget}){(join.RealTime ? "" : "; ordinary priority")}"));
        Console.WriteLine();
        foreach (var w in report.Wide)
        {
            Console.WriteLine(FormattableString.Invariant(
                $"{w.Patch}: {w.Threads} threads reach {w.Median:F3} ({w.Low:F3} to {w.High:F3}) of {w.Threads} independent processes; quantum {w.QuantumNs / 1000:F1} us (to reach: {GraphBench.WideTarget}); {GraphBench.How(w.Threads, w.RealTime)}"));
        }
    }

    public static void WriteJson(GraphReport report)
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
            foreach (var o in report.Overheads)
            {
                Open(w, "shape", o.Shape, o.Threads, o.RealTime);
                w.WriteNumber("modules", o.Modules);
                w.WriteBoolean("module_times", o.ModuleTimes);
                Write(w, o.PerModule);
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteStartArray("over_ideal");
            foreach (var f in report.Ideals)
            {
                Open(w, "shape", f.Shape, f.Threads, f.RealTime);
                w.WriteNumber("modules", f.Modules);
                w.WriteNumber("longest_path", f.Depth);
                w.WriteNumber("quantum_ns", Math.Round(f.QuantumNs));
                w.WriteNumber("ideal_ns", Math.Round(f.IdealNs));
                w.WriteNumber("ratio", Math.Round(f.Ratio, 4));
                w.WriteEndObject();
            }

            w.WriteEndArray();
            if (report.Join is { } join) WriteJoin(w, join, report.Wide);
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }

    private static void WriteJoin(Utf8JsonWriter w, (GraphFigure WakeAndJoin, GraphFigure PingPong, double Ratio, bool RealTime) join, IReadOnlyList<GraphProcessFigure> wide)
    {
        w.WriteStartObject("wake_and_join_ns");
        Write(w, join.WakeAndJoin);
        w.WriteEndObject();
        w.WriteStartObject("futex_ping_pong_ns");
        Write(w, join.PingPong);
        w.WriteEndObject();
        w.WriteNumber("wake_and_join_ratio", Math.Round(join.Ratio, 3));
        w.WriteStartArray("threads_over_processes");
        foreach (var f in wide)
        {
            Open(w, "patch", f.Patch, f.Threads, f.RealTime);
            w.WriteNumber("median", Math.Round(f.Median, 4));
            w.WriteNumber("low", Math.Round(f.Low, 4));
            w.WriteNumber("high", Math.Round(f.High, 4));
            w.WriteNumber("quantum_ns", Math.Round(f.QuantumNs));
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }

    private static string Threads(int threads) => $"{threads} thread{(threads > 1 ? "s" : "")}";

    private static string Number(double v) => v.ToString(v < 1000 ? "F1" : "F0", CultureInfo.InvariantCulture).PadLeft(10);

    private static string Row(GraphFigure f) => Number(f.P50) + Number(f.P99) + Number(f.P999) + Number(f.Max);

    private static void Open(Utf8JsonWriter w, string key, string name, int threads, bool realTime)
    {
        w.WriteStartObject();
        w.WriteString(key, name);
        w.WriteNumber("threads", threads);
        w.WriteBoolean("fifo", realTime);
    }

    private static void Write(Utf8JsonWriter w, GraphFigure f)
    {
        w.WriteNumber("p50", Math.Round(f.P50, 2));
        w.WriteNumber("p99", Math.Round(f.P99, 2));
        w.WriteNumber("p99_9", Math.Round(f.P999, 2));
        w.WriteNumber("max", Math.Round(f.Max, 2));
    }
}
