// Protocol Buffers by hand: fields, varints, messages within messages.
using System.Buffers.Binary;
using System.Text;

namespace SspHost.Diagnostics.Tracing;

/// <summary>
/// A message in the making. A message inside it gets a length of four bytes that is filled in when it ends: a varint may have leading zeros.
/// </summary>
internal sealed class ProtoWriter
{
    private const int LengthBytes = 4;
    private byte[] _bytes = new byte[4096];
    private int _length;

    /// <summary>What was written since <see cref="Clear"/>.</summary>
    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    public void Clear() => _length = 0;

    public void Varint(int field, ulong value)
    {
        Room(2 * Tracing.Varint.MaxBytes);
        Raw(((ulong)(uint)field << 3) | 0);
        Raw(value);
    }

    /// <summary>A signed 32- or 64-bit field: protobuf writes it as 64 bits.</summary>
    public void Signed(int field, long value) => Varint(field, (ulong)value);

    public void Double(int field, double value)
    {
        Room(Tracing.Varint.MaxBytes + 8);
        Raw(((ulong)(uint)field << 3) | 1);
        BinaryPrimitives.WriteDoubleLittleEndian(_bytes.AsSpan(_length), value);
        _length += 8;
    }

    public void Text(int field, string value)
    {
        var bytes = Encoding.UTF8.GetByteCount(value);
        Room((2 * Tracing.Varint.MaxBytes) + bytes);
        Raw(((ulong)(uint)field << 3) | 2);
        Raw((ulong)bytes);
        _length += Encoding.UTF8.GetBytes(value, _bytes.AsSpan(_length));
    }

    /// <summary>Begins a message; give what it returns to <see cref="End"/>.</summary>
    public int Begin(int field)
    {
        Room(Tracing.Varint.MaxBytes + LengthBytes);
        Raw(((ulong)(uint)field << 3) | 2);
        _length += LengthBytes;
        return _length;
    }

    public void End(int began)
    {
        var length = (uint)(_length - began);
        for (var i = 0; i < LengthBytes; i++)
        {
            _bytes[began - LengthBytes + i] = (byte)((length & 0x7F) | (i < LengthBytes - 1 ? 0x80u : 0));
            length >>= 7;
        }
    }

    private void Room(int bytes)
    {
        if (_length + bytes > _bytes.Length) Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + bytes));
    }

    private unsafe void Raw(ulong value)
    {
        fixed (byte* at = &_bytes[_length]) _length += (int)(Tracing.Varint.Write(at, value) - at);
    }
}
