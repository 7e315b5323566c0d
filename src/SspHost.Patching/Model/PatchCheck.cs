// What must hold of every patch, wherever it comes from; and what the module types say about it.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>Checks patches. Every answer is the first error in the order of the file, or null.</summary>
public static class PatchCheck
{
    /// <summary>Checks what needs no module types: ids, numbers, cables between modules that exist.</summary>
    public static PatchError? Structure(Patch patch)
    {
        if (!PatchLimits.IsTypeId(patch.Id))
            return Bad("id", $"{PatchError.Quote(patch.Id)} is no patch id", "1 to 64 of a-z 0-9 . _ / -");
        if (!PatchLimits.IsName(patch.Name))
            return Bad("name", "the name is too long or has control characters", $"one line of at most {PatchLimits.NameLength} characters");
        if (patch.Notes.Length > PatchLimits.NotesLength)
            return Bad("notes", $"{patch.Notes.Length} characters of notes", $"at most {PatchLimits.NotesLength}");
        if (!Limits.IsQuantum(patch.Quantum))
            return Bad("quantum", $"a quantum of {patch.Quantum} frames", "16, 32, 64, 128 or 256");
        if (patch.Modules.Length > PatchLimits.Modules)
            return Bad("modules", $"{patch.Modules.Length} modules", $"at most {PatchLimits.Modules}");
        if (patch.Cables.Length > PatchLimits.Cables)
            return Bad("cables", $"{patch.Cables.Length} cables", $"at most {PatchLimits.Cables}");

        var ids = new HashSet<string>(patch.Modules.Length, StringComparer.Ordinal);
        for (var i = 0; i < patch.Modules.Length; i++)
        {
            if (Structure(patch.Modules[i], $"modules[{i}]") is { } error) return error;
            if (!ids.Add(patch.Modules[i].Id))
                return Bad($"modules[{i}].id", $"{PatchError.Quote(patch.Modules[i].Id)} stands twice", "an id that no other module has");
        }

        var seen = new HashSet<(PortRef, PortRef)>(patch.Cables.Length);
        Dictionary<PortRef, int>? moved = null;
        for (var i = 0; i < patch.Cables.Length; i++)
        {
            var c = patch.Cables[i];
            if (Structure(c, ids, $"cables[{i}]") is { } error) return error;
            if (!seen.Add((c.From, c.To)))
                return Bad($"cables[{i}]", $"a second cable from {c.From} to {c.To}", "one cable between two ports; use its gain");
            if (!c.To.IsParameter) continue;
            moved ??= [];
            var cables = moved[c.To] = moved.GetValueOrDefault(c.To) + 1;
            if (cables > PatchLimits.ParameterCables) return TooManyOn(c.To, cables, $"cables[{i}].to");
        }

        if (patch.Scenes.Length > PatchLimits.Scenes) return Bad("scenes", $"{patch.Scenes.Length} scenes", $"at most {PatchLimits.Scenes}");
        for (var i = 0; i < patch.Scenes.Length; i++)
        {
            if (patch.Scenes[i] is { } scene && Structure(scene, $"scenes[{i}]") is { } error) return error;
        }

        if (patch.Controllers.Length > PatchLimits.Controllers)
            return Bad("controllers", $"{patch.Controllers.Length} controllers", $"at most {PatchLimits.Controllers}");
        var mapped = new HashSet<(string, int, int, string, string)>(patch.Controllers.Length);
        for (var i = 0; i < patch.Controllers.Length; i++)
        {
            var c = patch.Controllers[i];
            if (Controller(patch, c, null, $"controllers[{i}]", null) is { } error) return error;
            if (!mapped.Add((c.Port, c.Channel, c.Number, c.Module, c.Parameter)))
                return Bad($"controllers[{i}]", $"controller {c.Number} moves {c.Module}.{c.Parameter} already", "each controller once for a parameter");
        }

        return null;
    }

