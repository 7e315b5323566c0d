// Phaser: notches that sweep, spaced as a chain of allpass filters spaces them.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// N first-order allpass filters in a row, mixed with what goes in (Smith, An Allpass Approach to Digital Phasing and Flanging, ICMC
/// 1984), each a trapezoidal one-pole taken twice less its input (Zavalishin, The Art of VA Filter Design, 3.9): its state stays within
/// what comes in, however the frequency moves. The N / 2 notches lie where the chain turns by odd halves of a turn, at
/// tan(pi f / rate) = tan(pi F / rate) tan((2k + 1) pi / (2 N)), whatever the feedback: the chain's output is mixed with its input,
/// feedback included. What goes round is linear up to 10 V and never above 20 V.
/// A register holds two voices, left and right.
/// </summary>
public unsafe struct Phaser : IModule<Phaser>
{
    private const int In = 0, CvIn = 1;
    private const int Left = 0, Right = 1;
    private const int Frequency = 0, Depth = 1, Rate = 2, Stages = 3, Feedback = 4, Stereo = 5, Mix = 6, CvAmount = 7;
    private const int MostStages = 12, Groups = Limits.MaxChannels / 2;
    private const float MostFeedback = 0.95f;
    private const float Most = 100f;

    private Chain* _chains;
    private SlowPhase _phase;
    private SwitchFade _stages;

