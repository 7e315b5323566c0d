// A text of paragraphs and lists, set in columns.
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Widgets;

/// <summary>Sets a help text: paragraphs with an empty line between them; lines that begin with "- " are a list. Scrolls by lines.</summary>
internal sealed class Prose : Widget
{
    private const int Gap = 48, LineHeight = 26, Indent = 20;

    private readonly List<(string Text, bool Item)> _lines = [];
    private string _text = "";
    private string? _set; // the text that the lines are of
    private int _first;

    /// <summary>The text.</summary>
    public string Text
    {
        get => _text;
        set
        {
            _text = value;
            _first = 0;
        }
    }

    /// <summary>Columns that it is set in.</summary>
    public int Columns { get; init; } = 2;

    private int Rows => Math.Max(1, Bounds.Height / LineHeight);

    public void Scroll(int lines) => _first = Math.Clamp(_first + lines, 0, Math.Max(0, _lines.Count - (Columns * Rows)));

    protected override void Look(ref Looks looks)
    {
        looks.Add(_text);
        looks.Add(_first);
    }

    public override void Draw(Canvas canvas)
    {
        var width = ((Bounds.Width + Gap) / Columns) - Gap;
        if (!ReferenceEquals(_set, _text)) Set(canvas, width);
        for (var i = 0; i < Columns * Rows && _first + i < _lines.Count; i++)
        {
            var (text, item) = _lines[_first + i];
            var x = Bounds.X + (i / Rows * (width + Gap));
            var y = Bounds.Y + (i % Rows * LineHeight);
            if (item) canvas.Disc(x + 6, y + 12, 3, canvas.Theme.Focus);
            var inside = text.StartsWith('\t'); // goes on with an item: the mark is not drawn
            canvas.Text(text.AsSpan(inside ? 1 : 0), item || inside ? x + Indent : x, y, Font.Body, canvas.Theme.Text);
        }

        if (_lines.Count > Columns * Rows)
        {
            var share = (double)Rows * Columns / _lines.Count;
            var track = new Rect(Bounds.Right - 6, Bounds.Y, 6, Bounds.Height);
            canvas.FillRound(track, 3, canvas.Theme.Card);
            canvas.FillRound(track with { Y = track.Y + (track.Height * _first / _lines.Count), Height = (int)(track.Height * share) }, 3, canvas.Theme.Line);
        }
    }

    private void Set(Canvas canvas, int width)
    {
        _set = _text;
        _lines.Clear();
        foreach (var paragraph in _text.ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            if (_lines.Count > 0) _lines.Add(("", false));
            var text = "";
            foreach (var line in paragraph.Split('\n'))
            {
                if (!line.StartsWith("- ", StringComparison.Ordinal))
                {
                    text = text.Length > 0 ? text + " " + line.Trim() : line.Trim();
                    continue;
                }

                if (text.Length > 0) Break(canvas, text, width, item: text.StartsWith('\u0001'));
                text = "\u0001" + line[2..].Trim();
            }

            if (text.Length > 0) Break(canvas, text, width, item: text.StartsWith('\u0001'));
        }
    }

    private void Break(Canvas canvas, string text, int width, bool item)
    {
        text = text.TrimStart('\u0001');
        var room = item ? width - Indent : width;
        var first = true;
        var start = 0;
        while (start < text.Length)
        {
            var end = start;
            var last = start;
            while (end < text.Length)
            {
                var space = text.IndexOf(' ', Math.Min(end + 1, text.Length - 1));
                if (space < 0 || space <= end) space = text.Length;
                if (last > start && canvas.Measure(text.AsSpan(start, space - start), Font.Body) > room) break;
                last = end = space;
            }

            _lines.Add((first || !item ? text[start..last] : "\t" + text[start..last], first && item));
            first = false;
            start = last;
            while (start < text.Length && text[start] == ' ') start++;
        }
    }
}
