// A module that writes where it must not: its thread is held where it stands, and the process plays on.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Threads;

/// <summary>What the handler in C knows of a thread, and what it tells: the same struct there.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct FaultCell
{
    /// <summary>Not 0 there: the thread is inside a module. Null: it never is.</summary>
    public int* Current;

    /// <summary>1: it has been replaced and is still inside one.</summary>
    public int Ghost;

    /// <summary>The signal, stored last; 0 = none.</summary>
    public int Signal;

    /// <summary>The address that was touched, or of the instruction.</summary>
    public ulong Address;
}

/// <summary>
/// SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGABRT (how the runtime ends an exception that nobody catches) of an RT thread inside a module. The handler runs no managed code: it notes the signal and waits for ever;
/// the watchdog does the rest. Anything else goes to the handler that was there before, which is the runtime's.
/// </summary>
public static unsafe partial class Faults
{
    /// <summary>
    /// Bytes of a signal stack: the kernel's frame with the widest registers is some 11 KiB, a stack walk takes 4, and a fault of that is one
    /// frame more; in the checked build system calls made there are frames, too.
    /// </summary>
#if CHECKED
    public const int StackBytes = 64 << 10;
#else
    public const int StackBytes = 32 << 10;
#endif

    private const string Library = "libssphost_native";

    /// <summary>Installs the handlers, once, after the runtime's own; 0 or an errno. [start-up]</summary>
    [LibraryImport(Library, EntryPoint = "ssp_faults_install")]
    public static partial int Install();

    /// <summary>From now on a fault of the calling thread inside a module is held.</summary>
    internal static void Watch(FaultCell* cell, void* stack) => WatchCall(cell, stack, StackBytes);

    /// <summary>Gives the calling thread its former signal stack back: the runtime frees it when the thread ends.</summary>
    [LibraryImport(Library, EntryPoint = "ssp_faults_unwatch")]
    internal static partial void Unwatch();

    [LibraryImport(Library, EntryPoint = "ssp_faults_watch")]
    private static partial void WatchCall(FaultCell* cell, void* stack, nuint bytes);
}
