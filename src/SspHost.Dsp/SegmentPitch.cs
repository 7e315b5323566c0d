// The pitch of a segment as one number: for oscillators whose partials are too many to follow each frame.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>
/// Turns of phase over sixteen frames, as a mean increment: the phase arrives at each grid point exactly where it would have, and in
/// between strays by less than 1/8 of what the increment changed by over the segment times sixteen - for vibrato far below hearing.
/// </summary>
public static unsafe class SegmentPitch
{
    /// <summary>Lowest and highest pitch that is played, in volts: 0.0002 Hz and beyond half of any rate.</summary>
    public const float Lowest = -20f, Highest = 10f;

    /// <summary>Turns per frame, within 0..0.5 whatever the pitch: what is no number adds nothing or silences the segment.</summary>
    /// <param name="pitch">Volts of sixteen frames.</param>
    /// <param name="note">Volts added to them.</param>
    /// <param name="fine">Cents added to them.</param>
    /// <param name="perFrame">1 / rate in Hz.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Turns(float* pitch, in GridRamp note, in GridRamp fine, float perFrame)
    {
        var sum = Vector128<float>.Zero;
        for (var i = 0; i < Limits.Grid; i += 4) sum += Four(pitch, in note, in fine, i);
        var turns = Vector128.Sum(sum) * (perFrame / Limits.Grid);
        return turns >= 0f ? Math.Min(turns, 0.5f) : 0f;
    }

    /// <summary>Turns per frame of frames i..i+3, times <c>1 / perFrame</c>: Hz.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Four(float* pitch, in GridRamp note, in GridRamp fine, int i)
    {
        var volts = Vector128.Load(pitch + i) + note.Four(i) + (fine.Four(i) * Vector128.Create(1f / 1200f));
        return Pitch.ToHertz(Vector128.MinNative(Vector128.MaxNative(volts, Vector128.Create(Lowest)), Vector128.Create(Highest)));
    }
}
