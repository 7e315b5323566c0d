// The simplest low-pass: 6 dB per octave, for tone controls and glides.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>A trapezoidal one-pole (Zavalishin, The Art of VA Filter Design, 3.10): exact cutoff, stable while it moves.</summary>
public struct OnePole
{
    private float _state;

    /// <summary>Gain G = g / (1 + g), g = tan(pi f / rate), for a cutoff of <paramref name="hertz"/>, kept below 0.24 of the
    /// rate.</summary>
    public static float Coefficient(float hertz, float sampleRate)
    {
        var x = Math.Min(hertz / sampleRate, 0.24f) * MathF.PI;
        var t = x * x;
        var g = x * (945f + (t * (t - 105f))) / (945f + (t * ((t * 15f) - 420f)));
        return g / (1f + g);
    }

    /// <summary>One sample.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float LowPass(float x, float coefficient)
    {
        var v = (x - _state) * coefficient;
        var y = v + _state;
        _state = Denormal.Flush(y + v);
        return y;
    }

    /// <summary>Whether nothing is stored.</summary>
    public readonly bool IsZero => _state == 0f;
}
