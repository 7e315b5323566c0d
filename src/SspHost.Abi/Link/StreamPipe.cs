// The control process's end of a stream ring: recordings into the engine and what it plays back out, for offline and paced streams.

namespace SspHost.Abi.Link;

/// <summary>
/// A view of a <see cref="StreamRing"/>: one side writes interleaved frames, the other reads them, neither waits. Counts are
/// published with release order after the frames, so a side that dies leaves nothing half-written behind.
/// </summary>
public readonly unsafe struct StreamPipe
{
    private readonly StreamRing* _ring;
    private readonly float* _frames;

    /// <summary>A view of an initialised ring.</summary>
    public StreamPipe(StreamRing* ring)
    {
        _ring = ring;
        _frames = (float*)((byte*)ring + sizeof(StreamRing));
    }

    /// <summary>Bytes of a ring.</summary>
    public static long BytesFor(int channels, int capacity) => sizeof(StreamRing) + ((long)channels * capacity * sizeof(float));

    /// <summary>Makes an empty ring in zeroed memory; <paramref name="capacity"/> in frames is a power of two.</summary>
    public static StreamPipe Create(void* memory, int channels, int capacity)
    {
        if (channels is < 1 or > Limits.MaxJacks) throw new ArgumentOutOfRangeException(nameof(channels), channels, $"A stream has 1 to {Limits.MaxJacks} channels.");
        if (capacity <= 0 || (capacity & (capacity - 1)) != 0) throw new ArgumentOutOfRangeException(nameof(capacity), capacity, "A stream's capacity is a power of two.");
        var ring = (StreamRing*)memory;
        *ring = default;
        ring->Channels = channels;
        ring->Capacity = capacity;
        return new StreamPipe(ring);
    }

    /// <summary>Floats per frame.</summary>
    public int Channels => _ring->Channels;

    /// <summary>Frames that can be written now.</summary>
    public int Writable => _ring->Capacity - (int)(_ring->Tail - Volatile.Read(ref _ring->Head));

    /// <summary>Frames that can be read now.</summary>
    public int Readable => (int)(Volatile.Read(ref _ring->Tail) - _ring->Head);

    /// <summary>Whether the writer is done and everything was read.</summary>
    public bool Finished => Volatile.Read(ref _ring->Ended) != 0 && Readable == 0;

    /// <summary>Frames ever read.</summary>
    public ulong Taken => Volatile.Read(ref _ring->Head);

    /// <summary>[writer] Writes as many whole frames as fit and returns their number.</summary>
    public int Write(ReadOnlySpan<float> interleaved)
    {
        var channels = _ring->Channels;
        var count = Math.Min(interleaved.Length / channels, Writable);
        var at = (int)(_ring->Tail & (uint)(_ring->Capacity - 1));
        var first = Math.Min(count, _ring->Capacity - at);
        interleaved[..(first * channels)].CopyTo(new Span<float>(_frames + ((long)at * channels), first * channels));
        interleaved.Slice(first * channels, (count - first) * channels).CopyTo(new Span<float>(_frames, (count - first) * channels));
        Volatile.Write(ref _ring->Tail, _ring->Tail + (uint)count);
        return count;
    }

    /// <summary>[writer] Says that the last frame was written.</summary>
    public void End() => Volatile.Write(ref _ring->Ended, 1);

    /// <summary>[reader] Reads as many whole frames as there are and returns their number.</summary>
    public int Read(Span<float> interleaved)
    {
        var channels = _ring->Channels;
        var count = Math.Min(interleaved.Length / channels, Readable);
        var at = (int)(_ring->Head & (uint)(_ring->Capacity - 1));
        var first = Math.Min(count, _ring->Capacity - at);
        new ReadOnlySpan<float>(_frames + ((long)at * channels), first * channels).CopyTo(interleaved);
        new ReadOnlySpan<float>(_frames, (count - first) * channels).CopyTo(interleaved[(first * channels)..]);
        Volatile.Write(ref _ring->Head, _ring->Head + (uint)count);
        return count;
    }

    /// <summary>[writer] Wakes a reader that sleeps because there was too little; it would look again by itself within half a millisecond.</summary>
    public void WakeReader() => Linux.Wake((uint*)&_ring->Tail, 1);

    /// <summary>[reader] Wakes a writer that sleeps because there was no room.</summary>
    public void WakeWriter() => Linux.Wake((uint*)&_ring->Head, 1);
}
