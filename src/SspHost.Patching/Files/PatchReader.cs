// The shape of a patch file, read field by field.
using System.Collections.Immutable;
using System.Text.Json;

namespace SspHost.Patching;

/// <summary>Reads patches and their parts from a cursor. What is no patch faults; unknown fields are kept.</summary>
internal static class PatchReader
{
    /// <summary>Reads a patch whose object begins at the present token.</summary>
    public static Patch Patch(ref JsonCursor json, string path)
    {
        var start = json.Place;
        json.Object(path, "a patch: an object");
        var dot = path.Length == 0 ? "" : path + ".";
        var fields = new FieldSet();
        var (format, formatPlace) = (0, start);
        string? id = null;
        string name = "", notes = "";
        var quantum = 32;
        ImmutableArray<Module>.Builder modules = ImmutableArray.CreateBuilder<Module>();
        ImmutableArray<Cable>.Builder cables = ImmutableArray.CreateBuilder<Cable>();
        var scenes = ImmutableArray.CreateBuilder<Scene?>();
        var controllers = ImmutableArray.CreateBuilder<ControllerMap>();
        var unknown = new List<Named<string>>();
        while (json.Field(path, out var field))
        {
            var at = dot + PatchError.OneLine(field);
            fields.Add(ref json, at, field);
            switch (field)
            {
                case "format":
                    (format, formatPlace) = (Format(ref json, at, PatchJson.Format), json.Place);
                    break;
                case "id": id = json.String(at); break;
                case "name": name = json.String(at); break;
                case "notes": notes = json.String(at); break;
                case "quantum": quantum = json.Integer(at); break;
                case "modules":
                    json.Array(at, "an array of modules");
                    for (var i = 0; json.Item(at); i++)
                    {
                        if (i >= PatchLimits.Modules) throw json.Bad(at, $"more than {PatchLimits.Modules} modules", $"at most {PatchLimits.Modules}");
                        modules.Add(Module(ref json, $"{at}[{i}]"));
                    }

                    break;
                case "cables":
                    json.Array(at, "an array of cables");
                    for (var i = 0; json.Item(at); i++)
                    {
                        if (i >= PatchLimits.Cables) throw json.Bad(at, $"more than {PatchLimits.Cables} cables", $"at most {PatchLimits.Cables}");
                        cables.Add(Cable(ref json, $"{at}[{i}]"));
                    }

                    break;
                case "scenes":
                    json.Array(at, "an array of scenes");
                    for (var i = 0; json.Item(at); i++)
                    {
                        if (i >= PatchLimits.Scenes) throw json.Bad(at, $"more than {PatchLimits.Scenes} scenes", $"at most {PatchLimits.Scenes}");
                        scenes.Add(json.Token == JsonTokenType.Null ? null : Scene(ref json, $"{at}[{i}]"));
                    }

                    while (scenes.Count > 0 && scenes[^1] is null) scenes.RemoveAt(scenes.Count - 1);
                    break;
                case "controllers":
                    json.Array(at, "an array of controllers");
                    for (var i = 0; json.Item(at); i++)
                    {
                        if (i >= PatchLimits.Controllers) throw json.Bad(at, $"more than {PatchLimits.Controllers} controllers", $"at most {PatchLimits.Controllers}");
                        controllers.Add(Controller(ref json, $"{at}[{i}]"));
                    }

                    break;
                default:
                    unknown.Add(new Named<string>(field, json.Raw(at)));
                    break;
            }
        }

        if (format == 0) throw json.At(formatPlace, path, "the field 'format' is missing", $"\"format\": {PatchJson.Format}");
        if (id is null) throw json.At(start, path, "the field 'id' is missing", "an id that no other patch has, such as 16 hexadecimal digits");
        return new Patch
        {
            Id = id,
            Name = name,
            Notes = notes,
            Quantum = quantum,
            Modules = modules.ToImmutable(),
            Cables = cables.ToImmutable(),
            Scenes = scenes.ToImmutable(),
            Controllers = controllers.ToImmutable(),
            Unknown = NamedValues<string>.From(unknown),
        };
    }

