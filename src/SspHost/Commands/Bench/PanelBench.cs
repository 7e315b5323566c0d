// ssp bench panel: what a frame of each page takes and allocates, and how long a turned knob takes to the screen and to the card.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics.Benching;
using SspHost.Panel;
using SspHost.Panel.Pages;
using SspHost.Panel.Surface;

namespace SspHost.Commands;

/// <summary>Frames of a page, of a patch of forty modules that plays. Times in ms of the CPU that the panel's thread took, with the copy to the screen.</summary>
/// <param name="Redraw">All of it drawn.</param>
/// <param name="Frame">Only what has changed, sixty times a second.</param>
/// <param name="BytesPerFrame">Managed bytes that the panel's thread allocates in such a frame.</param>
internal sealed record PageTimes(string Page, Quantiles Redraw, Quantiles Frame, double BytesPerFrame);

/// <summary>Median and tail, in ms.</summary>
internal sealed record Quantiles(double P50, double P99, double Max)
{
    public static Quantiles Of(List<double> values)
    {
        values.Sort();
        return values.Count == 0 ? new Quantiles(0, 0, 0) : new Quantiles(Rounded(values[values.Count / 2]), Rounded(values[values.Count * 99 / 100]), Rounded(values[^1]));
    }

    private static double Rounded(double v) => Math.Round(v, 3);
}

/// <summary>Turns of a knob, from the moment the control said so; times in ms.</summary>
/// <param name="Periods">Of the card's buffer, of a quantum each.</param>
/// <param name="Pixel">To the frame in the screen's memory that shows it.</param>
/// <param name="Card">To the hand-over of the first changed sample to the card.</param>
/// <param name="Converter">To the moment at which the card's converter plays that sample: the buffer is in it.</param>
/// <param name="QuantumMs">A quantum.</param>
internal sealed record TurnTimes(int Periods, int Turns, Quantiles Pixel, Quantiles Card, Quantiles Converter, double QuantumMs);

/// <summary>What `ssp bench panel --json` prints.</summary>
internal sealed record PanelReport(
    int Version, int Modules, IReadOnlyList<PageTimes> Pages, IReadOnlyList<TurnTimes> Turns, double RedrawTarget, double FrameTarget, double PixelTarget, double SoundTargetQuanta, bool Met);

internal static unsafe partial class PanelBench
{
    private const double RedrawTargetMs = 8, FrameTargetMs = 2, PixelTargetMs = 20, SoundTargetQuanta = 2;
    private const int WarmFrames = 20, Redraws = 60, Frames = 90, FrameMs = 16;
    private const int MostTurns = 120, RestMs = 60;
    private const int UsualPeriods = 4, FewestPeriods = 2;
    private const int Blocks = 4096; // 2.7 s of quanta of 32 frames
    private const int ThreadCpuClock = 3; // CLOCK_THREAD_CPUTIME_ID

    private static readonly Rect FirstKnob = new(12, Page.Body.Y + 44, 232, 208); // of the Module page

