// Noise that is a function of the moment: who slept through a part of it goes on as if he had listened.
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>White noise of a segment, the same for every voice of an instance.</summary>
public static unsafe class TimedNoise
{
    /// <summary>Sixteen frames, uniform within +-<paramref name="level"/>.</summary>
    /// <param name="segment">The segment of this quantum.</param>
    public static void Fill(in ProcessContext context, ulong seed, int segment, float level, float* target)
    {
        var random = new Xorshift(seed + context.Time + (ulong)(segment * Limits.Grid));
        for (var i = 0; i < Limits.Grid; i++) target[i] = random.NextBipolar() * level;
    }
}
