// Late and lost: two counters, and for each incident one number, one cause, one notice.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// Judges what went wrong from two debts in ns: how far rendering is behind (a queue: slow quanta add, fast ones pay back, a sleep
/// clears it) and how late
/// the last wake-up was. A slow quantum that loses frames is one incident, a dropout; one that a buffer absorbs is one incident, late.
/// Late notices
/// are limited to ten a second; the counters and the incident numbers are exact.
/// </summary>
public unsafe struct Incidents
{
    /// <summary>ns between two Late notices at least.</summary>
    public const ulong LateNoticeInterval = 100_000_000;

    private readonly ulong* _lastIncident;
    private readonly SpscRing<Notice> _notices;
    private readonly ulong _quantumNs;
    private ulong _behind, _wakeLate;
    private ulong _nextLateNotice;

    /// <summary>Counters of this run, added to those of earlier runs.</summary>
    public ulong Late, Dropouts, LostFrames;

    /// <param name="notices">Ring to the control process; the audio thread is its only producer.</param>
    /// <param name="lastIncident">Number of the last incident, shared with the renderer; the audio thread owns it.</param>
    /// <param name="quantumNs">ns of a quantum.</param>
    public Incidents(SpscRing<Notice> notices, ulong* lastIncident, ulong quantumNs)
    {
        _notices = notices;
        _lastIncident = lastIncident;
        _quantumNs = quantumNs;
    }

    /// <summary>
    /// The thread was woken this many ns after the card had a quantum; <paramref name="slept"/>: it had caught up before.
    /// </summary>
    public void Woken(ulong lateNs, bool slept)
    {
        if (slept) _behind = 0;
        _wakeLate = lateNs;
    }

    /// <summary>
    /// A quantum took this long. True if that was too long: then either it is <see cref="Absorbed"/> or frames are <see cref="Lost"/>.
    /// </summary>
    public bool Rendered(ulong tookNs)
    {
        var owed = _behind + tookNs;
        _behind = owed > _quantumNs ? owed - _quantumNs : 0;
        return tookNs > _quantumNs;
    }

    /// <summary>A late quantum was absorbed: nothing was lost.</summary>
    public void Absorbed(ulong tookNs, ulong frame, ulong now)
    {
        Late++;
        ++*_lastIncident;
        if (now < _nextLateNotice) return;
        _nextLateNotice = now + LateNoticeInterval;
        Push(NoticeKind.Late, frame, now, (long)tookNs, (long)_quantumNs);
    }

    /// <summary>Frames were lost from <paramref name="frame"/> on.</summary>
    public void Lost(long frames, ulong frame, ulong now)
    {
        Dropouts++;
        LostFrames += (ulong)frames;
        ++*_lastIncident;
        Push(NoticeKind.Dropout, frame, now, frames, (long)Cause);
        (_behind, _wakeLate) = (0, 0);
    }

    /// <summary>Capture was moved by so many frames to stay with playback, whose clock is another one.</summary>
    public void Slipped(int frames, ulong frame, ulong now)
    {
        Dropouts++;
        LostFrames += (ulong)frames;
        ++*_lastIncident;
        Push(NoticeKind.Dropout, frame, now, frames, (long)DropoutCause.Drift);
    }

    /// <summary>The card ended by itself, after so many frames: no incident.</summary>
    public readonly void DeviceEnded(ulong frame, ulong now, ulong frames) =>
        _notices.TryPush(new Notice { Kind = NoticeKind.DeviceEnded, Slot = -1, Frame = frame, Time = now, A = (long)frames });

    /// <summary>The card failed.</summary>
    public readonly void DeviceLost(ulong frame, ulong now, int error)
    {
        ++*_lastIncident;
        Push(NoticeKind.DeviceLost, frame, now, error, 0);
    }

    // A quarter of a quantum explains no loss: then it was the device.
    private readonly DropoutCause Cause =>
        _behind + _wakeLate < _quantumNs / 4 ? DropoutCause.Device
        : _behind >= _wakeLate ? DropoutCause.SlowRender
        : DropoutCause.LateWakeUp;

    private readonly void Push(NoticeKind kind, ulong frame, ulong now, long a, long b) =>
        _notices.TryPush(new Notice { Kind = kind, Slot = -1, Incident = *_lastIncident, Frame = frame, Time = now, A = a, B = b });
}