    /// <summary>Checks a patch whose structure holds against the module types. Warnings: what is kept although it is not known.</summary>
    public static PatchError? Types(Patch patch, DescriptorIndex modules, List<string>? warnings = null)
    {
        modules.BeforeCheck?.Invoke(patch);
        var types = new ModuleType[patch.Modules.Length];
        for (var i = 0; i < types.Length; i++)
        {
            var m = patch.Modules[i];
            if (modules.Find(m.Type) is not { } type) return UnknownType(m, modules, $"modules[{i}].type");
            types[i] = type;
            if (Types(m, type, $"modules[{i}]", warnings) is { } error) return error;
        }

        for (var i = 0; i < patch.Cables.Length; i++)
        {
            var c = patch.Cables[i];
            var (from, to) = (patch.IndexOf(c.From.Module), patch.IndexOf(c.To.Module));
            if (OutputPort(types[from], c.From, $"cables[{i}].from", out _) is { } error) return error;
            if (InputPort(types[to], c.To, $"cables[{i}].to", out _) is { } error2) return error2;
        }

        for (var i = 0; i < patch.Controllers.Length; i++)
        {
            if (Controller(patch, patch.Controllers[i], modules, $"controllers[{i}]", warnings) is { } error) return error;
        }

        return null;
    }

    internal static PatchError? Structure(Module m, string path)
    {
        if (!PatchLimits.IsId(m.Id))
            return Bad($"{path}.id", $"{PatchError.Quote(m.Id)} is no module id", $"1 to {PatchLimits.IdLength} of a-z 0-9 - _");
        if (!PatchLimits.IsTypeId(m.Type))
            return Bad($"{path}.type", $"{PatchError.Quote(m.Type)} is no module type", "1 to 64 of a-z 0-9 . _ / -");
        if (!PatchLimits.IsName(m.Label))
            return Bad($"{path}.label", "the label is too long or has control characters", $"one line of at most {PatchLimits.NameLength} characters");
        if (m.X is < -PatchLimits.Position or > PatchLimits.Position)
            return Bad($"{path}.x", Number(m.X), $"-{PatchLimits.Position}..{PatchLimits.Position}");
        if (m.Y is < -PatchLimits.Position or > PatchLimits.Position)
            return Bad($"{path}.y", Number(m.Y), $"-{PatchLimits.Position}..{PatchLimits.Position}");
        if (m.State.Bytes.Length > PatchLimits.StateBytes)
            return Bad($"{path}.state", $"{m.State.Bytes.Length} bytes", $"at most {PatchLimits.StateBytes}");
        if (m.Settings.Count > Limits.MaxParameters * 2 || m.Parameters.Count > Limits.MaxParameters * 2 || m.Assets.Count > Limits.MaxAssets * 2)
            return Bad(path, $"{m.Id} has more settings, parameters or assets than any module", $"at most {Limits.MaxParameters * 2}");
        foreach (var s in m.Settings)
        {
            if (!PatchLimits.IsTypeId(s.Name)) return BadName($"{path}.settings", s.Name);
        }

        foreach (var p in m.Parameters)
        {
            if (!PatchLimits.IsTypeId(p.Name)) return BadName($"{path}.params", p.Name);
            if (!float.IsFinite(p.Value)) return Bad($"{path}.params.{p.Name}", Number(p.Value), "a finite number");
        }

        foreach (var a in m.Assets)
        {
            if (!PatchLimits.IsTypeId(a.Name)) return BadName($"{path}.assets", a.Name);
            if (!PatchLimits.IsAssetPath(a.Value)) return BadAsset($"{path}.assets.{a.Name}", a.Value);
        }

        return null;
    }

    internal static PatchError? Types(Module m, ModuleType type, string path, List<string>? warnings)
    {
        // What a newer version of the module wrote and this one does not know is kept, and said; else it is a slip of the pen.
        var newer = m.Version > type.Descriptor.Version;
        if (newer) warnings?.Add($"{path}: {m.Id} was made with version {m.Version} of {m.Type}, this is version {type.Descriptor.Version}");
        foreach (var s in m.Settings)
        {
            var i = type.Setting(s.Name);
            if (i >= 0)
            {
                if (Setting(type, i, s.Value, $"{path}.settings.{s.Name}", m.Id) is { } error) return error;
            }
            else if (newer)
            {
                warnings?.Add($"{path}.settings.{s.Name}: not known, kept");
            }
            else
            {
                return Unknown($"{path}.settings.{s.Name}", m, "setting", s.Name, Names(type.Descriptor.Settings, static d => d.Id));
            }
        }

        foreach (var p in m.Parameters)
        {
            var i = type.Parameter(p.Name);
            if (i >= 0)
            {
                if (Parameter(type, i, p.Value, $"{path}.params.{p.Name}", m.Id) is { } error) return error;
            }
            else if (newer)
            {
                warnings?.Add($"{path}.params.{p.Name}: not known, kept");
            }
            else
            {
                return Unknown($"{path}.params.{p.Name}", m, "parameter", p.Name, Names(type.Descriptor.Parameters, static d => d.Id));
            }
        }

        foreach (var a in m.Assets)
        {
            if (type.Asset(a.Name) >= 0) continue;
            if (!newer) return Unknown($"{path}.assets.{a.Name}", m, "asset slot", a.Name, Names(type.Descriptor.Assets, static d => d.Id));
            warnings?.Add($"{path}.assets.{a.Name}: not known, kept");
        }

        return null;
    }

