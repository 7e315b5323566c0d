// Home: the patch as cards and cables, and what can be done to it.
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Pages.Cards;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;
using SspHost.Patching;

namespace SspHost.Panel.Pages;

internal sealed class PatchPage : Page
{
    private const int FootHeight = 40;

    private readonly CardMap _map;
    private readonly Foot _foot;
    private readonly Prose _first;
    private Patch? _shown;

    public PatchPage(FrontPanel panel)
        : base(panel)
    {
        _first = new Prose { Bounds = Body.Inset(24), Text = FirstUse };
        _map = new CardMap(panel) { Bounds = Body with { Height = Body.Height - FootHeight } };
        _foot = new Foot(this) { Bounds = Body with { Y = Body.Bottom - FootHeight, Height = FootHeight } };
    }

    public override string Id => "patch";

    public override string Title => "Patch";

    public override string Help =>
        """
        The patch: sound goes from the left to the right. A card is a module, with its level along the lower edge and its load at the right. A broken line is a cable that closes a loop: its signal arrives one block later.

        - E1 chooses a module; the arrows go to the next one in their direction.
        - E2 chooses one of its cables, E3 sets that cable's gain, and a push of E3 pulls it out.
        - K1 adds a module, K2 connects the chosen one, K3 or a push of E1 opens it.
        - K4 bypasses it, K5 takes it away, K6 saves the patch.
        - With Shift L: K1 makes a copy, K2 pulls all its cables out, K3 gives it a name, K4 switches on again what was switched off, K6 saves under another name. The arrows move the card.
        - K7 takes back, with Shift L does again, without limit.
        - Shift R and a soft key go to the other pages; Shift R alone goes back.

        A card with a red edge was switched off: what is written on it says why. The rest of the patch plays on.
        """;

    private const string FirstUse =
        """
        There is nothing in this patch yet.

        - Press K1 to add a module: choose a VCO for a sound, and an Audio Out to hear it.
        - Press K2 to connect what is chosen with another module.
        - Or hold Shift R and press K6: there are patches to begin with.

        K8 says on every page what can be done there. Nothing that you do is lost: everything is kept as you do it, and K7 takes it back.
        """;

    /// <summary>The chosen cable, by its place among those of the chosen module; -1: none.</summary>
    private int Wire { get; set; } = -1;

    private Patch Patch => Host.Session.Current;

    private Module? Chosen => Panel.Selection.Module is { } id ? Patch.Find(id) : null;

    public override void Update(ulong now)
    {
        var patch = Patch;
        if (!ReferenceEquals(patch, _shown))
        {
            var empty = patch.Modules.Length == 0;
            if (_shown is null || empty != (_shown.Modules.Length == 0))
            {
                View.Clear();
                if (empty) View.Add(_first);
                else
                {
                    View.Add(_map);
                    View.Add(_foot);
                }
            }

            _shown = patch;
        }

        if (patch.Modules.Length == 0)
        {
            Panel.Selection.Module = null;
            return;
        }

        if (Chosen is null) Panel.Selection.Module = patch.Modules[0].Id;
        _map.Update(patch, Panel.Selection.Module);
        _map.Cable = CableAt(Wire);
    }

    public override SoftKey Key(int index, bool shift)
    {
        var none = Chosen is null ? "there is no module yet: K1 adds one" : null;
        return (index, shift) switch
        {
            (0, false) => new SoftKey("Add"),
            (1, false) => new SoftKey("Connect", Off: none),
            (2, false) => new SoftKey("Open", Off: none),
            (3, false) => new SoftKey("Bypass", Chosen?.Bypass == true, none),
            (4, false) => new SoftKey("Delete", Off: none),
            (5, false) => new SoftKey("Save"),
            (0, true) => new SoftKey("Copy", Off: none),
            (1, true) => new SoftKey("Unplug", Off: none),
            (2, true) => new SoftKey("Name", Off: none),
            (3, true) => new SoftKey("Restore", Off: none ?? (Host.Live.Shed(Chosen!.Id) is null ? $"{Chosen.Id} is not switched off" : null)),
            (5, true) => new SoftKey("Save as"),
            _ => default,
        };
    }

    public override void Press(int index, bool shift, bool held)
    {
        var id = Panel.Selection.Module ?? "";
        switch (index, shift)
        {
            case (0, false):
                Panel.Go("add");
                break;
            case (1, false):
                Panel.Go("connect");
                break;
            case (2, false):
                Panel.Go("module");
                break;
            case (3, false):
                Panel.Apply(new Bypass(id, Chosen?.Bypass != true));
                break;
            case (4, false):
                Delete(id);
                break;
            case (5, false):
                Save();
                break;
            case (0, true):
                var copy = Patch.FreeId(Chosen!.Type);
                if (Panel.Apply(new Duplicate(id, copy, Inputs: true))) Panel.Selection.Module = copy;
                break;
            case (1, true):
                Unplug(id);
                break;
            case (2, true):
                Panel.Over(new TextPage(Panel, $"Name of {id}", Chosen!.Label, PatchLimits.NameLength, static _ => null, name => Panel.Apply(new Rename(id, name))));
                break;
            case (3, true):
                if (Host.Restore(id) is { } why) Panel.Say(why, bad: true);
                else Panel.Say($"{id} is on again");
                break;
            case (5, true):
                Panel.Go("files");
                break;
        }
    }

