// A struck instrument of up to sixteen voices, four at a time: it plays from a strike until nothing is left, and costs nothing between.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>Where a drum is in its work: sixteen frames of four voices.</summary>
public readonly unsafe ref struct StruckSegment(int segment, int first, int channels, Vector128<float>* strikes, ulong seed)
{
    /// <summary>Number of the segment.</summary>
    public readonly int Segment = segment;

    /// <summary>The first of the four voices.</summary>
    public readonly int First = first;

    /// <summary>Voices there are in all.</summary>
    public readonly int Channels = channels;

    /// <summary>Strength of the strikes in each frame, by voice, 0 where there is none; null where the whole segment has none.</summary>
    public readonly Vector128<float>* Strikes = strikes;

    /// <summary>The instance's seed.</summary>
    public readonly ulong Seed = seed;

    /// <summary>The segment's first frame within the quantum.</summary>
    public int At => Segment * Limits.Grid;
}

/// <summary>What four voices of a drum are made of. Zeroed memory is a drum at rest.</summary>
public unsafe interface IStruck<TSelf> where TSelf : unmanaged, IStruck<TSelf>
{
    /// <summary>Fills sixteen frames; true while anything still sounds. [process]</summary>
    static abstract bool Play(ref TSelf self, in ProcessContext context, in StruckSegment now, Vector128<float>* frames);
}

/// <summary>Four voices of a drum and what strikes them. Zeroed memory is rest.</summary>
public unsafe struct StruckVoices<T> where T : unmanaged, IStruck<T>
{
    private DrumGroup _strikes;
    private T _voices;
    private bool _sounds;

    /// <summary>All groups of four over a quantum, into output 0; they may sleep once nothing sounds. [process]</summary>
    /// <param name="groups">As many as there are voices, divided by four.</param>
    /// <param name="context">The quantum.</param>
    /// <param name="ports">What strikes.</param>
    /// <param name="accent">Parameter that says how much the accent decides.</param>
    /// <param name="key">Parameter of the note that strikes.</param>
    /// <param name="seed">The instance's.</param>
    public static ProcessResult Process(
        StruckVoices<T>* groups, in ProcessContext context, in StrikePorts ports, int accent, int key, ulong seed)
    {
        var strikes = stackalloc Vector128<float>[Limits.Grid];
        var frames = stackalloc Vector128<float>[Limits.Grid];
        var channels = context.Outputs[0].Channels;
        var asleep = true;
        for (var first = 0; first < channels; first += 4)
        {
            var group = groups + (first / 4);
            for (var segment = 0; segment < context.Segments; segment++)
            {
                var struck = group->_strikes.Read(in context, in ports, first, channels, segment,
                    context.Param(accent, segment), (int)MathF.Round(context.Param(key, segment)), strikes);
                if (struck || group->_sounds)
                {
                    var now = new StruckSegment(segment, first, channels, struck ? strikes : null, seed);
                    group->_sounds = T.Play(ref group->_voices, in context, in now, frames);
                    asleep = false;
                }
                else
                {
                    for (var i = 0; i < Limits.Grid; i++) frames[i] = Vector128<float>.Zero;
                }

                VoiceLanes.Store(in context, 0, first, channels, segment * Limits.Grid, frames);
            }
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }
}
