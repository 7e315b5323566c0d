// A sound card through libasound: mmap access, playback with capture where there is one, xruns counted to the frame.
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// The card's frame count is the engine's: after the buffer was filled with silence, available = hardware pointer - position in both
/// directions. A device
/// that takes frames without letting time pass (ALSA `null`, `file` over it) is paced by the monotonic clock.
/// </summary>
public unsafe struct AlsaCard : ICard
{
    private const ulong Second = 1_000_000_000;
    // A converter in software (plug, dmix) may call itself ready a few frames too early, and go on saying so at once: at SCHED_FIFO,
    // asking it again and again would keep everybody else from the core until the frames are there.
    private const int MaxIdle = 2;
    private const int EPipe = 32, EStrPipe = 86, EAgain = 11;

    private AlsaPcm _playback, _capture;
    private readonly CardFacts _facts;
    private PacedPointer<MonotonicClock> _paced;
    private readonly bool _linked;
    private bool _clockless;
    private ulong _position, _startPosition;
    private ulong _seenHardware, _seenAt; // where the hardware was when it last told

    private AlsaCard(in AlsaPcm playback, in AlsaPcm capture, in CardFacts facts, bool linked)
    {
        _playback = playback;
        _capture = capture;
        _facts = facts;
        _linked = linked;
        _paced = new PacedPointer<MonotonicClock>(default, facts.Rate, facts.Period, facts.BufferFrames);
    }

    /// <inheritdoc/>
    public readonly CardFacts Facts => _facts;

    /// <inheritdoc/>
    public int Error { get; private set; }

    /// <summary>Whether capture starts and stops with playback by the device itself.</summary>
    public readonly bool IsLinked => _linked;

    /// <summary>Whether the device has no clock of its own.</summary>
    public readonly bool IsClockless => _clockless;

    /// <summary>SND_PCM_FORMAT_ of the playback samples.</summary>
    public readonly int Format => _playback.Format;

    /// <summary>
    /// Opens the device a configuration names. 0 or an errno with the step that failed. Without a capture direction it plays on without
    /// inputs; Facts
    /// says what it became. Allocates nothing managed. [steward]
    /// </summary>
    public static int Open(AudioConfig* config, out AlsaCard card, out AlsaStep step) => Open(config, -1, out card, out step);

    internal static int Open(AudioConfig* config, int onlyFormat, out AlsaCard card, out AlsaStep step)
    {
        card = default;
        step = AlsaStep.Library;
        if (!AlsaLibrary.TryLoad()) return 2; // ENOENT

        config->Device[127] = 0;
        var periods = PacedPointer<MonotonicClock>.PeriodsFor(config->Period, config->Periods, config->Quantum);
        var buffer = config->Period * periods;
        AlsaPcm playback = default, capture = default;
        var error = playback.Open(
            config->Device, AlsaLibrary.Playback, config->Rate, Math.Max(1, config->Outputs), config->Period, buffer, config->Quantum, onlyFormat, out step);
        if (error != 0) return error;
        if (playback.BufferFrames < config->Quantum + Math.Max(playback.Period, config->Quantum))
        {
            step = AlsaStep.Buffer; // cannot hold a quantum that plays and one that is rendered
            playback.Close();
            return 22;
        }

        if (config->Inputs > 0)
        {
            var deaf = capture.Open(
                config->Device, AlsaLibrary.Capture, config->Rate, config->Inputs, playback.Period, playback.BufferFrames, config->Quantum, onlyFormat, out _);
            if (deaf == 0 && capture.BufferFrames < playback.BufferFrames) capture.Close(); // it would overrun before playback does
        }

        var facts = new CardFacts
        {
            Rate = config->Rate,
            Period = playback.Period,
            Periods = playback.BufferFrames / playback.Period,
            BufferFrames = playback.BufferFrames,
            Inputs = capture.IsOpen ? Math.Min(config->Inputs, capture.Channels) : 0,
            Outputs = Math.Min(config->Outputs, playback.Channels),
            RealTime = true,
        };
        var linked = capture.IsOpen && AlsaLibrary.Link(playback.Handle, capture.Handle) == 0;
        card = new AlsaCard(playback, capture, facts, linked);
        step = AlsaStep.None;
        return 0;
    }

    /// <inheritdoc/>
    public readonly ulong Now() => Linux.Now();

    /// <inheritdoc/>
    public int Start()
    {
        var error = Restart();
        if (error < 0) return -error;
        // A converter needs a quantum's time before it has room for a quantum; what has room at once has no clock.
        _clockless = AlsaLibrary.Type(_playback.Handle) != AlsaLibrary.TypeHw && _playback.Available() >= _facts.BufferFrames / 2;
        _paced.Start();
        return 0;
    }

