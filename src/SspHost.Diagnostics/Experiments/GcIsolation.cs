// The experiment behind the two processes: the same 1 kHz quantum beside the same storm, once inside its runtime, once outside.
using System.Globalization;
using System.Text;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

/// <summary>One half of the experiment. Lateness is in microseconds from the moment the quantum was due.</summary>
public sealed record GcIsolationSide
{
    /// <summary>Whether the thread ran at SCHED_FIFO.</summary>
    public bool RealTime { get; init; }

    public required Distribution LatenessMicroseconds { get; init; }

    /// <summary>Quanta that were over before they could begin, or were lost.</summary>
    public ulong Overruns { get; init; }

    /// <summary>Collections a second in the process that storms, and how many of them were asked for by the pacemaker.</summary>
    public double CollectionsPerSecond { get; init; }

    /// <inheritdoc cref="CollectionsPerSecond"/>
    public double InducedPerSecond { get; init; }

    /// <summary>Megabytes allocated a second by the storm, and the objects it kept alive.</summary>
    public double MegabytesPerSecond { get; init; }

    /// <inheritdoc cref="MegabytesPerSecond"/>
    public int LiveObjects { get; init; }
}

/// <summary>Both halves and what they say.</summary>
public sealed record GcIsolationReport
{
    /// <summary>Version of this format.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Length of each half.</summary>
    public double Seconds { get; init; }

    public required GcIsolationSide SameRuntime { get; init; }

    public required GcIsolationSide OwnProcess { get; init; }

    /// <summary>Collections and managed bytes of the engine process while the other one stormed, and on its RT threads: 0 each.</summary>
    public long EngineCollections { get; init; }

    /// <inheritdoc cref="EngineCollections"/>
    public long EngineAllocatedBytes { get; init; }

    /// <inheritdoc cref="EngineCollections"/>
    public long EngineRealTimeAllocatedBytes { get; init; }

    /// <summary>Whether the storm reached its 200 collections a second in both halves and the engine's counters stood still.</summary>
    public bool Valid { get; init; }

    /// <summary>In plain words.</summary>
    public required string Verdict { get; init; }
}

/// <summary>Runs the halves.</summary>
public static class GcIsolation
{
    /// <summary>Collections a second the storm has to reach.</summary>
    public const int CollectionsPerSecond = 200;

    private const ulong PeriodNs = 1_000_000;
    private const int Priority = 80;
    private const double Microsecond = 1000;

    /// <summary>(a) The quantum in this runtime.</summary>
    public static GcIsolationSide InThisRuntime(double seconds)
    {
        using var clock = new RuntimeClock(PeriodNs, Priority);
        using var storm = new AllocationStorm(StormThreads, CollectionsPerSecond);
        storm.Calibrate();
        var (before, missedBefore) = (clock.Lateness, clock.Missed);
        Pass(seconds);
        var lateness = HistogramWindow.Difference(clock.Lateness, in before);
        return Side(clock.RealTime, StatusSampler.Summarise(in lateness, Microsecond), clock.Missed - missedBefore, storm);
    }

    /// <summary>
    /// (b) The quantum in the engine, which plays on a simulated card with a quantum of 1 ms; the storm is here. Throws
    /// <see cref="EngineGoneException"/> if the engine does not play.
    /// </summary>
    public static (GcIsolationSide Side, long Collections, long Allocated, long OnRealTimeThreads) InTheEngine(EngineLink link, double seconds)
    {
        using var storm = new AllocationStorm(StormThreads, CollectionsPerSecond);
        storm.Calibrate();
        if (!link.TryAudio(out var before) || !link.TrySteward(out var stewardBefore)) throw new EngineGoneException("the engine gives no status");
        var wake = new HistogramWindow(link.Map, HistogramKind.Wake);
        Pass(seconds);
        if (!link.TryAudio(out var after) || !link.TrySteward(out var stewardAfter)) throw new EngineGoneException("the engine gives no status");
        if (after.Quanta == before.Quanta) throw new EngineGoneException("the engine did not play");
        var lateness = wake.Next();
        var side = Side(
            after.RealTime != 0, StatusSampler.Summarise(in lateness, Microsecond), after.Late - before.Late + (after.Dropouts - before.Dropouts), storm);
        return (side, stewardAfter.Collections - stewardBefore.Collections, stewardAfter.AllocatedBytes - stewardBefore.AllocatedBytes, (long)(after.AllocatedBytes - before.AllocatedBytes));
    }

