// From a StartAudio request to a playing thread and back: which card, which loop, one thread.
using SspHost.Abi;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Audio;

/// <summary>
/// The audio side as the steward holds it: open, start, request a stop, join. Lives zeroed at a fixed address of the region. Nothing in
/// it allocates
/// managed memory. A function pointer is chosen by the kind of card once; from there every call is direct.
/// </summary>
public unsafe struct AudioSession<TRender> where TRender : unmanaged, IQuantum
{
    private AudioLoop<SimulatedCard<MonotonicClock>, TRender> _simulated;
    private AudioLoop<StreamCard, TRender> _stream;
    private AudioLoop<PacedStreamCard<MonotonicClock>, TRender> _paced;
    private AudioLoop<AlsaCard, TRender> _alsa;
    private SimulatedCard<MonotonicClock> _simulatedCard;
    private StreamCard _streamCard;
    private PacedStreamCard<MonotonicClock> _pacedCard;
    private AlsaCard _alsaCard; // until the loop has it
    private AlsaHandover _alsaHandover;
    private RtThread* _thread;
    private CardKind _kind;
    private bool _open;

    /// <summary>The card as it runs; after a successful <see cref="Open"/>.</summary>
    public CardFacts Facts { readonly get; private set; }

    /// <summary>Whether the audio thread got SCHED_FIFO.</summary>
    public readonly bool RealTime => _thread != null && _thread->RealTime;

    /// <summary>Whether a card is open: <see cref="TryJoin"/> has not closed it yet.</summary>
    public readonly bool IsOpen => _open;

    /// <summary>Why the loop ended by itself or was stopped, or None while it plays.</summary>
    public AudioEnd End => _kind switch
    {
        CardKind.Simulated => _simulated.End,
        CardKind.Stream => _stream.End,
        CardKind.PacedStream => _paced.End,
        _ => _alsa.End,
    };

    /// <summary>Whether numbers are within the limits; devices and rings are judged by <see cref="Open"/>.</summary>
    public static bool IsPossible(in AudioConfig config) =>
        AreJacksPossible(in config)
        && config.Card is >= CardKind.Simulated and <= CardKind.PacedStream
        && config.Rate is >= Limits.MinRate and <= Limits.MaxRate
        && Limits.IsQuantum(config.Quantum)
        && config.Period is >= 1 and <= 1 << 16
        && config.Periods is >= 2 and <= 1024
        && config.Inputs is >= 0 and <= Limits.MaxJacks
        && config.Outputs is >= 0 and <= Limits.MaxJacks;

    private static bool AreJacksPossible(in AudioConfig config)
    {
        if ((uint)config.Inputs > Limits.MaxJacks || (uint)config.Outputs > Limits.MaxJacks) return false;
        fixed (AudioConfig* c = &config)
        {
            for (var j = 0; j < Limits.MaxJacks; j++)
                if (!JackScale.IsPossible(c->InputFullScale[j], c->InputZero[j]) || !JackScale.IsPossible(c->OutputFullScale[j], c->OutputZero[j])) return false;
            return ChannelMap.IsPossible(c->InputChannels, c->Inputs) && ChannelMap.IsPossible(c->OutputChannels, c->Outputs);
        }
    }

    /// <summary>
    /// Opens the card: afterwards <see cref="Facts"/> tells what it became. BadRequest (Config or Offset), DeviceFailed with errno and
    /// step, or Ok.
    /// </summary>
    public ReplyStatus Open(AudioConfig* config, byte* region, long regionBytes, out long a, out long b)
    {
        (a, b) = ((long)BadPart.Config, 0);
        if (!IsPossible(*config)) return ReplyStatus.BadRequest;
        _kind = config->Card;
        var ends = default(StreamEnds);
        if (_kind is CardKind.Stream or CardKind.PacedStream && !StreamEnds.TryOpen(*config, region, regionBytes, out ends))
        {
            a = (long)BadPart.Offset;
            return ReplyStatus.BadRequest;
        }

        switch (_kind)
        {
            case CardKind.Simulated:
                _simulatedCard = new SimulatedCard<MonotonicClock>(default, *config);
                Facts = _simulatedCard.Facts;
                break;
            case CardKind.Stream:
                _streamCard = new StreamCard(*config, ends);
                Facts = _streamCard.Facts;
                break;
            case CardKind.PacedStream:
                _pacedCard = new PacedStreamCard<MonotonicClock>(default, *config, ends);
                Facts = _pacedCard.Facts;
                break;
            default:
                var error = AlsaCard.Open(config, out _alsaCard, out var step);
                if (error != 0)
                {
                    (a, b) = (error, (long)step);
                    return ReplyStatus.DeviceFailed;
                }

                Facts = _alsaCard.Facts;
                break;
        }

        (a, b) = (0, 0);
        _open = true;
        return ReplyStatus.Ok;
    }

