// FM6: six sines that modulate each other's phase, each with an envelope of its own.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Phase modulation (Chowning, The Synthesis of Complex Audio Spectra by Means of Frequency Modulation, JAES 1973, in the form of Yamaha's
/// DX7) by thirty-two algorithms (see <see cref="FmAlgorithms"/>). A modulator at full level swings the phase by +-2 turns: an index of
/// 12.6. Levels are squared, so that the lower half of a knob is of use. Feedback takes the mean of the operator's last two values, as
/// there: a single one would break into noise.
/// Attack is a straight line from 0 to 1 in its time, decay and release fall by 60 dB of their way in theirs (to 1 % at 10 s).
/// Aliases: phase modulation has no band limit, but what lies beyond the fastest it ever turns (Carson's rule) falls off faster than
/// exponentially. All is computed at twice or four times the rate, so that only what would lie above 76 or 172 kHz at 48 folds back into
/// hearing; and where an operator's modulators would reach further than that they are turned down just so far that they do not
/// (see <see cref="FmBand"/>): at the default, from an index of 13 with a modulator of 3 kHz, of 3.8 with one of 7. Feedback is not
/// turned down: its saw, up to 0.4, folds back less than -80 dB up to 3.5 kHz, its noise has no band at all.
/// The setting "once" saves half the time, with the folds that the classic has.
/// Four voices run in one vector. Phases are whole numbers of 2^-32 turns and start at 0 with a note that begins from rest.
/// </summary>
public unsafe struct Fm6 : IModule<Fm6>
{
    private const int GateIn = 0, PitchIn = 1, VelocityIn = 2, BrightnessIn = 3;
    private const int Algorithm = 0, Feedback = 1, PitchParam = 2, Fine = 3, Brightness = 4, Velocity = 5, FirstOperator = 6;
    private const int Ratio = 0, Detune = 1, FixedMode = 2, Hertz = 3, Level = 4;
    private const int Attack = 5, Decay = 6, Sustain = 7, Release = 8, PerOperator = 9;
    private const int Operators = FmAlgorithm.Operators;
    private const int Groups = Limits.MaxChannels / 4;
    private const float Volts = 5f;

    // Turns that a modulator, and feedback, at full level swing the phase by.
    private const float Swing = 2f, FeedbackSwing = 0.5f;

    // What is heard of the rate: 20 kHz at 48.
    private const float Hearing = 0.4167f;

    // The fastest an operator can turn, by frames of its own rate; what should be faster is silent, fading out over the last semitones.
    private const float MostTurns = 0.4999f, FadeSlope = 10f;

    // log2(1000): 60 dB as octaves of level.
    private const float Octaves60 = 9.9657843f;

    // Where a release is over: 120 dB down.
    private const float Over = 1e-6f;

    private Group* _groups;
    private Operator* _operators;
    private SchmittTrigger* _gates;
    private FmAlgorithm* _algorithms;
    private int _doublings;
    private bool _runs;

    private struct Operator
    {
        public Vector128<int> Phase, Increment;
        public Vector128<float> Envelope, Attacking, Level, LevelStep, NextLevel, Out, Heard, Fed;
        public Vector128<float> AttackStep, DecayRate, ReleaseRate, Sustain;
        public Vector128<float> Limit, LimitStep, Fade;
    }

