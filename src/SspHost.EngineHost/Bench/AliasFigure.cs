// How loud is what should not be there: the strongest component of a periodic sound that is none of its harmonics.
namespace SspHost.EngineHost.Bench;

/// <summary>A discrete Fourier transform over <see cref="Frames"/> frames; the tone fits into them a whole number of times.</summary>
internal static class AliasFigure
{
    public const int Frames = 16_384;

    // The window's main lobe reaches four bins to either side (Blackman-Harris, four terms, -92 dB beside it).
    private const int Lobe = 5;
    private const double Audible = 20_000;

    /// <summary>Decibels below the fundamental of the strongest component from 20 Hz to 20 kHz beside the multiples of bin <paramref name="tone"/>.</summary>
    public static double Of(float[] samples, int tone)
    {
        var (re, im) = (new double[Frames], new double[Frames]);
        for (var i = 0; i < Frames; i++)
        {
            var a = 2 * Math.PI * i / Frames;
            re[i] = samples[i] * (0.35875 - (0.48829 * Math.Cos(a)) + (0.14128 * Math.Cos(2 * a)) - (0.01168 * Math.Cos(3 * a)));
        }

        Transform(re, im);
        double Level(int bin) => Math.Sqrt((re[bin] * re[bin]) + (im[bin] * im[bin]));
        var worst = 0.0;
        for (var bin = Lobe + 1; bin < Audible / ModuleBenchRig.Rate * Frames; bin++)
        {
            var away = bin % tone;
            if (Math.Min(away, tone - away) > Lobe) worst = Math.Max(worst, Level(bin));
        }

        return 20 * Math.Log10(Math.Max(worst, 1e-12) / Math.Max(Level(tone), 1e-12));
    }

    // Radix 2 in place, in double precision (Cooley and Tukey 1965): its own noise is below -250 dB.
    private static void Transform(double[] re, double[] im)
    {
        for (int i = 1, j = 0; i < Frames; i++)
        {
            var bit = Frames >> 1;
            for (; (j & bit) != 0; bit >>= 1) j ^= bit;
            j ^= bit;
            if (i < j) (re[i], re[j], im[i], im[j]) = (re[j], re[i], im[j], im[i]);
        }

        for (var size = 2; size <= Frames; size *= 2)
        {
            for (var k = 0; k < size / 2; k++)
            {
                var (sin, cos) = Math.SinCos(-2 * Math.PI * k / size);
                for (var a = k; a < Frames; a += size)
                {
                    var b = a + (size / 2);
                    var (x, y) = ((re[b] * cos) - (im[b] * sin), (re[b] * sin) + (im[b] * cos));
                    (re[b], im[b], re[a], im[a]) = (re[a] - x, im[a] - y, re[a] + x, im[a] + y);
                }
            }
        }
    }
}
