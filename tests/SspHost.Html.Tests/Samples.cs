// Runs as a machine could have produced them, the same each time.
using SspHost.Diagnostics.Html;

namespace SspHost.Html.Tests;

internal static class Samples
{
    public const double BudgetNs = 32e9 / 48000;

    public static readonly string[] Modules = ["VCO Saw", "VCO Square", "Ladder", "ADSR", "Reverb Hall", "Tape Delay", "Mixer", "Clock", "Seq8", "Wavefolder", "SVF", "Compressor"];

    /// <summary>Two humps, as a patch has whose sequencer works in every third quantum, and a tail of a few ten-thousandths.</summary>
    public static ushort[] Bimodal(int count, int seed, double shift = 0)
    {
        var random = new Random(seed);
        var loads = new ushort[count];
        for (var i = 0; i < count; i++)
        {
            var load = (i % 3 == 0 ? 0.41 : 0.285) + shift + 0.018 * Bell(random);
            if (random.Next(4000) == 0) load += -0.09 * Math.Log(1 - random.NextDouble());
            loads[i] = LoadCode.Encode(Math.Max(0.02, load));
        }

        return loads;
    }

    /// <summary>Low and even: the figure of a spike stands out by itself.</summary>
    public static ushort[] Calm(int count, double load = 0.3)
    {
        var loads = new ushort[count];
        var random = new Random(7);
        for (var i = 0; i < count; i++) loads[i] = LoadCode.Encode(load + 0.02 * (random.NextDouble() - 0.5));
        return loads;
    }

    public static LoadRun Run(ReadOnlyMemory<ushort> loads, string name = "this run") => new()
    {
        Name = name, EngineVersion = "0.1.0", Machine = "invented figures: no machine played this", Rate = 48000, Quantum = 32, BudgetNs = BudgetNs,
        StartTime = "2026-03-21T20:15:00Z", FirstQuantum = 1000, Loads = loads,
    };

    public static LoadReportData One(LoadRun run, string title = "acid-line") => new() { Title = title, Runs = [run] };

    /// <summary>Audio thread and a worker through a patch of twelve modules; one of them takes what remains up to the load.</summary>
    public static LoadSpike Spike(ulong quantum, double load, string culprit, int seed = 1)
    {
        var random = new Random(seed);
        var total = load * BudgetNs;
        List<SpikeZone> zones = [new("audio", "wake", "wake", -18_400, 17_900, 2), new("audio", "quantum", "quantum", 0, (long)total, 2)];
        var slow = Array.IndexOf(Modules, culprit);
        Span<double> at = [9_000, 26_000];
        var usual = Modules.Select((_, m) => 14_000 + 21_000 * ((m * 7) % 5) / 5.0 + 2_000 * random.NextDouble()).ToArray();
        usual[slow] = total - at[slow % 2] - Modules.Where((_, m) => m % 2 == slow % 2 && m != slow).Select((_, m) => 0.0).Sum();
        var others = Enumerable.Range(0, Modules.Length).Where(m => m % 2 == slow % 2 && m != slow).Sum(m => usual[m] + 600);
        usual[slow] = total - at[slow % 2] - others - 15_000;
        for (var m = 0; m < Modules.Length; m++)
        {
            var thread = m % 2;
            zones.Add(new SpikeZone(thread == 0 ? "audio" : "worker 1", Modules[m], "module", (long)at[thread], (long)usual[m], 2 + thread, m));
            at[thread] += usual[m] + 600;
        }

        zones.Add(new SpikeZone("worker 1", "work", "work", 25_000, (long)at[1] - 24_000, 3));
        if (at[1] > at[0]) zones.Add(new SpikeZone("audio", "join", "join", (long)at[0], (long)(at[1] - at[0]), 2));
        var middle = zones.First(z => z.Name == culprit);
        return new LoadSpike
        {
            Quantum = quantum, Zones = zones,
            Facts =
            [
                new SpikeFact(SpikeFactKind.Fault, middle.Thread, middle.StartNs + middle.DurationNs / 5, 3, "minor, in Reverb Hall's first touch of a new delay line"),
                new SpikeFact(SpikeFactKind.Preempted, middle.Thread, middle.StartNs + middle.DurationNs / 2, 1, "by irq/35-mmc0 (pid 88) for 214 µs"),
            ],
            Notes = ["memory pressure (PSI some, 10 s): 3.1 %", "the clock's resolution is 42 ns"],
        };
    }

