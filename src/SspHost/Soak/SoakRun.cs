// A soak: a patch plays, phases take turns at making the machine busy, and everything is kept of what the blocks felt of it.
using System.Diagnostics;
using System.Globalization;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Commands;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Soak;
using SspHost.Playing;

namespace SspHost.Soak;

/// <summary>What a person may choose.</summary>
/// <param name="Directory">Where the disk is written to.</param>
/// <param name="Loads">File of the loads of all blocks.</param>
/// <param name="MemoryShare">Share of the available memory that is filled, and bytes at most.</param>
/// <param name="LateRate">Rate of late blocks to stay below.</param>
internal sealed record SoakOptions(double Seconds, double PhaseSeconds, string Directory, string Loads, double MemoryShare, long MemoryMost, double LateRate, Action<string> Say);

/// <summary>One soak on a rig that plays. Run by the thread that made the rig.</summary>
internal sealed class SoakRun
{
    private const int LookMs = 100;
    private const int MostIncidents = 20_000;
    private const ulong Nearby = 1_000_000_000; // the engine tells of ten late blocks a second at most

    private readonly PanelBenchRig _rig;
    private readonly SoakOptions _options;
    private readonly ManualResetEventSlim _stop;
    private readonly List<Turns> _phases;
    private readonly List<(ulong Ns, Incident Incident)> _incidents = [];
    private long _lastIncident;
    private string? _trouble, _shed; // what ends it; what it cannot be passed with
    private Histogram _wakes;

    public SoakRun(PanelBenchRig rig, SoakOptions options, ManualResetEventSlim stop)
    {
        (_rig, _options, _stop) = (rig, options, stop);
        SoakPhase[] phases =
        [
            new IdlePhase(), new MemoryPhase(rig.Runtime, options.MemoryShare, options.MemoryMost), new DiskPhase(rig.Runtime, options.Directory), new NetworkPhase(rig.Runtime), new PanelPhase(rig),
            new EditPhase(rig.Host),
        ];
        _phases = [.. phases.Select(p => new Turns(p))];
    }

    /// <summary>Phases there are.</summary>
    public const int Phases = 6;

    public SoakReport Run()
    {
        var host = _rig.Host;
        var audio = WaitUntilItPlays();
        using var drain = new LoadDrain(host.Slot, _options.Loads, in audio);
        var (clock, generation, turn) = (Stopwatch.StartNew(), host.Slot.Generation, Math.Min(_options.PhaseSeconds, _options.Seconds / Phases));
        var before = Memory();
        for (var n = 0; !_stop.IsSet && _trouble == null && clock.Elapsed.TotalSeconds < _options.Seconds - (turn / 4); n++)
        {
            if (n == Phases) before = Memory(); // everything has been there once
            Turn(_phases[n % Phases], drain, Math.Min(turn, _options.Seconds - clock.Elapsed.TotalSeconds));
        }

        drain.Switch("", null);
        var after = Memory();
        var seconds = clock.Elapsed.TotalSeconds;
        if (_trouble == null && host.Stop() is { } why) _trouble = why;
        drain.End();
        Hear();
        if (host.Slot.Generation != generation) _trouble ??= "the engine died and was started again";
        var last = host.Slot.Try(link => link.TryAudio(out var a) ? a : default, default);
        var blockSeconds = audio.Quantum / (double)audio.Rate;
        var whole = new SoakPart
        {
            Name = "whole", Turns = 1, Seconds = seconds, Dropouts = (long)last.Dropouts, WorstTime = TimeOf(drain.Whole.WorstNs), WakeWorst = _wakes.Max / 1000.0, WakeP999 = _wakes.Percentile(0.999) / 1000.0,
        }.With(drain.Whole.Loads);
        return new SoakReport
        {
            Patch = host.Session.Current.Name is { Length: > 0 } name ? name : host.Session.Current.Id,
            Modules = host.Session.Current.Modules.Length,
            Card = host.Sink.Setup.Card.ToString(),
            Rate = audio.Rate,
            Quantum = audio.Quantum,
            Period = audio.Period,
            Periods = audio.Periods,
            Threads = audio.Threads,
            RealTime = audio.RealTime != 0,
            Rendered = (long)last.Quanta,
            Whole = whole,
            Phases = [.. _phases.Select(p => p.Report())],
            Runs = [.. drain.Runs.Select(Explain)],
            MoreRuns = whole.BadRuns - drain.Runs.Count,
            Restarts = host.Slot.Generation - generation,
            EngineBytesBefore = before.Engine,
            EngineBytesAfter = after.Engine,
            ControlBytesBefore = before.Control,
            ControlBytesAfter = after.Control,
            Loads = _options.Loads,
            Verdict = SoakVerdict.Judge(whole.Bad, whole.Blocks, whole.Missing, blockSeconds, _options.LateRate, _trouble ?? _shed),
        };
    }

