// A room of sixteen delay lines that feed each other: what comes in dies away at a chosen rate, the highs at another.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>What a network is told for one segment.</summary>
public unsafe struct NetworkControls
{
    /// <summary>Delay of each line at the segment's start and end, in frames, <see cref="FeedbackNetwork.Shortest"/> at least.</summary>
    public fixed float From[FeedbackNetwork.Lines], To[FeedbackNetwork.Lines];

    /// <summary>Of the absorption filter y = b0 x + b1 x' - a1 y' of each line, at the segment's end.</summary>
    public fixed float B0[FeedbackNetwork.Lines], B1[FeedbackNetwork.Lines], A1[FeedbackNetwork.Lines];
}

/// <summary>
/// A feedback delay network (Jot and Chaigne, Digital Delay Networks for Designing Artificial Reverberators, AES 90, 1991): without
/// absorption it would be lossless, its matrix being a Hadamard matrix over 4; each line's filter takes away what its length is worth, so
/// that all modes of one frequency decay alike. The filter is a first-order shelf whose middle is the geometric mean of its ends, which
/// keeps decibels per second the same for lines of different lengths between the two bands as well (after Schlecht and Habets, Accurate
/// Reverberation Time Control in Feedback Delay Networks, DAFx 2017).
/// Runs in segments of 16 frames, line by line where it reads and writes, frame by frame where the lines mix.
/// </summary>
public unsafe struct FeedbackNetwork
{
    /// <summary>Lines.</summary>
    public const int Lines = 16;

    /// <summary>Shortest delay in frames: what is read in a segment was written before it.</summary>
    public const float Shortest = Limits.Grid + 3f;

    // Beyond this a line clips; music at 5 V keeps it near 1 V.
    private const float Most = 40f;

    private const int Groups = Lines / 4;
    private const int FilterFloats = 5 * Lines;
    private const int Margin = Limits.Grid + 4;

    // Which lines take part upside down: patterns without a likeness to each other or to the matrix.
    private const int InLeft = 0b0110_1001_1100_0101, InRight = 0b1100_0011_0101_1010;
    private const int OutLeft = 0b1010_0110_0001_1101, OutRight = 0b0011_1010_1011_0100;

    private readonly float* _lines;
    private readonly float* _filters;
    private readonly int _ring;
    private int _write;
    private long _quiet;
    private bool _running;

    /// <summary>Floats to ask for where the longest delay is <paramref name="frames"/>.</summary>
    public static long Floats(int frames) => (Lines * (long)Ring(frames)) + FilterFloats;

    /// <summary>Over a zeroed block of <see cref="Floats"/>(<paramref name="frames"/>).</summary>
    public FeedbackNetwork(float* block, int frames)
    {
        _filters = block;
        _lines = block + FilterFloats;
        _ring = Ring(frames);
    }

