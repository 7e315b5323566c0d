// A sound card through libasound: mmap access, playback and capture together or either alone, xruns counted to the frame.
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// The card's frame count is the engine's: after the buffer was filled, available = hardware pointer - position in both directions. The
/// direction whose hardware is waited for first is playback, or capture where there is nothing else. A device that takes frames without
/// letting time pass (ALSA `null`, `file` over it) is paced by the monotonic clock.
/// </summary>
public unsafe struct AlsaCard : ICard
{
    private const ulong Second = 1_000_000_000;
    // A converter in software (plug, dmix) may call itself ready a few frames too early, and go on saying so at once: at SCHED_FIFO,
    // asking it again and again would keep everybody else from the core until the frames are there.
    private const int MaxIdle = 2;
    private const int ENoEnt = 2, ENxIo = 6, EAgain = 11, ENoDev = 19, EInval = 22, EPipe = 32, EStrPipe = 86;
    private const ulong ResumeNs = 2 * Second, ResumeNap = 10_000_000; // a system that wakes up gives its bus a moment

    private AlsaPcm _playback, _capture;
    private CardFacts _facts;
    private PacedPointer<MonotonicClock> _paced;
    private readonly bool _linked;
    private bool _clockless, _captureClockless;
    private ulong _position, _startPosition;
    private ulong _seenHardware, _seenAt; // where the hardware was when it last told
    private bool _stamped; // and whether that time is the device's own
    private readonly long _slack;
    private readonly uint _deaf; // input jacks with no channel behind them
    private int _owed; // frames that capture is behind and that are made up by repeating the last one

