// The calls of the C library that the corpus breaks rules with.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Violations;

internal static unsafe partial class LibC
{
    [LibraryImport("libc", EntryPoint = "sem_wait")]
    public static partial int SemWait(void* semaphore);

    [LibraryImport("libc", EntryPoint = "sem_post")]
    public static partial int SemPost(void* semaphore);

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    public static partial int ClockNanosleep(int clock, int flags, Linux.TimeSpec* time, Linux.TimeSpec* left);

    [LibraryImport("libc", EntryPoint = "strdup")]
    public static partial byte* Strdup(byte* text);

    [LibraryImport("libc", EntryPoint = "free")]
    public static partial void Free(void* block);

    [LibraryImport("libc", EntryPoint = "fopen")]
    public static partial void* Fopen(byte* path, byte* mode);

    [LibraryImport("libc", EntryPoint = "fclose")]
    public static partial int Fclose(void* file);

    [LibraryImport("libc", EntryPoint = "dlopen")]
    public static partial void* Dlopen(byte* name, int flags);
}
