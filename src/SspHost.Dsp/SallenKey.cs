// The Sallen-Key filter: two poles and diodes in the feedback, rough as the semi-modular that made it known.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Two one-poles around an amplifier whose feedback is clipped by diodes (Stinchcombe, A Study of the Korg MS10 and MS20 Filters, 2006;
/// as a transposed structure in Zavalishin, The Art of VA Filter Design, 5.8): v = x + s(k b), b = s / (1 + s)^2 v, the outputs
/// v / (1 + s)^2, b and s^2 / (1 + s)^2 v. Small signals see 1 / (s^2 + (2 - k) s + 1). At the cutoff the loop has no phase, so that it
/// sings there, from k = 2, however hard the diodes clip. Trapezoidal, solved without delay by two steps of Newton's.
/// Modes: 0 low, 1 band, 2 high, 12 dB per octave.
/// </summary>
public unsafe struct SallenKey : ICircuitCore
{
    private Vector128<float> _s1, _s2, _fed;

    public static float Volts => 5f;

    public static float MostFeedback => 2.2f;

    public static float Sings => 2f;

    /// <inheritdoc/>
    public void Run(
        Vector128<float>* x, Vector128<float>* turns, Vector128<float>* k, int step, int count, int doublings, int modeFrom, int modeTo)
    {
        var (s1, s2, fed) = (_s1, _s2, _fed);
        var one = Vector128<float>.One;
        var frames = 1 << doublings;
        var part = 1f / (count >> doublings);
        var (low, band, high) = (Is(modeFrom, 0), Is(modeFrom, 1), Is(modeFrom, 2));
        var (lowStep, bandStep, highStep) = ((Is(modeTo, 0) - low) * part, (Is(modeTo, 1) - band) * part, (Is(modeTo, 2) - high) * part);
        var (gain, through, lift) = (one, one, one);
        for (var i = 0; i < count; i += frames)
        {
            if (i == 0 || step != 0)
            {
                // As in the ladder, half of what the bilinear transform takes from the highs is given back.
                var w = *turns * Vector128.Create(MathF.PI);
                var ratio = FastMath.TanRatio(w);
                var g = w * ratio;
                gain = g / (one + g);
                through = gain * (one - gain);
                lift = ratio - one;
            }

            var feedback = *k;
            turns += step;
            k += step;
            low += lowStep;
            band += bandStep;
            high += highStep;
            var keep = one - gain;
            var b = feedback * through;
            var mLow = Vector128.Create(low);
            var mBand = Vector128.Create(band) * (one + (lift * Vector128.Create(0.5f)));
            var mHigh = Vector128.Create(high) * (one + lift);
            for (var j = 0; j < frames; j++, x++)
            {
                // Both poles without what comes in now, then z = k b, b = through (x + s(z)) + rest.
                var r1 = keep * s1;
                var rest = (keep * r1) - (keep * s2);
                var a = feedback * ((through * *x) + rest);
                var z = a + (b * fed);
                z = Saturation.Refine(z, a, b);
                fed = Saturation.Feed(z, a, b);
                var v = *x + fed;
                var d = (v - s1) * gain;
                var y1 = d + s1;
                s1 = y1 + d;
                d = (y1 - s2) * gain;
                var y2 = d + s2;
                s2 = y2 + d;
                *x = (mLow * y2) + (mBand * (y1 - y2)) + (mHigh * (v - y1 - y1 + y2));
            }
        }

        (_s1, _s2, _fed) = (s1, s2, fed);
    }

    /// <inheritdoc/>
    public readonly Vector128<float> Peak() => Vector128.MaxNative(Vector128.Abs(_s1), Vector128.Abs(_s2));

    /// <inheritdoc/>
    public void Clear(Vector128<float> mask)
    {
        _s1 = Vector128.AndNot(_s1, mask);
        _s2 = Vector128.AndNot(_s2, mask);
        _fed = Vector128.AndNot(_fed, mask);
    }

    private static float Is(int mode, int which) => mode == which ? 1f : 0f;
}
