// A whole filter module around a circuit: sixteen voices, two qualities, sleep.
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>What a module that is a <see cref="Circuit{TCore}"/> and nothing else calls. Its first setting is <see cref="Quality"/>.</summary>
public readonly unsafe struct CircuitFilter<TCore> where TCore : unmanaged, ICircuitCore
{
    private const int Groups = Limits.MaxChannels / 4;

    // Doublings of the rate.
    private const int Standard = 1, High = Oversampler.MostDoublings;

    private readonly Circuit<TCore>* _groups;
    private readonly ulong _seed;
    private readonly int _doublings;

    /// <summary>The setting that every circuit has.</summary>
    public static SettingDescriptor Quality => new("quality", "Quality", 0, 1, 0,
        "High keeps the response of the circuit up to 16 kHz, for four times the work.", "standard", "high");

    /// <summary>The input that moves the resonance.</summary>
    public static PortDescriptor ResonanceIn => new("resonance", "Resonance CV", "Moves the resonance by its amount; may be audio.");

    /// <summary>How far that input moves it.</summary>
    public static ParameterDescriptor ResonanceAmount => new("resonance_amount", "Resonance amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
        "How far 10 V at the resonance CV move it, as a part of its whole travel.");

    /// <summary>Memory of all voices.</summary>
    public static void Require(ref Requirements need) => need.Need<Circuit<TCore>>(Groups);

    /// <summary>In memory of <see cref="Require"/>.</summary>
    public CircuitFilter(in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        _groups = memory.Take<Circuit<TCore>>(Groups);
        _doublings = setup.Settings[0] == 0 ? Standard : High;
        _seed = setup.Seed;
        timing.LatencyFrames = Oversampler.Latency(_doublings);
        timing.TailFrames = -1;
    }

    /// <summary>Forgets everything.</summary>
    public void Reset() => Block.Zero(_groups, Groups);

    /// <summary>One quantum.</summary>
    public ProcessResult Process(in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[0].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            // The noise of a moment is a function of the moment, so that a voice that slept hears the same as one that did not.
            var noise = _seed + context.Time + (ulong)(segment * Limits.Grid);
            for (var first = 0; first < channels; first += 4)
                asleep &= _groups[first / 4].Segment(in context, segment, first, channels, _doublings, noise);
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }
}
