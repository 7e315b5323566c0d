// The fast transform against the sum that defines it, in double precision.
using System.Numerics;
using System.Runtime.InteropServices;

namespace SspHost.Dsp.Tests;

public unsafe class FftTests
{
    public static TheoryData<int> Sizes => [32, 64, 128, 256, 512, 1024, 4096, 8192, 65_536];

    [Theory, MemberData(nameof(Sizes))]
    public void A_spectrum_is_the_discrete_fourier_transform(int size)
    {
        using var bench = new Bench(size);
        foreach (var signal in Signals(size))
        {
            bench.Load(signal);
            bench.Fft.Forward(bench.Data, bench.Scratch);
            var exact = Reference([.. signal.Select(static x => new Complex(x, 0))]);
            double error = 0, power = 0;
            for (var k = 0; k <= size / 2; k++)
            {
                error += (exact[k] - bench.Bin(k)).Magnitude * (exact[k] - bench.Bin(k)).Magnitude;
                power += exact[k].Magnitude * exact[k].Magnitude;
            }

            Assert.InRange(Math.Sqrt(error / power), 0, 5e-7);
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Back_and_forth_is_where_it_began(int size)
    {
        using var bench = new Bench(size);
        foreach (var signal in Signals(size))
        {
            bench.Load(signal);
            bench.Fft.Forward(bench.Data, bench.Scratch);
            bench.Fft.Inverse(bench.Data, bench.Scratch);
            double error = 0, power = 0;
            for (var i = 0; i < size; i++)
            {
                error += Math.Pow(signal[i] - (double)bench.Data[i], 2);
                power += (double)signal[i] * signal[i];
            }

            Assert.InRange(Math.Sqrt(error / power), 0, 5e-7);
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Slices_of_any_size_give_the_same_bits_as_the_whole(int size)
    {
        using var whole = new Bench(size);
        using var sliced = new Bench(size);
        var random = new Random(size);
        var signal = Signals(size)[0];
        whole.Load(signal);
        sliced.Load(signal);
        whole.Fft.Forward(whole.Data, whole.Scratch);
        for (int from = 0, to; from < sliced.Fft.Units; from = to)
        {
            to = Math.Min(sliced.Fft.Units, from + random.Next(0, 2 + (sliced.Fft.Units / 7)));
            sliced.Fft.Forward(sliced.Data, sliced.Scratch, from, to);
        }

        Assert.True(new Span<float>(whole.Data, size).SequenceEqual(new Span<float>(sliced.Data, size)));
        whole.Fft.Inverse(whole.Data, whole.Scratch);
        for (int from = 0, to; from < sliced.Fft.Units; from = to)
        {
            to = Math.Min(sliced.Fft.Units, from + random.Next(0, 2 + (sliced.Fft.Units / 7)));
            sliced.Fft.Inverse(sliced.Data, sliced.Scratch, from, to);
        }

        Assert.True(new Span<float>(whole.Data, size).SequenceEqual(new Span<float>(sliced.Data, size)));
    }

    [Fact]
    public void The_reference_is_the_sum_itself()
    {
        var signal = Signals(64)[0].Select(static x => new Complex(x, 0)).ToArray();
        var fast = Reference(signal);
        for (var k = 0; k < signal.Length; k++)
        {
            var sum = Complex.Zero;
            for (var j = 0; j < signal.Length; j++) sum += signal[j] * Complex.Exp(new Complex(0, -2 * Math.PI * j * k / signal.Length));
            Assert.InRange((sum - fast[k]).Magnitude, 0, 1e-12);
        }
    }

    // Noise, a sine between two bins, an impulse away from the middle.
    private static float[][] Signals(int size)
    {
        var random = new Random(size);
        var (noise, sine, impulse) = (new float[size], new float[size], new float[size]);
        for (var i = 0; i < size; i++)
        {
            noise[i] = (2f * random.NextSingle()) - 1f;
            sine[i] = 5f * (float)Math.Sin(2 * Math.PI * 3.4 * i / size);
        }

        impulse[size / 3] = 5f;
        return [noise, sine, impulse];
    }

    private static Complex[] Reference(Complex[] x)
    {
        if (x.Length == 1) return x;
        var even = Reference([.. x.Where(static (_, i) => (i & 1) == 0)]);
        var odd = Reference([.. x.Where(static (_, i) => (i & 1) != 0)]);
        var result = new Complex[x.Length];
        for (var k = 0; k < even.Length; k++)
        {
            var turned = odd[k] * Complex.FromPolarCoordinates(1, -2 * Math.PI * k / x.Length);
            result[k] = even[k] + turned;
            result[k + even.Length] = even[k] - turned;
        }

        return result;
    }

    private sealed class Bench : IDisposable
    {
        private readonly float* _tables;

        public Bench(int size)
        {
            _tables = Floats(Fft.Floats(size));
            Data = Floats(size);
            Scratch = Floats(size);
            Fft.Build(_tables, size);
            Fft = new Fft(_tables, size);
            Assert.Equal(size, Fft.Size);
        }

        public Fft Fft { get; }

        public float* Data { get; }

        public float* Scratch { get; }

        public void Load(float[] signal) => signal.CopyTo(new Span<float>(Data, signal.Length));

        public Complex Bin(int k)
        {
            var half = Fft.Size / 2;
            if (k == 0) return Data[0];
            return k == half ? Data[half] : new Complex(Data[k], Data[half + k]);
        }

        public void Dispose()
        {
            NativeMemory.AlignedFree(_tables);
            NativeMemory.AlignedFree(Data);
            NativeMemory.AlignedFree(Scratch);
        }

        private static float* Floats(long count) => (float*)NativeMemory.AlignedAlloc((nuint)count * sizeof(float), 64);
    }
}
