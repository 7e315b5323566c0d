// What each kind of notice is called, what its figures are, and the sentence that tells it: one table.
using System.ComponentModel;
using System.Globalization;
using System.Text;
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>
/// The table, by the names of <see cref="NoticeKind"/>. A kind that is not in it is told by its name and its bare figures, so that an
/// engine that is newer than this program is still understood.
/// </summary>
public static class IncidentKinds
{
    private static readonly Dictionary<string, Row> Rows = new(StringComparer.Ordinal)
    {
        ["Late"] = new(["nanoseconds", "budget"], n => Text($"a quantum took {n.A / 1e6:0.00} ms of {n.B / 1e6:0.00} ms")) { Slow = true },
        ["Dropout"] = new(["frames"], n => Text($"{n.A} frames lost, {Cause((DropoutCause)n.B)}")) { CauseOf = n => WordOf((DropoutCause)n.B), Slow = true },
        ["BadOutput"] = new(["output"], n => n.A < 0
            ? "an output was not a number or beyond 1000 V; silenced and reset"
            : Text($"output {n.A + 1} was not a number or beyond {Limits.MaxVolts:0} V; silenced and reset")),
        ["ModuleShed"] = new(["reason", "detail"], n => Shed((ShedReason)n.A, n.B)) { CauseOf = n => WordOf((ShedReason)n.A) },
        ["HeapCalls"] = new(["calls"], n => n.Key == 0
            ? Text($"malloc was called on a real-time thread outside of any module, {n.A} times so far: a defect of the engine")
            : Text($"called malloc on a real-time thread, {n.A} times so far; it was served from the region, but another day it may be heard: a defect of the module")),
        ["DeviceEnded"] = new(["frames"], n => Text($"the recording is over after {n.A} frames")),
        ["DeviceLost"] = new(["errno"], n => $"the device was lost: {new Win32Exception((int)n.A).Message}"),
        ["DeviceAway"] = new(["errno"], n =>
            $"the device is away{(n.A == 0 ? "" : $" ({new Win32Exception((int)n.A).Message})")}; the patch plays on unheard until it is back"),
        ["DeviceRate"] = new(["rate", "before"], n => Text($"the device is back at {n.A} Hz instead of {n.B} Hz; it plays once it is started at that rate")),
        ["ClockJump"] = new(["nanoseconds"], n => n.A == 0
            ? "the device's timestamps stopped; nothing is lost by that"
            : Text($"the device's timestamps leapt by {n.A / 1e6:0.0} ms; nothing is lost by that")),
    };

    private static readonly Dictionary<string, string> Causes = new(StringComparer.Ordinal)
    {
        ["Unknown"] = "cause unknown",
        ["SlowRender"] = "a quantum was rendered too slowly",
        ["LateWakeUp"] = "the audio thread got its core too late",
        ["Device"] = "reported by the device",
        ["Unplugged"] = "the device was away and is back",
        ["Drift"] = "capture and playback drift apart",
    };

    /// <summary>The kind as JSON has it: "deviceLost".</summary>
    public static string WordOf<T>(T value) where T : struct, Enum => Enum.GetName(value) is { } name ? char.ToLowerInvariant(name[0]) + name[1..] : Text($"{value:D}");

    /// <summary>The cause of a dropout in a sentence.</summary>
    public static string Cause(DropoutCause cause) => Causes.TryGetValue(Enum.GetName(cause) ?? "", out var words) ? words : Spaced(WordOf(cause));

    /// <summary>Cause or reason of a notice as JSON has it, where its kind has one.</summary>
    public static string? CauseOf(in Notice n) => Rows.TryGetValue(NameOf(n.Kind), out var row) ? row.CauseOf?.Invoke(n) : null;

    /// <summary>The figures of a notice by name.</summary>
    public static IReadOnlyDictionary<string, long> FiguresOf(in Notice n)
    {
        var figures = new Dictionary<string, long>(StringComparer.Ordinal);
        ReadOnlySpan<long> values = [n.A, n.B];
        if (Rows.TryGetValue(NameOf(n.Kind), out var row))
            for (var i = 0; i < row.Figures.Length; i++) figures[row.Figures[i]] = Exact(values[i]);
        else
            (figures["a"], figures["b"], figures["c"]) = (Exact(n.A), Exact(n.B), Exact(n.C));
        if (row is { Slow: true } && n.Key != 0) figures["moduleNanoseconds"] = Exact(n.C);
        return figures;
    }

    /// <summary>What happened, without who it happened to.</summary>
    public static string Words(in Notice n) => Rows.TryGetValue(NameOf(n.Kind), out var row)
        ? row.Words(n)
        : Text($"{(Enum.IsDefined(n.Kind) ? Spaced(WordOf(n.Kind)) : $"notice {(uint)n.Kind}")} ({n.A}, {n.B}, {n.C})");

    /// <summary>One line: who, what, and the number of the engine's incident. <paramref name="module"/>: its name, if a module is concerned and known.</summary>
    public static string Line(in Notice n, string? module)
    {
        var incident = n.Incident != 0 ? Text($" (incident {n.Incident})") : "";
        if (Rows.TryGetValue(NameOf(n.Kind), out var row) && row.Slow) return row.Words(n) + Slowest(in n, module) + incident;
        var who = n.Key == 0 ? n.Kind is NoticeKind.BadOutput or NoticeKind.ModuleShed ? "a module: " : "" : $"'{module ?? "a module that left"}': ";
        return who + Words(in n) + incident;
    }

    /// <summary>
    /// The module that took longest in a quantum that took too long, with its time: so a reader sees whether it explains anything, for among
    /// two hundred equal modules one is the dearest, too. Empty where it is not known.
    /// </summary>
    public static string Slowest(in Notice n, string? module) => n.Key == 0 || n.C <= 0 ? "" : Text($", {n.C / 1e6:0.00} ms of that in '{module ?? "a module that left"}'");

    private static string Shed(ShedReason reason, long detail) => reason switch
    {
        ShedReason.Overload => Text($"switched off because the patch takes too long and this module most of it, {detail / 1e3:0.0} µs a quantum; 'ssp patch restore' switches it on again"),
        ShedReason.Stuck => "switched off because it did not come back from a call; its thread was replaced",
        ShedReason.Fault => Text($"switched off because it faulted (signal {detail})"),
        ShedReason.None or ShedReason.Failures => "failed three times in a second and is switched off; 'ssp patch restore' switches it on again",
        _ => $"switched off ({Spaced(WordOf(reason))})",
    };

    private static string NameOf(NoticeKind kind) => Enum.GetName(kind) ?? "";

    // A JSON number holds 53 bits in every reader; nothing that is counted here comes near, but a defect might.
    private static long Exact(long value) => Math.Clamp(value, -(1L << 53), 1L << 53);

    private static string Spaced(string word)
    {
        var spaced = new StringBuilder();
        foreach (var c in word) _ = char.IsUpper(c) ? spaced.Append(' ').Append(char.ToLowerInvariant(c)) : spaced.Append(c);
        return spaced.ToString();
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);

    private sealed record Row(string[] Figures, Func<Notice, string> Words)
    {
        public Func<Notice, string>? CauseOf { get; init; }

        /// <summary>Whether the module concerned is the one that took longest, and C its ns.</summary>
        public bool Slow { get; init; }
    }
}
