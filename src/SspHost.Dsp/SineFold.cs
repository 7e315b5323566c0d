// A wavefolder without aliases: sine folding by its antiderivative at four times the rate, four voices at once.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// y = sin(2 pi u), what comes in between two samples taken as a straight line and averaged (first-order antiderivative antialiasing:
/// Parker, Zavalishin, Le Bivic, Reducing the Aliasing of Nonlinear Waveshaping Using Continuous-Time Convolution, DAFx 2016). For a sine
/// the divided difference is sin(mean) sinc(half the difference), which is exact however small the difference is: no ill-conditioned
/// case and no need of double precision. Four times the rate brings what is left far enough up; the harmonics of a folded sine of
/// amplitude U end at about 2 pi U.
/// </summary>
public struct SineFold
{
    private HalfBand _up, _down;
    private HalfBandWide _upUp, _downDown;
    private Vector128<float> _before, _dry, _gain, _shift, _rest;
    private bool _running;

    /// <summary>Frames by which it delays low frequencies, rounded.</summary>
    public const int Latency = 4;

    /// <summary>
    /// One frame of four voices: wet (sin(2 pi (gain x + shift)) - sin(2 pi shift)) + dry x, so that nothing in gives nothing out, and the
    /// two come at the same time.
    /// </summary>
    /// <param name="x">Input.</param>
    /// <param name="gain">Turns of the sine for an input of 1; 0.25 turns are the top.</param>
    /// <param name="shift">Where on the sine the middle lies, in turns.</param>
    /// <param name="wet">Level of what is folded.</param>
    /// <param name="dry">Level of what is not.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Next(
        Vector128<float> x, Vector128<float> gain, Vector128<float> shift, Vector128<float> wet, Vector128<float> dry)
    {
        var rest = FastMath.SinTurns(shift);
        if (!_running)
        {
            _running = true;
            _gain = gain;
            _before = _shift = shift;
            _rest = rest;
        }

        _up.Up(x, out var a, out var b);
        _upUp.Up(a, out var x1, out var x2);
        _upUp.Up(b, out var x3, out var x4);

        // Gain, shift and what is subtracted for it move on straight lines of four steps.
        var quarter = Vector128.Create(0.25f);
        var gainStep = (gain - _gain) * quarter;
        var shiftStep = (shift - _shift) * quarter;
        var restStep = (rest - _rest) * quarter;
        var y1 = Fold((x1 * (_gain + gainStep)) + _shift + shiftStep) - (_rest + restStep);
        var y2 = Fold((x2 * (_gain + gainStep + gainStep)) + _shift + shiftStep + shiftStep) - (_rest + restStep + restStep);
        var y3 = Fold((x3 * (gain - gainStep)) + shift - shiftStep) - (rest - restStep);
        var y4 = Fold((x4 * gain) + shift) - rest;
        (_gain, _shift, _rest) = (gain, shift, rest);

        // The average over a step lags by half of it: so does the mean of two neighbours.
        dry *= Vector128.Create(0.5f);
        y1 = (y1 * wet) + ((x1 + _dry) * dry);
        y2 = (y2 * wet) + ((x2 + x1) * dry);
        y3 = (y3 * wet) + ((x3 + x2) * dry);
        y4 = (y4 * wet) + ((x4 + x3) * dry);
        _dry = x4;
        return _down.Down(_downDown.Down(y1, y2), _downDown.Down(y3, y4));
    }

    /// <summary>
    /// Sets voices to exact rest where nothing audible is stored and <paramref name="quiet"/> is set. True when all four are at rest.
    /// </summary>
    public bool Settle(Vector128<float> quiet)
    {
        var peak = Vector128.MaxNative(
            Vector128.MaxNative(_up.Peak(), _down.Peak()), Vector128.MaxNative(_upUp.Peak(), _downDown.Peak()));
        peak = Vector128.MaxNative(peak, Vector128.MaxNative(Vector128.Abs(_before - _shift), Vector128.Abs(_dry)));
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        _up.Clear(mask);
        _down.Clear(mask);
        _upUp.Clear(mask);
        _downDown.Clear(mask);
        _before = Vector128.ConditionalSelect(mask, _shift, _before);
        _dry = Vector128.AndNot(_dry, mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128<float> Fold(Vector128<float> u)
    {
        var half = (u - _before) * Vector128.Create(0.5f);
        var mean = _before + half;
        _before = u;

        // sinc: below a hundred-thousandth of a turn it is 1 to the last bit.
        var small = Vector128.LessThan(Vector128.Abs(half), Vector128.Create(1e-5f));
        var angle = Vector128.ConditionalSelect(small, Vector128<float>.One, half) * Vector128.Create(2f * MathF.PI);
        var sinc = FastMath.SinTurns(half) / angle;
        return FastMath.SinTurns(mean) * Vector128.ConditionalSelect(small, Vector128<float>.One, sinc);
    }
}
