// Sample formats: every code there and back through volts, saturation, nothing from a NaN, and no byte beside the sample.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio;

public sealed unsafe class SampleFormatTests
{
    private static readonly JackScale s_nominal = new(0, 0);

    // Volts as the card hands them over, and back into memory.
    private static void ThroughVolts<T>(byte* from, byte* to, int count, JackScale scale) where T : ISampleFormat
    {
        var codes = new int[count];
        var volts = new float[count];
        fixed (int* c = codes)
        {
            fixed (float* v = volts)
            {
                for (var i = 0; i < count; i++) c[i] = T.Get(from + (i * T.Bytes));
                Codes.ToVolts<T>(c, v, count, scale.VoltsPerCode(T.Unit), scale.Zero);
                Codes.FromVolts<T>(v, c, count, scale.CodesPerVolt(T.Unit), scale.CodeOfZero(T.Unit));
                for (var i = 0; i < count; i++) T.Put(to + (i * T.Bytes), c[i]);
            }
        }
    }

    // Every step-th code, the first and the last, written by `put`: the oracle's idea of the format.
    private static void Survive<T>(long first, long last, int step, Action<byte[], int, int> put, byte[]? ignored = null) where T : ISampleFormat
    {
        var all = new List<int>();
        for (var code = first; code <= last; code += step) all.Add((int)code);
        all.Add((int)last);
        var memory = new byte[all.Count * T.Bytes];
        var again = new byte[memory.Length];
        for (var i = 0; i < all.Count; i++) put(memory, i * T.Bytes, all[i]);
        fixed (byte* from = memory)
        {
            fixed (byte* to = again) ThroughVolts<T>(from, to, all.Count, s_nominal);
        }

        for (var i = 0; i < all.Count; i++)
        {
            var expected = memory.AsSpan(i * T.Bytes, T.Bytes).ToArray();
            var got = again.AsSpan(i * T.Bytes, T.Bytes).ToArray();
            if (ignored != null) (expected[ignored[0]], got[ignored[0]]) = (0, 0);
            if (!expected.AsSpan().SequenceEqual(got)) Assert.Fail($"{typeof(T).Name}: code {all[i]} became {Convert.ToHexString(got)}");
        }
    }

    private static void Little(byte[] m, int at, int code, int bytes)
    {
        for (var b = 0; b < bytes; b++) m[at + b] = (byte)(code >> (8 * b));
    }

    private static void Big(byte[] m, int at, int code, int bytes)
    {
        for (var b = 0; b < bytes; b++) m[at + bytes - 1 - b] = (byte)(code >> (8 * b));
    }

    [Fact]
    public void Every_16_bit_code_survives_as_volts_in_either_byte_order()
    {
        Survive<S16>(-32768, 32767, 1, static (m, at, v) => Little(m, at, v, 2));
        Survive<S16Big>(-32768, 32767, 1, static (m, at, v) => Big(m, at, v, 2));
    }

    [Fact]
    public void Every_24_bit_code_survives_as_volts_in_three_bytes_and_in_four_with_rubbish_above()
    {
        Survive<S24Packed>(-8388608, 8388607, 1, static (m, at, v) => Little(m, at, v, 3));
        Survive<S24PackedBig>(-8388608, 8388607, 5, static (m, at, v) => Big(m, at, v, 3));
        Survive<S24>(-8388608, 8388607, 3, static (m, at, v) => Little(m, at, (v & 0xFFFFFF) | 0x5A000000, 4), ignored: [3]);
        Survive<S24Big>(-8388608, 8388607, 7, static (m, at, v) => Big(m, at, (v & 0xFFFFFF) | 0x5A000000, 4), ignored: [0]);
    }

    [Fact]
    public void Codes_of_32_bits_survive_to_the_last_bit_of_a_float_and_floats_survive()
    {
        var random = new Random(10);
        for (var i = 0; i < 100_000; i++)
        {
            int code = random.Next(int.MinValue, int.MaxValue), again, big = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(code), bigAgain;
            ThroughVolts<S32>((byte*)&code, (byte*)&again, 1, s_nominal);
            ThroughVolts<S32Big>((byte*)&big, (byte*)&bigAgain, 1, s_nominal);
            Assert.InRange((long)again - code, -(Math.Abs((long)code) >> 23) - 1, (Math.Abs((long)code) >> 23) + 1);
            Assert.Equal(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(again), bigAgain);
            float value = random.NextSingle() * 2 - 1, back, bigBack;
            var bigValue = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(*(int*)&value);
            ThroughVolts<F32>((byte*)&value, (byte*)&back, 1, s_nominal);
            ThroughVolts<F32Big>((byte*)&bigValue, (byte*)&bigBack, 1, s_nominal);
            Assert.Equal(value, back, MathF.BitIncrement(MathF.Abs(value)) - MathF.Abs(value));
            *(int*)&bigBack = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(*(int*)&bigBack);
            Assert.Equal(back, bigBack);
        }
    }

