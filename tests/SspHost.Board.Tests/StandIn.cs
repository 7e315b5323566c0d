// Stands in for drivers this machine does not have: ioctls are answered by a test, while descriptors, epoll and inotify are the kernel's own.
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using SspHost.Panel.Surface;

namespace SspHost.Board.Tests;

/// <summary>A device: what it writes is read from its descriptor, what it is asked it answers.</summary>
internal abstract unsafe class StandInDevice
{
    public int Written { get; private set; } = -1;

    public int Opened { get; private set; }

    public abstract int Ioctl(uint request, void* argument);

    public virtual nint Map(nuint length, long offset) => (nint)NativeMemory.AllocZeroed(length);

    public virtual int Open(int flags)
    {
        Opened++;
        var ends = stackalloc int[2];
        Assert.Equal(0, Pipes.Pipe(ends, (flags & SystemCalls.NonBlocking) != 0 ? SystemCalls.NonBlocking : 0));
        Written = ends[1];
        return ends[0];
    }

    public void Write<T>(ReadOnlySpan<T> what)
        where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(what);
        fixed (byte* b = bytes) Assert.Equal(bytes.Length, Pipes.Write(Written, b, (nuint)bytes.Length));
    }

    public void Unplug()
    {
        if (Written >= 0) Pipes.Close(Written);
        Written = -1;
    }
}

internal sealed unsafe class StandIn : SystemCalls
{
    private readonly ConcurrentDictionary<int, StandInDevice> _open = new();

    public ConcurrentDictionary<string, StandInDevice> Devices { get; } = new();

    /// <summary>Memory handed out by Map, which a test may read.</summary>
    public ConcurrentDictionary<nint, nuint> Mapped { get; } = new();

    public override int Open(string path, int flags)
    {
        if (!Devices.TryGetValue(path, out var device)) return base.Open(path, flags);
        var fd = device.Open(flags);
        if (fd >= 0) _open[fd] = device;
        return fd;
    }

    public override void Close(int fd)
    {
        _open.TryRemove(fd, out _);
        base.Close(fd);
    }

    public override int Ioctl(int fd, uint request, void* argument) =>
        _open.TryGetValue(fd, out var device) ? device.Ioctl(request, argument) : base.Ioctl(fd, request, argument);

    /// <summary>A descriptor that is the answer of an ioctl.</summary>
    public void Adopt(int fd, StandInDevice device) => _open[fd] = device;

    public override nint Map(int fd, nuint length, long offset)
    {
        if (!_open.TryGetValue(fd, out var device)) return base.Map(fd, length, offset);
        var at = device.Map(length, offset);
        Mapped[at] = length;
        return at;
    }

    public override void Unmap(nint at, nuint length)
    {
        Assert.True(Mapped.TryRemove(at, out var mapped) && mapped == length, "what is unmapped was mapped, and as long");
        NativeMemory.Free((void*)at);
    }
}

internal static unsafe partial class Pipes
{
    [LibraryImport("libc", EntryPoint = "pipe2")]
    public static partial int Pipe(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    public static partial nint Write(int fd, void* from, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);
}

/// <summary>Keeps what it is told, in order.</summary>
internal sealed class Heard : IControlSink
{
    private readonly List<string> _lines = [];

    public List<ControlEvent> Events { get; } = [];

    public void Put(in ControlEvent e)
    {
        lock (_lines)
        {
            Events.Add(e);
            _lines.Add($"{e.Action switch { ControlAction.Press => "+", ControlAction.Release => "-", ControlAction.Turn => $"{e.Value}x", _ => $"'{(char)e.Value}'" }}" +
                (e.Action == ControlAction.Type ? "" : e.Control.ToString()));
        }
    }

    public void Gone(byte source)
    {
        lock (_lines) _lines.Add($"gone {source}");
    }

    /// <summary>What was heard, once it is as much as is expected (or ten seconds are over: then the comparison says what is missing).</summary>
    public void Is(params string[] expected)
    {
        Eventually.True(() => { lock (_lines) return _lines.Count >= expected.Length; });
        lock (_lines) Assert.Equal(expected, _lines);
    }
}

internal static class Eventually
{
    public static bool True(Func<bool> what)
    {
        for (var i = 0; i < 2000; i++)
        {
            if (what()) return true;
            Thread.Sleep(5);
        }

        return what();
    }
}

/// <summary>A folder for the length of a test.</summary>
internal sealed class Folder : IDisposable
{
    public string At { get; } = Directory.CreateTempSubdirectory("ssp-board-").FullName;

    public string Node(string name)
    {
        var path = Path.Combine(At, name);
        File.WriteAllText(path, "");
        return path;
    }

    public void Dispose() => Directory.Delete(At, recursive: true);
}
