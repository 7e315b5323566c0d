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
        for (var i = 0; i < Limits.Grid; i++) target[i] = Vector128.Create(a[i], b[i], c[i], d[i]);
    }

    /// <summary>One vector a frame to voices <paramref name="first"/>..+3 of output <paramref name="port"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(in ProcessContext context, int port, int segment, int first, int channels, Vector128<float>* source)
    {
        var at = segment * Limits.Grid;
        for (var lane = 0; lane < 4 && first + lane < channels; lane++)
        {
            var to = context.Out(port, first + lane) + at;
            var from = (float*)source + lane;
            for (var i = 0; i < Limits.Grid; i++) to[i] = from[4 * i];
        }
    }

    /// <summary>Largest magnitude by voice over a segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Peak(Vector128<float>* source)
    {
        var peak = Vector128<float>.Zero;
        for (var i = 0; i < Limits.Grid; i++) peak = Vector128.Max(peak, Vector128.Abs(source[i]));
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
