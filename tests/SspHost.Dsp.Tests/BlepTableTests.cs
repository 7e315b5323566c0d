// The residual table against what band-limiting means.
namespace SspHost.Dsp.Tests;

public unsafe class BlepTableTests
{
    private const int Row = BlepTable.Taps;
    private const int Order = 257 * Row;
    private static readonly float[] Table = Build();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Residuals_begin_and_end_at_zero(int order)
    {
        Assert.InRange(Math.Abs(Table[order * Order]), 0, 1e-6);
        Assert.InRange(Math.Abs(Table[(order * Order) + (256 * Row) + Row - 1]), 0, order < 3 ? 1e-5 : 1e-4);
    }

    [Theory]
    [InlineData(0, -1)]
    [InlineData(1, 1)]
    public void Residuals_have_the_symmetry_of_a_linear_phase(int order, int sign)
    {
        // Residual at t and at -t: phase p, tap k is t = p/256 + k - 16.
        for (var p = 1; p < 256; p++)
        {
            for (var k = 0; k < Row; k++)
                Assert.Equal(Table[(order * Order) + (p * Row) + k], sign * Table[(order * Order) + ((256 - p) * Row) + Row - 1 - k],
                    2e-6f);
        }
    }

    [Fact]
    public void A_step_with_its_residual_passes_20_kHz_and_stops_28_kHz_of_48()
    {
        // The derivative of the band-limited step is the kernel: its spectrum by direct summation at 256 samples a frame.
        double Gain(double hertz)
        {
            double re = 0, im = 0;
            for (var p = 0; p < 256; p++)
            {
                for (var k = 0; k < Row; k++)
                {
                    var t = ((p + 0.5) / 256) + k - 16;
                    var step = Table[((p + 1) * Row) + k] - Table[(p * Row) + k];
                    re += step * Math.Cos(2 * Math.PI * hertz / 48_000 * t);
                    im += step * Math.Sin(2 * Math.PI * hertz / 48_000 * t);
                }
            }

            // The table stores the step minus the ideal one, whose jump lies between tap 15 and 16 and is no difference within a row.
            return Math.Sqrt((re * re) + (im * im));
        }

        foreach (var f in new[] { 10.0, 5000.0, 10_000.0, 16_000.0, 19_000.0, 19_500.0 }) Assert.InRange(20 * Math.Log10(Gain(f)), -0.05,
            0.05);
        Assert.InRange(20 * Math.Log10(Gain(20_000)), -0.3, 0.1);
        for (var f = 28_000.0; f < 90_000; f += 250) Assert.True(20 * Math.Log10(Gain(f)) < -75,
            $"{f} Hz: {20 * Math.Log10(Gain(f)):f1} dB");
    }

    private static float[] Build()
    {
        var table = new float[BlepTable.Bytes / sizeof(float)];
        fixed (float* t = table) BlepTable.Build(t);
        return table;
    }
}
