// A filter's tuning as its loop needs it: products that do not wait for the signal.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// What a frame of <see cref="MatchedSvf"/> takes of a <see cref="MatchedTuning"/>. The lanes are four voices of one frame, or, for a voice
/// alone, four frames.
/// </summary>
public struct MatchedGains
{
    /// <summary>Gain of the integrators.</summary>
    public Vector128<float> G;

    /// <summary>What the band takes of half the first state.</summary>
    public Vector128<float> State;

    /// <summary>What the band takes of the input less the second state.</summary>
    public Vector128<float> Into;

    /// <summary>The damping, and what it grows by per V^2 of band.</summary>
    public Vector128<float> Damping, Growth;

    /// <summary>What that growth divides the band by, less one, per V^2.</summary>
    public Vector128<float> Divisor;

    /// <summary>Of a tuning.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MatchedGains Of(in MatchedTuning t)
    {
        MatchedGains gains;
        gains.G = t.G;
        gains.State = t.Inverse + t.Inverse;
        gains.Into = t.G * t.Inverse;
        gains.Damping = t.K;
        gains.Growth = Vector128.Create(MatchedSvf.Softness) * t.Kappa * t.Kappa * t.Kappa;
        gains.Divisor = gains.Growth * gains.Into;
        return gains;
    }
}
