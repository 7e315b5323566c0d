// Copying and renaming files: what exists is never written over, and a copy is whole or not there.
using SspHost.Patching;

namespace SspHost.Panel.Files;

/// <summary>Work on single files. A text that comes back says why not; what was there before is then as it was.</summary>
internal static class FileWork
{
    /// <summary>Copies a file to a path that is free.</summary>
    public static string? Copy(string from, string to) => Said(to, () =>
    {
        if (Path.Exists(to)) throw new IOException("it exists already");
        var folder = Path.GetDirectoryName(Path.GetFullPath(to))!;
        Directory.CreateDirectory(folder);
        var part = Path.Combine(folder, $".{Guid.NewGuid():N}.part");
        try
        {
            using (var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.Read))
            using (var target = new FileStream(part, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                source.CopyTo(target, 1 << 20);
                target.Flush(flushToDisk: true);
            }

            File.Move(part, to, overwrite: false);
        }
        finally
        {
            File.Delete(part); // gone already where it was moved
        }

        AtomicFile.SyncFolder(folder);
    });

    /// <summary>Gives a file or a folder another path on the same file system, or copies it to another one and takes the first away.</summary>
    public static string? Move(string from, string to) => Said(to, () =>
    {
        if (Path.Exists(to)) throw new IOException("it exists already");
        var folder = Path.GetDirectoryName(Path.GetFullPath(to))!;
        Directory.CreateDirectory(folder);
        if (Directory.Exists(from)) Directory.Move(from, to);
        else File.Move(from, to, overwrite: false);
        AtomicFile.SyncFolder(folder);
        AtomicFile.SyncFolder(Path.GetDirectoryName(Path.GetFullPath(from))!);
    });

    private static string? Said(string path, Action work)
    {
        try
        {
            work();
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return $"{Path.GetFileName(path)}: {e.Message}";
        }
    }
}
