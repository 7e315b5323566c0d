// ssp bench metrics: what ten snapshots a second cost this machine, by the clock of the thread that takes them.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Diagnostics.Benching;

namespace SspHost.Commands;

/// <summary>What `ssp bench metrics --json` prints.</summary>
/// <param name="Threads">Threads in a snapshot.</param>
/// <param name="CpuMicroseconds">CPU time of one snapshot.</param>
/// <param name="Share">Of a core, at ten a second.</param>
/// <param name="Bytes">Managed bytes that one allocates.</param>
/// <param name="Kept">Managed bytes that a minute of them holds.</param>
internal sealed record MetricsCost(int Version, int Threads, double CpuMicroseconds, double Share, long Bytes, long Kept, double Target, bool Met);

internal static unsafe partial class MetricsBench
{
    private const int Warm = MetricsRecorder.Rate * MetricsRecorder.Seconds, Rounds = 500;
    private const double Target = 0.01;
    private const int ThreadCpuClock = 3; // CLOCK_THREAD_CPUTIME_ID

    public static int Run(BenchOptions options, List<BenchFigure> figures)
    {
        // Where no engine runs, this process stands for it: as many files are read.
        var pid = EngineFile.TryRead(RuntimeDirectory.Locate()) is { } file && file.IsAlive() ? file.Pid : Environment.ProcessId;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var recorder = MetricsRecorder.ByHand(() => pid);
        for (var i = 0; i < Warm + 2; i++) recorder.Take();
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        var (allocated, cpu) = (GC.GetAllocatedBytesForCurrentThread(), CpuNow());
        for (var i = 0; i < Rounds; i++) recorder.Take();
        var each = (CpuNow() - cpu) / 1e3 / Rounds;
        var share = each * MetricsRecorder.Rate / 1e6;
        var threads = recorder.Report(1)!.Processes.Sum(p => p.Threads.Count);
        var cost = new MetricsCost(
            1, threads, Math.Round(each, 1), Math.Round(share, 5), (GC.GetAllocatedBytesForCurrentThread() - allocated) / Rounds, kept, Target, share <= Target);
        figures.Add(BenchFigures.Of("metrics.snapshot", "us", BenchBetter.Less, each));
        figures.Add(BenchFigures.Of("metrics.core", "%", BenchBetter.Less, share * 100, Target * 100));
        figures.Add(BenchFigures.Of("metrics.minute", "B", BenchBetter.Less, kept));
        Console.WriteLine(options.Json
            ? JsonSerializer.Serialize(cost, BenchJson.Default.MetricsCost)
            : string.Create(
                CultureInfo.InvariantCulture,
                $"metrics: a snapshot of {threads} threads takes {each:0} us, {share * 100:0.00} % of a core at {MetricsRecorder.Rate} a second (to reach: {Target * 100:0} %: {(cost.Met ? "reached" : "NOT reached")}); a minute of them holds {kept / 1024.0:0} KiB"));
        return 0;
    }

    private static ulong CpuNow()
    {
        Linux.TimeSpec t;
        _ = ClockGetTime(ThreadCpuClock, &t);
        return ((ulong)t.Seconds * 1_000_000_000) + (ulong)t.Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, Linux.TimeSpec* time);
}
