// The panel on a display by DRM/KMS: two buffers that are flipped, a display that comes and goes, a terminal that is somebody else's for a while.
using SspHost.Abi;
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>
/// Show copies into the buffer that is not in view and asks for a flip, which the kernel does at the next frame; meanwhile the screen is not ready.
/// All that may take time (asking displays, setting a mode) is done by a thread of its own, while the screen is not ready either.
/// </summary>
internal sealed class DrmScreen : IScreen
{
    private const ulong Soon = 100_000_000, FlipTimeout = 1_000_000_000;

    // Who the buffers belong to: whoever sets it from Idle. Off: there is nothing to show on, the thread looks for it.
    private const int Off = 0, Idle = 1, Drawing = 2, Flipping = 3, Changing = 4;

    private readonly SystemCalls _system;
    private readonly ScreenSettings _settings;
    private readonly DrmCard _card;
    private readonly Poller _poller = new();
    private readonly Owed[] _owed = [new(), new()];
    private readonly DrmBuffer[] _buffers = new DrmBuffer[2];
    private readonly Thread _thread;
    private readonly string _terminal;
    private readonly int _terminalFd;
    private DrmOutput _output;
    private Placement _placement;
    private int _state, _back;
    private bool _flips = true, _away, _lost, _hopeless;
    private volatile bool _stale, _failed, _ending;
    private ulong _flippedAt;
    private volatile string _name;

    private DrmScreen(SystemCalls system, ScreenSettings settings, DrmCard card)
    {
        (_system, _settings, _card) = (system, settings, card);
        _name = $"drm {card.Path} (waiting for a display)";
        _terminalFd = system.Open(settings.ActiveTerminal, SystemCalls.ReadOnly);
        _terminal = settings.Terminal > 0 ? $"tty{settings.Terminal}" : Active();
        _thread = new Thread(Run) { Name = "ssp-screen", IsBackground = true };
    }

    public string Name => _name;

    public bool Ready => Volatile.Read(ref _state) == Idle;

    public bool Forgot => _stale;

    /// <summary>Opens a card and sets a mode where a display is connected; null, and why, where it cannot. Without a display it waits for one if it may.</summary>
    public static DrmScreen? Open(SystemCalls system, ScreenSettings settings, string path, bool mayWait, out string why)
    {
        var card = DrmCard.Open(system, path, out why);
        if (card is null)
        {
            why = $"drm {path}: {why}";
            return null;
        }

        var screen = new DrmScreen(system, settings, card);
        why = screen.Connect(probe: true);
        if (why.Length == 0 || (mayWait && !screen._hopeless && !screen._lost))
        {
            screen._thread.Start();
            if (why.Length > 0) why = $"drm {path}: {why}; waiting for it";
            return screen;
        }

        why = $"drm {path}: {why}";
        screen.Dispose();
        return null;
    }

    public void Show(in Frame frame, ReadOnlySpan<Rect> changed)
    {
        if (Interlocked.CompareExchange(ref _state, Drawing, Idle) != Idle)
        {
            _stale = true; // it was taken away between the question and the frame
            return;
        }

        if (_stale)
        {
            _stale = false;
            foreach (var o in _owed) o.AddAll(frame.Width, frame.Height);
        }

        foreach (var o in _owed) o.Add(changed);
        ref readonly var buffer = ref _buffers[_back];
        var copy = new PixelCopy(buffer.Memory, buffer.Stride, _output.Width, _output.Height, buffer.Format);
        foreach (var rect in _owed[_back].Rects) copy.Copy(in frame, rect, in _placement);
        _owed[_back].Clear();
        Flip();
    }

    public void Dispose()
    {
        _ending = true;
        _poller.Wake();
        if (_thread.IsAlive) _thread.Join();
        Release();
        _card.Dispose();
        if (_terminalFd >= 0) _system.Close(_terminalFd);
        _poller.Dispose();
    }

    private static int Quarters(int? degrees, in DrmOutput output) => degrees is { } d ? (((d / 90) % 4) + 4) % 4 : output.Height > output.Width ? 1 : 0;

    // The buffers are the caller's (Drawing); afterwards the kernel's or nobody's.
    private void Flip()
    {
        if (!_flips)
        {
            _ = _card.Dirty(_buffers[_back].Frame); // some drivers need no telling and say so
            Volatile.Write(ref _state, Idle);
            return;
        }

        Volatile.Write(ref _flippedAt, Linux.Now());
        Volatile.Write(ref _state, Flipping); // before the call: its event may be read before it returns
        var answer = _card.Flip(_output.Crtc, _buffers[_back].Frame);
        if (answer >= 0) return;
        if (answer is -SystemCalls.Invalid or -SystemCalls.NoSystemCall or -SystemCalls.NotSupported)
        {
            _flips = false; // a driver without flips: the buffer in view is drawn into
            answer = _card.SetMode(in _output, _buffers[_back].Frame);
            _ = _card.Dirty(_buffers[_back].Frame);
            if (answer >= 0)
            {
                Volatile.Write(ref _state, Idle);
                return;
            }
        }

        _stale = true;
        Volatile.Write(ref _lost, answer is -SystemCalls.NoAccess or -SystemCalls.NotPermitted);
        _failed = true;
        Volatile.Write(ref _state, Off); // the thread sets the mode anew and so finds out, but not at each frame
        _poller.Wake();
    }

