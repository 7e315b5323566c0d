// Decays by their T60: what a frame takes away so that 60 dB are gone when the time is over.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// An exponential decay is level -= level * loss in every frame. The loss, not the factor 1 - loss, is what is worked out: beside 1 a
/// float has no room for the 4e-6 that a decay of 8 s takes away in a frame at 192 kHz.
/// </summary>
public static class Decay
{
    // log2 of 60 dB.
    private const float Octaves = 9.96578428f;

    /// <summary>Part that a frame takes away of a decay by 60 dB in <paramref name="seconds"/>, which is above 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Loss(float seconds, float sampleRate) => -FastMath.Exp2Minus1(-Octaves / (seconds * sampleRate));

    /// <inheritdoc cref="Loss(float, float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Loss(Vector128<float> seconds, float sampleRate) =>
        -FastMath.Exp2Minus1(Vector128.Create(-Octaves) / (seconds * Vector128.Create(sampleRate)));
}
