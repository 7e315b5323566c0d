// A band-limited oscillator: sine, triangle, saw and pulse of one phase, through zero, hard-synced, pulse width moving at audio rate.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>Which waveforms are wanted.</summary>
[Flags]
public enum Waves
{
    None = 0,
    Sine = 1,
    Triangle = 2,
    Saw = 4,
    Pulse = 8,
    All = Sine | Triangle | Saw | Pulse,
}

/// <summary>What one voice is told for one segment of <see cref="Limits.Grid"/> frames.</summary>
public unsafe struct OscillatorInput
{
    /// <summary>Turns per frame, -0.5..0.5; negative runs backwards.</summary>
    public fixed float Increment[Limits.Grid];

    /// <summary>Part of the turn in which the pulse is high, 0.01..0.99.</summary>
    public fixed float Width[Limits.Grid];

    /// <summary>Where between the frame before and this one the phase is reset, 0..1; negative: it is not.</summary>
    public fixed float Sync[Limits.Grid];
}

/// <summary>
/// One voice. The ideal waveforms are sampled <see cref="BlepTable.Latency"/> frames late, and each corner - a wrap, a pulse edge,
/// a triangle's tip, a reset - adds its residual at its exact time between two frames, in every derivative that jumps.
/// The phase is kept in double precision: no drift, and the pitch is as exact as the increment.
/// </summary>
public unsafe struct Oscillator
{
    /// <summary>Floats of buffer a voice needs: the residuals of each waveform, the phases and pulses of this segment and of the one before.</summary>
    public const int BufferFloats = (4 * Stride) + (4 * Limits.Grid);

    private const int Stride = BlepSegment.Stride;

    // A corner reaches into so many segments, its own among them.
    private const byte Reach = Stride / Limits.Grid;

    // The last four increments of the segment before.
    private Vector128<float> _past;
    private double _phase;
    private double _increment;
    private double _width;
    private Waves _waves;
    private int _newer;
    private bool _high, _running;

    // For how many segments more there are residuals of each waveform.
    private fixed byte _residuals[4];

    /// <summary>Back to phase 0.</summary>
    public void Reset(float* buffer)
    {
        this = default;
        Block.Clear(buffer, BufferFloats);
    }

    /// <summary>Renders a segment. Each waveform that is wanted is then to be taken, once.</summary>
    public void Render(float* buffer, float* table, in OscillatorInput input, Waves waves)
    {
        Begin(buffer, input.Increment[0], input.Width[0], waves);
        if (StandsStill(in input, waves)) Steadily(buffer, table, input.Width[Limits.Grid - 1], waves);
        else FrameByFrame(buffer, table, in input, waves);
    }

    /// <summary>
    /// Renders and takes several segments in which nothing but the phase moves: of each wave that is wanted as <see cref="Take"/> does, to
    /// <paramref name="targets"/>. False, and nothing done, where <paramref name="increment"/> or (if there is a pulse) <paramref name="width"/> is
    /// not that of the last frame before.
    /// </summary>
    public bool TryRenderStill(float* buffer, float* table, float increment, float width, Waves waves, int segments, float** targets, float gain)
    {
        if (!_running) Start(buffer, increment, width);
        if (!(increment >= 0f) || _increment != increment) return false;
        if ((waves & Waves.Pulse) != 0 && _width != width) return false;
        if (waves == Waves.Sine && _waves == Waves.Sine && _residuals[0] == 0)
        {
            StillSines(buffer, segments, targets[0], gain);
            _width = width;
            _high = _phase < _width;
            return true;
        }

        for (var at = 0; at < segments * Limits.Grid; at += Limits.Grid)
        {
            Begin(buffer, increment, width, waves);
            Steadily(buffer, table, width, waves);
            for (var wanted = (uint)waves; wanted != 0; wanted &= wanted - 1)
            {
                var wave = BitOperations.TrailingZeroCount(wanted);
                Take(buffer, wave, targets[wave] + at, gain);
            }
        }

        return true;
    }

