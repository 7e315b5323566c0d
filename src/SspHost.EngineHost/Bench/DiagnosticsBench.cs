// `ssp-engine bench diagnostics`: what looking costs, against what it may cost.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>
/// The audio thread's wake-ups of one quantum of 32 frames at 48 kHz, with diagnostics added one by one, in turns within one run. A busy machine adds
/// to every figure and never takes away: the verdict is about the least of the rounds' medians.
/// </summary>
internal static unsafe class DiagnosticsBench
{
    private const string Usage = """
        usage: ssp-engine bench diagnostics [--json] [--rounds N]

          --json       one JSON object on standard output
          --rounds N   rounds of each figure, 5 to 10000 (default 100)
        """;

    private const double QuantumNs = GraphBenchRig.Quantum * 1e9 / GraphBenchRig.Rate;
    private const double OwnTarget = 0.01 * QuantumNs, ModuleTarget = 25;
    private const int Block = 250, Warm = 30; // quanta: a block's events fit into the ring
    private const int AlwaysOn = 3; // histograms that have no switch: quantum, load, wake-up

    private static readonly int[] Sizes = [0, 8, 64];

    private static readonly (string Name, DiagnosticFlags Flags)[] Steps =
    [
        ("off", DiagnosticFlags.None),
        ("module times", DiagnosticFlags.ModuleTimes),
        ("+ histograms", DiagnosticFlags.ModuleTimes | DiagnosticFlags.Histograms),
        ("+ trace", DiagnosticFlags.ModuleTimes | DiagnosticFlags.Histograms | DiagnosticFlags.Trace),
        ("+ trace of modules", DiagnosticFlags.Usual),
    ];

    /// <summary>Ns of a wake-up with so many modules: least and median of the rounds' medians, 99 % of all; events a wake-up.</summary>
    private sealed record Row(int Modules, string Step, double Least, double Median, double P99, double Events);

    /// <summary>Ns of one of each.</summary>
    private sealed record Parts(double Clock, double Usage, double Anchor, double Record, double Event);

    private sealed record Verdict(double Own, double PerModule, double PerModuleOfFew)
    {
        public bool Met => Own <= OwnTarget && PerModule <= ModuleTarget;
    }

    /// <summary>Runs the benchmark; the process's exit code: 0, 1 where a target is missed, 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var json = false;
        var rounds = 100;
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--json")
            {
                json = true;
                continue;
            }

