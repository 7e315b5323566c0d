// From one voltage to another on a straight line that takes exactly its time: portamento, slides, controllers without steps.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>A value that goes to a target in a whole number of frames. Zeroed memory rests at 0.</summary>
public struct LinearGlide
{
    private double _value, _step;
    private long _left;

    /// <summary>Where it goes.</summary>
    public float Target { get; private set; }

    /// <summary>Whether it has arrived.</summary>
    public readonly bool AtRest => _left == 0;

    /// <summary>Is there at once.</summary>
    public void Jump(float target)
    {
        Target = target;
        _value = target;
        _left = 0;
    }

    /// <summary>
    /// Sets out from where it is, to be there <paramref name="frames"/> frames from the one at hand; 0 jumps.
    /// </summary>
    public void GoTo(float target, long frames)
    {
        if (frames <= 0)
        {
            Jump(target);
            return;
        }

        Target = target;
        _step = (target - _value) / frames;
        _left = frames;
    }

    /// <summary>Value of this frame; then one frame on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Next()
    {
        if (_left == 0) return Target;
        var now = (float)_value;
        _value = --_left == 0 ? Target : _value + _step;
        return now;
    }
}
