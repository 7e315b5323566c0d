// The one-pole low-pass, four frames of one voice at a time.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>What an <see cref="OnePoleFour"/> is told.</summary>
public readonly struct OnePoleGains
{
    internal readonly Vector128<float> Gain, Once, Twice, Powers;

    /// <summary>From <see cref="OnePole.Coefficient"/>.</summary>
    public OnePoleGains(float coefficient)
    {
        var p = 1f - (2f * coefficient);
        Gain = Vector128.Create(coefficient);
        Once = Vector128.Create(0f, p, p, p);
        Twice = Vector128.Create(0f, 0f, p * p, p * p);
        Powers = Vector128.Create(p, p * p, p * p * p, p * p * p * p);
    }
}

/// <summary>
/// The filter of <see cref="OnePole"/>, y = p y' + G (x + x') with p = 1 - 2 G. Its recursion over four frames is a scan (Blelloch,
/// Prefix Sums and Their Applications, 1990): two steps in the register, then p^1..p^4 times what was before, so that the loop waits
/// for one product and one sum every four frames instead of in each. Where it is called in a loop it wants to be a local, or what was before
/// is waited for in memory.
/// </summary>
public struct OnePoleFour
{
    // The four frames before, turned by one, and the last frame's output in every lane.
    private Vector128<float> _before, _y;

    /// <summary>Whether nothing is stored.</summary>
    public readonly bool IsZero => _y.ToScalar() == 0f && _before.ToScalar() == 0f;

    /// <summary>The low-passed frames.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> LowPass(Vector128<float> x, in OnePoleGains gains)
    {
        var turned = Vector128.Shuffle(x, Vector128.Create(3, 0, 1, 2));
        var shifted = Vector128.ConditionalSelect(Vector128.Create(-1, 0, 0, 0).AsSingle(), _before, turned);
        _before = turned;
        var v = (x + shifted) * gains.Gain;
        v = Vector128.MultiplyAddEstimate(Vector128.Shuffle(v, Vector128.Create(0, 0, 1, 2)), gains.Once, v);
        v = Vector128.MultiplyAddEstimate(Vector128.Shuffle(v, Vector128.Create(0, 0, 0, 1)), gains.Twice, v);
        v = Vector128.MultiplyAddEstimate(_y, gains.Powers, v);
        _y = Denormal.Flush(Vector128.Shuffle(v, Vector128.Create(3)));
        return v;
    }
}
