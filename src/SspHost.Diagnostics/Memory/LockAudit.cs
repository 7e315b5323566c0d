// Whether anything that plays could leave memory: the engine's mappings by what they hold, and what of each is locked and resident.
using System.Globalization;
using System.Text;

namespace SspHost.Diagnostics;

/// <summary>What mappings of one kind come to, in bytes.</summary>
/// <param name="Name">"region", "stacks", "code", "constants", "data" or "runtime".</param>
/// <param name="RealTime">Whether RT threads need it: then all of it that is offered has to be locked and resident.</param>
public sealed record LockedPart(string Name, bool RealTime, int Mappings, long Size, long Resident, long Locked, long Swapped)
{
    /// <summary>Whether nothing of it can leave memory.</summary>
    public bool Holds => Locked == Resident && Swapped == 0;
}

/// <summary>The whole engine.</summary>
public sealed record LockReport
{
    public required IReadOnlyList<LockedPart> Parts { get; init; }

    /// <summary>Bytes of the RT set that are resident, of those the ones that could leave memory, and those that have left.</summary>
    public long Resident { get; init; }

    /// <inheritdoc cref="Resident"/>
    public long Loose { get; init; }

    /// <inheritdoc cref="Resident"/>
    public long Gone { get; init; }

    /// <summary>Mappings of the RT set that are not locked, the largest first; eight at most.</summary>
    public required IReadOnlyList<string> LooseMappings { get; init; }

    /// <summary>Whether Locked = Rss for everything RT threads touch.</summary>
    public bool Holds => Loose == 0 && Gone == 0;
}

/// <summary>Reads it from <c>/proc/PID/smaps</c>.</summary>
public static class LockAudit
{
    private const int MostLoose = 8;
    private const string RegionName = "/memfd:ssp-region";

    /// <summary>
    /// Audits a process. <paramref name="stacksOffset"/>, <paramref name="stacksBytes"/>: where in the region the RT threads' stacks lie, as its header says.
    /// </summary>
    public static LockReport Of(int pid, long stacksOffset, long stacksBytes) => Judge(Mapping.Of(pid), stacksOffset, stacksBytes);

    /// <summary>The same of mappings read before.</summary>
    public static LockReport Judge(IReadOnlyList<Mapping> mappings, long stacksOffset, long stacksBytes)
    {
        var image = mappings.FirstOrDefault(m => m.Path.StartsWith('/') && !m.Path.StartsWith("/memfd:", StringComparison.Ordinal))?.Path ?? "";
        var parts = new Dictionary<string, LockedPart>(StringComparer.Ordinal);
        var loose = new List<(long Bytes, string Text)>();
        long resident = 0, free = 0, gone = 0;
        foreach (var m in mappings)
        {
            if (m.Permissions.StartsWith("---", StringComparison.Ordinal)) continue; // guard pages and reserved addresses hold nothing
            if (Kind(m, image, stacksOffset, stacksBytes) is not { } kind) continue;
            var (name, realTime) = kind;
            var locked = m.IsLocked ? m.Resident : 0;
            var sum = parts.GetValueOrDefault(name) ?? new LockedPart(name, realTime, 0, 0, 0, 0, 0);
            parts[name] = sum with
            {
                Mappings = sum.Mappings + 1,
                Size = sum.Size + m.Size,
                Resident = sum.Resident + m.Resident,
                Locked = sum.Locked + locked,
                Swapped = sum.Swapped + m.Swapped,
            };
            if (!realTime) continue;
            resident += m.Resident;
            free += m.Resident - locked;
            // Of the region only what has been offered by now is in memory; a file's page that is missing has to be read from the disk.
            gone += m.Swapped + (name is "region" ? 0 : m.Size - m.Resident - m.Swapped);
            if (!m.IsLocked) loose.Add((m.Size, string.Create(CultureInfo.InvariantCulture, $"{m.Start:x}-{m.End:x} {m.Permissions} {(m.Path.Length > 0 ? m.Path : name)}")));
        }

        return new LockReport
        {
            Parts = [.. parts.Values.OrderByDescending(p => p.RealTime).ThenByDescending(p => p.Resident)],
            Resident = resident,
            Loose = free,
            Gone = gone,
            LooseMappings = [.. loose.OrderByDescending(l => l.Bytes).Take(MostLoose).Select(l => l.Text)],
        };
    }

    /// <summary>For people: one line a part and what it comes to.</summary>
    public static string Format(LockReport report)
    {
        var text = new StringBuilder();
        foreach (var p in report.Parts)
            text.AppendLine(CultureInfo.InvariantCulture, $"  {p.Name,-10} {Mib(p.Resident),8:0.0} MiB in memory, {Mib(p.Locked),7:0.0} locked{(p.Swapped > 0 ? $", {Mib(p.Swapped):0.0} in swap" : "")}{(p.RealTime ? "" : "  (not needed while it plays)")}");
        text.AppendLine(report.Holds
            ? "  nothing that RT threads touch can leave memory"
            : string.Create(CultureInfo.InvariantCulture, $"  {Mib(report.Loose):0.0} MiB that RT threads touch may leave memory, {Mib(report.Gone):0.0} MiB have"));
        foreach (var m in report.LooseMappings) text.AppendLine("    not locked: " + m);
        return text.ToString();
    }

    private static double Mib(long bytes) => bytes / (double)(1 << 20);

    private static (string Name, bool RealTime)? Kind(Mapping m, string image, long stacksOffset, long stacksBytes)
    {
        if (m.Path.StartsWith(RegionName, StringComparison.Ordinal))
            return m.Offset >= stacksOffset && m.Offset < stacksOffset + stacksBytes ? ("stacks", true) : ("region", true);
        if (m.Path.StartsWith("[v", StringComparison.Ordinal)) return null; // vdso, vvar, vsyscall: the kernel's own
        if (m.Path == image || m.Path.Contains(".so", StringComparison.Ordinal))
            return m.IsExecutable ? ("code", true) : m.IsWritable ? ("data", true) : ("constants", true);
        return ("runtime", false);
    }
}
