// The one file of results: every benchmark writes it, `ssp bench compare` and BENCHMARKS.md are made of it.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace SspHost.Diagnostics.Benching;

/// <summary>UTF-8 JSON: version, benchmark, machine, options, figures (docs/benchmarks.md). Strict: an unknown field is a mistake, not an extension.</summary>
public sealed class BenchFile
{
    /// <summary>Version that is written, and the only one that is read.</summary>
    public const int CurrentVersion = 1;

    private const int MostFigures = 100_000, MostOptions = 1000;
    private const long MostBytes = 256L << 20;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>"graph", "all", ...</summary>
    public required string Bench { get; init; }

    public required BenchMachine Machine { get; init; }

    /// <summary>How it was asked for: "seconds", "runs", "pin", ... In the file a value may be a number, a truth value or a text.</summary>
    public Dictionary<string, string> Options { get; init; } = [];

    public List<BenchFigure> Figures { get; init; } = [];

    /// <summary>The figure of that name, or null.</summary>
    public BenchFigure? Find(string name) => Figures.Find(f => f.Name == name);

    /// <summary>
    /// Reads a file. Throws <see cref="InvalidDataException"/> with "file: field: expected ..., not ..." for anything that this format does not
    /// have, <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where it cannot be read.
    /// </summary>
    public static BenchFile Read(string path)
    {
        using var file = File.OpenRead(path);
        if (file.Length > MostBytes) throw new InvalidDataException($"{path}: {file.Length} bytes, expected a file of results (at most {MostBytes})");
        using var all = new MemoryStream();
        file.CopyTo(all);
        return Parse(all.GetBuffer().AsMemory(0, (int)all.Length), path);
    }

    /// <summary>Reads its text; <paramref name="where"/> names it in errors.</summary>
    public static BenchFile Parse(ReadOnlyMemory<byte> json, string where)
    {
        var file = BenchFileReader.Read(json, where);
        file.Check(where);
        return file;
    }

    /// <summary>
    /// Writes it beside the place and puts it there when it is whole. Throws <see cref="InvalidDataException"/> where it would not be read again,
    /// <see cref="IOException"/> with nothing left behind where the place cannot be written.
    /// </summary>
    public void Write(string path)
    {
        Check(path);
        _ = OutputFile.Replace(path, file =>
        {
            JsonSerializer.Serialize(file, this, BenchFileJson.Default.BenchFile);
            file.WriteByte((byte)'\n');
        });
    }

    /// <summary>Its text, as it would be written.</summary>
    public byte[] ToUtf8()
    {
        Check("results");
        return JsonSerializer.SerializeToUtf8Bytes(this, BenchFileJson.Default.BenchFile);
    }

    // One set of rules for both directions: what was written can be read.
    private void Check(string where)
    {
        if (Version != CurrentVersion) throw Bad(where, "version", $"expected {CurrentVersion}, not {Version}");
        if (Bench.Length is 0 or > BenchFigure.MostName) throw Bad(where, "bench", $"expected a name of 1 to {BenchFigure.MostName} characters, not '{Short(Bench)}'");
        if (Machine.Wrong() is { } machine) throw Bad(where, "machine", machine);
        if (Options.Count > MostOptions) throw Bad(where, "options", $"expected at most {MostOptions}, not {Options.Count}");
        foreach (var (name, value) in Options)
        {
            if (name.Length is 0 or > BenchFigure.MostName) throw Bad(where, "options", $"expected names of 1 to {BenchFigure.MostName} characters, not '{Short(name)}'");
            if (value.Length > BenchFigure.MostText) throw Bad(where, $"options.{name}", $"expected at most {BenchFigure.MostText} characters, not {value.Length}");
        }

        if (Figures.Count > MostFigures) throw Bad(where, "figures", $"expected at most {MostFigures}, not {Figures.Count}");
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < Figures.Count; i++)
        {
            if (Figures[i].Wrong() is { } wrong) throw Bad(where, $"figures[{i}]", wrong);
            if (!names.Add(Figures[i].Name)) throw Bad(where, $"figures[{i}].name", $"expected names that stand once, '{Figures[i].Name}' stands twice");
        }
    }

    // "figures[3]" and "values: expected" make "figures[3].values: expected".
    private static InvalidDataException Bad(string where, string field, string wrong) =>
        new($"{where}: {field}{(wrong.StartsWith("expected", StringComparison.Ordinal) ? ": " : ".")}{wrong}");

    /// <summary>The start of what somebody wrote, on one line.</summary>
    internal static string Short(string text) => new([.. text.Take(40).Select(c => char.IsControl(c) || char.IsSurrogate(c) ? '?' : c)]);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BenchFile))]
internal sealed partial class BenchFileJson : JsonSerializerContext;
