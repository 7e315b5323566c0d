// Compressor: makes loud passages quieter, so that all of it can be louder.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Feed-forward, in decibels: gain computer with a quadratic knee, then a branching one-pole of attack and release on the reduction
/// (Giannoulis, Massberg, Reiss, Digital Dynamic Range Compressor Design, JAES 2012). 0 dB is 5 V. Left and right are one pair: the louder
/// of them decides for both; a cable at Sidechain decides instead. Reduction comes out as 1 V for 3 dB.
/// </summary>
public unsafe struct Compressor : IModule<Compressor>
{
    private const int LeftIn = 0, RightIn = 1, SidechainIn = 2;
    private const int LeftOut = 0, RightOut = 1, ReductionOut = 2;
    private const int Threshold = 0, Ratio = 1, Attack = 2, Release = 3, Knee = 4, Makeup = 5, Mix = 6;
    private const float FullScale = 5f;
    private const float LongestRelease = 3f;
    private const float Log2E = 1.442695f;
    private const float VoltsPerDecibel = 1f / 3f;

    // Decibels in an octave of amplitude.
    private const float Octave = 6.02059991f;

    // Far below hearing in level, and below what an envelope can be told from rest.
    private const double Rest = 1e-6;

    // From 100 dB to rest: ln(1e8) time constants.
    private const float TimeConstantsOfTail = 18.5f;

    private double* _reductions;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "compressor",
        Name = "Compressor",
        Family = "Dynamics",
        Text = "Evens out loud and quiet, glues a mix together, or ducks one sound under another.",
        Inputs =
        [
            new PortDescriptor("left", "Left", "Sound, or the left side of it."),
            new PortDescriptor("right", "Right", "The right side; unpatched it is the left one."),
            new PortDescriptor("sidechain", "Sidechain", "If patched, this sound decides: a kick here makes the rest pump."),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "Left, compressed."),
            new PortDescriptor("right", "Right", "Right, compressed by as much."),
            new PortDescriptor("reduction", "Reduction", "How much it takes away, 1 V for 3 dB."),
        ],
        Parameters =
        [
            new ParameterDescriptor("threshold", "Threshold", "dB", -60f, 0f, -18f, ParameterCurve.Linear,
                "Louder than this is made quieter; 0 dB is 5 V."),
            new ParameterDescriptor("ratio", "Ratio", "", 1f, 50f, 4f, ParameterCurve.Exponential,
                "How many decibels more in make one more out; 50 is a limiter."),
            new ParameterDescriptor("attack", "Attack", "s", 0.0001f, 0.5f, 0.01f, ParameterCurve.Exponential,
                "Time to take away; longer lets the strike of a drum through."),
            new ParameterDescriptor("release", "Release", "s", 0.005f, LongestRelease, 0.15f, ParameterCurve.Exponential,
                "Time to give back."),
            new ParameterDescriptor("knee", "Knee", "dB", 0f, 24f, 6f, ParameterCurve.Linear, "How gradually it sets in."),
            new ParameterDescriptor("makeup", "Makeup", "dB", 0f, 18f, 0f, ParameterCurve.Linear, "Gain behind it."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 1f, ParameterCurve.Linear, "0 is the sound alone, 1 the compressed one."),
        ],
        Telemetry = [new TelemetryDescriptor("reduction", TelemetryKind.Meter, 1)],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<double>(Limits.MaxChannels);

    public static void Construct(ref Compressor self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._reductions = memory.Take<double>(Limits.MaxChannels);
        timing.TailFrames = (long)(TimeConstantsOfTail * LongestRelease * setup.SampleRate);
    }

    public static void Reset(ref Compressor self) => new Span<double>(self._reductions, Limits.MaxChannels).Clear();

    public static ProcessResult Process(ref Compressor self, in ProcessContext context)
    {
        var asleep = context.Inputs[LeftIn].Silent && context.Inputs[RightIn].Silent && context.Inputs[SidechainIn].Silent;
        for (var voice = 0; voice < context.Outputs[LeftOut].Channels; voice++)
        {
            asleep &= self._reductions[voice] == 0.0;
            for (var segment = 0; segment < context.Segments; segment++) Segment(self._reductions + voice, in context, segment, voice);
        }

        context.Telemetry[0] = Block.Peak(context.Out(ReductionOut), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static void Segment(double* reduction, in ProcessContext context, int segment, int voice)
    {
        var threshold = new GridRamp(in context, Threshold, segment);
        var slope = new GridRamp(1f - (1f / context.Param(Ratio, segment)), 1f - (1f / context.Param(Ratio, segment + 1)));
        var knee = new GridRamp(in context, Knee, segment);
        var makeup = new GridRamp(in context, Makeup, segment);
        var mix = new GridRamp(in context, Mix, segment);
        double attack = -FastMath.Exp2Minus1(-Log2E / (context.Param(Attack, segment) * context.SampleRate));
        double release = -FastMath.Exp2Minus1(-Log2E / (context.Param(Release, segment) * context.SampleRate));
        var at = segment * Limits.Grid;
        var left = context.In(LeftIn, voice) + at;
        var right = context.Inputs[RightIn].Connected ? context.In(RightIn, voice) + at : left;
        var decidesA = context.Inputs[SidechainIn].Connected ? context.In(SidechainIn, voice) + at : left;
        var decidesB = context.Inputs[SidechainIn].Connected ? decidesA : right;
        var leftOut = context.Out(LeftOut, voice) + at;
        var rightOut = context.Out(RightOut, voice) + at;
        var reductionOut = context.Out(ReductionOut, voice) + at;
        var y = *reduction;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            // What the gain computer wants taken away, in decibels: 0, then a parabola over the knee, then the slope.
            var level = Vector128.Max(Vector128.Abs(Vector128.Load(decidesA + i)), Vector128.Abs(Vector128.Load(decidesB + i)));
            level = Vector128.Max(level * Vector128.Create(1f / FullScale), Vector128.Create(1e-9f));
            var over = (FastMath.Log2(level) * Vector128.Create(Octave)) - threshold.Four(i);
            var width = Vector128.Max(knee.Four(i), Vector128.Create(1e-3f));
            var half = width * Vector128.Create(0.5f);
            var bend = Vector128.Min(Vector128.Max(over + half, Vector128<float>.Zero), width);
            var wanted = ((bend * bend / (width + width)) + Vector128.Max(over - half, Vector128<float>.Zero)) * slope.Four(i);
            for (var k = 0; k < 4; k++)
            {
                double w = wanted[k];
                y += (w - y) * (w > y ? attack : release);
                if (y < Rest) y = 0.0;
                reductionOut[i + k] = (float)y;
            }

            var taken = Vector128.Load(reductionOut + i);
            var gain = FastMath.Exp2((makeup.Four(i) - taken) * Vector128.Create(1f / Octave));
            var part = mix.Four(i);
            gain = (gain * part) + (Vector128<float>.One - part);
            (taken * Vector128.Create(VoltsPerDecibel)).Store(reductionOut + i);
            (Vector128.Load(left + i) * gain).Store(leftOut + i);
            (Vector128.Load(right + i) * gain).Store(rightOut + i);
        }

        *reduction = y;
    }
}
