// One sentence on why something was refused, built in place: the steward may not allocate, and the child that probes says the same.
using System.Buffers.Text;

namespace SspHost.Engine.Loading;

/// <summary>UTF-8 text in memory of the caller's, always zero-terminated; what does not fit is cut.</summary>
public unsafe struct RefusalText(byte* text, int room)
{
    private int _length;

    /// <summary>Forgets what it holds.</summary>
    public void Clear()
    {
        _length = 0;
        text[0] = 0;
    }

    /// <summary>Adds text.</summary>
    public void Add(scoped ReadOnlySpan<byte> more)
    {
        var count = Math.Min(more.Length, room - 1 - _length);
        more[..count].CopyTo(new Span<byte>(text + _length, count));
        _length += count;
        text[_length] = 0;
    }

    /// <summary>Adds a whole number.</summary>
    public void Add(long number)
    {
        Span<byte> digits = stackalloc byte[24];
        if (Utf8Formatter.TryFormat(number, digits, out var count)) Add(digits[..count]);
    }

    /// <summary>Adds a number.</summary>
    public void Add(float number)
    {
        Span<byte> digits = stackalloc byte[32];
        if (Utf8Formatter.TryFormat(number, digits, out var count)) Add(digits[..count]);
    }

    /// <summary>Adds a zero-terminated text in quotes, its first bytes, with what is not printable ASCII as '?'.</summary>
    public void Quote(byte* other)
    {
        const int Most = 64;
        Add("'"u8);
        for (var i = 0; other != null && i < Most && other[i] != 0; i++)
        {
            var c = other[i] is >= 32 and < 127 ? other[i] : (byte)'?';
            Add(new ReadOnlySpan<byte>(in c));
        }

        Add("'"u8);
    }
}
