// The panel of a running host, with the bodies it has: what this board has of controls and screens, and browsers.
using SspHost.Board;
using SspHost.Diagnostics;
using SspHost.Panel;
using SspHost.Panel.Surface;
using SspHost.Patching;
using SspHost.Playing.Desks;
using SspHost.Remote;
using SspHost.Remote.Web;

namespace SspHost.Playing;

/// <summary>What a panel is seen and turned on.</summary>
/// <param name="Board">Controls and screens of this machine.</param>
/// <param name="Web">Where browsers are served; null: nowhere.</param>
/// <param name="Control">What browsers' requests go to.</param>
/// <param name="Presets">Folder of presets that came with the program; null: none.</param>
/// <param name="Desks">What the pages Jacks, Files, System and Settings work with.</param>
internal sealed record PanelBodies(BoardDevices Board, WebOptions? Web, ControlServer Control, string? Presets, PanelDesks Desks);

/// <summary>Runs the panel and serves it until disposed. Where it fails, the audio plays on and the panel comes back.</summary>
internal sealed class PanelService : IDisposable
{
    private static readonly TimeSpan Breath = TimeSpan.FromSeconds(1); // between two tries, where each fails at once

    private readonly ManualResetEventSlim _ending = new();
    private readonly PanelMemory _memory;
    private readonly PanelLoop _loop;
    private readonly WebService? _web;
    private readonly Action<string> _say;
    private string _failure = "";
    private FrontPanel? _panel; // the panel's thread's

    private PanelService(PatchHost host, PanelBodies bodies, LogLines log, string state, Action<string> say)
    {
        _say = say;
        List<IControls> controls = [.. bodies.Board.Controls];
        List<IScreen> screens = [.. bodies.Board.Screens];
        if (bodies.Web is { } web)
        {
            var viewers = new PanelViewers { TakesText = () => _panel?.Current.TakesText == true };
            _web = new WebService(web, bodies.Control, viewers);
            (bodies.Desks.Settings.Serve, bodies.Desks.Settings.ServedAt) = (_web.Serve, () => _web.Address);
            controls.Add(viewers);
            screens.Add(viewers);
        }

        _memory = new PanelMemory(Path.Combine(state, "panel"), say);
        var presets = new PresetLibrary(bodies.Presets, Path.Combine(state, "presets"));
        var panelHost = new PanelHost(host, presets, log, _memory, say) { Desks = bodies.Desks };
        PanelLoop? loop = null;
        panelHost.OnPanel = call => Volatile.Read(ref loop)?.Call(call);
        _loop = PanelLoop.Start(() => _panel = new FrontPanel(panelHost), controls, screens, Failed);
        Volatile.Write(ref loop, _loop);
    }

    /// <summary>Where browsers find it; null: nowhere.</summary>
    public string? Address => _web?.Address;

    /// <summary>Starts it, and owns the bodies. Throws <see cref="IOException"/> where it cannot be served; then they are still the caller's.</summary>
    public static PanelService Start(PatchHost host, PanelBodies bodies, LogLines log, string state, Action<string> say) => new(host, bodies, log, state, say);

    public void Dispose()
    {
        _ending.Set();
        _web?.Dispose();
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
