// Whether real-time threads may be what they are: FIFO, unthrottled, and nobody above them.
using System.Globalization;

namespace SspHost.Diagnostics;

internal static class SchedulingChecks
{
    private const int CapSysNice = 23, AudioPriority = 80, WatchdogPriority = 90;
    private const string Limits = "add 'USER - rtprio 95' and 'USER - memlock unlimited' to /etc/security/limits.d/ssphost.conf and log in again; in a service: LimitRTPRIO=95 and LimitMEMLOCK=infinity";

    public static Finding Fifo(DoctorFacts f)
    {
        const string id = "fifo";
        const string why = "without SCHED_FIFO any program that computes takes the core from the audio thread for milliseconds";
        if (f.Engine is { Threads.Count: > 0 } e)
        {
            var ordinary = e.Threads.Where(t => !t.Fifo).Select(t => t.Name).ToArray();
            return ordinary.Length == 0
                ? Finding.Fine(id, $"all {e.Threads.Count.ToString(CultureInfo.InvariantCulture)} real-time threads of the engine run at SCHED_FIFO")
                : Finding.Of(id, Severity.Error, $"{string.Join(", ", ordinary)} run{(ordinary.Length == 1 ? "s" : "")} at an ordinary priority", "SCHED_FIFO", why, Limits + "; then ssp stop, ssp run");
        }

        var limit = f.Files.Limit("self", "Max realtime priority");
        var capable = f.Files.Capability("self", CapSysNice);
        var granted = f.FifoGranted ?? (capable == true || limit is -1 or >= WatchdogPriority ? true : limit is >= 0 ? false : null);
        return granted switch
        {
            true => Finding.Fine(id, f.FifoGranted == true ? "SCHED_FIFO is granted (tried)" : "SCHED_FIFO is permitted"),
            false => Finding.Of(id, Severity.Error, $"SCHED_FIFO is refused (limit of real-time priority: {limit?.ToString(CultureInfo.InvariantCulture) ?? "not known"})", "a limit of 95, or CAP_SYS_NICE", why, Limits),
            null => Finding.Of(id, Severity.Note, "nobody says whether SCHED_FIFO is permitted", "a limit of real-time priority of 95", why, Limits),
        };
    }

    public static Finding Throttling(DoctorFacts f)
    {
        const string id = "rt-throttling";
        const string why = "a core whose real-time threads are busy beyond that share is taken from them until the period of a second is over: up to 50 ms of silence";
        const string remedy = "echo 'kernel.sched_rt_runtime_us=-1' > /etc/sysctl.d/90-ssphost.conf && sysctl --system";
        var runtime = f.Files.Number("proc/sys/kernel/sched_rt_runtime_us");
        var period = f.Files.Number("proc/sys/kernel/sched_rt_period_us") ?? 1_000_000;
        return runtime switch
        {
            null => Finding.Of(id, Severity.Note, "the kernel does not say how long real-time threads may run", "kernel.sched_rt_runtime_us = -1", why, remedy),
            < 0 => Finding.Fine(id, "real-time threads are not throttled"),
            0 => Finding.Of(id, Severity.Error, "kernel.sched_rt_runtime_us is 0: real-time threads may not run at all", "-1", why, remedy),
            var r when r < period / 2 => Finding.Of(id, Severity.Error, Text($"real-time threads may run {r} of {period} us"), "-1 (no limit)", why, remedy),
            var r => Finding.Of(id, Severity.Note, Text($"real-time threads may run {r} of {period} us"), "-1 (no limit); it matters where a core is loaded beyond 95 % for a second", why, remedy),
        };
    }

    /// <summary>Group scheduling of real-time threads: a group without a share of its own gets none.</summary>
    public static Finding RealTimeGroup(DoctorFacts f)
    {
        const string id = "rt-group";
        foreach (var directory in Groups(f, "cpu"))
        {
            if (f.Files.Number(directory + "/cpu.rt_runtime_us") is not { } runtime) continue;
            return runtime != 0
                ? Finding.Fine(id, Text($"the control group grants real-time threads {runtime} us"))
                : Finding.Of(id, Severity.Error, "the control group grants real-time threads no time (cpu.rt_runtime_us = 0)", "more than 0, or a kernel without CONFIG_RT_GROUP_SCHED", "SCHED_FIFO is refused in this group, whatever the limits say", $"echo 950000 > /{directory}/cpu.rt_runtime_us");
        }

        return Finding.Fine(id, "real-time threads are not limited by their control group");
    }

