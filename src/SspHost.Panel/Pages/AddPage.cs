// Adding a module: families, lists, search, and whether it fits.
using SspHost.Abi;
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;
using SspHost.Patching;

namespace SspHost.Panel.Pages;

internal sealed class AddPage : Page
{
    private const double Comfortable = 0.9; // of a quantum: beyond that the next stray interrupt is heard

    private static readonly string[] Usual = ["Sources", "Filters", "Dynamics", "Space", "Modulation", "Utility"];

    private readonly ListBox _families;
    private readonly ListBox _modules;
    private readonly Facts _facts;
    private readonly List<string> _familyNames = [];
    private IReadOnlyList<ModuleDescriptor> _all = [];
    private List<ModuleDescriptor> _shown = [];
    private string _search = "";
    private int _types;

    public AddPage(FrontPanel panel)
        : base(panel)
    {
        _families = View.Add(new ListBox { Bounds = new Rect(12, Body.Y + 8, 250, Body.Height - 16) });
        _modules = View.Add(new ListBox { Bounds = new Rect(274, Body.Y + 8, 400, Body.Height - 16), Empty = "no module is called that" });
        _facts = View.Add(new Facts(this) { Bounds = new Rect(686, Body.Y + 8, 902, Body.Height - 16) });
    }

    public override string Id => "add";

    public override string Title => "Add a module";

    public override string Help =>
        """
        All modules there are, by family.

        - E1 goes through the families, E2 or up and down through the modules of one.
        - K1 or a push of E2 places the module; held down, K1 then goes on to connect it.
        - K2 searches by name; K3 opens the module's own help.
        - K6 goes back.

        At the right stands what a module does, its inputs and outputs, and what it will cost: how much of a core, by what this device has measured itself, and how much is free. What does not fit can be placed all the same, but you are asked first: an overloaded patch drops out, and the dearest module is then switched off.
        """;

    /// <summary>The module in view; null: none.</summary>
    private ModuleDescriptor? Chosen => _shown.Count > 0 ? _shown[_modules.Chosen] : null;

    public override void Enter()
    {
        _facts.Forget();
        Fill();
    }

    public override void Update(ulong now)
    {
        if (_types != Host.Modules.Types.Count) Fill(); // a library was loaded
        _facts.Module = Chosen;
        _facts.Take();
    }

    public override SoftKey Key(int index, bool shift) => index switch
    {
        0 => new SoftKey("Place", Off: Chosen is null ? "there is no module to place" : null, Long: "and connect"),
        1 => new SoftKey("Search", _search.Length > 0),
        2 => new SoftKey("About it", Off: Chosen is null ? "there is no module" : null),
        5 => new SoftKey("Back"),
        _ => default,
    };

    public override void Press(int index, bool shift, bool held)
    {
        switch (index)
        {
            case 0:
                Place(held);
                break;
            case 1:
                Panel.Over(new TextPage(Panel, "Search for a module", _search, 40, static _ => null, text =>
                {
                    _search = text;
                    Fill();
                }));
                break;
            case 2:
                Panel.Over(new ModuleHelpPage(Panel, Chosen!));
                break;
            case 5:
                if (!Back()) Panel.Back();
                break;
        }
    }

    public override bool Back()
    {
        if (_search.Length == 0) return false;
        _search = "";
        Fill();
        return true;
    }

    public override void Turn(int encoder, in Gesture turn)
    {
        if (encoder == 0)
        {
            var family = _families.Chosen;
            _families.Chosen += turn.Steps;
            if (family != _families.Chosen) Show();
        }
        else if (encoder == 1)
        {
            _modules.Chosen += turn.Steps;
        }
    }

    public override void Push(int encoder, bool held)
    {
        if (encoder == 1 && Chosen is not null) Place(held);
    }

    public override void Arrow(Control arrow, bool shift)
    {
        if (arrow is Control.Up or Control.Down)
        {
            _modules.Chosen += arrow == Control.Up ? -1 : 1;
            return;
        }

        _families.Chosen += arrow == Control.Left ? -1 : 1;
        Show();
    }

    // Share of a core that is free on the thread with most to do; NaN where nothing plays.
    private double Free() => Host.Status.Audio is { } a ? Math.Max(0, Comfortable - a.Load.P99) : double.NaN;

