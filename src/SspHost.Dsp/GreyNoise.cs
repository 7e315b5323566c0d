// Grey noise: white noise through the inverse of the A-weighting, so that the ear finds every pitch of it equally loud.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>
/// 1 / A(f) of IEC 61672-1:2013, annex E: four zeros at 20.6, 20.6, 107.7 and 737.9 Hz, two at 12194 Hz, and four poles at 0, which a
/// Butterworth high-pass of sixth order at 25 Hz keeps from rumbling without end. The low corners are transformed bilinearly; each of the
/// two high ones is fitted in S = sin^2(pi f / rate), where (w/2)^2 = S (1 + a S) / (1 + b S) holds exactly at 12 and 19 kHz: within
/// 0.4 dB of the curve from 31.5 Hz to 20 kHz. In doubles, as a corner of 25 Hz at 192 kHz has no room in a float's coefficients.
/// </summary>
public readonly struct GreyNoise
{
    private const double Lowest = 25.0, First = 20.598997, Second = 107.65265, Third = 737.86223, Fourth = 12194.217;
    private const double FitLow = 12_000.0, FitHigh = 19_000.0;

    // The impulse response is gone, by 170 dB, after this time.
    private const double Seconds = 0.5;

    private readonly Section _a, _b, _c, _top;
    private readonly double _gain;

    /// <summary>One second-order filter.</summary>
    private readonly struct Section(double b0, double b1, double b2, double a1, double a2)
    {
        private readonly double _b0 = b0, _b1 = b1, _b2 = b2, _a1 = a1, _a2 = a2;

        // Transposed direct form II.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public double Next(double x, ref double s1, ref double s2)
        {
            var y = (_b0 * x) + s1;
            s1 = (_b1 * x) - (_a1 * y) + s2;
            s2 = (_b2 * x) - (_a2 * y);
            return y;
        }
    }

    /// <summary>State of one voice. Zeroed memory is rest.</summary>
    public struct State
    {
        internal double A1, A2, B1, B2, C1, C2, D1, D2, E1, E2;
    }

    /// <summary>Coefficients for a rate in Hz. [steward]</summary>
    public GreyNoise(double rate)
    {
        var w = Math.PI / rate;
        _a = Low(w, 0.5176380902, First + First, First * First);
        _b = Low(w, 0.7071067812, Second + Third, Second * Third);
        _c = Low(w, 1.9318516526, 0.0, 0.0);
        _top = Top(rate);
        _gain = 1.0;
        State state = default;
        double energy = 0;
        for (long i = 0, frames = (long)(Seconds * rate); i < frames; i++)
        {
            var y = (double)Next(ref state, i == 0 ? 1f : 0f);
            energy += y * y;
        }

        _gain = 1.0 / Math.Sqrt(energy);
    }

    /// <summary>One frame of as much power as <paramref name="white"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Next(ref State state, float white)
    {
        var y = _a.Next(white * _gain, ref state.A1, ref state.A2);
        y = _b.Next(y, ref state.B1, ref state.B2);
        y = _c.Next(y, ref state.C1, ref state.C2);
        y = _top.Next(y, ref state.D1, ref state.D2);
        return (float)_top.Next(y, ref state.E1, ref state.E2);
    }

    // (s^2 + sum s + product) / (s^2 + s f / q + f^2), frequencies in Hz, f = Lowest; w = pi / rate.
    private static Section Low(double w, double q, double sum, double product)
    {
        var k = Lowest / Math.Tan(Lowest * w);
        var a0 = (k * k) + (k * Lowest / q) + (Lowest * Lowest);
        return new Section(
            ((k * k) + (k * sum) + product) / a0, 2.0 * (product - (k * k)) / a0, ((k * k) - (k * sum) + product) / a0,
            2.0 * ((Lowest * Lowest) - (k * k)) / a0, ((k * k) - (k * Lowest / q) + (Lowest * Lowest)) / a0);
    }

    // 1 + (f / Fourth)^2 as (1 + n1 S + n2 S^2) / (1 + b S).
    private static Section Top(double rate)
    {
        var (s1, r1) = Exact(Math.PI * FitLow / rate);
        var (s2, r2) = Exact(Math.PI * FitHigh / rate);
        var determinant = (-s1 * r2 * s2) + (s2 * r1 * s1);
        var a = ((-(r1 - 1.0) * r2 * s2) + ((r2 - 1.0) * r1 * s1)) / determinant;
        var b = ((s1 * (r2 - 1.0)) - (s2 * (r1 - 1.0))) / determinant;
        var corner = Math.PI * Fourth / rate;
        var n1 = b + (1.0 / (corner * corner));
        var n2 = a / (corner * corner);

        // Its roots in S lie below 0 and above 1: (1 - S / r1) (1 - S / r2).
        var root = Math.Sqrt((n1 * n1) - (4.0 * n2));
        var c1 = Zero(0.5 * (-n1 - root));
        var c2 = Zero(0.5 * (-n1 + root));
        return new Section(1.0, c1 + c2, c1 * c2, Zero(-b), 0.0);
    }

    // S at an angle w / 2 and (w/2)^2 / S.
    private static (double S, double Ratio) Exact(double half)
    {
        var s = Math.Sin(half) * Math.Sin(half);
        return (s, half * half / s);
    }

    // c of 1 + c/z with |.|^2 proportional to 1 - depth S: 4c / (1 + c)^2 = depth.
    private static double Zero(double depth) =>
        Math.Abs(depth) < 1e-9 ? 0.0 : ((2.0 - depth) - (2.0 * Math.Sqrt(1.0 - depth))) / depth;
}
