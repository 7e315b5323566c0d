// The figures of `ssp bench start`: how long until it plays, and what both processes hold.
namespace SspHost.Diagnostics;

/// <summary>Times in milliseconds (median of the runs), memory in bytes.</summary>
public sealed record StartReport
{
    /// <summary>Version of this format.</summary>
    public int Version { get; init; } = 1;

    public int Runs { get; init; }

    /// <summary>From starting the process to its main; from there to serving; from asking for audio to the first quantum.</summary>
    public double SpawnToMain { get; init; }

    /// <inheritdoc cref="SpawnToMain"/>
    public double MainToReady { get; init; }

    /// <inheritdoc cref="SpawnToMain"/>
    public double ReadyToFirstQuantum { get; init; }

    /// <summary>From starting the process to its first quantum, and the slowest run's.</summary>
    public double StartToFirstQuantum { get; init; }

    /// <inheritdoc cref="StartToFirstQuantum"/>
    public double SlowestStart { get; init; }

    /// <summary>Touching as much of a region as an engine touches before it serves, measured in this process in the same run.</summary>
    public double RegionTouch { get; init; }

    /// <summary>To reach: 150 ms plus the region's touch.</summary>
    public double TargetMilliseconds { get; init; }

    public long ControlBytes { get; init; }

    public long ControlTargetBytes { get; init; }

    public long EngineBytes { get; init; }

    public long EngineTargetBytes { get; init; }

    /// <summary>Whether all three targets are met.</summary>
    public bool Met { get; init; }
}
