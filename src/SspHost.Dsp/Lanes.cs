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
        for (nint i = 0; i < Limits.Grid; i += 4, target += 4)
        {
            var (w, x, y, z) = (Vector128.Load(a + i), Vector128.Load(b + i), Vector128.Load(c + i), Vector128.Load(d + i));
            Transpose.Four(ref w, ref x, ref y, ref z);
            (target[0], target[1], target[2], target[3]) = (w, x, y, z);
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
        for (nint i = 0; i < Limits.Grid; i += 4, source += 4) Put(source[0], source[1], source[2], source[3], a + i, stride, used);
    }

    /// <summary>Four frames of four voices to the first <paramref name="used"/> of them, <paramref name="stride"/> floats apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put(Vector128<float> w, Vector128<float> x, Vector128<float> y, Vector128<float> z, float* target, nint stride, int used)
    {
        Transpose.Four(ref w, ref x, ref y, ref z);
        w.Store(target);
        if (used < 2) return;
        x.Store(target + stride);
        if (used > 2) y.Store(target + (2 * stride));
        if (used > 3) z.Store(target + (3 * stride));
    }

    /// <summary>Largest magnitude by voice over a segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Peak(Vector128<float>* source)
    {
        Vector128<float> a = default, b = default;
        for (var end = source + Limits.Grid; source < end; source += 4)
        {
            a = Vector128.MaxNative(Vector128.MaxNative(a, Vector128.Abs(source[0])), Vector128.Abs(source[1]));
            b = Vector128.MaxNative(Vector128.MaxNative(b, Vector128.Abs(source[2])), Vector128.Abs(source[3]));
        }

        return Vector128.MaxNative(a, b);
    }

    /// <summary>Which voices are exactly zero all over a segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Quiet(Vector128<float>* source) => Vector128.Equals(Peak(source), Vector128<float>.Zero);

    /// <summary>x within [least, most]; a number that is none may come out as either or stay one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Within(Vector128<float> x, Vector128<float> least, Vector128<float> most) =>
        Vector128.MinNative(Vector128.MaxNative(x, least), most);
}
