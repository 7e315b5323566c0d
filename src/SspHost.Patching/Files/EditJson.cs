// Edits as JSON: what the journal holds and what the control protocol carries.
using System.Buffers;
using System.Text.Json;

namespace SspHost.Patching;

/// <summary>
/// Each edit is one object with an "op": {"op":"param","module":"vco1","param":"tune","value":0.5}. Unknown ops and fields are refused:
/// an edit that is half understood would do something else than was meant.
/// </summary>
public static class EditJson
{
    /// <summary>Writes edits as a JSON array on one line.</summary>
    public static byte[] Write(params ReadOnlySpan<Edit> edits)
    {
        var bytes = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(bytes, PatchWriter.ForLines)) Write(json, edits);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Reads one edit or an array of edits. Null with one error where the bytes are none.</summary>
    public static Edit[]? Read(ReadOnlySpan<byte> utf8, out PatchError? error)
    {
        error = null;
        try
        {
            var json = new JsonCursor(utf8, "");
            json.Next("");
            var edits = json.Token == JsonTokenType.StartArray ? ReadAll(ref json, "") : [ReadOne(ref json, "")];
            json.End();
            return edits;
        }
        catch (JsonFault fault)
        {
            error = fault.Error;
            return null;
        }
    }

    internal static void Write(Utf8JsonWriter json, ReadOnlySpan<Edit> edits)
    {
        json.WriteStartArray();
        foreach (var e in edits) Write(json, e);
        json.WriteEndArray();
    }

    /// <summary>Reads an array of edits that begins at the present token.</summary>
    internal static Edit[] ReadAll(ref JsonCursor json, string path)
    {
        json.Array(path, "an array of edits");
        var edits = new List<Edit>();
        while (json.Item(path)) edits.Add(ReadOne(ref json, $"{path}[{edits.Count}]"));
        return [.. edits];
    }

    private static void Write(Utf8JsonWriter json, Edit edit)
    {
        json.WriteStartObject();
        switch (edit)
        {
            case AddModule e:
                json.WriteString("op"u8, "add"u8);
                json.WritePropertyName("add"u8);
                PatchWriter.Module(json, e.Module);
                break;
            case RemoveModule e: Start(json, "remove"u8, e.Module); break;
            case Connect e:
                Start(json, "connect"u8, e.From, e.To);
                if (e.Gain != 1f) json.WriteNumber("gain"u8, e.Gain);
                break;
            case Disconnect e: Start(json, "disconnect"u8, e.From, e.To); break;
            case SetCableGain e:
                Start(json, "gain"u8, e.From, e.To);
                json.WriteNumber("gain"u8, e.Gain);
                break;
            case SetParameter e:
                Start(json, "param"u8, e.Module);
                json.WriteString("param"u8, e.Parameter);
                json.WriteNumber("value"u8, e.Value);
                break;
            case SetSetting e:
                Start(json, "setting"u8, e.Module);
                json.WriteString("setting"u8, e.Setting);
                json.WriteNumber("value"u8, e.Value);
                break;
            case Bypass e:
                Start(json, "bypass"u8, e.Module);
                json.WriteBoolean("on"u8, e.On);
                break;
            case Move e:
                Start(json, "move"u8, e.Module);
                json.WriteNumber("x"u8, e.X);
                json.WriteNumber("y"u8, e.Y);
                break;
            case Rename e:
                Start(json, "rename"u8, e.Module);
                json.WriteString("label"u8, e.Label);
                break;
            case Duplicate e:
                Start(json, "duplicate"u8, e.Module);
                json.WriteString("as"u8, e.NewId);
                if (e.Inputs) json.WriteBoolean("inputs"u8, true);
                break;
            case SetAsset e:
                Start(json, "asset"u8, e.Module);
                json.WriteString("slot"u8, e.Slot);
                if (e.Path is not null) json.WriteString("path"u8, e.Path);
                break;
            case SetState e:
                Start(json, "state"u8, e.Module);
                json.WriteNumber("version"u8, e.Version);
                json.WriteBase64String("state"u8, e.State.Bytes);
                break;
            case RenamePatch e:
                json.WriteString("op"u8, "name"u8);
                json.WriteString("name"u8, e.Name);
                break;
            case SetNotes e:
                json.WriteString("op"u8, "notes"u8);
                json.WriteString("notes"u8, e.Notes);
                break;
            case SetQuantum e:
                json.WriteString("op"u8, "quantum"u8);
                json.WriteNumber("quantum"u8, e.Frames);
                break;
            case StoreScene e:
                json.WriteString("op"u8, "scene"u8);
                json.WriteNumber("number"u8, e.Number);
                json.WritePropertyName("scene"u8);
                PatchWriter.Scene(json, e.Scene);
                break;
            case MapController e:
                json.WriteString("op"u8, "map"u8);
                json.WritePropertyName("map"u8);
                PatchWriter.Controller(json, e.Map);
                break;
            case UnmapController e:
                json.WriteString("op"u8, "unmap"u8);
                json.WritePropertyName("map"u8);
                PatchWriter.Controller(json, e.Map);
                break;
            case ReplacePatch e:
                json.WriteString("op"u8, "patch"u8);
                json.WritePropertyName("patch"u8);
                PatchWriter.Patch(json, e.Patch);
                break;
            default: throw new ArgumentException($"{edit.GetType().Name} has no JSON form", nameof(edit));
        }

        json.WriteEndObject();
    }