    /// <summary>Reads a module.</summary>
    public static Module Module(ref JsonCursor json, string path)
    {
        var start = json.Place;
        json.Object(path, "a module: an object");
        var fields = new FieldSet();
        string? id = null;
        string? type = null;
        var module = new Module { Id = "", Type = "" };
        var unknown = new List<Named<string>>();
        while (json.Field(path, out var field))
        {
            var at = $"{path}.{PatchError.OneLine(field)}";
            fields.Add(ref json, at, field);
            switch (field)
            {
                case "id": id = json.String(at); break;
                case "type": type = json.String(at); break;
                case "version": module = module with { Version = json.Version(at) }; break;
                case "label": module = module with { Label = json.String(at) }; break;
                case "x": module = module with { X = json.Integer(at) }; break;
                case "y": module = module with { Y = json.Integer(at) }; break;
                case "bypass": module = module with { Bypass = json.Boolean(at) }; break;
                case "state": module = module with { State = json.Base64(at) }; break;
                case "settings": module = module with { Settings = Values(ref json, at, static (ref JsonCursor j, string p) => j.Integer(p)) }; break;
                case "params": module = module with { Parameters = Values(ref json, at, static (ref JsonCursor j, string p) => j.Float(p)) }; break;
                case "assets": module = module with { Assets = Values(ref json, at, static (ref JsonCursor j, string p) => j.String(p, "a path")) }; break;
                default: unknown.Add(new Named<string>(field, json.Raw(at))); break;
            }
        }

        if (id is null) throw json.At(start, path, "the field 'id' is missing", "a module id such as \"vco1\"");
        if (type is null) throw json.At(start, path, "the field 'type' is missing", "a module type such as \"vco\"");
        return module with { Id = id, Type = type, Unknown = NamedValues<string>.From(unknown) };
    }

    /// <summary>Reads a preset of a module, which has much of a module.</summary>
    public static ModulePreset Preset(ref JsonCursor json)
    {
        var start = json.Place;
        json.Object("", "a preset: an object");
        var fields = new FieldSet();
        var format = 0;
        var preset = new ModulePreset { Type = "" };
        var unknown = new List<Named<string>>();
        while (json.Field("", out var field))
        {
            var at = PatchError.OneLine(field);
            fields.Add(ref json, at, field);
            switch (field)
            {
                case "format": format = Format(ref json, at, ModulePreset.Format); break;
                case "type": preset = preset with { Type = json.String(at) }; break;
                case "version": preset = preset with { Version = json.Version(at) }; break;
                case "notes": preset = preset with { Notes = json.String(at) }; break;
                case "state": preset = preset with { State = json.Base64(at) }; break;
                case "settings": preset = preset with { Settings = Values(ref json, at, static (ref JsonCursor j, string p) => j.Integer(p)) }; break;
                case "params": preset = preset with { Parameters = Values(ref json, at, static (ref JsonCursor j, string p) => j.Float(p)) }; break;
                case "assets": preset = preset with { Assets = Values(ref json, at, static (ref JsonCursor j, string p) => j.String(p, "a path")) }; break;
                default: unknown.Add(new Named<string>(field, json.Raw(at))); break;
            }
        }

        if (format == 0) throw json.At(start, "", "the field 'format' is missing", $"\"format\": {ModulePreset.Format}");
        if (preset.Type.Length == 0) throw json.At(start, "", "the field 'type' is missing", "a module type such as \"vco\"");
        return preset with { Unknown = NamedValues<string>.From(unknown) };
    }

    /// <summary>Reads a scene.</summary>
    public static Scene Scene(ref JsonCursor json, string path)
    {
        json.Object(path, "a scene: an object, or null");
        var fields = new FieldSet();
        var scene = new Scene();
        var unknown = new List<Named<string>>();
        while (json.Field(path, out var field))
        {
            var at = $"{path}.{PatchError.OneLine(field)}";
            fields.Add(ref json, at, field);
            switch (field)
            {
                case "name": scene = scene with { Name = json.String(at) }; break;
                case "bypass": scene = scene with { Bypass = Values(ref json, at, static (ref JsonCursor j, string p) => j.Boolean(p)) }; break;
                case "params":
                    scene = scene with
                    {
                        Parameters = Values(ref json, at, static (ref JsonCursor j, string p) => Values(ref j, p, static (ref JsonCursor v, string q) => v.Float(q))),
                    };
                    break;
                default: unknown.Add(new Named<string>(field, json.Raw(at))); break;
            }
        }

        return scene with { Unknown = NamedValues<string>.From(unknown) };
    }

