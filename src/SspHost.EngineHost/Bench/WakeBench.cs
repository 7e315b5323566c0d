// `ssp-engine bench wake`: how late a thread of the audio thread's kind wakes, which is cyclictest's measure taken by our own means.
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.EngineHost.Bench;

/// <summary>
/// Sleeps until absolute times, one quantum apart, by the call that paces the simulated card, and notes how much later the thread runs: with the
/// audio thread's priority, pinned to a core as it is; in turns with it, where rt-tests is installed, cyclictest itself on that core; and with
/// ordinary priority for comparison.
/// </summary>
internal static class WakeBench
{
    private const int Usual = 10, MostSeconds = 3600, IntervalUs = 667, MostTurns = 10;
    private const double RatioTarget = 1.2;
    private static readonly double[] Limits = [10, 20, 50, 100, 200, 500, 1000];

    private sealed record Row(string Kind, GraphFigure Late, long[] Above);

    /// <summary>Runs the benchmark; the process's exit code: 0, or 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var (json, seconds) = (false, Usual);
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--json") json = true;
            else if (args[i] == "--seconds" && i + 1 < args.Length && Benches.Number(args[i + 1], 1, MostSeconds, out seconds)) i++;
            else
            {
                Console.Error.WriteLine($"bench wake: cannot use '{args[i]}'");
                Console.Error.WriteLine($"usage: ssp-engine bench wake [--seconds 1..{MostSeconds}] [--json]");
                return 2;
            }
        }

        using var awake = CpuLatency.Hold();
        var cycles = (int)(seconds * 1_000_000L / IntervalUs);
        var turns = Math.Clamp(seconds, 1, MostTurns);
        var (fifo, ordinary, theirs) = (new List<double>(cycles), new double[cycles], new List<double>(cycles));
        string? missing = null;
        var realTime = false;
        for (var turn = 0; turn < turns; turn++)
        {
            // Whoever is first in a turn is second in the next: what the machine does meanwhile falls on both.
            for (var side = 0; side < 2; side++)
            {
                if ((turn + side) % 2 == 0)
                {
                    var late = new double[cycles / turns];
                    realTime = GraphBenchRig.On(0, 1, () => Measure(late));
                    fifo.AddRange(late);
                }
                else if (missing == null)
                {
                    missing = CyclicTest.Measure(BenchCores.At(0), IntervalUs, cycles / turns, theirs);
                }
            }
        }

        var plain = new Thread(() => Measure(ordinary));
        plain.Start();
        plain.Join();
        List<Row> rows = [Figure(realTime ? "FIFO 80" : "FIFO 80 refused, ordinary priority", [.. fifo])];
        if (missing == null) rows.Add(Figure("cyclictest", [.. theirs]));
        rows.Add(Figure("ordinary priority", ordinary));
        // cyclictest's histogram has whole microseconds, cut off; ours are cut off for the comparison too.
        double? ratio = missing == null ? GraphFigure.Of([.. fifo.Select(Math.Floor)]).P999 / Math.Max(rows[1].Late.P999, 1) : null;
        AddFigures(rows, ratio, missing, realTime);
        if (json) WriteJson(rows, seconds, ratio, missing);
        else WriteTable(rows, ratio, missing);
        return 0;
    }

    private static void Measure(double[] late)
    {
        var clock = default(MonotonicClock);
        Array.Clear(late); // the pages are there before the first sleep
        var due = Linux.Now() + 10_000_000;
        for (var i = 0; i < late.Length; i++)
        {
            clock.SleepUntil(due);
            var now = Linux.Now();
            late[i] = (now - due) / 1e3;
            // What was slept through is not measured again and again: as the card does, it goes on with the next time that is to come.
            do due += IntervalUs * 1000UL;
            while (due < now);
        }
    }

    private static Row Figure(string kind, double[] late)
    {
        var above = Array.ConvertAll(Limits, limit => (long)late.Count(l => l > limit));
        return new Row(kind, GraphFigure.Of(late), above);
    }

    private static void AddFigures(List<Row> rows, double? ratio, string? missing, bool realTime)
    {
        var note = realTime ? "" : "SCHED_FIFO was refused: ordinary priority";
        BenchFigures.Add("wake.fifo", "us", rows[0].Late, note);
        if (missing == null) BenchFigures.Add("wake.cyclictest", "us", rows[1].Late, "whole microseconds");
        BenchFigures.Add("wake.fifo-over-cyclictest.p99.9", "1", BenchFigures.Less, ratio, RatioTarget, missing ?? note);
        BenchFigures.Add("wake.ordinary", "us", rows[^1].Late);
    }

    private static void WriteTable(List<Row> rows, double? ratio, string? missing)
    {
        Console.WriteLine($"wake-up, us late, every {IntervalUs} us                p50       p99     p99.9       max   later than {string.Join(", ", Limits)} us");
        foreach (var r in rows)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{r.Kind,-36}{r.Late.P50,10:F1}{r.Late.P99,10:F1}{r.Late.P999,10:F1}{r.Late.Max,10:F1}   {string.Join(", ", r.Above)}"));
        }

        Console.WriteLine(ratio is { } q
            ? string.Create(CultureInfo.InvariantCulture, $"FIFO 80 over cyclictest, in turns, p99.9: {q:F2} (to reach: at most {RatioTarget})")
            : $"cyclictest: {missing}");
    }

    private static void WriteJson(List<Row> rows, int seconds, double? ratio, string? missing)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "wake");
            w.WriteNumber("seconds", seconds);
            w.WriteNumber("interval_us", IntervalUs);
            if (ratio is { } q) w.WriteNumber("fifo_over_cyclictest_p999", Math.Round(q, 4));
            else w.WriteString("cyclictest_missing", missing);
            w.WriteStartArray("late_us");
            foreach (var r in rows)
            {
                w.WriteStartObject();
                w.WriteString("thread", r.Kind);
                w.WriteNumber("p50", Math.Round(r.Late.P50, 2));
                w.WriteNumber("p99", Math.Round(r.Late.P99, 2));
                w.WriteNumber("p999", Math.Round(r.Late.P999, 2));
                w.WriteNumber("max", Math.Round(r.Late.Max, 2));
                w.WriteStartObject("later_than_us");
                for (var i = 0; i < Limits.Length; i++) w.WriteNumber(Limits[i].ToString(CultureInfo.InvariantCulture), r.Above[i]);
                w.WriteEndObject();
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }
}