    // Four voices.
    private struct Group
    {
        public Operator* Operators;
        public SchmittTrigger* Gates;
        public Vector128<float> Last, BeforeLast, Velocity, Bright;
        public Oversampler Down;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "fm6",
        Name = "FM6",
        Family = "Sources",
        Text = "Six-operator FM: electric pianos, bells, basses and brass of the eighties, and stranger things.",
        Help = """
            Six operators, each a sine with a pitch, a level and an envelope. Some are heard, the carriers; the others bend the phase of
            their neighbours, and what they are loud with becomes brightness. Algorithm chooses, by the numbers that FM players know, who
            modulates whom: 1 to 4 have towers, 5 three pairs, 16 to 18 everything on one carrier, 32 is six sines side by side like an
            organ.

            Ratios of whole numbers sound harmonic, with large ones like a hammer on metal; Detune makes them beat. A fixed operator
            keeps its frequency under every note. The envelope of a modulator is a filter envelope: short, it plucks; slow, it is brass.

            - Gate plays the envelopes; unpatched, they have begun already and the sound stands, to be shaped by a VCA.
            - Velocity, 10 V for the hardest, makes notes louder and brighter by the amount of its knob, taken where the gate rises.
            - Brightness moves all modulators together; 10 V double them. It is the one knob to play.
            - Feedback turns the sine of one operator into a saw, then into noise.
            - Quality, a setting, computes twice or four times as often as the sample rate: high notes may be as much brighter before
              their modulators are held back, which is what keeps false notes out of them. "Once" holds nothing back.

            Try first: the sound as it is placed, with a gate, a pitch and an envelope-shaped voltage at Brightness. Then listen to one pair
            alone: Algorithm 5, the levels of operators 3 to 6 at 0.
            """,
        Inputs =
        [
            new PortDescriptor("gate", "Gate", "Plays the envelopes; unpatched, they are open."),
            new PortDescriptor("pitch", "Pitch", "1 V an octave; 0 V is middle C."),
            new PortDescriptor("velocity", "Velocity", "How hard a note is played, 0 to 10 V; unpatched, 10 V."),
            new PortDescriptor("brightness", "Brightness CV", "10 V add 1 to the brightness."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The carriers.")],
        Parameters =
        [
            new ParameterDescriptor("algorithm", "Algorithm", "", 1f, FmAlgorithms.Count, 5f, ParameterCurve.Stepped,
                "Who modulates whom."),
            new ParameterDescriptor("feedback", "Feedback", "", 0f, 1f, 0.2f, ParameterCurve.Linear,
                "How far one operator, by the algorithm, modulates itself."),
            new ParameterDescriptor("pitch", "Pitch", "V/oct", -5f, 5f, 0f, ParameterCurve.Linear, "The note, added to the pitch input."),
            new ParameterDescriptor("fine", "Fine", "cent", -100f, 100f, 0f, ParameterCurve.Linear, "Fine tuning, a semitone either way."),
            new ParameterDescriptor("brightness", "Brightness", "", 0f, 2f, 1f, ParameterCurve.Linear, "How strong all modulators are."),
            new ParameterDescriptor("velocity", "Velocity amount", "", 0f, 1f, 0.5f, ParameterCurve.Linear,
                "How much quieter and duller soft notes are."),
            .. Knobs(1, 1f, 0.9f, 0.002f, 3f, 0.6f, 0.4f),
            .. Knobs(2, 14f, 0.3f, 0.001f, 0.5f, 0.2f, 0.2f),
            .. Knobs(3, 1f, 0.8f, 0.002f, 4f, 0.6f, 0.5f),
            .. Knobs(4, 1f, 0.45f, 0.001f, 2f, 0.5f, 0.4f),
            .. Knobs(5, 2f, 0.5f, 0.003f, 1.5f, 0.4f, 0.4f),
            .. Knobs(6, 1f, 0.3f, 0.001f, 1f, 0.5f, 0.4f),
        ],
        Settings = [new SettingDescriptor("quality", "Quality", 0, 2, 1,
            "Computed at the rate, at twice the rate or at four times: how bright the highest notes can be without false ones.",
            "once", "twice", "four times")],
        HasTail = true,
    };

    public static long SharedBytes(float sampleRate) => FmAlgorithms.Count * sizeof(FmAlgorithm);

    public static void BuildShared(void* shared, float sampleRate) => FmAlgorithms.Build((FmAlgorithm*)shared);

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Group>(Groups);
        need.Need<Operator>(Groups * (Operators + 1));
        need.Need<SchmittTrigger>(Limits.MaxChannels);
    }

    public static void Construct(ref Fm6 self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<Group>(Groups);
        self._operators = memory.Take<Operator>(Groups * (Operators + 1));
        self._gates = memory.Take<SchmittTrigger>(Limits.MaxChannels);
        self._algorithms = (FmAlgorithm*)setup.Shared;
        self._doublings = setup.Settings[0];
        timing.LatencyFrames = self._doublings == 0 ? 0 : 2;
        timing.TailFrames = -1;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref Fm6 self)
    {
        for (var g = 0; g < Groups; g++)
        {
            var operators = self._operators + (g * (Operators + 1));
            for (var n = 0; n <= Operators; n++) operators[n] = default;
            for (var lane = 0; lane < 4; lane++) self._gates[(g * 4) + lane] = default;
            self._groups[g] = new Group { Operators = operators, Gates = self._gates + (g * 4) };
        }

        self._runs = false;
    }

