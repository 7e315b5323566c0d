// What a buffer has not been given yet: some rectangles, or one around them where they are many.
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>Rectangles of the panel's picture that a buffer still shows as they were. Of one thread at a time.</summary>
internal sealed class Owed
{
    private const int Most = 24;

    private readonly Rect[] _rects = new Rect[Most];
    private int _count;

    public ReadOnlySpan<Rect> Rects => _rects.AsSpan(0, _count);

    public void Add(ReadOnlySpan<Rect> rects)
    {
        foreach (var r in rects) Add(r);
    }

    public void Add(Rect rect)
    {
        if (rect.IsEmpty) return;
        for (var i = 0; i < _count; i++)
        {
            var both = _rects[i].Or(rect);
            if (both.Area > _rects[i].Area + rect.Area) continue;
            _rects[i] = both; // nothing more is copied than each of them alone
            return;
        }

        if (_count < Most)
        {
            _rects[_count++] = rect;
            return;
        }

        foreach (var r in Rects) rect = rect.Or(r);
        _rects[0] = rect;
        _count = 1;
    }

    public void AddAll(int width, int height)
    {
        _rects[0] = new Rect(0, 0, width, height);
        _count = 1;
    }

    public void Clear() => _count = 0;
}
