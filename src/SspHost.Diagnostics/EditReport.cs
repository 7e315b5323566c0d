// The figures of `ssp bench edits`: what a hot edit costs the audio thread, and whether anybody hears it.
namespace SspHost.Diagnostics;

/// <summary>Quantiles in ns.</summary>
public sealed record Spread(ulong Count, ulong P50, ulong P99, ulong Max);

/// <summary>Edits on a playing patch, in blocks that alternate with blocks of the same length without edits.</summary>
public sealed record EditReport
{
    /// <summary>Version of this format.</summary>
    public int Version { get; init; } = 1;

    public int Modules { get; init; }

    public int Edits { get; init; }

    /// <summary>Plans the engine took for them: unions and what follows them.</summary>
    public ulong Plans { get; init; }

    /// <summary>Quanta late and frames lost while edited, and in as much time beside that.</summary>
    public ulong LateEdited { get; init; }

    /// <inheritdoc cref="LateEdited"/>
    public ulong LateIdle { get; init; }

    /// <inheritdoc cref="LateEdited"/>
    public ulong DropoutsEdited { get; init; }

    /// <inheritdoc cref="LateEdited"/>
    public ulong DropoutsIdle { get; init; }

    /// <summary>Quanta in which a plan was taken and that took longer than they last (within 6 %, the histogram's buckets).</summary>
    public ulong LateSwaps { get; init; }

    /// <summary>Seconds of each half.</summary>
    public double Seconds { get; init; }

    /// <summary>Taking a plan; a whole quantum in which one was taken; a quantum without edits.</summary>
    public required Spread Swap { get; init; }

    /// <inheritdoc cref="Swap"/>
    public required Spread SwapQuantum { get; init; }

    /// <inheritdoc cref="Swap"/>
    public required Spread Quantum { get; init; }

    /// <summary>ns of a quantum.</summary>
    public ulong Budget { get; init; }

    /// <summary>From the call to the answer, in ms.</summary>
    public double EditP50 { get; init; }

    /// <inheritdoc cref="EditP50"/>
    public double EditP99 { get; init; }

    public double SwapTargetNs { get; init; }

    /// <summary>
    /// Whether no quantum that took a plan was late, no more others were late or lost than without edits (beyond twice the standard deviation of
    /// the difference of two counts), and taking a plan met its target at the 99th percentile.
    /// </summary>
    public bool Met { get; init; }
}
