// A phase that keeps to an outside clock without jumps: it is at its place at each rise, and walks straight between two.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>
/// Turns of a cycle that lasts D / M clock periods. At rise k the place is k M / D; from each rise on the speed is what brings the phase
/// from where it is to its place at the next one, if that comes a period later. So a steady clock is followed exactly, one that changes its
/// tempo within one period, and no wave jumps. Zeroed memory is at 0.
/// </summary>
public struct PhaseLock
{
    // Rounding of a period's worth of steps stays far below this.
    private const double Rounding = 1e-9;

    private long _rise;
    private double _speed;
    private bool _started;

    /// <summary>0..1.</summary>
    public double Turns { get; private set; }

    /// <summary>
    /// Starts the cycle again in this frame: at 0 now, and on at the speed there is. A rise in this frame is the first of the cycle's
    /// ticks, else the last one was.
    /// </summary>
    public void Restart(in ClockFollower clock, bool rises, int m, int d)
    {
        _started &= !rises;
        _rise = 0;
        Turns = 0.0;
        if (rises) Next(in clock, rises, m, d);
    }

    /// <summary>Takes one frame, after <paramref name="clock"/> has: moves to this frame's phase.</summary>
    /// <param name="m">Cycles in <paramref name="d"/> clock periods.</param>
    /// <param name="d">1 or more.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next(in ClockFollower clock, bool rises, int m, int d)
    {
        var turns = Turns + _speed;
        if (rises) turns = Lock(turns, in clock, m, d);
        turns -= Math.Floor(turns + Rounding);
        Turns = Math.Max(turns, 0.0);
    }

    private double Lock(double turns, in ClockFollower clock, int m, int d)
    {
        _rise = _started && _rise + 1 < d ? _rise + 1 : 0;
        if (!_started) turns = 0.0;
        _started = true;
        if (clock.Period == 0) return turns;

        // The shortest way to where the phase should be, half a turn at most.
        var ratio = (double)m / d;
        var away = (_rise * ratio) - turns;
        away -= Math.Floor(away + 0.5);
        if (Math.Abs(away) < Rounding)
        {
            turns += away;
            away = 0.0;
        }

        _speed = Math.Max((ratio + away) / clock.Period, 0.0);
        return turns;
    }
}
