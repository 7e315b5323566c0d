// A vactrol: an LED and a photoresistor in one dark case, quick to see light and slow to forget it; four at once.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// The resistance follows the LED's current as R = 1136 ohm + 3.4646 / I^1.4, I from 10 uA to 40 mA (fitted by Parker and D'Angelo, A
/// Digital Model of the Buchla Lowpass-Gate, DAFx 2013, to a VTL5C3/2). The light it has seen runs after the current by a one-pole with one
/// time constant upwards and another downwards. Light is 0..1, a part of the full current.
/// </summary>
public struct Vactrol
{
    /// <summary>Ohms at full light.</summary>
    public const float Least = 1450.1f;

    private const float LeastAmperes = 10.1e-6f, MostAmperes = 40e-3f;
    private const float Ohms = 1136.213f;
    private const float Exponent = -1.4f;

    // log2(3.4646)
    private const float LogScale = 1.792688f;

    // Nearer than this it has arrived: 4 nA of 10 uA.
    private const float Arrived = 1e-7f;

    private Vector128<float> _light, _carry;

    /// <summary>The light it has seen, 0..1.</summary>
    public readonly Vector128<float> Light => _light;

    /// <summary>One frame with the LED at <paramref name="target"/>; the coefficients are 1 - e^(-1 / frames).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Follow(Vector128<float> target, Vector128<float> up, Vector128<float> down)
    {
        // What a sum rounds away is carried to the next one (Kahan 1965), or slow ones would stop on their way.
        var away = target - _light;
        var step = (away * Vector128.ConditionalSelect(Vector128.GreaterThan(away, Vector128<float>.Zero), up, down)) + _carry;
        var next = _light + step;
        _carry = step - (next - _light);
        var arrived = Vector128.LessThan(Vector128.Abs(away), Vector128.Create(Arrived));
        _light = Vector128.ConditionalSelect(arrived, target, next);
        _carry = Vector128.AndNot(_carry, arrived);
    }

    /// <summary>Ohms for a light of 0..1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Resistance(Vector128<float> light)
    {
        var amperes = Vector128.Create(LeastAmperes) + (light * Vector128.Create(MostAmperes - LeastAmperes));
        var power = (FastMath.Log2(amperes) * Vector128.Create(Exponent)) + Vector128.Create(LogScale);
        return Vector128.Create(Ohms) + FastMath.Exp2(power);
    }
}
