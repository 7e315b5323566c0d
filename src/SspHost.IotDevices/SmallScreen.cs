// The panel on a small display: a window of it, scaled, in the display's own bytes, sent by a thread of its own because the bus is slow.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using SspHost.Board;
using SspHost.Panel.Surface;

namespace SspHost.IotDevices;

/// <summary>How bytes get to a display. Throws where it does not answer.</summary>
internal interface ISmallDisplay : IDisposable
{
    string Name { get; }

    int Width { get; }

    int Height { get; }

    /// <summary>One bit a pixel in pages of eight rows, the uppermost the lowest bit; else 16 bits of RGB 565, the higher byte first.</summary>
    bool IsMono { get; }

    /// <summary>Whole rows from <paramref name="row"/>, which of a mono display is a multiple of 8 as their count is.</summary>
    void Send(Span<byte> pixels, int row, int rows);
}

internal sealed unsafe class SmallScreen : IScreen
{
    private const int PageRows = 8, RetryMs = 1000;
    private const uint Bright = 64; // of 255: thin strokes are dim once they are scaled

    private readonly ISmallDisplay _display;
    private readonly Rect _window;
    private readonly Placement _placement;
    private readonly PixelCopy _copy;
    private readonly byte[] _bytes;
    private readonly Lock _lock = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Thread _thread;
    private Rect _owed; // of the display, copied and not sent
    private bool _sending, _forgot;
    private volatile bool _ending;

    public SmallScreen(ISmallDisplay display, IotDisplay settings)
    {
        _display = display;
        var (width, height) = (display.Width, display.Height);
        var quarters = (settings.Rotation ?? (height > width ? 90 : 0)) / 90;
        var (along, across) = (quarters & 1) == 0 ? (width, height) : (height, width);
        var columns = settings.Whole ? PanelSize.Width : Math.Min(PanelSize.Width, PanelSize.Height * along / across);
        _window = new Rect(settings.Whole ? 0 : Math.Clamp(settings.X, 0, PanelSize.Width - columns), 0, columns, PanelSize.Height);
        _placement = Placement.Fit(_window.Width, _window.Height, width, height, quarters);
        var pixel = display.IsMono ? sizeof(uint) : sizeof(ushort);
        var memory = (nint)NativeMemory.AllocZeroed((nuint)(width * height * pixel));
        _copy = new PixelCopy(memory, width * pixel, width, height, display.IsMono ? PixelFormat.Xrgb8888 : PixelFormat.Rgb565);
        _bytes = new byte[display.IsMono ? width * height / PageRows : width * height * pixel];
        _owed = new Rect(0, 0, width, height); // what it shows now is nobody's
        _thread = new Thread(Run) { Name = "ssp-display", IsBackground = true };
        _thread.Start();
        _wake.Set();
    }

    public string Name => $"iot {_display.Name} ({_display.Width}x{_display.Height})";

    public bool Ready
    {
        get
        {
            lock (_lock) return !_sending && _owed.IsEmpty;
        }
    }

    public bool Forgot
    {
        get
        {
            lock (_lock) return _forgot;
        }
    }

    public void Show(in Frame frame, ReadOnlySpan<Rect> changed)
    {
        var window = frame with { Pixels = frame.Pixels + (_window.X * sizeof(uint)), Width = _window.Width };
        lock (_lock)
        {
            _forgot = false;
            foreach (var rect in changed)
            {
                var here = rect.And(_window);
                if (here.IsEmpty) continue;
                here = here with { X = here.X - _window.X };
                _copy.Copy(in window, here, in _placement);
                _owed = _owed.Or(_placement.ToScreen(here).And(new Rect(0, 0, _copy.Width, _copy.Height)));
            }
        }

        _wake.Set();
    }

    public void Dispose()
    {
        _ending = true;
        _wake.Set();
        _thread.Join();
        _display.Dispose();
        _wake.Dispose();
        NativeMemory.Free((void*)_copy.Memory);
    }

    private void Run()
    {
        while (true)
        {
            _wake.WaitOne();
            if (_ending) return;
            int row, length, rows;
            lock (_lock)
            {
                if (_owed.IsEmpty) continue;
                (row, var end) = (_owed.Y, _owed.Bottom);
                if (_display.IsMono) (row, end) = (row / PageRows * PageRows, (end + PageRows - 1) / PageRows * PageRows);
                rows = end - row;
                length = _display.IsMono ? Pages(row, rows) : Colours(row, rows);
                (_owed, _sending) = (default, true);
            }

            var failed = false;
            try
            {
                _display.Send(_bytes.AsSpan(0, length), row, rows);
            }
            catch (Exception e) when (e is not OutOfMemoryException) // whatever a binding throws: it may be plugged in again
            {
                failed = true;
                if (!_ending) Thread.Sleep(RetryMs);
            }

            lock (_lock)
            {
                _sending = false;
                _forgot |= failed;
            }
        }
    }

    private int Colours(int row, int rows)
    {
        var from = new ReadOnlySpan<ushort>((byte*)_copy.Memory + ((nint)row * _copy.Stride), rows * _copy.Width);
        if (BitConverter.IsLittleEndian) BinaryPrimitives.ReverseEndianness(from, MemoryMarshal.Cast<byte, ushort>(_bytes.AsSpan()));
        else from.CopyTo(MemoryMarshal.Cast<byte, ushort>(_bytes.AsSpan()));
        return from.Length * sizeof(ushort);
    }

    private int Pages(int row, int rows)
    {
        var at = 0;
        for (var page = row; page < row + rows; page += PageRows)
        {
            for (var x = 0; x < _copy.Width; x++)
            {
                var bits = 0;
                for (var y = 0; y < PageRows; y++)
                {
                    if (Luminance(((uint*)(_copy.Memory + ((nint)(page + y) * _copy.Stride)))[x]) > Bright) bits |= 1 << y;
                }

                _bytes[at++] = (byte)bits;
            }
        }

        return at;
    }

    // Rec. 601, in 256ths.
    private static uint Luminance(uint p) => ((((p >> 16) & 255) * 77) + (((p >> 8) & 255) * 150) + ((p & 255) * 29)) >> 8;
}
