// Where encoded events live: chunks of 64 KiB outside the managed heap, the oldest given up when time or room is over.
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>A piece of one seat's events, readable alone.</summary>
internal sealed unsafe class TraceChunk
{
    public byte* Memory;
    public int Seat, Length, Count;

    // Snapshots that read it; one that was given up meanwhile is freed by the last of them.
    public int Held;
    public bool GivenUp;

    // Of its events: earliest start, latest end, lowest and highest quantum.
    public ulong FirstTicks, LastTicks, FirstQuantum, LastQuantum;
}

/// <summary>
/// Events of all seats. One writer; everything is under <see cref="Sync"/>, which whoever drains takes once a turn. In steady state nothing is
/// allocated: chunks go round.
/// </summary>
public sealed unsafe class ChunkStore : IDisposable
{
    /// <summary>Bytes of a chunk.</summary>
    public const int ChunkBytes = 64 << 10;

    private readonly TraceChunk?[] _open = new TraceChunk?[Limits.MaxThreads];
    private readonly EventCodec?[] _codecs = new EventCodec?[Limits.MaxThreads];
    private readonly Queue<TraceChunk> _sealed = new(1024);
    private readonly Stack<TraceChunk> _free = new(1024);
    private int _spared;

    /// <summary>Bytes of chunks at most, those that nobody uses included. Less takes effect as chunks are given up.</summary>
    public long MaxBytes { get; set; } = 32 << 20;

    /// <summary>What all access is under.</summary>
    public Lock Sync { get; } = new();

    /// <summary>Events taken in, and bytes they took, since the start.</summary>
    public long Events { get; private set; }

    /// <inheritdoc cref="Events"/>
    public long EncodedBytes { get; private set; }

    /// <summary>Bytes in memory.</summary>
    public long MemoryBytes => (long)(_sealed.Count + _free.Count + _spared + OpenCount()) * ChunkBytes;

    /// <summary>Latest end of an event, in ticks.</summary>
    public ulong LastTicks { get; private set; }

    /// <summary>Adds an event of a seat.</summary>
    public void Append(int seat, in TraceEvent e)
    {
        var chunk = _open[seat];
        if (chunk == null || chunk.Length > ChunkBytes - EventCodec.MaxBytes) chunk = Next(seat);
        var at = chunk.Memory + chunk.Length;
        var length = (int)(_codecs[seat]!.Write(at, in e) - at);
        chunk.Length += length;
        chunk.Count++;
        EncodedBytes += length;
        Events++;
        var end = e.Ticks + e.Duration;
        if (e.Ticks < chunk.FirstTicks) chunk.FirstTicks = e.Ticks;
        if (end > chunk.LastTicks) chunk.LastTicks = end;
        if (e.Quantum < chunk.FirstQuantum) chunk.FirstQuantum = e.Quantum;
        if (e.Quantum > chunk.LastQuantum) chunk.LastQuantum = e.Quantum;
        if (end > LastTicks) LastTicks = end;
    }

    /// <summary>Gives up full chunks whose last event ended before a time.</summary>
    public void Trim(ulong beforeTicks)
    {
        while (_sealed.TryPeek(out var oldest) && oldest.LastTicks < beforeTicks) GiveUp(_sealed.Dequeue());
        while (_free.Count > 0 && MemoryBytes > MaxBytes) Release(_free.Pop());
    }

    /// <summary>Gives up everything.</summary>
    public void Clear()
    {
        while (_sealed.TryDequeue(out var chunk)) GiveUp(chunk);
        for (var seat = 0; seat < _open.Length; seat++)
        {
            if (_open[seat] is { } chunk) GiveUp(chunk);
            _open[seat] = null;
        }

        LastTicks = 0;
    }

