// Two snapshots and what is made of them, rule by rule; then the kernel itself as the judge.
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Diagnostics;

namespace SspHost.Tests;

public sealed unsafe partial class MetricsTests : IDisposable
{
    private const int Engine = 42, Own = 50;
    private const ulong Second = 1_000_000_000;
    private readonly ProcTree _tree = new ProcTree().Process(Engine, start: 100).Process(Own, start: 200).System();

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void A_thread_is_told_by_what_its_counters_grew_by_as_a_fraction_of_the_window()
    {
        _tree.Thread(Engine, 43, cpu: Second, wait: Second / 2, minor: 10, major: 1, voluntary: 100, involuntary: 3);
        using var probe = new Probe(_tree.Root);
        var a = probe.Take(at: 5 * Second);
        _tree.Thread(Engine, 43, cpu: Second + (Second / 4), wait: (Second / 2) + (Second / 50), minor: 14, major: 3, voluntary: 150, involuntary: 5, core: 3).Process(Engine, 100, minor: 20, major: 4);
        var engine = Report(a, probe.Take(at: 6 * Second)).Processes[0];
        var t = Assert.Single(engine.Threads);
        Assert.Equal((43, "ssp-audio", "S", "FIFO", 80, 3), (t.Tid, t.Name, t.State, t.Policy, t.Priority, t.Core));
        Assert.Equal((0.25, (double?)0.02), (t.Cpu, t.RunDelay));
        Assert.Equal((4UL, 2UL, (ulong?)50, (ulong?)2), (t.MinorFaults, t.MajorFaults, t.Voluntary, t.Involuntary));
        Assert.Equal((0.25, 20UL, 4UL), (engine.Cpu, engine.MinorFaults, engine.MajorFaults));
        Assert.Equal(((long?)(30_720L * 1024), (long?)(262_144L * 1024), (long?)0, (int?)3), (engine.Resident, engine.Locked, engine.Swapped, engine.Files));
        Assert.Null(engine.Unavailable);
    }

    [Fact]
    public void A_thread_that_is_new_is_at_zero_one_that_vanished_is_left_out_and_all_are_in_order()
    {
        _tree.Thread(Engine, 60, cpu: 5).Thread(Engine, 44, cpu: 5).Thread(Engine, 50, cpu: 5);
        using var probe = new Probe(_tree.Root);
        var a = probe.Take(Second);
        _tree.Remove("proc/42/task/50").Thread(Engine, 43, cpu: 900 * Second, minor: 77, voluntary: 5).Thread(Engine, 60, cpu: 5 + Second);
        var threads = Report(a, probe.Take(2 * Second)).Processes[0].Threads;
        Assert.Equal([43, 44, 60], threads.Select(t => t.Tid));
        Assert.Equal((0.0, (double?)0, 0UL, (ulong?)0), (threads[0].Cpu, threads[0].RunDelay, threads[0].MinorFaults, threads[0].Voluntary));
        Assert.Equal(1, threads[2].Cpu);
    }

    [Fact]
    public void A_tid_that_came_again_is_another_thread_and_a_pid_that_came_again_another_process()
    {
        _tree.Thread(Engine, 43, start: 100, cpu: Second);
        using var probe = new Probe(_tree.Root);
        var a = probe.Take(Second);
        _tree.Thread(Engine, 43, start: 101, cpu: 2 * Second, minor: 5);
        var b = probe.Take(2 * Second);
        Assert.Equal((0.0, 0UL), (Report(a, b).Processes[0].Threads[0].Cpu, Report(a, b).Processes[0].Threads[0].MinorFaults));
        _tree.Process(Engine, start: 999, minor: 500).Thread(Engine, 43, start: 101, cpu: 3 * Second);
        var engine = Report(b, probe.Take(3 * Second)).Processes[0];
        Assert.Equal((0UL, 0.0), (engine.MinorFaults, engine.Cpu));
    }

    [Fact]
    public void A_window_without_length_and_counters_that_go_back_give_finite_numbers()
    {
        _tree.Thread(Engine, 43, cpu: Second, wait: Second, minor: 9, voluntary: 9);
        using var probe = new Probe(_tree.Root);
        var a = probe.Take(Second);
        _tree.Thread(Engine, 43, cpu: Second * 2, wait: Second * 2);
        foreach (var report in new[] { Report(a, a), Report(a, probe.Take(Second)), Report(probe.Take(9 * Second), a) })
        {
            var json = JsonSerializer.Serialize(report, MetricsJson.Default.MetricsReport); // throws on what is no number
            Assert.DoesNotContain("NaN", json, StringComparison.Ordinal);
            Assert.All(report.Processes[0].Threads, t => Assert.True(t.Cpu is >= 0 and < 100 && t.RunDelay is >= 0));
        }
    }

