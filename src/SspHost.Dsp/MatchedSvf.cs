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
/// Time-Varying Recursive Filters, JAES 2007). From segment to segment states are kept within 50 V, far above a signal's.
/// A filter is asked for its raw low, band and high first; what the outputs are made of them is <see cref="WeighFour"/>'s.
/// </summary>
public unsafe struct MatchedSvf
{
    /// <summary>Damping per V^2 of band signal: 1 % of a damping of 0.5 at 2 V.</summary>
    public const float Softness = 1f / 750f;

    /// <summary>Volts beyond which what comes in is cut.</summary>
    public const float MostIn = 50f;

    private const float Most = 50f;
    private const float MostOut = 250f;

    // Half of the first state, and the second one.
    private Vector128<float> _half, _s2;
    private MatchedShapes _from, _to;
    private MatchedGains _gains;
    private Vector128<float> _turns, _k;
    private bool _running, _still, _settled;

    /// <summary>Whether the voices are tuned to this cutoff and damping, and were at the end of the last segment.</summary>
    public readonly bool IsAt(Vector128<float> turns, Vector128<float> k) =>
        _still && Vector128.EqualsAll(turns, _turns) && Vector128.EqualsAll(k, _k);

    /// <summary>The gains of a cutoff and damping that stand still over a segment; worked out where they are not those of last time.</summary>
    public void Still(Vector128<float> turns, Vector128<float> k, MatchedGains* gains)
    {
        if (IsAt(turns, k))
        {
            _settled = true;
        }
        else
        {
            var tuning = MatchedTuning.Of(turns, k);
            _gains = MatchedGains.Of(in tuning);
            Aim(in tuning, turns, k);
            (_turns, _k, _still) = (turns, k, true);
        }

        *gains = _gains;
    }

    /// <summary>
    /// For a segment in which they move: its last tuning, of <paramref name="turns"/> and <paramref name="k"/>. The weights of the outputs
    /// go to those that belong to it along a straight line.
    /// </summary>
    public void Aim(in MatchedTuning tuning, Vector128<float> turns, Vector128<float> k)
    {
        _from = _to;
        _to = MatchedShapes.Of(in tuning, turns, k);
        if (!_running) _from = _to;
        (_running, _still, _settled) = (true, false, false);
    }

    /// <summary>
    /// The raw outputs of a segment of <paramref name="x"/>, one vector a frame, 2^<paramref name="doublings"/> of them for each of
    /// <paramref name="gains"/>; with a <paramref name="step"/> of 0 the first gains last throughout.
    /// </summary>
    public void RunFour(
        Vector128<float>* x, MatchedGains* gains, int step, int doublings, Vector128<float>* low, Vector128<float>* band, Vector128<float>* high)
    {
        var state = new State(_half, _s2);
        for (var end = x + (Limits.Grid << doublings); x < end; gains += step)
        {
            for (var next = x + (1 << doublings); x < next; x++, low++, band++, high++)
            {
                state.Step(*x, gains->G, gains->State, gains->Into, gains->Damping, gains->Growth, gains->Divisor, out *low, out *band, out *high);
            }
        }

        state.End(out _half, out _s2);
    }

    /// <summary>
    /// As the other, for two filters at once, whose blocks, gains and raw outputs lie <paramref name="stride"/> vectors and
    /// <see cref="Limits.Grid"/> gains apart. One waits for a division in every frame: meanwhile the other goes on.
    /// </summary>
    public static void RunEight(
        MatchedSvf* filters, Vector128<float>* x, MatchedGains* gains, int step, int doublings, Vector128<float>* low, Vector128<float>* band,
        Vector128<float>* high, nint stride)
    {
        var a = new State(filters[0]._half, filters[0]._s2);
        var b = new State(filters[1]._half, filters[1]._s2);
        var other = gains + Limits.Grid;
        for (var end = x + (Limits.Grid << doublings); x < end; gains += step, other += step)
        {
            for (var next = x + (1 << doublings); x < next; x++, low++, band++, high++)
            {
                a.Step(*x, gains->G, gains->State, gains->Into, gains->Damping, gains->Growth, gains->Divisor, out *low, out *band, out *high);
                b.Step(
                    x[stride], other->G, other->State, other->Into, other->Damping, other->Growth, other->Divisor,
                    out low[stride], out band[stride], out high[stride]);
            }
        }

        a.End(out filters[0]._half, out filters[0]._s2);
        b.End(out filters[1]._half, out filters[1]._s2);
    }

