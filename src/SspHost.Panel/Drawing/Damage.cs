// What has to be drawn again: a few rectangles, never more than sixteen.
using SspHost.Panel.Surface;

namespace SspHost.Panel.Drawing;

/// <summary>Rectangles that do not overlap. Adding allocates nothing; where there are too many, the two that waste least become one.</summary>
public sealed class Damage(Rect bounds)
{
    private const int Most = 16;

    private readonly Rect[] _rects = new Rect[Most + 1];
    private int _count;

    public bool IsEmpty => _count == 0;

    public ReadOnlySpan<Rect> Rects => _rects.AsSpan(0, _count);

    public void Clear() => _count = 0;

    public void AddAll()
    {
        _rects[0] = bounds;
        _count = 1;
    }

    public void Add(ReadOnlySpan<Rect> rects)
    {
        foreach (var r in rects) Add(r);
    }

    public void Add(Rect r)
    {
        r = r.And(bounds);
        if (r.IsEmpty) return;

        // One that overlaps grows into it; the sum may overlap others that were passed already, so that the look begins again.
        for (var i = 0; i < _count; i++)
        {
            if (!_rects[i].Overlaps(r)) continue;
            r = r.Or(_rects[i]);
            _rects[i] = _rects[--_count];
            i = -1;
        }

        _rects[_count++] = r;
        if (_count > Most) Join();
    }

    private void Join()
    {
        var (first, second, least) = (0, 1, long.MaxValue);
        for (var i = 0; i < _count; i++)
        {
            for (var j = i + 1; j < _count; j++)
            {
                var waste = _rects[i].Or(_rects[j]).Area - _rects[i].Area - _rects[j].Area;
                if (waste < least) (first, second, least) = (i, j, waste);
            }
        }

        var joined = _rects[first].Or(_rects[second]);
        _rects[second] = _rects[--_count];
        _rects[first] = _rects[--_count];
        Add(joined);
    }
}
