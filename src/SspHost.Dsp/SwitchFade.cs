// A switch that is thrown in silence: what it changes fades out, is changed, and fades in again.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>The gain around a change between two sounds that have no way between them. Zeroed memory takes the first choice at once.</summary>
public struct SwitchFade
{
    private const float Seconds = 0.005f;

    private float _gain;
    private bool _running;

    /// <summary>The choice in force.</summary>
    public int Choice { get; private set; }

    /// <summary>Whether the choice in force is the one wanted, at full gain.</summary>
    public readonly bool Settled => _running && _gain == 1f;

    /// <summary>One segment: the gain's ramp through it; the choice changes where the gain is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GridRamp Next(int wanted, float sampleRate)
    {
        if (!_running)
        {
            (_running, _gain, Choice) = (true, 1f, wanted);
            return new GridRamp(1f, 1f);
        }

        if (wanted != Choice && _gain == 0f) Choice = wanted;
        if (wanted == Choice && _gain == 1f) return new GridRamp(1f, 1f);
        var before = _gain;
        var step = Limits.Grid / (Seconds * sampleRate);
        _gain = wanted == Choice ? Math.Min(_gain + step, 1f) : Math.Max(_gain - step, 0f);
        return new GridRamp(before, _gain);
    }
}