    internal static PatchError? Structure(Cable c, HashSet<string> ids, string path)
    {
        if (!ids.Contains(c.From.Module)) return Bad($"{path}.from", $"there is no module {PatchError.Quote(c.From.Module)}", "the id of a module and one of its outputs");
        if (!ids.Contains(c.To.Module)) return Bad($"{path}.to", $"there is no module {PatchError.Quote(c.To.Module)}", "the id of a module and one of its inputs");
        if (!PatchLimits.IsTypeId(c.From.Port)) return BadName($"{path}.from", c.From.Port);
        if (!PatchLimits.IsEnd(c.To)) return BadName($"{path}.to", c.To.Port);
        return Gain(c.Gain, $"{path}.gain");
    }

    internal static PatchError? Gain(float gain, string path) =>
        MathF.Abs(gain) <= PatchLimits.Gain ? null : Bad(path, $"a gain of {Number(gain)}", $"-{PatchLimits.Gain}..{PatchLimits.Gain}"); // NaN fails too

    internal static PatchError? Parameter(ModuleType type, int index, float value, string path, string module)
    {
        var d = type.Descriptor.Parameters[index];
        if (!(value >= d.Min && value <= d.Max))
            return Bad(path, $"{module}: {d.Name} of {Number(value)} is out of range", $"{Number(d.Min)}..{Number(d.Max)}{(d.Unit.Length > 0 ? " " + d.Unit : "")}");
        if (d.Curve == ParameterCurve.Stepped && value != MathF.Round(value))
            return Bad(path, $"{module}: {d.Name} of {Number(value)}", "a whole number");
        return null;
    }

    internal static PatchError? Setting(ModuleType type, int index, int value, string path, string module)
    {
        var d = type.Descriptor.Settings[index];
        return value >= d.Min && value <= d.Max ? null : Bad(path, $"{module}: {d.Name} of {value} is out of range", $"{d.Min}..{d.Max}");
    }

    /// <summary>A scene may name what the patch no longer has, or never had: it is passed over. What it says must be values.</summary>
    internal static PatchError? Structure(Scene scene, string path)
    {
        if (!PatchLimits.IsName(scene.Name)) return Bad($"{path}.name", "the name is too long or has control characters", $"one line of at most {PatchLimits.NameLength} characters");
        if (scene.Parameters.Count > PatchLimits.Modules || scene.Bypass.Count > PatchLimits.Modules) return Bad(path, "a scene of more modules than a patch has", $"at most {PatchLimits.Modules}");
        foreach (var m in scene.Parameters)
        {
            if (!PatchLimits.IsId(m.Name)) return Bad($"{path}.params", $"{PatchError.Quote(m.Name)} is no module id", $"1 to {PatchLimits.IdLength} of a-z 0-9 - _");
            if (m.Value.Count > Limits.MaxParameters * 2) return Bad($"{path}.params.{m.Name}", $"{m.Value.Count} values", $"at most {Limits.MaxParameters * 2}");
            foreach (var p in m.Value)
            {
                if (!PatchLimits.IsTypeId(p.Name)) return BadName($"{path}.params.{m.Name}", p.Name);
                if (!float.IsFinite(p.Value)) return Bad($"{path}.params.{m.Name}.{p.Name}", Number(p.Value), "a finite number");
            }
        }

        foreach (var m in scene.Bypass)
        {
            if (!PatchLimits.IsId(m.Name)) return Bad($"{path}.bypass", $"{PatchError.Quote(m.Name)} is no module id", $"1 to {PatchLimits.IdLength} of a-z 0-9 - _");
        }

        return null;
    }

