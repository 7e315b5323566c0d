// A plucked string of four voices: a loop of delay, in tune to a hundredth of a cent, that rings as long as it is told.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>What a string is, worked out for a pitch: one lane a voice.</summary>
public struct StringShape
{
    /// <summary>Frames from a sample's writing to its reading, whole and part: what is left of a period when the filters have
    /// theirs.</summary>
    public Vector128<float> Delay;

    /// <summary>Frames of a period.</summary>
    public Vector128<float> Period;

    /// <summary>Outer taps of the loss filter (a, 1 - 2a, a), times the loop's gain; and its middle tap.</summary>
    public Vector128<float> Outer, Middle;

    /// <summary>Coefficient of the four dispersive allpasses, 0..-0.8.</summary>
    public Vector128<float> Dispersion;

    /// <summary>The voices of <paramref name="mask"/> as <paramref name="other"/> has them.</summary>
    public void Take(in StringShape other, Vector128<float> mask)
    {
        Delay = Vector128.ConditionalSelect(mask, other.Delay, Delay);
        Period = Vector128.ConditionalSelect(mask, other.Period, Period);
        Outer = Vector128.ConditionalSelect(mask, other.Outer, Outer);
        Middle = Vector128.ConditionalSelect(mask, other.Middle, Middle);
        Dispersion = Vector128.ConditionalSelect(mask, other.Dispersion, Dispersion);
    }

    /// <summary>Moves by <paramref name="part"/> of the way from one to another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Move(in StringShape from, in StringShape to, float part)
    {
        var p = Vector128.Create(part);
        Delay += (to.Delay - from.Delay) * p;
        Period += (to.Period - from.Period) * p;
        Outer += (to.Outer - from.Outer) * p;
        Middle += (to.Middle - from.Middle) * p;
        Dispersion += (to.Dispersion - from.Dispersion) * p;
    }
}

/// <summary>
/// The extended Karplus-Strong string (Karplus and Strong, Digital Synthesis of Plucked-String and Drum Timbres; Jaffe and Smith,
/// Extensions of the Karplus-Strong Plucked-String Algorithm, both CMJ 7:2, 1983). The loss filter is a symmetric FIR of three taps,
/// whose delay is one frame at every frequency; stiffness is a chain of four first-order allpasses; the rest of the period is a delay
/// read by fifth-order Lagrange interpolation. What the allpasses delay and what all filters take away at the fundamental is worked out
/// and made up for, so that pitch and T60 are those asked for.
/// </summary>
public unsafe struct PluckedString
{
    /// <summary>Lowest and highest pitch in Hz.</summary>
    public const float Lowest = 20f, Highest = 4400f;

    // Level at and beyond which the string gives way: far above a pluck, so that only feeding it at its own pitch gets there.
    private const float Knee = 8f, Ceiling = 16f;
    private const int Allpasses = 4;

    // The string reads six frames around its delay.
    private const int Margin = 8;

    private Vector128<float> _before, _beforeThat;
    private Vector128<float> _x0, _x1, _x2, _x3, _y3;
    private Vector128<float> _quiet;
    private int _write;

    /// <summary>Frames of one voice's ring, a power of two.</summary>
    public static int RingFrames(float sampleRate)
    {
        var frames = 64;
        while (frames < (sampleRate / Lowest) + Margin) frames *= 2;
        return frames;
    }

