// Plate: a steel sheet that shivers behind a sound, dense from its first moment.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Pre-delay, a low-pass, four allpasses and a tank of two chains (Dattorro, Effect Design 1, JAES 1997; see <see cref="PlateTank"/>).
/// Decay is the time to fall by 60 dB at low frequencies and High its part that frequencies well above the crossover get, never less than
/// 0.1 s; every mode decays alike. The reverb of steady noise is as strong as what of it
/// Bandwidth lets in. At size 1 the lines are 1.5
/// times Dattorro's, at 0 a fifth, the longest at most 0.15 of the shorter decay. Modulation moves the first allpasses by up to 0.54 ms to
/// either side as his do; a plate too small for its decay (Schroeder's 0.15 modes a hertz and second) moves by as much as it needs.
/// A change of size glides and bends the pitch by up to 40 %.
/// </summary>
public unsafe struct Plate : IModule<Plate>
{
    private const int LeftIn = 0, RightIn = 1, DecayIn = 2;
    private const int Left = 0, Right = 1;
    private const int Size = 0, Decay = 1, High = 2, Crossover = 3, Diffusion = 4, Modulation = 5, PreDelayed = 6, Bandwidth = 7, Mix = 8,
        DecayAmount = 9;
    private const int Lines = PlateTank.Lines, Delays = PlateTank.Delays;
    private const float SmallestPart = 0.2f, LargestPart = 1.5f;
    private const float LongestPreDelay = 0.25f;
    private const float LongestDecay = 30f, ShortestDecay = 0.1f;
    private const float LongestOfDecay = 0.15f;
    private const float LongestUnits = 4453f, LoopUnits = 21_589f;
    private const float ModulationSeconds = 16f / PlateTank.UnitRate;
    private const float FirstHertz = 0.93f, SecondHertz = 1.21f;
    private const float InputEarly = 0.75f, InputLate = 0.625f, TankFirst = 0.7f, TankSecond = 0.5f;
    private const float ModesPerDecay = 0.15f;
    private const float MostLevel = 4f;

    // A burst of 30 ms is part of the decay where that is short: below a quarter of a second it is made shorter.
    private const float DiffusePerSecond = 4f;

    // 5 V to below 1e-8 V, 187 dB by the fullest decay's 60, and what the lines hold.
    private const float DecaysOfTail = 3.3f;

