// How a benchmark was asked for.
using System.Collections.Immutable;
using SspHost.Abi;
using SspHost.Playing;

namespace SspHost.Commands;

/// <summary>Options of `ssp bench`, checked.</summary>
internal sealed record BenchOptions
{
    /// <summary>Each benchmark's own object instead of its table.</summary>
    public bool Json { get; init; }

    /// <summary>File of results to write; null: none.</summary>
    public string? Out { get; init; }

    /// <summary>Independent runs, each with processes and threads of its own.</summary>
    public int Runs { get; init; } = 1;

    /// <summary>Length of what can be long or short; null: as usual.</summary>
    public int? Seconds { get; init; }

    /// <summary>Cores of the threads that measure, the first for the audio thread; empty: chosen.</summary>
    public ImmutableArray<int> Pin { get; init; } = [];

    /// <summary>"sim" or "alsa:NAME"; null: the simulated card.</summary>
    public string? Device { get; init; }

    /// <summary>Late blocks that a capacity may have.</summary>
    public int Late { get; init; }

    /// <summary>Voices beyond which a capacity is not looked for; null: as many as the engine takes.</summary>
    public int? Voices { get; init; }

    /// <summary>Whether `modules` keeps what each costs.</summary>
    public bool Save { get; init; } = true;

    /// <summary>What an engine's benchmark is told beyond these.</summary>
    public IReadOnlyList<string> Rest { get; init; } = [];

    /// <summary>The simulated card, or the device that was named, on the cores that were.</summary>
    public AudioSetup Audio => Device is { } name && name.StartsWith("alsa:", StringComparison.Ordinal)
        ? Simulated with { Card = CardKind.Alsa, AlsaName = name[5..] }
        : Simulated;

    /// <summary>The simulated card on the cores that were named.</summary>
    public AudioSetup Simulated => Pin.Length == 0 ? SimulatedSetup : SimulatedSetup with { Threads = Pin.Length, Cores = Pin };

    /// <summary>A simulated card as experiments use it.</summary>
    public static AudioSetup SimulatedSetup => new() { Card = CardKind.Simulated, Rate = 48_000, Periods = 3, Threads = Math.Clamp(Environment.ProcessorCount - 1, 1, 8) };
}
