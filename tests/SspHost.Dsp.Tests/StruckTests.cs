// The blocks of struck and plucked instruments against their formulas.
using System.Runtime.Intrinsics;

namespace SspHost.Dsp.Tests;

public unsafe class StruckTests
{
    [Fact]
    public void A_decay_loses_60_dB_in_its_time_also_where_a_frame_loses_next_to_nothing()
    {
        foreach (var (seconds, rate) in new[] { (0.01f, 44_100f), (1f, 48_000f), (8f, 192_000f) })
        {
            var loss = Decay.Loss(seconds, rate);
            Assert.Equal(0.001, Math.Pow(1.0 - loss, (double)seconds * rate), 1e-6);
            Assert.Equal(loss, Decay.Loss(Vector128.Create(seconds), rate)[0]);
        }
    }

    [Fact]
    public void A_phasor_is_a_decaying_sine()
    {
        Ringing ringing = default;
        ringing.Strike(Vector128<float>.AllBitsSet, Vector128.Create(5f));
        var (w, loss) = (0.0131, 2e-5f);
        var (sin, cos) = (Vector128.Create((float)Math.Sin(w)), Vector128.Create((float)Math.Cos(w)));
        for (var i = 1; i < 20_000; i++)
        {
            var expected = 5.0 * Math.Sin(w * i) * Math.Pow(1.0 - loss, i);
            Assert.Equal(expected, ringing.Next(cos, sin, Vector128.Create(loss))[2], 0.01);
        }
    }

    [Fact]
    public void Atan_is_the_arcus_tangent()
    {
        for (var x = -3f; x <= 3f; x += 0.003f) Assert.Equal(Math.Atan(x), FastMath.Atan(x), 5e-7);
    }

    [Theory]
    [InlineData(1f)]
    [InlineData(2f)]
    public void The_squares_of_metal_fold_nothing_back_below_20_kHz(float tuning)
    {
        // One window of a whole second: each harmonic reads its Fourier amplitude; between them there is nothing.
        const int Rate = 48_000;
        var bytes = BlepTable.Bytes;
        var table = (float*)System.Runtime.InteropServices.NativeMemory.Alloc((nuint)bytes);
        BlepTable.Build(table);
        MetalOscillators metal = default;
        var samples = new double[Rate];
        var block = stackalloc float[16];
        for (var at = 0; at < Rate; at += 16)
        {
            metal.Render(table, tuning / Rate, block);
            for (var i = 0; i < 16; i++) samples[at + i] = block[i] * Window(at + i, Rate);
        }

        System.Runtime.InteropServices.NativeMemory.Free(table);
        var lines = new List<double>();
        for (var k = 0; k < MetalOscillators.Count; k++)
        {
            for (var n = 1; n * MetalOscillators.Hertz(k) * tuning < 24_000; n += 2) lines.Add(n * (double)MetalOscillators.Hertz(k) * tuning);
            var first = MetalOscillators.Hertz(k) * tuning;
            Assert.Equal(4 / Math.PI, Level(samples, first, Rate), 0.01);
        }

        var random = new Random(4);
        for (var probe = 0; probe < 150; probe++)
        {
            var hertz = 30 + (random.NextDouble() * 19_900);
            if (lines.Exists(l => Math.Abs(l - hertz) < 12)) continue;
            Assert.True(Level(samples, hertz, Rate) < 1e-4 * 4 / Math.PI, $"{hertz:f1} Hz: {20 * Math.Log10(Level(samples, hertz, Rate)):f1} dB");
        }
    }

    [Fact]
    public void The_resampling_kernel_is_exact_on_samples_and_passes_what_can_be_heard()
    {
        var table = (float*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc((nuint)SincKernel.Bytes, 64);
        SincKernel.Build(table);
        var samples = new float[4096];
        for (var i = 0; i < samples.Length; i++) samples[i] = (float)Math.Sin(2 * Math.PI * 0.31 * i);
        fixed (float* source = samples)
        {
            var plain = SincKernel.Of(table, -1f);
            for (var i = 100; i < 200; i++) Assert.Equal(samples[i], SincKernel.At(in plain, source + i, 0f));
            for (var t = 0f; t < 1f; t += 0.037f) Assert.Equal(Math.Sin(2 * Math.PI * 0.31 * (2000 + t)), SincKernel.At(in plain, source + 2000, t), 1e-3);

            // Twice as fast, 0.31 of the source's rate would fold: it is gone.
            var faster = SincKernel.Of(table, 1f);
            for (var t = 0f; t < 1f; t += 0.037f) Assert.InRange(SincKernel.At(in faster, source + 2000, t), -1e-4f, 1e-4f);
        }

        System.Runtime.InteropServices.NativeMemory.AlignedFree(table);
    }

    private static double Window(int i, int n)
    {
        // Blackman and Harris, 92 dB.
        var x = 2 * Math.PI * i / n;
        return 0.35875 - (0.48829 * Math.Cos(x)) + (0.14128 * Math.Cos(2 * x)) - (0.01168 * Math.Cos(3 * x));
    }

    private static double Level(double[] windowed, double hertz, int rate)
    {
        var (re, im) = (0.0, 0.0);
        for (var i = 0; i < windowed.Length; i++)
        {
            var (s, c) = Math.SinCos(2 * Math.PI * hertz * i / rate);
            re += windowed[i] * c;
            im += windowed[i] * s;
        }

        return 2 * Math.Sqrt((re * re) + (im * im)) / (windowed.Length * 0.35875);
    }
}
