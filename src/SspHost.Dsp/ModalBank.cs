// A body of 32 modes, four at a time: harmonic, bell and bar, and anything between.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>What a body is, for one voice.</summary>
public struct ModalShape : IEquatable<ModalShape>
{
    /// <summary>Pitch in Hz: mode 1 of a harmonic body and of a bar, the prime of a bell.</summary>
    public float Hertz;

    /// <summary>0 = harmonic, 0.5 = bell, 1 = bar.</summary>
    public float Structure;

    /// <summary>T60 in seconds of modes at and below the pitch.</summary>
    public float Seconds;

    /// <summary>By how many octaves the decay shortens with each octave above the pitch, 0..2.</summary>
    public float Damping;

    /// <summary>Where it is struck, 0..0.5 of its length.</summary>
    public float Position;

    /// <inheritdoc/>
    public readonly bool Equals(ModalShape other) =>
        Hertz == other.Hertz && Structure == other.Structure && Seconds == other.Seconds && Damping == other.Damping
        && Position == other.Position;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is ModalShape other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(Hertz, Structure, Seconds, Damping, Position);
}

/// <summary>
/// Modal synthesis (Adrien, The Missing Link: Modal Synthesis, 1991; Bilbao, Numerical Sound Synthesis, 2009) by phasors (see
/// <see cref="Ringing"/>). Ratios of modes: whole numbers; a church bell's partials (Fletcher and Rossing, The Physics of Musical
/// Instruments, table 21.1: hum, prime, tierce, quint, nominal ...), from the thirteenth on by a power law as Chladni's; a free bar's, the
/// squares of the roots of cos(x) cosh(x) = 1.
/// </summary>
public unsafe struct ModalBank
{
    /// <summary>Modes of a body.</summary>
    public const int Modes = 32;

    /// <summary>Bytes of the table of ratios.</summary>
    public const long TableBytes = 4 * Modes * sizeof(float);

    // No mode rings louder, whatever feeds it: only a sound at its very pitch gets there.
    private const float Ceiling = 8f;

    private fixed float _re[Modes], _im[Modes], _cos[Modes], _sin[Modes], _gain[Modes];

    /// <summary>Octaves of the three structures' modes above the pitch, and how loud a mode is struck beside the first.</summary>
    public static void Build(float* table)
    {
        for (var k = 0; k < Modes; k++)
        {
            var root = k switch
            {
                0 => 4.730040744862704,
                1 => 7.853204624095838,
                2 => 10.995607838001671,
                _ => (k + 1.5) * Math.PI,
            };
            table[k] = (float)Math.Log2(k + 1.0);
            table[Modes + k] = (float)Math.Log2(Bell(k));
            table[(2 * Modes) + k] = (float)(2.0 * Math.Log2(root / 4.730040744862704));
            table[(3 * Modes) + k] = (float)(1.0 / Math.Sqrt(k + 1.0));
        }
    }

    /// <summary>Ratio of partial <paramref name="index"/> of a bell to its prime.</summary>
    public static double Bell(int index) => index switch
    {
        0 => 0.5,
        1 => 1.0,
        2 => 1.183,
        3 => 1.506,
        4 => 2.0,
        5 => 2.514,
        6 => 2.662,
        7 => 3.011,
        8 => 4.166,
        9 => 5.433,
        10 => 6.796,
        11 => 8.215,
        _ => 8.215 * Math.Pow((index + 1) / 12.0, 1.4),
    };

    /// <summary>Tunes all modes. Those above 0.45 of the rate fall silent.</summary>
    public void Tune(float* table, in ModalShape shape, float sampleRate)
    {
        var between = Math.Min(Math.Max(shape.Structure * 2f, 0f), 2f);
        var from = between < 1f ? table : table + Modes;
        var t = Vector128.Create(between < 1f ? between : between - 1f);
        var perFrame = Vector128.Create(shape.Hertz / sampleRate);
        var (zero, one, quarter) = (Vector128<float>.Zero, Vector128<float>.One, Vector128.Create(0.25f));
        fixed (float* cosines = _cos, sines = _sin, gains = _gain)
        {
            for (var k = 0; k < Modes; k += 4)
            {
                var a = Vector128.Load(from + k);
                var octaves = a + (t * (Vector128.Load(from + Modes + k) - a));
                var turns = perFrame * FastMath.Exp2(octaves);
                var heard = Vector128.MinNative(Vector128.MaxNative((Vector128.Create(0.45f) - turns) * Vector128.Create(50f), zero), one);
                turns = Vector128.MinNative(turns, Vector128.Create(0.45f));
                var seconds = Vector128.Create(shape.Seconds)
                    * FastMath.Exp2(Vector128.MaxNative(octaves, zero) * Vector128.Create(-shape.Damping));
                var keep = one - Decay.Loss(seconds, sampleRate);
                (keep * FastMath.SinTurns(turns + quarter)).Store(cosines + k);
                (keep * FastMath.SinTurns(turns)).Store(sines + k);
                var number = Vector128.Create(k + 1f, k + 2f, k + 3f, k + 4f);
                var reached = FastMath.SinTurns(number * Vector128.Create(0.5f * shape.Position));
                (reached * heard * Vector128.Load(table + (3 * Modes) + k)).Store(gains + k);
            }
        }
    }

    /// <summary>Sixteen frames: what strikes or feeds the body, and the sum of its modes. True when it is at rest after them.</summary>
    public bool Render(float* excitation, float* target)
    {
        var sums = stackalloc Vector128<float>[Limits.Grid];
        for (var i = 0; i < Limits.Grid; i++) sums[i] = Vector128<float>.Zero;
        var loudest = Vector128<float>.Zero;
        var (least, most) = (Vector128.Create(-Ceiling), Vector128.Create(Ceiling));
        fixed (float* reals = _re, imaginaries = _im, cosines = _cos, sines = _sin, gains = _gain)
        {
            for (var k = 0; k < Modes; k += 4)
            {
                var (re, im) = (Vector128.Load(reals + k), Vector128.Load(imaginaries + k));
                var (cos, sin, gain) = (Vector128.Load(cosines + k), Vector128.Load(sines + k), Vector128.Load(gains + k));
                for (var i = 0; i < Limits.Grid; i++)
                {
                    re += Vector128.Create(excitation[i]) * gain;
                    var turned = (re * cos) - (im * sin);
                    im = (re * sin) + (im * cos);
                    re = turned;
                    sums[i] += im;
                }

                re = Denormal.Flush(Vector128.MinNative(Vector128.MaxNative(re, least), most));
                im = Denormal.Flush(Vector128.MinNative(Vector128.MaxNative(im, least), most));
                re.Store(reals + k);
                im.Store(imaginaries + k);
                loudest = Vector128.MaxNative(loudest, Vector128.MaxNative(Vector128.Abs(re), Vector128.Abs(im)));
            }
        }

        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var (a, b, c, d) = (sums[i], sums[i + 1], sums[i + 2], sums[i + 3]);
            Transpose.Four(ref a, ref b, ref c, ref d);
            (a + b + (c + d)).Store(target + i);
        }

        return Vector128.EqualsAll(loudest, Vector128<float>.Zero);
    }
}
