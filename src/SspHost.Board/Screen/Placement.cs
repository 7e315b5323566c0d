// Where the panel's picture is on a screen of another size or turned by a quarter: scaled to fit, centred, black around it.
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>
/// The picture of Source size becomes Scaled, is turned clockwise by quarters and put at (X, Y). On a screen that is large enough it grows by whole
/// factors only, so that lines stay sharp.
/// </summary>
/// <param name="Quarters">0..3 quarter turns clockwise.</param>
internal readonly record struct Placement(int SourceWidth, int SourceHeight, int ScaledWidth, int ScaledHeight, int Quarters, int X, int Y)
{
    public bool IsScaled => ScaledWidth != SourceWidth || ScaledHeight != SourceHeight;

    public bool IsUpright => (Quarters & 1) == 0;

    /// <summary>The picture in pixels of the screen.</summary>
    public Rect Picture => new(X, Y, IsUpright ? ScaledWidth : ScaledHeight, IsUpright ? ScaledHeight : ScaledWidth);

    /// <summary>Fits a picture into a screen. Both are at least a pixel in each direction.</summary>
    public static Placement Fit(int width, int height, int screenWidth, int screenHeight, int quarters)
    {
        quarters &= 3;
        var (roomX, roomY) = (quarters & 1) == 0 ? (screenWidth, screenHeight) : (screenHeight, screenWidth);
        var factor = Math.Min(roomX / width, roomY / height);
        var (w, h) = factor >= 1 ? (width * factor, height * factor)
            : (long)roomX * height <= (long)roomY * width ? (roomX, Math.Max(1, (int)((long)height * roomX / width)))
            : (Math.Max(1, (int)((long)width * roomY / height)), roomY);
        var (onX, onY) = (quarters & 1) == 0 ? (w, h) : (h, w);
        return new Placement(width, height, w, h, quarters, (screenWidth - onX) / 2, (screenHeight - onY) / 2);
    }

    /// <summary>All pixels of the screen that show some of a rectangle of the picture; a scaled one may touch a pixel more on each side.</summary>
    public Rect ToScreen(Rect r)
    {
        r = r.And(new Rect(0, 0, SourceWidth, SourceHeight));
        if (r.IsEmpty) return default;
        var (left, right) = Span(r.X, r.Right, SourceWidth, ScaledWidth);
        var (top, bottom) = Span(r.Y, r.Bottom, SourceHeight, ScaledHeight);
        return Quarters switch
        {
            0 => Rect.FromEdges(X + left, Y + top, X + right, Y + bottom),
            1 => Rect.FromEdges(X + ScaledHeight - bottom, Y + left, X + ScaledHeight - top, Y + right),
            2 => Rect.FromEdges(X + ScaledWidth - right, Y + ScaledHeight - bottom, X + ScaledWidth - left, Y + ScaledHeight - top),
            _ => Rect.FromEdges(X + top, Y + ScaledWidth - right, X + bottom, Y + ScaledWidth - left),
        };
    }

    private static (int From, int To) Span(int from, int to, int source, int scaled)
    {
        if (source == scaled) return (from, to);
        return (Math.Max(0, (int)((long)from * scaled / source) - 1), Math.Min(scaled, (int)((((long)to * scaled) + source - 1) / source) + 1));
    }
}
