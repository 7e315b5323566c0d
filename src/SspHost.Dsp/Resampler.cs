// A recording at another rate: windowed sinc, for what is prepared off the RT threads.
namespace SspHost.Dsp;

/// <summary>
/// Band-limited interpolation (Smith and Gossett, A Flexible Sampling-Rate Conversion Method, ICASSP 1984): a Kaiser-windowed sinc of 32
/// zero crossings to each side in a table of 512 places between them, stretched where the rate falls. Passes 0.45 of the lower rate within
/// 0.01 dB; aliases below -90 dB beyond 0.55 of it.
/// </summary>
public static unsafe class Resampler
{
    private const int Crossings = 32, Places = 512;
    private const double Beta = 10.0;

    // Of the lower rate's half: what lies between 0.45 and 0.55 of the rate is the window's transition.
    private const double Cutoff = 0.96;

    /// <summary>Floats of the table.</summary>
    public const int TableFloats = (Crossings * Places) + 2;

    /// <summary>Fills the table; allocates nothing. [steward]</summary>
    public static void Build(float* table)
    {
        var peak = ExactMath.BesselI0(Beta);
        for (var i = 0; i < TableFloats; i++)
        {
            var t = (double)i / Places;
            var x = Math.Min(t / Crossings, 1.0);
            table[i] = (float)(ExactMath.Sinc(t) * ExactMath.BesselI0(Beta * Math.Sqrt(1.0 - (x * x))) / peak);
        }
    }

    /// <summary>Value of <paramref name="source"/> at <paramref name="at"/> of its frames, zero beyond its ends.
    /// <paramref name="step"/>: frames of the source a frame of the result.</summary>
    public static float At(float* table, float* source, long frames, double at, double step)
    {
        var scale = Cutoff * Math.Min(1.0, 1.0 / step);
        var reach = Crossings / scale;
        var first = Math.Max(0, (long)Math.Ceiling(at - reach));
        var last = Math.Min(frames - 1, (long)Math.Floor(at + reach));
        var sum = 0.0;
        for (var i = first; i <= last; i++)
        {
            var place = Math.Abs(at - i) * scale * Places;
            var whole = Math.Min((int)place, TableFloats - 2);
            sum += source[i] * (table[whole] + ((place - whole) * (table[whole + 1] - table[whole])));
        }

        return (float)(sum * scale);
    }
}
