// ssp.json: read strictly, each mistake one line with its place; printed as a schema for editors.
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Remote.Web;

namespace SspHost.Configuration;

/// <summary>Finds and reads the configuration file.</summary>
internal static class SettingsFile
{
    private const int MaxBytes = 1 << 20;

    private static readonly string[] Keys = ["device", "rate", "quantum", "period", "periods", "cores", "regionMib", "patches", "state", "format", "moduleTimes", "captureDevice", "inputs", "outputs", "hold", "modules", "lv2", "web", "osc", "midi", "board", "theme"];

    /// <summary>
    /// Path of the file: <paramref name="given"/>, else $SSP_CONFIG, else ssp.json in $XDG_CONFIG_HOME/ssphost (~/.config/ssphost), else
    /// /etc/ssphost/ssp.json. Null where none exists; a file that was asked for must exist.
    /// </summary>
    public static string? Find(string? given)
    {
        var asked = given ?? (Environment.GetEnvironmentVariable("SSP_CONFIG") is { Length: > 0 } e ? e : null);
        if (asked != null) return File.Exists(asked) ? asked : throw new ConfigurationException($"{asked}: the configuration file does not exist");
        foreach (var path in new[] { Path.Combine(UserDirectory, "ssp.json"), "/etc/ssphost/ssp.json" })
            if (File.Exists(path)) return path;
        return null;
    }

