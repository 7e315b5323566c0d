// The kernel's own record of who got which core: a tracefs instance of ours that traces the switches of the RT threads.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// /sys/kernel/tracing/instances/ssp-PID, on CLOCK_MONOTONIC, with sched_switch filtered to the RT threads. Needs root (or write access there).
/// One reader; it never blocks. It is gone with <see cref="Dispose"/>; what a dead process left behind goes at the next start.
/// </summary>
public sealed unsafe partial class SchedTrace : IDisposable
{
    private const int BufferKib = 512; // of each core
    private const int ReadBytes = 64 << 10, MostReads = 64;
    private const int NonBlocking = 0x800, CloseOnExec = 0x80000;
    private static readonly string[] Roots = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

    private readonly string _instance;
    private readonly SchedLines _lines = new();
    private readonly byte[] _buffer = new byte[ReadBytes];
    private int _kept;
    private int _pipe;
    private string _filter = "";

    private SchedTrace(string instance, int pipe) => (_instance, _pipe) = (instance, pipe);

    /// <summary>Events the kernel lost because nobody read in time.</summary>
    public long Lost => _lines.Lost;

    /// <summary>Starts; null and why not where the system does not let us.</summary>
    public static SchedTrace? TryStart(IReadOnlyList<int> tids, out string reason) => TryStart(Roots.FirstOrDefault(r => Directory.Exists(r + "/instances")), tids, out reason);

    /// <summary>The same under another root (tests).</summary>
    public static SchedTrace? TryStart(string? root, IReadOnlyList<int> tids, out string reason)
    {
        reason = "";
        if (root == null)
        {
            reason = "tracefs is not mounted (mount -t tracefs nodev /sys/kernel/tracing)";
            return null;
        }

        var instance = string.Create(CultureInfo.InvariantCulture, $"{root}/instances/ssp-{Environment.ProcessId}");
        SchedTrace? trace = null;
        try
        {
            CleanUp(root);
            Directory.CreateDirectory(instance);
            Put(instance + "/trace_clock", "mono");
            Put(instance + "/buffer_size_kb", BufferKib.ToString(CultureInfo.InvariantCulture));
            int pipe;
            fixed (byte* path = Encoding.UTF8.GetBytes(instance + "/trace_pipe\0")) pipe = Linux.Open(path, NonBlocking | CloseOnExec, 0);
            if (pipe < 0) throw new IOException($"trace_pipe: {new System.ComponentModel.Win32Exception(Marshal.GetLastSystemError()).Message}");
            trace = new SchedTrace(instance, pipe);
            trace.Follow(tids);
            Put(instance + "/events/sched/sched_switch/enable", "1");
            return trace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            reason = e is UnauthorizedAccessException ? "tracefs is for root only" : PlainText.OneLine(e.Message);
            if (trace != null) trace.Dispose();
            else Remove(instance);
            return null;
        }
    }

    /// <summary>Traces these threads from now on.</summary>
    public void Follow(IReadOnlyList<int> tids)
    {
        var filter = string.Join(" || ", tids.Where(t => t > 0).Select(t => string.Create(CultureInfo.InvariantCulture, $"prev_pid == {t} || next_pid == {t}")));
        if (filter.Length == 0) filter = "prev_pid == -1"; // nobody: an empty filter would mean everybody
        if (filter == _filter) return;
        Put(_instance + "/events/sched/sched_switch/filter", filter);
        _filter = filter;
    }

    /// <summary>Takes what the kernel has.</summary>
    public void Poll(SwitchLog log)
    {
        for (var reads = 0; reads < MostReads; reads++)
        {
            nint got;
            fixed (byte* at = &_buffer[_kept]) got = Read(_pipe, at, (nuint)(_buffer.Length - _kept));
            if (got <= 0) return;
            var length = _kept + (int)got;
            var rest = _buffer.AsSpan(0, length);
            int end;
            while ((end = rest.IndexOf((byte)'\n')) >= 0)
            {
                if (_lines.TryParse(rest[..end], out var found)) log.Add(in found);
                rest = rest[(end + 1)..];
            }

            if (rest.Length == _buffer.Length) rest = default; // a line of 64 KiB is none of ours
            rest.CopyTo(_buffer);
            _kept = rest.Length;
        }
    }

    public void Dispose()
    {
        if (_pipe < 0) return;
        try
        {
            Put(_instance + "/events/sched/sched_switch/enable", "0");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It goes with its instance.
        }

        _ = Linux.Close(_pipe);
        _pipe = -1;
        Remove(_instance);
    }

    /// <summary>Removes instances whose process is dead.</summary>
    public static void CleanUp(string root)
    {
        foreach (var path in Directory.GetDirectories(root + "/instances", "ssp-*"))
        {
            if (int.TryParse(Path.GetFileName(path)["ssp-".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var pid) && !Directory.Exists($"/proc/{pid}")) Remove(path);
        }
    }

    private static void Remove(string instance)
    {
        try
        {
            if (Directory.Exists(instance)) Directory.Delete(instance);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Somebody reads in it; the next start tries again.
        }
    }

    // Files of tracefs are neither made nor cut.
    private static void Put(string path, string text)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(Encoding.ASCII.GetBytes(text));
    }

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int fd, byte* buffer, nuint bytes);
}
