// Reverb: a room around a sound, from a closet to a cathedral.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Pre-delay, diffusion and a network of sixteen lines (see <see cref="FeedbackNetwork"/>). Decay is the time to fall by 60 dB at low
/// frequencies, and High its part that frequencies well above the crossover get, never less than 0.1 s; at the crossover the rates are
/// averaged. The diffusers decay as fast as the highs, so that the network alone sets each band's time. The reverb of steady noise is as
/// strong as the noise. The lines last 35 to 115 ms at size 1 and 5 to 17 ms at size 0, and the longest at most 0.4 of the shorter decay:
/// a cathedral can not die away within one echo. Their 1.1 to 0.17 modes a hertz would ring where Schroeder's 0.15 a second of decay is
/// more (Natural Sounding Artificial Reverberation, JAES 1962), so modes never stand still: the lines are turned into each other by
/// Modulation, and where a room is too small for its decay by as much as it needs. A change of size or pre-delay glides and bends the
/// pitch by up to 40 %.
/// </summary>
public unsafe struct Reverb : IModule<Reverb>
{
    private const int LeftIn = 0, RightIn = 1, DecayIn = 2;
    private const int Left = 0, Right = 1;
    private const int Size = 0, Decay = 1, High = 2, Crossover = 3, Modulation = 4, PreDelayed = 5, Mix = 6, DecayAmount = 7;
    private const int Lines = FeedbackNetwork.Lines, Turns = FeedbackNetwork.Turns;
    private const float SmallestPart = 0.15f;
    private const float LongestSeconds = 0.1151f;
    private const float LongestPreDelay = 0.25f;
    private const float LongestDecay = 30f, ShortestDecay = 0.1f;
    private const float LongestOfDecay = 0.4f;
    private const int Sides = 2;
    private const float Diffuse = 0.6f;

    // A burst of 19 ms is part of the decay where that is short: below a quarter of a second it is made shorter.
    private const float DiffusePerSecond = 4f;

    // Seconds of all lines at size 1: modes a hertz.
    private const float ModesPerHertz = 1.13f;
    private const float ModesPerDecay = 0.15f;

    // Where the decay is shorter than the way through the longest lines there is no steady state to speak of.
    private const float MostLevel = 2f;

    // 5 V to below 1e-8 V, 187 dB by the fullest decay's 60, and what the lines hold.
    private const float DecaysOfTail = 3.3f;

