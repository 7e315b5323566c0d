// The patch as cards and cables: what the Patch page is made of.
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;
using SspHost.Patching;

namespace SspHost.Panel.Pages.Cards;

/// <summary>
/// Lays out and draws a patch. The picture is made anew where the patch or the choice changes; while it only plays, cards are drawn again by
/// themselves, where a level, a load or a fault on them has changed.
/// </summary>
internal sealed class CardMap(FrontPanel panel) : Widget
{
    private const int LevelHeight = 5;
    private const double LevelFloor = -48; // dB of 5 V: an empty bar
    private const int Lamp = 5;

    private CardGrid? _grid;
    private Card[] _cards = [];
    private Wire[] _wires = [];
    private Patch? _of;
    private int _chosen = -1;
    private int _version;

    private struct Card
    {
        public string Id, Name, Type, Family;
        public Cell Cell;
        public Rect Box;
        public bool Bypass;
        public int Outputs; // those with a cable
        public ulong Looked;
        public int Level; // pixels of its bar
    }

    private struct Wire
    {
        public int From, To, Port;
        public double X0, Y0, X1, Y1;
        public bool Delayed;
    }

    /// <summary>The cable that is lit up, by its index in the patch; -1: all of the chosen module.</summary>
    public int Cable { get; set; } = -1;

    /// <summary>Modules in the order in which they are gone through: column by column from above.</summary>
    public IReadOnlyList<int> Order { get; private set; } = [];

    /// <summary>Follows the patch and the choice; cheap where both are as they were.</summary>
    public void Update(Patch patch, string? chosen)
    {
        var index = chosen is null ? -1 : patch.IndexOf(chosen);
        if (ReferenceEquals(patch, _of) && index == _chosen) return;
        if (!ReferenceEquals(patch, _of) && !SameShape(patch)) LayOut(patch);
        else if (!ReferenceEquals(patch, _of)) Rename(patch);
        (_of, _chosen) = (patch, index);
        Place(patch);
    }

    /// <summary>The module nearest to the chosen one in a direction; the chosen one where there is none.</summary>
    public string? Nearest(string? from, Control arrow)
    {
        if (_of is not { } patch || _cards.Length == 0) return null;
        var at = from is null ? -1 : patch.IndexOf(from);
        if (at < 0) return _cards[Order[0]].Id;
        var (best, nearest) = (at, double.MaxValue);
        var here = _cards[at].Cell;
        for (var i = 0; i < _cards.Length; i++)
        {
            var (dx, dy) = (_cards[i].Cell.Column - here.Column, _cards[i].Cell.Row - here.Row);
            var (along, aside) = arrow switch { Control.Right => (dx, dy), Control.Left => (-dx, dy), Control.Down => (dy, dx), _ => (-dy, dx) };
            if (along <= 0) continue;
            var far = along + (2.5 * Math.Abs(aside));
            if (far < nearest) (best, nearest) = (i, far);
        }

        return _cards[best].Id;
    }

    protected override void Look(ref Looks looks)
    {
        looks.Add(_version);
        looks.Add(_chosen);
        looks.Add(Cable);
    }

    public override void Collect(Damage damage)
    {
        base.Collect(damage);
        for (var i = 0; i < _cards.Length; i++)
        {
            ref var card = ref _cards[i];
            if (!card.Box.Overlaps(Bounds)) continue;
            var looks = default(Looks);
            var live = panel.Host.Live;
            var level = LevelPixels(card.Id, card.Box.Width);
            if (level != card.Level) damage.Add(LevelBar(card.Box).And(Bounds)); // the bar alone: forty of them move at once
            card.Level = level;
            looks.Add(LoadTenths(card.Id));
            looks.Add(live.Shed(card.Id) ?? "");
            if (looks.Value == card.Looked) continue;
            card.Looked = looks.Value;
            damage.Add(card.Box.Inset(-Lamp).And(Bounds));
        }
    }

    public override void Draw(Canvas canvas)
    {
        canvas.Clip(Bounds);
        for (var pass = 0; pass < 2; pass++)
        {
            // Cables that are lit up lie over the others.
            for (var i = 0; i < _wires.Length; i++)
            {
                if (Lit(i) == (pass == 1) && Box(in _wires[i]).Overlaps(canvas.Clipped)) DrawWire(canvas, i);
            }
        }

        for (var i = 0; i < _cards.Length; i++)
        {
            if (_cards[i].Box.Inset(-Lamp).Overlaps(canvas.Clipped)) DrawCard(canvas, i);
        }

        canvas.Unclip();
    }

