// A device that was lost and may come back: looked for by the steward a few times a second, because opening one allocates and locks.
using SspHost.Abi;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Service;

/// <summary>
/// What was played on, since when it is gone, and when to look again. The audio thread is parked meanwhile, so the steward may push
/// notices in its place.
/// </summary>
internal unsafe struct DeviceReturn
{
    private const ulong Millisecond = 1_000_000;
    private const ulong Interval = 200 * Millisecond, LongestInterval = 3200 * Millisecond;
    private const ulong Steady = 5000 * Millisecond; // a device that stays this long is back, one that does not is tried less and less often

    /// <summary>How it was started.</summary>
    public AudioConfig Config;

    private ulong _nextLook, _interval, _backAt;
    private int _rateSaid;

    /// <summary>CLOCK_MONOTONIC in ns of the loss; 0 = nothing is awaited.</summary>
    public ulong Since { get; private set; }

    /// <summary>The device was lost. Only a real one comes back.</summary>
    public void Await(ulong now)
    {
        if (Config.Card != CardKind.Alsa) return;
        _interval = _backAt != 0 && now - _backAt < Steady ? Math.Min(LongestInterval, 2 * _interval) : Interval;
        (Since, _nextLook, _rateSaid) = (now, now + _interval, 0);
    }

    /// <summary>Whether to look now.</summary>
    public readonly bool IsDue(ulong now) => Since != 0 && now >= _nextLook;

    /// <summary>
    /// Opens the device and closes it again: the rate in Hz it now runs at, or 0 where it is still gone. A rate that is not the plan's is
    /// told once.
    /// </summary>
    public int Look(SpscRing<Notice> notices, ulong* lastIncident, ulong now)
    {
        _nextLook = now + _interval;
        var config = Config;
        if (AlsaCard.Open(&config, out var card, out _) != 0) return 0;
        var rate = card.Facts.Rate;
        card.Close();
        if (rate == Config.Rate || rate == _rateSaid) return rate;
        _rateSaid = rate;
        Say(notices, lastIncident, now, NoticeKind.DeviceRate, rate, Config.Rate);
        return rate;
    }

    /// <summary>It was started again, after <paramref name="away"/>.</summary>
    public void Returned(in DeviceReturn away, ulong now) => (_interval, _backAt) = (away._interval, now);

    /// <summary>Tells that it plays again.</summary>
    public static void SayBack(SpscRing<Notice> notices, ulong* lastIncident, ulong now, ulong since) =>
        Say(notices, lastIncident, now, NoticeKind.DeviceBack, (long)((now - since) / Millisecond), 0);

    private static void Say(SpscRing<Notice> notices, ulong* lastIncident, ulong now, NoticeKind kind, long a, long b) =>
        notices.TryPush(new Notice { Kind = kind, Slot = -1, Incident = *lastIncident, Time = now, A = a, B = b });
}
