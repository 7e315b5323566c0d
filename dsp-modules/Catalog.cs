// Every module that ships, in the order that gives them their numbers.
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
        visitor.Visit<AudioIn>();
        visitor.Visit<AudioOut>();
        visitor.Visit<Vco>();
        visitor.Visit<SamplePlayer>();
        visitor.Visit<LadderFilter>();
        visitor.Visit<Delay>();
        visitor.Visit<Adsr>();
        visitor.Visit<Lfo>();
        visitor.Visit<Seq8>();
        visitor.Visit<Vca>();
        visitor.Visit<Mixer>();
        visitor.Visit<Noise>();
        visitor.Visit<StateVariableFilter>();
        visitor.Visit<SampleHold>();
        visitor.Visit<Quantizer>();
        visitor.Visit<Clock>();
        visitor.Visit<Attenuverter>();
        visitor.Visit<Comparator>();
        visitor.Visit<Logic>();
        visitor.Visit<Panner>();
        visitor.Visit<EnvelopeFollower>();
        visitor.Visit<Wavefolder>();
        visitor.Visit<Compressor>();
        visitor.Visit<Reverb>();
    }
}
