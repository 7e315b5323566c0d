// Encoders and keys on pins of the board that tell their edges.
using SspHost.Abi;
using SspHost.Board;
using SspHost.Panel.Surface;

namespace SspHost.IotDevices;

/// <summary>Pins by number; true is high.</summary>
internal interface IPins : IDisposable
{
    string Name { get; }

    /// <summary>Makes a pin an input that is pulled up; <paramref name="changed"/> is called after each edge, from any thread.</summary>
    void Open(int pin, Action changed);

    bool Read(int pin);
}

/// <summary>
/// Each pin's edges may come from a thread of their own, so their order is not known: after an edge the levels themselves are read, under one lock, and what
/// has changed since they were read before is the step. Contacts close towards ground.
/// </summary>
internal sealed class PinControls : IControls
{
    private const ulong KeyLock = 5_000_000; // ns

    private readonly IPins _pins;
    private readonly IotEncoder[] _encoders;
    private readonly Quadrature[] _decoders;
    private readonly (bool A, bool B)[] _levels;
    private readonly IotKey[] _keys;
    private readonly Debounce[] _debounces;
    private readonly byte _source;
    private readonly Func<ulong> _now;
    private readonly Lock _lock = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Thread _thread;
    private IControlSink? _sink;
    private volatile bool _ending;

    /// <summary>Opens the pins; throws what they throw.</summary>
    public PinControls(IPins pins, IReadOnlyList<IotEncoder> encoders, IEnumerable<IotKey> keys, byte source, Func<ulong>? now = null)
    {
        (_pins, _encoders, _keys, _source, _now) = (pins, [.. encoders], [.. keys], source, now ?? Linux.Now);
        _decoders = Array.ConvertAll(_encoders, e => new Quadrature(e.StepsPerDetent));
        _levels = new (bool, bool)[_encoders.Length];
        _debounces = Array.ConvertAll(_keys, _ => new Debounce(KeyLock));
        for (var i = 0; i < _encoders.Length; i++)
        {
            var index = i;
            pins.Open(_encoders[i].A, () => Turned(index));
            pins.Open(_encoders[i].B, () => Turned(index));
        }

        for (var i = 0; i < _keys.Length; i++)
        {
            var index = i;
            pins.Open(_keys[i].Pin, () => Pressed(index));
        }

        _thread = new Thread(Run) { Name = "ssp-pins", IsBackground = true };
    }

    public string Name => $"iot {_pins.Name} ({(2 * _encoders.Length) + _keys.Length} pins)";

    public void Start(IControlSink sink)
    {
        lock (_lock)
        {
            _sink = sink;
            for (var i = 0; i < _encoders.Length; i++)
            {
                _levels[i] = (Closed(_encoders[i].A), Closed(_encoders[i].B));
                _decoders[i].Start(_levels[i].A, _levels[i].B);
            }

            for (var i = 0; i < _keys.Length; i++) _debounces[i].Start(Closed(_keys[i].Pin));
        }

        _thread.Start();
    }

    public void Dispose()
    {
        _ending = true;
        _wake.Set();
        if (_thread.IsAlive) _thread.Join();
        _pins.Dispose();
        _wake.Dispose();
    }

    private bool Closed(int pin) => !_pins.Read(pin);

    private void Turned(int index)
    {
        lock (_lock)
        {
            if (_sink is null) return;
            var (a, b) = (Closed(_encoders[index].A), Closed(_encoders[index].B));
            var last = _levels[index];
            _levels[index] = (a, b);
            var detents = (a != last.A, b != last.B) switch
            {
                (true, false) => _decoders[index].Edge(lineA: true, a),
                (false, true) => _decoders[index].Edge(lineA: false, b),
                (true, true) => _decoders[index].Resume(a, b), // too fast to say which way
                _ => 0,
            };
            if (detents != 0) _sink.Put(new ControlEvent(_encoders[index].Control, ControlAction.Turn, detents, _now(), _source));
        }
    }

    private void Pressed(int index)
    {
        lock (_lock)
        {
            if (_sink is null) return;
            var now = _now();
            if (_debounces[index].Put(Closed(_keys[index].Pin), now, out var down)) Tell(index, down, now);
            if (_debounces[index].Due != 0) _wake.Set();
        }
    }

    private void Tell(int index, bool down, ulong now) =>
        _sink!.Put(new ControlEvent(_keys[index].Control, down ? ControlAction.Press : ControlAction.Release, 0, now, _source));

    // Keys whose contact came to rest while edges did not count.
    private void Run()
    {
        var wait = Timeout.Infinite;
        while (true)
        {
            _wake.WaitOne(wait);
            if (_ending) return;
            wait = Timeout.Infinite;
            lock (_lock)
            {
                var now = _now();
                for (var i = 0; i < _keys.Length; i++)
                {
                    if (_debounces[i].Due == 0) continue;
                    if (_debounces[i].Settle(now, out var down)) Tell(i, down, now);
                    else wait = (int)(KeyLock / 1_000_000);
                }
            }
        }
    }
}
