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

    // Segments that are worked out at once where nothing moves: as many as there is room for in the blocks of the resamplers.
    private const int MostAtOnce = Oversampler.Scratch / Limits.Grid;

    // Down for low, band and high, up for what comes in.
    private const int Resamplers = 4;
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
        need.Need<Oversampler>(setup.Settings[QualitySetting] * Groups * Resamplers);
    }

    public static void Construct(ref StateVariableFilter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<MatchedSvf>(Groups);
        self._doublings = setup.Settings[QualitySetting];
        self._resamplers = memory.Take<Oversampler>(self._doublings * Groups * Resamplers);
        self._seed = setup.Seed;
        timing.LatencyFrames = Oversampler.Latency(self._doublings);
        timing.TailFrames = -1;
    }

    public static void Reset(ref StateVariableFilter self)
    {
        Block.Zero(self._voices, Groups);
        Block.Zero(self._resamplers, self._doublings * Groups * Resamplers);
    }

    public static ProcessResult Process(ref StateVariableFilter self, in ProcessContext context)
    {
        var channels = context.Outputs[Low].Channels;
        var asleep = context.Inputs[In].Silent;
        for (var output = 0; output < OutputCount; output++)
        {
            if (!context.Outputs[output].Connected) context.LeaveUnwritten(output);
        }

        var resting = Rests(in context);
        for (int segment = 0, count; segment < context.Segments; segment += count)
        {
            count = resting && HaveSettled(in self, in context, segment, channels) ? Math.Min(context.Segments - segment, MostAtOnce) : 1;
            if (self._doublings == 0 && channels == 1) asleep &= One(self._voices, in context, segment, count, self._seed);
            else asleep &= Many(ref self, in context, segment, count, channels);
        }

        for (var output = 0; asleep && output < OutputCount; output++)
        {
            for (var voice = 0; asleep && context.Outputs[output].Connected && voice < channels; voice++)
                asleep = Block.IsZero(context.Out(output, voice), context.Frames);
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Whether nothing that the filter is told moves in this quantum.
    private static bool Rests(in ProcessContext context) =>
        context.Inputs[PitchIn].Silent && context.Inputs[FmIn].Silent && context.Inputs[ResonanceIn].Silent
        && !(GridRamp.Moves(in context, Cutoff) || GridRamp.Moves(in context, Resonance) || GridRamp.Moves(in context, Drive));

    // Whether all voices are where they are told to be: then what they are tuned to is worked out for several segments at once.
    private static bool HaveSettled(in StateVariableFilter self, in ProcessContext context, int segment, int channels)
    {
        if (self._doublings > 0 || !StandStill(in context, segment, 0, out var turns, out var k)) return false;
        for (var first = 0; first < channels; first += 4)
        {
            if (!self._voices[first / 4].IsAt(turns, k)) return false;
        }

        return true;
    }

    // What is worked out of four voices: their sound, then their raw outputs.
    private struct Group
    {
        public fixed float Block[4 * Oversampler.Scratch], Low[4 * Oversampler.Scratch], Band[4 * Oversampler.Scratch], High[4 * Oversampler.Scratch];
        public Vector128<float> Quiet, Singing;
    }

    // All voices over `count` segments, eight at a time where there are so many. True when all are at rest for good.
    [SkipLocalsInit]
    private static bool Many(ref StateVariableFilter self, in ProcessContext context, int segment, int count, int channels)
    {
        var groups = stackalloc Group[2];
        var gains = stackalloc MatchedGains[2 * Limits.Grid];
        var drive = new DriveRamp(in context, Drive, segment, 1f);
        var (doublings, rest) = (self._doublings, true);
        for (var first = 0; first < channels; first += 8)
        {
            var filter = self._voices + (first / 4);
            var both = first + 4 < channels;
            groups->Singing = Tune(filter, in context, segment, first, channels, doublings, gains, out var step);
            if (both) groups[1].Singing = Tune(filter + 1, in context, segment, first + 4, channels, doublings, gains + Limits.Grid, out _);
            Vector128<float>* x = (Vector128<float>*)groups->Block, low = (Vector128<float>*)groups->Low, band = (Vector128<float>*)groups->Band;
            var high = (Vector128<float>*)groups->High;
            for (var s = 0; s < count; s++, low += Limits.Grid, band += Limits.Grid, high += Limits.Grid)
            {
                Begin(ref self, groups, in context, segment + s, first, channels, in drive);
                if (both)
                {
                    Begin(ref self, groups + 1, in context, segment + s, first + 4, channels, in drive);
                    MatchedSvf.RunEight(filter, x, gains, step, doublings, low, band, high, sizeof(Group) / sizeof(Vector128<float>));
                    rest &= filter[1].Settle(groups[1].Quiet);
                }
                else
                {
                    filter->RunFour(x, gains, step, doublings, low, band, high);
                }

                rest &= filter->Settle(groups->Quiet);
            }

            rest &= End(ref self, groups, in context, segment, count, first, channels, in drive);
            if (both) rest &= End(ref self, groups + 1, in context, segment, count, first + 4, channels, in drive);
        }

        return rest;
    }

    // The sound of a segment.
    private static void Begin(
        ref StateVariableFilter self, Group* group, in ProcessContext context, int segment, int first, int channels, in DriveRamp drive)
    {
        var x = (Vector128<float>*)group->Block;
        Lanes.Load(in context, In, segment, first, channels, x);
        group->Quiet = Vector128.AndNot(Lanes.Quiet(x), group->Singing);
        drive.Push(x, MatchedSvf.MostIn);
        if (group->Singing != Vector128<float>.Zero) AddNoise(x, group->Singing, self._seed + context.Time + (ulong)(segment * Limits.Grid));
        if (self._doublings > 0) self._resamplers[(first / 4 * Resamplers) + 3].Up(x, self._doublings);
    }

    // The outputs, of `count` segments. True when the resamplers are at rest.
    private static bool End(
        ref StateVariableFilter self, Group* group, in ProcessContext context, int segment, int count, int first, int channels, in DriveRamp drive)
    {
        var filter = self._voices + (first / 4);
        Vector128<float>* low = (Vector128<float>*)group->Low, band = (Vector128<float>*)group->Band, high = (Vector128<float>*)group->High;
        var rest = true;
        if (self._doublings > 0)
        {
            var resamplers = self._resamplers + (first / 4 * Resamplers);
            resamplers[0].Down(low, self._doublings);
            resamplers[1].Down(band, self._doublings);
            resamplers[2].Down(high, self._doublings);
            rest = Settle(resamplers, group->Quiet);
        }

        var (at, voices) = (segment * Limits.Grid, Math.Min(channels - first, 4));
        var gain = drive.Behind.Step == 0f ? drive.Behind.Start : 1f;
        for (var output = 0; output < Morphed; output++)
        {
            var signal = context.Outputs + output;
            if (!signal->Connected) continue;
            MatchedSvf.WeighFour(filter, output, low, band, high, count * Limits.Grid, context.Out(output, first) + at, signal->Stride, voices, gain);
        }

        for (var s = 0; s < count && context.Outputs[Morphed].Connected; s++, at += Limits.Grid)
        {
            // The block has been heard: its place is free.
            var parts = group->Block;
            for (var output = 0; output < 4; output++)
                MatchedSvf.WeighFour(filter, output, low, band, high, Limits.Grid, parts + (output * 4 * Limits.Grid), Limits.Grid, voices, gain);
            for (var voice = 0; voice < voices; voice++)
                Mix(in context, segment + s, first + voice, context.Out(Morphed, first + voice) + at, parts + (voice * Limits.Grid));
            low += Limits.Grid;
            band += Limits.Grid;
            high += Limits.Grid;
        }

        Return(in context, segment, first, voices, in drive);
        return rest;
    }

    // One voice alone, over `count` segments. True when it is at rest for good.
    [SkipLocalsInit]
    private static bool One(MatchedSvf* filter, in ProcessContext context, int segment, int count, ulong seed)
    {
        var x = stackalloc float[Limits.Grid];
        var raw = stackalloc float[3 * MostAtOnce * Limits.Grid];
        var gains = stackalloc MatchedGains[Limits.Grid / 4];
        var at = segment * Limits.Grid;
        var source = context.In(In) + at;
        var drive = new DriveRamp(in context, Drive, segment, 1f);
        var singing = TuneOne(filter, in context, segment, gains, out var step);
        float* low = raw, band = raw + (MostAtOnce * Limits.Grid), high = band + (MostAtOnce * Limits.Grid);
        var rest = true;
        for (var i = 0; i < count * Limits.Grid; i += Limits.Grid)
        {
            drive.Push(x, source + i, MatchedSvf.MostIn);
            if (singing) AddNoise(x, seed + context.Time + (ulong)(at + i));
            filter->RunOne(x, gains, step, low + i, band + i, high + i);
            rest &= filter->Settle(!singing && Block.IsZero(source + i, Limits.Grid) ? Vector128<float>.AllBitsSet : Vector128<float>.Zero);
        }

        var gain = drive.Behind.Step == 0f ? drive.Behind.Start : 1f;
        for (var output = 0; output < Morphed; output++)
        {
            if (context.Outputs[output].Connected)
                MatchedSvf.WeighOne(filter, output, low, band, high, count * Limits.Grid, context.Out(output) + at, gain);
        }

        var parts = stackalloc float[4 * 4 * Limits.Grid];
        for (var s = 0; s < count && context.Outputs[Morphed].Connected; s++, at += Limits.Grid)
        {
            var i = s * Limits.Grid;
            for (var output = 0; output < 4; output++)
                MatchedSvf.WeighOne(filter, output, low + i, band + i, high + i, Limits.Grid, parts + (output * 4 * Limits.Grid), gain);
            Mix(in context, segment + s, 0, context.Out(Morphed) + at, parts);
        }

        Return(in context, segment, 0, 1, in drive);
        return rest;
    }

    // Drive that moves is taken back from the outputs frame by frame; one that rests already was, with their weights.
    private static void Return(in ProcessContext context, int segment, int first, int count, in DriveRamp drive)
    {
        if (drive.Behind.Step == 0f) return;
        for (var output = 0; output < OutputCount; output++)
        {
            if (!context.Outputs[output].Connected) continue;
            for (var voice = first; voice < first + count; voice++)
            {
                var target = context.Out(output, voice) + (segment * Limits.Grid);
                Block.ScaleSegment(target, target, drive.Behind);
            }
        }
    }

    // The noise of a moment is a function of the moment, so that a voice that slept hears the same as one that did not.
    private static void AddNoise(Vector128<float>* x, Vector128<float> singing, ulong moment)
    {
        var random = new Xorshift(moment);
        for (var i = 0; i < Limits.Grid; i++) x[i] += Vector128.Create(random.NextBipolar() * NoiseVolts) & singing;
    }

    private static void AddNoise(float* x, ulong moment)
    {
        var random = new Xorshift(moment);
        for (var i = 0; i < Limits.Grid; i++) x[i] += random.NextBipolar() * NoiseVolts;
    }

    // Whether neither cutoff nor resonance moves in this segment, and then what they are.
    private static bool StandStill(
        in ProcessContext context, int segment, int doublings, out Vector128<float> turns, out Vector128<float> k)
    {
        var cutoff = new GridRamp(in context, Cutoff, segment);
        var resonance = new GridRamp(in context, Resonance, segment);
        var range = new Range(in context, doublings);
        turns = range.Turns(Vector128.Create(cutoff.Start * range.PerFrame));
        k = Damping(Vector128.Create(resonance.Start));
        return context.Inputs[PitchIn].Silent && context.Inputs[FmIn].Silent && context.Inputs[ResonanceIn].Silent
            && cutoff.Step == 0f && resonance.Step == 0f;
    }

    // Tunes every frame, or once where the cutoff and the resonance stand still (step 0). The voices that sing are returned.
    [SkipLocalsInit]
    private static Vector128<float> Tune(
        MatchedSvf* filter, in ProcessContext context, int segment, int first, int channels, int doublings, MatchedGains* gains, out int step)
    {
        step = 0;
        if (StandStill(in context, segment, doublings, out var turns, out var k))
        {
            filter->Still(turns, k, gains);
            return Vector128.LessThan(k, Vector128<float>.Zero);
        }

        step = 1;
        var cutoff = new GridRamp(in context, Cutoff, segment);
        var resonance = new GridRamp(in context, Resonance, segment);
        var fm = new GridRamp(in context, Fm, segment);
        var amount = new GridRamp(in context, ResonanceAmount, segment);
        var range = new Range(in context, doublings);
        var pitches = stackalloc Vector128<float>[Limits.Grid];
        var fms = stackalloc Vector128<float>[Limits.Grid];
        var resonances = stackalloc Vector128<float>[Limits.Grid];
        Lanes.Load(in context, PitchIn, segment, first, channels, pitches);
        Lanes.Load(in context, FmIn, segment, first, channels, fms);
        Lanes.Load(in context, ResonanceIn, segment, first, channels, resonances);
        var singing = Vector128<float>.Zero;
        MatchedTuning tuning = default;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var octaves = pitches[i] + (fms[i] * Vector128.Create(fm.At(i)));
            turns = range.Turns(Vector128.Create(cutoff.At(i) * range.PerFrame) * FastMath.Exp2(octaves));
            k = Damping(Vector128.Create(resonance.At(i)) + (resonances[i] * Vector128.Create(amount.At(i) * 0.1f)));
            singing |= Vector128.LessThan(k, Vector128<float>.Zero);
            tuning = MatchedTuning.Of(turns, k);
            gains[i] = MatchedGains.Of(in tuning);
        }

        filter->Aim(in tuning, turns, k);
        return singing;
    }

    // One voice alone: its frames take the places of voices, four at once. True where it sings.
    private static bool TuneOne(MatchedSvf* filter, in ProcessContext context, int segment, MatchedGains* gains, out int step)
    {
        step = 0;
        if (StandStill(in context, segment, 0, out var turns, out var k))
        {
            filter->Still(turns, k, gains);
            return k.ToScalar() < 0f;
        }

        step = 1;
        var cutoff = new GridRamp(in context, Cutoff, segment);
        var resonance = new GridRamp(in context, Resonance, segment);
        var fm = new GridRamp(in context, Fm, segment);
        var amount = new GridRamp(in context, ResonanceAmount, segment);
        var range = new Range(in context, 0);
        var at = segment * Limits.Grid;
        var pitches = context.In(PitchIn) + at;
        var fms = context.In(FmIn) + at;
        var resonances = context.In(ResonanceIn) + at;
        var singing = Vector128<float>.Zero;
        MatchedTuning tuning = default;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var octaves = Vector128.Load(pitches + i) + (Vector128.Load(fms + i) * fm.Four(i));
            turns = range.Turns(cutoff.Four(i) * Vector128.Create(range.PerFrame) * FastMath.Exp2(octaves));
            k = Damping(resonance.Four(i) + (Vector128.Load(resonances + i) * (amount.Four(i) * Vector128.Create(0.1f))));
            singing |= Vector128.LessThan(k, Vector128<float>.Zero);
            tuning = MatchedTuning.Of(turns, k);
            gains[i / 4] = MatchedGains.Of(in tuning);
        }

        // The last frame's belong to the voice, which is the first lane.
        (tuning.G, tuning.K) = (Vector128.Create(tuning.G[3]), Vector128.Create(tuning.K[3]));
        filter->Aim(in tuning, Vector128.Create(turns[3]), Vector128.Create(k[3]));
        return singing != Vector128<float>.Zero;
    }

    // What a cutoff may be, in turns a frame of the filter.
    private readonly struct Range(in ProcessContext context, int doublings)
    {
        public readonly float PerFrame = 1f / context.SampleRate;
        private readonly float _highest = Math.Min(20_000f / context.SampleRate, 0.455f);
        private readonly float _scale = doublings == 0 ? 1f : 0.5f;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector128<float> Turns(Vector128<float> turns) =>
            Lanes.Within(turns, Vector128.Create(PerFrame), Vector128.Create(_highest)) * Vector128.Create(_scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Damping(Vector128<float> r)
    {
        r = Lanes.Within(r, Vector128<float>.Zero, Vector128<float>.One);
        var away = Vector128<float>.One - r;
        return (Vector128.Create(2f) * away * away) - (Vector128.Create(MostNegative) * r);
    }

    // The morph output: two neighbours of the four, a straight line between them. The four lie side by side for four voices each.
    private static void Mix(in ProcessContext context, int segment, int voice, float* target, float* low)
    {
        var morph = new GridRamp(in context, Morph, segment);
        var amount = new GridRamp(in context, MorphAmount, segment);
        var cv = context.In(MorphIn, voice) + (segment * Limits.Grid);
        var band = low + (4 * Limits.Grid);
        var high = band + (4 * Limits.Grid);
        var notch = high + (4 * Limits.Grid);
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var at = morph.Four(i) + (Vector128.Load(cv + i) * (amount.Four(i) * Vector128.Create(0.1f)));
            at = Lanes.Within(at, Vector128<float>.Zero, Vector128<float>.One) * Vector128.Create(3f);
            var y = (Vector128.Load(low + i) * Near(at, 0f)) + (Vector128.Load(band + i) * Near(at, 1f));
            (y + ((Vector128.Load(high + i) * Near(at, 2f)) + (Vector128.Load(notch + i) * Near(at, 3f)))).Store(target + i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Near(Vector128<float> at, float place) =>
        Vector128.MaxNative(Vector128<float>.One - Vector128.Abs(at - Vector128.Create(place)), Vector128<float>.Zero);

    private static bool Settle(Oversampler* resamplers, Vector128<float> quiet)
    {
        var peak = Vector128<float>.Zero;
        for (var i = 0; i < Resamplers; i++) peak = Vector128.MaxNative(peak, resamplers[i].Peak());
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        for (var i = 0; i < Resamplers; i++) resamplers[i].Clear(mask);
        return Vector128.EqualsAll(mask.AsInt32(), Vector128.Create(-1));
    }
}
