// ADSR: a voltage that rises and falls with a gate, exact to the sample.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// An attack of T seconds reaches the top T * rate frames after the gate's edge, from whatever level it started; decay and release
/// likewise. A retrigger attacks again from the present level.
/// </summary>
public unsafe struct Adsr : IModule<Adsr>
{
    private const int Attack = 0, Decay = 1, Sustain = 2, Release = 3, Curvature = 4, Level = 5;
    private const int Gate = 0, Retrigger = 1;
    private const int Envelope = 0, End = 1;
    private const float Longest = 20f;

    private Voice* _voices;
    private int _triggerFrames;

    private struct Voice
    {
        public EnvelopeSegments Segments;
        public SchmittTrigger Gate, Retrigger;
        public int TriggerLeft;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "adsr",
        Name = "ADSR",
        Family = "Modulation",
        Text = "Shapes a note: rises when a gate opens, falls back, holds, and fades when it closes.",
        Inputs =
        [
            new PortDescriptor("gate", "Gate", "Open above 1 V, closed below 0.1 V."),
            new PortDescriptor("retrig", "Retrigger", "A trigger starts the attack again while the gate is open."),
        ],
        Outputs =
        [
            new PortDescriptor("env", "Envelope", "0 V to the level."),
            new PortDescriptor("end", "End", "A trigger when the release is over."),
        ],
        Parameters =
        [
            new ParameterDescriptor("attack", "Attack", "s", 0.0005f, Longest, 0.005f, ParameterCurve.Exponential,
                "Time to rise to the top."),
            new ParameterDescriptor("decay", "Decay", "s", 0.0005f, Longest, 0.2f, ParameterCurve.Exponential,
                "Time to fall to the sustain level."),
            new ParameterDescriptor("sustain", "Sustain", "", 0f, 1f, 0.6f, ParameterCurve.Linear,
                "Part of the level that is held while the gate is open."),
            new ParameterDescriptor("release", "Release", "s", 0.0005f, Longest, 0.4f, ParameterCurve.Exponential,
                "Time to fall to nothing."),
            new ParameterDescriptor("curve", "Curve", "", -1f, 1f, 0.4f, ParameterCurve.Linear,
                "Above 0 fast at first, below 0 slow at first, 0 straight."),
            new ParameterDescriptor("level", "Level", "V", 0f, 10f, 10f, ParameterCurve.Linear, "Voltage at the top."),
        ],
        Telemetry = [new TelemetryDescriptor("level", TelemetryKind.Meter, 1)],
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Limits.MaxChannels);

    public static void Construct(ref Adsr self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._triggerFrames = (int)(0.001f * setup.SampleRate);
        timing.TailFrames = (long)(Longest * setup.SampleRate) + self._triggerFrames + 1;
    }

    public static void Reset(ref Adsr self) => new Span<Voice>(self._voices, Limits.MaxChannels).Clear();

    public static ProcessResult Process(ref Adsr self, in ProcessContext context)
    {
        var channels = context.Outputs[Envelope].Channels;
        var asleep = context.Inputs[Gate].Silent && context.Inputs[Retrigger].Silent;
        for (var voice = 0; voice < channels; voice++)
        {
            var v = self._voices + voice;
            asleep &= v->Segments.AtRest && v->TriggerLeft == 0;
            for (var segment = 0; segment < context.Segments; segment++) Segment(v, in context, segment, voice, self._triggerFrames);
        }

        context.Telemetry[0] = Block.Peak(context.Out(Envelope), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static void Segment(Voice* v, in ProcessContext context, int segment, int voice, int triggerFrames)
    {
        double rate = context.SampleRate;
        var shape = new EnvelopeShape(
            1.0 / (context.Param(Attack, segment) * rate),
            1.0 / (context.Param(Decay, segment) * rate),
            1.0 / (context.Param(Release, segment) * rate));
        var sustain = new GridRamp(in context, Sustain, segment);
        var level = new GridRamp(in context, Level, segment);
        var bend = new GridRamp(in context, Curvature, segment);
        var moving = (context.Moving >> Curvature & 1) != 0;
        var curve = new Curve(bend.Start);
        var at = segment * Limits.Grid;
        var gate = context.In(Gate, voice) + at;
        var retrigger = context.In(Retrigger, voice) + at;
        var envelope = context.Out(Envelope, voice) + at;
        var end = context.Out(End, voice) + at;
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (moving) curve = new Curve(bend.At(i));
            var wasOpen = v->Gate.IsHigh;
            var opens = v->Gate.Rises(gate[i]);
            var again = v->Retrigger.Rises(retrigger[i]);
            if (opens || (again && v->Gate.IsHigh)) v->Segments.Attack();
            else if (wasOpen && !v->Gate.IsHigh) v->Segments.Release();

            envelope[i] = v->Segments.Next(in shape, in curve, sustain.At(i), out var ended) * level.At(i);
            if (ended) v->TriggerLeft = triggerFrames;
            end[i] = v->TriggerLeft > 0 ? 10f : 0f;
            if (v->TriggerLeft > 0) v->TriggerLeft--;
        }
    }
}
