// A stack as the region gives one: guard page below, prefaulted, locked.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Tests.Threads;

internal sealed unsafe partial class TestStack : IDisposable
{
    private static readonly int Page = Environment.SystemPageSize;
    private readonly byte* _map;
    private readonly nuint _mapBytes;

    public TestStack(int bytes = 1 << 20, bool locked = true)
    {
        _mapBytes = (nuint)(bytes + Page);
        _map = (byte*)Linux.Mmap(null, _mapBytes, Linux.ProtRead | Linux.ProtWrite, Linux.MapShared | 0x20, -1, 0); // MAP_ANONYMOUS
        Assert.NotEqual(-1, (nint)_map);
        Assert.Equal(0, Mprotect(_map, (nuint)Page, 0));
        Start = _map + Page;
        Bytes = bytes;
        new Span<byte>(Start, bytes).Clear();
        Locked = locked && Mlock(Start, (nuint)bytes) == 0;
    }

    public byte* Start { get; }

    public int Bytes { get; }

    public bool Locked { get; }

    public void Dispose() => _ = Linux.Munmap(_map, _mapBytes);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Mprotect(void* address, nuint bytes, int protection);

    [LibraryImport("libc", EntryPoint = "mlock")]
    private static partial int Mlock(void* address, nuint bytes);
}
