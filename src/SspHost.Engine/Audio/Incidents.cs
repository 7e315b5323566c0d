// Late and lost: two counters, and for each incident one number, one cause, one notice.
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Audio;

/// <summary>The module that took longest in a quantum.</summary>
public struct Culprit
{
    /// <summary>Its slot; -1: nobody knows.</summary>
    public int Slot;

    /// <summary>Its key; see <see cref="PlanNode.Key"/>.</summary>
    public ulong Key;

    /// <summary>ns it took.</summary>
    public ulong Nanoseconds;

    /// <summary>Nobody, or nobody knows.</summary>
    public static Culprit None => new() { Slot = -1 };
}

/// <summary>
/// Judges what went wrong from two debts in ns: how late the thread was woken when it had last caught up, and how far slow rendering has
/// put it behind since. Quanta faster than they last pay back, first the older debt; a sleep clears both. A slow quantum that loses frames
/// is one incident, a dropout; one that a buffer absorbs is one incident, late. An absent card is one incident, from when it is missed until
/// it runs again, whatever is late meanwhile. Late and clock notices are limited to ten a second each; the counters and the incident numbers
/// are exact.
/// </summary>
public unsafe struct Incidents
{
    /// <summary>ns between two Late notices, and between two of ClockJump, at least.</summary>
    public const ulong NoticeInterval = 100_000_000;

    private readonly ulong* _lastIncident;
    private readonly SpscRing<Notice> _notices;
    private readonly ulong _quantumNs;
    private ulong _behind, _wakeLate, _took, _slack;
    private ulong _nextLateNotice, _nextClockNotice;
    private ulong _awayIncident, _awayFrame, _awayLost;
    private readonly Tape* _tape;
    private int _otherRate;
    private uint _faults, _preemptions;

    /// <summary>Counters of this run, added to those of earlier runs.</summary>
    public ulong Late, Dropouts, LostFrames, ClockJumps;

    /// <param name="notices">Ring to the control process; the audio thread is its only producer.</param>
    /// <param name="lastIncident">Number of the last incident, shared with the renderer; the audio thread owns it.</param>
    /// <param name="quantumNs">ns of a quantum.</param>
    /// <param name="tape">Where late quanta and dropouts are marked; null: nowhere.</param>
    public Incidents(SpscRing<Notice> notices, ulong* lastIncident, ulong quantumNs, Tape* tape = null)
    {
        _tape = tape;
        _notices = notices;
        _lastIncident = lastIncident;
        _quantumNs = quantumNs;
        _slack = ulong.MaxValue;
    }

    /// <summary>Whether the card is away.</summary>
    public bool IsAway { get; private set; }

    /// <summary>
    /// The thread runs, this many ns after the card had a quantum and it had nothing else to do. <paramref name="slept"/>: it had caught up
    /// before. <paramref name="slackNs"/>: what buffers could absorb when the card had that quantum; MaxValue: unknown.
    /// </summary>
    public void Woken(ulong lateNs, bool slept, ulong slackNs)
    {
        if (slept) (_behind, _wakeLate, _slack) = (0, 0, slackNs);
        _wakeLate += lateNs; // not slept: its core was taken from it between two quanta
        _took = 0;
    }

    /// <summary>
    /// A quantum took this long. True if that was too long: then either it is <see cref="Absorbed"/> or frames are <see cref="Lost"/>.
    /// </summary>
    public bool Rendered(ulong tookNs)
    {
        _took = Math.Min(tookNs, _quantumNs);
        if (tookNs > _quantumNs) _behind += tookNs - _quantumNs;
        return tookNs > _quantumNs;
    }

    /// <summary>That quantum was in time: what it left of its own time pays back.</summary>
    public void Played()
    {
        var paid = _quantumNs - _took;
        var older = Math.Min(paid, _wakeLate);
        _wakeLate -= older;
        _behind -= Math.Min(paid - older, _behind);
        _took = 0;
    }

    /// <summary>A late quantum was absorbed: nothing was lost. True if it is to be told, by <see cref="TellLate"/>.</summary>
    public bool Absorbed(ulong now)
    {
        Late++;
        ++*_lastIncident;
        Mark(TraceKind.Late, -1);
        return IsDue(ref _nextLateNotice, now);
    }

    /// <summary>What the kernel did to the thread meanwhile: goes with the next Late or Dropout, and with that only.</summary>
    public void Suffered(uint faults, uint preemptions) => (_faults, _preemptions) = (faults, preemptions);

    /// <summary>Tells of the late quantum just counted.</summary>
    public void TellLate(ulong tookNs, ulong frame, ulong now, in Culprit culprit) => Push(new Notice
    {
        Kind = NoticeKind.Late,
        Incident = *_lastIncident,
        Frame = frame,
        Time = now,
        A = (long)tookNs,
        B = (long)_quantumNs,
    }, culprit);

