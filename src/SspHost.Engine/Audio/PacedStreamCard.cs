// A recording in real time: the rings of a stream, the hardware pointer of a simulated card.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// Captures from and plays to the stream rings at the card's rate. If the engine is late, the lost frames are skipped in the input and
/// silent in the
/// output, so that the two recordings stay in step. If the peer is late with its ring, the card's clock stands still meanwhile and
/// nothing is lost.
/// Ends by itself as <see cref="StreamCard"/> does.
/// </summary>
public unsafe struct PacedStreamCard<TClock> : ICard where TClock : unmanaged, ICardClock
{
    private readonly StreamEnds _ends;
    private readonly CardFacts _facts;
    private readonly ulong _total;
    private PacedPointer<TClock> _pointer;
    private ulong _toSkip, _toSilence; // of lost frames: not yet taken from the input, not yet written to the output
    private int _unplayed; // taken from the input by a quantum that came too late
    private ulong _written;
    private int _captured;

    /// <summary>A stopped card over checked rings.</summary>
    public PacedStreamCard(TClock clock, in AudioConfig config, in StreamEnds ends)
    {
        var periods = PacedPointer<TClock>.PeriodsFor(config.Period, config.Periods, config.Quantum);
        _ends = ends;
        _total = config.Frames;
        _facts = new CardFacts
        {
            Rate = config.Rate,
            Period = config.Period,
            Periods = periods,
            BufferFrames = config.Period * periods,
            Inputs = config.Inputs,
            Outputs = config.Outputs,
            RealTime = true,
            PeerPaced = true,
        };
        _pointer = new PacedPointer<TClock>(clock, config.Rate, config.Period, _facts.BufferFrames);
    }

    /// <inheritdoc/>
    public readonly CardFacts Facts => _facts;

    /// <inheritdoc/>
    public readonly int Error => 0;

    /// <inheritdoc/>
    public ulong Now() => _pointer.Now();

    /// <inheritdoc/>
    public int Start()
    {
        (_toSkip, _toSilence, _written, _unplayed) = (0, 0, 0, 0);
        _pointer.Start();
        return 0;
    }

    /// <inheritdoc/>
    public CardWait Wait(int quantum, ulong timeoutNs)
    {
        var wait = _pointer.Wait(quantum, timeoutNs);
        if (wait.State != CardState.Ready) return wait;
        var begun = _pointer.Now();
        var stoodStill = false;
        while (true)
        {
            SettleGap();
            var readable = _ends.Readable(out var last);
            var left = _total > 0 ? _total - _written : last ? readable : ulong.MaxValue;
            var settled = _toSkip == 0 && _toSilence == 0;
            if (settled && left == 0)
            {
                (wait.State, wait.Frames) = (CardState.Ended, _written);
                return wait;
            }

            var want = Math.Min((ulong)quantum, left);
            var enough = _toSkip == 0 && (last || readable >= want);
            if (settled && enough && _ends.Writable >= want) break;
            if (_pointer.Now() - begun > timeoutNs)
            {
                wait.State = CardState.TimedOut;
                break;
            }

            stoodStill = true;
            _ends.WaitForPeer(forInput: !enough);
        }

        if (stoodStill)
        {
            wait.StoodStill = _pointer.Now() - begun;
            wait.ReadyAt += wait.StoodStill; // or the peer's delay would be taken for a late wake-up of ours
            _pointer.StoodStill(wait.StoodStill);
        }

        wait.Available = Math.Min(wait.Available, quantum); // the rings are looked at before each quantum
        return wait;
    }

    /// <inheritdoc/>
    public void Capture(float** inputs, int frames) => _captured = _ends.Read(inputs, _facts.Inputs, frames);

    /// <inheritdoc/>
    public CardState Play(float** outputs, int frames)
    {
        if (_pointer.IsLate())
        {
            _unplayed = _captured;
            return CardState.XRun;
        }

        var count = _total > 0 ? (int)Math.Min((ulong)frames, _total - _written) : _captured;
        _ends.Write(outputs, _facts.Outputs, count);
        _written += (ulong)count;
        _pointer.Advance(frames);
        return CardState.Ready;
    }

    /// <inheritdoc/>
    public CardRecovery Recover()
    {
        var lost = _pointer.Resync();
        _toSkip = _ends.HasInput ? (ulong)(lost - _unplayed) : 0;
        _toSilence = EndsWithInput ? (ulong)_unplayed : (ulong)lost;
        _unplayed = 0;
        return new CardRecovery { Skipped = lost };
    }

    /// <inheritdoc/>
    public readonly void Rescale(JackBench* lines)
    {
        // Volts go in and out as they are: there is no converter.
    }

    /// <inheritdoc/>
    public readonly void Stop()
    {
    }

    private readonly bool EndsWithInput => _total == 0 && _ends.HasInput;

    // Moves the gap through both rings as far as they let it. A gap that reaches beyond the end of the recording ends there.
    private void SettleGap()
    {
        if (_toSkip > 0)
        {
            _ = _ends.Readable(out var last);
            var skipped = _ends.Skip(_toSkip);
            if (EndsWithInput) _toSilence += skipped;
            _toSkip = last && skipped < _toSkip ? 0 : _toSkip - skipped;
        }

        if (_toSilence == 0) return;
        if (_total > 0) _toSilence = Math.Min(_toSilence, _total - _written);
        var done = _ends.WriteSilence(_toSilence);
        _toSilence -= done;
        _written += done;
    }
}
