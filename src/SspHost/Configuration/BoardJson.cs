// The key "board" of ssp.json: which screen, keys and encoders of this machine are the panel's, where what is found by itself is not what is meant; its codec.
using System.Text.Json;
using SspHost.Abi;
using SspHost.Board;
using SspHost.Panel.Surface;

namespace SspHost.Configuration;

/// <summary>What stands there is not what can; the message says what was expected.</summary>
internal sealed class BoardFault(string expected) : Exception(expected);

/// <summary>Reads and writes <see cref="BoardSettings"/>; every field is optional.</summary>
internal static partial class BoardJson
{
    /// <summary>Longest list, and longest text, that a board can mean.</summary>
    private const int Most = 64;

    private delegate void Field(string name, ref Utf8JsonReader r);

    /// <summary>The schema of the key.</summary>
    public static string Schema => """
        { "type": "object", "additionalProperties": false, "default": {"screen":{},"evdev":{},"gpio":{},"codec":{}}, "description": "screen, keys and encoders of this machine that are the panel's, and its codec; what is not said is found: DRM before frame buffers, lines by the names ENC1_A to ENC4_SW, devices by their keys", "properties": {
              "screen": { "type": "object", "additionalProperties": false, "properties": {
                "enabled": { "type": "boolean" },
                "device": { "type": "string", "pattern": "^(/.+)?$", "description": "/dev/dri/card0 or /dev/fb0" },
                "connector": { "type": "string", "description": "HDMI-A-1" },
                "mode": { "type": "string", "pattern": "^([0-9]+x[0-9]+(@[0-9]+)?)?$", "description": "1600x480 or 1600x480@60" },
                "rotation": { "enum": [null, 0, 90, 180, 270], "description": "degrees clockwise; null: 90 on an upright display" },
                "terminal": { "type": "integer", "minimum": 0, "maximum": 63 } } },
              "evdev": { "type": "object", "additionalProperties": false, "properties": {
                "enabled": { "type": "boolean" },
                "devices": { "type": "array", "items": { "type": "string" }, "maxItems": 64, "description": "paths, or parts of names" },
                "grab": { "type": "boolean", "description": "nobody else hears them" },
                "keyboards": { "type": ["boolean", "null"], "description": "usual keyboards and mice, too; null: where the panel has a screen here" },
                "keys": { "type": "object", "additionalProperties": { "$ref": "#/$defs/control" }, "description": "controls by key code (linux/input-event-codes.h), beside the usual ones" },
                "encoders": { "type": "array", "maxItems": 64, "items": { "type": "object", "additionalProperties": false, "required": ["control", "axis"], "properties": {
                  "control": { "$ref": "#/$defs/control" }, "device": { "type": "string" }, "axis": { "type": "integer", "minimum": 0, "maximum": 15 }, "counts": { "type": "integer", "minimum": -64, "maximum": 64 } } } } } },
              "gpio": { "type": "object", "additionalProperties": false, "properties": {
                "enabled": { "type": "boolean" },
                "chip": { "type": "string", "description": "node, name or label" },
                "encoders": { "type": "array", "maxItems": 64, "items": { "type": "object", "additionalProperties": false, "required": ["control", "a", "b"], "properties": {
                  "control": { "$ref": "#/$defs/control" }, "a": { "type": "string" }, "b": { "type": "string" }, "steps": { "enum": [1, 2, 4] } } } },
                "keys": { "type": "array", "maxItems": 64, "items": { "type": "object", "additionalProperties": false, "required": ["control", "line"], "properties": {
                  "control": { "$ref": "#/$defs/control" }, "line": { "type": "string" } } } },
                "activeLow": { "type": "boolean" },
                "pullUp": { "type": "boolean" },
                "keyDebounce": { "type": "integer", "minimum": 0, "maximum": 1000000, "description": "microseconds" },
                "encoderDebounce": { "type": "integer", "minimum": 0, "maximum": 1000000, "description": "microseconds" } } },
              "codec": { "type": "object", "additionalProperties": false, "description": "a codec whose registers the host sets, for want of a driver", "properties": {
                "chip": { "enum": ["", "pcm3168a"] },
                "bus": { "type": "string", "pattern": "^/.+$", "description": "/dev/i2c-8" },
                "address": { "type": "integer", "minimum": 3, "maximum": 119, "description": "68 is 0x44" },
                "reset": { "type": "string", "description": "name of the GPIO line that is low in reset; empty: none" },
                "card": { "type": "string", "description": "id of the sound card that it is" },
                "fullScale": { "type": "number", "minimum": 0.5, "maximum": 100, "description": "volts at full scale of jacks that nobody calibrated" } } },
              "iot": { "type": "object", "additionalProperties": false, "description": "a board without our device tree; of builds with the IoT devices", "properties": {
                "encoders": { "type": "array", "maxItems": 64, "items": { "type": "object", "additionalProperties": false, "required": ["control", "a", "b"], "properties": {
                  "control": { "$ref": "#/$defs/control" }, "a": { "type": "integer", "minimum": 0, "maximum": 511 }, "b": { "type": "integer", "minimum": 0, "maximum": 511 }, "steps": { "enum": [1, 2, 4] } } } },
                "keys": { "type": "array", "maxItems": 64, "items": { "type": "object", "additionalProperties": false, "required": ["control", "pin"], "properties": {
                  "control": { "$ref": "#/$defs/control" }, "pin": { "type": "integer", "minimum": 0, "maximum": 511 }, "expander": { "type": "string" } } } },
                "expanders": { "type": "array", "maxItems": 64, "items": { "type": "object", "additionalProperties": false, "required": ["name", "chip", "address"], "properties": {
                  "name": { "type": "string" }, "chip": { "enum": ["mcp23017", "pca9555"] }, "bus": { "type": "integer", "minimum": 0, "maximum": 255 }, "address": { "type": "integer", "minimum": 3, "maximum": 119 } } } },
                "display": { "type": "object", "additionalProperties": false, "required": ["chip"], "properties": {
                  "chip": { "enum": ["ssd1306", "ili9341", "ili9342"] }, "bus": { "type": "integer", "minimum": 0, "maximum": 255 }, "address": { "type": "integer", "minimum": 3, "maximum": 119 },
                  "chipSelect": { "type": "integer", "minimum": 0, "maximum": 255 }, "dataCommand": { "type": "integer", "minimum": 0, "maximum": 511 }, "reset": { "type": "integer", "minimum": -1, "maximum": 511 },
                  "rows": { "enum": [32, 64] }, "whole": { "type": "boolean", "description": "the whole panel, however small" }, "x": { "type": "integer", "minimum": 0, "maximum": 1599, "description": "first column of the window that is shown otherwise" },
                  "rotation": { "enum": [null, 0, 90, 180, 270] } } },
                "mixer": { "type": "object", "additionalProperties": false, "required": ["volume"], "properties": {
                  "device": { "type": "string" }, "volume": { "type": "integer", "minimum": -100000, "maximum": 100000, "description": "in the card's unit" } } } } } } }
        """.ReplaceLineEndings("\n            ");