    // A sine has no corners: nothing is left to be done but its phases.
    private void StillSines(float* buffer, int segments, float* target, float gain)
    {
        var (phase, increment, newer) = (_phase, _increment, _newer);
        for (var end = target + (segments * Limits.Grid); target < end; target += Limits.Grid)
        {
            PutSine(target, Phases(buffer, newer), gain);
            newer = 1 - newer;
            BlepSegment.Phases(Phases(buffer, newer), phase, increment);
            phase = BlepSegment.After(phase, increment);
        }

        (_phase, _newer) = (phase, newer);
        _past = Vector128.Create((float)increment);
    }

    /// <summary>Takes sixteen frames of waveform <paramref name="wave"/> (0..3: sine, triangle, saw, pulse), -1..1 times <paramref name="gain"/>.</summary>
    public void Take(float* buffer, int wave, float* target, float gain)
    {
        // The ideal samples are those of the segment before: by now every corner that is heard in them is known.
        var phases = Phases(buffer, 1 - _newer);
        if (wave == 0) PutSine(target, phases, gain);
        else if (wave == 1) PutTriangle(target, phases, gain);
        else if (wave == 2) PutSaw(target, phases, gain);
        else PutPulse(target, Pulses(buffer, 1 - _newer), gain);
        if (_residuals[wave] == 0) return;
        _residuals[wave]--;
        var residual = buffer + (wave * Stride);
        for (var i = 0; i < Limits.Grid; i += 4)
            (Vector128.Load(target + i) + (Vector128.Load(residual + i) * Vector128.Create(gain))).Store(target + i);
        BlepSegment.Shift(residual);
    }

    private static float* Phases(float* buffer, int which) => buffer + (4 * Stride) + (which * Limits.Grid);

