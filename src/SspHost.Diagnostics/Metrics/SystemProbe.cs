// Reads what the whole system does: cores and pressure each time, memory, heat and disk twice a second.
using System.Globalization;

namespace SspHost.Diagnostics;

/// <summary>Not thread-safe. <paramref name="root"/>: "/" but in tests; <paramref name="disk"/>: a directory on the disk of interest, or null.</summary>
internal sealed class SystemProbe(string root = "/", string? disk = null) : IDisposable
{
    /// <summary>Cores kept.</summary>
    public const int MaxCores = 256;

    private const int SlowEvery = 5;
    private readonly byte[] _buffer = new byte[64 << 10];
    private readonly ProcFile _stat = new(Path.Combine(root, "proc/stat"));
    private readonly ProcFile _cpu = new(Path.Combine(root, "proc/pressure/cpu"));
    private readonly ProcFile _memory = new(Path.Combine(root, "proc/pressure/memory"));
    private readonly ProcFile _io = new(Path.Combine(root, "proc/pressure/io"));
    private readonly ProcFile _load = new(Path.Combine(root, "proc/loadavg"));
    private readonly ProcFile _meminfo = new(Path.Combine(root, "proc/meminfo"));
    private readonly ProcFile _vmstat = new(Path.Combine(root, "proc/vmstat"));
    private readonly ProcFile[] _frequencies = Files(Path.Combine(root, "sys/devices/system/cpu"), "cpu*", "cpufreq/scaling_cur_freq");
    private readonly ProcFile[] _throttles = Files(Path.Combine(root, "sys/devices/system/cpu"), "cpu*", "thermal_throttle/core_throttle_count");
    private readonly ProcFile[] _temperatures = Temperatures(root);
    private readonly ProcFile[] _cooling = Files(Path.Combine(root, "sys/class/thermal"), "cooling_device*", "cur_state");
    private readonly CoreTicks[] _cores = new CoreTicks[MaxCores];
    private readonly int[] _kilohertz = new int[MaxCores];
    private SystemSample _slow = SystemSample.None;
    private int _round;

