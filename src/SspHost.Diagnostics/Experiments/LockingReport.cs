// The three experiments about locked memory: the same engine twice, side by side, and what that shows in plain words.
using System.Globalization;
using System.Text;

namespace SspHost.Diagnostics;

/// <summary>One of the experiments.</summary>
public enum LockingExperiment
{
    /// <summary>Memory is made short beside it.</summary>
    MemoryLoad,

    /// <summary>Missed quanta are counted at the smallest quantum, while all the engine holds is asked to leave memory again and again.</summary>
    CountGlitches,

    /// <summary>Stacks and code of its RT threads are asked to leave memory, and it is looked whether they do.</summary>
    ThreadSwapped,
}

/// <summary>Both sides and what they show.</summary>
public sealed record LockingReport
{
    /// <summary>Version of this format.</summary>
    public int Version { get; init; } = 1;

    /// <summary>"memload", "count-glitches" or "thread-swapped".</summary>
    public required string Experiment { get; init; }

    /// <summary>Frames of a quantum.</summary>
    public int Quantum { get; init; }

    /// <summary>What was done to both.</summary>
    public required string Load { get; init; }

    /// <summary>Whether there was swap: without it only code can leave memory.</summary>
    public bool Swap { get; init; }

    public required LockingSide NotLocked { get; init; }

    public required LockingSide Locked { get; init; }

    /// <summary>Whether the engine that locks nothing came to harm: RT threads faulted, or frames were lost.</summary>
    public bool Shown { get; init; }

    /// <summary>Whether the engine that locks its memory came to none: no RT thread faulted.</summary>
    public bool Cured { get; init; }

    /// <summary>In plain words.</summary>
    public required string Verdict { get; init; }

    /// <summary>Judges two sides.</summary>
    public static LockingReport Judge(LockingExperiment experiment, int quantum, string load, bool swap, LockingSide notLocked, LockingSide locked)
    {
        var shown = notLocked.Faults > 0;
        var cured = locked is { Faults: 0, Quanta: > 0 };
        return new LockingReport
        {
            Experiment = NameOf(experiment),
            Quantum = quantum,
            Load = load,
            Swap = swap,
            NotLocked = notLocked,
            Locked = locked,
            Shown = shown,
            Cured = cured,
            Verdict = Words(experiment, swap, notLocked, locked, shown, cured),
        };
    }

    /// <summary>For people.</summary>
    public static string Format(LockingReport r)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{r.Experiment}: two engines one after the other at a quantum of {r.Quantum} frames; {r.Load}{(r.Swap ? "" : "; no swap here")}");
        text.AppendLine(LockingWatch.Row(r.NotLocked));
        text.AppendLine(LockingWatch.Row(r.Locked));
        if (r.NotLocked.Rounds > 0)
            text.AppendLine(CultureInfo.InvariantCulture, $"  asked to leave memory: not locked {r.NotLocked.RoundsTaken} of {r.NotLocked.Rounds} times it left, {r.NotLocked.RoundsFaulted} times an RT thread then faulted; locked {r.Locked.RoundsTaken} of {r.Locked.Rounds}, {r.Locked.RoundsFaulted}");
        text.AppendLine(r.Verdict);
        return text.ToString();
    }

    private static string NameOf(LockingExperiment experiment) => experiment switch
    {
        LockingExperiment.MemoryLoad => "memload",
        LockingExperiment.CountGlitches => "count-glitches",
        _ => "thread-swapped",
    };

    private static string Words(LockingExperiment experiment, bool swap, LockingSide free, LockingSide locked, bool shown, bool cured)
    {
        if (!cured && locked.Quanta == 0) return "The engine that locks its memory rendered nothing: there is no result.";
        if (!cured)
            return string.Create(CultureInfo.InvariantCulture, $"NOT cured: RT threads of the engine that locks its memory faulted {locked.Faults} times. 'ssp doctor' says what keeps this system from locking.");
        if (!shown)
            return experiment == LockingExperiment.MemoryLoad
                ? "Nothing to cure: this load took nothing out of memory that was needed" + (swap ? "; a longer or larger one may." : ". Without swap only code can leave it; --swap 256 makes a swap file for the experiment.")
                : "Nothing to cure: the kernel took nothing out of memory" + (swap ? "." : " that was needed. Without swap only code can leave it; --swap 256 makes a swap file for the experiment.");
        var harm = free.Dropouts > 0
            ? string.Create(CultureInfo.InvariantCulture, $"its audio was interrupted {free.Dropouts} times ({free.LostFrames} frames)")
            : string.Create(CultureInfo.InvariantCulture, $"{free.Late} quanta were late (none lost: the buffer held)");
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Locking helps: without it RT threads waited {free.Faults} times for a page that had left memory, and {harm}; with it not once{(locked.Dropouts > 0 ? $" (its {locked.Dropouts} dropouts have another cause: see 'ssp doctor')" : "")}.");
    }
}
