// ssp bench start: from nothing to the first quantum of a patch, and what is held in memory for it.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Benching;
using SspHost.Patching;
using SspHost.Playing;

namespace SspHost.Commands;

internal static partial class StartBench
{
    private const double StartTargetMs = 150;
    private const long ControlTarget = 60_000_000, EngineTarget = 25_000_000;
    private const int StartRuns = 5;
    private const long TouchedBeforeServing = 32L << 20;

    public static int Run(BenchOptions options, List<BenchFigure> figures)
    {
        var touch = RegionTouch();
        var (toMain, toReady, toQuantum, all) = (new double[StartRuns], new double[StartRuns], new double[StartRuns], new double[StartRuns]);
        long engineBytes = 0, controlBytes = 0;
        for (var i = 0; i < StartRuns; i++)
        {
            using var engine = PrivateEngine.Start(256);
            var sink = engine.Sink(options.Simulated, Console.Error.WriteLine);
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
            SpawnToMain = BenchSpread.Of(toMain).Median,
            MainToReady = BenchSpread.Of(toReady).Median,
            ReadyToFirstQuantum = BenchSpread.Of(toQuantum).Median,
            StartToFirstQuantum = BenchSpread.Of(all).Median,
            SlowestStart = slowest,
            RegionTouch = touch,
            TargetMilliseconds = StartTargetMs + touch,
            ControlBytes = controlBytes,
            ControlTargetBytes = ControlTarget,
            EngineBytes = engineBytes,
            EngineTargetBytes = EngineTarget,
            Met = BenchSpread.Of(all).Median <= StartTargetMs + touch && controlBytes <= ControlTarget && engineBytes <= EngineTarget,
        };
        figures.Add(BenchFigures.Of("start.to-first-quantum.p50", "ms", BenchBetter.Less, report.StartToFirstQuantum, note: FormattableString.Invariant($"{StartTargetMs:0} ms and the region's touch are aimed at")));
        figures.Add(BenchFigures.Of("start.to-main.p50", "ms", BenchBetter.Less, report.SpawnToMain));
        figures.Add(BenchFigures.Of("start.to-serving.p50", "ms", BenchBetter.Less, report.MainToReady));
        figures.Add(BenchFigures.Of("start.region-touch", "ms", BenchBetter.None, touch));
        figures.Add(BenchFigures.Of("start.control-memory.max", "B", BenchBetter.Less, controlBytes, ControlTarget));
        figures.Add(BenchFigures.Of("start.engine-memory.max", "B", BenchBetter.Less, engineBytes, EngineTarget));
        if (options.Json)
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

    [LibraryImport("libc", EntryPoint = "memfd_create")]
    private static unsafe partial int MemfdCreate(byte* name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate")]
    private static partial int Truncate(int fd, long length);
}