    public override void Turn(int encoder, in Gesture turn)
    {
        switch (encoder)
        {
            case 0 when Patch.Modules.Length > 0:
                var place = 0;
                for (var i = 0; i < _map.Order.Count; i++)
                {
                    if (Patch.Modules[_map.Order[i]].Id == Panel.Selection.Module) place = i;
                }

                Choose(Patch.Modules[_map.Order[Math.Clamp(place + turn.Steps, 0, _map.Order.Count - 1)]].Id);
                break;
            case 1:
                Wire = Math.Clamp(Wire + turn.Steps, -1, CountCables() - 1);
                break;
            case 2 when CableAt(Wire) is >= 0 and var at:
                var cable = Patch.Cables[at];
                // A hundredth a detent: 0 to 1 in one turn of a hand; through 0, for a cable can turn a signal round.
                var gain = Math.Clamp(MathF.Round(cable.Gain + (float)(turn.Amount / 100), 3), -PatchLimits.Gain, PatchLimits.Gain);
                Panel.ApplyTurn($"gain {cable.From} {cable.To}", new SetCableGain(cable.From, cable.To, gain));
                break;
        }
    }

    public override void Push(int encoder, bool held)
    {
        if (encoder == 0 && Chosen is not null) Panel.Go("module");
        if (encoder != 2 || CableAt(Wire) is not (>= 0 and var at)) return;
        var cable = Patch.Cables[at];
        if (held) Panel.Apply(new SetCableGain(cable.From, cable.To, 1));
        else if (Panel.Apply(new Disconnect(cable.From, cable.To))) Wire = Math.Min(Wire, CountCables() - 1);
    }

    public override void Arrow(Control arrow, bool shift)
    {
        if (Chosen is not { } m) return;
        if (!shift)
        {
            if (_map.Nearest(m.Id, arrow) is { } next) Choose(next);
            return;
        }

        var (dx, dy) = arrow switch { Control.Left => (-1, 0), Control.Right => (1, 0), Control.Up => (0, -1), _ => (0, 1) };
        Panel.ApplyTurn("move " + m.Id, new Move(m.Id, m.X + dx, m.Y + dy));
    }

    private void Choose(string module)
    {
        if (Panel.Selection.Module == module) return;
        Panel.Selection.Module = module;
        Wire = -1;
    }

    private void Delete(string id)
    {
        // The next one in signal order is in hand then.
        var order = _map.Order.Select(i => Patch.Modules[i].Id).ToList();
        var at = order.IndexOf(id);
        if (!Panel.Apply(new RemoveModule(id))) return;
        Panel.Say($"{id} is taken away; K7 brings it back");
        Choose(order.Count > 1 ? order[at + 1 < order.Count ? at + 1 : at - 1] : "");
    }

    private void Unplug(string id)
    {
        var edits = Patch.Cables.Where(c => c.From.Module == id || c.To.Module == id).Select(c => (Edit)new Disconnect(c.From, c.To)).ToArray();
        if (edits.Length == 0) Panel.Say($"{id} has no cables", bad: true);
        else Panel.Apply(edits);
    }

    private void Save()
    {
        if (Host.Session.Saved is null) Panel.Go("files");
        else if (Host.Save(null) is { } why) Panel.Say(why, bad: true);
        else Panel.Say($"saved: {Host.Session.Saved?.Path}");
    }

    private int CountCables()
    {
        var count = 0;
        foreach (var c in Patch.Cables)
        {
            if (c.From.Module == Panel.Selection.Module || c.To.Module == Panel.Selection.Module) count++;
        }

        return count;
    }

    // Index in the patch of the chosen module's n-th cable; -1: none.
    private int CableAt(int n)
    {
        if (n < 0) return -1;
        for (var i = 0; i < Patch.Cables.Length; i++)
        {
            var c = Patch.Cables[i];
            if ((c.From.Module == Panel.Selection.Module || c.To.Module == Panel.Selection.Module) && n-- == 0) return i;
        }

        return -1;
    }

    /// <summary>The line below the cards: the chosen module, or the chosen cable.</summary>
    private sealed class Foot(PatchPage page) : Widget
    {
        protected override void Look(ref Looks looks)
        {
            var cable = page.CableAt(page.Wire);
            looks.Add(page.Chosen?.Id ?? "");
            looks.Add(page.Chosen?.Label ?? "");
            looks.Add(cable);
            if (cable >= 0) looks.Add(page.Patch.Cables[cable].Gain);
            looks.Add(page.CountCables());
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            if (page.Chosen is not { } m) return;
            Span<char> room = stackalloc char[256];
            var line = new TextLine(room);
            var box = Bounds with { X = Bounds.X + 16, Width = Bounds.Width - 32 };
            if (page.CableAt(page.Wire) is >= 0 and var at)
            {
                var c = page.Patch.Cables[at];
                line.Add(c.From.Module);
                line.Add('.');
                line.Add(c.From.Port);
                line.Add("  to  ");
                line.Add(c.To.Module);
                line.Add('.');
                line.Add(c.To.Port);
                line.Add("     gain ");
                line.Add(c.Gain, 2);
                if (c.Delayed) line.Add("     one block late: it closes a loop");
                canvas.Text(line.Text, box, Font.Strong, theme.Focus);
                canvas.Text("E3 gain, push E3 pulls it out", box, Font.Small, theme.Dim, Align.Right);
                return;
            }

            var type = page.Host.Modules.Find(m.Type)?.Descriptor;
            line.Add(m.Label.Length > 0 ? m.Label : m.Id);
            line.Add("     ");
            line.Add(type?.Text ?? m.Type);
            canvas.Text(line.Text, box with { Width = box.Width - 260 }, Font.Body, theme.Text);
            line = new TextLine(room);
            var cables = page.CountCables();
            line.Add((long)cables);
            line.Add(cables == 1 ? " cable" : " cables");
            canvas.Text(line.Text, box, Font.Small, theme.Dim, Align.Right);
        }
    }
}
