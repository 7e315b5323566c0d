// How a delay follows its knob: soon, and never so fast that more is heard than a bend of the pitch, as of a tape.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>Exponential, 50 ms, by at most 0.4 frames a frame: the pitch bends by 40 % at most. Arrives exactly.</summary>
public readonly struct TapeGlide
{
    private const float Seconds = 0.05f;
    private const double Most = 0.4 * Limits.Grid;

    private readonly double _part;

    /// <summary>At this rate in Hz.</summary>
    public TapeGlide(float sampleRate) => _part = -FastMath.Exp2Minus1(-1.442695f * Limits.Grid / (Seconds * sampleRate));

    /// <summary>A delay in frames, one segment later.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Towards(double from, double to)
    {
        var next = from + Math.Max(-Most, Math.Min((to - from) * _part, Most));
        return Math.Abs(to - next) < 1e-2 ? to : next;
    }
}
