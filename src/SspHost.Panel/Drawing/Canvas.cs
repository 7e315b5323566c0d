// What widgets draw with: cairo over the panel's own picture, without allocating.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Drawing;

/// <summary>Where a text stands against the point or box it is given.</summary>
public enum Align : byte
{
    Left,
    Center,
    Right,
}

/// <summary>A text that is about to be drawn: where, in which colour, and whether it has to be cut.</summary>
internal delegate void TextProbe(ReadOnlySpan<char> text, Rect box, Color color, bool cut);

/// <summary>
/// A picture and the pen for it. Coordinates are pixels from the top left corner. Belongs to one thread; drawing allocates nothing managed.
/// </summary>
public sealed unsafe class Canvas : IDisposable
{
    private const int MostBytes = 1024; // of a text: more fits no line of the panel
    private const int MostGlyphs = 256;
    private const int Pieces = 16;

    private readonly Typeface _typeface = new();
    private readonly nint _surface;
    private readonly nint _context;
    private readonly void* _pixels;
    private readonly Cairo.Glyph* _glyphs;
    private readonly byte* _text;
    private readonly Rect[] _clips = new Rect[8];
    private int _depth;

    public Canvas(int width = PanelSize.Width, int height = PanelSize.Height)
    {
        (Width, Height, Stride) = (width, height, width * sizeof(uint));
        _pixels = NativeMemory.AlignedAlloc((nuint)(Stride * height), 64);
        new Span<byte>(_pixels, Stride * height).Clear();
        _glyphs = (Cairo.Glyph*)NativeMemory.Alloc(MostGlyphs, (nuint)sizeof(Cairo.Glyph));
        _text = (byte*)NativeMemory.Alloc(MostBytes + 1);
        _surface = Cairo.CreateSurface(_pixels, Cairo.FormatRgb24, width, height, Stride);
        _context = Cairo.Create(_surface);
        if (Cairo.SurfaceStatus(_surface) is not Cairo.StatusSuccess and var status) throw new ExternalException($"cairo cannot draw {width}x{height} (status {status})");
        Cairo.SetLineCap(_context, Cairo.LineCapRound);
        Cairo.SetLineJoin(_context, Cairo.LineJoinRound);
    }

    public int Width { get; }

    public int Height { get; }

    /// <summary>Bytes from row to row.</summary>
    public int Stride { get; }

    public Rect Bounds => new(0, 0, Width, Height);

    /// <summary>The colours in use.</summary>
    public Theme Theme { get; set; } = Theme.Dark;

    /// <summary>Told of each text before it is drawn, for tests: that it is legible where it stands, and not cut.</summary>
    internal TextProbe? Probe { get; set; }

    /// <summary>The picture as it is now.</summary>
    public Frame Frame(ulong serial)
    {
        Cairo.Flush(_surface);
        return new Frame((nint)_pixels, Width, Height, Stride, serial);
    }

    /// <summary>What is drawn into at this moment: what lies outside need not be drawn.</summary>
    public Rect Clipped => _depth > 0 ? _clips[_depth - 1] : Bounds;

    /// <summary>Everything until <see cref="Unclip"/> is drawn within this rectangle only. Nests, eight deep.</summary>
    public void Clip(Rect r)
    {
        _clips[_depth] = Clipped.And(r);
        _depth++;
        Cairo.Save(_context);
        Cairo.NewPath(_context);
        Cairo.Rectangle(_context, r.X, r.Y, Math.Max(0, r.Width), Math.Max(0, r.Height));
        Cairo.Clip(_context);
    }

    public void Unclip()
    {
        _depth--;
        Cairo.Restore(_context);
    }

    public void Fill(Rect r, Color color)
    {
        Source(color);
        Cairo.NewPath(_context);
        Cairo.Rectangle(_context, r.X, r.Y, r.Width, r.Height);
        Cairo.Fill(_context);
    }

    /// <summary>A rectangle with round corners.</summary>
    public void FillRound(Rect r, double radius, Color color)
    {
        Round(r.X, r.Y, r.Width, r.Height, radius);
        Source(color);
        Cairo.Fill(_context);
    }

    /// <summary>The edge of one, inside of the rectangle.</summary>
    public void FrameRound(Rect r, double radius, Color color, double width = 2)
    {
        Round(r.X + (width / 2), r.Y + (width / 2), r.Width - width, r.Height - width, radius - (width / 2));
        Pen(color, width);
        Cairo.Stroke(_context);
    }

    public void Line(double x0, double y0, double x1, double y1, Color color, double width = 2)
    {
        Cairo.NewPath(_context);
        Cairo.MoveTo(_context, x0, y0);
        Cairo.LineTo(_context, x1, y1);
        Pen(color, width);
        Cairo.Stroke(_context);
    }

    public void Disc(double x, double y, double radius, Color color)
    {
        Source(color);
        Cairo.NewPath(_context);
        Cairo.Arc(_context, x, y, radius, 0, 2 * Math.PI);
        Cairo.Fill(_context);
    }

