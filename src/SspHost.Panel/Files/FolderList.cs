// What is in a folder, as a player wants to see it: folders first, then files of one kind, by name.
namespace SspHost.Panel.Files;

/// <summary>A file or a folder.</summary>
/// <param name="Bytes">Length of a file; 0 for a folder.</param>
/// <param name="Changed">Local time of its last change.</param>
internal readonly record struct FileEntry(string Path, bool IsFolder, long Bytes, DateTime Changed)
{
    /// <summary>Its name without folder; a file's without ending.</summary>
    public string Name => IsFolder ? System.IO.Path.GetFileName(Path) : System.IO.Path.GetFileNameWithoutExtension(Path);
}

internal static class FolderList
{
    /// <summary>Most entries that are listed: what is beyond no player reads.</summary>
    public const int Most = 2000;

    /// <summary>
    /// Lists a folder: what is hidden is left out, and files without one of <paramref name="endings"/> (".json"; none: all). A folder that is not
    /// there is empty; one that cannot be read is empty and <paramref name="why"/> says why.
    /// </summary>
    public static IReadOnlyList<FileEntry> Read(string folder, IReadOnlyList<string> endings, out string? why)
    {
        why = null;
        var list = new List<FileEntry>();
        try
        {
            foreach (var item in new DirectoryInfo(folder).EnumerateFileSystemInfos())
            {
                if (item.Name.StartsWith('.')) continue;
                if (item is FileInfo file)
                {
                    if ((endings.Count > 0 && !endings.Contains(file.Extension, StringComparer.OrdinalIgnoreCase)) || LeadsNowhere(file)) continue;
                    list.Add(new FileEntry(file.FullName, false, file.Length, file.LastWriteTime));
                }
                else
                {
                    list.Add(new FileEntry(item.FullName, true, 0, item.LastWriteTime));
                }

                if (list.Count == Most) break;
            }
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Security.SecurityException)
        {
            why = $"{folder}: {e.Message}";
        }

        list.Sort((a, b) => a.IsFolder != b.IsFolder ? b.IsFolder.CompareTo(a.IsFolder) : string.Compare(a.Name, b.Name, StringComparison.OrdinalIgnoreCase));
        return list;
    }

    // A link to nothing is no file to open; to a chain of links, or in a circle, neither.
    private static bool LeadsNowhere(FileInfo file)
    {
        if (file.LinkTarget is null) return false;
        try
        {
            return file.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: true };
        }
        catch (IOException)
        {
            return true;
        }
    }
}
