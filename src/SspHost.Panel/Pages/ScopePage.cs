// Four signals: against time, as spectra, against each other, and in tune or not.
using SspHost.Abi;
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Pages.Scopes;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;
using SspHost.Patching;

namespace SspHost.Panel.Pages;

internal sealed class ScopePage : Page
{
    /// <summary>Signals that are looked at: taps 0 to 3 of the engine.</summary>
    public const int Signals = 4;

    private const int SideWidth = 330;
    private const string Kept = "scope";

    private static readonly string[] ModeNames = ["Scope", "Spectrum", "X / Y", "Tuner"];

    private readonly ScopeState _state = new();
    private readonly ScopePicture _picture;

    public ScopePage(FrontPanel panel)
        : base(panel)
    {
        _picture = View.Add(new ScopePicture(_state) { Bounds = new Rect(12, Body.Y + 8, PanelSize.Width - 36 - SideWidth, Body.Height - 16) });
        View.Add(new SignalList(_state) { Bounds = new Rect(PanelSize.Width - 12 - SideWidth, Body.Y + 8, SideWidth, Body.Height - 16) });
        for (var i = 0; i < Signals; i++)
        {
            if (Host.Recall(Kept + i) is { } text && PortRef.TryParse(text, out var port)) _state.Sources[i] = port;
        }
    }

    public override string Id => "scope";

    public override string Title => "Scope";

    public override string Help =>
        """
        Up to four signals of the patch, heard inside the engine: looking at them costs the sound nothing.

        - K1 goes from the scope to the spectrum, to X against Y, and to the tuner.
        - E4, or up and down, chooses one of the four; K2, or a push of E4, says which output it is; with Shift L K2 takes it away.
        - E1 sets the time per division, E2 the volts per division; a push sets 1 ms and 2 V.
        - E3 sets the level that triggers, on the chosen signal; a push changes between rising and falling.
        - K3 takes the next signal as the one that triggers. K4 freezes the picture. K5 shows figures: peak, RMS, frequency, period.
        - K6 goes back.

        X / Y draws the first signal from left to right against the second from below to above. The tuner listens to the chosen signal: what it plays, and how many cents it is off; 0 V is C4 at V/oct.
        """;

    public override void Enter()
    {
        // With nothing chosen yet: what goes to the jacks is looked at first.
        if (_state.Sources.All(s => s is null) && FirstOutput() is { } port) _state.Sources[0] = port;
        for (var i = 0; i < Signals; i++) Host.Live.Watch(i, _state.Sources[i]);
    }

    public override void Leave()
    {
        for (var i = 0; i < Signals; i++) Host.Live.Watch(i, null);
    }

    public override void Update(ulong now) => _state.Update(Host.Live, now);

    public override SoftKey Key(int index, bool shift) => (index, shift) switch
    {
        (0, _) => new SoftKey(ModeNames[(int)_state.Mode]),
        (1, false) => new SoftKey("Signal"),
        (1, true) => new SoftKey("Take away", Off: _state.Sources[_state.Chosen] is null ? "there is no signal" : null),
        (2, _) => new SoftKey("Trigger", Off: _state.Mode == ScopeMode.Scope ? null : "only the scope has a trigger"),
        (3, _) => new SoftKey("Freeze", _state.Frozen),
        (4, _) => new SoftKey("Measure", _state.Measuring),
        (5, _) => new SoftKey("Back"),
        _ => default,
    };

    public override void Press(int index, bool shift, bool held)
    {
        switch (index)
        {
            case 0:
                _state.Mode = (ScopeMode)(((int)_state.Mode + 1) % ModeNames.Length);
                _state.Renew();
                break;
            case 1 when shift:
                Set(_state.Chosen, null);
                break;
            case 1:
                ChooseSource();
                break;
            case 2:
                do _state.Source = (_state.Source + 1) % Signals;
                while (_state.Sources[_state.Source] is null && _state.Source != 0);
                _state.Renew();
                break;
            case 3:
                _state.Frozen = !_state.Frozen;
                break;
            case 4:
                _state.Measuring = !_state.Measuring;
                _state.Renew();
                break;
            case 5:
                Panel.Back();
                break;
        }
    }

    public override void Turn(int encoder, in Gesture turn)
    {
        switch (encoder)
        {
            case 0:
                _state.Time += turn.Steps;
                break;
            case 1:
                _state.Volts -= turn.Steps; // to the right the signal becomes larger
                break;
            case 2:
                _state.Level = Math.Clamp(MathF.Round(_state.Level + ((float)turn.Amount * 0.1f), 2), -10, 10);
                break;
            case 3:
                _state.Chosen += turn.Steps;
                break;
        }

        _state.Renew();
    }

    public override void Push(int encoder, bool held)
    {
        switch (encoder)
        {
            case 0:
                _state.Time = ScopeState.UsualTime;
                break;
            case 1:
                _state.Volts = ScopeState.UsualVolts;
                break;
            case 2:
                _state.Rising = !_state.Rising;
                break;
            case 3:
                ChooseSource();
                break;
        }

        _state.Renew();
    }

    public override void Arrow(Control arrow, bool shift)
    {
        if (arrow is Control.Up or Control.Down) _state.Chosen += arrow == Control.Up ? -1 : 1;
        else _state.Time += arrow == Control.Left ? -1 : 1;
        _state.Renew();
    }

    private void Set(int signal, PortRef? port)
    {
        _state.Sources[signal] = port;
        _state.Renew();
        Host.Live.Watch(signal, port);
        Host.Remember(Kept + signal, port?.ToString() ?? "");
    }

    private void ChooseSource()
    {
        var signal = _state.Chosen;
        var (lines, ports) = (new List<ListLine>(), new List<PortRef>());
        var first = 0;
        foreach (var m in Host.Session.Current.Modules)
        {
            if (Host.Modules.Find(m.Type)?.Descriptor is not { } type) continue;
            foreach (var o in type.Outputs)
            {
                if (o.Kind != PortKind.Cable) continue;
                var port = new PortRef(m.Id, o.Id);
                if (port == _state.Sources[signal]) first = ports.Count;
                ports.Add(port);
                lines.Add(new ListLine($"{(m.Label.Length > 0 ? m.Label : m.Id)}: {o.Name}", type.Name, Panel.Canvas.Theme.Of(type.Family)));
            }
        }

        Panel.Over(new ChoosePage(Panel, $"Signal {signal + 1}", lines, i => Set(signal, ports[i]), first));
    }

    // What is plugged into the first thing without outputs, usually the jacks; else the first output there is.
    private PortRef? FirstOutput()
    {
        var patch = Host.Session.Current;
        foreach (var c in patch.Cables)
        {
            if (Host.Modules.Find(patch.Find(c.To.Module)!.Type) is { } to && !to.Descriptor.Outputs.Any(o => o.Kind == PortKind.Cable)) return c.From;
        }

        foreach (var m in patch.Modules)
        {
            if (Host.Modules.Find(m.Type)?.Descriptor.Outputs.FirstOrDefault(o => o.Kind == PortKind.Cable) is { } output) return new PortRef(m.Id, output.Id);
        }

        return null;
    }
}
