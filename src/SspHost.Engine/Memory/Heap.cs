// malloc and its family in the engine process: who is served from the pool. The interposer itself is C (src/SspHost.Native/heap).
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.Engine.Memory;

/// <summary>
/// The engine's side of libssphost_heap, which the native executable loads before the C library. Where it is absent (unit tests under the
/// JIT) nothing here does anything, and the C library serves everybody.
/// </summary>
public static unsafe partial class Heap
{
    private const string Library = "libssphost_heap";

    private static HeapService* s_service;

    /// <summary>Whether malloc is ours, and served from a pool.</summary>
    public static bool IsServed => s_service != null;

    /// <summary>Calls of malloc and its family on RT threads outside of any module: 0, or it is a defect of the engine.</summary>
    public static ulong CallsOutside => s_service == null ? 0 : Volatile.Read(ref s_service->Outside);

    /// <summary>
    /// From now on scopes and RT threads are served from the region's pool. Once in a process: blocks may outlive whoever took them. Throws
    /// where the region is too small for its table. [start-up]
    /// </summary>
    public static void Serve(Region region)
    {
        if (s_service != null || !IsPresent()) return;
        var service = (HeapService*)region.Pool->Allocate(0, sizeof(HeapService), 0);
        if (service == null || !HeapService.Fill(service, region.Pool, region.Map))
            throw new InsufficientMemoryException("the region is too small for the table of what malloc holds");
        s_service = service;
        Serve(service);
    }

    /// <summary>Bytes that the library of an instance holds by malloc now. [steward]</summary>
    public static long HeldBy(int slot) => s_service == null ? 0 : Volatile.Read(ref s_service->Held[slot + 1]);

    /// <summary>Frees what RT threads freed of the C library's memory; how many blocks. [steward, now and then]</summary>
    public static long Maintain() => s_service == null ? 0 : Reap();

    /// <summary>
    /// The calling RT thread is served from an arena of its own from now on; 0: it has none. <paramref name="current"/>: slot + 1 of the module it
    /// is inside of; <paramref name="ghost"/>: not 0 once it was replaced there.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void EnterThread(int arena, int* current, int* ghost)
    {
        if (s_service != null) CallEnterRt(arena, current, ghost);
    }

    /// <summary>It is no RT thread any more.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void LeaveThread()
    {
        if (s_service != null) CallLeaveRt();
    }

    /// <summary>The C library serves the calling RT thread until <see cref="ResumeThread"/>. [rt-thread, between quanta]</summary>
    internal static void PauseThread()
    {
        if (s_service != null) CallPauseRt();
    }

    /// <inheritdoc cref="PauseThread"/>
    internal static void ResumeThread()
    {
        if (s_service != null) CallResumeRt();
    }

    /// <inheritdoc cref="HeapScope.Enter"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void EnterScope(uint owner)
    {
        if (s_service != null) CallEnterScope(owner);
    }

    /// <inheritdoc cref="HeapScope.Leave"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void LeaveScope()
    {
        if (s_service != null) CallLeaveScope();
    }

    // Not inlined: the JIT looks for the target of such a call when it compiles the caller, and there is none to be found.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CallEnterRt(int arena, int* current, int* ghost) => EnterRt(arena, current, ghost);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CallLeaveRt() => LeaveRt();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CallPauseRt() => PauseRt();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CallResumeRt() => ResumeRt();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CallEnterScope(uint owner) => EnterScopeNow(owner);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CallLeaveScope() => LeaveScopeNow();

    // By name and not by trying: under the JIT the library is not there, and must not be looked for on disk.
    private static bool IsPresent()
    {
        fixed (byte* name = "ssp_heap_serve\0"u8) return Symbol(null, name) != null;
    }

    [LibraryImport("libc", EntryPoint = "dlsym")]
    private static partial void* Symbol(void* handle, byte* name);

    [LibraryImport(Library, EntryPoint = "ssp_heap_serve")]
    private static partial void Serve(HeapService* service);

    [LibraryImport(Library, EntryPoint = "ssp_heap_reap")]
    private static partial long Reap();

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "ssp_heap_enter_rt")]
    private static partial void EnterRt(int arena, int* current, int* ghost);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "ssp_heap_leave_rt")]
    private static partial void LeaveRt();

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "ssp_heap_pause_rt")]
    private static partial void PauseRt();

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "ssp_heap_resume_rt")]
    private static partial void ResumeRt();

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "ssp_heap_enter_scope")]
    private static partial void EnterScopeNow(uint owner);

    [SuppressGCTransition]
    [LibraryImport(Library, EntryPoint = "ssp_heap_leave_scope")]
    private static partial void LeaveScopeNow();
}
