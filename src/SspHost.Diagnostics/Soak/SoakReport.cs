// What a soak found out: the whole and each phase, the blocks that were late and why, and whether that is good enough.
using System.Globalization;
using System.Text;
using System.Text.Json.Serialization;
using SspHost.Abi;

namespace SspHost.Diagnostics.Soak;

/// <summary>The whole soak, or all turns of one phase.</summary>
public sealed record SoakPart
{
    public required string Name { get; init; }

    /// <summary>Times it had its turn, and seconds of them together.</summary>
    public int Turns { get; init; }

    /// <inheritdoc cref="Turns"/>
    public double Seconds { get; init; }

    /// <summary>Blocks whose load was kept, and those whose load was not.</summary>
    public long Blocks { get; init; }

    /// <inheritdoc cref="Blocks"/>
    public long Missing { get; init; }

    /// <summary>Blocks that took longer than they last; that lost frames; that did one or the other, and the rows of those.</summary>
    public long Late { get; init; }

    /// <inheritdoc cref="Late"/>
    public long Lost { get; init; }

    /// <inheritdoc cref="Late"/>
    public long Bad { get; init; }

    /// <inheritdoc cref="Late"/>
    public long BadRuns { get; init; }

    /// <summary>Dropouts as the engine counted them: several may fall between two blocks.</summary>
    public long Dropouts { get; init; }

    /// <summary>Loads, 1 = all the time a block has: the worst and quantiles; 4 stands for all beyond.</summary>
    public double Worst { get; init; }

    /// <inheritdoc cref="Worst"/>
    public double P50 { get; init; }

    /// <inheritdoc cref="Worst"/>
    public double P99 { get; init; }

    /// <inheritdoc cref="Worst"/>
    public double P999 { get; init; }

    /// <inheritdoc cref="Worst"/>
    public double P9999 { get; init; }

    /// <summary>Number of the worst block, and when it was rendered (ISO 8601, UTC; within 0.1 s).</summary>
    public ulong WorstBlock { get; init; }

    /// <inheritdoc cref="WorstBlock"/>
    public string WorstTime { get; init; } = "";

    /// <summary>Wake-ups in us: the worst, and 99.9 %.</summary>
    public double WakeWorst { get; init; }

    /// <inheritdoc cref="WakeWorst"/>
    public double WakeP999 { get; init; }

    /// <summary>What the phase did, by what was counted; empty of the whole.</summary>
    public IReadOnlyDictionary<string, long> Did { get; init; } = new Dictionary<string, long>();

    /// <summary>The figures of a tally.</summary>
    public SoakPart With(LoadTally t) => this with
    {
        Blocks = t.Blocks, Missing = t.Missing, Late = t.Late, Lost = t.Lost, Bad = t.Bad, BadRuns = t.BadRuns, Worst = Load(t.Worst), WorstBlock = t.WorstBlock,
        P50 = Load(t.Quantile(0.5)), P99 = Load(t.Quantile(0.99)), P999 = Load(t.Quantile(0.999)), P9999 = Load(t.Quantile(0.9999)),
    };

    private static double Load(int units) => units < 0 ? 0 : Math.Round(units / (double)BlockLoad.One, 5);
}

/// <summary>A row of blocks that were late or lost frames.</summary>
/// <param name="Block">Number of the first.</param>
/// <param name="Length">How many.</param>
/// <param name="Worst">Largest load among them.</param>
/// <param name="Lost">How many of them lost frames.</param>
/// <param name="Time">When, within 0.1 s.</param>
/// <param name="Cause">Why, as far as the engine and the watchdog told: the word of an incident.</param>
/// <param name="Told">The incident in a sentence; empty where none belongs to it.</param>
public sealed record LateBlocks(ulong Block, long Length, double Worst, long Lost, string Phase, string Time, string Cause, string Told);

/// <summary>How good that is.</summary>
/// <param name="Rate">Late blocks a block, as it came.</param>
/// <param name="Bound">What the rate is at most, with <see cref="LateBound.Confidence"/> (<see cref="LateBound"/>).</param>
/// <param name="Limit">What was to be shown.</param>
/// <param name="HoursBetween">At most one late block in so many hours of playing.</param>
/// <param name="Why">Why it did not pass; empty: it did.</param>
public sealed record SoakVerdict(double Rate, double Bound, double Limit, double HoursBetween, bool Passed, string Why)
{
    /// <summary>Judges blocks that last <paramref name="blockSeconds"/>. <paramref name="trouble"/>: what went wrong besides, or null.</summary>
    public static SoakVerdict Judge(long bad, long blocks, long missing, double blockSeconds, double limit, string? trouble)
    {
        // What was not seen may have been late: no bound below it is claimed.
        var bound = blocks == 0 ? 1 : LateBound.Upper(Math.Min(bad + missing, blocks + missing), blocks + missing);
        var fewest = LateBound.FewestBlocks(limit);
        var why = trouble ?? (bound < limit ? ""
            : bad + missing == 0 && blocks < fewest ? string.Create(CultureInfo.InvariantCulture, $"too short to tell: even without a late block it takes {fewest:0} blocks ({fewest * blockSeconds / 60:0.#} minutes) to show a rate below {limit:0.##e-0}")
            : "blocks may be late more often than they should");
        return new SoakVerdict(blocks == 0 ? 0 : bad / (double)blocks, bound, limit, blockSeconds / bound / 3600, why.Length == 0, why);
    }
}

