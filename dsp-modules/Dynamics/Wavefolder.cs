// Wavefolder: a wave driven over the top folds back and gains overtones, as in the west-coast synthesizers.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Out = 5 V sin(pi / 2 (gain in + symmetry) / 5 V), less what symmetry alone would give; gain is 1 at fold 0, where 5 V just reaches
/// the top, and 10 at fold 1. Antialiased by <see cref="SineFold"/>.
/// </summary>
public unsafe struct Wavefolder : IModule<Wavefolder>
{
    private const int In = 0, FoldIn = 1, SymmetryIn = 2, InputCount = 3;
    private const int Fold = 0, FoldAmount = 1, Symmetry = 2, SymmetryAmount = 3, Mix = 4;
    private const int Groups = Limits.MaxChannels / 4;
    private const float Volts = 5f;
    private const float MostGain = 10f;

    // A quarter of a turn for 5 V.
    private const float TurnsPerVolt = 0.05f;

    private SineFold* _folders;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "wavefolder",
        Name = "Wavefolder",
        Family = "Dynamics",
        Text = "Folds a wave back where it goes over the top: from a sine to rich, moving overtones.",
        Help = """
            A filter takes overtones away; a folder makes them. The wave is made larger, and where it would leave the room it is
            turned back, once, twice, ten times. Each fold adds a band of overtones that glides upwards as Fold rises. The plainer
            the wave, the clearer the effect: start with a sine or a triangle.

            Symmetry shifts the wave before it is folded: in the middle there are odd overtones only, hollow as a clarinet; off it
            the even ones come in. How loud the input is matters as much as Fold, so a decaying sound unfolds as it dies away. It is
            free of aliases, so high notes may be folded hard.

            - Try a sine VCO into In and an envelope into Fold CV: the classic west-coast voice, best with a low-pass gate behind it.
            - Try a slow triangle LFO at Symmetry CV.
            - Patch the same oscillator's sine into In and its octave into Symmetry CV for brassy tones.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be folded; sines and triangles fold best."),
            new PortDescriptor("fold", "Fold CV", "Moves the fold by its amount: patch an envelope here."),
            new PortDescriptor("symmetry", "Symmetry CV", "Moves the symmetry by its amount; may be audio."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The folded sound.")],
        Parameters =
        [
            new ParameterDescriptor("fold", "Fold", "", 0f, 1f, 0.25f, ParameterCurve.Linear, "How often it folds; 0 only rounds it."),
            new ParameterDescriptor("fold_amount", "Fold amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "How far 10 V at the fold CV move it, as a part of its whole travel."),
            new ParameterDescriptor("symmetry", "Symmetry", "V", -5f, 5f, 0f, ParameterCurve.Linear,
                "Shifts the wave before it is folded: 0 gives odd overtones only."),
            new ParameterDescriptor("symmetry_amount", "Symmetry amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "How far the symmetry CV moves it, in volts per volt."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 1f, ParameterCurve.Linear, "0 is the sound alone, 1 the folded one."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<SineFold>(Groups);

    public static void Construct(ref Wavefolder self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._folders = memory.Take<SineFold>(Groups);
        timing.LatencyFrames = SineFold.Latency;

        // The half-bands' slowest pole falls below 1e-8 in 350 frames of twice the rate.
        timing.TailFrames = 2048;
    }

    public static void Reset(ref Wavefolder self) => Block.Zero(self._folders, Groups);

    public static ProcessResult Process(ref Wavefolder self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[In].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4)
                asleep &= Segment(self._folders + (first / 4), in context, segment, first, channels);
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Four voices over one segment. Lanes beyond the last voice read silence and are thrown away.
    private static bool Segment(SineFold* folder, in ProcessContext context, int segment, int first, int channels)
    {
        var fold = new GridRamp(in context, Fold, segment);
        var foldAmount = new GridRamp(in context, FoldAmount, segment);
        var symmetry = new GridRamp(in context, Symmetry, segment);
        var symmetryAmount = new GridRamp(in context, SymmetryAmount, segment);
        var mix = new GridRamp(in context, Mix, segment);
        var at = segment * Limits.Grid;
        var ins = stackalloc float*[InputCount * 4];
        var outs = stackalloc float*[4];
        var spare = stackalloc float[Limits.Grid];
        for (var lane = 0; lane < 4; lane++)
        {
            var used = first + lane < channels;
            for (var port = 0; port < InputCount; port++)
                ins[(port * 4) + lane] = (used ? context.In(port, first + lane) : context.Silence) + at;
            outs[lane] = used ? context.Out(0, first + lane) + at : spare;
        }

        var loudest = Vector128<float>.Zero;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var x = Four(ins, i);
            loudest = Vector128.MaxNative(loudest, Vector128.Abs(x));
            var f = Vector128.Create(fold.At(i)) + (Four(ins + (FoldIn * 4), i) * Vector128.Create(foldAmount.At(i) * 0.1f));
            f = Vector128.MinNative(Vector128.MaxNative(f, Vector128<float>.Zero), Vector128<float>.One);
            var gain = (Vector128<float>.One + (f * Vector128.Create(MostGain - 1f))) * Vector128.Create(TurnsPerVolt);
            var s = Vector128.Create(symmetry.At(i)) + (Four(ins + (SymmetryIn * 4), i) * Vector128.Create(symmetryAmount.At(i)));
            var part = mix.At(i);
            var y = folder->Next(
                x, gain, s * Vector128.Create(TurnsPerVolt), Vector128.Create(Volts * part), Vector128.Create(1f - part));
            outs[0][i] = y[0];
            outs[1][i] = y[1];
            outs[2][i] = y[2];
            outs[3][i] = y[3];
        }

        return folder->Settle(Vector128.Equals(loudest, Vector128<float>.Zero));
    }

    private static Vector128<float> Four(float** lanes, int i) => Vector128.Create(lanes[0][i], lanes[1][i], lanes[2][i], lanes[3][i]);
}
