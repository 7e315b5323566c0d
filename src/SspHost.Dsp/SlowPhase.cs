// The phase of a slow movement that goes on while its module sleeps.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>
/// A phase in whole numbers of 2^-64 turns a segment: so many segments at once arrive at the same bits as one after the other. That is how
/// a module that slept catches up. The rate is exact to 1e-12 Hz.
/// </summary>
public struct SlowPhase
{
    private ulong _phase, _step;
    private ulong _due;
    private bool _running;

    /// <summary>
    /// Begins a quantum: what was slept through is caught up. Zeroed memory starts at phase 0. True in the first quantum and after a sleep.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Wake(in ProcessContext context)
    {
        var awake = _running && context.Time == _due;
        if (_running && !awake) _phase += _step * ((context.Time - _due) / Limits.Grid);
        _due = context.Time + (ulong)context.Frames;
        _running = true;
        return !awake;
    }

    /// <summary>Moves on by a segment at <paramref name="hertz"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance(float hertz, float sampleRate)
    {
        // 2^64 turns; a rate below half a turn a segment keeps the conversion in range.
        var turns = Math.Min((double)hertz * Limits.Grid / sampleRate, 0.49);
        _step = (ulong)(long)(turns * 9223372036854775808.0) << 1;
        _phase += _step;
    }

    /// <summary>Turns, 0..1, a part of a turn further on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly float Turns(float further = 0f)
    {
        var turns = ((_phase >> 40) * (1f / 16777216f)) + further;
        return turns - MathF.Floor(turns);
    }
}