/// <summary>What `ssp soak --json` prints.</summary>
public sealed record SoakReport
{
    public int Version { get; init; } = 1;

    public required string Patch { get; init; }

    public required int Modules { get; init; }

    /// <summary>"Simulated", "Alsa".</summary>
    public required string Card { get; init; }

    public required int Rate { get; init; }

    public required int Quantum { get; init; }

    public required int Period { get; init; }

    public required int Periods { get; init; }

    public required int Threads { get; init; }

    public required bool RealTime { get; init; }

    /// <summary>Blocks the engine rendered, by its own count.</summary>
    public required long Rendered { get; init; }

    public required SoakPart Whole { get; init; }

    public required IReadOnlyList<SoakPart> Phases { get; init; }

    /// <summary>The first thousand rows of late blocks, and how many more there were.</summary>
    public required IReadOnlyList<LateBlocks> Runs { get; init; }

    /// <inheritdoc cref="Runs"/>
    public long MoreRuns { get; init; }

    /// <summary>Times the engine had to be started again.</summary>
    public int Restarts { get; init; }

    /// <summary>Anonymous memory in bytes after the first turn of all phases (or at the start) and at the end.</summary>
    public long EngineBytesBefore { get; init; }

    /// <inheritdoc cref="EngineBytesBefore"/>
    public long EngineBytesAfter { get; init; }

    /// <inheritdoc cref="EngineBytesBefore"/>
    public long ControlBytesBefore { get; init; }

    /// <inheritdoc cref="EngineBytesBefore"/>
    public long ControlBytesAfter { get; init; }

    /// <summary>File with the load of every block.</summary>
    public required string Loads { get; init; }

    public required SoakVerdict Verdict { get; init; }

    /// <summary>The report for people.</summary>
    public string Format()
    {
        var text = new StringBuilder();
        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
        Line($"'{Patch}', {Modules} modules, {Card}, {Rate} Hz, blocks of {Quantum}, {Periods} periods of {Period}, {Threads} thread{(Threads == 1 ? "" : "s")}{(RealTime ? "" : "; NO real-time privilege")}");
        Line($"{"% of a block",-14}{"s",8}{"blocks",11}{"late",7}{"lost",7}{"runs",7}{"p50",7}{"p99",7}{"p99.9",8}{"p99.99",8}{"worst",8}{"worst wake us",15}");
        foreach (var p in Phases.Append(Whole))
            Line($"{p.Name,-14}{p.Seconds,8:0}{p.Blocks,11}{p.Late,7}{p.Lost,7}{p.BadRuns,7}{p.P50 * 100,7:0.0}{p.P99 * 100,7:0.0}{p.P999 * 100,8:0.0}{p.P9999 * 100,8:0.0}{p.Worst * 100,8:0.0}{p.WakeWorst,15:0}");
        foreach (var p in Phases.Where(p => p.Did.Count > 0)) Line($"{p.Name}: {string.Join(", ", p.Did.Select(d => FormattableString.Invariant($"{d.Key} {d.Value}")))}");
        Line($"the worst: block {Whole.WorstBlock} at {Whole.WorstTime}");
        foreach (var r in Runs.OrderByDescending(r => r.Worst).Take(5)) Line($"  {r.Time} {r.Phase}: {r.Length} block{(r.Length == 1 ? "" : "s")} from {r.Block}, {r.Worst * 100:0.0} %, {r.Cause}{(r.Told.Length > 0 ? ": " + r.Told : "")}");
        if (Whole.Missing > 0) Line($"{Whole.Missing} blocks' loads were not kept: what they were is not known");
        Line($"memory: engine {EngineBytesBefore >> 20} to {EngineBytesAfter >> 20} MiB, control {ControlBytesBefore >> 20} to {ControlBytesAfter >> 20} MiB; loads of all blocks in {Loads}");
        Line($"late or lost: {Whole.Bad} of {Whole.Blocks} blocks in {Whole.BadRuns} runs; with 95 % confidence at most {Verdict.Bound:0.##e-0} of all blocks, one in {Time(Verdict.HoursBetween * 3600)}");
        Line($"to show: less than {Verdict.Limit:0.##e-0}: {(Verdict.Passed ? "passed" : $"NOT passed: {Verdict.Why}")}");
        return text.ToString();
    }

    private static string Time(double seconds) =>
        seconds < 120 ? FormattableString.Invariant($"{seconds:0.##} s") : seconds < 7200 ? FormattableString.Invariant($"{seconds / 60:0.#} minutes") : FormattableString.Invariant($"{seconds / 3600:0.#} hours");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(SoakReport))]
public sealed partial class SoakJson : JsonSerializerContext;