    /// <summary>Reads a controller in charge of a parameter.</summary>
    public static ControllerMap Controller(ref JsonCursor json, string path)
    {
        var start = json.Place;
        json.Object(path, "a controller: an object");
        var fields = new FieldSet();
        var map = new ControllerMap { Number = -1, Module = "", Parameter = "", From = float.NaN, To = float.NaN };
        var unknown = new List<Named<string>>();
        while (json.Field(path, out var field))
        {
            var at = $"{path}.{PatchError.OneLine(field)}";
            fields.Add(ref json, at, field);
            switch (field)
            {
                case "port": map = map with { Port = json.String(at) }; break;
                case "channel": map = map with { Channel = json.Integer(at) }; break;
                case "number": map = map with { Number = json.Integer(at) }; break;
                case "fine": map = map with { Fine = json.Boolean(at) }; break;
                case "module": map = map with { Module = json.String(at) }; break;
                case "param": map = map with { Parameter = json.String(at) }; break;
                case "from": map = map with { From = json.Float(at) }; break;
                case "to": map = map with { To = json.Float(at) }; break;
                default: unknown.Add(new Named<string>(field, json.Raw(at))); break;
            }
        }

        var missing = map.Number < 0 ? "number" : map.Module.Length == 0 ? "module" : map.Parameter.Length == 0 ? "param" : float.IsNaN(map.From) ? "from" : float.IsNaN(map.To) ? "to" : null;
        if (missing is not null) throw json.At(start, path, $"the field '{missing}' is missing", "number, module, param, from and to");
        return map with { Unknown = NamedValues<string>.From(unknown) };
    }

    private static int Format(ref JsonCursor json, string at, int newest)
    {
        var format = json.Integer(at);
        if (format > newest) throw json.Bad(at, $"format {format} is newer than this program", $"format {newest}, or a newer program");
        if (format < 1) throw json.Bad(at, $"there is no format {format}", $"format {newest}");
        return format;
    }

    /// <summary>Reads "module.port".</summary>
    public static PortRef Port(ref JsonCursor json, string path)
    {
        var text = json.String(path, "a port: \"module.port\"");
        return PortRef.TryParse(text, out var port) ? port : throw json.Bad(path, $"{PatchError.Quote(text)} is no port", "\"module.port\"");
    }

    private static Cable Cable(ref JsonCursor json, string path)
    {
        var start = json.Place;
        json.Object(path, "a cable: an object");
        var fields = new FieldSet();
        PortRef? from = null;
        PortRef? to = null;
        var (gain, delayed) = (1f, false);
        var unknown = new List<Named<string>>();
        while (json.Field(path, out var field))
        {
            var at = $"{path}.{PatchError.OneLine(field)}";
            fields.Add(ref json, at, field);
            switch (field)
            {
                case "from": from = Port(ref json, at); break;
                case "to": to = Port(ref json, at); break;
                case "gain": gain = json.Float(at); break;
                case "delayed": delayed = json.Boolean(at); break;
                default: unknown.Add(new Named<string>(field, json.Raw(at))); break;
            }
        }

        if (from is null) throw json.At(start, path, "the field 'from' is missing", "an output: \"module.port\"");
        if (to is null) throw json.At(start, path, "the field 'to' is missing", "an input or a parameter: \"module.port\" or \"module.@parameter\"");
        return new Cable(from.Value, to.Value) { Gain = gain, Delayed = delayed, Unknown = NamedValues<string>.From(unknown) };
    }

    private delegate T ReadValue<out T>(ref JsonCursor json, string path);

    private static NamedValues<T> Values<T>(ref JsonCursor json, string path, ReadValue<T> read)
    {
        json.Object(path, "an object: a value by name");
        var fields = new FieldSet();
        var values = new List<Named<T>>();
        while (json.Field(path, out var field))
        {
            var at = $"{path}.{PatchError.OneLine(field)}";
            fields.Add(ref json, at, field);
            values.Add(new Named<T>(field, read(ref json, at)));
        }

        return NamedValues<T>.From(values);
    }

    // A field that stands twice would silently lose one of its values.
    private struct FieldSet
    {
        private HashSet<string>? _seen;

        public void Add(ref JsonCursor json, string path, string field)
        {
            _seen ??= new HashSet<string>(StringComparer.Ordinal);
            if (!_seen.Add(field)) throw json.Bad(path, $"the field {PatchError.Quote(field)} stands twice", "each field once");
            if (_seen.Count > PatchLimits.Modules) throw json.Bad(path, $"more than {PatchLimits.Modules} fields in one object");
        }
    }
}
