// Two files held against each other: better and worse by a figure's direction, noise as noise, and an honest word where nothing can be told.
using System.Globalization;
using SspHost.Commands;
using SspHost.Diagnostics.Benching;

namespace SspHost.Bench.Tests;

[Collection("console")]
public sealed class BenchComparisonTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-compare-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(BenchBetter.Less, 1.2, BenchVerdict.Worse)]
    [InlineData(BenchBetter.Less, 0.8, BenchVerdict.Better)]
    [InlineData(BenchBetter.More, 1.2, BenchVerdict.Better)]
    [InlineData(BenchBetter.More, 0.8, BenchVerdict.Worse)]
    [InlineData(BenchBetter.None, 1.2, BenchVerdict.Changed)]
    [InlineData(BenchBetter.Less, 1, BenchVerdict.Same)]
    [InlineData(BenchBetter.Less, 1.015, BenchVerdict.Same)] // sure, and nobody's concern
    public void A_change_beyond_noise_is_better_or_worse_by_the_figures_direction(BenchBetter better, double factor, BenchVerdict expected)
    {
        var change = Compare(Figure(better, 10, 10.01, 10.02, 10.03, 10.04), Figure(better, [.. new[] { 10, 10.01, 10.02, 10.03, 10.04 }.Select(v => v * factor)]));
        Assert.Equal(expected, change.Verdict);
        Assert.Equal(factor, change.Ratio!.Value, 1e-9);
    }

    [Fact]
    public void Runs_that_overlap_are_noise_however_far_apart_their_medians() =>
        Assert.Equal(BenchVerdict.Same, Compare(Figure(BenchBetter.Less, 1, 5, 9, 13, 17), Figure(BenchBetter.Less, 3, 7, 15, 19, 23)).Verdict);

    [Theory]
    [InlineData(1, 1)]
    [InlineData(4, 4)]
    [InlineData(3, 6)]
    public void With_too_few_runs_nothing_is_claimed(int a, int b)
    {
        var change = Compare(Figure(BenchBetter.Less, Runs(a, 1)), Figure(BenchBetter.Less, Runs(b, 100)));
        Assert.Equal(BenchVerdict.TooFewRuns, change.Verdict);
        Assert.Contains($"{a} and {b} runs", change.Word, StringComparison.Ordinal);
    }

    [Fact]
    public void What_only_one_of_them_has_or_measured_is_said_and_not_judged()
    {
        var c = BenchComparison.Of(
            File(Figure("gone", 1, 2, 3, 4, 5), new BenchFigure { Name = "no", Unit = "ns", Better = BenchBetter.Less, Note = "no SCHED_FIFO" }, Figure("unit", 1, 2, 3, 4, 5)),
            File(Figure("new", 1, 2, 3, 4, 5), Figure("no", 1, 2, 3, 4, 5), new BenchFigure { Name = "unit", Unit = "us", Values = [1, 2, 3, 4, 5] }));
        Assert.Equal(["gone", "no", "unit", "new"], c.Changes.Select(x => x.Name));
        Assert.All(c.Changes, x => Assert.Equal(BenchVerdict.Missing, x.Verdict));
        Assert.Equal(["only in the first", "not measured: no SCHED_FIFO", "in ns and in us", "only in the second"], c.Changes.Select(x => x.Word));
        Assert.Equal(0, c.Worse);
    }

    // R's type 7, which is numpy's and the spreadsheets' too: quantile(c(1,2,3,4,10)) gives 2, 3 and 4; of 1..4 it gives 1.75, 2.5 and 3.25.
    [Fact]
    public void Quartiles_are_those_of_other_programs()
    {
        Assert.Equal(new BenchSpread(5, 3, 2, 4), BenchSpread.Of([10, 3, 1, 4, 2]));
        Assert.Equal(new BenchSpread(4, 2.5, 1.75, 3.25), BenchSpread.Of([4, 3, 2, 1]));
        Assert.Equal(new BenchSpread(1, 7, 7, 7), BenchSpread.Of([7]));
    }

    [Fact]
    public void The_exit_code_is_3_where_something_is_worse_2_for_bad_input_and_0_otherwise()
    {
        var (a, b) = (Path.Combine(_folder, "a.json"), Path.Combine(_folder, "b.json"));
        File(Figure("x", 1, 1.01, 1.02, 1.03, 1.04)).Write(a);
        File(Figure("x", 2, 2.01, 2.02, 2.03, 2.04)).Write(b);
        var (code, output, _) = Run(a, b);
        Assert.Equal(3, code);
        Assert.Contains("WORSE", output, StringComparison.Ordinal);
        Assert.DoesNotContain("DIFFERENT MACHINES", output, StringComparison.Ordinal);
        (code, output, _) = Run(b, a);
        Assert.Equal(0, code);
        Assert.Contains("0 worse, 1 better", output, StringComparison.Ordinal);

        System.IO.File.WriteAllText(b, "{}");
        (code, output, var error) = Run(a, b);
        Assert.Equal((2, ""), (code, output));
        Assert.Equal($"ssp: bench compare: {b}: version: expected a whole number, but it is missing\n", error);
        (code, _, error) = Run(a);
        Assert.Equal(2, code);
        Assert.Contains("expected two files of results, not 1", error, StringComparison.Ordinal);
        Assert.Equal(2, Run(a, Path.Combine(_folder, "none.json")).Code);
    }

    [Fact]
    public void Another_machine_is_said_loudly_and_what_else_is_different_too()
    {
        var (a, b) = (Path.Combine(_folder, "a.json"), Path.Combine(_folder, "b.json"));
        var file = File(Figure("x", 1, 2, 3, 4, 5));
        file.Options["pin"] = "1";
        file.Write(a);
        new BenchFile { Bench = "test", Machine = file.Machine with { Board = "another board", Kernel = "9.9" }, Figures = file.Figures }.Write(b);
        var output = Run(a, b).Output;
        Assert.StartsWith("!! DIFFERENT MACHINES", output, StringComparison.Ordinal);
        Assert.Contains("another board", output, StringComparison.Ordinal);
        Assert.Contains($"kernel: {file.Machine.Kernel} and 9.9", output, StringComparison.Ordinal);
        Assert.Contains("--pin: 1 and not given", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Runs_come_together_in_one_figure_in_their_order()
    {
        var file = File();
        BenchRunner.Add(file, Figure("x", 3));
        BenchRunner.Add(file, new BenchFigure { Name = "x", Unit = "ns", Note = "refused" });
        BenchRunner.Add(file, Figure("x", 1));
        Assert.Equal([3, 1], Assert.Single(file.Figures).Values);
        Assert.Equal("refused", file.Figures[0].Note);
    }

    private static (int Code, string Output, string Error) Run(params string[] files)
    {
        var (before, beforeError) = (Console.Out, Console.Error);
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        using var error = new StringWriter(CultureInfo.InvariantCulture);
        Console.SetOut(output);
        Console.SetError(error);
        try
        {
            return (CompareBench.Run(files, json: false), output.ToString(), error.ToString());
        }
        finally
        {
            Console.SetOut(before);
            Console.SetError(beforeError);
        }
    }

    private static BenchChange Compare(BenchFigure a, BenchFigure b) => Assert.Single(BenchComparison.Of(File(a), File(b)).Changes);

    private static double[] Runs(int count, double at) => [.. Enumerable.Range(0, count).Select(i => at + (i / 10.0))];

    private static BenchFigure Figure(BenchBetter better, params double[] values) => new() { Name = "f", Unit = "ns", Better = better, Values = values };

    private static BenchFigure Figure(string name, params double[] values) => new() { Name = name, Unit = "ns", Better = BenchBetter.Less, Values = values };

    private static BenchFile File(params BenchFigure[] figures) => new() { Bench = "test", Machine = BenchMachine.Read() with { Date = "2026-01-31T20:15:00Z" }, Figures = [.. figures] };
}
