// Sixteen frames of a band-limited wave whose frequency stands still: no frame is looked at one by one, only its corners are.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>
/// The phase of frame i is frac(phase + increment (i + 1)), increments 0..0.5 turns a frame. A corner at part <c>at</c> of the turn falls
/// where that passes k + at; its residual (see <see cref="BlepTable"/>) goes to the frames around it.
/// Waves are written over <see cref="Stride"/> floats: residuals from the first on, ideal samples <see cref="BlepTable.Latency"/> later, so
/// that the first <see cref="Limits.Grid"/> are complete once a segment was rendered; <see cref="Shift"/> then makes room for the next.
/// </summary>
public static unsafe class BlepSegment
{
    /// <summary>Floats a wave needs.</summary>
    public const int Stride = Limits.Grid + BlepTable.Taps;

    /// <summary>Fills in the phases of the segment's frames, 0..1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Phases(float* phases, double phase, double increment)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            var begin = Vector256.Create(phase);
            var steps = Vector256.Create(increment);
            var (a, b) = (At(begin, steps, Vector256.Create(1.0, 2.0, 3.0, 4.0)), At(begin, steps, Vector256.Create(5.0, 6.0, 7.0, 8.0)));
            var (c, d) = (At(begin, steps, Vector256.Create(9.0, 10.0, 11.0, 12.0)), At(begin, steps, Vector256.Create(13.0, 14.0, 15.0, 16.0)));
            Vector256.Narrow(a, b).Store(phases);
            Vector256.Narrow(c, d).Store(phases + 8);
            return;
        }

        var start = Vector128.Create(phase);
        var step = Vector128.Create(increment);
        Vector128.Narrow(At(start, step, Vector128.Create(1.0, 2.0)), At(start, step, Vector128.Create(3.0, 4.0))).Store(phases);
        Vector128.Narrow(At(start, step, Vector128.Create(5.0, 6.0)), At(start, step, Vector128.Create(7.0, 8.0))).Store(phases + 4);
        Vector128.Narrow(At(start, step, Vector128.Create(9.0, 10.0)), At(start, step, Vector128.Create(11.0, 12.0))).Store(phases + 8);
        Vector128.Narrow(At(start, step, Vector128.Create(13.0, 14.0)), At(start, step, Vector128.Create(15.0, 16.0))).Store(phases + 12);
    }

    /// <summary>Whether each frame's phase lies below <paramref name="width"/>: 1 or -1, decided as its corners are.</summary>
    public static void Levels(float* levels, double phase, double increment, double width)
    {
        for (var i = 0; i < Limits.Grid; i++)
        {
            var x = phase + (increment * (i + 1));
            levels[i] = x - Math.Floor(x) < width ? 1f : -1f;
        }
    }

    /// <summary>The phase after the segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double After(double phase, double increment)
    {
        var x = phase + (increment * Limits.Grid);
        return x - Math.Floor(x);
    }

    /// <summary>Adds the residuals of all corners at part <paramref name="at"/>, 0..1, of the turn. Whether there was any.</summary>
    /// <param name="wave">The wave's <see cref="Stride"/> floats.</param>
    /// <param name="table">The residuals.</param>
    /// <param name="phase">Phase before the segment, 0..1.</param>
    /// <param name="increment">Turns a frame, 0..0.5.</param>
    /// <param name="at">Where in the turn the corner is.</param>
    /// <param name="order">Which derivative jumps.</param>
    /// <param name="jump">By how much, per frame^order.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Corners(float* wave, float* table, double phase, double increment, double at, int order, float jump)
    {
        var end = phase + (increment * Limits.Grid);
        var first = phase >= at ? 1.0 : 0.0;
        if (!(end - first >= at)) return false; // most segments have none
        AddCorners(wave, table, phase, increment, at, first, order, jump);
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AddCorners(float* wave, float* table, double phase, double increment, double at, double first, int order, float jump)
    {
        for (var (turn, end) = (first, phase + (increment * Limits.Grid)); end - turn >= at; turn += 1.0)
        {
            var age = Age(phase, increment, at, turn, out var frame);
            BlepTable.Add(wave + frame, table, order, age, jump);
        }
    }

    /// <summary>As the other, for two waves that differ in level only: left and right.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Corners(
        float* left, float* right, float* table, double phase, double increment, double at, int order, float leftJump, float rightJump)
    {
        var end = phase + (increment * Limits.Grid);
        for (var turn = phase >= at ? 1.0 : 0.0; end - turn >= at; turn += 1.0)
        {
            var age = Age(phase, increment, at, turn, out var frame);
            BlepTable.Add(left + frame, right + frame, table, order, age, leftJump, rightJump);
        }
    }

    /// <summary>Makes room for the next segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Shift(float* wave)
    {
        if (Vector256.IsHardwareAccelerated)
        {
            for (var end = wave + BlepTable.Taps; wave < end; wave += Limits.Grid)
            {
                Vector256.Load(wave + Limits.Grid).Store(wave);
                Vector256.Load(wave + Limits.Grid + 8).Store(wave + 8);
            }

            Vector256<float>.Zero.Store(wave);
            Vector256<float>.Zero.Store(wave + 8);
            return;
        }

        for (nint i = 0; i < BlepTable.Taps; i += 4) Vector128.Load(wave + Limits.Grid + i).Store(wave + i);
        Block.Clear(wave + BlepTable.Taps, Limits.Grid);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> At(Vector128<double> phase, Vector128<double> increment, Vector128<double> frames)
    {
        var x = phase + (increment * frames);
        return x - Vector128.Floor(x);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> At(Vector256<double> phase, Vector256<double> increment, Vector256<double> frames)
    {
        var x = phase + (increment * frames);
        return x - Vector256.Floor(x);
    }

    // Frames from the corner to `frame`, the first one after it. Which frame that is, is asked of the very sums that gave the frames their
    // phases: were rounding to put the corner on the other side, a frame would be off by the whole jump.
    private static float Age(double phase, double increment, double at, double turn, out int frame)
    {
        var time = (turn + at - phase) / increment;
        var i = (int)Math.Min(time, Limits.Grid - 1);
        while (i < Limits.Grid - 1 && phase + (increment * (i + 1)) - turn < at) i++;
        while (i > 0 && phase + (increment * i) - turn >= at) i--;
        frame = i;
        return (float)Math.Max(0.0, Math.Min(i + 1 - time, 1.0));
    }
}
