// An engine of this command's own, in a directory of its own: offline renders, benchmarks and experiments disturb nobody.
using SspHost.Abi.Link;
using SspHost.Patching;
using SspHost.Supervision;

namespace SspHost.Playing;

/// <summary>Started for one job, ended with it, never started again. Started by a thread that lives as long as this process: it dies with that.</summary>
internal sealed class PrivateEngine : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private EngineSink? _sink;

    private PrivateEngine(string runtime, int pid)
    {
        Runtime = runtime;
        Pid = pid;
    }

    /// <summary>Its runtime directory.</summary>
    public string Runtime { get; }

    public int Pid { get; }

    /// <summary>CLOCK_MONOTONIC in ns when it was spawned.</summary>
    public ulong SpawnedAt { get; private init; }

    public EngineSlot Slot { get; } = new();

    /// <summary>Its module types.</summary>
    public DescriptorIndex Modules { get; private set; } = new([]);

    /// <summary>Starts one. <paramref name="locks"/>: false only to show what locking memory is good for.</summary>
    public static PrivateEngine Start(int regionMib, bool locks = true)
    {
        var runtime = Directory.CreateTempSubdirectory("ssp-").FullName;
        try
        {
            var spawned = Abi.Linux.Now();
            var engine = new PrivateEngine(runtime, EngineLauncher.Launch(runtime, regionMib, Patience, locks, bound: true)) { SpawnedAt = spawned };
            engine.Slot.Put(EngineLink.Attach(runtime));
            engine.Modules = new DescriptorIndex(engine.Slot.Use(link => link.ReadDescriptors()));
            return engine;
        }
        catch
        {
            Remove(runtime);
            throw;
        }
    }

    /// <summary>A sink over it for a session without a journal.</summary>
    public EngineSink Sink(AudioSetup setup, Action<string> say, Func<EngineLink, WavPump>? pump = null) =>
        _sink = new EngineSink(Slot, setup, Modules, new AssetFiles(null), say) { MakePump = pump };

    /// <summary>Loads the libraries of modules that are there; a line for each that is not loaded.</summary>
    public void LoadLibraries(IReadOnlyList<string> directories, Action<string> say)
    {
        var libraries = new ModuleLibraries(directories, Path.Combine(Runtime, "libraries"));
        foreach (var refused in libraries.LoadAll(Slot, Modules).Refused) say($"{refused.File}: not loaded: {refused.Why}");
    }

    /// <summary>Makes the LV2 plugins there are known to it; they are tried at a rate, and a quantum where it is not the patch's (else 0).</summary>
    public void LoadLv2(Lv2.Lv2Catalog catalog, int rate, int quantum, Action<string> say)
    {
        var host = new Lv2.Lv2Host(catalog, Slot, Modules, say) { Audio = () => (rate, quantum) };
        host.Begin();
        host.Finish();
    }

    /// <summary>Why it ended, where it did: its exit and the last line of its log.</summary>
    public string? Death()
    {
        if (EngineLauncher.TryReap(Pid) is not { } end) return null;
        var log = Path.Combine(Runtime, EngineLog.FileName);
        var blamed = EngineLog.LastFault(log, 0) is { } fault ? $" in module '{fault.Module}'" : "";
        return $"the engine died{blamed} ({end}){(EngineLog.LastLine(log, 0) is { } line ? ": " + line : "")}";
    }

    public void Dispose()
    {
        _sink?.EndPump(); // before the region goes that it moves recordings through
        try
        {
            Slot.Try(
                link =>
                {
                    link.Shutdown(0);
                    return true;
                },
                otherwise: false);
        }
        catch (Exception e) when (e is EngineGoneException or EngineRefusedException or EngineTimeoutException)
        {
            using var process = EngineProcess.Open(Pid);
            _ = process?.Signal(9); // it was this command's alone: nobody listens to it
            _ = process?.Wait(2000);
        }

        Slot.Dispose();
        _ = EngineLauncher.TryReap(Pid);
        Remove(Runtime);
    }

    private static void Remove(string runtime)
    {
        try
        {
            Directory.Delete(runtime, recursive: true);
        }
        catch (IOException)
        {
            // The system clears its temporary files.
        }
    }
}
