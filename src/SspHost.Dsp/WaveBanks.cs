// The wavetables that are built in: six rows of sixteen waves, each wave a formula for its harmonics.
namespace SspHost.Dsp;

/// <summary>Rows of waves (see <see cref="WaveTable"/>) in the order of their names: shapes, pulse, resonance, vowels, FM, organ.</summary>
public static unsafe class WaveBanks
{
    /// <summary>Rows.</summary>
    public const int Banks = 6;

    /// <summary>Waves of a row.</summary>
    public const int Waves = 16;

    /// <summary>Floats of all of them.</summary>
    public const long Floats = (long)Banks * Waves * WaveTable.WaveFloats;

    private const int Shapes = 0, Pulse = 1, Resonance = 2, Vowels = 3, Fm = 4;

    /// <summary>Builds them all; <paramref name="scratch"/> as <see cref="WaveTable.Prepare"/> left it. A few hundred milliseconds.
    /// [steward]</summary>
    public static void Build(float* tables, double* scratch)
    {
        double* cosines = WaveTable.Cosines(scratch), sines = WaveTable.Sines(scratch);
        for (var bank = 0; bank < Banks; bank++)
        {
            for (var wave = 0; wave < Waves; wave++)
            {
                for (var h = 1; h <= WaveTable.Harmonics; h++) (cosines[h], sines[h]) = Harmonic(bank, wave / (Waves - 1.0), h);

                // The first row's shapes reach +-1 by themselves, as their ideals do; the others are brought to it.
                var table = tables + (((long)(bank * Waves) + wave) * WaveTable.WaveFloats);
                var peak = WaveTable.Synthesize(table, scratch, 1.0);
                if (bank != Shapes) WaveTable.Synthesize(table, scratch, 1.0 / peak);
            }
        }
    }

    /// <summary>Amplitudes of cos(2 pi h x) and sin(2 pi h x) at part <paramref name="place"/> 0..1 of a row, before levelling.</summary>
    public static (double Cos, double Sin) Harmonic(int bank, double place, int h)
    {
        switch (bank)
        {
            case Shapes:
                // Sine, triangle, saw, square, each fading into the next over a third.
                var from = Math.Min((int)(3.0 * place), 2);
                var part = (3.0 * place) - from;
                return (0.0, ((1.0 - part) * Shape(from, h)) + (part * Shape(from + 1, h)));

            case Pulse:
                // From half of the turn to a thirtieth.
                var width = 0.5 - (0.4667 * place);
                var edge = 2.0 * h * width;
                return (2.0 / (Math.PI * h) * ExactMath.SinPi(edge), 2.0 / (Math.PI * h) * (1.0 - ExactMath.SinPi(edge + 0.5)));

            case Resonance:
                // A saw through a resonance that climbs from harmonic 1 to 32.
                var centre = Power(32.0, place);
                var distance = (h - centre) / (0.6 + (0.08 * centre));
                var slope = h > centre ? (centre / h) * (centre / h) : 1.0;
                return (0.0, (slope + (6.0 / (1.0 + (distance * distance)))) / h);

            case Vowels:
                return (0.0, Vowel(4.0 * place, h));

            case Fm:
                // sin(x + index sin x) = sum J(n) sin((n + 1) x).
                var index = 9.0 * place * place;
                return (0.0, Bessel(h - 1, index) + ((h & 1) == 0 ? Bessel(h + 1, index) : -Bessel(h + 1, index)));

            default:
                // Drawbars drawn one after the other: 8', 4', 2 2/3', 2', 1 3/5', 1 1/3', 1', and two mixtures.
                ReadOnlySpan<int> bars = [1, 2, 3, 4, 5, 6, 8, 12, 16];
                for (var bar = 0; bar < bars.Length; bar++)
                {
                    if (bars[bar] == h) return (0.0, Math.Max(0.0, Math.Min((8.0 * place) - bar + 1.0, 1.0)));
                }

                return (0.0, 0.0);
        }
    }

    private static double Shape(int shape, int h) => shape switch
    {
        0 => h == 1 ? 1.0 : 0.0,
        1 => (h & 1) == 0 ? 0.0 : ((h & 2) == 0 ? 8.0 : -8.0) / (Math.PI * Math.PI * h * h),
        2 => 2.0 / (Math.PI * h),
        _ => (h & 1) == 0 ? 0.0 : 4.0 / (Math.PI * h),
    };

    // a, e, i, o, u of a man at 130 Hz: three formants each (Peterson and Barney, Control Methods Used in a Study of the Vowels, JASA
    // 1952).
    private static double Vowel(double place, int h)
    {
        ReadOnlySpan<double> formants = [730, 1090, 2440, 530, 1840, 2480, 270, 2290, 3010, 570, 840, 2410, 300, 870, 2240];
        var from = Math.Min((int)place, 3);
        var part = place - from;
        var sum = 0.0;
        for (var f = 0; f < 3; f++)
        {
            var hertz = ((1.0 - part) * formants[(3 * from) + f]) + (part * formants[(3 * from) + 3 + f]);
            var distance = ((130.0 * h) - hertz) / (50.0 + (0.04 * hertz));
            sum += (f == 0 ? 1.0 : f == 1 ? 0.6 : 0.3) / (1.0 + (distance * distance));
        }

        return sum + (0.02 / h);
    }

    // 2^(5 place) and the like, by squaring roots: no libm, so that every machine builds the same tables.
    private static double Power(double top, double place)
    {
        var (result, root) = (1.0, top);
        for (var bit = 0; bit < 24; bit++)
        {
            root = Math.Sqrt(root);
            place *= 2.0;
            if (place < 1.0) continue;
            result *= root;
            place -= 1.0;
        }

        return result;
    }

    // J_n(x) by its power series: exact to 1e-12 for x <= 9.
    private static double Bessel(int n, double x)
    {
        if (n > 60) return 0.0;
        var term = 1.0;
        for (var i = 1; i <= n; i++) term *= 0.5 * x / i;
        var sum = term;
        for (var k = 1; k < 60; k++)
        {
            term *= -0.25 * x * x / (k * (double)(k + n));
            sum += term;
        }

        return sum;
    }
}
