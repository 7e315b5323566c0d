// SVF: five filters of one cutoff at once and a sixth that moves between them, tuned in volts per octave.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// 12 dB per octave, in tune by 1 V/oct (see <see cref="MatchedSvf"/>). Resonance r is a damping of 2 (1 - r)^2 - r / 40: a Q of 0.5 at 0,
/// 2 at 0.5, and from 0.9 it sings at the cutoff, 5 V strong. High resonance gives way to loud sounds instead of clipping them; drive
/// makes them louder before and takes half of its decibels back behind. High quality runs the same filter at twice the rate.
/// </summary>
public unsafe struct StateVariableFilter : IModule<StateVariableFilter>
{
    private const int In = 0, PitchIn = 1, FmIn = 2, ResonanceIn = 3, MorphIn = 4;
    private const int Low = 0, Morphed = 5, OutputCount = 6;
    private const int Cutoff = 0, Resonance = 1, Fm = 2, ResonanceAmount = 3, Morph = 4, MorphAmount = 5, Drive = 6;
    private const int QualitySetting = 0;
    private const int Groups = Limits.MaxChannels / 4;
    private const float MostNegative = 0.025f;

    // Starts the singing as thermal noise does in a circuit: 10 uV, 114 dB below 5 V, and only where the damping is negative.
    private const float NoiseVolts = 1e-5f;

    private MatchedSvf* _voices;
    private Oversampler* _resamplers;
    private int _doublings;
    private ulong _seed;