    private FeedbackNetwork _network;
    private PreDelay _preLeft, _preRight;
    private Diffuser _diffuseLeft, _diffuseRight;
    private NetworkControls _controls;
    private SlowPhase* _phases;
    private fixed double _delays[Lines];
    private TapeGlide _glide;
    private float _level, _decay, _high, _crossover, _part;
    private bool _running;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "reverb",
        Name = "Reverb",
        Family = "Space",
        Text = "A room around a sound, from a closet to a cathedral.",
        Help = """
            Places a sound in a room: behind it you hear the same sound come back from everywhere at once and die away. Size is how
            large the room is and Decay how long it rings; the two are free of each other, so that there are small rooms that ring
            for half a minute and large ones that are damped at once. High and Crossover say how much faster the highs die than the
            lows, which is what tells wood from stone.

            What you hear is Mix parts room and the rest sound. On a mixer's send turn it to 1. Pre-delay keeps a voice in front:
            the room answers a little later. Modulation keeps the tail moving; a room that is small for its decay moves by itself,
            so that it does not ring like a pipe.

            Try a voice or a drum at Left, both outputs to Audio Out, Decay at 2 s and Mix at 0.3. Then patch an envelope into Decay
            CV with a negative amount: the room is dry while you play and opens in the pauses. For a drone set Decay to 30 s and
            Size to 1, and feed it single notes.

            - Size and Pre-delay may be turned while it sounds: they bend the pitch as a tape does.
            - The chord of a polyphonic cable is summed: one room for all voices.
            """,
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
                "The same for the highs, as a part of it, 0.1 s at least: less is darker."),
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
        need.Need<SlowPhase>(Turns);
        need.Need<float>(FeedbackNetwork.Floats(LongestFrames(in setup)));
        var lengths = stackalloc int[Diffuser.Stages];
        for (var side = 0; side < Sides; side++)
        {
            Diffusion(lengths, side, in setup);
            need.Need<float>(PreDelay.Floats(LongestPreDelay, setup.SampleRate));
            need.Need<float>(Diffuser.Floats(lengths));
        }
    }

    public static void Construct(ref Reverb self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._glide = new TapeGlide(setup.SampleRate);
        timing.TailFrames = (long)(DecaysOfTail * LongestDecay * setup.SampleRate);
        var longest = LongestFrames(in setup);
        var lengths = stackalloc int[Diffuser.Stages];
        self._phases = memory.Take<SlowPhase>(Turns);
        var network = memory.Take<float>(FeedbackNetwork.Floats(longest));
        Diffusion(lengths, 0, in setup);
        var preLeft = memory.Take<float>(PreDelay.Floats(LongestPreDelay, setup.SampleRate));
        var left = memory.Take<float>(Diffuser.Floats(lengths));
        Diffusion(lengths, 1, in setup);
        var preRight = memory.Take<float>(PreDelay.Floats(LongestPreDelay, setup.SampleRate));
        var right = memory.Take<float>(Diffuser.Floats(lengths));
        if (memory.Overdrawn) return;
        self._network = new FeedbackNetwork(network, longest);
        self._preLeft = new PreDelay(preLeft, LongestPreDelay, setup.SampleRate);
        self._preRight = new PreDelay(preRight, LongestPreDelay, setup.SampleRate);
        self._diffuseRight = new Diffuser(right, lengths, Diffuse, Diffuse);
        Diffusion(lengths, 0, in setup);
        self._diffuseLeft = new Diffuser(left, lengths, Diffuse, Diffuse);
    }

    public static void Reset(ref Reverb self)
    {
        self._network.Clear();
        self._preLeft.Clear();
        self._preRight.Clear();
        self._diffuseLeft.Clear();
        self._diffuseRight.Clear();
        Block.Zero(self._phases, Turns);
        self._running = false;
    }

    public static ProcessResult Process(ref Reverb self, in ProcessContext context)
    {
        for (var turn = 0; turn < Turns; turn++) _ = self._phases[turn].Wake(in context);
        var settled = true;
        for (var segment = 0; segment < context.Segments; segment++) settled &= self.Segment(in context, segment);
        var asleep = settled && context.Inputs[LeftIn].Silent && context.Inputs[RightIn].Silent && context.Inputs[DecayIn].Silent
            && self._preLeft.AtRest && self._preRight.AtRest && self._diffuseLeft.AtRest && self._diffuseRight.AtRest && self._network.AtRest;
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static int LongestFrames(in InstanceSetup setup) => (int)(LongestSeconds * setup.SampleRate) + 2;

    // 19 ms in four sections, unlike on the two sides.
    private static void Diffusion(int* lengths, int side, in InstanceSetup setup)
    {
        var frames = (int)(0.019f * setup.SampleRate);
        var stretch = side == 0 ? 1f : 1.07f;
        lengths[0] = (int)(frames * 0.10f * stretch);
        lengths[1] = (int)(frames * 0.17f / stretch);
        lengths[2] = (int)(frames * 0.27f * stretch);
        lengths[3] = frames - lengths[0] - lengths[1] - lengths[2];
    }

    // Turns of a pair of lines a second at full modulation.
    private static float TurnHertz(int turn) => turn switch
    {
        0 => 0.71f, 1 => 1.13f, 2 => 0.83f, 3 => 1.37f, 4 => 0.97f, 5 => 0.61f, 6 => 1.23f, _ => 1.49f,
    };

    // True when nothing glides.
    private bool Segment(in ProcessContext context, int segment)
    {
        var at = segment * Limits.Grid;
        var before = _level;
        var settled = Room(in context, segment, at);
        if (!_running) before = _level;
        _running = true;
        var dryLeft = stackalloc float[Limits.Grid];
        var dryRight = stackalloc float[Limits.Grid];
        var left = stackalloc float[Limits.Grid];
        var right = stackalloc float[Limits.Grid];
        Block.SumSegment(dryLeft, in context, LeftIn, at);
        Block.SumSegment(dryRight, in context, context.Inputs[RightIn].Connected ? RightIn : LeftIn, at);
        Block.Copy(left, dryLeft, Limits.Grid);
        Block.Copy(right, dryRight, Limits.Grid);
        var wanted = context.Param(PreDelayed, segment + 1);
        settled &= _preLeft.Segment(left, wanted);
        settled &= _preRight.Segment(right, wanted);
        var level = new GridRamp(before, _level);
        Block.ScaleSegment(left, left, in level);
        Block.ScaleSegment(right, right, in level);
        _diffuseLeft.Segment(left);
        _diffuseRight.Segment(right);
        var outLeft = context.Out(Left) + at;
        var outRight = context.Out(Right) + at;
        _network.Segment(in _controls, left, right, outLeft, outRight);
        var mix = new GridRamp(in context, Mix, segment);
        Block.MixSegment(outLeft, dryLeft, in mix);
        Block.MixSegment(outRight, dryRight, in mix);
        return settled;
    }

    // What the network is told, worked out again only where a knob moved. True when nothing glides.
    private bool Room(in ProcessContext context, int segment, int at)
    {
        var octaves = context.In(DecayIn)[at + Limits.Grid - 1] * context.Param(DecayAmount, segment + 1);
        var decay = context.Param(Decay, segment + 1) * (octaves == 0f ? 1f : FastMath.Exp2(octaves));
        decay = Math.Max(ShortestDecay, Math.Min(decay, LongestDecay));
        var high = Math.Max(decay * context.Param(High, segment + 1), ShortestDecay);
        var crossover = Math.Min(context.Param(Crossover, segment + 1) / context.SampleRate, 0.45f);
        var part = Math.Min(SmallestPart * FastMath.Exp2(context.Param(Size, segment + 1) * 2.7369656f), LongestOfDecay * high / LongestSeconds);
        var settled = Delays(part, context.SampleRate, out var moved);
        Turn(in context, segment, decay, part);
        moved |= decay != _decay || high != _high || crossover != _crossover || !_running;
        _controls.FiltersMove = moved;
        if (!moved) return settled;
        (_decay, _high, _crossover) = (decay, high, crossover);
        var diffusion = Math.Min(high * DiffusePerSecond, 1f);
        _diffuseLeft.Set(high * context.SampleRate, diffusion);
        _diffuseRight.Set(high * context.SampleRate, diffusion);
        var tangent = FastMath.TanPi(Vector128.Create(crossover))[0];
        var sum = 0f;
        for (var line = 0; line < Lines; line++)
        {
            var filter = new Absorption((float)_delays[line], decay * context.SampleRate, high / decay, tangent);
            _controls.B0[line] = filter.B0;
            _controls.B1[line] = filter.B1;
            _controls.A1[line] = filter.A1;
            sum += (float)_delays[line];
        }

        // Each time round energy falls to g^2 = 10^(-6 length / decay), so that noise builds up to g^2 / (1 - g^2) of what comes in.
        _level = Math.Min(MathF.Sqrt(FastMath.Exp2Minus1(19.9315686f * sum / (Lines * decay * context.SampleRate))), MostLevel) / _diffuseLeft.Loss;
        return settled;
    }

    private bool Delays(float part, float sampleRate, out bool moved)
    {
        var settled = true;
        moved = part != _part;
        _part = part;
        for (var line = 0; line < Lines; line++)
        {
            // Whole frames at rest: a line read between samples would lose highs each time round.
            var target = MathF.Round(LongestSeconds * FeedbackNetwork.Proportion(line) * part * sampleRate);
            if (!_running) _delays[line] = target;
            var next = _glide.Towards(_delays[line], target);
            settled &= next == target && _delays[line] == target;
            moved |= next != _delays[line];
            _controls.From[line] = (float)_delays[line];
            _controls.To[line] = (float)next;
            _delays[line] = next;
        }

        return settled;
    }

    private void Turn(in ProcessContext context, int segment, float decay, float part)
    {
        var wanted = ModesPerDecay * decay / (ModesPerHertz * part);
        var speed = Math.Max(context.Param(Modulation, segment + 1), Math.Min(Math.Max(0.5f * (wanted - 1f), 0f), 1f));
        fixed (float* cos = _controls.Cos, sin = _controls.Sin)
        {
            for (var turn = 0; turn < Turns; turn += 4)
            {
                for (var k = turn; k < turn + 4; k++)
                {
                    _phases[k].Advance(TurnHertz(k) * speed, context.SampleRate);
                    sin[k] = _phases[k].Turns();
                }

                var turns = Vector128.Load(sin + turn);
                FastMath.SinTurns(turns + Vector128.Create(0.25f)).Store(cos + turn);
                FastMath.SinTurns(turns).Store(sin + turn);
            }
        }
    }
}
