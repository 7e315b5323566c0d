// What a widget looks like, as one number: where it is the same as last time, nothing is drawn.
using System.Runtime.InteropServices;

namespace SspHost.Panel.Widgets;

/// <summary>Gathers everything that decides how a widget looks into 64 bits (a multiply-and-rotate mix, not cryptographic).</summary>
public ref struct Looks
{
    private ulong _value;

    /// <summary>The number so far.</summary>
    public readonly ulong Value => _value;

    public void Add(ulong value) => _value = ulong.RotateLeft((_value ^ value) * 0x9E3779B97F4A7C15, 29) + 0x632BE59BD9B4E019;

    public void Add(long value) => Add((ulong)value);

    public void Add(int value) => Add((ulong)(uint)value);

    public void Add(bool value) => Add(value ? 1UL : 0UL);

    /// <summary>All its bits. Round first to what is shown, or noise in the last digit draws again.</summary>
    public void Add(float value) => Add((ulong)BitConverter.SingleToUInt32Bits(value));

    public void Add(ReadOnlySpan<char> text)
    {
        Add(text.Length);
        var words = MemoryMarshal.Cast<char, ulong>(text);
        foreach (var w in words) Add(w);
        for (var i = words.Length * 4; i < text.Length; i++) Add(text[i]);
    }

    public void Add(ReadOnlySpan<float> values)
    {
        Add(values.Length);
        foreach (var v in values) Add(v);
    }
}
