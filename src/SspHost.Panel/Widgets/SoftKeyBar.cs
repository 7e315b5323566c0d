// What the eight soft keys do at this moment, over the keys themselves.
using SspHost.Panel.Drawing;
using SspHost.Panel.Pages;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Widgets;

/// <summary>Eight fields along the lower edge. Six are the page's, the last two undo and help; with Shift R down they are the pages.</summary>
internal sealed class SoftKeyBar : Widget
{
    /// <summary>K7: undo, with Shift L redo.</summary>
    public const int UndoKey = 6;

    /// <summary>K8: help.</summary>
    public const int HelpKey = 7;

    private const int Height = 48;

    private readonly FrontPanel _panel;

    public SoftKeyBar(FrontPanel panel)
    {
        _panel = panel;
        Bounds = new Rect(0, PanelSize.Height - Height, PanelSize.Width, Height);
    }

    protected override void Look(ref Looks looks)
    {
        for (var i = 0; i < Controls.SoftKeys; i++)
        {
            var key = KeyAt(i);
            looks.Add(key.Label ?? "");
            looks.Add(key.Long ?? "");
            looks.Add(key.On);
            looks.Add(key.Off is null);
        }
    }

    public override void Draw(Canvas canvas)
    {
        var theme = canvas.Theme;
        canvas.Fill(Bounds, theme.Background);
        for (var i = 0; i < Controls.SoftKeys; i++)
        {
            var key = KeyAt(i);
            var field = new Rect((i * PanelSize.Width / Controls.SoftKeys) + 4, Bounds.Y + 4, (PanelSize.Width / Controls.SoftKeys) - 8, Height - 8);
            canvas.FillRound(field, 8, key.On ? theme.Selected : theme.Card);
            if (key.On) canvas.FrameRound(field, 8, theme.Focus);
            if (key.IsEmpty) continue;
            var color = key.Off is null ? theme.Text : theme.Dim;
            if (key.Long is { } held)
            {
                canvas.Text(key.Label, new Rect(field.X + 6, field.Y + 1, field.Width - 12, 20), Font.Strong, color, Align.Center);
                canvas.Text(held, new Rect(field.X + 6, field.Y + 20, field.Width - 12, 18), Font.Small, theme.Dim, Align.Center);
            }
            else
            {
                canvas.Text(key.Label, field.Inset(6), key.Off is null ? Font.Strong : Font.Body, color, Align.Center);
            }
        }
    }

    private bool CanUndo
    {
        get
        {
            if (_panel.Current.History is { } own) return _panel.Shift ? own.CanRedo : own.CanUndo;
            var session = _panel.Host.Session;
            return _panel.Shift ? session.CanRedo : session.CanUndo;
        }
    }

    private SoftKey KeyAt(int i)
    {
        if (_panel.ShowsPages)
        {
            var id = PageList.Behind(i, _panel.Shift);
            if (id is null) return default;
            foreach (var page in _panel.All)
            {
                if (page.Id == id) return new SoftKey(page.Title, page == _panel.Current);
            }

            return default;
        }

        return i switch
        {
            UndoKey => new SoftKey(_panel.Shift ? "Redo" : "Undo", Off: CanUndo ? null : "there is nothing"),
            HelpKey => new SoftKey("Help", _panel.Current is HelpPage),
            _ => _panel.Current.Key(i, _panel.Shift),
        };
    }
}
