// The transistor ladder: four poles in a row and a saturating feedback around them, solved without delay, four voices at once.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Four trapezoidal one-poles (Zavalishin, The Art of VA Filter Design, chapters 5 and 6) driven by s(x - k y4), see
/// <see cref="Saturation"/>; b = k G^4 in it is below 0.002 for cutoffs under a tenth of the rate it is heard at and at most 0.2. The
/// saturation sits at the foot of the ladder, where the original's first pair clips first: it bounds every state for good, and, having no
/// phase of its own, keeps self-oscillation (k &gt;= 4) at the cutoff, which saturating each stage would pull down. Other slopes are
/// sums of the taps, as in Oberheim's Xpander (Pirkle, Designing Software Synthesizer Plug-Ins in C++, 7.5): modes 0 low 24 dB,
/// 1 low 12 dB, 2 band 24 dB (12 to either side), 3 band 12 dB, 4 high 24 dB, 5 high 12 dB.
/// </summary>
public unsafe struct Ladder : ICircuitCore
{
    private Vector128<float> _s1, _s2, _s3, _s4, _u;

    public static float Volts => 20f;

    public static float MostFeedback => 5f;

    public static float Sings => 4f;

    /// <inheritdoc/>
    public void Run(
        Vector128<float>* x, Vector128<float>* turns, Vector128<float>* k, int step, int count, int doublings, int modeFrom, int modeTo)
    {
        var (s1, s2, s3, s4, u) = (_s1, _s2, _s3, _s4, _u);
        var part = 1f / (count >> doublings);
        var mix = Taps.Of(modeFrom);
        var mixStep = (Taps.Of(modeTo) - mix) * part;
        var one = Vector128<float>.One;
        var frames = 1 << doublings;
        var (gain, squared, lift) = (one, one, one);
        for (var i = 0; i < count; i += frames)
        {
            if (i == 0 || step != 0)
            {
                // tan(w)/w is what the bilinear transform takes from what lies below a high cutoff: half of it is given back.
                var w = *turns * Vector128.Create(MathF.PI);
                var ratio = FastMath.TanRatio(w);
                var g = w * ratio;
                gain = g / (one + g);
                squared = gain * gain;
                lift = ratio - one;
            }

            var feedback = *k;
            turns += step;
            k += step;
            var keep = one - gain;
            var b = feedback * squared * squared;
            mix += mixStep;
            var scale = one + (lift * (Vector128.Create(mix.Lift) + (lift * Vector128.Create(mix.LiftMore))));
            var (m0, m1, m2) = (scale * Vector128.Create(mix.M0), scale * Vector128.Create(mix.M1), scale * Vector128.Create(mix.M2));
            var (m3, m4) = (scale * Vector128.Create(mix.M3), scale * Vector128.Create(mix.M4));
            for (var j = 0; j < frames; j++, x++)
            {
                // y4 = rest + gain^4 u, with u = s(z) and z = x - k y4.
                var rest = keep * (s4 + (gain * (s3 + (gain * (s2 + (gain * s1))))));
                u = Saturation.Solve(*x - (feedback * rest), b, u);
                var v = (u - s1) * gain;
                var y1 = v + s1;
                s1 = y1 + v;
                v = (y1 - s2) * gain;
                var y2 = v + s2;
                s2 = y2 + v;
                v = (y2 - s3) * gain;
                var y3 = v + s3;
                s3 = y3 + v;
                v = (y3 - s4) * gain;
                var y4 = v + s4;
                s4 = y4 + v;
                *x = (m0 * u) + (m1 * y1) + (m2 * y2) + ((m3 * y3) + (m4 * y4));
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

    // Weights of the foot and the four stages, and how much of the lift they want.
    private struct Taps
    {
        public float M0, M1, M2, M3, M4, Lift, LiftMore;

        public static Taps Of(int mode) => mode switch
        {
            1 => new Taps { M2 = 1f, Lift = 0.4f },
            2 => new Taps { M2 = 4f, M3 = -8f, M4 = 4f, Lift = 1.5f },
            3 => new Taps { M1 = 2f, M2 = -2f, Lift = 1f },
            4 => new Taps { M0 = 1f, M1 = -4f, M2 = 6f, M3 = -4f, M4 = 1f, Lift = 2f, LiftMore = 1f },
            5 => new Taps { M0 = 1f, M1 = -2f, M2 = 1f, Lift = 1.5f },
            _ => new Taps { M4 = 1f },
        };

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Taps operator +(in Taps a, in Taps b) => new()
        {
            M0 = a.M0 + b.M0, M1 = a.M1 + b.M1, M2 = a.M2 + b.M2, M3 = a.M3 + b.M3, M4 = a.M4 + b.M4,
            Lift = a.Lift + b.Lift, LiftMore = a.LiftMore + b.LiftMore,
        };

        public static Taps operator -(in Taps a, in Taps b) => a + (b * -1f);

        public static Taps operator *(in Taps a, float b) => new()
        {
            M0 = a.M0 * b, M1 = a.M1 * b, M2 = a.M2 * b, M3 = a.M3 * b, M4 = a.M4 * b, Lift = a.Lift * b, LiftMore = a.LiftMore * b,
        };
    }
}
