// What was going on around a dropout, kept as one file: the incidents, the figures of that second, and the minute before.
using System.Globalization;
using System.Text;

namespace SspHost.Diagnostics;

/// <summary>A glitch report.</summary>
public sealed record GlitchReport
{
    /// <summary>Version of this format; rises when a field changes its meaning or goes.</summary>
    public int Version { get; init; } = 1;

    /// <summary>When it was written.</summary>
    public required string Time { get; init; }

    /// <inheritdoc cref="Moment"/>
    public required string Monotonic { get; init; }

    /// <summary>The dropouts it is about, the first 50 of them.</summary>
    public required IReadOnlyList<Incident> Incidents { get; init; }

    /// <summary>Dropouts beyond those.</summary>
    public int More { get; init; }

    /// <summary>Frames lost in all of them.</summary>
    public long LostFrames { get; init; }

    /// <summary>Core and tid of the audio thread; absent where no engine told.</summary>
    public int? AudioCore { get; init; }

    /// <inheritdoc cref="AudioCore"/>
    public int? AudioTid { get; init; }

    /// <summary>The state of the engine when it was written.</summary>
    public StatusReport? Status { get; init; }

    /// <summary>The last second, and in its history the minute before; absent where nothing was measured.</summary>
    public MetricsReport? Metrics { get; init; }

    /// <summary>Steps of the history that were joined into one to keep the file small: 1 = none.</summary>
    public int Joined { get; init; } = 1;

    /// <summary>What happened, in one paragraph.</summary>
    public string Text { get; init; } = "";
}

/// <summary>Makes a paragraph of a glitch report: what happened, and what was unusual meanwhile.</summary>
internal static class GlitchWords
{
    private const double BusyCore = 0.8, Waited = 0.0005, Pressed = 0.01;

    /// <summary>The paragraph. <paramref name="zone"/>: where the reader's clock hangs.</summary>
    public static string Paragraph(GlitchReport g, TimeZoneInfo zone)
    {
        var first = g.Incidents[0];
        var text = new StringBuilder();
        var count = g.Incidents.Count + g.More;
        if (count == 1)
        {
            text.Append(Text($"At {Clock(first.Time, zone)} {Frames(g.LostFrames)} lost because {Cause(first)}"));
        }
        else
        {
            text.Append(Text($"From {Clock(first.Time, zone)} on there were {count} dropouts and {Frames(g.LostFrames)} lost"));
            text.Append(Text($", the first because {Cause(first)}"));
            var causes = g.Incidents.GroupBy(i => i.Cause ?? "unknown", StringComparer.Ordinal).Select(c => Text($"{c.Count()} {c.Key}")).ToArray();
            if (causes.Length > 1) text.Append(Text($" (in all: {string.Join(", ", causes)})"));
        }

        if (first.Engine is { } engine) text.Append(Text($" (incident {engine})"));
        text.Append('.');
        var meanwhile = Meanwhile(g);
        if (meanwhile.Count > 0)
        {
            text.Append(" Meanwhile ");
            for (var i = 0; i < meanwhile.Count; i++) text.Append(i == 0 ? "" : i == meanwhile.Count - 1 ? " and " : ", ").Append(meanwhile[i]);
            text.Append('.');
        }
        else
        {
            text.Append(g.Metrics == null ? " Nothing was measured meanwhile." : " Cores, memory and disks were at rest meanwhile.");
        }

        return text.ToString();
    }

    private static string Frames(long frames) => frames == 1 ? "1 frame was" : Text($"{frames} frames were");

    private static string Cause(Incident i)
    {
        var module = i.Module is { } m ? Text($" ('{m}'{(i.Figures.TryGetValue("moduleNanoseconds", out var ns) && ns > 0 ? Text($" took {ns / 1e6:0.00} ms of it") : "")})") : "";
        return i.Cause switch
        {
            "slowRender" => "a quantum was rendered too slowly" + module,
            "lateWakeUp" => "the audio thread got its core too late",
            "device" => "the device said so",
            "unplugged" => "the device was away",
            "drift" => "capture and playback drift apart",
            _ => "of a cause that is not known" + module,
        };
    }

