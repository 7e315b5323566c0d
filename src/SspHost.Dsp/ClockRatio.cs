// Ticks at a whole-number ratio to an outside clock: every one at the frame arithmetic says, locked to each of its rises.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>
/// With rises P frames apart and a ratio of M to D, tick j comes at the first frame not before j P D / M of the clock's own time: frame
/// s after rise k is the place (k P + s) M of ticks P D apart, in whole numbers, k counted modulo 2 D (two, because swing pairs ticks).
/// The place waits for a late rise and goes on from an early one, so nothing can drift. Until two rises have come, only ticks that fall on a
/// rise are given. Zeroed memory waits for the first rise.
/// </summary>
public struct ClockRatio
{
    private long _rise, _pairs, _place, _pair, _second;
    private double _swing;
    private int _m, _d;
    private bool _started, _later, _timed;

    /// <summary>The next rise counts as the first.</summary>
    public void Rewind() => _started = false;

    /// <summary>Takes one frame, after <paramref name="clock"/> has; true in the frame of a tick.</summary>
    /// <param name="m">Ticks for <paramref name="d"/> rises, 1..64.</param>
    /// <param name="d">1..64.</param>
    /// <param name="swing">Part of a pair of ticks at which the second one comes, 0.5..0.75.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Next(in ClockFollower clock, bool rises, int m, int d, double swing)
    {
        if (rises) return Rise(in clock, m, d, swing);
        if (!_started) return false;
        if (m != _m || d != _d || swing != _swing)
        {
            // Another ratio finds its place at once, and ticks at its next time.
            (_m, _d, _swing) = (m, d, swing);
            Locate(in clock);
        }

        if (clock.Since > clock.Period) return false;
        var was = _later;
        _place += clock.Since < clock.Period ? m : m - 1;
        if (_place >= _pair)
        {
            _place -= _pair;
            _pairs++;
            _later = _place >= _second;
            return true;
        }

        _later = _place >= _second;
        return _later && !was;
    }

    /// <summary>Whether the frame lies in the first <paramref name="width"/> of its tick's time. Without a tempo: no.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool IsWithin(in ClockFollower clock, float width)
    {
        if (!_started || clock.Period == 0) return false;
        return _later ? _place - _second < (long)((_pair - _second) * (double)width) : _place < (long)(_second * (double)width);
    }

    private bool Rise(in ClockFollower clock, int m, int d, double swing)
    {
        var first = !_started || _rise + 1 >= 2L * d;
        _rise = first ? 0 : _rise + 1;
        _started = true;
        (_m, _d, _swing) = (m, d, swing);
        var (pairs, later) = (_pairs, _later);
        Locate(in clock);
        if (!_timed && clock.Period > 0)
        {
            // The first known tempo: ticks that would have been before this rise are not made up for.
            _timed = true;
            return first || _place == 0 || _place == _second;
        }

        return first || pairs != _pairs || later != _later;
    }

    // The place of rise k itself; frames after it are counted from there. Without a tempo a period is one unit long.
    private void Locate(in ClockFollower clock)
    {
        var period = Math.Max(clock.Period, 1);
        _pair = 2L * _d * period;
        _second = _swing == 0.5 ? _d * period : (long)Math.Ceiling(_pair * _swing);
        _place = _rise * period * _m;
        if (clock.Period > 0 && clock.Since > 0) _place += (Math.Min(clock.Since, period + 1) - 1) * _m;
        _pairs = 0;
        while (_place >= _pair)
        {
            _place -= _pair;
            _pairs++;
        }

        _later = _place >= _second;
    }
}