    [Fact]
    public void A_source_that_is_missing_says_so_and_the_others_go_on()
    {
        _tree.Thread(Engine, 43, ticks: 100, sched: false).Remove("proc/pressure").Remove("proc/vmstat");
        using var probe = new Probe(_tree.Root);
        var a = probe.Take(Second);
        _tree.Thread(Engine, 43, ticks: 137, sched: false);
        var b = probe.Take(2 * Second);
        var report = Report(a, b, probe.Missing);
        var t = report.Processes[0].Threads[0];
        Assert.Equal((0.37, (double?)null), (t.Cpu, t.RunDelay)); // ticks of 10 ms are what is left
        Assert.Contains("ticks of 10 ms", report.Processes[0].Unavailable!["schedstat"], StringComparison.Ordinal);
        Assert.Null(report.System.CpuPressure);
        Assert.Contains("psi=1", report.System.Unavailable!["cpu pressure"], StringComparison.Ordinal);
        Assert.Equal("the kernel does not offer it", report.System.Unavailable["vmstat"]);
        Assert.Null(report.System.MajorFaults);
        Assert.NotNull(report.System.Load);
    }

    [Fact]
    public void A_kernel_that_counts_nothing_in_schedstat_is_not_believed()
    {
        _tree.Thread(Engine, 43, ticks: 100);
        using var probe = new Probe(_tree.Root);
        var a = probe.Take(Second);
        _tree.Thread(Engine, 43, ticks: 150);
        var engine = Report(a, probe.Take(2 * Second)).Processes[0];
        Assert.Equal((0.5, (double?)null), (engine.Threads[0].Cpu, engine.Threads[0].RunDelay));
        Assert.Contains("task_delayacct", engine.Unavailable!["schedstat"], StringComparison.Ordinal);
    }

    [Fact]
    public void A_process_that_does_not_run_has_no_threads_and_says_why_until_it_runs()
    {
        _tree.Remove("proc/42");
        using var probe = new Probe(_tree.Root);
        var a = probe.Take(Second);
        var none = Report(a, a, probe.Missing).Processes[0];
        Assert.Empty(none.Threads);
        Assert.Equal("it does not run", none.Unavailable!["process"]);
        _tree.Process(Engine, 7).Thread(Engine, 43, cpu: 1);
        Assert.Single(Report(a, probe.Take(2 * Second), probe.Missing).Processes[0].Threads);
    }

    [Fact]
    public void Cores_pressure_memory_and_load_are_told_over_the_window()
    {
        using var probe = new Probe(_tree.Root);
        _tree.Put("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1800000\n").Put("sys/class/thermal/thermal_zone0/temp", "61500\n");
        var a = probe.Take(Second);
        _tree.System(busy: 1060).Put("proc/stat", "cpu0 100 0 50 900 10 5 5 0\ncpu1 1060 0 0 1030 0 0 0 30\n")
            .Put("proc/pressure/cpu", "some avg10=20.00 avg60=1.00 avg300=0.50 total=262345\n");
        var system = Report(a, probe.Take(2 * Second)).System;
        Assert.Equal([0.0, 0.7], system.Cores.Select(c => c.Busy)); // 60 of 100 ticks of its own, 10 the hypervisor's
        Assert.Equal((0.6, 0.1), (system.Cores[1].User, system.Cores[1].Steal));
        Assert.Equal((0.2, 0.25, 262_345UL), (system.CpuPressure!.Some!.Average10, system.CpuPressure.Some.Window, system.CpuPressure.Some.TotalMicroseconds));
        Assert.Null(system.CpuPressure.Full); // kernels before 5.13
        Assert.Equal((4L << 30, 2L << 30), (system.MemoryTotal, system.MemoryAvailable));
        Assert.Equal([0.5, 0.4, 0.3], system.Load);
    }

