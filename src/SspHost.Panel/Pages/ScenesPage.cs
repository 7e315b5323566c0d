// Eight scenes of the patch: stored, recalled, and everything between two of them on one encoder.
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;
using SspHost.Patching;

namespace SspHost.Panel.Pages;

internal sealed class ScenesPage : Page
{
    private const int CellWidth = 388, CellHeight = 112;

    private readonly SceneCell[] _cells = new SceneCell[PatchLimits.Scenes];
    private readonly MorphBar _bar;
    private int _chosen;
    private int _first, _second = 1;

    // Where the morph stands: _place of the way from one scene to another. The way is the one between the ends, or, where the knobs stood somewhere
    // else when E4 was turned, the one from there to an end: nothing leaps.
    private (Scene First, Scene Second) _way;
    private double _place;
    private bool _onWay;
    private Patch? _seen; // the patch and the ends that this was found out for
    private (Scene First, Scene Second)? _seenEnds;

    public ScenesPage(FrontPanel panel)
        : base(panel)
    {
        for (var i = 0; i < _cells.Length; i++)
        {
            _cells[i] = View.Add(new SceneCell(this, i)
            {
                Bounds = new Rect(12 + (i % 4 * (CellWidth + 8)), Body.Y + 12 + (i / 4 * (CellHeight + 10)), CellWidth, CellHeight),
            });
        }

        _bar = View.Add(new MorphBar(this) { Bounds = new Rect(12, Body.Y + 264, 1576, Body.Height - 276) });
    }

    public override string Id => "scenes";

    public override string Title => "Scenes";

    public override string Help =>
        """
        A scene is where every knob of the patch stands. There are eight in a patch, saved with it.

        - E1, or the arrows, chooses a scene; a push of E1, or K1, recalls it.
        - K2 stores the knobs as they are now into it; what was there before comes back with K7.
        - K3 gives it a name, K4 empties it.
        - K5 makes it the left end of the morph; with Shift L, the right end.
        - E4 moves between the two ends: knobs go along their own curves, switches change in the middle. With Shift L it moves in tenths of a step. A push goes to the nearer end.
        - Where the knobs stand somewhere else, E4 takes them from there to the end it is turned to: nothing leaps.

        Recalling and morphing are edits like any other: one step, and K7 takes it back. Modules that came after a scene was stored are left as they are.
        """;

    private Patch Patch => Host.Session.Current;

    public override SoftKey Key(int index, bool shift)
    {
        var empty = SceneAt(_chosen) is null ? "this scene is empty: K2 stores one" : null;
        return (index, shift) switch
        {
            (0, false) => new SoftKey("Recall", Off: empty),
            (1, false) => new SoftKey("Store", Off: Patch.Modules.Length == 0 ? "there are no knobs in this patch" : null),
            (2, false) => new SoftKey("Name", Off: empty),
            (3, false) => new SoftKey("Empty", Off: empty),
            (4, false) => new SoftKey("Left end", _first == _chosen, empty),
            (4, true) => new SoftKey("Right end", _second == _chosen, empty),
            (5, false) => new SoftKey("Back"),
            _ => default,
        };
    }

    public override void Press(int index, bool shift, bool held)
    {
        var number = _chosen + 1;
        switch (index)
        {
            case 0:
                Recall();
                break;
            case 1:
                if (Panel.Apply(new StoreScene(_chosen, SceneEdits.Take(Patch, Host.Modules, SceneAt(_chosen)?.Name ?? "")))) Panel.Say($"stored as scene {number}");
                break;
            case 2:
                Panel.Over(new TextPage(Panel, $"Name of scene {number}", SceneAt(_chosen)!.Name, PatchLimits.NameLength, static _ => null, name =>
                {
                    if (SceneAt(_chosen) is { } scene) Panel.Apply(new StoreScene(_chosen, scene with { Name = name }));
                }));
                break;
            case 3:
                if (Panel.Apply(new StoreScene(_chosen, null))) Panel.Say($"scene {number} is empty; K7 brings it back");
                break;
            case 4:
                (_first, _second) = shift ? (_first, _chosen) : (_chosen, _second);
                break;
            case 5:
                Panel.Back();
                break;
        }
    }

