// A hardware pointer that follows a clock: what makes a simulated card, a paced stream and a device without a clock run in time.
namespace SspHost.Engine.Audio;

/// <summary>
/// Counts frames from the start: the converter is at <c>hardware = floor(elapsed * rate)</c>, the engine at <see cref="Position"/>.
/// Captured and not yet
/// rendered: <c>hardware - Position</c>. Played ahead: <c>BufferFrames</c> more than that; once the converter needs a frame beyond them,
/// there is an xrun.
/// </summary>
public struct PacedPointer<TClock> where TClock : unmanaged, ICardClock
{
    private const ulong Second = 1_000_000_000;

#pragma warning disable IDE0044 // readonly would hand a copy of the clock to each call
    private TClock _clock;
#pragma warning restore IDE0044
    private readonly ulong _rate, _period, _buffer;
    private ulong _startedAt;
    private ulong _grid; // the frame its periods are counted from

    /// <summary>Frames the engine is done with, lost ones included.</summary>
    public ulong Position { get; private set; }

    /// <summary>Sets up; <see cref="Start()"/> sets it going.</summary>
    public PacedPointer(TClock clock, int rate, int period, int bufferFrames)
    {
        _clock = clock;
        _rate = (ulong)rate;
        _period = (ulong)period;
        _buffer = (ulong)bufferFrames;
    }

    /// <summary>
    /// Periods a buffer needs for this quantum: as asked, but at least enough for the quantum that is captured, for what comes in beyond it
    /// until a period ends and somebody is woken (where periods are no multiple of the quantum, that is nearly a period in the worst phase),
    /// and for as long as rendering may take.
    /// </summary>
    public static int PeriodsFor(int period, int periods, int quantum)
    {
        var beyond = period - Gcd(period, quantum);
        return Math.Max(Math.Max(periods, 2), ((2 * quantum) + beyond + period - 1) / period);
    }

    private static int Gcd(int a, int b) => b == 0 ? a : Gcd(b, a % b);

    public ulong Now() => _clock.Now();

    /// <summary>Begins at frame 0 now.</summary>
    public void Start() => Start(_clock.Now());

    /// <summary>Begins at frame 0, at which the converter was at <paramref name="at"/>.</summary>
    public void Start(ulong at)
    {
        _startedAt = at;
        (Position, _grid) = (0, 0);
    }

    /// <summary>Frames the converter has done at <paramref name="now"/>.</summary>
    public readonly ulong Hardware(ulong now)
    {
        var elapsed = now - _startedAt; // whole seconds apart: the product would overflow within a day
        return (elapsed / Second * _rate) + (elapsed % Second * _rate / Second);
    }

    /// <summary>First ns at which <see cref="Hardware"/> is <paramref name="frame"/>.</summary>
    public readonly ulong TimeOf(ulong frame) =>
        _startedAt + (frame / _rate * Second) + (((frame % _rate * Second) + _rate - 1) / _rate);

    /// <summary>Whether the converter needed a frame that was not there.</summary>
    public bool IsLate() => Hardware(_clock.Now()) > Position + _buffer;

    /// <summary>Waits for the first period boundary at which a quantum can be rendered; not at all when one can be rendered now.</summary>
    public CardWait Wait(int quantum, ulong timeoutNs)
    {
        var boundary = _grid + ((Position - _grid + (ulong)quantum + _period - 1) / _period * _period);
        var due = TimeOf(boundary);
        var now = _clock.Now();
        if (Hardware(now) < Position + (ulong)quantum)
        {
            var limit = now + timeoutNs;
            _clock.SleepUntil(Math.Min(due, limit));
            now = _clock.Now();
            if (now < due && limit < due) return new CardWait { State = CardState.TimedOut };
        }

        var hardware = Hardware(now);
        var wait = new CardWait { ReadyAt = Math.Min(due, now), ReadyFrame = Math.Min(boundary, hardware), State = CardState.Ready };
        if (hardware > Position + _buffer) wait.State = CardState.XRun;
        else wait.Available = (int)(hardware - Position);
        return wait;
    }

    /// <summary>The engine is done with these frames.</summary>
    public void Advance(int frames) => Position += (ulong)frames;

    /// <summary>Starts afresh at the converter's present frame, with a period of which nothing is over yet; the frames skipped.</summary>
    public long Resync()
    {
        var hardware = Math.Max(Hardware(_clock.Now()), Position); // they are one, up to a rounding
        var lost = hardware - Position;
        (Position, _grid) = (hardware, hardware);
        return (long)lost;
    }

    /// <summary>The converter stood still for this long.</summary>
    public void StoodStill(ulong ns) => _startedAt += ns;
}
