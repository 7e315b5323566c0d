// A stall as it is told: one line for a player, the rest below for engineers.
using System.Text;
using SspHost.Abi;

namespace SspHost.Diagnostics.Stalls;

/// <summary>What a stall is called by besides what was recorded.</summary>
/// <param name="Module">Name of the module in the patch; null: in none, or not known.</param>
/// <param name="Type">Id of its type, such as "ladder".</param>
/// <param name="QuantumNanoseconds">Length of a quantum; 0: not known.</param>
/// <param name="PreemptedBy">Who had the core, where the kernel's trace tells; null: not known.</param>
public readonly record struct StallContext(string? Module, string? Type, double QuantumNanoseconds, string? PreemptedBy = null);

/// <summary>Words and figures of one stall.</summary>
public sealed class StallReport
{
    private StallReport(StallVerdict verdict, string text, IReadOnlyList<string> detail, IReadOnlyDictionary<string, long> figures) =>
        (Verdict, Text, Detail, Figures) = (verdict, text, detail, figures);

    public StallVerdict Verdict { get; }

    /// <summary>One line.</summary>
    public string Text { get; }

    /// <summary>Looks, counters and frames, a line each.</summary>
    public IReadOnlyList<string> Detail { get; }

    /// <summary>Figures by name.</summary>
    public IReadOnlyDictionary<string, long> Figures { get; }

    /// <summary>Finds names and verdict.</summary>
    public static StallReport Of(in StallRecord record, in StallContext context, StackNames names)
    {
        var looks = new List<IReadOnlyList<StallFrame>>();
        for (var k = 0; k < Looks(in record); k++) looks.Add(Frames(in record, k, names));
        var verdict = StallVerdict.Of(in record, looks);
        return new StallReport(verdict, Line(in record, in context, in verdict), Details(in record, looks, names), FiguresOf(in record, in verdict));
    }

    private static unsafe List<StallFrame> Frames(in StallRecord record, int look, StackNames names)
    {
        var frames = new List<StallFrame>();
        for (var f = 0; f < Math.Clamp(record.FrameCounts[look], 0, StallRecord.Frames); f++)
            frames.Add(names.Find(record.Addresses[(look * StallRecord.Frames) + f], isReturn: f > 0));
        return frames;
    }

    private static string Line(in StallRecord r, in StallContext c, in StallVerdict v)
    {
        var who = r.Key == 0 ? r.Seat == 0 ? "the audio thread" : Words($"worker {r.Seat}") : $"'{c.Module ?? "a module that left"}'{(c.Type != null ? $" ({c.Type})" : "")}";
        var at = v.At is { } frame ? frame.Words : null;
        var what = v.Cause switch
        {
            StallCause.Spinning => $"{who} spinning{(at != null ? $" in {at}" : "")}",
            StallCause.Blocked => $"{who} blocked in {v.Call ?? "the kernel"}{Owner(in r)}{(at != null ? $", called from {at}" : "")}",
            StallCause.Preempted => $"{who} preempted{(c.PreemptedBy != null ? $" by {c.PreemptedBy}" : Words($"{(r.Core >= 0 ? Words($" on core {r.Core}") : "")} (by whom is not known: the kernel's switches were not traced)"))}{(at != null ? $", in {at}" : "")}",
            StallCause.PageFault => $"{who} waiting for its memory (page faults: {r.MajorFaults} from disk, {r.MinorFaults} minor){(at != null ? $" in {at}" : "")}",
            StallCause.Stopped when r.SampleCount <= 0 => Words($"the whole engine stood still for {r.Window / 1e6:0.0} ms: it was stopped, or its machine was"),
            StallCause.Stopped => $"{who} stopped from outside (a debugger, or a signal){(at != null ? $" in {at}" : "")}",
            _ => $"{who} late for a reason the looks do not show{(at != null ? $", seen in {at}" : "")}",
        };
        var sure = v.Confidence >= 0.99 ? "" : Words($" ({v.Confidence * Looks(in r):0} of {Looks(in r)} looks agree)");
        if (v.Cause == StallCause.Stopped && r.SampleCount <= 0) return what;
        var quanta = c.QuantumNanoseconds > 0 ? Words($"; {r.Elapsed / c.QuantumNanoseconds:0.#} quanta since it began") : "";
        return what + Words($", for {r.Elapsed / 1e6:0.0} ms{quanta}") + sure;
    }

    private static int Looks(in StallRecord r) => Math.Clamp(r.SampleCount, 0, StallRecord.Samples);

    private static string Owner(in StallRecord r) =>
        r.Owner == 0 ? "" : r.Owner == r.Tid ? " (a mutex that it holds itself)" : Words($" (a mutex held by thread {r.Owner})");

    private static unsafe List<string> Details(in StallRecord r, List<IReadOnlyList<StallFrame>> looks, StackNames names)
    {
        var lines = new List<string>
        {
            Words($"thread {r.Tid}, seat {r.Seat}, core {r.Core}; quantum {r.Quantum}, {r.Elapsed} ns since it began, {r.Budget} ns allowed"),
            Words($"over {r.Window} ns: computed {r.CpuTime} ns, ready without a core {r.RunDelay} ns, faults {r.MinorFaults} minor {r.MajorFaults} major, switches {r.VoluntarySwitches} of its own {r.Preemptions} by others"),
        };
        if (r.SystemCall >= 0) lines.Add(Words($"in {SystemCalls.NameOf(r.SystemCall)} (number {r.SystemCall}, first argument {r.Argument:x}){(r.Owner != 0 ? Words($", mutex owner {r.Owner}") : "")}"));
        fixed (byte* wait = r.Wait)
        {
            var text = new ReadOnlySpan<byte>(wait, 32);
            var end = text.IndexOf((byte)0);
            if (end > 0) lines.Add("waits in the kernel's " + string.Concat(Encoding.ASCII.GetString(text[..end]).Select(static c => char.IsControl(c) ? '?' : c)));
        }

        for (var k = 0; k < looks.Count; k++)
        {
            var state = (char)(byte)(r.States >> (8 * k));
            lines.Add(Words($"look {k + 1}: state {(char.IsAsciiLetter(state) ? state : '?')}{(looks[k].Count == 0 ? ", no walk" : "")}"));
            foreach (var frame in looks[k]) lines.Add("  " + frame);
        }

        if (names.Trouble is { } trouble) lines.Add("no names of the engine's functions: " + trouble);
        return lines;
    }

    private static Dictionary<string, long> FiguresOf(in StallRecord r, in StallVerdict v) => new(StringComparer.Ordinal)
    {
        ["nanoseconds"] = Exact(r.Elapsed),
        ["budget"] = Exact(r.Budget),
        ["seat"] = r.Seat,
        ["thread"] = r.Tid,
        ["window"] = Exact(r.Window),
        ["computed"] = Exact(r.CpuTime),
        ["runDelay"] = Exact(r.RunDelay),
        ["minorFaults"] = r.MinorFaults,
        ["majorFaults"] = r.MajorFaults,
        ["voluntarySwitches"] = r.VoluntarySwitches,
        ["preemptions"] = r.Preemptions,
        ["owner"] = r.Owner,
        ["looks"] = r.SampleCount,
        ["confidence"] = (long)Math.Round(v.Confidence * 100),
    };

    private static long Exact(ulong value) => (long)Math.Min(value, 1UL << 53);

    private static string Words(FormattableString text) => FormattableString.Invariant(text);
}