    /// <summary>Ten minutes of a patch on a bad day: humps, a tail, late quanta, a dropout, a stall, two gaps.</summary>
    public static LoadRun BadDay(int count = 900_000)
    {
        var loads = Bimodal(count, 11);
        var random = new Random(5);
        // The patch gets a second voice at a third of the time and loses it again.
        for (var i = count / 3; i < count * 5 / 9; i++) loads[i] = LoadCode.Encode(LoadCode.Decode(loads[i]) + 0.14 + 0.03 * Math.Sin(i / 21_000.0));
        Array.Clear(loads, count * 7 / 10, count / 100);
        Array.Clear(loads, count / 8, count / 600);
        (int At, double Load, string Culprit)[] spikes =
        [
            (count / 5, 1.07, "Ladder"), (count * 2 / 5 + 331, 1.42, "Reverb Hall"), (count / 2 + 17, 2.63, "Reverb Hall"), (count * 5 / 6, 1.18, "Tape Delay"), (count * 9 / 10 + 5, 0.93, "Wavefolder"),
        ];
        foreach (var s in spikes)
        {
            loads[s.At] = LoadCode.Encode(s.Load);
            for (var k = 1; k < 5; k++) loads[s.At + k] = LoadCode.Encode(LoadCode.Decode(loads[s.At + k]) + 0.1 * s.Load / k * random.NextDouble());
        }

        List<LoadMark> marks =
        [
            .. spikes.Where(s => s.Load is > 1 and < 2).Select((s, k) => new LoadMark
            {
                Quantum = 1000 + (ulong)s.At, Kind = LoadMarkKind.Late, Cause = "a quantum was rendered too slowly, absorbed by the buffer", Module = s.Culprit, Incident = (ulong)k + 1,
            }),
            new LoadMark
            {
                Quantum = 1000 + (ulong)spikes[2].At, Kind = LoadMarkKind.Dropout, Cause = "a quantum was rendered too slowly", Module = "Reverb Hall", Incident = 4, LostFrames = 64,
            },
            new LoadMark
            {
                Quantum = 1000 + (ulong)spikes[2].At, Kind = LoadMarkKind.Stall, Cause = "preempted by irq/35-mmc0", Module = "Reverb Hall", Incident = 4,
                Text = "audio thread, 1.9 ms into a quantum of 0.67 ms: ready, but its core was taken (run-queue delay 214 us of 300 us)\n  ReverbHall.Process   reverb.cs:212\n  Executor.RunNode     Executor.cs:148\n  AudioLoop.Quantum    AudioLoop.cs:391",
            },
        ];
        return Run(loads, "bad day") with
        {
            Marks = marks,
            Spikes = [.. spikes.Select((s, k) => Spike(1000 + (ulong)s.At, s.Load, s.Culprit, k))],
            Modules = [.. Modules.Select((name, m) => Times(name, m))],
        };
    }

    public static ModuleTimes Times(string name, int slot)
    {
        var middle = 9_000.0 * (1 + (slot * 5) % 7);
        List<TimeBucket> buckets = [];
        for (var k = 0; k < 40; k++)
        {
            var from = middle * Math.Pow(2, (k - 10) / 8.0);
            var count = (ulong)(119_700 * Math.Exp(-(k - 10) * (k - 10) / 18.0) + (k is > 18 and < 36 ? 400.0 / ((k - 17) * (k - 17)) : 0));
            buckets.Add(new TimeBucket(from, middle * Math.Pow(2, (k - 9) / 8.0), count));
        }

        return new ModuleTimes { Name = name, Slot = slot, MeanNs = middle, MaxNs = middle * 9.4, Buckets = buckets };
    }

    private static double Bell(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
