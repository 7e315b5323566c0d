// Lines of one chip that are encoders and keys: decodes their edges.
using SspHost.Abi;
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>What one line is: half of an encoder, or a key.</summary>
/// <param name="Encoder">Index of the encoder; -1: a key.</param>
/// <param name="IsA">Which half.</param>
internal readonly record struct GpioRole(int Line, Control Control, int Encoder, bool IsA, int StepsPerDetent);

/// <summary>One request of lines. Belongs to the thread of <see cref="GpioControls"/>.</summary>
internal sealed unsafe class GpioLines : IDisposable
{
    private const int Batch = 64;

    private readonly SystemCalls _system;
    private readonly GpioRole[] _roles; // by index in the request
    private readonly Quadrature[] _encoders;
    private readonly int[] _lineA, _lineB; // of each encoder, as index in the request
    private readonly Debounce[] _keys; // by index in the request
    private readonly byte _source;
    private uint _lastSeqno;

    public GpioLines(SystemCalls system, int fd, GpioRole[] roles, ulong ownDebounce, byte source)
    {
        (_system, Descriptor, _roles, _source) = (system, fd, roles, source);
        SystemCalls.DoNotBlock(fd);
        var encoders = roles.Length == 0 ? 0 : roles.Max(r => r.Encoder) + 1;
        _encoders = new Quadrature[encoders];
        (_lineA, _lineB) = (new int[encoders], new int[encoders]);
        _keys = new Debounce[roles.Length];
        for (var i = 0; i < roles.Length; i++)
        {
            var role = roles[i];
            _keys[i] = new Debounce(ownDebounce);
            if (role.Encoder < 0) continue;
            _encoders[role.Encoder] = new Quadrature(role.StepsPerDetent);
            (role.IsA ? _lineA : _lineB)[role.Encoder] = i;
        }

        var levels = Levels(out var known) ? known : 0;
        for (var e = 0; e < encoders; e++) _encoders[e].Start(At(levels, _lineA[e]), At(levels, _lineB[e]));
        for (var i = 0; i < roles.Length; i++) _keys[i].Start(roles[i].Encoder < 0 && At(levels, i));
    }

    public int Descriptor { get; }

    /// <summary>Times edges were lost, because nobody read them in time.</summary>
    public int Gaps { get; private set; }

    /// <summary>When <see cref="Settle"/> has something to do, in ns of the monotonic clock; 0: never.</summary>
    public ulong Due
    {
        get
        {
            var due = 0UL;
            foreach (var key in _keys)
            {
                if (key.Due != 0 && (due == 0 || key.Due < due)) due = key.Due;
            }

            return due;
        }
    }

    /// <summary>Reads all there is; false once the chip is gone.</summary>
    public bool Read(IControlSink sink)
    {
        var events = stackalloc GpioLineEvent[Batch];
        var lost = false;
        var last = 0UL;
        while (true)
        {
            var read = _system.Read(Descriptor, events, Batch * sizeof(GpioLineEvent));
            if (read == -SystemCalls.TryAgain) break;
            if (read <= 0) return false;
            for (var i = 0; i < read / sizeof(GpioLineEvent); i++)
            {
                ref readonly var e = ref events[i];
                lost |= e.Seqno != _lastSeqno + 1;
                _lastSeqno = e.Seqno;
                last = e.TimestampNs;
                // After a loss the levels that the edges start from are not known: the rest of them is read, and then the levels.
                if (!lost) Edge(in e, sink);
            }
        }

        if (!lost) return true;
        Gaps++;
        if (Levels(out var levels)) Resume(levels, last, sink);
        return true;
    }

    /// <summary>Keys whose lock is over.</summary>
    public void Settle(ulong now, IControlSink sink)
    {
        for (var i = 0; i < _keys.Length; i++)
        {
            if (_keys[i].Due != 0 && _keys[i].Settle(now, out var down)) Tell(i, down, now, sink);
        }
    }

    public void Dispose() => _system.Close(Descriptor);

    private static bool At(ulong levels, int index) => ((levels >> index) & 1) != 0;

    private void Edge(in GpioLineEvent e, IControlSink sink)
    {
        var index = 0;
        while (index < _roles.Length && _roles[index].Line != e.Offset) index++;
        if (index == _roles.Length) return;
        var role = _roles[index];
        var level = e.Id == GpioAbi.Rising;
        if (role.Encoder < 0)
        {
            if (_keys[index].Put(level, e.TimestampNs, out var down)) Tell(index, down, e.TimestampNs, sink);
        }
        else
        {
            Turned(role, _encoders[role.Encoder].Edge(role.IsA, level), e.TimestampNs, sink);
        }
    }

    private void Resume(ulong levels, ulong time, IControlSink sink)
    {
        for (var i = 0; i < _roles.Length; i++)
        {
            var role = _roles[i];
            if (role.Encoder < 0)
            {
                if (_keys[i].Put(At(levels, i), time, out var down)) Tell(i, down, time, sink);
            }
            else if (role.IsA)
            {
                Turned(role, _encoders[role.Encoder].Resume(At(levels, i), At(levels, _lineB[role.Encoder])), time, sink);
            }
        }
    }

    private void Turned(in GpioRole role, int detents, ulong time, IControlSink sink)
    {
        if (detents != 0) sink.Put(new ControlEvent(role.Control, ControlAction.Turn, detents, time, _source));
    }

    private void Tell(int index, bool down, ulong time, IControlSink sink) =>
        sink.Put(new ControlEvent(_roles[index].Control, down ? ControlAction.Press : ControlAction.Release, 0, time, _source));

    private bool Levels(out ulong bits)
    {
        var values = new GpioLineValues { Mask = _roles.Length >= 64 ? ulong.MaxValue : (1UL << _roles.Length) - 1 };
        var answer = _system.Ioctl(Descriptor, GpioAbi.GetValues, &values);
        bits = values.Bits;
        return answer >= 0;
    }
}
