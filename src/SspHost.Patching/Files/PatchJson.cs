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
        byte[] json;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            if (file.CanSeek && file.Length > PatchLimits.FileBytes) return TooLarge(path, $"{file.Length} bytes");
            using var bytes = new MemoryStream();
            var part = new byte[64 << 10];
            for (int n; (n = file.Read(part)) > 0;)
            {
                bytes.Write(part, 0, n);
                if (bytes.Length > PatchLimits.FileBytes) return TooLarge(path, "it does not end"); // a device or a pipe
            }

            json = bytes.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var why = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "there is no such file",
                UnauthorizedAccessException when Directory.Exists(path) => "this is a folder",
                UnauthorizedAccessException => "not allowed to read it",
                _ => PatchError.OneLine(e.Message, 200),
            };
            return Failed(new PatchError { File = path, What = why, Expected = "a patch file" });
        }

        return Read(json, path, modules);
    }

    /// <summary>Reads a patch from UTF-8 JSON; <paramref name="file"/> is only named in messages. Never throws for what the bytes are.</summary>
    public static PatchLoad Read(ReadOnlySpan<byte> json, string file = "", DescriptorIndex? modules = null)
    {
        if (json.Length > PatchLimits.FileBytes) return TooLarge(file, $"{json.Length} bytes");
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

    private static PatchLoad TooLarge(string file, string what) =>
        Failed(new PatchError { File = file, What = $"too large for a patch: {what}", Expected = $"at most {PatchLimits.FileBytes} bytes" });

    private static PatchLoad Failed(PatchError error) => new(null, error, []);
}
