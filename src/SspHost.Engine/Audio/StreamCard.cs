// Offline: renders as fast as the rings are fed and drained, exactly as many frames as asked or as came in.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>
/// A card without time. It ends by itself after AudioConfig.Frames or, where that is 0, with its input; the output then has exactly that
/// many frames. With neither it goes on until stopped. While nothing can be done it sleeps half a millisecond at a time.
/// </summary>
public unsafe struct StreamCard : ICard
{
    private const int MaxQuantaPerWait = 16; // between two snapshots of the status

    private readonly StreamEnds _ends;
    private readonly CardFacts _facts;
    private readonly ulong _total;
    private ulong _written;
    private int _captured;

    /// <summary>A stopped card over checked rings.</summary>
    public StreamCard(in AudioConfig config, in StreamEnds ends)
    {
        _ends = ends;
        _total = config.Frames;
        _facts = new CardFacts
        {
            Rate = config.Rate,
            Period = config.Quantum,
            Periods = 1,
            BufferFrames = config.Quantum,
            Inputs = config.Inputs,
            Outputs = config.Outputs,
            RealTime = false,
            PeerPaced = true,
        };
    }

    /// <inheritdoc/>
    public readonly CardFacts Facts => _facts;

    /// <inheritdoc/>
    public readonly int Error => 0;

    /// <inheritdoc/>
    public readonly ulong Now() => Linux.Now();

    /// <inheritdoc/>
    public int Start()
    {
        _written = 0;
        return 0;
    }

    /// <inheritdoc/>
    public readonly CardWait Wait(int quantum, ulong timeoutNs)
    {
        var started = Linux.Now();
        while (true)
        {
            var readable = _ends.Readable(out var last);
            var left = _total > 0 ? _total - _written : last ? readable : ulong.MaxValue;
            if (left == 0) return new CardWait { State = CardState.Ended, Frames = _written };
            var want = Math.Min((ulong)quantum, left);
            var enough = last || readable >= want; // after the end, silence makes up the rest
            var writable = _ends.Writable;
            if (enough && writable >= want)
            {
                var whole = Math.Min(Math.Min(last ? left : readable, writable), left) / (ulong)quantum;
                return new CardWait { State = CardState.Ready, Available = (int)Math.Clamp(whole, 1, MaxQuantaPerWait) * quantum };
            }

            if (Linux.Now() - started > timeoutNs) return new CardWait { State = CardState.TimedOut };
            _ends.WaitForPeer(forInput: !enough);
        }
    }

    /// <inheritdoc/>
    public void Capture(float** inputs, int frames) => _captured = _ends.Read(inputs, _facts.Inputs, frames);

    /// <inheritdoc/>
    public CardState Play(float** outputs, int frames)
    {
        var count = _total > 0 ? (int)Math.Min((ulong)frames, _total - _written) : _captured;
        _ends.Write(outputs, _facts.Outputs, count);
        _written += (ulong)count;
        return CardState.Ready;
    }

    /// <inheritdoc/>
    public readonly CardRecovery Recover() => default;

    /// <inheritdoc/>
    public readonly void Rescale(JackBench* lines)
    {
        // Volts go in and out as they are: there is no converter.
    }

    /// <inheritdoc/>
    public readonly void Stop()
    {
    }
}
