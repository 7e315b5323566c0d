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
        var (least, most) = (Vector128.Create(SegmentPitch.Lowest), Vector128.Create(SegmentPitch.Highest));
        var half = Vector128.Create(0.5f);
        var tuning = note.Four(0) + (fine.Four(0) * Vector128.Create(1f / 1200f));
        var tuningStep = Vector128.Create(4f * (note.Step + (fine.Step * (1f / 1200f))));
        var depth = amount.Four(0);
        var depthStep = Vector128.Create(4f * amount.Step);
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var volts = Vector128.Load(pitch + i) + tuning;
            var moved = Vector128.Load(fm + i) * depth;
            if (!linear) volts += moved;
            var step = Pitch.ToHertz(Lanes.Within(volts, least, most)) * perFrame;
            if (linear) step = Vector128.MultiplyAddEstimate(step, moved * Vector128.Create(0.2f), step);
            step = Lanes.Within(step, -half, half);
            (step & Vector128.Equals(step, step)).Store(turns + i);
            tuning += tuningStep;
            depth += depthStep;
        }
    }

    /// <summary>Volts that <paramref name="note"/> volts and <paramref name="fine"/> cents add to a pitch.</summary>
    public static float Tuning(float note, float fine) => note + (fine * (1f / 1200f));

    /// <summary>The same where nothing moves: turns per frame at <paramref name="pitch"/> and <paramref name="tuning"/> volts.</summary>
    public static float Turns(float pitch, float tuning, float sampleRate)
    {
        var volts = Vector128.Create(pitch + tuning);
        var step = Pitch.ToHertz(Lanes.Within(volts, Vector128.Create(SegmentPitch.Lowest), Vector128.Create(SegmentPitch.Highest)));
        return Math.Min((step * Vector128.Create(1f / sampleRate)).ToScalar(), 0.5f);
    }
}
