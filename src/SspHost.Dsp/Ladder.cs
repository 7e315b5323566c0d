// The transistor ladder: four poles in a row and a saturating feedback around them, solved without delay, four voices at once.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Four trapezoidal one-poles (Zavalishin, The Art of VA Filter Design, chapters 5 and 6) driven by tanh(x - k y4); the implicit
/// equation is solved by one Newton step from the frame before, at twice the sample rate; b = k G^4 in it is below 0.002 for cutoffs
/// under a tenth of the rate and at most 0.2, so that the step errs by b^3 / 3 at most: 3e-9 there, 3e-3 for a full-scale leap at the
/// very top.
/// The saturation sits at the foot of the ladder, where the original's first pair clips first: it bounds every state for good, and,
/// having no phase of its own, keeps self-oscillation (k &gt;= 4) at the cutoff, which saturating each stage would pull down.
/// Signals are relative to the saturation: 1 is where it bites.
/// </summary>
public struct Ladder
{
    private Vector128<float> _s1, _s2, _s3, _s4, _u, _gain;
    private HalfBand _up, _down;
    private bool _running;

    /// <summary>Frames by which oversampling delays low frequencies, rounded.</summary>
    public const int Latency = 3;

    /// <summary>Back to rest.</summary>
    public void Reset() => this = default;

    /// <summary>One frame of four voices.</summary>
    /// <param name="x">Input.</param>
    /// <param name="turns">Cutoff over the sample rate, 0..0.45.</param>
    /// <param name="k">Feedback, 0..5; 4 is where it begins to sing.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Next(Vector128<float> x, Vector128<float> turns, Vector128<float> k)
    {
        // At twice the rate the warped frequency is tan(pi f / (2 rate)); pi/2 * 0.45 is within the approximant's range.
        var g = FastMath.Tan(turns * Vector128.Create(MathF.PI / 2f));
        var gain = g / (Vector128<float>.One + g);
        if (!_running)
        {
            _running = true;
            _gain = gain;
        }

        var between = (_gain + gain) * Vector128.Create(0.5f);
        _gain = gain;
        _up.Up(x, out var first, out var second);
        return _down.Down(Step(first, between, k), Step(second, gain, k));
    }

    /// <summary>
    /// Sets voices to exact rest where nothing audible is stored and <paramref name="quiet"/> is set. True when all four are at rest.
    /// </summary>
    public bool Settle(Vector128<float> quiet)
    {
        var peak = Vector128.Max(
            Vector128.Max(Vector128.Abs(_s1), Vector128.Abs(_s2)),
            Vector128.Max(Vector128.Abs(_s3), Vector128.Abs(_s4)));
        peak = Vector128.Max(peak, Vector128.Max(_up.Peak(), _down.Peak()));
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        _s1 = Vector128.AndNot(_s1, mask);
        _s2 = Vector128.AndNot(_s2, mask);
        _s3 = Vector128.AndNot(_s3, mask);
        _s4 = Vector128.AndNot(_s4, mask);
        _u = Vector128.AndNot(_u, mask);
        _up.Clear(mask);
        _down.Clear(mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128<float> Step(Vector128<float> x, Vector128<float> gain, Vector128<float> k)
    {
        var one = Vector128<float>.One;
        var keep = one - gain;

        // y4 = rest + gain^4 u, with u = tanh(z) and z = x - k y4: solve z + b tanh(z) = a.
        var rest = keep * (_s4 + (gain * (_s3 + (gain * (_s2 + (gain * _s1))))));
        var squared = gain * gain;
        var b = k * squared * squared;
        var a = x - (k * rest);
        var z = a - (b * _u);
        var t = FastMath.Tanh(z);
        var slope = one - (t * t);
        var u = t - (slope * ((z + (b * t) - a) / (one + (b * slope))));
        _u = u;

        var v = (u - _s1) * gain;
        var y = v + _s1;
        _s1 = y + v;
        v = (y - _s2) * gain;
        y = v + _s2;
        _s2 = y + v;
        v = (y - _s3) * gain;
        y = v + _s3;
        _s3 = y + v;
        v = (y - _s4) * gain;
        y = v + _s4;
        _s4 = y + v;
        return y;
    }
}
