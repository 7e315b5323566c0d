// Whether the cores are there when they are needed: isolated, awake, at full speed, not interrupted.
using System.Globalization;

namespace SspHost.Diagnostics;

internal static class CoreChecks
{
    public static Finding Preemption(DoctorFacts f)
    {
        const string id = "kernel";
        const string why = "code of the kernel that cannot be interrupted makes the audio thread wait, at times for milliseconds";
        var version = f.Files.Text("proc/version") ?? "";
        if (f.Files.Number("sys/kernel/realtime") == 1 || version.Contains("PREEMPT_RT", StringComparison.Ordinal)) return Finding.Fine(id, "the kernel is PREEMPT_RT");
        var chosen = f.Files.Chosen("sys/kernel/debug/sched/preempt");
        const string remedy = "apt install linux-image-rt-amd64 (arm64: linux-image-rt-arm64) and boot it; without it at least preempt=full on the kernel's command line";
        return chosen == "full" || (chosen == null && version.Contains("PREEMPT", StringComparison.Ordinal))
            ? Finding.Of(id, Severity.Note, "the kernel is preemptible, but not PREEMPT_RT", "PREEMPT_RT", why, remedy)
            : Finding.Of(id, Severity.Warning, "the kernel is not preemptible", "PREEMPT_RT", why, remedy);
    }

    public static Finding Isolation(DoctorFacts f)
    {
        const string id = "isolation";
        const string why = "other programs, the timer tick and deferred work of the kernel run on the audio cores, each a delay of 10 to 100 us";
        var online = f.OnlineCores;
        var isolated = SystemFiles.Cores(f.Files.Text("sys/devices/system/cpu/isolated"));
        var used = f.UsedCores;
        if (online.Count < 4 && isolated.Count == 0) return Finding.Fine(id, Text($"{online.Count} cores: too few to set some apart"));
        var wanted = used.Count > 0 && used.Count < online.Count ? List(used) : List(online.Skip(online.Count / 2));
        var remedy = $"isolcpus=managed_irq,domain,{wanted} nohz_full={wanted} rcu_nocbs={wanted} on the kernel's command line, and \"cores\": [{wanted}] in ssp.json";
        if (isolated.Count == 0) return Finding.Of(id, Severity.Note, "no core is set apart for audio", Text($"some of the {online.Count} cores isolated"), why, remedy);
        var shared = used.Where(c => !isolated.Contains(c)).ToArray();
        if (shared.Length > 0)
            return Finding.Of(id, Severity.Warning, $"real-time threads run on cores {List(shared)}, which are not isolated, although {List(isolated)} are", "real-time threads on isolated cores", why, $"\"cores\": [{List(isolated)}] in ssp.json");
        var ticking = used.Except(SystemFiles.Cores(f.Files.Text("sys/devices/system/cpu/nohz_full"))).ToArray();
        var callbacks = (f.Files.Text("proc/cmdline") ?? "").Contains("rcu_nocbs", StringComparison.Ordinal);
        return ticking.Length == 0 && callbacks
            ? Finding.Fine(id, $"cores {List(used)} are isolated, without tick and RCU callbacks")
            : Finding.Of(id, Severity.Note, $"cores {List(used)} are isolated, but {(ticking.Length > 0 ? $"{List(ticking)} tick" : "")}{(ticking.Length > 0 && !callbacks ? " and " : "")}{(callbacks ? "" : "run RCU callbacks")}", "nohz_full and rcu_nocbs too", why, remedy);
    }

    public static Finding Governor(DoctorFacts f)
    {
        const string id = "governor";
        var slow = new List<string>();
        var any = false;
        foreach (var core in f.UsedCores)
        {
            if (f.Files.Text(Cpu(core, "cpufreq/scaling_governor")) is not { } governor) continue;
            any = true;
            if (governor != "performance") slow.Add(Text($"core {core}: {governor}"));
        }

        if (!any) return Finding.Fine(id, "the cores' frequency is not governed here");
        return slow.Count == 0
            ? Finding.Fine(id, "the audio cores run at full speed")
            : Finding.Of(id, Severity.Warning, string.Join(", ", slow), "performance", "a core that was slowed down in a pause needs milliseconds to be fast again: the first loud quanta come late", "for g in /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor; do echo performance > $g; done");
    }

