// Chorus: one sound becomes several that drift against each other.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// One delay line read by up to eight voices (Dattorro, Effect Design 2: Delay-Line Modulation and Chorus, JAES 1997), their delays moved
/// by sines a golden section of a turn apart, between samples by <see cref="Lagrange"/>. Voice k of n stands at an even place between
/// left and right with gains sqrt(2 / n) (cos, sin), so that the wet sound is as strong as one voice however many there are. Dimension is
/// two voices on opposite triangles, each also heard inverted on the other side at 0.4: the pitches move apart and the sum stands still
/// (the principle of Roland's SDD-320). The bucket brigade is four trapezoidal poles, two before the line and two behind it, -3 dB at Tone.
/// </summary>
public unsafe struct Chorus : IModule<Chorus>
{
    private const int LeftIn = 0, RightIn = 1, RateIn = 2;
    private const int Left = 0, Right = 1;
    private const int Mode = 0, Voices = 1, Rate = 2, Delay = 3, Depth = 4, Spread = 5, Line = 6, Tone = 7, Mix = 8;
    private const int MostVoices = 8;
    private const float LongestMilliseconds = 50f;
    private const float GoldenSection = 0.61803399f;
    private const float Crossed = 0.4f;
    private const float FadeSeconds = 0.01f;

    // Frames a frame: faster than the fastest setting, slower than time itself, so that no voice ever runs backwards.
    private const float FastestGlide = 0.9f;

    // Four equal poles are 3 dB down together where each is 0.435 of its way.
    private const float FourPoles = 0.43497937f;

