// Twice the rate and back, for four voices at once: what a non-linearity adds above half the rate is taken out again.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Elliptic half-band filter of two allpass paths (Valenzuela and Constantinides, Digital Signal Processing Schemes for Efficient
/// Interpolation and Decimation, IEE Proc. 130, 1983), eight coefficients: flat up to 0.416 of the lower rate, 100 dB down from
/// 0.584 of it. One state serves one direction. Minimum of delay: about 1.6 frames of the lower rate each way at low frequencies.
/// </summary>
public struct HalfBand
{
    private const float C0 = 0.0397135108526f, C1 = 0.147382412527f, C2 = 0.295352828689f, C3 = 0.454002216441f;
    private const float C4 = 0.602654817056f, C5 = 0.732671805429f, C6 = 0.84526687477f, C7 = 0.948280918029f;

    private Vector128<float> _a0, _a1, _a2, _a3, _a4, _b0, _b1, _b2, _b3, _b4;

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
        var b = Vector128.MaxNative(Vector128.MaxNative(Vector128.Abs(_b0), Vector128.Abs(_b1)), Vector128.MaxNative(Vector128.Abs(_b2), Vector128.Abs(_b3)));
        return Vector128.MaxNative(Vector128.MaxNative(a, b), Vector128.MaxNative(Vector128.Abs(_a4), Vector128.Abs(_b4)));
    }

    /// <summary>Forgets the voices whose mask is set.</summary>
    public void Clear(Vector128<float> mask)
    {
        _a0 = Vector128.AndNot(_a0, mask);
        _a1 = Vector128.AndNot(_a1, mask);
        _a2 = Vector128.AndNot(_a2, mask);
        _a3 = Vector128.AndNot(_a3, mask);
        _a4 = Vector128.AndNot(_a4, mask);
        _b0 = Vector128.AndNot(_b0, mask);
        _b1 = Vector128.AndNot(_b1, mask);
        _b2 = Vector128.AndNot(_b2, mask);
        _b3 = Vector128.AndNot(_b3, mask);
        _b4 = Vector128.AndNot(_b4, mask);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128<float> PathA(Vector128<float> x)
    {
        var y0 = ((x - _a1) * Vector128.Create(C0)) + _a0;
        var y1 = ((y0 - _a2) * Vector128.Create(C2)) + _a1;
        var y2 = ((y1 - _a3) * Vector128.Create(C4)) + _a2;
        var y3 = ((y2 - _a4) * Vector128.Create(C6)) + _a3;
        (_a0, _a1, _a2, _a3, _a4) = (x, y0, y1, y2, y3);
        return y3;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128<float> PathB(Vector128<float> x)
    {
        var y0 = ((x - _b1) * Vector128.Create(C1)) + _b0;
        var y1 = ((y0 - _b2) * Vector128.Create(C3)) + _b1;
        var y2 = ((y1 - _b3) * Vector128.Create(C5)) + _b2;
        var y3 = ((y2 - _b4) * Vector128.Create(C7)) + _b3;
        (_b0, _b1, _b2, _b3, _b4) = (x, y0, y1, y2, y3);
        return y3;
    }
}
