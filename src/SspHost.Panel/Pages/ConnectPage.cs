// Connecting: outputs of one module against inputs of another, with their levels.
using SspHost.Abi;
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;
using SspHost.Patching;

namespace SspHost.Panel.Pages;

internal sealed class ConnectPage : Page
{
    private const int Wide = 380;

    private readonly PortList _outputs;
    private readonly PortList _inputs;
    private readonly Between _between;
    private Patch? _shown;
    private string _from = "", _to = "";

    public ConnectPage(FrontPanel panel)
        : base(panel)
    {
        _outputs = View.Add(new PortList(this, outputs: true) { Bounds = new Rect(12, Body.Y + 8, 600, Body.Height - 16) });
        _inputs = View.Add(new PortList(this, outputs: false) { Bounds = new Rect(PanelSize.Width - 612, Body.Y + 8, 600, Body.Height - 16) });
        _between = View.Add(new Between(this) { Bounds = new Rect(612, Body.Y + 8, PanelSize.Width - 1224, Body.Height - 16) });
    }

    public override string Id => "connect";

    public override string Title => "Connect";

    public override string Help =>
        """
        Outputs of one module at the left, inputs of another at the right; lines between them are cables.

        - E1 chooses the module at the left, E2 its output.
        - E3 chooses the module at the right, E4 its input. Below the inputs stand its knobs: a cable into a knob moves it, 10 V over its whole travel.
        - K1, or a push of E4, plugs the cable in; where there is one it pulls it out.
        - E4 turned while it is pushed sets the cable's gain, with Shift L in hundredths; K2 sets it to 1, K3 turns the signal round.
        - K4 changes the sides. K6 goes back.

        A cable that closes a loop is drawn broken: its signal arrives one block later.
        """;

    private Patch Patch => Host.Session.Current;

    private PortRef? From => _outputs.Chosen is { } port ? new PortRef(_from, port) : null;

    private PortRef? To => _inputs.Chosen is { } port ? new PortRef(_to, port) : null;

    private int CableIndex => From is { } from && To is { } to ? Patch.IndexOf(from, to) : -1;

    public override void Enter()
    {
        _shown = null;
        var chosen = Panel.Selection.Module ?? "";
        if (chosen == _from || chosen == _to) return;
        // A module without outputs is at the end of the line: it stands at the right.
        if (TypeOf(chosen) is { } type && !type.Outputs.Any(o => o.Kind == PortKind.Cable)) (_from, _to) = ("", chosen);
        else (_from, _to) = (chosen, "");
    }

    public override void Update(ulong now)
    {
        if (ReferenceEquals(_shown, Patch)) return;
        _shown = Patch;
        if (Patch.Find(_from) is null) _from = FirstWith(outputs: true, not: _to);
        if (Patch.Find(_to) is null) _to = FirstWith(outputs: false, not: _from);
        _outputs.Show(_from);
        _inputs.Show(_to);
    }

    public override SoftKey Key(int index, bool shift)
    {
        var cable = CableIndex;
        var none = cable < 0 ? "there is no cable between these two" : null;
        return index switch
        {
            0 => new SoftKey(cable >= 0 ? "Unplug" : "Plug in", cable >= 0, From is null || To is null ? "choose an output and an input" : null),
            1 => new SoftKey("Gain 1", Off: none),
            2 => new SoftKey("Invert", cable >= 0 && Patch.Cables[cable].Gain < 0, none),
            3 => new SoftKey("Swap"),
            5 => new SoftKey("Back"),
            _ => default,
        };
    }

    public override void Press(int index, bool shift, bool held)
    {
        switch (index)
        {
            case 0:
                Plug();
                break;
            case 1:
                Panel.Apply(new SetCableGain(From!.Value, To!.Value, 1));
                break;
            case 2:
                Panel.Apply(new SetCableGain(From!.Value, To!.Value, -Patch.Cables[CableIndex].Gain));
                break;
            case 3:
                (_from, _to) = (_to, _from);
                _shown = null;
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
                _from = Next(_from, turn.Steps);
                _outputs.Show(_from);
                Panel.Selection.Module = _from;
                break;
            case 1:
                _outputs.Move(turn.Steps);
                break;
            case 2:
                _to = Next(_to, turn.Steps);
                _inputs.Show(_to);
                break;
            case 3 when turn.Held || turn.Shift:
                Gain(in turn);
                break;
            case 3:
                _inputs.Move(turn.Steps);
                break;
        }
    }

    public override void Push(int encoder, bool held)
    {
        if (encoder == 3) Plug();
    }

    public override void Arrow(Control arrow, bool shift)
    {
        if (arrow is Control.Up or Control.Down) (shift ? _outputs : _inputs).Move(arrow == Control.Up ? -1 : 1);
    }

