// What a band-limited corner adds to an ideal one: residuals of steps in the value, the slope and the next two derivatives.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// The BLEP method (Brandt, Hard Sync Without Aliasing, ICMC 2001; BLAMP: Esqueda, Välimäki, Bilbao 2016), linear phase:
/// a Kaiser-windowed sinc of 32 taps, integrated once for steps, twice for slopes, and so on; the ideal corner subtracted.
/// Residual k at time t: integral^(k+1) of the kernel minus t^k / k! for t &gt;= 0. At 48 kHz the kernel passes 19.5 kHz
/// (20 kHz: -0.2 dB) and stops 28 kHz by 75 dB, so that what folds back loudly lies above hearing. Its second moment is zero, so that
/// every residual ends at zero.
/// The signal comes out <see cref="Latency"/> frames late. The table does not depend on the rate.
/// </summary>
public static unsafe class BlepTable
{
    /// <summary>Frames a residual lasts, half of them before the corner.</summary>
    public const int Taps = 32;

    /// <summary>Frames by which a signal must lag so that residuals can begin before their corner.</summary>
    public const int Latency = Taps / 2;

    /// <summary>Residuals of steps in value, slope, second and third derivative.</summary>
    public const int Orders = 4;

    // Positions between two frames; linear interpolation between them errs by (1/256)^2 / 8 of the curvature: -112 dB.
    private const int Phases = 256;
    private const int OrderFloats = (Phases + 1) * Taps;
    private const double Beta = 8.6;

    // The cutoff, -6 dB, is 23.5 kHz at 48: half a kilohertz below the middle, which buys 20 dB at 28 kHz for 0.2 dB at 20.
    private const double Cutoff = 23.5 / 24.0;

    /// <summary>Bytes of the table.</summary>
    public const long Bytes = (long)Orders * OrderFloats * sizeof(float);

    /// <summary>Fills <paramref name="table"/>; a few milliseconds, allocates nothing.</summary>
    public static void Build(float* table)
    {
        // kernel = sinc * window * (1 + bow (t / 16)^2), bow chosen so that the second moment vanishes.
        const int Steps = Phases * Taps;
        const double H = 1.0 / Phases;
        double plain = 0, bowed = 0;
        for (var j = 0; j <= Steps; j++)
        {
            var t = (j * H) - Latency;
            var u = t * t * Kernel(t, 0);
            plain += u;
            bowed += u * t * t / (Latency * Latency);
        }

        var bow = -plain / bowed;
        double area = 0;
        for (var j = 0; j < Steps; j++) area += Cell(j, bow);

        // Running integrals; each level by the corrected trapezoid rule, whose correction needs the level before.
        double s = 0, p1 = 0, p2 = 0, p3 = 0;
        var before = Kernel(-Latency, bow) / area;
        for (var j = 0; j <= Steps; j++)
        {
            var t = (j * H) - Latency;
            var (phase, tap) = (j % Phases, j / Phases);
            if (tap < Taps) Put(table, phase, tap, t, s, p1, p2, p3);
            if (phase == 0 && tap > 0) Put(table, Phases, tap - 1, t, s, p1, p2, p3);
            if (j == Steps) break;

            var k = Kernel(t + H, bow) / area;
            var s1 = s + (Cell(j, bow) / area);
            var q1 = p1 + (0.5 * H * (s + s1)) - (H * H / 12.0 * (k - before));
            var q2 = p2 + (0.5 * H * (p1 + q1)) - (H * H / 12.0 * (s1 - s));
            p3 += (0.5 * H * (p2 + q2)) - (H * H / 12.0 * (q1 - p1));
            (s, p1, p2, before) = (s1, q1, q2, k);
        }
    }

    /// <summary>
    /// Adds the residual of a corner to 32 samples at <paramref name="target"/>, of which the 17th is the first one after the corner.
    /// </summary>
    /// <param name="order">Which derivative jumps.</param>
    /// <param name="age">Frames from the corner to the first sample after it, 0..1.</param>
    /// <param name="jump">By how much it jumps, per frame^order.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(float* target, float* table, int order, float age, float jump)
    {
        var position = age * Phases;
        var phase = Math.Min((int)position, Phases - 1);
        var t = Vector128.Create(position - phase);
        var gain = Vector128.Create(jump);
        var row = table + (order * OrderFloats) + (phase * Taps);
        for (nint i = 0; i < Taps; i += 4)
        {
            var a = Vector128.Load(row + i);
            var b = Vector128.Load(row + Taps + i);
            (Vector128.Load(target + i) + (gain * (a + (t * (b - a))))).Store(target + i);
        }
    }

    /// <summary>As the other, into two signals at once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(float* left, float* right, float* table, int order, float age, float leftJump, float rightJump)
    {
        var position = age * Phases;
        var phase = Math.Min((int)position, Phases - 1);
        var t = Vector128.Create(position - phase);
        var (gainLeft, gainRight) = (Vector128.Create(leftJump), Vector128.Create(rightJump));
        var row = table + (order * OrderFloats) + (phase * Taps);
        for (nint i = 0; i < Taps; i += 4)
        {
            var a = Vector128.Load(row + i);
            var residual = a + (t * (Vector128.Load(row + Taps + i) - a));
            (Vector128.Load(left + i) + (gainLeft * residual)).Store(left + i);
            (Vector128.Load(right + i) + (gainRight * residual)).Store(right + i);
        }
    }

    // The interval before a corner belongs to taps 0..15 whatever the phase, so that age 1 still reads the left side of it.
    private static void Put(float* table, int phase, int tap, double t, double s, double p1, double p2, double p3)
    {
        var u = tap >= Latency ? 1.0 : 0.0;
        var row = table + (phase * Taps) + tap;
        row[0] = (float)(s - u);
        row[OrderFloats] = (float)(p1 - (u * t));
        row[2 * OrderFloats] = (float)(p2 - (u * t * t / 2.0));
        row[3 * OrderFloats] = (float)(p3 - (u * t * t * t / 6.0));
    }

    private static double Kernel(double t, double bow)
    {
        var x = t / Latency;
        var window = ExactMath.BesselI0(Beta * Math.Sqrt(Math.Max(0.0, 1.0 - (x * x)))) / ExactMath.BesselI0(Beta);
        return ExactMath.Sinc(Cutoff * t) * window * (1.0 + (bow * x * x));
    }

    // Area of the kernel over one step, Simpson's rule.
    private static double Cell(int j, double bow)
    {
        const double H = 1.0 / Phases;
        var t = (j * H) - Latency;
        return H / 6.0 * (Kernel(t, bow) + (4.0 * Kernel(t + (0.5 * H), bow)) + Kernel(t + H, bow));
    }
}
