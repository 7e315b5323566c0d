// Runtimes that libraries brought along, and which RT threads they know: each thread calls into a new one once, between quanta.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Engine.Memory;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Loading;

/// <summary>
/// A thread's first call into another runtime makes it known there: that takes locks and memory, some 30 us, which are not a module's to spend. So
/// before a plan may use a library with a runtime, every RT thread has made that call: those that run between two quanta, those that start
/// before their function, those that stand by on the steward's request.
/// </summary>
internal static unsafe partial class Attachments
{
    private const string Library = "libssphost_native";

    private static List* s_list;

    [StructLayout(LayoutKind.Sequential)]
    private struct List
    {
        /// <summary>How many; raised after the function was written.</summary>
        public int Count;
        public fixed ulong Functions[Limits.MaxLibraries];
    }

    /// <summary>Runtimes there are. [any thread]</summary>
    public static int Count => s_list == null ? 0 : Volatile.Read(ref s_list->Count);

    /// <summary>Makes the list, once in a process. [start-up]</summary>
    public static void Prepare()
    {
        if (s_list == null) s_list = (List*)NativeMemory.AllocZeroed((nuint)sizeof(List)); // lives as long as the process
    }

    /// <summary>Adds a runtime by its function. [steward]</summary>
    public static void Add(delegate* unmanaged[Cdecl]<void> attach)
    {
        s_list->Functions[s_list->Count] = (ulong)attach;
        Volatile.Write(ref s_list->Count, s_list->Count + 1);
    }

    /// <summary>Makes the calling thread known to every runtime it is not known to; <paramref name="known"/>: to how many it is. [rt-thread, between quanta]</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CatchUp(int* known)
    {
        if (s_list != null && Volatile.Read(ref s_list->Count) != *known) CatchUpNow(known);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CatchUpNow(int* known)
    {
        // The runtime takes what it keeps of the thread from the C library, and neither is a defect of the engine's or of a module's.
        RtGuard.Permit();
        Heap.PauseThread();
        for (; *known < Volatile.Read(ref s_list->Count); (*known)++) Attach(s_list->Functions[*known]);
        Heap.ResumeThread();
        RtGuard.EndPermit();
    }

    [LibraryImport(Library, EntryPoint = "ssp_attach")]
    private static partial void Attach(ulong function);
}
