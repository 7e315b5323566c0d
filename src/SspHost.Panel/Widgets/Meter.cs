// A level: a bar in decibels, its peak of the last second, and a light that says it clipped.
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Widgets;

/// <summary>A bar from -60 dB to +6 dB of <see cref="Full"/>. The page gives it a level a frame.</summary>
internal sealed class Meter : Widget
{
    private const double Floor = -60, Top = 6;
    private const ulong Hold = 1_000_000_000, Clipped = 3_000_000_000;

    private float _level;
    private float _peak;
    private ulong _peakAt, _clippedAt;
    private bool _clip;

    /// <summary>Volts at 0 dB.</summary>
    public float Full { get; set; } = 5;

    /// <summary>Volts at which a converter clips.</summary>
    public float Clip { get; set; } = 10;

    /// <summary>Whether it lies.</summary>
    public bool Horizontal { get; set; }

    /// <summary>A new level: the peak of the time since the last one, in volts.</summary>
    public void Set(float volts, ulong now)
    {
        _level = float.IsFinite(volts) ? Math.Abs(volts) : 0;
        if (_level >= _peak || now > _peakAt + Hold) (_peak, _peakAt) = (_level, now);
        if (_level >= Clip) _clippedAt = now;
        _clip = _clippedAt != 0 && now < _clippedAt + Clipped;
    }

    private int Length => Horizontal ? Bounds.Width : Bounds.Height;

    protected override void Look(ref Looks looks)
    {
        looks.Add(Pixels(_level));
        looks.Add(Pixels(_peak));
        looks.Add(_clip);
    }

    public override void Draw(Canvas canvas)
    {
        var theme = canvas.Theme;
        canvas.FillRound(Bounds, 3, theme.Line.Towards(theme.Background, 0.6));
        var (level, peak) = (Pixels(_level), Pixels(_peak));
        var color = _clip ? theme.Bad : _level > Full * 1.26f ? theme.Warning : theme.Good;
        if (level > 0) canvas.FillRound(Part(0, level), 3, color);
        if (peak > 2) canvas.Fill(Part(peak - 2, peak), _clip ? theme.Bad : theme.Text);
    }

    private Rect Part(int from, int to) => Horizontal
        ? new Rect(Bounds.X + from, Bounds.Y, to - from, Bounds.Height)
        : new Rect(Bounds.X, Bounds.Bottom - to, Bounds.Width, to - from);

    private int Pixels(float volts)
    {
        if (volts <= 0) return 0;
        var db = 20 * Math.Log10(volts / Full);
        return (int)Math.Clamp((db - Floor) / (Top - Floor) * Length, 0, Length);
    }
}
