// How the outputs of a matched filter are weighed, so that each has the magnitude of the analogue response it is named after.
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Weights of the raw low, band and high of a filter tuned by <see cref="MatchedTuning"/>. Low and peak agree with the analogue response
/// at 0 Hz, in the curvature there, and at half the rate; band and high in the slope at 0 Hz; notch is zero at the cutoff. Constants in
/// band and peak are fits over cutoffs up to 0.45 of the rate. What is left at 48 kHz is below 0.6 dB up to 10 kHz (notch 0.95 dB), and
/// at twice the rate below 0.15 dB up to 16 kHz, where the response is above -24 dB.
/// </summary>
public struct MatchedShapes
{
    // Three vectors an output, in the order of the outputs.

    /// <summary>Low = LowLow low + LowBand band + LowHigh high, and so on.</summary>
    public Vector128<float> LowLow, LowBand, LowHigh;

    /// <summary>Of the band output.</summary>
    public Vector128<float> BandLow, BandBand, BandHigh;

    /// <summary>Of the high output.</summary>
    public Vector128<float> HighLow, HighBand, HighHigh;

    /// <summary>Of the notch.</summary>
    public Vector128<float> NotchLow, NotchBand, NotchHigh;

    /// <summary>Of the peak.</summary>
    public Vector128<float> PeakLow, PeakBand, PeakHigh;

    /// <summary>The weights that belong to <paramref name="tuning"/> of <paramref name="turns"/> and <paramref name="k"/>.</summary>
    public static MatchedShapes Of(in MatchedTuning tuning, Vector128<float> turns, Vector128<float> k)
    {
        var (zero, one, two) = (Vector128<float>.Zero, Vector128<float>.One, Vector128.Create(2f));
        var f = Vector128.Create(0.5f) / turns; // half the rate, in cutoffs
        var ff = f * f;
        var atNyquist = one / Vector128.Sqrt(((one - ff) * (one - ff)) + (k * k * ff));
        var ratio = tuning.G / (turns * Vector128.Create(MathF.PI));
        var u = ratio * ratio;
        var bend = (tuning.K * tuning.K) - two - (u * ((k * k) - two));
        var w = turns * Vector128.Create(2f * MathF.PI);
        var ww = w * w;
        var tan = FastMath.TanPi(turns);

        var s = default(MatchedShapes);
        s.LowLow = s.NotchLow = s.PeakLow = one;
        s.LowHigh = atNyquist;
        s.LowBand = Vector128.Sqrt(Vector128.MaxNative(atNyquist + atNyquist + bend, zero));
        s.BandBand = ratio;
        s.BandHigh = f * atNyquist
            * (Vector128.Create(1.2f) + (Vector128.Create(0.03f) * (one - (k * Vector128.Create(0.5f))) * ww));
        s.HighHigh = u;
        s.NotchHigh = tuning.G * tuning.G / (tan * tan);
        s.PeakHigh = (one + ff) * atNyquist * (one + (Vector128.Create(0.08f) * (one - (k * k * Vector128.Create(0.25f))) * ww));
        s.PeakBand = Vector128.Sqrt(Vector128.MaxNative(bend + u + u + s.PeakHigh + s.PeakHigh, zero));
        return s;
    }
}
