// One input device of the kernel: what it is, what it says, what it holds down.
using System.Text;
using SspHost.Abi;
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>An open event node. Belongs to the thread of <see cref="EvdevControls"/>.</summary>
internal sealed unsafe class EvdevDevice : IDisposable
{
    private const int Batch = 64;

    private readonly SystemCalls _system;
    private readonly EvdevSettings _settings;
    private readonly IReadOnlyDictionary<int, Control> _map;
    private readonly byte[] _down = new byte[EvdevAbi.KeyBytes];
    private readonly sbyte[] _meant = new sbyte[EvdevAbi.KeyCount]; // the control each key pressed; -1: none
    private readonly byte[] _holds = new byte[Controls.Count]; // keys that hold a control down: two may be one control
    private readonly sbyte[] _encoder = new sbyte[EvdevAbi.AxisCount];
    private readonly int[] _counts = new int[EvdevAbi.AxisCount];
    private readonly int[] _rest = new int[EvdevAbi.AxisCount];
    private readonly byte[] _axes = new byte[EvdevAbi.AxisCount / 8];
    private readonly bool _keyboard, _mouse, _kernelTime;
    private bool _dropped;

    private EvdevDevice(SystemCalls system, EvdevSettings settings, string path, int fd, string name, byte[] keys, byte[] axes)
    {
        (_system, _settings, Path, Descriptor, Name, _axes) = (system, settings, path, fd, name, axes);
        _keyboard = IsKeyboard(keys);
        _mouse = IsMouse(keys, axes);
        _map = _keyboard ? settings.KeyboardKeys : settings.Keys;
        Array.Fill(_meant, (sbyte)-1);
        Array.Fill(_encoder, (sbyte)-1);
        var clock = Linux.ClockMonotonic;
        _kernelTime = system.Ioctl(fd, EvdevAbi.SetClock, &clock) >= 0;
        if (settings.Grab) Grabbed = system.Ioctl(fd, EvdevAbi.Grab, (void*)1) >= 0;
        fixed (byte* down = _down) _ = system.Ioctl(fd, EvdevAbi.GetKeyState, down); // what is held now was not pressed for us
    }

    public string Path { get; }

    public string Name { get; }

    public int Descriptor { get; }

    public byte Source { get; set; }

    public bool Grabbed { get; }

    /// <summary>Opens it, if it is one of the panel's; otherwise says why not, or nothing where it simply has no such keys.</summary>
    public static EvdevDevice? Open(SystemCalls system, EvdevSettings settings, string path, bool keyboards, out string why)
    {
        why = "";
        var fd = system.Open(path, SystemCalls.ReadOnly | SystemCalls.NonBlocking);
        if (fd < 0)
        {
            why = $"{path}: {SystemCalls.Text(fd)}";
            return null;
        }

        var keys = new byte[EvdevAbi.KeyBytes];
        var axes = new byte[EvdevAbi.AxisCount / 8];
        var text = new byte[EvdevAbi.NameLength];
        int answer, length;
        fixed (byte* k = keys, a = axes, t = text)
        {
            length = system.Ioctl(fd, EvdevAbi.GetName, t);
            answer = system.Ioctl(fd, EvdevAbi.GetBits(EvdevAbi.Key, keys.Length), k);
            _ = system.Ioctl(fd, EvdevAbi.GetBits(EvdevAbi.Relative, axes.Length), a);
        }

        var name = Encoding.UTF8.GetString(text.AsSpan(0, Math.Clamp(length, 0, text.Length))).TrimEnd('\0');
        if (answer < 0) why = $"{path}: no input device ({SystemCalls.Text(answer)})";
        else if (Wanted(settings, path, name, keys, axes, keyboards)) return new EvdevDevice(system, settings, path, fd, name, keys, axes);
        system.Close(fd);
        return null;
    }

    /// <summary>Gives each axis its encoder: the configured one, else the next that is free.</summary>
    public void Seat(bool[] taken)
    {
        for (var axis = 0; axis < EvdevAbi.AxisCount; axis++)
        {
            if (!EvdevAbi.Has(_axes, axis) || (_mouse && axis is not (EvdevAbi.Wheel or EvdevAbi.HorizontalWheel))) continue;
            if (axis > EvdevAbi.Wheel) continue; // finer copies of the wheels, and what only mice have
            var named = _settings.Encoders.FirstOrDefault(e => e.Axis == axis && Matches(e.Device, Path, Name));
            var seat = named is { } n ? (int)n.Control
                : _mouse ? (axis == EvdevAbi.Wheel ? (int)Control.E1 : (int)Control.E2) // beside the panel's own, which keep their places
                : Array.IndexOf(taken, value: false);
            if (seat is < 0 or >= Controls.Encoders) continue;
            _encoder[axis] = (sbyte)seat;
            _counts[axis] = named is { CountsPerDetent: not 0 } c ? c.CountsPerDetent : 1;
            if (!_mouse) taken[seat] = true;
        }
    }

    /// <summary>Leaves the encoders it turned.</summary>
    public void Leave(bool[] taken)
    {
        foreach (var seat in _encoder)
        {
            if (seat >= 0 && !_mouse) taken[seat] = false;
        }
    }

    /// <summary>Reads all there is; false once the device is gone.</summary>
    public bool Read(IControlSink sink)
    {
        var events = stackalloc InputEvent[Batch];
        while (true)
        {
            var read = _system.Read(Descriptor, events, Batch * sizeof(InputEvent));
            if (read == -SystemCalls.TryAgain) return true;
            if (read <= 0) return false;
            for (var i = 0; i < read / sizeof(InputEvent); i++) Put(in events[i], sink);
            if (read < Batch * sizeof(InputEvent)) return true;
        }
    }