    [Fact]
    public void Frequency_heat_and_throttling_are_told_where_the_kernel_offers_them()
    {
        _tree.Put("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1800000\n").Put("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "600000\n")
            .Put("sys/class/thermal/thermal_zone0/temp", "40000\n").Put("sys/class/thermal/thermal_zone1/temp", "61500\n").Put("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "5\n");
        using var probe = new Probe(_tree.Root);
        var system = Report(probe.Take(1), probe.Take(2)).System;
        Assert.Equal([1800.0, 600.0], system.Cores.Select(c => c.Megahertz));
        Assert.Equal((61.5, 0L), (system.Temperature, system.Throttled));
    }

    [Fact]
    public void Threads_beyond_the_bound_are_counted_and_files_are_closed_when_their_thread_is_gone()
    {
        for (var i = 0; i < ProcessProbe.MaxThreads + 5; i++) _tree.Thread(Engine, 1000 + i, cpu: 1);
        using var probe = new ProcessProbe(Path.Combine(_tree.Root, "proc"));
        var sample = new ProcessSample();
        probe.Take(Engine, sample);
        Assert.Equal((ProcessProbe.MaxThreads, 5), (sample.Count, sample.LeftOut));
        Assert.Equal(4 + (3 * ProcessProbe.MaxThreads), probe.Held);
        for (var i = 2; i < ProcessProbe.MaxThreads + 5; i++) _tree.Remove($"proc/42/task/{1000 + i}");
        probe.Take(Engine, sample);
        Assert.Equal((2, 0, 4 + 6), (sample.Count, sample.LeftOut, probe.Held));
    }

    [Fact]
    public void Names_may_hold_anything_and_the_last_parenthesis_ends_them()
    {
        foreach (var name in new[] { "a) S 1 2", "((", ")", "x\ny", "" })
        {
            _tree.Thread(Engine, 43, name: name, cpu: 1, priority: 33);
            using var probe = new Probe(_tree.Root);
            var a = probe.Take(1);
            var t = Report(a, a).Processes[0].Threads[0];
            Assert.Equal((name, 33), (t.Name, t.Priority));
        }
    }

    [Fact]
    public void The_ring_keeps_a_minute_and_finds_the_window_that_was_asked_for()
    {
        var ring = new SnapshotRing(10);
        var (from, to) = (new Snapshot(), new Snapshot());
        Assert.False(ring.TryWindow(1, from, to));
        for (ulong i = 1; i <= 25; i++)
        {
            ring.Next.Time = i * 100;
            ring.Publish();
        }

        Assert.True(ring.TryWindow(300, from, to));
        Assert.Equal((2200UL, 2500UL), (from.Time, to.Time));
        Assert.True(ring.TryWindow(10_000, from, to));
        Assert.Equal(1600UL, from.Time);
        Assert.True(ring.TryCopy(ring.Oldest, to));
        Assert.False(ring.TryCopy(ring.Oldest - 1, to));
        Assert.False(ring.TryCopy(25, to));
    }

    [Fact]
    public void The_history_has_a_column_a_thread_with_gaps_where_it_was_not_there()
    {
        _tree.Thread(Engine, 43, cpu: 1).Thread(Engine, 44, name: "idle", cpu: 1);
        using var probe = new Probe(_tree.Root);
        var ring = new SnapshotRing(20);
        for (ulong i = 0; i < 6; i++)
        {
            _tree.Thread(Engine, 43, cpu: 1 + (i * Second / 20), wait: i * Second / 100, involuntary: i);
            if (i == 3) _tree.Thread(Engine, 45, name: "guest", cpu: 1);
            if (i == 4) _tree.Thread(Engine, 45, name: "guest", cpu: Second / 10);
            if (i == 5) _tree.Remove("proc/42/task/45");
            probe.Take((1 + i) * Second / 10).CopyTo(ring.Next);
            ring.Publish();
        }

        var h = HistoryBuilder.Build(ring)!;
        Assert.Equal([-0.4, -0.3, -0.2, -0.1, 0], h.Seconds);
        var engine = h.Processes[0];
        Assert.Equal(1, engine.IdleThreads);
        Assert.Equal(["ssp-audio", "guest"], engine.Threads.Select(t => t.Name));
        Assert.All(engine.Threads[0].Cpu, c => Assert.Equal(0.5, c!.Value, 3));
        Assert.All(engine.Threads[0].RunDelay, c => Assert.Equal(0.1, c!.Value, 3));
        Assert.Equal([null, null, null, 1.0, null], engine.Threads[1].Cpu);
        Assert.Equal([-0.4, -0.2, 0], HistoryBuilder.Build(ring, every: 2)!.Seconds.Prepend(-0.4));
        Assert.Equal(2, HistoryBuilder.Build(ring, seconds: 0.2)!.Seconds.Count);
    }

    [Fact]
    public void Whatever_the_kernel_might_write_no_parser_throws()
    {
        var random = new Random(20_260_131);
        string[] good =
        [
            "1 (a b) S 1 1 1 0 -1 4194304 5 0 6 0 7 8 0 0 20 0 1 0 99 1 100 1 1 1 0 0 0 0 0 0 0 0 0 0 17 3 80 1 0\n", "123 456 7\n",
            "VmRSS:\t 12 kB\nvoluntary_ctxt_switches:\t5\n", "some avg10=1.00 avg60=0 avg300=0 total=5\nfull avg10=2 total=6\n",
            "cpu  1 2 3 4\ncpu0 1 2 3 4 5 6 7 8\ncpu1 9 9 9 9\nintr 1\n", "0.1 0.2 0.3 1/2 3\n", "18446744073709551616 99999999999999999999999\n",
        ];
        var cores = new CoreTicks[4];
        for (var i = 0; i < 60_000; i++)
        {
            var text = Encoding.UTF8.GetBytes(good[random.Next(good.Length)]).ToList();
            for (var m = random.Next(1, 6); m > 0; m--)
            {
                var at = random.Next(text.Count + 1);
                switch (random.Next(4))
                {
                    case 0 when at < text.Count: text[at] = (byte)random.Next(256); break;
                    case 1: text.Insert(at, (byte)" ()\n:=.0-9e"[random.Next(11)]); break;
                    case 2 when at < text.Count: text.RemoveRange(at, random.Next(text.Count - at) + 1); break;
                    default: text.AddRange(text.GetRange(0, Math.Min(at, 60))); break;
                }
            }

            var bytes = text.ToArray();
            if (ProcText.TryStat(bytes, out var stat)) Assert.True(stat.NameStart + stat.NameLength <= bytes.Length);
            _ = ProcText.TrySchedStat(bytes, out _, out _, out _);
            _ = ProcText.TryField(bytes, "VmRSS:"u8, out _);
            if (ProcText.TryPressure(bytes, out var some, out _)) Assert.True(double.IsFinite(some.Average10));
            Assert.InRange(ProcText.Cores(bytes, cores), 0, cores.Length);
            if (ProcText.TryLoad(bytes, out var one, out _, out _)) Assert.True(double.IsFinite(one));
            _ = ProcText.TryNumber(bytes, out _);
            _ = SystemFiles.Cores(Encoding.UTF8.GetString(bytes));
        }
    }

    [Fact]
    public void A_thread_that_computes_37_per_cent_is_measured_so_by_its_own_clock()
    {
        using var thread = new Worker(w =>
        {
            while (!w.Stop)
            {
                var until = w.Clock() + 3_700_000;
                while (w.Clock() < until) Thread.SpinWait(50);
                Thread.Sleep(6);
            }
        });
        using var probe = new ProcessProbe();
        // Its clock before and after each look: where this thread loses its core between them, the truth lies in between, and it looks again.
        var (least, most) = (0.0, 1.0);
        for (var tries = 0; (most - least > 0.01 || least < 0.01) && tries < 20; tries++)
        {
            var (a, b) = (new Snapshot(), new Snapshot());
            a.Time = Linux.Now();
            var beforeA = thread.Clock();
            probe.Take(Environment.ProcessId, a.Engine);
            var afterA = thread.Clock();
            Thread.Sleep(2000);
            b.Time = Linux.Now();
            var beforeB = thread.Clock();
            probe.Take(Environment.ProcessId, b.Engine);
            var afterB = thread.Clock();
            var measured = Report(a, b).Processes[0].Threads.Single(t => t.Tid == thread.Tid).Cpu;
            var time = (double)(b.Time - a.Time);
            (least, most) = ((beforeB - afterA) / time, (afterB - beforeA) / time);
            Assert.True(measured >= least - 0.01 && measured <= most + 0.01, $"measured {measured:0.0000}, by its own clock {least:0.0000} to {most:0.0000}");
        }

        Assert.True(most - least <= 0.01 && least >= 0.01, $"it computed {least:0.000} to {most:0.000}");
    }

    [Fact]
    public void Of_two_threads_on_one_core_the_waiting_is_seen()
    {
        static void Spin(Worker w)
        {
            while (!w.Stop) Thread.SpinWait(100);
        }

        var core = Worker.AnyCore();
        using var first = new Worker(Spin, core);
        using var second = new Worker(Spin, core);
        using var fifo = new Worker(
            w =>
            {
                while (!w.Stop)
                {
                    var until = w.Clock() + 1_000_000;
                    while (w.Clock() < until) Thread.SpinWait(50);
                    Thread.Sleep(4);
                }
            },
            core, fifo: true); // at FIFO where that is permitted; it takes the core from both
        using var probe = new ProcessProbe();
        IReadOnlyList<ThreadMetrics> threads = [];
        // What a hypervisor takes is neither computed nor waited for, and waiting is counted when it is over: a second in which nothing was taken
        // will come, or, where many wait, a time that is long beside each waiting.
        for (var i = 0; i < 20; i++)
        {
            var (a, b) = (new Snapshot(), new Snapshot());
            a.Time = Linux.Now();
            probe.Take(Environment.ProcessId, a.Engine);
            Thread.Sleep(1000 + (i / 4 * 1000));
            b.Time = Linux.Now();
            probe.Take(Environment.ProcessId, b.Engine);
            threads = Report(a, b).Processes[0].Threads;
            if (threads[0].RunDelay == null) return; // this kernel does not count it, and says so
            if (new[] { first.Tid, second.Tid }.All(tid => threads.Single(x => x.Tid == tid) is var t && t.Cpu + t.RunDelay is > 0.85 and < 1.15)
                && threads.Single(x => x.Tid == fifo.Tid) is { Policy: not "FIFO" } or { RunDelay: < 0.2 }) break; // another one at FIFO may be above it
        }

        foreach (var tid in new[] { first.Tid, second.Tid })
        {
            var t = threads.Single(x => x.Tid == tid);
            Assert.Equal(core, t.Core);
            // It is always ready: what it does not compute, it waits.
            Assert.InRange(t.Cpu + t.RunDelay!.Value, 0.85, 1.15);
            Assert.True(t.RunDelay > 0.2, $"waited {t.RunDelay:0.00}");
        }

        var real = threads.Single(x => x.Tid == fifo.Tid);
        if (real.Policy == "FIFO") Assert.True(real.RunDelay < 0.2, $"the FIFO thread waited {real.RunDelay:0.00}");
    }

    [Fact]
    public void Faults_and_switches_are_those_that_getrusage_counts()
    {
        using var go = new SemaphoreSlim(0);
        using var done = new SemaphoreSlim(0);
        var (before, after) = (new RUsage(), new RUsage());
        using var thread = new Worker(worker =>
        {
            go.Wait();
            before = Usage();
            const int pages = 1000;
            var memory = (byte*)Linux.Mmap(null, pages * 4096, Linux.ProtRead | Linux.ProtWrite, 0x22, -1, 0); // private, anonymous
            _ = Advise(memory, pages * 4096, 15); // MADV_NOHUGEPAGE
            for (var p = 0; p < pages; p++) memory[p * 4096L] = 1;
            _ = Linux.Munmap(memory, pages * 4096);
            for (var i = 0; i < 50; i++) Thread.Sleep(1);
            after = Usage();
            done.Release();
            if (!worker.Stop) go.Wait();
        });
        using var probe = new ProcessProbe();
        var (a, b) = (new Snapshot { Time = 1 }, new Snapshot { Time = 1 + Second });
        probe.Take(Environment.ProcessId, a.Engine);
        go.Release();
        done.Wait();
        probe.Take(Environment.ProcessId, b.Engine);
        go.Release();
        var t = Report(a, b).Processes[0].Threads.Single(x => x.Tid == thread.Tid);
        Assert.True(after.MinorFaults - before.MinorFaults >= 1000);
        Assert.InRange((long)t.MinorFaults, after.MinorFaults - before.MinorFaults, after.MinorFaults - before.MinorFaults + 200); // and those of the waiting
        Assert.InRange((long)t.Voluntary!.Value, after.Voluntary - before.Voluntary, after.Voluntary - before.Voluntary + 200);
        Assert.InRange((long)t.Involuntary!.Value, after.Involuntary - before.Involuntary, after.Involuntary - before.Involuntary + 200);
    }

    [Fact]
    public void The_recorder_measures_its_own_process_and_a_snapshot_allocates_next_to_nothing()
    {
        using var recorder = MetricsRecorder.ByHand(() => 0);
        for (var i = 0; i < 610; i++) recorder.Take(); // once through the ring, whose places grow as they are first used
        var least = long.MaxValue;
        for (var i = 0; i < 100; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            recorder.Take();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before); // a thread that is new costs its files
        }

        Assert.True(least < 128, $"{least} bytes a snapshot");
        var own = recorder.Report(1)!.Processes[1];
        Assert.Equal(Environment.ProcessId, own.Pid);
        Assert.NotEmpty(own.Threads);
    }

    private static MetricsReport Report(Snapshot a, Snapshot b, MissingSources? missing = null) => MetricsWindow.Between(a, b, missing ?? MissingSources.None);

    [StructLayout(LayoutKind.Sequential)]
    private struct RUsage
    {
        public fixed long Times[4];
        public long MaxRss, Ixrss, Idrss, Isrss, MinorFaults, MajorFaults, Swaps, InBlocks, OutBlocks, Sent, Received, Signals, Voluntary, Involuntary;
    }

    private static RUsage Usage()
    {
        RUsage usage;
        _ = GetRUsage(1, &usage); // RUSAGE_THREAD
        return usage;
    }

    [DllImport("libc", EntryPoint = "getrusage")]
    private static extern int GetRUsage(int who, RUsage* usage);

    [DllImport("libc", EntryPoint = "madvise")]
    private static extern int Advise(void* address, nuint length, int advice);

    // Snapshots of the tree, each an object of its own.
    private sealed class Probe(string root) : IDisposable
    {
        private readonly ProcessProbe _engine = new(Path.Combine(root, "proc")), _own = new(Path.Combine(root, "proc"));

        public MissingSources Missing { get; private set; } = MissingSources.None;

        public Snapshot Take(ulong at)
        {
            var s = new Snapshot { Time = at };
            _engine.Take(Engine, s.Engine);
            _own.Take(Own, s.Control);
            using var system = new SystemProbe(root); // anew: its slow figures are asked for each time
            system.Take(s);
            Missing = new MissingSources(new Dictionary<string, string>(_engine.Missing, StringComparer.Ordinal), null, new Dictionary<string, string>(system.Missing, StringComparer.Ordinal));
            return s;
        }

        public void Dispose()
        {
            _engine.Dispose();
            _own.Dispose();
        }
    }

    // A thread of this process that others can measure.
    private sealed class Worker : IDisposable
    {
        private readonly Thread _thread;
        private volatile bool _stop;

        public Worker(Action<Worker> work, int core = -1, bool fifo = false)
        {
            using var started = new ManualResetEventSlim();
            _thread = new Thread(() =>
            {
                Tid = GetTid();
                if (core >= 0)
                {
                    var mask = stackalloc ulong[16];
                    new Span<ulong>(mask, 16).Clear();
                    mask[core / 64] = 1UL << (core % 64);
                    _ = SetAffinity(0, 128, mask);
                }

                var priority = 10;
                if (fifo) _ = SetScheduler(0, 1, &priority);
                started.Set();
                work(this);
            }) { IsBackground = true };
            _thread.Start();
            started.Wait();
        }

        public int Tid { get; private set; }

        public bool Stop => _stop;

        /// <summary>ns that it computed, by the kernel's clock of that thread, which any thread of the process may read.</summary>
        public ulong Clock()
        {
            Linux.TimeSpec t;
            _ = ClockGetTime((~Tid << 3) | 6, &t);
            return ((ulong)t.Seconds * Second) + (ulong)t.Nanoseconds;
        }

        public static int AnyCore()
        {
            var mask = stackalloc ulong[16];
            _ = GetAffinity(0, 128, mask);
            var last = 0;
            for (var c = 0; c < 1024; c++)
                if ((mask[c / 64] >> (c % 64) & 1) != 0) last = c;
            return last;
        }

        public void Dispose()
        {
            _stop = true;
            _thread.Join();
        }

        [DllImport("libc", EntryPoint = "gettid")]
        private static extern int GetTid();

        [DllImport("libc", EntryPoint = "clock_gettime")]
        private static extern int ClockGetTime(int clock, Linux.TimeSpec* time);

        [DllImport("libc", EntryPoint = "sched_setaffinity")]
        private static extern int SetAffinity(int pid, nint bytes, ulong* mask);

        [DllImport("libc", EntryPoint = "sched_getaffinity")]
        private static extern int GetAffinity(int pid, nint bytes, ulong* mask);

        [DllImport("libc", EntryPoint = "sched_setscheduler")]
        private static extern int SetScheduler(int pid, int policy, int* priority);
    }
}
