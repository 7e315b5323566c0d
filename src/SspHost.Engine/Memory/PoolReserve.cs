// All or nothing: a plan's exact demand is served as a whole before the swap, or refused with the figures.
using SspHost.Abi;

namespace SspHost.Engine.Memory;

/// <summary>One block of a demand: how much, for whom, and where it came to lie.</summary>
public unsafe struct Demand
{
    public long Bytes;
    public uint Owner;
    public void* Block;
}

/// <summary>Why a demand was refused.</summary>
public struct Refusal
{
    /// <summary>Bytes asked for in all.</summary>
    public long Asked;

    /// <summary>Bytes free at that moment.</summary>
    public long Free;

    /// <summary>Largest single request that could have been served.</summary>
    public long Largest;

    /// <summary>Index of the block that did not fit.</summary>
    public int Index;
}

/// <content>Reservation and the reclaiming of what an owner left behind.</content>
public unsafe partial struct Pool
{
    /// <summary>
    /// Serves every demand from arena 0 or none: on refusal all blocks taken meanwhile are given back, Block is null throughout,
    /// and <paramref name="refusal"/> says how much was asked and how much there is. [steward]
    /// </summary>
    public bool AllocateAll(Span<Demand> demands, out Refusal refusal)
    {
        refusal = default;
        for (var i = 0; i < demands.Length; i++) demands[i].Block = null;
        for (var i = 0; i < demands.Length; i++)
        {
            demands[i].Block = Allocate(0, demands[i].Bytes, demands[i].Owner);
            if (demands[i].Block != null) continue;

            refusal.Index = i;
            for (var j = i - 1; j >= 0; j--) Free(0, demands[j].Block);
            for (var j = 0; j < demands.Length; j++)
            {
                refusal.Asked += demands[j].Bytes;
                demands[j].Block = null;
            }

            (refusal.Free, refusal.Largest) = FreeBytes();
            return false;
        }

        return true;
    }

    /// <summary>
    /// Frees every block of arena 0 that belongs to <paramref name="owner"/>: the grants of a control process that is gone. Walks the
    /// whole arena. Returns the blocks freed. [steward]
    /// </summary>
    public int FreeOwned(uint owner)
    {
        var a = ArenaAt(0);
        var freed = 0;
        var code = Tag.Encode(owner);
        PoolLock.Enter(&a->Lock);
        for (uint i = 1, step; i < _ready; i += step)
        {
            var tag = Volatile.Read(ref _tags[i]);
            var size = step = SizeAt(i, tag);
            if (Tag.State(tag) != Tag.Live || Tag.OwnerCode(tag) != code) continue;
            if (Interlocked.CompareExchange(ref _tags[i], Tag.With(tag, Tag.Cached), tag) != tag) continue; // an RT thread was faster

            // Straight to the backend, where it joins a free block behind it: the walk goes on after that one.
            var after = _tags[i + size];
            if (Tag.State(after) is Tag.FreeOne or Tag.FreeHead) step += SizeAt(i + size, after);
            Discount(a, tag);
            HalfFit.Give(a, _tags, i, size);
            freed++;
        }

        PoolLock.Exit(&a->Lock);
        return freed;
    }

    /// <summary>Brings home what RT threads freed of the steward's arena. A few times a second is plenty. [steward]</summary>
    public void Maintain()
    {
        var a = ArenaAt(0);
        if ((a->Pending | Volatile.Read(ref a->Remote)) == 0) return;
        PoolLock.Enter(&a->Lock);
        while ((a->Pending | Volatile.Read(ref a->Remote)) != 0) DrainOne(a);
        PoolLock.Exit(&a->Lock);
    }

    /// <summary>Free bytes of the steward's arena, and the largest request it would serve, with nothing held back in magazines. [steward]</summary>
    public (long Free, long Largest) FreeBytes()
    {
        var a = ArenaAt(0);
        PoolLock.Enter(&a->Lock);
        FlushSteward(a);
        var free = Arena.FreeGranules(a) << Tag.GranuleBits;
        var largest = LargestOf(a);
        PoolLock.Exit(&a->Lock);
        return (free, largest);
    }

    private readonly long LargestOf(Arena* a)
    {
        var largest = a->Bins == 0 ? 0 : (long)Tag.Granule << System.Numerics.BitOperations.Log2(a->Bins);
        return (_flags & (uint)PoolFlags.Checks) != 0 ? Math.Max(0, largest - CanaryBytes) : largest;
    }

    // Granules of the block whose first tag this is.
    private readonly uint SizeAt(uint index, ulong tag) => Tag.State(tag) switch
    {
        Tag.FreeOne => 1,
        Tag.FreeHead => Tag.Size(_tags[index + 1]),
        Tag.Interior or Tag.FreeSize => 1, // not reached in a sound pool; keeps a walk over a broken one finite
        _ => 1u << Tag.Class(tag),
    };
}
