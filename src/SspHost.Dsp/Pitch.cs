// Volts per octave: 0 V is middle C.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>The 1 V/oct standard, with 0 V = C4 = 261.6256 Hz.</summary>
public static class Pitch
{
    /// <summary>Frequency of 0 V in Hz (A4 = 440 Hz).</summary>
    public const float C4 = 261.625565f;

    /// <summary>Frequency in Hz of <paramref name="volts"/>; error below 0.001 cent.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ToHertz(float volts) => C4 * FastMath.Exp2(volts);

    /// <inheritdoc cref="ToHertz(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToHertz(Vector128<float> volts) => Vector128.Create(C4) * FastMath.Exp2(volts);
}
