// The machine that a file of results is of: figures of two machines are no comparison of two programs.
using System.Globalization;
using System.Reflection;
using System.Runtime.Intrinsics.X86;
using System.Text;
using System.Text.Json.Serialization;

namespace SspHost.Diagnostics.Benching;

/// <summary>What a reader needs to know of the machine, and nothing that names its owner.</summary>
public sealed record BenchMachine
{
    private const int HypervisorLeaf = 0x40000000; // cpuid: the twelve letters of who virtualises
    private const string DateFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>When it was measured: UTC, "2026-01-31T20:15:00Z".</summary>
    public required string Date { get; init; }

    /// <summary>Name of the processor, "?" where nobody says it.</summary>
    public required string Cpu { get; init; }

    /// <summary>Cores that are online, whether or not this process may use them.</summary>
    public required int Cores { get; init; }

    /// <summary>Release of the kernel, as of `uname -r`, and " PREEMPT_RT" where it is one.</summary>
    public required string Kernel { get; init; }

    /// <summary>cpufreq's governor, several with commas, or "none".</summary>
    public required string Governor { get; init; }

    /// <summary>"none", or who virtualises: "kvm", "xen", "vmware", ..., "yes" where only that is known.</summary>
    public required string Virtual { get; init; }

    public required long MemoryBytes { get; init; }

    /// <summary>The device tree's model, or what the maker calls the machine; empty where there is neither.</summary>
    public required string Board { get; init; }

    /// <summary>Whether SCHED_FIFO was granted when it was tried.</summary>
    public required bool RealTime { get; init; }

    /// <summary>Version of the programs.</summary>
    public required string Ssp { get; init; }

    /// <summary>This machine, now.</summary>
    public static BenchMachine Read() => Read(new SystemFiles(), FifoProbe.Granted(), DateTime.UtcNow);

