// Triggers and gates as they leave a module: 10 V for a millisecond, or for as long as something lasts.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>A trigger under way. Zeroed memory is at rest.</summary>
public struct TriggerPulse
{
    /// <summary>Voltage of a gate that is high.</summary>
    public const float Volts = 10f;

    private int _left;

    /// <summary>Frames of a trigger: a millisecond.</summary>
    public static int Frames(float sampleRate) => (int)(0.001f * sampleRate);

    /// <summary>Whether nothing is under way.</summary>
    public readonly bool AtRest => _left == 0;

    /// <summary>10 V or 0 V.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Gate(bool high) => high ? Volts : 0f;

    /// <summary>Starts one that lasts <paramref name="frames"/>, this frame being the first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fire(int frames) => _left = frames;

    /// <summary>Voltage of this frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Next()
    {
        if (_left == 0) return 0f;
        _left--;
        return Volts;
    }
}