    /// <summary>Puts the halves together.</summary>
    public static GcIsolationReport Judge(double seconds, GcIsolationSide same, GcIsolationSide own, long collections, long allocated, long onRealTimeThreads)
    {
        var unmoved = collections == 0 && allocated == 0 && onRealTimeThreads == 0;
        var stormy = same.CollectionsPerSecond >= CollectionsPerSecond && own.CollectionsPerSecond >= CollectionsPerSecond;
        var verdict = new StringBuilder();
        verdict.Append(CultureInfo.InvariantCulture, $"Beside {same.CollectionsPerSecond:0} collections a second, a 1 ms quantum in the same runtime came up to {Time(same.LatenessMicroseconds.Max)} late");
        verdict.Append(CultureInfo.InvariantCulture, $" and missed {same.Overruns} periods; in a process of its own, beside {own.CollectionsPerSecond:0} a second, up to {Time(own.LatenessMicroseconds.Max)} and {own.Overruns}. ");
        verdict.Append(unmoved ? "The engine's heap stood still." : string.Create(CultureInfo.InvariantCulture, $"The engine's heap MOVED: {collections} collections, {allocated} bytes, {onRealTimeThreads} on RT threads."));
        if (!stormy) verdict.Append(CultureInfo.InvariantCulture, $" The storm fell short of {CollectionsPerSecond} collections a second: the comparison does not count.");
        if (!same.RealTime || !own.RealTime) verdict.Append(" Without SCHED_FIFO the lateness is the scheduler's as much as the collector's.");
        return new GcIsolationReport
        {
            Seconds = seconds,
            SameRuntime = same,
            OwnProcess = own,
            EngineCollections = collections,
            EngineAllocatedBytes = allocated,
            EngineRealTimeAllocatedBytes = onRealTimeThreads,
            Valid = unmoved && stormy,
            Verdict = verdict.ToString(),
        };
    }

    /// <summary>The report as a table and its verdict.</summary>
    public static string Format(GcIsolationReport r)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{"lateness of a 1 ms quantum, µs",-34}{"p50",10}{"p99",10}{"p99.9",10}{"max",10}{"over-runs",12}{"collections/s",16}{"MB/s",8}{"live",9}").AppendLine();
        Row(text, "same runtime", r.SameRuntime);
        Row(text, "engine process", r.OwnProcess);
        text.Append(CultureInfo.InvariantCulture, $"engine meanwhile: {r.EngineCollections} collections, {r.EngineAllocatedBytes} bytes allocated, {r.EngineRealTimeAllocatedBytes} on RT threads").AppendLine();
        return text.AppendLine(r.Verdict).ToString();
    }

    // One core is left to the pacemaker and to the quantum: a storm of as many threads as cores starves its own collector.
    private static int StormThreads => Math.Clamp(Environment.ProcessorCount - 1, 1, 8);

    private static void Pass(double seconds) => Thread.Sleep(TimeSpan.FromSeconds(seconds));

    private static GcIsolationSide Side(bool realTime, Distribution lateness, ulong overruns, AllocationStorm storm) => new()
    {
        RealTime = realTime,
        LatenessMicroseconds = lateness,
        Overruns = overruns,
        CollectionsPerSecond = storm.Collections / storm.Seconds,
        InducedPerSecond = storm.Induced / storm.Seconds,
        MegabytesPerSecond = storm.AllocatedBytes / storm.Seconds / 1e6,
        LiveObjects = storm.Live,
    };

    private static void Row(StringBuilder text, string name, GcIsolationSide s)
    {
        var d = s.LatenessMicroseconds;
        var title = name + (s.RealTime ? " (FIFO 80)" : " (no FIFO)");
        text.Append(CultureInfo.InvariantCulture, $"{title,-34}{d.P50,10:0.0}{d.P99,10:0.0}{d.P999,10:0.0}{d.Max,10:0.0}{s.Overruns,12}{s.CollectionsPerSecond,16:0}{s.MegabytesPerSecond,8:0}{s.LiveObjects,9}").AppendLine();
    }

    private static string Time(double microseconds) => microseconds >= 1000
        ? (microseconds / 1000).ToString("0.0", CultureInfo.InvariantCulture) + " ms"
        : microseconds.ToString("0", CultureInfo.InvariantCulture) + " µs";
}
