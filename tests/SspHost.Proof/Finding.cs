// What a proof found: a path that must not be, or a line of the list that is out of date.
namespace SspHost.Proof;

/// <summary>One step of a path.</summary>
/// <param name="Method">Readable name.</param>
/// <param name="Line">Source of the call that leads on, or null.</param>
internal readonly record struct Step(string Method, string? Line);

/// <summary>A reason why the proof fails.</summary>
/// <param name="Kind">allocation, lock, throw, ...; "unlisted" for a name that is on no list, "indirect", "undecoded", "list".</param>
/// <param name="What">One line.</param>
/// <param name="Path">From the root to where it happens; empty for faults of the list.</param>
internal sealed record Finding(string Kind, string What, IReadOnlyList<Step> Path);

/// <summary>What a proof says.</summary>
internal sealed class Verdict
{
    public List<Finding> Findings { get; } = [];

    public List<string> Roots { get; } = [];

    public SortedSet<string> ModuleTypes { get; } = new(StringComparer.Ordinal);

    /// <summary>Functions an RT thread can reach.</summary>
    public HashSet<Function> Reached { get; } = [];

    public int DirectCalls { get; set; }

    /// <summary>Indirect calls by the line that lists them: caller, targets.</summary>
    public List<(string Caller, int Count, List<string> Targets)> Indirect { get; } = [];

    /// <summary>Allowed calls of what is forbidden: kind, target, callers.</summary>
    public SortedDictionary<(string Kind, string Target), SortedSet<string>> Allowed { get; } = [];

    public bool Holds => Findings.Count == 0;
}
