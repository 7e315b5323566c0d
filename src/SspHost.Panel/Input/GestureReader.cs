// Makes gestures of control events: acceleration, fine turning, long presses, repeats, chords with the shifts.
using SspHost.Panel.Surface;

namespace SspHost.Panel.Input;

/// <summary>
/// Reads events in order; time is that of the events and of <see cref="Tick"/>, so that a script gives the same gestures each time. Belongs to
/// the panel's thread.
/// </summary>
public sealed class GestureReader
{
    /// <summary>ns after which a press is a long one.</summary>
    public const ulong Long = 500_000_000;

    private const ulong RepeatAfter = 400_000_000, RepeatEach = 90_000_000;
    private const ulong Pause = 150_000_000; // between detents: slower than this is a new turn
    private const double SlowRate = 12, FastRate = 60; // detents a second
    private const double MostFactor = 8;
    private const double Fine = 0.1;

    private readonly ulong[] _pressed = new ulong[Controls.Count]; // since when it is down; 0: it is up
    private readonly byte[] _source = new byte[Controls.Count];
    private readonly bool[] _spent = new bool[Controls.Count]; // its press has already meant something
    private readonly ulong[] _turned = new ulong[Controls.Encoders];
    private readonly double[] _rate = new double[Controls.Encoders];
    private readonly int[] _direction = new int[Controls.Encoders];
    private readonly Queue<Gesture> _ready = new();
    private ulong _repeatAt;
    private Control? _repeating;

    /// <summary>Whether a soft key acts when it is held, too: it then acts when it is let go, or after <see cref="Long"/>.</summary>
    public Func<int, bool> HasLong { get; set; } = _ => false;

    /// <summary>Whether Shift L is down: soft keys have their second meaning, turns are fine.</summary>
    public bool Shift => Down(Control.ShiftLeft);

    /// <summary>Whether Shift R is down: soft keys go to pages.</summary>
    public bool Pages => Down(Control.ShiftRight);

    public bool Down(Control control) => _pressed[(int)control] != 0;

    /// <summary>The next gesture.</summary>
    public bool TryTake(out Gesture gesture) => _ready.TryDequeue(out gesture);

    /// <summary>An event.</summary>
    public void Put(in ControlEvent e)
    {
        if (e.Action != ControlAction.Type && (int)e.Control >= Controls.Count) return;
        var time = Math.Max(1, e.Time);
        switch (e.Action)
        {
            case ControlAction.Press:
                Press(e.Control, time, e.Source);
                break;
            case ControlAction.Release:
                Release(e.Control, time);
                break;
            case ControlAction.Turn when e.Control.IsEncoder() && e.Value != 0:
                Turn(e.Control, Math.Clamp(e.Value, -100, 100), time);
                break;
            case ControlAction.Type:
                Add(GestureKind.Type, e.Control, time, steps: e.Value);
                break;
        }
    }

    /// <summary>A source is gone: what it held down is up, without having meant anything.</summary>
    public void Gone(byte source)
    {
        for (var c = 0; c < Controls.Count; c++)
        {
            if (_pressed[c] == 0 || _source[c] != source) continue;
            _pressed[c] = 0;
            if (_repeating == (Control)c) _repeating = null;
        }
    }

    /// <summary>Time passes: long presses and repeats.</summary>
    public void Tick(ulong now)
    {
        for (var c = Control.E1; c <= Control.K8; c++)
        {
            var i = (int)c;
            if (_pressed[i] == 0 || _spent[i] || now < _pressed[i] + Long) continue;
            if (c.IsSoftKey() && (Pages || !HasLong(c.Number()))) continue;
            _spent[i] = true;
            Add(c.IsEncoder() ? GestureKind.LongPush : GestureKind.LongKey, c, now);
        }

        while (_repeating is { } arrow && now >= _repeatAt)
        {
            // A panel that was late does not catch up: one step, and the next one from now on.
            Add(GestureKind.Key, arrow, now);
            _repeatAt = now + RepeatEach;
        }
    }

    private void Press(Control c, ulong time, byte source)
    {
        var i = (int)c;
        if (_pressed[i] != 0) return; // another body holds it already
        (_pressed[i], _source[i], _spent[i]) = (time, source, false);
        if (c is not (Control.ShiftLeft or Control.ShiftRight)) _spent[(int)Control.ShiftLeft] = _spent[(int)Control.ShiftRight] = true;
        else if (Shift && Pages) _spent[(int)Control.ShiftLeft] = _spent[(int)Control.ShiftRight] = true;
        if (c.IsArrow())
        {
            Add(GestureKind.Key, c, time);
            (_repeating, _repeatAt) = (c, time + RepeatAfter);
        }
        else if (c.IsSoftKey() && (Pages || !HasLong(c.Number())))
        {
            _spent[i] = true;
            Add(GestureKind.Key, c, time);
        }
    }

    private void Release(Control c, ulong time)
    {
        var i = (int)c;
        if (_pressed[i] == 0) return;
        var spent = _spent[i];
        if (_repeating == c) _repeating = null;
        if (!spent && c.IsEncoder()) Add(GestureKind.Push, c, time);
        else if (!spent && c.IsSoftKey()) Add(GestureKind.Key, c, time);
        else if (!spent && c == Control.ShiftRight && time < _pressed[i] + Long) Add(GestureKind.Back, c, time);
        _pressed[i] = 0;
    }

    // The faster the hand, the more a detent is worth, as with a mouse: by the rate of the last detents, so that one detent after a pause is one.
    private void Turn(Control c, int detents, ulong time)
    {
        var i = (int)c;
        _spent[(int)Control.ShiftLeft] = _spent[(int)Control.ShiftRight] = true;
        if (_pressed[i] != 0) _spent[i] = true;
        var since = time - Math.Min(time, _turned[i]);
        if (since > Pause || _turned[i] == 0 || Math.Sign(detents) != _direction[i]) _rate[i] = 0;
        else _rate[i] += ((Math.Abs(detents) * 1e9 / Math.Max(since, 1_000_000)) - _rate[i]) * 0.4;
        (_turned[i], _direction[i]) = (time, Math.Sign(detents));
        var speed = Math.Clamp((_rate[i] - SlowRate) / (FastRate - SlowRate), 0, 1);
        var factor = Shift ? Fine : 1 + ((MostFactor - 1) * speed * speed);
        _ready.Enqueue(new Gesture(GestureKind.Turn, c, detents, detents * factor, Shift, _pressed[i] != 0, time));
    }

    private void Add(GestureKind kind, Control c, ulong time, int steps = 0) =>
        _ready.Enqueue(new Gesture(kind, c, steps, 0, Shift, Held: false, time));
}
