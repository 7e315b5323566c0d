// ssp bench capacity: the largest patch of a typical mix that plays without a late block.
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics.Benching;
using SspHost.Patching;
using SspHost.Playing;

namespace SspHost.Commands;

/// <summary>What playing so many voices came to.</summary>
/// <param name="Late">Quanta that took longer than they last, incidents in which frames were lost, and quanta that were due and never rendered.</param>
/// <param name="Load">Median and 99th of a hundred of render time over the quantum.</param>
internal sealed record CapacityTrial(int Voices, int Modules, double Seconds, ulong Late, double Load, double LoadP99, int Threads, bool RealTime);

/// <summary>What `ssp bench capacity --json` prints; <paramref name="Best"/> is null where not even one voice holds.</summary>
/// <param name="Empty">The machine by itself: a patch of nothing but its output, at the full length.</param>
/// <param name="Allowed">Late blocks that were allowed.</param>
internal sealed record CapacityReport(int Version, string Device, double Seconds, int Allowed, CapacityTrial Empty, CapacityTrial? Best, IReadOnlyList<CapacityTrial> Trials, bool Limit);

internal static class CapacityBench
{
    /// <summary>As many as the engine's limit of modules allows: sixteen voices are 80 modules, 4 mixers, 2 delays, a reverb.</summary>
    public const int MostVoices = (Limits.MaxInstances - 1) * 16 / 87;

    private const int UsualSeconds = 60, SettleMs = 700, RegionMib = 512;
    private const int Patience = 3; // short trials of a number that is late
    private const double Inexact = 4; // quanta by which what is due may be off: both readings are of whole wake-ups
    private const double ShortPart = 1 / 20.0, ShortLeast = 1, ShortMost = 5; // seconds of a trial of the search

    public static int Run(BenchOptions options, List<BenchFigure> figures)
    {
        double seconds = options.Seconds ?? UsualSeconds;
        var shortly = Math.Min(seconds, Math.Clamp(seconds * ShortPart, ShortLeast, ShortMost));
        var allowedShortly = (ulong)Math.Ceiling(options.Late * shortly / seconds);
        var trials = new List<CapacityTrial>();
        var empty = Play(options, 0, seconds);
        if (!options.Json) Print(empty, "the machine by itself");
        CapacityTrial? best = null;
        bool Try(int voices, double length, ulong allowed)
        {
            var trial = Play(options, voices, length);
            trials.Add(trial);
            var holds = trial.Late <= allowed;
            if (!options.Json) Print(trial, holds ? "" : "too much");
            if (holds && length >= seconds) best = trial;
            return holds;
        }

        var most = options.Voices ?? MostVoices;
        // In the search a number is given up only when it was late again and again: an interruption from outside is not the patch's.
        var found = CapacitySearch.Find(most, v => Enumerable.Range(0, Patience).Any(_ => Try(v, shortly, allowedShortly)), v => Try(v, seconds, (ulong)options.Late));
        var report = new CapacityReport(1, options.Device ?? "sim", seconds, options.Late, empty, found > 0 ? best : null, trials, found == most);
        AddFigures(report, Limit(most), figures);
        if (options.Json) Console.WriteLine(JsonSerializer.Serialize(report, BenchJson.Default.CapacityReport));
        else Console.WriteLine(Words(report, most));
        return 0;
    }

