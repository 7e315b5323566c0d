// Four times the rate and back, for four voices at once.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>Two half-bands in a row: flat to 0.416 of the lower rate, 98 dB down from 0.584 of it. One state serves one direction.</summary>
public struct FourTimes
{
    private HalfBand _near;
    private HalfBandWide _far;

    /// <summary>One frame into four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Up(Vector128<float> x, out Vector128<float> a, out Vector128<float> b, out Vector128<float> c, out Vector128<float> d)
    {
        _near.Up(x, out var first, out var second);
        _far.Up(first, out a, out b);
        _far.Up(second, out c, out d);
    }

    /// <summary>Four frames into one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Down(Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        var first = _far.Down(a, b);
        return _near.Down(first, _far.Down(c, d));
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
