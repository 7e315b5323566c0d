// A voltage that may only move so fast: straight, or the slower the nearer it is.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>
/// The way left shrinks by d(d)/dt = -k (d + e), e such that a step of 10 V takes exactly its time and follows the envelope
/// <see cref="Curve"/> of the same bend (see there: 1 - f(p) decays towards a level a little below 0, so that it arrives). A bend of 0 is
/// 10 V a time, of any step; of 1 an approach of eight octaves. The recursion (d + e) q is that law's exact solution from frame to frame.
/// </summary>
public readonly struct SlewShape
{
    /// <summary>Size of step that the times are said for.</summary>
    public const double Volts = 10.0;

    private readonly double _past, _factor, _step;

    /// <param name="bend">0 straight .. 1 most bent.</param>
    /// <param name="frames">Frames a step of 10 V takes, at least 1.</param>
    public SlewShape(float bend, double frames)
    {
        frames = Math.Max(frames, 1.0);
        if (bend < 1e-3f)
        {
            _step = Volts / frames;
            _factor = 1.0;
            return;
        }

        var octaves = 8.0 * Math.Min(bend, 1f);
        var end = Power.Exp2(-octaves);
        _past = Volts * end / (1.0 - end);
        _factor = Power.Exp2(-octaves / frames);
    }

    /// <summary>What is left of a way of <paramref name="way"/> volts (0 or more) one frame later.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Left(double way)
    {
        var left = ((way + _past) * _factor) - _past - _step;

        // Rounding after millions of frames stays below this; it is 200 dB below 10 V.
        return left > 1e-9 ? left : 0.0;
    }
}

/// <summary>One voltage under a limit. Zeroed memory rests at 0 V.</summary>
public struct SlewLimiter
{
    private double _at;

    /// <summary>-1, 0 or 1: whether it fell, stood or rose in the frame last rendered.</summary>
    public int Direction { get; private set; }

    /// <summary>Where it is.</summary>
    public readonly float Value => (float)_at;

    /// <summary>Is at <paramref name="volts"/> at once.</summary>
    public void Jump(float volts) => _at = volts;

    /// <summary>One frame towards <paramref name="target"/>; a way of N frames that begins at frame g ends at g + N - 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Next(float target, in SlewShape rise, in SlewShape fall)
    {
        var way = target - _at;
        Direction = 0;
        if (way > 0.0)
        {
            Direction = 1;
            _at = target - rise.Left(way);
        }
        else if (way < 0.0)
        {
            Direction = -1;
            _at = target + fall.Left(-way);
        }

        return (float)_at;
    }
}
