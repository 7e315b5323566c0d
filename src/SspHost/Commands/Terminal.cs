// A terminal taken over for a moving view: keys one by one, a page of its own, and everything as it was afterwards.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Diagnostics;

namespace SspHost.Commands;

/// <summary>Standard input and output as a terminal. Dispose it and the shell finds it as it left it.</summary>
internal sealed unsafe partial class Terminal : IDisposable
{
    private const int In = 0, Out = 1;
    private const int Now = 0; // TCSANOW
    private const int WindowSize = 0x5413; // TIOCGWINSZ
    private const int TermiosBytes = 256; // more than any struct termios of Linux

    // struct termios of Linux: c_lflag after three words; c_cc after c_line.
    private const int LocalFlags = 12, ControlCharacters = 17, VTime = 5, VMin = 6;
    private const uint Canonical = 2, Echo = 8;
    private readonly byte[] _before = new byte[TermiosBytes];
    private string[] _shown = [];
    private (int, int) _size;
    private bool _taken;

    /// <summary>Whether both ends are a terminal that understands a moving view.</summary>
    public static bool Usable => IsATty(In) == 1 && IsATty(Out) == 1 && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb";

    /// <summary>Columns and rows.</summary>
    public static (int Columns, int Rows) Size()
    {
        var size = stackalloc ushort[4];
        return Ioctl(Out, WindowSize, size) == 0 && size[0] > 0 && size[1] > 0 ? (size[1], size[0]) : (80, 24);
    }

    /// <summary>Takes it over.</summary>
    public void Take()
    {
        if (_taken) return;
        fixed (byte* before = _before)
        {
            if (GetAttributes(In, before) != 0) throw new CommandException("standard input is no terminal; ssp stat --once needs none");
            var raw = stackalloc byte[TermiosBytes];
            new ReadOnlySpan<byte>(before, TermiosBytes).CopyTo(new Span<byte>(raw, TermiosBytes));
            *(uint*)(raw + LocalFlags) &= ~(Canonical | Echo); // Ctrl-C and Ctrl-Z stay signals
            (raw[ControlCharacters + VMin], raw[ControlCharacters + VTime]) = (0, 0);
            _ = SetAttributes(In, Now, raw);
        }

        _taken = true;
        _shown = [];
        Send("\e[?1049h\e[?25l\e[?7l\e[2J");
    }

    /// <summary>Gives it back as it was.</summary>
    public void Give()
    {
        if (!_taken) return;
        _taken = false;
        Send("\e[0m\e[?7h\e[?25h\e[?1049l");
        fixed (byte* before = _before) _ = SetAttributes(In, Now, before);
    }

    /// <summary>A key, or 0 after <paramref name="milliseconds"/> without one; 'q' where nobody can type any more.</summary>
    public static char Key(int milliseconds)
    {
        var poll = new PollFd { Fd = In, Events = 1 };
        if (Poll(&poll, 1, milliseconds) <= 0) return '\0';
        byte key;
        if (Read(In, &key, 1) == 1) return (char)key;
        return (poll.Returned & 0x18) != 0 ? 'q' : '\0'; // POLLERR, POLLHUP
    }

    /// <summary>Shows lines: those that did not change are not written again.</summary>
    public void Show(IReadOnlyList<StatLine> lines, (int Columns, int Rows) size)
    {
        var frame = new StringBuilder("\e[?2026h");
        if (size != _size || _shown.Length != lines.Count) frame.Append("\e[2J");
        if (size != _size || _shown.Length != lines.Count) _shown = new string[lines.Count];
        _size = size;
        for (var i = 0; i < lines.Count; i++)
        {
            var (text, style) = lines[i];
            var line = style switch
            {
                LineStyle.Heading => "\e[7m" + text.PadRight(size.Columns) + "\e[0m",
                LineStyle.Alarm => "\e[1;31m" + text + "\e[0m",
                LineStyle.Faint => "\e[2m" + text + "\e[0m",
                _ => text,
            };
            if (_shown[i] == line) continue;
            _shown[i] = line;
            frame.Append(System.Globalization.CultureInfo.InvariantCulture, $"\e[{i + 1};1H").Append(line);
            if (text.Length < size.Columns && style != LineStyle.Heading) frame.Append("\e[K"); // in the last column it would take the character before
        }

        Send(frame.Append("\e[?2026l").ToString());
    }

    public void Dispose() => Give();

    /// <summary>Stops this process until the shell lets it go on.</summary>
    public static void Suspend() => _ = Kill(Environment.ProcessId, 19); // SIGSTOP

    private static void Send(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* b = bytes)
        {
            for (var sent = 0; sent < bytes.Length;)
            {
                var n = Write(Out, b + sent, (nuint)(bytes.Length - sent));
                if (n <= 0) return;
                sent += (int)n;
            }
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollFd
    {
        public int Fd;
        public short Events, Returned;
    }

    [LibraryImport("libc", EntryPoint = "isatty")]
    private static partial int IsATty(int fd);

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetAttributes(int fd, byte* termios);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetAttributes(int fd, int actions, byte* termios);

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Ioctl(int fd, nint request, void* argument);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(PollFd* fds, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
