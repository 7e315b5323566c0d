// A sound card through libasound: mmap access, playback and capture together or either alone, xruns counted to the frame.
using System.Runtime.CompilerServices;
using SspHost.Abi;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Audio;

/// <summary>
/// The card's frame count is the engine's: after the buffer was filled, available = hardware pointer - position in both directions. The
/// direction whose hardware is waited for first is playback, or capture where there is nothing else. A device that takes frames without
/// letting time pass (ALSA `null`, `file` over it) is paced by the monotonic clock, and so is one that is away.
/// </summary>
public unsafe struct AlsaCard : ICard
{
    private const ulong Second = 1_000_000_000;
    // A converter in software (plug, dmix) may call itself ready a few frames too early, and go on saying so at once: at SCHED_FIFO,
    // asking it again and again would keep everybody else from the core until the frames are there.
    private const int MaxIdle = 2;
    private const int EAgain = 11, EPipe = 32, EStrPipe = 86, ETimedOut = 110;
    private const ulong ResumeNs = 2 * Second, ResumeNap = 10_000_000; // a system that wakes up gives its bus a moment

    private AlsaDevice _device;
    private CardFacts _facts;
    private PacedPointer<MonotonicClock> _paced;
    private AlsaHandover* _handover;
    private bool _clockless, _captureClockless;
    private bool _away; // then _device is closed
    private long _unplayed; // what was in its buffer when it went
    private ulong _position, _startPosition;
    private ulong _seenHardware, _seenAt; // where the hardware was when it last told
    private ulong _movedAt; // when it last had a quantum
    private bool _stamped; // whether _seenAt is the device's own time
    private int _owed; // frames that capture is behind and that are made up by repeating the last one

    private AlsaCard(in AlsaDevice device)
    {
        _device = device;
        _facts = device.Facts;
        _paced = new PacedPointer<MonotonicClock>(default, _facts.Rate, _facts.Period, _facts.BufferFrames);
    }

    /// <inheritdoc/>
    public readonly CardFacts Facts => _facts;

    /// <inheritdoc/>
    public int Error { get; private set; }

    /// <summary>Whether capture starts and stops with playback by the device itself.</summary>
    public readonly bool IsLinked => _device.IsLinked;

    /// <summary>SND_PCM_FORMAT_ of the playback samples (of the captured ones where nothing plays).</summary>
    public readonly int Format => _device.Playback.Channels > 0 ? _device.Playback.Format : _device.Capture.Format;

    /// <summary>
    /// Opens the device a configuration names. 0 or an errno with the step that failed. A device without one of the two directions plays on
    /// without it, and one without the rate runs at its nearest: Facts says what it became. Allocates nothing managed. [steward]
    /// </summary>
    public static int Open(AudioConfig* config, out AlsaCard card, out AlsaStep step) => Open(config, -1, out card, out step);

    internal static int Open(AudioConfig* config, int onlyFormat, out AlsaCard card, out AlsaStep step)
    {
        var error = AlsaDevice.Open(config, onlyFormat, out var device, out step);
        card = error == 0 ? new AlsaCard(in device) : default;
        return error;
    }

    /// <summary>
    /// From here on a device that fails or stands still is away, and not lost: somebody looks for it, and brings it by
    /// <paramref name="handover"/>. Before <see cref="Start"/>. [steward]
    /// </summary>
    internal void ReturnBy(AlsaHandover* handover)
    {
        _handover = handover;
        _facts.Returns = true;
    }

    /// <inheritdoc/>
    public readonly ulong Now() => Linux.Now();

    /// <inheritdoc/>
    public int Start()
    {
        var error = _device.Restart(out _seenAt);
        if (error < 0) return -error;
        Begun();
        return 0;
    }

    // It runs, from the present position on.
    private void Begun()
    {
        (_owed, _startPosition, _seenHardware, _movedAt) = (0, _position, _position, Linux.Now());
        // A converter needs a quantum's time before it has room for a quantum; what has room at once has no clock.
        _clockless = HasNoClock(in _device.Master);
        _captureClockless = _device.Playback.IsOpen && _device.Capture.IsOpen && HasNoClock(in _device.Capture);
        _paced.Start();
    }