    public void Ring(double x, double y, double radius, Color color, double width = 2)
    {
        Cairo.NewPath(_context);
        Cairo.Arc(_context, x, y, radius, 0, 2 * Math.PI);
        Pen(color, width);
        Cairo.Stroke(_context);
    }

    /// <summary>Part of a ring, from one angle to a larger one: radians, clockwise, 0 to the right.</summary>
    public void Arc(double x, double y, double radius, double from, double to, Color color, double width)
    {
        Cairo.NewPath(_context);
        Cairo.Arc(_context, x, y, radius, from, to);
        Pen(color, width);
        Cairo.Stroke(_context);
    }

    /// <summary>A cable between two points, leaving to the right and arriving from the left; dashed where it is delayed.</summary>
    public void Cable(double x0, double y0, double x1, double y1, Color color, double width, bool dashed = false)
    {
        var reach = Math.Max(24, Math.Abs(x1 - x0) / 2);
        Cairo.NewPath(_context);
        Cairo.MoveTo(_context, x0, y0);
        Cairo.CurveTo(_context, x0 + reach, y0, x1 - reach, y1, x1, y1);
        if (dashed)
        {
            var dashes = stackalloc double[2] { 8, 6 };
            Cairo.SetDash(_context, dashes, 2, 0);
        }

        Pen(color, width);
        Cairo.Stroke(_context);
        if (dashed) Cairo.SetDash(_context, null, 0, 0);
    }

    /// <summary>A line through points at even steps from left to right: <paramref name="ys"/> are pixels from the top.</summary>
    public void Trace(double x, double step, ReadOnlySpan<float> ys, Color color, double width = 2)
    {
        if (ys.Length < 2) return;
        Cairo.NewPath(_context);
        Cairo.MoveTo(_context, x, ys[0]);
        Pen(color, width);
        for (var i = 1; i < ys.Length; i++)
        {
            Cairo.LineTo(_context, x + (i * step), ys[i]);
            if (i % Pieces == 0) StrokeOn(x + (i * step), ys[i]);
        }

        Cairo.Stroke(_context);
    }

    /// <summary>A line through points, x and y in turn; closed and filled where <paramref name="filled"/>.</summary>
    public void Polygon(ReadOnlySpan<float> points, Color color, double width = 2, bool filled = false)
    {
        if (points.Length < 4) return;
        Cairo.NewPath(_context);
        Cairo.MoveTo(_context, points[0], points[1]);
        Pen(color, width);
        for (var i = 2; i + 1 < points.Length; i += 2)
        {
            Cairo.LineTo(_context, points[i], points[i + 1]);
            if (!filled && i / 2 % Pieces == 0) StrokeOn(points[i], points[i + 1]);
        }

        if (filled)
        {
            Cairo.ClosePath(_context);
            Source(color);
            Cairo.Fill(_context);
            return;
        }

        Cairo.Stroke(_context);
    }

    /// <summary>Pixels that a text takes in one line.</summary>
    public double Measure(ReadOnlySpan<char> text, Font font)
    {
        var count = Glyphs(text, font, out var glyphs);
        var width = WidthOf(font, glyphs, count);
        Free(glyphs);
        return width;
    }

    /// <summary>Pixels of a line of type from top to bottom.</summary>
    public double LineHeight(Font font) => _typeface.Height(font);

    /// <summary>
    /// One line of text. <paramref name="x"/> is its left end, middle or right end, <paramref name="y"/> the top of the line. What is wider than
    /// <paramref name="most"/> pixels is cut and ends in three dots.
    /// </summary>
    public void Text(ReadOnlySpan<char> text, double x, double y, Font font, Color color, Align align = Align.Left, double most = double.MaxValue)
    {
        if (text.IsEmpty) return;
        var count = Glyphs(text, font, out var glyphs);
        var width = WidthOf(font, glyphs, count);
        Probe?.Invoke(text, Placed(x, y, Math.Min(width, most), font, align), color, width > most);
        if (width > most)
        {
            Free(glyphs);
            Cut(text, x, y, font, color, align, most);
            return;
        }

        Show(glyphs, count, x, y, width, font, color, align);
        Free(glyphs);
    }

    /// <summary>One line of text in the middle of a box's height, at its left end, middle or right end; cut where it is too wide.</summary>
    public void Text(ReadOnlySpan<char> text, Rect box, Font font, Color color, Align align = Align.Left)
    {
        var x = align switch { Align.Left => box.X, Align.Right => box.Right, _ => box.X + (box.Width / 2.0) };
        Text(text, x, box.Y + ((box.Height - _typeface.Height(font)) / 2), font, color, align, box.Width);
    }

    /// <summary>The same in a smaller type where it does not fit in the larger one.</summary>
    public void Text(ReadOnlySpan<char> text, Rect box, Font font, Font smaller, Color color, Align align = Align.Left) =>
        Text(text, box, Measure(text, font) <= box.Width ? font : smaller, color, align);

