// The formants of sung vowels: where a voice resonates, how strongly and how narrowly.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Five formants of the vowels a e i o u in four voices: the published table of sung vowels that is printed in the Csound manual
/// (appendix Formant Values). Frequencies in Hz, levels in dB, bandwidths in Hz.
/// </summary>
public static unsafe class Formants
{
    /// <summary>Voices: soprano, alto, tenor, bass.</summary>
    public const int Voices = 4;

    /// <summary>Vowels: a, e, i, o, u.</summary>
    public const int Vowels = 5;

    /// <summary>Formants of a vowel.</summary>
    public const int Count = 5;

    /// <summary>Floats of the table that <see cref="Build"/> fills.</summary>
    public const int TableFloats = Voices * Vowels * Count * Kinds;

    private const int Kinds = 3;

    /// <summary>The table as it was printed: five frequencies, five levels, five bandwidths a vowel. Off the RT threads.</summary>
    public static ReadOnlySpan<short> Printed =>
    [
        800, 1150, 2900, 3900, 4950, 0, -6, -32, -20, -50, 80, 90, 120, 130, 140,
        350, 2000, 2800, 3600, 4950, 0, -20, -15, -40, -56, 60, 100, 120, 150, 200,
        270, 2140, 2950, 3900, 4950, 0, -12, -26, -26, -44, 60, 90, 100, 120, 120,
        450, 800, 2830, 3800, 4950, 0, -11, -22, -22, -50, 70, 80, 100, 130, 135,
        325, 700, 2700, 3800, 4950, 0, -16, -35, -40, -60, 50, 60, 170, 180, 200,

        800, 1150, 2800, 3500, 4950, 0, -4, -20, -36, -60, 80, 90, 120, 130, 140,
        400, 1600, 2700, 3300, 4950, 0, -24, -30, -35, -60, 60, 80, 120, 150, 200,
        350, 1700, 2700, 3700, 4950, 0, -20, -30, -36, -60, 50, 100, 120, 150, 200,
        450, 800, 2830, 3500, 4950, 0, -9, -16, -28, -55, 70, 80, 100, 130, 135,
        325, 700, 2530, 3500, 4950, 0, -12, -30, -40, -64, 50, 60, 170, 180, 200,

        650, 1080, 2650, 2900, 3250, 0, -6, -7, -8, -22, 80, 90, 120, 130, 140,
        400, 1700, 2600, 3200, 3580, 0, -14, -12, -14, -20, 70, 80, 100, 120, 120,
        290, 1870, 2800, 3250, 3540, 0, -15, -18, -20, -30, 40, 90, 100, 120, 120,
        400, 800, 2600, 2800, 3000, 0, -10, -12, -12, -26, 40, 80, 100, 120, 120,
        350, 600, 2700, 2900, 3300, 0, -20, -17, -14, -26, 40, 60, 100, 120, 120,

        600, 1040, 2250, 2450, 2750, 0, -7, -9, -9, -20, 60, 70, 110, 120, 130,
        400, 1620, 2400, 2800, 3100, 0, -12, -9, -12, -18, 40, 80, 100, 120, 120,
        250, 1750, 2600, 3050, 3340, 0, -30, -16, -22, -28, 60, 90, 100, 120, 120,
        400, 750, 2400, 2600, 2900, 0, -11, -21, -20, -40, 40, 80, 100, 120, 120,
        350, 600, 2400, 2675, 2950, 0, -20, -32, -28, -36, 40, 80, 100, 120, 120,
    ];

    /// <summary>
    /// Fills <paramref name="table"/>: for each voice, vowel and formant octaves of frequency, of level and of bandwidth, so that what lies
    /// between two vowels is a straight line. Off the RT threads.
    /// </summary>
    public static void Build(float* table)
    {
        for (var vowel = 0; vowel < Voices * Vowels; vowel++)
        {
            var printed = Printed.Slice(vowel * Count * Kinds, Count * Kinds);
            for (var formant = 0; formant < Count; formant++)
            {
                var entry = table + (((vowel * Count) + formant) * Kinds);
                entry[0] = (float)Math.Log2(printed[formant]);
                entry[1] = (float)(printed[Count + formant] * Math.Log2(10.0) / 20.0);
                entry[2] = (float)Math.Log2(printed[(2 * Count) + formant]);
            }
        }
    }

    /// <summary>Octaves of frequency, level and bandwidth of a formant at a place 0..4 between vowels, for one voice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> At(float* table, int voice, float vowel, int formant)
    {
        var left = Math.Min((int)vowel, Vowels - 2);
        var part = Vector128.Create(vowel - left);
        var from = table + (((((voice * Vowels) + left) * Count) + formant) * Kinds);
        var to = from + (Count * Kinds);
        var a = Vector128.Create(from[0], from[1], from[2], 0f);
        var b = Vector128.Create(to[0], to[1], to[2], 0f);
        return a + ((b - a) * part);
    }
}
