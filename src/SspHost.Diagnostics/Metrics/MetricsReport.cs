// What processes, threads and cores did over a window, as JSON: what `metrics` sends.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SspHost.Diagnostics;

/// <summary>A thread over the window. Absent figures could not be read; the process says why under `unavailable`.</summary>
public sealed record ThreadMetrics
{
    public int Tid { get; init; }

    /// <summary>Its name in the kernel, 15 bytes at most.</summary>
    public required string Name { get; init; }

    /// <summary>State at the end, as ps shows it: R, S, D ...</summary>
    public required string State { get; init; }

    /// <summary>"OTHER", "FIFO" ...</summary>
    public required string Policy { get; init; }

    /// <summary>Real-time priority; 0 where the policy has none.</summary>
    public int Priority { get; init; }

    /// <summary>Core it ran on last.</summary>
    public int Core { get; init; }

    /// <summary>Time it computed, as a fraction of the window. 0 for one that began within the window.</summary>
    public double Cpu { get; init; }

    /// <summary>Time it was ready and waited for its core, as a fraction of the window.</summary>
    public double? RunDelay { get; init; }

    public ulong MinorFaults { get; init; }

    public ulong MajorFaults { get; init; }

    /// <summary>Times it gave its core up, and times it was taken from it.</summary>
    public ulong? Voluntary { get; init; }

    /// <inheritdoc cref="Voluntary"/>
    public ulong? Involuntary { get; init; }
}

/// <summary>A process over the window.</summary>
public sealed record ProcessMetrics
{
    /// <summary>"engine" or "ssp".</summary>
    public required string Name { get; init; }

    public int Pid { get; init; }

    /// <summary>Sum over the threads that were there at both ends.</summary>
    public double Cpu { get; init; }

    /// <summary>Of the whole process, threads that ended within the window too.</summary>
    public ulong MinorFaults { get; init; }

    /// <inheritdoc cref="MinorFaults"/>
    public ulong MajorFaults { get; init; }

    /// <summary>Bytes in memory, locked in it, and swapped out, at the end.</summary>
    public long? Resident { get; init; }

    /// <inheritdoc cref="Resident"/>
    public long? Locked { get; init; }

    /// <inheritdoc cref="Resident"/>
    public long? Swapped { get; init; }

    /// <summary>Open files, at most a second old.</summary>
    public int? Files { get; init; }

    /// <summary>Threads beyond the 128 that are shown.</summary>
    public int LeftOut { get; init; }

    /// <summary>Ascending by tid; those that ended within the window are left out.</summary>
    public IReadOnlyList<ThreadMetrics> Threads { get; init; } = [];

    /// <summary>Sources that give nothing, and why.</summary>
    public IReadOnlyDictionary<string, string>? Unavailable { get; init; }
}

/// <summary>A core over the window; fractions of it.</summary>
public sealed record CoreMetrics
{
    public int Core { get; init; }

    /// <summary>All that is not idle and not waiting for a disk.</summary>
    public double Busy { get; init; }

    public double User { get; init; }

    public double System { get; init; }

    public double Interrupts { get; init; }

    /// <summary>Taken by the hypervisor.</summary>
    public double Steal { get; init; }

    public double? Megahertz { get; init; }
}

/// <summary>Time lost to a resource: averages of ten seconds and the share of this window, as fractions; total in microseconds since boot.</summary>
public sealed record PressureMetrics
{
    public double Average10 { get; init; }

    public double Window { get; init; }

    public ulong TotalMicroseconds { get; init; }
}

/// <summary>Some: at least one task waited. Full: all did.</summary>
public sealed record PressurePair(PressureMetrics? Some, PressureMetrics? Full);

/// <summary>The system over the window.</summary>
public sealed record SystemMetrics
{
    public IReadOnlyList<CoreMetrics> Cores { get; init; } = [];

    public PressurePair? CpuPressure { get; init; }

    public PressurePair? MemoryPressure { get; init; }

    public PressurePair? IoPressure { get; init; }

    /// <summary>Averages of 1, 5 and 15 minutes.</summary>
    public IReadOnlyList<double>? Load { get; init; }

    public long? MemoryTotal { get; init; }

    public long? MemoryAvailable { get; init; }

    public long? SwapTotal { get; init; }

    public long? SwapFree { get; init; }

    /// <summary>Pages swapped in and out and major faults of all processes in the window.</summary>
    public ulong? SwapIn { get; init; }