    // Whether only values have changed: then cards stay where they are.
    private bool SameShape(Patch patch)
    {
        if (_of is not { } was || was.Modules.Length != patch.Modules.Length || was.Cables.Length != patch.Cables.Length) return false;
        for (var i = 0; i < patch.Modules.Length; i++)
        {
            var (a, b) = (was.Modules[i], patch.Modules[i]);
            if (!ReferenceEquals(a, b) && (a.Id != b.Id || a.Type != b.Type || a.X != b.X || a.Y != b.Y)) return false;
        }

        for (var i = 0; i < patch.Cables.Length; i++)
        {
            var (a, b) = (was.Cables[i], patch.Cables[i]);
            if (!ReferenceEquals(a, b) && (a.From != b.From || a.To != b.To || a.Delayed != b.Delayed)) return false;
        }

        return true;
    }

    private void LayOut(Patch patch)
    {
        var layout = CardLayout.Of(patch, CardGrid.RowsFor(patch.Modules.Length));
        _cards = new Card[patch.Modules.Length];
        for (var i = 0; i < _cards.Length; i++) _cards[i].Cell = layout.Cells[i];
        Order = [.. Enumerable.Range(0, _cards.Length).OrderBy(i => layout.Cells[i].Column).ThenBy(i => layout.Cells[i].Row)];
        Rename(patch);
    }

    private void Rename(Patch patch)
    {
        _version++;
        for (var i = 0; i < _cards.Length; i++)
        {
            var m = patch.Modules[i];
            var type = panel.Host.Modules.Find(m.Type)?.Descriptor;
            ref var card = ref _cards[i];
            (card.Id, card.Name, card.Type, card.Bypass) = (m.Id, m.Label.Length > 0 ? m.Label : m.Id, type?.Name ?? m.Type, m.Bypass);
            card.Family = type?.Family ?? "";
        }
    }

    private void Place(Patch patch)
    {
        _version++;
        _grid ??= new CardGrid(Bounds);
        var (columns, rows) = (0, 0);
        foreach (ref var card in _cards.AsSpan()) (columns, rows) = (Math.Max(columns, card.Cell.Column + 1), Math.Max(rows, card.Cell.Row + 1));
        _grid.Fit(columns, rows, _chosen >= 0 ? _cards[_chosen].Cell : default);
        foreach (ref var card in _cards.AsSpan()) (card.Box, card.Outputs) = (_grid.Card(card.Cell), 0);
        _wires = new Wire[patch.Cables.Length];
        var (outs, ins) = (new Dictionary<(int, int), int>(), new int[_cards.Length]);
        var into = new int[_cards.Length];
        foreach (var c in patch.Cables) into[patch.IndexOf(c.To.Module)]++;
        for (var i = 0; i < _wires.Length; i++)
        {
            var c = patch.Cables[i];
            ref var wire = ref _wires[i];
            (wire.From, wire.To, wire.Delayed) = (patch.IndexOf(c.From.Module), patch.IndexOf(c.To.Module), c.Delayed);
            wire.Port = panel.Host.Modules.Find(patch.Modules[wire.From].Type)?.Output(c.From.Port) ?? -1;
            if (!outs.ContainsKey((wire.From, wire.Port))) outs.Add((wire.From, wire.Port), _cards[wire.From].Outputs++);
        }

        for (var i = 0; i < _wires.Length; i++)
        {
            ref var wire = ref _wires[i];
            var (from, to) = (_cards[wire.From], _cards[wire.To]);
            wire.X0 = from.Box.Right;
            wire.Y0 = from.Box.Y + (from.Box.Height * (outs[(wire.From, wire.Port)] + 1.0) / (from.Outputs + 1));
            wire.X1 = to.Box.X;
            wire.Y1 = to.Box.Y + (to.Box.Height * (++ins[wire.To] + 0.0) / (into[wire.To] + 1));
        }
    }

