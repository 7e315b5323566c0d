// The panel: pages, what the controls do to them, and the picture that comes of it.
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Pages;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;
using SspHost.Patching;

namespace SspHost.Panel;

/// <summary>
/// The panel as a state machine: events and time go in, changed rectangles of a picture come out. It has no thread and no clock of its own
/// (<see cref="PanelLoop"/> has), so that a script of events gives the same pictures each time. Belongs to one thread.
/// </summary>
public sealed class FrontPanel : IDisposable
{
    private const string PageName = "page";

    private readonly GestureReader _gestures = new();
    private readonly Damage _damage;
    private readonly View _frame = new();
    private readonly List<Page> _pages = [];
    private readonly List<Page> _stack = [];
    private readonly TurnGesture _turning;
    private bool _all = true;
    private HostSettings? _settings; // whose colours the picture has
    private ulong _serial;

    public FrontPanel(IPanelHost host)
    {
        Host = host;
        Canvas = new Canvas();
        _damage = new Damage(Canvas.Bounds);
        _turning = new TurnGesture(host.Session);
        _gestures.HasLong = i => i < Page.Keys && Current.Key(i, _gestures.Shift).Long != null;
        _frame.Add(new HeadLine(this));
        _frame.Add(new SoftKeyBar(this));
        Colour(); // before a page takes colours of its own
        PageList.Make(this, _pages);
        _stack.Add(Find(host.Recall(PageName) ?? "") ?? _pages[0]);
        Current.Enter();
    }

    /// <summary>What the panel is of.</summary>
    public IPanelHost Host { get; }

    /// <summary>The picture.</summary>
    public Canvas Canvas { get; }

    /// <summary>The page in view.</summary>
    public Page Current => _stack[^1];

    /// <summary>Pages that can be gone to by name.</summary>
    public IReadOnlyList<Page> All => _pages;

    /// <summary>What the head line says to the player at this moment; null: nothing.</summary>
    public Message? Message { get; private set; }

    /// <summary>Whether Shift L is down: soft keys have their second meaning.</summary>
    public bool Shift => _gestures.Shift;

    /// <summary>Whether Shift R is down: soft keys go to pages.</summary>
    public bool ShowsPages => _gestures.Pages;

    /// <summary>Selections that several pages share.</summary>
    public Selection Selection { get; } = new();

    /// <summary>An event of the controls.</summary>
    public void Put(in ControlEvent e)
    {
        _gestures.Put(in e);
        Serve();
    }

    /// <summary>A source of events is gone.</summary>
    public void Gone(byte source) => _gestures.Gone(source);

    /// <summary>
    /// Time passes, and a frame is drawn: what has changed in the picture, perhaps nothing. Exceptions of a page are the caller's.
    /// </summary>
    public ReadOnlySpan<Rect> Draw()
    {
        var now = Host.Now;
        _gestures.Tick(now);
        Serve();
        _turning.Tick(now);
        if (Message is { } m && now >= m.Until) Message = null;
        Colour();
        Host.Live.Refresh();
        Current.Update(now);
        _damage.Clear();
        if (_all) _damage.AddAll();
        _all = false;
        _frame.Collect(_damage, Canvas.Bounds);
        Current.View.Collect(_damage, Page.Body);
        foreach (var part in _damage.Rects)
        {
            Canvas.Clip(part);
            Canvas.Fill(part, Canvas.Theme.Background);
            Current.View.Draw(Canvas, part);
            _frame.Draw(Canvas, part);
            Canvas.Unclip();
        }

        if (!_damage.IsEmpty) _serial++;
        return _damage.Rects;
    }

    /// <summary>The picture as it was drawn last.</summary>
    public Frame Frame => Canvas.Frame(_serial);

    /// <summary>Everything is drawn with the next frame.</summary>
    public void DrawAll() => _all = true;

    /// <summary>Goes to a page by name, from wherever the panel is; says so where there is none.</summary>
    public void Go(string page)
    {
        if (Find(page) is not { } next)
        {
            Say($"there is no page '{page}'", bad: true);
            return;
        }

        Change(() =>
        {
            _stack.Clear();
            _stack.Add(next);
        });
        Host.Remember(PageName, page);
    }

