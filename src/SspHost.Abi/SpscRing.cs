// A bounded queue with one producer and one consumer, in the region: how the two processes and the RT threads talk.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>
/// Header of a ring; entries follow it. Producer and consumer write different cache lines (128 bytes apart: adjacent-line
/// prefetch on x86, 128-byte lines on some arm64). An entry is visible only once <see cref="Tail"/> was published with release order,
/// so a producer that dies in the middle of a push leaves nothing behind.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 384)]
public struct RingHeader
{
    /// <summary>Entries, a power of two.</summary>
    [FieldOffset(0)]
    public uint Capacity;

    /// <summary>sizeof one entry, checked on attach.</summary>
    [FieldOffset(4)]
    public uint EntryBytes;

    /// <summary>Entries ever taken; written by the consumer.</summary>
    [FieldOffset(128)]
    public ulong Head;

    /// <summary>Entries ever pushed; written by the producer.</summary>
    [FieldOffset(256)]
    public ulong Tail;

    /// <summary>Pushes refused because the ring was full; written by the producer.</summary>
    [FieldOffset(264)]
    public ulong Dropped;
}

/// <summary>A view of a ring in the region. Copying the view is free; each side keeps its own.</summary>
public readonly unsafe struct SpscRing<T> where T : unmanaged
{
    private readonly RingHeader* _header;
    private readonly T* _entries;
    private readonly uint _mask;

    /// <summary>A view of the ring at <paramref name="header"/>, which must have been initialised.</summary>
    public SpscRing(RingHeader* header)
    {
        _header = header;
        _entries = (T*)((byte*)header + sizeof(RingHeader));
        _mask = header->Capacity - 1;
    }

    /// <summary>False of a view of nothing.</summary>
    public bool Exists => _header != null;

    /// <summary>Bytes a ring of <paramref name="capacity"/> entries takes.</summary>
    public static long BytesFor(int capacity) => sizeof(RingHeader) + ((long)capacity * sizeof(T));

    /// <summary>Makes an empty ring in zeroed memory. <paramref name="capacity"/> is a power of two.</summary>
    public static SpscRing<T> Create(void* memory, int capacity)
    {
        if (capacity <= 0 || (capacity & (capacity - 1)) != 0)
            throw new ArgumentOutOfRangeException(nameof(capacity), capacity, "A ring's capacity is a power of two.");
        var header = (RingHeader*)memory;
        header->Capacity = (uint)capacity;
        header->EntryBytes = (uint)sizeof(T);
        header->Head = 0;
        header->Tail = 0;
        header->Dropped = 0;
        return new SpscRing<T>(header);
    }

    /// <summary>Pushes refused so far.</summary>
    public ulong Dropped => Volatile.Read(ref _header->Dropped);

    /// <summary>Entries waiting; exact for either side about itself, a moment old about the other.</summary>
    public int Count => (int)(Volatile.Read(ref _header->Tail) - Volatile.Read(ref _header->Head));

    /// <summary>Entries it can hold.</summary>
    public int Capacity => (int)(_mask + 1);

    /// <summary>[producer] Adds an entry, or counts it as dropped when the ring is full. Wait-free.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPush(in T entry)
    {
        var tail = _header->Tail;
        if (tail - Volatile.Read(ref _header->Head) > _mask)
        {
            Volatile.Write(ref _header->Dropped, _header->Dropped + 1);
            return false;
        }

        _entries[tail & _mask] = entry;
        Volatile.Write(ref _header->Tail, tail + 1);
        return true;
    }

    /// <summary>[consumer] Takes the oldest entry. Wait-free.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryPop(out T entry)
    {
        var head = _header->Head;
        if (head == Volatile.Read(ref _header->Tail))
        {
            entry = default;
            return false;
        }

        entry = _entries[head & _mask];
        Volatile.Write(ref _header->Head, head + 1);
        return true;
    }

    /// <summary>[consumer] The oldest entry without taking it, or null.</summary>
    public T* Peek()
    {
        var head = _header->Head;
        return head == Volatile.Read(ref _header->Tail) ? null : _entries + (head & _mask);
    }

    /// <summary>
    /// [consumer] The oldest entries that lie in one piece: all that wait, or those up to the end of the memory. They are the consumer's until it
    /// takes them.
    /// </summary>
    public ReadOnlySpan<T> Waiting
    {
        get
        {
            var head = _header->Head;
            var waiting = Volatile.Read(ref _header->Tail) - head;
            var at = (uint)head & _mask;
            return new ReadOnlySpan<T>(_entries + at, (int)Math.Min(waiting, _mask + 1 - at)); // a producer gone mad can claim no more than there is
        }
    }

    /// <summary>[consumer] Takes the first <paramref name="count"/> of <see cref="Waiting"/>.</summary>
    public void Take(int count) => Volatile.Write(ref _header->Head, _header->Head + (ulong)count);
}
