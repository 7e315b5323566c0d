// The experiments about locked memory: an engine of their own, twice; what is done to it is bounded in time and size.
using System.Globalization;
using System.Text.Json;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Diagnostics;
using SspHost.Patching;
using SspHost.Playing;
using SspHost.Supervision;

namespace SspHost.Commands;

/// <summary>What a person may choose.</summary>
/// <param name="Seconds">Length of each side.</param>
/// <param name="SwapMib">MiB of a swap file to make for the time of the experiment; 0 = none.</param>
/// <param name="LimitMib">memload: MiB that engine and load share, in a control group of their own; 0 = as much as the engine holds and 192 MiB.</param>
/// <param name="WholeMachine">memload: make memory short for everybody.</param>
internal readonly record struct LockingOptions(double Seconds, int SwapMib, int LimitMib, bool WholeMachine, bool Json);

internal static class LockingExperiments
{
    private const int Rate = 48_000, SmallestQuantum = 16, UsualQuantum = 32;
    private const int RegionMib = 64, LoadMib = 192, ReserveMib = 16;
    private const int RoundMs = 20, SettleMs = 5, LookMs = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static int Run(LockingExperiment experiment, LockingOptions options)
    {
        if (!options.Json) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"two sides of {options.Seconds:0.#} s each ..."));
        using var swap = options.SwapMib > 0 ? TemporarySwap.Create(Path.GetTempPath(), (long)options.SwapMib << 20) : null;
        var quantum = experiment == LockingExperiment.CountGlitches ? SmallestQuantum : UsualQuantum;
        var load = "";
        var free = Side(experiment, options, quantum, locks: false, ref load);
        var locked = Side(experiment, options, quantum, locks: true, ref load);
        var report = LockingReport.Judge(experiment, quantum, load, File.ReadLines("/proc/swaps").Skip(1).Any(), free, locked);
        if (options.Json) Console.WriteLine(JsonSerializer.Serialize(report, DiagnosticsJson.Pretty.LockingReport));
        else Console.Write(LockingReport.Format(report));
        return report is { Shown: true, Cured: true } ? 0 : 1;
    }

    private static LockingSide Side(LockingExperiment experiment, in LockingOptions options, int quantum, bool locks, ref string load)
    {
        var reason = "";
        using var group = experiment == LockingExperiment.MemoryLoad && !options.WholeMachine
            ? PressureGroup.TryCreate((long)(options.LimitMib > 0 ? options.LimitMib : RegionMib + LoadMib) << 20, out reason)
                ?? throw new CommandException($"memload needs a control group with a memory limit, and there is none to be had: {reason}. --whole-machine makes memory short for everybody instead")
            : null;
        PrivateEngine engine;
        group?.Enter();
        try
        {
            engine = PrivateEngine.Start(RegionMib, locks);
        }
        finally
        {
            group?.Leave();
        }

        using (engine)
        {
            var sink = engine.Sink(BenchOptions.SimulatedSetup with { Rate = Rate, QuantumOverride = quantum, Periods = 3, Threads = 1 }, Console.Error.WriteLine);
            using var session = PatchSession.Start(new PatchSessionOptions { Modules = engine.Modules, Sink = sink });
            if (PatchFiles.FirstDemo("") is not { } demo) throw new CommandException("the experiment plays a demo patch, and there is none (patches/)");
            sink.Assets.AddRoot(Path.GetDirectoryName(demo)!);
            if (session.Open(demo, out _) is { } refused) throw new CommandException(refused.ToString());
            if (sink.StartAudio() is { } why) throw new CommandException(why);
            var seconds = options.Seconds;
            var pid = engine.Pid;
            if (group == null && experiment != LockingExperiment.MemoryLoad)
            {
                load = experiment == LockingExperiment.CountGlitches
                    ? $"all that the engine holds is asked to leave memory every {RoundMs} ms"
                    : $"stacks and code of its RT threads are asked to leave memory every {RoundMs} ms";
                return engine.Slot.Use(link => PagedOut(link, pid, seconds, locks, everything: experiment == LockingExperiment.CountGlitches));
            }

            var (lockMib, moreMib) = LoadFor(group, options);
            load = string.Create(CultureInfo.InvariantCulture, $"beside it a process locks {lockMib} MiB and touches {moreMib} MiB more, {(group == null ? "of the whole machine's memory" : "in a group with too little for both")}");
            return engine.Slot.Use(link => BesideLoad(link, pid, seconds, locks, group, lockMib, moreMib));
        }
    }

    // All that may be locked without ending the engine, and as much again: what is missing has to come from somewhere.
    private static (int Lock, int More) LoadFor(PressureGroup? group, in LockingOptions options)
    {
        if (group != null)
        {
            var limit = options.LimitMib > 0 ? options.LimitMib : RegionMib + LoadMib;
            var half = Math.Max(ReserveMib, ((limit - (int)(group.Used >> 20)) / 2) - ReserveMib);
            return (half, 3 * half);
        }

        var available = File.ReadLines("/proc/meminfo").First(l => l.StartsWith("MemAvailable:", StringComparison.Ordinal));
        var mib = int.Parse(available.AsSpan(13).Trim()[..^3], NumberStyles.None, CultureInfo.InvariantCulture) / 1024;
        return (mib / 2, mib);
    }

    private static LockingSide PagedOut(EngineLink link, int pid, double seconds, bool locks, bool everything)
    {
        WaitUntilItPlays(link);
        using var paging = new Paging(pid);
        var ranges = Ranges(link, pid, everything);
        var watched = Ranges(link, pid, everything: false);
        var watch = new LockingWatch(link);
        var rounds = default(PagingRounds);
        long swapped = 0;
        var until = Environment.TickCount64 + (long)(seconds * 1000);
        while (Environment.TickCount64 < until)
        {
            _ = link.TryAudio(out var before);
            var present = Present(paging, watched);
            foreach (var (start, end) in ranges)
            {
                var result = paging.Out(start, end);
                if (result.Error != 0) throw new CommandException($"the kernel does not let pages be taken out (errno {result.Error}): run as root");
                rounds.RefusedBytes += result.Refused;
            }

            // An RT thread touches some of them again within a quantum; the rest stays out.
            if (Present(paging, watched) < present) rounds.Taken++;
            Thread.Sleep(SettleMs);
            _ = link.TryAudio(out var after);
            rounds.Rounds++;
            if (after.Faults > before.Faults) rounds.Faulted++;
            if (rounds.Rounds % (LookMs / RoundMs) == 0) swapped = Math.Max(swapped, LockingWatch.Swapped(pid));
            Thread.Sleep(RoundMs - SettleMs);
        }

        return watch.End(locks, rounds, swapped);
    }

    private static int Present(Paging paging, IEnumerable<(ulong Start, ulong End)> ranges) => ranges.Sum(r => paging.Look(r.Start, r.End).Present);

    // Stacks of the RT threads and the engine's own code; or all that it maps of the region and of files.
    private static unsafe List<(ulong Start, ulong End)> Ranges(EngineLink link, int pid, bool everything)
    {
        var header = link.Map.Header;
        var stacksEnd = header->StacksOffset + (header->StackStride * header->StackCount);
        var image = $"/{Path.GetFileName(EngineLauncher.FindExecutable())}";
        var ranges = new List<(ulong, ulong)>();
        foreach (var m in Mapping.Of(pid))
        {
            if (m.Resident == 0 || m.Permissions.StartsWith("---", StringComparison.Ordinal) || m.Path.StartsWith("[v", StringComparison.Ordinal)) continue;
            var region = m.Path.StartsWith("/memfd:ssp-region", StringComparison.Ordinal);
            var stack = region && m.Offset >= header->StacksOffset && m.Offset < stacksEnd;
            var code = m.IsExecutable && m.Path.EndsWith(image, StringComparison.Ordinal);
            if (stack || code || (everything && (region || m.Path.StartsWith('/')))) ranges.Add((m.Start, m.End));
        }

        return ranges;
    }

    private static LockingSide BesideLoad(EngineLink link, int pid, double seconds, bool locks, PressureGroup? group, int lockMib, int moreMib)
    {
        WaitUntilItPlays(link);
        var watch = new LockingWatch(link);
        var told = Path.GetTempFileName();
        group?.Enter();
        int load;
        try
        {
            load = EngineLauncher.Spawn(
                [Environment.ProcessPath!, "experiment", "memory-pressure", lockMib.ToString(CultureInfo.InvariantCulture), moreMib.ToString(CultureInfo.InvariantCulture), ((int)Math.Ceiling(seconds)).ToString(CultureInfo.InvariantCulture)],
                told);
        }
        finally
        {
            group?.Leave();
        }

        long swapped = 0;
        using var process = EngineProcess.Open(load);
        var until = Environment.TickCount64 + (long)(seconds * 1000);
        while (Environment.TickCount64 < until)
        {
            swapped = Math.Max(swapped, LockingWatch.Swapped(pid));
            Thread.Sleep(LookMs);
        }

        var side = watch.End(locks, default, swapped);
        _ = process?.Signal(9);
        _ = process?.Wait((int)Patience.TotalMilliseconds);
        _ = EngineLauncher.TryReap(load);
        File.Delete(told);
        return side;
    }

    private static void WaitUntilItPlays(EngineLink link)
    {
        var until = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (Environment.TickCount64 < until)
        {
            // All of the pool is touched (and locked) by then: what faults later left memory.
            if (link.TryAudio(out var a) && a.Quanta > 1000 && link.TrySteward(out var s) && s.PoolBytes > 0 && IsComplete(link)) return;
            if (link.Process is { HasExited: true }) throw new EngineGoneException("the engine ended before it played");
            Thread.Sleep(10);
        }

        throw new EngineTimeoutException($"the engine did not play within {Patience.TotalSeconds:0} s");
    }

    private static unsafe bool IsComplete(EngineLink link) => link.Map.PoolStats->TryRead(out var stats) && stats.Offered == stats.Limit;
}
