// Envelope Follower: how loud a sound is, as a voltage and as a gate.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// A one-pole rises to the magnitude of the input with the time constant Attack and falls with Release (63 % of a step); in RMS it
/// does so with the square, whose root comes out. The gate opens at the threshold and closes 3 dB below it.
/// </summary>
public unsafe struct EnvelopeFollower : IModule<EnvelopeFollower>
{
    private const int Env = 0, Inverse = 1, Gate = 2;
    private const int Gain = 0, Attack = 1, Release = 2, Detector = 3, Threshold = 4;
    private const float MostVolts = 10f;
    private const float LongestRelease = 5f;
    private const float Log2E = 1.442695f;
    private const float CloseRatio = 0.707946f;

    // One decibel in octaves of amplitude.
    private const float Decibel = 0.166096405f;

    // 10 V and 36 dB to 1e-8 V: ln(6.3e10) time constants.
    private const float TimeConstantsOfTail = 25f;

    private Voice* _voices;

    private struct Voice
    {
        // In double precision: a release of seconds moves by less than a float's last bit a frame, and would stop on its way down.
        public double Level;
        public bool Open;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "follower",
        Name = "Envelope Follower",
        Family = "Modulation",
        Text = "Turns the loudness of a sound into a voltage, and into a gate while it is loud.",
        Help = """
            Listens to a sound and gives its loudness as a voltage: Envelope rises in the time of Attack when it gets louder and falls in
            the time of Release when it fades. Gain sets how sensitive it is; at 6 dB a sound of 5 V gives 10 V.

            The detector "peak" follows the highest points and is quick; "RMS" follows the power, which is nearer to what an ear calls
            loud. The gate opens when the envelope passes Threshold and closes 3 dB below, so that it does not flutter.

            - Inverse goes down where the sound is loud: together with 10 V from a Voltage in the CV of a VCA it makes room for the sound,
            which is ducking.
            - Gate turns a drum loop, or somebody who speaks, into a rhythm.

            Try: a drum into In, Envelope into the cutoff of a filter that a pad goes through.
            """,
        Inputs = [new PortDescriptor("in", "In", "Sound to be followed.")],
        Outputs =
        [
            new PortDescriptor("env", "Envelope", "The loudness, 0 to 10 V."),
            new PortDescriptor("inverse", "Inverse", "The same below 0 V: added to 10 V in a VCA's CV it ducks."),
            new PortDescriptor("gate", "Gate", "10 V while the envelope is above the threshold."),
        ],
        Parameters =
        [
            new ParameterDescriptor("gain", "Gain", "dB", -12f, 36f, 6f, ParameterCurve.Linear, "6 dB makes 10 V of a sound of 5 V."),
            new ParameterDescriptor("attack", "Attack", "s", 0.0001f, 1f, 0.005f, ParameterCurve.Exponential, "Time to follow upwards."),
            new ParameterDescriptor("release", "Release", "s", 0.001f, LongestRelease, 0.15f, ParameterCurve.Exponential,
                "Time to follow downwards."),
            new ParameterDescriptor("detector", "Detector", "", 0f, 1f, 0f, ParameterCurve.Stepped, "What counts as loud.", "peak", "RMS"),
            new ParameterDescriptor("threshold", "Threshold", "V", 0.01f, 10f, 1f, ParameterCurve.Exponential,
                "Envelope at which the gate opens."),
        ],
        Telemetry = [new TelemetryDescriptor("env", TelemetryKind.Meter, 1, "V", "The envelope.")],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Limits.MaxChannels);

    public static void Construct(ref EnvelopeFollower self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        timing.TailFrames = (long)(TimeConstantsOfTail * LongestRelease * setup.SampleRate);
    }

    public static void Reset(ref EnvelopeFollower self) => Block.Zero(self._voices, Limits.MaxChannels);

    public static ProcessResult Process(ref EnvelopeFollower self, in ProcessContext context)
    {
        var asleep = context.Inputs[0].Silent;
        for (var voice = 0; voice < context.Outputs[Env].Channels; voice++)
        {
            var v = self._voices + voice;
            asleep &= v->Level == 0.0 && !v->Open;
            for (var segment = 0; segment < context.Segments; segment++) Segment(v, in context, segment, voice);
        }

        context.Telemetry[0] = Block.Peak(context.Out(Env), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static void Segment(Voice* v, in ProcessContext context, int segment, int voice)
    {
        var gain = new GridRamp(
            FastMath.Exp2(context.Param(Gain, segment) * Decibel), FastMath.Exp2(context.Param(Gain, segment + 1) * Decibel));
        var threshold = new GridRamp(in context, Threshold, segment);
        double attack = -FastMath.Exp2Minus1(-Log2E / (context.Param(Attack, segment) * context.SampleRate));
        double release = -FastMath.Exp2Minus1(-Log2E / (context.Param(Release, segment) * context.SampleRate));
        var squared = context.Param(Detector, segment) >= 0.5f;
        var at = segment * Limits.Grid;
        var source = context.In(0, voice) + at;
        var envelope = context.Out(Env, voice) + at;
        var inverse = context.Out(Inverse, voice) + at;
        var gate = context.Out(Gate, voice) + at;
        for (var i = 0; i < Limits.Grid; i++)
        {
            double x = Math.Abs(source[i]);
            var y = v->Level;
            var speed = x > y ? attack : release;
            y = squared ? Math.Sqrt((y * y) + (((x * x) - (y * y)) * speed)) : y + ((x - y) * speed);
            v->Level = y < Denormal.Threshold ? 0.0 : y;
            var volts = Math.Min((float)v->Level * gain.At(i), MostVolts);
            v->Open = volts >= threshold.At(i) * (v->Open ? CloseRatio : 1f);
            envelope[i] = volts;
            inverse[i] = 0f - volts;
            gate[i] = TriggerPulse.Gate(v->Open);
        }
    }
}
