// The bend of an envelope segment: how far it has come after which part of its time.
using System.Runtime.CompilerServices;

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
}
