// Periodic waves in tables, each at nineteen widths of band, so that any pitch finds one that does not alias.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace SspHost.Dsp;

/// <summary>
/// A wave is kept with 724, 512, 362, 256 ... 1 harmonics, half an octave apart: for every pitch one of them fills a given band and at
/// least 0.7 of it. Tables have 2048 samples, or at least 5.6 for each cycle of their highest harmonic, and are read by eight points of a
/// windowed sinc (Smith and Gossett, A Flexible Sampling-Rate Conversion Method, ICASSP 1984), 512 positions between two samples.
/// Waves are built from their harmonics by an inverse transform in double, two tables at a time.
/// </summary>
public static unsafe class WaveTable
{
    /// <summary>Widths of band.</summary>
    public const int Levels = 19;

    /// <summary>Harmonics of the widest.</summary>
    public const int Harmonics = 724;

    /// <summary>Floats of one wave, all levels.</summary>
    public const int WaveFloats = (4 * 2048) + (2 * (1024 + 512 + 256 + 128)) + (7 * 64) + (Levels * Guard);

    /// <summary>Floats of the kernel that <see cref="BuildKernel"/> fills in.</summary>
    public const int KernelFloats = (Positions + 1) * Taps;

    /// <summary>Doubles of scratch that <see cref="Synthesize"/> and <see cref="Analyse"/> need.</summary>
    public const int ScratchDoubles = (3 * MostFrames) + (2 * (Harmonics + 1));

    /// <summary>Longest cycle that <see cref="Analyse"/> takes.</summary>
    public const int MostFrames = 4096;

    private const int Taps = 8, Before = 3, Guard = 8;
    private const int Positions = 512;
    private const double Beta = 7.0;

    /// <summary>Harmonics at a level.</summary>
    public static int HarmonicsAt(int level) =>
        (level & 1) == 0 ? Harmonics >> (level >> 1) : 512 >> (level >> 1);

    /// <summary>Samples of the cycle at a level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Size(int level) => Math.Max(Math.Min(4096 >> (level >> 1), 2048), 64);

    /// <summary>Where a level begins within a wave, in floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Offset(int level)
    {
        // Four of 2048, pairs of 1024 ... 128, then single ones of 64.
        var pairs = Math.Min(level >> 1, 6);
        var offset = pairs < 2 ? pairs * 4096 : 8192 + (2 * (2048 - (8192 >> pairs)));
        return offset + ((level - (2 * pairs)) * Size(level)) + (level * Guard);
    }

    /// <summary>The widest band that keeps harmonics at <paramref name="turns"/> a frame below <paramref name="limit"/> of the
    /// rate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LevelFor(float turns, float limit)
    {
        var octaves = FastMath.Log2(Vector128.Create(Math.Max(turns, 1e-9f) * Harmonics / limit))[0];
        var level = (int)Math.Max(0f, Math.Min((octaves + octaves) + 0.9999f, Levels - 1));
        return level;
    }

    /// <summary>
    /// The two waves at <paramref name="phase"/> in [0, 1), mixed: a + (b - a) * mix. Both point at the level that has
    /// <paramref name="size"/> samples.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float At(float* a, float* b, float* kernel, float size, float phase, float mix)
    {
        var place = phase * size;
        var whole = (int)place;
        var row = kernel + ((int)(((place - whole) * Positions) + 0.5f) * Taps);
        var (left, right) = (Vector128.Load(row), Vector128.Load(row + 4));
        a += whole;
        b += whole;
        var x = (Vector128.Load(a) * left) + (Vector128.Load(a + 4) * right);
        var y = (Vector128.Load(b) * left) + (Vector128.Load(b + 4) * right);
        return Vector128.Sum(x + ((y - x) * Vector128.Create(mix)));
    }

    /// <summary>Fills in the kernel. [steward]</summary>
    public static void BuildKernel(float* kernel)
    {
        for (var p = 0; p <= Positions; p++)
        {
            double sum = 0;
            for (var pass = 0; pass < 2; pass++)
            {
                for (var tap = 0; tap < Taps; tap++)
                {
                    var t = tap - Before - ((double)p / Positions);
                    var x = t / (Taps / 2);
                    var window = Math.Abs(x) >= 1.0 ? 0.0 : ExactMath.BesselI0(Beta * Math.Sqrt(1.0 - (x * x)));
                    var value = ExactMath.Sinc(t) * window;
                    if (pass == 0) sum += value;
                    else kernel[(p * Taps) + tap] = (float)(value / sum);
                }
            }
        }
    }

    /// <summary>Must be called once before <paramref name="scratch"/> is used. [steward]</summary>
    public static void Prepare(double* scratch)
    {
        var turns = scratch + (2 * MostFrames);
        for (var i = 0; i < MostFrames / 2; i++)
        {
            turns[2 * i] = ExactMath.SinPi(0.5 - (2.0 * i / MostFrames));
            turns[(2 * i) + 1] = ExactMath.SinPi(2.0 * i / MostFrames);
        }
    }

