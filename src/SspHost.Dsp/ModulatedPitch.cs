// The increments of an oscillator that is played in volts per octave and modulated in frequency, frame by frame.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>
/// Exponential modulation adds octaves, linear modulation adds multiples of the frequency (5 V: the amount times itself), through zero.
/// </summary>
public static unsafe class ModulatedPitch
{
    /// <summary>Fills in the turns per frame, -0.5..0.5, of sixteen frames; what is no number stands still.</summary>
    /// <param name="turns">To be filled.</param>
    /// <param name="pitch">Volts per octave.</param>
    /// <param name="fm">The modulation in volts.</param>
    /// <param name="note">Volts added to the pitch.</param>
    /// <param name="fine">Cents added to it.</param>
    /// <param name="amount">Exponential: octaves per volt. Linear: multiples of the frequency per 5 V.</param>
    /// <param name="linear">Which.</param>
    /// <param name="sampleRate">In Hz.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Turns(
        float* turns, float* pitch, float* fm, in GridRamp note, in GridRamp fine, in GridRamp amount, bool linear, float sampleRate)
    {
        var perFrame = Vector128.Create(1f / sampleRate);
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var volts = Vector128.Load(pitch + i) + note.Four(i) + (fine.Four(i) * Vector128.Create(1f / 1200f));
            var moved = Vector128.Load(fm + i) * amount.Four(i);
            if (!linear) volts += moved;
            volts = Vector128.MinNative(Vector128.MaxNative(volts, Vector128.Create(SegmentPitch.Lowest)), Vector128.Create(SegmentPitch.Highest));
            var step = Pitch.ToHertz(volts) * perFrame;
            if (linear) step *= Vector128<float>.One + (moved * Vector128.Create(0.2f));
            step = Vector128.MinNative(Vector128.MaxNative(step, Vector128.Create(-0.5f)), Vector128.Create(0.5f));
            (step & Vector128.Equals(step, step)).Store(turns + i);
        }
    }
}
