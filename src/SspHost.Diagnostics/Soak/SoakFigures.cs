// A soak as a file of results, so that two of them can be compared.
using System.Globalization;
using SspHost.Diagnostics.Benching;

namespace SspHost.Diagnostics.Soak;

/// <summary>The figures of the whole and of each phase, one value each: a soak is one run.</summary>
public static class SoakFigures
{
    /// <summary>The file of a report. <paramref name="seconds"/>: how long it was asked to last.</summary>
    public static BenchFile Of(SoakReport r, double seconds)
    {
        var file = new BenchFile
        {
            Bench = "soak",
            Machine = BenchMachine.Read(),
            Options = new Dictionary<string, string>
            {
                ["seconds"] = seconds.ToString("0.###", CultureInfo.InvariantCulture), ["patch"] = r.Patch, ["modules"] = Text(r.Modules), ["card"] = r.Card, ["rate"] = Text(r.Rate),
                ["quantum"] = Text(r.Quantum), ["period"] = Text(r.Period), ["periods"] = Text(r.Periods), ["threads"] = Text(r.Threads),
            },
        };
        foreach (var part in r.Phases.Append(r.Whole)) Add(file, part);
        Add(file, "soak.late.bound", "1/block", BenchBetter.Less, r.Verdict.Bound, "upper bound of the rate of blocks that were late or lost frames, Clopper and Pearson, one-sided, 95 %", r.Verdict.Limit);
        return file;
    }

    private static void Add(BenchFile file, SoakPart p)
    {
        var name = "soak." + p.Name;
        Add(file, name + ".blocks", "blocks", BenchBetter.None, p.Blocks, p.Missing == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"the loads of {p.Missing} more were not kept"));
        if (p.Blocks == 0) return;
        foreach (var (statistic, value) in new[] { ("p50", p.P50), ("p99", p.P99), ("p99.9", p.P999), ("p99.99", p.P9999), ("max", p.Worst) })
            Add(file, $"{name}.load.{statistic}", "1", BenchBetter.Less, value, "time a block took over the time it lasts");
        Add(file, name + ".wake.p99.9", "us", BenchBetter.Less, p.WakeP999, "");
        Add(file, name + ".wake.max", "us", BenchBetter.Less, p.WakeWorst, "");
        Add(file, name + ".late", "1/block", BenchBetter.Less, p.Bad / (double)p.Blocks, "blocks that were late or lost frames");
        Add(file, name + ".late.runs", "1/block", BenchBetter.Less, p.BadRuns / (double)p.Blocks, "rows of such blocks");
    }

    private static void Add(BenchFile file, string name, string unit, BenchBetter better, double value, string note, double? target = null) =>
        file.Figures.Add(new BenchFigure { Name = name, Unit = unit, Better = better, Values = [value], Note = note, Target = target });

    private static string Text(int n) => n.ToString(CultureInfo.InvariantCulture);
}
