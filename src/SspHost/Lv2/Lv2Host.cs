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
    private readonly HashSet<string> _proved = new(StringComparer.Ordinal); // type ids that need not be looked at again
    private IReadOnlyDictionary<string, Lv2Module> _byId = new Dictionary<string, Lv2Module>(StringComparer.Ordinal);
    private Task? _scan;

    /// <summary>The engine is new, or newly attached: gives it the types, at once where they are known, else as soon as they are.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            _proved.Clear();
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
        lock (_lock)
        {
            if (used.All(_proved.Contains)) return;
        }

        _scan?.Wait();
        lock (_lock)
        {
            try
            {
                foreach (var id in used.Where(_proved.Add))
                {
                    if (modules.Find(id) == null) StandIn(id, patch);
                    else if (_byId.TryGetValue(id, out var module) && catalog.Try(module) is { } why) Silence(module, why);
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

    private void Silence(Lv2Module module, string why)
    {
        say($"LV2 plugin '{module.Descriptor.Id}' ({module.Uri}): {why}: it plays silence, the rest plays");
        slot.Use(link => link.LoadLibrary(LibraryKind.Lv2, module.Uri, module.Uri, default, module.Record));
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
