// Four ways to run out of room: the curves of a saturator, slope 1 at rest, four voices at once.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// A memoryless curve as it is heard between two samples. A smooth one is taken at the sample; one with corners is averaged over the
/// straight line from the sample before (first-order antiderivative antialiasing: Parker, Zavalishin, Le Bivic, DAFx 2016).
/// </summary>
public interface ISaturation
{
    /// <summary>The curve from <paramref name="before"/> to <paramref name="x"/>, 1 being about where it bites.</summary>
    static abstract Vector128<float> Between(Vector128<float> before, Vector128<float> x);
}

/// <summary>tanh(x): symmetrical and soft; a pair of transistors.</summary>
public readonly struct TanhSaturation : ISaturation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Between(Vector128<float> before, Vector128<float> x) => FastMath.Tanh(x);
}

/// <summary>
/// tanh(x) upwards and tanh(0.8 x) / 0.8 downwards, which run into one another as far as the second derivative: tops at 1 and -1.25, so
/// even harmonics beside the odd ones, as from tape with a magnetised head.
/// </summary>
public readonly struct TapeSaturation : ISaturation
{
    private const float Below = 0.8f;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Between(Vector128<float> before, Vector128<float> x)
    {
        var negative = Vector128.LessThan(x, Vector128<float>.Zero);
        var scale = Vector128.ConditionalSelect(negative, Vector128.Create(Below), Vector128<float>.One);
        var back = Vector128.ConditionalSelect(negative, Vector128.Create(1f / Below), Vector128<float>.One);
        return FastMath.Tanh(x * scale) * back;
    }
}

/// <summary>
/// arsinh(x): two diodes back to back behind a resistor, whose current grows as sinh of the voltage (Yeh, Abel, Smith, Simplified,
/// Physically-Informed Models of Distortion and Overdrive Guitar Effects Pedals, DAFx 2007, the diodes alone). It never quite flattens.
/// </summary>
public readonly struct DiodeSaturation : ISaturation
{
    private const float Ln2 = 0.693147181f;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Between(Vector128<float> before, Vector128<float> x)
    {
        // ln(1 + z) with z = |x| + x^2 / (1 + sqrt(1 + x^2)); what 1 + z rounds away is put back, so that small signals pass clean.
        var one = Vector128<float>.One;
        var a = Vector128.MinNative(Vector128.Abs(x), Vector128.Create(1e6f));
        var square = a * a;
        var z = a + (square / (one + Vector128.Sqrt(one + square)));
        var u = one + z;
        var log = (FastMath.Log2(u) * Vector128.Create(Ln2)) + ((z - (u - one)) / u);
        return log | (x & Vector128.Create(-0f));
    }
}

/// <summary>
/// Straight up to -1 and 1 and flat beyond. The mean over an interval is put together from the parts of it inside and outside, each a
/// difference of numbers as they are, so that it is as exact for short intervals as for long ones; a divided difference of
/// antiderivatives is not (Bilbao, Esqueda, Parker, Välimäki, Antiderivative Antialiasing for Memoryless Nonlinearities, IEEE SPL 2017).
/// </summary>
public readonly struct HardClip : ISaturation
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Between(Vector128<float> before, Vector128<float> x)
    {
        var (one, minus) = (Vector128<float>.One, Vector128.Create(-1f));
        var length = x - before;
        var small = Vector128.LessThan(Vector128.Abs(length), Vector128.Create(1e-12f));
        var inverse = one / Vector128.ConditionalSelect(small, one, length);
        var a = Vector128.MinNative(Vector128.MaxNative(before, minus), one);
        var b = Vector128.MinNative(Vector128.MaxNative(x, minus), one);
        var above = Vector128.MaxNative(x, one) - Vector128.MaxNative(before, one);
        var below = Vector128.MinNative(x, minus) - Vector128.MinNative(before, minus);
        var mean = (((b - a) * (b + a) * Vector128.Create(0.5f)) + (above - below)) * inverse;
        return Vector128.ConditionalSelect(small, b, mean);
    }
}