    /// <summary>The names that a control may have.</summary>
    public static string ControlSchema => "{ \"enum\": [" + string.Join(", ", Enum.GetNames<Control>().Select(n => $"\"{n}\"")) + "] }";

    /// <summary>Reads it, the reader being at its value; <see cref="BoardFault"/> leaves the reader where the mistake is.</summary>
    public static BoardSettings Read(ref Utf8JsonReader r)
    {
        var (screen, evdev, gpio, codec, iot) = (new ScreenSettings(), new EvdevSettings(), new GpioSettings(), new CodecSettings(), (IotSettings?)null);
        Object(ref r, "\"board\" as { \"screen\": { }, \"evdev\": { }, \"gpio\": { }, \"codec\": { } }", (string name, ref Utf8JsonReader r) =>
        {
            switch (name)
            {
                case "screen": screen = Screen(ref r); break;
                case "evdev": evdev = Evdev(ref r); break;
                case "gpio": gpio = Gpio(ref r); break;
                case "iot": iot = Iot(ref r); break;
                case "codec": codec = Codec(ref r); break;
                default: throw Unknown("board", name, "screen, evdev, gpio, codec, iot");
            }
        });
        return new BoardSettings { Screen = screen, Evdev = evdev, Gpio = gpio, Codec = codec, Iot = iot };
    }

