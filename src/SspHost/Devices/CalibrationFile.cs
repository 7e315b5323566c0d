// calibration.json: every device's calibrated jacks, in a file beside ssp.json that is replaced whole or not at all.
using System.Globalization;
using System.Text;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Configuration;

namespace SspHost.Devices;

/// <summary>
/// The calibrations of all devices, by the device's stable name (<see cref="SoundCards.StableName(string)"/>). A file that cannot be understood is
/// said in one line and never written over: what a person measured at the bench is worth more than a convenience.
/// </summary>
internal sealed class CalibrationFile
{
    private const int Version = 1;
    private const int MaxBytes = 1 << 20;

    private readonly SortedDictionary<string, SortedDictionary<Jack, JackLine>> _devices = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, SortedDictionary<Jack, string>> _names = new(StringComparer.Ordinal);

    private CalibrationFile(string path) => FilePath = path;

    /// <summary>Where it is, or would be.</summary>
    public string FilePath { get; }

    /// <summary>What is wrong with the file; null: nothing. Then every jack is as if nobody had calibrated it.</summary>
    public string? Trouble { get; private init; }

    /// <summary>Devices with calibrated jacks.</summary>
    public IEnumerable<string> Devices => _devices.Keys;

    /// <summary>The file beside the configuration that is used, or where it would be.</summary>
    public static string PathBeside(string? configuration)
    {
        var file = SettingsFile.Find(configuration);
        var folder = file != null ? Path.GetDirectoryName(Path.GetFullPath(file))! : SettingsFile.UserDirectory;
        return Path.Combine(folder, "calibration.json");
    }

