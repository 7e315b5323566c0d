// What stands in for pins, a port and a display, and what listens to controls.
using SspHost.Panel.Surface;

namespace SspHost.IotDevices.Tests;

internal sealed class Heard : IControlSink
{
    private readonly Lock _lock = new();
    private readonly List<string> _events = [];

    /// <summary>"E1 Turn 1", "K1 Press", "gone".</summary>
    public string[] Events
    {
        get
        {
            lock (_lock) return [.. _events];
        }
    }

    public void Put(in ControlEvent e)
    {
        lock (_lock) _events.Add(e.Action == ControlAction.Turn ? $"{e.Control} Turn {e.Value}" : $"{e.Control} {e.Action}");
    }

    public void Gone(byte source)
    {
        lock (_lock) _events.Add("gone");
    }
}

/// <summary>Pins that are high until a test closes their contact.</summary>
internal sealed class Pins : IPins
{
    private readonly Dictionary<int, (bool High, Action Changed)> _pins = [];

    public string Name => "gpio";

    public bool IsDisposed { get; private set; }

    public void Open(int pin, Action changed) => _pins.Add(pin, (true, changed));

    public bool Read(int pin) => _pins[pin].High;

    /// <summary>A level; its edge is told at once, or with <paramref name="tell"/> false by nobody.</summary>
    public void Set(int pin, bool high, bool tell = true)
    {
        _pins[pin] = _pins[pin] with { High = high };
        if (tell) Tell(pin);
    }

    public void Tell(int pin) => _pins[pin].Changed();

    public void Dispose() => IsDisposed = true;
}

internal sealed class Port : IPort
{
    public string Name => "port";

    public int Levels { get; set; } = 0xffff;

    public bool Answers { get; set; } = true;

    public int Read() => Answers ? Levels : throw new IOException("no acknowledge");

    public void Dispose()
    {
        // Nothing is held.
    }
}

/// <summary>Keeps what it was sent as a display keeps it.</summary>
internal sealed class Display(int width, int height, bool mono) : ISmallDisplay
{
    private readonly Lock _lock = new();
    private readonly byte[] _memory = new byte[mono ? width * height / 8 : width * height * 2];
    private readonly List<(int Row, int Rows)> _sent = [];
    private int _failures;

    public string Name => "display";

    public int Width => width;

    public int Height => height;

    public bool IsMono => mono;

    public (int Row, int Rows)[] Sent
    {
        get
        {
            lock (_lock) return [.. _sent];
        }
    }

    public void FailOnce() => Volatile.Write(ref _failures, 1);

    public void Send(Span<byte> pixels, int row, int rows)
    {
        if (Interlocked.Exchange(ref _failures, 0) == 1) throw new IOException("no acknowledge");
        lock (_lock)
        {
            var stride = mono ? width / 8 : width * 2; // bytes a row: a page is eight of them
            Assert.Equal(rows * stride, pixels.Length);
            pixels.CopyTo(_memory.AsSpan(row * stride));
            _sent.Add((row, rows));
        }
    }

    /// <summary>A pixel as it shines: 0xRRGGBB of RGB 565 in steps, or 0xffffff and 0.</summary>
    public int At(int x, int y)
    {
        lock (_lock)
        {
            if (mono) return ((_memory[((y / 8) * width) + x] >> (y % 8)) & 1) != 0 ? 0xffffff : 0;
            var p = (_memory[((y * width) + x) * 2] << 8) | _memory[(((y * width) + x) * 2) + 1];
            return ((p >> 11) << 19) | (((p >> 5) & 63) << 10) | ((p & 31) << 3);
        }
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}

internal static class Eventually
{
    public static void True(Func<bool> condition, string what)
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromMinutes(1), "after a minute still not: " + what);
            Thread.Sleep(2);
        }
    }
}
