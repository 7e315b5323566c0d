// What a trace says of itself besides its events: whose it is, what its numbers mean.
using System.Text.Json.Serialization;

namespace SspHost.Diagnostics.Tracing;

/// <summary>An RT thread.</summary>
/// <param name="Seat">0 = the audio thread.</param>
/// <param name="Tid">Kernel thread id.</param>
/// <param name="Core">Core it is pinned to, or -1.</param>
public sealed record TraceSeat(int Seat, string Name, int Tid, int Core, string Policy, int Priority);

/// <summary>A module instance that events may speak of.</summary>
/// <param name="Key">Low 32 bits of its key, as in the events.</param>
/// <param name="Name">Name in the patch.</param>
/// <param name="Type">Id of its type.</param>
public sealed record TraceModule(int Slot, uint Key, string Name, string Type);

/// <summary>The cycle clock and CLOCK_MONOTONIC at one moment.</summary>
public sealed record TraceAnchor(ulong Ticks, ulong Nanoseconds, double Frequency);

/// <summary>Something that happened to the sound. Times are CLOCK_MONOTONIC in ns.</summary>
public sealed record TraceIncident(ulong Time, string Kind, string Text, string? Module);

/// <summary>Bytes of the pool in use at a moment.</summary>
public sealed record TraceMemory(ulong Time, long PoolLive);

/// <summary>The head of a raw trace. Fields that a reader does not know it leaves out.</summary>
public sealed record TraceHeader
{
    /// <summary>Why it was written: "request", "dropout", "late", "stall" ...</summary>
    public string Reason { get; init; } = "request";

    /// <summary>Kernel and processor of the machine.</summary>
    public string Machine { get; init; } = "";

    public string EngineVersion { get; init; } = "";

    public int EnginePid { get; init; }

    /// <summary>Sample rate in Hz and frames of a quantum.</summary>
    public int Rate { get; init; }

    /// <inheritdoc cref="Rate"/>
    public int Quantum { get; init; }

    /// <summary>Wall clock at <see cref="To"/>: ISO 8601, UTC.</summary>
    public string Time { get; init; } = "";

    /// <summary>What was asked for, in CLOCK_MONOTONIC ns: events that end before or begin after are left out by whoever reads.</summary>
    public ulong From { get; init; }

    /// <inheritdoc cref="From"/>
    public ulong To { get; init; } = ulong.MaxValue;

    /// <summary>CLOCK_BOOTTIME less CLOCK_MONOTONIC in ns: time the machine was suspended.</summary>
    public ulong BootOffset { get; init; }

    /// <summary>Nominal ns of a quantum; 0 where not known.</summary>
    [JsonIgnore]
    public double BudgetNanoseconds => Rate > 0 ? Quantum * 1e9 / Rate : 0;

    public IReadOnlyList<TraceSeat> Seats { get; init; } = [];

    public IReadOnlyList<TraceModule> Modules { get; init; } = [];

    public IReadOnlyList<TraceAnchor> Anchors { get; init; } = [];

    public IReadOnlyList<TraceIncident> Incidents { get; init; } = [];

    public IReadOnlyList<TraceMemory> Memory { get; init; } = [];

    /// <summary>"recorded", or why the scheduler's switches are not in it.</summary>
    public string Scheduler { get; init; } = "";
}

/// <summary>The JSON of the header, made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TraceHeader))]
internal sealed partial class TraceJson : JsonSerializerContext;