    private AudioStatus WaitUntilItPlays()
    {
        for (var i = 0; i < 1000; i++)
        {
            if (_rig.Host.Slot.Try(link => link.TryAudio(out var a) ? a : default, default) is { Quanta: > 0, Rate: > 0 } audio) return audio;
            Thread.Sleep(10);
        }

        throw new EngineTimeoutException("the patch did not play within 10 s");
    }

    private void Turn(Turns turns, LoadDrain drain, double seconds)
    {
        _options.Say(string.Create(CultureInfo.InvariantCulture, $"{turns.Phase.Name}, {seconds:0} s ..."));
        var (clock, start) = (Stopwatch.StartNew(), Counters());
        drain.Switch(turns.Phase.Name, turns.Tally);
        try
        {
            turns.Phase.Begin();
            while (clock.Elapsed.TotalSeconds < seconds && !_stop.Wait(LookMs)) Hear();
        }
        finally
        {
            _trouble ??= turns.Phase.End();
        }

        drain.Switch("", null);
        turns.Add(clock.Elapsed.TotalSeconds);
        var end = Counters();
        if (end.Generation != start.Generation)
        {
            _trouble ??= "the engine died and was started again";
            return;
        }

        turns.Dropouts += (long)(end.Dropouts - start.Dropouts);
        var wakes = HistogramWindow.Difference(in end.Wake, in start.Wake);
        turns.Wakes = HistogramWindow.Sum(in turns.Wakes, in wakes);
        _wakes = HistogramWindow.Sum(in _wakes, in wakes);
    }

    private unsafe (int Generation, ulong Dropouts, Histogram Wake) Counters() => _rig.Host.Slot.Try(
        link => (_rig.Host.Slot.Generation, link.TryAudio(out var a) ? a.Dropouts : 0, *link.Map.Histogram(HistogramKind.Wake)), otherwise: (-1, 0UL, default));

    private (long Engine, long Control) Memory() => (KernelCounters.ProcessBytes(_rig.Host.EnginePid, "RssAnon"), KernelCounters.ProcessBytes(Environment.ProcessId, "RssAnon"));

    private void Hear()
    {
        foreach (var incident in _rig.Host.Incidents.Since(_lastIncident))
        {
            _lastIncident = incident.Id;
            if (incident.Kind is "moduleShed" or "deviceLost") _shed ??= incident.Text; // from then on less is played than was to be shown
            if (_incidents.Count < MostIncidents && ulong.TryParse(incident.Monotonic, NumberStyles.None, CultureInfo.InvariantCulture, out var ns)) _incidents.Add((ns, incident));
        }
    }

    // What the engine told nearest to it; of lost frames, a dropout's. A block that is only late says itself that it was rendered too slowly.
    private LateBlocks Explain(LateRun run)
    {
        var (word, told, nearest) = (run.Lost > 0 ? Unknown : IncidentKinds.WordOf(DropoutCause.SlowRender), "", Nearby);
        foreach (var kinds in run.Lost > 0 ? new[] { DropoutKinds, LateKinds } : [LateKinds, DropoutKinds])
        {
            foreach (var (ns, incident) in _incidents)
            {
                var away = ns > run.Ns ? ns - run.Ns : run.Ns - ns;
                if (away >= nearest || !kinds.Contains(incident.Kind) || incident.Cause == Unknown) continue; // a stall that nobody understood explains nothing
                (word, told, nearest) = (incident.Cause ?? IncidentKinds.WordOf(DropoutCause.SlowRender), incident.Text, away);
            }

            if (told.Length > 0) break;
        }

        return new LateBlocks(run.Block, run.Length, Math.Round(run.Worst / (double)BlockLoad.One, 5), run.Lost, run.Phase, TimeOf(run.Ns), word, told);
    }

    private static readonly string Unknown = IncidentKinds.WordOf(DropoutCause.Unknown);

    private static readonly string[] DropoutKinds = [IncidentKinds.WordOf(NoticeKind.Dropout), IncidentKinds.WordOf(NoticeKind.DeviceAway)], LateKinds = [IncidentKinds.WordOf(NoticeKind.Late), "stall"];

    private static string TimeOf(ulong ns) => ns == 0 ? "" : Moment.At(ns).Time;

    // All turns of a phase.
    private sealed class Turns(SoakPhase phase)
    {
        public SoakPhase Phase => phase;

        public TimedTally Tally { get; } = new();

        public Histogram Wakes;
        public long Dropouts;
        private int _count;
        private double _seconds;

        public void Add(double seconds)
        {
            _count++;
            _seconds += seconds;
        }

        public SoakPart Report() => new SoakPart
        {
            Name = phase.Name, Turns = _count, Seconds = Math.Round(_seconds, 3), Dropouts = Dropouts, WorstTime = TimeOf(Tally.WorstNs), WakeWorst = Wakes.Max / 1000.0,
            WakeP999 = Wakes.Percentile(0.999) / 1000.0, Did = phase.Did,
        }.With(Tally.Loads);
    }
}
