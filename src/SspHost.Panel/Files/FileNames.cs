// Names that every file system takes, a stick's FAT, too.
using System.Text;

namespace SspHost.Panel.Files;

/// <summary>Rules for names of files that a player writes.</summary>
internal static class FileNames
{
    /// <summary>Bytes of UTF-8 that leave room for an ending and for "copy 99".</summary>
    public const int MostBytes = 200;

    private const string Refused = "/\\:*?\"<>|";

    /// <summary>What is wrong with a name; null: nothing.</summary>
    public static string? Check(string name)
    {
        if (name.Trim().Length == 0) return "a name needs a letter";
        if (name.StartsWith('.')) return "a name that begins with a dot is hidden: leave the dot out";
        if (name.EndsWith('.') || name.EndsWith(' ') || name.StartsWith(' ')) return "a name neither begins nor ends with a space, nor ends with a dot";
        foreach (var c in name)
        {
            if (char.IsControl(c) || Refused.Contains(c, StringComparison.Ordinal)) return $"'{(char.IsControl(c) ? '?' : c)}' cannot stand in a name of a file";
        }

        return Encoding.UTF8.GetByteCount(name) > MostBytes ? "the name is too long" : null;
    }

    /// <summary>A name that is free in a folder: the one asked for, or "NAME 2", "NAME 3" ... before its ending.</summary>
    public static string Free(string folder, string name)
    {
        var path = Path.Combine(folder, name);
        var (stem, ending) = (Path.GetFileNameWithoutExtension(name), Path.GetExtension(name));
        for (var i = 2; Path.Exists(path); i++) path = Path.Combine(folder, FormattableString.Invariant($"{stem} {i}{ending}"));
        return path;
    }
}
