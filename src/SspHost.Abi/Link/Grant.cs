// A block of the region that belongs to this session until it is given back or handed over.
namespace SspHost.Abi.Link;

/// <summary>Made by <see cref="EngineLink.Allocate"/>: zeroed, 64-byte aligned. Disposing gives it back to the engine.</summary>
public sealed unsafe class Grant : IDisposable
{
    private readonly EngineLink _link;
    private int _gone;

    internal Grant(EngineLink link, long offset, long bytes)
    {
        _link = link;
        Offset = offset;
        Length = bytes;
    }

    /// <summary>Offset in the region.</summary>
    public long Offset { get; }

    /// <summary>Bytes.</summary>
    public long Length { get; }

    /// <summary>Where this process sees it.</summary>
    public byte* Pointer => Volatile.Read(ref _gone) == 0 ? _link.Map.At(Offset) : throw new ObjectDisposedException(nameof(Grant));

    /// <summary>Its bytes, at most 2 GiB.</summary>
    public Span<byte> Bytes => new(Pointer, checked((int)Length));

    /// <summary>It belongs to the engine now (a recording handed over): nothing is given back.</summary>
    public void HandOver() => Interlocked.Exchange(ref _gone, 1);

    /// <summary>Gives it back. An engine that is gone, or another session that took over, has freed it already.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _gone, 1) == 0) _link.GiveBack(Offset);
    }
}
