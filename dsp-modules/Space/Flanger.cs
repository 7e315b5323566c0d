// Flanger: two tape machines that drift apart and together, and what they do to each other.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// A comb of a moving delay d = Delay (1 + Depth wave) 2^(-CV), between samples by <see cref="Lagrange"/>, with feedback of either sign
/// (Dattorro, Effect Design 2, JAES 1997). Without feedback the notches lie at (k + 1/2) / d where Mix is above 0 and at k / d where it is
/// below; feedback above 0 rings at k / d, to the cent. Through zero delays the sound itself by Delay: the copy overtakes it, and at Mix
/// -0.5 they cancel as they meet. What goes round is linear up to 10 V and never above 20 V. The shortest delay is four frames.
/// </summary>
public unsafe struct Flanger : IModule<Flanger>
{
    private const int In = 0, CvIn = 1;
    private const int Left = 0, Right = 1, Sides = 2;
    private const int Delay = 0, Depth = 1, Rate = 2, Shape = 3, Feedback = 4, Through = 5, Stereo = 6, Mix = 7, CvAmount = 8;
    private const float LongestMilliseconds = 40f;
    private const float MostFeedback = 0.97f;
    private const float ShortestFrames = 4f;

    // Two floats more than six, so that a frame's weights are two registers.
    private const int WeightFloats = 8;

    // From 20 V to below 1e-8 V at the most feedback: 187 dB in steps of 0.26 dB.
    private const long RepeatsOfTail = 720;