    /// <summary>
    /// Starts the audio thread of an open session; ThreadFailed with the errno in <paramref name="error"/> closes the card. Files are
    /// rendered without a fade in.
    /// </summary>
    /// <param name="self">The session, at its fixed address.</param>
    /// <param name="render">The renderer, likewise; used by the audio thread until joined.</param>
    /// <param name="setup">What the loop needs.</param>
    /// <param name="thread">The audio thread, at its fixed address: made by the first start, parked after each.</param>
    /// <param name="threadSetup">What the thread is to be.</param>
    /// <param name="error">errno.</param>
    public static ReplyStatus Start(AudioSession<TRender>* self, TRender* render, AudioLoopSetup setup, RtThread* thread, in RtThreadSetup threadSetup, out int error)
    {
        error = 0;
        if (self->_kind is CardKind.Stream or CardKind.PacedStream) setup.FadeIn = 0;
        delegate*<void*, void> entry;
        void* loop;
        switch (self->_kind)
        {
            case CardKind.Simulated:
                self->_simulated = new AudioLoop<SimulatedCard<MonotonicClock>, TRender>(self->_simulatedCard, render, setup);
                entry = &Run<SimulatedCard<MonotonicClock>>;
                loop = &self->_simulated;
                break;
            case CardKind.Stream:
                self->_stream = new AudioLoop<StreamCard, TRender>(self->_streamCard, render, setup);
                entry = &Run<StreamCard>;
                loop = &self->_stream;
                break;
            case CardKind.PacedStream:
                self->_paced = new AudioLoop<PacedStreamCard<MonotonicClock>, TRender>(self->_pacedCard, render, setup);
                entry = &Run<PacedStreamCard<MonotonicClock>>;
                loop = &self->_paced;
                break;
            default:
                self->_alsaCard.ReturnBy(&self->_alsaHandover);
                self->_alsa = new AudioLoop<AlsaCard, TRender>(self->_alsaCard, render, setup);
                self->_alsaCard = default;
                entry = &Run<AlsaCard>;
                loop = &self->_alsa;
                break;
        }

        self->_thread = thread;
        error = RtThread.Start(thread, threadSetup, "ssp-audio"u8, entry, loop);
        if (error == 0) return ReplyStatus.Ok;
        self->Close();
        return ReplyStatus.ThreadFailed;
    }

    /// <summary>Asks for a fade out and an end. Returns at once.</summary>
    public void RequestStop(int fadeFrames)
    {
        switch (_kind)
        {
            case CardKind.Simulated: _simulated.RequestStop(fadeFrames); break;
            case CardKind.Stream: _stream.RequestStop(fadeFrames); break;
            case CardKind.PacedStream: _paced.RequestStop(fadeFrames); break;
            default: _alsa.RequestStop(fadeFrames); break;
        }
    }

    /// <summary>
    /// Waits for the audio thread to end and closes the card; false if it did not end in time (a device that hangs inside the kernel):
    /// the session must then stay
    /// where it is.
    /// </summary>
    public bool TryJoin(ulong timeoutNs)
    {
        const ulong Look = 5_000_000; // another thread may take its seat meanwhile
        var until = Linux.Now() + timeoutNs;
        while (_thread != null)
        {
            var thread = _thread;
            if (RtThread.TryJoin(thread, Math.Min(Look, timeoutNs)) && thread == _thread && End != AudioEnd.None) break;
            if (Linux.Now() >= until) return false;
        }

        if (_open) Close();
        return true;
    }

    /// <summary>Where the steward and an absent sound card meet; null where the card is none.</summary>
    internal static AlsaHandover* HandoverOf(AudioSession<TRender>* self) => self->_kind == CardKind.Alsa ? &self->_alsaHandover : null;

    /// <summary>Where it is written down which thread is the audio thread: the watchdog may put another in its place.</summary>
    public static RtThread** ThreadOf(AudioSession<TRender>* self) => &self->_thread;

    /// <summary>What a thread runs that goes on in the place of the audio thread, and its argument; after <see cref="Start"/>.</summary>
    public static delegate*<void*, void> Standby(AudioSession<TRender>* self, out void* loop)
    {
        switch (self->_kind)
        {
            case CardKind.Simulated:
                loop = &self->_simulated;
                return &Resume<SimulatedCard<MonotonicClock>>;
            case CardKind.Stream:
                loop = &self->_stream;
                return &Resume<StreamCard>;
            case CardKind.PacedStream:
                loop = &self->_paced;
                return &Resume<PacedStreamCard<MonotonicClock>>;
            default:
                loop = &self->_alsa;
                return &Resume<AlsaCard>;
        }
    }

    /// <summary>Closes a card whose thread was never started, or has ended. [steward]</summary>
    public void Close()
    {
        if (_kind == CardKind.Alsa)
        {
            _alsaCard.Close();
            _alsa.Card.Close();
            _alsaHandover.Close();
        }

        _open = false;
    }

    private static void Run<TCard>(void* loop) where TCard : unmanaged, ICard => ((AudioLoop<TCard, TRender>*)loop)->Run();

    private static void Resume<TCard>(void* loop) where TCard : unmanaged, ICard => ((AudioLoop<TCard, TRender>*)loop)->Resume();
}
