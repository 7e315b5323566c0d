// What the control socket controls: handed in by the composition root, so that the protocol can be tested without an engine.
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Tracing;
using SspHost.Patching;

namespace SspHost.Remote;

/// <summary>The host behind the socket. Functions are called from any thread; a text that comes back says why not.</summary>
public sealed record ControlTarget
{
    public required PatchSession Session { get; init; }

    public required DescriptorIndex Modules { get; init; }

    /// <summary>The engine, to look at.</summary>
    public required IEngineSource Engine { get; init; }

    /// <summary>The last report, at most a second old; quick.</summary>
    public required Func<StatusReport> Status { get; init; }

    /// <inheritdoc cref="Status"/>
    public required Func<CostsReport> Costs { get; init; }

    /// <summary>What happened to the sound.</summary>
    public required IncidentLog Incidents { get; init; }

    /// <summary>What the host said.</summary>
    public required LogLines Log { get; init; }

    /// <summary>What processes, threads and cores do; null: nobody measures.</summary>
    public MetricsRecorder? Metrics { get; init; }

    /// <summary>Opens a patch file.</summary>
    public required Func<string, string?> Open { get; init; }

    /// <summary>Starts audio; fades out and stops it; ends the host.</summary>
    public required Func<string?> Start { get; init; }

    /// <inheritdoc cref="Start"/>
    public required Func<string?> Stop { get; init; }

    /// <inheritdoc cref="Start"/>
    public required Action Quit { get; init; }

    /// <summary>Switches a module on again, by its id in the patch.</summary>
    public Func<string, string?> Restore { get; init; } = _ => "nothing here can be switched on again";

    /// <summary>Loads libraries of modules anew: the one a module comes from, or (null) every one whose file is new or has changed.</summary>
    public Func<string?, ReloadReport> Reload { get; init; } = _ => new ReloadReport { Loaded = [], Refused = [] };

    /// <summary>The flight recorder; null: there is none.</summary>
    public FlightRecorder? Flight { get; init; }

    /// <summary>Switches tracing and tracing of modules; null leaves one as it is.</summary>
    public Func<bool?, bool?, string?> SwitchTracing { get; init; } = (_, _) => null;

    /// <summary>The state of tracing.</summary>
    public Func<TracingReport> Tracing { get; init; } = () => new TracingReport { Scheduler = "not traced" };

    /// <summary>Records into a file: jacks from 0, inputs with <see cref="RecordRing.Input"/>.</summary>
    public Func<string, IReadOnlyList<ushort>, string?> Record { get; init; } = (_, _) => "nothing here records";

    /// <summary>Ends that; why not, where there is no recording.</summary>
    public Func<(RecordingReport? Report, string? Why)> StopRecording { get; init; } = () => (null, "nothing is being recorded");

    /// <summary>Writes the load of every quantum that is known into a file; how many, and its bytes. Throws where that is not possible.</summary>
    public Func<string, (long Quanta, long Bytes)> WriteLoads { get; init; } = _ => throw new TraceException("there is no flight recorder here");

    /// <summary>Version of the program.</summary>
    public required string Version { get; init; }
}
