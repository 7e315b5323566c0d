// WAV files written by hand, chunk by chunk, so that the reader is tested against the format and not against the writer.
using System.Buffers.Binary;
using System.Text;
using SspHost.Wav;

namespace SspHost.Tests;

internal static class WavBytes
{
    public static byte[] Chunk(string id, byte[] body)
    {
        var chunk = new byte[8 + body.Length + (body.Length & 1)];
        Encoding.ASCII.GetBytes(id).CopyTo(chunk, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(chunk.AsSpan(4), (uint)body.Length);
        body.CopyTo(chunk, 8);
        return chunk;
    }

    public static byte[] Format(int tag, int channels, int rate, int bits, bool extensible = false)
    {
        var f = new byte[extensible ? 40 : 16];
        BinaryPrimitives.WriteUInt16LittleEndian(f, (ushort)(extensible ? 0xFFFE : tag));
        BinaryPrimitives.WriteUInt16LittleEndian(f.AsSpan(2), (ushort)channels);
        BinaryPrimitives.WriteInt32LittleEndian(f.AsSpan(4), rate);
        BinaryPrimitives.WriteInt32LittleEndian(f.AsSpan(8), rate * channels * bits / 8);
        BinaryPrimitives.WriteUInt16LittleEndian(f.AsSpan(12), (ushort)(channels * bits / 8));
        BinaryPrimitives.WriteUInt16LittleEndian(f.AsSpan(14), (ushort)bits);
        if (!extensible) return f;
        BinaryPrimitives.WriteUInt16LittleEndian(f.AsSpan(16), 22);
        BinaryPrimitives.WriteUInt16LittleEndian(f.AsSpan(18), (ushort)bits);
        BinaryPrimitives.WriteUInt16LittleEndian(f.AsSpan(24), (ushort)tag);
        new byte[] { 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71 }.CopyTo(f, 26);
        return f;
    }

    public static byte[] File(params byte[][] chunks) => Riff("RIFF", chunks);

    public static byte[] Riff(string id, params byte[][] chunks)
    {
        var body = chunks.SelectMany(c => c).ToArray();
        var head = new byte[12];
        Encoding.ASCII.GetBytes(id).CopyTo(head, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(head.AsSpan(4), (uint)(4 + body.Length));
        "WAVE"u8.CopyTo(head.AsSpan(8));
        return [.. head, .. body];
    }

    public static float[] ReadAll(byte[] file)
    {
        using var reader = WavReader.Open(new MemoryStream(file), "x.wav");
        var samples = new float[reader.Frames * reader.Channels];
        var at = 0;
        int n;
        while ((n = reader.Read(samples.AsSpan(at * reader.Channels, Math.Min(samples.Length - (at * reader.Channels), 7 * reader.Channels)))) > 0) at += n;
        Assert.Equal(reader.Frames, at);
        return samples;
    }
}