    public static ProcessResult Process(ref Fm6 self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[GateIn].Connected && context.Inputs[GateIn].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4)
                asleep &= self.Segment(self._groups + (first / 4), in context, segment, first, channels);
            self._runs = true;
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static ParameterDescriptor[] Knobs(int n, float ratio, float level, float attack, float decay, float sustain, float release) =>
    [
        new($"ratio{n}", $"Ratio {n}", "", 0f, 31f, ratio, ParameterCurve.Stepped,
            $"Operator {n}: multiple of the note's frequency; 0 is a half."),
        new($"detune{n}", $"Detune {n}", "cent", -100f, 100f, 0f, ParameterCurve.Linear, $"Operator {n}: out of tune by so much."),
        new($"fixed{n}", $"Fixed {n}", "", 0f, 1f, 0f, ParameterCurve.Stepped, $"Operator {n}: follows the note, or keeps one frequency.",
            "note", "fixed"),
        new($"hertz{n}", $"Frequency {n}", "Hz", 0.1f, 10_000f, 440f, ParameterCurve.Exponential,
            $"Operator {n}: its frequency when it is fixed."),
        new($"level{n}", $"Level {n}", "", 0f, 1f, level, ParameterCurve.Linear,
            $"Operator {n}: loudness of a carrier, strength of a modulator."),
        new($"attack{n}", $"Attack {n}", "s", 0.001f, 10f, attack, ParameterCurve.Exponential, $"Operator {n}: time from silence to full."),
        new($"decay{n}", $"Decay {n}", "s", 0.005f, 30f, decay, ParameterCurve.Exponential,
            $"Operator {n}: time to come near sustain, by 60 dB of the way."),
        new($"sustain{n}", $"Sustain {n}", "", 0f, 1f, sustain, ParameterCurve.Linear,
            $"Operator {n}: where it stays while the gate is open."),
        new($"release{n}", $"Release {n}", "s", 0.005f, 30f, release, ParameterCurve.Exponential,
            $"Operator {n}: time to fall by 60 dB once the gate closes."),
    ];

    // Four voices over one segment; lanes beyond the last voice hear no gate. True when all are at rest.
    private readonly bool Segment(Group* group, in ProcessContext context, int segment, int first, int channels)
    {
        var algorithm = _algorithms + (int)Within(context.Param(Algorithm, segment) - 0.5f, 0f, FmAlgorithms.Count - 1);
        var gates = stackalloc Vector128<float>[Limits.Grid];
        var rises = stackalloc Vector128<float>[Limits.Grid];
        var anyRise = Gates(group, in context, segment, first, channels, gates, rises);
        Prepare(group, in context, segment, first, channels, algorithm);
        Sources(algorithm, group->Operators, out var sources);
        var operators = group->Operators;
        var feedback = Vector128.Create(0.5f * FeedbackSwing * context.Param(Feedback, segment + 1));
        var volts = Vector128.Create(Volts / MathF.Sqrt(algorithm->CarrierCount));
        var fedBack = operators + algorithm->FeedbackFrom;
        var nextBright = Brightnesses(in context, segment, first, channels);
        var bright = _runs ? group->Bright : nextBright;
        var brightStep = (nextBright - bright) * Vector128.Create(1f / Limits.Grid);
        if (_doublings > 0) Limit(group, algorithm, Vector128.MaxNative(bright, nextBright), context.Param(Feedback, segment + 1));
        var (last, beforeLast) = (group->Last, group->BeforeLast);
        var frames = stackalloc Vector128<float>[Oversampler.Scratch];
        var times = 1 << _doublings;
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (anyRise && !Vector128.EqualsAll(rises[i], Vector128<float>.Zero))
            {
                Begin(group, in context, segment, i, first, channels, rises[i], ref last, ref beforeLast);
            }

            for (var n = 0; n < Operators; n++) Advance(operators + n, gates[i]);
            bright += brightStep;
            var part = frames + (i << _doublings);
            for (var k = 0; k < times; k++) part[k] = Frame(operators, &sources, bright, feedback, fedBack, ref last, ref beforeLast);
        }

