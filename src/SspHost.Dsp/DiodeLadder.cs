// The diode ladder: four poles that load each other, as in the bass machine with the silver box.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Stages that see their neighbours through diodes, the lowest capacitor half as large as the rest (Stinchcombe, Diode Ladder Filters,
/// 2009; Zavalishin, The Art of VA Filter Design, 5.10; the stages' gains as in Pirkle, Virtual Analog Diode Ladder Filter, app note 6):
/// y1' = w (u - y1 + y2), y2' = w ((y1 + y3) / 2 - y2), y3' = w ((y2 + y4) / 2 - y3), y4' = w (y3 / 2 - y4). Written out, y4 / u is
/// 1 / T4(1 + s / w) with Chebyshev's polynomial T4(p) = 8 p^4 - 8 p^2 + 1, which a feedback of 17 lets sing at w / sqrt 2: w is sqrt 2
/// times the cutoff here, so that the cutoff is the pitch. Trapezoidal and solved without delay; it saturates at its foot, as
/// <see cref="Ladder"/> does. Modes: 0 low 24 dB, 1 low 18 dB.
/// </summary>
public unsafe struct DiodeLadder : ICircuitCore
{
    private Vector128<float> _s1, _s2, _s3, _s4, _u;

    public static float Volts => 15f;

    public static float MostFeedback => 20f;

    public static float Sings => 17f;

    /// <inheritdoc/>
    public void Run(
        Vector128<float>* x, Vector128<float>* turns, Vector128<float>* k, int step, int count, int doublings, int modeFrom, int modeTo)
    {
        var (s1, s2, s3, s4, u) = (_s1, _s2, _s3, _s4, _u);
        var (one, two) = (Vector128<float>.One, Vector128.Create(2f));
        var frames = 1 << doublings;
        var three = modeFrom == 1 ? 1f : 0f;
        var threeStep = ((modeTo == 1 ? 1f : 0f) - three) / (count >> doublings);
        var (g, half, d1, d2, d3, d4, all) = (one, one, one, one, one, one, one);
        for (var i = 0; i < count; i += frames)
        {
            if (i == 0 || step != 0)
            {
                g = FastMath.Tan(*turns * Vector128.Create(MathF.PI)) * Vector128.Create(1.41421356f);
                half = g * Vector128.Create(0.5f);
                d4 = one / (one + g);
                d3 = one / (one + g - (half * half * d4));
                d2 = one / (one + g - (half * half * d3));
                d1 = one / (one + g - (g * half * d2));
                all = (half * d4) * (half * d3) * ((half * d2) * (g * d1));
            }

            var feedback = *k;
            turns += step;
            k += step;
            three += threeStep;
            var third = Vector128.Create(three);
            var b = feedback * all;
            for (var j = 0; j < frames; j++, x++)
            {
                // From the top down: each stage as a part of the one below it, y4 = a4 + G4 y3 and so on.
                var a4 = s4 * d4;
                var a3 = (s3 + (half * a4)) * d3;
                var a2 = (s2 + (half * a3)) * d2;
                var a1 = (s1 + (g * a2)) * d1;
                var rest = a4 + (half * d4 * (a3 + (half * d3 * (a2 + (half * d2 * a1)))));
                u = Saturation.Solve(*x - (feedback * rest), b, u);
                var y1 = a1 + (g * d1 * u);
                var y2 = a2 + (half * d2 * y1);
                var y3 = a3 + (half * d3 * y2);
                var y4 = a4 + (half * d4 * y3);
                s1 = (two * y1) - s1;
                s2 = (two * y2) - s2;
                s3 = (two * y3) - s3;
                s4 = (two * y4) - s4;

                // The third stage stands at twice the fourth at 0 Hz, less what it has lost: y3 = 2 y4 there.
                *x = y4 + (third * ((y3 * Vector128.Create(0.5f)) - y4));
            }
        }

        (_s1, _s2, _s3, _s4, _u) = (s1, s2, s3, s4, u);
    }

    /// <inheritdoc/>
    public readonly Vector128<float> Peak() => Vector128.MaxNative(
        Vector128.MaxNative(Vector128.Abs(_s1), Vector128.Abs(_s2)), Vector128.MaxNative(Vector128.Abs(_s3), Vector128.Abs(_s4)));

    /// <inheritdoc/>
    public void Clear(Vector128<float> mask)
    {
        _s1 = Vector128.AndNot(_s1, mask);
        _s2 = Vector128.AndNot(_s2, mask);
        _s3 = Vector128.AndNot(_s3, mask);
        _s4 = Vector128.AndNot(_s4, mask);
        _u = Vector128.AndNot(_u, mask);
    }
}
