// The state-variable filter: two integrators in a loop, every response at once, solved without delay, four voices at a time.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Trapezoidal integrators (Simper, Solving the continuous SVF equations using trapezoidal integration, Cytomic 2013; Zavalishin, The Art
/// of VA Filter Design, 4.4): the response is the analogue one, its frequencies bent by tan(pi f / rate), whatever the cutoff does.
/// The damping k grows with the band signal, by <see cref="Softness"/> * band^2 in volts and at most by 1: what makes a resonance give
/// way to loud sounds, and what settles self-oscillation at 5 V for k = -0.025. Whatever that damping is, the stored energy s1^2 + s2^2
/// changes by 4 g band (in - k band) from frame to frame: for k &gt;= 0 it can only fall where nothing comes in, however g and k move
/// (compare Laroche, On the Stability of Time-Varying Recursive Filters, JAES 2007). States are kept within 50 V, far above a signal's.
/// </summary>
public struct Svf
{
    /// <summary>Damping per V^2 of band signal: 1 % of a damping of 0.5 at 2 V.</summary>
    public const float Softness = 1f / 750f;

    private const float Most = 50f;

    private Vector128<float> _s1, _s2, _band;

    /// <summary>One frame of four voices; signals in volts.</summary>
    /// <param name="x">Input.</param>
    /// <param name="g">tan(pi cutoff / rate), see <see cref="FastMath.TanPi"/>.</param>
    /// <param name="k">Damping 1 / Q, -0.1..2; below 0 it sings.</param>
    /// <param name="low">12 dB per octave below the cutoff.</param>
    /// <param name="band">6 dB per octave to either side, Q at the cutoff.</param>
    /// <param name="high">12 dB per octave above the cutoff.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next(
        Vector128<float> x, Vector128<float> g, Vector128<float> k,
        out Vector128<float> low, out Vector128<float> band, out Vector128<float> high)
    {
        // band (1 + g (g + damping)) = s1 + g (x - s2), the damping taken at a first estimate of the band itself: a frame late it would
        // pull the pitch by ten cents.
        var one = Vector128<float>.One;
        var soft = Vector128.Create(Softness);
        var linear = one + (g * (g + k));
        var right = _s1 + (g * (x - _s2));
        var estimate = right / (linear + (g * Vector128.Min(soft * _band * _band, one)));
        var more = Vector128.Min(soft * estimate * estimate, one);
        var y = right / (linear + (g * more));
        _band = band = y;
        low = _s2 + (g * y);
        high = x - ((k + more) * y) - low;
        var (least, most) = (Vector128.Create(-Most), Vector128.Create(Most));
        _s1 = Vector128.Min(Vector128.Max(y + y - _s1, least), most);
        _s2 = Vector128.Min(Vector128.Max(low + low - _s2, least), most);
    }

    /// <summary>
    /// Sets voices to exact rest where nothing audible is stored and <paramref name="quiet"/> is set. True when all four are at rest.
    /// </summary>
    public bool Settle(Vector128<float> quiet)
    {
        var peak = Vector128.Max(Vector128.Max(Vector128.Abs(_s1), Vector128.Abs(_s2)), Vector128.Abs(_band));
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        _s1 = Vector128.AndNot(_s1, mask);
        _s2 = Vector128.AndNot(_s2, mask);
        _band = Vector128.AndNot(_band, mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }
}
