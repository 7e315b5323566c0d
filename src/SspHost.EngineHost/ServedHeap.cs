// malloc as in the engine that plays: from a region, of the size it has there, and on what counts as an RT thread.
using System.Runtime.InteropServices;
using SspHost.Conformance;
using SspHost.Engine.Memory;

namespace SspHost.EngineHost;

/// <summary>For tools that play somebody else's module in a process of their own. Without the interposer (JIT) it does nothing.</summary>
internal static unsafe partial class ServedHeap
{
    private const int Arena = Region.FirstArenas + 1;

    /// <summary>Whether calls are served from the region, and counted.</summary>
    public static bool IsOpen { get; private set; }

    public static void Open()
    {
        var region = Region.Create(Region.DefaultBytes, default, "tool", out _, locks: false);
        if (region != null) Heap.Serve(region);
        IsOpen = Heap.IsServed && region!.Pool->OpenArena(Arena, Region.ArenaBytes);
    }

    /// <summary>A rig whose instance is made as the steward makes one, and is played as on an RT thread.</summary>
    public static Rig Make(string id, RigOptions? options = null)
    {
        HeapScope.Enter(1);
        var rig = new Rig(id, options);
        HeapScope.Leave();
        if (!IsOpen) return rig;
        rig.BeforeProcess = static () => EnterRt(Arena, null, null);
        rig.AfterProcess = static () => LeaveRt();
        return rig;
    }

    [SuppressGCTransition]
    [LibraryImport("libssphost_heap", EntryPoint = "ssp_heap_enter_rt")]
    private static partial void EnterRt(int arena, int* current, int* ghost);

    [SuppressGCTransition]
    [LibraryImport("libssphost_heap", EntryPoint = "ssp_heap_leave_rt")]
    private static partial void LeaveRt();
}
