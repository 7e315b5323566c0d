// Comparator: a gate while one voltage is above another.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// With d = a - b - threshold, the gate opens at d &gt;= hysteresis / 2 and closes at d &lt;= -hysteresis / 2; without hysteresis it is
/// open where d &gt; 0.
/// </summary>
public unsafe struct Comparator : IModule<Comparator>
{
    private const int AIn = 0, BIn = 1;
    private const int Above = 0, Below = 1, Crossed = 2;
    private const int Threshold = 0, Hysteresis = 1;

    private Voice* _voices;
    private int _triggerFrames;

    private struct Voice
    {
        public TriggerPulse Crossed;
        public bool High, Running;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "comparator",
        Name = "Comparator",
        Family = "Modulation",
        Text = "Opens a gate while one voltage is above another: rhythms from slow waves, squares from sounds.",
        Help = """
            Two voltages are compared: while A is above B by more than Threshold the gate Above is open, else Below is. Crossed gives a
            trigger each time it changes over. With nothing at B, Threshold alone is what A is held against.

            Hysteresis keeps it calm: A has to come back that far before it changes again. With a noisy or audible A a little of it makes
            clean gates; at 0 every crossing counts, and a sound becomes a square whose width the threshold sets.

            - A slow wave becomes a rhythm; two slow waves that cross become one that nobody counts.

            Try: two LFOs of 0.7 and 1.1 Hz at A and B, Above and Below into two voices.
            """,
        Inputs =
        [
            new PortDescriptor("a", "A", "The voltage that is compared."),
            new PortDescriptor("b", "B", "What it is compared with, added to the threshold."),
        ],
        Outputs =
        [
            new PortDescriptor("above", "Above", "10 V while A is above."),
            new PortDescriptor("below", "Below", "10 V while A is below."),
            new PortDescriptor("crossed", "Crossed", "A trigger each time it changes."),
        ],
        Parameters =
        [
            new ParameterDescriptor("threshold", "Threshold", "V", -10f, 10f, 0f, ParameterCurve.Linear, "Where the gate opens."),
            new ParameterDescriptor("hysteresis", "Hysteresis", "V", 0f, 5f, 0.1f, ParameterCurve.Linear,
                "How far A must come back: more makes it calmer."),
        ],
        Telemetry = [new TelemetryDescriptor("gate", TelemetryKind.Meter, 1, "V", "The gate at Above.")],
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Limits.MaxChannels);

    public static void Construct(ref Comparator self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._triggerFrames = TriggerPulse.Frames(setup.SampleRate);
        timing.TailFrames = -1;
    }

    public static void Reset(ref Comparator self) => Block.Zero(self._voices, Limits.MaxChannels);

    public static ProcessResult Process(ref Comparator self, in ProcessContext context)
    {
        for (var voice = 0; voice < context.Outputs[Above].Channels; voice++)
        {
            for (var segment = 0; segment < context.Segments; segment++)
                Segment(self._voices + voice, in context, segment, voice, self._triggerFrames);
        }

        context.Telemetry[0] = Block.Peak(context.Out(Above), context.Frames);

        // One of the two gates is always open: it never falls silent.
        return ProcessResult.Continue;
    }

    private static void Segment(Voice* v, in ProcessContext context, int segment, int voice, int triggerFrames)
    {
        var threshold = new GridRamp(in context, Threshold, segment);
        var hysteresis = new GridRamp(in context, Hysteresis, segment);
        var at = segment * Limits.Grid;
        var a = context.In(AIn, voice) + at;
        var b = context.In(BIn, voice) + at;
        var above = context.Out(Above, voice) + at;
        var below = context.Out(Below, voice) + at;
        var crossed = context.Out(Crossed, voice) + at;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var difference = a[i] - b[i] - threshold.At(i);
            var half = 0.5f * hysteresis.At(i);
            var high = v->High ? difference > -half : difference > 0f && difference >= half;
            if (high != v->High && v->Running) v->Crossed.Fire(triggerFrames);
            v->High = high;
            v->Running = true;
            above[i] = TriggerPulse.Gate(high);
            below[i] = TriggerPulse.Gate(!high);
            crossed[i] = v->Crossed.Next();
        }
    }
}
