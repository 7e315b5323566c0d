// What an update file says of itself, for whoever chooses one or shows it. Nothing is verified here: that is for root (deploy/systemd/update.sh) to do.
using System.Globalization;
using System.Text;

namespace SspHost.Updates;

/// <summary>A system, as its makers named it: key=value lines of a manifest or of /etc/ssphost/system.</summary>
/// <param name="Name">All of it in one word.</param>
/// <param name="Version">What a player is told.</param>
/// <param name="Serial">Of two, the higher is the newer; -1: it says none.</param>
/// <param name="Arch">As Debian calls it.</param>
/// <param name="Board">What it runs on.</param>
internal sealed record SystemIdentity(string Name, string Version, long Serial, string Arch, string Board)
{
    private const int MostWord = 96;

    public static SystemIdentity Unknown { get; } = new("", "", -1, "", "");

    /// <summary>Reads the lines; what is not said, or is no word, is empty.</summary>
    public static SystemIdentity Parse(string text)
    {
        var s = Unknown;
        foreach (var line in text.Split('\n'))
        {
            var at = line.IndexOf('=', StringComparison.Ordinal);
            if (at < 0 || !IsWord(line[(at + 1)..])) continue;
            var value = line[(at + 1)..];
            s = line[..at] switch
            {
                "name" => s with { Name = value },
                "version" => s with { Version = value },
                "serial" => s with { Serial = long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : -1 },
                "arch" => s with { Arch = value },
                "board" => s with { Board = value },
                _ => s,
            };
        }

        return s;
    }

    private static bool IsWord(string value) => value.Length is > 0 and <= MostWord && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '+' or '-');
}

/// <summary>An update file: at fixed places a first line, a signature, a manifest, and the packed image (board/update-file.sh).</summary>
internal static class UpdateFile
{
    /// <summary>How the name of one ends.</summary>
    public const string Extension = ".update";

    private const int HeaderLength = 1024, ManifestAt = 118;

    private static ReadOnlySpan<byte> FirstLine => "ssphost-update 1\n"u8;

    /// <summary>What a file says it brings; null, and why, where it is no update file.</summary>
    public static SystemIdentity? Read(string path, out string? why)
    {
        var header = new byte[HeaderLength];
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            if (file.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) == HeaderLength) return Parse(header, path, out why);
            why = $"{path}: this is no update file: it is too short";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            why = e is FileNotFoundException or DirectoryNotFoundException ? $"{path}: there is no such file" : $"{path}: {Patching.PatchError.OneLine(e.Message, 200)}";
        }

        return null;
    }

    /// <inheritdoc cref="Read"/>
    public static SystemIdentity? Parse(ReadOnlySpan<byte> header, string path, out string? why)
    {
        why = $"{path}: this is no update file";
        if (header.Length != HeaderLength || !header.StartsWith(FirstLine)) return null;
        var identity = SystemIdentity.Parse(Encoding.ASCII.GetString(header[ManifestAt..]));
        if (identity.Name.Length == 0 || identity.Version.Length == 0 || identity.Serial < 0) return null;
        why = null;
        return identity;
    }
}
