// What went wrong with a patch, in one line: which file, where in it, what is there, what was expected.
using System.Globalization;
using System.Text;

namespace SspHost.Patching;

/// <summary>One error. <see cref="ToString"/> is the line a player reads.</summary>
public sealed record PatchError
{
    /// <summary>The file, or empty where the patch came from elsewhere.</summary>
    public string File { get; init; } = "";

    /// <summary>1-based line and column (in bytes) in the file; 0: unknown.</summary>
    public int Line { get; init; }

    /// <inheritdoc cref="Line"/>
    public int Column { get; init; }

    /// <summary>Place in the patch: "modules[3].params.cutoff".</summary>
    public string Path { get; init; } = "";

    /// <summary>What is wrong.</summary>
    public required string What { get; init; }

    /// <summary>What was expected there; empty where <see cref="What"/> says it all.</summary>
    public string Expected { get; init; } = "";

    public override string ToString()
    {
        var line = new StringBuilder();
        if (File.Length > 0) line.Append(OneLine(File, 200));
        if (Line > 0) line.Append(CultureInfo.InvariantCulture, $"{(File.Length > 0 ? ":" : "line ")}{Line}:{Column}");
        if (line.Length > 0) line.Append(": ");
        if (Path.Length > 0) line.Append(Path).Append(": ");
        line.Append(What);
        if (Expected.Length > 0) line.Append("; expected ").Append(Expected);
        return line.ToString();
    }

    /// <summary>Text from outside as it may stand in a message: short, and on one line.</summary>
    public static string OneLine(string text, int most = 40)
    {
        var shown = new StringBuilder(Math.Min(text.Length, most) + 3);
        foreach (var c in text)
        {
            if (shown.Length >= most)
            {
                shown.Append("...");
                break;
            }

            shown.Append(char.IsControl(c) || char.IsSurrogate(c) ? '?' : c);
        }

        return shown.ToString();
    }

    /// <summary>A value from outside in quotes.</summary>
    public static string Quote(string text) => $"'{OneLine(text)}'";
}

/// <summary>Thrown where a caller asked for a patch and there is none. Its message is <see cref="PatchError.ToString"/>.</summary>
public sealed class PatchException(PatchError error) : Exception(error.ToString())
{
    public PatchError Error { get; } = error;
}
