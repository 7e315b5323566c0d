// A directory that stands for the root directory: /proc and /sys as a test says.
using System.Globalization;

namespace SspHost.Tests;

internal sealed class ProcTree : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("ssp-proc-").FullName;

    /// <summary>Writes a file, its directories included.</summary>
    public ProcTree Put(string path, string text)
    {
        var full = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
        return this;
    }

    public ProcTree Put(string path, byte[] bytes)
    {
        Put(path, "");
        File.WriteAllBytes(Path.Combine(Root, path), bytes);
        return this;
    }

    public ProcTree Remove(string path)
    {
        var full = Path.Combine(Root, path);
        if (Directory.Exists(full)) Directory.Delete(full, recursive: true);
        else File.Delete(full);
        return this;
    }

    /// <summary>A process without threads.</summary>
    public ProcTree Process(int pid, ulong start, ulong minor = 0, ulong major = 0, int residentKb = 30_720, int lockedKb = 262_144)
    {
        Directory.CreateDirectory(Path.Combine(Root, At($"proc/{pid}/task")));
        foreach (var fd in new[] { 0, 1, 2 }) Put(At($"proc/{pid}/fd/{fd}"), "");
        return Put(At($"proc/{pid}/stat"), Stat(pid, "ssp-engine", start, minor, major))
            .Put(At($"proc/{pid}/status"), At($"Name:\tssp-engine\nVmLck:\t{lockedKb} kB\nVmRSS:\t{residentKb} kB\nVmSwap:\t0 kB\n"));
    }

    /// <summary>A thread. Times in ns.</summary>
    public ProcTree Thread(
        int pid, int tid, string name = "ssp-audio", ulong start = 100, ulong cpu = 0, ulong wait = 0, ulong minor = 0, ulong major = 0, ulong voluntary = 0,
        ulong involuntary = 0, int core = 1, int policy = 1, int priority = 80, ulong ticks = 0, bool sched = true)
    {
        var directory = At($"proc/{pid}/task/{tid}/");
        Put(directory + "stat", Stat(tid, name, start, minor, major, core, policy, priority, ticks));
        if (sched) Put(directory + "schedstat", At($"{cpu} {wait} {(cpu > 0 ? 7 : 0)}\n"));
        return Put(directory + "status", At($"Name:\t{name}\nvoluntary_ctxt_switches:\t{voluntary}\nnonvoluntary_ctxt_switches:\t{involuntary}\n"));
    }

    /// <summary>What the whole system tells, with <paramref name="busy"/> ticks on core 1 (at least 900).</summary>
    public ProcTree System(ulong busy = 1000)
    {
        return Put("proc/stat", At($"cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 {busy - 900} 0 50 800 10 5 5 0 0 0\ncpu1 {busy} 0 0 1000 0 0 0 20 0 0\nintr 1 2 3\n"))
            .Put("proc/pressure/cpu", "some avg10=2.00 avg60=1.00 avg300=0.50 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n")
            .Put("proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=3\n")
            .Put("proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=8\n")
            .Put("proc/loadavg", "0.50 0.40 0.30 1/234 5678\n")
            .Put("proc/meminfo", "MemTotal:        4194304 kB\nMemFree:          100 kB\nMemAvailable:    2097152 kB\nSwapTotal:       0 kB\nSwapFree:        0 kB\n")
            .Put("proc/vmstat", "pgfault 99\npgmajfault 7\npswpin 1\npswpout 2\n");
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private static string Stat(int tid, string name, ulong start, ulong minor, ulong major, int core = 0, int policy = 0, int priority = 0, ulong ticks = 0) =>
        At($"{tid} ({name}) S 1 1 1 0 -1 4194304 {minor} 0 {major} 0 {ticks} 0 0 0 20 0 1 0 {start} 1000000 100 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 {core} {priority} {policy} 0 0 0 0 0 0 0 0 0 0 0\n");

    private static string At(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
