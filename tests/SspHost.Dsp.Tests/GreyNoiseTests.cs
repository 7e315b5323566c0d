// The grey filter against the curve it inverts, from its impulse response, so that chance plays no part.
namespace SspHost.Dsp.Tests;

public class GreyNoiseTests
{
    [Theory]
    [InlineData(44_100)]
    [InlineData(48_000)]
    [InlineData(88_200)]
    [InlineData(96_000)]
    [InlineData(192_000)]
    public void The_filter_inverts_the_A_weighting_within_0_4_dB_from_31_5_Hz_to_20_kHz(int rate)
    {
        var grey = new GreyNoise(rate);
        GreyNoise.State state = default;
        var response = new float[rate];
        double energy = 0;
        for (var i = 0; i < response.Length; i++)
        {
            response[i] = grey.Next(ref state, i == 0 ? 1f : 0f);
            energy += (double)response[i] * response[i];
        }

        Assert.InRange(energy, 0.999, 1.001);
        var reference = Weighted(response, 1000.0, rate);
        for (var f = 31.5; f <= 20_000; f *= 1.1)
        {
            var error = Weighted(response, f, rate) - reference;
            Assert.True(Math.Abs(error) < 0.4, $"{f:f1} Hz: {error:f3} dB");
        }
    }

    // Annex E of IEC 61672-1, in dB.
    private static double Weighted(float[] response, double f, int rate)
    {
        var (re, im) = (0.0, 0.0);
        for (var i = 0; i < response.Length; i++)
        {
            var (s, c) = Math.SinCos(2.0 * Math.PI * f * i / rate);
            re += response[i] * c;
            im += response[i] * s;
        }

        var f2 = f * f;
        var a = 12_194.0 * 12_194.0 * f2 * f2
            / ((f2 + (20.6 * 20.6)) * Math.Sqrt((f2 + (107.7 * 107.7)) * (f2 + (737.9 * 737.9))) * (f2 + (12_194.0 * 12_194.0)));
        return 20.0 * Math.Log10(Math.Sqrt((re * re) + (im * im)) * a);
    }
}
