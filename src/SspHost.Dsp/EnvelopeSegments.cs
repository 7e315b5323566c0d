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
    private float _from, _top;
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

    /// <summary>Whether the decay is over and the level held.</summary>
    public readonly bool Sustains => _stage == Stage.Sustain;

    /// <summary>The gate went up, or a retrigger came: rises to <paramref name="top"/>, of which sustain is a part.</summary>
    /// <param name="top">0..1.</param>
    /// <param name="progress">0, or one step where it begins in a frame that was rendered already.</param>
    public void Attack(float top = 1f, double progress = 0.0)
    {
        _stage = Stage.Attack;
        _top = top;
        _from = Level;
        _progress = progress;
    }

    /// <summary>The gate went down.</summary>
    /// <param name="progress">As for the attack.</param>
    public void Release(double progress = 0.0)
    {
        if (_stage == Stage.Rest) return;
        _stage = Stage.Release;
        _from = Level;
        _progress = progress;
    }

    /// <summary>Level of this frame; <paramref name="ended"/> at the frame in which a release arrives at 0.</summary>
    /// <param name="attack">Bend of the attack.</param>
    /// <param name="curve">Bend of decay and release.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Next(in EnvelopeShape shape, in Curve attack, in Curve curve, float sustain, out bool ended)
    {
        ended = false;
        sustain *= _top;
        switch (_stage)
        {
            case Stage.Attack:
                if (_progress >= Arrived)
                {
                    _stage = Stage.Decay;
                    _progress = shape.DecayStep;
                    return Level = _top;
                }

                Level = _from + ((_top - _from) * attack.At((float)_progress));
                _progress += shape.AttackStep;
                return Level;
            case Stage.Decay:
                if (_progress >= Arrived)
                {
                    _stage = Stage.Sustain;
                    return Level = sustain;
                }

                Level = _top + ((sustain - _top) * curve.At((float)_progress));
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
