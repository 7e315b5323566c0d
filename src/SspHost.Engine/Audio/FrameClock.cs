// The card's frame count as a smooth clock: what turns a moment into a frame, without the jitter of wake-ups and timestamps.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// A delay-locked loop of second order over pairs of (frames counted, when), after F. Adriaensen, "Using a DLL to filter time" (2005): it follows
/// the card's drift and lets a timestamp's own error through only in part. A leap of more than 5 ms is taken at once. [audio-thread]
/// </summary>
internal struct FrameClock
{
    private const double Bandwidth = 0.5; // Hz: a jitter of 1 ms of a USB card becomes some 50 us
    private const double LeapNs = 5e6;
    private const double MostOmega = 0.2; // of a step: what comes rarely is still damped
    private const double MostDrift = 0.004; // as far as the timestamps themselves are believed

    private readonly double _nominal;
    private double _perFrame;
    private double _time; // ns after _origin
    private ulong _origin, _frame;
    private bool _based;

    /// <param name="rate">Nominal frames a second.</param>
    public FrameClock(int rate) => _nominal = _perFrame = 1e9 / rate;

    /// <summary>The card had counted <paramref name="frame"/> frames at <paramref name="time"/>. What the clock makes of it.</summary>
    public FrameAnchor Update(ulong frame, ulong time, int rate, int quantum)
    {
        var elapsed = (double)(long)(frame - _frame);
        var expected = _time + (elapsed * _perFrame);
        var error = (double)(long)(time - _origin) - expected;
        if (!_based || elapsed < 0 || error > LeapNs || error < -LeapNs)
        {
            _based = true;
            (_origin, _frame, _time, _perFrame) = (time, frame, 0, _nominal);
        }
        else if (elapsed > 0)
        {
            var omega = Math.Min(2 * Math.PI * Bandwidth * elapsed * _perFrame * 1e-9, MostOmega);
            var drift = _perFrame + (omega * omega * error / elapsed);
            _perFrame = Math.Max(_nominal * (1 - MostDrift), Math.Min(drift, _nominal * (1 + MostDrift)));
            _frame = frame;

            // The origin moves along: a double holds ns exactly for 100 days, but not their fractions.
            var at = expected + (Math.Sqrt(2) * omega * error);
            var whole = Math.Floor(at);
            (_origin, _time) = (_origin + (ulong)(long)whole, at - whole);
        }

        return new FrameAnchor { Frame = _frame, Time = _origin, NanosecondsPerFrame = _perFrame, Rate = rate, Quantum = quantum };
    }
}
