// Sixteen frames of many delay lines, turned so that the lines of one frame lie side by side: how rooms read and write.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>A tile holds frame i of line k at <c>i * lines + k</c>; lines are a multiple of four.</summary>
public static unsafe class LineTile
{
    // Beyond this a line clips; music at 5 V keeps it near 1 V.
    private const float Most = 40f;

    /// <summary>Reads every line along its own stretch of delays.</summary>
    public static void Read(SegmentLine* lines, int count, float* from, float* to, float* tile)
    {
        var four = stackalloc float[4 * Limits.Grid];
        for (var line = 0; line < count; line += 4)
        {
            for (var k = 0; k < 4; k++) lines[line + k].Read(four + (k * Limits.Grid), (double)from[line + k], to[line + k]);
            for (var i = 0; i < Limits.Grid; i += 4)
            {
                var a = Vector128.Load(four + i);
                var b = Vector128.Load(four + Limits.Grid + i);
                var c = Vector128.Load(four + (2 * Limits.Grid) + i);
                var d = Vector128.Load(four + (3 * Limits.Grid) + i);
                Transpose.Four(ref a, ref b, ref c, ref d);
                var target = tile + (i * count) + line;
                a.Store(target);
                b.Store(target + count);
                c.Store(target + (2 * count));
                d.Store(target + (3 * count));
            }
        }
    }

    /// <summary>Writes every line and goes on to the next segment. What is far below hearing becomes 0, what is far beyond it is cut.</summary>
    public static void Write(SegmentLine* lines, int count, float* tile)
    {
        var four = stackalloc float[4 * Limits.Grid];
        var least = Vector128.Create(-Most);
        var most = Vector128.Create(Most);
        for (var line = 0; line < count; line += 4)
        {
            for (var i = 0; i < Limits.Grid; i += 4)
            {
                var source = tile + (i * count) + line;
                var a = Vector128.Load(source);
                var b = Vector128.Load(source + count);
                var c = Vector128.Load(source + (2 * count));
                var d = Vector128.Load(source + (3 * count));
                Transpose.Four(ref a, ref b, ref c, ref d);
                Kept(a, least, most).Store(four + i);
                Kept(b, least, most).Store(four + Limits.Grid + i);
                Kept(c, least, most).Store(four + (2 * Limits.Grid) + i);
                Kept(d, least, most).Store(four + (3 * Limits.Grid) + i);
            }

            for (var k = 0; k < 4; k++)
            {
                lines[line + k].Write(four + (k * Limits.Grid));
                lines[line + k].Advance();
            }
        }
    }

    /// <summary>
    /// The <see cref="Absorption"/> of four lines, one frame: transposed direct form II, one value stored a line.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Filter(ref Vector128<float> state, float* frame, int at, float* b0, float* b1, float* a1)
    {
        var x = Vector128.Load(frame + at);
        var y = (x * Vector128.Load(b0 + at)) + state;
        state = (x * Vector128.Load(b1 + at)) - (y * Vector128.Load(a1 + at));
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Kept(Vector128<float> v, Vector128<float> least, Vector128<float> most) =>
        Denormal.Flush(Vector128.MinNative(Vector128.MaxNative(v, least), most));
}
