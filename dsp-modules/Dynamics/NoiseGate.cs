// Noise gate: lets a sound through while it is loud and shuts out what lies between.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Opens at the frame whose magnitude reaches the threshold; stays open while the magnitude comes back above threshold - hysteresis before
/// Hold has passed; then closes. Opening and closing take exactly Attack and Release from end to end along u^2 (3 - 2u), which has no
/// corners; closed, it lets Range through. 0 dB is 5 V. Four voices at once, without a branch (the usual state machine: Zölzer, DAFX,
/// 4.2.3).
/// </summary>
public unsafe struct NoiseGate : IModule<NoiseGate>
{
    private const int In = 0, SidechainIn = 1;
    private const int Out = 0, GateOut = 1;
    private const int Threshold = 0, Hysteresis = 1, Attack = 2, Hold = 3, Release = 4, Range = 5;
    private const int Groups = Limits.MaxChannels / 4;
    private const float FullScale = 5f;
    private const float GateVolts = 10f;
    private const float LongestHold = 2f, LongestRelease = 4f;

    // One decibel in octaves of amplitude.
    private const float Decibel = 0.166096405f;

    // From here on it is shut altogether.
    private const float Shut = -80f;

    private Voices* _groups;

    private struct Voices
    {
        public Vector128<float> Open; // mask
        public Vector128<float> Left; // frames of hold left
        public Vector128<float> Travel; // 0 closed, 1 open
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "gate",
        Name = "Noise Gate",
        Family = "Dynamics",
        Text = "Lets a sound through while it is loud, and shuts out hum, hiss and spill between.",
        Help = """
            It opens as soon as the sound reaches the threshold and closes when the sound has stayed below it for the hold time. The
            hysteresis puts the level for closing below the one for opening, so that a tail around the threshold does not make it
            stutter; Hold does the same in time, and should be longer than a period of the lowest note.

            The gate output is 10 V while it is open, at the very frame: what is played into it becomes a trigger for envelopes,
            drums and sequencers. Range is how much is left when it is closed: -80 dB is nothing at all, -12 dB only tidies up.

            - Try a drum loop with the threshold turned up until only the snare opens it, hold 40 ms, release 60 ms.
            - Try a chord at In, a hi-hat pattern at Sidechain, attack 1 ms, hold 20 ms: the chord is chopped in the rhythm of the hat.
            - Patch Gate into an ADSR and that into a filter: the filter plays along with whatever you sing.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be gated."),
            new PortDescriptor("sidechain", "Sidechain", "If patched, this sound opens and closes the gate."),
        ],
        Outputs =
        [
            new PortDescriptor("out", "Out", "The sound, gated."),
            new PortDescriptor("gate", "Gate", "10 V while it is open."),
        ],
        Parameters =
        [
            new ParameterDescriptor("threshold", "Threshold", "dB", -80f, 0f, -40f, ParameterCurve.Linear, "Opens here; 0 dB is 5 V."),
            new ParameterDescriptor("hysteresis", "Hysteresis", "dB", 0f, 24f, 6f, ParameterCurve.Linear, "Closes so far below the threshold."),
            new ParameterDescriptor("attack", "Attack", "s", 0.0001f, 0.5f, 0.001f, ParameterCurve.Exponential, "Time to open."),
            new ParameterDescriptor("hold", "Hold", "s", 0.0001f, LongestHold, 0.05f, ParameterCurve.Exponential,
                "Time it stays open after the sound was last loud enough."),
            new ParameterDescriptor("release", "Release", "s", 0.001f, LongestRelease, 0.15f, ParameterCurve.Exponential, "Time to close."),
            new ParameterDescriptor("range", "Range", "dB", Shut, 0f, Shut, ParameterCurve.Linear,
                "How loud it is when closed; -80 dB is silent."),
        ],
        Telemetry = [new TelemetryDescriptor("open", TelemetryKind.Value, 1, "", "How far the first voice's gate is open, 0 to 1.")],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voices>(Groups);

    public static void Construct(ref NoiseGate self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<Voices>(Groups);
        timing.TailFrames = (long)((LongestHold + LongestRelease) * setup.SampleRate) + (2 * Limits.Grid);
    }

    public static void Reset(ref NoiseGate self) => Block.Zero(self._groups, Groups);

    public static ProcessResult Process(ref NoiseGate self, in ProcessContext context)
    {
        var channels = context.Outputs[Out].Channels;
        var asleep = context.Inputs[In].Silent && context.Inputs[SidechainIn].Silent;
        for (var first = 0; first < channels; first += 4)
        {
            var group = self._groups + (first / 4);

            // At rest before this quantum and no sound in it: then both outputs are zeros.
            asleep &= Vector128.EqualsAll(group->Travel, Vector128<float>.Zero)
                && Vector128.EqualsAll(group->Open.AsInt32(), Vector128<int>.Zero);
            for (var segment = 0; segment < context.Segments; segment++) Segment(group, in context, segment, first, channels);
        }

        context.Telemetry[0] = self._groups->Travel[0];
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static void Segment(Voices* group, in ProcessContext context, int segment, int first, int channels)
    {
        var opens = new GridRamp(Volts(in context, segment, 0f), Volts(in context, segment + 1, 0f));
        var closes = new GridRamp(
            Volts(in context, segment, context.Param(Hysteresis, segment)),
            Volts(in context, segment + 1, context.Param(Hysteresis, segment + 1)));
        var floor = new GridRamp(Floor(context.Param(Range, segment)), Floor(context.Param(Range, segment + 1)));
        var hold = Vector128.Create(MathF.Floor((context.Param(Hold, segment) * context.SampleRate) + 0.5f));
        var up = Vector128.Create(1f / Math.Max(1f, context.Param(Attack, segment) * context.SampleRate));
        var down = Vector128.Create(-1f / Math.Max(1f, context.Param(Release, segment) * context.SampleRate));
        var frames = stackalloc Vector128<float>[Limits.Grid];
        var keys = stackalloc Vector128<float>[Limits.Grid];
        var at = segment * Limits.Grid;
        VoiceLanes.Load(in context, In, first, channels, at, frames);
        if (context.Inputs[SidechainIn].Connected) VoiceLanes.Load(in context, SidechainIn, first, channels, at, keys);
        else keys = frames;
        var gates = stackalloc Vector128<float>[Limits.Grid];
        var (zero, one) = (Vector128<float>.Zero, Vector128<float>.One);
        var (open, left, travel) = (group->Open, group->Left, group->Travel);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var level = Vector128.Abs(keys[i]);
            open |= Vector128.GreaterThanOrEqual(level, Vector128.Create(opens.At(i)));
            var loud = open & Vector128.GreaterThanOrEqual(level, Vector128.Create(closes.At(i)));
            left = Vector128.ConditionalSelect(loud, hold, left - one);
            open &= Vector128.GreaterThan(left, zero);
            left = Vector128.MaxNative(left, zero);
            travel = Vector128.MinNative(Vector128.MaxNative(travel + Vector128.ConditionalSelect(open, up, down), zero), one);
            var gain = travel * travel * (Vector128.Create(3f) - (travel + travel));
            var rest = Vector128.Create(floor.At(i));
            gates[i] = open & Vector128.Create(GateVolts);
            frames[i] *= rest + ((one - rest) * gain);
        }

        (group->Open, group->Left, group->Travel) = (open, left, travel);
        VoiceLanes.Store(in context, Out, first, channels, at, frames);
        VoiceLanes.Store(in context, GateOut, first, channels, at, gates);
    }

    private static float Volts(in ProcessContext context, int point, float below) =>
        FullScale * FastMath.Exp2((context.Param(Threshold, point) - below) * Decibel);

    private static float Floor(float decibels) => decibels <= Shut ? 0f : FastMath.Exp2(decibels * Decibel);
}