    public static Finding Quota(DoctorFacts f)
    {
        const string id = "cpu-quota";
        const string why = "when the quota is used up, every ordinary thread of the group stands still for the rest of the period: the steward and the host stop answering, and without SCHED_FIFO the audio does";
        foreach (var directory in Groups(f, "cpu"))
        {
            var v2 = f.Files.Text(directory + "/cpu.max")?.Split(' ');
            var (quota, period) = v2 is [var q, var p] ? (q == "max" ? -1 : Parse(q), Parse(p)) : (f.Files.Number(directory + "/cpu.cfs_quota_us") ?? -1, f.Files.Number(directory + "/cpu.cfs_period_us") ?? 100_000);
            if (quota > 0)
                return Finding.Of(id, f.Engine is { Threads.Count: > 0 } e && e.Threads.All(t => t.Fifo) ? Severity.Warning : Severity.Error, Text($"the control group may use {quota} of each {period} us"), "no quota", why, $"echo max > /{directory}/cpu.max; in a service: CPUQuota=");
        }

        return Finding.Fine(id, "no quota of processor time");
    }

    /// <summary>Programs of others that go before the audio thread on its cores.</summary>
    public static Finding Rivals(DoctorFacts f)
    {
        const string id = "rivals";
        var ours = f.UsedCores;
        var rivals = new List<string>();
        foreach (var pid in f.Files.Names("proc").Where(n => char.IsAsciiDigit(n[0])))
        {
            if (f.Engine is { } e && pid == e.Pid.ToString(CultureInfo.InvariantCulture)) continue;
            foreach (var tid in f.Files.Names($"proc/{pid}/task"))
            {
                var text = f.Files.Text($"proc/{pid}/task/{tid}/stat");
                if (text == null) continue;
                var bytes = System.Text.Encoding.UTF8.GetBytes(text);
                if (!ProcText.TryStat(bytes, out var stat) || stat.Policy is not (1 or 2 or 6) || (stat.Policy != 6 && stat.Priority < AudioPriority)) continue;
                // The kernel's own (children of kthreadd, 2) keep their cores running and are short.
                if (text[(stat.NameStart + stat.NameLength)..] is var rest && rest.Split(' ') is [_, _, "2", ..]) continue;
                var allowed = SystemFiles.Cores(f.Files.StatusField($"{pid}/task/{tid}", "Cpus_allowed_list:"));
                if (allowed.Count > 0 && !allowed.Any(ours.Contains)) continue;
                rivals.Add(string.Create(CultureInfo.InvariantCulture, $"{Printable(System.Text.Encoding.UTF8.GetString(bytes, stat.NameStart, stat.NameLength))} ({tid}, {ProcText.PolicyName(stat.Policy)} {stat.Priority})"));
            }
        }

        return rivals.Count == 0
            ? Finding.Fine(id, "no other program goes before the audio thread")
            : Finding.Of(id, Severity.Warning, Text($"{rivals.Count} thread{(rivals.Count == 1 ? "" : "s")} at or above the audio thread's priority may run on its cores: {string.Join(", ", rivals.Take(5))}"), $"priorities below {AudioPriority}, or other cores", "while one of them computes, the audio thread waits", "chrt -f -p 60 TID, or taskset -p MASK TID");
    }

    public static Finding TimerSlack(DoctorFacts f)
    {
        const string id = "timer-slack";
        if (f.Engine is not { Threads: [var audio, ..] }) return Finding.Fine(id, "no engine runs");
        if (audio.Fifo) return Finding.Fine(id, "timers of real-time threads have no slack");
        var slack = f.Files.Number(Text($"proc/{audio.Tid}/timerslack_ns"));
        return slack is null or <= 1000
            ? Finding.Fine(id, Text($"timer slack {slack ?? 0} ns"))
            : Finding.Of(id, Severity.Note, Text($"timers of the audio thread may come {slack / 1000} us late"), "0", "the kernel gathers the timers of ordinary threads; those of SCHED_FIFO threads are exact", "permit SCHED_FIFO");
    }

    /// <summary>Directories of the control group of this process or the engine: v2 first, then the v1 hierarchy of a controller.</summary>
    internal static IEnumerable<string> Groups(DoctorFacts f, string controller)
    {
        foreach (var line in (f.Files.Text($"proc/{f.Process}/cgroup") ?? "").Split('\n'))
        {
            var parts = line.Split(':', 3);
            if (parts.Length != 3) continue;
            var path = parts[2].TrimEnd('/');
            if (parts[1].Length == 0)
            {
                // A quota of a group above holds as well.
                for (var up = path; ; up = up[..up.LastIndexOf('/')])
                {
                    yield return "sys/fs/cgroup" + up;
                    if (up.LastIndexOf('/') < 0) break;
                }
            }
            else if (parts[1].Split(',').Contains(controller, StringComparer.Ordinal))
            {
                yield return $"sys/fs/cgroup/{parts[1]}{path}";
                yield return $"sys/fs/cgroup/{controller}{path}";
            }
        }
    }

    internal static string Printable(string name) => new([.. name.Select(c => char.IsControl(c) ? '?' : c)]);

    private static long Parse(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1;

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