    /// <summary>All events that are here now, held until it is disposed of; what comes later is not in it.</summary>
    public TraceSnapshot Snapshot(ulong fromTicks = 0, ulong fromQuantum = 0, ulong toQuantum = ulong.MaxValue)
    {
        var pieces = new List<TraceSnapshot.Piece>();
        foreach (var chunk in _sealed) Add(chunk);
        foreach (var chunk in _open)
            if (chunk is { Count: > 0 }) Add(chunk);
        return new TraceSnapshot(this, pieces);

        void Add(TraceChunk chunk)
        {
            if (chunk.LastTicks < fromTicks || chunk.LastQuantum < fromQuantum || chunk.FirstQuantum > toQuantum) return;
            chunk.Held++;
            pieces.Add(new TraceSnapshot.Piece(chunk, chunk.Length, chunk.Count));
        }
    }

    public void Dispose()
    {
        lock (Sync)
        {
            Clear();
            while (_free.TryPop(out var chunk)) Release(chunk);
        }
    }

    internal void LetGo(List<TraceSnapshot.Piece> pieces)
    {
        lock (Sync)
        {
            foreach (var (chunk, _, _) in pieces)
            {
                if (--chunk.Held > 0 || !chunk.GivenUp) continue;
                _spared--;
                Release(chunk);
            }
        }
    }

    private TraceChunk Next(int seat)
    {
        if (_open[seat] is { } full) _sealed.Enqueue(full);
        while (_free.Count == 0 && MemoryBytes >= MaxBytes && _sealed.TryDequeue(out var oldest)) GiveUp(oldest);
        var chunk = _free.Count > 0 ? _free.Pop() : Make();
        chunk.Seat = seat;
        (chunk.Length, chunk.Count, chunk.GivenUp) = (0, 0, false);
        (chunk.FirstTicks, chunk.LastTicks, chunk.FirstQuantum, chunk.LastQuantum) = (ulong.MaxValue, 0, ulong.MaxValue, 0);
        (_codecs[seat] ??= new EventCodec()).Reset();
        _open[seat] = chunk;
        return chunk;
    }

    private void GiveUp(TraceChunk chunk)
    {
        chunk.GivenUp = true;
        if (chunk.Held > 0) _spared++;
        else _free.Push(chunk);
    }

    // Mapped, not taken from the heap: what is given back is the system's again.
    private static TraceChunk Make()
    {
        var memory = Linux.Mmap(null, ChunkBytes, Linux.ProtRead | Linux.ProtWrite, 0x22, -1, 0); // MAP_PRIVATE | MAP_ANONYMOUS
        return (nint)memory == -1 ? throw new OutOfMemoryException("no memory for the flight recorder") : new TraceChunk { Memory = (byte*)memory };
    }

    private static void Release(TraceChunk chunk)
    {
        _ = Linux.Munmap(chunk.Memory, ChunkBytes);
        chunk.Memory = null;
    }

    private int OpenCount()
    {
        var open = 0;
        foreach (var chunk in _open)
            if (chunk != null) open++;
        return open;
    }
}

/// <summary>Events as they were at one moment. They stay in memory until it is disposed of.</summary>
public sealed unsafe class TraceSnapshot : IDisposable
{
    private readonly ChunkStore _store;
    private readonly List<Piece> _pieces;
    private bool _disposed;

    internal TraceSnapshot(ChunkStore store, List<Piece> pieces) => (_store, _pieces) = (store, pieces);

    internal readonly record struct Piece(TraceChunk Chunk, int Length, int Count);

    /// <summary>Pieces there are; each is of one seat, and in the seat's order.</summary>
    public int Count => _pieces.Count;

    /// <summary>Events in all.</summary>
    public long Events => _pieces.Sum(p => (long)p.Count);

    /// <summary>A piece: its seat, its events, and their encoding.</summary>
    public (int Seat, int Events) Get(int index, out ReadOnlySpan<byte> bytes)
    {
        var (chunk, length, count) = _pieces[index];
        bytes = new ReadOnlySpan<byte>(chunk.Memory, length);
        return (chunk.Seat, count);
    }

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _store.LetGo(_pieces);
    }
}
