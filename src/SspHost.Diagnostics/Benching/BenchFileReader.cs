// Reading a file of results: every mistake is named by its place and by what was expected there.
using System.Globalization;
using System.Text.Json;

namespace SspHost.Diagnostics.Benching;

internal static class BenchFileReader
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 8 };

    /// <summary>The file as it stands; ranges are checked by its owner. Throws <see cref="InvalidDataException"/>.</summary>
    public static BenchFile Read(ReadOnlyMemory<byte> json, string where)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            var root = new Part(where, "", document.RootElement);
            root.Only("version", "bench", "machine", "options", "figures");
            var version = root.Whole("version");
            if (version != BenchFile.CurrentVersion) throw root.Bad("version", $"{BenchFile.CurrentVersion}, which is what this program reads", root.Element.GetProperty("version"));
            return new BenchFile
            {
                Version = (int)version,
                Bench = root.Text("bench"),
                Machine = Machine(root.Object("machine")),
                Options = Options(root.Object("options")),
                Figures = [.. root.Items("figures").Select(Figure)],
            };
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{where}: expected JSON: {BenchFile.Short(e.Message)} at line {(e.LineNumber ?? 0) + 1}", e);
        }
        catch (InvalidOperationException e)
        {
            // A text that is no Unicode (half of a pair, bytes that are no UTF-8).
            throw new InvalidDataException($"{where}: expected text in UTF-8: {BenchFile.Short(e.Message)}", e);
        }
    }

    /// <summary>Figures alone, as a part of a benchmark hands them over: an array.</summary>
    public static List<BenchFigure> Figures(ReadOnlyMemory<byte> json, string where)
    {
        using var document = JsonDocument.Parse(json, Strict);
        return [.. new Part(where, "figures", document.RootElement).Items().Select(Figure)];
    }

    private static BenchMachine Machine(Part m)
    {
        m.Only("date", "cpu", "cores", "kernel", "governor", "virtual", "memoryBytes", "board", "realTime", "ssp");
        return new BenchMachine
        {
            Date = m.Text("date"),
            Cpu = m.Text("cpu"),
            Cores = (int)Math.Clamp(m.Whole("cores"), int.MinValue, int.MaxValue),
            Kernel = m.Text("kernel"),
            Governor = m.Text("governor"),
            Virtual = m.Text("virtual"),
            MemoryBytes = m.Whole("memoryBytes"),
            Board = m.Text("board"),
            RealTime = m.Truth("realTime"),
            Ssp = m.Text("ssp"),
        };
    }

    private static Dictionary<string, string> Options(Part options)
    {
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var o in options.Element.EnumerateObject())
        {
            var text = o.Value.ValueKind switch
            {
                JsonValueKind.String => o.Value.GetString()!,
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => o.Value.GetRawText(),
                _ => throw options.Bad(o.Name, "a text, a number or a truth value", o.Value),
            };
            if (!read.TryAdd(o.Name, text)) throw options.Bad(o.Name, "an option that stands once", o.Value);
        }

        return read;
    }

    private static BenchFigure Figure(Part f)
    {
        f.Only("name", "unit", "better", "values", "target", "note");
        return new BenchFigure
        {
            Name = f.Text("name"),
            Unit = f.Text("unit"),
            Better = f.Text("better") switch
            {
                "less" => BenchBetter.Less,
                "more" => BenchBetter.More,
                "none" => BenchBetter.None,
                _ => throw f.Bad("better", "less, more or none", f.Element.GetProperty("better")),
            },
            Values = [.. f.Items("values").Select(v => v.Number())],
            Target = f.Element.TryGetProperty("target", out var t) && t.ValueKind != JsonValueKind.Null ? f.At("target", t).Number() : null,
            Note = f.Element.TryGetProperty("note", out _) ? f.Text("note") : "",
        };
    }

    /// <summary>A value of the file with its place.</summary>
    private readonly struct Part(string where, string path, JsonElement element)
    {
        public JsonElement Element => element;

        public Part At(string name, JsonElement value) => new(where, path.Length == 0 ? BenchFile.Short(name) : $"{path}.{BenchFile.Short(name)}", value);

        public InvalidDataException Bad(string name, string expected, JsonElement found) => At(name, found).Bad(expected);

        public void Only(params string[] names)
        {
            if (element.ValueKind != JsonValueKind.Object) throw Bad("an object");
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var p in element.EnumerateObject())
            {
                if (!names.Contains(p.Name)) throw Bad(p.Name, $"one of {string.Join(", ", names)}; there is no such field here", p.Value);
                if (!seen.Add(p.Name)) throw Bad(p.Name, "a field that stands once", p.Value);
            }
        }

        public string Text(string name) => Field(name, "a text", JsonValueKind.String).GetString()!;

        public bool Truth(string name)
        {
            var value = Field(name, "true or false", JsonValueKind.True, JsonValueKind.False);
            return value.ValueKind == JsonValueKind.True;
        }

        public long Whole(string name)
        {
            var value = Field(name, "a whole number", JsonValueKind.Number);
            return value.TryGetInt64(out var n) ? n : throw Bad(name, "a whole number", value);
        }

        public double Number() => element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out var n) && double.IsFinite(n) ? n : throw Bad("a finite number");

        public Part Object(string name) => At(name, Field(name, "an object", JsonValueKind.Object));

        public IEnumerable<Part> Items(string name) => At(name, Field(name, "an array", JsonValueKind.Array)).Items();

        public IEnumerable<Part> Items()
        {
            if (element.ValueKind != JsonValueKind.Array) throw Bad("an array");
            var (file, place) = (where, path);
            return element.EnumerateArray().Select((e, i) => new Part(file, string.Create(CultureInfo.InvariantCulture, $"{place}[{i}]"), e));
        }

        private JsonElement Field(string name, string expected, params JsonValueKind[] kinds)
        {
            if (element.ValueKind != JsonValueKind.Object) throw Bad("an object");
            if (!element.TryGetProperty(name, out var value)) throw new InvalidDataException($"{where}: {At(name, element).Place}: expected {expected}, but it is missing");
            return kinds.Contains(value.ValueKind) ? value : throw Bad(name, expected, value);
        }

        private string Place => path.Length == 0 ? "the whole" : path;

        private InvalidDataException Bad(string expected) => new($"{where}: {Place}: expected {expected}, not {BenchFile.Short(element.GetRawText())}");
    }
}
