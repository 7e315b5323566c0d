// Whether the music goes on, for whoever would restart the service: quanta are counted, or there is a good reason why not.
using SspHost.Abi;
using SspHost.Abi.Link;

namespace SspHost.Supervision;

/// <summary>
/// Asked now and then. What plays must have played more than when it was asked before; audio that nobody wants, and a device that is known to be gone
/// (an unplugged USB card is no hang: the engine waits for it), are well as they are. An engine that is not there is none of these. [one thread]
/// </summary>
internal sealed class AudioProgress
{
    private ulong _quanta;
    private int _generation = -1;

    /// <summary>Looks at an engine; <paramref name="wanted"/>: audio ought to play. True: all is well.</summary>
    public bool Look(EngineSlot slot, bool wanted)
    {
        if (!wanted) return true;
        var (state, away, quanta) = Read(slot);
        return Judge(state, away, quanta, slot.Generation);
    }

    /// <summary>What an engine says of its audio: its state, whether its device is known to be gone, and the quanta it has played. Without an engine it is starting.</summary>
    internal static (EngineState State, bool Away, ulong Quanta) Read(EngineSlot slot) => slot.Try(
        static link => link.TryAudio(out var a) ? (link.State, a.Away != 0, a.Quanta) : (link.State, false, 0UL), (EngineState.Starting, false, 0UL));

    /// <inheritdoc cref="Look"/>
    internal bool Judge(EngineState state, bool away, ulong quanta, int generation)
    {
        var moved = generation != _generation || quanta != _quanta;
        var playing = state == EngineState.Playing;
        if (playing) (_generation, _quanta) = (generation, quanta);
        return (playing && (moved || away)) || state == EngineState.DeviceLost;
    }
}
