// A file of /proc or /sys that is opened once and read from its start again and again: no path is walked, nothing is allocated.
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;

namespace SspHost.Diagnostics;

/// <summary>An open file, or the errno that says why there is none. Not thread-safe.</summary>
internal sealed unsafe partial class ProcFile : IDisposable
{
    private const int ReadOnlyCloseOnExec = 0x80000; // O_RDONLY | O_CLOEXEC
    private readonly int _fd;
    private bool _closed;

    /// <summary>Opens; a failure is kept, not thrown.</summary>
    public ProcFile(string path)
    {
        fixed (byte* name = Encoding.UTF8.GetBytes(path + "\0")) _fd = Linux.Open(name, ReadOnlyCloseOnExec, 0);
        Error = _fd < 0 ? Marshal.GetLastSystemError() : 0;
    }

    /// <summary>Errno of the last open or read that failed; 0: none did.</summary>
    public int Error { get; private set; }

    /// <summary>Whether it was opened.</summary>
    public bool IsOpen => _fd >= 0 && !_closed;

    /// <summary>The words of <see cref="Error"/>.</summary>
    public string Reason => ReasonOf(Error);

    /// <summary>The words of an errno.</summary>
    public static string ReasonOf(int error) => error switch
    {
        2 => "the kernel does not offer it",
        1 or 13 => "not permitted",
        95 => "switched off in the kernel",
        _ => new Win32Exception(error).Message,
    };

    /// <summary>What it says now, as much of it as fits; empty where it cannot be read (see <see cref="Error"/>).</summary>
    public ReadOnlySpan<byte> Read(Span<byte> buffer)
    {
        if (!IsOpen) return default;
        var length = 0;
        fixed (byte* b = buffer)
        {
            // A file of /proc may come in pieces.
            while (length < buffer.Length)
            {
                var got = Pread(_fd, b + length, (nuint)(buffer.Length - length), length);
                if (got < 0)
                {
                    Error = Marshal.GetLastSystemError();
                    return default;
                }

                if (got == 0) break;
                length += (int)got;
            }
        }

        Error = 0;
        return buffer[..length];
    }

    /// <summary>
    /// Of a directory: the names that are numbers, ascending, as many as fit; the result is how many there are. -1: it cannot be read.
    /// </summary>
    public int Numbers(Span<int> numbers)
    {
        if (!IsOpen) return -1;
        const int Bytes = 8192;
        var buffer = stackalloc byte[Bytes];
        if (Linux.Seek(_fd, 0, 0) < 0) return Failed();
        var (kept, all) = (0, 0);
        while (true)
        {
            var got = GetDirectoryEntries(_fd, buffer, Bytes);
            if (got < 0) return Failed();
            if (got == 0) break;
            // struct linux_dirent64: u64 inode, s64 offset, u16 length, u8 type, name.
            for (var at = 0L; at < got; at += *(ushort*)(buffer + at + 16))
            {
                var name = buffer + at + 19;
                var number = 0L;
                var digits = 0;
                for (; name[digits] is >= (byte)'0' and <= (byte)'9' && digits < 10; digits++) number = (number * 10) + (name[digits] - '0');
                if (digits == 0 || name[digits] != 0 || number > int.MaxValue) continue;
                all++;
                if (kept < numbers.Length) numbers[kept++] = (int)number;
            }
        }

        Error = 0;
        numbers[..kept].Sort();
        return all;
    }

    public void Dispose()
    {
        if (IsOpen) _ = Linux.Close(_fd);
        _closed = true;
    }

    private int Failed()
    {
        Error = Marshal.GetLastSystemError();
        return -1;
    }

    [LibraryImport("libc", EntryPoint = "pread64")]
    private static partial nint Pread(int fd, byte* buffer, nuint count, long offset);

    [LibraryImport("libc", EntryPoint = "getdents64")]
    private static partial nint GetDirectoryEntries(int fd, byte* buffer, nuint count);
}