    public static int Run(BenchOptions options, List<BenchFigure> figures)
    {
        var pages = new List<PageTimes>();
        var turns = new List<TurnTimes>();
        int modules;
        using (var rig = new PanelBenchRig(options.Simulated, UsualPeriods))
        {
            modules = rig.Host.Session.Current.Modules.Length;
            MeasurePages(rig, pages);
            turns.Add(MeasureTurns(rig, UsualPeriods));
        }

        using (var rig = new PanelBenchRig(options.Simulated, FewestPeriods)) turns.Add(MeasureTurns(rig, FewestPeriods));
        var met = pages.TrueForAll(p => p.Redraw.P50 <= RedrawTargetMs && p.Frame.P50 <= FrameTargetMs)
            && turns.TrueForAll(t => t.Pixel.P50 <= PixelTargetMs && t.Card.P50 <= SoundTargetQuanta * t.QuantumMs);
        var report = new PanelReport(1, modules, pages, turns, RedrawTargetMs, FrameTargetMs, PixelTargetMs, SoundTargetQuanta, met);
        foreach (var p in pages)
        {
            figures.Add(BenchFigures.Of($"panel.{p.Page}.redraw.p50", "ms", BenchBetter.Less, p.Redraw.P50, RedrawTargetMs));
            figures.Add(BenchFigures.Of($"panel.{p.Page}.frame.p50", "ms", BenchBetter.Less, p.Frame.P50, FrameTargetMs));
            figures.Add(BenchFigures.Of($"panel.{p.Page}.allocated", "B", BenchBetter.Less, p.BytesPerFrame));
        }

        foreach (var t in turns)
        {
            figures.Add(BenchFigures.Of($"panel.turn.{t.Periods}.pixel.p50", "ms", BenchBetter.Less, t.Pixel.P50, PixelTargetMs));
            figures.Add(BenchFigures.Of($"panel.turn.{t.Periods}.card.p50", "ms", BenchBetter.Less, t.Card.P50, SoundTargetQuanta * t.QuantumMs));
        }

        if (options.Json) Console.WriteLine(JsonSerializer.Serialize(report, BenchJson.Default.PanelReport));
        else Print(report);
        return 0;
    }

    private static void MeasurePages(PanelBenchRig rig, List<PageTimes> into)
    {
        using var screen = new BenchScreen();
        using var panel = new FrontPanel(rig.Panel);
        panel.Selection.Module = "vco0";
        foreach (var page in panel.All)
        {
            panel.Go(page.Id);
            for (var i = 0; i < WarmFrames; i++) _ = Frame(panel, screen);
            var (redraws, frames) = (new List<double>(Redraws), new List<double>(Frames));
            for (var i = 0; i < Redraws; i++)
            {
                panel.DrawAll();
                redraws.Add(Frame(panel, screen));
            }

            var bytes = 0L;
            for (var i = 0; i < Frames; i++)
            {
                Thread.Sleep(FrameMs); // what moves has moved
                var before = GC.GetAllocatedBytesForCurrentThread();
                frames.Add(Frame(panel, screen));
                bytes += GC.GetAllocatedBytesForCurrentThread() - before;
            }

            into.Add(new PageTimes(page.Id, Quantiles.Of(redraws), Quantiles.Of(frames), Math.Round(bytes / (double)Frames, 1)));
        }
    }

    private static double Frame(FrontPanel panel, BenchScreen screen)
    {
        var start = CpuNow();
        var changed = panel.Draw();
        if (!changed.IsEmpty) screen.Show(panel.Frame, changed);
        return (CpuNow() - start) / 1e6;
    }