    /// <summary>Works out one voice.</summary>
    /// <param name="hertz">Pitch, kept within <see cref="Lowest"/>..<see cref="Highest"/>.</param>
    /// <param name="seconds">T60 of the fundamental.</param>
    /// <param name="brightness">0 (the upper partials die soon) .. 1 (all ring alike).</param>
    /// <param name="stiffness">0 (a string's harmonics) .. 1 (a rod's stretched ones).</param>
    /// <param name="shape">Where it goes.</param>
    /// <param name="lane">The voice.</param>
    public static void Work(
        float hertz, float seconds, float brightness, float stiffness, float sampleRate, StringShape* shape, int lane)
    {
        hertz = Math.Min(Math.Max(hertz, Lowest), Highest);
        var period = sampleRate / hertz;
        var turns = 1f / period;
        var sin = FastMath.SinTurns(turns);
        var half = FastMath.SinTurns(0.5f * turns);
        var lessCos = 2f * half * half; // 1 - cos, exact for small angles
        var cos = 1f - lessCos;

        // A first-order allpass delays low frequencies by (1 - c) / (1 + c) frames. The loss filter takes one frame, the interpolation
        // at least three; what high notes leave limits their stiffness.
        var most = Math.Max((period - 1f - 3.5f) * (1f / Allpasses), 1f);
        var slow = Math.Min(1f + (8f * stiffness * stiffness), most);
        var c = (1f - slow) / (1f + slow);
        var bend = FastMath.Atan(c * sin / (1f + (c * cos)));
        var allpass = 1f - (2f * bend * period * (1f / (2f * MathF.PI)));
        var delay = period - 1f - (Allpasses * allpass);

        // Energy travels with the group delay, so that is the time a turn takes. The filters may take no more than that at the
        // fundamental, or DC would grow where it is made up for.
        var travel = delay + 1f + (Allpasses * (1f - (c * c)) / (1f + (2f * c * cos) + (c * c)));
        var loss = Decay.Loss(seconds, sampleRate / travel);
        var dark = (1f - brightness) * (1f - brightness);
        var outer = Math.Min(0.25f * dark, 0.5f * loss / Math.Max(lessCos, 1e-9f) * 0.98f);
        var filter = 1f - (2f * outer * lessCos);
        var read = ReadGain(delay, turns);
        var gain = Math.Min((1f - loss) / (filter * read), 0.999999f);
        ((float*)&shape->Delay)[lane] = delay;
        ((float*)&shape->Period)[lane] = period;
        ((float*)&shape->Outer)[lane] = gain * outer;
        ((float*)&shape->Middle)[lane] = gain * (1f - (2f * outer));
        ((float*)&shape->Dispersion)[lane] = c;
    }

