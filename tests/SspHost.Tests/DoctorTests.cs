// The doctor's checks over trees that stand for systems: each finds what is wrong with a bad one and nothing with a good one.
using SspHost.Diagnostics;

namespace SspHost.Tests;

public sealed class DoctorTests : IDisposable
{
    private readonly ProcTree _tree = Good();

    public void Dispose() => _tree.Dispose();

    [Fact]
    public void A_good_system_has_nothing_but_what_is_fine()
    {
        var report = SystemDoctor.Examine(Facts());
        Assert.Equal(0, report.Verdict);
        Assert.All(report.Findings, f => Assert.True(f.Severity == "fine", $"{f.Id}: {f.Severity}: {f.Found}"));
        Assert.Equal(SystemDoctor.Checks.Count, report.Findings.Select(f => f.Id).Distinct(StringComparer.Ordinal).Count());
        Assert.Contains("nothing here should cause dropouts", SystemDoctor.Format(report, all: false), StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string, string, string> Bad()
    {
        const string limits = "Limit                     Soft Limit           Hard Limit           Units     \n";
        return new TheoryData<string, string, string, string, string>
        {
            // check, severity, file, its text, what the finding names
            { "rt-throttling", "error", "proc/sys/kernel/sched_rt_runtime_us", "0\n", "may not run at all" },
            { "rt-throttling", "note", "proc/sys/kernel/sched_rt_runtime_us", "950000\n", "950000 of 1000000 us" },
            { "rt-throttling", "error", "proc/sys/kernel/sched_rt_runtime_us", "100000\n", "100000" },
            { "rt-group", "error", "sys/fs/cgroup/cpu/app/cpu.rt_runtime_us", "0\n", "no time" },
            { "cpu-quota", "warning", "sys/fs/cgroup/audio/cpu.max", "50000 100000\n", "50000 of each 100000 us" },
            { "cpu-quota", "warning", "sys/fs/cgroup/cpu/app/cpu.cfs_quota_us", "20000\n", "20000" },
            { "rivals", "warning", "proc/900/task/901/stat", "901 (greedy game) R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 -96 0 1 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 3 95 1 0\n", "greedy game" },
            { "kernel", "warning", "proc/version", "Linux version 6.1.0 (a@b) #1 SMP\n", "not preemptible" },
            { "kernel", "note", "proc/version", "Linux version 6.1.0 (a@b) #1 SMP PREEMPT_DYNAMIC\n", "not PREEMPT_RT" },
            { "isolation", "note", "sys/devices/system/cpu/isolated", "\n", "no core is set apart" },
            { "isolation", "warning", "sys/devices/system/cpu/isolated", "1\n", "2,3" },
            { "isolation", "note", "sys/devices/system/cpu/nohz_full", "2\n", "3 tick" },
            { "governor", "warning", "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "powersave\n", "core 3: powersave" },
            { "idle-states", "warning", "sys/devices/system/cpu/cpu2/cpuidle/state3/latency", "600\n", "600 us" },
            { "interrupts", "warning", "proc/irq/40/effective_affinity_list", "2\n", "40" },
            { "interrupts", "warning", "proc/77/comm", "irqbalance\n", "irqbalance" },
            { "watchdogs", "note", "proc/sys/kernel/nmi_watchdog", "1\n", "NMI watchdog" },
            { "clock", "warning", "sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n", "hpet" },
            { "hypervisor", "error", "proc/stat", "cpu  0 0 0 0\ncpu0 800 0 100 5000 0 0 0 100\n", "10.0 %" },
            { "hypervisor", "note", "proc/cpuinfo", "flags : fpu hypervisor lm\n", "virtual machine" },
            { "heat", "warning", "sys/class/thermal/cooling_device0/cur_state", "2\n", "hot" },
            { "memlock", "warning", "proc/500/limits", limits + "Max locked memory         8388608              8388608              bytes     \n", "8192 KiB" },
            { "compaction", "warning", "proc/sys/vm/compact_unevictable_allowed", "1\n", "move locked pages" },
            { "huge-pages", "warning", "sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n", "every program" },
            { "ksm", "warning", "sys/kernel/mm/ksm/run", "1\n", "KSM" },
            { "memory", "warning", "proc/meminfo", "MemAvailable: 1000 kB\n", "free" },
            { "period", "error", "proc/asound/card0/pcm0p/sub0/hw_params", "access: MMAP\nperiod_size: 32\nbuffer_size: 32\n", "buffer is 32" },
            { "period", "note", "proc/asound/card0/pcm0p/sub0/hw_params", "period_size: 48\nbuffer_size: 192\n", "48 frames" },
            { "card-busy", "error", "proc/asound/card0/pcm0p/sub0/status", "state: RUNNING\nowner_pid   : 900\n", "900" },
            { "open-files", "warning", "proc/self/limits", limits + "Max open files            256                  256                  files     \n", "256 files" },
        };
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public void One_thing_that_is_wrong_is_found_with_its_reason_and_its_remedy(string id, string severity, string file, string text, string named)
    {
        _tree.Put(file, text);
        var f = SystemDoctor.Examine(Facts()).Findings.Single(x => x.Id == id);
        Assert.True(f.Severity == severity, $"{f.Severity}: {f.Found}");
        Assert.Contains(named, f.Found, StringComparison.Ordinal);
        Assert.All(new[] { f.Expected, f.Why, f.Remedy }, part => Assert.False(string.IsNullOrWhiteSpace(part)));
        Assert.DoesNotContain('\n', f.Found + f.Expected + f.Why + f.Remedy);
    }

    [Fact]
    public void A_library_that_finds_plugins_and_is_not_there_is_a_note_that_says_what_to_install()
    {
        var f = SystemDoctor.Examine(Facts() with { Lilv = false }).Findings.Single(x => x.Id == "lv2");
        Assert.Equal(("note", "apt install liblilv-0-0"), (f.Severity, f.Remedy));
        Assert.Equal("fine", SystemDoctor.Examine(Facts() with { Lilv = true }).Findings.Single(x => x.Id == "lv2").Severity);
    }

    [Theory]
    [InlineData("proc/pressure", "measuring", "pressure")]
    [InlineData("sys/kernel/tracing", "tracing", "cannot be traced")]
    [InlineData("proc/asound", "card", "no sound card")]
    public void What_the_kernel_does_not_offer_is_told_too(string missing, string id, string named)
    {
        _tree.Remove(missing);
        Assert.Contains(named, SystemDoctor.Examine(Facts()).Findings.Single(f => f.Id == id && f.Severity != "fine").Found, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_SCHED_FIFO_there_will_be_dropouts()
    {
        var facts = Facts() with { Engine = null };
        foreach (var (granted, limit, expected) in new[] { ((bool?)false, "0", "error"), (null, "0", "error"), (null, "95", "fine"), (true, "0", "fine") })
        {
            _tree.Put("proc/self/limits", $"Max realtime priority     {limit}                    {limit}                    \nMax open files            20000                20000                files     \n");
            Assert.Equal(expected, SchedulingChecks.Fifo(facts with { FifoGranted = granted }).Severity);
        }

        _tree.Put("proc/self/limits", "Max realtime priority     0                    0\n").Put("proc/self/status", "CapEff:\t0000000000800000\n"); // CAP_SYS_NICE
        Assert.Equal("fine", SchedulingChecks.Fifo(facts).Severity);
        var ordinary = Facts() with { Engine = Engine() with { Threads = [new EngineThreadFacts("ssp-audio", 501, 2, Fifo: false, 0, StackLocked: true)] } };
        Assert.Equal(2, SystemDoctor.Examine(ordinary).Verdict);
    }

    [Fact]
    public void Memory_that_is_not_locked_is_an_error_where_there_is_swap_and_a_warning_where_there_is_none()
    {
        var loose = Facts() with { Engine = Engine() with { Locked = 1 << 20 } };
        Assert.Equal("warning", MemoryChecks.RegionLocked(loose).Severity);
        Assert.Equal("fine", MemoryChecks.Swap(loose).Severity);
        _tree.Put("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1000 0 -2\n");
        Assert.Equal("error", MemoryChecks.RegionLocked(loose).Severity);
        Assert.Equal("error", MemoryChecks.Swap(loose).Severity);
        Assert.Equal("note", MemoryChecks.Swap(Facts()).Severity);
        Assert.Equal("error", MemoryChecks.RegionLocked(Facts() with { Engine = Engine() with { ImageWanted = 100, ImageLocked = 50 } }).Severity);
        var stack = Facts() with { Engine = Engine() with { Threads = [new EngineThreadFacts("ssp-worker-1", 502, 3, Fifo: true, 79, StackLocked: false)] } };
        Assert.Contains("ssp-worker-1", MemoryChecks.StacksLocked(stack).Found, StringComparison.Ordinal);
        Assert.Equal("warning", SoundChecks.Disk(Facts() with { DiskFree = 1 << 20 }).Severity);
    }

    [Fact]
    public void An_idle_state_that_is_switched_off_or_held_off_does_no_harm()
    {
        _tree.Put("sys/devices/system/cpu/cpu2/cpuidle/state3/latency", "600\n").Put("sys/devices/system/cpu/cpu2/cpuidle/state3/disable", "1\n");
        Assert.Equal("fine", CoreChecks.IdleStates(Facts()).Severity);
        _tree.Put("sys/devices/system/cpu/cpu2/cpuidle/state3/disable", "0\n");
        Assert.Equal("warning", CoreChecks.IdleStates(Facts()).Severity);
        _tree.Put("dev/cpu_dma_latency", [0, 0, 0, 0]);
        Assert.Equal("fine", CoreChecks.IdleStates(Facts()).Severity);
    }

    [Fact]
    public void An_empty_system_is_examined_without_a_fall_and_so_is_one_that_is_full_of_rubbish()
    {
        using var empty = new ProcTree();
        var report = SystemDoctor.Examine(new DoctorFacts { Files = new SystemFiles(empty.Root) });
        Assert.Equal(SystemDoctor.Checks.Count, report.Findings.Count);
        var random = new Random(7);
        foreach (var file in Directory.EnumerateFiles(_tree.Root, "*", SearchOption.AllDirectories))
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            File.WriteAllBytes(file, bytes);
        }

        Assert.Equal(SystemDoctor.Checks.Count, SystemDoctor.Examine(Facts()).Findings.Count);
        Assert.NotNull(SystemFactsReport.Read(new SystemFiles(_tree.Root), "500"));
    }

    [Fact]
    public void The_worst_comes_first_and_decides_the_exit_code()
    {
        _tree.Put("proc/sys/vm/compact_unevictable_allowed", "1\n").Put("proc/sys/kernel/nmi_watchdog", "1\n");
        Assert.Equal(1, SystemDoctor.Examine(Facts()).Verdict);
        _tree.Put("proc/sys/kernel/sched_rt_runtime_us", "0\n");
        var report = SystemDoctor.Examine(Facts());
        Assert.Equal(2, report.Verdict);
        Assert.Equal(["error", "warning", "note"], report.Findings.Take(3).Select(f => f.Severity));
        var text = SystemDoctor.Format(report, all: true);
        Assert.Contains("sysctl --system", text, StringComparison.Ordinal);
        Assert.Contains("1 errors, 1 warnings, 1 notes", text, StringComparison.Ordinal);
    }

    [Fact]
    public void This_very_system_is_examined()
    {
        var report = SystemDoctor.Examine(new DoctorFacts());
        Assert.InRange(report.Verdict, 0, 2);
        Assert.Equal(SystemDoctor.Checks.Count, report.Findings.Count);
    }

    private static EngineFacts Engine() => new()
    {
        Pid = 500,
        Threads = [new EngineThreadFacts("ssp-audio", 501, 2, Fifo: true, 80, StackLocked: true), new EngineThreadFacts("ssp-worker-1", 502, 3, Fifo: true, 79, StackLocked: true)],
        LockWanted = 256 << 20,
        Locked = 256 << 20,
        Rate = 48_000,
        Quantum = 32,
    };

    private DoctorFacts Facts() => new()
    {
        Files = new SystemFiles(_tree.Root), Engine = Engine(), Device = "alsa:hw:0", DiskFree = 1L << 30, DiskTotal = 2L << 30, StateDirectory = "~/.local/state/ssphost",
    };

    // Four cores, of which 2 and 3 play.
    private static ProcTree Good()
    {
        var tree = new ProcTree().System()
            .Put("proc/version", "Linux version 6.12.0-rt (a@b) #1 SMP PREEMPT_RT\n").Put("proc/cmdline", "isolcpus=2,3 rcu_nocbs=2,3\n")
            .Put("proc/sys/kernel/sched_rt_runtime_us", "-1\n").Put("proc/sys/kernel/sched_rt_period_us", "1000000\n").Put("proc/sys/kernel/nmi_watchdog", "0\n")
            .Put("proc/sys/vm/compact_unevictable_allowed", "0\n").Put("proc/swaps", "Filename Type Size Used Priority\n").Put("proc/stat", "cpu  0 0 0 0\ncpu0 800 0 100 5000 0 0 0 0\n")
            .Put("proc/cpuinfo", "flags : fpu lm\n").Put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n").Put("sys/kernel/mm/ksm/run", "0\n")
            .Put("sys/devices/system/cpu/online", "0-3\n").Put("sys/devices/system/cpu/isolated", "2-3\n").Put("sys/devices/system/cpu/nohz_full", "2-3\n")
            .Put("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n").Put("sys/kernel/tracing/events/sched/enable", "0\n")
            .Put("proc/irq/40/effective_affinity_list", "0\n").Put("proc/irq/40/smp_affinity_list", "0-3\n").Put("proc/interrupts", "           CPU0       CPU1       CPU2       CPU3\n 40:          5          0          7          0  PCI eth0\n")
            .Put("proc/asound/cards", " 0 [Box            ]: USB-Audio - Box\n").Put("proc/asound/card0/id", "Box\n").Put("proc/asound/card0/pcm0p/sub0/status", "state: RUNNING\nowner_pid   : 501\n")
            .Put("proc/asound/card0/pcm0p/sub0/hw_params", "access: MMAP_INTERLEAVED\nperiod_size: 64\nbuffer_size: 192\n")
            .Put("proc/self/limits", "Max open files            20000                20000                files     \n").Put("proc/500/limits", "Max locked memory         unlimited            unlimited            bytes     \n")
            .Put("proc/500/schedstat", "5 6 7\n").Put("proc/500/cgroup", "1:cpu:/app\n0::/audio\n").Put("proc/500/status", "CapEff:\t0000000000000000\n")
            .Thread(500, 501).Put("proc/900/status", "Cpus_allowed_list:\t0-3\n").Put("proc/900/task/900/stat", "900 (shell) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0\n")
            .Put("proc/20/task/20/stat", "20 (migration/2) S 2 1 1 0 -1 0 0 0 0 0 0 0 0 0 -100 0 1 0 5 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 2 99 1 0\n")
            .Put("sys/class/thermal/cooling_device0/cur_state", "0\n").Put("sys/class/thermal/cooling_device0/type", "cpufreq-cpu0\n");
        foreach (var core in new[] { 2, 3 })
        {
            tree.Put($"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor", "performance\n").Put($"sys/devices/system/cpu/cpu{core}/cpuidle/state1/latency", "2\n").Put($"sys/devices/system/cpu/cpu{core}/cpuidle/state1/disable", "0\n")
                .Put($"sys/devices/system/cpu/cpu{core}/cpuidle/state1/name", "C1\n");
        }

        return tree;
    }
}
