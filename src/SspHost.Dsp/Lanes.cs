// Four voices side by side: sixteen frames of a port as sixteen vectors, and back.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>Gathers and scatters one segment of four voices; voices beyond the last read silence and are thrown away.</summary>
public static unsafe class Lanes
{
    /// <summary>Voices <paramref name="first"/>..+3 of input <paramref name="port"/> at segment <paramref name="segment"/>, one vector a
    /// frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(in ProcessContext context, int port, int segment, int first, int channels, Vector128<float>* target)
    {
        var at = segment * Limits.Grid;
        var a = context.In(port, first) + at;
        if (first + 1 >= channels)
        {
            for (var i = 0; i < Limits.Grid; i++) target[i] = Vector128.CreateScalar(a[i]);
            return;
        }

        var b = context.In(port, first + 1) + at;
        var c = (first + 2 < channels ? context.In(port, first + 2) : context.Silence) + at;
        var d = (first + 3 < channels ? context.In(port, first + 3) : context.Silence) + at;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var (w, x, y, z) = (Vector128.Load(a + i), Vector128.Load(b + i), Vector128.Load(c + i), Vector128.Load(d + i));
            Transpose.Four(ref w, ref x, ref y, ref z);
            (target[i], target[i + 1], target[i + 2], target[i + 3]) = (w, x, y, z);
        }
    }

    /// <summary>One vector a frame to voices <paramref name="first"/>..+3 of output <paramref name="port"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(in ProcessContext context, int port, int segment, int first, int channels, Vector128<float>* source)
    {
        var at = segment * Limits.Grid;
        var a = context.Out(port, first) + at;
        var stride = (nint)context.Outputs[port].Stride;
        var used = channels - first;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var (w, x, y, z) = (source[i], source[i + 1], source[i + 2], source[i + 3]);
            Transpose.Four(ref w, ref x, ref y, ref z);
            w.Store(a + i);
            if (used < 2) continue;
            x.Store(a + stride + i);
            if (used > 2) y.Store(a + (2 * stride) + i);
            if (used > 3) z.Store(a + (3 * stride) + i);
        }
    }

    /// <summary>One vector a frame to four voices in a row, <see cref="Limits.Grid"/> floats each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Part(Vector128<float>* source, float* voices)
    {
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var (w, x, y, z) = (source[i], source[i + 1], source[i + 2], source[i + 3]);
            Transpose.Four(ref w, ref x, ref y, ref z);
            w.Store(voices + i);
            x.Store(voices + Limits.Grid + i);
            y.Store(voices + (2 * Limits.Grid) + i);
            z.Store(voices + (3 * Limits.Grid) + i);
        }
    }

    /// <summary>Largest magnitude by voice over a segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Peak(Vector128<float>* source)
    {
        var peak = Vector128<float>.Zero;
        for (var i = 0; i < Limits.Grid; i++) peak = Vector128.MaxNative(peak, Vector128.Abs(source[i]));
        return peak;
    }

    /// <summary>Which voices are exactly zero all over a segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Quiet(Vector128<float>* source) => Vector128.Equals(Peak(source), Vector128<float>.Zero);

    /// <summary>x within [least, most]; a number that is none may come out as either or stay one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Within(Vector128<float> x, Vector128<float> least, Vector128<float> most) =>
        Vector128.MinNative(Vector128.MaxNative(x, least), most);
}
