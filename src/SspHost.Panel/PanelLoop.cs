// The panel's thread: waits for controls and for the next frame, draws, hands the picture to the screens.
using System.Collections.Concurrent;
using SspHost.Abi;
using SspHost.Panel.Surface;

namespace SspHost.Panel;

/// <summary>Runs a panel on bodies: any number of controls and screens. Events are served at once, frames are drawn sixty times a second at most.</summary>
public sealed class PanelLoop : IControlSink, IDisposable
{
    private const ulong FrameNs = 16_666_667;
    private const int MostWaiting = 4096; // more turns than a hand makes in a minute

    private readonly ConcurrentQueue<ControlEvent> _events = new();
    private readonly ConcurrentQueue<Action> _calls = new();
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly Func<FrontPanel> _make;
    private readonly IReadOnlyList<IControls> _controls;
    private readonly List<(IScreen Screen, Drawing.Damage Owed)> _screens = [];
    private readonly Action<Exception> _failed;
    private readonly Thread _thread;
    private volatile bool _ending;
    private int _waiting;

    private PanelLoop(Func<FrontPanel> make, IReadOnlyList<IControls> controls, IReadOnlyList<IScreen> screens, Action<Exception> failed)
    {
        (_make, _controls, _failed) = (make, controls, failed);
        foreach (var s in screens)
        {
            var owed = new Drawing.Damage(new Rect(0, 0, PanelSize.Width, PanelSize.Height));
            owed.AddAll();
            _screens.Add((s, owed));
        }

        _thread = new Thread(Run) { Name = "ssp-panel", IsBackground = true };
    }

    /// <summary>
    /// Starts it. <paramref name="make"/> makes the panel, on its thread; it is made anew where a page throws, and <paramref name="failed"/> told:
    /// the patch is the session's, and nothing of it is lost.
    /// </summary>
    public static PanelLoop Start(Func<FrontPanel> make, IReadOnlyList<IControls> controls, IReadOnlyList<IScreen> screens, Action<Exception> failed)
    {
        var loop = new PanelLoop(make, controls, screens, failed);
        loop._thread.Start();
        foreach (var c in controls) c.Start(loop);
        return loop;
    }

    public void Put(in ControlEvent e)
    {
        if (Volatile.Read(ref _waiting) >= MostWaiting) return; // nobody draws: what a player did minutes ago is not to be done in one go
        Interlocked.Increment(ref _waiting);
        _events.Enqueue(e);
        _wake.Set();
    }

    public void Gone(byte source) => Call(() => _panel?.Gone(source));

    /// <summary>Runs something on the panel's thread, soon.</summary>
    public void Call(Action call)
    {
        _calls.Enqueue(call);
        _wake.Set();
    }

    public void Dispose()
    {
        foreach (var c in _controls) c.Dispose();
        _ending = true;
        _wake.Set();
        if (_thread.IsAlive) _thread.Join();
        foreach (var (s, _) in _screens) s.Dispose();
        _wake.Dispose();
    }

    private FrontPanel? _panel;

    private void Run()
    {
        var next = 0UL;
        while (!_ending)
        {
            try
            {
                _panel ??= Made();
                Serve(_panel);
                var now = Linux.Now();
                if (now >= next && Wanted())
                {
                    next = Math.Max(next + FrameNs, now); // a late frame is left out, not made up for
                    Draw(_panel);
                }

                now = Linux.Now();
                var wait = next > now ? (next - now + 999_999) / 1_000_000 : Wanted() ? 0UL : 100;
                if (_events.IsEmpty && wait > 0) _wake.WaitOne((int)wait);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                _failed(e);
                _panel?.Dispose();
                _panel = null;
            }
        }

        _panel?.Dispose();
    }

    private FrontPanel Made()
    {
        var panel = _make();
        foreach (var (_, owed) in _screens) owed.AddAll();
        return panel;
    }

    private void Serve(FrontPanel panel)
    {
        while (_calls.TryDequeue(out var call)) call();
        while (_events.TryDequeue(out var e))
        {
            Interlocked.Decrement(ref _waiting);
            panel.Put(in e);
        }
    }

    private bool Wanted()
    {
        foreach (var (s, _) in _screens)
        {
            if (s.Ready) return true;
        }

        return false;
    }

    private void Draw(FrontPanel panel)
    {
        var changed = panel.Draw();
        foreach (var (screen, owed) in _screens)
        {
            owed.Add(changed);
            if (screen.Forgot) owed.AddAll();
            if (owed.IsEmpty || !screen.Ready) continue;
            screen.Show(panel.Frame, owed.Rects);
            owed.Clear();
        }
    }
}
