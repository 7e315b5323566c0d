// The web panel as it is served now: another address takes its place, and where that fails it is as before.
using SspHost.Remote;
using SspHost.Remote.Web;

namespace SspHost.Playing;

/// <summary>Thread-safe.</summary>
internal sealed class WebService : IDisposable
{
    private readonly Lock _lock = new();
    private readonly ControlServer _control;
    private readonly PanelViewers _viewers;
    private WebOptions _options;
    private WebServer? _server;
    private bool _ended;

    /// <summary>Serves; throws <see cref="IOException"/> where the address cannot be had.</summary>
    public WebService(WebOptions options, ControlServer control, PanelViewers viewers)
    {
        (_options, _control, _viewers) = (options, control, viewers);
        _server = WebServer.Start(options, control, viewers);
    }

    /// <summary>Where browsers find it.</summary>
    public string Address
    {
        get
        {
            lock (_lock) return _server?.Address ?? "";
        }
    }

    /// <summary>Serves elsewhere; browsers that look on are let go and come back by themselves. Null, or why it is served as before.</summary>
    public string? Serve(WebOptions options)
    {
        lock (_lock)
        {
            if (_ended) return "the host ends";
            if (options.Refusal is { } why) return why;
            var before = _server is { } s ? _options with { Port = new Uri(s.Address).Port } : _options; // the very port, where any would do
            _server?.Dispose(); // first: both may want the same port
            _server = null;
            try
            {
                _server = WebServer.Start(options, _control, _viewers);
                _options = options;
                return null;
            }
            catch (IOException e)
            {
                try
                {
                    _server = WebServer.Start(before, _control, _viewers);
                    return e.Message;
                }
                catch (IOException again)
                {
                    return $"{e.Message}; and it is not served as before: {again.Message}";
                }
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _ended = true;
            _server?.Dispose();
            _server = null;
        }
    }
}
