// Spectra of real signals: a fast Fourier transform of a power of two, whole or in slices of equal work.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// A real transform of N = 32..65536 points by a complex one of n = N / 2: Stockham's self-sorting radix 4 (Cochran et al., What Is the
/// Fast Fourier Transform?, 1967; Van Loan, Computational Frameworks for the FFT, 1.7), one radix-2 pass where log2 n is odd, and the
/// split of even and odd parts. Relative RMS error below 5e-7.
/// <para>
/// A spectrum lies where the signal lay: n real parts, then n imaginary parts; bin k = sum of x[j] e^(-2 pi i j k / N). The imaginary part
/// of bin 0 is nil and its place holds bin n, which is real, too.
/// </para>
/// <para>
/// The tables are read only: one block serves any number of threads. Nothing is allocated, nothing branches on the data, and the work
/// is <see cref="Units"/> equal slices that may be done one at a time.
/// </para>
/// </summary>
public readonly unsafe struct Fft
{
    /// <summary>Fewest points.</summary>
    public const int Smallest = 32;

    /// <summary>Most points.</summary>
    public const int Largest = 65_536;

    // Points of the complex transform that one unit of work takes through one pass.
    private const int LogUnit = 4;

    private readonly float* _tables;
    private readonly int _logPoints;

    /// <summary>Over tables that <see cref="Build"/> filled for <paramref name="size"/>.</summary>
    public Fft(float* tables, int size)
    {
        _tables = tables;
        _logPoints = Log2(size) - 1;
    }

    /// <summary>Points of the real signal.</summary>
    public int Size => 2 << _logPoints;

    /// <summary>Slices that a transform's work comes in, each of them 16 points of one pass.</summary>
    public int Units => (Passes + 2) << (_logPoints - LogUnit);

    // Radix-4 passes and, where it is needed, one of radix 2.
    private int Passes => (_logPoints + 1) >> 1;

    /// <summary>Floats of the tables.</summary>
    public static long Floats(int size) => size + (size / 2);

    /// <summary>Fills tables for a power of two in 32..65536; allocates nothing. [steward]</summary>
    public static void Build(float* tables, int size)
    {
        var n = size / 2;
        var first = tables;
        for (var p = 0; p < n / 4; p++)
        {
            for (var leg = 1; leg < 4; leg++)
            {
                Turn(leg * p, n, out first[(((2 * leg) - 2) * (n / 4)) + p], out first[(((2 * leg) - 1) * (n / 4)) + p]);
            }
        }

        var next = tables + (6 * (n / 4));
        for (var length = n / 4; length >= 4; length /= 4)
        {
            for (var p = 0; p < length / 4; p++)
            {
                for (var leg = 1; leg < 4; leg++, next += 2) Turn(leg * p, length, out next[0], out next[1]);
            }
        }

        var split = tables + (2 * n);
        for (var k = 1; k <= n / 2; k++) Turn(k, size, out split[k - 1], out split[(n / 2) + k - 1]);
    }

    /// <summary>Signal to spectrum, in place. <paramref name="scratch"/>: as many floats as points, of any alignment.</summary>
    public void Forward(float* data, float* scratch) => Forward(data, scratch, 0, Units);

    /// <summary>Spectrum to signal, in place: the inverse of <see cref="Forward(float*, float*)"/>, scaled so that both together change
    /// nothing.</summary>
    public void Inverse(float* data, float* scratch) => Inverse(data, scratch, 0, Units);

    /// <summary>Units <paramref name="from"/> up to <paramref name="to"/> of the work; data and scratch stay untouched
    /// between calls.</summary>
    public void Forward(float* data, float* scratch, int from, int to)
    {
        var n = 1 << _logPoints;
        var logUnits = _logPoints - LogUnit;
        while (from < to)
        {
            var pass = from >> logUnits;
            var start = from & ((1 << logUnits) - 1);
            var end = Math.Min(1 << logUnits, start + to - from);
            from += end - start;
            if (pass == 0)
            {
                Deinterleave(data, scratch, scratch + n, start, end);
            }
            else if (pass <= Passes)
            {
                var odd = (pass & 1) != 0;
                float* s = odd ? scratch : data, t = odd ? data : scratch;
                Pass(s, s + n, t, t + n, pass - 1, start, end);
            }
            else
            {
                Split((Passes & 1) != 0 ? data : scratch, data, start, end);
            }
        }
    }

    /// <inheritdoc cref="Forward(float*, float*, int, int)"/>
    public void Inverse(float* data, float* scratch, int from, int to)
    {
        var n = 1 << _logPoints;
        var logUnits = _logPoints - LogUnit;
        while (from < to)
        {
            var pass = from >> logUnits;
            var start = from & ((1 << logUnits) - 1);
            var end = Math.Min(1 << logUnits, start + to - from);
            from += end - start;
            if (pass == 0)
            {
                Join(data, (Passes & 1) != 0 ? data : scratch, start, end);
            }
            else if (pass <= Passes)
            {
                // Real and imaginary parts exchanged, a forward transform is an inverse one.
                var even = ((Passes - pass) & 1) == 0;
                float* s = even ? data : scratch, t = even ? scratch : data;
                Pass(s + n, s, t + n, t, pass - 1, start, end);
            }
            else
            {
                Interleave(scratch, scratch + n, data, start, end);
            }
        }
    }

    private static int Log2(int size)
    {
        var log = 0;
        while (size > 1)
        {
            size >>= 1;
            log++;
        }

        return log;
    }

    private static void Turn(int numerator, int denominator, out float cos, out float sin)
    {
        var half = 2.0 * numerator / denominator;
        cos = (float)ExactMath.SinPi(half + 0.5);
        sin = (float)-ExactMath.SinPi(half);
    }

    private void Pass(float* sr, float* si, float* tr, float* ti, int stage, int start, int end)
    {
        var n = 1 << _logPoints;
        var stride = 1 << (2 * stage);
        if (stage == 0) FirstPass(sr, si, tr, ti, _tables, n, start, end);
        else if (4 * stride < n) MiddlePass(sr, si, tr, ti, _tables + (2 * n) - ((2 * n) >> (2 * stage)), n, stage, start, end);
        else if (4 * stride == n) LastPass(sr, si, tr, ti, n, start, end);
        else PairPass(sr, si, tr, ti, n, start, end);
    }

    // Four neighbouring butterflies; their results lie together, so that lanes become neighbours by a transposition.
    private static void FirstPass(float* sr, float* si, float* tr, float* ti, float* turns, int n, int start, int end)
    {
        var m = n >> 2;
        for (var j = start; j < end; j++)
        {
            var p = 4 * j;
            Butterfly(sr + p, si + p, m, out var r0, out var i0, out var r1, out var i1, out var r2, out var i2, out var r3, out var i3);
            var w = turns + p;
            Rotate(ref r1, ref i1, Vector128.Load(w), Vector128.Load(w + m));
            Rotate(ref r2, ref i2, Vector128.Load(w + (2 * m)), Vector128.Load(w + (3 * m)));
            Rotate(ref r3, ref i3, Vector128.Load(w + (4 * m)), Vector128.Load(w + (5 * m)));
            StoreTransposed(tr + (4 * p), r0, r1, r2, r3);
            StoreTransposed(ti + (4 * p), i0, i1, i2, i3);
        }
    }

    private static void MiddlePass(float* sr, float* si, float* tr, float* ti, float* turns, int n, int stage, int start, int end)
    {
        var quarter = n >> 2;
        var stride = 1 << (2 * stage);
        var shift = (2 * stage) - 2;
        for (var j = start; j < end; j++)
        {
            var p = j >> shift;
            var w = turns + (6 * p);
            Butterfly(sr + (4 * j), si + (4 * j), quarter,
                out var r0, out var i0, out var r1, out var i1, out var r2, out var i2, out var r3, out var i3);
            Rotate(ref r1, ref i1, Vector128.Create(w[0]), Vector128.Create(w[1]));
            Rotate(ref r2, ref i2, Vector128.Create(w[2]), Vector128.Create(w[3]));
            Rotate(ref r3, ref i3, Vector128.Create(w[4]), Vector128.Create(w[5]));
            var at = (4 * j) + (3 * stride * p);
            Store(tr + at, ti + at, stride, r0, i0, r1, i1, r2, i2, r3, i3);
        }
    }

    private static void LastPass(float* sr, float* si, float* tr, float* ti, int n, int start, int end)
    {
        var quarter = n >> 2;
        for (var j = start; j < end; j++)
        {
            Butterfly(sr + (4 * j), si + (4 * j), quarter,
                out var r0, out var i0, out var r1, out var i1, out var r2, out var i2, out var r3, out var i3);
            Store(tr + (4 * j), ti + (4 * j), quarter, r0, i0, r1, i1, r2, i2, r3, i3);
        }
    }

    private static void PairPass(float* sr, float* si, float* tr, float* ti, int n, int start, int end)
    {
        var half = n >> 1;
        for (var at = 8 * start; at < 8 * end; at += 4)
        {
            Vector128<float> ar = Vector128.Load(sr + at), ai = Vector128.Load(si + at);
            Vector128<float> br = Vector128.Load(sr + at + half), bi = Vector128.Load(si + at + half);
            (ar + br).Store(tr + at);
            (ai + bi).Store(ti + at);
            (ar - br).Store(tr + at + half);
            (ai - bi).Store(ti + at + half);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Butterfly(float* sr, float* si, int step,
        out Vector128<float> r0, out Vector128<float> i0, out Vector128<float> r1, out Vector128<float> i1,
        out Vector128<float> r2, out Vector128<float> i2, out Vector128<float> r3, out Vector128<float> i3)
    {
        Vector128<float> ar = Vector128.Load(sr), ai = Vector128.Load(si);
        Vector128<float> br = Vector128.Load(sr + step), bi = Vector128.Load(si + step);
        Vector128<float> cr = Vector128.Load(sr + (2 * step)), ci = Vector128.Load(si + (2 * step));
        Vector128<float> dr = Vector128.Load(sr + (3 * step)), di = Vector128.Load(si + (3 * step));
        Vector128<float> evenR = ar + cr, evenI = ai + ci, oddR = br + dr, oddI = bi + di;
        Vector128<float> differR = ar - cr, differI = ai - ci, turnedR = br - dr, turnedI = bi - di;
        r0 = evenR + oddR;
        i0 = evenI + oddI;
        r1 = differR + turnedI;
        i1 = differI - turnedR;
        r2 = evenR - oddR;
        i2 = evenI - oddI;
        r3 = differR - turnedI;
        i3 = differI + turnedR;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Rotate(ref Vector128<float> re, ref Vector128<float> im, Vector128<float> cos, Vector128<float> sin)
    {
        var x = re;
        re = (x * cos) - (im * sin);
        im = (x * sin) + (im * cos);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* tr, float* ti, int step, Vector128<float> r0, Vector128<float> i0, Vector128<float> r1,
        Vector128<float> i1, Vector128<float> r2, Vector128<float> i2, Vector128<float> r3, Vector128<float> i3)
    {
        r0.Store(tr);
        i0.Store(ti);
        r1.Store(tr + step);
        i1.Store(ti + step);
        r2.Store(tr + (2 * step));
        i2.Store(ti + (2 * step));
        r3.Store(tr + (3 * step));
        i3.Store(ti + (3 * step));
    }

    // By halves of vectors and shuffles within one: what x64 and arm64 both have.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreTransposed(float* target, Vector128<float> a, Vector128<float> b, Vector128<float> c, Vector128<float> d)
    {
        Vector128<float> ab = Pairs(Lows(a, b)), cd = Pairs(Lows(c, d));
        Lows(ab, cd).Store(target);
        Highs(ab, cd).Store(target + 4);
        ab = Pairs(Highs(a, b));
        cd = Pairs(Highs(c, d));
        Lows(ab, cd).Store(target + 8);
        Highs(ab, cd).Store(target + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Pairs(Vector128<float> x) => Vector128.Shuffle(x, Vector128.Create(0, 2, 1, 3));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Reversed(Vector128<float> x) => Vector128.Shuffle(x, Vector128.Create(3, 2, 1, 0));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Lows(Vector128<float> a, Vector128<float> b) =>
        Vector128.Create(a.AsDouble().ToScalar(), b.AsDouble().ToScalar()).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Highs(Vector128<float> a, Vector128<float> b) =>
        Vector128.Create(a.AsDouble().GetElement(1), b.AsDouble().GetElement(1)).AsSingle();

    // The even samples are the real part of the complex signal and the odd ones its imaginary part.
    private static void Deinterleave(float* source, float* tr, float* ti, int start, int end)
    {
        for (var at = 16 * start; at < 16 * end; at += 4)
        {
            Vector128<float> a = Pairs(Vector128.Load(source + (2 * at))), b = Pairs(Vector128.Load(source + (2 * at) + 4));
            Lows(a, b).Store(tr + at);
            Highs(a, b).Store(ti + at);
        }
    }

    private static void Interleave(float* sr, float* si, float* target, int start, int end)
    {
        for (var at = 16 * start; at < 16 * end; at += 4)
        {
            Vector128<float> re = Vector128.Load(sr + at), im = Vector128.Load(si + at);
            Pairs(Lows(re, im)).Store(target + (2 * at));
            Pairs(Highs(re, im)).Store(target + (2 * at) + 4);
        }
    }

    // Z = E + iO, where E and O are the spectra of the even and the odd samples; X[k] = E[k] + w^k O[k]. Bins k and n - k are done
    // together, four and four; the last four of the last unit meet in bin n / 2, where both formulas say the same.
    private void Split(float* source, float* target, int start, int end)
    {
        var n = 1 << _logPoints;
        float* sr = source, si = source + n, tr = target, ti = target + n;
        var cosines = _tables + (2 * n);
        var sines = cosines + (n / 2);
        if (start == 0)
        {
            var (re, im) = (sr[0], si[0]);
            tr[0] = re + im;
            ti[0] = re - im;
        }

        var half = Vector128.Create(0.5f);
        for (var k = (8 * start) + 1; k < 8 * end; k += 4)
        {
            var mirror = n - k - 3;
            Vector128<float> ar = Vector128.Load(sr + k), ai = Vector128.Load(si + k);
            Vector128<float> br = Reversed(Vector128.Load(sr + mirror)), bi = Reversed(Vector128.Load(si + mirror));
            Vector128<float> er = half * (ar + br), ei = half * (ai - bi), or = half * (ai + bi), oi = half * (br - ar);
            Rotate(ref or, ref oi, Vector128.Load(cosines + k - 1), Vector128.Load(sines + k - 1));
            (er + or).Store(tr + k);
            (ei + oi).Store(ti + k);
            Reversed(er - or).Store(tr + mirror);
            Reversed(oi - ei).Store(ti + mirror);
        }
    }

    private void Join(float* source, float* target, int start, int end)
    {
        var n = 1 << _logPoints;
        var scale = 0.5f / n;
        float* sr = source, si = source + n, tr = target, ti = target + n;
        var cosines = _tables + (2 * n);
        var sines = cosines + (n / 2);
        if (start == 0)
        {
            var (re, im) = (sr[0], si[0]);
            tr[0] = scale * (re + im);
            ti[0] = scale * (re - im);
        }

        var half = Vector128.Create(scale);
        for (var k = (8 * start) + 1; k < 8 * end; k += 4)
        {
            var mirror = n - k - 3;
            Vector128<float> ar = Vector128.Load(sr + k), ai = Vector128.Load(si + k);
            Vector128<float> br = Reversed(Vector128.Load(sr + mirror)), bi = Reversed(Vector128.Load(si + mirror));
            Vector128<float> er = half * (ar + br), ei = half * (ai - bi), or = half * (ar - br), oi = half * (ai + bi);
            Rotate(ref or, ref oi, Vector128.Load(cosines + k - 1), -Vector128.Load(sines + k - 1));
            (er - oi).Store(tr + k);
            (ei + or).Store(ti + k);
            Reversed(er + oi).Store(tr + mirror);
            Reversed(or - ei).Store(ti + mirror);
        }
    }
}