    /// <summary>Amplitudes of cos(2 pi h x), h = 1..<see cref="Harmonics"/> (entry 0 is not used), within the scratch.</summary>
    public static double* Cosines(double* scratch) => scratch + (3 * MostFrames);

    /// <summary>Amplitudes of sin(2 pi h x).</summary>
    public static double* Sines(double* scratch) => Cosines(scratch) + Harmonics + 1;

    /// <summary>Builds all levels of <paramref name="wave"/> from the harmonics in the scratch, times <paramref name="gain"/>; returns the
    /// peak. [steward]</summary>
    public static double Synthesize(float* wave, double* scratch, double gain)
    {
        var (cosines, sines) = (0, Harmonics + 1);
        var amplitudes = Cosines(scratch);
        double* re = scratch, im = scratch + MostFrames;
        var peak = 0.0;
        for (var level = 0; level < Levels; level += 2)
        {
            // Two real waves by one complex transform: the second one goes in a quarter turn ahead.
            var size = Size(level);
            for (var i = 0; i < size; i++) re[i] = im[i] = 0.0;
            for (var second = 0; second < 2 && level + second < Levels; second++)
            {
                for (var h = 1; h <= HarmonicsAt(level + second); h++)
                {
                    var (a, b) = (0.5 * gain * amplitudes[cosines + h], 0.5 * gain * amplitudes[sines + h]);
                    if (second == 0)
                    {
                        re[h] += a;
                        im[h] -= b;
                        re[size - h] += a;
                        im[size - h] += b;
                    }
                    else
                    {
                        re[h] += b;
                        im[h] += a;
                        re[size - h] -= b;
                        im[size - h] += a;
                    }
                }
            }

            Transform(re, im, size, scratch + (2 * MostFrames), 1.0);
            for (var second = 0; second < 2 && level + second < Levels; second++)
            {
                var source = second == 0 ? re : im;
                var target = wave + Offset(level + second);
                var length = Size(level + second);
                for (var i = 0; i < length + Guard; i++) target[i] = (float)source[(i + length - Before) & (length - 1)];
                for (var i = 0; i < length && level + second == 0; i++) peak = Math.Max(peak, Math.Abs(source[i]));
            }
        }

        return peak;
    }

    /// <summary>Finds the harmonics of one cycle of <paramref name="frames"/> samples, 2..<see cref="MostFrames"/>. [steward]</summary>
    public static void Analyse(float* cycle, int frames, double* scratch)
    {
        double* re = scratch, im = scratch + MostFrames;
        double* cosines = Cosines(scratch), sines = Sines(scratch);
        for (var h = 0; h <= Harmonics; h++) cosines[h] = sines[h] = 0.0;
        var most = Math.Min(Harmonics, (frames - 1) / 2);
        if ((frames & (frames - 1)) == 0)
        {
            for (var i = 0; i < frames; i++) (re[i], im[i]) = (cycle[i], 0.0);
            Transform(re, im, frames, scratch + (2 * MostFrames), -1.0);
            for (var h = 1; h <= most; h++)
            {
                cosines[h] = 2.0 / frames * re[h];
                sines[h] = -2.0 / frames * im[h];
            }

            return;
        }

        // Any other length: the sums themselves, their angles from a table of one cycle.
        for (var i = 0; i < frames; i++)
        {
            re[i] = ExactMath.SinPi(0.5 - (2.0 * i / frames));
            im[i] = ExactMath.SinPi(2.0 * i / frames);
        }

        for (var h = 1; h <= most; h++)
        {
            double c = 0, s = 0;
            for (int i = 0, angle = 0; i < frames; i++)
            {
                c += cycle[i] * re[angle];
                s += cycle[i] * im[angle];
                angle += h;
                if (angle >= frames) angle -= frames;
            }

            cosines[h] = 2.0 / frames * c;
            sines[h] = 2.0 / frames * s;
        }
    }

    // Radix 2 in place (Cooley and Tukey 1965), for building tables only; `direction` is the sign of the exponent.
    private static void Transform(double* re, double* im, int size, double* turns, double direction)
    {
        for (int i = 1, j = 0; i < size; i++)
        {
            var bit = size >> 1;
            for (; (j & bit) != 0; bit >>= 1) j ^= bit;
            j ^= bit;
            if (i >= j) continue;
            (re[i], re[j]) = (re[j], re[i]);
            (im[i], im[j]) = (im[j], im[i]);
        }

        for (int length = 2, stride = MostFrames / 2; length <= size; length <<= 1, stride >>= 1)
        {
            var half = length >> 1;
            for (var k = 0; k < half; k++)
            {
                var (c, s) = (turns[2 * k * stride], direction * turns[(2 * k * stride) + 1]);
                for (var i = k; i < size; i += length)
                {
                    var j = i + half;
                    var (tr, ti) = ((re[j] * c) - (im[j] * s), (re[j] * s) + (im[j] * c));
                    (re[j], im[j]) = (re[i] - tr, im[i] - ti);
                    (re[i], im[i]) = (re[i] + tr, im[i] + ti);
                }
            }
        }
    }
}
