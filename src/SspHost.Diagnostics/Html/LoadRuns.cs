// From what the flight recorder kept of a host that plays to a run that a load report shows.
using System.Globalization;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Diagnostics.Tracing;

namespace SspHost.Diagnostics.Html;

/// <summary>Makes a <see cref="LoadRun"/> of the present.</summary>
public static unsafe class LoadRuns
{
    private const int Step = 1 << 16;

    // An incident is told a moment after its quantum: the spike that was marked then is the one.
    private const ulong NearNs = 100_000_000;

    /// <summary>
    /// What is known by now: loads of up to 2^21 quanta, what happened in them, zones of the worst and of each late one, histograms of the modules.
    /// Throws <see cref="TraceException"/> where nothing was traced.
    /// </summary>
    public static LoadRun Take(FlightRecorder flight, RegionMap map, IReadOnlyList<Incident> incidents, string name)
    {
        if (!map.AudioStatus->TryRead(out var audio) || audio.Rate == 0) throw new TraceException("nothing plays, so there is no load to show");
        var (first, end) = flight.Loads.Range;
        if (end <= first) throw new TraceException("no quantum was traced: tracing is off ('ssp trace on'), or has only just begun");
        var clock = flight.Clock();
        var times = flight.Loads.Times().Select(t => (t.Quantum, Ns: clock.Nanoseconds(t.Ticks))).ToArray();
        var budget = audio.Quantum * 1e9 / audio.Rate;
        var spikes = flight.Spikes.Spikes;
        var began = NsOf(times, first, budget) ?? Linux.Now();
        return new LoadRun
        {
            Name = name,
            EngineVersion = VersionOf(map),
            Machine = Machine(audio),
            Rate = audio.Rate,
            Quantum = audio.Quantum,
            BudgetNs = budget,
            StartTime = Moment.At(began).Time,
            FirstQuantum = first,
            Loads = Codes(flight.Loads, first, end),
            Marks = Marks(incidents, spikes, times, budget, first, end),
            Spikes = [.. spikes.Where(s => s.Quantum >= first && s.Quantum < end).Select(Lens)],
            Modules = Modules(map),
        };
    }

    private static ushort[] Codes(LoadHistory history, ulong first, ulong end)
    {
        var codes = new ushort[end - first];
        var loads = new float[Step];
        for (var at = 0; at < codes.Length; at += Step)
        {
            var n = Math.Min(Step, codes.Length - at);
            _ = history.Copy(first + (ulong)at, loads.AsSpan(0, n));
            for (var i = 0; i < n; i++) codes[at + i] = float.IsNaN(loads[i]) ? LoadCode.Gap : LoadCode.Encode(loads[i]);
        }

        return codes;
    }

    private static List<LoadMark> Marks(
        IReadOnlyList<Incident> incidents, IReadOnlyList<Spike> spikes, (ulong Quantum, ulong Ns)[] times, double budget, ulong first, ulong end)
    {
        var marks = new List<LoadMark>();
        foreach (var i in incidents)
        {
            LoadMarkKind? kind = i.Kind switch { "late" => LoadMarkKind.Late, "dropout" => LoadMarkKind.Dropout, "stall" => LoadMarkKind.Stall, _ => null };
            if (kind == null || !ulong.TryParse(i.Monotonic, NumberStyles.None, CultureInfo.InvariantCulture, out var ns)) continue;
            var marked = spikes.Where(s => (kind == LoadMarkKind.Dropout ? s.Dropout : s.Late) && Distance(s.Time, ns) < NearNs).MinBy(s => Distance(s.Time, ns));
            if ((marked?.Quantum ?? QuantumAt(times, ns, budget)) is not { } quantum || quantum < first || quantum >= end) continue;
            marks.Add(new LoadMark
            {
                Quantum = quantum,
                Kind = kind.Value,
                Cause = i.Cause ?? "",
                Module = i.Module,
                Text = i.Detail is { Count: > 0 } detail ? i.Text + "\n" + string.Join('\n', detail) : i.Text,
                Incident = (ulong)(i.Engine ?? 0),
                LostFrames = kind == LoadMarkKind.Dropout ? i.Figures.GetValueOrDefault("frames") : 0,
            });
        }

        return marks;
    }

