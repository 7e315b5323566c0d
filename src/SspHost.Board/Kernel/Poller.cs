// What a thread of this project sleeps on: descriptors that become readable, a time, and somebody who wakes it.
using System.Runtime.InteropServices;

namespace SspHost.Board;

/// <summary>An epoll set with an event of its own to be woken by. Waiting belongs to one thread; waking to any.</summary>
internal sealed unsafe partial class Poller : IDisposable
{
    public const uint Input = 1, Priority = 2, Error = 8, HangUp = 16;

    private const int Most = 32;
    private const int AddOne = 1, RemoveOne = 2, CloseOnExec = 0x80000, NonBlocking = 0x800;

    // struct epoll_event is packed on x86-64 and nowhere else.
    private static readonly int EntrySize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private readonly int _set, _waker;

    public Poller()
    {
        _set = Create(CloseOnExec);
        _waker = EventFd(0, CloseOnExec | NonBlocking);
        if (_set < 0 || _waker < 0 || Add(_waker, Input) < 0) throw new IOException("no epoll set: " + Marshal.GetLastPInvokeErrorMessage());
    }

    /// <summary>Adds a descriptor; -errno where it cannot be waited on.</summary>
    public int Add(int fd, uint events) => Control(fd, AddOne, events);

    public void Remove(int fd) => _ = Control(fd, RemoveOne, 0);

    public void Wake()
    {
        var one = 1UL;
        _ = Write(_waker, &one, sizeof(ulong));
    }

    /// <summary>Waits, for ever where <paramref name="milliseconds"/> is -1; how many of <paramref name="ready"/> are descriptors with something to say.</summary>
    public int Wait(Span<(int Fd, uint Events)> ready, int milliseconds)
    {
        var entries = stackalloc byte[Most * 16];
        var count = EpollWait(_set, entries, Math.Min(Most, ready.Length), milliseconds);
        var told = 0;
        for (var i = 0; i < count; i++)
        {
            var entry = entries + (i * EntrySize);
            var fd = *(int*)(entry + EntrySize - 8);
            if (fd == _waker)
            {
                ulong times;
                _ = Read(_waker, &times, sizeof(ulong));
                continue;
            }

            ready[told++] = (fd, *(uint*)entry);
        }

        return told;
    }

    public void Dispose()
    {
        _ = Close(_waker);
        _ = Close(_set);
    }

    private int Control(int fd, int operation, uint events)
    {
        var entry = stackalloc byte[16];
        *(uint*)entry = events;
        *(ulong*)(entry + EntrySize - 8) = (uint)fd;
        return EpollControl(_set, operation, fd, entry) < 0 ? -Marshal.GetLastPInvokeError() : 0;
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int EpollControl(int set, int operation, int fd, void* entry);

    [LibraryImport("libc", EntryPoint = "epoll_wait")]
    private static partial int EpollWait(int set, void* entries, int most, int milliseconds);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFd(uint first, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int fd, void* to, nuint length);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int fd, void* from, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);
}
