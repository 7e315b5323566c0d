// The pool as malloc sees it: plain functions that the interposer in C calls on any thread, in whatever mode it is.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Memory;

/// <summary>
/// What libssphost_heap is told of the pool: the same struct as ssp_heap_service in heap.h, and behind it what only this side needs.
/// <para>
/// The functions are managed, and are called without a transition: malloc is called by the runtime itself and by calls that suppress the
/// transition (the thread is in cooperative mode, in which an [UnmanagedCallersOnly] entry ends the process), and by foreign code (it is in
/// preemptive mode). NativeAOT's managed functions take primitive arguments as C does, and these are leaves: they touch the region and nothing
/// else, neither allocate, throw, call out, nor read a static that has to be made first. So there is nothing in them that the mode could matter
/// to, except a collection in the middle: and no thread is ever suspended after start, when the pool begins to serve.
/// </para>
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct HeapService
{
    /// <summary>Addresses of the pool's blocks.</summary>
    public byte* Start;
    public ulong Bytes;

    /// <summary>Mutex of arena 0, which the C side takes: it may wait in the kernel, which a leaf may not.</summary>
    public uint* Lock;

    public delegate*<HeapService*, int, long, long, uint, void*> AllocateCall;
    public delegate*<HeapService*, int, void*, void> ReleaseCall;
    public delegate*<HeapService*, int, void*, long, int> ResizeCall;
    public delegate*<HeapService*, void*, uint*, long> UsableCall;

    /// <summary>InstanceRecord.HeapCalls of slot 0, bytes to the next slot's, slots; and where calls outside of any module are counted.</summary>
    public ulong* Calls;
    public ulong CallsStride, Slots;
    public ulong* CallsOutside;

    private Pool* _pool;

    /// <summary>Bytes held by malloc, by owner (slot + 1; 0: no instance's). Counted from any thread.</summary>
    public long* Held;

    /// <summary>What <see cref="CallsOutside"/> points at.</summary>
    public ulong Outside;

    /// <summary>Fills one at its place in the region. False: no room for its table. [start-up]</summary>
    public static bool Fill(HeapService* self, Pool* pool, RegionMap map)
    {
        const int Rows = Limits.MaxInstances + 1;
        *self = default;
        self->Held = (long*)pool->Allocate(0, Rows * sizeof(long), 0);
        if (self->Held == null) return false;
        new Span<long>(self->Held, Rows).Clear();
        self->_pool = pool;
        self->Start = pool->Data;
        self->Bytes = (ulong)pool->CapacityBytes;
        self->Lock = pool->StewardLock;
        self->AllocateCall = &Allocate;
        self->ReleaseCall = &Release;
        self->ResizeCall = &Resize;
        self->UsableCall = &Usable;
        self->Calls = &map.Instances->HeapCalls;
        self->CallsStride = (ulong)sizeof(InstanceRecord);
        self->Slots = Limits.MaxInstances;
        self->CallsOutside = &self->Outside;
        return true;
    }

    private static void* Allocate(HeapService* self, int arena, long bytes, long alignment, uint owner)
    {
        var block = self->_pool->HeapAllocate(arena, bytes, alignment, owner, out var taken);
        if (block != null) Count(self, owner, taken);
        return block;
    }

    private static void Release(HeapService* self, int arena, void* block)
    {
        var freed = self->_pool->HeapFree(arena, block, out var owner);
        if (freed != 0) Count(self, owner, -freed);
    }

    private static int Resize(HeapService* self, int arena, void* block, long bytes)
    {
        if (!self->_pool->HeapResize(arena, block, bytes, out var more, out var owner)) return 0;
        Count(self, owner, more);
        return 1;
    }

    private static long Usable(HeapService* self, void* block, uint* owner) => self->_pool->HeapUsable(block, out *owner);

    private static void Count(HeapService* self, uint owner, long bytes)
    {
        if (owner <= Limits.MaxInstances) Interlocked.Add(ref self->Held[owner], bytes);
    }
}
