// Reverb: a room around a sound, from a closet to a cathedral.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Pre-delay, diffusion and a network of sixteen lines (see <see cref="FeedbackNetwork"/>). Decay is the time to fall by 60 dB at low
/// frequencies, and High its part that frequencies well above the crossover get; at the crossover the rates are averaged. The reverb of
/// steady noise is as strong as the noise at any decay. The lines last 35 to 115 ms at size 1 and 5 to 17 ms at size 0: 1.1 or 0.17
/// modes a hertz, of which Schroeder's 0.15 a second of decay want 7 s and 1.1 s at most; longer tails of small rooms ring, less with
/// modulation, which moves four of the lines. A change of size or pre-delay glides and bends the pitch by up to 40 %.
/// </summary>
public unsafe struct Reverb : IModule<Reverb>
{
    private const int LeftIn = 0, RightIn = 1, DecayIn = 2;
    private const int Left = 0, Right = 1;
    private const int Size = 0, Decay = 1, High = 2, Crossover = 3, Modulation = 4, PreDelay = 5, Mix = 6, DecayAmount = 7;
    private const int Lines = FeedbackNetwork.Lines, ModulatedLines = 4;
    private const float SmallestPart = 0.15f;
    private const float LongestSeconds = 0.1151f;
    private const float LongestPreDelay = 0.25f;
    private const float LongestDecay = 30f, ShortestDecay = 0.1f;
    private const float ModulationSeconds = 0.0004f;
    private const float DiffusionSeconds = 0.019f;
    private const float FastestGlide = 0.4f;
    private const float GlideSeconds = 0.05f;

    // Where the decay is shorter than the way through the longest lines there is no steady state to speak of.
    private const float MostLevel = 2f;

    // 5 V to below 1e-8 V, 187 dB by the fullest decay's 60, and what the lines hold.
    private const float DecaysOfTail = 3.3f;

