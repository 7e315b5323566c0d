// Spectra and frequencies of rendered signals, by textbook means that share nothing with the modules.
namespace SspHost.Modules.Tests;

/// <summary>Discrete Fourier analysis in double precision.</summary>
public static class Spectrum
{
    /// <summary>Sidelobes of the window lie 170 dB down; its main lobe is this many bins wide to either side.</summary>
    public const int Lobe = 8;

    private const double Beta = 20.0;
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<int, double[]> Windows = [];

    /// <summary>Magnitudes of bins 0..n/2 with a Kaiser window, scaled so that a sine of amplitude 1 reads 1.</summary>
    public static double[] Magnitudes(ReadOnlySpan<float> samples)
    {
        var n = samples.Length;
        var (re, im) = (new double[n], new double[n]);
        double area = 0;
        var window = Window(n);
        for (var i = 0; i < n; i++)
        {
            var w = window[i];
            area += w;
            re[i] = samples[i] * w;
        }

        Transform(re, im);
        var result = new double[(n / 2) + 1];
        for (var i = 0; i < result.Length; i++) result[i] = 2.0 * Math.Sqrt((re[i] * re[i]) + (im[i] * im[i])) / area;
        return result;
    }

    /// <summary>Complex amplitude of a component at <paramref name="turns"/> per frame: (in phase with cosine, with sine).</summary>
    public static (double Cos, double Sin) Component(ReadOnlySpan<float> samples, double turns)
    {
        double c = 0, s = 0, area = 0;
        var window = Window(samples.Length);
        for (var i = 0; i < samples.Length; i++)
        {
            var w = window[i];
            var (sin, cos) = Math.SinCos(2.0 * Math.PI * turns * i);
            c += w * samples[i] * cos;
            s += w * samples[i] * sin;
            area += w;
        }

        return (2.0 * c / area, 2.0 * s / area);
    }

    /// <summary>Magnitude of a component.</summary>
    public static double Level(ReadOnlySpan<float> samples, double turns)
    {
        var (c, s) = Component(samples, turns);
        return Math.Sqrt((c * c) + (s * s));
    }

    /// <summary>
    /// Frequency near <paramref name="expected"/> (within a few bins) in turns per frame, from the phase advance between two windows:
    /// a short hop first, which is unambiguous, then a long one, which is exact.
    /// </summary>
    public static double Frequency(ReadOnlySpan<float> samples, double expected)
    {
        var window = samples.Length / 2;
        foreach (var hop in new[] { window / 1024, window / 32, window })
        {
            var (c1, s1) = Component(samples[..window], expected);
            var (c2, s2) = Component(samples.Slice(hop, window), expected);
            var advance = Math.Atan2(-s2, c2) - Math.Atan2(-s1, c1) - (2.0 * Math.PI * Math.IEEERemainder(expected * hop, 1.0));
            expected += Math.IEEERemainder(advance, 2.0 * Math.PI) / (2.0 * Math.PI * hop);
        }

        return expected;
    }

    public static double Cents(double frequency, double reference) => 1200.0 * Math.Log2(frequency / reference);

    public static double Decibels(double ratio) => 20.0 * Math.Log10(Math.Max(ratio, 1e-30));

    /// <summary>
    /// The largest component below <paramref name="ceiling"/> Hz that is not one of <paramref name="wanted"/> (Hz), in dB of the
    /// largest component there is.
    /// </summary>
    public static double WorstOther(ReadOnlySpan<float> samples, double rate, double ceiling, IEnumerable<double> wanted)
    {
        var bins = Magnitudes(samples);
        var width = rate / samples.Length;
        var largest = bins.Max();
        var masked = new bool[bins.Length];
        for (var i = 0; i <= Lobe; i++) masked[i] = true; // DC
        foreach (var f in wanted)
        {
            var centre = (int)Math.Round(f / width);
            for (var i = Math.Max(0, centre - Lobe); i <= Math.Min(bins.Length - 1, centre + Lobe); i++) masked[i] = true;
        }

        double worst = 0;
        for (var i = 0; i < bins.Length && i * width <= ceiling; i++)
        {
            if (!masked[i]) worst = Math.Max(worst, bins[i]);
        }

        return Decibels(worst / largest);
    }

    private static double[] Window(int n) => Windows.GetOrAdd(n, static n =>
    {
        var window = new double[n];
        for (var i = 0; i < n; i++)
        {
            var x = ((2.0 * i) + 1.0 - n) / n;
            window[i] = Bessel(Beta * Math.Sqrt(1.0 - (x * x))) / Bessel(Beta);
        }

        return window;
    });

    private static double Bessel(double x)
    {
        double sum = 1, term = 1;
        for (var k = 1; term > 1e-16 * sum; k++)
        {
            term *= x * x / (4.0 * k * k);
            sum += term;
        }

        return sum;
    }

    // Radix 2, in place, iterative (Cooley and Tukey 1965).
    private static void Transform(double[] re, double[] im)
    {
        var n = re.Length;
        Assert.True(int.IsPow2(n));
        for (int i = 1, j = 0; i < n; i++)
        {
            var bit = n >> 1;
            for (; (j & bit) != 0; bit >>= 1) j ^= bit;
            j ^= bit;
            if (i >= j) continue;
            (re[i], re[j]) = (re[j], re[i]);
            (im[i], im[j]) = (im[j], im[i]);
        }

        for (var length = 2; length <= n; length <<= 1)
        {
            var half = length / 2;
            for (var k = 0; k < half; k++)
            {
                var (s, c) = Math.SinCos(-2.0 * Math.PI * k / length);
                for (var i = k; i < n; i += length)
                {
                    var j = i + half;
                    var (tr, ti) = ((re[j] * c) - (im[j] * s), (re[j] * s) + (im[j] * c));
                    (re[j], im[j]) = (re[i] - tr, im[i] - ti);
                    (re[i], im[i]) = (re[i] + tr, im[i] + ti);
                }
            }
        }
    }
}
