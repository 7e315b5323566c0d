// Names that players give as names of files: no name leads out of its folder, and each comes back as it was.
using System.Globalization;
using System.Text;

namespace SspHost.Patching;

/// <summary>What a file system or a USB stick does not take stands as %XX; everything else stands as it is, so that files can be read by people.</summary>
public static class FileName
{
    /// <summary>Bytes of a file's name: what Linux takes is 255; the rest is for the temporary name of an atomic write.</summary>
    public const int Most = 200;

    private const string Escaped = "%/\\:*?\"<>|";

    /// <summary>The name of a file for a name. Never empty for a name that is not, never "." or "..", without '/'.</summary>
    public static string Of(string name)
    {
        var file = new StringBuilder(name.Length);
        for (var i = 0; i < name.Length; i++)
        {
            var c = name[i];
            var edge = (i == 0 && c is '.' or ' ') || (i == name.Length - 1 && c is '.' or ' ');
            if (edge || c < ' ' || c == 127 || Escaped.Contains(c, StringComparison.Ordinal)) file.Append(CultureInfo.InvariantCulture, $"%{(int)c:X2}");
            else file.Append(c);
        }

        return file.ToString();
    }

    /// <summary>The name that a file's name stands for; null: none stands so.</summary>
    public static string? Name(string file)
    {
        var name = new StringBuilder(file.Length);
        for (var i = 0; i < file.Length; i++)
        {
            if (file[i] != '%')
            {
                name.Append(file[i]);
                continue;
            }

            if (i + 2 >= file.Length || !byte.TryParse(file.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var c) || c > 127) return null;
            name.Append((char)c);
            i += 2;
        }

        return name.ToString();
    }
}
