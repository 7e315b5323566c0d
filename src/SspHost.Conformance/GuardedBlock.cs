// Native memory between two fences: whoever writes beyond it is found out.
using System.Runtime.InteropServices;

namespace SspHost.Conformance;

/// <summary>A zeroed block, 64-byte aligned, with 256 bytes of a pattern on both sides.</summary>
public sealed unsafe class GuardedBlock : IDisposable
{
    private const int Fence = 256;
    private const byte Pattern = 0xA5;
    private readonly byte* _start;
    private readonly long _bytes;

    public GuardedBlock(long bytes)
    {
        _bytes = bytes;
        _start = (byte*)NativeMemory.AlignedAlloc((nuint)(bytes + (2 * Fence)), 64);
        new Span<byte>(_start, Fence).Fill(Pattern);
        new Span<byte>(_start + Fence + bytes, Fence).Fill(Pattern);
        for (long at = 0; at < bytes; at += 1 << 20) new Span<byte>(Data + at, (int)Math.Min(1 << 20, bytes - at)).Clear();
    }

    public byte* Data => _start + Fence;

    public float* Floats => (float*)Data;

    public bool Intact =>
        new ReadOnlySpan<byte>(_start, Fence).IndexOfAnyExcept(Pattern) < 0
        && new ReadOnlySpan<byte>(_start + Fence + _bytes, Fence).IndexOfAnyExcept(Pattern) < 0;

    public void Dispose() => NativeMemory.AlignedFree(_start);
}
