// The browsers that look at the panel: a screen and a set of controls, as the panel sees them.
using System.Collections.Immutable;
using System.Net.WebSockets;
using SspHost.Panel.Surface;

namespace SspHost.Remote.Web;

/// <summary>
/// Any number of viewers up to <see cref="Most"/>, each as fast as it is: a frame is copied into a picture they share, and whoever is ready gets
/// what is newest. Nothing waits for a viewer, and none of them makes anything grow.
/// </summary>
public sealed class PanelViewers : IScreen, IControls
{
    /// <summary>Viewers at once.</summary>
    public const int Most = 16;

    private const int FirstSource = 128; // numbers below are those of devices

    private readonly Lock _lock = new();
    private ImmutableArray<PanelViewer> _viewers = [];
    private IControlSink? _sink;
    private volatile bool _takesText;

    /// <summary>Asked with each frame, on the panel's thread: whether the page in view takes characters.</summary>
    public Func<bool> TakesText { get; set; } = () => false;

    public string Name => $"web ({Count} of {Most} viewers)";

    /// <summary>Viewers that look on.</summary>
    public int Count => _viewers.Length;

    public bool Ready => !_viewers.IsEmpty;

    internal SharedPicture Picture { get; } = new();

    /// <summary>Whether characters are text on the page in view.</summary>
    internal bool Text => _takesText;

    public void Show(in Frame frame, ReadOnlySpan<Rect> changed)
    {
        var text = TakesText();
        var any = Picture.Put(in frame, changed) | (text != _takesText);
        _takesText = text;
        if (!any) return;
        foreach (var viewer in _viewers) viewer.Wake();
    }

    public void Start(IControlSink sink) => _sink = sink;

    public void Dispose()
    {
        foreach (var viewer in _viewers) viewer.Close();
    }

    /// <summary>Whether there is a place for one more.</summary>
    internal bool HasPlace => _viewers.Length < Most;

    /// <summary>Shows the panel to a browser until it goes, or is sent away for what it sends.</summary>
    internal async Task ServeAsync(WebSocket socket, CancellationToken ended)
    {
        using var viewer = Join(socket);
        if (viewer == null)
        {
            await socket.CloseAsync(WebSocketCloseStatus.PolicyViolation, "all places are taken", ended);
            return;
        }

        try
        {
            await viewer.RunAsync(ended);
        }
        finally
        {
            lock (_lock) _viewers = _viewers.Remove(viewer);
            _sink?.Gone(viewer.Source); // what it held down is up
        }
    }

    internal void Put(in ControlEvent e) => _sink?.Put(in e);

    private PanelViewer? Join(WebSocket socket)
    {
        lock (_lock)
        {
            for (var source = FirstSource; source < FirstSource + Most; source++)
            {
                if (_viewers.Any(v => v.Source == source)) continue;
                var viewer = new PanelViewer(this, socket, (byte)source);
                _viewers = _viewers.Add(viewer);
                return viewer;
            }

            return null;
        }
    }
}
