// ssp bench panel-audio: does the audio thread feel it that the Patch page of forty modules is drawn sixty times a second?
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics.Benching;

namespace SspHost.Commands;

/// <summary>The audio thread with or without a panel that draws; times in us, p99.9 as the median of the phases, and over all quanta.</summary>
/// <param name="Phases">p99.9 of each phase.</param>
internal sealed record AudioSide(ulong Quanta, double P50, double P999, double P999Pooled, double Max, double WakeP999, ulong Late, ulong Dropouts, IReadOnlyList<double> Phases);

/// <summary>What `ssp bench panel-audio --json` prints.</summary>
/// <param name="FramesPerSecond">Frames that were drawn while they were; in <paramref name="ShownPerSecond"/> of them something had changed.</param>
/// <param name="Ratio">p99.9 of quanta with the panel over that without.</param>
/// <param name="Chance">How likely phases as different as these are if drawing makes no difference (Mann-Whitney, two-sided).</param>
internal sealed record PanelAudioReport(
    int Version, int Modules, double Seconds, double FramesPerSecond, double ShownPerSecond, bool RealTime, AudioSide Without, AudioSide With, double Ratio, double WakeRatio, double Chance, bool Met);

/// <summary>Phases with and without follow each other in turns, so that what else the machine does falls on both.</summary>
internal static class PanelAudioBench
{
    private const int Pairs = 10, PhaseMs = 2500, SettleMs = 150;
    private const double FewestFrames = 55; // a second, or it was not drawn at full rate
    private const double Sure = 0.01;

    public static int Run(BenchOptions options, List<BenchFigure> figures)
    {
        using var rig = new PanelBenchRig(options.Simulated, periods: 4);
        var screen = new BenchScreen { On = false };
        rig.Panel.Remember("page", "patch");
        using var controls = new BenchControls();
        using var loop = rig.Loop(controls, screen, _ => { });
        Thread.Sleep(1000);
        var sides = new[] { new Side(), new Side() };
        var (drawn, shown, drawnMs) = (0UL, 0UL, 0.0);
        for (var phase = 0; phase < 2 * Pairs; phase++)
        {
            var with = phase % 4 is 1 or 2; // without, with, with, without: a drift falls on both
            screen.On = with;
            Thread.Sleep(SettleMs);
            var (quantum, wake) = rig.Host.Slot.Use(link => (new HistogramWindow(link.Map, HistogramKind.Quantum), new HistogramWindow(link.Map, HistogramKind.Wake)));
            var (before, frames, changed, start) = (rig.Audio, screen.Drawn, screen.Frames, Linux.Now());
            Thread.Sleep(PhaseMs);
            sides[with ? 1 : 0].Add(quantum.Next(), wake.Next(), before, rig.Audio);
            if (!with) continue;
            drawn += screen.Drawn - frames;
            shown += screen.Frames - changed;
            drawnMs += (Linux.Now() - start) / 1e6;
        }

        var (without, drawing) = (sides[0].Report(), sides[1].Report());
        var chance = RankTest.TwoSided(without.Phases, drawing.Phases);
        var perSecond = drawn * 1000 / drawnMs;
        var report = new PanelAudioReport(
            1, rig.Host.Session.Current.Modules.Length, Pairs * PhaseMs / 1000.0, Math.Round(perSecond, 1), Math.Round(shown * 1000 / drawnMs, 1), rig.Audio.RealTime != 0, without, drawing,
            Math.Round(drawing.P999 / without.P999, 3), Math.Round(drawing.WakeP999 / without.WakeP999, 3), Math.Round(chance, 4),
            perSecond >= FewestFrames && (drawing.P999 <= without.P999 || chance > Sure));
        figures.Add(BenchFigures.Of("panel-audio.drawn.p99.9", "us", BenchBetter.Less, drawing.P999));
        figures.Add(BenchFigures.Of("panel-audio.not-drawn.p99.9", "us", BenchBetter.None, without.P999));
        figures.Add(BenchFigures.Of("panel-audio.ratio.p99.9", "1", BenchBetter.Less, report.Ratio));
        figures.Add(BenchFigures.Of("panel-audio.frames", "1/s", BenchBetter.More, report.FramesPerSecond, FewestFrames));
        if (options.Json) Console.WriteLine(JsonSerializer.Serialize(report, BenchJson.Default.PanelAudioReport));
        else Print(report);
        return 0;
    }

    private static void Print(PanelAudioReport r)
    {
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{r.Modules} modules play, the Patch page is drawn {r.FramesPerSecond:0} times a second (something changed in {r.ShownPerSecond:0}) or not at all, {r.Seconds:0} s each in phases of {PhaseMs / 1000.0:0.0} s{(r.RealTime ? "" : "; NO real-time privilege")}"));
        Console.WriteLine($"{"us",-14}{"quanta",10}{"p50",9}{"p99.9",9}{"of all",9}{"max",10}{"wake p99.9",12}{"late",7}{"dropouts",10}   p99.9 of the phases");
        foreach (var (name, s) in new[] { ("not drawn", r.Without), ("drawn", r.With) })
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name,-14}{s.Quanta,10}{s.P50,9:0.0}{s.P999,9:0.0}{s.P999Pooled,9:0.0}{s.Max,10:0.0}{s.WakeP999,12:0.0}{s.Late,7}{s.Dropouts,10}   {string.Join(' ', s.Phases.Select(p => p.ToString("0", CultureInfo.InvariantCulture)))}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"p99.9 drawn over not drawn: {r.Ratio:0.00} (wake-up {r.WakeRatio:0.00}); chance makes such a difference with p = {r.Chance:0.000}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"to reach: at least {FewestFrames:0} frames a second, and no p99.9 above that without by more than chance (p > {Sure}): {(r.Met ? "reached" : "NOT reached")}"));
    }

    private sealed class Side
    {
        private readonly List<double> _phases = [], _wakes = [];
        private Histogram _all;
        private ulong _late, _dropouts;

        public void Add(in Histogram quantum, in Histogram wake, in AudioStatus before, in AudioStatus after)
        {
            _phases.Add(quantum.Percentile(0.999) / 1000.0);
            _wakes.Add(wake.Percentile(0.999) / 1000.0);
            _all = HistogramWindow.Sum(in _all, in quantum);
            _late += after.Late - before.Late;
            _dropouts += after.Dropouts - before.Dropouts;
        }

        public AudioSide Report() => new(
            _all.Count, _all.Percentile(0.5) / 1000.0, BenchSpread.Of([.. _phases]).Median, _all.Percentile(0.999) / 1000.0, _all.Max / 1000.0, BenchSpread.Of([.. _wakes]).Median, _late, _dropouts, _phases);
    }
}
