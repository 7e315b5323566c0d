// Two snapshots make a window: differences by thread, each thread the same one at both ends or not at all.
namespace SspHost.Diagnostics;

/// <summary>Why sources give nothing, as the probes know it.</summary>
internal sealed record MissingSources(
    IReadOnlyDictionary<string, string>? Engine = null, IReadOnlyDictionary<string, string>? Control = null, IReadOnlyDictionary<string, string>? System = null)
{
    public static MissingSources None { get; } = new();
}

/// <summary>Pure functions of two snapshots.</summary>
internal static class MetricsWindow
{
    /// <summary>
    /// The report over the time from <paramref name="a"/> to <paramref name="b"/>. Threads are matched by tid and start; one that is new is at 0,
    /// one that is gone is left out; a window without length gives zeros.
    /// </summary>
    public static MetricsReport Between(Snapshot a, Snapshot b, MissingSources missing)
    {
        var moment = Moment.At(b.Time);
        var ns = b.Time > a.Time ? b.Time - a.Time : 0;
        return new MetricsReport
        {
            Time = moment.Time,
            Monotonic = moment.Monotonic,
            Seconds = Math.Round(ns / 1e9, 3),
            Processes = [Process("engine", a.Engine, b.Engine, ns, missing.Engine), Process("ssp", a.Control, b.Control, ns, missing.Control)],
            System = System(a, b, ns, missing.System),
        };
    }

    /// <summary>A fraction of a window; 0 where it has no length or the counter went back.</summary>
    public static double Share(ulong from, ulong to, ulong ns) => ns == 0 || to <= from ? 0 : Math.Round((to - from) / (double)ns, 5);

    /// <summary>What a counter grew by; 0 where it went back.</summary>
    public static ulong Grown(ulong from, ulong to) => to > from ? to - from : 0;

    /// <summary>Place of the same thread in <paramref name="threads"/>, or -1.</summary>
    public static int Find(ReadOnlySpan<ThreadSample> threads, in ThreadSample thread)
    {
        var (low, high) = (0, threads.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) >> 1;
            var tid = threads[middle].Tid;
            if (tid == thread.Tid) return threads[middle].Start == thread.Start ? middle : -1;
            if (tid < thread.Tid) low = middle + 1;
            else high = middle - 1;
        }

