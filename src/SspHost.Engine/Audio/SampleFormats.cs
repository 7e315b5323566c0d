// Sample formats of converters, to and from volts.
using System.Runtime.CompilerServices;

namespace SspHost.Engine.Audio;

/// <summary>One sample in memory, little-endian.</summary>
internal unsafe interface ISampleFormat
{
    /// <summary>Stores a sample value, 1.0 = full scale; integers round to nearest and saturate, NaN becomes 0.</summary>
    static abstract void Store(byte* at, float value);

    /// <summary>Loads a sample value, 1.0 = full scale.</summary>
    static abstract float Load(byte* at);
}

/// <summary>16 bits.</summary>
internal readonly struct S16 : ISampleFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(byte* at, float value) => *(short*)at = (short)Math.Clamp(MathF.Round(value * 32768f), -32768f, 32767f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Load(byte* at) => *(short*)at * (1f / 32768f);
}

/// <summary>24 bits in three bytes.</summary>
internal readonly struct S24Packed : ISampleFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(byte* at, float value)
    {
        var v = S24.Round(value);
        at[0] = (byte)v;
        at[1] = (byte)(v >> 8);
        at[2] = (byte)(v >> 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Load(byte* at) => (at[0] | (at[1] << 8) | ((sbyte)at[2] << 16)) * (1f / 8388608f);
}

/// <summary>24 bits in the low three bytes of four; what the fourth holds when captured is not defined.</summary>
internal readonly struct S24 : ISampleFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(byte* at, float value) => *(int*)at = Round(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Load(byte* at) => ((*(int*)at << 8) >> 8) * (1f / 8388608f);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Round(float value) => (int)Math.Clamp(MathF.Round(value * 8388608f), -8388608f, 8388607f);
}

/// <summary>32 bits; a float has 24 of them.</summary>
internal readonly struct S32 : ISampleFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(byte* at, float value) => *(int*)at = (int)Math.Clamp(Math.Round(value * 2147483648.0), -2147483648.0, 2147483647.0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Load(byte* at) => *(int*)at * (1f / 2147483648f);
}

/// <summary>32-bit float; full scale is 1, and it does not saturate.</summary>
internal readonly struct F32 : ISampleFormat
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe void Store(byte* at, float value) => *(float*)at = float.IsNaN(value) ? 0 : value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static unsafe float Load(byte* at) => *(float*)at;
}
