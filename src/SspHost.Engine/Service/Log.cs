// Plain lines on standard error, written without a managed allocation: the steward logs while the heap must stand still.
using System.Buffers.Text;
using System.Runtime.InteropServices;

namespace SspHost.Engine.Service;

/// <summary>One line, built on the stack and written by one system call. Never used on an RT thread.</summary>
public unsafe ref partial struct Log
{
    private const int Capacity = 400;
    private fixed byte _line[Capacity];
    private int _length;

    /// <summary>Adds UTF-8 text; what does not fit is cut.</summary>
    public void Text(scoped ReadOnlySpan<byte> text)
    {
        fixed (byte* line = _line)
        {
            var room = Math.Min(text.Length, Capacity - 1 - _length);
            text[..room].CopyTo(new Span<byte>(line + _length, room));
            _length += room;
        }
    }

    /// <summary>Adds a zero-terminated string.</summary>
    public void Text(byte* text, int most)
    {
        var length = 0;
        while (length < most && text[length] != 0) length++;
        Text(new ReadOnlySpan<byte>(text, length));
    }

    /// <summary>Adds a whole number.</summary>
    public void Number(long value)
    {
        Span<byte> digits = stackalloc byte[24];
        if (Utf8Formatter.TryFormat(value, digits, out var count)) Text(digits[..count]);
    }

    /// <summary>Ends the line and writes it.</summary>
    public void End()
    {
        fixed (byte* line = _line)
        {
            line[_length++] = (byte)'\n';
            _ = Write(2, line, (nuint)_length);
        }

        _length = 0;
    }

    /// <summary>A whole line at once.</summary>
    public static void Line(ReadOnlySpan<byte> text)
    {
        var log = default(Log);
        log.Text(text);
        log.End();
    }

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int fd, byte* bytes, nuint count);
}
