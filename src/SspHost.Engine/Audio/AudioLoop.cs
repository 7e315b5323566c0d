// The audio thread: device -> quantum -> device, and an honest account of how that went.
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using SspHost.Abi;
using SspHost.Engine.Probes;

namespace SspHost.Engine.Audio;

/// <summary>Why a loop ended.</summary>
public enum AudioEnd
{
    /// <summary>It has not.</summary>
    None,

    /// <summary>Asked to.</summary>
    Stopped,

    /// <summary>The card ended by itself.</summary>
    DeviceEnded,

    /// <summary>The card failed, or stood still.</summary>
    DeviceLost,
}

/// <summary>What a loop needs from around it; pointers into the region, valid until it ended.</summary>
public unsafe struct AudioLoopSetup
{
    /// <summary>Frames of a quantum.</summary>
    public int Quantum;

    /// <summary>Frames of the fade at the start; 0 = none (files).</summary>
    public int FadeIn;

    /// <summary>RT threads that render: how many of <see cref="Records"/> count.</summary>
    public int Threads;

    /// <summary>The header: its FirstQuantumAt is set once.</summary>
    public RegionHeader* Header;

    /// <summary>HistogramKind.Count histograms.</summary>
    public Histogram* Histograms;

    /// <summary>Records of the RT threads; the first is the audio thread's.</summary>
    public ThreadRecord* Records;

    /// <summary>Where the status is published; counters go on from what stands there.</summary>
    public Seqlock<AudioStatus>* Status;

    /// <summary>Notices to the control process.</summary>
    public SpscRing<Notice> Notices;

    /// <summary>The audio thread's trace; null: none.</summary>
    public Tape* Tape;

    /// <summary>Number of the last incident; shared with the renderer on the audio thread.</summary>
    public ulong* LastIncident;

    /// <summary>Where a recording is hung in; null: never.</summary>
    public RecordTaps* Taps;

    /// <summary>Where jacks are held, heard and set; null: never.</summary>
    public JackBench* Jacks;

    /// <summary>Where the load of each block goes; null: nowhere (tests).</summary>
    public LoadRing* Loads;

    /// <summary>Where the card's clock is published for whoever has to tell a moment's frame; null: nowhere.</summary>
    public Seqlock<FrameAnchor>* Anchor;

    /// <summary><see cref="AudioLoop.BufferBytes"/> bytes, 64-byte aligned.</summary>
    public byte* Buffers;
}

/// <summary>Constants of every loop.</summary>
public static unsafe class AudioLoop
{
    /// <summary>Bytes of <see cref="AudioLoopSetup.Buffers"/>: a quantum for each jack, and their addresses.</summary>
    public const int BufferBytes = 2 * Limits.MaxJacks * ((Limits.MaxQuantum * sizeof(float)) + 8);

    /// <summary>ns after which a silent card counts as lost, at least.</summary>
    public const ulong StallNs = 1_000_000_000;

    /// <summary>ns a stop may take beyond its fade and the buffer.</summary>
    public const ulong StopGraceNs = 250_000_000;
}