    /// <summary>Writes the picture as a PNG file.</summary>
    public void WritePng(string path)
    {
        Cairo.Flush(_surface);
        if (Cairo.WritePng(_surface, path) is not Cairo.StatusSuccess and var status) throw new IOException($"{path}: cairo cannot write it (status {status})");
    }

    public void Dispose()
    {
        Cairo.Destroy(_context);
        Cairo.DestroySurface(_surface);
        NativeMemory.AlignedFree(_pixels);
        NativeMemory.Free(_glyphs);
        NativeMemory.Free(_text);
        _typeface.Dispose();
    }

    private Rect Placed(double x, double y, double width, Font font, Align align) =>
        new((int)(align switch { Align.Left => x, Align.Right => x - width, _ => x - (width / 2) }), (int)y, (int)width, (int)_typeface.Height(font));

    private void Source(Color color) => Cairo.SetSource(_context, color.Red, color.Green, color.Blue, color.Alpha);

    private void Pen(Color color, double width)
    {
        Source(color);
        Cairo.SetLineWidth(_context, width);
    }

    // A long line is stroked piece by piece: cairo looks for crossings within a path, and a dense wave has thousands.
    private void StrokeOn(double x, double y)
    {
        Cairo.Stroke(_context);
        Cairo.MoveTo(_context, x, y);
    }

    private void Round(double x, double y, double width, double height, double radius)
    {
        radius = Math.Max(0, Math.Min(radius, Math.Min(width, height) / 2));
        Cairo.NewPath(_context);
        Cairo.Arc(_context, x + width - radius, y + radius, radius, -Math.PI / 2, 0);
        Cairo.Arc(_context, x + width - radius, y + height - radius, radius, 0, Math.PI / 2);
        Cairo.Arc(_context, x + radius, y + height - radius, radius, Math.PI / 2, Math.PI);
        Cairo.Arc(_context, x + radius, y + radius, radius, Math.PI, Math.PI * 1.5);
        Cairo.ClosePath(_context);
    }

    // Glyphs of a text from (0, 0) on: in the canvas' own array where they fit there, else in one of cairo's that has to be freed.
    private int Glyphs(ReadOnlySpan<char> text, Font font, out Cairo.Glyph* glyphs)
    {
        var bytes = Encoding.UTF8.GetMaxByteCount(text.Length) <= MostBytes
            ? Encoding.UTF8.GetBytes(text, new Span<byte>(_text, MostBytes))
            : Encoding.UTF8.GetBytes(text[..Math.Min(text.Length, MostBytes / 3 - 1)], new Span<byte>(_text, MostBytes));
        _text[bytes] = 0;
        glyphs = _glyphs;
        var count = MostGlyphs;
        var at = glyphs;
        if (Cairo.TextToGlyphs(_typeface.Handle(font), 0, 0, _text, bytes, &at, &count, null, null, null) != Cairo.StatusSuccess) count = 0;
        glyphs = at;
        return count;
    }

    private void Free(Cairo.Glyph* glyphs)
    {
        if (glyphs != _glyphs) Cairo.FreeGlyphs(glyphs);
    }

    private double WidthOf(Font font, Cairo.Glyph* glyphs, int count)
    {
        if (count == 0) return 0;
        Cairo.TextExtents extents;
        Cairo.GlyphExtents(_typeface.Handle(font), glyphs, count, &extents);
        return extents.XAdvance;
    }

    private void Show(Cairo.Glyph* glyphs, int count, double x, double y, double width, Font font, Color color, Align align)
    {
        // Whole pixels: the same text looks the same wherever it stands, and its glyphs come from cairo's cache.
        var left = Math.Round(align switch { Align.Left => x, Align.Right => x - width, _ => x - (width / 2) });
        var baseline = Math.Round(y + _typeface.Ascent(font));
        for (var i = 0; i < count; i++)
        {
            glyphs[i].X += left;
            glyphs[i].Y += baseline;
        }

        Source(color);
        Cairo.SetFont(_context, _typeface.Handle(font));
        Cairo.ShowGlyphs(_context, glyphs, count);
    }

    private void Cut(ReadOnlySpan<char> text, double x, double y, Font font, Color color, Align align, double most)
    {
        Span<char> shorter = stackalloc char[128];
        var (low, high) = (0, Math.Min(text.Length, shorter.Length - 1));
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            text[..middle].CopyTo(shorter);
            shorter[middle] = '…';
            if (Measure(shorter[..(middle + 1)], font) <= most) low = middle;
            else high = middle - 1;
        }

        if (low > 0 && char.IsHighSurrogate(text[low - 1])) low--;
        text[..low].CopyTo(shorter);
        shorter[low] = '…';
        var count = Glyphs(shorter[..(low + 1)], font, out var glyphs);
        Show(glyphs, count, x, y, WidthOf(font, glyphs, count), font, color, align);
        Free(glyphs);
    }
}