    private readonly bool HasNoClock(in AlsaPcm pcm) => AlsaLibrary.Type(pcm.Handle) != AlsaLibrary.TypeHw && pcm.Available() >= _facts.BufferFrames / 2;

    /// <inheritdoc/>
    public CardWait Wait(int quantum, ulong timeoutNs)
    {
        if (_away) return WaitAway(quantum, timeoutNs);
        if (_clockless) return _paced.Wait(quantum, timeoutNs);
        var until = Linux.Now() + timeoutNs;
        var idle = 0; // returns of the device's wait since it last moved on
        var slipped = 0;
        long mark = 0;
        while (true)
        {
            var now = Linux.Now();
            var available = _device.Master.Available(now, out var at);
            var captureIsBehind = false;
            if (available >= 0)
            {
                (_seenHardware, _seenAt, _stamped) = (_position + (ulong)available, at, at != now);
                if (_device.Playback.IsOpen && _device.Capture.IsOpen && !_captureClockless)
                {
                    var captured = _device.Capture.Available();
                    if (captured >= 0 && !_device.IsLinked) captured = Keep(captured, available, ref slipped);
                    if (captured < available) (available, captureIsBehind) = (captured, true);
                }
            }

            if (available < 0) return Failed((int)available, quantum);
            if (available >= quantum)
            {
                _movedAt = now;
                return Ready(quantum, (int)Math.Min(available, _facts.BufferFrames), slipped);
            }

            if (now >= until)
            {
                if (_facts.Returns && now - _movedAt > Math.Max(AudioLoop.StallNs, 4 * (ulong)_facts.BufferFrames * Second / (ulong)_facts.Rate))
                    return Failed(-ETimedOut, quantum); // perhaps it moves again once it is opened anew
                return new CardWait { State = CardState.TimedOut, Slipped = slipped };
            }

            if (available >= mark + Math.Min(_facts.Period, quantum)) (idle, mark) = (0, available);
            if (idle == MaxIdle)
            {
                idle = 0;
                default(MonotonicClock).SleepUntil(Math.Min(until, now + ((ulong)(quantum - available) * Second / (ulong)_facts.Rate)));
                continue;
            }

            RtGuard.Permit(); // how a card waits is its driver's business: a plugin reads its timer or its server's socket
            var error = AlsaLibrary.Wait(captureIsBehind ? _device.Capture.Handle : _device.Master.Handle, (int)Math.Clamp((until - now) / 1_000_000, 1, 1000));
            RtGuard.EndPermit();
            if (error < 0) return Failed(error, quantum);
            if (error > 0) idle++;
        }
    }

    /// <inheritdoc/>
    public void Capture(float** inputs, int frames)
    {
        if (_away)
        {
            Silence(inputs, frames);
            return;
        }

        if (!_device.Capture.IsOpen) return;
        if ((_clockless || _captureClockless) && _device.Capture.Available() < frames)
        {
            Silence(inputs, frames);
            return;
        }

        // An overrun: playback meets it too, and Play tells.
        if ((_owed > 0 ? ReadOwed(inputs, frames) : _device.Capture.Read(inputs, frames)) < 0) Silence(inputs, frames);
        if (_device.Deaf != 0) SilenceDeaf(inputs, frames);
    }

    /// <inheritdoc/>
    public CardState Play(float** outputs, int frames)
    {
        if (_away) return PlayAway(frames);
        if (_clockless)
        {
            if (_paced.IsLate()) return CardState.XRun;
            _ = _device.Master.Available(); // moves its pointers on, as mmap_begin wants
        }

        if (_device.Playback.IsOpen)
        {
            var error = _device.Playback.Write(outputs, frames);
            if (error < 0)
            {
                var state = Failed(error, frames).State;
                return state == CardState.Away ? PlayAway(frames) : state;
            }
        }

        if (_clockless) _paced.Advance(frames);
        _position += (ulong)frames;
        return CardState.Ready;
    }

