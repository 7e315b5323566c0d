// Eight times the rate and back, for four voices at once: for curves with corners, driven hard.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>As <see cref="FourTimes"/>, doubled once more. One state serves one direction.</summary>
public unsafe struct EightTimes
{
    private FourTimes _near;
    private HalfBandWide _far;

    /// <summary>Frames of the lower rate by which up and down again delay low frequencies, rounded.</summary>
    public const int Latency = 5;

    /// <summary>One frame into eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Up(Vector128<float> x, Vector128<float>* eight)
    {
        _near.Up(x, out var a, out var b, out var c, out var d);
        _far.Up(a, out eight[0], out eight[1]);
        _far.Up(b, out eight[2], out eight[3]);
        _far.Up(c, out eight[4], out eight[5]);
        _far.Up(d, out eight[6], out eight[7]);
    }

    /// <summary>Eight frames into one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Down(Vector128<float>* eight)
    {
        var a = _far.Down(eight[0], eight[1]);
        var b = _far.Down(eight[2], eight[3]);
        var c = _far.Down(eight[4], eight[5]);
        return _near.Down(a, b, c, _far.Down(eight[6], eight[7]));
    }

    /// <summary>Largest stored magnitude, by voice.</summary>
    public readonly Vector128<float> Peak() => Vector128.MaxNative(_near.Peak(), _far.Peak());

    /// <summary>Forgets the voices whose mask is set.</summary>
    public void Clear(Vector128<float> mask)
    {
        _near.Clear(mask);
        _far.Clear(mask);
    }
}
