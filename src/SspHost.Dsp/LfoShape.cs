// Waveforms of a slow oscillator: pure functions of phase, never band-limited (nothing is heard of them directly).
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>Shapes of an LFO.</summary>
public enum LfoShape
{
    Sine = 0,
    Triangle = 1,
    RampUp = 2,
    RampDown = 3,
    Square = 4,

    /// <summary>A new random level each cycle.</summary>
    Random = 5,

    /// <summary>From one random level to the next along a half cosine.</summary>
    Smooth = 6,
}

/// <summary>Values of the shapes.</summary>
public static class LfoWave
{
    /// <summary>
    /// Value -1..1 at <paramref name="phase"/> in [0, 1). The sine and the triangle start at 0 and rise; <paramref name="held"/> and
    /// <paramref name="next"/> are this cycle's random level and the following one.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float At(LfoShape shape, float phase, float held, float next) => shape switch
    {
        LfoShape.Sine => FastMath.SinTurns(phase),
        LfoShape.Triangle => phase < 0.25f ? 4f * phase : phase < 0.75f ? 2f - (4f * phase) : (4f * phase) - 4f,
        LfoShape.RampUp => (2f * phase) - 1f,
        LfoShape.RampDown => 1f - (2f * phase),
        LfoShape.Square => phase < 0.5f ? 1f : -1f,
        LfoShape.Random => held,
        _ => held + ((next - held) * (0.5f - (0.5f * FastMath.SinTurns((0.5f * phase) + 0.25f)))),
    };

    /// <summary>The same of four phases, for the shapes that are functions of the phase alone; beyond <see cref="LfoShape.Square"/> it is that.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> At(LfoShape shape, Vector128<float> phase)
    {
        switch (shape)
        {
            case LfoShape.Sine: return FastMath.SinTurns(phase);
            case LfoShape.Triangle:
                var four = Vector128.Create(4f) * phase;
                var early = Vector128.LessThan(phase, Vector128.Create(0.25f));
                var falling = Vector128.LessThan(phase, Vector128.Create(0.75f));
                return Vector128.ConditionalSelect(early, four, Vector128.ConditionalSelect(falling, Vector128.Create(2f) - four, four - Vector128.Create(4f)));
            case LfoShape.RampUp: return (Vector128.Create(2f) * phase) - Vector128<float>.One;
            case LfoShape.RampDown: return Vector128<float>.One - (Vector128.Create(2f) * phase);
            default: return Vector128.ConditionalSelect(Vector128.LessThan(phase, Vector128.Create(0.5f)), Vector128<float>.One, -Vector128<float>.One);
        }
    }
}