    public override void Turn(int encoder, in Gesture turn)
    {
        if (encoder == 0) _chosen = Math.Clamp(_chosen + turn.Steps, 0, PatchLimits.Scenes - 1);
        else if (encoder == 3) MoveBy(turn.Amount / 100);
    }

    public override void Push(int encoder, bool held)
    {
        if (encoder == 0 && SceneAt(_chosen) is not null) Recall();
        else if (encoder == 3) MoveToEnd();
    }

    public override void Arrow(Control arrow, bool shift) =>
        _chosen = Math.Clamp(_chosen + arrow switch { Control.Left => -1, Control.Right => 1, Control.Up => -4, _ => 4 }, 0, PatchLimits.Scenes - 1);

    private Scene? SceneAt(int number) => number < Patch.Scenes.Length ? Patch.Scenes[number] : null;

    private void Recall()
    {
        var edits = SceneEdits.Recall(Patch, SceneAt(_chosen)!, Host.Modules);
        if (edits.Count == 0 || Panel.Apply([.. edits])) Panel.Say($"scene {_chosen + 1}");
    }

    private (Scene First, Scene Second)? Ends() => SceneAt(_first) is { } a && SceneAt(_second) is { } b ? (a, b) : null;

    // Finds out where the knobs stand, after anybody has changed them.
    private void Locate()
    {
        var ends = Ends();
        if (ReferenceEquals(_seen, Patch) && _seenEnds == ends) return;
        var same = _seenEnds == ends;
        (_seen, _seenEnds) = (Patch, ends);
        if (ends is not { } e)
        {
            _onWay = false;
            return;
        }

        if (same && _onWay && SceneEdits.Morph(Patch, _way.First, _way.Second, _place, Host.Modules).Count == 0) return; // something else was changed
        _way = e;
        _onWay = true;
        if (SceneEdits.Recall(Patch, e.First, Host.Modules).Count == 0) _place = 0;
        else if (SceneEdits.Recall(Patch, e.Second, Host.Modules).Count == 0) _place = 1;
        else _onWay = false;
    }

    private void MoveBy(double amount)
    {
        Locate();
        if (Ends() is not { } ends || amount == 0)
        {
            if (amount != 0) Panel.Say("store two scenes first, and make them the ends with K5", bad: true);
            return;
        }

        if (!_onWay)
        {
            var here = SceneEdits.Take(Patch, Host.Modules);
            (_way, _place) = amount > 0 ? ((here, ends.Second), 0.0) : ((ends.First, here), 1.0);
            _onWay = true;
        }

        MoveTo(_place + amount);
    }

    private void MoveToEnd()
    {
        Locate();
        if (Ends() is { } ends)
        {
            if (!_onWay || _way != ends) (_way, _place, _onWay) = (ends, _onWay ? _place : 0, true);
            MoveTo(_place < 0.5 ? 0 : 1);
        }
        else
        {
            Panel.Say("store two scenes first, and make them the ends with K5", bad: true);
        }
    }

    private void MoveTo(double place)
    {
        place = Math.Clamp(place, 0, 1);
        var edits = SceneEdits.Morph(Patch, _way.First, _way.Second, place, Host.Modules);
        if (edits.Count > 0 && !Panel.ApplyTurn("morph", [.. edits])) return;
        _place = place;
        _seen = Patch;
        // At an end, the way is the one between the two again.
        if (Ends() is { } ends && _way != ends && ((place == 0 && _way.First == ends.First) || (place == 1 && _way.Second == ends.Second))) _way = ends;
    }