    private void Gain(in Gesture turn)
    {
        if (CableIndex is not (>= 0 and var at)) return;
        var cable = Patch.Cables[at];
        var step = turn.Shift ? 0.01 * turn.Steps : 0.05 * turn.Amount;
        var gain = Math.Clamp(MathF.Round(cable.Gain + (float)step, 3), -PatchLimits.Gain, PatchLimits.Gain);
        Panel.ApplyTurn($"gain {cable.From} {cable.To}", new SetCableGain(cable.From, cable.To, gain));
    }

    private void Plug()
    {
        if (From is not { } from || To is not { } to) return;
        if (CableIndex >= 0) Panel.Apply(new Disconnect(from, to));
        else Panel.Apply(new Connect(from, to));
    }

    private ModuleDescriptor? TypeOf(string module) => Patch.Find(module) is { } m ? Host.Modules.Find(m.Type)?.Descriptor : null;

    private string FirstWith(bool outputs, string not)
    {
        foreach (var m in Patch.Modules)
        {
            if (m.Id == not || TypeOf(m.Id) is not { } type) continue;
            if ((outputs ? type.Outputs : type.Inputs).Any(p => p.Kind == PortKind.Cable)) return m.Id;
        }

        return Patch.Modules.Length > 0 ? Patch.Modules[0].Id : "";
    }

    private string Next(string module, int steps)
    {
        if (Patch.Modules.Length == 0) return "";
        var at = Math.Max(0, Patch.IndexOf(module));
        return Patch.Modules[Math.Clamp(at + steps, 0, Patch.Modules.Length - 1)].Id;
    }

    /// <summary>A module and its ports, one a row.</summary>
    private sealed class PortList(ConnectPage page, bool outputs) : Widget
    {
        private const int Row = 32, Head = 44;

        private readonly List<(string Id, string Name, bool Knob)> _ports = [];
        private string _module = "";
        private int _version, _chosen, _first;

        /// <summary>The chosen port's id; null: there is none.</summary>
        public string? Chosen => _ports.Count > 0 ? _ports[_chosen].Id : null;

        private int Rows => (Bounds.Height - Head - 4) / Row;

        public void Show(string module)
        {
            _version++;
            var same = module == _module;
            _module = module;
            _ports.Clear();
            if (page.TypeOf(module) is { } type)
            {
                foreach (var p in outputs ? type.Outputs : type.Inputs)
                {
                    if (p.Kind == PortKind.Cable) _ports.Add((p.Id, p.Name, false));
                }

                if (!outputs) _ports.AddRange(type.Parameters.Select(p => (PortRef.ParameterMark + p.Id, p.Name, true)));
            }

            if (!same) (_chosen, _first) = (0, 0);
            Move(0);
        }

        public void Move(int steps)
        {
            _chosen = Math.Clamp(_chosen + steps, 0, Math.Max(0, _ports.Count - 1));
            _first = Math.Clamp(_first, Math.Max(0, _chosen - Rows + 1), _chosen);
        }

        /// <summary>Height in pixels at which a port's cables end; at the nearest edge where it is out of view. -1: no such port.</summary>
        public int HeightOf(PortRef port)
        {
            if (port.Module != _module) return -1;
            for (var i = 0; i < _ports.Count; i++)
            {
                if (_ports[i].Id == port.Port) return Bounds.Y + Head + (Math.Clamp(i - _first, 0, Rows - 1) * Row) + (Row / 2);
            }

            return -1;
        }

        protected override void Look(ref Looks looks)
        {
            looks.Add(_version);
            looks.Add(_chosen);
            looks.Add(_first);
            for (var i = 0; i < Rows && _first + i < _ports.Count; i++) looks.Add(Level(_first + i));
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            canvas.FillRound(Bounds, 10, theme.Card);
            var module = page.Patch.Find(_module);
            var type = page.TypeOf(_module);
            var accent = theme.Of(type?.Family ?? "");
            canvas.Text(outputs ? "E1" : "E3", Bounds.X + 14, Bounds.Y + 12, Font.Small, theme.Dim);
            canvas.Text(module is null ? "no module" : module.Label.Length > 0 ? module.Label : module.Id, new Rect(Bounds.X + 50, Bounds.Y, 330, Head), Font.Large, accent);
            canvas.Text(type?.Name ?? "", new Rect(Bounds.X + 300, Bounds.Y, Bounds.Width - 316, Head), Font.Small, theme.Dim, Align.Right);
            if (_ports.Count == 0) canvas.Text(outputs ? "It has no outputs." : "It has no inputs.", Bounds.X + 50, Bounds.Y + Head + 4, Font.Body, theme.Dim);
            for (var i = 0; i < Rows && _first + i < _ports.Count; i++)
            {
                var (_, name, knob) = _ports[_first + i];
                var row = new Rect(Bounds.X + 4, Bounds.Y + Head + (i * Row), Bounds.Width - 8, Row);
                if (_first + i == _chosen)
                {
                    canvas.FillRound(row, 6, theme.Selected);
                    canvas.FrameRound(row, 6, theme.Focus);
                }

                canvas.Text(name, new Rect(row.X + 46, row.Y, Wide - 60, Row), Font.Body, knob ? theme.Dim : theme.Text);
                if (knob) canvas.Text("knob", new Rect(row.X, row.Y, row.Width - 14, Row), Font.Small, theme.Dim, Align.Right);
                var end = outputs ? row.Right - 6 : row.X + 20;
                if (!knob) canvas.Disc(end, row.Y + (Row / 2.0), 6, accent);
                else canvas.Ring(end, row.Y + (Row / 2.0), 6, accent, 2);
                if (Level(_first + i) is >= 0 and var level)
                {
                    var bar = new Rect(row.Right - 180, row.Y + 11, 150, 10);
                    canvas.FillRound(bar, 3, theme.Background);
                    if (level > 0) canvas.FillRound(bar with { Width = level }, 3, theme.Good);
                }
            }
        }

