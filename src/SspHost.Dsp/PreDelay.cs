// What keeps a sound in front of its room: the room hears it a little later.
namespace SspHost.Dsp;

/// <summary>One channel. Whole frames at rest, so that nothing is lost between samples; a change glides (see <see cref="TapeGlide"/>).</summary>
public unsafe struct PreDelay
{
    private readonly TapeGlide _glide;
    private readonly float _sampleRate;
    private SegmentLine _line;
    private double _frames;
    private bool _running;

    /// <summary>Floats to ask for, for <paramref name="longest"/> seconds.</summary>
    public static long Floats(float longest, float sampleRate) => SegmentLine.Floats(Frames(longest, sampleRate));

    /// <summary>Over a zeroed block of <see cref="Floats"/>.</summary>
    public PreDelay(float* block, float longest, float sampleRate)
    {
        _glide = new TapeGlide(sampleRate);
        _sampleRate = sampleRate;
        _line = new SegmentLine(block, Frames(longest, sampleRate));
    }

    /// <summary>Whether everything stored is exactly zero.</summary>
    public readonly bool AtRest => _line.AtRest;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        _line.Clear();
        _running = false;
    }

    /// <summary>
    /// Sixteen frames in <paramref name="samples"/> become those of <paramref name="seconds"/> ago. True when the delay stands still.
    /// </summary>
    public bool Segment(float* samples, float seconds)
    {
        var target = Math.Min(Math.Round(seconds * (double)_sampleRate), _line.Length - (2 * SegmentLine.Shortest));
        if (!_running) _frames = target;
        _running = true;
        var next = _glide.Towards(_frames, target);
        var still = next == target && _frames == target;
        _line.Write(samples);
        _line.ReadWritten(samples, _frames, next);
        _line.Advance();
        _frames = next;
        return still;
    }

    private static int Frames(float seconds, float sampleRate) => (int)(seconds * sampleRate) + (int)SegmentLine.Shortest + 2;
}
