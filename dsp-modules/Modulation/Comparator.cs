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
    private const float GateVolts = 10f;

    private Voice* _voices;
    private int _triggerFrames;

    private struct Voice
    {
        public int TriggerLeft;
        public bool High, Running;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "comparator",
        Name = "Comparator",
        Family = "Modulation",
        Text = "Opens a gate while one voltage is above another: rhythms from slow waves, squares from sounds.",
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
        Telemetry = [new TelemetryDescriptor("gate", TelemetryKind.Meter, 1)],
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Limits.MaxChannels);

    public static void Construct(ref Comparator self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._triggerFrames = (int)(0.001f * setup.SampleRate);
        timing.TailFrames = -1;
    }

    public static void Reset(ref Comparator self) => new Span<Voice>(self._voices, Limits.MaxChannels).Clear();

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
            if (high != v->High && v->Running) v->TriggerLeft = triggerFrames;
            v->High = high;
            v->Running = true;
            above[i] = high ? GateVolts : 0f;
            below[i] = high ? 0f : GateVolts;
            crossed[i] = v->TriggerLeft > 0 ? GateVolts : 0f;
            if (v->TriggerLeft > 0) v->TriggerLeft--;
        }
    }
}
