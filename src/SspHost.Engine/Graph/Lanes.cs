// Loops over whole quanta of samples: copy, sum, and the one pass that proves an output sound. Lengths are multiples of 16 floats.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Engine.Graph;

/// <summary>Vector128 wherever floats are computed: the same instructions, and so the same bits, on x64 and arm64.</summary>
internal static unsafe class Lanes
{
    /// <summary>Bits of the largest legal magnitude. As integers, magnitudes of floats are ordered, and NaN and infinities come last.</summary>
    public static readonly int MaxMagnitude = BitConverter.SingleToInt32Bits(Limits.MaxVolts);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Zero(float* to, int count)
    {
        for (var i = 0; i < count; i += 16)
        {
            Vector128<float>.Zero.Store(to + i);
            Vector128<float>.Zero.Store(to + i + 4);
            Vector128<float>.Zero.Store(to + i + 8);
            Vector128<float>.Zero.Store(to + i + 12);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy(float* to, float* from, int count)
    {
        for (var i = 0; i < count; i += 16)
        {
            Vector128.Load(from + i).Store(to + i);
            Vector128.Load(from + i + 4).Store(to + i + 4);
            Vector128.Load(from + i + 8).Store(to + i + 8);
            Vector128.Load(from + i + 12).Store(to + i + 12);
        }
    }

    /// <summary>to = from * gain.</summary>
    public static void Scale(float* to, float* from, float gain, int count)
    {
        var g = Vector128.Create(gain);
        for (var i = 0; i < count; i += 8)
        {
            (Vector128.Load(from + i) * g).Store(to + i);
            (Vector128.Load(from + i + 4) * g).Store(to + i + 4);
        }
    }

    /// <summary>to += from * gain: product rounded, then sum rounded (never fused: the result must not depend on the machine).</summary>
    public static void Add(float* to, float* from, float gain, int count)
    {
        var g = Vector128.Create(gain);
        for (var i = 0; i < count; i += 8)
        {
            (Vector128.Load(to + i) + (Vector128.Load(from + i) * g)).Store(to + i);
            (Vector128.Load(to + i + 4) + (Vector128.Load(from + i + 4) * g)).Store(to + i + 4);
        }
    }

    /// <summary>to += from.</summary>
    public static void Add(float* to, float* from, int count)
    {
        for (var i = 0; i < count; i += 8)
        {
            (Vector128.Load(to + i) + Vector128.Load(from + i)).Store(to + i);
            (Vector128.Load(to + i + 4) + Vector128.Load(from + i + 4)).Store(to + i + 4);
        }
    }

    /// <summary>to = from * (start + span * shape), sample by sample.</summary>
    public static void ScaleAlong(float* to, float* from, float* shape, float start, float span, int count)
    {
        Vector128<float> a = Vector128.Create(start), b = Vector128.Create(span);
        for (var i = 0; i < count; i += 4) (Vector128.Load(from + i) * (a + (b * Vector128.Load(shape + i)))).Store(to + i);
    }

    /// <summary>to += from * (start + span * shape), sample by sample.</summary>
    public static void AddAlong(float* to, float* from, float* shape, float start, float span, int count)
    {
        Vector128<float> a = Vector128.Create(start), b = Vector128.Create(span);
        for (var i = 0; i < count; i += 4)
            (Vector128.Load(to + i) + (Vector128.Load(from + i) * (a + (b * Vector128.Load(shape + i))))).Store(to + i);
    }

    /// <summary>
    /// Bits of the largest magnitude: 0 = every sample is zero; above <see cref="MaxMagnitude"/> = some sample is beyond
    /// 1000 V, infinite or not a number. One load, one and, one max per register of samples.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Magnitude(float* samples, int count)
    {
        Vector128<int> a, b;
        if (Vector256.IsHardwareAccelerated)
        {
            // The greatest of integers is the same however many are compared at once.
            var mask = Vector256.Create(0x7FFF_FFFF);
            Vector256<int> c = Vector256<int>.Zero, d = c;
            for (var i = 0; i < count; i += 16)
            {
                c = Vector256.Max(c, Vector256.Load((int*)samples + i) & mask);
                d = Vector256.Max(d, Vector256.Load((int*)samples + i + 8) & mask);
            }

            c = Vector256.Max(c, d);
            (a, b) = (c.GetLower(), c.GetUpper());
        }
        else
        {
            var mask = Vector128.Create(0x7FFF_FFFF);
            a = b = Vector128<int>.Zero;
            for (var i = 0; i < count; i += 16)
            {
                a = Vector128.Max(a, Vector128.Load((int*)samples + i) & mask);
                b = Vector128.Max(b, Vector128.Load((int*)samples + i + 4) & mask);
                a = Vector128.Max(a, Vector128.Load((int*)samples + i + 8) & mask);
                b = Vector128.Max(b, Vector128.Load((int*)samples + i + 12) & mask);
            }
        }

        a = Vector128.Max(a, b);
        a = Vector128.Max(a, Vector128.Shuffle(a, Vector128.Create(2, 3, 0, 1)));
        a = Vector128.Max(a, Vector128.Shuffle(a, Vector128.Create(1, 0, 3, 2)));
        return a.ToScalar();
    }
}
