// Comb: a tuned echo, so short that it is a pitch.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// y = x + feedback * damped(y, 1 / pitch ago). Positive feedback resonates at all multiples of the pitch, negative feedback at the odd
/// multiples of half of it. The delay is shortened by what the damping (a one-pole) delays at the pitch, so that the first resonance is in
/// tune whatever the damping (Jaffe and Smith, Extensions of the Karplus-Strong Plucked-String Algorithm, CMJ 1983). Between samples
/// it reads by <see cref="Hermite"/>. What comes in is lowered by the square root of 1 - |feedback|.
/// </summary>
public unsafe struct Comb : IModule<Comb>
{
    private const int In = 0, PitchIn = 1, FeedbackIn = 2;
    private const int Frequency = 0, Feedback = 1, FeedbackAmount = 2, Damping = 3, Mix = 4;
    private const float Lowest = 20f;
    private const float MostFeedback = 0.995f;

    // Far above any signal; keeps the worst of modulations from growing.
    private const float Most = 100f;

    // Between these, phase of a one-pole in fractions of a turn: atan by Abramowitz and Stegun 4.4.47, error below 1e-5.
    private const float A1 = 0.9998660f, A3 = -0.3302995f, A5 = 0.1801410f, A7 = -0.0851330f, A9 = 0.0208351f;

    private Line* _lines;