    /// <inheritdoc/>
    public CardRecovery Recover()
    {
        if (_away) return RecoverAway();
        if (_clockless)
        {
            var skipped = _paced.Resync();
            _position += (ulong)skipped;
            return new CardRecovery { Skipped = skipped };
        }

        // By the clock from where the hardware last was until it starts again: the device itself has forgotten.
        var (seen, at) = (_seenHardware, _seenAt);
        var suspended = AlsaLibrary.State(_device.Master.Handle) == AlsaLibrary.StateSuspended;
        if (suspended && Resume(seen, at) is >= 0 and var asleep) return new CardRecovery { Skipped = asleep, Early = true };

        var error = _device.Restart(out var startedAt);
        if (error < 0)
        {
            if (Failed(error) == CardState.Away) return RecoverAway();
            return new CardRecovery { State = CardState.Lost, Error = Error };
        }

        var hardware = seen + Frames(startedAt - Math.Min(at, startedAt));
        var lost = Math.Max((long)(hardware - _position), _facts.BufferFrames); // an xrun has played the whole buffer, whatever the clocks say
        _position += (ulong)lost;
        (_owed, _startPosition, _seenHardware, _seenAt, _movedAt) = (0, _position, _position, startedAt, Linux.Now());
        return new CardRecovery { Skipped = lost, Early = suspended };
    }

    /// <inheritdoc/>
    public void Rescale(JackBench* lines)
    {
        if (_away) return; // the device that comes back asks again
        if (_device.Playback.IsOpen) _device.Playback.Rescale(lines->OutputFullScale, lines->OutputZero, capture: false);
        if (_device.Capture.IsOpen) _device.Capture.Rescale(lines->InputFullScale, lines->InputZero, capture: true);
    }

    /// <inheritdoc/>
    public readonly void Stop() => _device.Stop();

    /// <summary>Gives the device back. [steward, after the audio thread has ended]</summary>
    public void Close() => _device.Close();

    // From where the hardware last was the clock counts on. What it had not played by then it never will.
    private void Leave()
    {
        _away = true;
        _unplayed = 0;
        if (!_clockless)
        {
            var ahead = Math.Max(0, (long)(_seenHardware - _position));
            _unplayed = Math.Max(0, Math.Min(_facts.BufferFrames - ahead, (long)(_position - _startPosition)));
            _paced.Start(_seenAt - ((ulong)ahead * Second / (ulong)_facts.Rate));
        }

        _handover->Leave(ref _device);
    }

    private CardWait WaitAway(int quantum, ulong timeoutNs)
    {
        if (_handover->IsOffered) return new CardWait { State = CardState.XRun, ReadyAt = Linux.Now() };
        var wait = _paced.Wait(quantum, timeoutNs);
        return new CardWait
        {
            State = CardState.Away,
            Available = wait.State == CardState.XRun ? quantum : wait.Available, // Play says that it is late, as ever
            OtherRate = _handover->OtherRate,
        };
    }

    private CardState PlayAway(int frames)
    {
        if (_paced.IsLate()) return CardState.XRun;
        _paced.Advance(frames);
        _position += (ulong)frames;
        return CardState.Away;
    }

    private CardRecovery RecoverAway()
    {
        var back = _handover->IsOffered && _handover->TryTake(out _device, out _seenAt) >= 0;
        var skipped = _paced.Resync();
        _position += (ulong)skipped;
        if (!back) return new CardRecovery { State = CardState.Away, Skipped = skipped };
        _away = false;
        _facts = _device.Facts;
        _facts.Returns = true;
        _paced = new PacedPointer<MonotonicClock>(default, _facts.Rate, _facts.Period, _facts.BufferFrames);
        Begun();
        return new CardRecovery { Skipped = skipped, Unplayed = _unplayed };
    }

    private readonly ulong Frames(ulong ns) => (ns / Second * (ulong)_facts.Rate) + (ns % Second * (ulong)_facts.Rate / Second);

