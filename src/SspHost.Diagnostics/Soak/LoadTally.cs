// What can be said of many blocks' loads: exact, for sixteen bits are few enough to count each value.
using SspHost.Abi;

namespace SspHost.Diagnostics.Soak;

/// <summary>Counts values (<see cref="BlockLoad"/>) in the order of their blocks.</summary>
public sealed class LoadTally
{
    private readonly long[] _counts = new long[BlockLoad.Lost]; // by load; the mark of lost frames is counted beside
    private bool _inRun;

    /// <summary>Values counted.</summary>
    public long Blocks { get; private set; }

    /// <summary>Blocks whose values were lost on the way here.</summary>
    public long Missing { get; private set; }

    /// <summary>Blocks that took longer than they last.</summary>
    public long Late { get; private set; }

    /// <summary>Blocks with which, or just before which, frames were lost.</summary>
    public long Lost { get; private set; }

    /// <summary>Blocks that are one or the other: those that a player could have heard, or nearly.</summary>
    public long Bad { get; private set; }

    /// <summary>How many rows of such blocks one after the other there were: bursts count once.</summary>
    public long BadRuns { get; private set; }

    /// <summary>The largest value without the mark; -1: none was counted.</summary>
    public int Worst { get; private set; } = -1;

    /// <summary>The first block that had it.</summary>
    public ulong WorstBlock { get; private set; }

    /// <summary>Whether a value is of a block that was late or lost frames.</summary>
    public static bool IsBad(ushort value) => BlockLoad.IsLate(value) || BlockLoad.IsLost(value);

    /// <summary>Counts the values of blocks <paramref name="first"/> and following.</summary>
    public void Add(ulong first, ReadOnlySpan<ushort> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var value = values[i];
            if (value == BlockLoad.Missing)
            {
                Skip(1);
                continue;
            }

            var units = BlockLoad.Units(value);
            _counts[units]++;
            Blocks++;
            if (units > Worst) (Worst, WorstBlock) = (units, first + (ulong)i);
            if (BlockLoad.IsLate(value)) Late++;
            if (BlockLoad.IsLost(value)) Lost++;
            var bad = IsBad(value);
            if (bad)
            {
                Bad++;
                if (!_inRun) BadRuns++;
            }

            _inRun = bad;
        }
    }

    /// <summary>So many blocks have no value.</summary>
    public void Skip(long blocks)
    {
        if (blocks == 0) return;
        Missing += blocks;
        _inRun = false;
    }

    /// <summary>
    /// The smallest load that at least the fraction <paramref name="p"/> of the blocks does not exceed, as value: what stands at that place when all
    /// are sorted. -1: none was counted.
    /// </summary>
    public int Quantile(double p)
    {
        if (Blocks == 0) return -1;
        var rank = Math.Clamp((long)Math.Ceiling(p * Blocks), 1, Blocks);
        long seen = 0;
        for (var units = 0; ; units++)
        {
            seen += _counts[units];
            if (seen >= rank) return units;
        }
    }
}
