// A number on its way to where a knob points: a straight line of a given speed that arrives exactly.
using System.Runtime.CompilerServices;

namespace SspHost.Dsp;

/// <summary>Steps of at most so much.</summary>
public static class Glide
{
    /// <summary>From <paramref name="from"/> towards <paramref name="to"/> by <paramref name="most"/> at most.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Towards(float from, float to, float most) => from < to ? Math.Min(from + most, to) : Math.Max(from - most, to);

    /// <inheritdoc cref="Towards(float, float, float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Towards(double from, double to, double most) => from < to ? Math.Min(from + most, to) : Math.Max(from - most, to);
}