    private struct Chain
    {
        public fixed float States[4 * MostStages];
        public Vector128<float> Last;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "phaser",
        Name = "Phaser",
        Family = "Space",
        Text = "A few notches that sweep through a sound: softer and rounder than a flanger.",
        Help = """
            Sends a sound through a row of filters that change no level, only the time at which each frequency arrives, and mixes it
            with the sound itself. Where the two arrive against each other there is a notch: two notches for four stages, six for
            twelve, close together in the middle and wide apart at the ends. They sweep, and the ear follows them.

            Frequency is the middle of the sweep and Depth how many octaves it goes to either side. Feedback makes peaks between the
            notches: a little is warm, a lot whistles along. Below 0 the peaks are elsewhere and the sound is thinner. The notches
            stay where they are.

            Try an electric piano or a pad of saws at In and both outputs to Audio Out: four stages, Rate at 0.3 Hz, Feedback at
            0.3. Then set Depth to 0 and patch an envelope follower of the same sound into CV: each note opens the notches by
            itself. Mix at 1 takes the sound itself away and leaves a vibrato.

            - Stereo sets the right side's sweep apart from the left one's: at half a turn they cross.
            - A cable with several voices is phased voice by voice.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be phased."),
            new PortDescriptor("cv", "CV", "Moves the notches by octaves a volt, by its amount; may be audio."),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "The left side, or all there is."),
            new PortDescriptor("right", "Right", "The same, its sweep apart by Stereo."),
        ],
        Parameters =
        [
            new ParameterDescriptor("frequency", "Frequency", "Hz", 20f, 10_000f, 700f, ParameterCurve.Exponential,
                "The middle of the notches: the frequency that each stage turns by a quarter."),
            new ParameterDescriptor("depth", "Depth", "octaves", 0f, 4f, 1.5f, ParameterCurve.Linear, "How far they sweep to either side."),
            new ParameterDescriptor("rate", "Rate", "Hz", 0.01f, 10f, 0.3f, ParameterCurve.Exponential, "Sweeps a second."),
            new ParameterDescriptor("stages", "Stages", "", 0f, 4f, 0f, ParameterCurve.Stepped, "Filters in the row: two for each notch.", "4", "6",
                "8", "10", "12"),
            new ParameterDescriptor("feedback", "Feedback", "", -MostFeedback, MostFeedback, 0.3f, ParameterCurve.Linear,
                "How much goes round again: peaks between the notches; below 0 upside down."),
            new ParameterDescriptor("stereo", "Stereo", "turns", 0f, 0.5f, 0.25f, ParameterCurve.Linear,
                "How far the right side is ahead in the sweep."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 0.5f, ParameterCurve.Linear,
                "0 is the sound alone, 1 the row alone; the notches are deepest at half."),
            new ParameterDescriptor("cv_amount", "CV amount", "", -1f, 1f, 1f, ParameterCurve.Linear, "Octaves a volt that the CV moves them."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Chain>(Groups);

    public static void Construct(ref Phaser self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._chains = memory.Take<Chain>(Groups);

        // At 20 Hz a pole falls by 60 dB in 0.055 s and twelve of them in 0.2 s; the most feedback makes that forty times as long.
        timing.TailFrames = (long)(8f * setup.SampleRate);
    }

    public static void Reset(ref Phaser self)
    {
        Block.Zero(self._chains, Groups);
        self._phase = default;
        self._stages = default;
    }

    public static ProcessResult Process(ref Phaser self, in ProcessContext context)
    {
        _ = self._phase.Wake(in context);
        var channels = context.Outputs[Left].Channels;
        var asleep = context.Inputs[In].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var waves = Waves(in self._phase, context.Param(Stereo, segment));
            self._phase.Advance(context.Param(Rate, segment + 1), context.SampleRate);
            var nextWaves = Waves(in self._phase, context.Param(Stereo, segment + 1));
            var fade = self._stages.Next((int)(context.Param(Stages, segment) + 0.5f), context.SampleRate);
            var stages = Math.Min(4 + (2 * self._stages.Choice), MostStages);
            for (var first = 0; first < channels; first += 2)
                asleep &= Segment(self._chains + (first / 2), in context, segment, first, channels, stages, waves, nextWaves, in fade);
        }

        return asleep && self._stages.Settled ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Sweep of left and right, twice.
    private static Vector128<float> Waves(in SlowPhase phase, float stereo)
    {
        var (left, right) = (phase.Turns(), phase.Turns(stereo));
        return FastMath.SinTurns(Vector128.Create(left, right, left, right));
    }

    // Two voices of two sides over one segment. True when they are at rest.
    private static bool Segment(
        Chain* chain, in ProcessContext context, int segment, int first, int channels, int stages,
        Vector128<float> waves, Vector128<float> nextWaves, in GridRamp fade)
    {
        var at = segment * Limits.Grid;
        var both = first + 1 < channels;
        var x0 = context.In(In, first) + at;
        var x1 = both ? context.In(In, first + 1) + at : context.Silence;
        var cv0 = context.In(CvIn, first) + at;
        var cv1 = both ? context.In(CvIn, first + 1) + at : context.Silence;
        var spare = stackalloc float[Limits.Grid];
        var left0 = context.Out(Left, first) + at;
        var right0 = context.Out(Right, first) + at;
        var left1 = both ? context.Out(Left, first + 1) + at : spare;
        var right1 = both ? context.Out(Right, first + 1) + at : spare;
        var feedback = new GridRamp(in context, Feedback, segment);
        var mix = new GridRamp(in context, Mix, segment);
        var amount = new GridRamp(in context, CvAmount, segment);
        var perFrame = 1f / context.SampleRate;

        // Octaves around the frequency run along lines; so does the coefficient where no CV moves it.
        var sweep = waves * Vector128.Create(context.Param(Depth, segment));
        var nextSweep = nextWaves * Vector128.Create(context.Param(Depth, segment + 1));
        var sweepStep = (nextSweep - sweep) * Vector128.Create(1f / Limits.Grid);
        var frequency = new GridRamp(context.Param(Frequency, segment) * perFrame, context.Param(Frequency, segment + 1) * perFrame);
        var line = Coefficient(sweep, context.Param(Frequency, segment) * perFrame);
        var step = (Coefficient(nextSweep, context.Param(Frequency, segment + 1) * perFrame) - line) * Vector128.Create(1f / Limits.Grid);
        var moves = Vector128.Create(
            Block.IsZero(cv0, Limits.Grid) ? 0 : -1, -1, both && !Block.IsZero(cv1, Limits.Grid) ? -1 : 0, -1).AsSingle();
        moves = Vector128.Shuffle(moves, Vector128.Create(0, 0, 2, 2));
        var still = Vector128.EqualsAll(moves.AsInt32(), Vector128<int>.Zero);

        var states = chain->States;
        var last = chain->Last;
        var loudest = Vector128<float>.Zero;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var x = Vector128.Create(x0[i], x0[i], x1[i], x1[i]);
            var a = line;
            if (!still)
            {
                var octaves = Vector128.Create(cv0[i], cv0[i], cv1[i], cv1[i]) * Vector128.Create(amount.At(i));
                a = Vector128.ConditionalSelect(moves, Coefficient(sweep + octaves, frequency.At(i)), a);
                sweep += sweepStep;
            }

            var one = Vector128<float>.One;
            var (b, c) = (one - a, one + a);
            var u = x + (Vector128.Create(feedback.At(i)) * SoftLimit.Bend(last));
            var y = u;
            for (var stage = 0; stage < stages; stage++)
            {
                var s = Vector128.Load(states + (4 * stage));
                var v = y;
                y = (a * v) + (b * s);
                ((c * v) - (a * s)).Store(states + (4 * stage));
            }

            // A chain that is thrown about by noise at CV adds up steps; music stays far below.
            y = Vector128.MinNative(Vector128.MaxNative(y, Vector128.Create(-Most)), Vector128.Create(Most));
            last = y;
            line += step;
            loudest = Vector128.MaxNative(loudest, Vector128.Abs(x));
            var wet = Vector128.Create(mix.At(i) * fade.At(i));
            var together = (wet + wet) * (one - wet);
            var z = (x * (one - wet)) + (y * wet) + ((u - x) * together);
            left0[i] = z[0];
            right0[i] = z[1];
            left1[i] = z[2];
            right1[i] = z[3];
        }

        chain->Last = last;
        return Settle(chain, stages, Vector128.Equals(loudest, Vector128<float>.Zero));
    }

    // a = (g - 1) / (g + 1) of an allpass that turns by a quarter at a frequency in turns a frame.
    private static Vector128<float> Coefficient(Vector128<float> octaves, float turns)
    {
        var f = Vector128.Create(turns) * FastMath.Exp2(octaves);
        var g = FastMath.TanPi(Vector128.MinNative(Vector128.MaxNative(f, Vector128.Create(1e-4f)), Vector128.Create(0.45f)));
        return (g - Vector128<float>.One) / (g + Vector128<float>.One);
    }

    // Exact rest where nothing audible is stored and nothing comes in. True when both voices are at rest.
    private static bool Settle(Chain* chain, int stages, Vector128<float> quiet)
    {
        var states = chain->States;
        var peak = Vector128.Abs(chain->Last);
        for (var stage = 0; stage < stages; stage++) peak = Vector128.MaxNative(peak, Vector128.Abs(Vector128.Load(states + (4 * stage))));
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        for (var stage = 0; stage < stages; stage++) Vector128.AndNot(Vector128.Load(states + (4 * stage)), mask).Store(states + (4 * stage));
        chain->Last = Vector128.AndNot(chain->Last, mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }
}