    /// <summary>$XDG_CONFIG_HOME/ssphost, usually ~/.config/ssphost.</summary>
    public static string UserDirectory => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } xdg ? xdg : Path.Combine(Settings.Home, ".config"), "ssphost");

    /// <summary>Defaults, and over them what the file says. Throws <see cref="ConfigurationException"/>.</summary>
    public static Settings Load(string? given) => Find(given) is { } path ? Parse(ReadBytes(path), path) : new Settings();

    /// <summary>Reads the text of a file.</summary>
    public static Settings Parse(ReadOnlySpan<byte> json, string where)
    {
        if (json.StartsWith(Encoding.UTF8.Preamble)) json = json[Encoding.UTF8.Preamble.Length..];
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 8 });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Bad(json, in reader, where, "a JSON object { ... }");
            var settings = new Settings();
            var seen = new HashSet<string>(StringComparer.Ordinal);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var key = reader.GetString()!;
                if (key == "$schema")
                {
                    reader.Skip();
                    continue;
                }

                if (!Keys.Contains(key, StringComparer.Ordinal)) throw Bad(json, in reader, where, $"one of {string.Join(", ", Keys)}, not \"{Short(key)}\"");
                if (!seen.Add(key)) throw Bad(json, in reader, where, $"\"{key}\" once, this is the second");
                reader.Read();
                settings = Set(settings, key, ref reader, json, where);
            }

            while (reader.Read())
            {
                // Whatever follows the object is an error, and the reader says so.
            }

            return settings;
        }
        catch (JsonException e)
        {
            throw new ConfigurationException($"{where}, line {(e.LineNumber ?? 0) + 1}: not JSON: {FirstSentence(e.Message)}");
        }
        catch (InvalidOperationException)
        {
            throw new ConfigurationException($"{where}: a text in it is not valid UTF-8");
        }
    }

    /// <summary>The JSON Schema of the file.</summary>
    public static string Schema => $$"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "SspHost configuration (ssp.json)",
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "$schema": { "type": "string" },
            "device": { "type": "string", "pattern": "^(auto|sim|alsa:.+|wav:.*,.*)$", "default": "auto", "description": "auto takes ALSA's default where there is a card, else the simulated card" },
            "rate": { "type": "integer", "minimum": {{Limits.MinRate}}, "maximum": {{Limits.MaxRate}}, "default": 48000, "description": "Hz" },
            "quantum": { "enum": [0, 16, 32, 64, 128, 256], "default": 0, "description": "frames rendered at once; 0: what the patch says (128 without real-time privilege)" },
            "period": { "anyOf": [{ "const": 0 }, { "type": "integer", "minimum": 16, "maximum": 65536 }], "default": 0, "description": "frames of a device period; 0: one quantum" },
            "periods": { "anyOf": [{ "const": 0 }, { "type": "integer", "minimum": 2, "maximum": 64 }], "default": 0, "description": "periods of the device buffer; 0: 4 (3 without real-time privilege)" },
            "cores": { "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": 1023 }, "uniqueItems": true, "maxItems": {{Limits.MaxThreads}}, "default": [], "description": "cores of the real-time threads, the audio thread's first; empty: choose" },
            "regionMib": { "type": "integer", "minimum": 64, "maximum": 16384, "default": 256, "description": "MiB of memory the engine locks for everything it plays" },
            "patches": { "type": "string", "default": "", "description": "directory of patches; empty: beside the program" },
            "state": { "type": "string", "default": "", "description": "directory of the journal; empty: $XDG_STATE_HOME/ssphost" },
            "format": { "enum": ["pcm16", "pcm24", "float"], "default": "pcm24", "description": "sample format of renders" },
            "moduleTimes": { "type": "boolean", "default": true, "description": "time each module while it plays: the dearest paths are worked on first, and what was late has a name" },
            "captureDevice": { "type": "string", "pattern": "^(alsa:.+)?$", "default": "", "description": "ALSA device of the inputs where it is another than that of the outputs" },
            "inputs": { "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": {{AudioConfig.MaxDeviceChannels}} }, "maxItems": {{Limits.MaxJacks}}, "default": [], "description": "channel of the ALSA device behind input jack 1, 2, ...; 0: none; empty: as the device has them" },
            "outputs": { "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": {{AudioConfig.MaxDeviceChannels}} }, "maxItems": {{Limits.MaxJacks}}, "default": [], "description": "channel of the ALSA device behind output jack 1, 2, ...; 0: none; empty: as the device has them" },
            "hold": { "type": "array", "items": { "type": "integer", "minimum": 1, "maximum": {{Limits.MaxJacks}} }, "uniqueItems": true, "default": [], "description": "output jacks that hold their voltage when frames are lost (pitch CV); the others fall silent" },
            "modules": { "type": "object", "additionalProperties": false, "properties": { "directories": { "type": "array", "items": { "type": "string", "pattern": "^/" }, "maxItems": {{Settings.MostDirectories}}, "default": [] }, "watch": { "type": "boolean", "default": false } }, "default": {"directories":[],"watch":false}, "description": "directories whose libraries of modules (*.so) are loaded; empty: ~/.local/share/ssphost/modules; watch: what changes there is loaded at once" },
            "lv2": { "type": "object", "additionalProperties": false, "properties": { "path": { "type": "string", "default": "" } }, "default": {"path":""}, "description": "path: directories of LV2 bundles with colons between them; empty: $LV2_PATH, else ~/.lv2:/usr/local/lib/lv2:/usr/lib/lv2" },
            "web": { "type": "object", "additionalProperties": false, "properties": { "address": { "type": "string", "default": "{{WebOptions.Usual}}" }, "token": { "type": "string", "pattern": "^([A-Za-z0-9._~-]{{{WebOptions.ShortestToken}},128})?$", "default": "" } }, "default": {"address":"{{WebOptions.Usual}}","token":""}, "description": "the panel in a browser: address is an IP address with or without a port, or off; beyond this machine it needs a token" },
            "theme": { "enum": [{{string.Join(", ", Settings.Themes.Select(t => $"\"{t}\""))}}], "default": "{{Settings.UsualTheme}}", "description": "colours of the panel" },
            "board": {{BoardJson.Schema}},
            "midi": { "type": "object", "additionalProperties": false, "properties": { "devices": { "type": "string", "default": "auto" }, "programs": { "enum": ["scenes", "patches", "off"], "default": "scenes" }, "channel": { "type": "integer", "minimum": 0, "maximum": 16, "default": 0 } }, "default": {"devices":"auto","programs":"scenes","channel":0}, "description": "devices: auto, off, or a list of seq, raw, raw:CARD, raw:CARD.DEVICE and absolute paths; programs: what program changes do; channel: of those, 0: any" },
            "osc": { "type": "object", "additionalProperties": false, "properties": { "port": { "type": "integer", "minimum": 0, "maximum": 65535, "default": 0 }, "address": { "type": "string", "default": "127.0.0.1" } }, "default": {"port":0,"address":"127.0.0.1"}, "description": "OSC over UDP; port 0: off; whoever reaches the address may turn every parameter" }
          },
          "$defs": { "control": {{BoardJson.ControlSchema}} }
        }

        """;

    /// <summary>The settings as lines "key = value (origin)".</summary>
    public static IEnumerable<string> Describe(Settings s)
    {
        yield return Line("device", s.Device.Value, s.Device.Origin);
        yield return Line("rate", s.Rate.Value, s.Rate.Origin);
        yield return Line("quantum", s.Quantum.Value, s.Quantum.Origin);
        yield return Line("period", s.Period.Value, s.Period.Origin);
        yield return Line("periods", s.Periods.Value, s.Periods.Origin);
        yield return Line("cores", "[" + string.Join(", ", s.Cores.Value) + "]", s.Cores.Origin);
        yield return Line("regionMib", s.RegionMib.Value, s.RegionMib.Origin);
        yield return Line("patches", s.Patches.Value, s.Patches.Origin);
        yield return Line("state", s.State.Value, s.State.Origin);
        yield return Line("format", s.Format.Value, s.Format.Origin);
        yield return Line("moduleTimes", s.ModuleTimes.Value ? "true" : "false", s.ModuleTimes.Origin);
        yield return Line("modules.directories", "[" + string.Join(", ", s.ModuleDirectories.Value) + "]", s.ModuleDirectories.Origin);
        yield return Line("modules.watch", s.ModuleWatch.Value ? "true" : "false", s.ModuleWatch.Origin);
        yield return Line("lv2.path", s.Lv2Path.Value, s.Lv2Path.Origin);
        yield return Line("web.address", s.WebAddress.Value, s.WebAddress.Origin);
        yield return Line("web.token", s.WebToken.Value.Length > 0 ? "(set)" : "", s.WebToken.Origin);
        yield return Line("midi.devices", s.MidiDevices.Value, s.MidiDevices.Origin);
        yield return Line("midi.programs", s.MidiPrograms.Value, s.MidiPrograms.Origin);
        yield return Line("midi.channel", s.MidiChannel.Value, s.MidiChannel.Origin);
        yield return Line("osc.port", s.OscPort.Value, s.OscPort.Origin);
        yield return Line("osc.address", s.OscAddress.Value, s.OscAddress.Origin);
        yield return Line("theme", s.Theme.Value, s.Theme.Origin);
        yield return Line("board", BoardText(s.Board.Value), s.Board.Origin);
        yield return Line("captureDevice", s.CaptureDevice.Value, s.CaptureDevice.Origin);
        yield return Line("inputs", "[" + string.Join(", ", s.InputChannels.Value) + "]", s.InputChannels.Origin);
        yield return Line("outputs", "[" + string.Join(", ", s.OutputChannels.Value) + "]", s.OutputChannels.Origin);
        yield return Line("hold", "[" + string.Join(", ", s.Hold.Value) + "]", s.Hold.Origin);
    }

    /// <summary>The settings as a file that says all of them.</summary>
    public static string Write(Settings s)
    {
        using var stream = new MemoryStream();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteString("device", s.Device.Value);
            w.WriteNumber("rate", s.Rate.Value);
            w.WriteNumber("quantum", s.Quantum.Value);
            w.WriteNumber("period", s.Period.Value);
            w.WriteNumber("periods", s.Periods.Value);
            WriteList(w, "cores", s.Cores.Value);
            w.WriteNumber("regionMib", s.RegionMib.Value);
            w.WriteString("patches", s.Patches.Value);
            w.WriteString("state", s.State.Value);
            w.WriteString("format", s.Format.Value);
            w.WriteBoolean("moduleTimes", s.ModuleTimes.Value);
            w.WriteString("captureDevice", s.CaptureDevice.Value);
            WriteList(w, "inputs", s.InputChannels.Value);
            WriteList(w, "outputs", s.OutputChannels.Value);
            WriteList(w, "hold", s.Hold.Value);
            w.WriteStartObject("modules");
            w.WriteStartArray("directories");
            foreach (var directory in s.ModuleDirectories.Value) w.WriteStringValue(directory);
            w.WriteEndArray();
            w.WriteBoolean("watch", s.ModuleWatch.Value);
            w.WriteEndObject();
            w.WriteStartObject("lv2");
            w.WriteString("path", s.Lv2Path.Value);
            w.WriteEndObject();
            w.WriteStartObject("web");
            w.WriteString("address", s.WebAddress.Value);
            w.WriteString("token", s.WebToken.Value);
            w.WriteEndObject();
            w.WriteString("theme", s.Theme.Value);
            w.WriteStartObject("midi");
            w.WriteString("devices", s.MidiDevices.Value);
            w.WriteString("programs", s.MidiPrograms.Value);
            w.WriteNumber("channel", s.MidiChannel.Value);
            w.WriteEndObject();
            w.WriteStartObject("osc");
            w.WriteNumber("port", s.OscPort.Value);
            w.WriteString("address", s.OscAddress.Value);
            w.WriteEndObject();
            w.WritePropertyName("board");
            BoardJson.Write(w, s.Board.Value);
            w.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void WriteList(Utf8JsonWriter w, string key, ImmutableArray<int> values)
    {
        w.WriteStartArray(key);
        foreach (var v in values) w.WriteNumberValue(v);
        w.WriteEndArray();
    }

    private static string Line(string key, object value, Origin origin)
    {
        var text = Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);
        return $"{key,-13} = {(string.IsNullOrEmpty(text) ? "\"\"" : text)}  ({origin.ToString().ToLowerInvariant()})";
    }

    private static Settings Set(Settings s, string key, ref Utf8JsonReader r, ReadOnlySpan<byte> json, string where)
    {
        switch (key)
        {
            case "device": return s with { Device = Text(ref r, json, where, key, Settings.CheckDevice) };
            case "patches": return s with { Patches = Text(ref r, json, where, key, _ => null) };
            case "state": return s with { State = Text(ref r, json, where, key, _ => null) };
            case "format": return s with { Format = Text(ref r, json, where, key, v => Wav.WavFormat.Parse(v) != null ? null : "pcm16, pcm24 or float") };
            case "moduleTimes":
                if (r.TokenType is not (JsonTokenType.True or JsonTokenType.False)) throw Bad(json, in r, where, "\"moduleTimes\" as true or false");
                return s with { ModuleTimes = new Setting<bool>(r.GetBoolean(), Origin.File) };
            case "rate": return s with { Rate = Number(ref r, json, where, key) };
            case "quantum": return s with { Quantum = Number(ref r, json, where, key) };
            case "period": return s with { Period = Number(ref r, json, where, key) };
            case "periods": return s with { Periods = Number(ref r, json, where, key) };
            case "regionMib": return s with { RegionMib = Number(ref r, json, where, key) };
            case "captureDevice": return s with { CaptureDevice = Text(ref r, json, where, key, v => v.Length == 0 || (v.StartsWith("alsa:", StringComparison.Ordinal) && Settings.CheckDevice(v) == null) ? null : "alsa:NAME") };
            case "inputs": return s with { InputChannels = List(ref r, json, where, key, Limits.MaxJacks, mayRepeat: 0) };
            case "outputs": return s with { OutputChannels = List(ref r, json, where, key, Limits.MaxJacks, mayRepeat: 0) };
            case "lv2": return s with { Lv2Path = Lv2(ref r, json, where) };
            case "theme": return s with { Theme = Text(ref r, json, where, key, v => Settings.Themes.Contains(v, StringComparer.Ordinal) ? null : string.Join(" or ", Settings.Themes)) };
            case "midi": return Midi(s, ref r, json, where);
            case "osc": return Osc(s, ref r, json, where);
            case "board":
                try
                {
                    return s with { Board = new Setting<Board.BoardSettings>(BoardJson.Read(ref r), Origin.File) };
                }
                catch (BoardFault fault)
                {
                    throw Bad(json, in r, where, fault.Message);
                }

            case "web": return Web(s, ref r, json, where);
            case "modules": return Modules(s, ref r, json, where);
            case "hold": return s with { Hold = List(ref r, json, where, key, Limits.MaxJacks, mayRepeat: -1) };
            default: return s with { Cores = List(ref r, json, where, key, Limits.MaxThreads, mayRepeat: -1) };
        }
    }

    private static string BoardText(Board.BoardSettings board)
    {
        using var stream = new MemoryStream();
        using (var w = new Utf8JsonWriter(stream)) BoardJson.Write(w, board);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    // Different numbers; a channel list may say 0 (no channel) more than once.
    private static Setting<ImmutableArray<int>> List(ref Utf8JsonReader r, ReadOnlySpan<byte> json, string where, string key, int most, int mayRepeat)
    {
        var (one, many) = key switch { "cores" => ("core", "cores"), "hold" => ("jack", "jacks"), _ => ("channel", "channels") };
        if (r.TokenType != JsonTokenType.StartArray) throw Bad(json, in r, where, $"\"{key}\" as a list of {one} numbers");
        var values = ImmutableArray.CreateBuilder<int>();
        while (r.Read() && r.TokenType != JsonTokenType.EndArray)
        {
            var value = Number(ref r, json, where, key).Value;
            if ((value != mayRepeat && values.Contains(value)) || values.Count == most) throw Bad(json, in r, where, $"\"{key}\" with at most {most} different {many}");
            values.Add(value);
        }

        return new Setting<ImmutableArray<int>>(values.ToImmutable(), Origin.File);
    }

    // { "directories": [ ... ], "watch": true }, each at most once.
    private static Settings Modules(Settings s, ref Utf8JsonReader r, ReadOnlySpan<byte> json, string where)
    {
        const string Expected = "\"modules\" as { \"directories\": [ absolute paths ], \"watch\": true or false }";
        if (r.TokenType != JsonTokenType.StartObject) throw Bad(json, in r, where, Expected);
        var (directories, watch) = (false, false);
        while (r.Read() && r.TokenType == JsonTokenType.PropertyName)
        {
            var key = r.GetString();
            if (!r.Read()) throw Bad(json, in r, where, Expected);
            switch (key)
            {
                case "directories" when !directories && r.TokenType == JsonTokenType.StartArray:
                    directories = true;
                    s = s with { ModuleDirectories = Directories(ref r, json, where, Expected) };
                    break;
                case "watch" when !watch && r.TokenType is (JsonTokenType.True or JsonTokenType.False):
                    watch = true;
                    s = s with { ModuleWatch = new Setting<bool>(r.GetBoolean(), Origin.File) };
                    break;
                default: throw Bad(json, in r, where, Expected);
            }
        }

        return s;
    }

    private static Setting<ImmutableArray<string>> Directories(ref Utf8JsonReader r, ReadOnlySpan<byte> json, string where, string expected)
    {
        var list = ImmutableArray.CreateBuilder<string>();
        while (r.Read() && r.TokenType != JsonTokenType.EndArray)
        {
            if (r.TokenType != JsonTokenType.String || Settings.CheckDirectory(r.GetString()!) != null || list.Count == Settings.MostDirectories) throw Bad(json, in r, where, expected);
            list.Add(r.GetString()!);
        }

        return new Setting<ImmutableArray<string>>(list.ToImmutable(), Origin.File);
    }

    // { "address": "127.0.0.1:8440", "token": "..." }, each at most once.
    private static Settings Web(Settings s, ref Utf8JsonReader r, ReadOnlySpan<byte> json, string where)
    {
        const string Expected = "\"web\" as { \"address\": a text, \"token\": a text }";
        if (r.TokenType != JsonTokenType.StartObject) throw Bad(json, in r, where, Expected);
        var (address, token) = (false, false);
        while (r.Read() && r.TokenType == JsonTokenType.PropertyName)
        {
            var key = r.GetString();
            if (!r.Read()) throw Bad(json, in r, where, Expected);
            switch (key)
            {
                case "address" when !address:
                    address = true;
                    s = s with { WebAddress = Text(ref r, json, where, "web.address", Settings.CheckWeb) };
                    break;
                case "token" when !token:
                    token = true;
                    s = s with { WebToken = Text(ref r, json, where, "web.token", WebOptions.CheckToken) };
                    break;
                default: throw Bad(json, in r, where, Expected);
            }
        }

        return s;
    }

    // { "port": 9000, "address": "127.0.0.1" }, each at most once.
    private static Settings Osc(Settings s, ref Utf8JsonReader r, ReadOnlySpan<byte> json, string where)
    {
        const string Expected = "\"osc\" as { \"port\": a number, \"address\": a text }";
        if (r.TokenType != JsonTokenType.StartObject) throw Bad(json, in r, where, Expected);
        var (port, address) = (false, false);
        while (r.Read() && r.TokenType == JsonTokenType.PropertyName)
        {
            var key = r.GetString();
            if (!r.Read()) throw Bad(json, in r, where, Expected);
            switch (key)
            {
                case "port" when !port:
                    port = true;
                    s = s with { OscPort = Number(ref r, json, where, "osc.port") };
                    break;
                case "address" when !address:
                    address = true;
                    s = s with { OscAddress = Text(ref r, json, where, "osc.address", Settings.CheckOsc) };
                    break;
                default: throw Bad(json, in r, where, Expected);
            }
        }

        return s;
    }

    // { "devices": "auto", "programs": "scenes", "channel": 0 }, each at most once.
    private static Settings Midi(Settings s, ref Utf8JsonReader r, ReadOnlySpan<byte> json, string where)
    {
        const string Expected = "\"midi\" as { \"devices\": a text, \"programs\": a text, \"channel\": a number }";
        if (r.TokenType != JsonTokenType.StartObject) throw Bad(json, in r, where, Expected);
        var (devices, programs, channel) = (false, false, false);
        while (r.Read() && r.TokenType == JsonTokenType.PropertyName)
        {
            var key = r.GetString();
            if (!r.Read()) throw Bad(json, in r, where, Expected);
            switch (key)
            {
                case "devices" when !devices:
                    devices = true;
                    s = s with { MidiDevices = Text(ref r, json, where, "midi.devices", Playing.MidiDevices.Check) };
                    break;
                case "programs" when !programs:
                    programs = true;
                    s = s with { MidiPrograms = Text(ref r, json, where, "midi.programs", Playing.MidiPrograms.Check) };
                    break;
                case "channel" when !channel:
                    channel = true;
                    s = s with { MidiChannel = Number(ref r, json, where, "midi.channel") };
                    break;
                default: throw Bad(json, in r, where, Expected);
            }
        }

        return s;
    }

    // { "path": "..." }
    private static Setting<string> Lv2(ref Utf8JsonReader r, ReadOnlySpan<byte> json, string where)
    {
        const string Expected = "\"lv2\" as { \"path\": directories with colons between them }";
        if (r.TokenType != JsonTokenType.StartObject) throw Bad(json, in r, where, Expected);
        var path = "";
        var seen = false;
        while (r.Read() && r.TokenType == JsonTokenType.PropertyName)
        {
            if (seen || r.GetString() != "path" || !r.Read() || r.TokenType != JsonTokenType.String) throw Bad(json, in r, where, Expected);
            seen = true;
            path = r.GetString()!;
            if (path.Split(':', StringSplitOptions.RemoveEmptyEntries).Any(d => Settings.CheckDirectory(d) != null)) throw Bad(json, in r, where, Expected);
        }

        return new Setting<string>(path, Origin.File);
    }

    private static Setting<int> Number(ref Utf8JsonReader r, ReadOnlySpan<byte> json, string where, string key)
    {
        if (r.TokenType != JsonTokenType.Number || !r.TryGetInt32(out var value)) throw Bad(json, in r, where, $"\"{key}\" as a whole number");
        return Settings.CheckNumber(key, value) is { } expected
            ? throw Bad(json, in r, where, $"\"{key}\" {expected}, not {value}")
            : new Setting<int>(value, Origin.File);
    }

    private static Setting<string> Text(ref Utf8JsonReader r, ReadOnlySpan<byte> json, string where, string key, Func<string, string?> check)
    {
        if (r.TokenType != JsonTokenType.String) throw Bad(json, in r, where, $"\"{key}\" as a text");
        var value = r.GetString()!;
        return check(value) is { } expected
            ? throw Bad(json, in r, where, $"\"{key}\" {expected}, not \"{Short(value)}\"")
            : new Setting<string>(value, Origin.File);
    }

    private static ConfigurationException Bad(ReadOnlySpan<byte> json, in Utf8JsonReader reader, string where, string expected)
    {
        var line = 1 + json[..(int)Math.Min(reader.TokenStartIndex, json.Length)].Count((byte)'\n');
        return new ConfigurationException($"{where}, line {line}: expected {expected}");
    }

    private static byte[] ReadBytes(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (file.Length > MaxBytes) throw new ConfigurationException($"{path}: {file.Length} bytes, expected a short JSON object");
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{path}: cannot be read: {e.Message}");
        }
    }

    private static string Short(string text) => Patching.PatchError.OneLine(text);

    private static string FirstSentence(string message)
    {
        var end = message.IndexOf(". ", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }
}
