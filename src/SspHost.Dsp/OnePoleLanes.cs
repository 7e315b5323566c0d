// The one-pole low-pass of four voices at once: for tone controls, and what it leaves over keeps DC out.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>The filter of <see cref="OnePole"/>, one lane a voice.</summary>
public struct OnePoleLanes
{
    private Vector128<float> _state;

    /// <summary>One frame; <paramref name="coefficient"/> as of <see cref="OnePole.Coefficient"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> LowPass(Vector128<float> x, Vector128<float> coefficient)
    {
        var v = (x - _state) * coefficient;
        var y = v + _state;
        _state = y + v;
        return y;
    }

    /// <summary>Stored magnitude, by voice.</summary>
    public readonly Vector128<float> Peak() => Vector128.Abs(_state);

    /// <summary>Forgets the voices whose mask is set.</summary>
    public void Clear(Vector128<float> mask) => _state = Vector128.AndNot(_state, mask);
}
