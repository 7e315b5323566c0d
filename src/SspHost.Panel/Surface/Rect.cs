// A rectangle of pixels: what was drawn, what has to be sent.
namespace SspHost.Panel.Surface;

/// <summary>Pixels from (X, Y), Width to the right and Height down; empty where one of them is not positive.</summary>
public readonly record struct Rect(int X, int Y, int Width, int Height)
{
    /// <summary>First column beyond it.</summary>
    public int Right => X + Width;

    /// <summary>First row beyond it.</summary>
    public int Bottom => Y + Height;

    public bool IsEmpty => Width <= 0 || Height <= 0;

    public long Area => IsEmpty ? 0 : (long)Width * Height;

    public static Rect FromEdges(int left, int top, int right, int bottom) => new(left, top, right - left, bottom - top);

    public bool Contains(int x, int y) => x >= X && x < Right && y >= Y && y < Bottom;

    public bool Overlaps(Rect other) =>
        !IsEmpty && !other.IsEmpty && X < other.Right && other.X < Right && Y < other.Bottom && other.Y < Bottom;

    /// <summary>What both have; may be empty.</summary>
    public Rect And(Rect other) =>
        FromEdges(Math.Max(X, other.X), Math.Max(Y, other.Y), Math.Min(Right, other.Right), Math.Min(Bottom, other.Bottom));

    /// <summary>The smallest that holds both.</summary>
    public Rect Or(Rect other)
    {
        if (IsEmpty) return other;
        if (other.IsEmpty) return this;
        return FromEdges(Math.Min(X, other.X), Math.Min(Y, other.Y), Math.Max(Right, other.Right), Math.Max(Bottom, other.Bottom));
    }

    /// <summary>Smaller by <paramref name="by"/> pixels on each side; larger where it is negative.</summary>
    public Rect Inset(int by) => new(X + by, Y + by, Width - (2 * by), Height - (2 * by));
}
