// Applies edits: Patch and Edit in, Patch or one error out.

namespace SspHost.Patching;

/// <summary>The pure function behind every change.</summary>
public static class PatchEdits
{
    /// <summary>
    /// The patch after <paramref name="edit"/>, or null and why not; throws nothing, changes nothing. With <paramref name="modules"/>,
    /// ports, parameters and ranges are checked against the module types; without, only the structure is (journal replay).
    /// </summary>
    public static Patch? Apply(Patch patch, Edit edit, DescriptorIndex? modules, out PatchError? error)
    {
        Patch? result;
        (result, error) = edit switch
        {
            AddModule e => Add(patch, e.Module, modules),
            RemoveModule e => Remove(patch, e.Module),
            Connect e => Plug(patch, e, modules),
            Disconnect e => Unplug(patch, e),
            SetCableGain e => Gain(patch, e),
            Duplicate e => Copy(patch, e),
            RenamePatch e => Whole(patch with { Name = e.Name }),
            SetNotes e => Whole(patch with { Notes = e.Notes }),
            SetQuantum e => Whole(patch with { Quantum = e.Frames }),
            StoreScene e => Store(patch, e),
            MapController e => Map(patch, e.Map, modules),
            UnmapController e => Unmap(patch, e.Map),
            ReplacePatch e => Replace(e.Patch, modules),
            _ when OneModule(edit) is { } id => Change(patch, id, edit, modules),
            _ => (null, Bad($"{edit.GetType().Name} is no edit")),
        };
        return result;
    }

    /// <summary>
    /// Applies edits in order, all or none: the same as one by one, but what moves many knobs (a scene, a morph) copies the list of modules
    /// once and not for every knob.
    /// </summary>
    internal static Patch? ApplyAll(Patch patch, ReadOnlySpan<Edit> edits, DescriptorIndex? modules, out PatchError? error)
    {
        error = null;
        for (var i = 0; i < edits.Length;)
        {
            var run = 0;
            while (i + run < edits.Length && OneModule(edits[i + run]) is not null) run++;
            if ((run < 2 ? Apply(patch, edits[i], modules, out error) : ChangeAll(patch, edits.Slice(i, run), modules, out error)) is not { } next) return null;
            patch = next;
            i += Math.Max(run, 1);
        }

        return patch;
    }

    private static (Patch?, PatchError?) Add(Patch patch, Module module, DescriptorIndex? modules)
    {
        if (PatchCheck.Structure(module, "module") is { } error) return (null, error);
        if (modules is not null)
        {
            if (modules.Find(module.Type) is not { } type) return (null, PatchCheck.UnknownType(module, modules, "module.type"));
            if (PatchCheck.Types(module, type, "module", null) is { } mismatch) return (null, mismatch);
        }

        if (patch.IndexOf(module.Id) >= 0) return (null, Bad($"there is a module {PatchError.Quote(module.Id)} already", $"a free id, such as {patch.FreeId(module.Type)}"));
        if (patch.Modules.Length >= PatchLimits.Modules) return (null, Bad($"the patch has {patch.Modules.Length} modules", $"at most {PatchLimits.Modules}"));
        return (patch with { Modules = patch.Modules.Add(module) }, null);
    }

    private static (Patch?, PatchError?) Remove(Patch patch, string id)
    {
        var at = patch.IndexOf(id);
        if (at < 0) return (null, NoModule(id));
        var cables = patch.Cables.RemoveAll(c => c.From.Module == id || c.To.Module == id);
        var controllers = patch.Controllers.RemoveAll(c => c.Module == id);
        return (Loops.Release(patch with { Modules = patch.Modules.RemoveAt(at), Cables = cables, Controllers = controllers }), null);
    }

    private static (Patch?, PatchError?) Plug(Patch patch, Connect e, DescriptorIndex? modules)
    {
        if (patch.Find(e.From.Module) is not { } from) return (null, NoModule(e.From.Module));
        if (patch.Find(e.To.Module) is not { } to) return (null, NoModule(e.To.Module));
        if (!PatchLimits.IsTypeId(e.From.Port) || !PatchLimits.IsEnd(e.To)) return (null, Bad($"{PatchError.Quote(e.From.ToString())} to {PatchError.Quote(e.To.ToString())} is no cable"));
        if (PatchCheck.Gain(e.Gain, "") is { } error) return (null, error);
        if (modules?.Find(from.Type) is { } fromType && PatchCheck.OutputPort(fromType, e.From, "", out _) is { } noOutput) return (null, noOutput);
        if (modules?.Find(to.Type) is { } toType && PatchCheck.InputPort(toType, e.To, "", out _) is { } noInput) return (null, noInput);
        if (patch.IndexOf(e.From, e.To) >= 0) return (null, Bad($"there is a cable from {e.From} to {e.To} already"));
        if (patch.Cables.Length >= PatchLimits.Cables) return (null, Bad($"the patch has {patch.Cables.Length} cables", $"at most {PatchLimits.Cables}"));
        if (e.To.IsParameter)
        {
            var cables = 1;
            foreach (var c in patch.Cables) cables += c.To == e.To ? 1 : 0;
            if (cables > PatchLimits.ParameterCables) return (null, PatchCheck.TooManyOn(e.To, cables, ""));
        }

        var cable = new Cable(e.From, e.To) { Gain = e.Gain, Delayed = Loops.WouldClose(patch, e.From.Module, e.To.Module) };
        return (patch with { Cables = patch.Cables.Add(cable) }, null);
    }

