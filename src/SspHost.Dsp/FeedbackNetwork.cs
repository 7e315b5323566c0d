// A room of sixteen delay lines that feed each other: what comes in dies away at a chosen rate, the highs at another.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>What a network is told for one segment.</summary>
public unsafe struct NetworkControls
{
    /// <summary>Delay of each line at the segment's start and end, in frames, <see cref="SegmentLine.Shortest"/> at least.</summary>
    public fixed float From[FeedbackNetwork.Lines], To[FeedbackNetwork.Lines];

    /// <summary>Of the absorption filter of each line, at the segment's end.</summary>
    public fixed float B0[FeedbackNetwork.Lines], B1[FeedbackNetwork.Lines], A1[FeedbackNetwork.Lines];

    /// <summary>By what angles the lines are turned in pairs, at the segment's end.</summary>
    public fixed float Cos[FeedbackNetwork.Turns], Sin[FeedbackNetwork.Turns];

    /// <summary>Whether filters differ from those of the segment before.</summary>
    public bool FiltersMove;
}

/// <summary>
/// A feedback delay network (Jot and Chaigne, Digital Delay Networks for Designing Artificial Reverberators, AES 90, 1991): without
/// <see cref="Absorption"/> it would be lossless, its matrix being a Hadamard matrix over 4 after rotations of eight pairs of lines. Slowly
/// turning angles move every mode and lose nothing, where a delay that moves is read between samples and loses highs each time round
/// (Schlecht and Habets, Time-Varying Feedback Matrices in Feedback Delay Networks and Their Application in Artificial Reverberation,
/// JASA 2015).
/// Runs in segments of 16 frames, line by line where it reads and writes, frame by frame where the lines mix.
/// </summary>
public unsafe struct FeedbackNetwork
{
    /// <summary>Lines.</summary>
    public const int Lines = 16;

    /// <summary>Pairs of lines that are turned.</summary>
    public const int Turns = Lines / 2;

    private const int LineFloats = Lines * 6;
    private const int FilterFloats = (4 * Lines) + (2 * Turns);

    // Which lines take part upside down in (left + right, left - right, left + right, left - right): a pattern unlike the matrix.
    private const int In = 0b0110_1001_1100_0101;

    private readonly SegmentLine* _lines;
    private readonly float* _filters;
    private bool _running;

    /// <summary>Length of line <paramref name="line"/> as a part of the longest: without a common measure, each 8 % longer than the one
    /// before.</summary>
    public static float Proportion(int line) => (1f / 115.1f) * line switch
    {
        0 => 35.3f, 1 => 38.9f, 2 => 41.3f, 3 => 44.9f, 4 => 48.7f, 5 => 52.3f, 6 => 56.9f, 7 => 61.7f,
        8 => 66.1f, 9 => 71.9f, 10 => 77.3f, 11 => 83.7f, 12 => 90.7f, 13 => 97.9f, 14 => 106.3f, _ => 115.1f,
    };

    /// <summary>Floats to ask for where the longest delay is <paramref name="frames"/>.</summary>
    public static long Floats(int frames)
    {
        long floats = LineFloats + FilterFloats;
        for (var line = 0; line < Lines; line++) floats += SegmentLine.Floats(LineFrames(line, frames));
        return floats;
    }

    /// <summary>Over a zeroed block of <see cref="Floats"/>(<paramref name="frames"/>).</summary>
    public FeedbackNetwork(float* block, int frames)
    {
        _lines = (SegmentLine*)block;
        _filters = block + LineFloats;
        block += LineFloats + FilterFloats;
        for (var line = 0; line < Lines; line++)
        {
            _lines[line] = new SegmentLine(block, LineFrames(line, frames));
            block += SegmentLine.Floats(LineFrames(line, frames));
        }
    }

