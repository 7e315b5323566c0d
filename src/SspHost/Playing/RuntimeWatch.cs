// Runtimes that libraries brought along and that collect: each collection may stop a thread that plays, so it is said whose it was.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Playing;

/// <summary>Looks at what the engine counts of its libraries. Not thread-safe.</summary>
internal sealed unsafe class RuntimeWatch
{
    private const ulong Again = 100; // said at the first collection, and at every hundredth

    private readonly ulong[] _told = new ulong[Limits.MaxLibraries];
    private int _generation = -1;

    /// <summary>A line for every library that has collected, or has gone on collecting, since it was told of.</summary>
    public IReadOnlyList<string> Look(RegionMap map, int generation)
    {
        if (generation != _generation) Array.Clear(_told);
        _generation = generation;
        List<string>? lines = null;
        for (var i = 0; map.Header->LibrariesOffset != 0 && i < Limits.MaxLibraries && Volatile.Read(ref map.Libraries[i].Types) > 0; i++)
        {
            var count = Volatile.Read(ref map.Libraries[i].Collections);
            if (count == 0 || (_told[i] != 0 && count < _told[i] + Again)) continue;
            _told[i] = count;
            (lines ??= []).Add(string.Create(
                CultureInfo.InvariantCulture,
                $"the runtime of {LibraryRecord.Text(map.Libraries[i].File, LibraryRecord.PathBytes)} has collected {count} time{(count == 1 ? "" : "s")}: that may stop what plays; a module of it allocates where it must not"));
        }

        return lines ?? (IReadOnlyList<string>)[];
    }
}