    public static ModuleDescriptor Describe() => new()
    {
        Id = "svf",
        Name = "State Variable Filter",
        Family = "Filters",
        Text = "A clean filter with low, band, high, notch and peak at once; plays in tune when it whistles.",
        Help = """
            A filter that keeps a part of a sound and takes the rest away. Low keeps what lies below the cutoff, high what lies
            above, band only what is near it; notch takes just that out, and peak lifts it. All of them come at once from the same
            cutoff, so that one filter can split a sound among several channels of a mixer. Morph is a sixth output that moves from
            low over band and high to notch.

            Resonance emphasises what is at the cutoff. From 0.9 the filter whistles by itself, a clean sine of 5 V; with a melody
            at Pitch it plays that melody in tune, an octave per volt, and serves as an oscillator. Loud sounds push the resonance
            back, and drive makes any sound a loud one: turn both up for a growl, leave drive at 0 for a polished tone.

            Try a saw at In, an envelope at FM with an amount of 0.5, and listen to Low: that is the classic pluck. Then patch a
            slow LFO to Morph CV and take the Morph output. FM may also be an oscillator: cutoff modulation at audio rate is clean
            here, at any depth.

            Standard quality follows the response of an analogue filter within 1 dB up to 10 kHz at 48 kHz and adds no delay. High
            quality follows it within 0.2 dB up to 16 kHz, for twice the work and three frames of delay.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be filtered."),
            new PortDescriptor("pitch", "Pitch", "Moves the cutoff, 1 V an octave: patch the melody here."),
            new PortDescriptor("fm", "FM", "Moves the cutoff by the FM amount; may be audio."),
            new PortDescriptor("resonance", "Resonance CV", "Moves the resonance by its amount."),
            new PortDescriptor("morph", "Morph CV", "Moves the morph by its amount; may be audio."),
        ],
        Outputs =
        [
            new PortDescriptor("low", "Low", "What is below the cutoff."),
            new PortDescriptor("band", "Band", "What is around the cutoff."),
            new PortDescriptor("high", "High", "What is above the cutoff."),
            new PortDescriptor("notch", "Notch", "Everything but what is at the cutoff."),
            new PortDescriptor("peak", "Peak", "Everything, most of all what is at the cutoff."),
            new PortDescriptor("morph", "Morph", "From low over band and high to notch, as the morph knob says."),
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
            new ParameterDescriptor("morph", "Morph", "", 0f, 1f, 0f, ParameterCurve.Linear,
                "What the morph output gives: 0 low, 1/3 band, 2/3 high, 1 notch, and all between."),
            new ParameterDescriptor("morph_amount", "Morph amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "How far 10 V at the morph CV move it, as a part of its whole travel."),
            new ParameterDescriptor("drive", "Drive", "dB", 0f, 12f, 0f, ParameterCurve.Linear,
                "Makes sounds louder inside, so that they push the resonance back."),
        ],
        Settings =
        [
            new SettingDescriptor("quality", "Quality", 0, 1, 0,
                "High keeps the response of an analogue filter up to 16 kHz, for twice the work.", "standard", "high"),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<MatchedSvf>(Groups);
        need.Need<Oversampler>(setup.Settings[QualitySetting] * Groups * OutputCount);
    }

    public static void Construct(ref StateVariableFilter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<MatchedSvf>(Groups);
        self._doublings = setup.Settings[QualitySetting];
        self._resamplers = memory.Take<Oversampler>(self._doublings * Groups * OutputCount);
        self._seed = setup.Seed;
        timing.LatencyFrames = Oversampler.Latency(self._doublings);
        timing.TailFrames = -1;
    }

    public static void Reset(ref StateVariableFilter self)
    {
        Block.Zero(self._voices, Groups);
        Block.Zero(self._resamplers, self._doublings * Groups * OutputCount);
    }

    public static ProcessResult Process(ref StateVariableFilter self, in ProcessContext context)
    {
        var channels = context.Outputs[Low].Channels;
        var asleep = context.Inputs[In].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            for (var first = 0; first < channels; first += 4)
            {
                var group = first / 4;
                var resamplers = self._resamplers + (group * OutputCount);
                asleep &= Segment(self._voices + group, resamplers, self._doublings, in context, segment, first, channels, self._seed);
            }
        }

        for (var output = 0; asleep && output < OutputCount; output++)
        {
            for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(output, voice), context.Frames);
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Four voices over one segment. True when all are at rest for good.
    [SkipLocalsInit]
    private static bool Segment(
        MatchedSvf* filter, Oversampler* resamplers, int doublings, in ProcessContext context, int segment, int first, int channels,
        ulong seed)
    {
        var outs = stackalloc Vector128<float>[5 * Oversampler.Scratch];
        var x = stackalloc Vector128<float>[Oversampler.Scratch];
        var tuning = stackalloc MatchedTuning[Limits.Grid];
        Lanes.Load(in context, In, segment, first, channels, x);
        var quiet = Lanes.Quiet(x);

        var drive = new DriveRamp(in context, Drive, segment, 1f);
        var singing = Tune(filter, in context, segment, first, channels, doublings, tuning, out var step, out var turns, out var k);
        drive.Push(x, MatchedSvf.MostIn);
        if (singing != Vector128<float>.Zero) AddNoise(x, singing, seed + context.Time + (ulong)(segment * Limits.Grid));

        var low = outs;
        var band = low + Oversampler.Scratch;
        var high = band + Oversampler.Scratch;
        var notch = high + Oversampler.Scratch;
        var peak = notch + Oversampler.Scratch;
        var count = Limits.Grid << doublings;
        if (step == 0 && doublings == 0 && first + 1 >= channels && !context.Outputs[Morphed].Connected
            && filter->TryRunOne(x, in *tuning, turns, k, (float*)low, (float*)band, (float*)high, (float*)notch, (float*)peak))
        {
            for (var output = 0; output < 5; output++)
            {
                var y = context.Out(output, first) + (segment * Limits.Grid);
                if (context.Outputs[output].Connected) drive.Return(y, (float*)(outs + (output * Oversampler.Scratch)));
                else Block.Clear(y, Limits.Grid);
            }

            Lanes.Clear(in context, Morphed, segment, first, channels);
            return filter->Settle(Vector128.AndNot(quiet, singing));
        }

        if (doublings > 0) resamplers[5].Up(x, doublings);
        filter->Run(x, tuning, step, count, doublings, turns, k, low, band, high, notch, peak);
        quiet = Vector128.AndNot(quiet, singing);
        var rest = filter->Settle(quiet);
        if (doublings > 0)
        {
            for (var output = 0; output < 5; output++) resamplers[output].Down(outs + (output * Oversampler.Scratch), doublings);
            rest &= Settle(resamplers, quiet);
        }

        for (var output = 0; output < 5; output++)
        {
            var y = outs + (output * Oversampler.Scratch);
            drive.Return(y);
            if (context.Outputs[output].Connected) Lanes.Store(in context, output, segment, first, channels, y);
            else Lanes.Clear(in context, output, segment, first, channels);
        }

        if (context.Outputs[Morphed].Connected) Mix(in context, segment, first, channels, x, low, band, high, notch);
        else Lanes.Clear(in context, Morphed, segment, first, channels);
        return rest;
    }

    // The noise of a moment is a function of the moment, so that a voice that slept hears the same as one that did not.
    private static void AddNoise(Vector128<float>* x, Vector128<float> singing, ulong moment)
    {
        var random = new Xorshift(moment);
        for (var i = 0; i < Limits.Grid; i++) x[i] += Vector128.Create(random.NextBipolar() * NoiseVolts) & singing;
    }

    // Tunes every frame, or once where the cutoff and the resonance stand still (step 0). The voices that sing are returned.
    [SkipLocalsInit]
    private static Vector128<float> Tune(
        MatchedSvf* filter, in ProcessContext context, int segment, int first, int channels, int doublings,
        MatchedTuning* tuning, out int step, out Vector128<float> turns, out Vector128<float> k)
    {
        var cutoff = new GridRamp(in context, Cutoff, segment);
        var resonance = new GridRamp(in context, Resonance, segment);
        var fm = new GridRamp(in context, Fm, segment);
        var amount = new GridRamp(in context, ResonanceAmount, segment);
        var lowest = Vector128.Create(1f / context.SampleRate);
        var highest = Vector128.Create(Math.Min(20_000f / context.SampleRate, 0.455f));
        var (zero, one) = (Vector128<float>.Zero, Vector128<float>.One);
        var perFrame = 1f / context.SampleRate;
        var scale = Vector128.Create(doublings == 0 ? 1f : 0.5f);
        if (context.Inputs[PitchIn].Silent && context.Inputs[FmIn].Silent && context.Inputs[ResonanceIn].Silent
            && cutoff.Step == 0f && resonance.Step == 0f)
        {
            step = 0;
            turns = Vector128.MinNative(Vector128.MaxNative(Vector128.Create(cutoff.Start * perFrame), lowest), highest) * scale;
            k = Damping(Vector128.MinNative(Vector128.MaxNative(Vector128.Create(resonance.Start), zero), one));
            tuning[0] = filter->Still(turns, k);
            return Vector128.LessThan(k, zero);
        }

        step = 1;
        if (first + 1 >= channels) return TuneOne(in context, segment, first, doublings, tuning, out turns, out k);
        var pitches = stackalloc Vector128<float>[Limits.Grid];
        var fms = stackalloc Vector128<float>[Limits.Grid];
        var resonances = stackalloc Vector128<float>[Limits.Grid];
        Lanes.Load(in context, PitchIn, segment, first, channels, pitches);
        Lanes.Load(in context, FmIn, segment, first, channels, fms);
        Lanes.Load(in context, ResonanceIn, segment, first, channels, resonances);
        turns = k = zero;
        var singing = zero;
        for (var i = 0; i < Limits.Grid; i++)
        {
            turns = Vector128.Create(cutoff.At(i) * perFrame) * FastMath.Exp2(pitches[i] + (fms[i] * Vector128.Create(fm.At(i))));
            turns = Vector128.MinNative(Vector128.MaxNative(turns, lowest), highest) * scale;
            var r = Vector128.Create(resonance.At(i)) + (resonances[i] * Vector128.Create(amount.At(i) * 0.1f));
            k = Damping(Vector128.MinNative(Vector128.MaxNative(r, zero), one));
            singing |= Vector128.LessThan(k, zero);
            tuning[i] = MatchedTuning.Of(turns, k);
        }

        return singing;
    }

    // One voice alone: its frames take the places of voices, four at once.
    private static Vector128<float> TuneOne(
        in ProcessContext context, int segment, int voice, int doublings, MatchedTuning* tuning,
        out Vector128<float> turns, out Vector128<float> k)
    {
        var cutoff = new GridRamp(in context, Cutoff, segment);
        var resonance = new GridRamp(in context, Resonance, segment);
        var fm = new GridRamp(in context, Fm, segment);
        var amount = new GridRamp(in context, ResonanceAmount, segment);
        var lowest = Vector128.Create(1f / context.SampleRate);
        var highest = Vector128.Create(Math.Min(20_000f / context.SampleRate, 0.455f));
        var (zero, one) = (Vector128<float>.Zero, Vector128<float>.One);
        var perFrame = Vector128.Create(1f / context.SampleRate);
        var scale = Vector128.Create(doublings == 0 ? 1f : 0.5f);
        var at = segment * Limits.Grid;
        var pitches = context.In(PitchIn, voice) + at;
        var fms = context.In(FmIn, voice) + at;
        var resonances = context.In(ResonanceIn, voice) + at;
        var singing = turns = k = zero;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var octaves = Vector128.Load(pitches + i) + (Vector128.Load(fms + i) * fm.Four(i));
            turns = Lanes.Within(cutoff.Four(i) * perFrame * FastMath.Exp2(octaves), lowest, highest) * scale;
            var r = resonance.Four(i) + (Vector128.Load(resonances + i) * (amount.Four(i) * Vector128.Create(0.1f)));
            k = Damping(Lanes.Within(r, zero, one));
            singing |= Vector128.LessThan(k, zero);
            MatchedTuning.Of(turns, k).Spread(tuning + i);
        }

        // The voice is the first lane; the others are silent.
        turns = Vector128.Create(turns[3]);
        k = Vector128.Create(k[3]);
        return singing == zero ? zero : Vector128.CreateScalar(-1).AsSingle();
    }

    private static Vector128<float> Damping(Vector128<float> r)
    {
        var away = Vector128<float>.One - r;
        return (Vector128.Create(2f) * away * away) - (Vector128.Create(MostNegative) * r);
    }

    // The morph output: two neighbours of the four, a straight line between them.
    private static void Mix(
        in ProcessContext context, int segment, int first, int channels, Vector128<float>* scratch,
        Vector128<float>* low, Vector128<float>* band, Vector128<float>* high, Vector128<float>* notch)
    {
        var morph = new GridRamp(in context, Morph, segment);
        var amount = new GridRamp(in context, MorphAmount, segment);
        var (zero, one) = (Vector128<float>.Zero, Vector128<float>.One);
        Lanes.Load(in context, MorphIn, segment, first, channels, scratch);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var at = Vector128.Create(morph.At(i)) + (scratch[i] * Vector128.Create(amount.At(i) * 0.1f));
            at = Vector128.MinNative(Vector128.MaxNative(at, zero), one) * Vector128.Create(3f);
            scratch[i] = (low[i] * Near(at, 0f)) + (band[i] * Near(at, 1f)) + (high[i] * Near(at, 2f)) + (notch[i] * Near(at, 3f));
        }

        Lanes.Store(in context, Morphed, segment, first, channels, scratch);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Near(Vector128<float> at, float place) =>
        Vector128.MaxNative(Vector128<float>.One - Vector128.Abs(at - Vector128.Create(place)), Vector128<float>.Zero);

    private static bool Settle(Oversampler* resamplers, Vector128<float> quiet)
    {
        var peak = Vector128<float>.Zero;
        for (var i = 0; i < OutputCount; i++) peak = Vector128.MaxNative(peak, resamplers[i].Peak());
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        for (var i = 0; i < OutputCount; i++) resamplers[i].Clear(mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }
}
