// The state-variable filter, four voices at a time: analogue magnitudes without oversampling, a resonance that gives way to loud sounds.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Trapezoidal integrators (Simper, Solving the continuous SVF equations using trapezoidal integration, Cytomic 2013; Zavalishin, The Art
/// of VA Filter Design, 4.4) tuned by <see cref="MatchedTuning"/>. The damping grows with the band signal, by <see cref="Softness"/> band^2
/// in volts: what makes a resonance give way to loud sounds, and what settles self-oscillation at 5 V for k = -0.025.
/// The band is first solved without that growth, which then divides it: an estimate of the same moment, since one of the frame before
/// would pull the pitch. Whatever the damping is, the stored energy s1^2 + s2^2 changes by 4 g band (in - damping band) from frame to
/// frame: for k &gt;= 0 it can only fall where nothing comes in, however cutoff and resonance move (compare Laroche, On the Stability of
/// Time-Varying Recursive Filters, JAES 2007). States are kept within 50 V, far above a signal's.
/// </summary>
public unsafe struct MatchedSvf
{
    /// <summary>Damping per V^2 of band signal: 1 % of a damping of 0.5 at 2 V.</summary>
    public const float Softness = 1f / 750f;

    /// <summary>Volts beyond which what comes in is cut.</summary>
    public const float MostIn = 50f;

    private const float Most = 50f;
    private const float MostOut = 250f;

    private Vector128<float> _s1, _s2;
    private MatchedShapes _shapes;
    private MatchedTuning _tuning;
    private Vector128<float> _turns, _k;
    private bool _running;

    /// <summary>The tuning of a cutoff and damping that stand still; worked out where they are not those of last time.</summary>
    public MatchedTuning Still(Vector128<float> turns, Vector128<float> k)
    {
        if (!_running || !Vector128.EqualsAll(turns, _turns) || !Vector128.EqualsAll(k, _k)) _tuning = MatchedTuning.Of(turns, k);
        return _tuning;
    }

    /// <summary>
    /// <paramref name="count"/> frames of <paramref name="x"/>, of which each tuning lasts 2^<paramref name="doublings"/>; a
    /// <paramref name="step"/> of 0 uses the first one throughout. Raw low, band and high come out, to be weighed by <see cref="Weigh"/>.
    /// </summary>
    public void Run(
        Vector128<float>* x, MatchedTuning* tuning, int step, int count, int doublings,
        Vector128<float>* low, Vector128<float>* band, Vector128<float>* high)
    {
        var (least, most) = (Vector128.Create(-Most), Vector128.Create(Most));
        var one = Vector128<float>.One;
        var (s1, s2) = (_s1, _s2);
        for (var i = 0; i < count; i++)
        {
            var t = tuning + ((i >> doublings) * step);
            var (g, inverse, kappa) = (t->G, t->Inverse, t->Kappa);
            var into = x[i];

            // The band as the analogue filter would have it is kappa times this one.
            var first = (s1 + (g * (into - s2))) * inverse;
            var loud = first * kappa;
            var more = Vector128.Create(Softness) * loud * loud * kappa;
            var y = first / (one + (more * g * inverse));
            var l = s2 + (g * y);
            low[i] = l;
            band[i] = y;
            high[i] = into - ((t->K + more) * y) - l;
            s1 = Lanes.Within(y + y - s1, least, most);
            s2 = Lanes.Within(l + l - s2, least, most);
        }

        (_s1, _s2) = (s1, s2);
    }

    /// <summary>
    /// Weighs what <see cref="Run"/> made, in place, and adds notch and peak. The weights go along a straight line from those of the last
    /// segment to those of its last frame's <paramref name="turns"/> and <paramref name="k"/>.
    /// </summary>
    public void Weigh(
        in MatchedTuning tuning, Vector128<float> turns, Vector128<float> k, int count,
        Vector128<float>* low, Vector128<float>* band, Vector128<float>* high, Vector128<float>* notch, Vector128<float>* peak)
    {
        var (least, most) = (Vector128.Create(-MostOut), Vector128.Create(MostOut));
        var s = _shapes;
        if (_running && Vector128.EqualsAll(turns, _turns) && Vector128.EqualsAll(k, _k))
        {
            for (var i = 0; i < count; i++) Shape(in s, least, most, low + i, band + i, high + i, notch + i, peak + i);
            return;
        }

        var target = MatchedShapes.Of(in tuning, turns, k);
        if (!_running) s = target;
        var step = target;
        step.Add(in s, -Vector128<float>.One);
        var part = Vector128.Create(1f / count);
        for (var i = 0; i < count; i++)
        {
            s.Add(in step, part);
            Shape(in s, least, most, low + i, band + i, high + i, notch + i, peak + i);
        }

        (_shapes, _tuning, _turns, _k, _running) = (target, tuning, turns, k, true);
    }

    /// <summary>
    /// Sets voices to exact rest where nothing audible is stored and <paramref name="quiet"/> is set. True when all four are at rest.
    /// </summary>
    public bool Settle(Vector128<float> quiet)
    {
        var peak = Vector128.Max(Vector128.Abs(_s1), Vector128.Abs(_s2));
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        _s1 = Vector128.AndNot(_s1, mask);
        _s2 = Vector128.AndNot(_s2, mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Shape(
        in MatchedShapes s, Vector128<float> least, Vector128<float> most,
        Vector128<float>* low, Vector128<float>* band, Vector128<float>* high, Vector128<float>* notch, Vector128<float>* peak)
    {
        var (l, b, h) = (*low, *band, *high);
        *low = Lanes.Within(l + (s.LowBand * b) + (s.LowHigh * h), least, most);
        *band = Lanes.Within((s.BandBand * b) + (s.BandHigh * h), least, most);
        *high = Lanes.Within(s.High * h, least, most);
        *notch = Lanes.Within(l + (s.Notch * h), least, most);
        *peak = Lanes.Within(l + (s.PeakBand * b) + (s.PeakHigh * h), least, most);
    }
}
