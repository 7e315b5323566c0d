// The panel of a running host, with the bodies it has: at present browsers.
using SspHost.Diagnostics;
using SspHost.Panel;
using SspHost.Playing.Desks;
using SspHost.Remote;
using SspHost.Remote.Web;

namespace SspHost.Playing;

/// <summary>Runs the panel and serves it until disposed. Where it fails, the audio plays on and the panel comes back.</summary>
internal sealed class PanelService : IDisposable
{
    private static readonly TimeSpan Breath = TimeSpan.FromSeconds(1); // between two tries, where each fails at once

    private readonly ManualResetEventSlim _ending = new();
    private readonly PanelMemory _memory;
    private readonly PanelLoop _loop;
    private readonly WebService _web;
    private readonly Action<string> _say;
    private string _failure = "";
    private FrontPanel? _panel; // the panel's thread's

    private PanelService(PatchHost host, ControlServer control, WebOptions options, LogLines log, string state, PanelDesks desks, Action<string> say)
    {
        _say = say;
        var viewers = new PanelViewers { TakesText = () => _panel?.Current.TakesText == true };
        _web = new WebService(options, control, viewers);
        desks.Settings.Serve = _web.Serve;
        _memory = new PanelMemory(Path.Combine(state, "panel"), say);
        var panelHost = new PanelHost(host, log, _memory, say) { Desks = desks };
        PanelLoop? loop = null;
        panelHost.OnPanel = call => Volatile.Read(ref loop)?.Call(call);
        _loop = PanelLoop.Start(() => _panel = new FrontPanel(panelHost), [viewers], [viewers], Failed);
        Volatile.Write(ref loop, _loop);
    }

    /// <summary>Where browsers find it.</summary>
    public string Address => _web.Address;

    /// <summary>Starts it; throws <see cref="IOException"/> where it cannot be served.</summary>
    public static PanelService Start(PatchHost host, ControlServer control, WebOptions options, LogLines log, string state, PanelDesks desks, Action<string> say) =>
        new(host, control, options, log, state, desks, say);

    public void Dispose()
    {
        _ending.Set();
        _web.Dispose();
        _loop.Dispose();
        _memory.Dispose();
        _ending.Dispose();
    }

    private void Failed(Exception e)
    {
        _panel = null;
        var line = e is DllNotFoundException or EntryPointNotFoundException
            ? $"the panel cannot be drawn: {e.Message}"
            : $"defect: the panel failed ({e.GetType().Name}: {e.Message}); it is made anew";
        if (line != _failure) _say(_failure = line);
        _ending.Wait(Breath);
    }
}
