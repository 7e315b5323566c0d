// What the kernel counted: whether a phase of a soak really did what it is named after.
using System.Globalization;

namespace SspHost.Diagnostics.Soak;

/// <summary>Counters by name, out of files whose lines are "name value", "name: value" or "name: value kB". 0 where there is none.</summary>
public static class KernelCounters
{
    /// <summary>Of /proc/vmstat: "pgfault", "pswpout", "drop_pagecache".</summary>
    public static long Memory(string name) => Of("/proc/vmstat", name);

    /// <summary>Bytes of /proc/meminfo: "MemAvailable".</summary>
    public static long MemoryBytes(string name) => Of("/proc/meminfo", name) << 10;

    /// <summary>Of a process's /proc/PID/io: "write_bytes", "wchar".</summary>
    public static long Io(int pid, string name) => Of(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/io"), name);

    /// <summary>Bytes of a process's /proc/PID/status: "VmHWM", "RssAnon".</summary>
    public static long ProcessBytes(int pid, string name) => Of(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/status"), name) << 10;

    /// <summary>Bytes that the loopback device has received.</summary>
    public static long Loopback() => long.TryParse(Text("/sys/class/net/lo/statistics/rx_bytes").Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0;

    /// <summary>Bytes of swap space there are.</summary>
    public static long Swap() => Of("/proc/meminfo", "SwapTotal") << 10;

    private static long Of(string file, string name)
    {
        foreach (var line in Text(file).AsSpan().EnumerateLines())
        {
            if (!line.StartsWith(name, StringComparison.Ordinal) || line.Length == name.Length || line[name.Length] is not (' ' or ':')) continue;
            var value = line[(name.Length + 1)..].Trim();
            var end = value.IndexOf(' ');
            return long.TryParse(end < 0 ? value : value[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0;
        }

        return 0;
    }

    private static string Text(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // the process has ended, or this kernel has no such file
        }
    }
}
