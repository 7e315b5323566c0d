// Stand-in for the region's pool until it is merged: aligned native memory, counted, with a limit.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Memory;

/// <summary>The surface of the pool allocator that the graph uses.</summary>
public unsafe struct Pool
{
    /// <summary>Bytes that may be live at once, bytes live, blocks live, allocations refused.</summary>
    public long Limit, Live, Blocks, Failed;

    /// <summary>A 64-byte aligned block, not zeroed; null when it does not fit.</summary>
    public void* Allocate(int arena, long bytes, uint owner)
    {
        if (bytes < 0 || bytes > Volatile.Read(ref Limit) - Volatile.Read(ref Live))
        {
            Interlocked.Increment(ref Failed);
            return null;
        }

        var block = (byte*)NativeMemory.AlignedAlloc((nuint)bytes + 64, 64);
        *(long*)block = bytes;
        NativeMemory.Fill(block + 64, (nuint)bytes, 0xA5); // whoever forgets to zero finds out
        Interlocked.Add(ref Live, bytes);
        Interlocked.Increment(ref Blocks);
        return block + 64;
    }

    /// <summary>Gives a block back.</summary>
    public void Free(int arena, void* block)
    {
        if (block == null) return;
        var head = (byte*)block - 64;
        Interlocked.Add(ref Live, -*(long*)head);
        Interlocked.Decrement(ref Blocks);
        NativeMemory.Fill(block, (nuint)(*(long*)head), 0x5A); // and whoever reads it afterwards
        NativeMemory.AlignedFree(head);
    }
}
