// Turns snapshots of the region into reports: percentiles of the last window, peaks that no look missed.
using System.Text;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

/// <summary>Watches one engine. Not thread-safe: one watcher, one sampler; the link must outlive its calls.</summary>
public sealed unsafe class StatusSampler
{
    private const int MostDearest = 8;

    private readonly EngineLink _link;
    private readonly CostSampler _costs;
    private readonly HistogramWindow[] _windows = new HistogramWindow[(int)HistogramKind.Count];
    private ulong _since = Linux.Now();
    private readonly float[] _inputPeaks = new float[Limits.MaxJacks];
    private readonly float[] _outputPeaks = new float[Limits.MaxJacks];

    /// <summary>A sampler whose first window starts now.</summary>
    public StatusSampler(EngineLink link)
    {
        _link = link;
        for (var k = 0; k < _windows.Length; k++) _windows[k] = new HistogramWindow(link.Map, (HistogramKind)k);
        _costs = new CostSampler(link);
    }

    /// <summary>Costs of all modules over the window of the last report; null before the first.</summary>
    public CostsReport? Costs { get; private set; }

    /// <summary>Looks at the peaks. They are the engine's since its last snapshot only, so look often: 20 times a second shows a drum.</summary>
    public void Look()
    {
        if (!_link.TryAudio(out var audio)) return;
        for (var j = 0; j < Limits.MaxJacks; j++)
        {
            _inputPeaks[j] = Math.Max(_inputPeaks[j], LevelsSampler.Volts(audio.InputPeaks[j]));
            _outputPeaks[j] = Math.Max(_outputPeaks[j], LevelsSampler.Volts(audio.OutputPeaks[j]));
        }
    }

    /// <summary>The report over the time since the last one, and starts the next window.</summary>
    public StatusReport Take()
    {
        Look();
        var header = _link.Map.Header;
        var (now, began) = (Linux.Now(), _since);
        _since = now;
        var moment = Moment.At(now);
        _ = _link.TrySteward(out var steward);
        var report = new StatusReport
        {
            State = NameOf(_link.State),
            Time = moment.Time,
            Monotonic = moment.Monotonic,
            Seconds = Math.Round((now - began) / 1e9, 3),
            LostNotices = _link.Map.Notices.Dropped,
            Stalls = steward.Stalls,
            Takeovers = steward.Takeovers,
            EnginePid = header->EnginePid,
            EngineVersion = _link.Version,
            Uptime = (now - Math.Min(now, header->StartedAt)) / 1e9,
            Audio = TakeAudio(),
            Memory = Memory(),
            Threads = ReadThreads(_link.Map),
            Midi = MidiSampler.Read(_link.Map),
            Shed = Shed(new ReadOnlySpan<InstanceRecord>(_link.Map.Instances, Limits.MaxInstances)),
            Dearest = Dearest(Costs = _costs.Take()),
        };
        Array.Clear(_inputPeaks);
        Array.Clear(_outputPeaks);
        return report;
    }

    /// <summary>Name of a state as reports use it.</summary>
    public static string NameOf(EngineState state) => state switch
    {
        EngineState.Starting => "starting",
        EngineState.Stopped => "stopped",
        EngineState.Playing => "playing",
        EngineState.DeviceLost => "deviceLost",
        EngineState.Ending => "ending",
        _ => "unknown",
    };

    /// <summary>The RT threads of an engine.</summary>
    public static IReadOnlyList<ThreadReport> ReadThreads(RegionMap map)
    {
        var threads = new List<ThreadReport>();
        for (var i = 0; i < Limits.MaxThreads; i++)
        {
            if (map.Threads[i].Tid != 0) threads.Add(ReadThread(map.Threads[i]));
        }

        return threads;
    }

    /// <summary>A thread of the engine.</summary>
    public static ThreadReport ReadThread(ThreadRecord t)
    {
        var name = new ReadOnlySpan<byte>(t.Name, 16);
        var end = name.IndexOf((byte)0);
        return new ThreadReport
        {
            Name = Encoding.UTF8.GetString(end < 0 ? name : name[..end]),
            Tid = t.Tid,
            Core = t.Core,
            Policy = t.Policy == 1 ? "FIFO" : "OTHER",
            Priority = t.Priority,
            FlushToZero = t.FlushToZero != 0,
            StackLocked = t.StackLocked != 0,
            Quanta = t.Quanta,
            Nodes = t.Nodes,
            Faults = t.Faults,
            Preemptions = t.Preemptions,
            AllocatedBytes = t.AllocatedBytes,
        };
    }