    /// <summary>
    /// The same of a segment of the first voice alone, one float a frame. The lanes of each of <paramref name="gains"/> are four frames.
    /// </summary>
    public void RunOne(float* x, MatchedGains* gains, int step, float* low, float* band, float* high)
    {
        var state = new State(_half, _s2);
        for (var end = low + Limits.Grid; low < end; gains += step)
        {
            var t = (float*)gains;
            for (var next = t + 4; t < next; t++)
            {
                state.Step(One(x), One(t), One(t + 4), One(t + 8), One(t + 12), One(t + 16), One(t + 20), out var l, out var b, out var h);
                (*low, *band, *high) = (l.ToScalar(), b.ToScalar(), h.ToScalar());
                x++;
                low++;
                band++;
                high++;
            }
        }

        state.End(out _half, out _s2);
    }

    /// <summary>
    /// Output <paramref name="output"/> (low, band, high, notch, peak) of the first <paramref name="voices"/>, times
    /// <paramref name="gain"/>, to targets <paramref name="stride"/> floats apart. The raw outputs are one vector a frame; <paramref name="frames"/>
    /// are a segment, or several whole ones after <see cref="IsAt"/>.
    /// </summary>
    public static void WeighFour(
        MatchedSvf* self, int output, Vector128<float>* low, Vector128<float>* band, Vector128<float>* high, int frames, float* target, nint stride,
        int voices, float gain)
    {
        var parts = new Parts(self, output, gain);
        if (self->_settled)
        {
            var (l, b, h) = (parts.Low, parts.Band, parts.High);
            for (var end = target + frames; target < end; target += 4, low += 4, band += 4, high += 4)
            {
                Lanes.Put(
                    Sum(low[0], band[0], high[0], l, b, h), Sum(low[1], band[1], high[1], l, b, h),
                    Sum(low[2], band[2], high[2], l, b, h), Sum(low[3], band[3], high[3], l, b, h), target, stride, voices);
            }

            return;
        }

        for (nint i = 0; i < Limits.Grid; i += 4)
        {
            Lanes.Put(
                parts.At(low, band, high, i), parts.At(low, band, high, i + 1), parts.At(low, band, high, i + 2), parts.At(low, band, high, i + 3),
                target + i, stride, voices);
        }
    }

    /// <summary>The same of the first voice alone; the raw outputs are one float a frame.</summary>
    public static void WeighOne(MatchedSvf* self, int output, float* low, float* band, float* high, int frames, float* target, float gain)
    {
        var parts = new Parts(self, output, gain);
        var (l, b, h) = (One(parts.Low), One(parts.Band), One(parts.High));
        if (self->_settled)
        {
            for (nint i = 0; i < frames; i += 4)
                Sum(Vector128.Load(low + i), Vector128.Load(band + i), Vector128.Load(high + i), l, b, h).Store(target + i);
            return;
        }

        var (bandStep, highStep) = (One(parts.BandStep), One(parts.HighStep));
        for (nint i = 0; i < Limits.Grid; i += 4)
        {
            var rest = (Vector128.Create(0f, 1f, 2f, 3f) + Vector128.Create((float)(i - (Limits.Grid - 1)))) * Vector128.Create(1f / Limits.Grid);
            var bands = Vector128.MultiplyAddEstimate(bandStep, rest, b);
            var highs = Vector128.MultiplyAddEstimate(highStep, rest, h);
            Sum(Vector128.Load(low + i), Vector128.Load(band + i), Vector128.Load(high + i), l, bands, highs).Store(target + i);
        }
    }

