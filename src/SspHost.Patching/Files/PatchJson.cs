// Patch files: read with one clear error, written always the same way.
using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace SspHost.Patching;

/// <summary>A patch that was read, or why not.</summary>
/// <param name="Patch">Null where there is an error.</param>
/// <param name="Error">Null where there is a patch.</param>
/// <param name="Warnings">One line each: what was kept although this version does not know it, what was mended.</param>
public sealed record PatchLoad(Patch? Patch, PatchError? Error, ImmutableArray<string> Warnings);

/// <summary>Reads and writes patch files.</summary>
public static class PatchJson
{
    /// <summary>The file format this version writes. Newer ones are refused; there is none older, so nothing is migrated yet.</summary>
    public const int Format = 1;

    /// <summary>The JSON Schema (draft 2020-12) of the format.</summary>
    public static string Schema
    {
        get
        {
            using var stream = typeof(PatchJson).Assembly.GetManifestResourceStream("patch.schema.json")!;
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return reader.ReadToEnd();
        }
    }

    /// <summary>Loads a file; throws <see cref="PatchException"/> with one line. With <paramref name="modules"/> it is also checked against them.</summary>
    public static Patch Load(string path, DescriptorIndex? modules = null)
    {
        var load = TryLoad(path, modules);
        return load.Patch ?? throw new PatchException(load.Error!);
    }

    /// <summary>Loads a file; never throws for what the file is or holds.</summary>
    public static PatchLoad TryLoad(string path, DescriptorIndex? modules = null)
    {
        return BoundedFile.Read(path, PatchLimits.FileBytes, "patch", out var error) is { } json ? Read(json, path, modules) : Failed(error!);
    }

    /// <summary>Reads a patch from UTF-8 JSON; <paramref name="file"/> is only named in messages. Never throws for what the bytes are.</summary>
    public static PatchLoad Read(ReadOnlySpan<byte> json, string file = "", DescriptorIndex? modules = null)
    {
        if (json.Length > PatchLimits.FileBytes) return Failed(BoundedFile.TooLarge(file, $"{json.Length} bytes", PatchLimits.FileBytes, "patch"));
        Patch patch;
        try
        {
            var cursor = new JsonCursor(json, file);
            cursor.Next("");
            patch = PatchReader.Patch(ref cursor, "");
            cursor.End();
        }
        catch (JsonFault fault)
        {
            return Failed(fault.Error);
        }

        var warnings = new List<string>();
        foreach (var field in patch.Unknown) warnings.Add($"{PatchError.OneLine(field.Name)}: unknown field, kept");
        for (var i = 0; i < patch.Modules.Length; i++)
        {
            foreach (var field in patch.Modules[i].Unknown) warnings.Add($"modules[{i}].{PatchError.OneLine(field.Name)}: unknown field, kept");
        }

        for (var i = 0; i < patch.Cables.Length; i++)
        {
            foreach (var field in patch.Cables[i].Unknown) warnings.Add($"cables[{i}].{PatchError.OneLine(field.Name)}: unknown field, kept");
        }

        for (var i = 0; i < patch.Scenes.Length; i++)
        {
            foreach (var field in patch.Scenes[i]?.Unknown ?? default) warnings.Add($"scenes[{i}].{PatchError.OneLine(field.Name)}: unknown field, kept");
        }

        for (var i = 0; i < patch.Controllers.Length; i++)
        {
            foreach (var field in patch.Controllers[i].Unknown) warnings.Add($"controllers[{i}].{PatchError.OneLine(field.Name)}: unknown field, kept");
        }

        var error = PatchCheck.Structure(patch);
        if (error is null)
        {
            patch = Loops.Normalise(patch, warnings);
            if (modules is not null) error = PatchCheck.Types(patch, modules, warnings);
        }

        if (error is null) return new PatchLoad(patch, null, [.. warnings]);
        var (line, column) = JsonCursor.Locate(json, error.Path);
        return Failed(error with { File = file, Line = line, Column = column });
    }

    /// <summary>Writes a patch as indented UTF-8 JSON ending in a line feed. Deterministic.</summary>
    public static byte[] Write(Patch patch)
    {
        var bytes = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(bytes, PatchWriter.ForFiles)) PatchWriter.Patch(json, patch);
        bytes.Write("\n"u8);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Saves atomically: the file is the old one or the new one, whatever happens. Throws <see cref="PatchException"/>.</summary>
    public static void Save(Patch patch, string path)
    {
        try
        {
            AtomicFile.Write(path, Write(patch));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PatchException(new PatchError { File = path, What = $"cannot be saved: {PatchError.OneLine(e.Message, 200)}" });
        }
    }

    private static PatchLoad Failed(PatchError error) => new(null, error, []);
}