    /// <summary>Reads it; no file is no calibration.</summary>
    public static CalibrationFile Load(string path)
    {
        byte[] bytes;
        try
        {
            if (!File.Exists(path)) return new CalibrationFile(path);
            if (new FileInfo(path).Length > MaxBytes) return Bad(path, "longer than a calibration can be");
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return Bad(path, "cannot be read: " + e.Message);
        }

        try
        {
            using var json = JsonDocument.Parse(bytes, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 8 });
            var file = new CalibrationFile(path);
            file.Read(json.RootElement);
            return file;
        }
        catch (JsonException e)
        {
            return Bad(path, e.LineNumber is { } line ? string.Create(CultureInfo.InvariantCulture, $"line {line + 1}: not JSON") : e.Message);
        }
        catch (InvalidOperationException)
        {
            return Bad(path, "a text in it is not valid UTF-8");
        }
    }

    /// <summary>The calibrated jacks of a device.</summary>
    public IReadOnlyDictionary<Jack, JackLine> Of(string device) => _devices.GetValueOrDefault(device) ?? [];

    /// <summary>What a jack is called; empty: nothing.</summary>
    public string NameOf(string device, Jack jack) => _names.GetValueOrDefault(device)?.GetValueOrDefault(jack) ?? "";

    /// <summary>Calls a jack something (<see cref="IsName"/>); empty: nothing.</summary>
    public void Call(string device, Jack jack, string name)
    {
        if (!_names.TryGetValue(device, out var names)) _names.Add(device, names = new SortedDictionary<Jack, string>(ByNumber));
        if (name.Length > 0) names[jack] = name;
        else names.Remove(jack);
        if (names.Count == 0) _names.Remove(device);
    }

    /// <summary>Whether a jack can be called so.</summary>
    public static bool IsName(string name) => Patching.PatchLimits.IsName(name);

    /// <summary>Sets a jack's line.</summary>
    public void Set(string device, Jack jack, JackLine line)
    {
        if (!_devices.TryGetValue(device, out var jacks)) _devices.Add(device, jacks = new SortedDictionary<Jack, JackLine>(ByNumber));
        jacks[jack] = line;
    }

    /// <summary>Forgets a jack's line, or with null all of the device; false if there was none.</summary>
    public bool Forget(string device, Jack? jack)
    {
        if (jack is not { } one) return _devices.Remove(device);
        if (!_devices.TryGetValue(device, out var jacks) || !jacks.Remove(one)) return false;
        if (jacks.Count == 0) _devices.Remove(device);
        return true;
    }

    /// <summary>Writes it: a new file takes the old one's place at once, after it is on disk.</summary>
    public void Save()
    {
        if (Trouble != null) throw new InvalidDataException($"{Trouble}; mend it or move it away first, so that nothing measured is lost");
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        var part = string.Create(CultureInfo.InvariantCulture, $"{FilePath}.{Environment.ProcessId}.part");
        try
        {
            using (var file = new FileStream(part, FileMode.Create, FileAccess.Write))
            {
                file.Write(Encoding.UTF8.GetBytes(Text()));
                file.Flush(flushToDisk: true);
            }

            File.Move(part, FilePath, overwrite: true);
        }
        finally
        {
            if (File.Exists(part)) File.Delete(part);
        }
    }

    /// <summary>The JSON Schema of the file.</summary>
    public static string Schema => $$"""
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "title": "SspHost calibration (calibration.json)",
          "type": "object",
          "additionalProperties": false,
          "required": ["version", "devices"],
          "properties": {
            "version": { "const": {{Version}} },
            "devices": {
              "type": "object",
              "description": "by the device's stable name, as ssp devices shows it",
              "additionalProperties": {
                "type": "object",
                "additionalProperties": false,
                "properties": { "out": { "$ref": "#/$defs/jacks" }, "in": { "$ref": "#/$defs/jacks" } }
              }
            }
          },
          "$defs": {
            "jacks": {
              "type": "object",
              "propertyNames": { "pattern": "^([1-9]|[12][0-9]|3[0-2])$" },
              "additionalProperties": {
                "type": "object",
                "additionalProperties": false,
                "dependentRequired": { "fullScale": ["zero"], "zero": ["fullScale"] },
                "properties": {
                  "name": { "type": "string", "minLength": 1, "maxLength": {{Patching.PatchLimits.NameLength}}, "description": "what the player calls the jack" },
                  "fullScale": { "type": "number", "minimum": -100, "maximum": 100, "description": "volts between sample values 0 and 1.0; negative: inverting; at least 0.5 either way" },
                  "zero": { "type": "number", "minimum": -100, "maximum": 100, "description": "volts at sample value 0" }
                }
              }
            }
          }
        }

        """;

    private static IComparer<Jack> ByNumber { get; } = Comparer<Jack>.Create((a, b) => a.Side != b.Side ? a.Side.CompareTo(b.Side) : a.Number.CompareTo(b.Number));

    private static CalibrationFile Bad(string path, string why) => new(path) { Trouble = $"{path}: {why}" };

    private void Read(JsonElement root)
    {
        Expect(root.ValueKind == JsonValueKind.Object, "expected an object { \"version\": 1, \"devices\": { ... } }");
        var devices = default(JsonElement);
        foreach (var p in root.EnumerateObject())
        {
            if (p.NameEquals("version")) Expect(p.Value.ValueKind == JsonValueKind.Number && p.Value.TryGetInt32(out var v) && v == Version, $"\"version\": expected {Version}");
            else if (p.NameEquals("devices")) devices = p.Value;
            else Expect(p.NameEquals("$schema"), $"\"{Short(p.Name)}\": expected \"version\" or \"devices\"");
        }

        Expect(devices.ValueKind == JsonValueKind.Object, "\"devices\": expected an object");
        foreach (var device in devices.EnumerateObject())
        {
            Expect(device.Value.ValueKind == JsonValueKind.Object, $"device \"{Short(device.Name)}\": expected an object");
            foreach (var side in device.Value.EnumerateObject())
            {
                Expect(side.Name is "in" or "out" && side.Value.ValueKind == JsonValueKind.Object, $"device \"{Short(device.Name)}\": expected \"in\" and \"out\" with jacks");
                foreach (var jack in side.Value.EnumerateObject()) ReadJack(device.Name, side.Name == "in" ? JackSide.In : JackSide.Out, jack);
            }
        }
    }

    private void ReadJack(string device, JackSide side, JsonProperty jack)
    {
        var where = $"device \"{Short(device)}\", {side.ToString().ToLowerInvariant()} \"{Short(jack.Name)}\"";
        Expect(int.TryParse(jack.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= Limits.MaxJacks, $"{where}: expected a jack from 1 to {Limits.MaxJacks}");
        Expect(jack.Value.ValueKind == JsonValueKind.Object, $"{where}: expected \"fullScale\" and \"zero\", \"name\", or all of them");
        float? full = null, zero = null;
        foreach (var p in jack.Value.EnumerateObject())
        {
            if (p.NameEquals("name"))
            {
                Expect(p.Value.ValueKind == JsonValueKind.String && p.Value.GetString() is { Length: > 0 } name && IsName(name), $"{where}: expected \"name\" as one line of at most {Patching.PatchLimits.NameLength} characters");
                Call(device, new Jack(side, number), p.Value.GetString()!);
                continue;
            }

            Expect(p.Name is "fullScale" or "zero" && p.Value.ValueKind == JsonValueKind.Number && p.Value.TryGetSingle(out _), $"{where}: expected \"fullScale\" and \"zero\" as numbers");
            if (p.Name == "zero") zero = p.Value.GetSingle();
            else full = p.Value.GetSingle();
        }

        if (full is null && zero is null && NameOf(device, new Jack(side, number)).Length > 0) return;
        Expect(full is { } f && MathF.Abs(f) is >= AudioConfig.MinFullScale and <= AudioConfig.MaxFullScale, $"{where}: expected \"fullScale\" {AudioConfig.MinFullScale} to {AudioConfig.MaxFullScale} V");
        Expect(zero is { } z && MathF.Abs(z) <= AudioConfig.MaxFullScale, $"{where}: expected \"zero\" within {AudioConfig.MaxFullScale} V");
        Set(device, new Jack(side, number), new JackLine(full!.Value, zero!.Value));
    }

    private static void Expect(bool holds, string what)
    {
        if (!holds) throw new JsonException(what);
    }

    private string Text()
    {
        using var stream = new MemoryStream();
        using (var w = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            w.WriteStartObject();
            w.WriteNumber("version", Version);
            w.WriteStartObject("devices");
            foreach (var device in _devices.Keys.Union(_names.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                var lines = Of(device);
                var names = _names.GetValueOrDefault(device) ?? [];
                w.WriteStartObject(device);
                foreach (var side in new[] { JackSide.In, JackSide.Out })
                {
                    w.WriteStartObject(side == JackSide.In ? "in" : "out");
                    foreach (var jack in lines.Keys.Union(names.Keys).Where(j => j.Side == side).Order(ByNumber))
                    {
                        w.WriteStartObject(jack.Number.ToString(CultureInfo.InvariantCulture));
                        if (names.TryGetValue(jack, out var name)) w.WriteString("name", name);
                        if (lines.TryGetValue(jack, out var line))
                        {
                            w.WriteNumber("fullScale", line.FullScale);
                            w.WriteNumber("zero", line.Zero);
                        }

                        w.WriteEndObject();
                    }

                    w.WriteEndObject();
                }

                w.WriteEndObject();
            }

            w.WriteEndObject();
            w.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    private static string Short(string text) => Patching.PatchError.OneLine(text);
}
