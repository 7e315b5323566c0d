// The four bands of an equalizer as one vector: low shelf, two peaks, high shelf, right up to the top.
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Second-order bands as state-variable filters with weighed outputs, one band a lane. The analogue prototypes are those of Bristow-Johnson
/// (Cookbook formulae for audio EQ biquad filter coefficients): a peak (s^2 + s A / Q + 1) / (s^2 + s / (A Q) + 1) and a shelf whose poles
/// lie at the frequency over sqrt A. Poles come from <see cref="MatchedTuning"/>, the weights agree with the analogue magnitude at 0 Hz, in
/// its curvature there and at half the rate (after Vicanek, Matched Second Order Digital Filters, 2016). A cut is the exact inverse of the
/// boost, and a high shelf is an inverse low shelf times its gain, so that no pole ever lies beyond half the rate.
/// </summary>
public struct EqualizerBands
{
    // A = 10^(dB / 40) in octaves.
    private const float Octaves = 0.0830482f;
    private const float LeastDamping = 1e-3f;

    /// <summary>Gain of the integrators and damping.</summary>
    public Vector128<float> G, K;

    /// <summary>Weights of low, band and high.</summary>
    public Vector128<float> Low, Band, High;

    /// <summary>For frequencies in turns (up to 0.45), gains in dB and the Q of each band.</summary>
    public static EqualizerBands Of(Vector128<float> turns, Vector128<float> decibels, Vector128<float> q)
    {
        var one = Vector128<float>.One;
        var shelf = Vector128.Create(-1, 0, 0, -1).AsSingle();
        var last = Vector128.Create(0, 0, 0, -1).AsSingle();
        var a = FastMath.Exp2(Vector128.Abs(decibels) * Vector128.Create(Octaves));
        turns /= Vector128.ConditionalSelect(shelf, Vector128.Sqrt(a), one);
        var k = one / (q * Vector128.ConditionalSelect(shelf, one, a));
        var b0 = Vector128.ConditionalSelect(shelf, a * a, one);
        var b1 = a / q;
        var tuning = MatchedTuning.Of(turns, k);

        // Half the rate in units of the poles' frequency.
        var f = Vector128.Create(0.5f) / turns;
        var ff = f * f;
        var square = ((b0 - ff) * (b0 - ff)) + (b1 * b1 * ff);
        var high = Vector128.Sqrt(square / (((one - ff) * (one - ff)) + (k * k * ff)));
        var ratio = tuning.G / (turns * Vector128.Create(MathF.PI));
        var u = ratio * ratio;
        var two = Vector128.Create(2f);
        var bend = (tuning.K * tuning.K) - two - (u * ((k * k) - two));
        var band = (two * b0 * high) + (u * ((b1 * b1) - (two * b0))) + (b0 * b0 * bend);
        band = Vector128.Sqrt(Vector128.MaxNative(band, Vector128<float>.Zero));

        // The inverse: what were zeros are poles at g rho.
        var cut = Vector128.LessThan(decibels, Vector128<float>.Zero) ^ last;
        var rho = Vector128.Sqrt(b0 / high);
        var by = Vector128.ConditionalSelect(last, Vector128.ConditionalSelect(cut, b0, one / b0), one);
        var inverse = by / b0;
        EqualizerBands e;
        e.G = Vector128.ConditionalSelect(cut, tuning.G * rho, tuning.G);
        e.K = Vector128.MaxNative(Vector128.ConditionalSelect(cut, band * rho / b0, tuning.K), Vector128.Create(LeastDamping));
        e.Low = Vector128.ConditionalSelect(cut, inverse, b0 * by);
        e.Band = Vector128.ConditionalSelect(cut, tuning.K * rho * inverse, band * by);
        e.High = Vector128.ConditionalSelect(cut, rho * rho * inverse, high * by);
        return e;
    }
}