    private static (Patch?, PatchError?) Unplug(Patch patch, Disconnect e)
    {
        var at = patch.IndexOf(e.From, e.To);
        return at < 0 ? (null, NoCable(e.From, e.To)) : (Loops.Release(patch with { Cables = patch.Cables.RemoveAt(at) }), null);
    }

    private static (Patch?, PatchError?) Gain(Patch patch, SetCableGain e)
    {
        var at = patch.IndexOf(e.From, e.To);
        if (at < 0) return (null, NoCable(e.From, e.To));
        if (PatchCheck.Gain(e.Gain, "") is { } error) return (null, error);
        return (patch with { Cables = patch.Cables.SetItem(at, patch.Cables[at] with { Gain = e.Gain }) }, null);
    }

    // The module that an edit changes and nothing else; null: it is not of that kind.
    private static string? OneModule(Edit edit) => edit switch
    {
        SetParameter e => e.Module,
        SetSetting e => e.Module,
        Bypass e => e.Module,
        Move e => e.Module,
        Rename e => e.Module,
        SetAsset e => e.Module,
        SetState e => e.Module,
        _ => null,
    };

    private static (Patch?, PatchError?) Change(Patch patch, string id, Edit edit, DescriptorIndex? modules)
    {
        var at = patch.IndexOf(id);
        if (at < 0) return (null, NoModule(id));
        var (changed, error) = Changed(patch.Modules[at], edit, modules);
        return changed is null ? (null, error) : (patch.WithModules(patch.Modules.SetItem(at, changed)), null);
    }

    private static Patch? ChangeAll(Patch patch, ReadOnlySpan<Edit> edits, DescriptorIndex? modules, out PatchError? error)
    {
        error = null;
        var all = patch.Modules.ToBuilder();
        foreach (var edit in edits)
        {
            var id = OneModule(edit)!;
            var at = patch.IndexOf(id);
            if (at < 0)
            {
                error = NoModule(id);
                return null;
            }

            (var changed, error) = Changed(all[at], edit, modules);
            if (changed is null) return null;
            all[at] = changed;
        }

        return patch.WithModules(all.MoveToImmutable());
    }

    private static (Module?, PatchError?) Changed(Module m, Edit edit, DescriptorIndex? modules)
    {
        var type = modules?.Find(m.Type);
        if ((edit, type) switch
        {
            (SetParameter e, not null) => Parameter(m, type, e),
            (SetSetting e, not null) => Setting(m, type, e),
            (SetAsset e, not null) when type.Asset(e.Slot) < 0 =>
                Bad($"{m.Id} ({m.Type}) has no asset slot {PatchError.Quote(e.Slot)}", PatchCheck.Names(type.Descriptor.Assets, static d => d.Id)),
            _ => null,
        } is { } mismatch) return (null, mismatch);
        var changed = edit switch
        {
            SetParameter e => m with { Parameters = m.Parameters.With(e.Parameter, e.Value) },
            SetSetting e => m with { Settings = m.Settings.With(e.Setting, e.Value) },
            Bypass e => m with { Bypass = e.On },
            Move e => m with { X = e.X, Y = e.Y },
            Rename e => m with { Label = e.Label },
            SetAsset e => m with { Assets = e.Path is null ? m.Assets.Without(e.Slot) : m.Assets.With(e.Slot, e.Path) },
            SetState e => m with { Version = e.Version, State = e.State },
            _ => throw new ArgumentException($"{edit.GetType().Name} changes no module", nameof(edit)),
        };
        // A knob of a known module that is in its range needs no more: what was there was checked when it came.
        if (edit is SetParameter && type is not null) return (changed, null);
        return PatchCheck.Structure(changed, "module") is { } error ? (null, error) : (changed, null);
    }

