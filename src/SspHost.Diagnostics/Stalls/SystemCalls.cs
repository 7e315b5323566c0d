// Names of the system calls that a thread may be found in, by machine.
using System.Runtime.InteropServices;

namespace SspHost.Diagnostics.Stalls;

internal static class SystemCalls
{
    // Name, number on x86-64, number on arm64 (-1: it has none). Source: the kernel's unistd tables.
    private static readonly (string Name, int X64, int Arm64)[] Table =
    [
        ("read", 0, 63), ("write", 1, 64), ("open", 2, -1), ("close", 3, 57), ("poll", 7, -1), ("mmap", 9, 222), ("mprotect", 10, 226), ("munmap", 11, 215),
        ("ioctl", 16, 29), ("pread64", 17, 67), ("pwrite64", 18, 68), ("readv", 19, 65), ("writev", 20, 66), ("select", 23, -1), ("sched_yield", 24, 124),
        ("msync", 26, 227), ("madvise", 28, 233), ("pause", 34, -1), ("nanosleep", 35, 101), ("connect", 42, 203), ("accept", 43, 202), ("sendto", 44, 206),
        ("recvfrom", 45, 207), ("sendmsg", 46, 211), ("recvmsg", 47, 212), ("wait4", 61, 260), ("semop", 65, 193), ("fcntl", 72, 25), ("flock", 73, 32),
        ("fsync", 74, 82), ("fdatasync", 75, 83), ("getdents64", 217, 61), ("mlock", 149, 228), ("futex", 202, 98), ("semtimedop", 220, 192),
        ("clock_nanosleep", 230, 115), ("epoll_wait", 232, -1), ("epoll_pwait", 281, 22), ("waitid", 247, 95), ("openat", 257, 56), ("newfstatat", 262, 79),
        ("pselect6", 270, 72), ("ppoll", 271, 73), ("sync_file_range", 277, 84), ("fallocate", 285, 47), ("getrandom", 318, 278), ("membarrier", 324, 283),
        ("rt_sigtimedwait", 128, 137), ("rt_sigsuspend", 130, 133), ("mq_timedreceive", 243, 183), ("io_getevents", 208, 4), ("execve", 59, 221), ("vfork", 58, -1),
        ("clone", 56, 220), ("brk", 12, 214), ("mremap", 25, 216), ("fstat", 5, 80), ("lseek", 8, 62), ("socket", 41, 198), ("exit_group", 231, 94),
    ];

    /// <summary>A call's name; "system call N" where it is not in the table.</summary>
    public static string NameOf(int number)
    {
        var arm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        foreach (var (name, x64, arm64) in Table)
            if ((arm ? arm64 : x64) == number) return name;
        return FormattableString.Invariant($"system call {number}");
    }
}
