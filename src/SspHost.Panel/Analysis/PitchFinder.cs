// The pitch of a signal, for the tuner: McLeod's method.
namespace SspHost.Panel.Analysis;

/// <summary>
/// The normalised square difference function and its key maxima (McLeod and Wyvill, "A Smarter Way to Find Pitch", ICMC 2005), its autocorrelation
/// by a transform; then the period once more from its multiples, each of which halves the error of where a maximum lies between samples.
/// Belongs to one thread.
/// </summary>
internal sealed class PitchFinder
{
    /// <summary>Samples that are looked at.</summary>
    public const int Window = 4096;

    private const int MostLag = Window / 2;
    private const float Key = 0.9f; // a maximum counts from this share of the highest on: below, octaves are taken for the tone
    private const float Clear = 0.6f; // of 1: what repeats itself less than that has no pitch
    private const float Quiet = 0.01f; // V RMS: a tuner that follows hiss is of no use

    private readonly Transform _transform = new(2 * Window);
    private readonly float[] _nsdf = new float[MostLag];

    /// <summary>
    /// Hz of the newest samples; NaN where they are too few, too quiet, or repeat nothing. From about 4 periods in <see cref="Window"/> samples
    /// (47 Hz at 48 kHz; the method itself down to 2) up to a twelfth of the rate it is within a cent, as long as partials that are as strong as the
    /// tone itself lie below a quarter of the rate: above, the top of a maximum is no parabola any more.
    /// </summary>
    public double Find(ReadOnlySpan<float> samples, double rate)
    {
        if (samples.Length < Window) return double.NaN;
        samples = samples[^Window..];
        var mean = 0.0;
        foreach (var v in samples)
        {
            if (!float.IsFinite(v)) return double.NaN;
            mean += v;
        }

        mean /= Window;
        var data = _transform.Data;
        var power = 0.0;
        for (var i = 0; i < Window; i++)
        {
            data[i] = (float)(samples[i] - mean);
            power += (double)data[i] * data[i];
        }

        if (power / Window < Quiet * Quiet) return double.NaN;
        data.AsSpan(Window).Clear();
        Differences(samples, mean, power, data);
        var period = FirstKey();
        return period > 0 ? rate / Refined(period) : double.NaN;
    }

    // n(lag) = 2 r(lag) / m(lag): 1 where the signal repeats itself exactly.
    private void Differences(ReadOnlySpan<float> samples, double mean, double power, float[] data)
    {
        _transform.Forward();
        const int Half = Window; // bins of a transform of two windows
        data[0] *= data[0];
        data[Half] *= data[Half];
        for (var k = 1; k < Half; k++)
        {
            data[k] = (data[k] * data[k]) + (data[Half + k] * data[Half + k]);
            data[Half + k] = 0;
        }

        _transform.Inverse();
        var m = 2 * power;
        for (var lag = 0; lag < MostLag; lag++)
        {
            _nsdf[lag] = m > 1e-12 ? (float)(2 * data[lag] / m) : 0;
            var (first, last) = (samples[lag] - mean, samples[Window - 1 - lag] - mean);
            m -= (first * first) + (last * last);
        }
    }

    // The first of the maxima between rising and falling zero crossings that is nearly as high as the highest; 0: there is none.
    private double FirstKey()
    {
        var highest = 0.0;
        for (var pass = 0; pass < 2; pass++)
        {
            var lag = 1;
            while (lag < MostLag && _nsdf[lag] > 0) lag++;
            while (lag < MostLag)
            {
                while (lag < MostLag && _nsdf[lag] <= 0) lag++;
                var best = lag;
                while (lag < MostLag && _nsdf[lag] > 0)
                {
                    if (_nsdf[lag] > _nsdf[best]) best = lag;
                    lag++;
                }

                if (best >= MostLag - 1) continue;
                // By the top between the samples: at high tones a sampled maximum is far below it.
                var (at, top) = Between(best);
                if (pass == 0) highest = Math.Max(highest, top);
                else if (top >= Key * highest) return at;
            }

            if (highest < Clear) return 0;
        }

        return 0;
    }

    // The top of the parabola through a maximum and its neighbours.
    private (double Lag, double Top) Between(int lag)
    {
        var (a, b, c) = ((double)_nsdf[lag - 1], (double)_nsdf[lag], (double)_nsdf[lag + 1]);
        var bend = a - (2 * b) + c;
        if (bend >= 0) return (lag, b);
        var off = Math.Clamp(0.5 * (a - c) / bend, -1, 1);
        return (lag + off, b - (0.25 * (a - c) * off));
    }

    private double Refined(double period)
    {
        for (var times = 2; times * period < MostLag - 2; times *= 2)
        {
            var lag = (int)Math.Round(times * period);
            while (lag + 1 < MostLag - 1 && _nsdf[lag + 1] > _nsdf[lag]) lag++;
            while (lag > 1 && _nsdf[lag - 1] > _nsdf[lag]) lag--;
            // A signal that changes has no multiple there: what was found stays.
            if (Math.Abs((lag / (double)times) - period) > 0.04 * period || _nsdf[lag] < Clear) break;
            period = Between(lag).Lag / times;
        }

        return period;
    }
}
