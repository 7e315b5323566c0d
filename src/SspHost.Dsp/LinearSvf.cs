// A linear state-variable filter, four voices at once, for what only has to be exact: crossovers, formants, equalizers.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Trapezoidal (Zavalishin, The Art of VA Filter Design, 4.4). Stable for any g &gt; 0 and k &gt; 0, however they move.
/// </summary>
public struct LinearSvf
{
    private Vector128<float> _s1, _s2;

    /// <summary>One frame: low, band and high of <paramref name="x"/>.</summary>
    /// <param name="x">Input.</param>
    /// <param name="g">tan(pi cutoff / rate).</param>
    /// <param name="k">Damping, 1 / Q.</param>
    /// <param name="inverse">1 / (1 + g (g + k)).</param>
    /// <param name="low">12 dB per octave below the cutoff.</param>
    /// <param name="band">6 dB per octave to either side, 1 / k at the cutoff.</param>
    /// <param name="high">12 dB per octave above the cutoff.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next(
        Vector128<float> x, Vector128<float> g, Vector128<float> k, Vector128<float> inverse,
        out Vector128<float> low, out Vector128<float> band, out Vector128<float> high)
    {
        band = (_s1 + (g * (x - _s2))) * inverse;
        low = _s2 + (g * band);
        high = x - (k * band) - low;
        _s1 = band + band - _s1;
        _s2 = low + low - _s2;
    }

    /// <summary>Largest stored magnitude, by voice.</summary>
    public readonly Vector128<float> Peak() => Vector128.MaxNative(Vector128.Abs(_s1), Vector128.Abs(_s2));

    /// <summary>Forgets the voices whose mask is set.</summary>
    public void Clear(Vector128<float> mask)
    {
        _s1 = Vector128.AndNot(_s1, mask);
        _s2 = Vector128.AndNot(_s2, mask);
    }

    /// <summary>
    /// Sets voices to exact rest where nothing audible is stored and <paramref name="quiet"/> is set. True when all four are at rest.
    /// </summary>
    public bool Settle(Vector128<float> quiet)
    {
        var mask = quiet & Vector128.LessThan(Peak(), Vector128.Create(Denormal.Threshold));
        Clear(mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }

    /// <summary>1 / (1 + g (g + k)), which <see cref="Next"/> takes: once while both stand still.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> Inverse(Vector128<float> g, Vector128<float> k) => Vector128<float>.One / (Vector128<float>.One + (g * (g + k)));
}
