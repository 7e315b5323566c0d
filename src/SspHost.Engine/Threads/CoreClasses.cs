// Cores sorted into a few classes by speed: what costs are kept for, and what decides which nodes a core may take.
using SspHost.Abi;

namespace SspHost.Engine.Threads;

/// <summary>
/// Classes of a machine's cores, the fastest first. Cores within an eighth of a class's fastest belong to it: boost clocks and binning differ
/// by less between equal cores, different designs by more. A fourth class and slower ones count as the last.
/// </summary>
public sealed class CoreClasses
{
    private const int SameWithin = 8;

    private readonly int[] _fastest = new int[Limits.MaxCoreClasses];
    private readonly int[] _slowest = new int[Limits.MaxCoreClasses];
    private readonly int[] _cores = new int[Limits.MaxCoreClasses];
    private readonly CoreInfo[] _all;

    /// <summary>Sorts the cores. [start-up: allocates]</summary>
    public CoreClasses(ReadOnlySpan<CoreInfo> cores)
    {
        _all = cores.ToArray();
        var sorted = cores.ToArray();
        Array.Sort(sorted, (a, b) => b.Capacity.CompareTo(a.Capacity));
        foreach (var core in sorted)
        {
            if (Count == 0 || (core.Capacity < _fastest[Count - 1] * (SameWithin - 1) / SameWithin && Count < _cores.Length))
            {
                _fastest[Count] = core.Capacity;
                Count++;
            }

            _cores[Count - 1]++;
            _slowest[Count - 1] = core.Capacity;
        }
    }

    /// <summary>Classes there are, at most <see cref="Limits.MaxCoreClasses"/>.</summary>
    public int Count { get; }

    /// <summary>Cores of a class.</summary>
    public int Cores(int coreClass) => _cores[coreClass];

    /// <summary>Speed of the slowest core of a class relative to the fastest core of all.</summary>
    public float Capacity(int coreClass) => coreClass == 0 ? 1 : _slowest[coreClass] / (float)_fastest[0];

    /// <summary>Class of a core. One that is not known, or -1 (a thread that may run anywhere), counts as the slowest. Allocates nothing.</summary>
    public int Of(int number)
    {
        foreach (var core in _all)
        {
            if (core.Number != number) continue;
            var c = 0;
            while (c < Count - 1 && core.Capacity < _slowest[c]) c++;
            return c;
        }

        return Math.Max(0, Count - 1);
    }
}