    /// <summary>
    /// Sets voices to exact rest where nothing audible is stored and <paramref name="quiet"/> is set. True when all four are at rest.
    /// </summary>
    public bool Settle(Vector128<float> quiet)
    {
        var peak = Vector128.MaxNative(Vector128.Abs(_half + _half), Vector128.Abs(_s2));
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        _half = Vector128.AndNot(_half, mask);
        _s2 = Vector128.AndNot(_s2, mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> One(float* at) => Vector128.CreateScalarUnsafe(*at); // zeroed lanes would wait for what the register held

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> One(Vector128<float> voices) => Vector128.Create(voices.ToScalar());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Sum(
        Vector128<float> low, Vector128<float> band, Vector128<float> high, Vector128<float> lows, Vector128<float> bands, Vector128<float> highs)
    {
        var y = Vector128.MultiplyAddEstimate(band, bands, high * highs);
        y = Vector128.MultiplyAddEstimate(low, lows, y);
        return Lanes.Within(y, Vector128.Create(-MostOut), Vector128.Create(MostOut));
    }

    // Weights of an output by voice, at the end of a segment and how far they have come in it.
    private readonly ref struct Parts
    {
        public readonly Vector128<float> Low, Band, High, BandStep, HighStep;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Parts(MatchedSvf* self, int output, float gain)
        {
            var to = (Vector128<float>*)&self->_to + (3 * output);
            var from = (Vector128<float>*)&self->_from + (3 * output);
            var gains = Vector128.Create(gain);
            (Low, Band, High) = (to[0] * gains, to[1] * gains, to[2] * gains);
            BandStep = Band - (from[1] * gains);
            HighStep = High - (from[2] * gains);
        }

        // Frame i while the weights move along a straight line.
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector128<float> At(Vector128<float>* low, Vector128<float>* band, Vector128<float>* high, nint i)
        {
            // Part of the way that is still to go, below 0.
            var rest = Vector128.Create((float)(i - (Limits.Grid - 1)) * (1f / Limits.Grid));
            return Sum(
                low[i], band[i], high[i], Low, Vector128.MultiplyAddEstimate(BandStep, rest, Band), Vector128.MultiplyAddEstimate(HighStep, rest, High));
        }
    }

    // A frame waits for nothing but the way from one band over the division to the next: both states go on one frame late, beside it, and
    // the part of the next band that does not depend on this one is ready before.
    private ref struct State
    {
        private Vector128<float> _half, _s2, _band, _twice;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public State(Vector128<float> half, Vector128<float> s2)
        {
            // As if a silent frame had been before.
            _half = -half;
            _s2 = s2;
            _band = Vector128<float>.Zero;
            _twice = Vector128<float>.Zero;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Step(
            Vector128<float> into, Vector128<float> g, Vector128<float> state, Vector128<float> of, Vector128<float> damping,
            Vector128<float> growth, Vector128<float> divisor, out Vector128<float> low, out Vector128<float> band, out Vector128<float> high)
        {
            // The band as the analogue filter would have it is kappa times this one.
            var ready = (of * (into - _s2)) - (state * _half);
            var first = Vector128.MultiplyAddEstimate(_band, state - (_twice * of), ready);
            _half = _band - _half;
            _s2 = Vector128.MultiplyAddEstimate(_twice, _band, _s2);
            var square = first * first;
            _band = first / Vector128.MultiplyAddEstimate(square, divisor, Vector128<float>.One);
            _twice = g + g;
            low = Vector128.MultiplyAddEstimate(g, _band, _s2);
            band = _band;
            high = into - low - (Vector128.MultiplyAddEstimate(square, growth, damping) * _band);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly void End(out Vector128<float> half, out Vector128<float> s2)
        {
            half = Lanes.Within(_band - _half, Vector128.Create(-0.5f * Most), Vector128.Create(0.5f * Most));
            s2 = Lanes.Within(Vector128.MultiplyAddEstimate(_twice, _band, _s2), Vector128.Create(-Most), Vector128.Create(Most));
        }
    }
}
