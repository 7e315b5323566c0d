// A recording as the control socket tells of it.
namespace SspHost.Diagnostics;

/// <summary>A place where frames are missing and silence stands for them.</summary>
public sealed record RecordingGap
{
    /// <summary>Frame of the recording, and frames of silence.</summary>
    public long At { get; init; }

    /// <inheritdoc cref="At"/>
    public long Frames { get; init; }

    /// <summary>Why, as its marker in the file says it.</summary>
    public required string Text { get; init; }
}

/// <summary>A recording that runs, or what came of one.</summary>
public sealed record RecordingReport
{
    public required string File { get; init; }

    public long Frames { get; init; }

    public double Seconds { get; init; }

    /// <summary>Frames of silence that stand for what is missing.</summary>
    public long Missing { get; init; }

    /// <summary>Quanta for which the recorder had no room: they are among what is missing.</summary>
    public ulong DroppedBlocks { get; init; }

    /// <summary>Each of them, the first thousand; while it runs, the last ten of those.</summary>
    public required IReadOnlyList<RecordingGap> Gaps { get; init; }

    /// <summary>Why it ended early, or null.</summary>
    public string? Trouble { get; init; }
}
