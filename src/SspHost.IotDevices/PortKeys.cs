// Keys on an expander, whose sixteen pins are asked two hundred times a second.
using SspHost.Abi;
using SspHost.Board;
using SspHost.Panel.Surface;

namespace SspHost.IotDevices;

/// <summary>Sixteen pins; a bit is 1 where the pin is high. Throws where the chip does not answer.</summary>
internal interface IPort : IDisposable
{
    string Name { get; }

    int Read();
}

internal sealed class PortKeys : IControls
{
    private const int PollMs = 5, RetryMs = 1000;
    private const ulong KeyLock = 5_000_000; // ns

    private readonly IPort _port;
    private readonly IotKey[] _keys;
    private readonly Debounce[] _debounces;
    private readonly byte _source;
    private readonly ManualResetEventSlim _end = new();
    private readonly Thread _thread;
    private IControlSink? _sink;
    private bool _there;

    public PortKeys(IPort port, IEnumerable<IotKey> keys, byte source)
    {
        (_port, _keys, _source) = (port, [.. keys], source);
        _debounces = new Debounce[_keys.Length];
        _thread = new Thread(Run) { Name = "ssp-expander", IsBackground = true };
    }

    public string Name => $"iot {_port.Name} ({_keys.Length} keys)";

    public void Start(IControlSink sink)
    {
        _sink = sink;
        _thread.Start();
    }

    public void Dispose()
    {
        _end.Set();
        if (_thread.IsAlive) _thread.Join();
        _port.Dispose();
        _end.Dispose();
    }

    /// <summary>Asks once, at a time; false where the chip did not answer: what it held down is released, and it is begun anew.</summary>
    internal bool Look(IControlSink sink, ulong now)
    {
        int levels;
        try
        {
            levels = _port.Read();
        }
        catch (Exception e) when (e is not OutOfMemoryException) // whatever a binding throws
        {
            if (_there) sink.Gone(_source);
            _there = false;
            return false;
        }

        for (var i = 0; i < _keys.Length; i++)
        {
            if (!_there)
            {
                _debounces[i] = new Debounce(KeyLock);
                _debounces[i].Start(level: false); // a key that is held at start is pressed then
            }

            var closed = ((levels >> _keys[i].Pin) & 1) == 0;
            if (_debounces[i].Put(closed, now, out var down))
                sink.Put(new ControlEvent(_keys[i].Control, down ? ControlAction.Press : ControlAction.Release, 0, now, _source));
        }

        _there = true;
        return true;
    }

    private void Run()
    {
        while (!_end.Wait(Look(_sink!, Linux.Now()) ? PollMs : RetryMs))
        {
        }
    }
}
