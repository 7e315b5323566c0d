// The few system calls both processes make on the region: mapping it, waiting on a word in it.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Abi;

/// <summary>Linux calls by P/Invoke; blittable, errno by <see cref="Marshal.GetLastSystemError"/>.</summary>
public static unsafe partial class Linux
{
    public const int ProtRead = 1, ProtWrite = 2;
    public const int MapShared = 1;
    public const int FutexWait = 0, FutexWake = 1;
    public const int ClockMonotonic = 1;

    private static readonly nint SysFutex = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 98 : 202;

    /// <summary>Seconds and nanoseconds.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public long Seconds, Nanoseconds;

        public static TimeSpec FromNanoseconds(ulong ns) => new() { Seconds = (long)(ns / 1_000_000_000), Nanoseconds = (long)(ns % 1_000_000_000) };
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    public static partial void* Mmap(void* address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    public static partial int Munmap(void* address, nuint length);

    [LibraryImport("libc", EntryPoint = "open")]
    public static partial int Open(byte* path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "lseek")]
    public static partial long Seek(int fd, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "flock")]
    public static partial int Flock(int fd, int operation);

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint FutexCall(nint number, uint* word, nint operation, nint value, TimeSpec* timeout, nint word2, nint value3);

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    [SuppressGCTransition]
    private static partial int ClockGetTime(int clock, TimeSpec* time);

    /// <summary>CLOCK_MONOTONIC in ns: the one clock of all measurements (vDSO, no system call).</summary>
    public static ulong Now()
    {
        TimeSpec t;
        _ = ClockGetTime(ClockMonotonic, &t);
        return ((ulong)t.Seconds * 1_000_000_000) + (ulong)t.Nanoseconds;
    }

    /// <summary>Sleeps until <paramref name="word"/> no longer holds <paramref name="expected"/>, somebody wakes it, or the time is over. Works across processes.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)] // the two places real-time code sleeps and wakes in, for whoever proves that there are no others
    public static void Wait(uint* word, uint expected, ulong timeoutNs)
    {
        var t = TimeSpec.FromNanoseconds(timeoutNs);
        _ = FutexCall(SysFutex, word, FutexWait, (nint)expected, &t, 0, 0);
    }

    /// <summary>Wakes at most <paramref name="count"/> threads that wait on <paramref name="word"/>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Wake(uint* word, int count) => _ = FutexCall(SysFutex, word, FutexWake, count, null, 0, 0);
}
