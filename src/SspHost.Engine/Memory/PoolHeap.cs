// Blocks for malloc: any alignment, sizes that may change in place, and told from the engine's own by their tag.
using System.Runtime.CompilerServices;

namespace SspHost.Engine.Memory;

/// <content>
/// What the malloc family needs beside allocate and free. A library's wrong free must not take the engine's memory from under it, so blocks
/// of malloc carry a bit in their owner, and only those are freed here. Called from C, in any mode: leaves, as <see cref="HeapService"/> says.
/// Arena 0: with its lock held.
/// </content>
public unsafe partial struct Pool
{
    /// <summary>Lowest address of a block.</summary>
    internal readonly byte* Data => _data;

    internal readonly uint* StewardLock => &ArenaAt(0)->Lock;

    /// <summary>
    /// A block of malloc's, or null; <paramref name="taken"/>: bytes it counts. Beyond 64 bytes of alignment a block starts where it happens
    /// to, and the tag of the granule that was handed out leads back to it.
    /// </summary>
    internal void* HeapAllocate(int arena, long bytes, long alignment, uint owner, out long taken)
    {
        taken = bytes;
        if ((uint)arena >= MaxArenas) return null;
        if (alignment <= Alignment) return HeapTake(ArenaAt(arena), bytes, owner);

        // Room for one alignment more, so that the granule handed out is never the block's last, whose tag joins neighbours.
        taken = Math.Max(1, bytes) + alignment;
        var block = (byte*)HeapTake(ArenaAt(arena), taken, owner);
        if (block == null) return null;
        var aligned = (byte*)(((nint)block + (nint)alignment - 1) & -(nint)alignment);
        if (aligned != block) _tags[IndexOf(aligned)] = Tag.ForAligned(IndexOf(aligned) - IndexOf(block));
        return aligned;
    }

    private void* HeapTake(Arena* a, long bytes, uint owner) => (_flags & (uint)PoolFlags.Checks) != 0
        ? AllocateChecked(a, bytes, owner | Tag.HeapOwner)
        : AllocateIn(a, bytes, bytes, owner | Tag.HeapOwner);

    /// <summary>Gives one back, from whichever arena it came; the bytes it counted and whose they were. 0: it was no block of malloc's.</summary>
    internal long HeapFree(int arena, void* pointer, out uint owner)
    {
        owner = 0;
        if ((uint)arena >= MaxArenas) return 0;
        var a = ArenaAt(arena);
        if (!TryFindHeap(pointer, out var index, out var tag))
        {
            Report(a, PoolFaults.OfWrongFree(TagOf(pointer)), pointer, TagOf(pointer));
            return 0;
        }

        owner = Tag.Decode(Tag.OwnerCode(tag));
        if (IndexOf(pointer) != index) _tags[IndexOf(pointer)] = Tag.Interior;
        if ((_flags & (uint)PoolFlags.Checks) != 0) FreeChecked(a, Address(index));
        else FreeIn(a, Address(index));
        return Tag.Bytes(tag);
    }

    /// <summary>
    /// Changes its size in place where its fragment stays the right one and is the caller's arena's; <paramref name="more"/>: bytes it counts
    /// more. False: it has to move.
    /// </summary>
    internal readonly bool HeapResize(int arena, void* pointer, long bytes, out long more, out uint owner)
    {
        more = 0;
        owner = 0;
        if ((uint)arena >= MaxArenas || bytes < 0 || (_flags & (uint)PoolFlags.Checks) != 0) return false;
        if (!TryFindHeap(pointer, out var index, out var tag) || Tag.Arena(tag) != arena) return false;
        bytes += (byte*)pointer - Address(index);
        if (bytes > MaxBytes || HalfFit.ClassOf(Math.Max(1, bytes)) != Tag.Class(tag)) return false;
        more = bytes - Tag.Bytes(tag);
        owner = Tag.Decode(Tag.OwnerCode(tag));
        _tags[index] = Tag.WithBytes(tag, bytes);
        ArenaAt(arena)->Owners[Tag.Row(Tag.OwnerCode(tag))] += more;
        return true;
    }

    /// <summary>Bytes that may be used from an address on; -1 for what is no block of malloc's. [any thread]</summary>
    internal readonly long HeapUsable(void* pointer, out uint owner)
    {
        owner = 0;
        if (!TryFindHeap(pointer, out var index, out var tag)) return -1;
        owner = Tag.Decode(Tag.OwnerCode(tag));
        var end = (_flags & (uint)PoolFlags.Checks) != 0 ? Tag.Bytes(tag) : (long)Tag.Granule << Tag.Class(tag); // behind it lies the canary
        return end - ((byte*)pointer - Address(index));
    }

    private readonly ulong TagOf(void* pointer)
    {
        var offset = (byte*)pointer - _data;
        return (ulong)offset >= (ulong)ReadyBytes || (offset & (Tag.Granule - 1)) != 0 ? 0 : Volatile.Read(ref _tags[offset >> Tag.GranuleBits]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly bool TryFindHeap(void* pointer, out uint index, out ulong tag)
    {
        index = 0;
        tag = TagOf(pointer);
        if (tag == 0) return false;
        index = IndexOf(pointer);
        if (Tag.IsAligned(tag))
        {
            var back = Tag.Size(tag);
            if (back >= index) return false;
            index -= back;
            tag = Volatile.Read(ref _tags[index]);
        }

        return Tag.State(tag) == Tag.Live && (Tag.OwnerCode(tag) & Tag.HeapOwner) != 0;
    }
}
