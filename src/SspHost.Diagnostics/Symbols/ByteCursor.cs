// Reads little-endian values one after the other and says where the bytes end too early.
using System.Buffers.Binary;
using System.Text;

namespace SspHost.Diagnostics.Symbols;

/// <summary>Every read is checked: what lies beyond the end is an <see cref="InvalidDataException"/>, whatever the file says of itself.</summary>
internal ref struct ByteCursor(ReadOnlySpan<byte> bytes, string what)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Where the next value lies.</summary>
    public int At { get; private set; }

    public readonly int Length => _bytes.Length;

    public readonly bool IsAtEnd => At >= _bytes.Length;

    public byte U8() => Take(1)[0];

    public ushort U16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public uint U32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>An offset or a length: 4 bytes, or 8 in 64-bit DWARF.</summary>
    public ulong Offset(bool wide) => wide ? U64() : U32();

    /// <summary>Little-endian base 128 (DWARF 5, 7.6).</summary>
    public ulong Unsigned()
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = U8();
            if (shift < 64) value |= (ulong)(b & 0x7F) << shift;
            if ((b & 0x80) == 0) return value;
        }
    }

    /// <inheritdoc cref="Unsigned"/>
    public long Signed()
    {
        long value = 0;
        for (var shift = 0; ;)
        {
            var b = U8();
            if (shift < 64) value |= (long)(b & 0x7F) << shift;
            shift += 7;
            if ((b & 0x80) != 0) continue;
            return shift < 64 && (b & 0x40) != 0 ? value | (-1L << shift) : value;
        }
    }

    /// <summary>Zero-terminated UTF-8.</summary>
    public string Text()
    {
        var length = _bytes[At..].IndexOf((byte)0);
        if (length < 0) throw Ends("a text without its end");
        var text = Encoding.UTF8.GetString(_bytes.Slice(At, length));
        At += length + 1;
        return text;
    }

    public ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(_bytes.Length - At)) throw Ends($"{count} more bytes");
        var taken = _bytes.Slice(At, (int)count);
        At += (int)count;
        return taken;
    }

    public void Skip(ulong count) => _ = Take(count);

    private readonly InvalidDataException Ends(string expected) => new($"{what}: ends at byte {_bytes.Length}, expected {expected} at {At}");
}