    private static TurnTimes MeasureTurns(PanelBenchRig rig, int periods)
    {
        using var controls = new BenchControls();
        var screen = new BenchScreen { Watched = FirstKnob }; // the loop's, then
        rig.Panel.Remember("page", "module");
        using var loop = rig.Loop(controls, screen, panel => panel.Selection.Module = BenchPatch.Knob);
        using var jack = rig.Host.Slot.Use(link => link.Allocate(RecordRing.BytesFor(1, Blocks)));
        var ring = (RecordRing*)jack.Pointer;
        (ring->Channels, ring->Capacity, ring->Jacks[0]) = (1, Blocks, BenchPatch.KnobJack);
        rig.Host.Slot.Use(link => link.StartRecording(jack));
        var audio = rig.Audio;
        var (pixel, card, converter) = (new List<double>(), new List<double>(), new List<double>());
        var frameNs = 1e9 / audio.Rate;
        var blocks = new List<(RecordBlock Head, int Changed)>(); // the frame within it from which on the jack has another voltage; -1: none
        var volts = 0f;
        var zero = double.MaxValue; // CLOCK_MONOTONIC of the card's frame 0, as the promptest quantum has it
        var random = new Random(1);
        Thread.Sleep(500);
        Drain(ring, blocks, ref volts);
        for (var t = 0; t < MostTurns; t++)
        {
            Thread.Sleep(RestMs + random.Next(17)); // at any time within a frame and a quantum
            blocks.Clear();
            Drain(ring, blocks, ref volts);
            blocks.Clear();
            var (changes, lost) = (screen.Changes, rig.Audio.LostFrames);
            var at = controls.Turn(Control.E1, t % 2 == 0 ? 1 : -1);
            for (var i = 0; i < 1000 && screen.Changes == changes; i++) Thread.Sleep(1);
            if (screen.Changes == changes) throw new CommandException("bench panel: the first knob of the Module page is not where it was expected, or is not drawn");
            var shown = screen.ChangedAt;
            if (screen.Changes == changes + 1) pixel.Add((shown - at) / 1e6); // a second one would have hidden the first
            Thread.Sleep(10);
            Drain(ring, blocks, ref volts);
            foreach (var (head, _) in blocks) zero = Math.Min(zero, head.Time - ((head.Frame + (ulong)head.Frames) * frameNs));
            if (rig.Audio.LostFrames != lost || blocks.FindIndex(b => b.Changed >= 0) is not (>= 0 and var first)) continue;
            var heard = blocks[first];
            card.Add(((double)heard.Head.Time - at) / 1e6);
            converter.Add((zero + ((heard.Head.Frame + (ulong)heard.Changed + (ulong)(audio.Period * audio.Periods)) * frameNs) - at) / 1e6);
        }

        rig.Host.Slot.Use(link => link.StopRecording());
        return new TurnTimes(periods, card.Count, Quantiles.Of(pixel), Quantiles.Of(card), Quantiles.Of(converter), Math.Round(audio.Quantum * frameNs / 1e6, 3));
    }

    private static void Drain(RecordRing* ring, List<(RecordBlock Head, int Changed)> into, ref float volts)
    {
        for (; ring->Head < Volatile.Read(ref ring->Tail); Volatile.Write(ref ring->Head, ring->Head + 1))
        {
            var block = RecordRing.Block(ring, ring->Head, 1, Blocks);
            var samples = new ReadOnlySpan<float>(block + 1, block->Frames);
            var changed = samples.IndexOfAnyExcept(volts);
            into.Add((*block, changed));
            volts = samples[^1];
        }
    }

    private static void Print(PanelReport r)
    {
        Console.WriteLine($"{$"{r.Modules} modules play; ms of CPU",-34}{"redraw p50",12}{"p99",8}{"frame p50",12}{"p99",8}{"B/frame",10}");
        foreach (var p in r.Pages)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{p.Page,-34}{p.Redraw.P50,12:0.00}{p.Redraw.P99,8:0.00}{p.Frame.P50,12:0.00}{p.Frame.P99,8:0.00}{p.BytesPerFrame,10:0.#}"));
        Console.WriteLine($"{"turns of a knob, ms",-34}{"turns",12}{"pixel p50",12}{"p99",8}{"card p50",12}{"p99",8}{"converter p50",15}{"p99",8}");
        foreach (var t in r.Turns)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{$"{t.Periods} periods of {t.QuantumMs:0.000} ms",-34}{t.Turns,12}{t.Pixel.P50,12:0.0}{t.Pixel.P99,8:0.0}{t.Card.P50,12:0.00}{t.Card.P99,8:0.00}{t.Converter.P50,15:0.00}{t.Converter.P99,8:0.00}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"to reach (medians): {RedrawTargetMs} ms a redraw, {FrameTargetMs} ms a frame, {PixelTargetMs} ms to the pixel, {SoundTargetQuanta} quanta to the card: {(r.Met ? "reached" : "NOT reached")}"));
    }

    private static ulong CpuNow()
    {
        Linux.TimeSpec t;
        _ = ClockGetTime(ThreadCpuClock, &t);
        return ((ulong)t.Seconds * 1_000_000_000) + (ulong)t.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, Linux.TimeSpec* time);
}
