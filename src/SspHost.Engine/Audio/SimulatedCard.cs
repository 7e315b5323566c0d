// A card made of a clock: the default where there is no sound card, and the place where every fault can be staged.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>What a test or a measurement plugs into the jacks of a simulated card. All null: silence in, nothing heard.</summary>
public unsafe struct SimulatedJacks
{
    /// <summary>Volts at input j in frame f of the converter's clock: <c>Source[j * Frames + f]</c>; silence beyond.</summary>
    public float* Source;

    /// <summary>
    /// Volts the converter played at output j as its frame f: <c>Played[j * Frames + f]</c>. A frame nobody wrote is left as it was.
    /// </summary>
    public float* Played;

    /// <summary>Frames of each.</summary>
    public long Frames;
}

/// <summary>
/// A card whose hardware pointer follows <typeparamref name="TClock"/>. Rendered frame f is played as the converter's frame f +
/// BufferFrames.
/// </summary>
public unsafe struct SimulatedCard<TClock> : ICard where TClock : unmanaged, ICardClock
{
    private PacedPointer<TClock> _pointer;
    private readonly SimulatedJacks _jacks;
    private readonly CardFacts _facts;

    /// <summary>A stopped card. Periods are raised where the buffer could not hold the quantum (see Facts).</summary>
    public SimulatedCard(TClock clock, in AudioConfig config, SimulatedJacks jacks = default)
    {
        var periods = PacedPointer<TClock>.PeriodsFor(config.Period, config.Periods, config.Quantum);
        _facts = new CardFacts
        {
            Rate = config.Rate,
            Period = config.Period,
            Periods = periods,
            BufferFrames = config.Period * periods,
            Inputs = config.Inputs,
            Outputs = config.Outputs,
            RealTime = true,
        };
        _pointer = new PacedPointer<TClock>(clock, config.Rate, config.Period, _facts.BufferFrames);
        _jacks = jacks;
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
        _pointer.Start();
        return 0;
    }

    /// <inheritdoc/>
    public CardWait Wait(int quantum, ulong timeoutNs) => _pointer.Wait(quantum, timeoutNs);

    /// <inheritdoc/>
    public void Capture(float** inputs, int frames)
    {
        var at = (long)_pointer.Position;
        var there = _jacks.Source == null ? 0 : (int)Math.Max(0, Math.Min(_jacks.Frames - at, frames));
        for (var j = 0; j < _facts.Inputs; j++)
        {
            if (there > 0) new ReadOnlySpan<float>(_jacks.Source + (j * _jacks.Frames) + at, there).CopyTo(new Span<float>(inputs[j], there));
            new Span<float>(inputs[j] + there, frames - there).Clear();
        }
    }

    /// <inheritdoc/>
    public CardState Play(float** outputs, int frames)
    {
        if (_pointer.IsLate()) return CardState.XRun;
        if (_jacks.Played != null)
        {
            var at = (long)_pointer.Position + _facts.BufferFrames;
            var there = (int)Math.Max(0, Math.Min(_jacks.Frames - at, frames));
            for (var j = 0; j < _facts.Outputs && there > 0; j++)
                new ReadOnlySpan<float>(outputs[j], there).CopyTo(new Span<float>(_jacks.Played + (j * _jacks.Frames) + at, there));
        }

        _pointer.Advance(frames);
        return CardState.Ready;
    }

    /// <inheritdoc/>
    public CardRecovery Recover() => new() { Skipped = _pointer.Resync() };

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