    /// <summary>Whether everything that can be read is exactly zero.</summary>
    public readonly bool AtRest => _quiet >= _ring;

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        new Span<float>(_filters, FilterFloats).Clear();
        new Span<float>(_lines, Lines * _ring).Clear();
        _write = 0;
        _quiet = 0;
        _running = false;
    }

    /// <summary>Sets filter <paramref name="line"/> for a delay of <paramref name="frames"/>.</summary>
    /// <param name="controls">Where the coefficients go.</param>
    /// <param name="line">0..15.</param>
    /// <param name="frames">Delay of the line.</param>
    /// <param name="decayFrames">Frames of a decay by 60 dB at low frequencies.</param>
    /// <param name="highRatio">Decay of the highs as a part of that, above 0.</param>
    /// <param name="tangent">tan(pi crossover / rate).</param>
    public static void Absorb(ref NetworkControls controls, int line, float frames, float decayFrames, float highRatio, float tangent)
    {
        // 60 dB are 9.96578 octaves of amplitude.
        var octaves = -9.96578428f * frames / decayFrames;
        var low = FastMath.Exp2(octaves);
        var root = FastMath.Exp2(Math.Max(0.5f * octaves * ((1f / highRatio) - 1f), -40f));
        var inverse = 1f / root;
        var scale = 1f / (tangent + inverse);
        controls.B0[line] = low * (tangent + root) * scale;
        controls.B1[line] = low * (tangent - root) * scale;
        controls.A1[line] = (tangent - inverse) * scale;
    }

    /// <summary>One segment: 16 frames of each input, each output.</summary>
    public void Segment(in NetworkControls controls, float* left, float* right, float* outLeft, float* outRight)
    {
        var tile = stackalloc float[Limits.Grid * Lines];
        for (var line = 0; line < Lines; line++) Read(tile + line, _lines + ((nint)line * _ring), controls.From[line], controls.To[line]);

        var b0 = _filters;
        var b1 = b0 + Lines;
        var a1 = b1 + Lines;
        var x1 = a1 + Lines;
        var y1 = x1 + Lines;
        var steps = stackalloc float[3 * Lines];
        for (var line = 0; line < Lines; line++)
        {
            if (!_running) (b0[line], b1[line], a1[line]) = (controls.B0[line], controls.B1[line], controls.A1[line]);
            steps[line] = (controls.B0[line] - b0[line]) * (1f / Limits.Grid);
            steps[Lines + line] = (controls.B1[line] - b1[line]) * (1f / Limits.Grid);
            steps[(2 * Lines) + line] = (controls.A1[line] - a1[line]) * (1f / Limits.Grid);
        }

        _running = true;
        var loudest = Vector128<float>.Zero;
        var y = stackalloc Vector128<float>[Groups];
        for (var i = 0; i < Limits.Grid; i++)
        {
            var (l, r) = (Vector128<float>.Zero, Vector128<float>.Zero);
            for (var group = 0; group < Groups; group++)
            {
                var at = 4 * group;
                var c0 = Vector128.Load(b0 + at);
                var c1 = Vector128.Load(b1 + at);
                var d1 = Vector128.Load(a1 + at);
                var x = Vector128.Load(tile + (i * Lines) + at);
                var v = (c0 * x) + (c1 * Vector128.Load(x1 + at)) - (d1 * Vector128.Load(y1 + at));
                v = Denormal.Flush(v);
                x.Store(x1 + at);
                v.Store(y1 + at);
                (c0 + Vector128.Load(steps + at)).Store(b0 + at);
                (c1 + Vector128.Load(steps + Lines + at)).Store(b1 + at);
                (d1 + Vector128.Load(steps + (2 * Lines) + at)).Store(a1 + at);
                l += Signed(v, OutLeft >> at);
                r += Signed(v, OutRight >> at);
                y[group] = v;
            }

            outLeft[i] = Vector128.Sum(l);
            outRight[i] = Vector128.Sum(r);
            Mix(y);
            var inLeft = Vector128.Create(left[i] * 0.17677669f);
            var inRight = Vector128.Create(right[i] * 0.17677669f);
            for (var group = 0; group < Groups; group++)
            {
                var v = y[group] + Signed(inLeft, InLeft >> (4 * group)) + Signed(inRight, InRight >> (4 * group));
                v = Denormal.Flush(Vector128.Min(Vector128.Max(v, Vector128.Create(-Most)), Vector128.Create(Most)));
                loudest = Vector128.Max(loudest, Vector128.Max(Vector128.Abs(v), Vector128.Abs(Vector128.Load(y1 + (4 * group)))));
                v.Store(tile + (i * Lines) + (4 * group));
            }
        }

        // The ramps end where they were meant to, whatever was rounded on the way.
        for (var line = 0; line < Lines; line++)
        {
            (b0[line], b1[line], a1[line]) = (controls.B0[line], controls.B1[line], controls.A1[line]);
            var ring = _lines + ((nint)line * _ring);
            for (var i = 0; i < Limits.Grid; i++) ring[(_write + i) & (_ring - 1)] = tile[(i * Lines) + line];
        }

        _write = (_write + Limits.Grid) & (_ring - 1);
        _quiet = Vector128.EqualsAll(loudest, Vector128<float>.Zero) ? Math.Min(_quiet + Limits.Grid, _ring) : 0;
    }

    // A line's segment into every sixteenth float: whole delays are copied, moving ones interpolated.
    private readonly void Read(float* tile, float* ring, float from, float to)
    {
        var mask = _ring - 1;
        var whole = (int)from;
        if (from == to && from == whole)
        {
            for (var i = 0; i < Limits.Grid; i++) tile[i * Lines] = ring[(_write + i - whole) & mask];
            return;
        }

        var step = (to - from) * (1f / Limits.Grid);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var delay = from + (step * i);
            whole = (int)delay;
            var at = _write + i - whole;
            tile[i * Lines] = Hermite.At(
                ring[(at + 1) & mask], ring[at & mask], ring[(at - 1) & mask], ring[(at - 2) & mask], delay - whole);
        }
    }

    // y = H y / 4: butterflies between the vectors, then within them.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Mix(Vector128<float>* y)
    {
        var (a, b, c, d) = (y[0] + y[1], y[0] - y[1], y[2] + y[3], y[2] - y[3]);
        y[0] = Within(a + c);
        y[1] = Within(b + d);
        y[2] = Within(a - c);
        y[3] = Within(b - d);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Within(Vector128<float> v)
    {
        v = Vector128.Shuffle(v, Vector128.Create(1, 0, 3, 2)) + (v * Vector128.Create(1f, -1f, 1f, -1f));
        v = Vector128.Shuffle(v, Vector128.Create(2, 3, 0, 1)) + (v * Vector128.Create(1f, 1f, -1f, -1f));
        return v * Vector128.Create(0.25f);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Signed(Vector128<float> v, int pattern)
    {
        var bits = Vector128.Create(pattern << 31, pattern << 30, pattern << 29, pattern << 28) & Vector128.Create(int.MinValue);
        return v ^ bits.AsSingle();
    }

    private static int Ring(int frames) => (int)BitOperations.RoundUpToPowerOf2((uint)(frames + Margin));
}