    /// <summary>Writes what differs from what is found by itself.</summary>
    public static void Write(Utf8JsonWriter w, BoardSettings board)
    {
        var (s, e, g) = (board.Screen, board.Evdev, board.Gpio);
        var (s0, e0, g0) = (new ScreenSettings(), new EvdevSettings(), new GpioSettings());
        w.WriteStartObject();
        w.WriteStartObject("screen");
        if (s.Enabled != s0.Enabled) w.WriteBoolean("enabled", s.Enabled);
        if (s.Device != s0.Device) w.WriteString("device", s.Device);
        if (s.Connector != s0.Connector) w.WriteString("connector", s.Connector);
        if (s.Mode != s0.Mode) w.WriteString("mode", s.Mode);
        if (s.Rotation is { } rotation) w.WriteNumber("rotation", rotation);
        if (s.Terminal != s0.Terminal) w.WriteNumber("terminal", s.Terminal);
        w.WriteEndObject();
        w.WriteStartObject("evdev");
        if (e.Enabled != e0.Enabled) w.WriteBoolean("enabled", e.Enabled);
        if (e.Devices.Count > 0) Texts(w, "devices", e.Devices);
        if (e.Grab != e0.Grab) w.WriteBoolean("grab", e.Grab);
        if (e.Keyboards is { } keyboards) w.WriteBoolean("keyboards", keyboards);
        var keys = e.Keys.Where(k => !KeyMap.Panel.TryGetValue(k.Key, out var usual) || usual != k.Value).OrderBy(k => k.Key).ToArray();
        if (keys.Length > 0)
        {
            w.WriteStartObject("keys");
            foreach (var (code, control) in keys) w.WriteString(code.ToString(System.Globalization.CultureInfo.InvariantCulture), control.ToString());
            w.WriteEndObject();
        }

        if (e.Encoders.Count > 0)
        {
            w.WriteStartArray("encoders");
            foreach (var encoder in e.Encoders)
            {
                w.WriteStartObject();
                w.WriteString("control", encoder.Control.ToString());
                w.WriteString("device", encoder.Device);
                w.WriteNumber("axis", encoder.Axis);
                w.WriteNumber("counts", encoder.CountsPerDetent);
                w.WriteEndObject();
            }

            w.WriteEndArray();
        }

        w.WriteEndObject();
        w.WriteStartObject("gpio");
        if (g.Enabled != g0.Enabled) w.WriteBoolean("enabled", g.Enabled);
        if (g.Chip != g0.Chip) w.WriteString("chip", g.Chip);
        if (g.Encoders.Count > 0)
        {
            w.WriteStartArray("encoders");
            foreach (var encoder in g.Encoders)
            {
                w.WriteStartObject();
                w.WriteString("control", encoder.Control.ToString());
                w.WriteString("a", encoder.A);
                w.WriteString("b", encoder.B);
                w.WriteNumber("steps", encoder.StepsPerDetent);
                w.WriteEndObject();
            }

            w.WriteEndArray();
        }

        if (g.Keys.Count > 0)
        {
            w.WriteStartArray("keys");
            foreach (var key in g.Keys)
            {
                w.WriteStartObject();
                w.WriteString("control", key.Control.ToString());
                w.WriteString("line", key.Line);
                w.WriteEndObject();
            }

            w.WriteEndArray();
        }

        if (g.ActiveLow != g0.ActiveLow) w.WriteBoolean("activeLow", g.ActiveLow);
        if (g.PullUp != g0.PullUp) w.WriteBoolean("pullUp", g.PullUp);
        if (g.KeyDebounce != g0.KeyDebounce) w.WriteNumber("keyDebounce", g.KeyDebounce);
        if (g.EncoderDebounce != g0.EncoderDebounce) w.WriteNumber("encoderDebounce", g.EncoderDebounce);
        w.WriteEndObject();
        var (c, c0) = (board.Codec, new CodecSettings());
        w.WriteStartObject("codec");
        if (c.Chip != c0.Chip) w.WriteString("chip", c.Chip);
        if (c.Bus != c0.Bus) w.WriteString("bus", c.Bus);
        if (c.Address != c0.Address) w.WriteNumber("address", c.Address);
        if (c.Reset != c0.Reset) w.WriteString("reset", c.Reset);
        if (c.Card != c0.Card) w.WriteString("card", c.Card);
        if (c.FullScale != c0.FullScale) w.WriteNumber("fullScale", c.FullScale);
        w.WriteEndObject();
        if (board.Iot is { } iot) WriteIot(w, iot);
        w.WriteEndObject();
    }

