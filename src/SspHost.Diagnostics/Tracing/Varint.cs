// Numbers in as few bytes as they need: seven bits a byte, the lowest first (LEB128, as protobuf has them).
using System.Runtime.CompilerServices;

namespace SspHost.Diagnostics.Tracing;

/// <summary>Variable-length integers.</summary>
public static unsafe class Varint
{
    /// <summary>Bytes a 64-bit number takes at most.</summary>
    public const int MaxBytes = 10;

    /// <summary>Writes a number; returns the place after it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Write(byte* at, ulong value)
    {
        while (value >= 0x80)
        {
            *at++ = (byte)(value | 0x80);
            value >>= 7;
        }

        *at++ = (byte)value;
        return at;
    }

    /// <summary>Reads a number; null where the bytes end within it, or it has more than 64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Read(byte* at, byte* end, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && at < end; shift += 7)
        {
            var b = *at++;
            if (shift == 63 && b > 1) return null;
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return at;
        }

        return null;
    }

    /// <summary>Makes numbers near 0 of either sign small ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ZigZag(long value) => (ulong)((value << 1) ^ (value >> 63));

    /// <summary>Takes <see cref="ZigZag"/> back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long UnZigZag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);
}
