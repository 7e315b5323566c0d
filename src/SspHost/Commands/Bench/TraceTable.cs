// ssp bench trace: what following a trace costs, and writing it down.
using System.Globalization;
using System.Text.Json;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Benching;
using SspHost.Diagnostics.Tracing;

namespace SspHost.Commands;

internal static class TraceTable
{
    public static int Run(BenchOptions options, List<BenchFigure> figures)
    {
        var report = TraceBench.Run();
        foreach (var d in report.Drain)
        {
            figures.Add(BenchFigures.Of($"trace.drain.{d.Modules}.event", "ns", BenchBetter.Less, d.NanosecondsPerEvent));
            figures.Add(BenchFigures.Of($"trace.drain.{d.Modules}.bytes", "B", BenchBetter.Less, d.BytesPerEvent));
            figures.Add(BenchFigures.Of($"trace.drain.{d.Modules}.core", "%", BenchBetter.Less, d.Core * 100));
        }

        figures.Add(BenchFigures.Of("trace.idle-turn", "ns", BenchBetter.Less, report.IdleTurnNanoseconds));
        foreach (var e in report.Export) figures.Add(BenchFigures.Of($"trace.export.{e.Format.ToLowerInvariant()}", "events/s", BenchBetter.More, e.EventsPerSecond));
        if (options.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(report, DiagnosticsJson.Pretty.TraceBenchReport));
            return 0;
        }

        Console.WriteLine($"{"drain",-10}{"modules",9}{"ns/event",10}{"B/event",9}{"events/s",10}{"% of core",11}{"MB of 10 s",12}");
        foreach (var d in report.Drain)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{"",-10}{d.Modules,9}{d.NanosecondsPerEvent,10:0.0}{d.BytesPerEvent,9:0.00}{d.EventsPerSecond,10:0}{d.Core * 100,11:0.00}{d.MegabytesOfTenSeconds,12:0.0}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"a turn that finds nothing: {report.IdleTurnNanoseconds:0} ns, a hundred a second"));
        foreach (var e in report.Export)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{e.Format,-10}{e.Events} events in {e.Seconds:0.00} s: {e.Megabytes:0.0} MB, {e.MegabytesPerSecond:0} MB/s, {e.EventsPerSecond / 1e6:0.0} million events/s"));
        return 0;
    }
}
