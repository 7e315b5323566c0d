// A serial port or pseudo terminal as a MIDI cable: every byte as it comes, no line editing.
using System.Runtime.InteropServices;

namespace SspHost.Engine.Events;

/// <summary>struct termios of the kernel (asm-generic/termbits.h). The speed stays what it was set to (stty).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TerminalMode
{
    private const nuint Get = 0x5401, Set = 0x5402;
    private const int Time = 5, Least = 6;

    private uint _input, _output, _control, _local;
    private readonly byte _line;
    private fixed byte _characters[19];

    /// <summary>Does nothing to what is no terminal.</summary>
    public static void MakeRaw(int file)
    {
        TerminalMode mode;
        if (EventCalls.Control(file, Get, &mode) != 0) return;
        mode._input &= ~(0x1u | 0x2 | 0x8 | 0x20 | 0x40 | 0x80 | 0x100 | 0x400); // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
        mode._output &= ~1u; // OPOST
        mode._control = (mode._control & ~(0x30u | 0x100)) | 0x30; // CSIZE PARENB, CS8
        mode._local &= ~(0x1u | 0x2 | 0x8 | 0x40 | 0x8000); // ISIG ICANON ECHO ECHONL IEXTEN
        (mode._characters[Time], mode._characters[Least]) = (0, 1);
        _ = EventCalls.Control(file, Set, &mode);
    }
}
