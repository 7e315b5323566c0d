// Times the kernels that run within a quantum, and fails if one of them allocates managed memory; and what a hand on a knob costs outside it.
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using BenchmarkDotNet.Validators;
using Perfolizer.Horology;
using Perfolizer.Mathematics.OutlierDetection;
using SspHost.Benchmarks;
using SspHost.Diagnostics.Benching;

const string Usage = """
    usage: SspHost.Benchmarks [--quick|--thorough] [--out FILE] [BenchmarkDotNet's options, as --filter '*Ladder*']

      --quick      five iterations of 50 ms each (default; all of it in under three minutes)
      --thorough   fifteen iterations of 250 ms each
      --out FILE   results as a file that `ssp bench compare` reads
    """;

if (args.Contains("--help"))
{
    Console.WriteLine(Usage);
    return 0;
}

var thorough = args.Contains("--thorough");
var outAt = Array.IndexOf(args, "--out");
var output = outAt < 0 ? null : outAt + 1 < args.Length ? args[outAt + 1] : "";
if (output == "")
{
    Console.Error.WriteLine("benchmarks: --out: expected a file");
    return 2;
}

var rest = args.Where((a, i) => a is not ("--quick" or "--thorough") && (outAt < 0 || (i != outAt && i != outAt + 1))).ToArray();
if (rest.Length == 0) rest = ["--filter", "*"];

// In this very process: needs no SDK, and the code timed is the code built.
var job = Job.Default.WithToolchain(InProcessNoEmitToolchain.Instance)
    .WithWarmupCount(thorough ? 5 : 1)
    .WithIterationCount(thorough ? 15 : 5)
    .WithIterationTime(TimeInterval.FromMilliseconds(thorough ? 250 : 50))
    .WithOutlierMode(OutlierMode.DontRemove); // a slow iteration is a result, too
var log = new LogCapture();
var config = ManualConfig.CreateEmpty()
    .AddJob(job)
    .AddDiagnoser(MemoryDiagnoser.Default)
    .AddLogger(log) // shown where something did not run; the tables are printed at the end
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddExporter(MarkdownExporter.GitHub)
    .AddValidator(JitOptimizationsValidator.FailOnError)
    .WithArtifactsPath(Directory.Exists("artifacts") ? Path.Combine("artifacts", "benchmarks") : Path.Combine(Path.GetTempPath(), "ssp-benchmarks")) // a target's folders are not for writing
    .WithOptions(ConfigOptions.DisableLogFile);

List<Summary> summaries;
try
{
    summaries = BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(rest, config).ToList();
}
catch (Exception e) when (e is not OutOfMemoryException)
{
    // Of a benchmark that fails, BenchmarkDotNet may keep nothing but what it logged.
    foreach (var line in log.CapturedOutput) Console.Error.Write(line.Text);
    Console.Error.WriteLine($"\nbenchmarks: {e.Message}");
    return 1;
}

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
        if (Allowance.Of(benchmark.Descriptor.WorkloadMethod) is not { } most) failures.Add($"{benchmark.DisplayInfo}: is it [RealTime], or how much does it allocate?");
        else if (bytes is null) failures.Add($"{benchmark.DisplayInfo}: allocations were not measured");
        else if (bytes > most && OwnThread.BytesPerCall(benchmark) is var own && own > most) failures.Add($"{benchmark.DisplayInfo}: allocates {own:0.#} bytes a call, expected at most {most}");
    }
}

if (measured == 0) failures.Add("no benchmark ran");
if (output != null && measured > 0) Results.File(summaries, BenchMachine.Read(), thorough).Write(output);
foreach (var failure in failures) Console.Error.WriteLine($"benchmarks: {failure}");
Console.WriteLine($"{measured} benchmarks, {failures.Count} failures");
return failures.Count == 0 ? 0 : 1;