    private static void Start(Utf8JsonWriter json, ReadOnlySpan<byte> op, string module)
    {
        json.WriteString("op"u8, op);
        json.WriteString("module"u8, module);
    }

    private static void Start(Utf8JsonWriter json, ReadOnlySpan<byte> op, PortRef from, PortRef to)
    {
        json.WriteString("op"u8, op);
        json.WriteString("from"u8, from.ToString());
        json.WriteString("to"u8, to.ToString());
    }

    private static Edit ReadOne(ref JsonCursor json, string path)
    {
        var start = json.Place;
        json.Object(path, "an edit: an object");
        var dot = path.Length == 0 ? "" : path + ".";
        var f = default(Fields);
        uint seen = 0;
        while (json.Field(path, out var field))
        {
            var at = dot + PatchError.OneLine(field);
            var bit = f.Read(ref json, at, field);
            if ((seen & bit) != 0) throw json.Bad(at, $"the field {PatchError.Quote(field)} stands twice", "each field once");
            seen |= bit;
        }

        // The fields each op has: (all it must have, all it may have).
        var (must, may) = f.Op switch
        {
            "add" => (Fields.HasAdd, 0u),
            "remove" => (Fields.HasModule, 0u),
            "connect" => (Fields.HasFrom | Fields.HasTo, Fields.HasGain),
            "disconnect" => (Fields.HasFrom | Fields.HasTo, 0u),
            "gain" => (Fields.HasFrom | Fields.HasTo | Fields.HasGain, 0u),
            "param" => (Fields.HasModule | Fields.HasParam | Fields.HasValue, 0u),
            "setting" => (Fields.HasModule | Fields.HasSetting | Fields.HasValue, 0u),
            "bypass" => (Fields.HasModule | Fields.HasOn, 0u),
            "move" => (Fields.HasModule | Fields.HasX | Fields.HasY, 0u),
            "rename" => (Fields.HasModule | Fields.HasLabel, 0u),
            "duplicate" => (Fields.HasModule | Fields.HasAs, Fields.HasInputs),
            "asset" => (Fields.HasModule | Fields.HasSlot, Fields.HasPath),
            "state" => (Fields.HasModule | Fields.HasVersion | Fields.HasState, 0u),
            "name" => (Fields.HasName, 0u),
            "notes" => (Fields.HasNotes, 0u),
            "quantum" => (Fields.HasQuantum, 0u),
            "scene" => (Fields.HasNumber | Fields.HasScene, 0u),
            "map" or "unmap" => (Fields.HasMap, 0u),
            "patch" => (Fields.HasPatch, 0u),
            null => throw json.At(start, path, "the field 'op' is missing", Ops),
            _ => throw json.At(start, path, $"{PatchError.Quote(f.Op)} is no edit", Ops),
        };
        must |= Fields.HasOp;
        if ((seen & must) != must) throw json.At(start, path, $"'{f.Op}' lacks a field", Fields.Names(must & ~seen));
        if ((seen & ~(must | may)) != 0) throw json.At(start, path, $"'{f.Op}' has no field {Fields.Names(seen & ~(must | may))}", Fields.Names(must | may));
        if (f.Op == "setting" && f.Whole is null) throw json.At(start, path, "the value of a setting", "a whole number");
        return f.Op switch
        {
            "add" => new AddModule(f.Add!),
            "remove" => new RemoveModule(f.Module!),
            "connect" => new Connect(f.From, f.To, (seen & Fields.HasGain) != 0 ? f.Gain : 1f),
            "disconnect" => new Disconnect(f.From, f.To),
            "gain" => new SetCableGain(f.From, f.To, f.Gain),
            "param" => new SetParameter(f.Module!, f.Param!, f.Value),
            "setting" => new SetSetting(f.Module!, f.Setting!, f.Whole!.Value),
            "bypass" => new Bypass(f.Module!, f.On),
            "move" => new Move(f.Module!, f.X, f.Y),
            "rename" => new Rename(f.Module!, f.Label!),
            "duplicate" => new Duplicate(f.Module!, f.As!, f.Inputs),
            "asset" => new SetAsset(f.Module!, f.Slot!, f.Path),
            "state" => new SetState(f.Module!, f.Version, f.State),
            "name" => new RenamePatch(f.Name!),
            "notes" => new SetNotes(f.Notes!),
            "quantum" => new SetQuantum(f.Quantum),
            "scene" => new StoreScene(f.Number, f.Scene),
            "map" => new MapController(f.Map!),
            "unmap" => new UnmapController(f.Map!),
            _ => new ReplacePatch(f.Patch!),
        };
    }

