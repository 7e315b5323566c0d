// Additive: a sound built from up to 256 sines.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Partial k sounds at pitch * k^stretch, at a level of k^(tilt / 6 dB), shaped by odd against even, a comb over the partials and one
/// formant; the whole is brought to the power of a saw of +-5 V. Each sine is a phasor turned from frame to frame and set anew from an
/// exact phase every sixteen frames (the coupled form: Gordon and Smith, A Sine Generation Algorithm for VLSI Applications, ICMC 1985),
/// four partials at a time; levels move along straight lines of sixteen frames. Partials fade out from 0.45 to 0.49 of the rate, so that
/// there is nothing to alias. They begin at Schroeder's phases (Synthesis of Low-Peak-Factor Signals, IEEE Trans. IT 1970), which keep
/// peaks low.
/// </summary>
public unsafe struct Additive : IModule<Additive>
{
    private const int PitchIn = 0, TiltIn = 1, StretchIn = 2, CombIn = 3, FormantIn = 4;
    private const int PitchParam = 0, Fine = 1, Count = 2, Tilt = 3, OddEven = 4, Stretch = 5;
    private const int CombDepth = 6, CombSpacing = 7, FormantLevel = 8, FormantPitch = 9;
    private const int Out = 0, OddOut = 1, OutputCount = 3;
    private const int Most = 256, Fewest = 32;

    // Amplitude of a sine as strong as a saw of 5 V: 5 V / sqrt(3) * sqrt(2).
    private const float Volts = 4.0824829f;
    private const float DecibelsPerOctave = 1f / 6.0205999f;
    private const float FadeEnd = 0.49f, FadeSlope = 25f;

    // Octaves at which the formant has fallen to half of what it adds.
    private const float FormantWidth = 0.4f;