/// <summary>
/// Serves a card with what a renderer renders. Lives at a fixed address of the region; made and stopped by the steward, run by the audio
/// thread (or stepped by
/// a test). Per wake-up its system calls are the card's wait and one getrusage.
/// </summary>
public unsafe struct AudioLoop<TCard, TRender>
    where TCard : unmanaged, ICard
    where TRender : unmanaged, IQuantum
{
    private const ulong Second = 1_000_000_000, PeakWindowNs = 50_000_000;

#pragma warning disable IDE0044 // readonly would hand a copy of the card to each call, and its state would stand still
    private TCard _card;
#pragma warning restore IDE0044
    private readonly TRender* _render;
    private readonly AudioLoopSetup _setup;
    private CardFacts _facts;
    private readonly float** _inputs, _outputs;
    private readonly ulong _quantumNs;
    private ulong _waitNs, _bufferNs;
    private Incidents _incidents;
    private ReadyTimes _readyTimes;
    private FrameClock _clock;
    private MasterFade _fade;
    private PeakMeter _inputPeaks, _outputPeaks;
    private JackWork _jacks;
    private AudioStatus _status;
    private ThreadCounters _counters;
    private ulong _frame, _lastTook, _busyUntil, _progressAt, _peaksAt;
    private ulong _stopBy;
    private long _drained;
    private int _stopAsked, _stopFade, _end, _error;

    // Of the wake-up that is being served: when it came, when the present quantum began, frames left to render. Here and not on the stack,
    // because another thread may have to go on with it.
    private ulong _wokenAt, _begunAt;
    private int _available;

    // Frames were lost since the last block, not by playing it.
    private bool _lost;

    // The same for the trace, by the cycle clock; 0 where it is off.
    private ulong _begunTicks;

    /// <summary>A loop at rest. [steward]</summary>
    public AudioLoop(in TCard card, TRender* render, in AudioLoopSetup setup)
    {
        _card = card;
        _render = render;
        _setup = setup;
        _jacks = new JackWork(setup.Jacks);
        Adopt(card.Facts);
        _inputs = (float**)setup.Buffers;
        _outputs = _inputs + Limits.MaxJacks;
        var samples = (float*)(_outputs + Limits.MaxJacks);
        for (var j = 0; j < 2 * Limits.MaxJacks; j++) _inputs[j] = samples + (j * Limits.MaxQuantum);
        _quantumNs = (ulong)setup.Quantum * Second / (ulong)_facts.Rate;
        _incidents = new Incidents(setup.Notices, setup.LastIncident, _quantumNs, setup.Tape);
        _readyTimes = new ReadyTimes(_facts.Rate);
        _clock = new FrameClock(_facts.Rate);
        if (setup.Status->TryRead(out var before))
        {
            _status.Quanta = before.Quanta;
            (_incidents.Late, _incidents.Dropouts, _incidents.LostFrames) = (before.Late, before.Dropouts, before.LostFrames);
            _incidents.ClockJumps = before.ClockJumps;
            (_status.BadOutputs, _status.DroppedEvents, _status.LateEvents) = (before.BadOutputs, before.DroppedEvents, before.LateEvents);
        }

        _fade.In(setup.FadeIn);
    }

    /// <summary>Why it ended, or None. [any thread]</summary>
    public AudioEnd End => (AudioEnd)Volatile.Read(ref _end);

    /// <summary>The errno of DeviceLost. [after the end]</summary>
    public readonly int Error => _error;

    /// <summary>The card as it is by now. [steward, after the end]</summary>
    [UnscopedRef]
    public ref TCard Card => ref _card;

    /// <summary>Asks it to fade out over this many frames, let the buffer play, and end. Bounded even on a stuck card. [steward]</summary>
    public void RequestStop(int fadeFrames)
    {
        Volatile.Write(ref _stopFade, Math.Max(0, fadeFrames));
        Volatile.Write(ref _stopAsked, 1);
    }

    /// <summary>The whole life of the audio thread.</summary>
    public void Run()
    {
        if (Begin()) Serve();
    }

    /// <summary>
    /// The rest of that life on another thread, where the one before is stuck in a module: it goes on in the middle of its quantum.
    /// [standby that fills the audio thread's seat]
    /// </summary>
    public void Resume()
    {
        _counters = ThreadCounters.Read();
        if (_render->Resume(_inputs, _facts.Inputs, _outputs, _facts.Outputs) && FinishQuantum() && PlayQuantum() && RenderAvailable() && EndStep()) Serve();
    }

    private void Serve()
    {
        while (Step())
        {
        }
    }

    /// <summary>Starts the card; false (and <see cref="End"/> is DeviceLost) if it does not start. [audio-thread]</summary>
    public bool Begin()
    {
        _counters = ThreadCounters.Read();
        var error = _card.Start();
        var now = _card.Now();
        (_busyUntil, _progressAt, _peaksAt) = (now, now, now);
        if (error == 0)
        {
            Publish(now);
            return true;
        }

        return Finish(AudioEnd.DeviceLost, error);
    }

    /// <summary>One wake-up: waits for the card and renders what it has room for. False once ended. [audio-thread]</summary>
    public bool Step()
    {
        var waits = Ticks();
        var wait = _card.Wait(_setup.Quantum, _waitNs);
        var now = _card.Now();
        _wokenAt = now;
        _begunTicks = Ticks();
        if (_setup.Tape != null) _setup.Tape->Quantum = _status.Quanta;
        if (wait.State is not (CardState.Ready or CardState.XRun) || !_facts.RealTime) Zone(TraceKind.Wait, waits, 0);
        CheckStop(now);
        if (wait.Slipped != 0) _incidents.Slipped(wait.Slipped < 0 ? -wait.Slipped : wait.Slipped, _frame, now);
        _lost |= wait.Slipped != 0 || wait.State == CardState.XRun;
        _busyUntil += wait.StoodStill; // what we were behind before the card's clock stood still, we are behind after it
        _readyTimes.StoodStill(wait.StoodStill);
        switch (wait.State)
        {
            case CardState.Ended:
                return Finish(AudioEnd.DeviceEnded, 0, wait.Frames);
            case CardState.Lost:
                return Finish(AudioEnd.DeviceLost, wait.Error);
            case CardState.TimedOut:
                if (_facts.PeerPaced || _facts.Returns) _progressAt = now; // its peer may take its time; it says itself when it is away
                if (now - _progressAt > Math.Max(AudioLoop.StallNs, 4 * _bufferNs)) return Finish(AudioEnd.DeviceLost, 110); // ETIMEDOUT
                break;
            case CardState.Away:
                _progressAt = now;
                _incidents.Gone(_frame, now, _card.Error);
                _incidents.FoundAt(wait.OtherRate, _facts.Rate, _frame, now);
                Anchor(_frame + (ulong)wait.Available, now);
                (_available, _begunAt) = (wait.Available, now);
                if (!RenderAvailable()) return false;
                break;
            default:
                _progressAt = now;
                if (_facts.RealTime) NoteWakeUp(wait, now, waits);
                if (wait.State == CardState.XRun)
                {
                    if (!Recover(now)) return false;
                }
                else
                {
                    Return(now);
                    (_available, _begunAt) = (wait.Available, now);
                    if (!RenderAvailable()) return false;
                }

                break;
        }

        return EndStep();
    }

    private bool EndStep()
    {
        if (_stopBy != 0 && IsStopDone(_wokenAt)) return Finish(AudioEnd.Stopped, 0);
        Publish(_card.Now());
        return true;
    }

    // Lateness counts from when the card had a quantum and the thread had nothing else to do.
    private void NoteWakeUp(in CardWait wait, ulong now, ulong waits)
    {
        var readyAt = _readyTimes.Believe(wait, now, out var leap, out var leapNs);
        if (leap) _incidents.ClockLeapt(leapNs, _frame, now);
        if (wait.ReadyFrame != 0) Anchor(wait.ReadyFrame, readyAt);
        var late = now - Math.Min(now, Math.Max(readyAt, _busyUntil));
        var spare = _frame + (ulong)_facts.BufferFrames - Math.Min(wait.ReadyFrame, _frame + (ulong)_facts.BufferFrames);
        var slack = wait.ReadyFrame == 0 ? ulong.MaxValue : spare * Second / (ulong)_facts.Rate;
        _incidents.Woken(late, slept: readyAt > _busyUntil, slack);
        _setup.Histograms[(int)HistogramKind.Wake].Record(late);
        if (waits == 0) return;
        Zone(TraceKind.Wake, Math.Max(waits, _begunTicks - Math.Min(_begunTicks, CycleClock.ToTicks(late))), (uint)Math.Min(late, uint.MaxValue));
        Zone(TraceKind.Wait, waits, 0);
    }

    private void Anchor(ulong frame, ulong time)
    {
        if (_setup.Anchor != null && _facts.RealTime) _setup.Anchor->Write(_clock.Update(frame, time, _facts.Rate, _setup.Quantum));
    }

    private readonly ulong Ticks() => _setup.Tape == null ? 0 : _setup.Tape->Now;

    // One that ends where the present quantum begins.
    private readonly void Zone(TraceKind kind, ulong start, uint value)
    {
        if (_setup.Tape != null) _setup.Tape->Zone(kind, start, _begunTicks, value);
    }

    // False: the loop has ended, or the thread has been replaced and must touch nothing more.
    private bool RenderAvailable()
    {
        while (_available >= _setup.Quantum && !(_drained > 0 && _drained >= _facts.BufferFrames))
        {
            if (_jacks.LinesChanged()) _card.Rescale(_setup.Jacks);
            _card.Capture(_inputs, _setup.Quantum);
            if (_stopBy != 0 && _fade.IsSilent) PlayOut();
            else if (!RenderQuantum()) return false;
            if (!PlayQuantum()) return false;
        }

        return true;
    }

    private bool PlayQuantum()
    {
        var played = _card.Play(_outputs, _setup.Quantum);
        var done = _card.Now();
        var late = Account(done - _begunAt, lost: played != CardState.Ready);
        if (played == CardState.Lost) return Finish(AudioEnd.DeviceLost, _card.Error);
        _begunAt = done;
        _busyUntil = done;
        _available -= _setup.Quantum;
        if (_facts.RealTime) _render->Judge(late);
        if (played == CardState.XRun)
        {
            _available = 0;
            return Recover(done);
        }

        _incidents.Played();
        var tap = _setup.Taps == null ? null : RecordTaps.Current(_setup.Taps);
        if (tap != null && _drained == 0) Record(tap); // not before: what was rendered and could not be played is among the frames lost
        if (played == CardState.Away)
        {
            _incidents.Gone(_frame, done, _card.Error);
            if (_drained == 0) _incidents.Unheard((ulong)_setup.Quantum);
        }
        else
        {
            if (late && _incidents.Absorbed(done))
            {
                Ask();
                _incidents.TellLate(_lastTook, _frame, done, _render->Culprit());
            }

            if (_drained == 0) _status.Frames += (ulong)_setup.Quantum;
        }

        _frame += (ulong)_setup.Quantum;
        if (_setup.Header->FirstQuantumAt == 0) Volatile.Write(ref _setup.Header->FirstQuantumAt, Linux.Now());
        return true;
    }

    private bool RenderQuantum()
    {
        for (var j = 0; j < _facts.Inputs; j++) _inputPeaks.Take(j, _inputs[j], _setup.Quantum);
        _jacks.Hear(_inputs, _facts.Inputs, _setup.Quantum, _facts.Rate, _begunAt);
        return _render->Render(_inputs, _facts.Inputs, _outputs, _facts.Outputs, _frame) && FinishQuantum();
    }

    private bool FinishQuantum()
    {
        _jacks.Hold(_outputs, _facts.Outputs, _setup.Quantum, _begunAt); // before the fade: a start and a stop are gentle to it, too
        _fade.Apply(_outputs, _facts.Outputs, _setup.Quantum);
        for (var j = 0; j < _facts.Outputs; j++) _outputPeaks.Take(j, _outputs[j], _setup.Quantum);
        _status.Quanta++;
        _setup.Records->Quanta++;
        return true;
    }

    private void Record(RecordTap* tap) => tap->Push(
        new RecordBlock { Frame = _frame, Time = _begunAt, Frames = _setup.Quantum, Rate = _facts.Rate, Start = _setup.Taps->Starts },
        _inputs, _facts.Inputs, _outputs, _facts.Outputs);

    // After the fade: silence until the converter has played its last frame, or closing the device would cut it.
    private void PlayOut()
    {
        for (var j = 0; j < _facts.Outputs; j++) new Span<float>(_outputs[j], _setup.Quantum).Clear();
        _drained += _setup.Quantum;
    }

    // Times everything between the card's input and its output: conversion is part of what a quantum costs.
    private bool Account(ulong took, bool lost)
    {
        var begun = _begunTicks;
        _begunTicks = Ticks();
        _lastTook = took;
        _setup.Histograms[(int)HistogramKind.Quantum].Record(took);
        var load = took * 1_000_000 / _quantumNs;
        _setup.Histograms[(int)HistogramKind.Load].Record(load);
        _status.Load = load * 1e-6f;
        if (_drained == 0) // what is played out after the end was not rendered
        {
            Zone(TraceKind.Quantum, begun, (uint)Math.Min(load, uint.MaxValue));
            if (_setup.Loads != null) LoadRing.Push(_setup.Loads, BlockLoad.Of(took, _quantumNs, lost || _lost));
            _lost = false;
        }

        return _facts.RealTime && _incidents.Rendered(took);
    }

    private bool Recover(ulong now)
    {
        var recovery = _card.Recover();
        if (recovery.State == CardState.Lost) return Finish(AudioEnd.DeviceLost, recovery.Error);
        if (recovery.State == CardState.Away) _incidents.Gone(_frame, now, _card.Error);
        var cause = _incidents.CauseOf(recovery.Early);
        var culprit = cause == DropoutCause.SlowRender ? _render->Culprit() : Culprit.None;
        Ask();
        _incidents.Lost(recovery.Skipped + recovery.Unplayed, cause, _frame, now, culprit);
        _frame += (ulong)recovery.Skipped;
        _status.Frames -= Math.Min((ulong)recovery.Unplayed, _status.Frames);
        _busyUntil = _card.Now();
        if (recovery.State == CardState.Ready) Return(now);
        return true;
    }

    // What the kernel did to this thread since the wake-up before: asked once more where there is something to explain.
    private void Ask()
    {
        var now = ThreadCounters.Read();
        _incidents.Suffered((uint)(now.Faults - _counters.Faults), (uint)(now.Preemptions - _counters.Preemptions));
    }

    // A card that was away runs again: what it plays from here on begins like a start.
    private void Return(ulong now)
    {
        if (!_incidents.Back(now)) return;
        Adopt(_card.Facts);
        _jacks.ForgetLines();
        if (_stopBy != 0) return;
        _fade.Out(0);
        _fade.In(_setup.FadeIn);
    }

    private void Adopt(in CardFacts facts)
    {
        _facts = facts;
        _bufferNs = (ulong)_facts.BufferFrames * Second / (ulong)_facts.Rate;
        _waitNs = Math.Max(100_000_000, 2 * _bufferNs);
    }

    private void CheckStop(ulong now)
    {
        if (_stopBy != 0 || Volatile.Read(ref _stopAsked) == 0) return;
        var fade = Volatile.Read(ref _stopFade);
        _fade.Out(fade);
        _stopBy = now + ((ulong)fade * Second / (ulong)_facts.Rate) + (2 * _bufferNs) + AudioLoop.StopGraceNs;
    }

    private readonly bool IsStopDone(ulong now) =>
        now > _stopBy || (_fade.IsSilent && (!_facts.RealTime || _drained >= _facts.BufferFrames));

    private bool Finish(AudioEnd end, int error, ulong frames = 0)
    {
        _error = error;
        if (_setup.Anchor != null) _setup.Anchor->Write(default);
        _card.Stop();
        var now = _card.Now();
        if (end == AudioEnd.DeviceEnded) _incidents.DeviceEnded(_frame, now, frames);
        if (end == AudioEnd.DeviceLost) _incidents.DeviceLost(_frame, now, error);
        Publish(now);
        Volatile.Write(ref _end, (int)end);
        return false;
    }

    // Once per wake-up, after its work: what the kernel and the runtime counted meanwhile, and the snapshot for whoever looks.
    private void Publish(ulong now)
    {
        var counters = ThreadCounters.Read();
        var own = _setup.Records;
        if (_setup.Tape != null) counters.Tell(in _counters, ref *_setup.Tape);
        own->Faults += counters.Faults - _counters.Faults;
        own->Preemptions += counters.Preemptions - _counters.Preemptions;
        own->AllocatedBytes += counters.AllocatedBytes - _counters.AllocatedBytes;
        _counters = counters;

        if (now - _peaksAt >= PeakWindowNs)
        {
            _peaksAt = now;
            _inputPeaks.Turn();
            _outputPeaks.Turn();
        }

        ref var s = ref _status;
        (s.Late, s.Dropouts, s.LostFrames) = (_incidents.Late, _incidents.Dropouts, _incidents.LostFrames);
        (s.ClockJumps, s.Away) = (_incidents.ClockJumps, _incidents.IsAway ? 1 : 0);
        (s.AllocatedBytes, s.Faults) = (0, 0);
        for (var i = 0; i < _setup.Threads; i++)
        {
            s.AllocatedBytes += own[i].AllocatedBytes;
            s.Faults += own[i].Faults;
        }

        (s.Rate, s.Quantum, s.Period, s.Periods) = (_facts.Rate, _setup.Quantum, _facts.Period, _facts.Periods);
        (s.Inputs, s.Outputs, s.Threads, s.RealTime) = (_facts.Inputs, _facts.Outputs, _setup.Threads, own->Policy == 1 ? 1 : 0);
        s.Time = now;
        s.MasterGain = _fade.Gain;
        fixed (float* peaks = s.InputPeaks) _inputPeaks.Read(peaks, _facts.Inputs);
        fixed (float* peaks = s.OutputPeaks) _outputPeaks.Read(peaks, _facts.Outputs);
        _render->Report(ref s);
        _setup.Status->Write(s);
    }
}