        group->Last = last;
        group->BeforeLast = beforeLast;
        group->Bright = nextBright;
        if (_doublings > 0) group->Down.Down(frames, _doublings);
        var rest = Settle(group, gates[Limits.Grid - 1]);
        for (var i = 0; i < Limits.Grid; i++) frames[i] *= volts;
        VoiceLanes.Store(in context, 0, first, channels, segment * Limits.Grid, frames);
        return rest;
    }

    private struct Wiring
    {
        public fixed long Modulators[3 * Operators];
    }

    // Addresses of the operators that modulate each.
    private static void Sources(FmAlgorithm* algorithm, Operator* operators, out Wiring wiring)
    {
        for (var i = 0; i < 3 * Operators; i++) wiring.Modulators[i] = (long)&operators[algorithm->Modulators[i]].Out;
    }

    // One frame of all six, from the last to the first: no operator modulates a later one but by feedback.
    private static Vector128<float> Frame(
        Operator* operators, Wiring* wiring, Vector128<float> bright, Vector128<float> feedback, Operator* fedBack,
        ref Vector128<float> last, ref Vector128<float> beforeLast)
    {
        var sum = Vector128<float>.Zero;
        var loop = (last + beforeLast) * feedback;
        for (var n = Operators - 1; n >= 0; n--)
        {
            var o = operators + n;
            var m = wiring->Modulators + (3 * n);
            var swing = *(Vector128<float>*)m[0] + *(Vector128<float>*)m[1] + *(Vector128<float>*)m[2];
            var own = Vector128.ConvertToSingle(o->Phase) * Vector128.Create(1f / 4294967296f);
            var turns = own + (swing * (bright * o->Limit)) + (loop & o->Fed);
            o->Phase += o->Increment;
            var y = FastMath.SinTurns(turns) * o->Envelope * o->Level;
            o->Out = y;
            sum += y & o->Heard;
        }

        beforeLast = last;
        last = fedBack->Out;
        return sum;
    }

    private static void Advance(Operator* o, Vector128<float> gate)
    {
        // Attack: a straight line until it arrives. Then towards sustain while the gate is open, towards nothing when it is not.
        o->Level += o->LevelStep;
        o->Limit += o->LimitStep;
        var e = o->Envelope;
        var attacking = o->Attacking & gate;
        var target = o->Sustain & gate;
        var rate = Vector128.ConditionalSelect(gate, o->DecayRate, o->ReleaseRate);
        var up = Vector128.MinNative(e + o->AttackStep, Vector128<float>.One);
        o->Envelope = Vector128.ConditionalSelect(attacking, up, e + ((target - e) * rate));
        o->Attacking = attacking & Vector128.LessThan(up, Vector128<float>.One);
    }

    private static void Begin(
        Group* group, in ProcessContext context, int segment, int frame, int first, int channels, Vector128<float> rises,
        ref Vector128<float> last, ref Vector128<float> beforeLast)
    {
        // A voice that rests starts its sines at 0; one that still sounds goes on, which makes no click.
        var operators = group->Operators;
        var rests = rises;
        for (var n = 0; n < Operators; n++) rests &= Vector128.Equals(operators[n].Envelope, Vector128<float>.Zero);
        for (var n = 0; n < Operators; n++)
        {
            operators[n].Attacking |= rises;
            operators[n].Phase = Vector128.AndNot(operators[n].Phase, rests.AsInt32());
            operators[n].Out = Vector128.AndNot(operators[n].Out, rests);
        }

        last = Vector128.AndNot(last, rests);
        beforeLast = Vector128.AndNot(beforeLast, rests);
        var played = Vector128.Create(10f);
        if (context.Inputs[VelocityIn].Connected) played = Lanes(in context, VelocityIn, (segment * Limits.Grid) + frame, first, channels);
        var amount = Vector128.Create(context.Param(Velocity, segment));
        played = Part(played * Vector128.Create(0.1f));
        var one = Vector128<float>.One;
        group->Velocity = Vector128.ConditionalSelect(rises, one - (amount * (one - played)), group->Velocity);

        // The level of a new note is its own from its first frame on, also within a segment.
        for (var n = 0; n < Operators; n++)
        {
            var o = operators + n;
            var level = Levels(in context, segment, n) * group->Velocity * o->Fade;
            o->Level = Vector128.ConditionalSelect(rests, level, o->Level);
            o->LevelStep = Vector128.AndNot(o->LevelStep, rests);
            o->NextLevel = Vector128.ConditionalSelect(rests, level, o->NextLevel);
        }
    }

