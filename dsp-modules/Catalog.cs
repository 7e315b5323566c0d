// Every module that ships, in the order that gives them their numbers: one block a family.
using SspHost.Abi;

namespace SspHost.Modules;

/// <summary>Is shown each module type once; how a composition root registers them without reflection.</summary>
public interface IModuleVisitor
{
    /// <summary>Takes one module type.</summary>
    void Visit<T>() where T : unmanaged, IModule<T>;
}

/// <summary>The list of modules.</summary>
public static class Catalog
{
    /// <summary>Shows every module to <paramref name="visitor"/>. [start-up]</summary>
    public static void VisitAll<TVisitor>(ref TVisitor visitor) where TVisitor : IModuleVisitor
    {
        // Sources
        visitor.Visit<Vco>();
        visitor.Visit<SamplePlayer>();
        visitor.Visit<Noise>();
        visitor.Visit<PluckString>();
        visitor.Visit<Modal>();
        visitor.Visit<Granular>();
        visitor.Visit<Kick>();
        visitor.Visit<Snare>();
        visitor.Visit<Hat>();
        visitor.Visit<Clap>();
        visitor.Visit<Supersaw>();
        visitor.Visit<Chord>();
        visitor.Visit<Wavetable>();
        visitor.Visit<Additive>();
        visitor.Visit<Fm6>();

        // Filters
        visitor.Visit<LadderFilter>();
        visitor.Visit<StateVariableFilter>();
        visitor.Visit<DiodeLadderFilter>();
        visitor.Visit<SallenKeyFilter>();
        visitor.Visit<Vowel>();
        visitor.Visit<Comb>();
        visitor.Visit<ParametricEq>();
        visitor.Visit<Crossover>();

        // Dynamics
        visitor.Visit<Vca>();
        visitor.Visit<LowPassGate>();
        visitor.Visit<Compressor>();
        visitor.Visit<Limiter>();
        visitor.Visit<NoiseGate>();
        visitor.Visit<Wavefolder>();
        visitor.Visit<Saturator>();
        visitor.Visit<BitCrusher>();
        visitor.Visit<RingModulator>();
        visitor.Visit<FrequencyShifter>();

        // Space
        visitor.Visit<Delay>();
        visitor.Visit<Reverb>();
        visitor.Visit<Plate>();
        visitor.Visit<Chorus>();
        visitor.Visit<Flanger>();
        visitor.Visit<Phaser>();
        visitor.Visit<Convolution>();
        visitor.Visit<PitchShifter>();
        visitor.Visit<SpectralFreeze>();
        visitor.Visit<Looper>();

        // Modulation
        visitor.Visit<Adsr>();
        visitor.Visit<Lfo>();
        visitor.Visit<Seq8>();
        visitor.Visit<SampleHold>();
        visitor.Visit<Quantizer>();
        visitor.Visit<Clock>();
        visitor.Visit<EnvelopeFollower>();
        visitor.Visit<Comparator>();
        visitor.Visit<Logic>();
        visitor.Visit<Function>();
        visitor.Visit<Slew>();
        visitor.Visit<RandomRegister>();
        visitor.Visit<Euclid>();
        visitor.Visit<StepSequencer>();
        visitor.Visit<ClockDivider>();
        visitor.Visit<CvRecorder>();

        // Utility
        visitor.Visit<AudioIn>();
        visitor.Visit<AudioOut>();
        visitor.Visit<Attenuverter>();
        visitor.Visit<Mixer>();
        visitor.Visit<Panner>();
        visitor.Visit<Recorder>();
        visitor.Visit<Voltage>();
        visitor.Visit<Voltmeter>();
        visitor.Visit<Switch>();
        visitor.Visit<MatrixMixer>();
        visitor.Visit<Crossfade>();
        visitor.Visit<MidiCv>();
        visitor.Visit<Scope>();
        visitor.Visit<SpectrumAnalyser>();
        visitor.Visit<Tuner>();
    }
}
