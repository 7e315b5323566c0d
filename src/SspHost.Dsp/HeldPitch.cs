// The pitch of a voice that rests on its notes: worked out when it moves, not in every frame.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>What a key or a sequencer sends stands still for thousands of frames, and its power of two with it. All zeros: nothing is known yet.</summary>
public unsafe struct HeldPitch
{
    private float _volts, _tuning, _turns;

    /// <summary>
    /// The turns per frame where all frames have one voltage, to the last bit those that <see cref="ModulatedPitch"/> gives each of them
    /// without modulation. False where the voltage moves or is no number.
    /// </summary>
    /// <param name="pitch">Volts per octave.</param>
    /// <param name="frames">How many; whole segments.</param>
    /// <param name="tuning">Volts added to it: <see cref="ModulatedPitch.Tuning"/>.</param>
    /// <param name="sampleRate">In Hz; the same in every call.</param>
    /// <param name="turns">0..0.5.</param>
    public bool TryTurns(float* pitch, int frames, float tuning, float sampleRate, out float turns)
    {
        var first = Vector128.Create(*pitch);
        var same = Vector128<float>.AllBitsSet;
        for (float* p = pitch, end = pitch + frames; p < end; p += Limits.Grid)
        {
            same &= Vector128.Equals(Vector128.Load(p), first) & Vector128.Equals(Vector128.Load(p + 4), first)
                & Vector128.Equals(Vector128.Load(p + 8), first) & Vector128.Equals(Vector128.Load(p + 12), first);
        }

        if (same.AsInt32() != Vector128<int>.AllBitsSet)
        {
            turns = 0f;
            return false;
        }

        // No pitch is low enough to stand still, so that 0 says that none was worked out.
        if (_turns == 0f || *pitch != _volts || tuning != _tuning)
        {
            (_volts, _tuning) = (*pitch, tuning);
            _turns = ModulatedPitch.Turns(*pitch, tuning, sampleRate);
        }

        turns = _turns;
        return true;
    }
}
