// The code that plays is memory, too: text, constants and data of the image and its libraries are locked like the region.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Memory;

/// <summary>What was locked; the same struct in C.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct ImageLockTotals
{
    /// <summary>Bytes of whole pages that were to be locked, and that are.</summary>
    public ulong Wanted, Locked;

    /// <summary>Images: the executable and its libraries.</summary>
    public int Images;

    /// <summary>Errno of the first refusal; 0 = none.</summary>
    public int Error;
}

/// <summary>
/// Without this the kernel may drop pages of code that was not run for a while and read them from the disk in the middle of a quantum, swap
/// or no swap. [steward; allocates nothing managed]
/// </summary>
public static unsafe partial class ImageLock
{
    private const string Library = "libssphost_native";

    private static ulong s_loaded;

    /// <summary>What is locked by now.</summary>
    public static ImageLockTotals Totals { get; private set; }

    /// <summary>
    /// Everything this process maps besides, now or later, stays in memory once it was touched: the runtime's heap, thread stacks, the C library's
    /// heap. 0 or an errno (ENOMEM under a limit: then only what is locked by name is). [start-up, before threads]
    /// </summary>
    [LibraryImport(Library, EntryPoint = "ssp_lock_on_fault")]
    public static partial int KeepWhatIsTouched();

    /// <summary>Locks the images, where libraries were loaded since it was done last. Before anything plays that uses them.</summary>
    public static void Refresh()
    {
        var loaded = Loaded();
        if (loaded == s_loaded && s_loaded != 0) return;
        ImageLockTotals totals;
        Lock(&totals);
        Totals = totals;
        s_loaded = loaded;
    }

    [LibraryImport(Library, EntryPoint = "ssp_images_loaded")]
    private static partial ulong Loaded();

    [LibraryImport(Library, EntryPoint = "ssp_images_lock")]
    private static partial void Lock(ImageLockTotals* totals);
}
