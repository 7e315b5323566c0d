// LV2 plugins in an engine: its types, their trial before a patch first plays them, and silence for those that are missing.
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Patching;
using SspHost.Supervision;

namespace SspHost.Lv2;

/// <summary>
/// Nothing here waits while audio starts: a scan that is not remembered goes on beside it, and is waited for only by a patch that needs it. A
/// plugin's binary is loaded by the engine with its first instance, and tried in a child before. Thread-safe.
/// </summary>
internal sealed class Lv2Host(Lv2Catalog catalog, EngineSlot slot, DescriptorIndex modules, Action<string> say)
{
    private readonly Lock _lock = new();
    private readonly HashSet<(string Type, int Rate, int Quantum)> _proved = []; // what need not be looked at again
    private readonly HashSet<string> _silent = new(StringComparer.Ordinal); // types that failed their trial
    private IReadOnlyDictionary<string, Lv2Module> _byId = new Dictionary<string, Lv2Module>(StringComparer.Ordinal);
    private Task? _scan;

    /// <summary>What audio runs at: the rate in Hz, and the quantum in frames where it is not the patch's (else 0).</summary>
    public Func<(int Rate, int Quantum)> Audio { get; init; } = static () => (48_000, 0);

    /// <summary>The engine is new, or newly attached: gives it the types, at once where they are known, else as soon as they are.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            _proved.Clear();
            _silent.Clear();
            modules.BeforeCheck = Prepare;
            if (catalog.IsKnown) Load();
            else _scan = Task.Run(() =>
            {
                lock (_lock) Load();
            });
        }
    }

    /// <summary>Waits until everything is scanned and loaded.</summary>
    public void Finish() => _scan?.Wait();

    // Before a patch is compared with the types there are: those it uses are tried, or stood in for.
    private void Prepare(Patch patch)
    {
        HashSet<string>? used = null;
        foreach (var m in patch.Modules)
            if (m.Type.StartsWith(Lv2Names.Prefix, StringComparison.Ordinal)) (used ??= new(StringComparer.Ordinal)).Add(m.Type);
        if (used == null) return;
        var (rate, quantum) = Audio();
        if (quantum == 0) quantum = patch.Quantum;
        if (!int.IsPow2(quantum) || quantum is < Limits.Grid or > Limits.MaxQuantum) return; // such a patch is refused
        lock (_lock)
        {
            if (used.All(id => _proved.Contains((id, rate, quantum)))) return;
        }

        _scan?.Wait();
        lock (_lock)
        {
            try
            {
                foreach (var id in used.Where(id => _proved.Add((id, rate, quantum))))
                {
                    if (modules.Find(id) == null) StandIn(id, patch);
                    else if (_byId.TryGetValue(id, out var module)) Judge(module, catalog.Try(module, rate, quantum));
                }
            }
            catch (Exception e) when (e is EngineRefusedException or EngineGoneException or EngineTimeoutException or IOException)
            {
                say("LV2: " + e.Message);
            }
        }
    }

    private void StandIn(string id, Patch patch)
    {
        say($"{Who(id, patch)}: there is no LV2 plugin '{id}' on this system{(catalog.Find() == null ? " (" + Lv2Catalog.Missing + ")" : "")}: it plays silence, the rest plays");
        var module = Lv2Records.StandIn(id, patch);
        slot.Use(link => link.LoadLibrary(LibraryKind.Lv2, id, id, DescriptorBlob.Write([module.Descriptor]), module.Record));
        modules.Update(slot.Use(link => link.ReadDescriptors()));
    }

    // A plugin that fails at one quantum may play at another one, whose instances are new.
    private void Judge(Lv2Module module, string? why)
    {
        var id = module.Descriptor.Id;
        if (why == null ? !_silent.Remove(id) : !_silent.Add(id)) return;
        say($"LV2 plugin '{id}' ({module.Uri}): {(why == null ? "it plays here" : why + ": it plays silence, the rest plays")}");
        slot.Use(link => link.LoadLibrary(LibraryKind.Lv2, module.Uri, module.Uri, default, Lv2Records.With(module.Record, silent: why != null)));
    }

    private static string Who(string id, Patch patch) => string.Join(", ", patch.Modules.Where(m => m.Type == id).Select(m => $"module '{m.Id}'"));

    private void Load()
    {
        try
        {
            if (catalog.Find() is not { } found) return;
            _byId = found.Modules.ToDictionary(m => m.Descriptor.Id, StringComparer.Ordinal);
            var missing = found.Modules.Where(m => modules.Find(m.Descriptor.Id) == null).ToArray();
            foreach (var part in missing.Chunk(Limits.MaxLibraryModules))
                slot.Use(link => link.LoadLibrary(LibraryKind.Lv2, "lv2", "lv2", DescriptorBlob.Write([.. part.Select(m => m.Descriptor)]), Lv2Records.Join(part)));
            if (missing.Length > 0) modules.Update(slot.Use(link => link.ReadDescriptors()));
        }
        catch (Exception e) when (e is EngineRefusedException or EngineGoneException or EngineTimeoutException or IOException or InvalidDataException)
        {
            say("LV2: " + e.Message);
        }
    }
}
