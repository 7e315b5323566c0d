// Libraries of modules that are loaded while the engine runs: how the control process asks for one, and what it sees of each.
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Abi;

/// <summary>What a library is written for.</summary>
public enum LibraryKind : uint
{
    /// <summary>ssp_module.h: it brings its descriptors along.</summary>
    Native = 0,

    /// <summary>LV2: its descriptors come from the control process, and an <see cref="Lv2Plugin"/> for each.</summary>
    Lv2 = 1,
}

/// <summary>Argument of <see cref="RequestKind.LoadLibrary"/>; the descriptor blob and the plugins, where the kind needs them, follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct LibraryLoad
{
    /// <summary>Bytes of the engine's words, terminating zero included.</summary>
    public const int RefusalBytes = 512;

    public LibraryKind Kind;
    private readonly uint _pad;

    /// <summary>Bytes of the descriptor blob that follows.</summary>
    public long DescriptorBytes;

    /// <summary>Bytes of the <see cref="Lv2Plugin"/>s that follow those, from the next multiple of 8 on. No descriptors and one plugin: that one is silent from now on, or plays again, as its flags say.</summary>
    public long PluginBytes;

    /// <summary>What is loaded: UTF-8, zero-terminated.</summary>
    public fixed byte Path[LibraryRecord.PathBytes];

    /// <summary>What it is called in descriptors and reports: the file it was copied from.</summary>
    public fixed byte File[LibraryRecord.PathBytes];

    /// <summary>Why it was refused: UTF-8, zero-terminated. Written by the engine.</summary>
    public fixed byte Refusal[RefusalBytes];

    /// <summary>Where the plugins begin, in bytes from the block's start.</summary>
    public static long PluginsAt(long descriptorBytes) => (sizeof(LibraryLoad) + descriptorBytes + 7) & ~7L;

    /// <summary>Puts a text into one of the paths; false if it is too long.</summary>
    public static bool TrySet(byte* path, string text)
    {
        var room = new Span<byte>(path, LibraryRecord.PathBytes);
        room.Clear();
        return Encoding.UTF8.TryGetBytes(text, room[..^1], out _);
    }
}

/// <summary>A library that was loaded; written by the steward, the fields that change by single stores.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct LibraryRecord
{
    /// <summary>Bytes of a path, terminating zero included.</summary>
    public const int PathBytes = 1024;

    /// <summary>Collections its runtime made since it was loaded, where it has one and tells: each may have stopped an RT thread.</summary>
    public ulong Collections;

    /// <summary>How many module types; 0: this record is unused. Stored last.</summary>
    public int Types;

    /// <summary>Number of its first type.</summary>
    public int FirstType;

    public LibraryKind Kind;

    /// <summary>1: it has a runtime of its own, which every RT thread was made known to.</summary>
    public int HasRuntime;

    /// <summary>The file it was made from.</summary>
    public fixed byte File[PathBytes];

    /// <summary>A zero-terminated text of at most <paramref name="most"/> bytes.</summary>
    public static string Text(byte* text, int most)
    {
        var bytes = new ReadOnlySpan<byte>(text, most);
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
