// Which cores the RT threads get: isolated ones first, then the fastest, and the housekeeping core last.
namespace SspHost.Engine.Threads;

/// <summary>A core this process may use.</summary>
/// <param name="Number">Number of the kernel.</param>
/// <param name="Capacity">cpu_capacity, 1..1024; 1024 = as fast as the fastest.</param>
/// <param name="Isolated">Kept free of other work by isolcpus.</param>
public readonly record struct CoreInfo(int Number, int Capacity, bool Isolated);

/// <summary>Choice of cores; pure functions over a list in order of number.</summary>
public static class CoreChoice
{
    /// <summary>
    /// The core left to everything else: core 0 or, where the process may not use it, the lowest that is not isolated. -1 with no cores.
    /// </summary>
    public static int Housekeeping(ReadOnlySpan<CoreInfo> cores)
    {
        foreach (var core in cores)
            if (core.Number == 0 || !core.Isolated) return core.Number;
        return cores.IsEmpty ? -1 : cores[0].Number;
    }

    /// <summary>
    /// Threads to use where nobody said: one per isolated core; without isolated cores, one per core except the housekeeping core. At
    /// least 1.
    /// </summary>
    public static int DefaultThreads(ReadOnlySpan<CoreInfo> cores)
    {
        var housekeeping = Housekeeping(cores);
        int isolated = 0, others = 0;
        foreach (var core in cores)
        {
            if (core.Number == housekeeping) continue;
            others++;
            if (core.Isolated) isolated++;
        }

        return Math.Clamp(isolated > 0 ? isolated : others, 1, Abi.Limits.MaxThreads);
    }

    /// <summary>
    /// Fills <paramref name="chosen"/>, one core per thread, the audio thread first. A core named in <paramref name="wanted"/> (missing
    /// or -1:
    /// choose) is honoured as it is, twice too. The others get isolated cores, then those of highest capacity, lower numbers first; the
    /// housekeeping core only when every other one is taken; -1 (not pinned) when that is taken too. Returns -1, or the first thread
    /// whose wanted core is
    /// not among <paramref name="cores"/>. Allocates nothing.
    /// </summary>
    public static int Choose(ReadOnlySpan<CoreInfo> cores, ReadOnlySpan<int> wanted, Span<int> chosen)
    {
        for (var i = 0; i < chosen.Length; i++)
        {
            chosen[i] = i < wanted.Length && wanted[i] >= 0 ? wanted[i] : -1;
            if (chosen[i] >= 0 && !Contains(cores, chosen[i])) return i;
        }

        var housekeeping = Housekeeping(cores);
        for (var i = 0; i < chosen.Length; i++)
        {
            if (chosen[i] >= 0) continue;
            var best = -1;
            for (var c = 0; c < cores.Length; c++)
            {
                if (chosen.Contains(cores[c].Number)) continue;
                if (best < 0 || IsBetter(cores[c], cores[best], housekeeping)) best = c;
            }

            chosen[i] = best < 0 ? -1 : cores[best].Number;
        }

        return -1;
    }

    private static bool IsBetter(CoreInfo a, CoreInfo b, int housekeeping)
    {
        if ((a.Number == housekeeping) != (b.Number == housekeeping)) return b.Number == housekeeping;
        if (a.Isolated != b.Isolated) return a.Isolated;
        return a.Capacity > b.Capacity; // equal: the earlier one stays
    }

    private static bool Contains(ReadOnlySpan<CoreInfo> cores, int number)
    {
        foreach (var core in cores)
            if (core.Number == number) return true;
        return false;
    }
}
