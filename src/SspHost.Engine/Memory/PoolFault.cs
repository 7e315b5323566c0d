// What a caller did wrong to the pool, told so that the culprit can be found.
namespace SspHost.Engine.Memory;

/// <summary>Kinds of fault.</summary>
public enum PoolFaultKind : uint
{
    None = 0,

    /// <summary>Freed: a pointer that was never given out.</summary>
    ForeignPointer = 1,

    /// <summary>Freed a second time.</summary>
    DoubleFree = 2,

    /// <summary>Bytes behind a block were overwritten (checks on).</summary>
    Overrun = 3,

    /// <summary>A block was written to after its free (checks on).</summary>
    WriteAfterFree = 4,

    /// <summary>
    /// A block was written to after its free by a thread that does not own its arena: the blocks freed before it are lost.
    /// </summary>
    BrokenLink = 5,
}

/// <summary>A fault. Owner, Bytes and Arena are the block's, as far as it is known.</summary>
public struct PoolFault
{
    public PoolFaultKind Kind;
    public int Arena;
    public uint Owner;

    /// <summary>Byte within the block where damage begins; 0 where it does not apply.</summary>
    public long Offset;

    /// <summary>Address of the block, as an offset from the start of the pool's memory (negative or large: outside).</summary>
    public long Block;

    public long Bytes;

    /// <summary>One line: what, where, whose.</summary>
    public override readonly string ToString()
    {
        var owner = Owner == 0 ? "the engine" : Owner <= Abi.Limits.MaxInstances ? $"instance slot {Owner - 1}"
            : Owner >= Pool.FirstGrantOwner ? $"control session {Owner & 0xFFFF}" : "an unknown owner";
        var block = $"block at pool + 0x{Block:x} of {Bytes} bytes, owned by {owner}, arena {Arena}";
        return Kind switch
        {
            PoolFaultKind.None => "no fault",
            PoolFaultKind.ForeignPointer => $"freed a pointer that is no block of the pool: pool + 0x{Block:x}",
            PoolFaultKind.DoubleFree => $"freed twice: {block}",
            PoolFaultKind.Overrun => $"written past its end, at byte {Offset}: {block}",
            PoolFaultKind.WriteAfterFree => $"written after its free, at byte {Offset}: {block}",
            PoolFaultKind.BrokenLink => $"written after its free, so that blocks freed before it are lost: {block}",
            _ => $"fault {(uint)Kind}: {block}",
        };
    }
}

internal static class PoolFaults
{
    /// <summary>
    /// What a free of something with this tag is: a block in a magazine, in quarantine or on its way home was freed before.
    /// </summary>
    public static PoolFaultKind OfWrongFree(ulong tag) =>
        Tag.State(tag) is Tag.Cached or Tag.Remote or Tag.FreeHead or Tag.FreeOne ? PoolFaultKind.DoubleFree : PoolFaultKind.ForeignPointer;
}