    // What a cable is drawn in, with what is written on it: its curve lies within its four points.
    private static Rect Box(in Wire w)
    {
        var reach = Math.Max(24, Math.Abs(w.X1 - w.X0) / 2);
        return Rect.FromEdges(
            (int)Math.Min(w.X0, w.X1 - reach) - 30, (int)Math.Min(w.Y0, w.Y1) - 26, (int)Math.Max(w.X0 + reach, w.X1) + 30, (int)Math.Max(w.Y0, w.Y1) + 6);
    }

    private bool Lit(int wire) => Cable >= 0 ? wire == Cable : _chosen >= 0 && (_wires[wire].From == _chosen || _wires[wire].To == _chosen);

    private void DrawWire(Canvas canvas, int i)
    {
        ref readonly var w = ref _wires[i];
        var theme = canvas.Theme;
        var lit = Lit(i);
        var accent = theme.Of(_cards[w.From].Family);
        var color = lit ? accent : accent.Towards(theme.Background, 0.62);
        canvas.Cable(w.X0, w.Y0, w.X1, w.Y1, color, lit ? 4 : 2.5, w.Delayed);
        if (w.Delayed && lit) canvas.Text("1 block", (w.X0 + w.X1) / 2, ((w.Y0 + w.Y1) / 2) - 22, Font.Small, theme.Dim, Align.Center);
    }

    private void DrawCard(Canvas canvas, int i)
    {
        ref readonly var card = ref _cards[i];
        var (theme, live, box) = (canvas.Theme, panel.Host.Live, card.Box);
        var shed = live.Shed(card.Id);
        var accent = theme.Of(card.Family);
        canvas.FillRound(box, 8, i == _chosen ? theme.Selected : theme.Card);
        canvas.FillRound(box with { Width = 7 }, 3, card.Bypass ? theme.Line : accent);
        if (shed != null) canvas.FrameRound(box, 8, theme.Bad, 3);
        else if (i == _chosen) canvas.FrameRound(box, 8, theme.Focus, 2);
        var text = new Rect(box.X + 14, box.Y + 4, box.Width - 20, 26);
        canvas.Text(card.Name, text, Font.Strong, Font.Small, card.Bypass ? theme.Dim : theme.Text);
        if (box.Height > 60)
        {
            var second = text with { Y = text.Y + 28, Height = 22 };
            if (shed != null) canvas.Text(shed, second, Font.Small, theme.Bad);
            else if (card.Bypass) canvas.Text("bypassed", second, Font.Small, theme.Dim);
            else if (box.Width >= 180) canvas.Text(card.Type, second with { Width = second.Width - 44 }, Font.Small, theme.Dim);
            var tenths = LoadTenths(card.Id);
            if (tenths >= 0)
            {
                Span<char> room = stackalloc char[16];
                var line = new TextLine(room);
                line.Add(tenths / 10.0, 1);
                line.Add(" %");
                canvas.Text(line.Text, second, Font.Small, tenths > 250 ? theme.Warning : theme.Dim, Align.Right);
            }
        }

        var level = LevelPixels(card.Id, box.Width);
        var bar = LevelBar(box);
        canvas.FillRound(bar, 2, theme.Background);
        if (level > 0) canvas.FillRound(bar with { Width = level }, 2, theme.Good);
        for (var o = 0; o < card.Outputs; o++)
            canvas.Disc(box.Right, box.Y + (box.Height * (o + 1.0) / (card.Outputs + 1)), Lamp - 1, card.Bypass ? theme.Line : accent);
    }

    private static Rect LevelBar(Rect card) => new(card.X + 16, card.Bottom - LevelHeight - 4, card.Width - 32, LevelHeight);

    // The loudest output as a bar over the width of a card: full at 10 V.
    private int LevelPixels(string module, int width)
    {
        var peak = 0f;
        foreach (var v in panel.Host.Live.OutputLevels(module)) peak = Math.Max(peak, Math.Abs(v));
        if (!(peak > 0)) return 0;
        var db = 20 * Math.Log10(peak / 5);
        return (int)Math.Clamp((db - LevelFloor) / (6 - LevelFloor) * (width - 32), 0, width - 32);
    }

    // Tenths of a per cent of a core; -1: not known.
    private int LoadTenths(string module)
    {
        var load = panel.Host.Live.ModuleLoad(module);
        return float.IsFinite(load) ? (int)((load * 1000) + 0.5) : -1;
    }
}
