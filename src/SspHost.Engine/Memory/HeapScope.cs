// The scope "in a module, off the RT threads": what its library takes by malloc lies in the region and is its instance's.
namespace SspHost.Engine.Memory;

/// <summary>
/// Around every call into a module on the steward: a plugin's heap is then locked, touched and accounted like the memory the host gave it.
/// Not nested. On an RT thread it changes nothing.
/// </summary>
public static class HeapScope
{
    /// <summary>From here on, for the calling thread. <paramref name="owner"/>: slot + 1, or 0 for what a module type's instances share.</summary>
    public static void Enter(uint owner) => Heap.EnterScope(owner);

    /// <summary>Up to here.</summary>
    public static void Leave() => Heap.LeaveScope();
}
