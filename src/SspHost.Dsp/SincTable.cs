// Values between samples where a recording is read at another speed: windowed sinc, narrower the faster it is read.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Rows of 32 Kaiser-windowed taps for 256 places between two samples, interpolated linearly, in seven widths a third of an octave apart,
/// so that what lies above half the rate after the shift is gone before it. At speeds up to 1 whole places are exact.
/// </summary>
public static unsafe class SincTable
{
    /// <summary>Samples a value is made of, half of them before it.</summary>
    public const int Taps = 32;

    private const int Places = 256, Widths = 7;
    private const int WidthFloats = (Places + 1) * Taps;
    private const double Beta = 7.0;

    /// <summary>Floats of the table.</summary>
    public const int Floats = Widths * WidthFloats;

    /// <summary>Fills the table; allocates nothing. [steward]</summary>
    public static void Build(float* table)
    {
        var peak = ExactMath.BesselI0(Beta);
        for (var width = 0; width < Widths; width++)
        {
            var cutoff = width == 0 ? 1.0 : 0.95 * Math.Pow(2.0, -width / 3.0);
            for (var place = 0; place <= Places; place++)
            {
                var row = table + (width * WidthFloats) + (place * Taps);
                var sum = 0.0;
                for (var pass = 0; pass < 2; pass++)
                {
                    for (var tap = 0; tap < Taps; tap++)
                    {
                        var t = tap - ((Taps / 2) - 1) - ((double)place / Places);
                        var x = t / (Taps / 2);
                        var value = ExactMath.Sinc(cutoff * t) * ExactMath.BesselI0(Beta * Math.Sqrt(Math.Max(0.0, 1.0 - (x * x)))) / peak;
                        if (pass == 0) sum += value;
                        else row[tap] = (float)(value / sum);
                    }
                }
            }
        }
    }

    /// <summary>The part of the table for a speed, in octaves from the recorded one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float* ForOctaves(float* table, float octaves)
    {
        // Up to 0.1 cent above 1 is 1.
        var width = (int)(Math.Max(0f, Math.Min(octaves, 2f)) * 3f + 0.9997f);
        return table + (Math.Min(width, Widths - 1) * WidthFloats);
    }

    /// <summary>Value <paramref name="t"/> in [0, 1) behind the 16th of the 32 samples at <paramref name="samples"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float At(float* width, float* samples, float t)
    {
        var position = t * Places;
        var place = Math.Min((int)position, Places - 1);
        var part = Vector128.Create(position - place);
        var row = width + (place * Taps);
        var (even, odd) = (Vector128<float>.Zero, Vector128<float>.Zero);
        for (var i = 0; i < Taps; i += 8)
        {
            Vector128<float> a = Vector128.Load(row + i), b = Vector128.Load(row + i + 4);
            Vector128<float> c = Vector128.Load(row + Taps + i), d = Vector128.Load(row + Taps + i + 4);
            even += (a + (part * (c - a))) * Vector128.Load(samples + i);
            odd += (b + (part * (d - b))) * Vector128.Load(samples + i + 4);
        }

        return Vector128.Sum(even + odd);
    }
}