    /// <inheritdoc cref="SwapIn"/>
    public ulong? SwapOut { get; init; }

    /// <inheritdoc cref="SwapIn"/>
    public ulong? MajorFaults { get; init; }

    /// <summary>Celsius, of the hottest zone.</summary>
    public double? Temperature { get; init; }

    /// <summary>Times the processor was slowed because it was hot, in the window; and the cooling devices' states at its end.</summary>
    public long? Throttled { get; init; }

    /// <inheritdoc cref="Throttled"/>
    public long? Cooling { get; init; }

    /// <summary>Bytes of the disk of the state directory.</summary>
    public long? DiskFree { get; init; }

    public long? DiskTotal { get; init; }

    /// <summary>Sources that give nothing, and why.</summary>
    public IReadOnlyDictionary<string, string>? Unavailable { get; init; }
}

/// <summary>Everything over a window.</summary>
public sealed record MetricsReport
{
    /// <summary>Version of this format; rises when a field changes its meaning or goes.</summary>
    public int Version { get; init; } = 1;

    /// <inheritdoc cref="Moment"/>
    public required string Time { get; init; }

    /// <inheritdoc cref="Moment"/>
    public required string Monotonic { get; init; }

    /// <summary>Length of the window in seconds.</summary>
    public double Seconds { get; init; }

    public IReadOnlyList<ProcessMetrics> Processes { get; init; } = [];

    public required SystemMetrics System { get; init; }

    /// <summary>Where it was asked for: the last minute in steps.</summary>
    public MetricsHistory? History { get; init; }
}

/// <summary>A thread through the last minute: one number a step; null where it was not there.</summary>
public sealed record ThreadHistory
{
    public int Tid { get; init; }

    public required string Name { get; init; }

    /// <summary>Fractions of the step.</summary>
    public required IReadOnlyList<double?> Cpu { get; init; }

    /// <inheritdoc cref="Cpu"/>
    public required IReadOnlyList<double?> RunDelay { get; init; }

    public required IReadOnlyList<double?> Faults { get; init; }

    /// <summary>Times its core was taken from it.</summary>
    public required IReadOnlyList<double?> Involuntary { get; init; }

    public required IReadOnlyList<double?> Core { get; init; }
}

/// <summary>A process through the last minute. Threads that did nothing in all that time are counted only.</summary>
public sealed record ProcessHistory(string Name, int Pid, int IdleThreads, IReadOnlyList<double?> Resident, IReadOnlyList<ThreadHistory> Threads);

/// <summary>A core through the last minute.</summary>
public sealed record CoreHistory(int Core, IReadOnlyList<double?> Busy, IReadOnlyList<double?> Steal);

/// <summary>The last minute in steps, the oldest first; a step is told at its end.</summary>
public sealed record MetricsHistory
{
    /// <summary>Seconds from the end of each step to the end of the last one: 0 and less.</summary>
    public required IReadOnlyList<double> Seconds { get; init; }

    public required IReadOnlyList<CoreHistory> Cores { get; init; }

    /// <summary>Share of the step in which some (memory, io: all) tasks waited.</summary>
    public required IReadOnlyList<double?> CpuPressure { get; init; }

    /// <inheritdoc cref="CpuPressure"/>
    public required IReadOnlyList<double?> MemoryPressure { get; init; }

    /// <inheritdoc cref="CpuPressure"/>
    public required IReadOnlyList<double?> IoPressure { get; init; }

    /// <summary>Bytes.</summary>
    public required IReadOnlyList<double?> MemoryAvailable { get; init; }

    public required IReadOnlyList<double?> MajorFaults { get; init; }

    public required IReadOnlyList<double?> SwapOut { get; init; }

    public required IReadOnlyList<ProcessHistory> Processes { get; init; }
}

/// <summary>The JSON of metrics and what is made of them, made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(MetricsReport))]
[JsonSerializable(typeof(GlitchReport))]
[JsonSerializable(typeof(DoctorReport))]
[JsonSerializable(typeof(SystemFactsReport))]
[JsonSerializable(typeof(HistogramsReport))]
[JsonSerializable(typeof(PoolReport))]
[JsonSerializable(typeof(ManifestReport))]
[JsonSerializable(typeof(MappingsReport))]
public sealed partial class MetricsJson : JsonSerializerContext
{
    /// <summary>The same, for people to read.</summary>
    public static MetricsJson Pretty { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
    });
}
