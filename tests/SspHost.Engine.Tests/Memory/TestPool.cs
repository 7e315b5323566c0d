// A pool over ordinary memory, made for one test.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Tests.Memory;

internal sealed unsafe class TestPool : IDisposable
{
    private readonly void* _memory;

    /// <summary>A pool whose data is at least <paramref name="dataBytes"/>, of which <paramref name="ready"/> are on offer (all by default).</summary>
    public TestPool(long dataBytes, PoolFlags flags = PoolFlags.None, long ready = long.MaxValue)
    {
        var bytes = 65536L;
        while (bytes - Engine.Memory.Pool.OverheadFor(bytes) < dataBytes + Engine.Memory.Pool.Alignment) bytes += 4096;
        _memory = NativeMemory.AlignedAlloc((nuint)bytes, 4096);
        NativeMemory.Clear(_memory, (nuint)bytes);
        Pool = Engine.Memory.Pool.Create(_memory, bytes, Math.Min(ready, dataBytes) + Engine.Memory.Pool.Alignment, flags);
        Assert.True(Pool != null);
        Memory = bytes;
    }

    public Pool* Pool { get; }

    public long Memory { get; }

    /// <summary>Offset of a block from the first one this pool could give.</summary>
    public long OffsetOf(void* block) => (byte*)block - (byte*)_memory;

    public PoolStats Stats()
    {
        PoolStats stats = default;
        Pool->ReadStats(ref stats);
        return stats;
    }

    public void AssertSound() => Assert.Null(Pool->Verify());

    public void Dispose() => NativeMemory.AlignedFree(_memory);
}
