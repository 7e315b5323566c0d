// The bend of an envelope segment: how far it has come after which part of its time.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// f(p) = (1 - 2^(-c p)) / (1 - 2^(-c)) for p in [0, 1]: f(0) = 0, f(1) = 1. c &gt; 0 starts fast and settles, as a charging
/// capacitor does; c &lt; 0 starts slowly; c near 0 is a straight line.
/// </summary>
public readonly struct Curve
{
    private readonly float _c, _scale;

    /// <param name="bend">-1..1, of which 1 is 8 octaves of rate between start and end.</param>
    public Curve(float bend)
    {
        _c = -8f * bend;
        _scale = Math.Abs(_c) < 1e-4f ? 0f : 1f / FastMath.Exp2Minus1(_c);
    }

    /// <summary>f(<paramref name="progress"/>).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float At(float progress) => _scale == 0f ? progress : FastMath.Exp2Minus1(_c * progress) * _scale;

    /// <summary>The progress at which f is <paramref name="value"/> 0..1, within 1e-5 where |bend| is 0.5 or less, 1e-3 at most.</summary>
    public float Inverse(float value)
    {
        value = Math.Min(Math.Max(value, 0f), 1f);
        if (_scale == 0f) return value;
        var progress = FastMath.Log2(Vector128.Create(1f + (value / _scale)))[0] / _c;
        return Math.Min(Math.Max(progress, 0f), 1f);
    }
}
