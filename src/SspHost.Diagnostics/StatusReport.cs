// The state of the engine as one JSON object: what `ssp status --json` prints and the control socket sends.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SspHost.Diagnostics;

/// <summary>Percentiles over a window; the unit is the field's that holds it.</summary>
public sealed record Distribution(ulong Count, double P50, double P99, double P999, double Max);

/// <summary>Audio as it runs. Loads are fractions of a quantum, times are microseconds, peaks are volts by jack.</summary>
public sealed record AudioReport
{
    public int Rate { get; init; }

    public int Quantum { get; init; }

    public int Period { get; init; }

    public int Periods { get; init; }

    public int Inputs { get; init; }

    public int Outputs { get; init; }

    public int Threads { get; init; }

    /// <summary>Whether the RT threads run at SCHED_FIFO.</summary>
    public bool RealTime { get; init; }

    public ulong Quanta { get; init; }

    public ulong Frames { get; init; }

    public ulong PlanSerial { get; init; }

    /// <summary>Quanta that took longer than they last, since the engine started; nothing need have been heard.</summary>
    public ulong Late { get; init; }

    /// <summary>Incidents in which frames were lost.</summary>
    public ulong Dropouts { get; init; }

    public ulong LostFrames { get; init; }

    /// <summary>Times the card's timestamps leapt against its frame count; nothing is lost by that.</summary>
    public ulong ClockJumps { get; init; }

    /// <summary>Whether the card is away at this moment; playing goes on when it is back.</summary>
    public bool Away { get; init; }

    public ulong Faults { get; init; }

    public ulong BadOutputs { get; init; }

    public ulong DroppedEvents { get; init; }

    /// <summary>Managed bytes allocated on RT threads: 0, or it is a defect.</summary>
    public ulong AllocatedBytes { get; init; }

    public float MasterGain { get; init; }

    /// <summary>Whether every ramp that a plan began has ended.</summary>
    public bool Settled { get; init; }

    /// <summary>Load of the last quantum.</summary>
    public float LoadNow { get; init; }

    public required Distribution Load { get; init; }

    public required Distribution RenderMicroseconds { get; init; }

    public required Distribution WakeMicroseconds { get; init; }

    public required Distribution JoinMicroseconds { get; init; }

    public required IReadOnlyList<float> InputPeaks { get; init; }

    public required IReadOnlyList<float> OutputPeaks { get; init; }
}

/// <summary>The region's pool in bytes, and the proof that the engine's heap stands still.</summary>
public sealed record MemoryReport
{
    public long RegionBytes { get; init; }

    public long PoolBytes { get; init; }

    public long PoolLive { get; init; }

    public long PoolPeak { get; init; }

    public long PoolLargest { get; init; }

    public long PoolFailed { get; init; }

    /// <summary>Share of the free bytes that the largest possible request could not have; absent where the engine does not tell.</summary>
    public double? PoolFragmentation { get; init; }

    /// <summary>Collections and managed bytes in the engine process since it served: 0, or it is a defect.</summary>
    public long Collections { get; init; }

    /// <inheritdoc cref="Collections"/>
    public long AllocatedBytes { get; init; }

    public int Instances { get; init; }

    /// <summary>Bytes of the region that are to be locked in memory, and that are.</summary>
    public long LockWanted { get; init; }

    /// <inheritdoc cref="LockWanted"/>
    public long Locked { get; init; }

    /// <summary>The same of the code, constants and data of the engine and its libraries.</summary>
    public long ImageWanted { get; init; }

    /// <inheritdoc cref="ImageWanted"/>
    public long ImageLocked { get; init; }
}

/// <summary>An RT thread as the kernel runs it.</summary>
public sealed record ThreadReport
{
    public required string Name { get; init; }

    public int Tid { get; init; }

    public int Core { get; init; }

    /// <summary>"FIFO" or "OTHER".</summary>
    public required string Policy { get; init; }

    public int Priority { get; init; }

    public bool FlushToZero { get; init; }

    public bool StackLocked { get; init; }

    public ulong Quanta { get; init; }

    public ulong Nodes { get; init; }

    public ulong Faults { get; init; }

    public ulong Preemptions { get; init; }

    public ulong AllocatedBytes { get; init; }
}

/// <summary>A module instance and what it took in the last window.</summary>
public sealed record ModuleLoadReport
{
    /// <summary>Its name in the patch.</summary>
    public required string Name { get; init; }

    /// <summary>Id of its type.</summary>
    public required string Module { get; init; }

    /// <summary>Mean ns per quantum.</summary>
    public double Nanoseconds { get; init; }

    /// <summary>That as a fraction of the quantum, on one core.</summary>
    public double Share { get; init; }
}

/// <summary>A module that the engine has switched off.</summary>
public sealed record ShedReport
{
    /// <summary>Its name in the patch.</summary>
    public required string Name { get; init; }

    /// <summary>"failures", "overload", "stuck" or "fault".</summary>
    public required string Reason { get; init; }
}

