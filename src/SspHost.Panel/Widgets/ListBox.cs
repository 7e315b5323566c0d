// A list to choose from: one line each, the one chosen in view.
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Widgets;

/// <summary>One line of a list.</summary>
/// <param name="Text">What it is.</param>
/// <param name="Detail">What else there is to say, at the right.</param>
/// <param name="Accent">A bar at the left; default: none.</param>
/// <param name="Dim">Whether it cannot be chosen, or matters less.</param>
internal readonly record struct ListLine(string Text, string Detail = "", Color Accent = default, bool Dim = false);

/// <summary>Lines, of which one is chosen. The page replaces them where something changed.</summary>
internal sealed class ListBox : Widget
{
    private const int Row = 32, Bar = 12;
    private const int Stump = 60; // pixels: of less nobody reads anything

    private IReadOnlyList<ListLine> _lines = [];
    private int _version;
    private int _first;
    private int _chosen;

    /// <summary>The lines; the choice stays where it was, as far as there are as many.</summary>
    public IReadOnlyList<ListLine> Lines
    {
        get => _lines;
        set
        {
            _lines = value;
            _version++;
            Chosen = _chosen;
        }
    }

    /// <summary>What stands there where there are no lines.</summary>
    public string Empty { get; set; } = "";

    /// <summary>Whether turning an encoder moves the choice: drawn as having the focus.</summary>
    public bool Focused { get; set; } = true;

    /// <summary>Index of the chosen line; 0 where there are none.</summary>
    public int Chosen
    {
        get => _chosen;
        set
        {
            _chosen = Math.Clamp(value, 0, Math.Max(0, _lines.Count - 1));
            _first = Math.Clamp(_first, Math.Max(0, _chosen - Rows + 1), Math.Max(0, Math.Min(_chosen, Math.Max(0, _lines.Count - Rows))));
            if (_chosen < _first) _first = _chosen;
        }
    }

    /// <summary>Lines in view.</summary>
    public int Rows => Math.Max(1, Bounds.Height / Row);

    protected override void Look(ref Looks looks)
    {
        looks.Add(_version);
        looks.Add(_first);
        looks.Add(_chosen);
        looks.Add(Focused);
    }

    public override void Draw(Canvas canvas)
    {
        var theme = canvas.Theme;
        canvas.FillRound(Bounds, 8, theme.Card);
        if (_lines.Count == 0)
        {
            canvas.Text(Empty, Bounds.Inset(12) with { Height = Row }, Font.Body, theme.Dim);
            return;
        }

        var width = _lines.Count > Rows ? Bounds.Width - Bar : Bounds.Width;
        for (var i = 0; i < Rows && _first + i < _lines.Count; i++)
        {
            var line = _lines[_first + i];
            var row = new Rect(Bounds.X, Bounds.Y + (i * Row), width, Row);
            if (_first + i == _chosen)
            {
                canvas.FillRound(row, 8, theme.Selected);
                if (Focused) canvas.FrameRound(row, 8, theme.Focus);
            }

            if (line.Accent != default) canvas.FillRound(new Rect(row.X + 8, row.Y + 8, 6, row.Height - 16), 3, line.Accent);
            // What it is comes first: what else there is to say has the room that is left, and none rather than a stump.
            var (text, all) = (Width(canvas, line.Text, Font.Body), Width(canvas, line.Detail, Font.Small));
            var detail = Math.Min(row.Width - 56 - text, all);
            if (detail < all && detail < Stump) detail = 0;
            canvas.Text(line.Text, row with { X = row.X + 24, Width = row.Width - 44 }, Font.Body, line.Dim ? theme.Dim : theme.Text);
            if (detail > 0) canvas.Text(line.Detail, row with { X = row.Right - 20 - detail, Width = detail }, Font.Small, theme.Dim, Align.Right);
        }

        if (_lines.Count <= Rows) return;
        var track = new Rect(Bounds.Right - 8, Bounds.Y + 4, 4, Bounds.Height - 8);
        canvas.FillRound(track, 2, theme.Background);
        canvas.FillRound(track with { Y = track.Y + (track.Height * _first / _lines.Count), Height = Math.Max(8, track.Height * Rows / _lines.Count) }, 2, theme.Line);
    }

    private static int Width(Canvas canvas, string text, Font font) => text.Length == 0 ? 0 : (int)Math.Ceiling(canvas.Measure(text, font));
}