    // The steps around the first dropout: a tenth of a second each, one before and one after it.
    private static List<string> Meanwhile(GlitchReport g)
    {
        var said = new List<string>();
        if (g.Metrics is not { } m) return said;
        if (m.History is not { Seconds.Count: > 0 } h) return Window(g, m);
        var ago = Seconds(m.Monotonic) - Seconds(g.Incidents[0].Monotonic);
        var (from, to) = Steps(h.Seconds, ago);
        foreach (var c in h.Cores.OrderByDescending(c => c.Core == g.AudioCore).ThenBy(c => c.Core))
        {
            var busy = Most(c.Busy, from, to);
            var steal = Most(c.Steal, from, to);
            if (busy >= BusyCore) said.Add(Text($"core {c.Core}{(c.Core == g.AudioCore ? " (the audio thread's)" : "")} was {busy * 100:0} % busy"));
            if (steal >= Pressed) said.Add(Text($"the hypervisor took {steal * 100:0} % of core {c.Core}"));
        }

        var length = StepSeconds(h.Seconds);
        foreach (var p in h.Processes)
        {
            foreach (var t in p.Threads)
            {
                var audio = t.Tid == g.AudioTid || (g.AudioTid == null && t.Name == "ssp-audio");
                var who = audio ? "the audio thread" : Text($"thread '{Clean(t.Name)}'");
                var ours = audio || t.Name.StartsWith("ssp-worker", StringComparison.Ordinal);
                if (!ours) continue;
                if (Most(t.RunDelay, from, to) is var delay && delay >= Waited) said.Add(Text($"{who} waited {delay * length * 1e3:0.0} ms for its core"));
                if (Most(t.Faults, from, to) is var faults and > 0) said.Add(Text($"{who} took {faults:0} page fault{(faults > 1 ? "s" : "")}"));
                if (Most(t.Involuntary, from, to) is var taken and > 0) said.Add(Text($"its core was taken from {who} {taken:0} time{(taken > 1 ? "s" : "")}"));
            }
        }

        if (Dearest(h, from, to, g) is { } busiest) said.Add(busiest);
        if (Most(h.MemoryPressure, from, to) is var memory && memory >= Pressed) said.Add(Text($"everybody waited for memory for {memory * 100:0} % of the time"));
        if (Most(h.IoPressure, from, to) is var io && io >= Pressed) said.Add(Text($"everybody waited for disks for {io * 100:0} % of the time"));
        if (Most(h.SwapOut, from, to) is var swapped and > 0) said.Add(Text($"{swapped:0} pages were swapped out"));
        if (Most(h.MajorFaults, from, to) is var major and > 0) said.Add(Text($"{major:0} page{(major > 1 ? "s" : "")} had to be read from a disk"));
        return said;
    }

    // Without a history the last second has to do.
    private static List<string> Window(GlitchReport g, MetricsReport m)
    {
        var said = new List<string>();
        foreach (var c in m.System.Cores)
            if (c.Busy >= BusyCore) said.Add(Text($"core {c.Core}{(c.Core == g.AudioCore ? " (the audio thread's)" : "")} was {c.Busy * 100:0} % busy"));
        foreach (var t in m.Processes.SelectMany(p => p.Threads))
            if ((t.Tid == g.AudioTid || t.Name == "ssp-audio") && t.RunDelay >= Waited) said.Add(Text($"the audio thread waited {t.RunDelay * m.Seconds * 1e3:0.0} ms for its core"));
        return said;
    }

    private static string? Dearest(MetricsHistory h, int from, int to, GlitchReport g)
    {
        var (most, name) = (0.5, "");
        foreach (var p in h.Processes)
            foreach (var t in p.Threads)
                if (t.Tid != g.AudioTid && t.Name != "ssp-audio" && Most(t.Cpu, from, to) is var cpu && cpu > most) (most, name) = (cpu, $"thread '{Clean(t.Name)}' of {p.Name}");
        return name.Length > 0 ? Text($"{name} computed for {most * 100:0} % of the time") : null;
    }

    private static (int From, int To) Steps(IReadOnlyList<double> seconds, double ago)
    {
        var at = 0;
        while (at < seconds.Count - 1 && -seconds[at] > ago) at++;
        return (Math.Max(0, at - 1), Math.Min(seconds.Count - 1, at + 1));
    }

    private static double StepSeconds(IReadOnlyList<double> seconds) => seconds.Count > 1 ? Math.Max(0.001, (seconds[^1] - seconds[0]) / (seconds.Count - 1)) : 0.1;

    private static double Most(IReadOnlyList<double?> column, int from, int to)
    {
        var most = 0.0;
        for (var i = from; i <= to && i < column.Count; i++) most = Math.Max(most, column[i] ?? 0);
        return most;
    }

    private static double Seconds(string monotonic) => ulong.TryParse(monotonic, NumberStyles.None, CultureInfo.InvariantCulture, out var ns) ? ns / 1e9 : 0;

    private static string Clock(string time, TimeZoneInfo zone) =>
        DateTime.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var utc)
            ? TimeZoneInfo.ConvertTimeFromUtc(utc, zone).ToString("HH:mm:ss", CultureInfo.InvariantCulture)
            : "an unknown time";

    private static string Clean(string name) => SchedulingChecks.Printable(name);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