    /// <summary>Reads it below a root of its own.</summary>
    internal static BenchMachine Read(SystemFiles files, bool realTime, DateTime now)
    {
        var version = files.Text("proc/version") ?? "";
        var words = version.Split(' ');
        var release = files.Text("proc/sys/kernel/osrelease") ?? (words.Length > 2 ? words[2] : "?");
        var preemptRt = files.Number("sys/kernel/realtime") == 1 || version.Contains("PREEMPT_RT", StringComparison.Ordinal);
        return new BenchMachine
        {
            Date = now.ToString(DateFormat, CultureInfo.InvariantCulture),
            Cpu = Clean(Processor(files)) is { Length: > 0 } cpu ? cpu : "?",
            Cores = Math.Max(1, SystemFiles.Cores(files.Text("sys/devices/system/cpu/online")).Count),
            Kernel = Clean(release) + (preemptRt ? " PREEMPT_RT" : ""),
            Governor = Governors(files),
            Virtual = Virtualisation(files),
            MemoryBytes = Memory(files),
            Board = Clean(files.Text("proc/device-tree/model") ?? Maker(files)),
            RealTime = realTime,
            Ssp = typeof(BenchMachine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0",
        };
    }

    /// <summary>Whether figures of the other can be held against this one's: the same processor, cores, board and virtualisation.</summary>
    public bool IsLike(BenchMachine other) => Key == other.Key;

    /// <summary>What makes a machine that machine, whatever runs on it: by this, costs that were copied from another are known.</summary>
    [JsonIgnore]
    public string Key => string.Create(CultureInfo.InvariantCulture, $"{Board}|{Cpu}|{Cores}|{Virtual}");

    /// <summary>The <see cref="Key"/> of the machine that this runs on.</summary>
    public static string ThisKey { get; } = Read(new SystemFiles(), realTime: false, DateTime.UnixEpoch).Key;

    /// <summary>What is wrong with it, as "field: expected ..."; null: nothing.</summary>
    internal string? Wrong()
    {
        if (!DateTime.TryParseExact(Date, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _)) return $"date: expected {DateFormat.Replace("'", "", StringComparison.Ordinal)} in UTC, not '{BenchFile.Short(Date)}'";
        if (Cores is < 1 or > 65_536) return FormattableString.Invariant($"cores: expected 1 to 65536, not {Cores}");
        if (MemoryBytes < 0) return FormattableString.Invariant($"memoryBytes: expected bytes, not {MemoryBytes}");
        foreach (var (name, text) in new[] { ("cpu", Cpu), ("kernel", Kernel), ("governor", Governor), ("virtual", Virtual), ("ssp", Ssp) })
            if (text.Length is 0 or > BenchFigure.MostName) return $"{name}: expected 1 to {BenchFigure.MostName} characters, not '{BenchFile.Short(text)}'";
        return Board.Length > BenchFigure.MostName ? $"board: expected at most {BenchFigure.MostName} characters, not {Board.Length}" : null;
    }

    private static string Processor(SystemFiles files)
    {
        var info = files.Text("proc/cpuinfo") ?? "";
        if (Field(info, "model name") is { } name) return name;
        // arm64 has numbers instead of names: implementer and part, of every kind of core.
        var kinds = info.Split("\n\n").Select(c => (Who: Field(c, "CPU implementer"), Part: Field(c, "CPU part"))).Where(c => c.Part != null).Distinct().Order();
        return string.Join(" + ", kinds.Select(c => $"arm {c.Who} {c.Part}"));
    }

    private static string Governors(SystemFiles files)
    {
        var all = files.Names("sys/devices/system/cpu", "cpu*").Select(c => files.Text($"sys/devices/system/cpu/{c}/cpufreq/scaling_governor")).OfType<string>();
        return Clean(string.Join(",", all.Distinct().Order(StringComparer.Ordinal))) is { Length: > 0 } names ? names : "none";
    }

    private static string Virtualisation(SystemFiles files)
    {
        var flags = Field(files.Text("proc/cpuinfo") ?? "", "flags") ?? "";
        var told = files.Text("sys/hypervisor/type") ?? files.Text("proc/device-tree/hypervisor/compatible")?.Split('\0', ',')[^1];
        if (told is { Length: > 0 }) return Clean(told);
        var flag = flags.Split(' ').Contains("hypervisor");
        if (flag && Vendor() is { Length: > 0 } vendor) return vendor;
        if (Known(Maker(files)) is { } maker) return maker;
        return flag ? "yes" : "none";
    }

    // A processor says who virtualises it where the kernel's flag says that somebody does.
    private static string Vendor()
    {
        if (!X86Base.IsSupported) return "";
        var (_, b, c, d) = X86Base.CpuId(HypervisorLeaf, 0);
        Span<int> letters = [b, c, d];
        var name = Encoding.ASCII.GetString(System.Runtime.InteropServices.MemoryMarshal.AsBytes(letters)).TrimEnd('\0', ' ');
        return Known(name) ?? Clean(name);
    }

    private static string? Known(string name)
    {
        foreach (var (part, word) in new[]
        {
            ("KVM", "kvm"), ("Xen", "xen"), ("VMware", "vmware"), ("Microsoft Hv", "hyper-v"), ("Virtual Machine", "hyper-v"), ("VBox", "virtualbox"), ("VirtualBox", "virtualbox"),
            ("TCG", "qemu"), ("QEMU", "qemu"), ("bhyve", "bhyve"), ("ACRN", "acrn"), ("Amazon EC2", "amazon"), ("Google Compute", "google"),
        })
            if (name.Contains(part, StringComparison.OrdinalIgnoreCase)) return word;
        return null;
    }

    private static string Maker(SystemFiles files) => Clean($"{files.Text("sys/class/dmi/id/sys_vendor")} {files.Text("sys/class/dmi/id/product_name")}");

    private static long Memory(SystemFiles files)
    {
        var kib = Field(files.Text("proc/meminfo") ?? "", "MemTotal")?.Split(' ')[0];
        return long.TryParse(kib, NumberStyles.None, CultureInfo.InvariantCulture, out var n) && n < long.MaxValue >> 10 ? n << 10 : 0;
    }

    private static string? Field(string text, string name)
    {
        foreach (var line in text.Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line.AsSpan(0, colon).Trim().SequenceEqual(name)) return line[(colon + 1)..].Trim();
        }

        return null;
    }

    // As it may stand in the file: one line of ordinary length.
    private static string Clean(string text)
    {
        var words = new string([.. text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c)]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var line = string.Join(' ', words);
        return line.Length <= BenchFigure.MostName ? line : line[..BenchFigure.MostName];
    }
}