    // An engine of its own each time: what was shed or is still fading in one trial is nothing to the next.
    private static CapacityTrial Play(BenchOptions options, int voices, double seconds)
    {
        using var engine = PrivateEngine.Start(RegionMib);
        var sink = engine.Sink(options.Audio with { Periods = 4 }, Console.Error.WriteLine);
        using var session = PatchSession.Start(new PatchSessionOptions { Modules = engine.Modules, Sink = sink });
        var patch = CapacityPatch.Of(engine.Modules, voices);
        if (session.Apply(new ReplacePatch(patch)) is { } refused) throw new CommandException(refused.ToString());
        if (sink.StartAudio() is { } why) throw new CommandException(why);
        Thread.Sleep(SettleMs);
        var load = engine.Slot.Use(link => new HistogramWindow(link.Map, HistogramKind.Load));
        var before = Audio(engine);
        Thread.Sleep(TimeSpan.FromSeconds(seconds));
        var after = Audio(engine);
        var loads = load.Next();
        var rendered = after.Quanta - before.Quanta;
        if (rendered == 0) throw new CommandException($"{voices} voices: nothing was rendered in {seconds:0.#} s: the card{(after.Away != 0 ? " is away" : ", or this machine, stands still")}");
        // One loss may be of many quanta: what was due and not rendered is late, too.
        var due = (after.Time - before.Time) / 1e9 * after.Rate / after.Quantum;
        var skipped = due - rendered > Inexact ? (ulong)(due - rendered) : 0;
        return new CapacityTrial(
            voices, patch.Modules.Length - 1, seconds, after.Late - before.Late + after.Dropouts - before.Dropouts + skipped, loads.Percentile(0.5) / 1e6, loads.Percentile(0.99) / 1e6, after.Threads, after.RealTime != 0);
    }

    private static AudioStatus Audio(PrivateEngine engine) =>
        engine.Slot.Use(link => link.TryAudio(out var a) && a.Rate != 0 ? a : throw new EngineGoneException("the engine does not play"));

    private static void AddFigures(CapacityReport r, string limit, List<BenchFigure> figures)
    {
        var why = r.Limit ? $"{limit} was reached: this machine takes more"
            : r.Best != null ? "" : string.Create(CultureInfo.InvariantCulture, $"not one voice holds for {r.Seconds:0} s; with nothing to play the machine is late {r.Empty.Late} times in it");
        var late = r.Allowed > 0 ? $"{(why.Length > 0 ? "; " : "")}{r.Allowed} late blocks allowed" : "";
        figures.Add(BenchFigures.Of("capacity.modules", "modules", BenchBetter.More, r.Best?.Modules ?? 0, note: why + late));
        figures.Add(BenchFigures.Of("capacity.voices", "voices", BenchBetter.More, r.Best?.Voices ?? 0, note: why + late));
        figures.Add(BenchFigures.Of("capacity.load.p50", "%", BenchBetter.More, (r.Best?.Load ?? 0) * 100, note: why));
        figures.Add(BenchFigures.Of("capacity.load.p99", "%", BenchBetter.None, (r.Best?.LoadP99 ?? 0) * 100, note: why));
        figures.Add(BenchFigures.Of("capacity.threads", "threads", BenchBetter.None, r.Empty.Threads, note: r.Empty.RealTime ? "" : "SCHED_FIFO was refused: ordinary priority"));
        figures.Add(BenchFigures.Of("capacity.late-with-nothing", "blocks", BenchBetter.Less, r.Empty.Late));
    }

    private static string Limit(int most) => most == MostVoices ? "the engine's limit of modules" : "as many as --voices allows";

    private static void Print(CapacityTrial t, string word) => Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture, $"{t.Voices,5} voices {t.Modules,6} modules {t.Seconds,6:0.0} s  late {t.Late,5}  load {t.Load * 100,5:0.0} % (p99 {t.LoadP99 * 100:0.0} %)  {word}"));

    private static string Words(CapacityReport r, int most)
    {
        var machine = string.Create(CultureInfo.InvariantCulture, $"with nothing to play it is late {r.Empty.Late} times in {r.Seconds:0} s{(r.Empty.RealTime ? "" : "; NO real-time privilege")}");
        if (r.Best is not { } best) return $"not one voice holds for {r.Seconds:0} s; {machine} (--late N allows N late blocks)";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{best.Modules} modules in {best.Voices} voices on {best.Threads} thread{(best.Threads == 1 ? "" : "s")}, {best.Late} late in {best.Seconds:0} s ({r.Allowed} allowed), load {best.Load * 100:0.0} %{(r.Limit ? $"; {Limit(most)}: this machine takes more" : "")}; {machine}");
    }
}
