// Little-endian reading of a file that may be damaged: past the end is an error that says where, never a crash.
using System.Buffers.Binary;
using System.Text;

namespace SspHost.Proof;

/// <summary>A piece of a file.</summary>
internal readonly struct Bytes(string file, ReadOnlyMemory<byte> data)
{
    public string File => file;

    public int Length => data.Length;

    public ReadOnlySpan<byte> Span => data.Span;

    public byte U8(ulong at) => Take(at, 1)[0];

    public ushort U16(ulong at) => BinaryPrimitives.ReadUInt16LittleEndian(Take(at, 2));

    public uint U32(ulong at) => BinaryPrimitives.ReadUInt32LittleEndian(Take(at, 4));

    public ulong U64(ulong at) => BinaryPrimitives.ReadUInt64LittleEndian(Take(at, 8));

    /// <summary>Text up to a zero byte.</summary>
    public string Text(ulong at)
    {
        if (at >= (ulong)data.Length) throw Short(at, 1);
        var rest = data.Span[(int)at..];
        var end = rest.IndexOf((byte)0);
        if (end < 0) throw new ProofException($"{file}: the text at byte {at} has no end");
        return Encoding.UTF8.GetString(rest[..end]);
    }

    public Bytes Slice(ulong at, ulong length)
    {
        _ = Take(at, length);
        return new Bytes(file, data.Slice((int)at, (int)length));
    }

    private ReadOnlySpan<byte> Take(ulong at, ulong length)
    {
        if (at > (ulong)data.Length || length > (ulong)data.Length - at) throw Short(at, length);
        return data.Span.Slice((int)at, (int)length);
    }

    private ProofException Short(ulong at, ulong length) =>
        new($"{file}: is cut short or damaged: {length} bytes at {at} of a part that has {data.Length}");
}