    private PlateTank _tank;
    private PreDelay _pre;
    private Diffuser _diffuser;
    private OnePoleFour _bandwidth;
    private PlateControls _controls;
    private SlowPhase _firstPhase, _secondPhase;
    private fixed double _delays[Delays];
    private double _firstWave, _secondWave;
    private TapeGlide _glide;
    private float _level, _decay, _high, _crossover, _part;
    private bool _running;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "plate",
        Name = "Plate",
        Family = "Space",
        Text = "A steel plate that shivers behind a sound: dense from the first moment, bright and smooth.",
        Help = """
            Before there were digital rooms there was a sheet of steel in a box, driven by the sound and listened to in two places.
            It has no echoes of walls: its answer is dense at once, which is why drums and voices sit so well in it. This is the
            plate that most later ones are modelled on.

            Decay is how long it rings, High and Crossover how much sooner its highs are gone, Bandwidth what of the highs gets in
            at all. Size makes it a small tin or a sheet as large as a wall. Diffusion at 1 is smooth; turned down single echoes
            come through, as from a spring. Modulation keeps it from ringing in one place.

            Try a snare at Left, both outputs to Audio Out, Decay at 1.5 s and Mix at 0.3. For a voice add 40 ms of Pre-delay. For a
            cloud set Size to 1, Decay to 20 s and Modulation to 1, and let only short notes into it. An envelope at Decay CV with a
            negative amount closes it while you play.

            - It hears both sides together and answers in stereo.
            - Size and Pre-delay may be turned while it sounds: they bend the pitch as a tape does.
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
            new PortDescriptor("left", "Left", "The left side of the plate.", ChannelRule.Fixed),
            new PortDescriptor("right", "Right", "The right side of the plate.", ChannelRule.Fixed),
        ],
        Parameters =
        [
            new ParameterDescriptor("size", "Size", "", 0f, 1f, 0.8f, ParameterCurve.Linear, "How large the plate is."),
            new ParameterDescriptor("decay", "Decay", "s", ShortestDecay, LongestDecay, 2f, ParameterCurve.Exponential,
                "Time until it has died away, by 60 dB."),
            new ParameterDescriptor("high", "High decay", "", 0.05f, 1f, 0.5f, ParameterCurve.Linear,
                "The same for the highs, as a part of it, 0.1 s at least: less is darker."),
            new ParameterDescriptor("crossover", "Crossover", "Hz", 200f, 12_000f, 4_000f, ParameterCurve.Exponential,
                "Where the highs begin."),
            new ParameterDescriptor("diffusion", "Diffusion", "", 0f, 1f, 1f, ParameterCurve.Linear,
                "How smooth it is; less lets single echoes through."),
            new ParameterDescriptor("modulation", "Modulation", "", 0f, 1f, 0.5f, ParameterCurve.Linear,
                "Slow movement in the plate: livelier, less metallic."),
            new ParameterDescriptor("predelay", "Pre-delay", "s", 0f, LongestPreDelay, 0f, ParameterCurve.Linear,
                "Time until the plate answers."),
            new ParameterDescriptor("bandwidth", "Bandwidth", "Hz", 500f, 10_000f, 10_000f, ParameterCurve.Exponential,
                "Highs above this do not reach the plate."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 0.35f, ParameterCurve.Linear, "0 is the sound alone, 1 the plate alone."),
            new ParameterDescriptor("decay_amount", "Decay amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "How far the CV moves the decay, in doublings a volt."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        var lengths = stackalloc int[Diffuser.Stages];
        InputLengths(lengths, in setup);
        need.Need<float>(PlateTank.Floats(MostFramesPerUnit(in setup)));
        need.Need<float>(PreDelay.Floats(LongestPreDelay, setup.SampleRate));
        need.Need<float>(Diffuser.Floats(lengths));
    }

    public static void Construct(ref Plate self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._glide = new TapeGlide(setup.SampleRate);
        timing.TailFrames = (long)(DecaysOfTail * LongestDecay * setup.SampleRate);
        var lengths = stackalloc int[Diffuser.Stages];
        InputLengths(lengths, in setup);
        var tank = memory.Take<float>(PlateTank.Floats(MostFramesPerUnit(in setup)));
        var pre = memory.Take<float>(PreDelay.Floats(LongestPreDelay, setup.SampleRate));
        var diffuser = memory.Take<float>(Diffuser.Floats(lengths));
        if (memory.Overdrawn) return;
        self._tank = new PlateTank(tank, MostFramesPerUnit(in setup));
        self._pre = new PreDelay(pre, LongestPreDelay, setup.SampleRate);
        self._diffuser = new Diffuser(diffuser, lengths, InputEarly, InputLate);
    }

    public static void Reset(ref Plate self)
    {
        self._tank.Clear();
        self._pre.Clear();
        self._diffuser.Clear();
        self._bandwidth = default;
        self._firstPhase = self._secondPhase = default;
        self._firstWave = self._secondWave = 0.0;
        self._running = false;
    }

    public static ProcessResult Process(ref Plate self, in ProcessContext context)
    {
        var woke = self._firstPhase.Wake(in context);
        woke |= self._secondPhase.Wake(in context);
        var settled = true;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            settled &= self.Segment(in context, segment, woke);
            woke = false;
        }

        var asleep = settled && context.Inputs[LeftIn].Silent && context.Inputs[RightIn].Silent && context.Inputs[DecayIn].Silent
            && self._pre.AtRest && self._bandwidth.IsZero && self._diffuser.AtRest && self._tank.AtRest;
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static float MostFramesPerUnit(in InstanceSetup setup) =>
        (LargestPart * setup.SampleRate / PlateTank.UnitRate) + (2f * ModulationSeconds * setup.SampleRate / 672f);

    private static void InputLengths(int* lengths, in InstanceSetup setup)
    {
        var scale = setup.SampleRate / PlateTank.UnitRate;
        lengths[0] = (int)(142f * scale);
        lengths[1] = (int)(107f * scale);
        lengths[2] = (int)(379f * scale);
        lengths[3] = (int)(277f * scale);
    }

    // True when nothing glides.
    private bool Segment(in ProcessContext context, int segment, bool woke)
    {
        var at = segment * Limits.Grid;
        var before = _level;
        var settled = Room(in context, segment, at, woke);
        if (!_running) before = _level;
        _running = true;
        var dryLeft = stackalloc float[Limits.Grid];
        var dryRight = stackalloc float[Limits.Grid];
        var source = stackalloc float[Limits.Grid];
        Block.SumSegment(dryLeft, in context, LeftIn, at);
        Block.SumSegment(dryRight, in context, context.Inputs[RightIn].Connected ? RightIn : LeftIn, at);
        Block.Clear(source, Limits.Grid);
        Block.AddScaledSegment(source, dryLeft, new GridRamp(0.5f, 0.5f));
        Block.AddScaledSegment(source, dryRight, new GridRamp(0.5f, 0.5f));
        settled &= _pre.Segment(source, context.Param(PreDelayed, segment + 1));
        var band = new OnePoleGains(OnePole.Coefficient(context.Param(Bandwidth, segment + 1), context.SampleRate));
        var level = new GridRamp(before, _level);
        for (var i = 0; i < Limits.Grid; i += 4)
            (_bandwidth.LowPass(Vector128.Load(source + i), in band) * level.Four(i)).Store(source + i);
        _diffuser.Segment(source);
        var left = context.Out(Left) + at;
        var right = context.Out(Right) + at;
        _tank.Segment(in _controls, source, left, right);
        var mix = new GridRamp(in context, Mix, segment);
        Block.MixSegment(left, dryLeft, in mix);
        Block.MixSegment(right, dryRight, in mix);
        return settled;
    }

    // What the tank is told, worked out again only where a knob moved. True when nothing glides.
    private bool Room(in ProcessContext context, int segment, int at, bool woke)
    {
        var octaves = context.In(DecayIn)[at + Limits.Grid - 1] * context.Param(DecayAmount, segment + 1);
        var decay = context.Param(Decay, segment + 1) * (octaves == 0f ? 1f : FastMath.Exp2(octaves));
        decay = Math.Max(ShortestDecay, Math.Min(decay, LongestDecay));
        var high = Math.Max(decay * context.Param(High, segment + 1), ShortestDecay);
        var crossover = Math.Min(context.Param(Crossover, segment + 1) / context.SampleRate, 0.45f);
        var part = SmallestPart * FastMath.Exp2(context.Param(Size, segment + 1) * 2.9068906f);
        part = Math.Min(part, LongestOfDecay * high * PlateTank.UnitRate / LongestUnits);
        var settled = Glide(part, context.SampleRate, out var moved);
        var diffusion = context.Param(Diffusion, segment + 1);
        moved |= _controls.First != TankFirst * diffusion;
        _controls.First = TankFirst * diffusion;
        _controls.Second = TankSecond * diffusion;
        Move(in context, segment, decay, part, woke);
        moved |= decay != _decay || high != _high || crossover != _crossover || !_running;
        if (!moved) return settled;
        (_decay, _high, _crossover) = (decay, high, crossover);
        _diffuser.Set(high * context.SampleRate, diffusion * Math.Min(high * DiffusePerSecond, 1f));
        var tangent = FastMath.TanPi(Vector128.Create(crossover))[0];
        var decayFrames = decay * context.SampleRate;
        for (var line = 0; line < Lines; line++)
        {
            var filter = new Absorption((float)_delays[line], decayFrames, high / decay, tangent);
            _controls.B0[line] = filter.B0;
            _controls.B1[line] = filter.B1;
            _controls.A1[line] = filter.A1;
        }

        for (var place = 0; place < PlateTank.Places; place++)
            _controls.Heard[place] = PlateTank.Sign(place) * FastMath.Exp2(-9.96578428f * (float)_delays[Lines + place] / decayFrames);

        _level = Math.Min(1f / MathF.Sqrt(PlateTank.Power(in _controls, decayFrames)), MostLevel) / _diffuser.Loss;
        return settled;
    }

    private bool Glide(float part, float sampleRate, out bool moved)
    {
        var settled = true;
        moved = part != _part;
        _part = part;
        for (var i = 0; i < Delays; i++)
        {
            // Whole frames at rest: a line read between samples would lose highs each time round.
            var target = Math.Round(PlateTank.Units(i) * (double)part * sampleRate / PlateTank.UnitRate);
            if (!_running) _delays[i] = target;
            var next = _glide.Towards(_delays[i], target);
            settled &= next == target && _delays[i] == target;
            moved |= next != _delays[i];
            _controls.From[i] = (float)_delays[i];
            _controls.To[i] = (float)next;
            _delays[i] = next;
        }

        return settled;
    }

    // The first allpasses to and fro; after a sleep from where they would be.
    private void Move(in ProcessContext context, int segment, float decay, float part, bool woke)
    {
        var wanted = ModesPerDecay * decay * PlateTank.UnitRate / (LoopUnits * part);
        var depth = Math.Max(context.Param(Modulation, segment + 1), Math.Min(Math.Max(0.5f * (wanted - 1f), 0f), 1f));
        var frames = Math.Min(depth * ModulationSeconds * context.SampleRate, (float)_delays[0] - SegmentLine.Shortest);
        if (woke)
        {
            _firstWave = frames * FastMath.SinTurns(_firstPhase.Turns());
            _secondWave = frames * FastMath.SinTurns(_secondPhase.Turns());
        }

        _firstPhase.Advance(FirstHertz, context.SampleRate);
        _secondPhase.Advance(SecondHertz, context.SampleRate);
        var first = frames * FastMath.SinTurns(_firstPhase.Turns());
        var second = frames * FastMath.SinTurns(_secondPhase.Turns());
        _controls.From[0] += (float)_firstWave;
        _controls.To[0] += first;
        _controls.From[1] += (float)_secondWave;
        _controls.To[1] += second;
        (_firstWave, _secondWave) = (first, second);
    }
}
