// A sine through a module, and what comes out beside what should.
namespace SspHost.Modules.Tests;

/// <summary>Sines that fit the analysis exactly: a whole, odd number of cycles in <see cref="Count"/> frames.</summary>
public static class Tone
{
    /// <summary>Frames that are analysed.</summary>
    public const int Count = 32_768;

    // Bins over which the window of Spectrum (Kaiser, beta 20) spreads the power of noise.
    private const double NoiseBandwidth = 2.5643;

    /// <summary>The module's first input hears 5 V (or <paramref name="volts"/>) in bin <paramref name="bin"/>; its other inputs
    /// nothing.</summary>
    public static float[] Through(Rig rig, string output, double bin, double volts = 5.0, int warm = 4096)
    {
        rig.Input = (port, _, frame) => port == 0 ? Sine(bin, frame, volts) : 0f;
        return rig.Run(output, warm + Count)[warm..(warm + Count)];
    }

    /// <summary>Sample <paramref name="frame"/> of a sine.</summary>
    public static float Sine(double bin, long frame, double volts = 5.0) =>
        (float)(volts * Math.Sin(2.0 * Math.PI * Math.IEEERemainder(bin * frame / Count, 1.0)));

    /// <summary>The bin in hertz.</summary>
    public static double Hertz(double bin, int rate = 48_000) => bin * rate / Count;

    /// <summary>The harmonics of a bin up to half the rate, in hertz.</summary>
    public static IEnumerable<double> Harmonics(int bin, int rate = 48_000) =>
        Enumerable.Range(1, Count / 2 / bin).Select(k => Hertz((double)k * bin, rate));

    /// <summary>
    /// All that is not at <paramref name="wanted"/> (hertz), DC apart, as the level of one sine, in dB of 5 V.
    /// </summary>
    public static double NoiseFloor(float[] samples, int rate, params double[] wanted)
    {
        var bins = Spectrum.Magnitudes(samples);
        double power = 0;
        for (var i = Spectrum.Lobe + 1; i < bins.Length; i++)
        {
            if (!Array.Exists(wanted, f => Math.Abs(i - (f * samples.Length / rate)) <= Spectrum.Lobe)) power += bins[i] * bins[i];
        }

        return 10.0 * Math.Log10(Math.Max(power, 1e-30) / (25.0 * NoiseBandwidth));
    }
}