    public void Dispose() => _system.Close(Descriptor);

    internal static bool Matches(string wanted, string path, string name) =>
        wanted == path || wanted == System.IO.Path.GetFileName(path) || name.Contains(wanted, StringComparison.OrdinalIgnoreCase);

    private static bool IsKeyboard(byte[] keys)
    {
        for (var code = 16; code <= 25; code++) // Q to P
        {
            if (!EvdevAbi.Has(keys, code)) return false;
        }

        return EvdevAbi.Has(keys, 57);
    }

    private static bool IsMouse(byte[] keys, byte[] axes) =>
        EvdevAbi.Has(axes, EvdevAbi.AxisX) && EvdevAbi.Has(axes, EvdevAbi.AxisY) && EvdevAbi.Has(keys, EvdevAbi.LeftButton);

    private static bool Wanted(EvdevSettings settings, string path, string name, byte[] keys, byte[] axes, bool keyboards)
    {
        if (settings.Devices.Count > 0) return settings.Devices.Any(d => Matches(d, path, name));
        if (IsKeyboard(keys) || IsMouse(keys, axes)) return keyboards;
        return axes.Any(a => a != 0) || settings.Keys.Keys.Any(k => k is >= 0 and < EvdevAbi.KeyCount && EvdevAbi.Has(keys, k));
    }

    private void Put(in InputEvent e, IControlSink sink)
    {
        var time = _kernelTime ? ((ulong)e.Seconds * 1_000_000_000) + ((ulong)e.Microseconds * 1000) : Linux.Now();
        if (e.Type == EvdevAbi.Sync)
        {
            if (e.Code == EvdevAbi.Dropped) _dropped = true;
            else if (e.Code == EvdevAbi.Report && _dropped) Recover(time, sink);
        }
        else if (_dropped)
        {
            // Part of a report of which the rest was lost: the state that is asked for at its end says more.
        }
        else if (e.Type == EvdevAbi.Key) Key(e.Code, e.Value, time, sink);
        else if (e.Type == EvdevAbi.Relative) Turn(e.Code, e.Value, time, sink);
    }

    private void Recover(ulong time, IControlSink sink)
    {
        _dropped = false;
        var now = stackalloc byte[EvdevAbi.KeyBytes];
        new Span<byte>(now, EvdevAbi.KeyBytes).Clear();
        if (_system.Ioctl(Descriptor, EvdevAbi.GetKeyState, now) < 0) return;
        for (var code = 0; code < EvdevAbi.KeyCount; code++)
        {
            var down = EvdevAbi.Has(new ReadOnlySpan<byte>(now, EvdevAbi.KeyBytes), code);
            if (down != EvdevAbi.Has(_down, code)) Key(code, down ? 1 : 0, time, sink);
        }
    }

    private void Key(int code, int value, ulong time, IControlSink sink)
    {
        if (code >= EvdevAbi.KeyCount) return;
        if (value == 2) // held down: the panel repeats its own keys
        {
            if (_keyboard && _meant[code] < 0) Letter(code, time, sink, repeated: true);
            return;
        }

        var down = value != 0;
        if (down == EvdevAbi.Has(_down, code)) return;
        _down[code >> 3] ^= (byte)(1 << (code & 7));
        if (!down) Release(code, time, sink);
        else if (_map.TryGetValue(code, out var control)) Press(code, control, time, sink);
        else if (_keyboard) Letter(code, time, sink, repeated: false);
    }

    private void Press(int code, Control control, ulong time, IControlSink sink)
    {
        if ((int)control >= Controls.Count) return;
        _meant[code] = (sbyte)control;
        if (_holds[(int)control]++ == 0) sink.Put(new ControlEvent(control, ControlAction.Press, 0, time, Source));
    }

    private void Release(int code, ulong time, IControlSink sink)
    {
        var meant = _meant[code];
        if (meant < 0) return;
        _meant[code] = -1;
        if (--_holds[meant] == 0) sink.Put(new ControlEvent((Control)meant, ControlAction.Release, 0, time, Source));
    }

    private void Letter(int code, ulong time, IControlSink sink, bool repeated)
    {
        if (EvdevAbi.Has(_down, KeyMap.LeftAlt) || EvdevAbi.Has(_down, KeyMap.RightAlt))
        {
            if (KeyMap.Turns(code, out var encoder, out var detents)) sink.Put(new ControlEvent(encoder, ControlAction.Turn, detents, time, Source));
            else if (code is >= 2 and <= 5 && !repeated) Press(code, (Control)(code - 2), time, sink);
            return;
        }

        var shift = EvdevAbi.Has(_down, KeyMap.LeftShift) || EvdevAbi.Has(_down, KeyMap.RightShift);
        var character = KeyMap.Character(code, shift);
        if (character != 0) sink.Put(new ControlEvent(Control.E1, ControlAction.Type, character, time, Source));
    }

    private void Turn(int axis, int counts, ulong time, IControlSink sink)
    {
        if (axis >= EvdevAbi.AxisCount || _encoder[axis] < 0) return;
        _rest[axis] += Math.Clamp(counts, -10_000, 10_000);
        var detents = _rest[axis] / _counts[axis];
        if (detents == 0) return;
        _rest[axis] -= detents * _counts[axis];
        sink.Put(new ControlEvent((Control)_encoder[axis], ControlAction.Turn, detents, time, Source));
    }
}
