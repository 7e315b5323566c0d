// ssp bench compile: how long a plan takes to be made of a patch.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using SspHost.Diagnostics.Benching;
using SspHost.Patching;

namespace SspHost.Commands;

/// <summary>What `ssp bench compile --json` prints; times in ms.</summary>
internal sealed record CompileReport(int Version, double TargetMedian, IReadOnlyList<CompileTimes> Patches, bool Met);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CompileReport))]
[JsonSerializable(typeof(MetricsCost))]
[JsonSerializable(typeof(PanelReport))]
[JsonSerializable(typeof(PanelAudioReport))]
[JsonSerializable(typeof(CapacityReport))]
internal sealed partial class BenchJson : JsonSerializerContext;

internal static class CompileTable
{
    private const double CompileTargetMs = 10;

    public static int Run(BenchOptions options, List<BenchFigure> figures)
    {
        var times = CompileBench.Run();
        foreach (var t in times)
        {
            figures.Add(BenchFigures.Of($"compile.{t.Patch}.p50", "ms", BenchBetter.Less, t.Median, CompileTargetMs));
            figures.Add(BenchFigures.Of($"compile.{t.Patch}.p99", "ms", BenchBetter.Less, t.P99));
        }

        var met = times.All(t => t.Median <= CompileTargetMs);
        if (options.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new CompileReport(1, CompileTargetMs, times, met), BenchJson.Default.CompileReport));
            return 0;
        }

        Console.WriteLine($"{"compile, ms",-14}{"modules",9}{"cables",9}{"plan KiB",10}{"median",9}{"p90",9}{"p99",9}{"max",9}");
        foreach (var t in times)
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{t.Patch,-14}{t.Modules,9}{t.Cables,9}{t.PlanBytes / 1024,10}{t.Median,9:0.00}{t.P90,9:0.00}{t.P99,9:0.00}{t.Max,9:0.00}"));
        Console.WriteLine($"to reach: a median of {CompileTargetMs} ms: {(met ? "reached" : "NOT reached")}");
        return 0;
    }
}