    /// <summary>Percentiles of a histogram, its values divided by <paramref name="unit"/>.</summary>
    public static Distribution Summarise(in Histogram h, double unit) =>
        new(h.Count, h.Percentile(0.5) / unit, h.Percentile(0.99) / unit, h.Percentile(0.999) / unit, h.Max / unit);

    // What was timed; the list is in this order already.
    private static IReadOnlyList<ModuleLoadReport> Dearest(CostsReport costs) =>
        [.. costs.Modules.Where(m => m.Nanoseconds != null && !m.Leaving).Take(MostDearest).Select(m => new ModuleLoadReport
        {
            Name = m.Name,
            Module = m.Module,
            Nanoseconds = m.Nanoseconds ?? 0,
            Share = m.Share ?? 0,
        })];

    /// <summary>Which of these are switched off, and why.</summary>
    public static IReadOnlyList<ShedReport> Shed(ReadOnlySpan<InstanceRecord> records)
    {
        var shed = new List<ShedReport>();
        foreach (ref readonly var r in records)
        {
            if (r.State != InstanceState.Active || r.Shed == ShedReason.None) continue;
            shed.Add(new ShedReport { Name = InstanceTimes.NameOf(in r), Reason = IncidentKinds.WordOf(r.Shed) });
        }

        return shed;
    }

    private AudioReport? TakeAudio()
    {
        if (!_link.TryAudio(out var a) || a.Rate == 0) return null;
        return new AudioReport
        {
            Rate = a.Rate,
            Quantum = a.Quantum,
            Period = a.Period,
            Periods = a.Periods,
            Inputs = a.Inputs,
            Outputs = a.Outputs,
            Threads = a.Threads,
            RealTime = a.RealTime != 0,
            Quanta = a.Quanta,
            Frames = a.Frames,
            PlanSerial = a.PlanSerial,
            Late = a.Late,
            Dropouts = a.Dropouts,
            LostFrames = a.LostFrames,
            ClockJumps = a.ClockJumps,
            Away = a.Away != 0,
            Faults = a.Faults,
            BadOutputs = a.BadOutputs,
            DroppedEvents = a.DroppedEvents,
            AllocatedBytes = a.AllocatedBytes,
            MasterGain = a.MasterGain,
            Settled = a.Settled != 0,
            LoadNow = a.Load,
            Load = Summarise(_windows[(int)HistogramKind.Load].Next(), 1e6),
            RenderMicroseconds = Summarise(_windows[(int)HistogramKind.Quantum].Next(), 1e3),
            WakeMicroseconds = Summarise(_windows[(int)HistogramKind.Wake].Next(), 1e3),
            JoinMicroseconds = Summarise(_windows[(int)HistogramKind.Join].Next(), 1e3),
            InputPeaks = _inputPeaks[..Math.Clamp(a.Inputs, 0, Limits.MaxJacks)],
            OutputPeaks = _outputPeaks[..Math.Clamp(a.Outputs, 0, Limits.MaxJacks)],
        };
    }

    private MemoryReport? Memory() => !_link.TrySteward(out var s)
        ? null
        : new MemoryReport
        {
            RegionBytes = _link.Map.Bytes,
            PoolBytes = s.PoolBytes,
            PoolLive = s.PoolLive,
            PoolPeak = s.PoolPeak,
            PoolLargest = s.PoolLargest,
            PoolFailed = s.PoolFailed,
            PoolFragmentation = EngineReports.TryPool(_link.Map, out var p) ? Math.Round(Math.Clamp(p.ExternalFragmentation, 0, 1), 4) : null,
            Collections = s.Collections,
            AllocatedBytes = s.AllocatedBytes,
            Instances = s.Instances,
            LockWanted = s.LockWanted,
            Locked = s.Locked,
            ImageWanted = s.ImageWanted,
            ImageLocked = s.ImageLocked,
        };
}
