// From a moment to a frame: each event sounds the same time after it came, however late it was read.
using SspHost.Abi;

namespace SspHost.Engine.Events;

/// <summary>
/// The card's clock as the audio thread publishes it, and a constant on top: as long as reading an event may take without being heard. At a moment t
/// the card has counted f(t) frames, and the audio thread has rendered no more than these; so an event of time t is in time at f(t) + latency if it
/// gets to the audio thread within the latency. [events thread]
/// </summary>
internal unsafe struct EventClock
{
    /// <summary>ns that reading may take: on a thread that is served at once, and on one that waits for its turn.</summary>
    public const ulong RealTimeNs = 1_000_000, OrdinaryNs = 5_000_000;

    private const double StaleNs = 2e9;
    private const int Attempts = 100;

    private readonly Seqlock<FrameAnchor>* _published;
    private FrameAnchor _anchor;

    public EventClock(Seqlock<FrameAnchor>* published) => _published = published;

    /// <summary>ns that reading may take.</summary>
    public ulong MarginNs { readonly get; set; }

    /// <summary>Frames on top of the card's own latency: a quantum, because events are taken at the beginning of one, and what reading may take.</summary>
    public readonly ulong LatencyFrames => _anchor.Rate == 0 ? 0 : (ulong)_anchor.Quantum + (MarginNs * (ulong)_anchor.Rate / 1_000_000_000);

    /// <summary>Looks at the clock again. False: nothing plays.</summary>
    public bool Look(ulong now)
    {
        for (var i = 0; i < Attempts; i++)
        {
            if (!_published->TryReadOnce(out var anchor)) continue;
            _anchor = anchor;
            break;
        }

        return _anchor.Rate != 0 && (double)(long)(now - _anchor.Time) < StaleNs;
    }

    /// <summary>Frame at which something that came at <paramref name="time"/> sounds.</summary>
    public readonly ulong FrameOf(ulong time)
    {
        var frames = Math.Floor(((long)(time - _anchor.Time) / _anchor.NanosecondsPerFrame) + 0.5);
        var frame = (long)_anchor.Frame + (long)frames + (long)LatencyFrames;
        return frame < 1 ? 1 : (ulong)frame; // 0 would mean as soon as possible, and be neither early nor late
    }
}