    /// <summary>Whether everything that can be read is exactly zero.</summary>
    public readonly bool AtRest
    {
        get
        {
            // The longest first: what is not at rest is found at once.
            for (var line = Lines - 1; line >= 0; line--)
            {
                if (!_lines[line].AtRest) return false;
            }

            return Block.IsZero(_filters + (3 * Lines), Lines);
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Block.Zero(_filters, FilterFloats);
        for (var line = 0; line < Lines; line++) _lines[line].Clear();
        _running = false;
    }

    /// <summary>One segment: 16 frames of each input, each output.</summary>
    public void Segment(in NetworkControls controls, float* left, float* right, float* outLeft, float* outRight)
    {
        var tile = stackalloc float[Limits.Grid * Lines];
        fixed (float* from = controls.From, to = controls.To) LineTile.Read(_lines, Lines, from, to, tile);
        if (!_running) Take(in controls);
        if (controls.FiltersMove && _running) Frames(true, in controls, tile, left, right, outLeft, outRight);
        else Frames(false, in controls, tile, left, right, outLeft, outRight);
        _running = true;
        Take(in controls);
        LineTile.Write(_lines, Lines, tile);
    }

    // The ramps end where they were meant to, whatever was rounded on the way.
    private readonly void Take(in NetworkControls controls)
    {
        // The matrix is over 4: here.
        var coefficients = _filters;
        for (var line = 0; line < Lines; line++)
        {
            coefficients[line] = controls.B0[line] * 0.25f;
            coefficients[Lines + line] = controls.B1[line] * 0.25f;
            coefficients[(2 * Lines) + line] = controls.A1[line];
        }

        for (var turn = 0; turn < Turns; turn++)
        {
            coefficients[(4 * Lines) + turn] = controls.Cos[turn];
            coefficients[(4 * Lines) + Turns + turn] = controls.Sin[turn];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Frames(
        bool moving, in NetworkControls controls, float* tile, float* left, float* right, float* outLeft, float* outRight)
    {
        var b0 = _filters;
        var b1 = b0 + Lines;
        var a1 = b1 + Lines;
        var state = a1 + Lines;
        var cos = state + Lines;
        var sin = cos + Turns;
        var steps = stackalloc float[3 * Lines];
        const float Part = 1f / Limits.Grid;
        if (moving)
        {
            for (var line = 0; line < Lines; line++)
            {
                steps[line] = ((controls.B0[line] * 0.25f) - b0[line]) * Part;
                steps[Lines + line] = ((controls.B1[line] * 0.25f) - b1[line]) * Part;
                steps[(2 * Lines) + line] = (controls.A1[line] - a1[line]) * Part;
            }
        }

        var (s0, s1) = (Vector128.Load(state), Vector128.Load(state + 4));
        var (s2, s3) = (Vector128.Load(state + 8), Vector128.Load(state + 12));
        var (cosA, cosB, sinA, sinB) = (Vector128.Load(cos), Vector128.Load(cos + 4), Vector128.Load(sin), Vector128.Load(sin + 4));
        Vector128<float> cosStepA, cosStepB, sinStepA, sinStepB;
        fixed (float* c = controls.Cos, s = controls.Sin)
        {
            cosStepA = (Vector128.Load(c) - cosA) * Vector128.Create(Part);
            cosStepB = (Vector128.Load(c + 4) - cosB) * Vector128.Create(Part);
            sinStepA = (Vector128.Load(s) - sinA) * Vector128.Create(Part);
            sinStepB = (Vector128.Load(s + 4) - sinB) * Vector128.Create(Part);
        }

        for (var i = 0; i < Limits.Grid; i++)
        {
            var frame = tile + (i * Lines);
            var v0 = LineTile.Filter(ref s0, frame, 0, b0, b1, a1);
            var v1 = LineTile.Filter(ref s1, frame, 4, b0, b1, a1);
            var v2 = LineTile.Filter(ref s2, frame, 8, b0, b1, a1);
            var v3 = LineTile.Filter(ref s3, frame, 12, b0, b1, a1);
            if (moving)
            {
                for (var k = 0; k < 3 * Lines; k += 4) (Vector128.Load(b0 + k) + Vector128.Load(steps + k)).Store(b0 + k);
            }

            (v0, v1) = ((v0 * cosA) - (v1 * sinA), (v0 * sinA) + (v1 * cosA));
            (v2, v3) = ((v2 * cosB) - (v3 * sinB), (v2 * sinB) + (v3 * cosB));
            cosA += cosStepA;
            cosB += cosStepB;
            sinA += sinStepA;
            sinB += sinStepB;
            var (a, b, c, d) = (v0 + v1, v0 - v1, v2 + v3, v2 - v3);
            v0 = Within(a + c);
            v1 = Within(b + d);
            v2 = Within(a - c);
            v3 = Within(b - d);

            // Two rows of the matrix are the two sides.
            outLeft[i] = 4f * v1[1];
            outRight[i] = 4f * v2[2];
            var (sum, difference) = ((left[i] + right[i]) * 0.17677669f, (left[i] - right[i]) * 0.17677669f);
            var fresh = Vector128.Create(sum, difference, sum, difference);
            (v0 + Signed(fresh, In)).Store(frame);
            (v1 + Signed(fresh, In >> 4)).Store(frame + 4);
            (v2 + Signed(fresh, In >> 8)).Store(frame + 8);
            (v3 + Signed(fresh, In >> 12)).Store(frame + 12);
        }

        Denormal.Flush(s0).Store(state);
        Denormal.Flush(s1).Store(state + 4);
        Denormal.Flush(s2).Store(state + 8);
        Denormal.Flush(s3).Store(state + 12);
    }

    // A Hadamard matrix of four within a register.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Within(Vector128<float> v)
    {
        v = Vector128.Shuffle(v, Vector128.Create(1, 0, 3, 2)) + (v ^ Vector128.Create(0f, -0f, 0f, -0f));
        return Vector128.Shuffle(v, Vector128.Create(2, 3, 0, 1)) + (v ^ Vector128.Create(0f, 0f, -0f, -0f));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Signed(Vector128<float> v, int pattern)
    {
        var bits = Vector128.Create(pattern << 31, pattern << 30, pattern << 29, pattern << 28) & Vector128.Create(int.MinValue);
        return v ^ bits.AsSingle();
    }

    private static int LineFrames(int line, int longest) => (int)(longest * Proportion(line)) + 2;
}
