// The tank of a plate: two chains of allpasses and delays that feed each other, and the fourteen places they are heard at.
using System.Runtime.Intrinsics;
using SspHost.Abi;

namespace SspHost.Dsp;

/// <summary>What a tank is told for one segment.</summary>
public unsafe struct PlateControls
{
    /// <summary>Delay of each line and place at the segment's start and end, in frames, <see cref="SegmentLine.Shortest"/> at least.</summary>
    public fixed float From[PlateTank.Delays], To[PlateTank.Delays];

    /// <summary>Of the absorption filter of each line, at the segment's end.</summary>
    public fixed float B0[PlateTank.Lines], B1[PlateTank.Lines], A1[PlateTank.Lines];

    /// <summary>Gain of each place, its sign included.</summary>
    public fixed float Heard[PlateTank.Places];

    /// <summary>Coefficients of the first and the second allpass of each chain.</summary>
    public float First, Second;
}

/// <summary>
/// The figure of eight of Dattorro (Effect Design 1: Reverberator and Other Filters, JAES 1997, figure 1 and table 2): allpass, delay,
/// allpass, delay, and over to the other chain. Different from there every line, the allpasses' own included, has its share of the decay
/// (see <see cref="Absorption"/>), and so has each place up to where it lies in its line, so that all modes decay alike and the decay is a
/// time. The two chains and their two allpasses are the four lanes of a register.
/// </summary>
public unsafe struct PlateTank
{
    /// <summary>Lines, in the order first allpass of A and B, second of A and B, first delay of A and B, second of A and B.</summary>
    public const int Lines = 8;

    /// <summary>Places it is heard at, seven on the left and seven on the right.</summary>
    public const int Places = 14;

    /// <summary>Lines and places.</summary>
    public const int Delays = Lines + Places;

    /// <summary>The rate that the lengths are counted at, in Hz.</summary>
    public const float UnitRate = 29_761f;

    private const int LineFloats = Lines * 6;
    private const int FilterFloats = 4 * Lines;

    private readonly SegmentLine* _lines;
    private readonly float* _filters;
    private bool _running;

    /// <summary>Length of a line, or depth of a place in its line, in frames of <see cref="UnitRate"/>.</summary>
    public static int Units(int delay) => delay switch
    {
        0 => 672, 1 => 908, 2 => 1800, 3 => 2656, 4 => 4453, 5 => 4217, 6 => 3720, 7 => 3163,
        8 => 266, 9 => 2974, 10 => 1913, 11 => 1996, 12 => 1990, 13 => 187, 14 => 1066,
        15 => 353, 16 => 3627, 17 => 1228, 18 => 2673, 19 => 2111, 20 => 335, _ => 121,
    };

    /// <summary>Sign of a place, 0..13.</summary>
    public static float Sign(int place) => (place % 7) switch { 0 or 1 or 3 => 1f, _ => -1f };

    /// <summary>
    /// Power heard on one side of white noise of power 1, where everything decays by 60 dB in <paramref name="decayFrames"/>: each chain
    /// adds what the other lets through, powers add at the places.
    /// </summary>
    public static float Power(in PlateControls controls, float decayFrames)
    {
        var kept = stackalloc float[Lines];
        for (var line = 0; line < Lines; line++) kept[line] = FastMath.Exp2(-19.9315686f * controls.To[line] / decayFrames);

        // Of chain A, and of B in the lines beside: what leaves the first allpass, reaches the second, leaves that, and comes over.
        var power = stackalloc float[Lines];
        var over = stackalloc float[2];
        var first = controls.First * controls.First;
        var second = controls.Second * controls.Second;
        for (var chain = 0; chain < 2; chain++)
        {
            power[4 + chain] = Passed(first, kept[chain]);
            var middle = power[4 + chain] * kept[4 + chain];
            power[chain] = 1f / (1f - (first * kept[chain]));
            power[2 + chain] = middle / (1f - (second * kept[2 + chain]));
            power[6 + chain] = middle * Passed(second, kept[2 + chain]);
            over[chain] = power[6 + chain] * kept[6 + chain];
        }

        var a = (1f + over[1]) / (1f - (over[0] * over[1]));
        var b = (1f + over[0]) / (1f - (over[0] * over[1]));
        var sum = 0f;
        for (var place = 0; place < Places; place++)
            sum += controls.Heard[place] * controls.Heard[place] * power[LineOf(place)] * ((LineOf(place) & 1) == 0 ? a : b);
        return 0.5f * sum;

        // An allpass whose delay keeps a part of the power.
        static float Passed(float square, float kept) => square + ((1f - square) * (1f - square) * kept / (1f - (square * kept)));
    }