    private SegmentLine* _lines;
    private SlowPhase _phase;
    private SwitchFade _through;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "flanger",
        Name = "Flanger",
        Family = "Space",
        Text = "A comb of notches that sweeps through a sound: jets, metal, moving air.",
        Help = """
            Mixes a sound with a copy of itself a few milliseconds late. Some frequencies meet in step and become louder, others
            meet against each other and vanish: an even row of notches, a comb, that moves as the copy moves. Feedback sharpens the
            teeth until they ring; below 0 it is hollow, as a pipe closed at one end.

            Through zero delays the sound itself as well, so that the copy overtakes it: that is how two tape machines did it. Where
            the two meet the comb runs up to infinity and back. With Mix at -0.5 they cancel altogether for a moment.

            Try noise or a chord of saws at In and both outputs to Audio Out. Delay at 2 ms, Depth at 0.8, Rate at 0.1 Hz: the jet.
            Then Feedback at -0.8. Or play it: Depth at 0, Feedback at 0.95, and a sequencer at CV: the comb rings in tune, 1 V an
            octave, at 1000 Hz for a Delay of 1 ms, and a click at In plucks it like a string.

            - Stereo sets the right side's movement apart from the left one's.
            - A cable with several voices is flanged voice by voice.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be flanged."),
            new PortDescriptor("cv", "CV", "Moves the comb up by an octave a volt, by its amount; may be audio."),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "The left side, or all there is."),
            new PortDescriptor("right", "Right", "The same, its movement apart by Stereo."),
        ],
        Parameters =
        [
            new ParameterDescriptor("delay", "Delay", "ms", 0.1f, 20f, 2f, ParameterCurve.Exponential, "How late the copy is on average."),
            new ParameterDescriptor("depth", "Depth", "", 0f, 1f, 0.8f, ParameterCurve.Linear,
                "How far it moves to either side, as a part of that."),
            new ParameterDescriptor("rate", "Rate", "Hz", 0.01f, 10f, 0.15f, ParameterCurve.Exponential, "Sweeps a second."),
            new ParameterDescriptor("shape", "Shape", "", 0f, 1f, 0f, ParameterCurve.Stepped, "How it moves.", "sine", "triangle"),
            new ParameterDescriptor("feedback", "Feedback", "", -MostFeedback, MostFeedback, 0.4f, ParameterCurve.Linear,
                "How much of the copy is copied again; below 0 upside down."),
            new ParameterDescriptor("through", "Through zero", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "Delays the sound too, so that the copy can overtake it.", "off", "on"),
            new ParameterDescriptor("stereo", "Stereo", "turns", 0f, 0.5f, 0.25f, ParameterCurve.Linear,
                "How far the right side is ahead in the sweep."),
            new ParameterDescriptor("mix", "Mix", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "0 is the sound alone, 1 the copy alone, -1 the copy upside down; the notches are deepest at half."),
            new ParameterDescriptor("cv_amount", "CV amount", "", -1f, 1f, 1f, ParameterCurve.Linear,
                "Octaves a volt that the CV moves the comb."),
        ],
        HasTail = true,
    };

    // A line of the sound itself and one each side, of sixteen voices.
    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<SegmentLine>(Limits.MaxChannels * (1 + Sides));
        for (var i = 0; i < Limits.MaxChannels * (1 + Sides); i++) need.Need<float>(SegmentLine.Floats(LongestFrames(setup.SampleRate)));
    }

    public static void Construct(ref Flanger self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        var frames = LongestFrames(setup.SampleRate);
        self._lines = memory.Take<SegmentLine>(Limits.MaxChannels * (1 + Sides));
        for (var i = 0; i < Limits.MaxChannels * (1 + Sides) && !memory.Overdrawn; i++)
            self._lines[i] = new SegmentLine(memory.Take<float>(SegmentLine.Floats(frames)), frames);
        timing.TailFrames = RepeatsOfTail * frames;
    }

    public static void Reset(ref Flanger self)
    {
        for (var i = 0; i < Limits.MaxChannels * (1 + Sides); i++) self._lines[i].Clear();
        self._phase = default;
        self._through = default;
    }

    public static ProcessResult Process(ref Flanger self, in ProcessContext context)
    {
        _ = self._phase.Wake(in context);
        var channels = context.Outputs[Left].Channels;
        var sound = true;
        var dry = stackalloc float[Limits.Grid];
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var shape = context.Param(Shape, segment) >= 0.5f ? LfoShape.Triangle : LfoShape.Sine;
            var (left, right) = (Wave(in self._phase, shape, 0f), Wave(in self._phase, shape, context.Param(Stereo, segment)));
            self._phase.Advance(context.Param(Rate, segment + 1), context.SampleRate);
            var (nextLeft, nextRight) = (Wave(in self._phase, shape, 0f), Wave(in self._phase, shape, context.Param(Stereo, segment + 1)));
            var fade = self._through.Next(context.Param(Through, segment) >= 0.5f ? 1 : 0, context.SampleRate);
            for (var channel = 0; channel < channels; channel++)
            {
                var lines = self._lines + (channel * (1 + Sides));
                Dry(lines, in context, segment, channel, self._through.Choice != 0, dry);
                sound &= Side(lines + 1, in context, segment, channel, Left, new GridRamp(left, nextLeft), dry, in fade);
                sound &= Side(lines + 2, in context, segment, channel, Right, new GridRamp(right, nextRight), dry, in fade);
            }
        }

        if (!sound) return ProcessResult.Error;
        var asleep = context.Inputs[In].Silent && self._through.Settled;
        for (var i = 0; asleep && i < channels * (1 + Sides); i++) asleep = self._lines[i].AtRest;
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static int LongestFrames(float sampleRate) => (int)(LongestMilliseconds * 0.001f * sampleRate) + 2;

    private static float Wave(in SlowPhase phase, LfoShape shape, float further) => LfoWave.At(shape, phase.Turns(further), 0f, 0f);

    private static void Dry(SegmentLine* line, in ProcessContext context, int segment, int channel, bool through, float* dry)
    {
        var source = context.In(In, channel) + (segment * Limits.Grid);
        line->Write(source);
        if (through)
        {
            var perMillisecond = 0.001 * context.SampleRate;
            line->Read(dry, Math.Max(context.Param(Delay, segment) * perMillisecond, ShortestFrames),
                Math.Max(context.Param(Delay, segment + 1) * perMillisecond, ShortestFrames));
        }
        else
        {
            Block.ScaleSegment(dry, source, new GridRamp(1f, 1f));
        }

        line->Advance();
    }

    // False where what is stored is no number any more.
    private static bool Side(
        SegmentLine* line, in ProcessContext context, int segment, int channel, int side, in GridRamp wave, float* dry, in GridRamp fade)
    {
        var at = segment * Limits.Grid;
        var source = context.In(In, channel) + at;
        var feedback = new GridRamp(in context, Feedback, segment);
        var delays = stackalloc float[Limits.Grid];
        var tap = stackalloc float[Limits.Grid];
        var stored = stackalloc float[Limits.Grid];
        var shortest = Delays(in context, segment, channel, in wave, delays);
        if (shortest >= SegmentLine.Shortest)
        {
            line->Read(tap, 0, delays);
            for (var i = 0; i < Limits.Grid; i += 4)
            {
                var x = Vector128.Load(source + i) + (feedback.Four(i) * SoftLimit.Bend(Vector128.Load(tap + i)));
                Denormal.Flush(x).Store(stored + i);
            }
        }
        else
        {
            ShortLoop(line, source, delays, in feedback, tap, stored);
        }

        line->Write(stored);
        line->Advance();
        var target = context.Out(side, channel) + at;
        var mix = new GridRamp(in context, Mix, segment);
        var sum = Vector128<float>.Zero;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var wet = mix.Four(i);
            var mixed = (Vector128.Load(dry + i) * (Vector128<float>.One - Vector128.Abs(wet))) + (Vector128.Load(tap + i) * wet);
            (mixed * fade.Four(i)).Store(target + i);
            sum += Vector128.Load(stored + i) * Vector128<float>.Zero;
        }

        return Vector128.EqualsAll(sum, Vector128<float>.Zero);
    }

    // Frames of delay at each frame; the shortest.
    private static float Delays(in ProcessContext context, int segment, int channel, in GridRamp wave, float* delays)
    {
        var depth = new GridRamp(in context, Depth, segment);
        var amount = new GridRamp(in context, CvAmount, segment);
        var perMillisecond = 0.001f * context.SampleRate;
        var delay = new GridRamp(context.Param(Delay, segment) * perMillisecond, context.Param(Delay, segment + 1) * perMillisecond);
        var cv = context.In(CvIn, channel) + (segment * Limits.Grid);
        var still = context.Inputs[CvIn].Silent;
        var (least, most) = (Vector128.Create(ShortestFrames), Vector128.Create((float)(LongestFrames(context.SampleRate) - 2)));
        var shortest = most;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var frames = delay.Four(i) * (Vector128<float>.One + (depth.Four(i) * wave.Four(i)));
            if (!still) frames *= FastMath.Exp2(-(Vector128.Load(cv + i) * amount.Four(i)));
            frames = Vector128.MinNative(Vector128.MaxNative(frames, least), most);
            shortest = Vector128.MinNative(shortest, frames);
            frames.Store(delays + i);
        }

        return Math.Min(Math.Min(shortest[0], shortest[1]), Math.Min(shortest[2], shortest[3]));
    }

    // Where a frame hears another one of its own segment: frame by frame, the weights worked out before.
    private static void ShortLoop(SegmentLine* line, float* source, float* delays, in GridRamp feedback, float* tap, float* stored)
    {
        var weights = stackalloc float[Limits.Grid * WeightFloats];
        var first = stackalloc int[Limits.Grid];
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var at = Vector128.Create(i, i + 1f, i + 2f, i + 3f) - Vector128.Load(delays + i);
            var floor = Vector128.Floor(at);
            (Vector128.ConvertToInt32Native(floor) - Vector128.Create(Lagrange.Before)).Store(first + i);
            Lagrange.Weights(at - floor, out var w0, out var w1, out var w2, out var w3, out var w4, out var w5);
            var (w6, w7) = (Vector128<float>.Zero, Vector128<float>.Zero);
            Transpose.Four(ref w0, ref w1, ref w2, ref w3);
            Transpose.Four(ref w4, ref w5, ref w6, ref w7);
            var target = weights + (i * WeightFloats);
            w0.Store(target);
            w4.Store(target + 4);
            w1.Store(target + 8);
            w5.Store(target + 12);
            w2.Store(target + 16);
            w6.Store(target + 20);
            w3.Store(target + 24);
            w7.Store(target + 28);
        }

        for (var i = 0; i < Limits.Grid; i++)
        {
            var past = line->Sample(line->Position + first[i]);
            var w = weights + (i * WeightFloats);
            var y = Vector128.Sum((Vector128.Load(past) * Vector128.Load(w)) + (Vector128.Load(past + 4) * Vector128.Load(w + 4)));
            tap[i] = y;
            var x = Denormal.Flush(source[i] + (feedback.At(i) * SoftLimit.Bend(y)));
            stored[i] = x;
            line->Set(i, x);
        }
    }
}
