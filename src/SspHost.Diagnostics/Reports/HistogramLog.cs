// The histograms of a host that plays, minute by minute, in a log that a person can skim and a program can parse.
using System.Globalization;
using System.Text;
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>A histogram to tell of.</summary>
/// <param name="what">"quantum", "wake", "join", "swap", "swapQuantum", "load", "worker" or "module".</param>
/// <param name="name">Which worker or module; empty where there is one only.</param>
/// <param name="unit">ns a value of 1 stands for, or 0: values are loads in millionths.</param>
public readonly unsafe struct HistogramSource(string what, string name, Histogram* histogram, double unit)
{
    public string What { get; } = what;

    public string Name { get; } = name;

    public double Unit { get; } = unit;

    public Histogram* Histogram { get; } = histogram;
}

/// <summary>
/// Owns the windows of the histograms: the maximum of a line is exact. A line a histogram and window; those that nothing was recorded in are left
/// out. The file and the one before it hold a megabyte each. Not thread-safe.
/// </summary>
public sealed unsafe class HistogramLog(string path, Action<string> say)
{
    /// <summary>Bytes after which a new file is begun.</summary>
    public const long MaxBytes = 1 << 20;

    private static readonly (string Name, double P)[] Percentiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)];

    private readonly Dictionary<(string, string), Histogram> _before = [];
    private ulong _since;
    private bool _troubled;

    /// <summary>The histograms of an engine that hold something by now.</summary>
    public static List<HistogramSource> Of(RegionMap map)
    {
        var sources = new List<HistogramSource>();
        for (var k = 0; k < (int)HistogramKind.Count; k++)
        {
            var kind = (HistogramKind)k;
            sources.Add(new HistogramSource(IncidentKinds.WordOf(kind), "", map.Histogram(kind), kind == HistogramKind.Load ? 0 : 1));
        }

        for (var seat = 0; seat < Limits.MaxThreads; seat++)
            sources.Add(new HistogramSource("worker", seat == 0 ? "audio" : seat.ToString(CultureInfo.InvariantCulture), map.WorkerHistogram(seat), 1));
        for (var slot = 0; slot < Limits.MaxInstances; slot++)
        {
            var record = map.Instances[slot];
            if (record.State != InstanceState.Active || record.Histogram <= 0 || record.Histogram > map.Bytes - sizeof(Histogram)) continue;
            sources.Add(new HistogramSource("module", InstanceTimes.NameOf(in record), (Histogram*)map.At(record.Histogram), 1));
        }

        return sources;
    }

    /// <summary>Another engine: what was counted by the one before means nothing.</summary>
    public void Forget() => _before.Clear();

    /// <summary>Ends a window at <paramref name="now"/> (CLOCK_MONOTONIC in ns), writes its lines and begins the next; how many lines.</summary>
    public int Write(IReadOnlyList<HistogramSource> sources, ulong now)
    {
        var text = new StringBuilder();
        var moment = Moment.At(now).Time;
        var seconds = _since == 0 ? 0 : (now - _since) / 1e9;
        var lines = 0;
        foreach (var s in sources)
        {
            var h = *s.Histogram;
            var most = h.MaxOfWindow;
            s.Histogram->AskForWindow();
            var known = _before.TryGetValue((s.What, s.Name), out var before);
            _before[(s.What, s.Name)] = h;
            if (!known || h.Count <= before.Count) continue;
            Line(text, moment, seconds, s, h.Since(in before), most);
            lines++;
        }

        _since = now;
        if (lines > 0) Append(text.ToString());
        return lines;
    }

    private static void Line(StringBuilder text, string moment, double seconds, in HistogramSource s, Histogram window, ulong most)
    {
        window.Max = most; // Since leaves the maximum since the start, and percentiles end at it
        text.Append(CultureInfo.InvariantCulture, $"{moment} window={seconds:0.0}s what={s.What}");
        if (s.Name.Length > 0) text.Append(" name=").Append(Quoted(s.Name));
        text.Append(CultureInfo.InvariantCulture, $" count={window.Count} mean={Value(window.Sum / (double)window.Count, s.Unit)}");
        foreach (var (name, p) in Percentiles) text.Append(' ').Append(name).Append('=').Append(Value(window.Percentile(p), s.Unit));
        text.Append(" max=").Append(Value(most, s.Unit)).Append('\n');
    }

    private static string Value(double value, double unit) => unit == 0
        ? string.Create(CultureInfo.InvariantCulture, $"{value / 1e4:0.00}%")
        : string.Create(CultureInfo.InvariantCulture, $"{value * unit / 1e3:0.000}us");

    private static string Quoted(string name)
    {
        var quoted = new StringBuilder("\"");
        foreach (var c in name) quoted.Append(c is '"' or '\\' ? "\\" : "").Append(char.IsControl(c) ? ' ' : c);
        return quoted.Append('"').ToString();
    }

    private void Append(string lines)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaxBytes }) File.Move(path, path + ".1", overwrite: true);
            File.AppendAllText(path, lines);
            _troubled = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_troubled) say($"{path}: cannot be written, so histograms are not logged: {e.Message.ReplaceLineEndings(" ")}");
            _troubled = true;
        }
    }
}