        // Pixels of a port's bar: its own level, or the loudest of what comes in; -1: none is shown.
        private int Level(int port)
        {
            if (outputs)
            {
                var levels = page.Host.Live.OutputLevels(_module);
                return port < levels.Length ? Pixels(levels[port]) : 0;
            }

            var loudest = -1f;
            foreach (var c in page.Patch.Cables)
            {
                if (c.To.Module != _module || c.To.Port != _ports[port].Id) continue;
                loudest = Math.Max(loudest, 0);
                var index = page.Patch.Find(c.From.Module) is { } m ? page.Host.Modules.Find(m.Type)?.Output(c.From.Port) ?? -1 : -1;
                var levels = page.Host.Live.OutputLevels(c.From.Module);
                if ((uint)index < (uint)levels.Length) loudest = Math.Max(loudest, levels[index] * Math.Abs(c.Gain));
            }

            return loudest < 0 ? -1 : Pixels(loudest);
        }

        private static int Pixels(float volts) => volts <= 0 || !float.IsFinite(volts) ? 0 : (int)Math.Clamp(150 * ((20 * Math.Log10(volts / 10)) + 60) / 60, 0, 150);
    }

    /// <summary>The cables between the two, and what the chosen pair is.</summary>
    private sealed class Between(ConnectPage page) : Widget
    {
        protected override void Look(ref Looks looks)
        {
            foreach (var c in page.Patch.Cables)
            {
                if (c.From.Module != page._from || c.To.Module != page._to) continue;
                looks.Add(page._outputs.HeightOf(c.From));
                looks.Add(page._inputs.HeightOf(c.To));
                looks.Add(c.Gain);
                looks.Add(c.Delayed);
            }

            looks.Add(page.CableIndex);
            looks.Add(page.From is { } from ? page._outputs.HeightOf(from) : -1);
            looks.Add(page.To is { } to ? page._inputs.HeightOf(to) : -1);
            looks.Add(page._from);
            looks.Add(page._to);
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            var accent = theme.Of(page.TypeOf(page._from)?.Family ?? "");
            var chosen = page.CableIndex;
            for (var i = 0; i < page.Patch.Cables.Length; i++)
            {
                var c = page.Patch.Cables[i];
                if (c.From.Module != page._from || c.To.Module != page._to) continue;
                var (y0, y1) = (page._outputs.HeightOf(c.From), page._inputs.HeightOf(c.To));
                if (y0 < 0 || y1 < 0) continue;
                canvas.Cable(Bounds.X, y0, Bounds.Right, y1, i == chosen ? accent : accent.Towards(theme.Background, 0.6), i == chosen ? 6 : 3, c.Delayed);
            }

            if (chosen < 0)
            {
                if (page.From is { } from && page.To is { } to)
                    canvas.Cable(Bounds.X, page._outputs.HeightOf(from), Bounds.Right, page._inputs.HeightOf(to), theme.Line, 2, dashed: true);
                canvas.Text("K1 plugs in", new Rect(Bounds.X, Bounds.Y + 4, Bounds.Width, 28), Font.Body, theme.Dim, Align.Center);
                return;
            }

            Span<char> room = stackalloc char[48];
            var line = new TextLine(room);
            line.Add("gain ");
            line.Add(page.Patch.Cables[chosen].Gain, 2);
            canvas.Text(line.Text, new Rect(Bounds.X, Bounds.Y + 4, Bounds.Width, 30), Font.Large, theme.Text, Align.Center);
            canvas.Text("E4 pushed and turned", new Rect(Bounds.X, Bounds.Y + 34, Bounds.Width, 22), Font.Small, theme.Dim, Align.Center);
            if (page.Patch.Cables[chosen].Delayed) canvas.Text("1 block late", new Rect(Bounds.X, Bounds.Bottom - 30, Bounds.Width, 22), Font.Small, theme.Warning, Align.Center);
        }
    }
}