        return -1;
    }

    /// <summary>
    /// Whether a kernel counts no time in schedstat although it offers the file (task accounting is off): a process that computed has all zeros.
    /// </summary>
    public static bool CountsNothing(ReadOnlySpan<ThreadSample> threads)
    {
        var ticks = 0UL;
        foreach (ref readonly var t in threads)
        {
            if (!t.HasSched || t.CpuNs != 0 || t.Slices != 0) return false;
            ticks += t.Ticks;
        }

        return ticks > 0;
    }

    private static ProcessMetrics Process(string name, ProcessSample a, ProcessSample b, ulong ns, IReadOnlyDictionary<string, string>? missing)
    {
        var same = a.Start == b.Start && a.Pid == b.Pid && b.Start != 0;
        var before = same ? a.All : default;
        var silent = CountsNothing(b.All);
        var threads = new List<ThreadMetrics>(b.Count);
        var cpu = 0.0;
        foreach (ref readonly var t in b.All)
        {
            var at = Find(before, in t);
            var was = at >= 0 ? before[at] : t; // a new one grew by nothing
            var sched = t.HasSched && was.HasSched && !silent;
            var share = sched ? Share(was.CpuNs, t.CpuNs, ns) : Share(was.Ticks * ProcText.TickNs, t.Ticks * ProcText.TickNs, ns);
            cpu += share;
            threads.Add(new ThreadMetrics
            {
                Tid = t.Tid,
                Name = t.NameText,
                State = t.State is >= (byte)'!' and <= (byte)'~' ? ((char)t.State).ToString() : "?",
                Policy = ProcText.PolicyName(t.Policy),
                Priority = t.Priority,
                Core = t.Core,
                Cpu = share,
                RunDelay = sched ? Share(was.WaitNs, t.WaitNs, ns) : null,
                MinorFaults = Grown(was.MinorFaults, t.MinorFaults),
                MajorFaults = Grown(was.MajorFaults, t.MajorFaults),
                Voluntary = t.HasSwitches ? Grown(was.Voluntary, t.Voluntary) : null,
                Involuntary = t.HasSwitches ? Grown(was.Involuntary, t.Involuntary) : null,
            });
        }

        var why = missing is { Count: > 0 } ? new SortedDictionary<string, string>(missing.ToDictionary(), StringComparer.Ordinal) : null;
        if (silent)
        {
            why ??= new SortedDictionary<string, string>(StringComparer.Ordinal);
            why["schedstat"] = "the kernel counts nothing in it (sysctl kernel.task_delayacct=1, or delayacct on its command line): CPU time counts in ticks of 10 ms, waiting for a core is not known";
        }

        return new ProcessMetrics
        {
            Name = name,
            Pid = b.Pid,
            Cpu = Math.Round(cpu, 5),
            MinorFaults = same ? Grown(a.MinorFaults, b.MinorFaults) : 0,
            MajorFaults = same ? Grown(a.MajorFaults, b.MajorFaults) : 0,
            Resident = Known(b.Resident),
            Locked = Known(b.Locked),
            Swapped = Known(b.Swapped),
            Files = b.Files >= 0 ? b.Files : null,
            LeftOut = b.LeftOut,
            Threads = threads,
            Unavailable = why,
        };
    }

    private static SystemMetrics System(Snapshot a, Snapshot b, ulong ns, IReadOnlyDictionary<string, string>? missing)
    {
        ref readonly var s = ref b.System;
        ref readonly var was = ref a.System;
        return new SystemMetrics
        {
            Cores = Cores(a, b),
            CpuPressure = Pair(in was.CpuSome, in s.CpuSome, in was.CpuFull, in s.CpuFull, ns),
            MemoryPressure = Pair(in was.MemorySome, in s.MemorySome, in was.MemoryFull, in s.MemoryFull, ns),
            IoPressure = Pair(in was.IoSome, in s.IoSome, in was.IoFull, in s.IoFull, ns),
            Load = s.HasLoad ? [s.Load1, s.Load5, s.Load15] : null,
            MemoryTotal = Known(s.MemoryTotal),
            MemoryAvailable = Known(s.MemoryAvailable),
            SwapTotal = Known(s.SwapTotal),
            SwapFree = Known(s.SwapFree),
            SwapIn = s.HasVmstat && was.HasVmstat ? Grown(was.SwapIn, s.SwapIn) : null,
            SwapOut = s.HasVmstat && was.HasVmstat ? Grown(was.SwapOut, s.SwapOut) : null,
            MajorFaults = s.HasVmstat && was.HasVmstat ? Grown(was.MajorFaults, s.MajorFaults) : null,
            Temperature = s.Temperature != int.MinValue ? s.Temperature / 1000.0 : null,
            Throttled = s.Throttled >= 0 && was.Throttled >= 0 ? Math.Max(0, s.Throttled - was.Throttled) : null,
            Cooling = Known(s.Cooling),
            DiskFree = Known(s.DiskFree),
            DiskTotal = Known(s.DiskTotal),
            Unavailable = missing is { Count: > 0 } ? new SortedDictionary<string, string>(missing.ToDictionary(), StringComparer.Ordinal) : null,
        };
    }

    private static List<CoreMetrics> Cores(Snapshot a, Snapshot b)
    {
        var cores = new List<CoreMetrics>(b.CoreCount);
        for (var i = 0; i < b.CoreCount; i++)
        {
            ref readonly var now = ref b.Cores[i];
            if (!TryCore(a, now.Core, out var was)) was = now;
            var all = (double)Grown(was.All, now.All);
            double Part(ulong from, ulong to) => all > 0 ? Math.Round(Math.Min(1, Grown(from, to) / all), 4) : 0;
            cores.Add(new CoreMetrics
            {
                Core = now.Core,
                Busy = Math.Round(Busy(in was, in now), 4),
                User = Part(was.User, now.User),
                System = Part(was.System, now.System),
                Interrupts = Part(was.Interrupt, now.Interrupt),
                Steal = Part(was.Steal, now.Steal),
                Megahertz = b.Kilohertz[i] > 0 ? b.Kilohertz[i] / 1000.0 : null,
            });
        }

        return cores;
    }

    /// <summary>Share of a window in which a core was not idle.</summary>
    public static double Busy(in CoreTicks was, in CoreTicks now)
    {
        var all = (double)Grown(was.All, now.All);
        return all > 0 ? Math.Clamp(1 - ((Grown(was.Idle, now.Idle) + Grown(was.Wait, now.Wait)) / all), 0, 1) : 0;
    }

    /// <summary>A core by its number.</summary>
    public static bool TryCore(Snapshot s, int core, out CoreTicks ticks)
    {
        for (var i = 0; i < s.CoreCount; i++)
        {
            if (s.Cores[i].Core != core) continue;
            ticks = s.Cores[i];
            return true;
        }

        ticks = default;
        return false;
    }

    private static PressurePair? Pair(in PressureLine someWas, in PressureLine some, in PressureLine fullWas, in PressureLine full, ulong ns) =>
        some.Present ? new PressurePair(Pressure(in someWas, in some, ns), full.Present ? Pressure(in fullWas, in full, ns) : null) : null;

    private static PressureMetrics Pressure(in PressureLine was, in PressureLine now, ulong ns) => new()
    {
        Average10 = Math.Round(now.Average10 / 100, 4),
        Window = was.Present ? Math.Min(1, Share(was.TotalMicroseconds * 1000, now.TotalMicroseconds * 1000, ns)) : 0,
        TotalMicroseconds = now.TotalMicroseconds,
    };

    private static long? Known(long value) => value >= 0 ? value : null;
}
