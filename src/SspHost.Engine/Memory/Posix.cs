// The system calls that make and hold the region, all at start-up or on the background thread that fills it.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Memory;

internal static unsafe partial class Posix
{
    public const int ProtNone = 0;
    public const int MapPrivate = 2, MapFixed = 0x10, MapAnonymous = 0x20, MapNoReserve = 0x4000;
    public const uint MemfdCloseOnExec = 1, MemfdAllowSealing = 2;
    public const int AddSeals = 1033, SealSeal = 1, SealShrink = 2, SealGrow = 4;
    public const int DontFork = 10, HugePage = 14;

    [LibraryImport("libc", EntryPoint = "memfd_create")]
    public static partial int MemfdCreate(byte* name, uint flags);

    [LibraryImport("libc", EntryPoint = "ftruncate")]
    public static partial int Truncate(int fd, long bytes);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    public static partial int Fcntl(int fd, int command, nint argument);

    [LibraryImport("libc", EntryPoint = "mlock")]
    public static partial int Lock(void* start, nuint bytes);

    [LibraryImport("libc", EntryPoint = "madvise")]
    public static partial int Advise(void* start, nuint bytes, int advice);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    public static partial int Protect(void* start, nuint bytes, int protection);
}