    /// <summary>Floats to ask for where a unit is at most so many frames.</summary>
    public static long Floats(float framesPerUnit)
    {
        long floats = LineFloats + FilterFloats;
        for (var line = 0; line < Lines; line++) floats += SegmentLine.Floats(LineFrames(line, framesPerUnit));
        return floats;
    }

    /// <summary>Over a zeroed block of <see cref="Floats"/>(<paramref name="framesPerUnit"/>).</summary>
    public PlateTank(float* block, float framesPerUnit)
    {
        _lines = (SegmentLine*)block;
        _filters = block + LineFloats;
        block += LineFloats + FilterFloats;
        for (var line = 0; line < Lines; line++)
        {
            _lines[line] = new SegmentLine(block, LineFrames(line, framesPerUnit));
            block += SegmentLine.Floats(LineFrames(line, framesPerUnit));
        }
    }

    /// <summary>Whether everything that can be read is exactly zero.</summary>
    public readonly bool AtRest
    {
        get
        {
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

    /// <summary>One segment: what goes into both chains, and what is heard on both sides.</summary>
    public void Segment(in PlateControls controls, float* source, float* left, float* right)
    {
        var tile = stackalloc float[Limits.Grid * Lines];
        fixed (float* from = controls.From, to = controls.To, heard = controls.Heard)
        {
            LineTile.Read(_lines, Lines, from, to, tile);
            Hear(from + Lines, to + Lines, heard, 0, left);
            Hear(from + Lines, to + Lines, heard, Places / 2, right);
        }

        if (!_running) Take(in controls);
        _running = true;
        Frames(in controls, source, tile);
        Take(in controls);
        LineTile.Write(_lines, Lines, tile);
    }

    private readonly void Take(in PlateControls controls)
    {
        for (var line = 0; line < Lines; line++)
        {
            _filters[line] = controls.B0[line];
            _filters[Lines + line] = controls.B1[line];
            _filters[(2 * Lines) + line] = controls.A1[line];
        }
    }

    private readonly void Frames(in PlateControls controls, float* source, float* tile)
    {
        var b0 = _filters;
        var b1 = b0 + Lines;
        var a1 = b1 + Lines;
        var state = a1 + Lines;
        var steps = stackalloc float[3 * Lines];
        for (var line = 0; line < Lines; line++)
        {
            steps[line] = (controls.B0[line] - b0[line]) * (1f / Limits.Grid);
            steps[Lines + line] = (controls.B1[line] - b1[line]) * (1f / Limits.Grid);
            steps[(2 * Lines) + line] = (controls.A1[line] - a1[line]) * (1f / Limits.Grid);
        }

        var turns = Vector128.Create(-controls.First, -controls.First, controls.Second, controls.Second);
        var s0 = Vector128.Load(state);
        var s1 = Vector128.Load(state + 4);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var frame = tile + (i * Lines);
            var d = LineTile.Filter(ref s0, frame, 0, b0, b1, a1);
            var e = LineTile.Filter(ref s1, frame, 4, b0, b1, a1);
            for (var k = 0; k < 3 * Lines; k += 4) (Vector128.Load(b0 + k) + Vector128.Load(steps + k)).Store(b0 + k);

            // Into the first allpasses: what is new and the other chain's end; into the second ones: their own first delay.
            var x = Vector128.Create(source[i], source[i], 0f, 0f) + Vector128.Shuffle(e, Vector128.Create(3, 2, 0, 1));
            var w = x + (turns * d);
            w.Store(frame);
            (d - (turns * w)).Store(frame + 4);
        }

        Denormal.Flush(s0).Store(state);
        Denormal.Flush(s1).Store(state + 4);
    }

    private readonly void Hear(float* from, float* to, float* heard, int first, float* target)
    {
        var tap = stackalloc float[Limits.Grid];
        Block.Clear(target, Limits.Grid);
        for (var place = first; place < first + (Places / 2); place++)
        {
            _lines[LineOf(place)].Read(tap, (double)from[place], to[place]);
            Block.AddScaledSegment(target, tap, new GridRamp(heard[place], heard[place]));
        }
    }

    // Left is heard mostly from B, right from A.
    private static int LineOf(int place) => place switch
    {
        0 or 1 => 5, 2 => 3, 3 => 7, 4 => 4, 5 => 2, 6 => 6,
        7 or 8 => 4, 9 => 2, 10 => 6, 11 => 5, 12 => 3, _ => 7,
    };

    private static int LineFrames(int line, float framesPerUnit) => (int)(Units(line) * framesPerUnit) + (int)SegmentLine.Shortest + 2;
}