    // A suspended device that can resume goes on with what is in its buffer: nothing of that is lost, only the time it stood still. Then
    // the frames lost, else -1: it is to be prepared anew.
    private long Resume(ulong seen, ulong at)
    {
        var until = Linux.Now() + ResumeNs;
        int error;
        while ((error = AlsaLibrary.Resume(_device.Master.Handle)) == -EAgain && Linux.Now() < until) default(MonotonicClock).SleepUntil(Linux.Now() + ResumeNap);
        if (error < 0 || (_device.BothUnlinked && AlsaLibrary.Resume(_device.Capture.Handle) < 0)) return -1;
        var now = Linux.Now();
        var available = _device.Master.Available(now, out var then);
        if (available < 0 || AlsaLibrary.State(_device.Master.Handle) == AlsaLibrary.StateSuspended) return -1;
        var lost = Math.Max(0, (long)(seen + Frames(then - Math.Min(at, then))) - (long)(_position + (ulong)available));
        _position += (ulong)lost;
        _startPosition += (ulong)lost; // the device counts its own frames from the start; the engine's have moved on
        (_seenHardware, _seenAt, _movedAt) = (_position + (ulong)available, then, now);
        return lost;
    }

    // Two clocks that are really one stay within a period of each other. Where they drift, capture follows playback, because what is
    // heard must have no hole: it skips what it is ahead, and repeats its last frame where it is behind.
    private long Keep(long captured, long available, ref int slipped)
    {
        captured += _owed;
        var ahead = captured - available;
        if (ahead > _device.Slack && _owed == 0)
        {
            if (_device.Capture.Skip(ahead) < 0) return captured;
            slipped += (int)ahead;
            return available;
        }

        if (ahead >= -_device.Slack) return captured;
        _owed -= (int)ahead;
        slipped += (int)ahead;
        return available;
    }

    // Frames repeated, and after them what was captured.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int ReadOwed(float** inputs, int frames)
    {
        var repeated = Math.Min(_owed, frames);
        _owed -= repeated;
        _device.Capture.Repeat(inputs, repeated);
        if (repeated == frames) return 0;
        var behind = stackalloc float*[Limits.MaxJacks];
        for (var j = 0; j < _facts.Inputs; j++) behind[j] = inputs[j] + repeated;
        return _device.Capture.Read(behind, frames - repeated);
    }

    // The device interrupts at whole periods: what it is past the first one that brought a quantum is how late we are. By the device's
    // timestamp that is exact; without one it is what we saw when we looked.
    private readonly CardWait Ready(int quantum, int available, int slipped)
    {
        var period = (ulong)_facts.Period;
        var due = (_position - _startPosition + (ulong)quantum + period - 1) / period * period;
        var hardware = _seenHardware - _startPosition;
        var past = hardware > due ? (hardware - due) * Second / (ulong)_facts.Rate : 0;
        return new CardWait
        {
            State = CardState.Ready,
            Available = available,
            ReadyAt = _seenAt - past,
            ReadyFrame = _stamped ? _startPosition + Math.Min(hardware, due) : 0, // when we looked judges nothing
            Slipped = slipped,
        };
    }

    private CardWait Failed(int error, int quantum)
    {
        if (error is -EPipe or -EStrPipe)
        {
            var missing = _position + (ulong)quantum - Math.Min(_seenHardware, _position + (ulong)quantum);
            return new CardWait { State = CardState.XRun, ReadyAt = Math.Min(_seenAt + (missing * Second / (ulong)_facts.Rate), Linux.Now()) };
        }

        return new CardWait { State = Failed(error), Error = Error };
    }

    // Away, if somebody looks for it; else Lost.
    private CardState Failed(int error)
    {
        Error = error == -EAgain ? EPipe : -error;
        if (_handover == null) return CardState.Lost;
        Leave();
        return CardState.Away;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly void Silence(float** inputs, int frames)
    {
        for (var j = 0; j < _facts.Inputs; j++) new Span<float>(inputs[j], frames).Clear();
    }

    private readonly void SilenceDeaf(float** inputs, int frames)
    {
        for (var j = 0; j < _facts.Inputs; j++)
            if ((_device.Deaf & (1u << j)) != 0) new Span<float>(inputs[j], frames).Clear();
    }
}
