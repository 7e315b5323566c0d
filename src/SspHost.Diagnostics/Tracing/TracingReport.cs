// Whether tracing is on, and what the flight recorder holds: what the control socket tells.
namespace SspHost.Diagnostics.Tracing;

/// <summary>The state of tracing.</summary>
public sealed record TracingReport
{
    /// <summary>Whether the engine's threads write events; whether modules do, too.</summary>
    public bool Trace { get; init; }

    /// <inheritdoc cref="Trace"/>
    public bool Modules { get; init; }

    /// <summary>Events taken in since the host started, and those that were lost because they came faster.</summary>
    public long Events { get; init; }

    /// <inheritdoc cref="Events"/>
    public ulong Missing { get; init; }

    /// <summary>Bytes of memory that the recorder has.</summary>
    public long Bytes { get; init; }

    /// <summary>Whether the scheduler's switches are recorded at this moment, or why not.</summary>
    public required string Scheduler { get; init; }
}