    public static Finding IdleStates(DoctorFacts f)
    {
        const string id = "idle-states";
        var bound = f.Files.Bytes("dev/cpu_dma_latency", 4) is { Length: 4 } b ? BitConverter.ToInt32(b) : int.MaxValue;
        var (worst, name) = (0L, "");
        foreach (var core in f.UsedCores)
        {
            foreach (var state in f.Files.Names(Cpu(core, "cpuidle"), "state*"))
            {
                if (f.Files.Number(Cpu(core, $"cpuidle/{state}/disable")) == 1) continue;
                if (f.Files.Number(Cpu(core, $"cpuidle/{state}/latency")) is not { } latency || latency > bound || latency <= worst) continue;
                (worst, name) = (latency, f.Files.Text(Cpu(core, $"cpuidle/{state}/name")) ?? state);
            }
        }

        return worst <= f.QuantumMicroseconds / 20
            ? Finding.Fine(id, Text($"the cores wake within {worst} us"))
            : Finding.Of(id, worst > f.QuantumMicroseconds / 4 ? Severity.Warning : Severity.Note, Text($"cores may sleep so deeply ({SchedulingChecks.Printable(name)}) that they need {worst} us to wake"), Text($"at most {f.QuantumMicroseconds / 20:0} us (a twentieth of the quantum)"), "the audio thread starts that much later, each time", "hold /dev/cpu_dma_latency open with 0 in it, or add processor.max_cstate=1 (arm64: cpuidle.off=1) to the kernel's command line");
    }

    public static Finding Interrupts(DoctorFacts f)
    {
        const string id = "interrupts";
        var (used, online) = (f.UsedCores, f.OnlineCores);
        var balancer = f.Files.Names("proc").Any(p => char.IsAsciiDigit(p[0]) && f.Files.Text($"proc/{p}/comm") == "irqbalance");
        if (used.Count >= online.Count) return Finding.Fine(id, "all cores play: interrupts have no other place");
        var here = new List<string>();
        foreach (var irq in f.Files.Names("proc/irq").Where(n => char.IsAsciiDigit(n[0])))
        {
            var cores = SystemFiles.Cores(f.Files.Text($"proc/irq/{irq}/effective_affinity_list") is { Length: > 0 } e ? e : f.Files.Text($"proc/irq/{irq}/smp_affinity_list"));
            if (cores.Any(used.Contains) && Fired(f, irq, used)) here.Add(irq);
        }

        var house = List(online.Except(used));
        if (here.Count == 0 && !balancer) return Finding.Fine(id, "no device interrupts the audio cores");
        var found = (here.Count > 0 ? Text($"interrupts {string.Join(", ", here.Take(12))}{(here.Count > 12 ? " ..." : "")} may come on the audio cores") : "") + (balancer ? (here.Count > 0 ? "; " : "") + "irqbalance moves interrupts about" : "");
        return Finding.Of(id, Severity.Warning, found, $"interrupts on cores {house} only", "a network or disk interrupt takes 5 to 100 us from the quantum that it falls into", $"for i in {string.Join(' ', here.Take(12))}; do echo {house} > /proc/irq/$i/smp_affinity_list; done{(balancer ? "; systemctl disable --now irqbalance" : "")}; or irqaffinity={house} on the kernel's command line");
    }

    public static Finding Watchdogs(DoctorFacts f)
    {
        const string id = "watchdogs";
        return f.Files.Number("proc/sys/kernel/nmi_watchdog") == 1
            ? Finding.Of(id, Severity.Note, "the kernel's NMI watchdog is on", "off", "it interrupts each core every few seconds and takes a performance counter", "echo 'kernel.nmi_watchdog=0' > /etc/sysctl.d/91-ssphost.conf && sysctl --system")
            : Finding.Fine(id, "no NMI watchdog");
    }

