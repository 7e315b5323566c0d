// The calls of libc that sources of MIDI need, as they are.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.Engine.Events;

internal static unsafe partial class EventCalls
{
    internal const int ReadOnly = 0, ReadWrite = 2, NoTerminal = 0x100, NonBlocking = 0x800, CloseOnExec = 0x80000;

    [LibraryImport("libc", EntryPoint = "ppoll")]
    internal static partial int Poll(void* files, nuint count, Linux.TimeSpec* timeout, void* mask);

    [LibraryImport("libc", EntryPoint = "eventfd")]
    internal static partial int EventFile(uint value, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    internal static partial nint Write(int file, void* bytes, nuint count);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    internal static partial int Control(int file, nuint request, void* argument);
}
