// Phases of four voices in whole numbers, which sleep through any time and wake at the same bits.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>Phase and increment in 2^-32 turns (1.1e-5 Hz at 48 kHz): so many frames at once arrive where one after the other do.</summary>
public struct PhaseLanes
{
    private Vector128<uint> _phase;

    /// <summary>The phase in turns, -0.5..0.5.</summary>
    public readonly Vector128<float> Turns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.ConvertToSingle(_phase.AsInt32()) * Vector128.Create(1f / 4294967296f);
    }

    /// <summary>Moves on by <paramref name="turns"/>, held within -0.49..0.49, so many <paramref name="frames"/> long.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Advance(Vector128<float> turns, uint frames = 1)
    {
        turns = Vector128.MinNative(Vector128.MaxNative(turns, Vector128.Create(-0.49f)), Vector128.Create(0.49f));
        var step = Vector128.ConvertToInt32Native(turns * Vector128.Create(4294967296f)).AsUInt32();
        _phase += frames == 1 ? step : step * Vector128.Create(frames);
    }
}
