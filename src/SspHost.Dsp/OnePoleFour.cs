// The one-pole low-pass, four frames of one voice at a time.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>What an <see cref="OnePoleFour"/> is told.</summary>
public readonly struct OnePoleGains
{
    internal readonly Vector128<float> Gain, Pole, Square, Powers;

    /// <summary>From <see cref="OnePole.Coefficient"/>.</summary>
    public OnePoleGains(float coefficient)
    {
        var p = 1f - (2f * coefficient);
        Gain = Vector128.Create(coefficient);
        Pole = Vector128.Create(p);
        Square = Vector128.Create(p * p);
        Powers = Vector128.Create(p, p * p, p * p * p, p * p * p * p);
    }
}

/// <summary>
/// The filter of <see cref="OnePole"/>, y = p y' + G (x + x') with p = 1 - 2 G. Its recursion over four frames is a scan (Blelloch,
/// Prefix Sums and Their Applications, 1990): two steps in the register, then p^1..p^4 times what was before, so that the loop waits
/// for one product and one sum every four frames instead of in each.
/// </summary>
public struct OnePoleFour
{
    private Vector128<float> _before;
    private float _y;

    /// <summary>Whether nothing is stored.</summary>
    public readonly bool IsZero => _y == 0f && _before[3] == 0f;

    /// <summary>The low-passed frames.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> LowPass(Vector128<float> x, in OnePoleGains gains)
    {
        var shifted = Vector128.Shuffle(x, Vector128.Create(3, 0, 1, 2)).WithElement(0, _before[3]);
        _before = x;
        var v = (x + shifted) * gains.Gain;
        v += (Vector128.Shuffle(v, Vector128.Create(0, 0, 1, 2)) & Vector128.Create(0, -1, -1, -1).AsSingle()) * gains.Pole;
        v += (Vector128.Shuffle(v, Vector128.Create(0, 0, 0, 1)) & Vector128.Create(0, 0, -1, -1).AsSingle()) * gains.Square;
        v += gains.Powers * Vector128.Create(_y);
        _y = Denormal.Flush(v[3]);
        return v;
    }
}