    private static float* Pulses(float* buffer, int which) => buffer + (4 * Stride) + ((2 + which) * Limits.Grid);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Start(float* buffer, float increment, float width)
    {
        _running = true;
        // Sine, triangle and saw are 0 there: what was before the first segment is not heard.
        for (var i = 0; i < Limits.Grid; i++) Phases(buffer, _newer)[i] = 0.5f;
        _high = true;
        _increment = increment;
        _past = Vector128.Create(increment);
        _width = width;
        _waves = Waves.All;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Begin(float* buffer, float increment, float width, Waves waves)
    {
        if (!_running) Start(buffer, increment, width);
        else if (waves != _waves) Change(buffer, waves);
        _waves = waves;
        _newer = 1 - _newer;
    }

    // A waveform that is no longer wanted leaves nothing behind for when it is wanted again; and a pulse that nobody wanted has no levels yet.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Change(float* buffer, Waves waves)
    {
        var phases = Phases(buffer, _newer);
        var pulses = Pulses(buffer, _newer);
        if ((waves & ~_waves & Waves.Pulse) != 0)
        {
            for (var i = 0; i < Limits.Grid; i++) pulses[i] = phases[i] < _width ? 1f : -1f;
        }

        for (var wave = 0; wave < 4; wave++)
        {
            if ((_waves & ~waves & (Waves)(1 << wave)) == 0 || _residuals[wave] == 0) continue;
            _residuals[wave] = 0;
            Block.Clear(buffer + (wave * Stride), Stride);
        }
    }

    // Of waveforms to which a corner may have been added.
    private void Touch(Waves waves)
    {
        for (var wave = 0; wave < 4; wave++)
        {
            if ((waves & (Waves)(1 << wave)) != 0) _residuals[wave] = Reach;
        }
    }

    // Whether nothing but the phase moves, which it does forwards.
    private readonly bool StandsStill(in OscillatorInput input, Waves waves)
    {
        var first = input.Increment[0];
        if (!(first >= 0f) || _increment != first) return false;
        var (increment, width) = (Vector128.Create(first), Vector128.Create(input.Width[0]));
        var same = Vector128<float>.AllBitsSet;
        var sameWidth = Vector128<float>.AllBitsSet;
        fixed (OscillatorInput* p = &input)
        {
            for (var i = 0; i < Limits.Grid; i += 4)
            {
                same &= Vector128.Equals(Vector128.Load(p->Increment + i), increment)
                    & Vector128.LessThan(Vector128.Load(p->Sync + i), Vector128<float>.Zero);
                sameWidth &= Vector128.Equals(Vector128.Load(p->Width + i), width);
            }
        }

        if ((waves & Waves.Pulse) != 0)
        {
            if (_width != input.Width[0]) return false;
            same &= sameWidth;
        }

        return Vector128.EqualsAll(same.AsInt32(), Vector128.Create(-1));
    }

    private void Steadily(float* buffer, float* table, float width, Waves waves)
    {
        BlepSegment.Phases(Phases(buffer, _newer), _phase, _increment);
        _width = width;
        if ((waves & ~Waves.Sine) != 0) SteadyCorners(buffer, table, waves);
        _phase = BlepSegment.After(_phase, _increment);
        _past = Vector128.Create((float)_increment);
        _high = _phase < _width;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void SteadyCorners(float* buffer, float* table, Waves waves)
    {
        if ((waves & Waves.Triangle) != 0)
        {
            var slope = (float)(8.0 * _increment);
            if (BlepSegment.Corners(buffer + Stride, table, _phase, _increment, 0.25, 1, -slope)
                | BlepSegment.Corners(buffer + Stride, table, _phase, _increment, 0.75, 1, slope)) _residuals[1] = Reach;
        }

        if ((waves & Waves.Saw) != 0 && BlepSegment.Corners(buffer + (2 * Stride), table, _phase, _increment, 0.0, 0, -2f)) _residuals[2] = Reach;
        if ((waves & Waves.Pulse) == 0) return;
        BlepSegment.Levels(Pulses(buffer, _newer), _phase, _increment, _width);
        if (BlepSegment.Corners(buffer + (3 * Stride), table, _phase, _increment, 0.0, 0, 2f)
            | BlepSegment.Corners(buffer + (3 * Stride), table, _phase, _increment, _width, 0, -2f)) _residuals[3] = Reach;
    }

    private void FrameByFrame(float* buffer, float* table, in OscillatorInput input, Waves waves)
    {
        var phases = Phases(buffer, _newer);
        var pulses = Pulses(buffer, _newer);
        var special = Special(in input);
        for (var i = 0; i < Limits.Grid; i++)
        {
            i = Pass(i, special, in input, phases, pulses, waves);
            if (i == Limits.Grid) break;
            Touch(waves & ~Waves.Sine);
            var step = new Interval
            {
                At = buffer + i,
                Table = table,
                Waves = waves,
                Increment = input.Increment[i],
                Bend = input.Increment[i] - _increment,
                Width = _width,
                WidthChange = input.Width[i] - _width,
            };
            var sync = input.Sync[i];
            if (sync >= 0f)
            {
                var travelled = step.Travelled(sync);
                Advance(in step, 0.0, sync, _phase, _phase + travelled);
                Restart(in step, sync);
                Advance(in step, sync, 1.0, 0.0, step.Increment - travelled);
            }
            else if (step.TurnsBack(out var middle))
            {
                var travelled = step.Travelled(middle);
                Advance(in step, 0.0, middle, _phase, _phase + travelled);
                Advance(in step, middle, 1.0, _phase, _phase + (step.Increment - travelled));
            }
            else
            {
                step.Follow(Past(in input, i - 1), Past(in input, i - 2), Past(in input, i - 3), Past(in input, i - 4));
                Advance(in step, 0.0, 1.0, _phase, _phase + step.Increment);
            }

            _increment = step.Increment;
            _width = input.Width[i];
            phases[i] = (float)_phase;
            pulses[i] = _high ? 1f : -1f;
        }

        fixed (OscillatorInput* p = &input) _past = Vector128.Load(p->Increment + Limits.Grid - 4);

        // Edges that nobody hears are not looked for.
        if ((waves & Waves.Pulse) == 0) _high = _phase < _width;
    }

    // The increment of a frame of this segment, or, counted back from -1, of the one before.
    private double Past(in OscillatorInput input, int i)
    {
        if (i >= 0) return input.Increment[i];
        fixed (Vector128<float>* past = &_past) return ((float*)past)[4 + i];
    }

    // A bit for each frame with a reset, or in which the phase may turn back.
    private readonly uint Special(in OscillatorInput input)
    {
        var special = 0u;
        var before = Vector128.Create((float)_increment);
        fixed (OscillatorInput* p = &input)
        {
            for (var i = 0; i < Limits.Grid; i += 4)
            {
                var increment = Vector128.Load(p->Increment + i);
                var turned = Vector128.Shuffle(increment, Vector128.Create(3, 0, 1, 2));
                var bend = increment - Vector128.ConditionalSelect(Vector128.Create(-1, 0, 0, 0).AsSingle(), before, turned);
                before = turned;
                var bits = Vector128.GreaterThanOrEqual(Vector128.Load(p->Sync + i), Vector128<float>.Zero)
                    | Vector128.GreaterThan(Vector128.Abs(bend), Vector128.Abs(increment + increment));
                special |= Vector128.ExtractMostSignificantBits(bits) << i;
            }
        }

        return special;
    }

    // Goes on from frame `i` to the first one that sees a corner or is special: most frames do not, their phase stays between two corners.
    private int Pass(int i, uint special, in OscillatorInput input, float* phases, float* pulses, Waves waves)
    {
        var stop = BitOperations.TrailingZeroCount((special >> i << i) | (1u << Limits.Grid));
        var (phase, low, high) = (_phase, 0.0, 1.0);
        if ((waves & Waves.Triangle) != 0)
        {
            if (phase < 0.25) high = 0.25;
            else if (phase < 0.75) (low, high) = (0.25, 0.75);
            else low = 0.75;
        }

        var begin = i;
        if ((waves & Waves.Pulse) == 0)
        {
            for (; i < stop; i++)
            {
                var next = phase + input.Increment[i];
                if (!(next >= low && next < high)) break;
                phases[i] = (float)next;
                phase = next;
            }
        }
        else
        {
            var level = _high ? 1f : -1f;
            for (; i < stop; i++)
            {
                var next = phase + input.Increment[i];
                if (!(next >= low && next < high) || next < input.Width[i] != _high) break;
                phases[i] = (float)next;
                pulses[i] = level;
                phase = next;
            }
        }

        if (i == begin) return i;
        (_phase, _increment, _width) = (phase, input.Increment[i - 1], input.Width[i - 1]);
        return i;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutSine(float* target, float* phases, float gain)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            Vector256<float> a = Vector256.Load(phases), b = Vector256.Load(phases + 8);
            FastMath.SinTurns(ref a, ref b);
            (a * Vector256.Create(gain)).Store(target);
            (b * Vector256.Create(gain)).Store(target + 8);
            return;
        }

        for (var i = 0; i < Limits.Grid; i += 4) (FastMath.SinTurns(Vector128.Load(phases + i)) * Vector128.Create(gain)).Store(target + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutTriangle(float* target, float* phases, float gain)
    {
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            // 4 |frac(phase + 1/4) - 1/2|, turned so that it starts at 0 and rises.
            var turned = Vector128.Load(phases + i) + Vector128.Create(0.25f);
            turned -= Vector128.GreaterThanOrEqual(turned, Vector128<float>.One) & Vector128<float>.One;
            var triangle = Vector128<float>.One - (Vector128.Create(4f) * Vector128.Abs(turned - Vector128.Create(0.5f)));
            (triangle * Vector128.Create(gain)).Store(target + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutSaw(float* target, float* phases, float gain)
    {
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var phase = Vector128.Load(phases + i);
            (((phase + phase) - Vector128<float>.One) * Vector128.Create(gain)).Store(target + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutPulse(float* target, float* pulses, float gain)
    {
        for (var i = 0; i < Limits.Grid; i += 4) (Vector128.Load(pulses + i) * Vector128.Create(gain)).Store(target + i);
    }

    // One stretch of time between two frames, over which the phase runs from `from` to `to` in one direction and without a reset.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Advance(in Interval step, double start, double end, double from, double to)
    {
        var width = step.Width + (step.WidthChange * end);
        // The tips of the triangle are at 1/4 and 3/4: where 2 phase + 1/2 passes a whole number.
        if ((step.Waves & Waves.Triangle) != 0)
        {
            var (a, b) = (Math.Floor((2.0 * from) + 0.5), Math.Floor((2.0 * to) + 0.5));
            if (a != b) Tip(in step, start, end, from, Math.Max(a, b));
        }

        var turn = Math.Floor(to);
        var wantsPulse = (step.Waves & Waves.Pulse) != 0;
        if (turn == 0.0)
        {
            var endsHigh = to < width;
            if (endsHigh != _high) Edge(in step, start, end, from, 0.0, endsHigh, wantsPulse);
            _phase = to;
            return;
        }

        // A wrap: the saw jumps, and the pulse is low just below 1 and high just above 0.
        var forward = turn > 0.0;
        if (_high == forward) Edge(in step, start, end, from, 0.0, !forward, wantsPulse);
        var age = step.Age(start, end, (forward ? 1.0 : 0.0) - from);
        if ((step.Waves & Waves.Saw) != 0) BlepTable.Add(step.At + (2 * Stride), step.Table, 0, age, forward ? -2f : 2f);
        if (wantsPulse) BlepTable.Add(step.At + (3 * Stride), step.Table, 0, age, forward ? 2f : -2f);
        _high = forward;
        _phase = Math.Min(to - turn, 0.9999999999999999);
        var high = _phase < width;
        if (high != _high) Edge(in step, start, end, from, turn, high, wantsPulse);
    }

    private static void Tip(in Interval step, double start, double end, double from, double whole)
    {
        var age = step.Age(start, end, (0.5 * (whole - 0.5)) - from);
        var top = ((long)whole & 1) != 0 ? -8.0 : 8.0;
        var speed = step.CurvedSpeedAt(1.0 - age, out var bend);
        BlepTable.Add(step.At + Stride, step.Table, 1, age, (float)(top * Math.Abs(speed)));

        // A tip on a bent way is a corner of the second derivative too.
        if (bend != 0.0) BlepTable.Add(step.At + Stride, step.Table, 2, age, (float)(top * Math.CopySign(bend, bend * speed)));
    }

    // The phase passes the pulse width, which moves too.
    private void Edge(in Interval step, double start, double end, double from, double turn, bool high, bool wanted)
    {
        _high = high;
        if (!wanted) return;
        var age = step.Age(start, end, step.Width - (from - turn), step.WidthChange);
        BlepTable.Add(step.At + (3 * Stride), step.Table, 0, age, high ? 2f : -2f);
    }

    private void Restart(in Interval step, float sync)
    {
        var age = 1f - sync;
        var speed = step.SpeedAt(sync);
        var phase = (float)_phase;
        Touch(step.Waves);
        if ((step.Waves & Waves.Sine) != 0)
        {
            var w = (float)(speed * (2.0 * Math.PI));
            var (sin, cos) = (FastMath.SinTurns(phase), FastMath.SinTurns(phase + 0.25f));
            BlepTable.Add(step.At, step.Table, 0, age, -sin);
            BlepTable.Add(step.At, step.Table, 1, age, w * (1f - cos));
            BlepTable.Add(step.At, step.Table, 2, age, w * w * sin);
            BlepTable.Add(step.At, step.Table, 3, age, -w * w * w * (1f - cos));
        }

        if ((step.Waves & Waves.Triangle) != 0)
        {
            var falling = phase is >= 0.25f and < 0.75f;
            BlepTable.Add(step.At + Stride, step.Table, 0, age, -LfoWave.At(LfoShape.Triangle, phase, 0f, 0f));
            if (falling) BlepTable.Add(step.At + Stride, step.Table, 1, age, (float)(8.0 * speed));
        }

        if ((step.Waves & Waves.Saw) != 0) BlepTable.Add(step.At + (2 * Stride), step.Table, 0, age, -2f * phase);
        if (!_high && (step.Waves & Waves.Pulse) != 0) BlepTable.Add(step.At + (3 * Stride), step.Table, 0, age, 2f);
        _high = true;
    }

    // The time between two frames. The phase runs along p + increment x - bend x (1 - x) / 2: the parabola that modulation of the
    // frequency makes of it, its bend taken from the last two increments; and where it neither turns nor is reset, along the curve of
    // fifth order through the last six phases (Newton's backward differences). Without it corners of an FM sound jitter, and jitter is heard
    // as aliases: a saw modulated over an octave either way at 5 kHz has them at -66 dB with the parabola alone.
    private struct Interval
    {
        public float* At;
        public float* Table;
        public Waves Waves;
        public double Increment, Bend, Width, WidthChange;
        public double Third, Fourth, Fifth;

        // Takes the four increments before into account. Where they jump, a curve through them would swing: the parabola stays.
        public void Follow(double a, double b, double c, double d)
        {
            Third = Increment - (2.0 * a) + b;
            Fourth = Increment - (3.0 * (a - b)) - c;
            Fifth = Increment - (4.0 * (a + c)) + (6.0 * b) + d;
            if (Math.Abs(Third) + Math.Abs(Fourth) + Math.Abs(Fifth) > 2.0 * Math.Abs(Increment)) Third = Fourth = Fifth = 0.0;
        }

        // How far the curve is off the parabola.
        private readonly double Off(double x)
        {
            var s = x - 1.0;
            return s * x * (s + 2.0) * (1.0 / 6.0) * (Third + ((s + 3.0) * 0.25 * (Fourth + ((s + 4.0) * 0.2 * Fifth))));
        }

        public readonly double CurvedSpeedAt(double x, out double bend)
        {
            bend = Bend + (Third * x);
            if (Third == 0.0 && Fourth == 0.0) return SpeedAt(x);
            const double H = 1e-3;
            return SpeedAt(x) + ((Off(x + H) - Off(x - H)) * (0.5 / H));
        }

        // The root near x, where the parabola has it.
        private readonly double Refined(double x, double gap, double drift)
        {
            for (var round = 0; round < 3; round++)
            {
                var speed = SpeedAt(x) - drift;
                if (Math.Abs(speed) < 0.1 * Math.Abs(Increment)) return x;
                x = Within(x - ((Travelled(x) + Off(x) - (drift * x) - gap) / speed), 0.0, 1.0);
            }

            return x;
        }

        public readonly double Travelled(double x) => (Increment * x) - (0.5 * Bend * x * (1.0 - x));

        public readonly double SpeedAt(double x) => Increment + (Bend * (x - 0.5));

        // Whether the phase turns back within the interval: a corner near that moment may be passed twice.
        public readonly bool TurnsBack(out double x)
        {
            x = Bend == 0.0 ? 0.0 : 0.5 - (Increment / Bend);
            return x is > 0.0 and < 1.0;
        }

        // Frames from a corner to the end of the interval. The corner is between `start` and `end`, where the phase has come `gap`
        // further than at `start`, while its threshold moves by `drift` a frame: the root of
        // bend/2 x^2 + (increment - bend/2 - drift) x - (travelled(start) + gap), in the form that does not cancel.
        public readonly float Age(double start, double end, double gap, double drift = 0.0)
        {
            var a = 0.5 * Bend;
            var b = Increment - a - drift;
            var c = -(Travelled(start) + gap);
            var q = -0.5 * (b + Math.CopySign(Math.Sqrt(Math.Max(0.0, (b * b) - (4.0 * a * c))), b));
            if (q == 0.0) return (float)(1.0 - end);
            var x = c / q;
            if ((x < start || x > end) && a != 0.0)
            {
                var other = q / a;
                if (Math.Abs(other - Within(other, start, end)) < Math.Abs(x - Within(x, start, end))) x = other;
            }

            x = Within(x, start, end);
            return (float)(1.0 - (Third == 0.0 && Fourth == 0.0 ? x : Refined(x, gap, drift)));
        }

        // Math.Clamp throws where rounding has put the end before the start.
        private static double Within(double x, double start, double end) => Math.Max(start, Math.Min(x, end));
    }
}
