// Times the kernels that run within a quantum, and fails if one of them allocates managed memory; and what a hand on a knob costs outside it.
using System.Reflection;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using BenchmarkDotNet.Validators;
using Perfolizer.Horology;
using SspHost.Benchmarks;

const string Usage = """
    usage: SspHost.Benchmarks [--quick|--thorough] [BenchmarkDotNet's options, as --filter '*Ladder*']

      --quick      five iterations of 50 ms each (default; all of it in under three minutes)
      --thorough   fifteen iterations of 250 ms each
    """;

if (args.Contains("--help"))
{
    Console.WriteLine(Usage);
    return 0;
}

var thorough = args.Contains("--thorough");
var rest = args.Where(a => a is not ("--quick" or "--thorough")).ToArray();
if (rest.Length == 0) rest = ["--filter", "*"];

// In this very process: needs no SDK, and the code timed is the code built.
var job = Job.Default.WithToolchain(InProcessNoEmitToolchain.Instance)
    .WithWarmupCount(thorough ? 5 : 1)
    .WithIterationCount(thorough ? 15 : 5)
    .WithIterationTime(TimeInterval.FromMilliseconds(thorough ? 250 : 50));
var config = ManualConfig.CreateEmpty()
    .AddJob(job)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddLogger(NullLogger.Instance) // the tables are printed at the end
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddExporter(MarkdownExporter.GitHub)
    .AddValidator(JitOptimizationsValidator.FailOnError)
    .WithArtifactsPath(Path.Combine("artifacts", "benchmarks"))
    .WithOptions(ConfigOptions.DisableLogFile);

var summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(rest, config).ToList();
var console = ConsoleLogger.Default;
var measured = 0;
var failures = new List<string>();
foreach (var summary in summaries)
{
    MarkdownExporter.Console.ExportToLog(summary, console);
    failures.AddRange(summary.ValidationErrors.Where(e => e.IsCritical).Select(e => e.Message));
    foreach (var benchmark in summary.BenchmarksCases)
    {
        var report = summary[benchmark];
        if (report is not { Success: true })
        {
            failures.Add($"{benchmark.DisplayInfo}: did not run to its end");
            continue;
        }

        measured++;
        var bytes = report.GcStats.GetBytesAllocatedPerOperation(benchmark);
        var most = benchmark.Descriptor.WorkloadMethod.GetCustomAttribute<AllocatesAttribute>()?.Bytes ?? 0;
        if (bytes is null) failures.Add($"{benchmark.DisplayInfo}: allocations were not measured");
        else if (bytes > most && OwnThread.BytesPerCall(benchmark) is var own && own > most) failures.Add($"{benchmark.DisplayInfo}: allocates {own:0.#} bytes a call, expected at most {most}");
    }
}

if (measured == 0) failures.Add("no benchmark ran");
foreach (var failure in failures) Console.Error.WriteLine($"benchmarks: {failure}");
Console.WriteLine($"{measured} benchmarks, {failures.Count} failures");
return failures.Count == 0 ? 0 : 1;