    /// <summary>Why a source gives nothing, by its name.</summary>
    public Dictionary<string, string> Missing { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads into <paramref name="snapshot"/>.</summary>
    public void Take(Snapshot snapshot)
    {
        var count = ProcText.Cores(Read(_stat, "cores"), _cores);
        if (_round++ % SlowEvery == 0) TakeSlow(count);
        ref var s = ref snapshot.System;
        s = _slow;
        Pressure(_cpu, "cpu pressure", out s.CpuSome, out s.CpuFull);
        Pressure(_memory, "memory pressure", out s.MemorySome, out s.MemoryFull);
        Pressure(_io, "io pressure", out s.IoSome, out s.IoFull);
        if (snapshot.Cores.Length < count) (snapshot.Cores, snapshot.Kilohertz) = (new CoreTicks[count], new int[count]);
        _cores.AsSpan(0, count).CopyTo(snapshot.Cores);
        _kilohertz.AsSpan(0, count).CopyTo(snapshot.Kilohertz);
        snapshot.CoreCount = count;
    }

    public void Dispose()
    {
        foreach (var f in new[] { _stat, _cpu, _memory, _io, _load, _meminfo, _vmstat }.Concat(_frequencies).Concat(_throttles).Concat(_temperatures).Concat(_cooling)) f.Dispose();
    }

    private void Pressure(ProcFile file, string name, out PressureLine some, out PressureLine full)
    {
        if (!ProcText.TryPressure(Read(file, name), out some, out full) && file.Error == 2) Missing[name] = "the kernel has no pressure figures: CONFIG_PSI, and psi=1 on its command line";
    }

    private void TakeSlow(int cores)
    {
        var s = SystemSample.None;
        s.HasLoad = ProcText.TryLoad(Read(_load, "load"), out s.Load1, out s.Load5, out s.Load15);
        var memory = Read(_meminfo, "memory");
        s.MemoryTotal = Bytes(memory, "MemTotal:"u8);
        s.MemoryAvailable = Bytes(memory, "MemAvailable:"u8);
        s.SwapTotal = Bytes(memory, "SwapTotal:"u8);
        s.SwapFree = Bytes(memory, "SwapFree:"u8);
        var vm = Read(_vmstat, "vmstat");
        s.HasVmstat = ProcText.TryField(vm, "pgmajfault "u8, out s.MajorFaults);
        _ = ProcText.TryField(vm, "pswpin "u8, out s.SwapIn);
        _ = ProcText.TryField(vm, "pswpout "u8, out s.SwapOut);
        Array.Clear(_kilohertz);
        for (var i = 0; i < Math.Min(_frequencies.Length, cores); i++)
            if (ProcText.TryNumber(_frequencies[i].Read(_buffer), out var khz)) _kilohertz[i] = (int)Math.Clamp(khz, 0, int.MaxValue);
        if (_frequencies.Length == 0) Missing["frequency"] = "the kernel does not offer it";
        foreach (var zone in _temperatures)
            if (ProcText.TryNumber(zone.Read(_buffer), out var t)) s.Temperature = Math.Max(s.Temperature, (int)Math.Clamp(t, -300_000, 1_000_000));
        if (_temperatures.Length == 0) Missing["temperature"] = "the kernel does not offer it";
        s.Throttled = Sum(_throttles);
        s.Cooling = Sum(_cooling);
        Disk(ref s);
        _slow = s;
    }

    private void Disk(ref SystemSample s)
    {
        if (disk == null) return;
        try
        {
            var drive = new DriveInfo(disk);
            (s.DiskFree, s.DiskTotal) = (drive.AvailableFreeSpace, drive.TotalSize);
            _ = Missing.Remove("disk");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            Missing["disk"] = e.Message;
        }
    }

    private long Sum(ProcFile[] files)
    {
        if (files.Length == 0) return -1;
        var sum = 0L;
        foreach (var f in files)
            if (ProcText.TryNumber(f.Read(_buffer), out var n)) sum += n;
        return sum;
    }

    private ReadOnlySpan<byte> Read(ProcFile file, string name)
    {
        var text = file.Read(_buffer);
        if (text.IsEmpty) Missing[name] = file.Error == 0 ? "it is empty" : file.Reason;
        else _ = Missing.Remove(name);
        return text;
    }

    private static long Bytes(ReadOnlySpan<byte> text, ReadOnlySpan<byte> field) => ProcText.TryField(text, field, out var kb) && kb < 1UL << 50 ? (long)kb * 1024 : -1;

    private static ProcFile[] Files(string directory, string pattern, string file)
    {
        try
        {
            return [.. Directory.EnumerateDirectories(directory, pattern)
                .Select(d => (Number: NumberOf(d), Path: Path.Combine(d, file)))
                .Where(f => f.Number >= 0 && File.Exists(f.Path)).OrderBy(f => f.Number).Select(f => new ProcFile(f.Path))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    // Zones are what the kernel itself judges heat by; a processor without any has a driver of hwmon.
    private static ProcFile[] Temperatures(string root)
    {
        var zones = Files(Path.Combine(root, "sys/class/thermal"), "thermal_zone*", "temp");
        if (zones.Length > 0) return zones;
        try
        {
            return [.. Directory.EnumerateDirectories(Path.Combine(root, "sys/class/hwmon"), "hwmon*").SelectMany(d => Directory.EnumerateFiles(d, "temp*_input")).Order(StringComparer.Ordinal).Select(f => new ProcFile(f))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static int NumberOf(string path)
    {
        var at = path.Length;
        while (at > 0 && char.IsAsciiDigit(path[at - 1])) at--;
        return int.TryParse(path.AsSpan(at), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1;
    }
}