    private static PatchError? Parameter(Module m, ModuleType type, SetParameter e)
    {
        var i = type.Parameter(e.Parameter);
        return i < 0
            ? Bad($"{m.Id} ({m.Type}) has no parameter {PatchError.Quote(e.Parameter)}", PatchCheck.Names(type.Descriptor.Parameters, static d => d.Id))
            : PatchCheck.Parameter(type, i, e.Value, "", m.Id);
    }

    private static PatchError? Setting(Module m, ModuleType type, SetSetting e)
    {
        var i = type.Setting(e.Setting);
        return i < 0
            ? Bad($"{m.Id} ({m.Type}) has no setting {PatchError.Quote(e.Setting)}", PatchCheck.Names(type.Descriptor.Settings, static d => d.Id))
            : PatchCheck.Setting(type, i, e.Value, "", m.Id);
    }

    private static (Patch?, PatchError?) Copy(Patch patch, Duplicate e)
    {
        if (patch.Find(e.Module) is not { } m) return (null, NoModule(e.Module));
        var (copied, error) = Add(patch, m with { Id = e.NewId, X = Math.Min(m.X + 1, PatchLimits.Position) }, null);
        if (copied is null || !e.Inputs) return (copied, error);
        var cables = copied.Cables.ToBuilder();
        foreach (var c in copied.Cables)
        {
            // Nothing reads the copy yet, so its cables close no loop.
            if (c.To.Module == m.Id) cables.Add(c with { To = c.To with { Module = e.NewId }, Delayed = false });
        }

        if (cables.Count > PatchLimits.Cables) return (null, Bad($"the patch would have {cables.Count} cables", $"at most {PatchLimits.Cables}"));
        return (copied with { Cables = cables.ToImmutable() }, null);
    }

    private static (Patch?, PatchError?) Store(Patch patch, StoreScene e)
    {
        if (e.Number is < 0 or >= PatchLimits.Scenes) return (null, Bad($"there is no scene {e.Number}", $"0 to {PatchLimits.Scenes - 1}"));
        if (e.Scene is { } scene && PatchCheck.Structure(scene, "scene") is { } error) return (null, error);
        var scenes = patch.Scenes.ToBuilder();
        while (scenes.Count <= e.Number) scenes.Add(null);
        scenes[e.Number] = e.Scene;
        while (scenes.Count > 0 && scenes[^1] is null) scenes.RemoveAt(scenes.Count - 1); // one patch, one way to say it
        return (patch with { Scenes = scenes.ToImmutable() }, null);
    }

    private static (Patch?, PatchError?) Map(Patch patch, ControllerMap map, DescriptorIndex? modules)
    {
        if (PatchCheck.Controller(patch, map, modules, "", null) is { } error) return (null, error);
        for (var i = 0; i < patch.Controllers.Length; i++)
        {
            if (patch.Controllers[i].SameAs(map)) return (patch with { Controllers = patch.Controllers.SetItem(i, map) }, null);
        }

        if (patch.Controllers.Length >= PatchLimits.Controllers) return (null, Bad($"{patch.Controllers.Length} controllers are mapped", $"at most {PatchLimits.Controllers}"));
        return (patch with { Controllers = patch.Controllers.Add(map) }, null);
    }

    private static (Patch?, PatchError?) Unmap(Patch patch, ControllerMap map)
    {
        var left = patch.Controllers.RemoveAll(m => m.SameAs(map));
        return left.Length == patch.Controllers.Length ? (null, Bad($"controller {map.Number} does not move {PatchError.OneLine(map.Module)}.{PatchError.OneLine(map.Parameter)}")) : (patch with { Controllers = left }, null);
    }

    private static (Patch?, PatchError?) Replace(Patch patch, DescriptorIndex? modules)
    {
        if (PatchCheck.Structure(patch) is { } error) return (null, error);
        if (modules is not null && PatchCheck.Types(patch, modules) is { } mismatch) return (null, mismatch);
        return (Loops.Normalise(patch, null), null);
    }

    // Name, notes and quantum: cheap to check by themselves.
    private static (Patch?, PatchError?) Whole(Patch changed) =>
        PatchCheck.Structure(changed with { Modules = [], Cables = [], Controllers = [], Scenes = [] }) is { } error ? (null, error) : (changed, null);

    private static PatchError Bad(string what, string expected = "") => new() { What = what, Expected = expected };

    private static PatchError NoModule(string id) => Bad($"there is no module {PatchError.Quote(id)}");

    private static PatchError NoCable(PortRef from, PortRef to) =>
        Bad($"there is no cable from {PatchError.OneLine(from.ToString())} to {PatchError.OneLine(to.ToString())}");
}
