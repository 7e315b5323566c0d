// Noise of five colours from one white source: spectra that rise or fall by 3 or 6 dB an octave at any sample rate.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// Pink: eight poles and zeros alternate in even ratios from 2.5 Hz to beyond the top, which approaches 1/sqrt(f) as closely as their
/// ratio is small (Keele, The Design and Use of a Simple Pseudo Random Pink-Noise Generator, JAES 1973), expanded into one-poles that
/// run side by side. A digital one-pole follows the analogue one in 2 sin(pi f / rate) instead of 2 pi f / rate; one more pole and zero
/// take the difference out to 0.1 dB up to 0.42 of the rate. Red is a leaky integral of white (3 Hz), violet its difference, blue that of
/// pink. All have the mean square of the white noise that comes in.
/// </summary>
public readonly unsafe struct NoiseColour
{
    private const int Poles = 8;

    // Zero and pole of the correction C: |C|^2 = (1 - 0.634 S) / (1 - 0.478 S), S = sin^2(pi f / rate), fitted to 2 sin(w/2) / w.
    private const double ZeroDepth = 0.6339, PoleDepth = 0.4784;
    private const double Lowest = 2.5, LowestRed = 3.0;
    private const double HighestStep = 8.0;

    private readonly Vector128<float> _poles0, _poles1, _weights0, _weights1;
    private readonly float _direct, _leak, _c, _d, _pink, _red, _blue, _violet;

    /// <summary>State of one voice. Zeroed memory is rest.</summary>
    public struct State
    {
        internal Vector128<float> S0, S1;
        internal float Pink, Blue, Red, RedA, RedB, VioletA, VioletB, Before, White;
    }

    /// <summary>Coefficients for a rate in Hz.</summary>
    public NoiseColour(double rate)
    {
        var poles = stackalloc double[Poles];
        var zeros = stackalloc double[Poles];
        var lowest = 2.0 * Math.PI * Lowest / rate;
        var ratio = Math.Pow(HighestStep / lowest, 1.0 / Poles);
        for (var i = 0; i < Poles; i++)
        {
            poles[i] = Root(lowest * Math.Pow(ratio, i));
            zeros[i] = Root(lowest * Math.Pow(ratio, i + 0.5));
        }

        // Partial fractions of prod (1 - z_i/z) / (1 - p_i/z): d + sum r_i / (1 - p_i/z).
        var direct = 1.0;
        var weights = stackalloc double[Poles];
        for (var i = 0; i < Poles; i++)
        {
            direct *= zeros[i] / poles[i];
            weights[i] = 1.0;
            for (var j = 0; j < Poles; j++)
            {
                weights[i] *= 1.0 - (zeros[j] / poles[i]);
                if (j != i) weights[i] /= 1.0 - (poles[j] / poles[i]);
            }
        }

        _poles0 = Four(poles);
        _poles1 = Four(poles + 4);
        _weights0 = Four(weights);
        _weights1 = Four(weights + 4);
        _direct = (float)direct;
        _leak = (float)Root(2.0 * Math.PI * LowestRed / rate);
        _c = (float)Depth(ZeroDepth);
        _d = (float)Depth(PoleDepth);
        _pink = _red = _blue = _violet = 1f;
        (_pink, _red, _blue, _violet) = Levels();
    }

    /// <summary>One frame: all colours of <paramref name="white"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Next(ref State state, float white, out float pink, out float red, out float blue, out float violet)
    {
        var x = Vector128.Create(white);
        state.S0 = (state.S0 * _poles0) + x;
        state.S1 = (state.S1 * _poles1) + x;
        var u = (_direct * white) + Vector128.Sum((state.S0 * _weights0) + (state.S1 * _weights1));
        Correct(ref state.Pink, u, out var corrected);
        pink = corrected * _pink;
        Uncorrect(ref state.Blue, u - state.Before, out var blued);
        blue = blued * _blue;
        state.Before = u;

        state.Red = (state.Red * _leak) + white;
        Correct(ref state.RedA, state.Red, out var once);
        Correct(ref state.RedB, once, out var twice);
        red = twice * _red;

        Uncorrect(ref state.VioletA, white - state.White, out once);
        Uncorrect(ref state.VioletB, once, out twice);
        violet = twice * _violet;
        state.White = white;
    }

    // C = (1 + c/z) / (1 + d/z) and its inverse, each with one stored value.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Correct(ref float state, float x, out float y)
    {
        y = x + state;
        state = (_c * x) - (_d * y);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Uncorrect(ref float state, float x, out float y)
    {
        y = x + state;
        state = (_d * x) - (_c * y);
    }

    // What brings each colour's power to 1: the inverse of the energy of its impulse response, measured until it has died away.
    private (float Pink, float Red, float Blue, float Violet) Levels()
    {
        State state = default;
        double pink = 0, red = 0, blue = 0, violet = 0;
        var frames = (long)(5.0 / (1.0 - _leak));
        for (long i = 0; i < frames; i++)
        {
            Next(ref state, i == 0 ? 1f : 0f, out var p, out var r, out var b, out var v);
            pink += (double)p * p;
            red += (double)r * r;
            blue += (double)b * b;
            violet += (double)v * v;
        }

        return (Inverse(pink), Inverse(red), Inverse(blue), Inverse(violet));

        static float Inverse(double energy) => (float)(1.0 / Math.Sqrt(energy));
    }

    // p of 1 - p/z whose corner lies where 2 sin(w/2) = step: (1 - p)^2 / p = step^2.
    private static double Root(double step) => 1.0 + (0.5 * step * step) - (step * Math.Sqrt(1.0 + (0.25 * step * step)));

    // c of 1 + c/z with |.|^2 proportional to 1 - depth sin^2(w/2): 4c / (1 + c)^2 = depth.
    private static double Depth(double depth) => ((2.0 - depth) - (2.0 * Math.Sqrt(1.0 - depth))) / depth;

    private static Vector128<float> Four(double* v) => Vector128.Create((float)v[0], (float)v[1], (float)v[2], (float)v[3]);
}