    private static ScreenSettings Screen(ref Utf8JsonReader r)
    {
        var s = new ScreenSettings();
        Object(ref r, "\"board.screen\" as an object", (string name, ref Utf8JsonReader r) => s = name switch
        {
            "enabled" => s with { Enabled = Flag(ref r, name) },
            "device" => s with { Device = Text(ref r, "device", static t => t.Length == 0 || t[0] == '/', "a path such as /dev/dri/card0") },
            "connector" => s with { Connector = Text(ref r, "connector") },
            "mode" => s with { Mode = Text(ref r, "mode", static t => t.Length == 0 || IsMode(t), "as 1600x480 or 1600x480@60") },
            "rotation" => s with { Rotation = Rotation(ref r) },
            "terminal" => s with { Terminal = Number(ref r, "terminal", 0, 63) },
            _ => throw Unknown("board.screen", name, "enabled, device, connector, mode, rotation, terminal"),
        });
        return s;
    }

    private static EvdevSettings Evdev(ref Utf8JsonReader r)
    {
        var s = new EvdevSettings();
        Object(ref r, "\"board.evdev\" as an object", (string name, ref Utf8JsonReader r) => s = name switch
        {
            "enabled" => s with { Enabled = Flag(ref r, name) },
            "devices" => s with { Devices = List(ref r, name, static (ref Utf8JsonReader r) => Text(ref r, "devices", static t => t.Length > 0, "of paths or parts of names")) },
            "grab" => s with { Grab = Flag(ref r, name) },
            "keyboards" => s with { Keyboards = r.TokenType == JsonTokenType.Null ? null : Flag(ref r, name) },
            "keys" => s with { Keys = Keys(ref r) },
            "encoders" => s with { Encoders = List(ref r, name, Axis) },
            _ => throw Unknown("board.evdev", name, "enabled, devices, grab, keyboards, keys, encoders"),
        });
        return s;
    }

    private static GpioSettings Gpio(ref Utf8JsonReader r)
    {
        var s = new GpioSettings();
        Object(ref r, "\"board.gpio\" as an object", (string name, ref Utf8JsonReader r) => s = name switch
        {
            "enabled" => s with { Enabled = Flag(ref r, name) },
            "chip" => s with { Chip = Text(ref r, name) },
            "encoders" => s with { Encoders = List(ref r, name, Encoder) },
            "keys" => s with { Keys = List(ref r, name, Key) },
            "activeLow" => s with { ActiveLow = Flag(ref r, name) },
            "pullUp" => s with { PullUp = Flag(ref r, name) },
            "keyDebounce" => s with { KeyDebounce = Number(ref r, name, 0, 1_000_000) },
            "encoderDebounce" => s with { EncoderDebounce = Number(ref r, name, 0, 1_000_000) },
            _ => throw Unknown("board.gpio", name, "enabled, chip, encoders, keys, activeLow, pullUp, keyDebounce, encoderDebounce"),
        });
        return s;
    }

