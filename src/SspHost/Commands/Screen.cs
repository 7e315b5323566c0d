// Where `ssp run` writes: lines for what happens, and on a terminal one line at the bottom that moves.
namespace SspHost.Commands;

/// <summary>Thread-safe. Without a terminal the moving line becomes a plain one every few seconds.</summary>
internal sealed class Screen
{
    private const long PlainEvery = 5000;

    private readonly Lock _lock = new();
    private readonly TextWriter _output;
    private readonly bool _terminal;
    private readonly Func<int> _width;
    private readonly Func<long> _clock;
    private string _status = "";
    private long _nextPlain = long.MinValue;

    public Screen()
        : this(Console.Out, !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb", Width, () => Environment.TickCount64)
    {
    }

    public Screen(TextWriter output, bool terminal, Func<int> width, Func<long> clock) =>
        (_output, _terminal, _width, _clock) = (output, terminal, width, clock);

    /// <summary>Whether the status line moves.</summary>
    public bool Terminal => _terminal;

    /// <summary>Columns a status may have: a line wider than the terminal would wrap, and could not be taken back.</summary>
    public int Columns => _terminal ? Math.Max(10, _width() - 1) : int.MaxValue;

    /// <summary>Writes a line above the status line.</summary>
    public void Say(string line)
    {
        lock (_lock)
        {
            if (_terminal && _status.Length > 0) _output.Write("\r\e[K");
            _output.WriteLine(line);
            if (_terminal && _status.Length > 0) _output.Write(_status);
            _output.Flush();
        }
    }

    /// <summary>Shows a new status.</summary>
    public void Status(string line)
    {
        lock (_lock)
        {
            if (!_terminal)
            {
                var now = _clock();
                if (now < _nextPlain) return;
                _nextPlain = now + PlainEvery;
                _output.WriteLine(line);
                _output.Flush();
                return;
            }

            var room = Columns;
            _status = line.Length > room ? line[..room] : line;
            _output.Write("\r\e[K" + _status);
            _output.Flush();
        }
    }

    /// <summary>Ends the status line.</summary>
    public void Close()
    {
        lock (_lock)
        {
            if (_terminal && _status.Length > 0) _output.WriteLine();
            _status = "";
            _output.Flush();
        }
    }

    private static int Width()
    {
        try
        {
            return Console.WindowWidth is > 0 and var w ? w : 80;
        }
        catch (IOException)
        {
            return 80;
        }
    }
}