    [Fact]
    public void What_exceeds_full_scale_saturates_and_what_is_no_number_is_zero_volts_at_any_place_in_a_block()
    {
        foreach (var (volts, s16, s24, s32) in new[]
        {
            (10f, short.MaxValue, 8388607, int.MaxValue), (1e9f, short.MaxValue, 8388607, int.MaxValue), (float.PositiveInfinity, short.MaxValue, 8388607, int.MaxValue),
            (-10f, short.MinValue, -8388608, int.MinValue), (-30f, short.MinValue, -8388608, int.MinValue), (float.NegativeInfinity, short.MinValue, -8388608, int.MinValue),
            (float.NaN, (short)0, 0, 0), (5f, (short)16384, 4194304, 1 << 30),
        })
        {
            for (var count = 1; count <= 9; count++) // whole vectors and what is left of them
            {
                var input = Enumerable.Repeat(volts, count).ToArray();
                Assert.All(Encode<S16>(input, s_nominal), c => Assert.Equal(s16, c));
                Assert.All(Encode<S24Packed>(input, s_nominal), c => Assert.Equal(s24, c));
                Assert.All(Encode<S32Big>(input, s_nominal), c => Assert.Equal(s32, c));
            }
        }

        Assert.Equal(0f, BitConverter.Int32BitsToSingle(Encode<F32>([float.NaN], s_nominal)[0]));
        Assert.Equal(1.5f, BitConverter.Int32BitsToSingle(Encode<F32>([15f], s_nominal)[0])); // float does not saturate
        float rubbish = float.NaN, volt;
        Codes.ToVolts<F32>((int*)&rubbish, &volt, 1, 10, 0.25);
        Assert.Equal(0.25f, volt);
    }

    [Fact]
    public void Volts_become_the_nearest_code_of_a_calibrated_line_as_exact_arithmetic_has_it()
    {
        var random = new Random(20);
        for (var i = 0; i < 20_000; i++)
        {
            var scale = new JackScale((random.NextSingle() * 4) + 8, random.NextSingle() - 0.5f);
            var volts = new float[random.Next(1, 40)];
            for (var k = 0; k < volts.Length; k++) volts[k] = (random.NextSingle() * 24) - 12;
            var codes = Encode<S24>(volts, scale);
            for (var k = 0; k < volts.Length; k++)
            {
                var exact = Math.Clamp((decimal)(double)volts[k] * (decimal)scale.CodesPerVolt(S24.Unit) + (decimal)scale.CodeOfZero(S24.Unit), -8388608m, 8388607m);
                Assert.InRange(codes[k] - exact, -0.500001m, 0.500001m);
            }
        }
    }

    [Fact]
    public void A_packed_sample_at_the_end_of_its_area_touches_no_byte_behind_it()
    {
        const int Page = 4096;
        var pages = (byte*)Linux.Mmap(null, 2 * Page, Linux.ProtRead | Linux.ProtWrite, 0x22, -1, 0); // private, anonymous
        Assert.Equal(0, Linux.Munmap(pages + Page, Page)); // what lies behind faults
        S24Packed.Put(pages + Page - 3, -2);
        Assert.Equal(-2, S24Packed.Get(pages + Page - 3));
        S24PackedBig.Put(pages + Page - 3, 0x123456);
        Assert.Equal(0x123456, S24PackedBig.Get(pages + Page - 3));
        S16Big.Put(pages + Page - 2, -3);
        Assert.Equal(-3, S16Big.Get(pages + Page - 2));
        Assert.Equal(0, pages[Page - 4]);
        _ = Linux.Munmap(pages, Page);
    }

    private static int[] Encode<T>(float[] volts, JackScale scale) where T : ISampleFormat
    {
        var codes = new int[volts.Length];
        fixed (float* v = volts)
        {
            fixed (int* c = codes) Codes.FromVolts<T>(v, c, volts.Length, scale.CodesPerVolt(T.Unit), scale.CodeOfZero(T.Unit));
        }

        return codes;
    }
}