    private static CodecSettings Codec(ref Utf8JsonReader r)
    {
        var s = new CodecSettings();
        Object(ref r, "\"board.codec\" as an object", (string name, ref Utf8JsonReader r) => s = name switch
        {
            "chip" => s with { Chip = Text(ref r, name, static t => t.Length == 0 || CodecSettings.Chips.Contains(t), "as one of " + string.Join(", ", CodecSettings.Chips)) },
            "bus" => s with { Bus = Text(ref r, name, static t => t.StartsWith('/'), "a path such as /dev/i2c-8") },
            "address" => s with { Address = Number(ref r, name, 0x03, 0x77) },
            "reset" => s with { Reset = Text(ref r, name) },
            "card" => s with { Card = Text(ref r, name, static t => t.Length > 0, "the id of a sound card, as /proc/asound has it") },
            "fullScale" => s with { FullScale = Volts(ref r, name) },
            _ => throw Unknown("board.codec", name, "chip, bus, address, reset, card, fullScale"),
        });
        return s;
    }

    // The usual ones, and what is said over them.
    private static Dictionary<int, Control> Keys(ref Utf8JsonReader r)
    {
        var keys = new Dictionary<int, Control>(KeyMap.Panel);
        Object(ref r, "\"keys\" as { \"30\": \"K1\" }", (string name, ref Utf8JsonReader r) =>
        {
            const int LastKey = 0x2ff; // KEY_MAX
            if (!int.TryParse(name, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var code) || code > LastKey)
                throw new BoardFault($"a key code from 0 to {LastKey}, not \"{Patching.PatchError.OneLine(name, 40)}\"");
            keys[code] = AsControl(ref r, encodersOnly: false);
        });
        return keys;
    }

    private static EncoderAxis Axis(ref Utf8JsonReader r)
    {
        var (device, counts, axis, control) = ("", 1, (int?)null, (Control?)null);
        Object(ref r, "an encoder as { \"control\": \"E1\", \"axis\": 7 }", (string name, ref Utf8JsonReader r) =>
        {
            switch (name)
            {
                case "device": device = Text(ref r, name); break;
                case "counts": counts = Number(ref r, name, -64, 64) is not 0 and var n ? n : throw new BoardFault("\"counts\" other than 0"); break;
                case "axis": axis = Number(ref r, name, 0, 15); break;
                case "control": control = AsControl(ref r, encodersOnly: true); break;
                default: throw Unknown("an encoder", name, "control, device, axis, counts");
            }
        });
        return control is { } c && axis is { } a ? new EncoderAxis(device, a, c, counts) : throw new BoardFault("an encoder with \"control\" and \"axis\"");
    }

    private static GpioEncoder Encoder(ref Utf8JsonReader r)
    {
        var (a, b, steps, control) = ("", "", 4, (Control?)null);
        Object(ref r, "an encoder as { \"control\": \"E1\", \"a\": \"ENC1_A\", \"b\": \"ENC1_B\" }", (string name, ref Utf8JsonReader r) =>
        {
            switch (name)
            {
                case "a": a = Text(ref r, name); break;
                case "b": b = Text(ref r, name); break;
                case "steps": steps = Number(ref r, name, 1, 4) is not 3 and var n ? n : throw new BoardFault("\"steps\" 1, 2 or 4"); break;
                case "control": control = AsControl(ref r, encodersOnly: true); break;
                default: throw Unknown("an encoder", name, "control, a, b, steps");
            }
        });
        return control is { } c && a.Length > 0 && b.Length > 0
            ? new GpioEncoder(c, a, b, steps)
            : throw new BoardFault("an encoder with \"control\", \"a\" and \"b\"");
    }

    private static GpioKey Key(ref Utf8JsonReader r)
    {
        var (line, control) = ("", (Control?)null);
        Object(ref r, "a key as { \"control\": \"K1\", \"line\": \"KEY1\" }", (string name, ref Utf8JsonReader r) =>
        {
            switch (name)
            {
                case "line": line = Text(ref r, name); break;
                case "control": control = AsControl(ref r, encodersOnly: false); break;
                default: throw Unknown("a key", name, "control, line");
            }
        });
        return control is { } c && line.Length > 0 ? new GpioKey(c, line) : throw new BoardFault("a key with \"control\" and \"line\"");
    }

