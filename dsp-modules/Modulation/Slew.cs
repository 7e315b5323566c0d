// Slew: a voltage that may only move so fast.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The law of <see cref="SlewShape"/>: a step of 10 V takes exactly the time of the knob (a step that begins at frame g is over at
/// g + time * rate - 1); straight, any other step takes its part of that; bent, it is the part of the envelope curve below it.
/// </summary>
public unsafe struct Slew : IModule<Slew>
{
    private const int In = 0, RiseIn = 1, FallIn = 2;
    private const int Out = 0, Rising = 1, Falling = 2;
    private const int Rise = 0, Fall = 1, Shape = 2;
    private const float Shortest = 0.0005f, Longest = 20f;

    private SlewLimiter* _voices;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "slew",
        Name = "Slew",
        Family = "Modulation",
        Text = "Lets a voltage move only so fast, upwards and downwards: portamento, envelopes from gates, rounded steps.",
        Help = """
            A slew limiter, or lag: the output follows the input, but no faster than Rise and Fall allow. Both knobs say how long a step
            of 10 V takes; at Shape 0 a step of 1 V takes a tenth of that. With more Shape it moves fast while it is far away and slows
            down as it arrives, the way a capacitor charges.

            The gates at Rising and Falling tell which way it is going, and both are low once it has arrived: they turn a slow wave into
            a rhythm and a note change into an event.

            - A pitch through it glides from note to note.
            - A gate through it is an envelope with attack and release.
            - A random voltage through it wanders where it used to jump.
            - 1 V at a CV halves that time, -1 V doubles it.

            Try: a sample & hold into In, half a second at Rise and Fall, and the output into the pitch of an oscillator.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "The voltage that is to be slowed."),
            new PortDescriptor("rise", "Rise CV", "1 V halves the time of rising."),
            new PortDescriptor("fall", "Fall CV", "1 V halves the time of falling."),
        ],
        Outputs =
        [
            new PortDescriptor("out", "Out", "The slowed voltage."),
            new PortDescriptor("rising", "Rising", "10 V while it rises."),
            new PortDescriptor("falling", "Falling", "10 V while it falls."),
        ],
        Parameters =
        [
            new ParameterDescriptor("rise", "Rise", "s", Shortest, Longest, 0.1f, ParameterCurve.Exponential,
                "Time to rise by 10 V."),
            new ParameterDescriptor("fall", "Fall", "s", Shortest, Longest, 0.1f, ParameterCurve.Exponential,
                "Time to fall by 10 V."),
            new ParameterDescriptor("shape", "Shape", "", 0f, 1f, 0f, ParameterCurve.Linear,
                "0 straight, 1 fast at first and slow at the end."),
        ],
        Telemetry = [new TelemetryDescriptor("out", TelemetryKind.Meter, 1, "V", "The slowed voltage.")],
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<SlewLimiter>(Limits.MaxChannels);

    public static void Construct(ref Slew self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<SlewLimiter>(Limits.MaxChannels);
        timing.TailFrames = (long)(Longest * setup.SampleRate) + 1;
    }

    public static void Reset(ref Slew self) => Block.Zero(self._voices, Limits.MaxChannels);

    public static ProcessResult Process(ref Slew self, in ProcessContext context)
    {
        var asleep = context.Inputs[In].Silent && context.Inputs[RiseIn].Silent && context.Inputs[FallIn].Silent;
        for (var voice = 0; voice < context.Outputs[Out].Channels; voice++)
        {
            for (var segment = 0; segment < context.Segments; segment++) Segment(self._voices + voice, in context, segment, voice);
            asleep &= Block.IsZero(context.Out(Out, voice), context.Frames) && self._voices[voice].Direction == 0;
            asleep &= Block.IsZero(context.Out(Rising, voice), context.Frames) && Block.IsZero(context.Out(Falling, voice), context.Frames);
        }

        context.Telemetry[0] = context.Out(Out)[context.Frames - 1];
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static void Segment(SlewLimiter* v, in ProcessContext context, int segment, int voice)
    {
        var at = segment * Limits.Grid;
        var source = context.In(In, voice) + at;
        var target = context.Out(Out, voice) + at;
        var rising = context.Out(Rising, voice) + at;
        var falling = context.Out(Falling, voice) + at;
        var shape = context.Param(Shape, segment);

        // Times follow their CVs from grid point to grid point: a third of a millisecond, and no power a frame.
        var rise = new SlewShape(shape, Frames(in context, Rise, segment, context.In(RiseIn, voice)[at]));
        var fall = new SlewShape(shape, Frames(in context, Fall, segment, context.In(FallIn, voice)[at]));
        for (var i = 0; i < Limits.Grid; i++)
        {
            target[i] = v->Next(source[i], in rise, in fall);
            rising[i] = TriggerPulse.Gate(v->Direction > 0);
            falling[i] = TriggerPulse.Gate(v->Direction < 0);
        }
    }

    private static double Frames(in ProcessContext context, int parameter, int segment, float cv) =>
        Duration.Frames(context.Param(parameter, segment) * (cv == 0f ? 1.0 : FastMath.Exp2(-cv)), context.SampleRate);
}
