// What a load report shows: one run, or two to compare. Plain figures; whoever has them fills them in.
using System.Text.Json.Serialization;

namespace SspHost.Diagnostics.Html;

/// <summary>Everything on the page.</summary>
public sealed record LoadReportData
{
    /// <summary>Headline: a patch, a machine, an occasion.</summary>
    public required string Title { get; init; }

    /// <summary>One run, or two: the second is compared with the first.</summary>
    public required IReadOnlyList<LoadRun> Runs { get; init; }
}

/// <summary>One stretch of playing, with the load of every quantum of it.</summary>
public sealed record LoadRun
{
    /// <summary>What tells it from the other one: "before", "isolated core".</summary>
    public required string Name { get; init; }

    public required string EngineVersion { get; init; }

    /// <summary>The machine in a line: processor, kernel, cores in use.</summary>
    public required string Machine { get; init; }

    /// <summary>Frames a second.</summary>
    public required int Rate { get; init; }

    /// <summary>Frames of a quantum.</summary>
    public required int Quantum { get; init; }

    /// <summary>What a quantum may take, in ns: a load of 1.</summary>
    public required double BudgetNs { get; init; }

    /// <summary>When the first quantum began, as a person reads it (ISO 8601).</summary>
    public required string StartTime { get; init; }

    /// <summary>Number of the first quantum.</summary>
    public ulong FirstQuantum { get; init; }

    /// <summary>Every quantum from the first on, without a hole, as <see cref="LoadCode"/>; what was not seen is <see cref="LoadCode.Gap"/>.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<ushort> Loads { get; init; }

    /// <summary>What happened and when.</summary>
    public IReadOnlyList<LoadMark> Marks { get; init; } = [];

    /// <summary>Quanta of which the zones were kept.</summary>
    public IReadOnlyList<LoadSpike> Spikes { get; init; } = [];

    /// <summary>Times of each module over the whole run.</summary>
    public IReadOnlyList<ModuleTimes> Modules { get; init; } = [];
}

/// <summary>What kind of incident a mark is.</summary>
public enum LoadMarkKind
{
    /// <summary>A quantum took longer than it lasts; nothing need have been heard.</summary>
    Late,

    /// <summary>Frames were lost.</summary>
    Dropout,

    /// <summary>The watchdog looked at a thread that had passed its deadline.</summary>
    Stall,
}

/// <summary>An incident at a quantum.</summary>
public sealed record LoadMark
{
    public required ulong Quantum { get; init; }

    public required LoadMarkKind Kind { get; init; }

    /// <summary>Why, in words.</summary>
    public string Cause { get; init; } = "";

    /// <summary>The module that took longest or was stuck, if one is known.</summary>
    public string? Module { get; init; }

    /// <summary>The whole story, if there is one: the watchdog's verdict with its call stack, for instance. Lines are kept.</summary>
    public string Text { get; init; } = "";

    /// <summary>The engine's number of the incident; 0: none.</summary>
    public ulong Incident { get; init; }

    /// <summary>Frames that were lost.</summary>
    public long LostFrames { get; init; }
}

/// <summary>A quantum under the lens: who did what and when.</summary>
public sealed record LoadSpike
{
    public required ulong Quantum { get; init; }

    public required IReadOnlyList<SpikeZone> Zones { get; init; }

    public IReadOnlyList<SpikeFact> Facts { get; init; } = [];

    /// <summary>What else is known, a line each: pressure of the system, the clock's resolution, events the rings dropped.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>A stretch of time on a thread.</summary>
/// <param name="Thread">"audio", "worker 1".</param>
/// <param name="Name">A module's name, or "quantum", "join", "wake" ...</param>
/// <param name="Kind">As <see cref="SspHost.Abi.TraceKind"/> calls it, in lower case: it gives the colour.</param>
/// <param name="StartNs">ns since the quantum began; what came before it (a wake-up) is negative.</param>
/// <param name="DurationNs">ns.</param>
/// <param name="Core">Core it ran on; -1: not known.</param>
/// <param name="Slot">Slot of the module; -1: none.</param>
public sealed record SpikeZone(string Thread, string Name, string Kind, long StartNs, long DurationNs, int Core = -1, int Slot = -1);

/// <summary>What a fact is about.</summary>
public enum SpikeFactKind
{
    /// <summary>Page faults of a thread.</summary>
    Fault,

    /// <summary>Its core was taken from a thread.</summary>
    Preempted,

    /// <summary>A thread gave its core away: it slept or was blocked.</summary>
    Switch,

    /// <summary>Anything else.</summary>
    Note,
}

/// <summary>Something that befell a thread.</summary>
/// <param name="Thread">Thread as in the zones.</param>
/// <param name="AtNs">ns since the quantum began; null: at some time within it.</param>
/// <param name="Count">How often.</param>
/// <param name="Text">By whom, by what.</param>
public sealed record SpikeFact(SpikeFactKind Kind, string Thread, long? AtNs, ulong Count, string Text);

/// <summary>How long a module took, over all quanta.</summary>
public sealed record ModuleTimes
{
    public required string Name { get; init; }

    public int Slot { get; init; } = -1;

    public double MeanNs { get; init; }

    public double MaxNs { get; init; }

    /// <summary>Rising, not overlapping.</summary>
    public required IReadOnlyList<TimeBucket> Buckets { get; init; }
}

/// <summary>A bucket of a histogram: from (inclusive) to (exclusive) in ns.</summary>
public readonly record struct TimeBucket(double FromNs, double ToNs, ulong Count);
