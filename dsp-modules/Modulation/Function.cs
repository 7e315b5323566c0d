// Function: rises and falls on its own, at a trigger, with a gate, or after another voltage; the West-coast standard.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// After the Serge Dual Universal Slope Generator (Tcherepnin, 1976): one slope that is envelope, slow oscillator and slew limiter. A rise of
/// N frames from rest that starts at frame g reads 0 at g and the top at g + N; the fall likewise. What is left of a frame at the end of a
/// slope is carried into the next, so that a cycle of broken length is exact on average. A trigger during a fall turns it round at the level
/// it has, on the same curve; one during a rise is not heard. Following a voltage it obeys <see cref="SlewShape"/>.
/// </summary>
public unsafe struct Function : IModule<Function>
{
    private const int In = 0, TriggerIn = 1, CycleIn = 2, RiseIn = 3, FallIn = 4, BothIn = 5;
    private const int Out = 0, Inverse = 1, EndOfRise = 2, EndOfCycle = 3;
    private const int Rise = 0, Fall = 1, Shape = 2, Level = 3, Mode = 4, Cycle = 5;
    private const int GateMode = 1, Follow = 2;
    private const int CycleOn = 1, CycleAlone = 2;
    private const float Shortest = 0.0002f, Longest = 60f;
    private const double Arrived = 1.0 - 1e-9;

    private Voice* _voices;
    private int _triggerFrames;

    private enum Stage : byte
    {
        Rest = 0,
        Rise = 1,
        Hold = 2,
        Fall = 3,
    }

    private struct Voice
    {
        public double Progress;
        public SlewLimiter Slew;
        public SchmittTrigger Trigger, Cycle;
        public TriggerPulse End;
        public float Level;
        public Stage Stage;
        public bool Follows, Completed;

        public void RiseFrom(in Curve curve)
        {
            Progress = Level == 0f ? 0.0 : curve.Inverse(Level);
            Stage = Stage.Rise;
        }

        public void FallFrom(float level, in Curve curve)
        {
            Level = Math.Min(Math.Max(level, 0f), 1f);
            Progress = curve.Inverse(1f - Level);
            Stage = Stage.Fall;
        }

        // One frame; true where a fall has arrived.
        public bool Next(double up, double down, in Curve curve, bool open, bool cycles)
        {
            var ended = false;
            if (Stage == Stage.Rise && Progress >= Arrived)
            {
                Stage = open ? Stage.Hold : Stage.Fall;
                Progress = Carry(up, down);
            }

            if (Stage == Stage.Fall && Progress >= Arrived)
            {
                ended = Completed = true;
                Stage = cycles ? Stage.Rise : Stage.Rest;
                Progress = Carry(down, up);
            }

            switch (Stage)
            {
                case Stage.Rise:
                    Level = curve.At((float)Progress);
                    Progress += up;
                    break;
                case Stage.Hold:
                    Level = 1f;
                    break;
                case Stage.Fall:
                    Level = 1f - curve.At((float)Progress);
                    Progress += down;
                    break;
                default:
                    Level = 0f;
                    break;
            }

            return ended;
        }

