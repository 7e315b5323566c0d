// A preset of a module: its knobs, settings, files and state, in a file of its own.
using System.Buffers;
using System.Text;
using System.Text.Json;
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>
/// How a module of some type is set. What it does not name is left as it is: those that ship name no tuning, and no settings, which say how many
/// voices and how much memory a patch has for the module. One that is made of a module (<see cref="Of"/>) names everything.
/// </summary>
public sealed record ModulePreset
{
    /// <summary>The file format this version writes. Newer ones are refused; there is none older.</summary>
    public const int Format = 1;

    /// <summary>Bytes of a file: what the largest state takes in base64, and the rest.</summary>
    public const int FileBytes = 2 << 20;

    /// <summary>Module type: "svf".</summary>
    public required string Type { get; init; }

    /// <summary>Version of the type that it was made with, and that wrote <see cref="State"/>.</summary>
    public uint Version { get; init; } = 1;

    /// <summary>What the player is told of it.</summary>
    public string Notes { get; init; } = "";

    /// <summary>Whole numbers fixed when the instance is made.</summary>
    public NamedValues<int> Settings { get; init; }

    /// <summary>Values in the parameter's own unit.</summary>
    public NamedValues<float> Parameters { get; init; }

    /// <summary>Files by asset slot, relative to the patch.</summary>
    public NamedValues<string> Assets { get; init; }

    /// <summary>What the module saved of itself.</summary>
    public StateBlob State { get; init; }

    /// <summary>Fields of the file that this version does not know, as JSON: kept and written back.</summary>
    public NamedValues<string> Unknown { get; init; }

    /// <summary>The JSON Schema (draft 2020-12) of the format.</summary>
    public static string Schema
    {
        get
        {
            using var stream = typeof(ModulePreset).Assembly.GetManifestResourceStream("preset.schema.json")!;
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return reader.ReadToEnd();
        }
    }

    /// <summary>
    /// The preset that a module is at this moment, with its defaults spelled out where its type is known: they may be others in a later version.
    /// <paramref name="live"/> is the state of the running instance, where there is one.
    /// </summary>
    public static ModulePreset Of(Module module, DescriptorIndex modules, (uint Version, StateBlob State)? live = null)
    {
        var (settings, parameters) = (module.Settings, module.Parameters);
        if (modules.Find(module.Type)?.Descriptor is { } type)
        {
            foreach (var s in type.Settings)
            {
                if (!settings.Contains(s.Id)) settings = settings.With(s.Id, s.Default);
            }

            foreach (var p in type.Parameters)
            {
                if (!parameters.Contains(p.Id)) parameters = parameters.With(p.Id, p.Default);
            }
        }

        return new ModulePreset
        {
            Type = module.Type, Version = live?.Version ?? module.Version, Settings = settings, Parameters = parameters, Assets = module.Assets,
            State = live?.State ?? module.State,
        };
    }

    /// <summary>
    /// The edits that set a module of a patch to the preset; none where it is that already. What another version of the type called otherwise is
    /// passed over, and values are brought into their present range. Null with one error where it cannot be.
    /// </summary>
    public List<Edit>? EditsFor(Patch patch, string module, DescriptorIndex modules, out PatchError? error)
    {
        error = null;
        if (patch.Find(module) is not { } m) error = new PatchError { What = $"there is no module {PatchError.Quote(module)}" };
        else if (m.Type != Type) error = new PatchError { What = $"a preset of {PatchError.Quote(Type)} for {m.Id} ({m.Type})", Expected = $"one of {m.Type}" };
        else if (modules.Find(Type)?.Descriptor is not { } type) error = PatchCheck.UnknownType(m, modules, "");
        else if (Version > type.Version && !State.IsEmpty)
            error = new PatchError { What = $"the preset has a state of version {Version} of {Type}, this is version {type.Version}", Expected = "a newer program" };
        else return Edits(m, type);
        return null;
    }

    /// <summary>Reads a preset from UTF-8 JSON; <paramref name="file"/> is only named in messages. Null with one error; never throws for what the bytes are.</summary>
    public static ModulePreset? Read(ReadOnlySpan<byte> json, string file, out PatchError? error)
    {
        error = json.Length > FileBytes ? BoundedFile.TooLarge(file, $"{json.Length} bytes", FileBytes, "preset") : null;
        if (error is not null) return null;
        ModulePreset preset;
        try
        {
            var cursor = new JsonCursor(json, file, "preset");
            cursor.Next("");
            preset = PatchReader.Preset(ref cursor);
            cursor.End();
        }
        catch (JsonFault fault)
        {
            error = fault.Error;
            return null;
        }

        // It is held to what holds of a module.
        error = preset.Notes.Length > PatchLimits.NotesLength
            ? PatchCheck.Bad("notes", $"{preset.Notes.Length} characters of notes", $"at most {PatchLimits.NotesLength}")
            : PatchCheck.Structure(preset.AsModule("preset"), "");
        if (error is null) return preset;
        var path = error.Path.TrimStart('.');
        var (line, column) = JsonCursor.Locate(json, path);
        error = error with { Path = path, File = file, Line = line, Column = column };
        return null;
    }

    /// <summary>Reads a file; never throws for what it is or holds.</summary>
    public static ModulePreset? Load(string path, out PatchError? error) =>
        BoundedFile.Read(path, FileBytes, "preset", out error) is { } json ? Read(json, path, out error) : null;

    /// <summary>Writes it as indented UTF-8 JSON ending in a line feed. Deterministic.</summary>
    public byte[] Write()
    {
        var bytes = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(bytes, PatchWriter.ForFiles)) PatchWriter.Preset(json, this);
        bytes.Write("\n"u8);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Why it does not fit the present version of its type, in one line; null: every name is known and every value in its range.</summary>
    public PatchError? Misfit(DescriptorIndex modules)
    {
        var m = AsModule("preset");
        return modules.Find(Type) is { } type ? PatchCheck.Types(m, type, "", null) : PatchCheck.UnknownType(m, modules, "");
    }

    private Module AsModule(string id) => new() { Id = id, Type = Type, Version = Version, Settings = Settings, Parameters = Parameters, Assets = Assets, State = State };

    private List<Edit> Edits(Module m, ModuleDescriptor type)
    {
        var edits = new List<Edit>();
        foreach (var s in type.Settings)
        {
            if (!Settings.TryGet(s.Id, out var wanted)) continue;
            wanted = Math.Clamp(wanted, s.Min, s.Max);
            if (wanted != (m.Settings.TryGet(s.Id, out var now) ? now : s.Default)) edits.Add(new SetSetting(m.Id, s.Id, wanted));
        }

        foreach (var p in type.Parameters)
        {
            if (!Parameters.TryGet(p.Id, out var wanted)) continue;
            wanted = Math.Clamp(wanted, p.Min, p.Max);
            if (p.Curve == ParameterCurve.Stepped) wanted = Math.Clamp(MathF.Round(wanted, MidpointRounding.AwayFromZero), p.Min, p.Max);
            if (wanted != Transition.Value(m, p)) edits.Add(new SetParameter(m.Id, p.Id, wanted));
        }

        foreach (var a in type.Assets)
        {
            if (Assets.TryGet(a.Id, out var path) && !(m.Assets.TryGet(a.Id, out var now) && now == path)) edits.Add(new SetAsset(m.Id, a.Id, path));
        }

        // The module itself brings a state of an older version up to date when it is loaded.
        if (!State.IsEmpty && (State != m.State || Version != m.Version)) edits.Add(new SetState(m.Id, Version, State));
        return edits;
    }
}