    /// <summary>A scene's field.</summary>
    private sealed class SceneCell(ScenesPage page, int number) : Widget
    {
        protected override void Look(ref Looks looks)
        {
            var scene = page.SceneAt(number);
            looks.Add(scene is not null);
            looks.Add(scene?.Name ?? "");
            looks.Add(scene?.Parameters.Count ?? 0);
            looks.Add(page._chosen == number);
            looks.Add(page._first == number);
            looks.Add(page._second == number);
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            var scene = page.SceneAt(number);
            var chosen = page._chosen == number;
            canvas.FillRound(Bounds, 10, chosen ? theme.Selected : theme.Card);
            if (chosen) canvas.FrameRound(Bounds, 10, theme.Focus);
            Span<char> room = stackalloc char[48];
            var line = new TextLine(room);
            line.Add((long)(number + 1));
            canvas.Text(line.Text, new Rect(Bounds.X + 18, Bounds.Y, 60, Bounds.Height), Font.Huge, scene is null ? theme.Dim : theme.Text);
            var text = new Rect(Bounds.X + 80, Bounds.Y + 22, Bounds.Width - 96, 30);
            if (scene is null)
            {
                canvas.Text("empty", text with { Y = Bounds.Y + 41 }, Font.Body, theme.Dim);
            }
            else
            {
                line = new TextLine(room);
                if (scene.Name.Length > 0) line.Add(scene.Name);
                else
                {
                    line.Add("Scene ");
                    line.Add((long)(number + 1));
                }

                canvas.Text(line.Text, text, Font.Large, theme.Text);
                line = new TextLine(room);
                line.Add((long)scene.Parameters.Count);
                line.Add(scene.Parameters.Count == 1 ? " module" : " modules");
                canvas.Text(line.Text, text with { Y = text.Y + 36 }, Font.Small, theme.Dim);
            }

            if (page._first == number) canvas.Text("left end", new Rect(Bounds.X, Bounds.Y + 6, Bounds.Width - 14, 22), Font.Small, theme.Focus, Align.Right);
            if (page._second == number) canvas.Text("right end", new Rect(Bounds.X, Bounds.Bottom - 28, Bounds.Width - 14, 22), Font.Small, theme.Focus, Align.Right);
        }
    }

    /// <summary>The way between the two ends.</summary>
    private sealed class MorphBar(ScenesPage page) : Widget
    {
        protected override void Look(ref Looks looks)
        {
            page.Locate();
            looks.Add(page._onWay ? (int)(page._place * 1000) : -1);
            looks.Add(page._onWay && page._way != page.Ends());
            looks.Add(page._first);
            looks.Add(page._second);
            looks.Add(page.Ends() is not null);
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            canvas.FillRound(Bounds, 10, theme.Card);
            Span<char> room = stackalloc char[32];
            var line = new TextLine(room);
            line.Add("E4   morph");
            canvas.Text(line.Text, Bounds.X + 18, Bounds.Y + 10, Font.Strong, theme.Dim);
            var track = new Rect(Bounds.X + 120, Bounds.Y + 58, Bounds.Width - 240, 10);
            canvas.FillRound(track, 5, theme.Line);
            DrawEnd(canvas, page._first, Bounds.X + 60, track);
            DrawEnd(canvas, page._second, Bounds.Right - 60, track);
            if (page.Ends() is null)
            {
                canvas.Text("store two scenes to move between them", new Rect(track.X, track.Y - 44, track.Width, 30), Font.Body, theme.Dim, Align.Center);
                return;
            }

            var caption = new Rect(track.X, track.Y - 48, track.Width, 32);
            if (!page._onWay)
            {
                canvas.Text("the knobs stand elsewhere: a turn takes them to an end", caption, Font.Body, theme.Dim, Align.Center);
                return;
            }

            var place = page._place;
            canvas.FillRound(track with { Width = (int)(track.Width * place) }, 5, theme.Focus);
            canvas.Disc(track.X + (track.Width * place), track.Y + 5, 14, theme.Text);
            line = new TextLine(room);
            line.Add((long)Math.Round(place * 100));
            line.Add(" %");
            if (page._way != page.Ends()) line.Add(place < 0.5 ? "  from where the knobs stood" : "  to where the knobs stood");
            canvas.Text(line.Text, caption, Font.Large, theme.Text, Align.Center);
        }

        private static void DrawEnd(Canvas canvas, int number, double x, Rect track)
        {
            Span<char> room = stackalloc char[8];
            var line = new TextLine(room);
            line.Add((long)(number + 1));
            canvas.Text(line.Text, x, track.Y - 22, Font.Huge, canvas.Theme.Text, Align.Center);
        }
    }
}