    /// <inheritdoc/>
    public CardWait Wait(int quantum, ulong timeoutNs)
    {
        if (_clockless) return _paced.Wait(quantum, timeoutNs);
        var until = Linux.Now() + timeoutNs;
        var idle = 0; // returns of the device's wait since it last moved on
        long mark = 0;
        while (true)
        {
            var available = _playback.Available();
            var waitFor = _playback.Handle;
            if (available >= 0 && _capture.IsOpen)
            {
                var captured = _capture.Available();
                if (captured < available)
                {
                    available = captured;
                    waitFor = _capture.Handle;
                }
            }

            var now = Linux.Now();
            if (available < 0) return Failed((int)available, quantum);
            (_seenHardware, _seenAt) = (_position + (ulong)available, now);
            if (available >= quantum) return Ready(quantum, (int)Math.Min(available, _facts.BufferFrames), now);
            if (now >= until) return new CardWait { State = CardState.TimedOut };
            if (available >= mark + Math.Min(_facts.Period, quantum)) (idle, mark) = (0, available);
            if (idle == MaxIdle)
            {
                idle = 0;
                default(MonotonicClock).SleepUntil(Math.Min(until, now + ((ulong)(quantum - available) * Second / (ulong)_facts.Rate)));
                continue;
            }

            var error = AlsaLibrary.Wait(waitFor, (int)Math.Clamp((until - now) / 1_000_000, 1, 1000));
            if (error < 0) return Failed(error, quantum);
            if (error > 0) idle++;
        }
    }

    /// <inheritdoc/>
    public void Capture(float** inputs, int frames)
    {
        if (!_capture.IsOpen) return;
        if (_clockless && _capture.Available() < frames)
        {
            Silence(inputs, frames);
            return;
        }

        if (_capture.Read(inputs, _facts.Inputs, frames) < 0) Silence(inputs, frames); // an overrun: playback meets it too, and Play tells
    }

    /// <inheritdoc/>
    public CardState Play(float** outputs, int frames)
    {
        if (_clockless)
        {
            if (_paced.IsLate()) return CardState.XRun;
            _paced.Advance(frames);
            _ = _playback.Available(); // moves its pointers on, as mmap_begin wants
        }

        var error = _playback.Write(outputs, _facts.Outputs, frames);
        if (error < 0) return Failed(error, frames).State;
        _position += (ulong)frames;
        return CardState.Ready;
    }

    /// <inheritdoc/>
    public CardRecovery Recover()
    {
        if (_clockless)
        {
            var skipped = _paced.Resync();
            _position += (ulong)skipped;
            return new CardRecovery { Skipped = skipped };
        }

        // By the clock from where the hardware last was until it starts again: the device itself has forgotten.
        var (seen, at) = (_seenHardware, _seenAt);
        var error = Restart();
        if (error < 0) return new CardRecovery { State = CardState.Lost, Error = -error };
        var hardware = seen + ((_seenAt - at) * (ulong)_facts.Rate / Second);
        var lost = Math.Max((long)(hardware - _position), _facts.BufferFrames); // an xrun has played the whole buffer, whatever the clocks say
        _position += (ulong)lost;
        (_startPosition, _seenHardware) = (_position, _position);
        return new CardRecovery { Skipped = lost };
    }

    /// <inheritdoc/>
    public readonly void Stop()
    {
        _ = AlsaLibrary.Drop(_playback.Handle);
        if (_capture.IsOpen && !_linked) _ = AlsaLibrary.Drop(_capture.Handle);
    }

    /// <summary>Gives the device back. [steward, after the audio thread has ended]</summary>
    public void Close()
    {
        _capture.Close();
        _playback.Close();
    }

    // Prepares, fills the buffer with silence and starts; 0 or -errno.
    private int Restart()
    {
        _ = AlsaLibrary.Drop(_playback.Handle);
        if (_capture.IsOpen && !_linked) _ = AlsaLibrary.Drop(_capture.Handle);
        var error = AlsaLibrary.Prepare(_playback.Handle);
        if (error < 0) return error;
        if (_capture.IsOpen && !_linked && (error = AlsaLibrary.Prepare(_capture.Handle)) < 0) return error;

        if (_capture.IsOpen) _capture.ClearUnwritten();
        _ = _playback.Available();
        error = _playback.Write(null, 0, _facts.BufferFrames);
        if (error < 0) return error;
        error = AlsaLibrary.Start(_playback.Handle);
        if (error < 0) return error;
        if (_capture.IsOpen && !_linked && (error = AlsaLibrary.Start(_capture.Handle)) < 0) return error;
        (_seenHardware, _seenAt) = (_position, Linux.Now());
        return 0;
    }

    // The device interrupts at whole periods: what it is past the first one that brought a quantum is how late we are.
    private readonly CardWait Ready(int quantum, int available, ulong now)
    {
        var period = (ulong)_facts.Period;
        var due = (_position - _startPosition + (ulong)quantum + period - 1) / period * period;
        var hardware = _position - _startPosition + (ulong)available;
        var past = hardware > due ? (hardware - due) * Second / (ulong)_facts.Rate : 0;
        return new CardWait { State = CardState.Ready, Available = available, ReadyAt = now - past };
    }

    private CardWait Failed(int error, int quantum)
    {
        if (error is -EPipe or -EStrPipe)
        {
            var missing = _position + (ulong)quantum - Math.Min(_seenHardware, _position + (ulong)quantum);
            return new CardWait { State = CardState.XRun, ReadyAt = Math.Min(_seenAt + (missing * Second / (ulong)_facts.Rate), Linux.Now()) };
        }

        Error = error == -EAgain ? EPipe : -error;
        return new CardWait { State = CardState.Lost, Error = Error };
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly void Silence(float** inputs, int frames)
    {
        for (var j = 0; j < _facts.Inputs; j++) new Span<float>(inputs[j], frames).Clear();
    }
}