    private int* _phases;
    private float* _levels;
    private float* _octaves;
    private int _partials;
    private bool _runs;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "additive",
        Name = "Additive",
        Family = "Sources",
        Text = "Up to 256 sines, shaped together: organs, bells, voices, glass.",
        Help = """
            Every sound is a sum of sines; here they are all under your hands at once. Partials says how many there are, Tilt how fast they
            grow weaker towards the top, Odd/even which half of them is heard: only odd ones sound hollow like a clarinet, only even ones
            jump up an octave. The loudness stays the same whatever you turn.

            Stretch moves the partials away from whole multiples: a little above 1 is a piano string, more is a bell or a gong, below 1 is a
            sound that no object makes. Comb lets every so-manyth partial through and weakens those between. The formant lifts the partials
            around one frequency, whatever the note is, as a mouth does.

            - Odd and even partials also leave by outputs of their own: pan them apart, or filter only one half.
            - A slow LFO at Comb CV sounds like a flanger that has no delay.
            - Formant CV follows 1 V an octave: a sequence there speaks vowels.
            - Partials that would be too high to be heard cost nothing and never fold back.

            Try first: Tilt at -3, Comb depth full, an LFO at Comb CV; then Stretch at 1.08 and a short envelope into a VCA for bells.
            """,
        Inputs =
        [
            new PortDescriptor("pitch", "Pitch", "1 V an octave; 0 V is middle C."),
            new PortDescriptor("tilt", "Tilt CV", "Adds 3 dB an octave to the tilt for each volt."),
            new PortDescriptor("stretch", "Stretch CV", "Adds 0.02 to the stretch for each volt."),
            new PortDescriptor("comb", "Comb CV", "Doubles the comb's spacing each volt."),
            new PortDescriptor("formant", "Formant CV", "Moves the formant, 1 V an octave."),
        ],
        Outputs =
        [
            new PortDescriptor("out", "Out", "All partials."),
            new PortDescriptor("odd", "Odd", "Partials 1, 3, 5 and so on."),
            new PortDescriptor("even", "Even", "Partials 2, 4, 6 and so on."),
        ],
        Parameters =
        [
            new ParameterDescriptor("pitch", "Pitch", "V/oct", -5f, 5f, 0f, ParameterCurve.Linear, "The note, added to the pitch input."),
            new ParameterDescriptor("fine", "Fine", "cent", -100f, 100f, 0f, ParameterCurve.Linear, "Fine tuning, a semitone either way."),
            new ParameterDescriptor("partials", "Partials", "", 1f, Most, 64f, ParameterCurve.Exponential,
                "How many sound; the last one fades in and out. The setting of the same name limits them."),
            new ParameterDescriptor("tilt", "Tilt", "dB/oct", -24f, 6f, -6f, ParameterCurve.Linear,
                "How much weaker each octave of partials is."),
            new ParameterDescriptor("odd_even", "Odd/even", "", -1f, 1f, 0f, ParameterCurve.Linear,
                "Left, only odd partials; right, only even ones."),
            new ParameterDescriptor("stretch", "Stretch", "", 0.8f, 1.25f, 1f, ParameterCurve.Linear,
                "Power of the partials' frequencies: 1 is harmonic."),
            new ParameterDescriptor("comb_depth", "Comb depth", "", 0f, 1f, 0f, ParameterCurve.Linear,
                "How far partials between the comb's teeth are weakened."),
            new ParameterDescriptor("comb", "Comb spacing", "", 1f, 32f, 4f, ParameterCurve.Exponential,
                "Partials from one tooth to the next."),
            new ParameterDescriptor("formant_level", "Formant level", "dB", 0f, 24f, 0f, ParameterCurve.Linear,
                "How far the formant is lifted."),
            new ParameterDescriptor("formant", "Formant", "Hz", 60f, 8_000f, 800f, ParameterCurve.Exponential, "Where the formant is."),
        ],
        Settings =
        [
            new SettingDescriptor("partials", "Partials", 0, 3, 1, "Most partials of a voice; more take more time.",
                "32", "64", "128", "256"),
        ],
    };

    public static long SharedBytes(float sampleRate) => Most * sizeof(float);

    public static void BuildShared(void* shared, float sampleRate)
    {
        for (var k = 1; k <= Most; k++) ((float*)shared)[k - 1] = (float)Math.Log2(k);
    }

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<int>(Limits.MaxChannels * (long)Partials(in setup));
        need.Need<float>(Limits.MaxChannels * (long)Partials(in setup));
    }

    public static void Construct(ref Additive self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._partials = Partials(in setup);
        self._phases = memory.Take<int>(Limits.MaxChannels * self._partials);
        self._levels = memory.Take<float>(Limits.MaxChannels * self._partials);
        self._octaves = (float*)setup.Shared;
        timing.TailFrames = -1;
        if (!memory.Overdrawn) Reset(ref self);
    }

    public static void Reset(ref Additive self)
    {
        for (var channel = 0; channel < Limits.MaxChannels; channel++)
        {
            for (var k = 0; k < self._partials; k++)
            {
                var turns = (long)k * k / (2.0 * self._partials);
                self._phases[(channel * self._partials) + k] = (int)(uint)((turns - Math.Floor(turns)) * 4294967296.0);
                self._levels[(channel * self._partials) + k] = 0f;
            }
        }

        self._runs = false;
    }

    public static ProcessResult Process(ref Additive self, in ProcessContext context)
    {
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var channel = 0; channel < context.Outputs[Out].Channels; channel++) self.Segment(in context, segment, channel);
            self._runs = true;
        }

        return ProcessResult.Continue;
    }

    private static int Partials(in InstanceSetup setup) => Fewest << setup.Settings[0];

    private readonly void Segment(in ProcessContext context, int segment, int channel)
    {
        float* increments = stackalloc float[Most], levels = stackalloc float[Most];
        var scale = Shape(in context, segment, channel, increments, levels);
        var sums = stackalloc Vector128<float>[Limits.Grid];
        for (var i = 0; i < Limits.Grid; i++) sums[i] = Vector128<float>.Zero;
        var phases = _phases + (channel * _partials);
        var before = _levels + (channel * _partials);
        for (var k = 0; k < _partials; k += 4)
        {
            var to = Vector128.Load(levels + k) * scale;
            var from = _runs ? Vector128.Load(before + k) : to;
            to.Store(before + k);
            var increment = Vector128.Load(increments + k);
            var phase = Vector128.Load(phases + k);
            (phase + Fixed(increment * Vector128.Create((float)Limits.Grid))).Store(phases + k);
            if (Vector128.EqualsAll(to + from, Vector128<float>.Zero)) continue;

            var turns = Vector128.ConvertToSingle(phase) * Vector128.Create(1f / 4294967296f);
            var (sin, cos) = (FastMath.SinTurns(turns), FastMath.SinTurns(turns + Vector128.Create(0.25f)));
            var (turnSin, turnCos) = (FastMath.SinTurns(increment), FastMath.SinTurns(increment + Vector128.Create(0.25f)));
            var step = (to - from) * Vector128.Create(1f / Limits.Grid);
            for (var i = 0; i < Limits.Grid; i++)
            {
                sums[i] += sin * from;
                from += step;
                var next = (sin * turnCos) + (cos * turnSin);
                cos = (cos * turnCos) - (sin * turnSin);
                sin = next;
            }
        }

        // Lanes 0 and 2 are odd partials, 1 and 3 even ones.
        for (var output = 0; output < OutputCount; output++)
        {
            if (channel >= context.Outputs[output].Channels) continue;
            var target = context.Out(output, channel) + (segment * Limits.Grid);
            var mask = output == Out ? Vector128<float>.One
                : output == OddOut ? Vector128.Create(1f, 0f, 1f, 0f) : Vector128.Create(0f, 1f, 0f, 1f);
            for (var i = 0; i < Limits.Grid; i++) target[i] = Vector128.Dot(sums[i], mask);
        }
    }

    // Increments and levels of all partials; returns what their levels are to be multiplied by.
    private readonly Vector128<float> Shape(in ProcessContext context, int segment, int channel, float* increments, float* levels)
    {
        var at = segment * Limits.Grid;
        var last = at + Limits.Grid - 1;
        var point = segment + 1;
        var note = new GridRamp(in context, PitchParam, segment);
        var fine = new GridRamp(in context, Fine, segment);
        var turns = SegmentPitch.Turns(context.In(PitchIn, channel) + at, in note, in fine, 1f / context.SampleRate);
        var tilt = Within(context.Param(Tilt, point) + (3f * context.In(TiltIn, channel)[last]), -48f, 12f) * DecibelsPerOctave;
        var stretch = Within(context.Param(Stretch, point) + (0.02f * context.In(StretchIn, channel)[last]), 0.5f, 2f) - 1f;
        var depth = 0.5f * context.Param(CombDepth, point);
        var spacing = Within(
            context.Param(CombSpacing, point) * FastMath.Exp2(Within(context.In(CombIn, channel)[last], -12f, 12f)), 0.5f, 64f);
        var formant = FastMath.Exp2(context.Param(FormantLevel, point) * DecibelsPerOctave) - 1f;
        var place = context.Param(FormantPitch, point) * FastMath.Exp2(Within(context.In(FormantIn, channel)[last], -12f, 12f));
        var balance = context.Param(OddEven, point);
        var (odd, even) = (Math.Min(1f - balance, 1f), Math.Min(1f + balance, 1f));

        var one = Vector128<float>.One;
        var zero = Vector128<float>.Zero;
        var parity = Vector128.Create(odd, even, odd, even);
        var perTooth = Vector128.Create(1f / spacing);
        var perWidth = Vector128.Create(1f / FormantWidth);

        // Octaves from the formant to the first partial.
        var distance = FastMath.Log2(Vector128.Create(turns * context.SampleRate / place));
        var count = Vector128.Create(context.Param(Count, point));
        var power = zero;
        for (var k = 0; k < _partials; k += 4)
        {
            var number = Vector128.Create((float)k) + Vector128.Create(1f, 2f, 3f, 4f);
            var octaves = Vector128.Load(_octaves + k);
            var increment = Vector128.Create(turns) * number * FastMath.Exp2(octaves * Vector128.Create(stretch));
            var level = FastMath.Exp2(octaves * Vector128.Create(tilt)) * parity;
            level *= Part(count - number + one);
            if (depth > 0f)
            {
                var tooth = FastMath.SinTurns((number * perTooth) + Vector128.Create(0.25f));
                level *= one - (Vector128.Create(depth) * (one - tooth));
            }

            if (formant > 0f)
            {
                var x = (distance + (octaves * Vector128.Create(1f + stretch))) * perWidth;
                level *= one + (Vector128.Create(formant) / (one + (x * x)));
            }

            level *= Part((Vector128.Create(FadeEnd) - increment) * Vector128.Create(FadeSlope));
            increment.Store(increments + k);
            level.Store(levels + k);
            power += level * level;
        }

        // A last partial that fades out at the top is let go; everything else is brought to one power.
        return Vector128.Create(Volts / MathF.Sqrt(Math.Max(Vector128.Sum(power), 0.01f)));
    }

    // Turns as a whole number of 2^-32, whole turns dropped.
    private static Vector128<int> Fixed(Vector128<float> turns)
    {
        var rounder = Vector128.Create(12582912f);
        var part = turns - ((turns + rounder) - rounder);
        return Vector128.ConvertToInt32Native(Vector128.MinNative(part, Vector128.Create(0.49999997f)) * Vector128.Create(4294967296f));
    }

    private static Vector128<float> Part(Vector128<float> x) =>
        Vector128.MinNative(Vector128.MaxNative(x, Vector128<float>.Zero), Vector128<float>.One);

    // What is no number is the least.
    private static float Within(float x, float least, float most) => x >= least ? Math.Min(x, most) : least;
}