    private struct Line
    {
        public DelayLine Delay;
        public float Damped, Frames, Gain;
        public int QuietFrames;
        public bool Running;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "comb",
        Name = "Comb Filter",
        Family = "Filters",
        Text = "A tuned resonator: any sound that goes in rings at the pitch you play.",
        Help = """
            An echo that comes after one cycle of a note is no echo any more but the note itself: whatever goes in comes out ringing
            at that pitch and its overtones, like a piano string that answers when someone sings into the lid. Frequency and the 1
            V/oct input tune it; feedback says how long it rings.

            Positive feedback rings at all overtones, like a string. Negative feedback rings an octave lower at the odd ones, hollow
            like a clarinet or a closed tube. Damping takes highs out of each round, so that the ring darkens as it fades, as real
            things do.

            Try drums at In, feedback at 0.95 and a slow melody at Pitch: the kit plays chords if you patch a polyphonic cable.
            Short clicks or bursts of noise make plucked strings. With an LFO at Pitch of a fraction of a volt and feedback around
            0.6 it is a flanger.

            It stays in tune within 5 cents up to 4 kHz, with any damping.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound that makes it ring."),
            new PortDescriptor("pitch", "Pitch", "Moves the pitch, 1 V an octave."),
            new PortDescriptor("feedback", "Feedback CV", "Moves the feedback by its amount."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The ringing sound.")],
        Parameters =
        [
            new ParameterDescriptor("frequency", "Frequency", "Hz", Lowest, 8_000f, Pitch.C4, ParameterCurve.Exponential,
                "The pitch of the resonance with 0 V at Pitch."),
            new ParameterDescriptor("feedback", "Feedback", "", -MostFeedback, MostFeedback, 0.9f, ParameterCurve.Linear,
                "How long it rings; below 0 an octave lower and hollow."),
            new ParameterDescriptor("feedback_amount", "Feedback amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "How far 10 V at the feedback CV move it."),
            new ParameterDescriptor("damping", "Damping", "Hz", 500f, 20_000f, 8_000f, ParameterCurve.Exponential,
                "Each round loses what is above this; never less than two times the pitch."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 1f, ParameterCurve.Linear, "0 is the sound alone, 1 the ringing one."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Line>(Limits.MaxChannels);
        for (var i = 0; i < Limits.MaxChannels; i++) need.Need<float>(DelayLine.Floats(LongestFrames(setup.SampleRate)));
    }

    public static void Construct(ref Comb self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._lines = memory.Take<Line>(Limits.MaxChannels);
        var frames = LongestFrames(setup.SampleRate);
        for (var i = 0; i < Limits.MaxChannels && !memory.Overdrawn; i++)
            self._lines[i].Delay = new DelayLine(memory.Take<float>(DelayLine.Floats(frames)), frames);

        // 230 dB in steps of 0.0435 dB.
        timing.TailFrames = 5300L * frames;
    }

    public static void Reset(ref Comb self)
    {
        for (var i = 0; i < Limits.MaxChannels; i++)
        {
            var line = self._lines + i;
            line->Delay.Clear();
            (line->Damped, line->Frames, line->Gain, line->QuietFrames, line->Running) = (0f, 0f, 0f, 0, false);
        }
    }

    public static ProcessResult Process(ref Comb self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var sound = true;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4) sound &= self.Four(in context, segment, first, channels);
        }

        if (!sound) return ProcessResult.Error;
        var asleep = context.Inputs[In].Silent;
        for (var i = 0; asleep && i < channels; i++)
        {
            var line = self._lines + i;
            asleep = line->QuietFrames >= line->Delay.Length && line->Damped == 0f && Block.IsZero(context.Out(0, i), context.Frames);
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static int LongestFrames(float rate) => (int)(rate / Lowest) + 1;

    // Delays and damping of four voices at the end of the segment; they go there along a straight line. False where a line is broken.
    private readonly bool Four(in ProcessContext context, int segment, int first, int channels)
    {
        var block = stackalloc Vector128<float>[Limits.Grid];
        Lanes.Load(in context, PitchIn, segment, first, channels, block);
        var hertz = Vector128.Create(context.Param(Frequency, segment + 1)) * FastMath.Exp2(block[Limits.Grid - 1]);
        hertz = Lanes.Within(hertz, Vector128.Create(Lowest), Vector128.Create(8_000f));
        var turns = hertz / Vector128.Create(context.SampleRate);

        // The first resonance lies at the pitch or, with negative feedback, an octave below it: that is where the one-pole's delay counts.
        Lanes.Load(in context, FeedbackIn, segment, first, channels, block);
        var feedback = block[Limits.Grid - 1] * Vector128.Create(context.Param(FeedbackAmount, segment + 1) * 0.1f);
        feedback += Vector128.Create(context.Param(Feedback, segment + 1));
        var negative = Vector128.LessThan(feedback, Vector128<float>.Zero);
        var at = turns * Vector128.ConditionalSelect(negative, Vector128.Create(0.5f), Vector128<float>.One);
        var damping = Vector128.MaxNative(Vector128.Create(context.Param(Damping, segment + 1)), hertz + hertz);
        var g = FastMath.TanPi(Vector128.MinNative(damping / Vector128.Create(context.SampleRate), Vector128.Create(0.45f)));
        var delay = Turns(FastMath.TanPi(at) / g) / at;
        var frames = (Vector128<float>.One / turns) - delay;
        var gain = g / (Vector128<float>.One + g);
        var sound = true;
        for (var lane = 0; lane < 4 && first + lane < channels; lane++)
        {
            var line = _lines + first + lane;
            sound &= Segment(line, in context, segment, first + lane, ((float*)&frames)[lane], ((float*)&gain)[lane]);
        }

        return sound;
    }

    private static bool Segment(Line* line, in ProcessContext context, int segment, int channel, float frames, float gain)
    {
        if (!line->Running) (line->Frames, line->Gain, line->Running) = (frames, gain, true);
        var at = segment * Limits.Grid;
        var source = context.In(In, channel) + at;
        var cv = context.In(FeedbackIn, channel) + at;
        var target = context.Out(0, channel) + at;
        var feedback = new GridRamp(in context, Feedback, segment);
        var amount = new GridRamp(in context, FeedbackAmount, segment);
        var mix = new GridRamp(in context, Mix, segment);
        var delay = new GridRamp(line->Frames, frames);
        var poles = new GridRamp(line->Gain, gain);
        var longest = (float)line->Delay.Longest;
        var state = line->Damped;
        var sound = true;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var back = line->Delay.Read(Math.Max(DelayLine.Shortest, Math.Min(delay.At(i), longest)));
            var v = (back - state) * poles.At(i);
            var damped = v + state;
            state = Denormal.Flush(damped + v);
            var part = Math.Max(-MostFeedback, Math.Min(feedback.At(i) + (amount.At(i) * 0.1f * cv[i]), MostFeedback));
            var y = (source[i] * MathF.Sqrt(1f - Math.Abs(part))) + (part * damped);
            y = Denormal.Flush(Math.Max(-Most, Math.Min(y, Most)));
            sound &= float.IsFinite(y);
            line->QuietFrames = y == 0f ? Math.Min(line->QuietFrames + 1, line->Delay.Length) : 0;
            line->Delay.Write(y);
            var wet = mix.At(i);
            target[i] = (source[i] * (1f - wet)) + (y * wet);
        }

        (line->Damped, line->Frames, line->Gain) = (state, frames, gain);
        return sound;
    }

    // atan(x) / 2 pi for x > 0.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Turns(Vector128<float> x)
    {
        var one = Vector128<float>.One;
        var r = (x - one) / (x + one);
        var t = r * r;
        var p = Vector128.Create(A1) + (t * (Vector128.Create(A3) + (t * (Vector128.Create(A5)
            + (t * (Vector128.Create(A7) + (t * Vector128.Create(A9))))))));
        return Vector128.Create(0.125f) + (r * p * Vector128.Create(0.5f / MathF.PI));
    }
}
