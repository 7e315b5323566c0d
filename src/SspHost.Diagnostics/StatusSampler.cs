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
    private readonly InstanceTimes _times = new();
    private IReadOnlyList<ModuleDescriptor>? _modules;
    private readonly HistogramWindow[] _windows = new HistogramWindow[(int)HistogramKind.Count];
    private readonly float[] _inputPeaks = new float[Limits.MaxJacks];
    private readonly float[] _outputPeaks = new float[Limits.MaxJacks];

    /// <summary>A sampler whose first window starts now.</summary>
    public StatusSampler(EngineLink link)
    {
        _link = link;
        for (var k = 0; k < _windows.Length; k++) _windows[k] = new HistogramWindow(link.Map, (HistogramKind)k);
        _ = _times.Next(Instances, 1);
    }

    private ReadOnlySpan<InstanceRecord> Instances => new(_link.Map.Instances, Limits.MaxInstances);

    /// <summary>Looks at the peaks. They are the engine's since its last snapshot only, so look often: 20 times a second shows a drum.</summary>
    public void Look()
    {
        if (!_link.TryAudio(out var audio)) return;
        for (var j = 0; j < Limits.MaxJacks; j++)
        {
            _inputPeaks[j] = Math.Max(_inputPeaks[j], audio.InputPeaks[j]);
            _outputPeaks[j] = Math.Max(_outputPeaks[j], audio.OutputPeaks[j]);
        }
    }

    /// <summary>The report over the time since the last one, and starts the next window.</summary>
    public StatusReport Take()
    {
        Look();
        var header = _link.Map.Header;
        var report = new StatusReport
        {
            State = NameOf(_link.State),
            EnginePid = header->EnginePid,
            EngineVersion = _link.Version,
            Uptime = (Linux.Now() - Math.Min(Linux.Now(), header->StartedAt)) / 1e9,
            Audio = TakeAudio(),
            Memory = Memory(),
            Threads = ReadThreads(_link.Map),
            Shed = Shed(Instances),
            Dearest = TakeDearest(),
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
            var t = map.Threads[i];
            if (t.Tid == 0) continue;
            var name = new ReadOnlySpan<byte>(t.Name, 16);
            var end = name.IndexOf((byte)0);
            threads.Add(new ThreadReport
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
            });
        }

        return threads;
    }

    /// <summary>Percentiles of a histogram, its values divided by <paramref name="unit"/>.</summary>
    public static Distribution Summarise(in Histogram h, double unit) =>
        new(h.Count, h.Percentile(0.5) / unit, h.Percentile(0.99) / unit, h.Percentile(0.999) / unit, h.Max / unit);

    /// <summary>The dearest of these instances, first the one that took most per quantum.</summary>
    public static IReadOnlyList<ModuleLoadReport> Dearest(IEnumerable<InstanceTime> times, IReadOnlyList<ModuleDescriptor> modules, int rate, int quantum) =>
        [.. times.OrderByDescending(t => t.Nanoseconds / (double)t.Quanta).Take(MostDearest).Select(t => new ModuleLoadReport
        {
            Name = t.Name,
            Module = (uint)t.Module < (uint)modules.Count ? modules[t.Module].Id : "",
            Nanoseconds = t.Nanoseconds / (double)t.Quanta,
            Share = t.Nanoseconds / (double)t.Quanta / (quantum * 1e9 / rate),
        })];

    private IReadOnlyList<ModuleLoadReport> TakeDearest()
    {
        var times = _times.Next(Instances, 1);
        if (times.Count == 0 || !_link.TryAudio(out var a) || a.Rate == 0 || a.Quantum == 0) return [];
        return Dearest(times, _modules ??= _link.ReadDescriptors(), a.Rate, a.Quantum);
    }

    /// <summary>Which of these are switched off, and why.</summary>
    public static IReadOnlyList<ShedReport> Shed(ReadOnlySpan<InstanceRecord> records)
    {
        var shed = new List<ShedReport>();
        foreach (ref readonly var r in records)
        {
            if (r.State != InstanceState.Active || r.Shed == ShedReason.None) continue;
            var reason = r.Shed switch { ShedReason.Failures => "failures", ShedReason.Overload => "overload", ShedReason.Stuck => "stuck", _ => "fault" };
            shed.Add(new ShedReport { Name = InstanceTimes.NameOf(in r), Reason = reason });
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
            Collections = s.Collections,
            AllocatedBytes = s.AllocatedBytes,
            Instances = s.Instances,
        };
}
