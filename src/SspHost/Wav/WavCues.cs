// Markers of a WAV file: points with a name, and where they have one a length. Every editor shows them.
using System.Buffers.Binary;
using System.Text;

namespace SspHost.Wav;

/// <summary>A marker.</summary>
/// <param name="Frame">Where it is.</param>
/// <param name="Frames">Length of what it marks; 0: a point.</param>
/// <param name="Text">What editors show.</param>
internal readonly record struct WavCue(long Frame, long Frames, string Text);

/// <summary>
/// The "cue " chunk and the LIST "adtl" chunk with a "labl" and, for a length, an "ltxt" for each ("Multimedia Programming Interface and
/// Data Specifications 1.0", IBM and Microsoft, 1991, pp. 61-63).
/// </summary>
internal static class WavCues
{
    private const int LengthBytes = 20;
    private const int MostText = 200;

    /// <summary>Both chunks, or nothing where there is no marker. Each begins and ends at an even byte.</summary>
    public static byte[] Write(IReadOnlyList<WavCue> cues)
    {
        if (cues.Count == 0) return [];
        using var bytes = new MemoryStream();
        Chunk(bytes, "cue "u8, w =>
        {
            Number(w, cues.Count);
            for (var i = 0; i < cues.Count; i++)
            {
                Number(w, i + 1);
                Number(w, cues[i].Frame); // place in the order of playing: with no playlist, its frame
                w.Write("data"u8);
                Number(w, 0);
                Number(w, 0);
                Number(w, cues[i].Frame);
            }
        });
        Chunk(bytes, "LIST"u8, w =>
        {
            w.Write("adtl"u8);
            // Names first: libsndfile reads none behind a length.
            for (var i = 0; i < cues.Count; i++)
            {
                var (id, text) = (i + 1, cues[i].Text);
                Chunk(w, "labl"u8, c =>
                {
                    Number(c, id);
                    c.Write(Encoding.UTF8.GetBytes(Patching.PatchError.OneLine(text, MostText)));
                    c.WriteByte(0);
                });
            }

            for (var i = 0; i < cues.Count; i++)
            {
                var (id, frames) = (i + 1, cues[i].Frames);
                if (frames == 0) continue;
                Chunk(w, "ltxt"u8, c =>
                {
                    Number(c, id);
                    Number(c, frames);
                    c.Write("rgn "u8);
                    c.Write(stackalloc byte[LengthBytes - 12]); // country, language, dialect, code page: none
                });
            }
        });
        return bytes.ToArray();
    }

    private static void Number(Stream to, long value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)Math.Clamp(value, 0, uint.MaxValue));
        to.Write(bytes);
    }

    private static void Chunk(Stream to, ReadOnlySpan<byte> name, Action<Stream> body)
    {
        using var content = new MemoryStream();
        body(content);
        to.Write(name);
        Number(to, content.Length);
        content.WriteTo(to);
        if ((content.Length & 1) != 0) to.WriteByte(0);
    }
}
