// The calls that reach a driver: all there is between this project and a device, so that tests can stand in for drivers they do not have.
using System.Runtime.InteropServices;

namespace SspHost.Board;

/// <summary>System calls; what fails answers -errno.</summary>
internal unsafe partial class SystemCalls
{
    public const int ReadOnly = 0, ReadWrite = 2, NonBlocking = 0x800, CloseOnExec = 0x80000;

    public const int NoEntry = 2, Interrupted = 4, TryAgain = 11, NoAccess = 13, Busy = 16, NoDevice = 19, Invalid = 22, NoTty = 25,
        NoSystemCall = 38, NotSupported = 95, NotPermitted = 1, NotSupportedInKernel = 524;

    private const int ProtReadWrite = 3, MapShared = 1, SetFlags = 4;

    /// <summary>The kernel's.</summary>
    public static SystemCalls Real { get; } = new();

    public virtual int Open(string path, int flags)
    {
        var fd = OpenCall(path, flags | CloseOnExec, 0);
        return fd < 0 ? -Marshal.GetLastPInvokeError() : fd;
    }

    public virtual void Close(int fd) => _ = CloseCall(fd);

    public virtual int Ioctl(int fd, uint request, void* argument)
    {
        while (true)
        {
            var answer = IoctlCall(fd, request, argument);
            if (answer >= 0) return answer;
            var errno = Marshal.GetLastPInvokeError();
            if (errno != Interrupted) return -errno;
        }
    }

    public virtual int Read(int fd, void* to, int length)
    {
        while (true)
        {
            var read = ReadCall(fd, to, (nuint)length);
            if (read >= 0) return (int)read;
            var errno = Marshal.GetLastPInvokeError();
            if (errno != Interrupted) return -errno;
        }
    }

    /// <summary>The beginning of a small file, without moving in it.</summary>
    public virtual int ReadFirst(int fd, void* to, int length)
    {
        var read = PreadCall(fd, to, (nuint)length, 0);
        return read < 0 ? -Marshal.GetLastPInvokeError() : (int)read;
    }

    /// <summary>Makes reads answer TryAgain instead of waiting: the kernel gives out descriptors of GPIO lines without that.</summary>
    public static void DoNotBlock(int fd) => _ = FcntlCall(fd, SetFlags, NonBlocking);

    /// <summary>Shared, for reading and writing; 0 where it cannot be mapped.</summary>
    public virtual nint Map(int fd, nuint length, long offset)
    {
        var at = MmapCall(0, length, ProtReadWrite, MapShared, fd, offset);
        return at == -1 ? 0 : at;
    }

    public virtual void Unmap(nint at, nuint length) => _ = MunmapCall(at, length);

    /// <summary>The kernel's words for an answer below zero.</summary>
    public static string Text(int answer) => Marshal.GetPInvokeErrorMessage(-answer);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenCall(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int CloseCall(int fd);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int IoctlCall(int fd, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadCall(int fd, void* to, nuint length);

    [LibraryImport("libc", EntryPoint = "pread", SetLastError = true)]
    private static partial nint PreadCall(int fd, void* to, nuint length, long offset);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FcntlCall(int fd, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MmapCall(nint address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MunmapCall(nint address, nuint length);
}
