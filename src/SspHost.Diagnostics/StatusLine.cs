// The status as one line for people: what a player looks at while it plays.
using System.Globalization;
using System.Text;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

/// <summary>Formats reports. Every figure of a line is of the last window, counts are since the engine started.</summary>
public static class StatusLine
{
    private const int MeterSteps = 8;

    /// <summary>
    /// The line: load (p50, p99, max), late, dropouts, cores, memory, peaks. Where <paramref name="columns"/> are too few for it, a short
    /// form without words that a glance does not need, and as many of the meters as there is room for.
    /// </summary>
    public static string Format(StatusReport report, int columns = int.MaxValue)
    {
        var line = Wide(report);
        return line.Length <= columns || report.Audio is not { } audio ? line : Narrow(report, audio, columns);
    }

    private static string Narrow(StatusReport report, AudioReport a, int columns)
    {
        var line = new StringBuilder();
        if (report.State != "playing") line.Append(report.State).Append(' ');
        if (a.Away) line.Append("DEVICE AWAY ");
        line.Append(CultureInfo.InvariantCulture, $"load {Percent(a.Load.P50)[..^1]}/{Percent(a.Load.P99)[..^1]}/{Percent(a.Load.Max)} late {a.Late} dropouts {a.Dropouts} cores {Cores(report.Threads)}");
        if (!a.RealTime) line.Append(" (not RT)");
        if (report.Memory is { } m)
        {
            if (m.Collections != 0 || m.AllocatedBytes != 0 || a.AllocatedBytes != 0) line.Append(" HEAP MOVED");
            line.Append(CultureInfo.InvariantCulture, $" mem {m.PoolLive / (double)(1 << 20):0.0}/{m.PoolBytes / (double)(1 << 20):0}M");
        }

        if (a.BadOutputs != 0) line.Append(CultureInfo.InvariantCulture, $" bad {a.BadOutputs}");
        foreach (var (name, peaks) in new[] { (" out ", a.OutputPeaks), (" in ", a.InputPeaks) })
        {
            var meter = peaks.Count > 0 ? name + Peaks(peaks) : "";
            if (line.Length + meter.Length <= columns) line.Append(meter);
        }

        return line.ToString();
    }

    private static string Wide(StatusReport report)
    {
        var line = new StringBuilder();
        if (report.Audio is not { } a)
        {
            line.Append(report.State);
            AppendMemory(line, report.Memory);
            return line.ToString();
        }

        if (report.State != "playing") line.Append(report.State).Append(" | ");
        if (a.Away) line.Append("DEVICE AWAY | ");
        line.Append(CultureInfo.InvariantCulture, $"load {Percent(a.Load.P50)} p99 {Percent(a.Load.P99)} max {Percent(a.Load.Max)}");
        line.Append(CultureInfo.InvariantCulture, $" | late {a.Late} dropouts {a.Dropouts}");
        line.Append(" | cores ").Append(Cores(report.Threads));
        if (!a.RealTime) line.Append(" (not real-time)");
        AppendMemory(line, report.Memory);
        if (a.BadOutputs != 0) line.Append(CultureInfo.InvariantCulture, $" | bad outputs {a.BadOutputs}");
        if (a.AllocatedBytes != 0 || report.Memory is { } m && (m.Collections != 0 || m.AllocatedBytes != 0)) line.Append(" | HEAP MOVED");
        if (a.InputPeaks.Count > 0) line.Append(" | in ").Append(Peaks(a.InputPeaks));
        if (a.OutputPeaks.Count > 0) line.Append(" | out ").Append(Peaks(a.OutputPeaks));
        return line.ToString();
    }

    /// <summary>A meter by jack up to the last one that sounds: '.' is below 5 mV, then eight steps of 6 dB up to 5 V, '!' is beyond 10 V.</summary>
    public static string Peaks(IReadOnlyList<float> volts)
    {
        const string Steps = "▁▂▃▄▅▆▇█";
        var last = volts.Count - 1;
        while (last > 0 && volts[last] < 0.005f) last--;
        var meter = new StringBuilder();
        for (var j = 0; j <= last; j++)
        {
            var v = volts[j];
            if (!(v >= 0.005f)) meter.Append('.');
            else if (v > 10f) meter.Append('!');
            else meter.Append(Steps[Math.Clamp(MeterSteps - 1 + (int)Math.Floor(Math.Log2(v / 5.0) + 0.5), 0, MeterSteps - 1)]);
        }

        return meter.ToString();
    }

    private static string Percent(double load) => (load * 100).ToString(load < 0.0995 ? "0.0" : "0", CultureInfo.InvariantCulture) + "%";

    private static string Cores(IReadOnlyList<ThreadReport> threads) =>
        threads.Count == 0 ? "-" : string.Join(',', threads.Select(t => t.Core < 0 ? "any" : t.Core.ToString(CultureInfo.InvariantCulture)));

    private static void AppendMemory(StringBuilder line, MemoryReport? m)
    {
        if (m != null) line.Append(" | memory ").Append(EngineWords.Bytes(m.PoolLive)).Append(" of ").Append(EngineWords.Bytes(m.PoolBytes));
    }
}
