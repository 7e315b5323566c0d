// smaps made short: how much of each kind of mapping is in memory, locked and swapped out.
namespace SspHost.Diagnostics;

/// <summary>Mappings of one kind, in bytes.</summary>
public sealed record MappingKind(string Kind, int Mappings, long Size, long Resident, long Proportional, long Locked, long Swapped);

/// <summary>A process's mappings by kind.</summary>
public sealed record MappingsReport(int Pid, IReadOnlyList<MappingKind> Kinds, MappingKind Sum)
{
    /// <summary>Adds up the mappings of a process.</summary>
    public static MappingsReport Of(int pid, IReadOnlyList<Mapping> mappings) => new(
        pid,
        [.. mappings.GroupBy(m => KindOf(m.Path, m.Permissions), StringComparer.Ordinal).OrderBy(k => k.Key, StringComparer.Ordinal).Select(k => Add(k.Key, [.. k]))],
        Add("all", mappings));

    private static MappingKind Add(string kind, IReadOnlyList<Mapping> m) =>
        new(kind, m.Count, m.Sum(x => x.Size), m.Sum(x => x.Resident), m.Sum(x => x.Proportional), m.Sum(x => x.Locked), m.Sum(x => x.Swapped));

    private static string KindOf(string name, string rights)
    {
        if (name.Contains("/memfd:ssp-region", StringComparison.Ordinal)) return "region";
        if (name.StartsWith("[stack", StringComparison.Ordinal)) return "stack";
        if (name.StartsWith("[heap", StringComparison.Ordinal)) return "heap";
        if (name.StartsWith('[')) return "kernel";
        if (name.Length == 0) return rights.StartsWith("---", StringComparison.Ordinal) ? "reserved" : "anonymous";
        var file = name.Split('/')[^1];
        return (file.Contains(".so", StringComparison.Ordinal) ? "library" : "image") + (rights.Contains('x', StringComparison.Ordinal) ? " text" : rights.Contains('w', StringComparison.Ordinal) ? " data" : " constants");
    }
}