    // Share of a quantum that it will take, on one core (NaN: not known), and bytes.
    private (double Share, long? Bytes) Cost(ModuleDescriptor module)
    {
        var load = Host.Modules.Find(module.Id) is { } type ? Host.Predict(type) : default;
        var quantum = Host.Live is { Rate: > 0 } live ? live.Quantum * 1e9 / live.Rate : Host.Session.Current.Quantum * 1e9 / 48_000;
        return (load.Nanoseconds / quantum ?? double.NaN, load.Bytes);
    }

    private void Place(bool connect)
    {
        var module = Chosen!;
        var (share, free) = (Cost(module).Share, Free());
        if (share > free)
        {
            Panel.Over(new AskPage(
                Panel, "It does not fit",
                $"{module.Name} takes about {share * 100:0.#} % of a core, and {free * 100:0.#} % are free.\n\nPlaced all the same, the patch may drop out until something is taken away, and the dearest module may be switched off.",
                "Place it", () => Placed(module, connect)));
            return;
        }

        Placed(module, connect);
    }

    private void Placed(ModuleDescriptor module, bool connect)
    {
        var patch = Host.Session.Current;
        var id = patch.FreeId(module.Id);
        if (!Panel.Apply(new AddModule(new Module { Id = id, Type = module.Id, Version = module.Version }))) return;
        Panel.Selection.Module = id;
        _search = ""; // the next one is another one
        Panel.Go(connect ? "connect" : "patch");
        Panel.Say($"{id} is placed");
    }

    private void Fill()
    {
        _types = Host.Modules.Types.Count;
        _all = Host.Modules.Current;
        var family = _familyNames.Count > 0 ? _familyNames[_families.Chosen] : "";
        _familyNames.Clear();
        _familyNames.AddRange(_all.Select(m => m.Family).Distinct(StringComparer.Ordinal)
            .OrderBy(f => Array.IndexOf(Usual, f) is >= 0 and var at ? at : Usual.Length).ThenBy(f => f, StringComparer.Ordinal));
        _families.Lines = [.. _familyNames.Select(f => new ListLine(f, $"{_all.Count(m => m.Family == f)}", Panel.Canvas.Theme.Of(f)))];
        _families.Chosen = Math.Max(0, _familyNames.IndexOf(family));
        Show();
    }

    private void Show()
    {
        var family = _familyNames.Count > 0 ? _familyNames[_families.Chosen] : "";
        _shown = _search.Length > 0
            ? [.. _all.Where(m => Fits(m, _search)).OrderBy(m => Rank(m, _search)).ThenBy(m => m.Name, StringComparer.Ordinal)]
            : [.. _all.Where(m => m.Family == family).OrderBy(m => m.Name, StringComparer.Ordinal)];
        _families.Focused = _search.Length == 0;
        _modules.Lines = [.. _shown.Select(m => new ListLine(m.Name, m.Id, Panel.Canvas.Theme.Of(m.Family)))];
        _modules.Chosen = 0;
    }

    private static int Rank(ModuleDescriptor m, string search) =>
        m.Name.StartsWith(search, StringComparison.OrdinalIgnoreCase) ? 0 : m.Name.Contains(search, StringComparison.OrdinalIgnoreCase) ? 1 : 2;

    // By name, id or what it does: who looks for "echo" finds the delay.
    private static bool Fits(ModuleDescriptor m, string search) =>
        m.Name.Contains(search, StringComparison.OrdinalIgnoreCase) || m.Id.Contains(search, StringComparison.OrdinalIgnoreCase)
        || m.Text.Contains(search, StringComparison.OrdinalIgnoreCase) || m.Family.Contains(search, StringComparison.OrdinalIgnoreCase);

    /// <summary>What is known of the chosen module: ports, cost.</summary>
    private sealed class Facts(AddPage page) : Widget
    {
        private double _share, _free;
        private long? _bytes;

        private ModuleDescriptor? _of;
        private Diagnostics.StatusReport? _report;

        public ModuleDescriptor? Module { get; set; }

        public void Forget() => _report = null;