    private AlsaCard(in AlsaPcm playback, in AlsaPcm capture, in CardFacts facts, bool linked, int quantum)
    {
        _playback = playback;
        _capture = capture;
        _facts = facts;
        _linked = linked;
        _deaf = (uint)((1UL << facts.Inputs) - 1);
        for (var c = 0; capture.IsOpen && c < capture.Channels; c++)
            if (capture.JackOf(c) is >= 0 and var jack) _deaf &= ~(1u << jack);
        _slack = facts.Period + (quantum / 2); // the two tell where they are once a period, and not at the same moment
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

    /// <summary>SND_PCM_FORMAT_ of the playback samples (of the captured ones where nothing plays).</summary>
    public readonly int Format => _playback.Channels > 0 ? _playback.Format : _capture.Format;

    /// <summary>
    /// Opens the device a configuration names. 0 or an errno with the step that failed. A device without one of the two directions plays on
    /// without it, and one without the rate runs at its nearest: Facts says what it became. Allocates nothing managed. [steward]
    /// </summary>
    public static int Open(AudioConfig* config, out AlsaCard card, out AlsaStep step) => Open(config, -1, out card, out step);

    internal static int Open(AudioConfig* config, int onlyFormat, out AlsaCard card, out AlsaStep step)
    {
        card = default;
        step = AlsaStep.Library;
        if (!AlsaLibrary.TryLoad()) return ENoEnt;

        config->Device[AudioConfig.DeviceBytes - 1] = config->CaptureDevice[AudioConfig.DeviceBytes - 1] = 0;
        var buffer = config->Period * PacedPointer<MonotonicClock>.PeriodsFor(config->Period, config->Periods, config->Quantum);
        AlsaPcm playback = default, capture = default;
        var wish = new AlsaWish
        {
            Name = config->Device,
            Stream = AlsaLibrary.Playback,
            Rate = config->Rate,
            Period = config->Period,
            Buffer = buffer,
            Quantum = config->Quantum,
            OnlyFormat = onlyFormat,
            Jacks = config->Outputs,
            Channels = config->OutputChannels,
            FullScale = config->OutputFullScale,
            Zero = config->OutputZero,
            Hold = config->HoldOutputs,
        };
        var error = playback.Open(in wish, out step);
        if (error == 0 && playback.BufferFrames < config->Quantum + Math.Max(playback.Period, config->Quantum))
        {
            step = AlsaStep.Buffer; // cannot hold a quantum that plays and one that is rendered
            error = EInval;
        }

        // Only a device that has no outputs is listened to alone: one that is taken, or cannot be set up, is an error to be told.
        if (error != 0 && (config->Inputs == 0 || step != AlsaStep.Open || !IsMissing(error)))
        {
            playback.Close();
            return error;
        }

        var named = config->CaptureDevice[0] != 0;
        if (config->Inputs > 0)
        {
            wish.Name = named ? config->CaptureDevice : config->Device;
            wish.Stream = AlsaLibrary.Capture;
            if (playback.IsOpen) (wish.Rate, wish.Period, wish.Buffer) = (playback.Rate, playback.Period, playback.BufferFrames);
            wish.Jacks = config->Inputs;
            wish.Channels = config->InputChannels;
            wish.FullScale = config->InputFullScale;
            wish.Zero = config->InputZero;
            var deaf = OpenCapture(ref capture, in playback, in wish, out var captureStep);
            if (deaf != 0 && (named || !playback.IsOpen))
            {
                playback.Close();
                if (named) (error, step) = (deaf, AlsaStep.CaptureDevice);
                else if (!IsMissing(deaf)) (error, step) = (deaf, captureStep);
                return error;
            }
        }

        card = new AlsaCard(in playback, in capture, FactsOf(config, in playback, in capture), TryLink(in playback, in capture), config->Quantum);
        step = AlsaStep.None;
        return 0;
    }

    private static bool IsMissing(int error) => error is ENoEnt or ENxIo or ENoDev or EInval;

    private static int OpenCapture(ref AlsaPcm capture, in AlsaPcm playback, in AlsaWish wish, out AlsaStep step)
    {
        var error = capture.Open(in wish, out step);
        if (error != 0) return error;
        if (playback.IsOpen && capture.Rate != playback.Rate) (error, step) = (EInval, AlsaStep.Rate);
        else if (capture.BufferFrames < (playback.IsOpen ? playback.BufferFrames : wish.Quantum + Math.Max(capture.Period, wish.Quantum)))
            (error, step) = (EInval, AlsaStep.Buffer); // it would overrun before playback does
        if (error != 0) capture.Close();
        return error;
    }

    private static bool TryLink(in AlsaPcm playback, in AlsaPcm capture) =>
        playback.IsOpen && capture.IsOpen && AlsaLibrary.Link(playback.Handle, capture.Handle) == 0;

    private static CardFacts FactsOf(AudioConfig* config, in AlsaPcm playback, in AlsaPcm capture)
    {
        var (rate, period, buffer) = playback.IsOpen ? (playback.Rate, playback.Period, playback.BufferFrames) : (capture.Rate, capture.Period, capture.BufferFrames);
        return new CardFacts
        {
            Rate = rate,
            Period = period,
            Periods = buffer / period,
            BufferFrames = buffer,
            Inputs = capture.IsOpen ? Jacks(in capture, config->Inputs) : 0,
            Outputs = playback.IsOpen ? Jacks(in playback, config->Outputs) : 0,
            RealTime = true,
        };
    }

    // Up to the last jack that has a channel.
    private static int Jacks(in AlsaPcm pcm, int wanted)
    {
        var jacks = 0;
        for (var c = 0; c < pcm.Channels; c++) jacks = Math.Max(jacks, pcm.JackOf(c) + 1);
        return Math.Min(jacks, wanted);
    }

    /// <inheritdoc/>
    public readonly ulong Now() => Linux.Now();

    /// <inheritdoc/>
    public int Start()
    {
        var error = Restart();
        if (error < 0) return -error;
        // A converter needs a quantum's time before it has room for a quantum; what has room at once has no clock.
        _clockless = HasNoClock(_playback.IsOpen ? _playback : _capture);
        _captureClockless = _playback.IsOpen && _capture.IsOpen && HasNoClock(_capture);
        _paced.Start();
        return 0;
    }

    private readonly bool HasNoClock(in AlsaPcm pcm) => AlsaLibrary.Type(pcm.Handle) != AlsaLibrary.TypeHw && pcm.Available() >= _facts.BufferFrames / 2;

    /// <inheritdoc/>
    public CardWait Wait(int quantum, ulong timeoutNs)
    {
        if (_clockless) return _paced.Wait(quantum, timeoutNs);
        var until = Linux.Now() + timeoutNs;
        var idle = 0; // returns of the device's wait since it last moved on
        var slipped = 0;
        long mark = 0;
        while (true)
        {
            var now = Linux.Now();
            var available = Master.Available(now, out var at);
            var captureIsBehind = false;
            if (available >= 0)
            {
                (_seenHardware, _seenAt, _stamped) = (_position + (ulong)available, at, at != now);
                if (_playback.IsOpen && _capture.IsOpen && !_captureClockless)
                {
                    var captured = _capture.Available();
                    if (captured >= 0 && !_linked) captured = Keep(captured, available, ref slipped);
                    if (captured < available) (available, captureIsBehind) = (captured, true);
                }
            }

            if (available < 0) return Failed((int)available, quantum);
            if (available >= quantum) return Ready(quantum, (int)Math.Min(available, _facts.BufferFrames), slipped);
            if (now >= until) return new CardWait { State = CardState.TimedOut, Slipped = slipped };
            if (available >= mark + Math.Min(_facts.Period, quantum)) (idle, mark) = (0, available);
            if (idle == MaxIdle)
            {
                idle = 0;
                default(MonotonicClock).SleepUntil(Math.Min(until, now + ((ulong)(quantum - available) * Second / (ulong)_facts.Rate)));
                continue;
            }

            var error = AlsaLibrary.Wait(captureIsBehind ? _capture.Handle : Master.Handle, (int)Math.Clamp((until - now) / 1_000_000, 1, 1000));
            if (error < 0) return Failed(error, quantum);
            if (error > 0) idle++;
        }
    }

    /// <inheritdoc/>
    public void Capture(float** inputs, int frames)
    {
        if (!_capture.IsOpen) return;
        if ((_clockless || _captureClockless) && _capture.Available() < frames)
        {
            Silence(inputs, frames);
            return;
        }

        // An overrun: playback meets it too, and Play tells.
        if ((_owed > 0 ? ReadOwed(inputs, frames) : _capture.Read(inputs, frames)) < 0) Silence(inputs, frames);
        if (_deaf != 0) SilenceDeaf(inputs, frames);
    }

    /// <inheritdoc/>
    public CardState Play(float** outputs, int frames)
    {
        if (_clockless)
        {
            if (_paced.IsLate()) return CardState.XRun;
            _paced.Advance(frames);
            _ = Master.Available(); // moves its pointers on, as mmap_begin wants
        }

        if (_playback.IsOpen)
        {
            var error = _playback.Write(outputs, frames);
            if (error < 0) return Failed(error, frames).State;
        }

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
        var suspended = AlsaLibrary.State(Master.Handle) == AlsaLibrary.StateSuspended;
        if (suspended && Resume(seen, at) is >= 0 and var asleep) return new CardRecovery { Skipped = asleep, Early = true };

        var error = Restart();
        if (error < 0) return new CardRecovery { State = CardState.Lost, Error = -error };
        var hardware = seen + Frames(_seenAt - Math.Min(at, _seenAt));
        var lost = Math.Max((long)(hardware - _position), _facts.BufferFrames); // an xrun has played the whole buffer, whatever the clocks say
        _position += (ulong)lost;
        (_startPosition, _seenHardware) = (_position, _position);
        return new CardRecovery { Skipped = lost, Early = suspended };
    }

    /// <inheritdoc/>
    public readonly void Stop()
    {
        _ = AlsaLibrary.Drop(Master.Handle);
        if (BothUnlinked) _ = AlsaLibrary.Drop(_capture.Handle);
    }

    /// <summary>Gives the device back. [steward, after the audio thread has ended]</summary>
    public void Close()
    {
        _capture.Close();
        _playback.Close();
    }

    // The direction that sets the pace.
    [UnscopedRef]
    private readonly ref readonly AlsaPcm Master
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _playback.IsOpen ? ref _playback : ref _capture;
    }

