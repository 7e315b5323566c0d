// A library of the system, opened when it is first wanted, and its functions by name.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Loading;

/// <summary>Nothing managed is allocated; it is never closed. Names end with a zero byte. [steward]</summary>
internal unsafe partial struct SystemLibrary
{
    private const int Now = 2; // RTLD_NOW

    private void* _handle;
    private int _missing;

    /// <summary>Whether every function that was asked for is there.</summary>
    internal readonly bool IsWhole => _missing == 0;

    /// <summary>Opens it; false where it is not installed.</summary>
    internal static bool TryOpen(ReadOnlySpan<byte> name, out SystemLibrary library)
    {
        library = default;
        fixed (byte* n = name) library._handle = DlOpen(n, Now);
        return library._handle != null;
    }

    /// <summary>Address of a function, or null.</summary>
    internal void* Find(ReadOnlySpan<byte> name)
    {
        fixed (byte* n = name)
        {
            var address = DlSym(_handle, n);
            if (address == null) _missing++;
            return address;
        }
    }

    [LibraryImport("libc", EntryPoint = "dlopen")]
    private static partial void* DlOpen(byte* name, int flags);

    [LibraryImport("libc", EntryPoint = "dlsym")]
    private static partial void* DlSym(void* library, byte* name);
}
