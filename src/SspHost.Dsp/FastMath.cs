// Elementary functions in plain float arithmetic: the same bits on every processor, four at a time or one.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// exp2, tanh, sine and tangent by polynomials, without libm and without fused multiply-add, so that x64 and arm64 agree to the last bit.
/// Coefficients are Chebyshev fits on the reduced range. Each vector form does the same operations in the same order as its scalar form.
/// </summary>
public static class FastMath
{
    // Adding and subtracting 1.5 * 2^23 rounds a float to the nearest whole number, ties to even, for |x| < 2^22.
    private const float Rounder = 12582912f;

    // (2^f - 1) / f on [-0.5, 0.5].
    private const float E1 = 0.693147188026f, E2 = 0.240226507606f, E3 = 0.0555035711422f;
    private const float E4 = 0.00961808255728f, E5 = 0.00133908633647f, E6 = 0.000154531629451f;

    // sin(2 pi r) / r as a polynomial of r^2, |r| <= 0.25.
    private const float S1 = 6.28318530707f, S2 = -41.3417021167f, S3 = 81.605226174f;
    private const float S4 = -76.704279876f, S5 = 42.0097793032f, S6 = -14.3939662955f;

    private const float TwoLog2E = 2.88539008f;

    // log2(m) = s (L1 + L3 s^2 + ...) with s = (m - 1) / (m + 1): the series of artanh, 2 / (n ln 2).
    private const float L1 = 2.88539008178f, L3 = 0.961796693926f, L5 = 0.577078016356f, L7 = 0.41219858311f, L9 = 0.320598897974f;

    /// <summary>2^x for x in [-126, 126] (clamped); relative error below 2e-7, 0.0004 cent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Exp2(float x)
    {
        x = Math.Min(Math.Max(x, -126f), 126f);
        var n = Split(x, out var scale);
        return scale + (scale * Exp2Fraction(x - n));
    }

    /// <inheritdoc cref="Exp2(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Exp2(Vector128<float> x)
    {
        var n = Split(ref x, out var scale);
        return scale + (scale * Exp2Fraction(x - n));
    }

    /// <summary>2^x - 1, exact to 3e-7 of its own size also near 0; x in [-126, 126] (clamped).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Exp2Minus1(float x)
    {
        x = Math.Min(Math.Max(x, -126f), 126f);
        var n = Split(x, out var scale);
        return (scale * Exp2Fraction(x - n)) + (scale - 1f);
    }

    /// <inheritdoc cref="Exp2Minus1(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Exp2Minus1(Vector128<float> x)
    {
        var n = Split(ref x, out var scale);
        return (scale * Exp2Fraction(x - n)) + (scale - Vector128<float>.One);
    }

    /// <summary>tanh(x), odd, within [-1, 1]; relative error below 6e-7 at any size, so small signals pass clean.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Tanh(Vector128<float> x)
    {
        // tanh|x| = e / (e + 2) with e = 2^(2 |x| log2 e) - 1; beyond 10 it is 1 in float.
        var a = Vector128.MinNative(Vector128.Abs(x), Vector128.Create(10f)) * Vector128.Create(TwoLog2E);
        var e = Exp2Minus1(a);
        var t = e / (e + Vector128.Create(2f));
        return t | (x & Vector128.Create(-0f));
    }

    /// <summary>sin(2 pi x), x in turns, |x| &lt; 2^20; absolute error below 3e-7.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float SinTurns(float x)
    {
        var r = x - ((x + Rounder) - Rounder);
        if (Math.Abs(r) > 0.25f) r = (r < 0f ? -0.5f : 0.5f) - r;
        var t = r * r;
        return r * (S1 + (t * (S2 + (t * (S3 + (t * (S4 + (t * (S5 + (t * S6))))))))));
    }

    /// <inheritdoc cref="SinTurns(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> SinTurns(Vector128<float> x)
    {
        var rounder = Vector128.Create(Rounder);
        var r = x - ((x + rounder) - rounder);
        var a = Vector128.Abs(r);
        r = Vector128.MinNative(a, Vector128.Create(0.5f) - a) | (r & Vector128.Create(-0f));
        var t = r * r;
        var p = Vector128.Create(S5) + (t * Vector128.Create(S6));
        p = Vector128.Create(S4) + (t * p);
        p = Vector128.Create(S3) + (t * p);
        p = Vector128.Create(S2) + (t * p);
        p = Vector128.Create(S1) + (t * p);
        return r * p;
    }