    private FeedbackNetwork _network;
    private DelayLine _preLeft, _preRight;
    private Diffuser _diffuseLeft, _diffuseRight;
    private NetworkControls _controls;
    private fixed float _delays[Lines];
    private fixed double _phases[ModulatedLines];
    private double _preFrames;
    private float _glide, _level;
    private int _quiet;
    private bool _running;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "reverb",
        Name = "Reverb",
        Family = "Space",
        Text = "A room around a sound, from a closet to a cathedral.",
        Inputs =
        [
            new PortDescriptor("left", "Left", "Sound, or the left side of it; the voices of a chord are summed.", ChannelRule.Fixed,
                Limits.MaxChannels),
            new PortDescriptor("right", "Right", "The right side; unpatched it is the left one.", ChannelRule.Fixed, Limits.MaxChannels),
            new PortDescriptor("decay", "Decay CV", "Moves the decay, by its amount.", ChannelRule.Fixed),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "The left side of the room.", ChannelRule.Fixed),
            new PortDescriptor("right", "Right", "The right side of the room.", ChannelRule.Fixed),
        ],
        Parameters =
        [
            new ParameterDescriptor("size", "Size", "", 0f, 1f, 0.6f, ParameterCurve.Linear, "How large the room is."),
            new ParameterDescriptor("decay", "Decay", "s", ShortestDecay, LongestDecay, 2f, ParameterCurve.Exponential,
                "Time until it has died away, by 60 dB."),
            new ParameterDescriptor("high", "High decay", "", 0.05f, 1f, 0.4f, ParameterCurve.Linear,
                "The same for the highs, as a part of it: less is darker."),
            new ParameterDescriptor("crossover", "Crossover", "Hz", 200f, 12_000f, 3_000f, ParameterCurve.Exponential,
                "Where the highs begin."),
            new ParameterDescriptor("modulation", "Modulation", "", 0f, 1f, 0.3f, ParameterCurve.Linear,
                "Slow movement in the room: livelier, less metallic."),
            new ParameterDescriptor("predelay", "Pre-delay", "s", 0f, LongestPreDelay, 0.01f, ParameterCurve.Linear,
                "Time until the room answers."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 0.35f, ParameterCurve.Linear, "0 is the sound alone, 1 the room alone."),
            new ParameterDescriptor("decay_amount", "Decay amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "How far the CV moves the decay, in doublings a volt."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<float>(FeedbackNetwork.Floats(LongestFrames(in setup)));
        for (var side = 0; side < 2; side++)
        {
            need.Need<float>(DelayLine.Floats(PreFrames(in setup)));
            need.Need<float>(Diffuser.Floats(DiffusionFrames(in setup)));
        }
    }

    public static void Construct(ref Reverb self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        var longest = LongestFrames(in setup);
        self._network = new FeedbackNetwork(memory.Take<float>(FeedbackNetwork.Floats(longest)), longest);
        var pre = PreFrames(in setup);
        var diffusion = DiffusionFrames(in setup);
        self._preLeft = new DelayLine(memory.Take<float>(DelayLine.Floats(pre)), pre);
        self._diffuseLeft = new Diffuser(memory.Take<float>(Diffuser.Floats(diffusion)), diffusion, 1f);
        self._preRight = new DelayLine(memory.Take<float>(DelayLine.Floats(pre)), pre);
        self._diffuseRight = new Diffuser(memory.Take<float>(Diffuser.Floats(diffusion)), diffusion, 1.07f);
        self._glide = -FastMath.Exp2Minus1(-1.442695f * Limits.Grid / (GlideSeconds * setup.SampleRate));
        timing.TailFrames = (long)(DecaysOfTail * LongestDecay * setup.SampleRate);
    }

    public static void Reset(ref Reverb self)
    {
        self._network.Clear();
        self._preLeft.Clear();
        self._preRight.Clear();
        self._diffuseLeft.Clear();
        self._diffuseRight.Clear();
        for (var i = 0; i < ModulatedLines; i++) self._phases[i] = 0.0;
        self._quiet = 0;
        self._running = false;
    }

    public static ProcessResult Process(ref Reverb self, in ProcessContext context)
    {
        var settled = true;
        for (var segment = 0; segment < context.Segments; segment++) settled &= self.Segment(in context, segment);

        var atRest = context.Inputs[LeftIn].Silent && context.Inputs[RightIn].Silent
            && self._quiet >= self._preLeft.Length && self._diffuseLeft.AtRest && self._diffuseRight.AtRest && self._network.AtRest;

        // Asleep the modulation stands still; awake and at rest it must as well.
        for (var i = 0; atRest && i < ModulatedLines; i++) self._phases[i] = 0.0;
        return atRest && settled ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static int LongestFrames(in InstanceSetup setup) => (int)((LongestSeconds + (2f * ModulationSeconds)) * setup.SampleRate) + 2;

    private static int PreFrames(in InstanceSetup setup) => (int)(LongestPreDelay * setup.SampleRate) + 2;

    private static int DiffusionFrames(in InstanceSetup setup) => (int)(DiffusionSeconds * setup.SampleRate);

    // Lengths without a common measure, in ms at size 1, each 8 % longer than the one before.
    private static float Milliseconds(int line) => line switch
    {
        0 => 35.3f, 1 => 38.9f, 2 => 41.3f, 3 => 44.9f, 4 => 48.7f, 5 => 52.3f, 6 => 56.9f, 7 => 61.7f,
        8 => 66.1f, 9 => 71.9f, 10 => 77.3f, 11 => 83.7f, 12 => 90.7f, 13 => 97.9f, 14 => 106.3f, _ => 115.1f,
    };

    // Lines 1, 5, 9 and 13 move; hertz.
    private static double ModulationHertz(int index) => index switch { 0 => 0.31, 1 => 0.43, 2 => 0.57, _ => 0.71 };

    // True when nothing glides.
    private bool Segment(in ProcessContext context, int segment)
    {
        var at = segment * Limits.Grid;
        var settled = Delays(in context, segment);
        var before = _level;
        Absorptions(in context, segment, at);
        if (!_running) before = _level;

        var preTarget = Math.Max(DelayLine.Shortest, Math.Min(context.Param(PreDelay, segment + 1) * (double)context.SampleRate, _preLeft.Longest));
        if (!_running) _preFrames = preTarget;
        _running = true;
        var preNext = Glided(_preFrames, preTarget);
        settled &= preNext == preTarget && _preFrames == preTarget;

        var dryLeft = stackalloc float[Limits.Grid];
        var dryRight = stackalloc float[Limits.Grid];
        var left = stackalloc float[Limits.Grid];
        var right = stackalloc float[Limits.Grid];
        Sum(in context, LeftIn, at, dryLeft);
        Sum(in context, context.Inputs[RightIn].Connected ? RightIn : LeftIn, at, dryRight);
        var level = new GridRamp(before, _level);
        var preStep = (preNext - _preFrames) / Limits.Grid;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var frames = _preFrames + (preStep * i);
            var x = _preLeft.Read(frames);
            var y = _preRight.Read(frames);
            _preLeft.Write(dryLeft[i]);
            _preRight.Write(dryRight[i]);
            _quiet = dryLeft[i] == 0f && dryRight[i] == 0f ? Math.Min(_quiet + 1, _preLeft.Length) : 0;
            left[i] = _diffuseLeft.Next(x * level.At(i));
            right[i] = _diffuseRight.Next(y * level.At(i));
        }

        _preFrames = preNext;
        var outLeft = context.Out(Left) + at;
        var outRight = context.Out(Right) + at;
        _network.Segment(in _controls, left, right, outLeft, outRight);
        var mix = new GridRamp(in context, Mix, segment);
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var wet = mix.Four(i);
            var dry = Vector128<float>.One - wet;
            ((Vector128.Load(dryLeft + i) * dry) + (Vector128.Load(outLeft + i) * wet)).Store(outLeft + i);
            ((Vector128.Load(dryRight + i) * dry) + (Vector128.Load(outRight + i) * wet)).Store(outRight + i);
        }

        return settled;
    }

    private readonly double Glided(double from, double to)
    {
        const double Most = FastestGlide * Limits.Grid;
        var next = from + Math.Clamp((to - from) * _glide, -Most, Most);
        return Math.Abs(to - next) < 1e-2 ? to : next;
    }

    private bool Delays(in ProcessContext context, int segment)
    {
        // Whole frames at rest: a line read between samples would lose highs each time round.
        var part = SmallestPart * FastMath.Exp2(context.Param(Size, segment + 1) * 2.7369656f);
        var depth = context.Param(Modulation, segment + 1) * ModulationSeconds * context.SampleRate;
        var settled = true;
        for (var line = 0; line < Lines; line++)
        {
            var target = MathF.Round(Milliseconds(line) * 0.001f * part * context.SampleRate);
            if (!_running) _delays[line] = target;
            var next = (float)Glided(_delays[line], target);
            settled &= next == target && _delays[line] == target;
            _delays[line] = next;
            if ((line & 3) == 1)
            {
                ref var phase = ref _phases[line >> 2];
                phase += ModulationHertz(line >> 2) * Limits.Grid / context.SampleRate;
                if (phase >= 1.0) phase -= 1.0;
                next += depth * (1f + FastMath.SinTurns((float)phase - 0.25f));
            }

            _controls.From[line] = _running ? _controls.To[line] : next;
            _controls.To[line] = next;
        }

        return settled;
    }

    private void Absorptions(in ProcessContext context, int segment, int at)
    {
        var cv = context.In(DecayIn)[at + Limits.Grid - 1] * context.Param(DecayAmount, segment + 1);
        var decay = Math.Clamp(context.Param(Decay, segment + 1) * FastMath.Exp2(cv), ShortestDecay, LongestDecay) * context.SampleRate;
        var high = context.Param(High, segment + 1);
        var turns = Math.Min(context.Param(Crossover, segment + 1) / context.SampleRate, 0.45f);
        var tangent = FastMath.TanPi(Vector128.Create(turns))[0];
        var sum = 0f;
        for (var line = 0; line < Lines; line++)
        {
            FeedbackNetwork.Absorb(ref _controls, line, _delays[line], decay, high, tangent);
            sum += _delays[line];
        }

        // Each time round energy falls to g^2 = 10^(-6 length / decay), so that noise builds up to g^2 / (1 - g^2) of what comes in.
        _level = Math.Min(MathF.Sqrt(FastMath.Exp2Minus1(19.9315686f * sum / (Lines * decay))), MostLevel);
    }

    private static void Sum(in ProcessContext context, int port, int at, float* target)
    {
        Block.Clear(target, Limits.Grid);
        for (var channel = 0; channel < context.Inputs[port].Channels; channel++)
            Block.AddScaledSegment(target, context.In(port, channel) + at, new GridRamp(1f, 1f));
    }
}
