// What the doctor knows: the files of the system, and what was asked of the host and of the configuration.
namespace SspHost.Diagnostics;

/// <summary>An RT thread of the engine, as the region tells it.</summary>
public sealed record EngineThreadFacts(string Name, int Tid, int Core, bool Fifo, int Priority, bool StackLocked);

/// <summary>A running engine.</summary>
public sealed record EngineFacts
{
    public int Pid { get; init; }

    public IReadOnlyList<EngineThreadFacts> Threads { get; init; } = [];

    /// <summary>Bytes that were to be locked, and that are; -1: nobody says.</summary>
    public long LockWanted { get; init; } = -1;

    /// <inheritdoc cref="LockWanted"/>
    public long Locked { get; init; } = -1;

    /// <inheritdoc cref="LockWanted"/>
    public long ImageWanted { get; init; } = -1;

    /// <inheritdoc cref="LockWanted"/>
    public long ImageLocked { get; init; } = -1;

    public int Rate { get; init; }

    public int Quantum { get; init; }

    public int Period { get; init; }

    public int Periods { get; init; }
}

/// <summary>Everything the checks look at.</summary>
public sealed record DoctorFacts
{
    internal SystemFiles Files { get; init; } = new();

    /// <summary>The engine; null: none runs.</summary>
    public EngineFacts? Engine { get; init; }

    /// <summary>Whether SCHED_FIFO was granted when it was tried; null: it was not tried.</summary>
    public bool? FifoGranted { get; init; }

    /// <summary>Cores that were asked for; empty: the engine chooses.</summary>
    public IReadOnlyList<int> Cores { get; init; } = [];

    /// <summary>Bytes of the region.</summary>
    public long RegionBytes { get; init; } = 256L << 20;

    /// <summary>Frames a second and in a quantum, as configured.</summary>
    public int Rate { get; init; } = 48_000;

    /// <inheritdoc cref="Rate"/>
    public int Quantum { get; init; } = 32;

    /// <summary>"sim", "alsa:NAME", "wav:IN,OUT" or "auto".</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Bytes free and in all on the disk of the state directory; -1: not known.</summary>
    public long DiskFree { get; init; } = -1;

    /// <inheritdoc cref="DiskFree"/>
    public long DiskTotal { get; init; } = -1;

    /// <summary>The state directory, as it may be shown.</summary>
    public string StateDirectory { get; init; } = "";

    /// <summary>Whether liblilv, which finds LV2 plugins, is installed; null: nobody looked.</summary>
    public bool? Lilv { get; init; }

    /// <summary>What is wrong with the registers of the board's codec; empty: nothing; null: there is none.</summary>
    public string? Codec { get; init; }

    /// <summary>Cores that RT threads run on: those of the engine, else those asked for, else isolated ones, else all.</summary>
    internal IReadOnlyList<int> UsedCores
    {
        get
        {
            if (Engine?.Threads.Where(t => t.Core >= 0).Select(t => t.Core).Distinct().Order().ToArray() is { Length: > 0 } running) return running;
            if (Cores.Count > 0) return Cores;
            return SystemFiles.Cores(Files.Text("sys/devices/system/cpu/isolated")) is { Count: > 0 } isolated ? isolated : OnlineCores;
        }
    }

    internal IReadOnlyList<int> OnlineCores => SystemFiles.Cores(Files.Text("sys/devices/system/cpu/online"));

    /// <summary>What a quantum lasts, in microseconds.</summary>
    internal double QuantumMicroseconds => Engine is { Rate: > 0, Quantum: > 0 } e ? e.Quantum * 1e6 / e.Rate : Rate > 0 ? Quantum * 1e6 / Rate : 667;

    /// <summary>"self" or the engine's pid: whose limits matter.</summary>
    internal string Process => Engine is { Pid: > 0 } e ? e.Pid.ToString(System.Globalization.CultureInfo.InvariantCulture) : "self";
}
