// A delay line: the past of one channel, read between samples.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>A ring of samples in memory the host gave. Read before the frame's write: the newest sample there is has delay 1.</summary>
public unsafe struct DelayLine
{
    /// <summary>Frames below which a fractional read would need the future.</summary>
    public const float Shortest = 2f;

    // Hermite reads one frame newer and two older than the whole part.
    private const int Margin = 4;

    private readonly float* _data;
    private readonly int _length;
    private int _write;

    /// <summary>Floats to ask for where the longest delay is <paramref name="frames"/>.</summary>
    public static long Floats(long frames) => frames + Margin;

    /// <summary>Over a zeroed block of <see cref="Floats"/>(<paramref name="frames"/>).</summary>
    public DelayLine(float* block, int frames)
    {
        _data = block;
        _length = frames + Margin;
    }

    /// <summary>Longest delay in frames.</summary>
    public readonly int Longest => _length - Margin;

    /// <summary>Frames after which nothing written before can be read.</summary>
    public readonly int Length => _length;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Block.Zero(_data, _length);
        _write = 0;
    }

    /// <summary>The sample <paramref name="frames"/> ago, <see cref="Shortest"/>..<see cref="Longest"/>; whole delays are exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Read(double frames)
    {
        var whole = (int)frames;
        var t = (float)(frames - whole);
        var at = _write - whole; // b; time runs backwards from here: c is one older
        if (at - 2 >= 0 && at + 1 < _length)
            return Hermite.At(_data[at + 1], _data[at], _data[at - 1], _data[at - 2], t);
        return Hermite.At(_data[Wrap(at + 1)], _data[Wrap(at)], _data[Wrap(at - 1)], _data[Wrap(at - 2)], t);
    }

    /// <summary>Takes the sample of this frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(float x)
    {
        _data[_write] = x;
        if (++_write == _length) _write = 0;
    }

    private readonly int Wrap(int at) => at < 0 ? at + _length : at >= _length ? at - _length : at;
}