        // With a new report there are new measurements: what it costs is asked then, not with each frame.
        public void Take()
        {
            if (Module is null || (ReferenceEquals(Module, _of) && ReferenceEquals(page.Host.Status, _report))) return;
            (_of, _report) = (Module, page.Host.Status);
            ((_share, _bytes), _free) = (page.Cost(Module), page.Free());
        }

        protected override void Look(ref Looks looks)
        {
            looks.Add(Module?.Id ?? "");
            looks.Add(double.IsNaN(_share) ? -1 : (int)(_share * 1000));
            looks.Add(double.IsNaN(_free) ? -1 : (int)(_free * 100));
            looks.Add(_bytes ?? -1);
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            canvas.FillRound(Bounds, 10, theme.Card);
            if (Module is not { } m) return;
            var x = Bounds.X + 20;
            canvas.Text(m.Name, x, Bounds.Y + 12, Font.Large, theme.Of(m.Family));
            canvas.Text(m.Text, x, Bounds.Y + 46, Font.Body, theme.Text, most: Bounds.Width - 40);
            DrawCost(canvas, x, Bounds.Y + 80);
            var column = (Bounds.Width - 60) / 2;
            // Halves, unless one needs more and the other less.
            var (inputs, outputs) = (Widest(canvas, m.Inputs), Widest(canvas, m.Outputs));
            var left = inputs > column && outputs < column ? Math.Min(inputs, (2 * column) - outputs)
                : outputs > column && inputs < column ? Math.Max(inputs, (2 * column) - outputs)
                : column;
            DrawPorts(canvas, "Inputs", m.Inputs, new Rect(x, Bounds.Y + 124, left, Bounds.Height - 132));
            DrawPorts(canvas, "Outputs", m.Outputs, new Rect(x + left + 20, Bounds.Y + 124, (2 * column) - left, Bounds.Height - 132));
        }

        private void DrawCost(Canvas canvas, int x, int y)
        {
            var theme = canvas.Theme;
            Span<char> room = stackalloc char[160];
            var line = new TextLine(room);
            if (double.IsNaN(_share))
            {
                line.Add("Its load is not known here yet: it is measured once it plays.");
            }
            else
            {
                line.Add("About ");
                line.Add(_share * 100, 1);
                line.Add(" % of a core (measured here)");
            }

            if (!double.IsNaN(_free))
            {
                line.Add("     ");
                line.Add((long)(_free * 100));
                line.Add(" % free");
            }

            if (_bytes is { } bytes)
            {
                line.Add("     ");
                if (bytes >= 1 << 20) line.Add(bytes / 1048576.0, 1);
                else line.Add(Math.Max(1, bytes >> 10));
                line.Add(bytes >= 1 << 20 ? " MiB" : " KiB");
                if (page.Host.Status.Memory is { } memory)
                {
                    line.Add(" of ");
                    line.Add((memory.PoolBytes - memory.PoolLive) >> 20);
                    line.Add(" MiB free");
                }
            }

            canvas.Text(line.Text, x, y, Font.Strong, _share > _free ? theme.Bad : theme.Good);
        }

        private static int Widest(Canvas canvas, IReadOnlyList<PortDescriptor> ports)
        {
            var widest = 0.0;
            foreach (var p in ports) widest = Math.Max(widest, canvas.Measure(p.Name, Font.Small) + canvas.Measure(": ", Font.Small) + canvas.Measure(p.Text, Font.Small));
            return (int)widest + 2;
        }

        private static void DrawPorts(Canvas canvas, string title, IReadOnlyList<PortDescriptor> ports, Rect box)
        {
            var theme = canvas.Theme;
            canvas.Text(title, box.X, box.Y, Font.Strong, theme.Dim);
            var rows = (box.Height - 28) / 24;
            Span<char> room = stackalloc char[160];
            for (var i = 0; i < ports.Count && i < rows; i++)
            {
                var line = new TextLine(room);
                if (i == rows - 1 && ports.Count > rows)
                {
                    line.Add("and ");
                    line.Add((long)(ports.Count - i));
                    line.Add(" more");
                }
                else
                {
                    line.Add(ports[i].Name);
                    if (ports[i].Text.Length > 0) line.Add(": ");
                    line.Add(ports[i].Text);
                }

                canvas.Text(line.Text, box.X, box.Y + 28 + (i * 24), Font.Small, theme.Text, most: box.Width);
            }
        }
    }
}
