// BENCHMARKS.md is made of the files and nothing else: what was not measured is said, never invented.
using SspHost.Diagnostics.Benching;
using SspHost.Peers.Report;

namespace SspHost.Peers.Tests;

public sealed class ReportTests
{
    private static readonly BenchMachine Machine = new()
    {
        Date = "2026-01-31T20:15:00Z",
        Cpu = "A Processor | 9000",
        Cores = 2,
        Kernel = "6.1.0-rt PREEMPT_RT",
        Governor = "performance",
        Virtual = "kvm",
        MemoryBytes = 4L << 30,
        Board = "",
        RealTime = true,
        Ssp = "0.1.0",
    };

    private sealed class Two() : Bench(new Places("/nowhere"))
    {
        public override string Name => "two";

        public override string Title => "Two of a kind";

        public override string Text => "How it was done.";

        public override IReadOnlyList<Peer> Peers => [new Peer("one", "pkg"), new Peer("other", "pkg2", "/no/such/program")];

        public override void Round(Tally tally) => throw new NotSupportedException();
    }

    private static Comparison Of(string id, double? aim, BenchBetter better = BenchBetter.Less) =>
        new(id, $"work of {id}", "one", "ns", aim, better, $"their --{id}", $"our --{id}", id.EndsWith('a') ? "it has a window" : "");

    private static BenchFile Sample()
    {
        var tally = new Tally(quick: false);
        foreach (var (ours, theirs) in new[] { (10.0, 20.0), (12, 20), (9, 30) }) tally.Add(Of("two.a", 1), ours, theirs);
        foreach (var (ours, theirs) in new[] { (1.5, 1.9), (1.6, 1.8), (1.4, 1.9) }) tally.Add(Of("two.b", 0.9, BenchBetter.More), ours, theirs);
        tally.Add(Of("two.c", null), 3000, 0.25);
        tally.LeaveOut("other", "/no/such/program is not there (Debian: pkg2)");
        tally.Say("clock", "steps of 20 ns");
        return tally.File(new Two(), Machine, 3, new Dictionary<string, string> { ["pkg"] = "1.2-3" });
    }

    [Fact]
    public void The_report_is_as_it_was_looked_at_last()
    {
        var golden = Path.Combine(TimingTests.Root(), "tests", "SspHost.Peers.Tests", "Golden", "benchmarks.md");
        var text = Markdown.Of([Sample()]);
        if (Environment.GetEnvironmentVariable("SSP_UPDATE") == "1") File.WriteAllText(golden, text);
        Assert.Equal(File.ReadAllText(golden), text);
    }

    [Fact]
    public void It_survives_the_file()
    {
        var path = Path.Combine(Path.GetTempPath(), $"ssp-report-{Environment.ProcessId}.json");
        Sample().Write(path);
        Assert.Equal(Markdown.Of([Sample()]), Markdown.Of([BenchFile.Read(path)]));
        File.Delete(path);
    }

    [Fact]
    public void Ratios_are_of_one_round_and_their_median_is_judged()
    {
        var file = Sample();
        Assert.Equal([0.5, 0.6, 0.3], file.Find("two.a.ratio")!.Values);
        Assert.True(file.Find("two.a.ratio")!.Met);
        Assert.False(file.Find("two.b.ratio")!.Met); // 0.79 where 0.9 is wanted
        Assert.Null(file.Find("two.c.ratio")!.Met);
        var text = Markdown.Of([file]);
        Assert.Contains("1 of 2 aims are reached. Not reached: work of two.b (one), 0.79 where ≥ 0.90 is wanted.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_peer_that_is_missing_is_said_and_has_no_figure()
    {
        var text = Markdown.Of([Sample()]);
        Assert.Contains("**other was not measured, or not to the end**: /no/such/program is not there (Debian: pkg2)", text, StringComparison.Ordinal);
        Assert.DoesNotContain("| other |", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_smoke_run_says_that_it_is_one()
    {
        var tally = new Tally(quick: true);
        tally.Add(Of("two.a", 1), 1, 2);
        Assert.Contains("smoke run", Markdown.Of([tally.File(new Two(), Machine, 1, new Dictionary<string, string>())]), StringComparison.Ordinal);
        Assert.DoesNotContain("smoke run", Markdown.Of([Sample()]), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_files_nothing_is_claimed() => Assert.Contains("Nothing has been measured", Markdown.Of([]), StringComparison.Ordinal);

    [Fact]
    public void A_ratio_without_its_figures_is_no_report()
    {
        var file = Sample();
        _ = file.Figures.RemoveAll(f => f.Name == "two.a.theirs");
        Assert.Contains("two.a.theirs", Assert.Throws<InvalidDataException>(() => Markdown.Of([file])).Message, StringComparison.Ordinal);
        file = Sample();
        _ = file.Options.Remove("command.two.b");
        Assert.Contains("command.two.b", Assert.Throws<InvalidDataException>(() => Markdown.Of([file])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_fails_for_one_peer_leaves_the_others()
    {
        var tally = new Tally(quick: false);
        var (bad, good) = (new Peer("bad", "x"), new Peer("good", "y"));
        var calls = 0;
        for (var round = 0; round < 3; round++)
        {
            tally.Try(bad, () =>
            {
                calls++;
                throw new PeerException("it fell over");
            });
            tally.Try(good, () => tally.Add(Of("two.a", 1), 1, 2));
        }

        Assert.Equal(1, calls);
        Assert.Equal("it fell over", tally.Out["bad"]);
        Assert.False(tally.Has(bad));
        Assert.Equal(3, tally.File(new Two(), Machine, 3, new Dictionary<string, string>()).Find("two.a.ratio")!.Values.Length);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(-1, 1)]
    [InlineData(double.NaN, 1)]
    [InlineData(1, double.PositiveInfinity)]
    public void Noise_makes_no_ratio(double ours, double theirs) => Assert.Throws<PeerException>(() => new Tally(quick: false).Add(Of("two.a", 1), ours, theirs));

    [Fact]
    public void A_peer_says_what_is_missing_of_it()
    {
        Assert.Equal("/no/such/program is not there (Debian: pkg2)", new Two().Peers[1].Missing());
        Assert.Null(new Peer("shell", "dash", "sh").Missing());
    }
}
