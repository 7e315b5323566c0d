// What samples of a WAV file are, and what can go wrong with one: said once, with the byte where it went wrong.
using SspHost.Diagnostics;

namespace SspHost.Wav;

/// <summary>Encodings of a sample. Full scale is 1.0.</summary>
internal enum WavEncoding
{
    Pcm8,
    Pcm16,
    Pcm24,
    Pcm32,
    Float32,
    Float64,
}

/// <summary>A WAV file that is not what it should be: one line with file, byte, and what was expected there.</summary>
internal sealed class WavException(string message) : IOException(message);

/// <summary>Sizes and names.</summary>
internal static class WavFormat
{
    /// <summary>Bytes of one sample.</summary>
    public static int BytesOf(WavEncoding encoding) => encoding switch
    {
        WavEncoding.Pcm8 => 1,
        WavEncoding.Pcm16 => 2,
        WavEncoding.Pcm24 => 3,
        WavEncoding.Float64 => 8,
        _ => 4,
    };

    /// <summary>
    /// Throws <see cref="IOException"/> where <paramref name="output"/> cannot become a file, or is <paramref name="input"/> (empty: none)
    /// by whatever name: writing would destroy the recording that is read.
    /// </summary>
    public static void CheckOutput(string output, string input)
    {
        if (Directory.Exists(output)) throw new WavException($"{output}: this is a folder, expected a file to write");
        OutputFile.Check(output);
        var folder = Path.GetDirectoryName(Path.GetFullPath(output))!;
        if (!Directory.Exists(folder)) throw new WavException($"{output}: the folder {folder} does not exist");
        if (input.Length > 0 && Real(input) == Real(output)) throw new WavException($"{output}: input and output are the same file");
    }

    private static string Real(string path)
    {
        var full = Path.GetFullPath(path);
        // Links in any part of the path, the deepest last.
        if (Path.GetDirectoryName(full) is { } parent) full = Path.Combine(Real(parent), Path.GetFileName(full));
        FileSystemInfo entry = Directory.Exists(full) ? new DirectoryInfo(full) : new FileInfo(full);
        return entry.LinkTarget != null && entry.ResolveLinkTarget(returnFinalTarget: true) is { } target ? target.FullName : full;
    }

    /// <summary>Parses a --format: pcm16, pcm24, float. Null if it is none of them.</summary>
    public static WavEncoding? Parse(string name) => name switch
    {
        "pcm16" => WavEncoding.Pcm16,
        "pcm24" => WavEncoding.Pcm24,
        "float" => WavEncoding.Float32,
        _ => null,
    };
}
