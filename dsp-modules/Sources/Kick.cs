// Kick: a drum skin that rings in tune, its pitch falling from the blow.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The circuit family of Werner, Abel and Smith (A Physically-Informed, Circuit-Bendable, Digital Model of the Roland TR-808 Bass Drum
/// Circuit, DAFx-14): a bridged-T resonator rung by a pulse, its frequency lifted while the pulse lasts, and the pulse itself heard
/// through a low-pass as the click. The resonator is a phasor (see <see cref="Ringing"/>), so that the pitch after the sweep and the
/// decay are what the knobs say; the sweep is exponential in octaves, longer and deeper than the original's where asked for.
/// </summary>
public unsafe struct Kick : IModule<Kick>
{
    private const int Trigger = 0, Accent = 1, PitchIn = 2, DecayIn = 3;
    private const int Tune = 0, DecayParam = 1, Sweep = 2, SweepTime = 3, Click = 4, Tone = 5, Drive = 6, AccentParam = 7, Key = 8;
    private const int Groups = Limits.MaxChannels / 4;
    private const float Volts = 5f;

    // The pulse of the circuit is 1 ms long; this much of a decay sounds like it.
    private const float ClickSeconds = 0.006f;

    private StruckVoices<Drum>* _groups;

    private struct Drum : IStruck<Drum>
    {
        public Ringing Skin;
        public Slide Slide;
        public Vector128<float> Sweep, Click, ClickLow;

