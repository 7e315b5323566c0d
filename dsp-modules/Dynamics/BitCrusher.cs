// Bit crusher: fewer bits and a lower sample rate, as in the first samplers.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The input is held at Rate and rounded to steps of 10 V / 2^bits, 0 V among them; bits need not be whole. Raw, a sample is taken at the
/// first frame after its time, as a converter on a clock of its own is heard by another. A tone of f then has images at n rate +- f; where
/// frames / rate is a whole number N they have the level sin(pi f' N) / (N sin(pi f')), f' in turns a frame.
/// Band-limited, samples are taken between the frames (six-point Lagrange interpolation) and the staircase is drawn with band-limited
/// edges (<see cref="BlepTable"/>): every image at n rate +- f has the level sinc(image / rate) of a zero-order hold, and what would lie
/// above half the sample rate is left out instead of being mirrored down. Dither is triangular, two steps wide (Lipshitz, Wannamaker,
/// Vanderkooy, Quantization and Dither, JAES 1992), and rests while the input is exactly 0.
/// </summary>
public unsafe struct BitCrusher : IModule<BitCrusher>
{
    private const int In = 0, BitsIn = 1, RateIn = 2;
    private const int Bits = 0, BitsAmount = 1, Rate = 2, Dither = 3, Mix = 4;
    private const int Quality = 0;
    private const int Groups = Limits.MaxChannels / 4;
    private const float FullScale = 10f;
    private const float LeastBits = 1f, MostBits = 16f;

    // What interpolation between frames has to wait for.
    private const int Ahead = 2;
    private const int History = 6;
    private const int Stride = Limits.Grid + BlepTable.Taps;

    private Voices* _groups;
    private Smooth* _smooth;
    private float* _table;
    private ulong _seed;

    private struct Voices
    {
        public Vector128<float> Phase, Held;
    }

