// SVF: five filters of one cutoff at once, tuned in volts per octave.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// 12 dB per octave, in tune by 1 V/oct (see <see cref="Svf"/>). Resonance r is a damping of 2 (1 - r)^2 - r / 40: a Q of 0.5 at 0, 2 at
/// 0.5, and from 0.9 it sings at the cutoff, 5 V strong. High resonance gives way to loud sounds instead of clipping them.
/// </summary>
public unsafe struct StateVariableFilter : IModule<StateVariableFilter>
{
    private const int In = 0, PitchIn = 1, FmIn = 2, ResonanceIn = 3, InputCount = 4;
    private const int Low = 0, Band = 1, High = 2, Notch = 3, Peak = 4, OutputCount = 5;
    private const int Cutoff = 0, Resonance = 1, Fm = 2, ResonanceAmount = 3;
    private const int Groups = Limits.MaxChannels / 4;
    private const float MostNegative = 0.025f;

    // Starts the singing as thermal noise does in a circuit: 10 uV, 114 dB below 5 V, and only where the damping is negative.
    private const float NoiseVolts = 1e-5f;

    private Svf* _voices;
    private ulong _seed;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "svf",
        Name = "State Variable Filter",
        Family = "Filters",
        Text = "A clean filter with low, band, high, notch and peak at once; plays in tune when it whistles.",
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be filtered."),
            new PortDescriptor("pitch", "Pitch", "Moves the cutoff, 1 V an octave: patch the melody here."),
            new PortDescriptor("fm", "FM", "Moves the cutoff by the FM amount; may be audio."),
            new PortDescriptor("resonance", "Resonance CV", "Moves the resonance by its amount."),
        ],
        Outputs =
        [
            new PortDescriptor("low", "Low", "What is below the cutoff."),
            new PortDescriptor("band", "Band", "What is around the cutoff."),
            new PortDescriptor("high", "High", "What is above the cutoff."),
            new PortDescriptor("notch", "Notch", "Everything but what is at the cutoff."),
            new PortDescriptor("peak", "Peak", "Everything, most of all what is at the cutoff."),
        ],
        Parameters =
        [
            new ParameterDescriptor("cutoff", "Cutoff", "Hz", 16f, 20_000f, 1_000f, ParameterCurve.Exponential,
                "Where it divides, and the pitch it whistles at."),
            new ParameterDescriptor("resonance", "Resonance", "", 0f, 1f, 0.3f, ParameterCurve.Linear,
                "Emphasis at the cutoff; from 0.9 it whistles by itself."),
            new ParameterDescriptor("fm", "FM amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "How far FM moves the cutoff, in octaves per volt."),
            new ParameterDescriptor("resonance_amount", "Resonance amount", "", -1f, 1f, 0f, ParameterCurve.Linear,
                "How far 10 V at the resonance CV move it, as a part of its whole travel."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Svf>(Groups);

    public static void Construct(ref StateVariableFilter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Svf>(Groups);
        self._seed = setup.Seed;
        timing.TailFrames = -1;
    }

    public static void Reset(ref StateVariableFilter self) => new Span<Svf>(self._voices, Groups).Clear();

    public static ProcessResult Process(ref StateVariableFilter self, in ProcessContext context)
    {
        var channels = context.Outputs[Low].Channels;
        var asleep = context.Inputs[In].Silent;
        var noise = stackalloc float[Limits.Grid];
        for (var segment = 0; segment < context.Segments; segment++)
        {
            // The noise of a moment is a function of the moment, so that a voice that slept hears the same as one that did not.
            var random = new Xorshift(self._seed + context.Time + (ulong)(segment * Limits.Grid));
            for (var i = 0; i < Limits.Grid; i++) noise[i] = random.NextBipolar() * NoiseVolts;
            for (var first = 0; first < channels; first += 4)
                asleep &= Segment(self._voices + (first / 4), in context, segment, first, channels, noise);
        }

        for (var output = 0; asleep && output < OutputCount; output++)
        {
            for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(output, voice), context.Frames);
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Four voices over one segment. Lanes beyond the last voice read silence and are thrown away. True when all are at rest for good.
    private static bool Segment(Svf* filter, in ProcessContext context, int segment, int first, int channels, float* noise)
    {
        var cutoff = new GridRamp(in context, Cutoff, segment);
        var resonance = new GridRamp(in context, Resonance, segment);
        var fm = new GridRamp(in context, Fm, segment);
        var resonanceAmount = new GridRamp(in context, ResonanceAmount, segment);
        var at = segment * Limits.Grid;
        var ins = stackalloc float*[InputCount * 4];
        var outs = stackalloc float*[OutputCount * 4];
        var spare = stackalloc float[Limits.Grid];
        for (var lane = 0; lane < 4; lane++)
        {
            var used = first + lane < channels;
            for (var port = 0; port < InputCount; port++)
                ins[(port * 4) + lane] = (used ? context.In(port, first + lane) : context.Silence) + at;
            for (var port = 0; port < OutputCount; port++) outs[(port * 4) + lane] = used ? context.Out(port, first + lane) + at : spare;
        }

        var lowest = Vector128.Create(1f / context.SampleRate);
        var highest = Vector128.Create(Math.Min(20_000f / context.SampleRate, 0.455f));
        var perFrame = 1f / context.SampleRate;
        var loudest = Vector128<float>.Zero;
        var singing = Vector128<float>.Zero;

        // The cutoff stands still more often than not: then its tangent is taken once.
        var still = context.Inputs[PitchIn].Silent && context.Inputs[FmIn].Silent && cutoff.Step == 0f;
        var g = Vector128<float>.Zero;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var x = Four(ins, i);
            loudest = Vector128.Max(loudest, Vector128.Abs(x));
            if (i == 0 || !still)
            {
                var octaves = Four(ins + (PitchIn * 4), i) + (Four(ins + (FmIn * 4), i) * Vector128.Create(fm.At(i)));
                var turns = Vector128.Create(cutoff.At(i) * perFrame) * FastMath.Exp2(octaves);
                g = FastMath.TanPi(Vector128.Min(Vector128.Max(turns, lowest), highest));
            }

            var r = Vector128.Create(resonance.At(i))
                + (Four(ins + (ResonanceIn * 4), i) * Vector128.Create(resonanceAmount.At(i) * 0.1f));
            r = Vector128.Min(Vector128.Max(r, Vector128<float>.Zero), Vector128<float>.One);
            var away = Vector128<float>.One - r;
            var k = (Vector128.Create(2f) * away * away) - (Vector128.Create(MostNegative) * r);
            var sings = Vector128.LessThan(k, Vector128<float>.Zero);
            singing |= sings;
            filter->Next(x + (Vector128.Create(noise[i]) & sings), g, k, out var low, out var band, out var high);
            Store(outs, i, low);
            Store(outs + (Band * 4), i, band);
            Store(outs + (High * 4), i, high);
            Store(outs + (Notch * 4), i, low + high);
            Store(outs + (Peak * 4), i, low - high);
        }

        return filter->Settle(Vector128.AndNot(Vector128.Equals(loudest, Vector128<float>.Zero), singing));
    }

    private static Vector128<float> Four(float** lanes, int i) => Vector128.Create(lanes[0][i], lanes[1][i], lanes[2][i], lanes[3][i]);

    private static void Store(float** lanes, int i, Vector128<float> v)
    {
        lanes[0][i] = v[0];
        lanes[1][i] = v[1];
        lanes[2][i] = v[2];
        lanes[3][i] = v[3];
    }
}
