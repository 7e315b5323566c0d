// How a pool comes into being and grows: over zeroed memory, part of it ready, the rest offered once it has been touched and locked.
using System.Diagnostics;
using SspHost.Abi;

namespace SspHost.Engine.Memory;

/// <content>Layout of the pool's memory: this struct, the arenas with their tables, one tag per granule, then the granules
/// themselves.</content>
public unsafe partial struct Pool
{
    private const long Line = 128;

    /// <summary>Flags of a pool in this build: checks in checked builds, nothing otherwise.</summary>
    public const PoolFlags DefaultFlags =
#if CHECKED
        PoolFlags.Checks | PoolFlags.FailFast;
#else
        PoolFlags.None;
#endif

    /// <summary>Bytes in front of the first granule for a pool in <paramref name="bytes"/> bytes of memory.</summary>
    public static long OverheadFor(long bytes)
    {
        var tables = TablesBytes();
        var granules = Math.Max(0, bytes - tables) / (Tag.Granule + sizeof(ulong));
        return Align(tables + ((granules + 1) * sizeof(ulong)), Alignment);
    }

    /// <summary>
    /// Bytes from the start of a pool that must be resident, beside the data itself, before its first <paramref name="ready"/> bytes of
    /// data are used.
    /// </summary>
    public static long TagsEndFor(long ready) => TablesBytes() + (((ready >> Tag.GranuleBits) + 2) * sizeof(ulong));

    /// <summary>
    /// Makes a pool in zeroed, 64-byte aligned memory of <paramref name="bytes"/> bytes, of whose data the first <paramref name="ready"/>
    /// bytes are on offer.
    /// Returns null when that is too small to hold even the tables, or more than <see cref="Tag"/>s can number. [start-up]
    /// </summary>
    public static Pool* Create(void* memory, long bytes, long ready, PoolFlags flags = DefaultFlags)
    {
        var overhead = OverheadFor(bytes);
        var granules = (bytes - overhead) >> Tag.GranuleBits;
        Debug.Assert(Arena.Bytes <= 1 << Arena.StrideBits, "an arena overlaps the next");
        if (granules < 2 || granules >= 1L << Tag.IndexBits) return null;

        var pool = (Pool*)memory;
        var at = (byte*)memory + Align(sizeof(Pool), Line);
        pool->_arenas = at;
        at += MaxArenas * (1L << Arena.StrideBits);
        for (var i = 0; i < MaxArenas; i++)
        {
            var a = pool->ArenaAt(i);
            a->Number = -1;
            a->Owners = (long*)at;
            at += Align(Tag.OwnerRows * sizeof(long), Line);
            a->AllocateTimes = (Histogram*)at;
            a->FreeTimes = (Histogram*)at + 1;
            at += Align(2 * sizeof(Histogram), Line);
        }

        pool->_tags = (ulong*)at;
        pool->_data = (byte*)memory + overhead;
        pool->_capacity = (uint)granules;
        pool->_flags = (uint)flags;

        // Granule 0 is "none"; its tag, and the untouched tag behind the last granule on offer, stop the joining of neighbours.
        pool->_tags[0] = Tag.Wall;
        pool->_ready = 1;
        var steward = pool->ArenaAt(0);
        steward->Number = 0;
        steward->LiveTag = Tag.CommonOf(0);
        steward->First = 1;
        pool->Extend(ready - Tag.Granule);
        return pool;
    }

    /// <summary>
    /// Puts the next <paramref name="bytes"/> bytes (rounded down to granules, at most what is left) on offer. They and their tags
    /// (<see cref="TagsEndFor"/>) must have been touched. Returns the bytes added. [any thread that is not RT]
    /// </summary>
    public long Extend(long bytes)
    {
        var a = ArenaAt(0);
        PoolLock.Enter(&a->Lock);
        var n = (uint)Math.Clamp(bytes >> Tag.GranuleBits, 0, _capacity - _ready);
        if (n != 0)
        {
            var first = _ready;
            a->Granules += n;
            Volatile.Write(ref _ready, first + n);
            HalfFit.Give(a, _tags, first, n);
        }

        PoolLock.Exit(&a->Lock);
        return (long)n << Tag.GranuleBits;
    }

    /// <summary>
    /// Gives RT arena <paramref name="arena"/> (1..22) a span of its own of about <paramref name="bytes"/> bytes (a power of two less two
    /// granules),
    /// before its thread runs. True if it has one already; false if the number is bad or the pool has no room. [steward]
    /// </summary>
    public bool OpenArena(int arena, long bytes)
    {
        if (arena is < 1 or >= MaxArenas || bytes < 3 * Tag.Granule || bytes > MaxBytes) return false;
        var home = ArenaAt(0);
        var a = ArenaAt(arena);
        PoolLock.Enter(&home->Lock);
        var open = a->Number == arena;
        if (!open)
        {
            var k = HalfFit.ClassOf(bytes);
            var block = HalfFit.Take(home, _tags, k);
            if (block != 0)
            {
                // To arena 0 this is one block that is never freed. Within, its first tag and its last (interior) are the
                // walls of the span.
                _tags[block] = Tag.ForWall(k, arena);
                a->First = block + 1;
                a->Granules = (1u << k) - 2;
                a->LiveTag = Tag.CommonOf(arena);
                home->SpanGranules += 1L << k;
                HalfFit.Give(a, _tags, a->First, a->Granules);
                Volatile.Write(ref a->Number, arena);
                open = true;
            }
        }

        PoolLock.Exit(&home->Lock);
        return open;
    }

    /// <summary>Bytes of the span of an RT arena; 0 where it is not open.</summary>
    public readonly long SpanBytes(int arena) => arena is < 1 or >= MaxArenas ? 0 : (long)ArenaAt(arena)->Granules << Tag.GranuleBits;

    private static long TablesBytes() => Align(sizeof(Pool), Line) +
        (MaxArenas * ((1L << Arena.StrideBits) + Align(Tag.OwnerRows * sizeof(long), Line) + Align(2 * sizeof(Histogram), Line)));

    private static long Align(long bytes, long to) => (bytes + to - 1) & ~(to - 1);
}