    private void Run()
    {
        _ = _poller.Add(_card.Descriptor, Poller.Input);
        if (_terminalFd >= 0) _ = _poller.Add(_terminalFd, Poller.Priority | Poller.Error);
        Span<(int Fd, uint Events)> ready = stackalloc (int, uint)[4];
        var each = (ulong)Math.Max(10, _settings.LookEach) * 1_000_000;
        var look = Linux.Now() + each;
        while (!_ending)
        {
            var now = Linux.Now();
            var wait = Volatile.Read(ref _state) == Flipping ? Math.Min(look, Volatile.Read(ref _flippedAt) + FlipTimeout) : look;
            var count = _poller.Wait(ready, wait <= now ? 0 : (int)((wait - now + 999_999) / 1_000_000));
            var gone = false;
            for (var i = 0; i < count; i++)
            {
                if (ready[i].Fd != _card.Descriptor) continue;
                var told = _card.ReadEvents();
                if (told > 0) Flipped();
                else if (told < 0) gone = true;
            }

            if (gone)
            {
                _poller.Remove(_card.Descriptor);
                _name = $"drm {_card.Path} (gone)";
                Volatile.Write(ref _state, Off);
                return;
            }

            now = Linux.Now();
            if (Volatile.Read(ref _state) == Flipping && now >= Volatile.Read(ref _flippedAt) + FlipTimeout) Flipped(); // its event is lost
            Terminal();
            if (_failed)
            {
                _failed = false;
                look = Math.Min(look, now + Soon);
            }

            if (now < look) continue;
            look = now + each;
            if (!_away) Look();
        }
    }

    private void Flipped()
    {
        if (Volatile.Read(ref _state) != Flipping) return;
        _back ^= 1;
        Volatile.Write(ref _state, Idle);
    }

    // Only where nobody draws and no flip is under way; otherwise at the next occasion.
    private bool Take() =>
        Interlocked.CompareExchange(ref _state, Changing, Idle) == Idle || Interlocked.CompareExchange(ref _state, Changing, Off) == Off;

    private void Terminal()
    {
        if (_terminalFd < 0 || _terminal.Length == 0) return;
        var away = Active() != _terminal;
        if (away == _away || !Take()) return;
        _away = away;
        if (away)
        {
            _ = _card.DropMaster();
            _name = $"drm {_card.Path} (terminal {Active()} is in view)";
            Volatile.Write(ref _state, Off);
        }
        else
        {
            _ = _card.BecomeMaster();
            Reconnect();
        }
    }

    private void Look()
    {
        if (Volatile.Read(ref _state) == Idle)
        {
            // What the driver knows: a display that is there is not asked again, that would make some of them blink.
            if (_card.Connector(_output.Connector, probe: false) is { Connected: true }) return;
            if (!Take()) return;
            Release();
            _name = $"drm {_card.Path} (waiting for a display)";
            Volatile.Write(ref _state, Off);
        }
        else if (Volatile.Read(ref _state) == Off && Take())
        {
            if (Volatile.Read(ref _lost)) Volatile.Write(ref _lost, _card.BecomeMaster() < 0);
            Reconnect();
        }
    }

    private void Reconnect()
    {
        _stale = true;
        if (Connect(probe: true).Length > 0) Volatile.Write(ref _state, Off);
    }

    // Chooses an output, makes its buffers, sets its mode; why not, or "" and the screen is ready.
    private string Connect(bool probe)
    {
        var connector = DrmOutput.Choose(_card.Connectors(probe), _settings.Connector, out var why);
        if (connector is null) return why;
        if (!DrmOutput.TryMode(connector.Modes, _settings.Mode, out var mode))
        {
            _hopeless = true;
            return $"{connector.Name} has no mode {_settings.Mode}, it has {string.Join(", ", connector.Modes.Select(m => DrmOutput.ModeName(in m)).Distinct())}";
        }

        var crtc = _card.CrtcOf(connector);
        if (crtc == 0) return $"{connector.Name} has no free CRTC";
        Release();
        _output = new DrmOutput(connector.Id, connector.Name, crtc, mode);
        for (var i = 0; i < 2; i++)
        {
            if (_card.CreateBuffer(_output.Width, _output.Height, out var failed) is not { } buffer)
            {
                Release();
                return $"no buffer of {_output.Width}x{_output.Height}: {SystemCalls.Text(failed)}";
            }

            _buffers[i] = buffer;
            _owed[i].AddAll(PanelSize.Width, PanelSize.Height);
        }

        var answer = _card.SetMode(in _output, _buffers[0].Frame);
        if (answer < 0)
        {
            _lost = answer is -SystemCalls.NoAccess or -SystemCalls.NotPermitted;
            Release();
            return _lost ? "another program has the display" : $"{connector.Name} takes no {_output.Width}x{_output.Height}: {SystemCalls.Text(answer)}";
        }

        _lost = false;
        _flips = true;
        _back = 1;
        _placement = Placement.Fit(PanelSize.Width, PanelSize.Height, _output.Width, _output.Height, Quarters(_settings.Rotation, in _output));
        _name = $"drm {_card.Path} ({_output.Name}, {_output.Width}x{_output.Height})";
        Volatile.Write(ref _state, Idle);
        return "";
    }

    private void Release()
    {
        for (var i = 0; i < 2; i++)
        {
            if (_buffers[i].Handle != 0) _card.Destroy(in _buffers[i]);
            _buffers[i] = default;
        }
    }

    // Read where it is waited on: only that makes the kernel stop saying that it has changed.
    private unsafe string Active()
    {
        if (_terminalFd < 0) return "";
        var text = stackalloc byte[32];
        var read = _system.ReadFirst(_terminalFd, text, 32);
        return read <= 0 ? "" : System.Text.Encoding.ASCII.GetString(text, read).TrimEnd();
    }
}