    private SegmentLine _line;
    private SlowPhase _phase;
    private OnePoleFour _pre1, _pre2, _postLeft1, _postLeft2, _postRight1, _postRight2;
    private fixed float _delays[MostVoices];
    private fixed float _gains[2 * MostVoices];
    private float _bucket;
    private bool _running;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "chorus",
        Name = "Chorus",
        Family = "Space",
        Text = "One sound becomes several that drift against each other: wide, soft, alive.",
        Help = """
            Plays a sound several times at once, each a few milliseconds late and each slowly moving earlier and later. Because what
            comes earlier sounds higher, no two copies have quite the same pitch, as no two players of a section have. Voices says
            how many there are, Rate and Depth how they move, Spread how far apart they stand.

            Dimension is another arrangement: two copies that move against each other and cancel each other's movement. The sound
            becomes wide, and nobody hears anything wobble. The bucket brigade gives the copies the dark, soft sound of the chips
            that old pedals used: Tone is where their highs end.

            Try a saw from a VCO at Left and both outputs to Audio Out; Mix at 0.5. Three voices at 0.6 Hz and 2 ms make an ensemble
            of strings; one voice at 5 Hz, 1 ms and Mix at 1 is a vibrato. For a bass use Dimension with a slow Rate, and leave the
            line clean.

            - Patch an envelope into Rate CV: the movement slows down as a rotating speaker does.
            - It is one effect for all voices of a chord, which are summed.
            """,
        Inputs =
        [
            new PortDescriptor("left", "Left", "Sound, or the left side of it; the voices of a chord are summed.", ChannelRule.Fixed,
                Limits.MaxChannels),
            new PortDescriptor("right", "Right", "The right side; unpatched it is the left one.", ChannelRule.Fixed, Limits.MaxChannels),
            new PortDescriptor("rate", "Rate CV", "1 V doubles the rate.", ChannelRule.Fixed),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "The left side.", ChannelRule.Fixed),
            new PortDescriptor("right", "Right", "The right side.", ChannelRule.Fixed),
        ],
        Parameters =
        [
            new ParameterDescriptor("mode", "Mode", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Several voices, or two that hide their movement.",
                "chorus", "dimension"),
            new ParameterDescriptor("voices", "Voices", "", 1f, MostVoices, 3f, ParameterCurve.Stepped, "Copies of the sound."),
            new ParameterDescriptor("rate", "Rate", "Hz", 0.01f, 10f, 0.6f, ParameterCurve.Exponential, "How often a copy goes to and fro in a second."),
            new ParameterDescriptor("delay", "Delay", "ms", 1f, 40f, 12f, ParameterCurve.Exponential, "How late the copies are on average."),
            new ParameterDescriptor("depth", "Depth", "ms", 0f, 10f, 2f, ParameterCurve.Linear,
                "How far a copy goes to either side of that, no further than to no delay."),
            new ParameterDescriptor("spread", "Spread", "", 0f, 1f, 1f, ParameterCurve.Linear, "How far to the sides the copies stand."),
            new ParameterDescriptor("line", "Line", "", 0f, 1f, 0f, ParameterCurve.Stepped, "What the copies come out of.", "clean",
                "bucket brigade"),
            new ParameterDescriptor("tone", "Tone", "Hz", 1_000f, 15_000f, 6_000f, ParameterCurve.Exponential,
                "Where the highs of the bucket brigade end."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 0.5f, ParameterCurve.Linear, "0 is the sound alone, 1 the copies alone."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<float>(SegmentLine.Floats(LongestFrames(in setup)));

    public static void Construct(ref Chorus self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        var frames = LongestFrames(in setup);
        var block = memory.Take<float>(SegmentLine.Floats(frames));
        if (memory.Overdrawn) return;
        self._line = new SegmentLine(block, frames);

        // What the line holds, and the poles behind it, of 2.3 kHz at least, down by 190 dB.
        timing.TailFrames = self._line.Length + (int)(0.02f * setup.SampleRate) + Limits.MaxQuantum;
    }

    public static void Reset(ref Chorus self)
    {
        var line = self._line;
        line.Clear();
        self = default;
        self._line = line;
    }

    public static ProcessResult Process(ref Chorus self, in ProcessContext context)
    {
        var woke = self._phase.Wake(in context);
        var settled = true;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            settled &= self.Segment(in context, segment, woke);
            woke = false;
        }

        var asleep = settled && context.Inputs[LeftIn].Silent && context.Inputs[RightIn].Silent && context.Inputs[RateIn].Silent
            && self._line.AtRest && self._pre1.IsZero && self._pre2.IsZero && self._postLeft1.IsZero && self._postLeft2.IsZero
            && self._postRight1.IsZero && self._postRight2.IsZero;
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static int LongestFrames(in InstanceSetup setup) => (int)(LongestMilliseconds * 0.001f * setup.SampleRate) + Limits.Grid;

    // True when nothing glides.
    private bool Segment(in ProcessContext context, int segment, bool woke)
    {
        var at = segment * Limits.Grid;
        var dryLeft = stackalloc float[Limits.Grid];
        var dryRight = stackalloc float[Limits.Grid];
        var mono = stackalloc float[Limits.Grid];
        var tap = stackalloc float[Limits.Grid];
        var stereo = context.Inputs[RightIn].Connected;
        Block.SumSegment(dryLeft, in context, LeftIn, at);
        Block.SumSegment(dryRight, in context, stereo ? RightIn : LeftIn, at);
        Block.Clear(mono, Limits.Grid);
        Block.AddScaledSegment(mono, dryLeft, new GridRamp(0.5f, 0.5f));
        Block.AddScaledSegment(mono, dryRight, new GridRamp(0.5f, 0.5f));

        var fade = Limits.Grid / (FadeSeconds * context.SampleRate);
        var line = context.Param(Line, segment) >= 0.5f ? 1f : 0f;
        if (!_running) _bucket = line;
        var bucket = new GridRamp(_bucket, Glide.Towards(_bucket, line, fade));
        var settled = _bucket == line;
        _bucket = Glide.Towards(_bucket, line, fade);
        var g = FastMath.TanPi(Vector128.Create(Math.Min(context.Param(Tone, segment) / context.SampleRate, 0.45f)))[0] / FourPoles;
        var poles = new OnePoleGains(g / (1f + g));
        if (bucket.Start + bucket.Step > 0f) Filter(ref _pre1, ref _pre2, mono, in poles, in bucket);
        else _pre1 = _pre2 = _postLeft1 = _postLeft2 = _postRight1 = _postRight2 = default;

        _line.Write(mono);
        var left = context.Out(Left) + at;
        var right = context.Out(Right) + at;
        Block.Clear(left, Limits.Grid);
        Block.Clear(right, Limits.Grid);
        var dimension = context.Param(Mode, segment) >= 0.5f;
        var voices = dimension ? 2 : (int)(context.Param(Voices, segment) + 0.5f);
        if (woke) Place(in context, segment, dimension);
        _phase.Advance(context.Param(Rate, segment + 1) * FastMath.Exp2(context.In(RateIn)[at + Limits.Grid - 1]), context.SampleRate);
        for (var voice = 0; voice < MostVoices; voice++)
        {
            Gains(voice, voices, dimension, context.Param(Spread, segment + 1), out var toLeft, out var toRight);
            var gainLeft = _running ? _gains[2 * voice] : toLeft;
            var gainRight = _running ? _gains[(2 * voice) + 1] : toRight;
            var nextLeft = Glide.Towards(gainLeft, toLeft, fade);
            var nextRight = Glide.Towards(gainRight, toRight, fade);
            settled &= nextLeft == toLeft && nextRight == toRight;
            _gains[2 * voice] = nextLeft;
            _gains[(2 * voice) + 1] = nextRight;
            if (gainLeft == 0f && gainRight == 0f && nextLeft == 0f && nextRight == 0f)
            {
                _delays[voice] = 0f;
                continue;
            }

            var target = DelayAt(in context, segment + 1, voice, dimension);
            var from = _delays[voice] == 0f ? target : _delays[voice];
            var to = Glide.Towards(from, target, FastestGlide * Limits.Grid);
            settled &= to == target;
            _delays[voice] = to;
            _line.Read(tap, (double)from, to);
            Block.AddScaledSegment(left, tap, new GridRamp(gainLeft, nextLeft));
            Block.AddScaledSegment(right, tap, new GridRamp(gainRight, nextRight));
        }

        _line.Advance();
        _running = true;
        if (bucket.Start + bucket.Step > 0f)
        {
            Filter(ref _postLeft1, ref _postLeft2, left, in poles, in bucket);
            Filter(ref _postRight1, ref _postRight2, right, in poles, in bucket);
        }

        var mix = new GridRamp(in context, Mix, segment);
        Block.MixSegment(left, dryLeft, in mix);
        Block.MixSegment(right, dryRight, in mix);
        return settled;
    }

    // Where the voices are as the quantum begins, after a sleep as if there had been none.
    private void Place(in ProcessContext context, int segment, bool dimension)
    {
        for (var voice = 0; voice < MostVoices; voice++)
        {
            if (_gains[2 * voice] != 0f || _gains[(2 * voice) + 1] != 0f || !_running) _delays[voice] = DelayAt(in context, segment, voice, dimension);
        }
    }

    private readonly float DelayAt(in ProcessContext context, int point, int voice, bool dimension)
    {
        var turns = _phase.Turns(dimension ? 0.5f * voice : GoldenSection * voice);
        var wave = LfoWave.At(dimension ? LfoShape.Triangle : LfoShape.Sine, turns, 0f, 0f);
        var delay = context.Param(Delay, point);
        var frames = (delay + (Math.Min(context.Param(Depth, point), delay) * wave)) * (0.001f * context.SampleRate);
        return Math.Max(frames, SegmentLine.ShortestAfter);
    }

    private static void Gains(int voice, int voices, bool dimension, float spread, out float left, out float right)
    {
        (left, right) = (0f, 0f);
        if (voice >= voices) return;
        if (dimension)
        {
            (left, right) = voice == 0 ? (1f, -Crossed * spread) : (-Crossed * spread, 1f);
            return;
        }

        // Places from 0 (left) to 1 (right), drawn in to the middle; eighths of a turn.
        var place = voices == 1 ? 0.5f : 0.5f + (spread * ((voice / (voices - 1f)) - 0.5f));
        var level = MathF.Sqrt(2f / voices);
        left = level * FastMath.SinTurns(0.25f * (1f - place));
        right = level * FastMath.SinTurns(0.25f * place);
    }

    private static void Filter(ref OnePoleFour first, ref OnePoleFour second, float* samples, in OnePoleGains poles, in GridRamp amount)
    {
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var x = Vector128.Load(samples + i);
            var y = second.LowPass(first.LowPass(x, in poles), in poles);
            (x + (amount.Four(i) * (y - x))).Store(samples + i);
        }
    }
}