    private static Vector128<float> Levels(in ProcessContext context, int segment, int n)
    {
        var level = context.Param(FirstOperator + (n * PerOperator) + Level, segment + 1);
        return Vector128.Create(level * level);
    }

    private static Vector128<float> Brightnesses(in ProcessContext context, int segment, int first, int channels)
    {
        var cv = Lanes(in context, BrightnessIn, (segment * Limits.Grid) + Limits.Grid - 1, first, channels);
        var bright = Vector128.Create(context.Param(Brightness, segment + 1)) + (cv * Vector128.Create(0.1f));
        return Vector128.Create(Swing) * Vector128.MinNative(Vector128.MaxNative(Numbers(bright), Vector128<float>.Zero), Vector128.Create(3f));
    }

    // What stands still during the segment: increments, rates, and the way of the levels.
    private readonly void Prepare(Group* group, in ProcessContext context, int segment, int first, int channels, FmAlgorithm* algorithm)
    {
        var at = segment * Limits.Grid;
        var note = new GridRamp(in context, PitchParam, segment);
        var fine = new GridRamp(in context, Fine, segment);
        float* turns = stackalloc float[4];
        for (var lane = 0; lane < 4; lane++)
        {
            var pitch = (first + lane < channels ? context.In(PitchIn, first + lane) : context.Silence) + at;
            turns[lane] = SegmentPitch.Turns(pitch, in note, in fine, 1f / context.SampleRate);
        }

        var slower = 1f / (1 << _doublings);
        var played = Vector128.Load(turns) * Vector128.Create(slower);
        var perFrame = 1f / context.SampleRate;
        for (var n = 0; n < Operators; n++)
        {
            var o = group->Operators + n;
            var p = FirstOperator + (n * PerOperator);
            var ratio = context.Param(p + Ratio, segment);
            ratio = ratio < 0.5f ? 0.5f : (int)(ratio + 0.5f);
            var increment = played * Vector128.Create(ratio * FastMath.Exp2(context.Param(p + Detune, segment + 1) * (1f / 1200f)));
            if (context.Param(p + FixedMode, segment) >= 0.5f)
                increment = Vector128.Create(context.Param(p + Hertz, segment + 1) * perFrame * slower);
            var turned = Vector128.MinNative(increment, Vector128.Create(MostTurns));
            o->Increment = Vector128.ConvertToInt32Native(turned * Vector128.Create(4294967296f));
            o->AttackStep = Vector128.Create(perFrame / context.Param(p + Attack, segment + 1));
            o->DecayRate = Vector128.Create(-FastMath.Exp2Minus1(-Octaves60 * perFrame / context.Param(p + Decay, segment + 1)));
            o->ReleaseRate = Vector128.Create(-FastMath.Exp2Minus1(-Octaves60 * perFrame / context.Param(p + Release, segment + 1)));
            o->Sustain = Vector128.Create(context.Param(p + Sustain, segment + 1));
            o->Heard = (algorithm->Carriers & (1 << n)) != 0 ? Vector128<float>.AllBitsSet : Vector128<float>.Zero;
            o->Fed = algorithm->FeedbackTo == n ? Vector128<float>.AllBitsSet : Vector128<float>.Zero;
            o->Fade = Vector128.MinNative((Vector128.Create(MostTurns) - increment) * Vector128.Create(FadeSlope), Vector128<float>.One);
            o->Fade = Vector128.MaxNative(o->Fade, Vector128<float>.Zero);
            var level = Levels(in context, segment, n) * group->Velocity * o->Fade;
            if (!_runs) (o->Level, o->Limit) = (level, Vector128<float>.One);
            o->NextLevel = level;
            o->LevelStep = (level - o->Level) * Vector128.Create(1f / Limits.Grid);
        }
    }

