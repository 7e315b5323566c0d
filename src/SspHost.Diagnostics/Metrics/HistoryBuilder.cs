// Makes columns of the ring: one number a step for each thread and core, so that a minute at ten a second stays readable by programs and small.
namespace SspHost.Diagnostics;

/// <summary>Reads a ring from its oldest snapshot on.</summary>
internal static class HistoryBuilder
{
    /// <summary>
    /// The history up to the newest snapshot; null: there are not two yet. <paramref name="every"/>: snapshots in a step.
    /// <paramref name="seconds"/>: how far back at most.
    /// </summary>
    public static MetricsHistory? Build(SnapshotRing ring, int every = 1, double seconds = double.PositiveInfinity)
    {
        var last = ring.Published - 1;
        var (a, b) = (new Snapshot(), new Snapshot());
        if (!ring.TryCopy(last, b)) return null;
        var end = b.Time;
        var first = last;
        while (first - every >= ring.Oldest && ring.TryCopy(first - every, a) && end - a.Time <= seconds * 1e9 + 50e6) first -= every;
        var steps = (int)((last - first) / every);
        if (steps < 1 || !ring.TryCopy(first, a)) return null;

        var times = new double[steps];
        var columns = new Columns(steps);
        var processes = new[] { new ProcessColumns("engine", steps), new ProcessColumns("ssp", steps) };
        var cores = new SortedDictionary<int, CoreHistory>();
        for (var step = 0; step < steps; step++)
        {
            if (!ring.TryCopy(first + ((long)(step + 1) * every), b)) break; // the writer overtook: cannot be, a minute is long
            times[step] = 0.0 - Math.Round((end - b.Time) / 1e9, 3);
            columns.Add(step, a, b);
            for (var i = 0; i < b.CoreCount; i++) AddCore(cores, steps, step, a, b.Cores[i]);
            var ns = b.Time - a.Time;
            processes[0].Add(step, a.Engine, b.Engine, ns);
            processes[1].Add(step, a.Control, b.Control, ns);
            (a, b) = (b, a);
        }

        return new MetricsHistory
        {
            Seconds = times,
            Cores = [.. cores.Values],
            CpuPressure = columns.Cpu,
            MemoryPressure = columns.Memory,
            IoPressure = columns.Io,
            MemoryAvailable = columns.Available,
            MajorFaults = columns.Major,
            SwapOut = columns.SwapOut,
            Processes = [.. processes.Select(p => p.Report())],
        };
    }

    private static void AddCore(SortedDictionary<int, CoreHistory> cores, int steps, int step, Snapshot a, in CoreTicks now)
    {
        if (!cores.TryGetValue(now.Core, out var column)) cores[now.Core] = column = new CoreHistory(now.Core, new double?[steps], new double?[steps]);
        if (!MetricsWindow.TryCore(a, now.Core, out var was)) return;
        var all = (double)MetricsWindow.Grown(was.All, now.All);
        if (all <= 0) return;
        ((double?[])column.Busy)[step] = Math.Round(Math.Clamp(1 - ((MetricsWindow.Grown(was.Idle, now.Idle) + MetricsWindow.Grown(was.Wait, now.Wait)) / all), 0, 1), 3);
        ((double?[])column.Steal)[step] = Math.Round(MetricsWindow.Grown(was.Steal, now.Steal) / all, 3);
    }

    private sealed class Columns(int steps)
    {
        public readonly double?[] Cpu = new double?[steps], Memory = new double?[steps], Io = new double?[steps];
        public readonly double?[] Available = new double?[steps], Major = new double?[steps], SwapOut = new double?[steps];

        public void Add(int step, Snapshot a, Snapshot b)
        {
            var ns = b.Time - a.Time;
            Cpu[step] = Pressure(in a.System.CpuSome, in b.System.CpuSome, ns);
            Memory[step] = Pressure(in a.System.MemoryFull, in b.System.MemoryFull, ns);
            Io[step] = Pressure(in a.System.IoFull, in b.System.IoFull, ns);
            if (b.System.MemoryAvailable >= 0) Available[step] = b.System.MemoryAvailable;
            if (!a.System.HasVmstat || !b.System.HasVmstat) return;
            Major[step] = MetricsWindow.Grown(a.System.MajorFaults, b.System.MajorFaults);
            SwapOut[step] = MetricsWindow.Grown(a.System.SwapOut, b.System.SwapOut);
        }

        private static double? Pressure(in PressureLine was, in PressureLine now, ulong ns) =>
            was.Present && now.Present ? Math.Round(Math.Min(1, MetricsWindow.Share(was.TotalMicroseconds * 1000, now.TotalMicroseconds * 1000, ns)), 3) : null;
    }

    private sealed class ThreadColumns(int steps)
    {
        public string Name = "";
        public bool Idle = true;
        public readonly double?[] Cpu = new double?[steps], Delay = new double?[steps], Faults = new double?[steps], Taken = new double?[steps], Core = new double?[steps];
    }

    private sealed class ProcessColumns(string name, int steps)
    {
        private readonly SortedDictionary<(int Tid, ulong Start), ThreadColumns> _threads = [];
        private readonly double?[] _resident = new double?[steps];
        private int _pid;

        public void Add(int step, ProcessSample a, ProcessSample b, ulong ns)
        {
            if (b.Pid == 0) return;
            _pid = b.Pid;
            if (b.Resident >= 0) _resident[step] = b.Resident;
            if (a.Start != b.Start) return;
            var silent = MetricsWindow.CountsNothing(b.All);
            foreach (ref readonly var t in b.All)
            {
                var at = MetricsWindow.Find(a.All, in t);
                if (at < 0) continue;
                ref readonly var was = ref a.All[at];
                if (!_threads.TryGetValue((t.Tid, t.Start), out var column)) _threads[(t.Tid, t.Start)] = column = new ThreadColumns(steps);
                var sched = t.HasSched && was.HasSched && !silent;
                var cpu = sched ? MetricsWindow.Share(was.CpuNs, t.CpuNs, ns) : MetricsWindow.Share(was.Ticks, t.Ticks, ns / ProcText.TickNs);
                var faults = MetricsWindow.Grown(was.MinorFaults + was.MajorFaults, t.MinorFaults + t.MajorFaults);
                column.Name = t.NameText;
                column.Cpu[step] = Math.Round(cpu, 4);
                if (sched) column.Delay[step] = Math.Round(MetricsWindow.Share(was.WaitNs, t.WaitNs, ns), 4);
                column.Faults[step] = faults;
                if (t.HasSwitches) column.Taken[step] = MetricsWindow.Grown(was.Involuntary, t.Involuntary);
                column.Core[step] = t.Core;
                column.Idle &= cpu < 0.0005 && faults == 0;
            }
        }

        public ProcessHistory Report() => new(
            name, _pid, _threads.Values.Count(t => t.Idle), _resident,
            [.. _threads.Where(t => !t.Value.Idle).Select(t => new ThreadHistory
            {
                Tid = t.Key.Tid,
                Name = t.Value.Name,
                Cpu = t.Value.Cpu,
                RunDelay = t.Value.Delay,
                Faults = t.Value.Faults,
                Involuntary = t.Value.Taken,
                Core = t.Value.Core,
            })]);
    }
}