    /// <summary>
    /// One frame of four voices whose rings lie one after the other.
    /// </summary>
    /// <param name="excitation">What plucks, strikes or bows it.</param>
    /// <param name="damp">Factor of the loop: 1, or less where a finger lies on the string.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> Next(
        float* rings, int frames, in StringShape shape, Vector128<float> excitation, Vector128<float> damp)
    {
        var mask = frames - 1;
        var whole = Vector128.ConvertToInt32Native(shape.Delay);
        var t = shape.Delay - Vector128.ConvertToSingle(whole);
        var r0 = rings;
        var r1 = r0 + frames;
        var r2 = r1 + frames;
        var r3 = r2 + frames;
        var (n0, n1, n2, n3) = (_write - whole[0], _write - whole[1], _write - whole[2], _write - whole[3]);
        var a = Vector128.Create(r0[(n0 + 2) & mask], r1[(n1 + 2) & mask], r2[(n2 + 2) & mask], r3[(n3 + 2) & mask]);
        var b = Vector128.Create(r0[(n0 + 1) & mask], r1[(n1 + 1) & mask], r2[(n2 + 1) & mask], r3[(n3 + 1) & mask]);
        var c = Vector128.Create(r0[n0 & mask], r1[n1 & mask], r2[n2 & mask], r3[n3 & mask]);
        var d = Vector128.Create(r0[(n0 - 1) & mask], r1[(n1 - 1) & mask], r2[(n2 - 1) & mask], r3[(n3 - 1) & mask]);
        var e = Vector128.Create(r0[(n0 - 2) & mask], r1[(n1 - 2) & mask], r2[(n2 - 2) & mask], r3[(n3 - 2) & mask]);
        var f = Vector128.Create(r0[(n0 - 3) & mask], r1[(n1 - 3) & mask], r2[(n2 - 3) & mask], r3[(n3 - 3) & mask]);
        Lagrange.Weights(t, out var wa, out var wb, out var wc, out var wd, out var we, out var wf);
        var x = ((wa * a) + (wf * f)) + ((wb * b) + (we * e)) + ((wc * c) + (wd * d));
        var lost = (shape.Outer * (x + _beforeThat)) + (shape.Middle * _before);
        (_beforeThat, _before) = (_before, x);

        // y[n] = c x[n] + x[n - 1] - c y[n - 1], four times.
        var p = shape.Dispersion;
        var y0 = (p * (lost - _x1)) + _x0;
        var y1 = (p * (y0 - _x2)) + _x1;
        var y2 = (p * (y1 - _x3)) + _x2;
        var y3 = (p * (y2 - _y3)) + _x3;
        (_x0, _x1, _x2, _x3, _y3) = (lost, y0, y1, y2, y3);

        var y = (y3 * damp) + excitation;
        var low = Vector128.MinNative(Vector128.MaxNative(y, Vector128.Create(-Knee)), Vector128.Create(Knee));
        var high = Vector128.MinNative(Vector128.MaxNative(y, Vector128.Create(-Ceiling)), Vector128.Create(Ceiling));
        y = Denormal.Flush((low + high) * Vector128.Create(0.5f));
        r0[_write] = y[0];
        r1[_write] = y[1];
        r2[_write] = y[2];
        r3[_write] = y[3];
        _write = (_write + 1) & mask;
        return y;
    }

    /// <summary>What the voices played so many frames before the one last returned, by linear interpolation.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<float> Past(float* rings, int frames, Vector128<float> ago)
    {
        var mask = frames - 1;
        var whole = Vector128.ConvertToInt32Native(ago);
        var t = ago - Vector128.ConvertToSingle(whole);
        var r0 = rings;
        var r1 = r0 + frames;
        var r2 = r1 + frames;
        var r3 = r2 + frames;
        var (n0, n1, n2, n3) = (_write - 1 - whole[0], _write - 1 - whole[1], _write - 1 - whole[2], _write - 1 - whole[3]);
        var a = Vector128.Create(r0[n0 & mask], r1[n1 & mask], r2[n2 & mask], r3[n3 & mask]);
        var b = Vector128.Create(r0[(n0 - 1) & mask], r1[(n1 - 1) & mask], r2[(n2 - 1) & mask], r3[(n3 - 1) & mask]);
        return a + (t * (b - a));
    }

    /// <summary>
    /// Counts frames of silence by voice; set where so many came that nothing is left in the ring, and what the filters keep below
    /// hearing is forgotten.
    /// </summary>
    public Vector128<float> Settle(Vector128<float> silent, int frames, int count)
    {
        var enough = Vector128.Create(frames + 64f);
        _quiet = Vector128.MinNative(_quiet + Vector128.Create((float)count), enough) & silent;
        var rest = Vector128.GreaterThanOrEqual(_quiet, enough);
        _before = Vector128.AndNot(_before, rest);
        _beforeThat = Vector128.AndNot(_beforeThat, rest);
        _x0 = Vector128.AndNot(_x0, rest);
        _x1 = Vector128.AndNot(_x1, rest);
        _x2 = Vector128.AndNot(_x2, rest);
        _x3 = Vector128.AndNot(_x3, rest);
        _y3 = Vector128.AndNot(_y3, rest);
        return rest;
    }

    // Magnitude of the interpolation at the fundamental: all but 1 for low notes.
    private static float ReadGain(float delay, float turns)
    {
        Lagrange.Weights(Vector128.Create(delay - MathF.Floor(delay)), out var a, out var b, out var c, out var d, out var e, out var f);

        // Around the middle between c and d, the sums of outer taps against each other.
        var re = ((c + d)[0] * Cos(0.5f * turns)) + ((b + e)[0] * Cos(1.5f * turns)) + ((a + f)[0] * Cos(2.5f * turns));
        var im = ((d - c)[0] * FastMath.SinTurns(0.5f * turns)) + ((e - b)[0] * FastMath.SinTurns(1.5f * turns))
            + ((f - a)[0] * FastMath.SinTurns(2.5f * turns));
        return MathF.Sqrt((re * re) + (im * im));
    }

    private static float Cos(float turns) => FastMath.SinTurns(turns + 0.25f);
}
