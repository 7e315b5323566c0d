// ssp bench on the native programs, in short forms: what is measured and written down, found by cables of known length, compared and refused.
using System.Globalization;
using System.Text.Json.Nodes;
using SspHost.TestCards;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed class BenchTests : IDisposable
{
    private readonly Runtime _runtime = new();

    public void Dispose() => _runtime.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(333)]
    public async Task A_round_trip_is_the_buffer_and_a_cable_of_known_length(int cable)
    {
        var outcome = await Bench("latency", "--cable", cable.ToString(CultureInfo.InvariantCulture), "--sizes", "32,48,256", "--quanta", "32,128", "--seconds", "8", "--out", _runtime.File("l.json"));
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var file = JsonNode.Parse(File.ReadAllText(_runtime.File("l.json")))!;
        Assert.Equal("latency", (string?)file["bench"]);
        // Four periods; as many more as hold two quanta where those are not enough.
        foreach (var (period, quantum, buffer) in ((int, int, int)[])[(32, 32, 128), (32, 128, 256), (48, 32, 192), (48, 128, 288), (256, 32, 1024), (256, 128, 1024)])
        {
            Assert.Equal(buffer + cable, Value(file, $"latency.sim.{period}.{quantum}.frames.p50"));
            Assert.Equal(cable, Value(file, $"latency.sim.{period}.{quantum}.beyond-buffer.p50"));
        }
    }

    [Fact]
    public async Task On_a_sound_card_the_round_trip_is_the_buffer_and_what_the_converters_take()
    {
        using var bench = new CardBench();
        bench.Card.Loop = 1;
        bench.Card.Stepped = 1;
        var outcome = await Executables.Run(
            Executables.Ssp, bench.Runtime.Directory, "bench", "latency", "--device", "alsa:bench", "--out", bench.Runtime.File("l.json"), "--sizes", "64,256", "--quanta", "32,64", "--seconds", "4");
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var file = JsonNode.Parse(File.ReadAllText(bench.Runtime.File("l.json")))!;
        foreach (var period in new[] { 64, 256 })
            foreach (var quantum in new[] { 32, 64 })
                Assert.Equal(TestCardFrames, Value(file, $"latency.alsa.{period}.{quantum}.beyond-buffer.p50"));
    }

    // What sspcard.c takes from playback to capture: its cable, said there.
    private const double TestCardFrames = 16;

    [Fact]
    public async Task Every_figure_of_several_runs_stands_in_the_file_and_compares_with_itself_as_the_same()
    {
        var outcome = await Bench("graph", "--seconds", "1", "--runs", "2", "--pin", "0", "--out", _runtime.File("g.json"));
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var file = JsonNode.Parse(File.ReadAllText(_runtime.File("g.json")))!;
        Assert.Equal("0", (string?)file["options"]!["pin"]);
        foreach (var shape in new[] { "chain", "wide", "diamonds", "random" })
        {
            for (var threads = 1; threads <= 4; threads++)
            {
                Assert.Equal(2, Figure(file, $"graph.overhead.{shape}.{threads}.p50")["values"]!.AsArray().Count);
                Assert.All(Figure(file, $"graph.over-ideal.{shape}.{threads}.p50")["values"]!.AsArray(), v => Assert.InRange((double)v!, double.Epsilon, double.MaxValue)); // a number, however noisy
            }
        }

        outcome = await Bench("compare", _runtime.File("g.json"), _runtime.File("g.json"));
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("0 worse, 0 better", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("with too few runs", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_module_costs_is_kept_for_this_machine_and_not_believed_on_another()
    {
        var outcome = await Bench("modules", "--module", "vco", "--quick");
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.Contains("1 costs kept in ", outcome.Output, StringComparison.Ordinal);
        var costs = Directory.EnumerateFiles(_runtime.Directory, "costs.json", SearchOption.AllDirectories).Single();
        var shown = await Executables.Run(Executables.Ssp, _runtime.Directory, "modules", "vco");
        Assert.Contains("  cost ", shown.Output, StringComparison.Ordinal);
        var node = JsonNode.Parse(File.ReadAllText(costs))!;
        node["machine"] = "another board";
        File.WriteAllText(costs, node.ToJsonString());
        shown = await Executables.Run(Executables.Ssp, _runtime.Directory, "modules", "vco");
        Assert.DoesNotContain("  cost ", shown.Output, StringComparison.Ordinal);
        Assert.Contains("they are of another machine (another board)", shown.Error, StringComparison.Ordinal);

        File.Delete(costs);
        outcome = await Bench("modules", "--module", "vco", "--quick", "--no-save");
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        Assert.False(File.Exists(costs));
    }

    [Fact]
    public async Task A_capacity_is_what_held_and_whatever_was_larger_did_not()
    {
        var outcome = await Bench("capacity", "--seconds", "2", "--late", "100", "--voices", "24", "--json", "--out", _runtime.File("c.json"));
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var report = JsonNode.Parse(outcome.Output)!;
        var file = JsonNode.Parse(File.ReadAllText(_runtime.File("c.json")))!;
        var best = report["best"];
        var voices = (int?)best?["voices"] ?? 0;
        Assert.Equal(voices, Value(file, "capacity.voices"));
        Assert.Contains("100 late blocks allowed", (string)Figure(file, "capacity.modules")["note"]!, StringComparison.Ordinal);
        if (best != null)
        {
            Assert.InRange((int)best["late"]!, 0, 100);
            Assert.Equal(2, (double)best["seconds"]!);
            Assert.InRange((double)best["load"]!, 1e-4, 1.2);
            Assert.Equal((int)best["modules"]!, Value(file, "capacity.modules"));
        }

        Assert.All(report["trials"]!.AsArray(), t => Assert.InRange((int)t!["voices"]!, 1, 24));
        Assert.Equal(voices == 24, (bool)report["limit"]!);
        // Nothing larger held at the full length (which is 100 late ones; the second of a short trial has fifty), and something larger was too much.
        var larger = report["trials"]!.AsArray().Where(t => (int)t!["voices"]! > voices).ToList();
        Assert.All(larger.Where(t => (double)t!["seconds"]! == 2), t => Assert.True((int)t!["late"]! > 100, t.ToJsonString()));
        Assert.True((bool)report["limit"]! || larger.Exists(t => (int)t!["late"]! > ((double)t["seconds"]! < 2 ? 50 : 100)), report.ToJsonString());
    }

    [Fact]
    public async Task Waking_is_measured_and_cyclictest_beside_it_where_it_is_installed()
    {
        var outcome = await Bench("wake", "--seconds", "1", "--out", _runtime.File("w.json"));
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        var file = JsonNode.Parse(File.ReadAllText(_runtime.File("w.json")))!;
        Assert.True(Value(file, "wake.fifo.p50") > 0);
        var ratio = Figure(file, "wake.fifo-over-cyclictest.p99.9");
        if (File.Exists("/usr/bin/cyclictest")) Assert.True((double)ratio["values"]![0]! > 0);
        else Assert.Contains("rt-tests", (string)ratio["note"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "--pin: core 1000: not one this process may use", "graph", "--pin", "1000")]
    [InlineData(1, "--pin: expected different core numbers such as 2,3 or 2-4", "graph", "--pin", "1,1")]
    [InlineData(1, "--runs: expected a whole number from 1 to 1000, not '0'", "heap", "--runs", "0")]
    [InlineData(1, "--seconds: expected with graph, wake, latency, capacity, all only", "heap", "--seconds", "3")]
    [InlineData(1, "--voices: expected a whole number from 1 to", "capacity", "--voices", "0")]
    [InlineData(1, "--voices: expected with capacity, all only", "graph", "--voices", "5")]
    [InlineData(1, "there is no such directory", "heap", "--out", "/nowhere/at/all.json")]
    [InlineData(1, "--device: expected sim or alsa:NAME, not 'wav:a,b'", "capacity", "--device", "wav:a,b")]
    [InlineData(2, "bench compare: expected two files of results, not 0", "compare")]
    [InlineData(2, "bench latency: cannot use '--periods 1'", "latency", "--periods", "1")]
    public async Task What_cannot_be_meant_is_one_clear_error(int code, string message, params string[] arguments)
    {
        var outcome = await Bench(arguments);
        Assert.True(outcome.ExitCode == code, outcome.ToString());
        Assert.Contains(message, outcome.Error, StringComparison.Ordinal);
    }

    private Task<Outcome> Bench(params string[] arguments) => Executables.Run(Executables.Ssp, _runtime.Directory, ["bench", .. arguments]);

    private static JsonNode Figure(JsonNode file, string name) =>
        file["figures"]!.AsArray().SingleOrDefault(f => (string?)f!["name"] == name) ?? throw new InvalidDataException($"no figure {name} in {file}");

    private static double Value(JsonNode file, string name) => (double)(Figure(file, name)["values"]!.AsArray().FirstOrDefault() ?? throw new InvalidDataException($"{name}: {Figure(file, name)["note"]}"));
}
