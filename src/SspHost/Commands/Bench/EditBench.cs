// ssp bench edits: a patch of 200 modules is edited while it plays; what does the audio thread feel of it?
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Benching;
using SspHost.Patching;
using SspHost.Playing;

namespace SspHost.Commands;

/// <summary>Blocks with edits alternate with blocks without, so that what else the machine does falls on both.</summary>
internal static class EditBench
{
    private const int Edits = 1000, BlockEdits = 50, GapMs = 5, PumpMs = 10;
    private const int Voices = 33; // of six modules, a bus and the output: 200
    private const double SwapTargetNs = 2000;
    private const ulong Budget = 32 * 1_000_000_000UL / 48_000;

    public static int Run(BenchOptions options, List<BenchFigure> figures)
    {
        using var engine = PrivateEngine.Start(256);
        var sink = engine.Sink(options.Simulated with { Periods = 4 }, Console.Error.WriteLine);
        using var session = PatchSession.Start(new PatchSessionOptions { Modules = engine.Modules, Sink = sink });
        var patch = BenchPatch.Voices(engine.Modules, Voices);
        if (session.Apply(new ReplacePatch(patch)) is { } refused) throw new CommandException(refused.ToString());
        if (sink.StartAudio() is { } why) throw new CommandException(why);
        Thread.Sleep(500);

        var random = new Random(1);
        var took = new List<double>(Edits);
        var swap = engine.Slot.Use(link => new HistogramWindow(link.Map, HistogramKind.Swap));
        var swapQuantum = engine.Slot.Use(link => new HistogramWindow(link.Map, HistogramKind.SwapQuantum));
        var quiet = default(Histogram);
        var (late, dropouts) = (new ulong[2], new ulong[2]); // idle, edited
        double seconds = 0;
        for (var block = 0; block < Edits / BlockEdits; block++)
        {
            var clock = Stopwatch.StartNew();
            Count(engine, 1, late, dropouts, () =>
            {
                for (var i = 0; i < BlockEdits; i++) OneEdit(session, patch, random, took);
                while (!session.IsSettled) Pump(session);
            });
            var length = clock.Elapsed;
            seconds += length.TotalSeconds;
            var window = engine.Slot.Use(link => new HistogramWindow(link.Map, HistogramKind.Quantum));
            Count(engine, 0, late, dropouts, () =>
            {
                clock.Restart();
                while (clock.Elapsed < length) Pump(session); // as much else to do on this side
            });
            quiet = HistogramWindow.Sum(in quiet, window.Next());
        }

        took.Sort();
        var (swaps, swapQuanta) = (swap.Next(), swapQuantum.Next());
        var report = new EditReport
        {
            Modules = patch.Modules.Length,
            Edits = Edits,
            LateEdited = late[1],
            LateIdle = late[0],
            DropoutsEdited = dropouts[1],
            DropoutsIdle = dropouts[0],
            Seconds = seconds,
            LateSwaps = Above(swapQuanta, Budget),
            Swap = SpreadOf(swaps),
            SwapQuantum = SpreadOf(swapQuanta),
            Quantum = SpreadOf(quiet),
            Budget = Budget,
            EditP50 = took[took.Count / 2],
            EditP99 = took[took.Count * 99 / 100],
            SwapTargetNs = SwapTargetNs,
        };
        report = report with
        {
            Plans = report.Swap.Count,
            Met = report.LateSwaps == 0 && NotMore(report.LateEdited, report.LateIdle) && NotMore(report.DropoutsEdited, report.DropoutsIdle)
                && report.Swap.P99 <= SwapTargetNs,
        };
        figures.Add(BenchFigures.Of("edits.swap.p50", "us", BenchBetter.Less, report.Swap.P50 / 1e3));
        figures.Add(BenchFigures.Of("edits.swap.p99", "us", BenchBetter.Less, report.Swap.P99 / 1e3, SwapTargetNs / 1e3));
        figures.Add(BenchFigures.Of("edits.swap-quantum.p99", "us", BenchBetter.Less, report.SwapQuantum.P99 / 1e3));
        figures.Add(BenchFigures.Of("edits.late-swaps", "quanta", BenchBetter.Less, report.LateSwaps, 0));
        figures.Add(BenchFigures.Of("edits.late-edited", "quanta", BenchBetter.Less, report.LateEdited));
        figures.Add(BenchFigures.Of("edits.late-idle", "quanta", BenchBetter.None, report.LateIdle));
        figures.Add(BenchFigures.Of("edits.answered.p50", "ms", BenchBetter.Less, report.EditP50));
        figures.Add(BenchFigures.Of("edits.answered.p99", "ms", BenchBetter.Less, report.EditP99));
        if (options.Json) Console.WriteLine(JsonSerializer.Serialize(report, DiagnosticsJson.Pretty.EditReport));
        else Print(report);
        return 0;
    }

