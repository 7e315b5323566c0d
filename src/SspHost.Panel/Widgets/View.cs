// The widgets of a page, from back to front, and the redrawing of what changed.
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Widgets;

/// <summary>Widgets in the order in which they are drawn. Belongs to the panel's thread.</summary>
public sealed class View
{
    private readonly List<Widget> _widgets = [];
    private bool _changed;

    /// <summary>Number of widgets.</summary>
    public int Count => _widgets.Count;

    public T Add<T>(T widget)
        where T : Widget
    {
        _widgets.Add(widget);
        _changed = true;
        return widget;
    }

    /// <summary>Takes all away: the page is built anew.</summary>
    public void Clear()
    {
        _widgets.Clear();
        _changed = true;
    }

    /// <summary>Adds what has to be drawn again: all of <paramref name="bounds"/> where widgets came or went.</summary>
    public void Collect(Damage damage, Rect bounds)
    {
        if (_changed) damage.Add(bounds);
        _changed = false;
        foreach (var w in _widgets) w.Collect(damage);
    }

    /// <summary>Draws what lies within <paramref name="part"/>, on the background.</summary>
    public void Draw(Canvas canvas, Rect part)
    {
        foreach (var w in _widgets)
        {
            if (!w.Bounds.Overlaps(part)) continue;
            // The round end of a line does not reach into its neighbour, who would not know of it.
            canvas.Clip(w.Bounds);
            w.Draw(canvas);
            canvas.Unclip();
        }
    }
}