    internal static PatchError? Controller(Patch patch, ControllerMap map, DescriptorIndex? modules, string path, List<string>? warnings)
    {
        if (map.Channel is < 0 or > 16) return Bad(path, $"MIDI channel {map.Channel}", "1 to 16, or 0 for any");
        if (map.Number < 0 || map.Number > (map.Fine ? 31 : 127)) return Bad(path, $"controller {map.Number}", map.Fine ? "0 to 31, of 14 bits" : "0 to 127");
        if (!PatchLimits.IsName(map.Port)) return Bad(path, "the port's name is no line", $"at most {PatchLimits.NameLength} characters in one line");
        if (!PatchLimits.IsTypeId(map.Parameter)) return BadName(path, map.Parameter);
        if (!float.IsFinite(map.From) || !float.IsFinite(map.To)) return Bad(path, $"from {Number(map.From)} to {Number(map.To)}", "finite numbers");
        if (patch.Find(map.Module) is not { } m) return Bad(path, $"there is no module {PatchError.Quote(map.Module)}");
        if (modules?.Find(m.Type) is not { } type) return null;
        var i = type.Parameter(map.Parameter);
        if (i < 0 && m.Version > type.Descriptor.Version)
        {
            warnings?.Add($"{path}: {m.Id}.{map.Parameter} is not known, kept");
            return null;
        }

        if (i < 0) return Unknown(path, m, "parameter", map.Parameter, Names(type.Descriptor.Parameters, static d => d.Id));
        return Parameter(type, i, map.From, path, m.Id) ?? Parameter(type, i, map.To, path, m.Id);
    }

    internal static PatchError? OutputPort(ModuleType type, PortRef port, string path, out int index)
    {
        index = type.Output(port.Port);
        if (index >= 0 && type.Descriptor.Outputs[index].Kind == PortKind.Cable) return null;
        return Bad(
            path, $"{PatchError.Quote(port.Module)} ({type.Descriptor.Id}) has no output {PatchError.Quote(port.Port)}",
            Names(type.Descriptor.Outputs, static d => d.Kind == PortKind.Cable ? d.Id : ""));
    }

    /// <summary>Where a cable ends: an input, or a parameter of any curve (one that is stepped jumps from whole number to whole number).</summary>
    internal static PatchError? InputPort(ModuleType type, PortRef port, string path, out int index)
    {
        if (port.IsParameter)
        {
            index = type.Parameter(port.Port[1..]);
            return index >= 0 ? null : Bad(
                path, $"{PatchError.Quote(port.Module)} ({type.Descriptor.Id}) has no parameter {PatchError.Quote(port.Port[1..])}",
                Names(type.Descriptor.Parameters, static d => PortRef.ParameterMark + d.Id));
        }

        index = type.Input(port.Port);
        if (index >= 0 && type.Descriptor.Inputs[index].Kind == PortKind.Cable) return null;
        return Bad(
            path, $"{PatchError.Quote(port.Module)} ({type.Descriptor.Id}) has no input {PatchError.Quote(port.Port)}",
            Names(type.Descriptor.Inputs, static d => d.Kind == PortKind.Cable ? d.Id : ""));
    }

    internal static PatchError TooManyOn(PortRef parameter, int cables, string path) =>
        Bad(path, $"{cables} cables to {parameter}", $"at most {PatchLimits.ParameterCables} that move one parameter");

    internal static PatchError UnknownType(Module m, DescriptorIndex modules, string path) => Bad(
        path, $"{m.Id}: there is no module type {PatchError.Quote(m.Type)}", Names(modules.Types, static t => t.Descriptor.Id));

    internal static PatchError Bad(string path, string what, string expected = "") => new() { Path = PatchError.OneLine(path, 120), What = what, Expected = expected };

    internal static PatchError BadAsset(string path, string asset) =>
        Bad(path, $"{PatchError.Quote(asset)} is no path of a sample", "a path relative to the patch, with '/' and without '..'");

    internal static string Number(float value) => value.ToString(CultureInfo.InvariantCulture);

    internal static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    // "one of a, b, c": enough of them to see what is meant, few enough for one line.
    internal static string Names<T>(IReadOnlyList<T> items, Func<T, string> name)
    {
        var text = "";
        for (var i = 0; i < items.Count; i++)
        {
            var n = name(items[i]);
            if (n.Length == 0) continue;
            if (text.Length + n.Length > 160)
            {
                text += ", ...";
                break;
            }

            text += text.Length == 0 ? n : ", " + n;
        }

        return text.Length == 0 ? "none" : "one of " + text;
    }

    private static PatchError BadName(string path, string name) => Bad(path, $"{PatchError.Quote(name)} is no name", "1 to 64 of a-z 0-9 . _ / -");

    private static PatchError Unknown(string path, Module m, string what, string name, string expected) =>
        Bad(path, $"{m.Id} ({m.Type}) has no {what} {PatchError.Quote(name)}", expected);
}
