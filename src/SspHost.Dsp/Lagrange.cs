// Values between samples, six of them taken into account: what a delay line that moves is read by.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Lagrange interpolation of order five (Laakso, Välimäki, Karjalainen, Laine, Splitting the Unit Delay, IEEE Signal Processing Magazine
/// 1996). Exact on samples, never louder than its input (the point lies in the middle interval), at most 0.00016 dB
/// softer at a sixteenth of the rate, 0.0091 dB at an eighth, 0.45 dB at a
/// quarter; the error of a sine half-way is 5/1024 w^6 of its level: -116 dB at 1 kHz and 48 kHz, -67 dB at 5 kHz.
/// </summary>
public static class Lagrange
{
    /// <summary>Samples before the interval's first one that take part, and after its last one.</summary>
    public const int Before = 2, After = 2;

    /// <summary>Weights of the six samples around the interval, the first of them two before it, at <paramref name="t"/> in [0, 1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Weights(
        Vector128<float> t,
        out Vector128<float> w0, out Vector128<float> w1, out Vector128<float> w2,
        out Vector128<float> w3, out Vector128<float> w4, out Vector128<float> w5)
    {
        var one = Vector128<float>.One;
        var two = Vector128.Create(2f);
        var a = t + two;
        var b = t + one;
        var d = t - one;
        var e = t - two;
        var f = t - Vector128.Create(3f);
        var bt = b * t;
        var ab = a * b;
        var de = d * e;
        var ef = e * f;
        w0 = bt * d * ef * Vector128.Create(-1f / 120f);
        w1 = a * t * d * ef * Vector128.Create(1f / 24f);
        w2 = ab * d * ef * Vector128.Create(-1f / 12f);
        w3 = ab * t * ef * Vector128.Create(1f / 12f);
        w4 = ab * t * d * f * Vector128.Create(-1f / 24f);
        w5 = ab * t * de * Vector128.Create(1f / 120f);
    }

    /// <summary>The value between the third and the fourth of six samples, at <paramref name="t"/> in [0, 1].</summary>
    public static unsafe float Between(float* six, float t)
    {
        Weights(Vector128.Create(t), out var w0, out var w1, out var w2, out var w3, out var w4, out var w5);
        var ends = (six[0] * w0.ToScalar()) + (six[5] * w5.ToScalar());
        return ((six[2] * w2.ToScalar()) + (six[3] * w3.ToScalar())) + (((six[1] * w1.ToScalar()) + (six[4] * w4.ToScalar())) + ends);
    }
}
