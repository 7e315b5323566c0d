// Block math over whole buffers: four floats at a time, the same order of operations on every processor.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>Plain loops over buffers of a multiple of four floats (a segment or a quantum).</summary>
public static unsafe class Block
{
    /// <summary>target = 0.</summary>
    public static void Clear(float* target, int count)
    {
        var i = 0;
        if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= count - 32; i += 32)
            {
                Vector256<float>.Zero.Store(target + i);
                Vector256<float>.Zero.Store(target + i + 8);
                Vector256<float>.Zero.Store(target + i + 16);
                Vector256<float>.Zero.Store(target + i + 24);
            }
        }

        for (; i <= count - 16; i += 16)
        {
            Vector128<float>.Zero.Store(target + i);
            Vector128<float>.Zero.Store(target + i + 4);
            Vector128<float>.Zero.Store(target + i + 8);
            Vector128<float>.Zero.Store(target + i + 12);
        }

        for (; i < count; i += 4) Vector128<float>.Zero.Store(target + i);
    }

    /// <summary>target = source.</summary>
    public static void Copy(float* target, float* source, int count)
    {
        for (var i = 0; i < count; i += 4) Vector128.Load(source + i).Store(target + i);
    }

    /// <summary>Sets <paramref name="count"/> values to zero bytes. Unlike a span it has no length to check, so no path to an exception.</summary>
    public static void Zero<T>(T* target, long count) where T : unmanaged => NativeMemory.Clear(target, (nuint)(count * sizeof(T)));

    /// <summary>target = source * gain, where gain runs along <paramref name="gain"/> for one segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScaleSegment(float* target, float* source, in GridRamp gain)
    {
        for (var i = 0; i < Limits.Grid; i += 4) (Vector128.Load(source + i) * gain.Four(i)).Store(target + i);
    }

    /// <summary>target += source * gain for one segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddScaledSegment(float* target, float* source, in GridRamp gain)
    {
        for (var i = 0; i < Limits.Grid; i += 4)
            (Vector128.Load(target + i) + (Vector128.Load(source + i) * gain.Four(i))).Store(target + i);
    }

    /// <summary>wet = dry * (1 - mix) + wet * mix for one segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void MixSegment(float* wet, float* dry, in GridRamp mix)
    {
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var part = mix.Four(i);
            ((Vector128.Load(dry + i) * (Vector128<float>.One - part)) + (Vector128.Load(wet + i) * part)).Store(wet + i);
        }
    }

    /// <summary>target = all voices of an input together, for the segment that begins at frame <paramref name="at"/>.</summary>
    public static void SumSegment(float* target, in ProcessContext context, int port, int at)
    {
        Clear(target, Limits.Grid);
        for (var channel = 0; channel < context.Inputs[port].Channels; channel++)
        {
            var source = context.In(port, channel) + at;
            for (var i = 0; i < Limits.Grid; i += 4) (Vector128.Load(target + i) + Vector128.Load(source + i)).Store(target + i);
        }
    }

    /// <summary>Largest magnitude.</summary>
    public static float Peak(float* source, int count)
    {
        var peak = Vector128<float>.Zero;
        for (var i = 0; i < count; i += 4) peak = Vector128.MaxNative(peak, Vector128.Abs(Vector128.Load(source + i)));
        return Math.Max(Math.Max(peak[0], peak[1]), Math.Max(peak[2], peak[3]));
    }

    /// <summary>Whether every sample is exactly zero.</summary>
    public static bool IsZero(float* source, int count)
    {
        for (var i = 0; i < count; i += 4)
        {
            if (!Vector128.EqualsAll(Vector128.Load(source + i), Vector128<float>.Zero)) return false;
        }

        return true;
    }
}
