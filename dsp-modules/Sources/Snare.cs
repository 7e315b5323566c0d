// Snare: two modes of a skin and the hiss of the wires under it.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The analogue snare as its service notes and Werner's thesis (Virtual Analog Modeling of Audio Circuitry Using Wave Digital Filters,
/// Stanford 2016, on the TR-808) describe it: two bridged-T resonators, 180 and 330 Hz, rung by the trigger, and white noise through a
/// high-pass with an envelope of its own. The resonators are phasors (see <see cref="Ringing"/>).
/// </summary>
public unsafe struct Snare : IModule<Snare>
{
    private const int Trigger = 0, Accent = 1, PitchIn = 2, DecayIn = 3;
    private const int Tune = 0, DecayParam = 1, Balance = 2, Snappy = 3, SnappyDecay = 4, Tone = 5, AccentParam = 6, Key = 7;
    private const int Groups = Limits.MaxChannels / 4;
    private const float Volts = 3.5f;
    private const float UpperMode = 11f / 6f;

    private StruckVoices<Drum>* _groups;
    private ulong _seed;

    private struct Drum : IStruck<Drum>
    {
        public Ringing Low, High;
        public Slide Slide;
        public LinearSvf Wires;
        public Vector128<float> Noise;

        static bool IStruck<Drum>.Play(ref Drum self, in ProcessContext context, in StruckSegment now, Vector128<float>* frames) =>
            Snare.Play(ref self, in context, in now, frames);
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "snare",
        Name = "Snare",
        Family = "Sources",
        Text = "A snare drum: a short skin in two tones, and wires that hiss after it.",
        Help = """
            A snare drum in two halves. The skin is two tones that ring for a moment; Balance goes from the deep one to the high one. The
            wires are noise above the frequency that Tone says, with a decay of their own. All skin is a tom, all wires is a brush.

            Each strike starts at the very sample of the trigger. The accent input makes strikes quieter below 10 V: ghost notes are strikes
            with 2 or 3 V there. A note of a keyboard or drum pad strikes it, too: the Key knob says which, -1 is any.

            Try a trigger sequence on the second and fourth beat, Snappy at the middle, then move Snappy decay while it plays. With Snappy
            at 0, a longer Decay and a sequence into Pitch it plays tom fills.
            """,
        Inputs =
        [
            new PortDescriptor("trigger", "Trigger", "Strikes the drum; unpatched, it strikes once when placed."),
            new PortDescriptor("accent", "Accent", "How hard, 0 to 10 V, taken at the strike."),
            new PortDescriptor("pitch", "Pitch", "Moves the tuning of the skin, 1 V an octave."),
            new PortDescriptor("decay", "Decay CV", "Doubles both decays with each volt."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The drum.")],
        Parameters =
        [
            new ParameterDescriptor("tune", "Tune", "Hz", 60f, 800f, 180f, ParameterCurve.Exponential, "Pitch of the deeper tone."),
            new ParameterDescriptor("decay", "Decay", "s", 0.03f, 3f, 0.25f, ParameterCurve.Exponential,
                "Time in which the skin falls by 60 dB."),
            new ParameterDescriptor("balance", "Balance", "", 0f, 1f, 0.4f, ParameterCurve.Linear, "From the deeper to the higher tone."),
            new ParameterDescriptor("snappy", "Snappy", "", 0f, 1f, 0.5f, ParameterCurve.Linear, "From the skin alone to the wires alone."),
            new ParameterDescriptor("snappy_decay", "Snappy decay", "s", 0.03f, 3f, 0.4f, ParameterCurve.Exponential,
                "Time in which the wires fall by 60 dB."),
            new ParameterDescriptor("tone", "Tone", "Hz", 200f, 10_000f, 1_800f, ParameterCurve.Exponential,
                "The wires hiss above this frequency."),
            new ParameterDescriptor("accent", "Accent amount", "", 0f, 1f, 0.7f, ParameterCurve.Linear,
                "How much of the loudness the accent and the velocity decide."),
            new ParameterDescriptor("key", "Key", "", -1f, 127f, 38f, ParameterCurve.Stepped, "Note that strikes it; -1: any."),
        ],
        AcceptsEvents = true,
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<StruckVoices<Drum>>(Groups);

    public static void Construct(ref Snare self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<StruckVoices<Drum>>(Groups);
        self._seed = setup.Seed;
        timing.TailFrames = -1;
    }

    public static void Reset(ref Snare self) => Block.Zero(self._groups, Groups);

    public static ProcessResult Process(ref Snare self, in ProcessContext context)
    {
        var ports = new StrikePorts(Trigger, Accent);
        return StruckVoices<Drum>.Process(self._groups, in context, in ports, AccentParam, Key, self._seed);
    }

    // Four voices over sixteen frames; true while anything sounds.
    private static bool Play(ref Drum drum, in ProcessContext context, in StruckSegment now, Vector128<float>* frames)
    {
        var (segment, first, channels, at) = (now.Segment, now.First, now.Channels, now.At);
        var strikes = now.Strikes;
        var struck = strikes != null;
        var rate = context.SampleRate;
        var tune = new GridRamp(in context, Tune, segment);
        var balance = new GridRamp(in context, Balance, segment);
        var snappy = new GridRamp(in context, Snappy, segment);
        VoiceLanes.Load(in context, DecayIn, first, channels, at, frames);
        var longer = FastMath.Exp2(Vector128.MinNative(Vector128.MaxNative(frames[0], Vector128.Create(-5f)), Vector128.Create(2f)));
        var loss = Decay.Loss(Vector128.Create(context.Param(DecayParam, segment)) * longer, rate);
        var noiseLoss = Decay.Loss(Vector128.Create(context.Param(SnappyDecay, segment)) * longer, rate);
        var slideLoss = Vector128.Create(Decay.Loss(Slide.Seconds, rate));
        var g = FastMath.TanPi(Vector128.Create(Math.Min(context.Param(Tone, segment) / rate, 0.4f)));
        var k = Vector128.Create(1.4f);
        var inverse = LinearSvf.Inverse(g, k);
        var perFrame = 1f / rate;
        var noise = stackalloc float[Limits.Grid];
        TimedNoise.Fill(in context, now.Seed, segment, Volts, noise);

        VoiceLanes.Load(in context, PitchIn, first, channels, at, frames);
        var still = context.Inputs[PitchIn].Silent && tune.Step == 0f;
        var (cosLow, sinLow) = (Vector128<float>.Zero, Vector128<float>.Zero);
        var (cosHigh, sinHigh) = (cosLow, sinLow);
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (struck)
            {
                var mask = Vector128.GreaterThan(strikes[i], Vector128<float>.Zero);
                drum.Slide.Restart(mask);
                drum.Low.Strike(mask, strikes[i] * Vector128.Create(Volts));
                drum.High.Strike(mask, strikes[i] * Vector128.Create(Volts));
                drum.Noise = Vector128.ConditionalSelect(mask, strikes[i], drum.Noise);
            }

            if (i == 0 || !still)
            {
                var octaves = Vector128.MinNative(Vector128.MaxNative(frames[i], Vector128.Create(-10f)), Vector128.Create(10f));
                var turns = Vector128.Create(tune.At(i) * perFrame) * FastMath.Exp2(octaves);
                turns = Vector128.MinNative(turns, Vector128.Create(0.12f));
                var upper = turns * Vector128.Create(UpperMode);
                sinLow = FastMath.SinTurns(turns);
                cosLow = FastMath.SinTurns(turns + Vector128.Create(0.25f));
                sinHigh = FastMath.SinTurns(upper);
                cosHigh = FastMath.SinTurns(upper + Vector128.Create(0.25f));
            }

            var b = balance.At(i);
            var s = snappy.At(i);
            var low = drum.Low.Next(cosLow, sinLow, loss);
            var high = drum.High.Next(cosHigh, sinHigh, loss);
            var skin = (low * Vector128.Create(1f - b)) + (high * Vector128.Create(b));
            drum.Wires.Next(drum.Noise * Vector128.Create(noise[i]), g, k, inverse, out _, out _, out var wires);
            drum.Noise = Denormal.Flush(drum.Noise - (drum.Noise * noiseLoss));
            var body = drum.Slide.Next(skin * Vector128.Create(Math.Min(2f - (2f * s), 1f)), slideLoss);
            frames[i] = body + (wires * Vector128.Create(Math.Min(2f * s, 1f)));
        }

        var silent = Vector128.Equals(drum.Noise, Vector128<float>.Zero);
        var rest = drum.Low.Settle() & drum.High.Settle() & drum.Slide.AtRest & silent;
        drum.Slide.Forget(rest);

        // The wires' filter rings on after their envelope for a few frames.
        var dry = drum.Wires.Settle(silent);
        return !dry || !VoiceLanes.All(rest);
    }
}