/// <summary>What the control process did with its managed heap since it was started. Collecting stops nothing that plays: it is a process of its own.</summary>
/// <param name="Collections">Of all generations.</param>
/// <param name="AllocatedBytes">On all threads.</param>
public sealed record ControlReport(long Collections, long AllocatedBytes)
{
    /// <summary>This process as it is now.</summary>
    public static ControlReport Now() => new(GC.CollectionCount(0), GC.GetTotalAllocatedBytes(precise: true));
}

/// <summary>A MIDI port.</summary>
public sealed record MidiPortReport
{
    public required string Name { get; init; }

    /// <summary>"device", "sequencer" or "port" (of the sequencer).</summary>
    public required string Kind { get; init; }

    /// <summary>"open", "absent" or "failed".</summary>
    public required string State { get; init; }

    /// <summary>Messages understood.</summary>
    public ulong Messages { get; init; }

    /// <summary>Bytes that belong to no message, and events that were lost before they were read.</summary>
    public ulong Noise { get; init; }
}

/// <summary>MIDI as the engine's events thread hears it. Counts are since the engine started.</summary>
public sealed record MidiReport
{
    /// <summary>Events that went to the audio thread, moves of parameters included.</summary>
    public ulong Events { get; init; }

    /// <summary>Moves of parameters by controllers.</summary>
    public ulong Moves { get; init; }

    /// <summary>Events that came after their frame and were played at once.</summary>
    public ulong Late { get; init; }

    /// <summary>Events that found the ring full.</summary>
    public ulong Dropped { get; init; }

    /// <summary>Events that came while nothing played.</summary>
    public ulong Unplayed { get; init; }

    /// <summary>Frames from a message to its sound, on top of the card's own latency; 0 where nothing plays.</summary>
    public ulong LatencyFrames { get; init; }

    /// <summary>The events thread as the kernel runs it; absent before the first source was opened.</summary>
    public ThreadReport? Thread { get; init; }

    public IReadOnlyList<MidiPortReport> Ports { get; init; } = [];
}

/// <summary>Everything about a running engine at one moment.</summary>
public sealed record StatusReport
{
    /// <summary>Version of this format; rises when a field changes its meaning or goes.</summary>
    public int Version { get; init; } = 1;

    /// <summary>"starting", "stopped", "playing", "deviceLost", "ending", or "none" where no engine runs.</summary>
    public required string State { get; init; }

    /// <inheritdoc cref="Moment"/>
    public string? Time { get; init; }

    /// <inheritdoc cref="Moment"/>
    public string? Monotonic { get; init; }

    /// <summary>Seconds that percentiles and peaks are of.</summary>
    public double Seconds { get; init; }

    public int EnginePid { get; init; }

    public string EngineVersion { get; init; } = "";

    /// <summary>Seconds since the engine was started.</summary>
    public double Uptime { get; init; }

    /// <summary>Whether one patch is on its way to another: ramps or tails are heard. Only the host knows.</summary>
    public bool? Transition { get; init; }

    /// <summary>The recording that runs; only the host knows. Null: none does.</summary>
    public RecordingReport? Recording { get; init; }

    /// <summary>Notices that were lost because they came faster than they were fetched.</summary>
    public ulong LostNotices { get; init; }

    /// <summary>Quanta in which the watchdog found a thread past its deadline, and threads it replaced, since the engine started.</summary>
    public ulong Stalls { get; init; }

    /// <inheritdoc cref="Stalls"/>
    public ulong Takeovers { get; init; }

    /// <summary>Null before audio was started for the first time.</summary>
    public AudioReport? Audio { get; init; }

    public MemoryReport? Memory { get; init; }

    /// <summary>The heap of the control process; only the host knows.</summary>
    public ControlReport? Control { get; init; }

    public IReadOnlyList<ThreadReport> Threads { get; init; } = [];

    /// <summary>Null where no engine runs.</summary>
    public MidiReport? Midi { get; init; }

    /// <summary>Modules that the engine has switched off, in the order of its table.</summary>
    public IReadOnlyList<ShedReport> Shed { get; init; } = [];

    /// <summary>The most expensive modules of the last window, the dearest first; empty where modules are not timed.</summary>
    public IReadOnlyList<ModuleLoadReport> Dearest { get; init; } = [];
}

/// <summary>The JSON of the reports, made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(LevelsReport))]
[JsonSerializable(typeof(CostsReport))]
[JsonSerializable(typeof(TelemetryReport))]
[JsonSerializable(typeof(Incident))]
[JsonSerializable(typeof(IncidentList))]
[JsonSerializable(typeof(LogLine))]
[JsonSerializable(typeof(LogList))]
[JsonSerializable(typeof(Tracing.TraceResult))]
[JsonSerializable(typeof(Tracing.TracingReport))]
[JsonSerializable(typeof(Tracing.TraceBenchReport))]
[JsonSerializable(typeof(GcIsolationReport))]
[JsonSerializable(typeof(StartReport))]
[JsonSerializable(typeof(LockingReport))]
[JsonSerializable(typeof(LockReport))]
[JsonSerializable(typeof(RecordingReport))]
[JsonSerializable(typeof(EditReport))]
[JsonSerializable(typeof(ReloadReport))]
public sealed partial class DiagnosticsJson : JsonSerializerContext
{
    /// <summary>The same, for people to read.</summary>
    public static DiagnosticsJson Pretty { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
    });
}
