// The state-variable filter, four voices at a time: analogue magnitudes without oversampling, a resonance that gives way to loud sounds.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

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
    /// <paramref name="step"/> of 0 uses the first one throughout. The weights of the outputs go along a straight line from those of the
    /// last segment to those of its last frame's <paramref name="turns"/> and <paramref name="k"/>.
    /// </summary>
    public void Run(
        Vector128<float>* x, MatchedTuning* tuning, int step, int count, int doublings, Vector128<float> turns, Vector128<float> k,
        Vector128<float>* low, Vector128<float>* band, Vector128<float>* high, Vector128<float>* notch, Vector128<float>* peak)
    {
        Solve(x, tuning, step, count, doublings, low, band, high);
        var s = _shapes;
        if (IsSettled(turns, k))
        {
            for (var i = 0; i < count; i++) Weigh(in s, low + i, band + i, high + i, notch + i, peak + i);
            return;
        }

        ref readonly var last = ref tuning[((step * count) - step) >> doublings];
        var target = MatchedShapes.Of(in last, turns, k);
        if (!_running) s = target;
        var by = target;
        by.Approach(in s, Vector128.Create(1f / count));
        for (var i = 0; i < count; i++)
        {
            s.Add(in by);
            Weigh(in s, low + i, band + i, high + i, notch + i, peak + i);
        }

        (_shapes, _tuning, _turns, _k, _running) = (target, last, turns, k, true);
    }

    /// <summary>
    /// The same for the first voice alone and a segment in which nothing moves, one float a frame in each output; false, and nothing done,
    /// where cutoff and damping are not those of the segment before.
    /// </summary>
    public bool TryRunOne(
        Vector128<float>* x, in MatchedTuning tuning, Vector128<float> turns, Vector128<float> k,
        float* low, float* band, float* high, float* notch, float* peak)
    {
        if (!IsSettled(turns, k)) return false;
        var t = new Steps(in tuning);
        var (s1, s2) = (_s1, _s2);
        for (var i = 0; i < Limits.Grid; i++)
        {
            Step(x[i], in t, ref s1, ref s2, out var l, out var y, out var h);
            (low[i], band[i], high[i]) = (l.ToScalar(), y.ToScalar(), h.ToScalar());
        }

        (_s1, _s2) = (s1, s2);
        var s = _shapes;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            Weigh(in s, (Vector128<float>*)(low + i), (Vector128<float>*)(band + i), (Vector128<float>*)(high + i),
                (Vector128<float>*)(notch + i), (Vector128<float>*)(peak + i));
        }

        return true;
    }

    /// <summary>
    /// Sets voices to exact rest where nothing audible is stored and <paramref name="quiet"/> is set. True when all four are at rest.
    /// </summary>
    public bool Settle(Vector128<float> quiet)
    {
        var peak = Vector128.MaxNative(Vector128.Abs(_s1), Vector128.Abs(_s2));
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        _s1 = Vector128.AndNot(_s1, mask);
        _s2 = Vector128.AndNot(_s2, mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }

    private readonly bool IsSettled(Vector128<float> turns, Vector128<float> k) =>
        _running && Vector128.EqualsAll(turns, _turns) && Vector128.EqualsAll(k, _k);

    // The raw outputs. Weighing them is a loop of its own: both together need more registers than there are, and a state that is kept in
    // memory is what the next frame waits for.
    private void Solve(
        Vector128<float>* x, MatchedTuning* tuning, int step, int count, int doublings,
        Vector128<float>* low, Vector128<float>* band, Vector128<float>* high)
    {
        var (s1, s2) = (_s1, _s2);
        if (step == 0)
        {
            var t = new Steps(in *tuning);
            for (var i = 0; i < count; i++) Step(x[i], in t, ref s1, ref s2, out low[i], out band[i], out high[i]);
        }
        else
        {
            for (var i = 0; i < count; i++) Step(x[i], new Steps(in tuning[i >> doublings]), ref s1, ref s2, out low[i], out band[i], out high[i]);
        }

        (_s1, _s2) = (s1, s2);
    }

    // A frame waits for nothing but the way from the states over the division back to them.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Step(
        Vector128<float> into, in Steps t, ref Vector128<float> s1, ref Vector128<float> s2,
        out Vector128<float> low, out Vector128<float> band, out Vector128<float> high)
    {
        // The band as the analogue filter would have it is kappa times this one.
        var first = (s1 * t.Inverse) + (t.GInverse * (into - s2));
        var square = first * first;
        var y = first / (Vector128<float>.One + (square * t.GrowthInverse));
        var gy = t.G * y;
        var l = s2 + gy;
        low = l;
        band = y;
        high = into - ((t.K + (square * t.Growth)) * y) - l;
        var (least, most) = (Vector128.Create(-Most), Vector128.Create(Most));
        s1 = Lanes.Within(y + y - s1, least, most);
        s2 = Lanes.Within(l + gy, least, most);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Weigh(
        in MatchedShapes s, Vector128<float>* low, Vector128<float>* band, Vector128<float>* high, Vector128<float>* notch,
        Vector128<float>* peak)
    {
        var (least, most) = (Vector128.Create(-MostOut), Vector128.Create(MostOut));
        var (l, b, h) = (*low, *band, *high);
        *low = Lanes.Within(l + (s.LowBand * b) + (s.LowHigh * h), least, most);
        *band = Lanes.Within((s.BandBand * b) + (s.BandHigh * h), least, most);
        *high = Lanes.Within(s.High * h, least, most);
        *notch = Lanes.Within(l + (s.Notch * h), least, most);
        *peak = Lanes.Within(l + (s.PeakBand * b) + (s.PeakHigh * h), least, most);
    }

    // A tuning as a frame needs it: products that do not wait for the signal.
    private readonly struct Steps
    {
        public readonly Vector128<float> G, K, Inverse, GInverse, Growth, GrowthInverse;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Steps(in MatchedTuning t)
        {
            (G, K, Inverse) = (t.G, t.K, t.Inverse);
            GInverse = G * Inverse;
            Growth = Vector128.Create(Softness) * t.Kappa * t.Kappa * t.Kappa;
            GrowthInverse = Growth * GInverse;
        }
    }
}
