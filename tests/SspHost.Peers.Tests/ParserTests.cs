// What each tool prints is read as it is printed, and nothing else is.
using System.Text;
using SspHost.Peers.Benches;
using SspHost.Peers.Timing;

namespace SspHost.Peers.Tests;

public sealed class ParserTests
{
    // As cyclictest 2.4 prints it.
    private const string Cyclictest = """
        # /dev/cpu_dma_latency set to 0us
        # Histogram
        000000 000000
        000001 000010
        000002 000080
        000003 000008
        # Total: 000000098
        # Min Latencies: 00001
        # Avg Latencies: 00002
        # Max Latencies: 00815
        # Histogram Overflows: 00002
        # Histogram Overflow at cycle number:
        # Thread 0: 00000 00001 # 00000 others
        """;

    [Fact]
    public void Cyclictest_is_read_with_what_was_later_than_its_table()
    {
        var histogram = CyclictestHistogram.Parse(Cyclictest);
        Assert.Equal([(0, 0), (1, 10), (2, 80), (3, 8)], histogram.Rows);
        Assert.Equal(2, histogram.Beyond);
        Assert.Equal(1, histogram.Percentile(0.1));
        Assert.Equal(2, histogram.Percentile(0.5));
        Assert.Equal(3, histogram.Percentile(0.98));
        Assert.Contains("beyond", Assert.Throws<PeerException>(() => histogram.Percentile(0.99)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_percentiles_are_those_of_all_samples_sorted()
    {
        var random = new Random(1);
        for (var turn = 0; turn < 200; turn++)
        {
            var samples = Enumerable.Range(0, random.Next(1, 500)).Select(_ => random.Next(40)).ToArray();
            var text = string.Join('\n', Enumerable.Range(0, 40).Select(us => FormattableString.Invariant($"{us:000000} {samples.Count(s => s == us):000000}")));
            var histogram = CyclictestHistogram.Parse(text);
            var sorted = samples.Select(s => (double)s).Order().ToArray();
            foreach (var part in new[] { 0.001, 0.5, 0.9, 0.99, 0.999, 1 }) Assert.Equal(Spread.Percentile(sorted, part), histogram.Percentile(part));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing")]
    [InlineData("000001 000001 000002")]
    [InlineData("000001 x")]
    [InlineData("000002 000001\n000001 000001")]
    [InlineData("000001 000000")]
    [InlineData("000001 000001\n# Histogram Overflows: many")]
    public void What_cyclictest_does_not_print_is_refused(string text) => Assert.Throws<PeerException>(() => CyclictestHistogram.Parse(text));

    [Fact]
    public void Figures_are_a_name_and_a_number_a_line()
    {
        var figures = JackFigures.Parse("count 2993\np50 27119\np99.9 2011733\nxruns 8\n");
        Assert.Equal(27119, figures["p50"]);
        Assert.Equal(2011733, JackFigures.Get(figures, "p99.9"));
        _ = Assert.Throws<PeerException>(() => JackFigures.Get(figures, "p99"));
        Assert.Equal(133.42, JackFigures.Parse("enabled 1\nleast 133.42\nmedian 170.86")["least"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("p50")]
    [InlineData("p50 one")]
    [InlineData("p50 -1")]
    [InlineData("p50 NaN")]
    [InlineData("p50 1\np50 2")]
    [InlineData("p50 1 2")]
    public void Other_lines_are_refused(string text) => Assert.Throws<PeerException>(() => JackFigures.Parse(text));

    [Fact]
    public void Times_are_two_numbers_of_ns()
    {
        Assert.Equal(new Took(1.5, 0.25), Timed.Parse("1500000000 250000000\n"));
        foreach (var bad in new[] { "", "1", "1 2 3", "1 -2", "a b", "1.5 2" }) _ = Assert.Throws<PeerException>(() => Timed.Parse(bad));
    }

    [Fact]
    public void Versions_are_those_of_installed_packages()
    {
        var versions = Versions.Parse("faust 2.54.9+ds0-1 installed\ncsound  not-installed\ncsound 1:6.18 config-files\ndpkg-query: no packages found\nlibc6 2.36-9 installed\n");
        Assert.Equal(new Dictionary<string, string> { ["faust"] = "2.54.9+ds0-1", ["libc6"] = "2.36-9" }, versions);
    }

    [Fact]
    public void Whatever_bytes_come_every_parser_answers_or_says_what_is_wrong()
    {
        var random = new Random(7);
        string[] seeds = [Cyclictest, "count 1\np50 2\n", "1 2", "10 20 30", EngineFiguresTests.WakeJson, EngineFiguresTests.MemoryJson, EngineFiguresTests.KernelsJson, EngineFiguresTests.WideJson];
        Action<string>[] parsers =
        [
            t => CyclictestHistogram.Parse(t).Percentile(0.5), t => JackFigures.Parse(t), t => Timed.Parse(t), t => Schedstat.Parse(t), t => Versions.Parse(t),
            t => EngineFigures.Wake(t), t => EngineFigures.Memory(t), t => EngineFigures.Kernels(t), t => EngineFigures.Wide(t), t => EngineFigures.Event(t),
        ];
        for (var turn = 0; turn < 600; turn++)
        {
            var bytes = Encoding.UTF8.GetBytes(seeds[random.Next(seeds.Length)]);
            for (var k = random.Next(6); k > 0 && bytes.Length > 0; k--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            var text = Encoding.UTF8.GetString(bytes, 0, random.Next(4) == 0 ? random.Next(bytes.Length + 1) : bytes.Length);
            foreach (var parse in parsers)
            {
                try
                {
                    parse(text);
                }
                catch (PeerException e)
                {
                    Assert.DoesNotContain('\n', e.Message);
                    Assert.InRange(e.Message.Length, 10, 400);
                }
            }
        }
    }
}
