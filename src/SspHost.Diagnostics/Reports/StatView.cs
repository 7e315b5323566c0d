// The view of `ssp stat` as lines of text: a pure function of what the host told and of the terminal's size.
using System.Globalization;
using System.Text;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

/// <summary>What the view shows; each part as the host told it last.</summary>
public sealed record StatModel(StatusReport? Status, CostsReport? Costs, MetricsReport? Metrics, IReadOnlyList<Incident> Incidents);

/// <summary>Column that threads are sorted by, the largest first.</summary>
public enum ThreadSort
{
    Cpu,
    Delay,
    Faults,
    Switches,
    Tid,
}

/// <summary>Column that modules are sorted by, the largest first.</summary>
public enum ModuleSort
{
    Time,
    P99,
    Max,
    Asleep,
    Name,
}

/// <summary>What the person at the keys chose.</summary>
public readonly record struct StatChoice(ThreadSort Threads, ModuleSort Modules, bool Paused);

/// <summary>How a line is shown.</summary>
public enum LineStyle
{
    Plain,

    /// <summary>The heading of a table.</summary>
    Heading,

    /// <summary>Something is wrong.</summary>
    Alarm,

    /// <summary>The keys.</summary>
    Faint,
}

/// <summary>A line: printable, never wider than was asked for.</summary>
public readonly record struct StatLine(string Text, LineStyle Style = LineStyle.Plain);

/// <summary>Lays the view out.</summary>
public static class StatView
{
    private const int MostIncidents = 5;

    /// <summary>
    /// The lines, at most <paramref name="rows"/> of at most <paramref name="columns"/> characters. Without <paramref name="keys"/>, the line that names
    /// the keys is left out.
    /// </summary>
    public static IReadOnlyList<StatLine> Lines(StatModel model, StatChoice choice, int columns, int rows, bool keys = true)
    {
        var lines = new List<StatLine>();
        Header(lines, model, choice, columns);
        var last = keys ? 1 : 0;
        var room = Math.Max(0, rows - lines.Count - last);
        var incidents = Incidents(model, Math.Min(MostIncidents, Math.Max(0, (room - 8) / 3)));
        if (incidents.Count > 0) room -= incidents.Count + 1;
        var threads = Threads(model, choice.Threads, columns);
        var modules = Modules(model, choice.Modules, columns);
        // Each table gets what it needs up to its half, and what the other leaves.
        var forThreads = Math.Min(threads.Count, Math.Max(room / 2, room - modules.Count));
        Table(lines, threads, forThreads);
        Table(lines, modules, room - forThreads);
        if (incidents.Count > 0)
        {
            lines.Add(new StatLine("INCIDENTS".PadRight(columns > 200 ? 200 : columns), LineStyle.Heading));
            lines.AddRange(incidents);
        }

        if (keys)
        {
            while (lines.Count < rows - 1) lines.Add(new StatLine(""));
            if (lines.Count > rows - 1) lines.RemoveRange(Math.Max(0, rows - 1), lines.Count - Math.Max(0, rows - 1));
            lines.Add(new StatLine($"q quit  t threads by {Word(choice.Threads)}  m modules by {Word(choice.Modules)}  p {(choice.Paused ? "go on (PAUSED)" : "pause")}", LineStyle.Faint));
        }

        return [.. lines.Take(Math.Max(0, rows)).Select(l => l with { Text = Fit(l.Text, columns) })];
    }

    /// <summary>A text that a terminal shows in as many columns as it has characters: what is not is a question mark.</summary>
    public static string Printable(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var c in text)
        {
            // Beyond U+1100 characters may be two columns wide, below U+0300..U+0370 combine with the one before.
            var plain = c is >= ' ' and < '\x7f' or >= '\u00a1' and < '\u0300' and not '\u00ad' or >= '\u0370' and < '\u0483' or >= '\u048a' and < '\u0590' or '…' or 'µ';
            clean.Append(plain ? c : '?');
        }

