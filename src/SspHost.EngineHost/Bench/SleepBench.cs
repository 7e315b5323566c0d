// `ssp-engine bench sleep`: what a patch costs in which every module sleeps.
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>Whole quanta of 200 sleeping modules, 32 frames at 48 kHz, on one thread and on two, against a hundredth of the time they have.</summary>
internal static class SleepBench
{
    private const int Modules = 200, Doze = 3, Quanta = 20_000;
    private const double QuantumNs = GraphBenchRig.Quantum * 1e9 / GraphBenchRig.Rate;

    private sealed record Row(string Shape, int Threads, bool ModuleTimes, bool RealTime, GraphFigure Quantum)
    {
        public double Percent => Quantum.P50 / QuantumNs * 100;
    }

    /// <summary>Runs the benchmark; the process's exit code: 0, or 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var json = args is ["--json"];
        if (!json && args.Length > 0)
        {
            Console.Error.WriteLine($"bench sleep: cannot use '{args[0]}'");
            Console.Error.WriteLine("usage: ssp-engine bench sleep [--json]");
            return 2;
        }

        CycleClock.Calibrate(50_000_000);
        var rows = new List<Row>();
        (string Name, GraphBenchPlan Plan)[] shapes =
        [
            ("chain", GraphBenchPlan.Chain(Modules, Doze)), ("wide", GraphBenchPlan.Wide(Modules, Doze)), ("random", GraphBenchPlan.Random(Modules, 1, Doze)),
        ];
        foreach (var (name, plan) in shapes)
        {
            for (var threads = 1; threads <= Math.Min(2, GraphBenchRig.Cores); threads++)
            {
                foreach (var times in new[] { false, true }) rows.Add(Measure(name, plan, threads, times));
            }
        }

        foreach (var r in rows)
        {
            var name = $"sleep.{r.Shape}.{r.Threads}{(r.ModuleTimes ? ".timed" : "")}";
            BenchFigures.Add(name, "ns", r.Quantum, r.RealTime ? "" : "ordinary priority");
            BenchFigures.Add(name + ".core.p50", "%", BenchFigures.Less, r.Percent, target: 1);
        }

        if (json) WriteJson(rows);
        else WriteTable(rows);
        return 0;
    }

    private static Row Measure(string shape, GraphBenchPlan plan, int threads, bool times)
    {
        using var rig = new GraphBenchRig();
        rig.Start(plan, threads);
        rig.Renderer.Diagnostics = times ? DiagnosticFlags.ModuleTimes : DiagnosticFlags.None;
        var samples = new double[Quanta];
        var realTime = GraphBenchRig.On(0, threads, () =>
        {
            for (var q = -Quanta / 5; q < Quanta; q++)
            {
                var start = CycleClock.Now();
                rig.Step();
                var ns = CycleClock.ToNanoseconds(CycleClock.Now() - start);
                if (q >= 0) samples[q] = ns;
            }
        });
        return new Row(shape, threads, times, realTime, GraphFigure.Of(samples));
    }

    private static void WriteTable(List<Row> rows)
    {
        Console.WriteLine($"a quantum of {Modules} sleeping modules, ns                          p50       p99     p99.9       max   of a core (to reach: at most 1 %)");
        foreach (var r in rows)
        {
            var label = $"{r.Shape}, {r.Threads} thread{(r.Threads > 1 ? "s" : "")}{(r.ModuleTimes ? ", module times" : "")}{(r.RealTime ? "" : ", ordinary priority")}";
            var f = r.Quantum;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{label,-52}{f.P50,10:F0}{f.P99,10:F0}{f.P999,10:F0}{f.Max,10:F0}   {r.Percent:F2} %"));
        }
    }

    private static void WriteJson(List<Row> rows)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "sleep");
            w.WriteNumber("modules", Modules);
            w.WriteNumber("quantum_ns", Math.Round(QuantumNs));
            w.WriteStartArray("sleeping_quantum_ns");
            foreach (var r in rows)
            {
                w.WriteStartObject();
                w.WriteString("shape", r.Shape);
                w.WriteNumber("threads", r.Threads);
                w.WriteBoolean("module_times", r.ModuleTimes);
                w.WriteBoolean("fifo", r.RealTime);
                w.WriteNumber("p50", r.Quantum.P50);
                w.WriteNumber("p99", r.Quantum.P99);
                w.WriteNumber("max", r.Quantum.Max);
                w.WriteNumber("percent_of_a_core", Math.Round(r.Percent, 3));
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }
}
