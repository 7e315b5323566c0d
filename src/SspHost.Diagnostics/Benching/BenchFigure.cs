// One figure of a benchmark: what was measured, in what unit, once a run.
using System.Text.Json.Serialization;

namespace SspHost.Diagnostics.Benching;

/// <summary>Which way of a figure is the better one.</summary>
[JsonConverter(typeof(BenchBetterConverter))]
public enum BenchBetter
{
    /// <summary>Neither: it describes the run.</summary>
    None,

    /// <summary>Less is better, as of a time.</summary>
    Less,

    /// <summary>More is better, as of voices.</summary>
    More,
}

/// <summary>In lower case, as all words of the file.</summary>
internal sealed class BenchBetterConverter() : JsonStringEnumConverter<BenchBetter>(System.Text.Json.JsonNamingPolicy.CamelCase, allowIntegerValues: false);

/// <summary>A figure. Its statistic (median, p99.9 ...) is part of its name: "wake.fifo.p99.9".</summary>
public sealed class BenchFigure
{
    internal const int MostName = 200, MostText = 2000, MostValues = 100_000;

    /// <summary>Unique in its file; letters, digits and . _ - + /, at most 200 of them.</summary>
    public required string Name { get; init; }

    /// <summary>"ns", "frames", "1" for a ratio; at most 200 characters.</summary>
    public required string Unit { get; init; }

    public BenchBetter Better { get; init; }

    /// <summary>Of independent runs, in their order; finite. Empty only where the note says why nothing was measured.</summary>
    public double[] Values { get; set; } = [];

    /// <summary>What is to be reached, if anything is.</summary>
    public double? Target { get; set; }

    /// <summary>What a reader must know of it; at most 2000 characters.</summary>
    public string Note { get; set; } = "";

    /// <summary>The middle of its values (the mean of both middles of an even number); NaN where nothing was measured.</summary>
    [JsonIgnore]
    public double Median
    {
        get
        {
            var sorted = Values.Order().ToArray();
            return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] / 2) + (sorted[sorted.Length / 2] / 2);
        }
    }

    /// <summary>Whether the median reaches the target; null: there is none, no direction, or nothing was measured.</summary>
    [JsonIgnore]
    public bool? Met => Target is not { } target || Values.Length == 0 ? null : Better switch
    {
        BenchBetter.Less => Median <= target,
        BenchBetter.More => Median >= target,
        _ => null,
    };

    /// <summary>What is wrong with it, as "field: expected ..., not ..."; null: nothing.</summary>
    internal string? Wrong()
    {
        if (Name.Length is 0 or > MostName || !Name.All(IsNameCharacter)) return $"name: expected 1 to {MostName} of letters, digits and . _ - + /, not '{BenchFile.Short(Name)}'";
        if (Unit.Length is 0 or > MostName || Unit.Any(char.IsControl)) return $"unit: expected 1 to {MostName} characters, not '{BenchFile.Short(Unit)}'";
        if (!Enum.IsDefined(Better)) return $"better: expected less, more or none, not {(int)Better}";
        if (Note.Length > MostText) return $"note: expected at most {MostText} characters, not {Note.Length}";
        if (Values.Length > MostValues) return $"values: expected at most {MostValues} runs, not {Values.Length}";
        if (Values.Length == 0 && Note.Length == 0) return "values: expected one a run, or a note that says why nothing was measured";
        for (var i = 0; i < Values.Length; i++)
            if (!double.IsFinite(Values[i])) return FormattableString.Invariant($"values[{i}]: expected a finite number, not {Values[i]}");
        return Target is { } t && !double.IsFinite(t) ? FormattableString.Invariant($"target: expected a finite number or null, not {t}") : null;
    }

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+' or '/';
}
