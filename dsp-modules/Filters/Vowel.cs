// Vowel: a filter that speaks, from a over e, i and o to u.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Five band-passes side by side at the formants of <see cref="Formants"/>, neighbours of opposite sign so that no hole opens between them
/// (Klatt, Software for a Cascade/Parallel Formant Synthesizer, JASA 1980). Between vowels frequencies and bandwidths move by even
/// ratios and levels by decibels. Each band-pass has its formant's level in the middle; the strongest of a vowel is at
/// <see cref="Makeup"/> times the input.
/// </summary>
public unsafe struct Vowel : IModule<Vowel>
{
    private const int In = 0, VowelIn = 1, SizeIn = 2;
    private const int Place = 0, PlaceAmount = 1, Size = 2, Focus = 3, Voice = 4, Mix = 5;
    private const int Groups = Limits.MaxChannels / 4;

    // Bands are far narrower than what goes through them: what is left would be quiet.
    private const float Makeup = 2f;
    private const float Most = 100f;

    private float* _table;
    private Group* _groups;
    private LinearSvf* _filters;
    private Formant* _formants;

    private struct Group
    {
        public Vector128<float> Places, Sizes;
        public float Focus, Voice;
        public bool Running;
    }

    private struct Formant
    {
        public Vector128<float> G, K, Gain;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "vowel",
        Name = "Vowel",
        Family = "Filters",
        Text = "A filter that speaks: morphs any sound through the vowels a, e, i, o, u.",
        Help = """
            What makes an a an a is where the throat and mouth resonate, whatever the pitch that is sung. This filter has those
            resonances, five for each vowel, measured from four voices: soprano, alto, tenor and bass. Vowel moves from a over e, i
            and o to u, with everything in between.

            Size makes the throat smaller or larger without changing the pitch of the sound: up for a child or a cartoon, down for a
            giant. Focus narrows the resonances; wide ones only colour a sound, narrow ones whistle on their own. Both vowel and
            size have a CV, and each voice of a polyphonic cable speaks for itself.

            Try a saw of 110 Hz at In, voice on tenor, and an LFO or a random voltage at Vowel CV: it talks. A slow envelope from 0
            to 1 makes a choir open its mouth. Drums and noise work as well; bring some of the dry sound back with Mix.

            What has little between 300 Hz and 3 kHz has little to say: sines stay sines.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound that is to speak; rich ones speak best."),
            new PortDescriptor("vowel", "Vowel CV", "Moves the vowel by its amount."),
            new PortDescriptor("size", "Size CV", "Moves the resonances, 1 V an octave."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The speaking sound.")],
        Parameters =
        [
            new ParameterDescriptor("vowel", "Vowel", "", 0f, 1f, 0f, ParameterCurve.Linear,
                "0 is a, 1/4 e, 1/2 i, 3/4 o, 1 u, and all between."),
            new ParameterDescriptor("vowel_amount", "Vowel amount", "", -1f, 1f, 1f, ParameterCurve.Linear,
                "How far 10 V at the vowel CV move it, as a part of its whole travel."),
            new ParameterDescriptor("size", "Size", "oct", -1f, 1f, 0f, ParameterCurve.Linear,
                "Moves all resonances up or down by so many octaves."),
            new ParameterDescriptor("focus", "Focus", "", 0.25f, 4f, 1f, ParameterCurve.Exponential,
                "How narrow the resonances are: 1 as sung, 4 whistling."),
            new ParameterDescriptor("voice", "Voice", "", 0f, 3f, 2f, ParameterCurve.Stepped, "Whose throat it is.",
                "soprano", "alto", "tenor", "bass"),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 1f, ParameterCurve.Linear, "0 is the sound alone, 1 the speaking one."),
        ],
        HasTail = true,
    };

    public static long SharedBytes(float sampleRate) => Formants.TableFloats * sizeof(float);

    public static void BuildShared(void* shared, float sampleRate) => Formants.Build((float*)shared);

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Group>(Groups);
        need.Need<LinearSvf>(Groups * Formants.Count);
        need.Need<Formant>(Groups * Formants.Count);
    }

    public static void Construct(ref Vowel self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<Group>(Groups);
        self._filters = memory.Take<LinearSvf>(Groups * Formants.Count);
        self._formants = memory.Take<Formant>(Groups * Formants.Count);
        self._table = (float*)setup.Shared;

        // 220 dB at the narrowest bandwidth, 40 Hz / 4, an octave lower.
        timing.TailFrames = (long)(4f * setup.SampleRate);
    }

    public static void Reset(ref Vowel self)
    {
        Block.Zero(self._groups, Groups);
        Block.Zero(self._filters, Groups * Formants.Count);
        Block.Zero(self._formants, Groups * Formants.Count);
    }

    public static ProcessResult Process(ref Vowel self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[In].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4)
                asleep &= self.Segment(first / 4, in context, segment, first, channels);
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    [SkipLocalsInit]
    private readonly bool Segment(int group, in ProcessContext context, int segment, int first, int channels)
    {
        var x = stackalloc Vector128<float>[Limits.Grid];
        var y = stackalloc Vector128<float>[Limits.Grid];
        Lanes.Load(in context, In, segment, first, channels, x);
        var quiet = Lanes.Quiet(x);
        var most = Vector128.Create(Most);
        for (var i = 0; i < Limits.Grid; i++)
        {
            x[i] = Lanes.Within(x[i], -most, most);
            y[i] = Vector128<float>.Zero;
        }

        var from = stackalloc Formant[Formants.Count];
        var formants = _formants + (group * Formants.Count);
        var filters = _filters + (group * Formants.Count);
        for (var i = 0; i < Formants.Count; i++) from[i] = formants[i];
        var running = _groups[group].Running;
        Tune(_groups + group, formants, in context, segment, first, channels);
        for (var i = 0; !running && i < Formants.Count; i++) from[i] = formants[i];
        var peak = Vector128<float>.Zero;
        for (var i = 0; i < Formants.Count; i++)
        {
            Sing(filters + i, in from[i], in formants[i], x, y);
            peak = Vector128.MaxNative(peak, filters[i].Peak());
        }

        var mix = new GridRamp(in context, Mix, segment);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var wet = mix.At(i);
            y[i] = (y[i] * Vector128.Create(wet * Makeup)) + (x[i] * Vector128.Create(1f - wet));
        }

        Lanes.Store(in context, 0, segment, first, channels, y);
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        for (var i = 0; i < Formants.Count; i++) filters[i].Clear(mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }

    // The formants at the end of the segment, where they are not those of the last one.
    private readonly void Tune(Group* group, Formant* formants, in ProcessContext context, int segment, int first, int channels)
    {
        var block = stackalloc Vector128<float>[Limits.Grid];
        Lanes.Load(in context, VowelIn, segment, first, channels, block);
        var place = block[Limits.Grid - 1] * Vector128.Create(context.Param(PlaceAmount, segment + 1) * 0.1f);
        place += Vector128.Create(context.Param(Place, segment + 1));
        place = Lanes.Within(place, Vector128<float>.Zero, Vector128<float>.One) * Vector128.Create(Formants.Vowels - 1f);
        Lanes.Load(in context, SizeIn, segment, first, channels, block);
        var size = block[Limits.Grid - 1] + Vector128.Create(context.Param(Size, segment + 1));
        size = Lanes.Within(size, Vector128.Create(-2f), Vector128.Create(2f));
        var (focus, voice) = (context.Param(Focus, segment + 1), context.Param(Voice, segment + 1));
        if (group->Running && focus == group->Focus && voice == group->Voice
            && Vector128.EqualsAll(place, group->Places) && Vector128.EqualsAll(size, group->Sizes)) return;

        (group->Places, group->Sizes, group->Focus, group->Voice, group->Running) = (place, size, focus, voice, true);
        var narrower = Vector128.Create(1f / focus);
        var (perFrame, highest) = (Vector128.Create(1f / context.SampleRate), Vector128.Create(0.45f));
        for (var i = 0; i < Formants.Count; i++)
        {
            var a = Formants.At(_table, (int)voice, place[0], i);
            var b = Formants.At(_table, (int)voice, place[1], i);
            var c = Formants.At(_table, (int)voice, place[2], i);
            var d = Formants.At(_table, (int)voice, place[3], i);
            var octaves = Vector128.Create(a[0], b[0], c[0], d[0]);
            var width = Vector128.Create(a[2], b[2], c[2], d[2]);
            var k = FastMath.Exp2(width - octaves) * narrower;
            var gain = FastMath.Exp2(Vector128.Create(a[1], b[1], c[1], d[1])) * k;
            Formant f;
            f.G = FastMath.TanPi(Vector128.MinNative(FastMath.Exp2(octaves + size) * perFrame, highest));
            f.K = k;
            f.Gain = (i & 1) == 0 ? gain : -gain;
            formants[i] = f;
        }
    }

    private static void Sing(LinearSvf* filter, in Formant from, in Formant to, Vector128<float>* x, Vector128<float>* y)
    {
        var part = Vector128.Create(1f / Limits.Grid);
        var (g, k, gain) = (from.G, from.K, from.Gain);
        var (gStep, kStep, gainStep) = ((to.G - g) * part, (to.K - k) * part, (to.Gain - gain) * part);
        var one = Vector128<float>.One;
        var f = *filter;
        for (var i = 0; i < Limits.Grid; i++)
        {
            g += gStep;
            k += kStep;
            gain += gainStep;
            f.Next(x[i], g, k, one / (one + (g * (g + k))), out _, out var band, out _);
            y[i] += band * gain;
        }

        *filter = f;
    }
}
