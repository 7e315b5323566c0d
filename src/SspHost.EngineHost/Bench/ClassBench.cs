// `ssp-engine bench classes`: what slow cores are worth beside fast ones, in virtual time: the engine's own placement, the same plans placed blindly, and
// the fast cores alone.
using System.Text.Json;
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.EngineHost.Bench;

/// <summary>
/// Random graphs and voices whose modules keep the fast cores busy for 20 % to 160 % of a quantum. Each module's slow cores run at 0.35 to 0.5
/// of a fast core's speed. No figure but the time of placing depends on this machine.
/// </summary>
internal static class ClassBench
{
    private const int Plans = 400;

    private static readonly (string Name, byte[] Classes)[] Boards =
    [
        ("2 fast + 4 slow (RK3399)", [0, 0, 1, 1, 1, 1]),
        ("2 fast + 3 slow (one keeps house)", [0, 0, 1, 1, 1]),
        ("4 fast + 3 slow (RK3588)", [0, 0, 0, 0, 1, 1, 1]),
        ("1 fast + 3 slow", [0, 1, 1, 1]),
    ];

    /// <summary>Figures over the plans of one board: in time (of <see cref="Plans"/>), and the mean of the quantum that passes before the last node ends.</summary>
    private sealed record Figures(string Board, int Alone, int Blind, int Placed, int LostToAlone, int LostToBlind, double AloneMean, double BlindMean, double PlacedMean, double PlaceUs);

    /// <summary>Runs the benchmark; returns the process's exit code.</summary>
    public static int Run(string[] args)
    {
        if (args is not ([] or ["--json"]))
        {
            Console.Error.WriteLine($"bench classes: cannot use '{string.Join(' ', args)}'{Environment.NewLine}usage: ssp-engine bench classes [--json]");
            return 2;
        }

        CycleClock.Calibrate(50_000_000);
        var all = Array.ConvertAll(Boards, b => Measure(b.Name, b.Classes));
        foreach (var f in all)
        {
            var name = "classes." + BenchFigures.Slug(f.Board);
            BenchFigures.Add(name + ".in-time-placed", "plans", BenchFigures.More, f.Placed);
            BenchFigures.Add(name + ".in-time-blind", "plans", BenchFigures.Neither, f.Blind);
            BenchFigures.Add(name + ".in-time-fast-alone", "plans", BenchFigures.Neither, f.Alone);
            BenchFigures.Add(name + ".end.mean", "quanta", BenchFigures.Less, f.PlacedMean);
            BenchFigures.Add(name + ".placing.p50", "us", BenchFigures.Less, f.PlaceUs);
        }

        if (args.Length > 0) WriteJson(all);
        else WriteTable(all);
        return 0;
    }

    private static Figures Measure(string board, byte[] classes)
    {
        using var rig = new GraphBenchRig();
        var random = new Random(1);
        var quantum = (long)(GraphBenchRig.Quantum * 1e9 / GraphBenchRig.Rate);
        var fast = classes.Count(c => c == 0);
        int alone = 0, blind = 0, placed = 0, lostToAlone = 0, lostToBlind = 0;
        double aloneSum = 0, blindSum = 0, placedSum = 0;
        var placing = new double[Plans];
        for (var i = 0; i < Plans; i++)
        {
            var plan = i % 2 == 0 ? GraphBenchPlan.Random(random.Next(20, 200), random.Next()) : GraphBenchPlan.Voices(random.Next(2, 16), random.Next(2, 9), 1);
            plan.Costs = Costs(random, plan.Count, (0.2 + (1.4 * random.NextDouble())) * fast * quantum);
            rig.Set(plan, classes.Length, classes);
            var before = CycleClock.Now();
            _ = rig.Renderer.Configure(GraphBenchRig.Rate, GraphBenchRig.Quantum, classes.Length, classes); // places it again
            placing[i] = CycleClock.ToNanoseconds(CycleClock.Now() - before) / 1e3;
            var e = rig.Renderer.Rehearse();
            alone += e.Alone <= quantum ? 1 : 0;
            blind += e.Blind <= quantum ? 1 : 0;
            placed += e.Placed <= quantum ? 1 : 0;
            lostToAlone += e.Placed > quantum && e.Alone <= quantum ? 1 : 0;
            lostToBlind += e.Placed > quantum && e.Blind <= quantum ? 1 : 0;
            aloneSum += e.Alone / (double)quantum;
            blindSum += e.Blind / (double)quantum;
            placedSum += e.Placed / (double)quantum;
        }

        Array.Sort(placing);
        return new Figures(board, alone, blind, placed, lostToAlone, lostToBlind, aloneSum / Plans, blindSum / Plans, placedSum / Plans, placing[Plans / 2]);
    }

    private static float[] Costs(Random random, int count, double totalNs)
    {
        var costs = new float[count * Limits.MaxCoreClasses];
        var spread = random.Next(3) + 1;
        var sum = 0.0;
        for (var n = 0; n < count; n++) sum += costs[n * Limits.MaxCoreClasses] = MathF.Exp(spread * ((2 * random.NextSingle()) - 1));
        for (var n = 0; n < count; n++)
        {
            ref var cost = ref costs[n * Limits.MaxCoreClasses];
            cost *= (float)(totalNs / sum);
            costs[(n * Limits.MaxCoreClasses) + 1] = cost / (0.35f + (0.15f * random.NextSingle()));
        }

        return costs;
    }

    private static void WriteTable(Figures[] all)
    {
        Console.WriteLine($"{Plans} plans a board, costs known exactly, in virtual time; in time = ends within the quantum; mean end in quanta");
        Console.WriteLine($"{"",-36}{"in time: fast alone",20}{"blind",8}{"placed",8}{"mean: fast alone",20}{"blind",8}{"placed",8}{"placing, us",14}");
        foreach (var f in all)
        {
            Console.WriteLine(FormattableString.Invariant(
                $"{f.Board,-36}{f.Alone,20}{f.Blind,8}{f.Placed,8}{f.AloneMean,20:F3}{f.BlindMean,8:F3}{f.PlacedMean,8:F3}{f.PlaceUs,14:F0}"));
            if (f.LostToAlone + f.LostToBlind > 0) Console.WriteLine($"  too late only where placed: {f.LostToAlone} of those that fast cores alone render in time, {f.LostToBlind} of those placed blindly");
        }
    }

    private static void WriteJson(Figures[] all)
    {
        using var stream = Console.OpenStandardOutput();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("bench", "classes");
            w.WriteNumber("plans", Plans);
            w.WriteStartArray("boards");
            foreach (var f in all)
            {
                w.WriteStartObject();
                w.WriteString("board", f.Board);
                w.WriteNumber("in_time_fast_alone", f.Alone);
                w.WriteNumber("in_time_blind", f.Blind);
                w.WriteNumber("in_time_placed", f.Placed);
                w.WriteNumber("lost_to_fast_alone", f.LostToAlone);
                w.WriteNumber("lost_to_blind", f.LostToBlind);
                w.WriteNumber("mean_end_fast_alone", Math.Round(f.AloneMean, 4));
                w.WriteNumber("mean_end_blind", Math.Round(f.BlindMean, 4));
                w.WriteNumber("mean_end_placed", Math.Round(f.PlacedMean, 4));
                w.WriteNumber("placing_us", Math.Round(f.PlaceUs, 1));
                w.WriteEndObject();
            }

            w.WriteEndArray();
            w.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }
}
