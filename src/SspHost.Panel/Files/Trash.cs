// Deleting that can be taken back: a file goes into a trash folder of its own file system, and comes back from there.
using System.Globalization;

namespace SspHost.Panel.Files;

/// <summary>
/// Moves what is deleted into a folder: that of the device, or a hidden one at the root of a stick, so that nothing has to be copied. The newest
/// <see cref="Most"/> things stay there; older ones are gone for good.
/// </summary>
internal sealed class Trash(string folder)
{
    /// <summary>Things that are kept.</summary>
    public const int Most = 200;

    /// <summary>The folder on a stick.</summary>
    public const string OnStick = ".ssphost-trash";

    private readonly Stack<(string From, string Kept)> _deleted = new();
    private long _last;

    /// <summary>Name of what comes back next; null: nothing was deleted since the panel began.</summary>
    public string? Last => _deleted.Count > 0 ? Path.GetFileName(_deleted.Peek().From) : null;

    /// <summary>Deletes a file or a folder. <paramref name="stick"/>: root of the stick that it is on; null: it is on the device.</summary>
    public string? Delete(string path, string? stick)
    {
        var into = stick is null ? folder : Path.Combine(stick, OnStick);
        _last = Math.Max(_last + 1, DateTime.UtcNow.Ticks); // names rise, however fast a player is: the oldest goes first
        var kept = Path.Combine(into, _last.ToString("D19", CultureInfo.InvariantCulture) + " " + Path.GetFileName(path));
        if (FileWork.Move(path, kept) is { } why) return why;
        _deleted.Push((path, kept));
        Thin(into);
        return null;
    }

    /// <summary>Brings back what was deleted last; where its name is taken by now, under the next free one. The path it has, or why not.</summary>
    public (string? Path, string? Why) Undo()
    {
        if (_deleted.Count == 0) return (null, "nothing was deleted");
        var (from, kept) = _deleted.Peek();
        if (!Path.Exists(kept))
        {
            _deleted.Pop();
            return (null, $"{Path.GetFileName(from)} is not in the trash any more");
        }

        var to = FileNames.Free(Path.GetDirectoryName(from)!, Path.GetFileName(from));
        if (FileWork.Move(kept, to) is { } why) return (null, why);
        _deleted.Pop();
        return (to, null);
    }

    private static void Thin(string folder)
    {
        var all = Directory.GetFileSystemEntries(folder);
        if (all.Length <= Most) return;
        Array.Sort(all, StringComparer.Ordinal);
        foreach (var old in all.AsSpan(0, all.Length - Most))
        {
            try
            {
                if (Directory.Exists(old)) Directory.Delete(old, recursive: true);
                else File.Delete(old);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It stays: more in the trash than there need be harms nobody.
            }
        }
    }
}