    // Interruptions from outside fall on either half: counts of rare events differ by chance by the root of their sum.
    private static bool NotMore(ulong edited, ulong idle) => (double)edited - idle <= 2 * Math.Sqrt(edited + idle);

    private static ulong Above(Histogram h, ulong ns)
    {
        ulong count = 0;
        unsafe
        {
            for (var i = Histogram.BucketOf(ns) + 1; i < Histogram.Buckets; i++) count += h.Counts[i];
        }

        return count;
    }

    private static void Print(EditReport r)
    {
        static string Us(ulong ns) => (ns / 1000.0).ToString("0.00", CultureInfo.InvariantCulture);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{r.Edits} edits on a playing patch of {r.Modules} modules, {r.Plans} plans, {r.Seconds:0.0} s each with and without edits"));
        Console.WriteLine($"{"us",-34}{"p50",9}{"p99",9}{"max",9}");
        Console.WriteLine($"{"taking a plan",-34}{Us(r.Swap.P50),9}{Us(r.Swap.P99),9}{Us(r.Swap.Max),9}");
        Console.WriteLine($"{"the quantum in which it is taken",-34}{Us(r.SwapQuantum.P50),9}{Us(r.SwapQuantum.P99),9}{Us(r.SwapQuantum.Max),9}");
        Console.WriteLine($"{"a quantum without edits",-34}{Us(r.Quantum.P50),9}{Us(r.Quantum.P99),9}{Us(r.Quantum.Max),9}   of {Us(r.Budget)}");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"late {r.LateEdited} with edits ({r.LateSwaps} of them took a plan), {r.LateIdle} without; dropouts {r.DropoutsEdited} and {r.DropoutsIdle}; an edit is answered in {r.EditP50:0.00} ms (p99 {r.EditP99:0.00})"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"to reach: no quantum late that took a plan, nor more of the others than without edits by more than chance, {SwapTargetNs / 1000} us for taking a plan (p99): {(r.Met ? "reached" : "NOT reached")}"));
    }

    private static void Count(PrivateEngine engine, int which, ulong[] late, ulong[] dropouts, Action work)
    {
        var (a, b) = Counters(engine);
        work();
        var (c, d) = Counters(engine);
        late[which] += c - a;
        dropouts[which] += d - b;
    }

    private static (ulong Late, ulong Dropouts) Counters(PrivateEngine engine) => engine.Slot.Use(link =>
        link.TryAudio(out var a) ? (a.Late, a.Dropouts) : throw new EngineGoneException("the engine does not play"));

    private static Spread SpreadOf(in Histogram h) => new(h.Count, h.Percentile(0.5), h.Percentile(0.99), h.Max);

    private static void Pump(PatchSession session)
    {
        Thread.Sleep(PumpMs);
        if (session.Pump() is { } trouble) throw new CommandException(trouble);
    }

    private static void OneEdit(PatchSession session, Patch start, Random random, List<double> took)
    {
        var start0 = Stopwatch.GetTimestamp();
        var edit = Next(session.Current, start, random);
        if (session.Apply(edit) is { } refused) throw new CommandException(refused.ToString());
        took.Add(Stopwatch.GetElapsedTime(start0).TotalMilliseconds);
        Thread.Sleep(random.Next(2 * GapMs));
        if (random.Next(2) == 0 && session.Pump() is { } trouble) throw new CommandException(trouble);
    }

    // What a player does to the wires: everything that makes a plan.
    private static Edit Next(Patch now, Patch start, Random random)
    {
        var voice = random.Next(Voices);
        var (from, to) = (At($"lfo{random.Next(Voices)}.out"), At($"filter{voice}.cutoff"));
        switch (random.Next(5))
        {
            case 0:
                var sound = At($"vco{voice}.triangle");
                return Plugged(now, sound, At($"filter{voice}.in")) ? new Disconnect(sound, At($"filter{voice}.in")) : new Connect(sound, At($"filter{voice}.in"), 0.3f);
            case 1:
                return new SetCableGain(At($"vca{voice}.out"), At("out.in1"), 0.02f + (0.03f * random.NextSingle()));
            case 2:
                return new Bypass($"filter{voice}", !now.Find($"filter{voice}")!.Bypass);
            case 3 when now.Modules.Length < start.Modules.Length:
                return new AddModule(start.Find(start.Modules.First(m => now.Find(m.Id) is null).Id)!);
            case 3:
                return new RemoveModule($"echo{voice}");
            default:
                return Plugged(now, from, to) ? new Disconnect(from, to) : new Connect(from, to, 0.2f);
        }
    }

    private static bool Plugged(Patch patch, PortRef from, PortRef to) => patch.Cables.Any(c => c.From == from && c.To == to);

    private static PortRef At(string port) => BenchPatch.At(port);
}
