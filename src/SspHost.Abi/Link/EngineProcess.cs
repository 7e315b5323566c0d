// The engine as a process: is it alive, wait for its end, ask it to leave. By pidfd, so that a reused pid is never meant.
using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Abi.Link;

/// <summary>A handle to a process that stays that process's, whatever becomes of its pid.</summary>
public sealed unsafe partial class EngineProcess : IDisposable
{
    private const int SysPidfdOpen = 434, SysPidfdSendSignal = 424; // the same number on every architecture
    private const short PollIn = 1;
    private const int InterruptedCall = 4; // EINTR

    private readonly int _fd;
    private int _disposed;

    private EngineProcess(int pid, int fd)
    {
        Pid = pid;
        _fd = fd;
    }

    /// <summary>Its process id.</summary>
    public int Pid { get; }

    /// <summary>Whether it has ended (a zombie has ended too).</summary>
    public bool HasExited => Wait(0);

    /// <summary>
    /// Opens process <paramref name="pid"/>; null if there is none, or if it did not start at <paramref name="start"/> (clock ticks; 0 = any).
    /// </summary>
    public static EngineProcess? Open(int pid, long start = 0)
    {
        var fd = (int)PidfdOpen(SysPidfdOpen, pid, 0);
        if (fd < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            if (errno == 3) return null; // ESRCH
            throw new IOException($"process {pid}: cannot be opened: {new Win32Exception(errno).Message}");
        }

        // The start time is read after the handle was opened: if it fits now, the handle is that process's.
        if (start != 0 && StartTimeOf(pid) != start)
        {
            _ = Linux.Close(fd);
            return null;
        }

        return new EngineProcess(pid, fd);
    }

    /// <summary>Start time of a process in clock ticks since boot, or 0 if there is no such process or it is a zombie.</summary>
    public static long StartTimeOf(int pid)
    {
        try
        {
            return ParseStartTime(File.ReadAllText($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/stat"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>Field 22 of a <c>stat</c> line. The name in field 2 may hold spaces and parentheses, so fields count from its last one.</summary>
    public static long ParseStartTime(string stat)
    {
        var end = stat.LastIndexOf(')');
        if (end < 0) return 0;
        var fields = stat[(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 20 || fields[0] is "Z" or "X") return 0; // field 3 = state, field 22 = start
        return long.TryParse(fields[19], NumberStyles.None, CultureInfo.InvariantCulture, out var start) ? start : 0;
    }

    /// <summary>Waits until it ended, at most <paramref name="milliseconds"/> (-1: for ever). True once it ended.</summary>
    public bool Wait(int milliseconds)
    {
        if (Volatile.Read(ref _disposed) != 0) return true;
        var poll = new PollEntry { Fd = _fd, Events = PollIn };
        var until = Environment.TickCount64 + milliseconds;
        while (true)
        {
            var n = Poll(&poll, 1, milliseconds < 0 ? -1 : (int)Math.Max(0, until - Environment.TickCount64));
            if (n > 0) return true;
            if (n == 0 || Marshal.GetLastPInvokeError() != InterruptedCall) return false;
        }
    }

    /// <summary>Sends a signal; false if it has ended.</summary>
    public bool Signal(int number) => PidfdSendSignal(SysPidfdSendSignal, _fd, number, null, 0) == 0;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0) _ = Linux.Close(_fd);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Fd;
        public short Events, Returned;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint PidfdOpen(nint number, nint pid, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint PidfdSendSignal(nint number, nint fd, nint signal, void* info, nint flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollEntry* entries, nuint count, int milliseconds);
}