    private static LoadSpike Lens(Spike s)
    {
        var facts = new List<SpikeFact>();
        if (s.Faults > 0) facts.Add(new SpikeFact(SpikeFactKind.Fault, "audio", null, s.Faults, "page faults of RT threads in and around this quantum"));
        if (s.Preemptions > 0) facts.Add(new SpikeFact(SpikeFactKind.Preempted, "audio", null, s.Preemptions, "times its core was taken from an RT thread in and around it"));
        return new LoadSpike
        {
            Quantum = s.Quantum,
            Zones = [.. s.Zones.Where(z => TraceView.IsZone(z.Kind)).Select(z => new SpikeZone(
                z.Seat == 0 ? "audio" : string.Create(CultureInfo.InvariantCulture, $"worker {z.Seat}"),
                z.Name ?? (z.Kind == TraceKind.Module ? string.Create(CultureInfo.InvariantCulture, $"module in slot {z.Slot}") : IncidentKinds.WordOf(z.Kind)),
                IncidentKinds.WordOf(z.Kind),
                (long)(z.Start - s.Time),
                (long)z.Nanoseconds,
                z.Core,
                z.Slot))],
            Facts = facts,
            Notes = s.Dropout ? ["frames were lost here"] : [],
        };
    }

    private static List<ModuleTimes> Modules(RegionMap map)
    {
        var modules = new List<ModuleTimes>();
        for (var slot = 0; slot < Limits.MaxInstances; slot++)
        {
            var record = map.Instances[slot];
            if (record.State != InstanceState.Active || record.Histogram == 0) continue;
            var h = *(Histogram*)map.At(record.Histogram);
            if (map.Instances[slot].Key != record.Key || h.Count == 0) continue; // it left meanwhile: its memory may be another's
            var buckets = new List<TimeBucket>();
            for (var b = 0; b < Histogram.Buckets; b++)
                if (h.Counts[b] != 0) buckets.Add(new TimeBucket(Histogram.LowerBound(b), Histogram.LowerBound(b + 1), h.Counts[b]));
            modules.Add(new ModuleTimes { Name = InstanceTimes.NameOf(in record), Slot = slot, MeanNs = h.Sum / (double)h.Count, MaxNs = h.Max, Buckets = buckets });
        }

        return modules;
    }

    // Between the known times a quantum lasts as long as it has; a stop in between is a gap anyway.
    private static ulong? QuantumAt((ulong Quantum, ulong Ns)[] times, ulong ns, double budget)
    {
        for (var i = times.Length - 1; i >= 0; i--)
            if (times[i].Ns <= ns) return times[i].Quantum + (ulong)((ns - times[i].Ns) / budget);
        return null;
    }

    private static ulong? NsOf((ulong Quantum, ulong Ns)[] times, ulong quantum, double budget)
    {
        if (times.Length == 0) return null;
        var (q, ns) = times[0];
        return ns - (ulong)Math.Min(ns, (q - Math.Min(q, quantum)) * budget);
    }

    private static ulong Distance(ulong a, ulong b) => a > b ? a - b : b - a;

    private static string VersionOf(RegionMap map)
    {
        var bytes = new ReadOnlySpan<byte>(map.Header->Version, 32);
        var end = bytes.IndexOf((byte)0);
        return System.Text.Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }

    private static string Machine(in AudioStatus audio)
    {
        string? model = null;
        try
        {
            model = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal) || l.StartsWith("Hardware", StringComparison.Ordinal));
        }
        catch (IOException)
        {
            // Then without.
        }

        var name = model?[(model.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim() ?? RuntimeInformation.OSArchitecture.ToString();
        return string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} cores of {name}, {RuntimeInformation.OSDescription}, {audio.Threads} RT threads{(audio.RealTime != 0 ? "" : " (not real-time)")}");
    }
}
