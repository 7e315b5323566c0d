// A piece of a page: where it is, what it looks like, how it is drawn.
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Widgets;

/// <summary>
/// A widget holds no copy of what it shows: it asks at each frame, says in <see cref="Look"/> what came of it, and is drawn again where that has
/// changed. Looking and drawing allocate nothing.
/// </summary>
public abstract class Widget
{
    private ulong _looked;

    /// <summary>Where it is. It draws nowhere else.</summary>
    public Rect Bounds { get; set; }

    /// <summary>Says everything that decides what <see cref="Draw"/> draws.</summary>
    protected abstract void Look(ref Looks looks);

    /// <summary>Draws it, on the page's background; clipped to what has to be drawn again.</summary>
    public abstract void Draw(Canvas canvas);

    /// <summary>Adds to <paramref name="damage"/> what has to be drawn again since the last call; a widget of several parts overrides it.</summary>
    public virtual void Collect(Damage damage)
    {
        var looks = default(Looks);
        looks.Add(((long)Bounds.X << 32) | (uint)Bounds.Y);
        looks.Add(((long)Bounds.Width << 32) | (uint)Bounds.Height);
        Look(ref looks);
        if (looks.Value == _looked) return;
        _looked = looks.Value;
        damage.Add(Bounds);
    }
}
