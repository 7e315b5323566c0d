// Blocks of the pool that the control process asked for: written down here so that one that dies leaks nothing.
using SspHost.Engine.Memory;

namespace SspHost.Engine.Service;

/// <summary>The blocks granted to the present session. [steward]</summary>
public unsafe struct Grants
{
    /// <summary>Most blocks a session may hold at once.</summary>
    public const int Capacity = 4096;

    /// <summary>First owner tag of a session's blocks.</summary>
    public const uint OwnerBase = 0xFFFF_0000;

    private byte** _blocks;
    private long* _bytes;
    private int _count;

    // The audio thread and each thread that is stuck can be in a command with one.
    private const int MaxWaiting = 1 + Threads.RtThread.Standbys;
    private fixed ulong _doomed[MaxWaiting];
    private int _waiting;

    /// <summary>Makes an empty table in pool memory; false if there is none.</summary>
    public bool Create(Pool* pool)
    {
        _blocks = (byte**)pool->Allocate(0, Capacity * sizeof(byte*), 0);
        _bytes = (long*)pool->Allocate(0, Capacity * sizeof(long), 0);
        _count = 0;
        return _blocks != null && _bytes != null;
    }

    /// <summary>Allocates and records a zeroed block; null if it does not fit.</summary>
    public byte* Grant(Pool* pool, long bytes, uint session)
    {
        if (bytes <= 0 || _count == Capacity) return null;
        var block = (byte*)pool->Allocate(0, bytes, OwnerBase + (session & 0xFFFF));
        if (block == null) return null;
        new Span<byte>(block, checked((int)Math.Min(bytes, int.MaxValue))).Clear();
        for (var at = (long)int.MaxValue; at < bytes; at += int.MaxValue)
            new Span<byte>(block + at, (int)Math.Min(bytes - at, int.MaxValue)).Clear();
        _blocks[_count] = block;
        _bytes[_count] = bytes;
        _count++;
        return block;
    }

    /// <summary>Bytes of the grant that starts at <paramref name="block"/>, or 0: not one of ours.</summary>
    public readonly long BytesOf(byte* block)
    {
        for (var i = _count - 1; i >= 0; i--)
            if (_blocks[i] == block) return _bytes[i];
        return 0;
    }

    /// <summary>Forgets a block: it belongs to the engine now, or is about to be freed.</summary>
    public bool Remove(byte* block)
    {
        for (var i = _count - 1; i >= 0; i--)
        {
            if (_blocks[i] != block) continue;
            _count--;
            _blocks[i] = _blocks[_count];
            _bytes[i] = _bytes[_count];
            return true;
        }

        return false;
    }

    /// <summary>Frees a block that belongs to nobody any more, now or when no thread is in a command with it.</summary>
    public void Free(Pool* pool, Graph.Renderer renderer, byte* block)
    {
        if (renderer.Uses(block) && _waiting < MaxWaiting) _doomed[_waiting++] = (ulong)block;
        else if (!renderer.Uses(block)) pool->Free(0, block);
    }

    /// <summary>Frees all: the session is over.</summary>
    public void FreeAll(Pool* pool, Graph.Renderer renderer)
    {
        for (var i = 0; i < _count; i++) Free(pool, renderer, _blocks[i]);
        _count = 0;
    }

    /// <summary>Frees what no thread is in any more.</summary>
    public void FreeWaiting(Pool* pool, Graph.Renderer renderer)
    {
        for (var i = _waiting - 1; i >= 0; i--)
        {
            if (renderer.Uses((byte*)_doomed[i])) continue;
            pool->Free(0, (byte*)_doomed[i]);
            _doomed[i] = _doomed[--_waiting];
        }
    }
}
