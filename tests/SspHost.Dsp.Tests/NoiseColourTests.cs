// The colouring filters against the ideal power laws: from their impulse responses, so that chance plays no part.
namespace SspHost.Dsp.Tests;

public class NoiseColourTests
{
    [Theory]
    [InlineData(44_100)]
    [InlineData(48_000)]
    [InlineData(96_000)]
    [InlineData(192_000)]
    public void Each_filter_follows_its_law_within_0_2_dB_from_20_Hz_to_20_kHz(int rate)
    {
        var colour = new NoiseColour(rate);
        NoiseColour.State state = default;
        var frames = rate * 2;
        var responses = new float[4][];
        for (var c = 0; c < 4; c++) responses[c] = new float[frames];
        for (var i = 0; i < frames; i++)
            colour.Next(ref state, i == 0 ? 1f : 0f, out responses[0][i], out responses[1][i], out responses[2][i], out responses[3][i]);

        double[] exponents = [-0.5, -1, 0.5, 1];
        for (var c = 0; c < 4; c++)
        {
            double least = double.MaxValue, most = double.MinValue, energy = 0;
            foreach (var v in responses[c]) energy += (double)v * v;
            Assert.InRange(energy, 0.99, 1.01);
            for (var f = 20.0; f < 20_000; f *= 1.19)
            {
                var (re, im) = (0.0, 0.0);
                var (sin, cos) = Math.SinCos(2.0 * Math.PI * f / rate);
                var (x, y) = (1.0, 0.0);
                foreach (var v in responses[c])
                {
                    re += v * x;
                    im += v * y;
                    (x, y) = ((x * cos) - (y * sin), (x * sin) + (y * cos));
                }

                var error = 20.0 * Math.Log10(Math.Sqrt((re * re) + (im * im)) / Math.Pow(f, exponents[c]));
                least = Math.Min(least, error);
                most = Math.Max(most, error);
            }

            Assert.True(most - least < 0.4, $"colour {c} at {rate}: within {most - least:f3} dB");
        }
    }
}
