// What acousticians measure of a room, from its answer to a burst or a click: decay in a band, density of echoes, ringing modes.
namespace SspHost.Modules.Tests;

/// <summary>Double precision, by the textbook; nothing of it is shared with the modules.</summary>
public static class RoomMeasures
{
    /// <summary>A band around <paramref name="hertz"/>: two band-passes of quality <paramref name="q"/> (Bristow-Johnson) in a
    /// row.</summary>
    public static double[] Band(ReadOnlySpan<float> samples, double hertz, double q, double rate)
    {
        var result = new double[samples.Length];
        for (var i = 0; i < result.Length; i++) result[i] = samples[i];
        var (sin, cos) = Math.SinCos(2.0 * Math.PI * hertz / rate);
        var alpha = sin / (2.0 * q);
        for (var pass = 0; pass < 2; pass++)
        {
            double x1 = 0, x2 = 0, y1 = 0, y2 = 0;
            for (var i = 0; i < result.Length; i++)
            {
                var x = result[i];
                var y = ((alpha * (x - x2)) + (2.0 * cos * y1) - ((1.0 - alpha) * y2)) / (1.0 + alpha);
                (x2, x1, y2, y1) = (x1, x, y1, y);
                result[i] = y;
            }
        }

        return result;
    }

    /// <summary>Power that <see cref="Band"/> passes at <paramref name="frequency"/>.</summary>
    public static double Passed(double frequency, double hertz, double q, double rate)
    {
        // The bilinear transform of 1 / (1 + Q^2 (W - 1 / W)^2), its quality kept at the middle as Bristow-Johnson's is.
        var (w, w0) = (2.0 * Math.PI * frequency / rate, 2.0 * Math.PI * hertz / rate);
        var x = 2.0 * q * (Math.Cos(w0) - Math.Cos(w)) / (Math.Sin(w0) * Math.Sin(w));
        return 1.0 / ((1.0 + (x * x)) * (1.0 + (x * x)));
    }

    /// <summary>Seconds of a decay by 60 dB: Schroeder's backward integral (JASA 1965), the line through it from -5 dB down to
    /// <paramref name="lowest"/>.</summary>
    public static double Decay60(double[] energy, double rate, double lowest)
    {
        var left = new double[energy.Length + 1];
        for (var i = energy.Length - 1; i >= 0; i--) left[i] = left[i + 1] + energy[i];
        double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
        for (var i = 0; i < energy.Length; i += 16)
        {
            var level = 10.0 * Math.Log10(left[i] / left[0]);
            if (level > -5 || level < lowest) continue;
            n++;
            sx += i;
            sy += level;
            sxx += (double)i * i;
            sxy += i * level;
        }

        var slope = ((n * sxy) - (sx * sy)) / ((n * sxx) - (sx * sx));
        return -60.0 / slope / rate;
    }

    /// <summary>
    /// Normalised echo density (Abel and Huang, A Simple, Robust Measure of Reverberation Echo Density, AES 121, 2006) in a window of
    /// 20 ms: the share of samples beyond one standard deviation over that of Gaussian noise. 1 is noise, near 0 a few echoes.
    /// </summary>
    public static double EchoDensity(ReadOnlySpan<float> window)
    {
        var sigma = 0.0;
        foreach (var v in window) sigma += (double)v * v;
        sigma = Math.Sqrt(sigma / window.Length);
        var beyond = 0;
        foreach (var v in window) beyond += Math.Abs(v) > sigma ? 1 : 0;
        return beyond / (double)window.Length / 0.31731;
    }

    /// <summary>
    /// By how many dB the largest bin stands above the thousand around it in a tail of 65536 frames, its decay taken out. Of 23000 bins of
    /// Gaussian noise the largest is about 10 dB above its surroundings (Rayleigh's law) (13
    /// with the window's wider bins); a mode that rings stands out further.
    /// </summary>
    public static double LargestMode(ReadOnlySpan<float> tail, double decayFrames)
    {
        var late = new float[65_536];
        for (var i = 0; i < late.Length; i++) late[i] = tail[i] * (float)Math.Pow(10, 3.0 * i / decayFrames);
        var bins = Spectrum.Magnitudes(late);
        double worst = 0;
        for (var from = 200; from + 1000 < 24_000; from += 500)
        {
            var mean = 0.0;
            for (var i = from; i < from + 1000; i++) mean += bins[i] * bins[i] / 1000;
            for (var i = from; i < from + 1000; i++) worst = Math.Max(worst, 10 * Math.Log10(bins[i] * bins[i] / mean));
        }

        return worst;
    }
}
