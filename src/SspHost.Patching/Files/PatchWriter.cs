// The shape of a patch file, written: stable order, defaults left out, numbers that read back as they were.
using System.Text.Encodings.Web;
using System.Text.Json;

namespace SspHost.Patching;

/// <summary>Writes patches and their parts.</summary>
internal static class PatchWriter
{
    /// <summary>For files: indented, readable, one line feed a line.</summary>
    public static JsonWriterOptions ForFiles { get; } = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // never put into a web page as it is
        SkipValidation = true,
    };

    /// <summary>For journals and sockets: one line.</summary>
    public static JsonWriterOptions ForLines { get; } = ForFiles with { Indented = false };

    public static void Patch(Utf8JsonWriter json, Patch patch)
    {
        json.WriteStartObject();
        json.WriteNumber("format"u8, PatchJson.Format);
        json.WriteString("id"u8, patch.Id);
        json.WriteString("name"u8, patch.Name);
        if (patch.Notes.Length > 0) json.WriteString("notes"u8, patch.Notes);
        json.WriteNumber("quantum"u8, patch.Quantum);
        json.WriteStartArray("modules"u8);
        foreach (var m in patch.Modules) Module(json, m);
        json.WriteEndArray();
        json.WriteStartArray("cables"u8);
        foreach (var c in patch.Cables) Cable(json, c);
        json.WriteEndArray();
        if (patch.Scenes.Length > 0)
        {
            json.WriteStartArray("scenes"u8);
            foreach (var s in patch.Scenes) Scene(json, s);
            json.WriteEndArray();
        }

        if (patch.Controllers.Length > 0)
        {
            json.WriteStartArray("controllers"u8);
            foreach (var c in patch.Controllers) Controller(json, c);
            json.WriteEndArray();
        }

        Unknown(json, patch.Unknown);
        json.WriteEndObject();
    }

    public static void Module(Utf8JsonWriter json, Module m)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, m.Id);
        json.WriteString("type"u8, m.Type);
        json.WriteNumber("version"u8, m.Version);
        if (m.Label.Length > 0) json.WriteString("label"u8, m.Label);
        json.WriteNumber("x"u8, m.X);
        json.WriteNumber("y"u8, m.Y);
        if (m.Bypass) json.WriteBoolean("bypass"u8, true);
        Set(json, m.Settings, m.Parameters, m.Assets, m.State);
        Unknown(json, m.Unknown);
        json.WriteEndObject();
    }

    public static void Preset(Utf8JsonWriter json, ModulePreset preset)
    {
        json.WriteStartObject();
        json.WriteNumber("format"u8, ModulePreset.Format);
        json.WriteString("type"u8, preset.Type);
        json.WriteNumber("version"u8, preset.Version);
        if (preset.Notes.Length > 0) json.WriteString("notes"u8, preset.Notes);
        Set(json, preset.Settings, preset.Parameters, preset.Assets, preset.State);
        Unknown(json, preset.Unknown);
        json.WriteEndObject();
    }

    public static void Scene(Utf8JsonWriter json, Scene? scene)
    {
        if (scene is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartObject();
        if (scene.Name.Length > 0) json.WriteString("name"u8, scene.Name);
        json.WriteStartObject("params"u8);
        foreach (var m in scene.Parameters)
        {
            json.WriteStartObject(m.Name);
            foreach (var p in m.Value) json.WriteNumber(p.Name, p.Value);
            json.WriteEndObject();
        }

        json.WriteEndObject();
        if (scene.Bypass.Count > 0)
        {
            json.WriteStartObject("bypass"u8);
            foreach (var m in scene.Bypass) json.WriteBoolean(m.Name, m.Value);
            json.WriteEndObject();
        }

        Unknown(json, scene.Unknown);
        json.WriteEndObject();
    }

    public static void Controller(Utf8JsonWriter json, ControllerMap map)
    {
        json.WriteStartObject();
        if (map.Port.Length > 0) json.WriteString("port"u8, map.Port);
        if (map.Channel != 0) json.WriteNumber("channel"u8, map.Channel);
        json.WriteNumber("number"u8, map.Number);
        if (map.Fine) json.WriteBoolean("fine"u8, true);
        json.WriteString("module"u8, map.Module);
        json.WriteString("param"u8, map.Parameter);
        json.WriteNumber("from"u8, map.From);
        json.WriteNumber("to"u8, map.To);
        Unknown(json, map.Unknown);
        json.WriteEndObject();
    }

    // What a module is set to.
    private static void Set(Utf8JsonWriter json, NamedValues<int> settings, NamedValues<float> parameters, NamedValues<string> assets, StateBlob state)
    {
        if (settings.Count > 0)
        {
            json.WriteStartObject("settings"u8);
            foreach (var s in settings) json.WriteNumber(s.Name, s.Value);
            json.WriteEndObject();
        }

        if (parameters.Count > 0)
        {
            json.WriteStartObject("params"u8);
            foreach (var p in parameters) json.WriteNumber(p.Name, p.Value);
            json.WriteEndObject();
        }

        if (assets.Count > 0)
        {
            json.WriteStartObject("assets"u8);
            foreach (var a in assets) json.WriteString(a.Name, a.Value);
            json.WriteEndObject();
        }

        if (!state.IsEmpty) json.WriteBase64String("state"u8, state.Bytes);
    }

    private static void Cable(Utf8JsonWriter json, Cable c)
    {
        json.WriteStartObject();
        json.WriteString("from"u8, c.From.ToString());
        json.WriteString("to"u8, c.To.ToString());
        if (c.Gain != 1f) json.WriteNumber("gain"u8, c.Gain);
        if (c.Delayed) json.WriteBoolean("delayed"u8, true);
        Unknown(json, c.Unknown);
        json.WriteEndObject();
    }

    private static void Unknown(Utf8JsonWriter json, NamedValues<string> fields)
    {
        foreach (var field in fields)
        {
            json.WritePropertyName(field.Name);
            json.WriteRawValue(field.Value, skipInputValidation: true);
        }
    }
}
