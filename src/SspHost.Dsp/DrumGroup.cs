// What four voices of a drum share: their strikes, gathered into one vector a frame.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>The strike inputs of four voices.</summary>
public struct DrumGroup
{
    private StrikeInput _a, _b, _c, _d;

    /// <summary>
    /// strikes[i] = strengths of the four voices in frame i, 0 where none is struck. True where any is struck in the segment; otherwise
    /// nothing is written. Voices from <paramref name="channels"/> on are never struck.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public unsafe bool Read(
        in ProcessContext context, in StrikePorts ports, int first, int channels, int segment, float accent, int key,
        Vector128<float>* strikes)
    {
        float* lanes = stackalloc float[4 * Limits.Grid];
        Block.Clear(lanes, 4 * Limits.Grid);
        var any = _a.Read(in context, in ports, first, segment, accent, key, lanes, 4);
        if (first + 1 < channels) any |= _b.Read(in context, in ports, first + 1, segment, accent, key, lanes + 1, 4);
        if (first + 2 < channels) any |= _c.Read(in context, in ports, first + 2, segment, accent, key, lanes + 2, 4);
        if (first + 3 < channels) any |= _d.Read(in context, in ports, first + 3, segment, accent, key, lanes + 3, 4);
        if (!any) return false;
        for (var i = 0; i < Limits.Grid; i++) strikes[i] = Vector128.Load(lanes + (i * 4));
        return true;
    }
}