    private const string Ops =
        "one of add, remove, connect, disconnect, gain, param, setting, bypass, move, rename, duplicate, asset, state, name, notes, quantum, scene, map, unmap, patch";

    private struct Fields
    {
        public const uint
            HasOp = 1, HasModule = 2, HasFrom = 4, HasTo = 8, HasGain = 16, HasParam = 32, HasValue = 64, HasSetting = 128, HasOn = 256, HasX = 512,
            HasY = 1024, HasLabel = 2048, HasAs = 4096, HasInputs = 8192, HasSlot = 1 << 14, HasPath = 1 << 15, HasVersion = 1 << 16,
            HasState = 1 << 17, HasName = 1 << 18, HasNotes = 1 << 19, HasQuantum = 1 << 20, HasPatch = 1 << 21, HasAdd = 1 << 22, HasNumber = 1 << 23,
            HasScene = 1 << 24, HasMap = 1 << 25;

        private static readonly string[] InOrder =
        [
            "op", "module", "from", "to", "gain", "param", "value", "setting", "on", "x", "y", "label", "as", "inputs", "slot", "path", "version",
            "state", "name", "notes", "quantum", "patch", "add", "number", "scene", "map",
        ];

        public string? Op, Module, Param, Setting, Label, As, Slot, Path, Name, Notes;
        public PortRef From, To;
        public float Gain, Value;
        public int? Whole;
        public int X, Y, Quantum, Number;
        public uint Version;
        public bool On, Inputs;
        public StateBlob State;
        public Patch? Patch;
        public Module? Add;
        public Scene? Scene;
        public ControllerMap? Map;

        public static string Names(uint fields)
        {
            var text = "";
            for (var i = 0; i < InOrder.Length; i++)
            {
                if ((fields >> i & 1) != 0) text += (text.Length == 0 ? "'" : ", '") + InOrder[i] + "'";
            }

            return text;
        }

        public uint Read(ref JsonCursor json, string at, string field)
        {
            switch (field)
            {
                case "op": Op = json.String(at); break;
                case "module": Module = json.String(at, "a module id"); break;
                case "from": From = PatchReader.Port(ref json, at); break;
                case "to": To = PatchReader.Port(ref json, at); break;
                case "gain": Gain = json.Float(at); break;
                case "param": Param = json.String(at); break;
                case "value":
                    Value = json.Float(at);
                    Whole = json.WholeOrNull();
                    break;
                case "setting": Setting = json.String(at); break;
                case "on": On = json.Boolean(at); break;
                case "x": X = json.Integer(at); break;
                case "y": Y = json.Integer(at); break;
                case "label": Label = json.String(at); break;
                case "as": As = json.String(at, "a module id"); break;
                case "inputs": Inputs = json.Boolean(at); break;
                case "slot": Slot = json.String(at); break;
                case "path": Path = json.Token == JsonTokenType.Null ? null : json.String(at); break;
                case "version": Version = json.Version(at); break;
                case "state": State = json.Base64(at); break;
                case "name": Name = json.String(at); break;
                case "notes": Notes = json.String(at); break;
                case "quantum": Quantum = json.Integer(at); break;
                case "patch": Patch = PatchReader.Patch(ref json, at); break;
                case "number": Number = json.Integer(at); break;
                case "scene": Scene = json.Token == JsonTokenType.Null ? null : PatchReader.Scene(ref json, at); break;
                case "map": Map = PatchReader.Controller(ref json, at); break;
                case "add": Add = PatchReader.Module(ref json, at); break;
                default: throw json.Bad(at, $"an edit has no field {PatchError.Quote(field)}");
            }

            return 1u << Array.IndexOf(InOrder, field);
        }
    }
}
