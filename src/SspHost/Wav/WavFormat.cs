// What samples of a WAV file are, and what can go wrong with one: said once, with the byte where it went wrong.
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

    /// <summary>Parses a --format: pcm16, pcm24, float. Null if it is none of them.</summary>
    public static WavEncoding? Parse(string name) => name switch
    {
        "pcm16" => WavEncoding.Pcm16,
        "pcm24" => WavEncoding.Pcm24,
        "float" => WavEncoding.Float32,
        _ => null,
    };
}
