// Takes pages of a process out of memory as a short day would, and looks which are there: deterministic, where waiting for a short day is not.
using System.Globalization;
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>Whether a page can be taken out, as the kernel answers.</summary>
/// <param name="Taken">Bytes it accepted the advice for.</param>
/// <param name="Refused">Bytes it refused to touch because they are locked (EINVAL).</param>
/// <param name="Error">errno of any other refusal, 0 = none.</param>
public readonly record struct PageOut(long Taken, long Refused, int Error);

/// <summary>
/// MADV_PAGEOUT on another process by its pidfd (Linux 5.10; root or the same user with CAP_SYS_NICE), and /proc/PID/pagemap. mincore would not do:
/// it counts pages in the swap cache as present.
/// </summary>
public sealed unsafe partial class Paging : IDisposable
{
    private const int SysPidfdOpen = 434, SysProcessMadvise = 440; // the same on every architecture
    private const int PageOutAdvice = 21, Einval = 22;
    private const int EntryBytes = 8;
    private const int MostPages = 4096;

    private readonly int _process;
    private readonly FileStream _map;
    private readonly byte[] _entries = new byte[MostPages * EntryBytes];

    /// <summary>Opens a process. Throws <see cref="IOException"/> with the reason where the kernel does not let us.</summary>
    public Paging(int pid)
    {
        _process = (int)PidfdOpen(SysPidfdOpen, pid, 0);
        if (_process < 0) throw Failed(pid, "opened");
        try
        {
            _map = new FileStream(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/pagemap"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (UnauthorizedAccessException e)
        {
            _ = Linux.Close(_process);
            throw new IOException($"/proc/{pid}/pagemap: {e.Message}", e);
        }
    }

    /// <summary>Asks for the pages of a range to be taken out.</summary>
    public PageOut Out(ulong start, ulong end)
    {
        var range = new Range { Start = start, Bytes = end - start };
        var got = ProcessMadvise(SysProcessMadvise, _process, &range, 1, PageOutAdvice, 0);
        if (got >= 0) return new PageOut(got, 0, 0);
        var error = Marshal.GetLastPInvokeError();
        return error == Einval ? new PageOut(0, (long)(end - start), 0) : new PageOut(0, 0, error);
    }

    /// <summary>Pages of a range that are in memory, and in swap.</summary>
    public (int Present, int Swapped) Look(ulong start, ulong end)
    {
        var page = (ulong)Environment.SystemPageSize;
        var (present, swapped) = (0, 0);
        for (var at = start / page; at < end / page; at += MostPages)
        {
            var count = (int)Math.Min(MostPages, (end / page) - at);
            _map.Position = (long)at * EntryBytes;
            var got = _map.Read(_entries, 0, count * EntryBytes) / EntryBytes;
            for (var i = 0; i < got; i++)
            {
                var entry = BitConverter.ToUInt64(_entries, i * EntryBytes);
                if (entry >> 63 != 0) present++;
                else if ((entry >> 62 & 1) != 0) swapped++;
            }
        }

        return (present, swapped);
    }

    public void Dispose()
    {
        _ = Linux.Close(_process);
        _map.Dispose();
    }

    private static IOException Failed(int pid, string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"process {pid} cannot be {what}: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}"));

    [StructLayout(LayoutKind.Sequential)]
    private struct Range
    {
        public ulong Start, Bytes;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint PidfdOpen(nint number, nint pid, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint ProcessMadvise(nint number, nint pidfd, Range* ranges, nint count, nint advice, nint flags);
}
