// The gate: four patches, rendered offline under callgrind, cost what they were accepted with.
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Xunit.Abstractions;

namespace SspHost.Gate.Tests;

/// <summary>
/// <c>instructions.json</c> holds the counts; <c>SSP_UPDATE=1</c> with the reason in <c>SSP_NOTE</c> accepts what is counted now (<c>make gate</c> does it:
/// docs/gate.md). No time is asserted: instructions are the same however busy a machine is.
/// </summary>
public class GateTests(ITestOutputHelper output)
{
    private const string Accepted = "tests/SspHost.Gate.Tests/instructions.json";

    // Two runs of one render differ by what a clock that turns a second costs; a branch more a quantum would be a hundred times that.
    private const double Repeats = 0.0001;
    private const string Planted = "planted";
    private const int FunctionsShown = 12;

    // Between them: oscillators, filters, envelopes, modulation, a sequencer, dynamics, delays, a room, logic. Not one with samples: while the steward
    // looks for their slices the module that asked does not sleep, and how many quanta that takes is chance.
    private static readonly string[] Patches = ["acid-line", "breathing-storm", "folded-garden", "slow-drone"];
    private static readonly ParallelOptions AtOnce = new() { MaxDegreeOfParallelism = 2 };
    private static readonly Lazy<SortedDictionary<string, PatchCount>> Counts = new(CountAll);

    [CountingFact]
    public void Four_patches_cost_the_instructions_they_were_accepted_with()
    {
        var counts = Counts.Value;
        var table = Table(counts);
        File.WriteAllText(Path.Combine(Machine.Root, "artifacts/gate/instructions.txt"), table);
        output.WriteLine(table);
        var file = Path.Combine(Machine.Root, Accepted);
        if (Environment.GetEnvironmentVariable("SSP_UPDATE") == "1") Update(file, counts);
        var complaints = Read(file).Complaints(counts.ToDictionary(static c => c.Key, static c => c.Value.PerFrame)).ToList();
        Assert.True(complaints.Count == 0, $"{string.Join('\n', complaints)}\nIf it is meant to be so: make gate ARGS=--accept NOTE=\"why\" (docs/gate.md)\n{table}");
    }

    [Fact]
    public void Every_accepted_count_has_a_note_and_none_was_changed_afterwards()
    {
        var accepted = Read(Path.Combine(Machine.Root, Accepted));
        Assert.Equal(Patches, accepted.Patches.Keys);
        Assert.Empty(accepted.Flaws());
        Assert.Equal(Machine.InstructionSet(), accepted.InstructionSet);
        var (before, from) = History.Before(Machine.Root, Accepted);
        output.WriteLine(before == null ? $"not compared with an earlier file: {from}" : $"compared with the file of {from}");
        if (before != null) Assert.Empty(accepted.Rewritten(AcceptedCounts.Parse(before)));
    }

    [CountingFact]
    public void A_render_counts_the_same_twice()
    {
        var again = new long[Patches.Length];
        Parallel.For(0, Patches.Length, AtOnce, p => again[p] = Counting.Render(Patches[p], Counting.ShortFrames).Total);
        Assert.All(Patches.Zip(again), pair =>
        {
            var first = Counts.Value[pair.First].Brief.Total;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{pair.First}: {first} and {pair.Second}"));
            Assert.InRange(pair.Second, first * (1 - Repeats), first * (1 + Repeats));
        });
    }

    [CountingFact]
    public void One_envelope_more_does_not_pass()
    {
        var patch = JsonNode.Parse(File.ReadAllText(Path.Combine(Machine.Root, "patches", Patches[0] + ".json")))!;
        var (modules, cables) = (patch["modules"]!.AsArray(), patch["cables"]!.AsArray());
        var twin = modules.First(static m => m!["type"]!.GetValue<string>() == "adsr")!;
        var more = twin.DeepClone();
        more["id"] = Planted;
        modules.Add(more);
        foreach (var end in new[] { "from", "to" })
        {
            foreach (var cable in cables.Where(c => ((string)c![end]!).StartsWith((string)twin["id"]! + ".", StringComparison.Ordinal)).ToList())
            {
                var another = cable!.DeepClone();
                another[end] = Planted + ((string)cable[end]!)[((string)twin["id"]!).Length..];
                cables.Add(another);
            }
        }

        var file = Path.Combine(Machine.Root, "artifacts/gate", Planted + ".json");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, patch.ToJsonString());
        var planted = Counting.Count(file).PerFrame;
        var accepted = new AcceptedCounts { Patches = { [Patches[0]] = Read(Path.Combine(Machine.Root, Accepted)).Patches[Patches[0]] } };
        var told = Assert.Single(accepted.Complaints(new Dictionary<string, double> { [Patches[0]] = planted }));
        output.WriteLine(told);
        Assert.True(planted > accepted.Patches[Patches[0]][^1].PerFrame, told);
    }

    private static SortedDictionary<string, PatchCount> CountAll()
    {
        var counts = new SortedDictionary<string, PatchCount>(StringComparer.Ordinal);
        Parallel.ForEach(Patches, AtOnce, patch =>
        {
            var count = Counting.Count(patch);
            lock (counts) counts.Add(patch, count);
        });
        return counts;
    }

    private static AcceptedCounts Read(string file) => AcceptedCounts.Parse(File.ReadAllText(file));

    private static void Update(string file, SortedDictionary<string, PatchCount> counts)
    {
        var note = (Environment.GetEnvironmentVariable("SSP_NOTE") ?? "").Trim();
        Assert.True(note.Length >= AcceptedCounts.ShortestNote, $"why are other counts to be accepted? Say it in SSP_NOTE, in {AcceptedCounts.ShortestNote} letters and more");
        var accepted = File.Exists(file) ? Read(file) : new AcceptedCounts();
        accepted.InstructionSet = Machine.InstructionSet();
        foreach (var (patch, count) in counts) accepted.Accept(patch, count, $"{Machine.Compiler()}, {Counting.Counter}", note);
        File.WriteAllText(file, accepted.Write());
    }

    private static string Table(SortedDictionary<string, PatchCount> counts)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"instructions, {Machine.InstructionSet()}, {Machine.Compiler()}, {Counting.Counter}\n");
        foreach (var (patch, count) in counts)
        {
            text.Append(CultureInfo.InvariantCulture, $"{patch,-20} {count.PerFrame,10:0.0} a frame   {count.Long.Total,12} of {Counting.LongFrames} frames\n");
            foreach (var (function, own) in count.Long.Functions.OrderByDescending(static f => f.Value).Take(FunctionsShown))
                text.Append(CultureInfo.InvariantCulture, $"    {(double)own / Counting.LongFrames,8:0.0}  {own / (double)count.Long.Total,6:0.0 %}  {Plain(function)}\n");
        }

        return text.ToString();
    }

    // As ILC mangles it: assembly and namespaces in front of every type.
    private static string Plain(string name) => Namespaces.Replace(name, "").Replace("__", ".", StringComparison.Ordinal);

    private static readonly System.Text.RegularExpressions.Regex Namespaces = new("SspHost_[A-Za-z]+_SspHost_[A-Za-z]+_(?:(?:Graph|Audio|Memory|Service|Probes|Threads|Loading|Events)_)?");
}
