// Where between two samples a sync signal rises through 1 V.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>A Schmitt trigger that tells the time of its edge: along the chord, bent once by the second difference. Zeroed memory is
/// low.</summary>
public struct SyncInput
{
    private SchmittTrigger _trigger;
    private float _last, _slope;

    /// <summary>Part of the way from the sample before to this one, 0..1, at which it rose; -1 where it did not.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float Next(float volts)
    {
        var at = -1f;
        var slope = volts - _last;
        if (_trigger.Rises(volts))
        {
            var bend = slope - _slope;
            var x = slope > 0f ? Within((SchmittTrigger.High - _last) / slope) : 1f;
            if (Math.Abs(bend) < 0.5f * slope) x += 0.5f * bend * x * (1f - x) / slope;
            at = Within(x);
        }

        _last = volts;
        _slope = slope;
        return at;
    }

    private static float Within(float x) => x >= 0f ? Math.Min(x, 1f) : 0f;
}
