// Two files of results held against each other: what changed beyond noise, and for better or worse.
using System.Text.Json.Serialization;

namespace SspHost.Diagnostics.Benching;

/// <summary>What came of a figure.</summary>
[JsonConverter(typeof(BenchVerdictConverter))]
public enum BenchVerdict
{
    /// <summary>No difference beyond noise.</summary>
    Same,
    Better,
    Worse,

    /// <summary>Different, of a figure that has no better.</summary>
    Changed,

    /// <summary>So few runs that even a complete separation could be chance.</summary>
    TooFewRuns,

    /// <summary>One of the files does not have it, or has no value, or in another unit.</summary>
    Missing,
}

internal sealed class BenchVerdictConverter() : JsonStringEnumConverter<BenchVerdict>(System.Text.Json.JsonNamingPolicy.CamelCase);

/// <summary>Middle and quartiles of the runs of one file.</summary>
public sealed record BenchSpread(int Runs, double Median, double Low, double High)
{
    /// <summary>Quartiles by linear interpolation between runs.</summary>
    public static BenchSpread Of(double[] values)
    {
        var sorted = values.Order().ToArray();
        double At(double part)
        {
            var at = part * (sorted.Length - 1);
            var below = (int)at;
            var above = Math.Min(below + 1, sorted.Length - 1);
            return sorted[below] + ((at - below) * (sorted[above] - sorted[below]));
        }

        return new BenchSpread(sorted.Length, At(0.5), At(0.25), At(0.75));
    }
}

/// <summary>A figure of both files.</summary>
/// <param name="A">Null where the first file has no value of it.</param>
/// <param name="B">Likewise.</param>
/// <param name="Ratio">Median of B over that of A; null where there is none.</param>
/// <param name="Chance">How likely runs as different as these are without a difference (<see cref="RankTest"/>).</param>
/// <param name="Word">What a reader must know of it.</param>
public sealed record BenchChange(string Name, string Unit, BenchBetter Better, BenchSpread? A, BenchSpread? B, double? Ratio, double? Chance, BenchVerdict Verdict, string Word);

/// <summary>The whole comparison.</summary>
public sealed record BenchComparison
{
    /// <summary>How unlikely a difference must be to count: one figure in a hundred does by chance.</summary>
    public const double Sure = 0.01;

    /// <summary>How far apart medians must be to count, of the first one: less is nobody's concern, however sure.</summary>
    public const double Least = 0.02;

    public int Version { get; init; } = 1;

    public required BenchMachine A { get; init; }

    public required BenchMachine B { get; init; }

    /// <summary>Whether both are of one machine; figures of two machines compare machines.</summary>
    public bool SameMachine => A.IsLike(B);

    /// <summary>What else is different between the two: kernel, governor, privileges, versions, options.</summary>
    public required IReadOnlyList<string> Differences { get; init; }

    public required IReadOnlyList<BenchChange> Changes { get; init; }

    /// <summary>Figures that are worse beyond noise.</summary>
    public int Worse => Changes.Count(c => c.Verdict == BenchVerdict.Worse);

    /// <summary>Compares; figures in the order of the first file, then those that only the second has.</summary>
    public static BenchComparison Of(BenchFile a, BenchFile b)
    {
        var changes = a.Figures.Select(f => Change(f, b.Find(f.Name))).ToList();
        changes.AddRange(b.Figures.Where(f => a.Find(f.Name) == null).Select(f => Change(null, f)));
        return new BenchComparison { A = a.Machine, B = b.Machine, Differences = [.. Different(a, b)], Changes = changes };
    }

    private static BenchChange Change(BenchFigure? a, BenchFigure? b)
    {
        var one = (a ?? b)!;
        var (spreadA, spreadB) = (a is { Values.Length: > 0 } ? BenchSpread.Of(a.Values) : null, b is { Values.Length: > 0 } ? BenchSpread.Of(b.Values) : null);
        BenchChange Made(BenchVerdict verdict, string word, double? ratio = null, double? chance = null) => new(one.Name, one.Unit, one.Better, spreadA, spreadB, ratio, chance, verdict, word);
        if (a == null || b == null) return Made(BenchVerdict.Missing, a == null ? "only in the second" : "only in the first");
        if (a.Unit != b.Unit) return Made(BenchVerdict.Missing, $"in {a.Unit} and in {b.Unit}");
        if (a.Better != b.Better) return Made(BenchVerdict.Missing, "the files do not agree which way is better");
        if (spreadA == null || spreadB == null) return Made(BenchVerdict.Missing, "not measured: " + (spreadA == null ? a.Note : b.Note));
        double? ratio = spreadA.Median != 0 ? spreadB.Median / spreadA.Median : null;
        var chance = RankTest.TwoSided(a.Values, b.Values);
        if (RankTest.Least(a.Values.Length, b.Values.Length) > Sure)
            return Made(BenchVerdict.TooFewRuns, $"{a.Values.Length} and {b.Values.Length} runs cannot tell a change from noise; 5 and 5 can", ratio, chance);
        if (chance > Sure || Math.Abs(spreadB.Median - spreadA.Median) < Least * Math.Abs(spreadA.Median) || spreadA.Median == spreadB.Median) return Made(BenchVerdict.Same, "", ratio, chance);
        if (one.Better == BenchBetter.None) return Made(BenchVerdict.Changed, "", ratio, chance);
        return Made(spreadB.Median < spreadA.Median == (one.Better == BenchBetter.Less) ? BenchVerdict.Better : BenchVerdict.Worse, "", ratio, chance);
    }

    private static IEnumerable<string> Different(BenchFile a, BenchFile b)
    {
        var (m, n) = (a.Machine, b.Machine);
        (string Name, string A, string B)[] facts =
        [
            ("kernel", m.Kernel, n.Kernel), ("governor", m.Governor, n.Governor), ("SCHED_FIFO", m.RealTime ? "granted" : "refused", n.RealTime ? "granted" : "refused"),
            ("ssp", m.Ssp, n.Ssp), ("bench", a.Bench, b.Bench),
        ];
        foreach (var (name, one, two) in facts)
            if (one != two) yield return $"{name}: {one} and {two}";
        foreach (var option in a.Options.Keys.Union(b.Options.Keys).Order(StringComparer.Ordinal))
        {
            var (one, two) = (a.Options.GetValueOrDefault(option, "not given"), b.Options.GetValueOrDefault(option, "not given"));
            if (one != two && option != "runs") yield return $"--{option}: {one} and {two}";
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BenchComparison))]
public sealed partial class BenchComparisonJson : JsonSerializerContext;
