// An engine that plays while something is done to its memory, once with its memory locked and once without: what was measured of it.
using System.Globalization;
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Diagnostics;

/// <summary>What one engine went through. Counts are of the experiment's time only.</summary>
public sealed record LockingSide
{
    /// <summary>Whether it locked its memory.</summary>
    public bool Locked { get; init; }

    /// <summary>Seconds it was watched, and quanta it rendered in them.</summary>
    public double Seconds { get; init; }

    /// <inheritdoc cref="Seconds"/>
    public ulong Quanta { get; init; }

    /// <summary>Page faults on RT threads: each may be a read from the disk.</summary>
    public ulong Faults { get; init; }

    public ulong Late { get; init; }

    public ulong Dropouts { get; init; }

    public ulong LostFrames { get; init; }

    /// <summary>Rendering of a quantum, in microseconds.</summary>
    public required Distribution RenderMicroseconds { get; init; }

    /// <summary>From the moment there was something to do to the audio thread running, in microseconds.</summary>
    public required Distribution WakeMicroseconds { get; init; }

    /// <summary>Times the kernel was asked to take pages out, those in which it took some that RT threads use, and those after which they faulted.</summary>
    public int Rounds { get; init; }

    /// <inheritdoc cref="Rounds"/>
    public int RoundsTaken { get; init; }

    /// <inheritdoc cref="Rounds"/>
    public int RoundsFaulted { get; init; }

    /// <summary>Bytes for which it refused, because they are locked, counted each time.</summary>
    public long RefusedBytes { get; init; }

    /// <summary>Most bytes of it that were seen in swap at once.</summary>
    public long SwappedBytes { get; init; }
}

/// <summary>What asking the kernel to take pages out came to.</summary>
public record struct PagingRounds(int Rounds, int Taken, int Faulted, long RefusedBytes);

/// <summary>Measures a side from begin to end.</summary>
public sealed unsafe class LockingWatch
{
    private readonly EngineLink _link;
    private readonly ulong _began = Linux.Now();
    private readonly AudioStatus _before;
    private readonly HistogramWindow _render, _wake;

    /// <summary>From now on.</summary>
    public LockingWatch(EngineLink link)
    {
        _link = link;
        _ = link.TryAudio(out _before);
        _render = new HistogramWindow(link.Map, HistogramKind.Quantum);
        _wake = new HistogramWindow(link.Map, HistogramKind.Wake);
    }

    /// <summary>Until now.</summary>
    public LockingSide End(bool locked, in PagingRounds rounds, long swappedBytes)
    {
        _ = _link.TryAudio(out var now);
        return new LockingSide
        {
            Locked = locked,
            Seconds = Math.Round((Linux.Now() - _began) / 1e9, 3),
            Quanta = now.Quanta - _before.Quanta,
            Faults = now.Faults - _before.Faults,
            Late = now.Late - _before.Late,
            Dropouts = now.Dropouts - _before.Dropouts,
            LostFrames = now.LostFrames - _before.LostFrames,
            RenderMicroseconds = StatusSampler.Summarise(_render.Next(), 1e3),
            WakeMicroseconds = StatusSampler.Summarise(_wake.Next(), 1e3),
            Rounds = rounds.Rounds,
            RoundsTaken = rounds.Taken,
            RoundsFaulted = rounds.Faulted,
            RefusedBytes = rounds.RefusedBytes,
            SwappedBytes = swappedBytes,
        };
    }

    /// <summary>Bytes of a process in swap.</summary>
    public static long Swapped(int pid) => Mapping.Of(pid).Sum(m => m.Swapped);

    internal static string Row(LockingSide s) => string.Create(
        CultureInfo.InvariantCulture,
        $"  {(s.Locked ? "locked" : "not locked"),-11}{s.Quanta,9} quanta{s.Faults,9} faults{s.Late,7} late{s.Dropouts,7} dropouts{s.LostFrames,9} frames lost   slowest quantum {s.RenderMicroseconds.Max,8:0} us, wake-up p99.9 {s.WakeMicroseconds.P999,7:0} us");
}