    private struct Smooth
    {
        public fixed float Past[History]; // newest last
        public fixed float Dry[BlepTable.Latency + Ahead];
        public fixed float Buffer[Stride];
        public float Phase, Held;
        public int Quiet;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "bit-crusher",
        Name = "Bit Crusher",
        Family = "Dynamics",
        Text = "Fewer bits and a lower sample rate: the grain of old samplers, and the whistle of broken ones.",
        Help = """
            Two kinds of dirt. Fewer bits turn a smooth wave into a staircase: loud sounds become buzzy, quiet ones break up into
            noise and then into nothing. A lower sample rate mirrors the sound around its multiples: high notes get companions that
            move the wrong way. Both sweep smoothly; eight and a half bits exist here.

            The setting Edges decides how the staircase is drawn. Raw is what a chip does on the clock of this machine; at odd rates
            it adds some grit of its own. Band-limited draws each step at its exact time, so that all you hear is the mirror images
            themselves and nothing else; it costs 18 frames of latency. Dither trades the buzz of few bits for an even hiss.

            - Try a drum loop at 12 bits and 26 kHz, then at 8 bits and 11 kHz.
            - Try a sine melody at a rate of 3 kHz: the images make a second melody.
            - Patch an envelope or a slow LFO into Rate CV (1 V an octave) and listen to the mirror images glide.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be crushed."),
            new PortDescriptor("bits", "Bits CV", "Moves the bits by their amount."),
            new PortDescriptor("rate", "Rate CV", "Moves the rate, 1 V an octave."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The crushed sound.")],
        Parameters =
        [
            new ParameterDescriptor("bits", "Bits", "", LeastBits, MostBits, 8f, ParameterCurve.Linear, "How fine the steps are: 2 to so many over 10 V."),
            new ParameterDescriptor("bits_amount", "Bits amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "How far 10 V at the bits CV move them, as a part of their whole travel."),
            new ParameterDescriptor("rate", "Rate", "Hz", 100f, 48_000f, 8_000f, ParameterCurve.Exponential, "How often it looks at the sound."),
            new ParameterDescriptor("dither", "Dither", "", 0f, 1f, 0f, ParameterCurve.Stepped, "A hiss that hides the buzz.", "off", "on"),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 1f, ParameterCurve.Linear, "0 is the sound alone, 1 the crushed one."),
        ],
        Settings = [new SettingDescriptor("quality", "Edges", 0, 1, 0, "How the steps are drawn.", "raw", "band-limited")],
        HasTail = true,
    };

    public static long SharedBytes(float sampleRate) => BlepTable.Bytes;

    public static void BuildShared(void* shared, float sampleRate) => BlepTable.Build((float*)shared);

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        if (setup.Settings[Quality] == 1) need.Need<Smooth>(Limits.MaxChannels);
        else need.Need<Voices>(Groups);
    }

    public static void Construct(ref BitCrusher self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        if (setup.Settings[Quality] == 1)
        {
            self._smooth = memory.Take<Smooth>(Limits.MaxChannels);
            timing.LatencyFrames = BlepTable.Latency + Ahead;
        }
        else
        {
            self._groups = memory.Take<Voices>(Groups);
        }

        self._table = (float*)setup.Shared;
        self._seed = setup.Seed;

        // The longest a sample is held, at 10 V below the lowest rate; then the edges and what rests count as rest.
        timing.TailFrames = (long)(0.01f * 1024f * setup.SampleRate) + (8 * Limits.Grid) + Limits.MaxQuantum;
    }

    public static void Reset(ref BitCrusher self)
    {
        if (self._smooth != null) Block.Zero(self._smooth, Limits.MaxChannels);
        else Block.Zero(self._groups, Groups);
    }

    public static ProcessResult Process(ref BitCrusher self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[In].Silent;
        var noise = stackalloc float[Limits.Grid];
        for (var segment = 0; segment < context.Segments; segment++)
        {
            // The noise of a moment is a function of the moment, so that a voice that slept hears the same as one that did not.
            var random = new Xorshift(self._seed + context.Time + (ulong)(segment * Limits.Grid));
            var width = context.Param(Dither, segment) >= 0.5f ? 0.5f : 0f;
            for (var i = 0; i < Limits.Grid; i++) noise[i] = (random.NextBipolar() + random.NextBipolar()) * width;
            if (self._smooth != null)
            {
                for (var voice = 0; voice < channels; voice++)
                    asleep &= SegmentSmooth(self._smooth + voice, self._table, in context, segment, voice, noise);
            }
            else
            {
                for (var first = 0; first < channels; first += 4)
                    asleep &= SegmentRaw(self._groups + (first / 4), in context, segment, first, channels, noise);
            }
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static bool SegmentRaw(Voices* group, in ProcessContext context, int segment, int first, int channels, float* noise)
    {
        var bits = new GridRamp(in context, Bits, segment);
        var amount = new GridRamp(in context, BitsAmount, segment);
        var rate = new GridRamp(in context, Rate, segment);
        var mix = new GridRamp(in context, Mix, segment);
        var frames = stackalloc Vector128<float>[Limits.Grid];
        var bitsIn = stackalloc Vector128<float>[Limits.Grid];
        var rateIn = stackalloc Vector128<float>[Limits.Grid];
        var at = segment * Limits.Grid;
        VoiceLanes.Load(in context, In, first, channels, at, frames);
        VoiceLanes.Load(in context, BitsIn, first, channels, at, bitsIn);
        VoiceLanes.Load(in context, RateIn, first, channels, at, rateIn);
        var silent = VoiceLanes.Silent(frames);
        var (phase, held) = (group->Phase, group->Held);
        var one = Vector128<float>.One;
        var perFrame = Vector128.Create(1f / context.SampleRate);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var x = frames[i];

            // A phase of 0 means that a sample is due; a whole number of frames a sample does not miss it by rounding.
            var due = Vector128.LessThan(phase, Vector128.Create(1e-6f));
            var b = Vector128.Create(bits.At(i)) + (bitsIn[i] * Vector128.Create(amount.At(i) * ((MostBits - LeastBits) / 10f)));
            held = Vector128.ConditionalSelect(due, Rounded(x, b, Vector128.Create(noise[i])), held);
            var turns = Vector128.MinNative(FastMath.Exp2(rateIn[i]) * Vector128.Create(rate.At(i)) * perFrame, one);
            phase = Vector128.ConditionalSelect(due, phase + one, phase) - turns;
            frames[i] = x + ((held - x) * Vector128.Create(mix.At(i)));
        }

        // A voice that holds nothing of a silent sound starts anew: so it does not matter how long it slept.
        var rest = silent & Vector128.Equals(held, Vector128<float>.Zero);
        group->Phase = Vector128.AndNot(phase, rest);
        group->Held = held;
        VoiceLanes.Store(in context, 0, first, channels, at, frames);
        return VoiceLanes.All(rest);
    }

    private static Vector128<float> Rounded(Vector128<float> x, Vector128<float> bits, Vector128<float> noise)
    {
        bits = Vector128.MinNative(Vector128.MaxNative(bits, Vector128.Create(LeastBits)), Vector128.Create(MostBits));
        var steps = FastMath.Exp2(bits) * Vector128.Create(1f / FullScale);
        var sounds = ~Vector128.Equals(x, Vector128<float>.Zero);
        return Vector128.Floor((x * steps) + (noise & sounds) + Vector128.Create(0.5f)) / steps;
    }

    private static bool SegmentSmooth(Smooth* voice, float* table, in ProcessContext context, int segment, int channel, float* noise)
    {
        var bits = new GridRamp(in context, Bits, segment);
        var amount = new GridRamp(in context, BitsAmount, segment);
        var rate = new GridRamp(in context, Rate, segment);
        var mix = new GridRamp(in context, Mix, segment);
        var at = segment * Limits.Grid;
        var source = context.In(In, channel) + at;
        var bitsIn = context.In(BitsIn, channel) + at;
        var rateIn = context.In(RateIn, channel) + at;
        var target = context.Out(0, channel) + at;
        var past = voice->Past;
        var dry = voice->Dry;
        var buffer = voice->Buffer;
        var (phase, held) = (voice->Phase, voice->Held);
        const int Latency = BlepTable.Latency + Ahead;
        var quiet = true;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var x = source[i];
            quiet &= x == 0f;
            for (var k = 0; k < History - 1; k++) past[k] = past[k + 1];
            past[History - 1] = x;
            var turns = Math.Min(FastMath.Exp2(rateIn[i]) * rate.At(i) / context.SampleRate, 1f);
            phase += turns;
            if (phase >= 1f)
            {
                // Taken so many frames before the frame two back, which lies between the two in the middle of the six.
                phase -= 1f;
                var age = Math.Min(phase / turns, 1f);
                var b = bits.At(i) + (bitsIn[i] * amount.At(i) * ((MostBits - LeastBits) / 10f));
                var value = Rounded(Vector128.Create(Lagrange.Between(past, 1f - age)), Vector128.Create(b), Vector128.Create(noise[i]))[0];
                BlepTable.Add(buffer + i, table, 0, age, value - held);
                held = value;
            }

            buffer[i + BlepTable.Latency] += held;
            var old = dry[0];
            for (var k = 0; k < Latency - 1; k++) dry[k] = dry[k + 1];
            dry[Latency - 1] = x;
            target[i] = old + ((buffer[i] - old) * mix.At(i));
        }

        for (var i = 0; i < BlepTable.Taps; i++) buffer[i] = buffer[i + Limits.Grid];
        for (var i = BlepTable.Taps; i < Stride; i++) buffer[i] = 0f;

        // At rest once nothing is held and the edges of what was have passed.
        voice->Quiet = quiet && held == 0f ? Math.Min(voice->Quiet + Limits.Grid, 4 * Stride) : 0;
        var rest = voice->Quiet >= 4 * Stride;
        if (rest)
        {
            for (var i = 0; i < Stride; i++) buffer[i] = 0f;
            phase = 0f;
        }

        (voice->Phase, voice->Held) = (phase, held);
        return rest;
    }
}
