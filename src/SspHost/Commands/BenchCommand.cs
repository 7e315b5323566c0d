// ssp bench: every figure there is, each from the process that it is about.
using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Tracing;
using SspHost.Patching;
using SspHost.Playing;
using SspHost.Supervision;

namespace SspHost.Commands;

/// <summary>What `ssp bench compile --json` prints; times in ms.</summary>
internal sealed record CompileReport(int Version, double TargetMedian, IReadOnlyList<CompileTimes> Patches, bool Met);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(CompileReport))]
[JsonSerializable(typeof(MetricsCost))]
[JsonSerializable(typeof(PanelReport))]
[JsonSerializable(typeof(PanelAudioReport))]
internal sealed partial class BenchJson : JsonSerializerContext;

internal static partial class BenchCommand
{
    private const double CompileTargetMs = 10;
    private const double StartTargetMs = 150;
    private const long ControlTarget = 60_000_000, EngineTarget = 25_000_000;
    private const int StartRuns = 5;
    private const long TouchedBeforeServing = 32L << 20;

    private static readonly string[] EngineBenches = ["memory", "heap", "graph", "classes", "sleep", "wake", "modules", "contain", "samples", "diagnostics"]; // what the engine measures of itself
    private static readonly string[] OwnBenches = ["all", "compile", "start", "edits", "metrics", "trace", "panel", "panel-audio"];

    public static Command Build()
    {
        var what = new Argument<string>("what") { Description = "all; compile, start, edits, metrics, trace, panel, panel-audio; or one of the engine's own: memory, heap, graph, classes, sleep, wake, modules, contain, samples, diagnostics." };
        var json = new Option<bool>("--json") { Description = "As JSON objects." };
        var rest = new Argument<string[]>("arguments") { Description = "Passed on to the engine's benchmark.", Arity = ArgumentArity.ZeroOrMore };
        var save = new Option<bool>("--save") { Description = "With modules: keep what each costs, so that `ssp modules` says it of those that never played." };
        var command = new Command("bench", "Measure this machine. Figures on a busy machine mean little; ratios in one run do.") { what, rest, json, save };
        command.Validators.Add(r =>
        {
            if (r.GetValue(save) && r.GetValue(what) != "modules") r.AddError("--save: expected with `bench modules` only");
            // Only the engine's benchmarks have arguments; what they do not know they refuse themselves.
            if (r.GetValue(what) is not { } word || EngineBenches.Contains(word)) return;
            if (!OwnBenches.Contains(word)) r.AddError($"there is no benchmark '{PatchError.OneLine(word)}'; expected one of {string.Join(", ", OwnBenches.Concat(EngineBenches))}");
            else if (r.GetValue(rest) is [var first, ..]) r.AddError($"bench {word}: expected no argument, not '{PatchError.OneLine(first)}'");
        });
        command.SetAction(r =>
        {
            var name = r.GetValue(what)!;
            var asJson = r.GetValue(json);
            switch (name)
            {
                case "compile": return Compile(asJson);
                case "start": return Start(asJson);
                case "edits": return EditBench.Run(asJson);
                case "metrics": return MetricsBench.Run(asJson);
                case "trace": return Trace(asJson);
                case "panel": return PanelBench.Run(asJson);
                case "panel-audio": return PanelAudioBench.Run(asJson);
                case "modules" when r.GetValue(save): return ModuleTable.Save(r.GetValue(rest) ?? [], asJson);
                case "all":
                    var worst = 0;
                    foreach (var bench in EngineBenches) worst = Math.Max(worst, Engine(bench, [], asJson));
                    foreach (var own in new Func<bool, int>[] { MetricsBench.Run, Trace, EditBench.Run, PanelBench.Run, PanelAudioBench.Run, Compile, Start }) worst = Math.Max(worst, own(asJson));
                    return worst;
                default: return Engine(name, r.GetValue(rest) ?? [], asJson);
            }
        });
        return command;
    }

    private static int Engine(string name, string[] rest, bool json) => EngineTool.Run(["bench", name, .. rest, .. json ? new[] { "--json" } : []]);

