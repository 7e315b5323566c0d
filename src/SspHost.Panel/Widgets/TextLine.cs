// Numbers as players read them, written without allocating.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Panel.Widgets;

/// <summary>A short text being written into a span: what does not fit is left out.</summary>
public ref struct TextLine(Span<char> room)
{
    private readonly Span<char> _room = room;
    private int _length;

    /// <summary>What was written.</summary>
    public readonly ReadOnlySpan<char> Text => _room[.._length];

    public void Add(ReadOnlySpan<char> text)
    {
        text = text[..Math.Min(text.Length, _room.Length - _length)];
        text.CopyTo(_room[_length..]);
        _length += text.Length;
    }

    public void Add(char c)
    {
        if (_length < _room.Length) _room[_length++] = c;
    }

    public void Add(long value)
    {
        if (value.TryFormat(_room[_length..], out var written, default, CultureInfo.InvariantCulture)) _length += written;
    }

    /// <summary>With so many digits after the point.</summary>
    public void Add(double value, int digits)
    {
        ReadOnlySpan<char> format = digits switch { <= 0 => "0", 1 => "0.0", 2 => "0.00", _ => "0.000" };
        if (value.TryFormat(_room[_length..], out var written, format, CultureInfo.InvariantCulture)) _length += written;
    }

    /// <summary>A value with about three digits and its unit: 440 Hz, 1.25 kHz, 3.2 ms, -6.0 dB, C4 +3 for "V/oct".</summary>
    public void AddValue(float value, string unit)
    {
        if (!float.IsFinite(value))
        {
            Add("-");
            return;
        }

        switch (unit)
        {
            case "V/oct":
                AddNote(value);
                break;
            case "Hz" or "s":
                AddScaled(value, unit);
                break;
            case "":
                AddShort(value);
                break;
            default:
                AddShort(value);
                Add(' ');
                Add(unit);
                break;
        }
    }

    // Thousands and thousandths by their prefix: what is read on a stage is "250 ms", not "0.25 s".
    private void AddScaled(double value, string unit)
    {
        var size = Math.Abs(value);
        var (scale, prefix) = size >= 999.5 && unit == "Hz" ? (1e-3, "k") : size is > 0 and < 0.9995e-3 ? (1e6, "µ") : size is > 0 and < 0.9995 ? (1e3, "m") : (1.0, "");
        AddShort(value * scale);
        Add(' ');
        Add(prefix);
        Add(unit);
    }

    private void AddShort(double value)
    {
        var size = Math.Abs(value);
        Add(value, size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
    }

    // 0 V is C4: a note and how far it is from it in cents.
    private void AddNote(float volts)
    {
        var cents = (int)Math.Round(Math.Clamp(volts, -20, 20) * 1200.0);
        var note = (int)Math.Floor((cents + 50) / 100.0);
        var off = cents - (note * 100);
        ReadOnlySpan<string> names = ["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"];
        Add(names[((note % 12) + 12) % 12]);
        Add((long)(4 + (int)Math.Floor(note / 12.0)));
        if (off == 0) return;
        Add(' ');
        if (off > 0) Add('+');
        Add((long)off);
    }

    /// <summary>A parameter's value: the name of a choice, or number and unit.</summary>
    public void AddParameter(ParameterDescriptor parameter, float value)
    {
        if (parameter.Choices.Length > 0)
        {
            var i = (int)Math.Round(value - parameter.Min);
            if ((uint)i < (uint)parameter.Choices.Length)
            {
                Add(parameter.Choices[i]);
                return;
            }
        }

        if (parameter.Curve == ParameterCurve.Stepped) Add((long)Math.Round(value));
        else AddValue(value, parameter.Unit);
    }
}
