// Zeroed native memory that lives as long as a benchmark: kernels see the kind of memory they run on in the engine.
using System.Runtime.InteropServices;

namespace SspHost.Benchmarks;

/// <summary>Blocks of 64-byte alignment, given back together.</summary>
internal sealed unsafe class NativeBlocks : IDisposable
{
    private readonly List<nint> _blocks = [];

    public byte* Take(long bytes)
    {
        var size = (nuint)Math.Max(64, bytes);
        var block = NativeMemory.AlignedAlloc(size, 64);
        NativeMemory.Clear(block, size);
        _blocks.Add((nint)block);
        return (byte*)block;
    }

    public T* Take<T>(int count = 1) where T : unmanaged => (T*)Take((long)count * sizeof(T));

    public void Dispose()
    {
        foreach (var block in _blocks) NativeMemory.AlignedFree((void*)block);
        _blocks.Clear();
    }
}
