// A second-order filter at the sample rate with the poles and the magnitude of the analogue one, all the way up.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// The coefficients of a trapezoidal state-variable filter whose poles are exp(s) of the analogue ones s^2 + k w s + w^2 (impulse
/// invariance), in place of those the bilinear transform would bend: with a = k w / 2 and t = w sqrt(1 - k^2 / 4) the filter's own
/// frequency is g^2 = (sin^2(t/2) + sinh^2(a/2)) / (cos^2(t/2) + sinh^2(a/2)) and its damping times g is sinh(a) over the same. Its outputs
/// are then weighed so that magnitudes agree at 0 Hz, in their curvature there, and at half the rate: the idea of Vicanek, Matched Second
/// Order Digital Filters (2016), carried over to outputs of a filter whose cutoff may move at any speed.
/// </summary>
public struct MatchedTuning
{
    // sin(pi x / 2) / x and sinh, cosh as power series.
    private const float S1 = 1.57079632679f, S3 = -0.645964097506f, S5 = 0.0796926262462f, S7 = -0.00468175413532f, S9 = 0.000160441184787f;
    private const float S11 = -3.59884323521e-6f;

    /// <summary>Gain of the integrators.</summary>
    public Vector128<float> G;

    /// <summary>1 / (1 + g damping + g^2).</summary>
    public Vector128<float> Inverse;

    /// <summary>The filter's damping over the analogue one, at least 1.</summary>
    public Vector128<float> Kappa;

    /// <summary>The filter's damping.</summary>
    public Vector128<float> K;

    /// <summary>For cutoff <paramref name="turns"/> (over the rate, 1e-6..0.46) and damping <paramref name="k"/> (-0.1..2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static MatchedTuning Of(Vector128<float> turns, Vector128<float> k)
    {
        var one = Vector128<float>.One;
        var half = k * Vector128.Create(0.5f);
        var root = Vector128.Sqrt(Vector128.MaxNative(Vector128.MultiplyAddEstimate(-half, half, one), Vector128<float>.Zero));

        // sin(t / 2), t / 2 = pi turns root, up to 1.45.
        var r = turns * root * Vector128.Create(2f);
        var rr = r * r;
        var p = Vector128.MultiplyAddEstimate(rr, Vector128.Create(S11), Vector128.Create(S9));
        p = Vector128.MultiplyAddEstimate(rr, p, Vector128.Create(S7));
        p = Vector128.MultiplyAddEstimate(rr, p, Vector128.Create(S5));
        p = Vector128.MultiplyAddEstimate(rr, p, Vector128.Create(S3));
        var s = r * Vector128.MultiplyAddEstimate(rr, p, Vector128.Create(S1));
        var s2 = s * s;

        // sinh(a / 2) = h sh and cosh(a / 2), h up to 1.45.
        var w = turns * Vector128.Create(MathF.PI);
        var h = w * half;
        var hh = h * h;
        var sh = Vector128.MultiplyAddEstimate(hh, Vector128.Create(1f / 362_880f), Vector128.Create(1f / 5040f));
        sh = Vector128.MultiplyAddEstimate(hh, sh, Vector128.Create(1f / 120f));
        sh = Vector128.MultiplyAddEstimate(hh, sh, Vector128.Create(1f / 6f));
        sh = Vector128.MultiplyAddEstimate(hh, sh, one);
        var ch = Vector128.MultiplyAddEstimate(hh, Vector128.Create(1f / 3_628_800f), Vector128.Create(1f / 40_320f));
        ch = Vector128.MultiplyAddEstimate(hh, ch, Vector128.Create(1f / 720f));
        ch = Vector128.MultiplyAddEstimate(hh, ch, Vector128.Create(1f / 24f));
        ch = Vector128.MultiplyAddEstimate(hh, ch, Vector128.Create(0.5f));
        ch = Vector128.MultiplyAddEstimate(hh, ch, one);
        var square = hh * sh * sh;
        var above = s2 + square;
        var below = one - s2 + square;
        var inverse = one / (above * below);
        var g2 = above * above * inverse;
        var g = Vector128.Sqrt(g2);

        // g damping = sinh(a) / below = k (w sh ch) / below.
        var gKappa = w * sh * ch * above * inverse;
        MatchedTuning t;
        t.G = g;
        t.Kappa = gKappa * g * below * below * inverse;
        t.K = k * t.Kappa;
        t.Inverse = one / (one + (gKappa * k) + g2);
        return t;
    }
}