    private static int Compile(bool json)
    {
        var times = CompileBench.Run();
        var met = times.All(t => t.Median <= CompileTargetMs);
        if (json)
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

    private static int Trace(bool json)
    {
        var report = TraceBench.Run();
        if (json)
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

    private static int Start(bool json)
    {
        var touch = RegionTouch();
        var (toMain, toReady, toQuantum, all) = (new double[StartRuns], new double[StartRuns], new double[StartRuns], new double[StartRuns]);
        long engineBytes = 0, controlBytes = 0;
        for (var i = 0; i < StartRuns; i++)
        {
            using var engine = PrivateEngine.Start(256);
            var sink = engine.Sink(SimulatedSetup, Console.Error.WriteLine);
            using var session = PatchSession.Start(new PatchSessionOptions { Modules = engine.Modules, Sink = sink });
            var demo = PatchFiles.FirstDemo("");
            if (demo != null)
            {
                sink.Assets.AddRoot(Path.GetDirectoryName(demo)!);
                if (session.Open(demo, out _) is { } refused) throw new CommandException(refused.ToString());
            }

            if (sink.StartAudio() is { } why) throw new CommandException(why);
            var (started, ready, first) = engine.Slot.Use(FirstQuantum);
            toMain[i] = (started - engine.SpawnedAt) / 1e6;
            toReady[i] = (ready - started) / 1e6;
            toQuantum[i] = (first - ready) / 1e6;
            all[i] = (first - engine.SpawnedAt) / 1e6;
            engineBytes = Math.Max(engineBytes, ProcessMemory.Of(engine.Pid).Outside);
            controlBytes = Math.Max(controlBytes, ProcessMemory.Of(Environment.ProcessId).Outside);
        }

        var slowest = all.Max();
        var report = new StartReport
        {
            Runs = StartRuns,
            SpawnToMain = Median(toMain),
            MainToReady = Median(toReady),
            ReadyToFirstQuantum = Median(toQuantum),
            StartToFirstQuantum = Median(all),
            SlowestStart = slowest,
            RegionTouch = touch,
            TargetMilliseconds = StartTargetMs + touch,
            ControlBytes = controlBytes,
            ControlTargetBytes = ControlTarget,
            EngineBytes = engineBytes,
            EngineTargetBytes = EngineTarget,
            Met = Median(all) <= StartTargetMs + touch && controlBytes <= ControlTarget && engineBytes <= EngineTarget,
        };
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(report, DiagnosticsJson.Pretty.StartReport));
            return 0;
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"start to first quantum: {report.StartToFirstQuantum:0.0} ms (median of {StartRuns}, slowest {slowest:0.0}): {report.SpawnToMain:0.0} to main, {report.MainToReady:0.0} to serving, {report.ReadyToFirstQuantum:0.0} to the first quantum with the patch in"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"to reach: {StartTargetMs:0} ms plus the region's touch ({touch:0.0} ms): {(report.StartToFirstQuantum <= report.TargetMilliseconds ? "reached" : "NOT reached")}"));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"memory outside the region: control {controlBytes / 1e6:0.0} MB (to reach: {ControlTarget / 1e6:0}), engine {engineBytes / 1e6:0.0} MB (to reach: {EngineTarget / 1e6:0}): {(controlBytes <= ControlTarget && engineBytes <= EngineTarget ? "reached" : "NOT reached")}"));
        return 0;
    }

    /// <summary>A simulated card as experiments use it.</summary>
    public static AudioSetup SimulatedSetup => new() { Card = CardKind.Simulated, Rate = 48_000, Periods = 3, Threads = Math.Clamp(Environment.ProcessorCount - 1, 1, 8) };

    private static unsafe (ulong Started, ulong Ready, ulong First) FirstQuantum(EngineLink link)
    {
        var header = link.Map.Header;
        for (var i = 0; i < 5000; i++)
        {
            if (Volatile.Read(ref header->FirstQuantumAt) is > 0 and var first) return (header->StartedAt, header->ReadyAt, first);
            if (link.Process is { HasExited: true }) throw new EngineGoneException("the engine ended before its first quantum");
            Thread.Sleep(1);
        }

        throw new EngineTimeoutException("the engine rendered no quantum within 5 s");
    }

    // What the engine cannot avoid: the kernel zeroes each page of a shared file that is touched for the first time.
    private static unsafe double RegionTouch()
    {
        fixed (byte* name = "ssp-touch\0"u8)
        {
            var fd = MemfdCreate(name, 1);
            if (fd < 0 || Truncate(fd, TouchedBeforeServing) != 0) throw new IOException("no memfd can be made");
            var start = Linux.Now();
            var memory = (byte*)Linux.Mmap(null, (nuint)TouchedBeforeServing, Linux.ProtRead | Linux.ProtWrite, Linux.MapShared, fd, 0);
            if ((nint)memory == -1) throw new IOException("no memory can be mapped");
            for (long at = 0; at < TouchedBeforeServing; at += 4096) memory[at] = 1;
            var took = (Linux.Now() - start) / 1e6;
            _ = Linux.Munmap(memory, (nuint)TouchedBeforeServing);
            _ = Linux.Close(fd);
            return took;
        }
    }

    private static double Median(double[] values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    [LibraryImport("libc", EntryPoint = "memfd_create")]
    private static unsafe partial int MemfdCreate(byte* name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate")]
    private static partial int Truncate(int fd, long length);
}
