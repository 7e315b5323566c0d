// The second doubling of the rate: where nothing lies between a fifth and a half of it, a short filter does.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// As <see cref="HalfBand"/>, with five coefficients: flat up to 0.292 of the lower rate, 103 dB down from 0.708 of it.
/// </summary>
public struct HalfBandWide
{
    private const float C0 = 0.0417781475932f, C1 = 0.159457780896f, C2 = 0.335938054797f, C3 = 0.558210667775f, C4 = 0.832270054159f;

    private Vector128<float> _a0, _a1, _a2, _a3, _b0, _b1, _b2;

    /// <summary>One frame into two.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Up(Vector128<float> x, out Vector128<float> first, out Vector128<float> second)
    {
        first = PathA(x);
        second = PathB(x);
    }

    /// <summary>Two frames into one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Down(Vector128<float> first, Vector128<float> second) =>
        (PathA(second) + PathB(first)) * Vector128.Create(0.5f);

    /// <summary>Largest stored magnitude, by voice.</summary>
    public readonly Vector128<float> Peak()
    {
        var a = Vector128.MaxNative(Vector128.MaxNative(Vector128.Abs(_a0), Vector128.Abs(_a1)), Vector128.MaxNative(Vector128.Abs(_a2), Vector128.Abs(_a3)));
        var b = Vector128.MaxNative(Vector128.MaxNative(Vector128.Abs(_b0), Vector128.Abs(_b1)), Vector128.Abs(_b2));
        return Vector128.MaxNative(a, b);
    }

    /// <summary>Forgets the voices whose mask is set.</summary>
    public void Clear(Vector128<float> mask)
    {
        _a0 = Vector128.AndNot(_a0, mask);
        _a1 = Vector128.AndNot(_a1, mask);
        _a2 = Vector128.AndNot(_a2, mask);
        _a3 = Vector128.AndNot(_a3, mask);
        _b0 = Vector128.AndNot(_b0, mask);
        _b1 = Vector128.AndNot(_b1, mask);
        _b2 = Vector128.AndNot(_b2, mask);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128<float> PathA(Vector128<float> x)
    {
        var y0 = ((x - _a1) * Vector128.Create(C0)) + _a0;
        var y1 = ((y0 - _a2) * Vector128.Create(C2)) + _a1;
        var y2 = ((y1 - _a3) * Vector128.Create(C4)) + _a2;
        (_a0, _a1, _a2, _a3) = (x, y0, y1, y2);
        return y2;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128<float> PathB(Vector128<float> x)
    {
        var y0 = ((x - _b1) * Vector128.Create(C1)) + _b0;
        var y1 = ((y0 - _b2) * Vector128.Create(C3)) + _b1;
        (_b0, _b1, _b2) = (x, y0, y1);
        return y1;
    }
}