    /// <summary>Puts a page over the one in view: a list to choose from, a question, a text to write.</summary>
    public void Over(Page page) => Change(() => _stack.Add(page));

    /// <summary>Takes the uppermost page away; the first one goes home.</summary>
    public void Back()
    {
        if (_stack.Count > 1) Change(() => _stack.RemoveAt(_stack.Count - 1));
        else if (Current != _pages[0]) Go(_pages[0].Id);
    }

    /// <summary>Says a line in the head line for some seconds.</summary>
    public void Say(string text, bool bad = false) => Message = new Message(text, bad, Host.Now + (bad ? 8_000_000_000UL : 4_000_000_000));

    /// <summary>Does something to the patch as one undo step; true where it was done. Where it is refused, the head line says why.</summary>
    public bool Apply(params ReadOnlySpan<Edit> edits)
    {
        _turning.End();
        return Said(Host.Session.Apply(edits));
    }

    /// <summary>The same by a knob: all turns of <paramref name="knob"/> until it stands still are one undo step.</summary>
    public bool ApplyTurn(string knob, params ReadOnlySpan<Edit> edits)
    {
        _turning.Begin(knob, Host.Now);
        return Said(Host.Session.Apply(edits));
    }

    public void Dispose()
    {
        _turning.End();
        Canvas.Dispose();
    }

    /// <summary>Says an error, if it is one; true where it is none.</summary>
    public bool Said(PatchError? error)
    {
        if (error is null) return true;
        Say(error.ToString(), bad: true);
        return false;
    }

    // The colours that are kept, or tried: whichever page is in view.
    private void Colour()
    {
        if (Host.Settings is not { } desk || (desk.Trial ?? desk.Kept) is var settings && ReferenceEquals(settings, _settings)) return;
        _settings = settings;
        foreach (var theme in Theme.All)
        {
            if (theme.Name != settings.Theme || theme == Canvas.Theme) continue;
            Canvas.Theme = theme;
            _all = true;
        }
    }

    private Page? Find(string id) => _pages.Find(p => p.Id == id);

    private void Change(Action change)
    {
        _turning.End();
        Current.Leave();
        change();
        Current.Enter();
        _all = true;
    }

    private void Serve()
    {
        while (_gestures.TryTake(out var g))
        {
            // Many events may lie between two frames: a page acts on the patch as it is now, not as it was drawn.
            Current.Update(Host.Now);
            Serve(in g);
        }
    }

    private void Serve(in Gesture g)
    {
        switch (g.Kind)
        {
            case GestureKind.Turn:
                Current.Turn((int)g.Control, in g);
                break;
            case GestureKind.Push or GestureKind.LongPush:
                Current.Push((int)g.Control, g.Kind == GestureKind.LongPush);
                break;
            case GestureKind.Key when g.Control.IsArrow():
                Current.Arrow(g.Control, g.Shift);
                break;
            case GestureKind.Key or GestureKind.LongKey when ShowsPages:
                if (PageList.Behind(g.Control.Number(), g.Shift) is { } page) Go(page);
                break;
            case GestureKind.Key or GestureKind.LongKey:
                Press(g.Control.Number(), g.Shift, g.Kind == GestureKind.LongKey);
                break;
            case GestureKind.Back:
                if (!Current.Back()) Back();
                break;
            case GestureKind.Type when Current.TakesText:
                Current.Type(g.Steps);
                break;
        }
    }

    private void Press(int index, bool shift, bool held)
    {
        if (index == SoftKeyBar.UndoKey)
        {
            _turning.End();
            if (Current.History is { } own)
            {
                var (done, bad) = shift ? own.Redo() : own.Undo();
                Say(done, bad);
                return;
            }

            if (Said(shift ? Host.Session.Redo() : Host.Session.Undo())) Say(shift ? "redone" : "undone");
            return;
        }

        if (index == SoftKeyBar.HelpKey)
        {
            if (Current is HelpPage) Back();
            else Over(new HelpPage(this, Current));
            return;
        }

        var key = Current.Key(index, shift);
        if (key.IsEmpty) return;
        if (key.Off is { } why) Say(why, bad: true);
        else Current.Press(index, shift, held);
    }
}

/// <summary>A line to the player.</summary>
public readonly record struct Message(string Text, bool Bad, ulong Until);
