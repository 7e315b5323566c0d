// Where a decay ends: values far below hearing become exact zeros, which cost nothing and let a module sleep.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>Flushing to zero by value, independent of the processor's flush-to-zero mode.</summary>
public static class Denormal
{
    /// <summary>1e-8 V, 174 dB below 5 V.</summary>
    public const float Threshold = 1e-8f;

    /// <summary>x, or 0 where |x| &lt; <see cref="Threshold"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Flush(float x) => Math.Abs(x) < Threshold ? 0f : x;

    /// <inheritdoc cref="Flush(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Flush(Vector128<float> x) =>
        Vector128.AndNot(x, Vector128.LessThan(Vector128.Abs(x), Vector128.Create(Threshold)));
}
