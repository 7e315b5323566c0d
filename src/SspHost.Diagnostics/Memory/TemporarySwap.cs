// A swap file for the length of an experiment: a board without swap shows nothing of what locking memory is good for.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Diagnostics;

/// <summary>Made and switched on at once, off and gone when disposed. Root only.</summary>
public sealed partial class TemporarySwap : IDisposable
{
    private const int VersionAt = 1024, LastPageAt = 1028, MagicBytes = 10; // union swap_header of the kernel

    private readonly string _path;
    private bool _ended;

    private TemporarySwap(string path) => _path = path;

    /// <summary>
    /// Makes one of <paramref name="bytes"/> bytes in a directory. Throws <see cref="IOException"/> that says why it cannot (no root, a file system
    /// that holds no swap, a full disk); nothing is left then.
    /// </summary>
    public static TemporarySwap Create(string directory, long bytes)
    {
        var path = Path.Combine(directory, $"ssp-swap-{Environment.ProcessId}");
        var page = Environment.SystemPageSize;
        try
        {
            using (var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
            {
                var header = new byte[page];
                BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(VersionAt), 1);
                BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(LastPageAt), (int)(bytes / page) - 1);
                "SWAPSPACE2"u8.CopyTo(header.AsSpan(page - MagicBytes));
                file.Write(header);
                var zeros = new byte[1 << 20];
                for (long at = page; at < bytes; at += zeros.Length) file.Write(zeros.AsSpan(0, (int)Math.Min(zeros.Length, bytes - at))); // holes are no swap
                file.Flush(flushToDisk: true);
            }

            if (SwapOn(path, 0) != 0)
                throw new IOException($"{path}: cannot be used as swap: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
            return new TemporarySwap(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(path);
            throw e as IOException ?? new IOException(e.Message, e);
        }
    }

    public void Dispose()
    {
        if (_ended) return;
        _ended = true;
        _ = SwapOff(_path);
        File.Delete(_path);
    }

    private static unsafe int SwapOn(string path, int flags)
    {
        fixed (byte* p = Encoding.UTF8.GetBytes(path + "\0")) return SwapOnCall(p, flags);
    }

    private static unsafe int SwapOff(string path)
    {
        fixed (byte* p = Encoding.UTF8.GetBytes(path + "\0")) return SwapOffCall(p);
    }

    [LibraryImport("libc", EntryPoint = "swapon", SetLastError = true)]
    private static unsafe partial int SwapOnCall(byte* path, int flags);

    [LibraryImport("libc", EntryPoint = "swapoff", SetLastError = true)]
    private static unsafe partial int SwapOffCall(byte* path);
}
