// The figures of a run on their way into the file of results: the control process puts them together (docs/benchmarks.md).
using System.Text;
using System.Text.Json;

namespace SspHost.EngineHost.Bench;

/// <summary>Collected while a benchmark writes its report; written for whoever asked by `--figures FILE`.</summary>
internal static class BenchFigures
{
    public const string Less = "less", More = "more", Neither = "none";

    private static readonly List<(string Name, string Unit, string Better, double? Value, double? Target, string Note)> Figures = [];

    /// <summary>A figure; its name ends in its statistic. What is not finite was not measured, and the note says why.</summary>
    public static void Add(string name, string unit, string better, double? value, double? target = null, string note = "")
    {
        if (value is { } v && !double.IsFinite(v)) (value, note) = (null, note.Length > 0 ? note : "no finite number came of it");
        Figures.Add((name, unit, better, value, target, note));
    }

    /// <summary>Percentiles of a time.</summary>
    public static void Add(string name, string unit, GraphFigure f, string note = "")
    {
        Add(name + ".p50", unit, Less, f.P50, note: note);
        Add(name + ".p99", unit, Less, f.P99, note: note);
        Add(name + ".p99.9", unit, Less, f.P999, note: note);
        Add(name + ".max", unit, Neither, f.Max, note: note); // one accident: no comparison is made of it
    }

    /// <summary>Words as a part of a name: "16 voices, of 6" becomes "16-voices-of-6".</summary>
    public static string Slug(string words)
    {
        var name = new StringBuilder();
        foreach (var c in words)
        {
            if (char.IsAsciiLetterOrDigit(c) || c == '_') name.Append(char.ToLowerInvariant(c));
            else if (name.Length > 0 && name[^1] != '-') name.Append('-');
        }

        return name.ToString().TrimEnd('-');
    }

    /// <summary>Writes them as an array, each with the one value of this run.</summary>
    public static void Write(string path)
    {
        using var file = File.Create(path);
        using var w = new Utf8JsonWriter(file);
        w.WriteStartArray();
        foreach (var f in Figures)
        {
            w.WriteStartObject();
            w.WriteString("name", f.Name);
            w.WriteString("unit", f.Unit);
            w.WriteString("better", f.Better);
            w.WriteStartArray("values");
            if (f.Value is { } value) w.WriteNumberValue(value);
            w.WriteEndArray();
            if (f.Target is { } target) w.WriteNumber("target", target);
            w.WriteString("note", f.Note);
            w.WriteEndObject();
        }

        w.WriteEndArray();
    }
}