    public static Finding Clock(DoctorFacts f)
    {
        const string id = "clock";
        var source = f.Files.Text("sys/devices/system/clocksource/clocksource0/current_clocksource");
        return source switch
        {
            null => Finding.Of(id, Severity.Note, "the kernel does not name its clock", "tsc or arch_sys_counter", "a clock that is read through a bus costs a microsecond each time", "clocksource=tsc on the kernel's command line"),
            "tsc" or "arch_sys_counter" or "kvm-clock" or "hyperv_clocksource_tsc_page" => Finding.Fine(id, $"clock: {source}"),
            _ => Finding.Of(id, Severity.Warning, $"clock: {SchedulingChecks.Printable(source)}", "tsc or arch_sys_counter", "each reading of the clock is a system call and a bus access: the engine reads it several times a quantum", "clocksource=tsc tsc=reliable on the kernel's command line, if dmesg shows no reason against it"),
        };
    }

    public static Finding Hypervisor(DoctorFacts f)
    {
        const string id = "hypervisor";
        var cores = new CoreTicks[256];
        var count = ProcText.Cores(System.Text.Encoding.UTF8.GetBytes(f.Files.Text("proc/stat") ?? ""), cores);
        ulong steal = 0, busy = 0;
        for (var i = 0; i < count; i++) (steal, busy) = (steal + cores[i].Steal, busy + cores[i].All - cores[i].Idle - cores[i].Wait);
        var share = busy > 0 ? steal / (double)busy : 0;
        if (share > 0.002) return Finding.Of(id, share > 0.02 ? Severity.Error : Severity.Warning, Text($"the hypervisor took {share * 100:0.0} % of the busy time"), "none", "the machine stands still meanwhile and no thread of it can know", "play on real hardware, or pin the virtual cores to cores of their own");
        return (f.Files.Text("proc/cpuinfo") ?? "").Contains(" hypervisor", StringComparison.Ordinal)
            ? Finding.Of(id, Severity.Note, "this is a virtual machine", "real hardware", "the host may take its cores at any time", "pin the virtual cores to cores of their own")
            : Finding.Fine(id, "no hypervisor takes time");
    }

    public static Finding Heat(DoctorFacts f)
    {
        const string id = "heat";
        var cooling = f.Files.Names("sys/class/thermal", "cooling_device*")
            .Where(d => f.Files.Number($"sys/class/thermal/{d}/cur_state") > 0 && (f.Files.Text($"sys/class/thermal/{d}/type") is not { } type || type.Contains("cpu", StringComparison.OrdinalIgnoreCase) || type.Contains("Processor", StringComparison.OrdinalIgnoreCase))).ToArray();
        return cooling.Length == 0
            ? Finding.Fine(id, "no processor is slowed by heat")
            : Finding.Of(id, Severity.Warning, $"the processor is slowed because it is hot ({string.Join(", ", cooling)})", "full speed", "quanta take longer than they were measured to take", "a heat sink or a fan");
    }

    // An interrupt that never came on these cores does no harm.
    private static bool Fired(DoctorFacts f, string irq, IReadOnlyList<int> cores)
    {
        var lines = (f.Files.Text("proc/interrupts") ?? "").Split('\n');
        if (lines.Length < 2) return true;
        var columns = lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(c => c.StartsWith("CPU", StringComparison.Ordinal) && int.TryParse(c.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1).ToArray();
        foreach (var line in lines)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0] != irq + ":") continue;
            for (var i = 0; i < columns.Length && i + 1 < words.Length; i++)
                if (cores.Contains(columns[i]) && words[i + 1] is not "0") return true;
            return false;
        }

        return false;
    }

    private static string Cpu(int core, string file) => Text($"sys/devices/system/cpu/cpu{core}/{file}");

    private static string List(IEnumerable<int> cores) => string.Join(',', cores.Select(c => c.ToString(CultureInfo.InvariantCulture)));

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
