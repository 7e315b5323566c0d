// Sample formats of converters: codes to and from memory, and volts to and from codes.
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Engine.Audio;

/// <summary>One sample in memory. A code is the sample as a 32-bit integer, or the bits of a float.</summary>
internal unsafe interface ISampleFormat
{
    /// <summary>Bytes from a sample to the next.</summary>
    static abstract int Bytes { get; }

    /// <summary>Code of sample value 1.0, the first an integer format does not have; 1 for float.</summary>
    static abstract double Unit { get; }

    /// <summary>Whether codes are bits of a float; it does not saturate.</summary>
    static abstract bool IsFloat { get; }

    /// <summary>Stores a code; touches <see cref="Bytes"/> bytes and no other.</summary>
    static abstract void Put(byte* at, int code);

    /// <summary>Loads a code.</summary>
    static abstract int Get(byte* at);
}

/// <summary>16 bits, little-endian.</summary>
internal readonly struct S16 : ISampleFormat
{
    public static int Bytes => 2;

    public static double Unit => 32_768;

    public static bool IsFloat => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Put(byte* at, int code) => *(short*)at = (short)code;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Get(byte* at) => *(short*)at;
}

/// <summary>24 bits in three bytes, little-endian.</summary>
internal readonly struct S24Packed : ISampleFormat
{
    public static int Bytes => 3;

    public static double Unit => 8_388_608;

    public static bool IsFloat => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Put(byte* at, int code)
    {
        at[0] = (byte)code;
        at[1] = (byte)(code >> 8);
        at[2] = (byte)(code >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Get(byte* at) => at[0] | (at[1] << 8) | ((sbyte)at[2] << 16);
}

/// <summary>24 bits in the low three bytes of four; what the fourth holds when captured is not defined.</summary>
internal readonly struct S24 : ISampleFormat
{
    public static int Bytes => 4;

    public static double Unit => 8_388_608;

    public static bool IsFloat => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Put(byte* at, int code) => *(int*)at = code;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Get(byte* at) => (*(int*)at << 8) >> 8;
}

/// <summary>32 bits, little-endian; a float has 24 of them.</summary>
internal readonly struct S32 : ISampleFormat
{
    public static int Bytes => 4;

    public static double Unit => 2_147_483_648;

    public static bool IsFloat => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Put(byte* at, int code) => *(int*)at = code;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Get(byte* at) => *(int*)at;
}

/// <summary>32-bit float, little-endian.</summary>
internal readonly struct F32 : ISampleFormat
{
    public static int Bytes => 4;

    public static double Unit => 1;

    public static bool IsFloat => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Put(byte* at, int code) => *(int*)at = code;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Get(byte* at) => *(int*)at;
}

/// <summary>16 bits, big-endian.</summary>
internal readonly struct S16Big : ISampleFormat
{
    public static int Bytes => 2;

    public static double Unit => S16.Unit;

    public static bool IsFloat => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Put(byte* at, int code) => *(short*)at = BinaryPrimitives.ReverseEndianness((short)code);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Get(byte* at) => BinaryPrimitives.ReverseEndianness(*(short*)at);
}

/// <summary>24 bits in three bytes, big-endian.</summary>
internal readonly struct S24PackedBig : ISampleFormat
{
    public static int Bytes => 3;

    public static double Unit => S24.Unit;

    public static bool IsFloat => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Put(byte* at, int code)
    {
        at[0] = (byte)(code >> 16);
        at[1] = (byte)(code >> 8);
        at[2] = (byte)code;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Get(byte* at) => ((sbyte)at[0] << 16) | (at[1] << 8) | at[2];
}

/// <summary>24 bits in the low three bytes of a big-endian four.</summary>
internal readonly struct S24Big : ISampleFormat
{
    public static int Bytes => 4;

    public static double Unit => S24.Unit;

    public static bool IsFloat => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Put(byte* at, int code) => *(int*)at = BinaryPrimitives.ReverseEndianness(code);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Get(byte* at) => (BinaryPrimitives.ReverseEndianness(*(int*)at) << 8) >> 8;
}

/// <summary>32 bits, big-endian.</summary>
internal readonly struct S32Big : ISampleFormat
{
    public static int Bytes => 4;

    public static double Unit => S32.Unit;

    public static bool IsFloat => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Put(byte* at, int code) => *(int*)at = BinaryPrimitives.ReverseEndianness(code);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Get(byte* at) => BinaryPrimitives.ReverseEndianness(*(int*)at);
}

/// <summary>32-bit float, big-endian.</summary>
internal readonly struct F32Big : ISampleFormat
{
    public static int Bytes => 4;

    public static double Unit => 1;

    public static bool IsFloat => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Put(byte* at, int code) => *(int*)at = BinaryPrimitives.ReverseEndianness(code);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe int Get(byte* at) => BinaryPrimitives.ReverseEndianness(*(int*)at);
}

/// <summary>Between volts and codes.</summary>
internal static unsafe class Codes
{
    // 1.5 * 2^52: added to a double of less than 2^51 it leaves the nearest integer (ties to even) in the low bits of the sum.
    private const double Round = 6_755_399_441_055_744;

    /// <summary>
    /// Codes of volts: <c>volts * perVolt + zero</c>, integers rounded to nearest and held at full scale, NaN as 0 V.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void FromVolts<TFormat>(float* volts, int* codes, int count, double perVolt, double zero) where TFormat : ISampleFormat
    {
        var i = 0;
        if (!TFormat.IsFloat)
        {
            var (scale, offset, round) = (Vector128.Create(perVolt), Vector128.Create(zero), Vector128.Create(Round));
            var (low, high) = (Vector128.Create(-TFormat.Unit), Vector128.Create(TFormat.Unit - 1));
            for (; i + 4 <= count; i += 4)
            {
                var v = Vector128.Load(volts + i);
                v = Vector128.ConditionalSelect(Vector128.Equals(v, v), v, Vector128<float>.Zero);
                var a = (Vector128.WidenLower(v) * scale) + offset;
                var b = (Vector128.WidenUpper(v) * scale) + offset;
                a = Vector128.MinNative(Vector128.MaxNative(a, low), high) + round;
                b = Vector128.MinNative(Vector128.MaxNative(b, low), high) + round;
                Vector128.Store(Vector128.Narrow(a.AsInt64(), b.AsInt64()).AsInt32(), codes + i);
            }
        }

        for (; i < count; i++) codes[i] = FromVolts<TFormat>(volts[i], perVolt, zero);
    }

    /// <summary>Code of one voltage.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int FromVolts<TFormat>(float volts, double perVolt, double zero) where TFormat : ISampleFormat
    {
        if (float.IsNaN(volts)) volts = 0;
        var code = (volts * perVolt) + zero;
        if (TFormat.IsFloat) return BitConverter.SingleToInt32Bits((float)code);
        code = Math.Max(-TFormat.Unit, Math.Min(TFormat.Unit - 1, code));
        return (int)BitConverter.DoubleToInt64Bits(code + Round);
    }

    /// <summary>Volts of codes: <c>code * perCode + zero</c>; a float that is no number is 0 V.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void ToVolts<TFormat>(int* codes, float* volts, int count, double perCode, double zero) where TFormat : ISampleFormat
    {
        for (var i = 0; i < count; i++)
        {
            var code = TFormat.IsFloat ? Finite(BitConverter.Int32BitsToSingle(codes[i])) : codes[i];
            volts[i] = (float)((code * perCode) + zero);
        }
    }

    private static double Finite(float value) => float.IsFinite(value) ? value : 0;
}
