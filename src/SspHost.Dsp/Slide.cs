// A sound that is started again before it ended: the old one's last voltage glides to zero under the new one.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>Four voices. Where a voice starts again, what it last played is kept and decays; without it a restart would click.</summary>
public struct Slide
{
    /// <summary>Seconds in which 60 dB of the old voltage are gone.</summary>
    public const float Seconds = 0.007f;

    private Vector128<float> _last, _slide;

    /// <summary>Voices of <paramref name="mask"/> start again in this frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Restart(Vector128<float> mask) => _slide = Vector128.ConditionalSelect(mask, _last, _slide);

    /// <summary>This frame of the new sound and what is left of the old one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Next(Vector128<float> fresh, Vector128<float> loss)
    {
        _slide = Denormal.Flush(_slide - (_slide * loss));
        return _last = fresh + _slide;
    }

    /// <summary>Voices of <paramref name="mask"/> are at rest: there is nothing to glide from.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Forget(Vector128<float> mask) => _last = Vector128.AndNot(_last, mask);

    /// <summary>Where nothing is left of an old sound.</summary>
    public readonly Vector128<float> AtRest => Vector128.Equals(_slide, Vector128<float>.Zero);
}