            if (args[i] == "--rounds" && i + 1 < args.Length && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out rounds) && rounds is >= 5 and <= 10_000)
            {
                i++;
                continue;
            }

            Console.Error.WriteLine($"bench diagnostics: cannot use '{args[i]}'");
            Console.Error.WriteLine(Usage);
            return 2;
        }

        CycleClock.Calibrate(50_000_000);
        var rows = new List<Row>();
        Parts parts = null!;
        var realTime = GraphBenchRig.On(0, 1, () =>
        {
            parts = Measure();
            foreach (var size in Sizes) rows.AddRange(Measure(size, rounds));
        });
        var verdict = Judge(rows, parts);
        foreach (var r in rows) BenchFigures.Add(FormattableString.Invariant($"diagnostics.{r.Modules}.{BenchFigures.Slug(r.Step)}.least"), "ns", BenchFigures.Less, r.Least, note: realTime ? "" : "ordinary priority");
        foreach (var (name, ns) in new[] { ("clock", parts.Clock), ("histogram", parts.Record), ("event", parts.Event), ("getrusage", parts.Usage), ("anchor", parts.Anchor) })
            BenchFigures.Add($"diagnostics.one.{name}.least", "ns", BenchFigures.Less, ns);
        BenchFigures.Add("diagnostics.own.least", "ns", BenchFigures.Less, verdict.Own, target: OwnTarget);
        BenchFigures.Add("diagnostics.module.least", "ns", BenchFigures.Less, verdict.PerModule, target: ModuleTarget);
        if (json) WriteJson(rows, parts, verdict, realTime);
        else WriteTable(rows, parts, verdict, realTime);
        return verdict.Met ? 0 : 1;
    }

    private static Verdict Judge(List<Row> rows, Parts parts)
    {
        double OnTop(int modules) => rows.Last(r => r.Modules == modules).Least - rows.First(r => r.Modules == modules).Least;
        var none = OnTop(Sizes[0]);
        double Each(int modules) => (OnTop(modules) - none) / modules;
        return new Verdict(none + parts.Usage + (AlwaysOn * parts.Record), Each(Sizes[^1]), Each(Sizes[1]));
    }

    private static Row[] Measure(int modules, int rounds)
    {
        using var rig = new DiagnosticsBenchRig(modules);
        var samples = Steps.Select(_ => new double[rounds * Block]).ToArray();
        var medians = Steps.Select(_ => new double[rounds]).ToArray();
        var events = new long[Steps.Length];
        for (var round = 0; round < rounds; round++)
        {
            for (var k = 0; k < Steps.Length; k++)
            {
                var step = (k + round) % Steps.Length; // none is always after the same one
                rig.Flags = Steps[step].Flags;
                for (var q = 0; q < Warm; q++) rig.Step();
                _ = rig.Drain();
                var block = samples[step].AsSpan(round * Block, Block);
                for (var q = 0; q < Block; q++)
                {
                    var start = CycleClock.Now();
                    rig.Step();
                    block[q] = CycleClock.ToNanoseconds(CycleClock.Now() - start);
                }

                var (taken, dropped) = rig.Drain();
                if (dropped > 0) throw new InvalidOperationException("bench: the trace overflowed, so not everything was measured");
                events[step] += taken;
                var sorted = block.ToArray();
                Array.Sort(sorted);
                medians[step][round] = sorted[Block / 2];
            }
        }

        return [.. Steps.Select((s, i) =>
        {
            Array.Sort(samples[i]);
            Array.Sort(medians[i]);
            return new Row(modules, s.Name, medians[i][0], medians[i][rounds / 2], samples[i][(int)(samples[i].Length * 0.99)], (double)events[i] / (rounds * Block));
        })];
    }

    private delegate void Once();

    // Least of many batches: what it takes where nothing came between.
    private static double Each(Once once)
    {
        const int Batches = 200, Times = 100;
        var least = double.MaxValue;
        for (var b = 0; b < Batches; b++)
        {
            var start = CycleClock.Now();
            for (var i = 0; i < Times; i++) once();
            least = Math.Min(least, (double)CycleClock.ToNanoseconds(CycleClock.Now() - start) / Times);
        }

        return least;
    }

    private static Parts Measure()
    {
        var flags = (uint)DiagnosticFlags.Trace;
        var ring = (RingHeader*)NativeMemory.AlignedAlloc((nuint)SpscRing<TraceEvent>.BytesFor(1024), 64);
        var view = SpscRing<TraceEvent>.Create(ring, 1024);
        var histogram = (Histogram*)NativeMemory.AllocZeroed((nuint)sizeof(Histogram));
        var tape = (Tape*)NativeMemory.AllocZeroed((nuint)sizeof(Tape));
        tape->Follow(&flags);
        tape->Open(ring, 0);
        var at = 0UL;
        var empty = Each(() => at++);
        var parts = new Parts(
            Each(() => at += CycleClock.Now()) - empty,
            Each(() => at += ThreadCounters.Read().Faults) - empty,
            Each(() => at += CycleClock.Anchor().Ticks) - empty,
            Each(() => histogram->Record(at++ & 0xFFF)) - empty,
            Each(() =>
            {
                tape->Write(TraceKind.Module, at++, at, 0, 0);
                ring->Head = ring->Tail; // a reader that keeps up
            }) - empty);
        _ = view.Count;
        NativeMemory.AlignedFree(ring);
        NativeMemory.Free(histogram);
        NativeMemory.Free(tape);
        return parts;
    }

    private static double EventsPerSecond(Row r) => r.Events * 1e9 / QuantumNs;

    private static void WriteTable(List<Row> rows, Parts parts, Verdict verdict, bool realTime)
    {
        Console.WriteLine(FormattableString.Invariant($"a wake-up of one quantum of {GraphBenchRig.Quantum} frames ({QuantumNs / 1000:F2} us), one thread, {(realTime ? "FIFO" : "ordinary priority")}; clock resolution {CycleClock.Resolution:F2} ns"));
        Console.WriteLine();
        Console.WriteLine($"{"ns",-24}{"least",10}{"median",10}{"p99",10}{"on top",10}{"a module",10}   events/s");
        foreach (var r in rows)
        {
            var first = rows.First(o => o.Modules == r.Modules);
            var bare = rows.First(o => o.Modules == 0 && o.Step == r.Step).Least - rows[0].Least;
            var each = r.Modules == 0 ? "" : ((r.Least - first.Least - bare) / r.Modules).ToString("F1", CultureInfo.InvariantCulture);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{r.Modules,3} {r.Step,-20}{r.Least,10:F0}{r.Median,10:F0}{r.P99,10:F0}{r.Least - first.Least,10:F0}{each,10}{EventsPerSecond(r),11:F0}"));
        }

        var most = EventsPerSecond(rows[^1]);
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"one of each, ns: clock {parts.Clock:F1}, histogram {parts.Record:F1}, event {parts.Event:F1}, getrusage {parts.Usage:F0} (one a wake-up), anchor {parts.Anchor:F0} (ten a second, not on an RT thread)"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a ring of {TraceLimits.RingEvents} events lasts {TraceLimits.RingEvents / most:F2} s at {most:F0} events a second"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"the engine's own, getrusage and the histograms that are always on included: {verdict.Own:F0} ns a quantum, {verdict.Own / QuantumNs * 100:F2} % (to reach: {OwnTarget:F0} ns, 1 %)"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"on top of that a module: {verdict.PerModule:F1} ns of {Sizes[^1]}, {verdict.PerModuleOfFew:F1} ns of {Sizes[1]} (to reach: {ModuleTarget:F0} ns of {Sizes[^1]}): {(verdict.Met ? "reached" : "NOT reached")}"));
    }

    private static void WriteJson(List<Row> rows, Parts parts, Verdict verdict, bool realTime)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "diagnostics");
            w.WriteNumber("quantum_ns", Math.Round(QuantumNs));
            w.WriteNumber("clock_resolution_ns", Math.Round(CycleClock.Resolution, 3));
            w.WriteBoolean("fifo", realTime);
            w.WriteStartArray("wake_up_ns");
            foreach (var r in rows)
            {
                w.WriteStartObject();
                w.WriteNumber("modules", r.Modules);
                w.WriteString("diagnostics", r.Step);
                w.WriteNumber("least", r.Least);
                w.WriteNumber("median", r.Median);
                w.WriteNumber("p99", r.P99);
                w.WriteNumber("on_top", r.Least - rows.First(o => o.Modules == r.Modules).Least);
                w.WriteNumber("events_per_second", Math.Round(EventsPerSecond(r)));
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteStartObject("one_of_each_ns");
            w.WriteNumber("clock", Math.Round(parts.Clock, 2));
            w.WriteNumber("histogram", Math.Round(parts.Record, 2));
            w.WriteNumber("event", Math.Round(parts.Event, 2));
            w.WriteNumber("getrusage", Math.Round(parts.Usage, 1));
            w.WriteNumber("anchor", Math.Round(parts.Anchor, 1));
            w.WriteEndObject();
            w.WriteNumber("ring_seconds", Math.Round(TraceLimits.RingEvents / EventsPerSecond(rows[^1]), 3));
            w.WriteNumber("own_ns", Math.Round(verdict.Own));
            w.WriteNumber("own_target_ns", Math.Round(OwnTarget));
            w.WriteNumber("module_ns", Math.Round(verdict.PerModule, 2));
            w.WriteNumber("module_target_ns", ModuleTarget);
            w.WriteBoolean("met", verdict.Met);
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }
}
