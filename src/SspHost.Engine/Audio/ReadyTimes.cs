// Whether a card's timestamps can be believed: each is held against the card's own frame count.
namespace SspHost.Engine.Audio;

/// <summary>
/// A timestamp says when the card had counted so many frames; so does its nominal rate, from the last timestamps that were believed.
/// Where the two differ by more than a card's jitter and drift explain, the timestamp leapt: what the rate says is used instead, or a
/// wake-up would seem seconds late that was not. A leap counts once when it comes; one that stays is a new base from the second timestamp
/// on, one that goes back was that one leap. Timestamps that are missing or stand still count once for as long as they do.
/// </summary>
public struct ReadyTimes
{
    /// <summary>ns by which a timestamp may miss its frame: the hardware pointer of a USB device moves in steps of a millisecond.</summary>
    public const ulong Jitter = 2_000_000;

    // Frames believed are compared with ones this much older, or a clock that stands nearly still would take its base along step by step.
    private const ulong BaseLasts = 100_000_000;

    // 1/256 = 3900 ppm: two crystals at their worst are 1000 apart, and at a change of rate twice that.
    private const int DriftShift = 8;

    private const ulong Second = 1_000_000_000;

    private readonly ulong _rate;
    private ulong _baseFrame, _baseTime, _nextFrame, _nextTime; // two pairs that were believed; the older one is compared with
    private ulong _newestFrame, _newestTime; // and the newest one: what goes on from it is least off
    private ulong _lastRaw, _lastFrame;
    private ulong _offset, _strange; // what leaps have added so far; the deviation of the last timestamp not believed. Modulo 2^64: signed
    private bool _based, _missing, _leapt;

    /// <param name="rate">Nominal frames a second.</param>
    public ReadyTimes(int rate) => _rate = (ulong)rate;

    /// <summary>The card's own time stood still for so long, with its frame count.</summary>
    public void StoodStill(ulong ns) => (_baseTime, _nextTime, _newestTime) = (_baseTime + ns, _nextTime + ns, _newestTime + ns);

    /// <summary>
    /// Judges a wait that brought a timestamp. The time to go by, never beyond <paramref name="now"/>; <paramref name="leap"/> is true if it
    /// is to be counted, by <paramref name="leapNs"/> ns (0: it is missing or stood still).
    /// </summary>
    public ulong Believe(in CardWait wait, ulong now, out bool leap, out long leapNs)
    {
        (leap, leapNs) = (false, 0);
        var (raw, frame) = (wait.ReadyAt, wait.ReadyFrame);
        if (frame == 0 || frame < _newestFrame)
        {
            (_based, _newestFrame) = (false, 0); // the card cannot tell: what comes next is the base
            return Math.Min(raw, now);
        }

        var stands = raw == 0 || (raw == _lastRaw && frame != _lastFrame);
        (_lastRaw, _lastFrame) = (raw, frame);
        var expected = _based ? _newestTime + TimeOf(frame - _newestFrame) : now;
        if (stands)
        {
            leap = !_missing;
            _missing = true;
            return Math.Min(expected, now);
        }

        _missing = false;
        if (!_based)
        {
            (_based, _leapt) = (true, false);
            _offset = raw > now ? raw - now : 0;
            (_baseFrame, _baseTime) = (frame, raw - _offset);
            (_nextFrame, _nextTime) = (_baseFrame, _baseTime);
            return Newest(frame, _baseTime);
        }

        var elapsed = TimeOf(frame - _baseFrame);
        var tolerance = Jitter + (elapsed >> DriftShift);
        var deviation = raw - _offset - _baseTime - elapsed;
        if (_leapt && Magnitude(deviation - _strange) <= Jitter && Magnitude(deviation) > Jitter)
        {
            _offset = raw - expected; // it stays
        }
        else if (Magnitude(deviation) > tolerance)
        {
            (leap, leapNs) = (true, (long)(raw - _offset - expected));
            (_leapt, _strange) = (true, deviation);
            return Math.Min(expected, now);
        }

        _leapt = false;
        var believed = raw - _offset;
        if (TimeOf(frame - _nextFrame) >= BaseLasts)
        {
            (_baseFrame, _baseTime) = (_nextFrame, _nextTime);
            (_nextFrame, _nextTime) = (frame, believed);
        }

        return Math.Min(Newest(frame, believed), now);
    }

    private ulong Newest(ulong frame, ulong time)
    {
        (_newestFrame, _newestTime) = (frame, time);
        return time;
    }

    private readonly ulong TimeOf(ulong frames) => (frames / _rate * Second) + (frames % _rate * Second / _rate);

    private static ulong Magnitude(ulong signed) => (long)signed < 0 ? 0 - signed : signed;
}