    /// <summary>The card is not there: frame <paramref name="frame"/> is the first that goes nowhere. Again is harmless.</summary>
    public void Gone(ulong frame, ulong now, int error)
    {
        if (IsAway) return;
        IsAway = true;
        Dropouts++;
        (_awayIncident, _awayFrame, _awayLost, _otherRate) = (++*_lastIncident, frame, 0, 0);
        Mark(TraceKind.Dropout, -1);
        Push(new Notice { Kind = NoticeKind.DeviceAway, Incident = _awayIncident, Frame = frame, Time = now, A = error }, Culprit.None);
    }

    /// <summary>The absent card is there at another rate than the one that was played at; told once. 0: it is not.</summary>
    public void FoundAt(int rate, int before, ulong frame, ulong now)
    {
        if (rate == 0 || rate == _otherRate) return;
        _otherRate = rate;
        Push(new Notice { Kind = NoticeKind.DeviceRate, Incident = _awayIncident, Frame = frame, Time = now, A = rate, B = before }, Culprit.None);
    }

    /// <summary>Frames that went nowhere because the card is away.</summary>
    public void Unheard(ulong frames)
    {
        LostFrames += frames;
        _awayLost += frames;
    }

    /// <summary>The card runs again. False if it was not away.</summary>
    public bool Back(ulong now)
    {
        if (!IsAway) return false;
        IsAway = false;
        (_behind, _wakeLate) = (0, 0);
        Push(new Notice
        {
            Kind = NoticeKind.Dropout,
            Incident = _awayIncident,
            Frame = _awayFrame,
            Time = now,
            A = (long)_awayLost,
            B = (long)DropoutCause.Unplugged,
        }, Culprit.None);
        return true;
    }

    /// <summary>
    /// What caused the frames that are being lost. <paramref name="early"/>: the card stopped with frames in hand.
    /// </summary>
    public readonly DropoutCause CauseOf(bool early)
    {
        // A quarter of a quantum explains no loss, unless the buffer has no more than that to spare: then it was the device.
        var late = _behind + _wakeLate;
        return early || (late < _quantumNs / 4 && late + _took <= _slack) ? DropoutCause.Device
            : _behind >= _wakeLate ? DropoutCause.SlowRender
            : DropoutCause.LateWakeUp;
    }

    /// <summary>Frames were lost, skipped from <paramref name="frame"/> on or before it and never played.</summary>
    public void Lost(long frames, DropoutCause cause, ulong frame, ulong now, in Culprit culprit)
    {
        if (IsAway)
        {
            Unheard((ulong)frames);
            Suffered(0, 0);
            return;
        }

        Dropouts++;
        LostFrames += (ulong)frames;
        ++*_lastIncident;
        Mark(TraceKind.Dropout, (int)Math.Min(frames, int.MaxValue));
        Push(new Notice { Kind = NoticeKind.Dropout, Incident = *_lastIncident, Frame = frame, Time = now, A = frames, B = (long)cause }, culprit);
        (_behind, _wakeLate) = (0, 0);
    }

    /// <summary>Capture was moved by so many frames to stay with playback, whose clock is another one.</summary>
    public void Slipped(int frames, ulong frame, ulong now)
    {
        Dropouts++;
        LostFrames += (ulong)frames;
        ++*_lastIncident;
        Mark(TraceKind.Dropout, frames);
        Push(new Notice { Kind = NoticeKind.Dropout, Incident = *_lastIncident, Frame = frame, Time = now, A = frames, B = (long)DropoutCause.Drift }, Culprit.None);
    }

    /// <summary>The card's timestamps leapt by so many ns; 0: they stopped.</summary>
    public void ClockLeapt(long ns, ulong frame, ulong now)
    {
        ClockJumps++;
        ++*_lastIncident;
        if (IsDue(ref _nextClockNotice, now))
            Push(new Notice { Kind = NoticeKind.ClockJump, Incident = *_lastIncident, Frame = frame, Time = now, A = ns }, Culprit.None);
    }

    /// <summary>The card ended by itself, after so many frames: no incident.</summary>
    public void DeviceEnded(ulong frame, ulong now, ulong frames) =>
        Push(new Notice { Kind = NoticeKind.DeviceEnded, Frame = frame, Time = now, A = (long)frames }, Culprit.None);

    /// <summary>The card failed.</summary>
    public void DeviceLost(ulong frame, ulong now, int error) =>
        Push(new Notice { Kind = NoticeKind.DeviceLost, Incident = ++*_lastIncident, Frame = frame, Time = now, A = error }, Culprit.None);

    private static bool IsDue(ref ulong next, ulong now)
    {
        if (now < next) return false;
        next = now + NoticeInterval;
        return true;
    }

    private readonly void Mark(TraceKind kind, int slot)
    {
        if (_tape != null) _tape->Mark(kind, (uint)*_lastIncident, slot);
    }

    private void Push(Notice notice, in Culprit culprit)
    {
        if (notice.Kind is NoticeKind.Late or NoticeKind.Dropout)
        {
            (notice.Faults, notice.Preemptions) = (_faults, _preemptions);
            (_faults, _preemptions) = (0, 0);
        }

        (notice.Slot, notice.Key, notice.C) = (culprit.Slot, culprit.Key, (long)culprit.Nanoseconds);
        _notices.TryPush(notice);
    }
}
