// Figures against an exact computation that shares nothing with the page's: sorting all loads.
using System.Globalization;
using SspHost.Diagnostics.Html;

namespace SspHost.Html.Tests;

[Collection("chromium")]
public class FigureTests(Chromium browser)
{
    private static readonly int[] Shares = [5000, 9000, 9900, 9990, 9999];

    [Fact]
    public async Task Percentiles_mean_maximum_and_counts_of_the_whole_and_of_what_is_shown_are_exact()
    {
        var codes = Samples.Bimodal(300_000, 42);
        codes[77_777] = LoadCode.Encode(1.9);
        Array.Clear(codes, 100_000, 1_234);
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(Samples.One(Samples.Run(codes))));
        foreach (var (from, to) in new[] { (0, 300_000), (50_000, 150_000), (77_770, 77_790), (99_990, 100_010) })
        {
            await page.RunAsync($"report.show({from}, {to})");
            var figures = await page.EvaluateAsync<Figures>("report.figures()");
            AssertExact(codes, figures.Whole[0]);
            AssertExact(codes.AsSpan(from, to - from), figures.View[0]);
        }

        // And the table says the same: row by row, whole run and in view.
        await page.RunAsync("report.show(50000, 150000)");
        var rows = await page.EvaluateAsync<string[][]>("[...document.querySelectorAll('#figures tbody tr')].map(r => [...r.children].map(c => c.firstChild.textContent))");
        var (whole, view) = (Sorted(codes), Sorted(codes.AsSpan(50_000, 100_000)));
        Assert.Equal(["Quanta", Count(whole.Length), Count(view.Length)], rows[0]);
        Assert.Equal(["Not recorded", "1,234", "1,234"], rows[1]);
        Assert.Equal(["Late (load > 1)", Count(whole.Count(l => l > 1)), Count(view.Count(l => l > 1))], rows[2]);
        Assert.Equal(["Mean", Text(whole.Average()), Text(view.Average())], rows[3]);
        string[] names = ["p50", "p90", "p99", "p99.9", "p99.99"];
        for (var k = 0; k < 5; k++) Assert.Equal([names[k], Text(Rank(whole, Shares[k])), Text(Rank(view, Shares[k]))], rows[4 + k]);
        Assert.Equal(["Maximum", Text(whole[^1]), Text(view[^1])], rows[9]);
    }

    [Fact]
    public async Task The_worst_quanta_are_the_worst_in_order()
    {
        var codes = Samples.Bimodal(200_000, 9);
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(Samples.One(Samples.Run(codes))));
        var expected = Enumerable.Range(0, codes.Length).OrderByDescending(i => codes[i]).ThenBy(i => i).Take(25).Select(i => Count(i + 1000));
        var told = await page.EvaluateAsync<string[]>("[...document.querySelectorAll('#worst .where')].map(w => w.textContent.match(/# ([0-9,]+)/)[1])");
        Assert.Equal(expected, told);
    }

    [Fact]
    public async Task Of_very_many_equal_quanta_the_first_are_the_worst()
    {
        var codes = new ushort[500_000];
        Array.Fill(codes, LoadCode.Encode(0.5));
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(Samples.One(Samples.Run(codes))));
        var told = await page.EvaluateAsync<string[]>("[...document.querySelectorAll('#worst .where')].map(w => w.textContent.match(/# ([0-9,]+)/)[1])");
        Assert.Equal(Enumerable.Range(1000, 25).Select(Count), told);
    }

    [Fact]
    public async Task Two_runs_are_compared_by_their_exact_distance_and_shift_and_in_words()
    {
        var (before, after) = (Samples.Bimodal(120_000, 1), Samples.Bimodal(90_000, 2, -0.03));
        after[4_000] = LoadCode.Encode(1.6);
        before[500] = LoadCode.Gap;
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(new LoadReportData { Title = "isolcpus", Runs = [Samples.Run(before, "before"), Samples.Run(after, "isolated core")] }));
        var figures = await page.EvaluateAsync<Figures>("report.figures()");
        AssertExact(before, figures.Whole[0]);
        AssertExact(after, figures.Whole[1]);
        var (distance, load) = Distance(Sorted(before), Sorted(after));
        Assert.Equal(distance, figures.Distance!.Distance, 12);
        Assert.Equal(load, figures.Distance.Load);
        Assert.True(distance is > 0.1 and < 0.9);

        var words = await page.TextAsync("#comparison");
        Assert.Contains($"Kolmogorov-Smirnov distance {distance.ToString("0.0000", CultureInfo.InvariantCulture)}: ", words, StringComparison.Ordinal);
        Assert.Contains("faster in isolated core", words, StringComparison.Ordinal);
        Assert.Contains("late were 0 of before and 1 of isolated core", words, StringComparison.Ordinal);
        var shift = Rank(Sorted(after), 5000) - Rank(Sorted(before), 5000);
        var told = await page.EvaluateAsync<string>("document.querySelectorAll('#comparison tbody tr')[1].children[3].textContent");
        Assert.Equal(shift, double.Parse(told.Replace('−', '-'), CultureInfo.InvariantCulture), 4);

        // A part of it: the distance is of that part.
        await page.RunAsync("report.show(10000, 20000)");
        var part = await page.EvaluateAsync<Figures>("report.figures()");
        Assert.Equal(Distance(Sorted(before.AsSpan(10_000, 10_000)), Sorted(after.AsSpan(10_000, 10_000))).Distance, part.Distance!.Distance, 12);
        Assert.Empty(page.Complaints);
    }

    [Fact]
    public async Task A_run_compared_with_itself_is_at_distance_0()
    {
        var run = Samples.Run(Samples.Bimodal(10_000, 4), "same");
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(new LoadReportData { Title = "twice", Runs = [run, run] }));
        Assert.Equal(0, (await page.EvaluateAsync<Figures>("report.figures()")).Distance!.Distance);
        Assert.Contains("practically the same distribution", await page.TextAsync("#comparison"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Runs_of_different_quanta_share_the_axis_of_time()
    {
        var slow = Samples.Run(Samples.Calm(10_000), "32 frames");
        var fast = Samples.Run(Samples.Calm(20_000), "16 frames") with { Quantum = 16, BudgetNs = Samples.BudgetNs / 2 };
        await using var page = await browser.NewPageAsync();
        await page.OpenAsync(browser.Reports.Write(new LoadReportData { Title = "quantum", Runs = [slow, fast] }));
        Assert.Equal(await page.EvaluateAsync<int>("report.place(4000, 1, 0).left"), await page.EvaluateAsync<int>("report.place(8000, 1, 1).left"));
        await page.RunAsync("report.show(1000, 2000)");
        Assert.Equal([1000, 2000], (await page.EvaluateAsync<Figures>("report.figures()")).View.Select(v => v.Count));
    }

    private static void AssertExact(ReadOnlySpan<ushort> codes, Summary told)
    {
        var loads = Sorted(codes);
        Assert.Equal(loads.Length, told.Count);
        Assert.Equal(codes.Length - loads.Length, told.Gaps);
        Assert.Equal(loads.Count(l => l > 1), told.Late);
        Assert.Equal(loads[^1], told.Max);
        // Every load is a multiple of 2^-17, so that the sum is exact in either order.
        Assert.Equal(loads.Sum() / loads.Length, told.Mean);
        Assert.Equal(Shares.Select(s => Rank(loads, s)), told.Percentiles);
    }

    private static double[] Sorted(ReadOnlySpan<ushort> codes)
    {
        var loads = new List<double>();
        foreach (var code in codes) if (code != LoadCode.Gap) loads.Add(LoadCode.Decode(code));
        loads.Sort();
        return [.. loads];
    }

    private static double Rank(double[] sorted, int share) => sorted[(int)(((long)sorted.Length * share + 9_999) / 10_000) - 1];

    // Walks both sorted lists at once, as textbooks define it.
    private static (double Distance, double Load) Distance(double[] a, double[] b)
    {
        var (i, j, widest, at) = (0, 0, 0.0, double.NaN);
        while (i < a.Length || j < b.Length)
        {
            var load = Math.Min(i < a.Length ? a[i] : double.MaxValue, j < b.Length ? b[j] : double.MaxValue);
            while (i < a.Length && a[i] == load) i++;
            while (j < b.Length && b[j] == load) j++;
            var distance = Math.Abs((double)i / a.Length - (double)j / b.Length);
            if (distance > widest) (widest, at) = (distance, load);
        }

        return (widest, at);
    }

    private static string Count(int n) => n.ToString("#,##0", CultureInfo.InvariantCulture);

    private static string Text(double load) => load.ToString("0.0000", CultureInfo.InvariantCulture);

    private sealed record Summary(int Count, int Gaps, int Late, double Mean, double Max, double[] Percentiles);

    private sealed record Widest(double Distance, double? Load);

    private sealed record Figures(Summary[] Whole, Summary[] View, Widest? Distance);
}
