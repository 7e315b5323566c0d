// Sample formats: every code there and back, saturation, and nothing from a NaN.
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

public sealed unsafe class SampleFormatTests
{
    private static long RoundTrip<T>(int from, int to, int step, Action<nint, int> put, Func<nint, int> get) where T : ISampleFormat
    {
        ulong memory = 0, again = 0;
        long wrong = 0;
        for (long code = from; code < to; code += step)
        {
            put((nint)(&memory), (int)code);
            T.Store((byte*)&again, T.Load((byte*)&memory));
            if (get((nint)(&again)) != code) wrong++;
        }

        return wrong;
    }

    [Fact]
    public void Every_16_bit_code_survives() =>
        Assert.Equal(0, RoundTrip<S16>(-32768, 32768, 1, static (m, v) => *(short*)m = (short)v, static m => *(short*)m));

    [Fact]
    public void Every_24_bit_code_survives_in_three_bytes_and_in_four_with_rubbish_above()
    {
        static int Get3(nint m) => ((byte*)m)[0] | (((byte*)m)[1] << 8) | ((sbyte)((byte*)m)[2] << 16);
        static void Put3(nint m, int v) => (((byte*)m)[0], ((byte*)m)[1], ((byte*)m)[2]) = ((byte)v, (byte)(v >> 8), (byte)(v >> 16));
        Assert.Equal(0, RoundTrip<S24Packed>(-8388608, 8388608, 7, Put3, Get3));
        Assert.Equal(0, RoundTrip<S24>(-8388608, 8388608, 7, static (m, v) => *(uint*)m = (uint)(v & 0xFFFFFF) | 0x5A000000u, static m => *(int*)m));
    }

    [Fact]
    public void Codes_of_32_bits_survive_as_far_as_a_float_holds_them()
    {
        var random = new Random(10);
        for (var i = 0; i < 100_000; i++)
        {
            var code = random.Next(int.MinValue, int.MaxValue) & ~0xFF;
            int again;
            S32.Store((byte*)&again, S32.Load((byte*)&code));
            Assert.Equal(code, again);
        }
    }

    [Fact]
    public void What_exceeds_full_scale_saturates_and_what_is_no_number_is_silence()
    {
        foreach (var (value, s16, s24, s32) in new[]
        {
            (1f, short.MaxValue, 8388607, int.MaxValue), (2f, short.MaxValue, 8388607, int.MaxValue), (float.PositiveInfinity, short.MaxValue, 8388607, int.MaxValue),
            (-1f, short.MinValue, -8388608, int.MinValue), (-3f, short.MinValue, -8388608, int.MinValue), (float.NegativeInfinity, short.MinValue, -8388608, int.MinValue),
            (float.NaN, (short)0, 0, 0), (0.5f, (short)16384, 4194304, 1 << 30),
        })
        {
            int memory = 0;
            S16.Store((byte*)&memory, value);
            Assert.Equal(s16, (short)memory);
            S24.Store((byte*)&memory, value);
            Assert.Equal(s24, memory);
            S32.Store((byte*)&memory, value);
            Assert.Equal(s32, memory);
            memory = 0;
            S24Packed.Store((byte*)&memory, value);
            Assert.Equal(s24 & 0xFFFFFF, memory);
        }

        float f;
        F32.Store((byte*)&f, float.NaN);
        Assert.Equal(0f, f);
        F32.Store((byte*)&f, 1.5f);
        Assert.Equal(1.5f, F32.Load((byte*)&f));
    }
}
