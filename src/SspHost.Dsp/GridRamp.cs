// A parameter between two grid points: a straight line of sixteen frames, so that nothing is heard of the grid.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>Linear interpolation within one segment of <see cref="Limits.Grid"/> frames.</summary>
public readonly struct GridRamp
{
    /// <summary>Value at the segment's first frame.</summary>
    public readonly float Start;

    /// <summary>Change per frame.</summary>
    public readonly float Step;

    /// <summary>From the value at one grid point to the value at the next.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GridRamp(float from, float to)
    {
        Start = from;
        Step = (to - from) * (1f / Limits.Grid);
    }

    /// <summary>Parameter <paramref name="index"/> over segment <paramref name="segment"/> of this quantum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GridRamp(in ProcessContext context, int index, int segment)
        : this(context.Param(index, segment), context.Param(index, segment + 1))
    {
    }

    /// <summary>Whether parameter <paramref name="index"/> moves anywhere in this quantum.</summary>
    public static bool Moves(in ProcessContext context, int index)
    {
        for (var segment = 1; segment <= context.Segments; segment++)
        {
            if (context.Param(index, segment) != context.Param(index)) return true;
        }

        return false;
    }

    /// <summary>Value at frame <paramref name="i"/> of the segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float At(int i) => Start + (Step * i);

    /// <summary>Values at frames i..i+3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Four(int i) =>
        Vector128.Create(Start) + (Vector128.Create(Step) * (Vector128.Create((float)i) + Vector128.Create(0f, 1f, 2f, 3f)));
}
