// The JSON Schema says the truth: an outside validator agrees with the reader.
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace SspHost.Patching.Tests;

public sealed class SchemaTests
{
    [SchemaFact]
    public void Every_patch_that_is_written_is_valid()
    {
        var documents = new List<string>();
        for (var seed = 0; seed < 200; seed++) documents.Add(Encoding.UTF8.GetString(PatchJson.Write(TestModules.Full(new Random(seed), seed % 25, seed % 40))));
        foreach (var file in Directory.GetFiles(Path.Combine(Repository.Root, "patches"), "*.json")) documents.Add(File.ReadAllText(file));
        Assert.All(Validate(documents, PatchJson.Schema), Assert.True);
    }

    [SchemaFact]
    public void Every_preset_that_is_written_is_valid()
    {
        var documents = new List<string>();
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            documents.Add(Encoding.UTF8.GetString(ModulePreset.Of(TestModules.RandomModule(random, Patch.Empty), TestModules.Index).Write()));
        }

        documents.AddRange(Directory.GetFiles(Path.Combine(Repository.Root, "presets"), "*.json", SearchOption.AllDirectories).Select(File.ReadAllText));
        Assert.All(Validate(documents, ModulePreset.Schema), Assert.True);
    }

    [SchemaFact]
    public void What_the_reader_takes_is_valid_and_what_is_not_valid_the_reader_refuses() =>
        Agree(PatchJson.Write(Full), PatchJson.Schema, static json => PatchJson.Read(json).Error is null);

    [SchemaFact]
    public void So_it_is_with_presets() =>
        Agree((ModulePreset.Of(Full.Modules[0], TestModules.Index) with { Notes = "n" }).Write(), ModulePreset.Schema, static json => ModulePreset.Read(json, "", out _) is not null);

    private static void Agree(byte[] written, string schema, Func<byte[], bool> takes)
    {
        // Every value replaced by every other kind of value.
        var original = Encoding.UTF8.GetString(written);
        string[] values = ["null", "true", "0", "1", "2", "-1", "1.5", "3.0", "101", "4294967296", "1e60", "\"\"", "\"a\"", "\"A b\"", "\"a.b\"", "\"a.@b\"", "\"b.@@\"", "{\"a\":{\"p\":1}}", "[null]", "[{}]", "\"../x\"", "\"/x\"", "\"x//y\"", "\"x/.y/..z\"", "\"\\u0007\"", "\"AAA=\"", "[]", "{}", "[1]", "{\"a\":1}"];
        var documents = new List<string>();
        var places = new List<(int, int)>();
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(original));
        while (reader.Read())
        {
            if (reader.TokenType is JsonTokenType.PropertyName or JsonTokenType.EndArray or JsonTokenType.EndObject || reader.TokenStartIndex == 0) continue;
            var start = (int)reader.TokenStartIndex;
            var copy = reader;
            copy.Skip();
            places.Add((start, (int)copy.BytesConsumed));
        }

        foreach (var (start, end) in places)
        {
            foreach (var value in values) documents.Add(original[..start] + value + original[end..]);
        }

        var valid = Validate(documents, schema);
        var (both, neither, stricter) = (0, 0, 0);
        for (var i = 0; i < documents.Count; i++)
        {
            var taken = takes(Encoding.UTF8.GetBytes(documents[i]));
            Assert.True(valid[i] || !taken, "taken, but not valid: " + documents[i]);
            if (taken) both++;
            else if (valid[i]) stricter++;
            else neither++;
        }

        // Only what the schema says it cannot say (cables to modules that are not there, ids that stand twice) may pass it in vain.
        Assert.True(both > documents.Count / 20 && neither > documents.Count / 3 && stricter < documents.Count / 10, $"{both} taken, {neither} refused by both, {stricter} by the reader alone");
    }

    private static Patch Full => new()
    {
        Id = "full", Name = "Full", Notes = "n", Quantum = 64,
        Modules =
        [
            new Module
            {
                Id = "a", Type = "osc", Version = 2, Label = "L", X = 1, Y = 2, Bypass = true, Settings = NamedValues<int>.Empty.With("s", 1),
                Parameters = NamedValues<float>.Empty.With("p", 0.5f), Assets = NamedValues<string>.Empty.With("sample", "x/y.wav"), State = new StateBlob([1, 2]),
            },
            new Module { Id = "b", Type = "osc" },
        ],
        Cables =
        [
            new Cable(new PortRef("a", "out"), new PortRef("b", "in")) { Gain = 0.5f }, new Cable(new PortRef("b", "out"), new PortRef("a", "in")) { Delayed = true },
            new Cable(new PortRef("a", "out"), new PortRef("b", "@knob")),
        ],
        Scenes =
        [
            null,
            new Scene
            {
                Name = "S", Parameters = NamedValues<NamedValues<float>>.Empty.With("a", NamedValues<float>.Empty.With("p", 1.5f)).With("gone", default),
                Bypass = NamedValues<bool>.Empty.With("a", true),
            },
        ],
        Controllers =
        [
            new ControllerMap { Port = "Keys", Channel = 3, Number = 7, Fine = true, Module = "a", Parameter = "p", From = 0, To = 1 },
            new ControllerMap { Number = 74, Module = "b", Parameter = "p", From = 1, To = -1 },
        ],
    };

    private static List<bool> Validate(List<string> documents, string schema)
    {
        using var folder = new TestFolder();
        File.WriteAllText(folder["schema.json"], schema);
        File.WriteAllLines(folder["documents"], documents.Select(d => Convert.ToBase64String(Encoding.UTF8.GetBytes(d))));
        const string script = """
            import base64, json, sys, jsonschema
            schema = json.load(open(sys.argv[1] + '/schema.json'))
            jsonschema.Draft202012Validator.check_schema(schema)
            validator = jsonschema.Draft202012Validator(schema)
            for line in open(sys.argv[1] + '/documents'):
                print('1' if validator.is_valid(json.loads(base64.b64decode(line))) else '0')
            """;
        var (code, output) = SchemaFactAttribute.Run("python3", "-c", script, folder.Path);
        Assert.True(code == 0, output);
        var answers = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l == "1").ToList();
        Assert.Equal(documents.Count, answers.Count);
        return answers;
    }
}

/// <summary>A fact that needs python3-jsonschema: installs it where it may, else is skipped and says so.</summary>
internal sealed class SchemaFactAttribute : FactAttribute
{
    private static readonly string? Missing = Find();

    public SchemaFactAttribute()
    {
        if (Missing is not null) Skip = Missing;
    }

    public static (int Code, string Output) Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, UseShellExecute = false, RedirectStandardError = true })!;
            var errors = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, process.ExitCode == 0 ? output : output + errors.Result);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }

    private static string? Find()
    {
        string[] test = ["-c", "from jsonschema import Draft202012Validator"];
        if (Run("python3", test).Code == 0) return null;
        if (Environment.IsPrivilegedProcess) _ = Run("apt-get", "install", "-y", "--no-install-recommends", "python3-jsonschema");
        return Run("python3", test).Code == 0 ? null : "needs Debian's python3-jsonschema (apt-get install python3-jsonschema)";
    }
}

/// <summary>Where the sources are.</summary>
internal static class Repository
{
    public static string Root { get; } = typeof(Repository).Assembly.GetCustomAttributes(false)
        .OfType<System.Reflection.AssemblyMetadataAttribute>().Single(a => a.Key == "SspRoot").Value!;
}
