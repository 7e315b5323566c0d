// The machine as far as it matters for the sound: kernel, its settings, cores, limits, interrupts.
using System.Globalization;

namespace SspHost.Diagnostics;

/// <summary>A core.</summary>
public sealed record CoreFacts
{
    public int Core { get; init; }

    public string? Package { get; init; }

    /// <summary>Core of that package; two with the same are threads of one.</summary>
    public string? Id { get; init; }

    public long? Capacity { get; init; }

    public string? Governor { get; init; }

    public long? MinKilohertz { get; init; }

    public long? MaxKilohertz { get; init; }

    /// <summary>Idle states that are not switched off: "C1 2 us".</summary>
    public IReadOnlyList<string> IdleStates { get; init; } = [];

    /// <summary>Caches: "L1d 32K shared by 0-1".</summary>
    public IReadOnlyList<string> Caches { get; init; } = [];
}

/// <summary>An interrupt that came at least once.</summary>
public sealed record InterruptFacts(string Irq, string? Affinity, string? Effective, string? Action);

/// <summary>The machine.</summary>
public sealed record SystemFactsReport
{
    public int Version { get; init; } = 1;

    public string? Kernel { get; init; }

    public string? CommandLine { get; init; }

    public bool PreemptRt { get; init; }

    public string? Preemption { get; init; }

    public string? Processor { get; init; }

    public string? Distribution { get; init; }

    public string? ClockSource { get; init; }

    public string? Online { get; init; }

    public string? Isolated { get; init; }

    public string? NoHzFull { get; init; }

    public string? HugePages { get; init; }

    public string? SchedulerFeatures { get; init; }

    public IReadOnlyList<CoreFacts> Cores { get; init; } = [];

    /// <summary>Settings of the kernel by their path below /proc/sys.</summary>
    public required IReadOnlyDictionary<string, string> Settings { get; init; }

    /// <summary>Limits of the engine (or, without one, of this process).</summary>
    public string? Limits { get; init; }

    public IReadOnlyList<InterruptFacts> Interrupts { get; init; } = [];

    public IReadOnlyList<string> SoundCards { get; init; } = [];

    private static readonly string[] Wanted =
    [
        "kernel/sched_rt_runtime_us", "kernel/sched_rt_period_us", "kernel/sched_autogroup_enabled", "kernel/sched_schedstats", "kernel/task_delayacct", "kernel/nmi_watchdog",
        "kernel/watchdog", "kernel/timer_migration", "kernel/numa_balancing", "kernel/perf_event_paranoid", "kernel/yama/ptrace_scope", "vm/swappiness", "vm/overcommit_memory",
        "vm/compact_unevictable_allowed", "vm/compaction_proactiveness", "vm/min_free_kbytes", "vm/stat_interval", "vm/dirty_ratio", "vm/dirty_background_ratio",
    ];

    internal static SystemFactsReport Read(SystemFiles files, string process)
    {
        var version = files.Text("proc/version");
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in Wanted)
            if (files.Text("proc/sys/" + name) is { } value) settings[name] = value;
        return new SystemFactsReport
        {
            Kernel = version,
            CommandLine = files.Text("proc/cmdline"),
            PreemptRt = files.Number("sys/kernel/realtime") == 1 || version?.Contains("PREEMPT_RT", StringComparison.Ordinal) == true,
            Preemption = files.Text("sys/kernel/debug/sched/preempt"),
            Processor = Field(files.Text("proc/cpuinfo"), "model name") ?? files.Text("proc/device-tree/model")?.TrimEnd('\0'),
            Distribution = Field(files.Text("etc/os-release"), "PRETTY_NAME", '=')?.Trim('"'),
            ClockSource = files.Text("sys/devices/system/clocksource/clocksource0/current_clocksource"),
            Online = files.Text("sys/devices/system/cpu/online"),
            Isolated = files.Text("sys/devices/system/cpu/isolated"),
            NoHzFull = files.Text("sys/devices/system/cpu/nohz_full"),
            HugePages = files.Text("sys/kernel/mm/transparent_hugepage/enabled"),
            SchedulerFeatures = files.Text("sys/kernel/debug/sched/features"),
            Cores = [.. SystemFiles.Cores(files.Text("sys/devices/system/cpu/online")).Select(c => Core(files, c))],
            Settings = settings,
            Limits = files.Text($"proc/{process}/limits"),
            Interrupts = [.. ReadInterrupts(files)],
            SoundCards = [.. (files.Text("proc/asound/cards") ?? "").Split('\n').Where(l => l.Contains('[', StringComparison.Ordinal)).Select(l => l.Trim())],
        };
    }

    private static CoreFacts Core(SystemFiles files, int core)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"sys/devices/system/cpu/cpu{core}/");
        return new CoreFacts
        {
            Core = core,
            Package = files.Text(path + "topology/physical_package_id"),
            Id = files.Text(path + "topology/core_id"),
            Capacity = files.Number(path + "cpu_capacity"),
            Governor = files.Text(path + "cpufreq/scaling_governor"),
            MinKilohertz = files.Number(path + "cpufreq/scaling_min_freq"),
            MaxKilohertz = files.Number(path + "cpufreq/scaling_max_freq"),
            IdleStates =
            [
                .. files.Names(path + "cpuidle", "state*").Where(s => files.Number($"{path}cpuidle/{s}/disable") != 1)
                    .Select(s => $"{files.Text($"{path}cpuidle/{s}/name")} {files.Text($"{path}cpuidle/{s}/latency")} us"),
            ],
            Caches =
            [
                .. files.Names(path + "cache", "index*").Select(i => $"L{files.Text($"{path}cache/{i}/level")} {files.Text($"{path}cache/{i}/type")} {files.Text($"{path}cache/{i}/size")} shared by {files.Text($"{path}cache/{i}/shared_cpu_list")}"),
            ],
        };
    }

    private static IEnumerable<InterruptFacts> ReadInterrupts(SystemFiles files)
    {
        foreach (var line in (files.Text("proc/interrupts") ?? "").Split('\n').Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0) continue;
            var irq = line[..colon].Trim();
            var words = line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (irq.Length == 0 || !char.IsAsciiDigit(irq[0]) || words.TakeWhile(w => char.IsAsciiDigit(w[0])).All(w => w == "0")) continue;
            yield return new InterruptFacts(irq, files.Text($"proc/irq/{irq}/smp_affinity_list"), files.Text($"proc/irq/{irq}/effective_affinity_list"), words[^1]);
        }
    }

    private static string? Field(string? text, string name, char separator = ':')
    {
        foreach (var line in (text ?? "").Split('\n'))
            if (line.StartsWith(name, StringComparison.Ordinal) && line.IndexOf(separator) is var at and > 0) return line[(at + 1)..].Trim();
        return null;
    }
}
