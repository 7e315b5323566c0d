// The pitch of a voice that rests on its notes: worked out when it moves, not in every frame.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>What a key or a sequencer sends stands still for thousands of frames, and its power of two with it. All zeros: nothing is known yet.</summary>
public unsafe struct HeldPitch
{
    private float _volts, _note, _fine, _turns;

    /// <summary>
    /// The turns per frame of a segment of sixteen frames of one voltage, to the last bit those that <see cref="ModulatedPitch"/> gives each of them
    /// without modulation. False where the voltage moves or is no number.
    /// </summary>
    /// <param name="pitch">Volts per octave, sixteen frames.</param>
    /// <param name="note">Volts added to it.</param>
    /// <param name="fine">Cents added to it.</param>
    /// <param name="sampleRate">In Hz; the same in every call.</param>
    /// <param name="turns">0..0.5.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTurns(float* pitch, float note, float fine, float sampleRate, out float turns)
    {
        var first = Vector128.Create(*pitch);
        var same = Vector128.Equals(Vector128.Load(pitch), first) & Vector128.Equals(Vector128.Load(pitch + 4), first)
            & Vector128.Equals(Vector128.Load(pitch + 8), first) & Vector128.Equals(Vector128.Load(pitch + 12), first);
        if (same.AsInt32() != Vector128<int>.AllBitsSet)
        {
            turns = 0f;
            return false;
        }

        // No pitch is low enough to stand still, so that 0 says that none was worked out.
        if (_turns == 0f || *pitch != _volts || note != _note || fine != _fine)
        {
            (_volts, _note, _fine) = (*pitch, note, fine);
            _turns = ModulatedPitch.Turns(*pitch, note, fine, sampleRate);
        }

        turns = _turns;
        return true;
    }
}