    /// <summary>As <see cref="SinTurns(float)"/>, of sixteen at once: the two run side by side, because each step waits for the one before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SinTurns(ref Vector256<float> x, ref Vector256<float> y)
    {
        var rounder = Vector256.Create(Rounder);
        var r = x - ((x + rounder) - rounder);
        var s = y - ((y + rounder) - rounder);
        Vector256<float> a = Vector256.Abs(r), b = Vector256.Abs(s);
        r = Vector256.MinNative(a, Vector256.Create(0.5f) - a) | (r & Vector256.Create(-0f));
        s = Vector256.MinNative(b, Vector256.Create(0.5f) - b) | (s & Vector256.Create(-0f));
        Vector256<float> t = r * r, u = s * s;
        Vector256<float> p = Vector256.Create(S5) + (t * Vector256.Create(S6)), q = Vector256.Create(S5) + (u * Vector256.Create(S6));
        (p, q) = (Vector256.Create(S4) + (t * p), Vector256.Create(S4) + (u * q));
        (p, q) = (Vector256.Create(S3) + (t * p), Vector256.Create(S3) + (u * q));
        (p, q) = (Vector256.Create(S2) + (t * p), Vector256.Create(S2) + (u * q));
        (p, q) = (Vector256.Create(S1) + (t * p), Vector256.Create(S1) + (u * q));
        (x, y) = (r * p, s * q);
    }

    /// <summary>tan(x) by its Padé approximant [5/4], for 0 &lt;= x &lt;= 0.8; relative error below 3e-7 (method 2e-8, the rest
    /// rounding).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Tan(Vector128<float> x)
    {
        TanParts(x, out var numerator, out var denominator);
        return x * numerator / denominator;
    }

    /// <summary>tan(x) / x, by the same approximant: 1 at 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> TanRatio(Vector128<float> x)
    {
        TanParts(x, out var numerator, out var denominator);
        return numerator / denominator;
    }

    /// <summary>tan(pi x), x in turns of half a circle, for 0 &lt;= x &lt;= 0.46; relative error below 3e-6 (0.005 cent of a filter's
    /// cutoff). By the half angle, so that the whole range of a filter is one formula.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> TanPi(Vector128<float> x)
    {
        var h = Tan(x * Vector128.Create(MathF.PI / 2f));
        return (h + h) / (Vector128<float>.One - (h * h));
    }

    /// <summary>atan(x); absolute error below 2e-7 for |x| &lt;= 3. By the half angle, then the Taylor series.</summary>
    public static float Atan(float x)
    {
        var h = x / (1f + MathF.Sqrt(1f + (x * x)));
        h /= 1f + MathF.Sqrt(1f + (h * h));
        var t = h * h;
        return 4f * h * (1f - (t * ((1f / 3f) - (t * ((1f / 5f) - (t * ((1f / 7f) - (t * ((1f / 9f) - (t * (1f / 11f)))))))))));
    }

    /// <summary>log2(x) for normal x &gt; 0; error below 3e-7 plus 1e-7 of its value; smaller x count as 2^-126.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Log2(Vector128<float> x)
    {
        x = Vector128.MaxNative(x, Vector128.Create(1.17549435e-38f));

        // Whole octaves such that what is left lies in [sqrt(1/2), sqrt(2)).
        var bits = x.AsInt32() - Vector128.Create(0x3F3504F3);
        var octaves = Vector128.ShiftRightArithmetic(bits, 23);
        var m = (x.AsInt32() - Vector128.ShiftLeft(octaves, 23)).AsSingle();
        var s = (m - Vector128<float>.One) / (m + Vector128<float>.One);
        var t = s * s;
        var p = Vector128.Create(L7) + (t * Vector128.Create(L9));
        p = Vector128.Create(L5) + (t * p);
        p = Vector128.Create(L3) + (t * p);
        p = Vector128.Create(L1) + (t * p);
        return Vector128.ConvertToSingle(octaves) + (s * p);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TanParts(Vector128<float> x, out Vector128<float> numerator, out Vector128<float> denominator)
    {
        var t = x * x;
        numerator = Vector128.Create(945f) + (t * (t - Vector128.Create(105f)));
        denominator = Vector128.Create(945f) + (t * ((t * Vector128.Create(15f)) - Vector128.Create(420f)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Split(ref Vector128<float> x, out Vector128<float> scale)
    {
        var rounder = Vector128.Create(Rounder);
        x = Vector128.MinNative(Vector128.MaxNative(x, Vector128.Create(-126f)), Vector128.Create(126f));
        var shifted = x + rounder;
        scale = Vector128.ShiftLeft(shifted.AsInt32() + Vector128.Create(127), 23).AsSingle();
        return shifted - rounder;
    }

    // The whole part of x, and two to its power. The sum's last bits are the whole part, so no conversion is needed, which for a float
    // out of
    // range is a call of the runtime on x64.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Split(float x, out float scale)
    {
        var shifted = x + Rounder;
        scale = BitConverter.Int32BitsToSingle((BitConverter.SingleToInt32Bits(shifted) + 127) << 23);
        return shifted - Rounder;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Exp2Fraction(float f)
    {
        // Estrin's order: half the latency of Horner's, which is what a filter's feedback loop waits for.
        var square = f * f;
        return f * ((E1 + (f * E2)) + (square * ((E3 + (f * E4)) + (square * (E5 + (f * E6))))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Exp2Fraction(Vector128<float> f)
    {
        var square = f * f;
        var high = Vector128.Create(E5) + (f * Vector128.Create(E6));
        var middle = Vector128.Create(E3) + (f * Vector128.Create(E4));
        var low = Vector128.Create(E1) + (f * Vector128.Create(E2));
        return f * (low + (square * (middle + (square * high))));
    }
}
