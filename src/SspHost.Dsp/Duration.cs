// Seconds as frames: a knob that means a whole number of frames gets it.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>Times are kept in float, whose last bit is a fraction of a frame for a long time: a whole number that near is what was meant.</summary>
public static class Duration
{
    // Two steps of a float's last bit.
    private const double Rounding = 1.2e-7;

    /// <summary>Frames in <paramref name="seconds"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Frames(double seconds, float sampleRate)
    {
        var frames = seconds * sampleRate;
        var whole = Math.Floor(frames + 0.5);
        return Math.Abs(frames - whole) <= Rounding * frames ? whole : frames;
    }
}