        static bool IStruck<Drum>.Play(ref Drum self, in ProcessContext context, in StruckSegment now, Vector128<float>* frames) =>
            Kick.Play(ref self, in context, in now, frames);
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "kick",
        Name = "Kick",
        Family = "Sources",
        Text = "A bass drum: a deep tone whose pitch falls from the blow, in tune and as long as you like.",
        Help = """
            A bass drum after the circuits of the early drum machines: a trigger hits a resonator, its pitch starts high and falls
            to the one the Tune knob says, and what you hear of the blow itself is the click. Short and swept it is a thud, long and
            barely swept it is the booming bass that fills a whole track.

            Every strike starts the drum afresh at the very sample of the trigger, so it lies exactly on the beat and sounds the
            same each time. The accent input makes strikes quieter below 10 V; without a cable all are loud. A note of a keyboard or
            drum pad strikes it, too: the Key knob says which, -1 is any.

            Try a clock into Trigger first. Then turn Sweep up and Sweep time down until it snaps, lengthen Decay to two seconds, patch a
            sequencer's pitch into Pitch and play the bass line with it. Drive makes small loudspeakers hear it.
            """,
        Inputs =
        [
            new PortDescriptor("trigger", "Trigger", "Strikes the drum; unpatched, it strikes once when placed."),
            new PortDescriptor("accent", "Accent", "How hard, 0 to 10 V, taken at the strike."),
            new PortDescriptor("pitch", "Pitch", "Moves the tuning, 1 V an octave."),
            new PortDescriptor("decay", "Decay CV", "Doubles the decay with each volt."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The drum.")],
        Parameters =
        [
            new ParameterDescriptor("tune", "Tune", "Hz", 20f, 400f, 50f, ParameterCurve.Exponential, "Pitch after the sweep."),
            new ParameterDescriptor("decay", "Decay", "s", 0.05f, 8f, 0.8f, ParameterCurve.Exponential, "Time to fall by 60 dB."),
            new ParameterDescriptor("sweep", "Sweep", "oct", 0f, 5f, 2f, ParameterCurve.Linear, "How far above its pitch it starts."),
            new ParameterDescriptor("sweep_time", "Sweep time", "s", 0.005f, 1f, 0.12f, ParameterCurve.Exponential,
                "Time in which all but a thousandth of the sweep is over."),
            new ParameterDescriptor("click", "Click", "", 0f, 1f, 0.3f, ParameterCurve.Linear, "How much is heard of the beater."),
            new ParameterDescriptor("tone", "Tone", "Hz", 200f, 10_000f, 3_000f, ParameterCurve.Exponential, "How bright the click is."),
            new ParameterDescriptor("drive", "Drive", "", 0f, 1f, 0f, ParameterCurve.Linear, "Overdrive: rounder, louder, with overtones."),
            new ParameterDescriptor("accent", "Accent amount", "", 0f, 1f, 0.7f, ParameterCurve.Linear,
                "How much of the loudness the accent and the velocity decide."),
            new ParameterDescriptor("key", "Key", "", -1f, 127f, 36f, ParameterCurve.Stepped, "Note that strikes it; -1: any."),
        ],
        AcceptsEvents = true,
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<StruckVoices<Drum>>(Groups);

    public static void Construct(ref Kick self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<StruckVoices<Drum>>(Groups);
        timing.TailFrames = -1;
    }

    public static void Reset(ref Kick self) => Block.Zero(self._groups, Groups);

    public static ProcessResult Process(ref Kick self, in ProcessContext context)
    {
        var ports = new StrikePorts(Trigger, Accent);
        return StruckVoices<Drum>.Process(self._groups, in context, in ports, AccentParam, Key, 0);
    }

    // Four voices over sixteen frames; true while anything sounds.
    private static bool Play(ref Drum drum, in ProcessContext context, in StruckSegment now, Vector128<float>* frames)
    {
        var (segment, first, channels, at) = (now.Segment, now.First, now.Channels, now.At);
        var strikes = now.Strikes;
        var struck = strikes != null;
        var rate = context.SampleRate;
        var tune = new GridRamp(in context, Tune, segment);
        var sweep = new GridRamp(in context, Sweep, segment);
        var click = new GridRamp(in context, Click, segment);
        var drive = new GridRamp(in context, Drive, segment);
        var driven = drive.Start != 0f || drive.Step != 0f;
        VoiceLanes.Load(in context, DecayIn, first, channels, at, frames);
        var seconds = Vector128.Create(context.Param(DecayParam, segment)) * FastMath.Exp2(frames[0]);
        seconds = Vector128.MinNative(Vector128.MaxNative(seconds, Vector128.Create(0.02f)), Vector128.Create(20f));
        var loss = Decay.Loss(seconds, rate);
        var sweepLoss = Vector128.Create(Decay.Loss(context.Param(SweepTime, segment), rate));
        var clickLoss = Vector128.Create(Decay.Loss(ClickSeconds, rate));
        var slideLoss = Vector128.Create(Decay.Loss(Slide.Seconds, rate));
        var clickGain = Vector128.Create(2f * OnePole.Coefficient(context.Param(Tone, segment), rate));
        var perFrame = 1f / rate;

        // Once the sweep is over and nobody moves the pitch, a frame's angle is always the same.
        VoiceLanes.Load(in context, PitchIn, first, channels, at, frames);
        var still = !struck && context.Inputs[PitchIn].Silent && tune.Step == 0f
            && Vector128.EqualsAll(drum.Sweep, Vector128<float>.Zero);
        var (cos, sin) = (Vector128<float>.Zero, Vector128<float>.Zero);
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (struck)
            {
                var mask = Vector128.GreaterThan(strikes[i], Vector128<float>.Zero);
                var level = strikes[i] * Vector128.Create(Volts);
                drum.Slide.Restart(mask);
                drum.Skin.Strike(mask, level);
                drum.Sweep = Vector128.ConditionalSelect(mask, Vector128<float>.One, drum.Sweep);
                drum.Click = Vector128.ConditionalSelect(mask, level, drum.Click);
                drum.ClickLow = Vector128.AndNot(drum.ClickLow, mask);
            }

            if (i == 0 || !still)
            {
                var octaves = frames[i] + (drum.Sweep * Vector128.Create(sweep.At(i)));
                octaves = Vector128.MinNative(Vector128.MaxNative(octaves, Vector128.Create(-10f)), Vector128.Create(10f));
                var turns = Vector128.Create(tune.At(i) * perFrame) * FastMath.Exp2(octaves);
                turns = Vector128.MinNative(turns, Vector128.Create(0.25f));
                sin = FastMath.SinTurns(turns);
                cos = FastMath.SinTurns(turns + Vector128.Create(0.25f));
            }

            var body = drum.Skin.Next(cos, sin, loss);
            drum.Sweep = FlushSweep(drum.Sweep - (drum.Sweep * sweepLoss));
            drum.ClickLow = Denormal.Flush(drum.ClickLow + ((drum.Click - drum.ClickLow) * clickGain));
            drum.Click = Denormal.Flush(drum.Click - (drum.Click * clickLoss));
            var y = body + (drum.ClickLow * Vector128.Create(click.At(i)));
            if (driven) y = Overdrive(y, drive.At(i));
            frames[i] = drum.Slide.Next(y, slideLoss);
        }

        var rest = drum.Skin.Settle() & drum.Slide.AtRest & Vector128.Equals(drum.ClickLow, Vector128<float>.Zero)
            & Vector128.Equals(drum.Click, Vector128<float>.Zero);

        // A voice at rest forgets what it last played: it would glide from there at the next strike.
        drum.Slide.Forget(rest);
        drum.Sweep = Vector128.AndNot(drum.Sweep, rest);
        return !VoiceLanes.All(rest);
    }

    // Below a hundredth of a cent a sweep is over.
    private static Vector128<float> FlushSweep(Vector128<float> x) =>
        Vector128.AndNot(x, Vector128.LessThan(x, Vector128.Create(1e-6f)));

    private static Vector128<float> Overdrive(Vector128<float> y, float drive)
    {
        var hot = FastMath.Tanh(y * Vector128.Create((1f + (9f * drive)) / Volts)) * Vector128.Create(Volts);
        return y + ((hot - y) * Vector128.Create(Math.Min(drive * 4f, 1f)));
    }
}