    private readonly bool BothUnlinked => _playback.IsOpen && _capture.IsOpen && !_linked;

    private readonly ulong Frames(ulong ns) => (ns / Second * (ulong)_facts.Rate) + (ns % Second * (ulong)_facts.Rate / Second);

    // Prepares, fills the buffer with what nobody rendered and starts; 0 or -errno. Unlinked, capture starts first: then it never has less.
    private int Restart()
    {
        Stop();
        var error = AlsaLibrary.Prepare(Master.Handle);
        if (error < 0) return error;
        if (BothUnlinked && (error = AlsaLibrary.Prepare(_capture.Handle)) < 0) return error;

        if (_capture.IsOpen) _capture.ClearUnwritten();
        if (_playback.IsOpen)
        {
            _ = _playback.Available();
            error = _playback.Fill(_facts.BufferFrames);
            if (error < 0) return error;
        }

        if (BothUnlinked && (error = AlsaLibrary.Start(_capture.Handle)) < 0) return error;
        error = AlsaLibrary.Start(Master.Handle);
        if (error < 0) return error;
        _owed = 0;
        (_seenHardware, _seenAt) = (_position, Master.Triggered(Linux.Now()));
        return 0;
    }

    // A suspended device that can resume goes on with what is in its buffer: nothing of that is lost, only the time it stood still. Then
    // the frames lost, else -1: it is to be prepared anew.
    private long Resume(ulong seen, ulong at)
    {
        var until = Linux.Now() + ResumeNs;
        int error;
        while ((error = AlsaLibrary.Resume(Master.Handle)) == -EAgain && Linux.Now() < until) default(MonotonicClock).SleepUntil(Linux.Now() + ResumeNap);
        if (error < 0 || (BothUnlinked && AlsaLibrary.Resume(_capture.Handle) < 0)) return -1;
        var now = Linux.Now();
        var available = Master.Available(now, out var then);
        if (available < 0 || AlsaLibrary.State(Master.Handle) == AlsaLibrary.StateSuspended) return -1;
        var lost = Math.Max(0, (long)(seen + Frames(then - Math.Min(at, then))) - (long)(_position + (ulong)available));
        _position += (ulong)lost;
        _startPosition += (ulong)lost; // the device counts its own frames from the start; the engine's have moved on
        (_seenHardware, _seenAt) = (_position + (ulong)available, then);
        return lost;
    }

