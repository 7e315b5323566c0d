// Backend of an arena: half-fit with power-of-two fragments, whose fragmentation is bounded by a theorem.
using System.Numerics;
using System.Runtime.CompilerServices;

namespace SspHost.Engine.Memory;

/// <summary>
/// Half-fit (T. Ogasawara, "An algorithm with constant execution time for dynamic storage allocation", 1995) with fragments rounded up to powers of two,
/// as o1heap does it: then Robson's analysis holds and the memory that serves every sequence of requests has a bound. Bin k holds free
/// blocks of 2^k to 2^(k+1)-1 granules, so any block of any bin from k on serves class k: find, unlink, split, coalesce are each a constant
/// number of steps. All of it works on <see cref="Tag"/>s; the blocks themselves are never touched.
/// </summary>
public static unsafe class HalfFit
{
    /// <summary>
    /// Memory in bytes that serves every sequence of requests of at most <paramref name="live"/> bytes at once, none larger than
    /// <paramref name="largest"/>: H(M, n) = 2 M (1 + ceil(log2 n)), n = largest over smallest fragment. The factor 2 is the rounding to powers
    /// of two. Source: J. M. Robson, "Bounds for some functions concerning dynamic storage allocation", 1974, in the form o1heap states it.
    /// Blocks kept in magazines count as live (<see cref="Pool.MagazineBytes"/>).
    /// </summary>
    public static long Bound(long live, long largest) => 2 * live * (1 + LogRatio(largest));

    /// <summary>The reverse: most bytes that may be live at once so that no request up to <paramref name="largest"/> can ever fail in <paramref name="memory"/> bytes.</summary>
    public static long Guaranteed(long memory, long largest) => memory / (2 * (1 + LogRatio(largest)));

    private static int LogRatio(long largest) => ClassOf(Math.Max(1, largest));

    /// <summary>Class of a request: the k of the smallest fragment 64 * 2^k that holds it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int ClassOf(long bytes) => 64 - BitOperations.LeadingZeroCount((ulong)(bytes - 1) >> Tag.GranuleBits);

    /// <summary>Takes a fragment of class <paramref name="k"/>; 0 when no bin holds one. The tag of its first granule is the caller's to write.</summary>
    internal static uint Take(Arena* a, ulong* tags, int k)
    {
        var fit = Fit(a, k);
        return fit == 0 ? 0 : TakeFrom(a, tags, fit, 1u << k);
    }

    /// <summary>The bins that can serve class <paramref name="k"/>, as bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Fit(Arena* a, int k) => a->Bins & (~0u << k);

    /// <summary>Takes <paramref name="taken"/> granules, a power of two, from the lowest bin of <paramref name="fit"/>, which is not 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint TakeFrom(Arena* a, ulong* tags, uint fit, uint taken)
    {
        var bin = BitOperations.TrailingZeroCount(fit);
        var heads = Arena.Heads(a);
        var block = heads[bin];
        var next = *Tag.High(tags, block);
        var (size, state) = bin == 0 ? (1u, (uint)Tag.FreeOne) : (*Tag.High(tags, block + 1), (uint)Tag.FreeHead);
        heads[bin] = next;
        if (next == 0) a->Bins ^= 1u << bin;
        else *Tag.Low(tags, next) = state;

        tags[block + taken - 1] = Tag.Interior; // of a single granule: the tag that the caller writes
        if (size != taken) Insert(a, tags, block + taken, size - taken);
        return block;
    }

    /// <summary>Gives granules back and joins them with free neighbours. Spans end at tags that are never free, so no border is checked.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Give(Arena* a, ulong* tags, uint block, uint size)
    {
        var after = block + size;
        var state = *Tag.Low(tags, after) & (uint)Tag.StateMask;
        if (state - Tag.FreeHead <= Tag.FreeOne - Tag.FreeHead)
        {
            var n = state == Tag.FreeOne ? 1 : *Tag.High(tags, after + 1);
            Unlink(a, tags, after, n);
            size += n;
        }

        var before = tags[block - 1];
        state = (uint)before & (uint)Tag.StateMask;
        if (state - Tag.FreeHead <= Tag.FreeOne - Tag.FreeHead)
        {
            var n = state == Tag.FreeOne ? 1 : Tag.Size(before);
            tags[block] = Tag.Interior; // or a second free of the block would find it live still
            block -= n;
            Unlink(a, tags, block, n);
            size += n;
        }

        Insert(a, tags, block, size);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Insert(Arena* a, ulong* tags, uint block, uint size)
    {
        var bin = BitOperations.Log2(size);
        var heads = Arena.Heads(a);
        var next = heads[bin];
        var state = Tag.FreeOne;
        if (size != 1)
        {
            state = Tag.FreeHead;
            var footer = Tag.ForSize(size);
            tags[block + 1] = footer;
            tags[block + size - 1] = footer;
        }

        tags[block] = Tag.ForFree(state, next);
        if (next != 0) *Tag.Low(tags, next) = Tag.ForLow(state, block); // all blocks of a bin have the same state
        heads[bin] = block;
        a->Bins |= 1u << bin;
    }

    // What this block says of its neighbours in the bin is just what they must say of each other.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Unlink(Arena* a, ulong* tags, uint block, uint size)
    {
        var low = *Tag.Low(tags, block);
        var next = *Tag.High(tags, block);
        if (next != 0) *Tag.Low(tags, next) = low;
        var previous = Tag.Previous(low);
        if (previous != 0)
        {
            *Tag.High(tags, previous) = next;
            return;
        }

        var bin = BitOperations.Log2(size);
        Arena.Heads(a)[bin] = next;
        if (next == 0) a->Bins ^= 1u << bin;
    }
}
