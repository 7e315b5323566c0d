// Ladder: the transistor ladder low-pass, in tune when it sings.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// 24 dB per octave. Cutoff is the frequency of the four poles, which is where it self-oscillates: without resonance the response is
/// 12 dB down there. Resonance 0..1 is a feedback of 0..5; it sings from 0.8. Gain at DC is 1 / (1 + feedback), as in the original.
/// 20 V is where the saturation bites; drive pushes the signal up to it and takes half of its decibels back behind it.
/// </summary>
public unsafe struct LadderFilter : IModule<LadderFilter>
{
    private const int Cutoff = 0, Resonance = 1, Drive = 2, Amount = 3;
    private const int Groups = Limits.MaxChannels / 4;
    private const float Bite = 20f;
    private const float Feedback = 5f;
    private const float Sings = 4f;

    // Thermal noise starts the oscillation of a real ladder: 10 uV here, 114 dB below 5 V, and only where it can sing.
    private const float Noise = 1e-5f / Bite;

    // One decibel in octaves of amplitude.
    private const float Decibel = 0.166096405f;

    private Ladder* _voices;
    private Xorshift _random;
    private ulong _seed;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "ladder",
        Name = "Ladder",
        Family = "Filters",
        Text = "The classic warm low-pass: darkens a sound, whistles at full resonance.",
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be filtered."),
            new PortDescriptor("cutoff", "Cutoff CV", "Moves the cutoff, 1 V an octave at amount 1; may be audio."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The filtered sound.")],
        Parameters =
        [
            new ParameterDescriptor("cutoff", "Cutoff", "Hz", 16f, 20_000f, 1_000f, ParameterCurve.Exponential,
                "Where the highs begin to go, and the pitch it whistles at."),
            new ParameterDescriptor("resonance", "Resonance", "", 0f, 1f, 0.3f, ParameterCurve.Linear,
                "Emphasis at the cutoff; from 0.8 it whistles by itself."),
            new ParameterDescriptor("drive", "Drive", "dB", 0f, 24f, 0f, ParameterCurve.Linear, "Pushes the sound into saturation."),
            new ParameterDescriptor("amount", "CV amount", "", -1f, 1f, 1f, ParameterCurve.Linear,
                "How far the CV moves the cutoff, in octaves per volt."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Ladder>(Groups);

    public static void Construct(ref LadderFilter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Ladder>(Groups);
        self._seed = setup.Seed;
        self._random = new Xorshift(self._seed);
        timing.LatencyFrames = Ladder.Latency;
        timing.TailFrames = -1;
    }

    public static void Reset(ref LadderFilter self)
    {
        for (var group = 0; group < Groups; group++) self._voices[group].Reset();
        self._random = new Xorshift(self._seed);
    }

    public static ProcessResult Process(ref LadderFilter self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[0].Silent;
        var noise = stackalloc float[Limits.Grid];
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var sings = Math.Max(context.Param(Resonance, segment), context.Param(Resonance, segment + 1)) * Feedback >= Sings;
            for (var i = 0; i < Limits.Grid; i++) noise[i] = sings ? self._random.NextBipolar() * Noise : 0f;
            asleep &= !sings;
            for (var first = 0; first < channels; first += 4)
                asleep &= Segment(self._voices + (first / 4), in context, segment, first, channels, noise) && !sings;
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Four voices over one segment. Lanes beyond the last voice read silence and are thrown away.
    private static bool Segment(Ladder* ladder, in ProcessContext context, int segment, int first, int channels, float* noise)
    {
        var cutoff = new GridRamp(in context, Cutoff, segment);
        var resonance = new GridRamp(in context, Resonance, segment);
        var amount = new GridRamp(in context, Amount, segment);
        var (driveFrom, driveTo) = (context.Param(Drive, segment) * Decibel, context.Param(Drive, segment + 1) * Decibel);
        var into = new GridRamp(FastMath.Exp2(driveFrom) / Bite, FastMath.Exp2(driveTo) / Bite);
        var outOf = new GridRamp(FastMath.Exp2(-0.5f * driveFrom) * Bite, FastMath.Exp2(-0.5f * driveTo) * Bite);

        var at = segment * Limits.Grid;
        var ins = stackalloc float*[4];
        var cvs = stackalloc float*[4];
        var outs = stackalloc float*[4];
        var spare = stackalloc float[Limits.Grid];
        for (var lane = 0; lane < 4; lane++)
        {
            var used = first + lane < channels;
            ins[lane] = (used ? context.In(0, first + lane) : context.Silence) + at;
            cvs[lane] = (used ? context.In(1, first + lane) : context.Silence) + at;
            outs[lane] = used ? context.Out(0, first + lane) + at : spare;
        }

        var lowest = Vector128.Create(1f / context.SampleRate);
        var highest = Vector128.Create(Math.Min(20_000f / context.SampleRate, 0.45f));
        var loudest = Vector128<float>.Zero;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var x = Vector128.Create(ins[0][i], ins[1][i], ins[2][i], ins[3][i]);
            var cv = Vector128.Create(cvs[0][i], cvs[1][i], cvs[2][i], cvs[3][i]);
            loudest = Vector128.Max(loudest, Vector128.Abs(x));
            var turns = Vector128.Create(cutoff.At(i) / context.SampleRate) * FastMath.Exp2(cv * Vector128.Create(amount.At(i)));
            turns = Vector128.Min(Vector128.Max(turns, lowest), highest);
            x = (x * Vector128.Create(into.At(i))) + Vector128.Create(noise[i]);
            var y = ladder->Next(x, turns, Vector128.Create(resonance.At(i) * Feedback)) * Vector128.Create(outOf.At(i));
            outs[0][i] = y[0];
            outs[1][i] = y[1];
            outs[2][i] = y[2];
            outs[3][i] = y[3];
        }

        return ladder->Settle(Vector128.Equals(loudest, Vector128<float>.Zero));
    }
}
