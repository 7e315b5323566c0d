// What the doctor finds: what is so, what ought to be, why it matters for the sound, and the line that mends it.
namespace SspHost.Diagnostics;

/// <summary>How bad a finding is.</summary>
public enum Severity
{
    /// <summary>As it ought to be.</summary>
    Fine = 0,

    /// <summary>Worth knowing; no sound is lost by it.</summary>
    Note = 1,

    /// <summary>May cause dropouts.</summary>
    Warning = 2,

    /// <summary>Will cause dropouts.</summary>
    Error = 3,
}

/// <summary>A finding.</summary>
public sealed record Finding
{
    /// <summary>Name of the check, for programs.</summary>
    public required string Id { get; init; }

    /// <summary>"fine", "note", "warning" or "error".</summary>
    public required string Severity { get; init; }

    /// <summary>What was found.</summary>
    public required string Found { get; init; }

    /// <summary>What ought to be.</summary>
    public string? Expected { get; init; }

    /// <summary>What it does to the sound.</summary>
    public string? Why { get; init; }

    /// <summary>The command or the line of a configuration that mends it.</summary>
    public string? Remedy { get; init; }

    internal static Finding Fine(string id, string found) => new() { Id = id, Severity = "fine", Found = found };

    internal static Finding Of(string id, Severity severity, string found, string expected, string why, string remedy) => new()
    {
        Id = id,
        Severity = IncidentKinds.WordOf(severity),
        Found = found,
        Expected = expected,
        Why = why,
        Remedy = remedy,
    };

    /// <summary>The severity as a number.</summary>
    internal Severity Level => Enum.Parse<Severity>(Severity, ignoreCase: true);
}

/// <summary>All findings, the worst first.</summary>
public sealed record DoctorReport
{
    /// <summary>Version of this format; rises when a field changes its meaning or goes.</summary>
    public int Version { get; init; } = 1;

    /// <inheritdoc cref="Moment"/>
    public required string Time { get; init; }

    /// <summary>0: fine; 1: there are warnings; 2: it will drop out.</summary>
    public int Verdict { get; init; }

    public required IReadOnlyList<Finding> Findings { get; init; }
}