        // What a slope went beyond its end, in steps of the next one.
        private readonly double Carry(double from, double to)
        {
            var over = Progress - 1.0;
            return over < 1e-9 || from < 1e-12 ? 0.0 : Math.Min(over * to / from, 0.5);
        }
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "function",
        Name = "Function",
        Family = "Modulation",
        Text = "A slope that rises and falls: envelope, slow or audible wave, slew limiter, delay and rhythm in one.",
        Help = """
            A function generator in the West-coast manner: one slope, with a time to rise, a time to fall and a curve, and several ways to
            set it going. By itself it cycles. As soon as something is patched into Trigger it waits for that (Cycle "alone"); Cycle "on"
            keeps it going in any case, and a gate at the Cycle input does so while it is high.

            - Mode "trigger": each rise at Trigger runs once up and down, however short it is. It can be triggered again while it falls,
            not while it rises: a slope longer than the clock divides it.
            - Mode "gate": up, stay at the top while the gate is open, down when it closes.
            - Mode "follow": the output goes after the voltage at In, a step of 10 V in the time of Rise or Fall.

            Shape bends both ways: below 0 slow at first (exponential), above 0 fast at first (logarithmic). EOR is a gate that is high from
            the top until the fall is over, EOC one that is high from the end of the fall until it sets out again. Patched into the
            Trigger of a second function they make delays, bursts and rhythms that no clock knows. 1 V at Both halves both times, so
            that, cycling fast, it is an oscillator that can be played.

            Try: leave it alone and patch Out into a filter; then shorten Rise and Fall until it sings. Or a clock into Trigger
            and EOC into the trigger of another one that shapes the echo of each beat.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "The voltage that is followed in the mode that follows."),
            new PortDescriptor("trigger", "Trigger", "A rise sets it going; in gate mode it stays up while this is high."),
            new PortDescriptor("cycle", "Cycle", "It goes round and round while this is high."),
            new PortDescriptor("rise", "Rise CV", "1 V halves the time of rising."),
            new PortDescriptor("fall", "Fall CV", "1 V halves the time of falling."),
            new PortDescriptor("both", "Both CV", "1 V halves both times: the pitch, if it cycles fast."),
        ],
        Outputs =
        [
            new PortDescriptor("out", "Out", "The slope, 0 V to the level."),
            new PortDescriptor("inverse", "Inverse", "The level less the slope: down where that goes up."),
            new PortDescriptor("eor", "EOR", "End of rise: high from the top until the fall is over."),
            new PortDescriptor("eoc", "EOC", "End of cycle: high from the end of the fall, until the next rise but at least 1 ms."),
        ],
        Parameters =
        [
            new ParameterDescriptor("rise", "Rise", "s", Shortest, Longest, 0.2f, ParameterCurve.Exponential, "Time to the top."),
            new ParameterDescriptor("fall", "Fall", "s", Shortest, Longest, 0.6f, ParameterCurve.Exponential, "Time from the top."),
            new ParameterDescriptor("shape", "Shape", "", -1f, 1f, 0f, ParameterCurve.Linear,
                "Below 0 slow at first, above 0 fast at first, 0 straight."),
            new ParameterDescriptor("level", "Level", "V", -10f, 10f, 10f, ParameterCurve.Linear,
                "Voltage at the top; a voltage that is followed passes unchanged at 10."),
            new ParameterDescriptor("mode", "Mode", "", 0f, 2f, 0f, ParameterCurve.Stepped,
                "Once for each trigger, up while a gate is open, or after the voltage at In.", "trigger", "gate", "follow"),
            new ParameterDescriptor("cycle", "Cycle", "", 0f, 2f, CycleAlone, ParameterCurve.Stepped,
                "Whether it starts again by itself; alone: while nothing is patched into Trigger.", "off", "on", "alone"),
        ],
        Telemetry = [new TelemetryDescriptor("level", TelemetryKind.Meter, 1, "V", "The slope.")],
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Limits.MaxChannels);

    public static void Construct(ref Function self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._triggerFrames = TriggerPulse.Frames(setup.SampleRate);
        timing.TailFrames = -1;
    }

    public static void Reset(ref Function self) => Block.Zero(self._voices, Limits.MaxChannels);

    public static ProcessResult Process(ref Function self, in ProcessContext context)
    {
        for (var voice = 0; voice < context.Outputs[Out].Channels; voice++)
        {
            for (var segment = 0; segment < context.Segments; segment++)
                Segment(self._voices + voice, in context, segment, voice, self._triggerFrames);
        }

        context.Telemetry[0] = context.Out(Out)[context.Frames - 1];

        // The inverse rests at the level: it never falls silent.
        return ProcessResult.Continue;
    }

    private static void Segment(Voice* v, in ProcessContext context, int segment, int voice, int triggerFrames)
    {
        var mode = (int)(context.Param(Mode, segment) + 0.5f);
        if (mode == Follow)
        {
            if (!v->Follows) v->Slew.Jump(10f * v->Level);
            v->Follows = true;
            FollowSegment(v, in context, segment, voice);
            return;
        }

        var bend = new GridRamp(in context, Shape, segment);
        var curve = new Curve(bend.Start);
        if (v->Follows) v->FallFrom(v->Slew.Value * 0.1f, in curve);
        v->Follows = false;

        var at = segment * Limits.Grid;
        var trigger = context.In(TriggerIn, voice) + at;
        var cycle = context.In(CycleIn, voice) + at;
        var riseCv = context.In(RiseIn, voice) + at;
        var fallCv = context.In(FallIn, voice) + at;
        var bothCv = context.In(BothIn, voice) + at;
        var level = new GridRamp(in context, Level, segment);
        var rise = 1.0 / Frames(in context, Rise, segment, 0f);
        var fall = 1.0 / Frames(in context, Fall, segment, 0f);
        var still = context.Inputs[RiseIn].Silent && context.Inputs[FallIn].Silent && context.Inputs[BothIn].Silent;
        var choice = (int)(context.Param(Cycle, segment) + 0.5f);
        var always = choice == CycleOn || (choice == CycleAlone && !context.Inputs[TriggerIn].Connected);
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (bend.Step != 0f) curve = new Curve(bend.At(i));
            var (up, down) = (rise, fall);
            if (!still)
            {
                up *= FastMath.Exp2(riseCv[i] + bothCv[i]);
                down *= FastMath.Exp2(fallCv[i] + bothCv[i]);
            }

            // Two frames are the shortest slope there is.
            up = Math.Min(up, 0.5);
            down = Math.Min(down, 0.5);
            if (v->Trigger.Rises(trigger[i]) && v->Stage is Stage.Rest or Stage.Fall) v->RiseFrom(in curve);
            _ = v->Cycle.Rises(cycle[i]);
            var cycles = always || v->Cycle.IsHigh;
            if (cycles && v->Stage == Stage.Rest) v->RiseFrom(in curve);
            var open = mode == GateMode && v->Trigger.IsHigh;
            if (mode == GateMode && !open && v->Stage == Stage.Hold) v->FallFrom(1f, in curve);
            if (mode == GateMode && !open && !cycles && v->Stage == Stage.Rise) v->FallFrom(v->Level, in curve);
            if (v->Next(up, down, in curve, open, cycles)) v->End.Fire(triggerFrames);

            var volts = level.At(i) * v->Level;
            context.Out(Out, voice)[at + i] = volts;
            context.Out(Inverse, voice)[at + i] = level.At(i) - volts;
            context.Out(EndOfRise, voice)[at + i] = TriggerPulse.Gate(v->Stage is Stage.Fall or Stage.Hold);
            var ended = v->End.Next() > 0f || (v->Completed && v->Stage == Stage.Rest);
            context.Out(EndOfCycle, voice)[at + i] = TriggerPulse.Gate(ended);
        }
    }

    private static void FollowSegment(Voice* v, in ProcessContext context, int segment, int voice)
    {
        var at = segment * Limits.Grid;
        var source = context.In(In, voice) + at;
        var level = new GridRamp(in context, Level, segment);
        var bend = Math.Max(context.Param(Shape, segment), 0f);
        var both = context.In(BothIn, voice)[at];
        var rise = new SlewShape(bend, Frames(in context, Rise, segment, context.In(RiseIn, voice)[at] + both));
        var fall = new SlewShape(bend, Frames(in context, Fall, segment, context.In(FallIn, voice)[at] + both));
        for (var i = 0; i < Limits.Grid; i++)
        {
            var volts = v->Slew.Next(source[i], in rise, in fall) * (0.1f * level.At(i));
            context.Out(Out, voice)[at + i] = volts;
            context.Out(Inverse, voice)[at + i] = 0f - volts;
            context.Out(EndOfRise, voice)[at + i] = TriggerPulse.Gate(v->Slew.Direction < 0);
            context.Out(EndOfCycle, voice)[at + i] = TriggerPulse.Gate(v->Slew.Direction == 0);
        }
    }

    private static double Frames(in ProcessContext context, int parameter, int segment, float cv) =>
        Duration.Frames(context.Param(parameter, segment) * (cv == 0f ? 1.0 : FastMath.Exp2(-cv)), context.SampleRate);
}
