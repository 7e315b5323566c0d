// The file itself: what it weighs, what is in it, and what becomes of data that make no report.
using System.Text;
using SspHost.Diagnostics.Html;

namespace SspHost.Html.Tests;

public sealed class FileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-file-").FullName;

    [Fact]
    public void A_million_quanta_take_less_than_two_bytes_each_and_the_page_itself_less_than_120_kB()
    {
        using var empty = new MemoryStream();
        LoadReportPage.Write(Samples.One(Samples.Run(Array.Empty<ushort>())), empty);
        Assert.InRange(empty.Length, 20_000, 120_000);
        using var full = new MemoryStream();
        LoadReportPage.Write(Samples.One(Samples.Run(Samples.Bimodal(1_000_000, 1))), full);
        Assert.InRange(full.Length - empty.Length, 1_000_000, 2_000_000);
    }

    [Fact]
    public void Nothing_in_it_points_outside()
    {
        using var file = new MemoryStream();
        LoadReportPage.Write(Samples.One(Samples.BadDay(9000)), file);
        var text = Encoding.UTF8.GetString(file.ToArray());
        foreach (var link in new[] { "http:", "https:", "//cdn", "@import", "url(", " src=", "@font-face" }) Assert.DoesNotContain(link, text, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(1, text.Split(" href=").Length - 1);
        Assert.Contains("<link rel=\"icon\" href=\"data:,\">", text, StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", text, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe-inline", text, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_data_give_the_same_file()
    {
        using MemoryStream one = new(), two = new();
        LoadReportPage.Write(Samples.One(Samples.BadDay(9000)), one);
        LoadReportPage.Write(Samples.One(Samples.BadDay(9000)), two);
        Assert.Equal(one.ToArray(), two.ToArray());
    }

    [Fact]
    public void Data_that_make_no_report_are_refused_in_words_and_an_older_report_stays()
    {
        var path = Path.Combine(_folder, "report.html");
        File.WriteAllText(path, "older");
        var run = Samples.Run(Samples.Calm(10));
        (LoadReportData Data, string Words)[] bad =
        [
            (new LoadReportData { Title = "", Runs = [] }, "a load report shows one run or two, not 0"),
            (new LoadReportData { Title = "", Runs = [run, run, run] }, "a load report shows one run or two, not 3"),
            (Samples.One(run with { Rate = 0 }), "run 1 of a load report: a rate of 0 Hz; expected more than 0"),
            (new LoadReportData { Title = "", Runs = [run, run with { Quantum = -1 }] }, "run 2 of a load report: a quantum of -1 frames; expected more than 0"),
            (Samples.One(run with { BudgetNs = double.NaN }), "run 1 of a load report: a budget of NaN ns; expected more than 0"),
            (Samples.One(run with { FirstQuantum = ulong.MaxValue }), "run 1 of a load report: first quantum 18446744073709551615; expected at most 2^53"),
            (Samples.One(run with { Modules = [new ModuleTimes { Name = "x", MaxNs = double.PositiveInfinity, Buckets = [] }] }), "run 1 of a load report: the times of module 'x' are no numbers"),
            (Samples.One(run with { Modules = [new ModuleTimes { Name = "x", Buckets = [new TimeBucket(0, double.NaN, 1)] }] }), "run 1 of a load report: the times of module 'x' are no numbers"),
        ];
        foreach (var (data, words) in bad) Assert.Equal(words, Assert.Throws<ArgumentException>(() => LoadReportPage.Write(data, path)).Message);
        Assert.Equal("older", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void A_disk_that_is_full_is_told_and_an_older_report_stays()
    {
        using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write);
        Assert.Throws<IOException>(() =>
        {
            LoadReportPage.Write(Samples.One(Samples.Run(Samples.Calm(1000))), full);
            full.Flush();
        });

        var path = Path.Combine(_folder, "kept.html");
        File.WriteAllText(path, "older");
        // Where the new one would grow there is something that no file can replace.
        Directory.CreateDirectory(path + ".part");
        Assert.ThrowsAny<SystemException>(() => LoadReportPage.Write(Samples.One(Samples.Run(Samples.Calm(1000))), path));
        Assert.Equal("older", File.ReadAllText(path));
    }

    [Fact]
    public void A_report_replaces_an_older_one_and_tells_its_size()
    {
        var path = Path.Combine(_folder, "new.html");
        File.WriteAllText(path, "older");
        var size = LoadReportPage.Write(Samples.One(Samples.Run(Samples.Calm(1000))), path);
        Assert.Equal(new FileInfo(path).Length, size);
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(path), StringComparison.Ordinal);
        Assert.False(File.Exists(path + ".part"));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