        return clean.ToString();
    }

    private static void Header(List<StatLine> lines, StatModel m, StatChoice choice, int columns)
    {
        var s = m.Status;
        var paused = choice.Paused ? "  PAUSED" : "";
        if (s == null)
        {
            lines.Add(new StatLine("ssp stat: waiting for the host" + paused));
            return;
        }

        var a = s.Audio;
        var run = a != null ? Text($"  {a.Rate} Hz  quantum {a.Quantum}  {a.Periods} x {a.Period}") : "";
        lines.Add(new StatLine(Text($"ssp stat  {Printable(s.State)}{run}  up {Span(s.Uptime)}  engine {s.EnginePid} ({Printable(s.EngineVersion)}){paused}"), s.State == "playing" ? LineStyle.Plain : LineStyle.Alarm));
        if (a != null)
        {
            var load = Text($"load {Percent(a.LoadNow)} now  p50 {Percent(a.Load.P50)}  p99 {Percent(a.Load.P99)}  p99.9 {Percent(a.Load.P999)}  max {Percent(a.Load.Max)}");
            var times = Text($"wake p99 {a.WakeMicroseconds.P99:0} max {a.WakeMicroseconds.Max:0} us  join p99 {a.JoinMicroseconds.P99:0} max {a.JoinMicroseconds.Max:0} us");
            var style = a.Load.Max >= 1 ? LineStyle.Alarm : LineStyle.Plain;
            if (load.Length + times.Length + 3 <= columns) lines.Add(new StatLine(load + " | " + times, style));
            else lines.AddRange([new StatLine(load, style), new StatLine(times)]);
            var wrong = (a.Away ? "  DEVICE AWAY" : "") + (a.RealTime ? "" : "  NOT REAL-TIME") + (s.Stalls > 0 ? Text($"  STALLS {s.Stalls}") : "") + (s.Takeovers > 0 ? Text($"  TAKEOVERS {s.Takeovers}") : "");
            lines.Add(new StatLine(
                Text($"late {a.Late}  dropouts {a.Dropouts} ({a.LostFrames} frames)  faults {a.Faults}  bad outputs {a.BadOutputs}  clock jumps {a.ClockJumps}{wrong}"),
                a.Dropouts > 0 || a.Away || !a.RealTime ? LineStyle.Alarm : LineStyle.Plain));
        }

        if (s.Memory is { } p)
        {
            var fragmented = p.PoolFragmentation is { } f ? Text($"  fragmented {Percent(f)}") : "";
            lines.Add(new StatLine(
                Text($"pool {EngineWords.Bytes(p.PoolLive)} of {EngineWords.Bytes(p.PoolBytes)}  peak {EngineWords.Bytes(p.PoolPeak)}  largest {EngineWords.Bytes(p.PoolLargest)}  failed {p.PoolFailed}{fragmented}"),
                p.PoolFailed > 0 ? LineStyle.Alarm : LineStyle.Plain));
        }

        if (m.Metrics?.System is { } y) System(lines, y, columns);
    }

    private static void System(List<StatLine> lines, SystemMetrics y, int columns)
    {
        var line = new StringBuilder("cores");
        var style = LineStyle.Plain;
        foreach (var c in y.Cores)
        {
            var core = Text($"  {c.Core}:{Percent(c.Busy)}{(c.Steal >= 0.005 ? Text($"(st {Percent(c.Steal)})") : "")}");
            if (line.Length + core.Length > columns)
            {
                lines.Add(new StatLine(line.ToString(), style));
                line.Clear().Append("     ");
            }

            line.Append(core);
        }

        lines.Add(new StatLine(line.ToString(), style));
        static string Pressed(PressurePair? p) => p == null ? "-" : Percent(p.Some?.Window ?? 0);
        var load = y.Load is { } l ? Text($"  load {l[0]:0.00} {l[1]:0.00} {l[2]:0.00}") : "";
        var memory = y.MemoryAvailable is { } free ? Text($"  free {EngineWords.Bytes(free)}") : "";
        var swap = y.SwapTotal is > 0 ? Text($"  swap {EngineWords.Bytes(y.SwapTotal.Value - (y.SwapFree ?? 0))}") : "";
        var heat = y.Temperature is { } t ? Text($"  {t:0} C") : "";
        lines.Add(new StatLine(Text($"pressure cpu {Pressed(y.CpuPressure)} memory {Pressed(y.MemoryPressure)} io {Pressed(y.IoPressure)}{load}{memory}{swap}{heat}{(y.Throttled > 0 ? "  THROTTLED" : "")}"), y.Throttled > 0 ? LineStyle.Alarm : LineStyle.Plain));
    }

    private static void Table(List<StatLine> lines, List<StatLine> table, int room)
    {
        if (room < 2 || table.Count < 2) return; // a heading alone says nothing
        lines.AddRange(table.Take(room));
    }

    private static List<StatLine> Threads(StatModel m, ThreadSort sort, int columns)
    {
        var wide = columns >= 100;
        var name = wide ? 18 : 15;
        var lines = new List<StatLine>
        {
            new(Pad(Text($"{"TID",7} {"THREAD".PadRight(name)} P CORE POLICY   S   CPU%  DELAY%  MINFLT MAJFLT{(wide ? "     VOL   INVOL" : "  INVOL")}"), columns), LineStyle.Heading),
        };
        if (m.Metrics is not { } metrics) return lines;
        // Pinned where the engine says so, else where it ran last.
        var roles = (m.Status?.Threads ?? []).GroupBy(t => t.Tid).ToDictionary(g => g.Key, g => g.First());
        var threads = metrics.Processes.SelectMany(p => p.Threads.Select(t => (Process: p.Name, Thread: t)));
        threads = sort switch
        {
            ThreadSort.Cpu => threads.OrderByDescending(t => t.Thread.Cpu),
            ThreadSort.Delay => threads.OrderByDescending(t => t.Thread.RunDelay ?? -1),
            ThreadSort.Faults => threads.OrderByDescending(t => t.Thread.MajorFaults).ThenByDescending(t => t.Thread.MinorFaults),
            ThreadSort.Switches => threads.OrderByDescending(t => t.Thread.Involuntary ?? 0).ThenByDescending(t => t.Thread.Voluntary ?? 0),
            _ => threads.OrderBy(t => t.Thread.Tid),
        };
        foreach (var (process, t) in sort == ThreadSort.Tid ? threads : ((IOrderedEnumerable<(string Process, ThreadMetrics Thread)>)threads).ThenBy(t => t.Thread.Tid))
        {
            var role = roles.TryGetValue(t.Tid, out var r) ? r.Name : t.Name;
            var policy = t.Priority > 0 ? Text($"{t.Policy} {t.Priority}") : t.Policy;
            var delay = t.RunDelay is { } d ? Text($"{d * 100,7:0.00}") : "      -";
            var switches = wide
                ? Text($"{Count(t.Voluntary),8}{Count(t.Involuntary),8}")
                : Text($"{Count(t.Involuntary),7}");
            var style = roles.ContainsKey(t.Tid) && (t.MajorFaults > 0 || t.RunDelay > 0.05) ? LineStyle.Alarm : LineStyle.Plain;
            lines.Add(new StatLine(
                Text($"{t.Tid,7} {Cut(role, name)} {(process == "engine" ? 'e' : 's')} {t.Core,4} {Cut(policy, 8)} {Cut(t.State, 1)} {t.Cpu * 100,6:0.0} {delay} {Count(t.MinorFaults),7}{Count(t.MajorFaults),7}{switches}"), style));
        }

        return lines;
    }

    private static List<StatLine> Modules(StatModel m, ModuleSort sort, int columns)
    {
        var name = columns >= 100 ? 28 : 18;
        var lines = new List<StatLine>
        {
            new(Pad(Text($"{"MODULE".PadRight(name)} {"TYPE".PadRight(14)} us/quantum SHARE%  p99 us  max us ASLEEP%"), columns), LineStyle.Heading),
        };
        if (m.Costs is not { } costs) return lines;
        var modules = sort switch
        {
            ModuleSort.Time => costs.Modules.OrderByDescending(c => c.Nanoseconds ?? -1),
            ModuleSort.P99 => costs.Modules.OrderByDescending(c => c.P99 ?? -1),
            ModuleSort.Max => costs.Modules.OrderByDescending(c => c.Longest),
            ModuleSort.Asleep => costs.Modules.OrderByDescending(c => c.Asleep ?? -1),
            _ => costs.Modules.OrderBy(c => c.Name, StringComparer.Ordinal),
        };
        foreach (var c in modules.ThenBy(c => c.Name, StringComparer.Ordinal))
        {
            var state = c.Shed is { } shed ? "  OFF: " + Printable(shed) : c.Leaving ? "  leaving" : "";
            lines.Add(new StatLine(
                Text($"{Cut(c.Name, name)} {Cut(c.Module, 14)} {Us(c.Nanoseconds),10} {(c.Share is { } s ? Text($"{s * 100:0.00}") : "-"),6} {Us(c.P99),7} {Us(c.Longest),7} {(c.Asleep is { } z ? Text($"{z * 100:0}") : "-"),7}{state}"),
                c.Shed != null ? LineStyle.Alarm : LineStyle.Plain));
        }

        return lines;
    }

    private static List<StatLine> Incidents(StatModel m, int most) =>
        [.. m.Incidents.TakeLast(most).Reverse().Select(i => new StatLine(
            Text($"{(i.Time.Length >= 19 ? Printable(i.Time[11..19]) : "")} {Printable(i.Kind)}: {Printable(i.Text)}"), i.Kind == "dropout" ? LineStyle.Alarm : LineStyle.Plain))];

    private static string Word<T>(T value) where T : struct, Enum => IncidentKinds.WordOf(value);

    private static string Cut(string text, int width)
    {
        text = Printable(text);
        return text.Length <= width ? text.PadRight(width) : width < 2 ? text[..width] : text[..(width - 1)] + "…";
    }

    private static string Fit(string text, int columns)
    {
        text = Printable(text).TrimEnd();
        return columns <= 0 ? "" : text.Length <= columns ? text : columns < 2 ? text[..columns] : text[..(columns - 1)] + "…";
    }

    private static string Pad(string text, int columns) => text.PadRight(Math.Min(columns, 200));

    private static string Count(ulong? n) => n switch
    {
        null => "-",
        < 100_000 => Text($"{n}"),
        < 100_000_000 => Text($"{n / 1000}k"),
        _ => Text($"{n / 1_000_000}M"),
    };

    private static string Us(double? ns) => ns is not { } n ? "-" : n < 99_950 ? Text($"{n / 1e3:0.00}") : Text($"{n / 1e3:0}");

    private static string Percent(double share) => (share * 100).ToString(share < 0.0995 ? "0.0" : "0", CultureInfo.InvariantCulture) + "%";

    private static string Span(double seconds)
    {
        var t = TimeSpan.FromSeconds(Math.Clamp(double.IsFinite(seconds) ? seconds : 0, 0, 1e9));
        return t.TotalDays >= 1 ? Text($"{(int)t.TotalDays}d {t.Hours}:{t.Minutes:00}") : Text($"{t.Hours}:{t.Minutes:00}:{t.Seconds:00}");
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
