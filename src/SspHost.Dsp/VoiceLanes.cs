// Four voices side by side: a segment of four channels as sixteen vectors, one lane a voice, and back.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>How a module that computes four voices at once reads and fills its ports, a segment at a time.</summary>
public static unsafe class VoiceLanes
{
    /// <summary>
    /// frames[i] = frame i of the segment at <paramref name="at"/>, voices first..first + 3 of an input. Lanes beyond the last voice read
    /// silence.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load(in ProcessContext context, int port, int first, int channels, int at, Vector128<float>* frames)
    {
        var a = Voice(in context, port, first, channels) + at;
        var b = Voice(in context, port, first + 1, channels) + at;
        var c = Voice(in context, port, first + 2, channels) + at;
        var d = Voice(in context, port, first + 3, channels) + at;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var (w, x, y, z) = (Vector128.Load(a + i), Vector128.Load(b + i), Vector128.Load(c + i), Vector128.Load(d + i));
            Transpose.Four(ref w, ref x, ref y, ref z);
            frames[i] = w;
            frames[i + 1] = x;
            frames[i + 2] = y;
            frames[i + 3] = z;
        }
    }

    /// <summary>Fills voices first..first + 3 of an output; lanes beyond the last voice are dropped.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(in ProcessContext context, int port, int first, int channels, int at, Vector128<float>* frames)
    {
        var used = channels - first;
        var a = context.Out(port, first) + at;
        var stride = (nint)context.Outputs[port].Stride;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var (w, x, y, z) = (frames[i], frames[i + 1], frames[i + 2], frames[i + 3]);
            Transpose.Four(ref w, ref x, ref y, ref z);
            w.Store(a + i);
            if (used > 1) x.Store(a + stride + i);
            if (used > 2) y.Store(a + (2 * stride) + i);
            if (used > 3) z.Store(a + (3 * stride) + i);
        }
    }

    /// <summary>Whether every lane of every frame is exactly zero, by lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Silent(Vector128<float>* frames)
    {
        var loudest = Vector128<float>.Zero;
        for (var i = 0; i < Limits.Grid; i++) loudest = Vector128.MaxNative(loudest, Vector128.Abs(frames[i]));
        return Vector128.Equals(loudest, Vector128<float>.Zero);
    }

    /// <summary>Whether the mask is set in all four lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool All(Vector128<float> mask) => Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));

    private static float* Voice(in ProcessContext context, int port, int voice, int channels) =>
        voice < channels ? context.In(port, voice) : context.Silence;
}
