// Patch files: read with one clear error, written always the same way.
using System.Collections.Immutable;

namespace SspHost.Patching;

/// <summary>A patch that was read, or why not.</summary>
/// <param name="Patch">Null where there is an error.</param>
/// <param name="Error">Null where there is a patch.</param>
/// <param name="Warnings">One line each: what was kept although this version does not know it, what was mended.</param>
public sealed record PatchLoad(Patch? Patch, PatchError? Error, ImmutableArray<string> Warnings);

/// <summary>Reads and writes patch files.</summary>
public static class PatchJson
{
    /// <summary>The file format this version writes; newer ones are refused, older ones do not exist.</summary>
    public const int Format = 1;

    /// <summary>Loads a file; throws <see cref="PatchException"/> with one line. With <paramref name="modules"/> it is also checked against them.</summary>
    public static Patch Load(string path, DescriptorIndex? modules = null) => throw new NotSupportedException();

    /// <summary>Loads a file; never throws for what the file is or holds.</summary>
    public static PatchLoad TryLoad(string path, DescriptorIndex? modules = null) => throw new NotSupportedException();

    /// <summary>Reads a patch from UTF-8 JSON; <paramref name="file"/> is only named in messages.</summary>
    public static PatchLoad Read(ReadOnlySpan<byte> json, string file = "", DescriptorIndex? modules = null) => throw new NotSupportedException();

    /// <summary>Writes a patch as indented UTF-8 JSON ending in a newline. Deterministic.</summary>
    public static byte[] Write(Patch patch) => throw new NotSupportedException();

    /// <summary>Saves atomically: the file is the old one or the new one, whatever happens. Throws <see cref="PatchException"/>.</summary>
    public static void Save(Patch patch, string path) => throw new NotSupportedException();

    /// <summary>The JSON Schema (2020-12) of the format.</summary>
    public static string Schema => throw new NotSupportedException();
}
