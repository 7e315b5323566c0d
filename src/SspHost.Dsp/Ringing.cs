// A struck resonance of four voices: a phasor that turns and shrinks, in tune and without a click however its pitch moves.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// The coupled form (Mathews and Smith, Methods for Synthesizing Very High Q Parametrically Well Behaved Two Pole Filters, SMAC 2003):
/// each frame rotates (re, im) by the frequency and takes the loss of its decay away. A sweep of the frequency changes no level.
/// </summary>
public struct Ringing
{
    private Vector128<float> _re, _im;

    /// <summary>Starts the voices of <paramref name="mask"/> anew at phase 0 with <paramref name="level"/>; the others ring on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Strike(Vector128<float> mask, Vector128<float> level)
    {
        _re = Vector128.ConditionalSelect(mask, level, _re);
        _im = Vector128.AndNot(_im, mask);
    }

    /// <summary>The next frame, level * sin(phase).</summary>
    /// <param name="cos">Of the angle of a frame.</param>
    /// <param name="sin">Of the angle of a frame.</param>
    /// <param name="loss">See <see cref="Decay"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Next(Vector128<float> cos, Vector128<float> sin, Vector128<float> loss)
    {
        var re = (_re * cos) - (_im * sin);
        var im = (_re * sin) + (_im * cos);
        _re = re - (re * loss);
        return _im = im - (im * loss);
    }

    /// <summary>Sets voices to exact rest that nobody can hear any more. Set where a voice is at rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Settle()
    {
        var peak = Vector128.MaxNative(Vector128.Abs(_re), Vector128.Abs(_im));
        var rest = Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        _re = Vector128.AndNot(_re, rest);
        _im = Vector128.AndNot(_im, rest);
        return rest;
    }
}
