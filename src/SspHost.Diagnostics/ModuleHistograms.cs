// What a module's histogram gained since somebody looked last: counts only grow, so a window is the difference of two copies.
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>Windows over the histograms of instances. Not thread-safe: one reader, one object.</summary>
internal sealed unsafe class ModuleHistograms
{
    private readonly Dictionary<int, (ulong Key, Histogram Seen)> _before = [];

    /// <summary>
    /// What the instance of a slot recorded since the last call; null: it has no histogram, or nothing was recorded, or it is seen for the first time.
    /// </summary>
    public Histogram? Next(RegionMap map, int slot)
    {
        var r = map.Instances + slot;
        var offset = Volatile.Read(ref r->Histogram);
        if (offset <= 0 || offset > map.Bytes - sizeof(Histogram))
        {
            _ = _before.Remove(slot);
            return null;
        }

        var now = *(Histogram*)map.At(offset);
        var known = _before.TryGetValue(slot, out var before) && before.Key == r->Key && before.Seen.Count <= now.Count;
        _before[slot] = (r->Key, now);
        if (!known || before.Seen.Count == now.Count) return null;
        return now.Since(in before.Seen);
    }
}
