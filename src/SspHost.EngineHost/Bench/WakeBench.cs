// `ssp-engine bench wake`: how late a thread of the audio thread's kind wakes, which is cyclictest's measure taken by our own means.
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Audio;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>
/// Sleeps until absolute times, one quantum apart, by the call that paces the simulated card, and notes how much later the thread runs. Two threads
/// one after the other: with the audio thread's priority, pinned to a core as it is, and with ordinary priority for comparison.
/// </summary>
internal static class WakeBench
{
    private const int Usual = 10, MostSeconds = 3600, IntervalUs = 667;
    private static readonly double[] Limits = [10, 20, 50, 100, 200, 500, 1000];

    private sealed record Row(string Kind, GraphFigure Late, long[] Above);

    /// <summary>Runs the benchmark; the process's exit code: 0, or 2 for arguments it does not understand.</summary>
    public static int Run(string[] args)
    {
        var (json, seconds) = (false, Usual);
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--json") json = true;
            else if (args[i] == "--seconds" && i + 1 < args.Length && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out seconds)
                && seconds is >= 1 and <= MostSeconds) i++;
            else
            {
                Console.Error.WriteLine($"bench wake: cannot use '{args[i]}'");
                Console.Error.WriteLine($"usage: ssp-engine bench wake [--seconds 1..{MostSeconds}] [--json]");
                return 2;
            }
        }

        using var awake = CpuLatency.Hold();
        List<Row> rows = [];
        var late = new double[(int)(seconds * 1_000_000L / IntervalUs)];
        var realTime = GraphBenchRig.On(0, 1, () => Measure(late));
        rows.Add(Figure(realTime ? "FIFO 80" : "FIFO 80 refused, ordinary priority", late));
        var ordinary = new Thread(() => Measure(late));
        ordinary.Start();
        ordinary.Join();
        rows.Add(Figure("ordinary priority", late));
        if (json) WriteJson(rows, seconds);
        else WriteTable(rows);
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

    private static void WriteTable(List<Row> rows)
    {
        Console.WriteLine($"wake-up, us late, every {IntervalUs} us                p50       p99     p99.9       max   later than {string.Join(", ", Limits)} us");
        foreach (var r in rows)
        {
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{r.Kind,-36}{r.Late.P50,10:F1}{r.Late.P99,10:F1}{r.Late.P999,10:F1}{r.Late.Max,10:F1}   {string.Join(", ", r.Above)}"));
        }
    }

    private static void WriteJson(List<Row> rows, int seconds)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "wake");
            w.WriteNumber("seconds", seconds);
            w.WriteNumber("interval_us", IntervalUs);
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
