// Values between samples, band-limited: a windowed sinc that grows wider where a recording is played faster than it was made.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>One kernel of the table.</summary>
public readonly unsafe struct SincRow(float* rows, int taps, int phases)
{
    /// <summary>Taps, a multiple of four.</summary>
    public readonly int Taps = taps;

    /// <summary>Positions between two samples.</summary>
    public readonly int Phases = phases;

    /// <summary>The first of Phases + 1 rows of Taps.</summary>
    public readonly float* Rows = rows;
}

/// <summary>
/// Resampling by a Kaiser-windowed sinc (Smith and Gossett, A Flexible Sampling-Rate Conversion Method, ICASSP 1984): 32 taps at the
/// recorded speed and slower, in proportion more where it is faster, by quarters of an octave up to 16 times. The cutoff is half the
/// lower of
/// the two rates, the stopband, 80 dB down, begins at 0.58 of it: at 48 kHz what folds back lies above 20 kHz. Exact on samples at the
/// recorded speed.
/// </summary>
public static unsafe class SincKernel
{
    private const int Steps = 17;
    private const int BaseTaps = 32;

    // Linear interpolation between 256 positions errs by less than -100 dB; wider kernels are as much smoother.
    private const int BasePhases = 256;
    private const double Beta = 8.0;

    /// <summary>Bytes of the table.</summary>
    public static long Bytes
    {
        get
        {
            long floats = 0;
            for (var step = 0; step < Steps; step++) floats += (long)Taps(step) * (Phases(step) + 1);
            return floats * sizeof(float);
        }
    }

    /// <summary>Fills the table; some ten milliseconds.</summary>
    public static void Build(float* table)
    {
        for (var step = 0; step < Steps; step++)
        {
            var (taps, phases) = (Taps(step), Phases(step));
            var slower = 1.0 / Ratio(step);
            for (var phase = 0; phase <= phases; phase++, table += taps)
            {
                var sum = 0.0;
                for (var pass = 0; pass < 2; pass++)
                {
                    for (var j = 0; j < taps; j++)
                    {
                        var d = j - ((taps / 2) - 1) - (phase / (double)phases);
                        var x = d / (taps / 2);
                        var window = ExactMath.BesselI0(Beta * Math.Sqrt(Math.Max(0.0, 1.0 - (x * x))));
                        var value = ExactMath.Sinc(d * slower) * window;
                        if (pass == 0) sum += value;
                        else table[j] = (float)(value / sum);
                    }
                }
            }
        }
    }

    /// <summary>The kernel for a recording that is played 2^<paramref name="octaves"/> times as fast as frames go by.</summary>
    public static SincRow Of(float* table, float octaves)
    {
        var step = (int)Math.Min(Math.Max(MathF.Ceiling((octaves * 4f) - 1e-4f), 0f), Steps - 1f);
        for (var s = 0; s < step; s++) table += Taps(s) * (Phases(s) + 1);
        return new SincRow(table, Taps(step), Phases(step));
    }

    /// <summary>
    /// The value at <paramref name="t"/> in [0, 1) between samples[0] and samples[1]; samples -taps/2 + 1 .. taps/2 are read.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float At(in SincRow kernel, float* samples, float t)
    {
        var position = t * kernel.Phases;
        var phase = Math.Min((int)position, kernel.Phases - 1);
        var row = kernel.Rows + (phase * kernel.Taps);
        samples -= (kernel.Taps / 2) - 1;
        var (sum, next) = (Vector128<float>.Zero, Vector128<float>.Zero);
        for (var j = 0; j < kernel.Taps; j += 4)
        {
            var x = Vector128.Load(samples + j);
            sum += x * Vector128.Load(row + j);
            next += x * Vector128.Load(row + kernel.Taps + j);
        }

        var y = sum + ((next - sum) * Vector128.Create(position - phase));
        return (y[0] + y[1]) + (y[2] + y[3]);
    }

    /// <summary>Most taps there are.</summary>
    public const int MostTaps = BaseTaps * 16;

    private static double Ratio(int step) => (1 << (step / 4)) * (step % 4) switch
    {
        0 => 1.0,
        1 => 1.189207115002721,
        2 => 1.4142135623730951,
        _ => 1.681792830507429,
    };

    private static int Taps(int step) => ((int)(BaseTaps * Ratio(step)) + 3) / 4 * 4;

    private static int Phases(int step) => BasePhases >> (step / 4);
}