    private static Control AsControl(ref Utf8JsonReader r, bool encodersOnly)
    {
        var text = r.TokenType == JsonTokenType.String ? r.GetString()! : "";
        if (text.Length > 1 && char.IsAsciiLetterUpper(text[0]) && Enum.TryParse<Control>(text, out var control) && (!encodersOnly || control.IsEncoder())) return control;
        throw new BoardFault(encodersOnly ? "\"control\" E1 to E4" : $"a control: one of {string.Join(", ", Enum.GetNames<Control>())}");
    }

    private delegate T Item<T>(ref Utf8JsonReader r);

    private static List<T> List<T>(ref Utf8JsonReader r, string name, Item<T> item)
    {
        if (r.TokenType != JsonTokenType.StartArray) throw new BoardFault($"\"{name}\" as a list");
        var items = new List<T>();
        while (r.Read() && r.TokenType != JsonTokenType.EndArray)
        {
            if (items.Count == Most) throw new BoardFault($"at most {Most} in \"{name}\"");
            items.Add(item(ref r));
        }

        return items;
    }

    private static void Object(ref Utf8JsonReader r, string expected, Field field)
    {
        if (r.TokenType != JsonTokenType.StartObject) throw new BoardFault(expected);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (r.Read() && r.TokenType == JsonTokenType.PropertyName)
        {
            var name = r.GetString()!;
            if (!seen.Add(name)) throw new BoardFault($"\"{Patching.PatchError.OneLine(name, 40)}\" once, this is the second");
            r.Read();
            field(name, ref r);
        }
    }

    private static int? Rotation(ref Utf8JsonReader r)
    {
        if (r.TokenType == JsonTokenType.Null) return null;
        return Number(ref r, "rotation", 0, 270) is var degrees && degrees % 90 == 0 ? degrees : throw new BoardFault("\"rotation\" 0, 90, 180 or 270");
    }

    private static bool Flag(ref Utf8JsonReader r, string name) =>
        r.TokenType is JsonTokenType.True or JsonTokenType.False ? r.GetBoolean() : throw new BoardFault($"\"{name}\" as true or false");

    private static int Number(ref Utf8JsonReader r, string name, int min, int max) =>
        r.TokenType == JsonTokenType.Number && r.TryGetInt32(out var value) && value >= min && value <= max ? value : throw new BoardFault($"\"{name}\" from {min} to {max}");

    private static double Volts(ref Utf8JsonReader r, string name) =>
        r.TokenType == JsonTokenType.Number && r.TryGetDouble(out var value) && value is >= AudioConfig.MinFullScale and <= AudioConfig.MaxFullScale
            ? value
            : throw new BoardFault(FormattableString.Invariant($"\"{name}\" from {AudioConfig.MinFullScale} to {AudioConfig.MaxFullScale} V"));

    private static string Text(ref Utf8JsonReader r, string name, Func<string, bool>? check = null, string expected = "as a text")
    {
        if (r.TokenType != JsonTokenType.String) throw new BoardFault($"\"{name}\" as a text");
        var text = r.GetString()!;
        const int Longest = 255; // a path's part
        return text.Length <= Longest && !text.Contains('\0', StringComparison.Ordinal) && check?.Invoke(text) != false ? text : throw new BoardFault($"\"{name}\" {expected}");
    }

    private static bool IsMode(string text)
    {
        var (size, at) = text.Split('@') switch { [var s] => (s, "1"), [var s, var rate] => (s, rate), _ => ("", "") };
        return size.Split('x') is [var w, var h] && Digits(w) && Digits(h) && Digits(at);
        static bool Digits(string t) => t.Length is > 0 and < 6 && t.All(char.IsAsciiDigit);
    }

    private static void Texts(Utf8JsonWriter w, string name, IReadOnlyList<string> texts)
    {
        w.WriteStartArray(name);
        foreach (var t in texts) w.WriteStringValue(t);
        w.WriteEndArray();
    }

    private static BoardFault Unknown(string where, string name, string known) =>
        new($"in \"{where}\" one of {known}, not \"{Patching.PatchError.OneLine(name, 40)}\"");
}