    // How far the modulators of each operator are turned down at the end of the segment, from the last to the first.
    private readonly void Limit(Group* group, FmAlgorithm* algorithm, Vector128<float> bright, float feedback)
    {
        var reaches = stackalloc FmReach[Operators + 1];
        reaches[Operators] = default;
        var top = Vector128.Create((1 << _doublings) - Hearing);
        var frequency = Vector128.Create((1 << _doublings) * (1f / 4294967296f));
        for (var n = Operators - 1; n >= 0; n--)
        {
            var o = group->Operators + n;
            var m = algorithm->Modulators + (3 * n);
            var band = new FmBand(Vector128.ConvertToSingle(o->Increment) * frequency);
            band.Add(in reaches[m[0]]);
            band.Add(in reaches[m[1]]);
            band.Add(in reaches[m[2]]);
            var root = band.Root(top);
            o->LimitStep = ((root * root) - o->Limit) * Vector128.Create(1f / Limits.Grid);

            // What it will be loud with at most during this segment.
            var attack = o->Envelope + (o->AttackStep * Vector128.Create((float)Limits.Grid) & o->Attacking);
            var loud = Vector128.MinNative(attack, Vector128<float>.One) * Vector128.MaxNative(o->Level, o->NextLevel);
            var loop = loud * Vector128.Create(algorithm->FeedbackTo == n ? MathF.PI * 2f * FeedbackSwing * feedback : 0f);
            reaches[n] = new FmReach(loud * bright * Vector128.Create(MathF.PI * 2f), band.Fastest(root, loop));
        }
    }

    // Masks of the voices whose gate is open, and opens, at each frame.
    private static bool Gates(
        Group* group, in ProcessContext context, int segment, int first, int channels, Vector128<float>* gates, Vector128<float>* rises)
    {
        var any = false;
        var patched = context.Inputs[GateIn].Connected;
        for (var lane = 0; lane < 4; lane++)
        {
            var trigger = group->Gates + lane;
            var used = first + lane < channels;
            var gate = (used ? context.In(GateIn, first + lane) : context.Silence) + (segment * Limits.Grid);
            for (var i = 0; i < Limits.Grid; i++)
            {
                var rose = trigger->Rises(patched || !used ? gate[i] : 10f);
                any |= rose;
                ((int*)(gates + i))[lane] = trigger->IsHigh ? -1 : 0;
                ((int*)(rises + i))[lane] = rose ? -1 : 0;
            }
        }

        return any;
    }

    // Envelopes that are over become exact zeros, and where all of a voice's are, the filter forgets it.
    private readonly bool Settle(Group* group, Vector128<float> gate)
    {
        var rest = Vector128.Equals(gate, gate) | Vector128<float>.AllBitsSet;
        for (var n = 0; n < Operators; n++)
        {
            var o = group->Operators + n;
            o->Level = o->NextLevel;
            var over = Vector128.AndNot(Vector128.LessThan(o->Envelope, Vector128.Create(Over)), gate);
            o->Envelope = Vector128.AndNot(o->Envelope, over);
            rest &= Vector128.Equals(o->Envelope, Vector128<float>.Zero);
        }

        rest = Vector128.AndNot(rest, gate);
        if (_doublings > 0)
        {
            rest &= Vector128.LessThan(group->Down.Peak(), Vector128.Create(Denormal.Threshold));
            group->Down.Clear(rest);
        }

        return Vector128.EqualsAll(rest.AsInt32(), Vector128.Create(-1));
    }

    private static Vector128<float> Lanes(in ProcessContext context, int port, int at, int first, int channels)
    {
        float* lanes = stackalloc float[4];
        for (var lane = 0; lane < 4; lane++) lanes[lane] = first + lane < channels ? context.In(port, first + lane)[at] : 0f;
        return Vector128.Load(lanes);
    }

    private static Vector128<float> Part(Vector128<float> x) =>
        Vector128.MinNative(Vector128.MaxNative(Numbers(x), Vector128<float>.Zero), Vector128<float>.One);

    // What is no number is 0.
    private static Vector128<float> Numbers(Vector128<float> x) => x & Vector128.Equals(x, x);

    private static float Within(float x, float least, float most) => x >= least ? Math.Min(x, most) : least;
}
