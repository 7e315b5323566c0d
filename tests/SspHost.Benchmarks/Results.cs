// What was timed, as the one file of results that `ssp bench compare` reads.
using System.Globalization;
using System.Text;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using SspHost.Diagnostics.Benching;

namespace SspHost.Benchmarks;

/// <summary>Two figures a benchmark: ns a call of each iteration, and the bytes that a call allocates, with what it may.</summary>
internal static class Results
{
    /// <summary>The file of these; benchmarks that did not run to their end have no figure.</summary>
    public static BenchFile File(IEnumerable<Summary> summaries, BenchMachine machine, bool thorough)
    {
        var file = new BenchFile { Bench = "kernels", Machine = machine };
        file.Options["thorough"] = thorough ? "true" : "false";
        foreach (var (summary, benchmark) in summaries.SelectMany(static s => s.BenchmarksCases.Select(b => (s, b))))
        {
            if (summary[benchmark] is not { Success: true } report) continue;
            var name = Name(benchmark);
            var times = report.AllMeasurements.Where(static m => m.Is(IterationMode.Workload, IterationStage.Result)).Select(static m => m.Nanoseconds / m.Operations);
            file.Figures.Add(new BenchFigure { Name = name, Unit = "ns", Better = BenchBetter.Less, Values = [.. times] });
            if (report.GcStats.GetBytesAllocatedPerOperation(benchmark) is not { } bytes) continue;
            var most = Allowance.Of(benchmark.Descriptor.WorkloadMethod);
            // The diagnoser counts the whole process: where that is too much, what the call itself allocates.
            file.Figures.Add(new BenchFigure { Name = name + ".allocated", Unit = "bytes", Better = BenchBetter.Less, Values = [bytes > most ? OwnThread.BytesPerCall(benchmark) : bytes], Target = most });
        }

        return file;
    }

    /// <summary>"kernels.ModuleBenchmarks.Process.4.vco": parameters by their values, in BenchmarkDotNet's order.</summary>
    public static string Name(BenchmarkCase benchmark)
    {
        var name = new StringBuilder($"kernels.{benchmark.Descriptor.Type.Name}.{benchmark.Descriptor.WorkloadMethod.Name}");
        foreach (var p in benchmark.Parameters.Items) name.Append(CultureInfo.InvariantCulture, $".{p.Value}");
        for (var i = 0; i < name.Length; i++)
            if (!char.IsAsciiLetterOrDigit(name[i]) && name[i] is not ('.' or '_' or '-' or '+' or '/')) name[i] = '-';
        return name.ToString();
    }
}
