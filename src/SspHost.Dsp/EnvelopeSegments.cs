// Attack, decay, sustain, release of one voice, exact to the sample.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>How fast the segments are in the frames at hand.</summary>
public readonly struct EnvelopeShape(double attackStep, double decayStep, double releaseStep)
{
    /// <summary>Progress per frame: 1 / (seconds * rate).</summary>
    public readonly double AttackStep = attackStep, DecayStep = decayStep, ReleaseStep = releaseStep;
}

/// <summary>
/// A level 0..1. A segment lasts exactly its time, whatever level it starts from, and starts from the level there is: no clicks.
/// An attack of N frames that starts at frame g reads 0 at g and 1 at g + N. Zeroed memory is at rest.
/// </summary>
public struct EnvelopeSegments
{
    // Steps of 1/N added N times miss 1 by rounding only; this is far below one step of the longest segment.
    private const double Arrived = 1.0 - 1e-9;

    private double _progress;
    private float _from;
    private Stage _stage;

    private enum Stage
    {
        Rest = 0,
        Attack = 1,
        Decay = 2,
        Sustain = 3,
        Release = 4,
    }

    /// <summary>Level at the frame last rendered.</summary>
    public float Level { get; private set; }

    /// <summary>Whether it is at rest, at exactly 0.</summary>
    public readonly bool AtRest => _stage == Stage.Rest;

    /// <summary>The gate went up, or a retrigger came.</summary>
    public void Attack()
    {
        _stage = Stage.Attack;
        _from = Level;
        _progress = 0.0;
    }

    /// <summary>The gate went down.</summary>
    public void Release()
    {
        if (_stage == Stage.Rest) return;
        _stage = Stage.Release;
        _from = Level;
        _progress = 0.0;
    }

    /// <summary>Level of this frame; <paramref name="ended"/> at the frame in which a release arrives at 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Next(in EnvelopeShape shape, in Curve curve, float sustain, out bool ended)
    {
        ended = false;
        switch (_stage)
        {
            case Stage.Attack:
                if (_progress >= Arrived)
                {
                    _stage = Stage.Decay;
                    _progress = shape.DecayStep;
                    return Level = 1f;
                }

                Level = _from + ((1f - _from) * curve.At((float)_progress));
                _progress += shape.AttackStep;
                return Level;
            case Stage.Decay:
                if (_progress >= Arrived)
                {
                    _stage = Stage.Sustain;
                    return Level = sustain;
                }

                Level = 1f + ((sustain - 1f) * curve.At((float)_progress));
                _progress += shape.DecayStep;
                return Level;
            case Stage.Sustain:
                return Level = sustain;
            case Stage.Release:
                if (_progress >= Arrived)
                {
                    _stage = Stage.Rest;
                    ended = true;
                    return Level = 0f;
                }

                Level = _from * (1f - curve.At((float)_progress));
                _progress += shape.ReleaseStep;
                return Level;
            default:
                return Level = 0f;
        }
    }
}