    // Two clocks that are really one stay within a period of each other. Where they drift, capture follows playback, because what is
    // heard must have no hole: it skips what it is ahead, and repeats its last frame where it is behind.
    private long Keep(long captured, long available, ref int slipped)
    {
        captured += _owed;
        var ahead = captured - available;
        if (ahead > _slack && _owed == 0)
        {
            if (_capture.Skip(ahead) < 0) return captured;
            slipped += (int)ahead;
            return available;
        }

        if (ahead >= -_slack) return captured;
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
        _capture.Repeat(inputs, repeated);
        if (repeated == frames) return 0;
        var behind = stackalloc float*[Limits.MaxJacks];
        for (var j = 0; j < _facts.Inputs; j++) behind[j] = inputs[j] + repeated;
        return _capture.Read(behind, frames - repeated);
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

        Error = error == -EAgain ? EPipe : -error;
        return new CardWait { State = CardState.Lost, Error = Error };
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly void Silence(float** inputs, int frames)
    {
        for (var j = 0; j < _facts.Inputs; j++) new Span<float>(inputs[j], frames).Clear();
    }

    private readonly void SilenceDeaf(float** inputs, int frames)
    {
        for (var j = 0; j < _facts.Inputs; j++)
            if ((_deaf & (1u << j)) != 0) new Span<float>(inputs[j], frames).Clear();
    }
}
