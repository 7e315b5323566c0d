// The file of results: what was put in comes out, and whatever else is in it is one clear error that names the place.
using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using SspHost.Diagnostics.Benching;

namespace SspHost.Bench.Tests;

public sealed class BenchFileTests
{
    [Fact]
    public void Every_file_that_can_be_written_comes_back_as_it_was() =>
        Prop.ForAll(ArbMap.Default.ArbFor<double[]>(), ArbMap.Default.ArbFor<NonNull<string>>(), ArbMap.Default.ArbFor<int>(), (values, note, seed) =>
        {
            var finite = values.Where(double.IsFinite).ToArray();
            // A text that is no Unicode has no UTF-8; it is written with a replacement, as everywhere.
            var text = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(note.Get)) + "x";
            var file = Sample();
            file.Options["note"] = text;
            file.Figures.Add(new BenchFigure
            {
                Name = $"a.b_{(uint)seed}", Unit = "ns", Better = (BenchBetter)((uint)seed % 3), Values = finite, Target = finite.Length > 0 ? finite[0] : null, Note = text,
            });
            var back = BenchFile.Parse(file.ToUtf8(), "memory");
            Assert.Equal(file.Bench, back.Bench);
            Assert.Equal(file.Machine, back.Machine);
            Assert.Equal(file.Options, back.Options);
            Assert.Equal(file.Figures.Count, back.Figures.Count);
            foreach (var (a, b) in file.Figures.Zip(back.Figures))
            {
                Assert.Equal((a.Name, a.Unit, a.Better, a.Target, a.Note), (b.Name, b.Unit, b.Better, b.Target, b.Note));
                Assert.Equal(a.Values.Select(BitConverter.DoubleToInt64Bits), b.Values.Select(BitConverter.DoubleToInt64Bits)); // every bit of them
            }
        }).QuickCheckThrowOnFailure();

    // The field's own format, by hand: what others write from it must be readable.
    private const string ByHand = """
        { "version": 1, "bench": "graph",
          "machine": { "date": "2026-01-31T20:15:00Z", "cpu": "Cortex-A72", "cores": 6, "kernel": "6.12.1 PREEMPT_RT", "governor": "performance", "virtual": "none",
                       "memoryBytes": 4294967296, "board": "", "realTime": true, "ssp": "0.1.0" },
          "options": { "pin": "4,5", "seconds": 60, "quick": true },
          "figures": [ { "name": "graph.overhead.chain.1", "unit": "ns", "better": "less", "values": [12.5, 11, 13e0], "target": null, "note": "" },
                       { "name": "wake.p99.9", "unit": "us", "better": "less", "values": [], "note": "no SCHED_FIFO" } ] }
        """;

    [Fact]
    public void A_file_written_by_hand_is_read_field_by_field()
    {
        var file = Parse(ByHand);
        Assert.Equal(("graph", 6, 4L << 30, true), (file.Bench, file.Machine.Cores, file.Machine.MemoryBytes, file.Machine.RealTime));
        Assert.Equal(("4,5", "60", "true"), (file.Options["pin"], file.Options["seconds"], file.Options["quick"]));
        Assert.Equal([12.5, 11, 13], file.Figures[0].Values);
        Assert.Equal(12.5, file.Find("graph.overhead.chain.1")!.Median);
        Assert.Equal("no SCHED_FIFO", file.Figures[1].Note);
        Assert.Null(file.Figures[0].Met);
    }

    [Theory]
    [InlineData("\"version\": 1", "\"version\": 2", "version: expected 1")]
    [InlineData("\"version\": 1,", "", "version: expected a whole number, but it is missing")]
    [InlineData("\"bench\": \"graph\"", "\"bench\": 7", "bench: expected a text, not 7")]
    [InlineData("\"bench\": \"graph\"", "\"bench\": \"\"", "bench: expected a name")]
    [InlineData("\"bench\"", "\"banch\"", "banch: expected one of version, bench, machine, options, figures; there is no such field")]
    [InlineData("\"cores\": 6", "\"cores\": 0", "machine.cores: expected 1 to 65536, not 0")]
    [InlineData("\"cores\": 6", "\"cores\": 6.5", "machine.cores: expected a whole number, not 6.5")]
    [InlineData("\"realTime\": true", "\"realTime\": \"yes\"", "machine.realTime: expected true or false, not \"yes\"")]
    [InlineData("2026-01-31T20:15:00Z", "31.1.2026", "machine.date: expected yyyy-MM-ddTHH:mm:ssZ in UTC, not '31.1.2026'")]
    [InlineData("\"seconds\": 60", "\"seconds\": [60]", "options.seconds: expected a text, a number or a truth value, not [60]")]
    [InlineData("\"seconds\": 60", "\"pin\": 60", "options.pin: expected an option that stands once, not 60")]
    [InlineData("\"better\": \"less\"", "\"better\": \"fewer\"", "figures[0].better: expected less, more or none, not \"fewer\"")]
    [InlineData("[12.5, 11, 13e0]", "[12.5, \"11\"]", "figures[0].values[1]: expected a finite number, not \"11\"")]
    [InlineData("[12.5, 11, 13e0]", "[1e999]", "figures[0].values[0]: expected a finite number, not 1e999")]
    [InlineData("[12.5, 11, 13e0]", "[]", "figures[0].values: expected one a run, or a note")]
    [InlineData("[12.5, 11, 13e0]", "12.5", "figures[0].values: expected an array, not 12.5")]
    [InlineData("\"unit\": \"ns\"", "\"unit\": null", "figures[0].unit: expected a text, not null")]
    [InlineData("graph.overhead.chain.1", "graph overhead", "figures[0].name: expected 1 to 200 of letters, digits")]
    [InlineData("graph.overhead.chain.1", "wake.p99.9", "figures[1].name: expected names that stand once, 'wake.p99.9' stands twice")]
    [InlineData("\"target\": null", "\"target\": \"none\"", "figures[0].target: expected a finite number, not \"none\"")]
    [InlineData("\"note\": \"\"", "\"note\": 3", "figures[0].note: expected a text, not 3")]
    [InlineData("{ \"version\"", "[ \"version\"", "expected JSON")]
    public void A_mistake_is_named_by_file_place_and_what_was_expected(string right, string wrong, string message)
    {
        var at = ByHand.IndexOf(right, StringComparison.Ordinal);
        Assert.True(at >= 0);
        var text = string.Concat(ByHand.AsSpan(0, at), wrong, ByHand.AsSpan(at + right.Length));
        Assert.Contains("x.json: " + message, Assert.Throws<InvalidDataException>(() => Parse(text)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_bytes_there_are_they_are_read_or_refused_and_nothing_else_happens()
    {
        var random = new Random(11);
        var bytes = Encoding.UTF8.GetBytes(ByHand);
        for (var length = 0; length < bytes.Length - 1; length++) Refused(bytes[..length]);
        var (read, refused) = (0, 0);
        for (var i = 0; i < 20_000; i++)
        {
            var damaged = bytes.ToArray();
            for (var n = random.Next(1, 5); n > 0; n--)
            {
                var at = random.Next(damaged.Length);
                damaged[at] = random.Next(3) switch { 0 => (byte)random.Next(256), 1 => (byte)"{}[]\",:0e-\\"[random.Next(11)], _ => (byte)(damaged[at] ^ (1 << random.Next(8))) };
            }

            try
            {
                var file = BenchFile.Parse(damaged, "x.json");
                _ = BenchFile.Parse(file.ToUtf8(), "again"); // what is read can be written
                read++;
            }
            catch (InvalidDataException e)
            {
                Assert.StartsWith("x.json: ", e.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
        }

        Assert.True(read > 100 && refused > 1000, $"{read} read, {refused} refused: the damage is too great or too small to try anything");
    }

    [Fact]
    public void Whatever_value_stands_in_whatever_field_it_is_read_or_refused()
    {
        string[] values = ["null", "true", "0", "-1", "1e308", "9007199254740993", "18446744073709551616", "0.1", "\"\"", "\"x\"", "\"\\u0000\"", "\"\\ud800\"", "[]", "{}", "[[]]", "[null]", "{\"a\":{}}"];
        var paths = new List<Func<JsonNode, (JsonNode Parent, string Key)>>();
        foreach (var top in new[] { "version", "bench", "machine", "options", "figures" }) paths.Add(n => (n, top));
        foreach (var m in new[] { "date", "cpu", "cores", "kernel", "governor", "virtual", "memoryBytes", "board", "realTime", "ssp" }) paths.Add(n => (n["machine"]!, m));
        foreach (var f in new[] { "name", "unit", "better", "values", "target", "note" }) paths.Add(n => (n["figures"]![0]!, f));
        foreach (var path in paths)
        {
            foreach (var value in values)
            {
                var node = JsonNode.Parse(ByHand)!;
                var (parent, key) = path(node);
                parent[key] = "HERE";
                var text = node.ToJsonString().Replace("\"HERE\"", value, StringComparison.Ordinal);
                try
                {
                    var file = Parse(text);
                    _ = BenchFile.Parse(file.ToUtf8(), "again");
                }
                catch (InvalidDataException e)
                {
                    Assert.StartsWith("x.json: ", e.Message, StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public void What_could_not_be_read_again_is_not_written_and_leaves_nothing_behind()
    {
        var directory = Directory.CreateTempSubdirectory("ssp-bench-").FullName;
        var path = Path.Combine(directory, "r.json");
        Sample().Write(path);
        var before = File.ReadAllText(path);
        var bad = Sample();
        bad.Figures.Add(new BenchFigure { Name = "nan", Unit = "ns", Values = [1, double.NaN] });
        Assert.Contains("figures[1].values[1]: expected a finite number", Assert.Throws<InvalidDataException>(() => bad.Write(path)).Message, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFileSystemEntries(directory));
        Assert.Equal("one", BenchFile.Read(path).Figures[0].Name);
        Assert.ThrowsAny<IOException>(() => Sample().Write(directory)); // a folder is in the way
        Assert.ThrowsAny<IOException>(() => Sample().Write(Path.Combine(directory, "none", "r.json")));
        Assert.ThrowsAny<IOException>(() => Sample().Write("/dev/null")); // root would replace it by a file
        Assert.Equal(0, new FileInfo("/dev/null").Length);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void A_median_is_the_middle_and_a_target_is_met_by_its_direction()
    {
        static BenchFigure Of(BenchBetter better, double? target, params double[] values) => new() { Name = "f", Unit = "1", Better = better, Target = target, Values = values };
        Assert.Equal(2.5, Of(BenchBetter.Less, null, 4, 1, 2, 3).Median);
        Assert.Equal(double.MaxValue, Of(BenchBetter.Less, null, double.MaxValue, double.MaxValue).Median); // and no overflow
        Assert.True(Of(BenchBetter.Less, 2, 1, 2, 3).Met);
        Assert.False(Of(BenchBetter.More, 2.1, 1, 2, 3).Met);
        Assert.Null(Of(BenchBetter.None, 2, 1, 2, 3).Met);
        Assert.Null(Of(BenchBetter.More, 2).Met);
    }

    private static void Refused(byte[] bytes) => Assert.StartsWith("x.json: ", Assert.Throws<InvalidDataException>(() => BenchFile.Parse(bytes, "x.json")).Message, StringComparison.Ordinal);

    private static BenchFile Parse(string text) => BenchFile.Parse(Encoding.UTF8.GetBytes(text), "x.json");

    private static BenchFile Sample() => new()
    {
        Bench = "test",
        Machine = BenchMachine.Read(),
        Options = new(StringComparer.Ordinal) { ["seconds"] = "60" },
        Figures = [new BenchFigure { Name = "one", Unit = "ns", Values = [1, 2, 3] }],
    };
}
