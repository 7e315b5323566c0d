// Pitch Shifter: the same sound higher or lower, as long as it was.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// A delay line read at another speed; where the delay runs out of its range, the read point jumps to the place in the past that is most
/// like the present one (Roucos and Wilgus, High Quality Time-Scale Modification for Speech, ICASSP 1985: synchronised overlap-add;
/// Dattorro, Effect Design 2, JAES 1997). The place is found by normalised correlation at a sixth of 48 kHz, then to a part of a sample, and
/// the crossfade keeps the power that the correlation promises. A periodic sound comes out as one, its ratio exact.
/// The delay is the declared latency, plus or minus half of the splice's range.
/// It keeps no formants: within a splice the output is the input at another speed, so that its whole spectrum, envelope and all, is scaled
/// by the ratio. To keep the envelope takes a second method around this one (prediction or a cepstrum), with its own latency and errors.
/// </summary>
public unsafe struct PitchShifter : IModule<PitchShifter>
{
    private const int SoundIn = 0, PitchIn = 1;
    private const int Shift = 0, Fine = 1, Amount = 2, Mix = 3;
    private const int QualitySetting = 0, ChannelsSetting = 1;
    private const float MostOctaves = 2f;
    private const float FadeSeconds = 0.008f, ShortestJumpSeconds = 0.0025f;

    // Points that the fine search compares.
    private const int FinePoints = 256;
    private const int MostCoarse = 1024;

    private Voice* _voices;
    private float* _table;
    private double _nominal, _lowest, _range;
    private int _channels, _ring, _coarse, _step, _window, _shortest, _fade;

    private struct Voice
    {
        // Twice the ring, so that every stretch of it lies in one piece; the same of every _step frames' mean.
        public float* Past;
        public float* Coarse;
        public double Delay, OldDelay;
        public float Octaves, Likeness, Mean, Fade, FadeStep;
        public int Written, CoarseWritten, Quiet;
        public bool Running;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "pitch-shifter",
        Name = "Pitch Shifter",
        Family = "Space",
        Text = "Plays a sound higher or lower without making it shorter or longer.",
        Help = """
            A pitch shifter adds a second voice to what it hears: an octave below a bass, a fifth above a lead, a few cents beside a chord
            so that it grows wide. It reads the recent past of the sound faster or slower, and jumps back or forth where the sound repeats
            itself.

            One note at a time, spoken words and drums work best. Chords far from their pitch get a flutter, which is how often it has to
            jump. High quality listens further back: better for bass and for chords, with twice the latency. Each voice of a wide cable is
            shifted by itself: set channels to as many.

            The pitch input takes 1 V an octave and is added to the knobs. Formants, which make a vowel, move with the pitch, by the same
            ratio: voices become dwarfs and giants. That is no fault of it but what reading a tape faster does; a vowel filter behind it
            puts others in their place.

            Try a sawtooth line with shift at -12 and mix at 0.5. Then the output into a delay whose output comes back into the shifter,
            with shift at 12 and mix at 1: every echo climbs an octave.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be shifted."),
            new PortDescriptor("pitch", "Pitch", "1 V an octave, on top of the knobs."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The sound and its shifted copy.", ChannelRule.Setting, ChannelsSetting)],
        Parameters =
        [
            new ParameterDescriptor("shift", "Shift", "semitones", -24f, 24f, 7f, ParameterCurve.Linear,
                "How much higher or lower."),
            new ParameterDescriptor("fine", "Fine", "cents", -100f, 100f, 0f, ParameterCurve.Linear, "The same in hundredths of it."),
            new ParameterDescriptor("amount", "CV amount", "", -1f, 1f, 1f, ParameterCurve.Linear, "How much of the pitch input counts."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 0.5f, ParameterCurve.Linear,
                "0 is the sound alone, 1 the shifted one alone."),
        ],
        Settings =
        [
            new SettingDescriptor("quality", "Quality", 0, 1, 0, "How far back it looks for a place to jump to.", "standard", "high"),
            new SettingDescriptor("channels", "Channels", 1, Limits.MaxChannels, 1, "Voices it shifts, each by itself."),
        ],
        HasTail = true,
    };

    public static long SharedBytes(float sampleRate) => SincTable.Floats * sizeof(float);

    public static void BuildShared(void* shared, float sampleRate) => SincTable.Build((float*)shared);

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Voice>(setup.Settings[ChannelsSetting]);
        for (var i = 0; i < setup.Settings[ChannelsSetting]; i++)
        {
            need.Need<float>(2 * RingFrames(in setup));
            need.Need<float>(2 * MostCoarse);
        }
    }

    public static void Construct(ref PitchShifter self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._channels = setup.Settings[ChannelsSetting];
        self._voices = memory.Take<Voice>(self._channels);
        self._ring = RingFrames(in setup);
        for (var i = 0; i < self._channels && !memory.Overdrawn; i++)
        {
            self._voices[i].Past = memory.Take<float>(2 * self._ring);
            self._voices[i].Coarse = memory.Take<float>(2 * MostCoarse);
        }

        if (memory.Overdrawn) return;
        self._table = (float*)setup.Shared;
        self._step = CoarseStep(setup.SampleRate);
        self._range = Math.Round(Seconds(in setup) * setup.SampleRate);
        self._coarse = (int)(self._range / self._step);
        self._window = Math.Min(self._coarse, MostCoarse / 4) & ~3;
        self._shortest = (int)(ShortestJumpSeconds * setup.SampleRate / self._step);
        self._fade = (int)(FadeSeconds * setup.SampleRate);
        self._lowest = (SincTable.Taps / 2) + 2;
        self._nominal = self._lowest + Math.Round(self._range / 2.0);
        timing.LatencyFrames = (int)self._nominal;
        timing.TailFrames = self._ring + Limits.MaxQuantum;
        Reset(ref self);
    }

    public static void Reset(ref PitchShifter self)
    {
        for (var i = 0; i < self._channels; i++)
        {
            Block.Clear(self._voices[i].Past, 2 * self._ring);
            Block.Clear(self._voices[i].Coarse, 2 * MostCoarse);
            self._voices[i].Quiet = self._ring;
            self.Rest(self._voices + i);
        }
    }

    public static ProcessResult Process(ref PitchShifter self, in ProcessContext context)
    {
        var asleep = true;
        for (var voice = 0; voice < self._channels; voice++)
        {
            var v = self._voices + voice;
            for (var segment = 0; segment < context.Segments; segment++) self.Segment(v, in context, segment, voice);
            if (v->Quiet >= self._ring) self.Rest(v);
            else asleep = false;
        }

        return asleep && context.Inputs[SoundIn].Silent ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static float Seconds(in InstanceSetup setup) => setup.Settings[QualitySetting] == 0 ? 0.025f : 0.06f;

    // 6 kHz and a half of it are enough to find the period of anything.
    private static int CoarseStep(float rate) => rate < 70_000f ? 8 : rate < 140_000f ? 16 : 32;

    // What the farthest comparison reaches back, as a power of two.
    private static int RingFrames(in InstanceSetup setup)
    {
        var frames = (4f * Seconds(in setup) * setup.SampleRate) + (4f * FadeSeconds * setup.SampleRate) + 256f;
        var ring = 1024;
        while (ring < frames) ring *= 2;
        return ring;
    }

    // Nothing is heard and nothing is stored: as after reset, so that a sleeper goes on as if it had been awake.
    private readonly void Rest(Voice* v)
    {
        v->Delay = _nominal;
        v->OldDelay = _nominal;
        v->Octaves = v->Likeness = v->Mean = v->FadeStep = 0f;
        v->Fade = 1f;
        v->Written = v->CoarseWritten = 0;
        v->Running = false;
    }

    private readonly void Segment(Voice* v, in ProcessContext context, int segment, int channel)
    {
        var at = segment * Limits.Grid;
        var source = context.In(SoundIn, channel) + at;
        var target = context.Out(0, channel) + at;
        var octaves = (context.Param(Shift, segment + 1) * (1f / 12f)) + (context.Param(Fine, segment + 1) * (1f / 1200f))
            + (context.Param(Amount, segment + 1) * context.In(PitchIn, channel)[at + Limits.Grid - 1]);
        if (!(octaves >= -MostOctaves)) octaves = -MostOctaves;
        octaves = Math.Min(octaves, MostOctaves);
        if (!v->Running) v->Octaves = octaves;
        v->Running = true;
        double from = FastMath.Exp2(v->Octaves), to = FastMath.Exp2(octaves);
        var width = SincTable.ForOctaves(_table, Math.Max(v->Octaves, octaves));
        v->Octaves = octaves;

        Take(v, source);
        if (v->FadeStep == 0f) Jump(v, Math.Max(from, to), Math.Min(from, to));

        var mix = new GridRamp(in context, Mix, segment);
        var slope = (to - from) / Limits.Grid;
        var mask = _ring - 1;
        var (delay, old, fade, step) = (v->Delay, v->OldDelay, v->Fade, v->FadeStep);
        var farthest = (double)(_ring - 64);
        for (var i = 0; i < Limits.Grid; i++)
        {
            // The newest sample of this frame lies Grid - 1 - i before the newest there is.
            var newest = v->Written - Limits.Grid + i;
            var wet = Read(v->Past, width, newest, delay, mask);
            if (step != 0f)
            {
                var before = Read(v->Past, width, newest, old, mask);
                var rest = 1f - fade;
                wet = ((wet * fade) + (before * rest)) / MathF.Sqrt((fade * fade) + (rest * rest) + (2f * v->Likeness * fade * rest));
                fade += step;
                if (fade >= 1f)
                {
                    fade = 1f;
                    step = 0f;
                }
            }

            var move = 1.0 - (from + (slope * i));
            delay = Math.Min(Math.Max(delay + move, _lowest), farthest);
            old = Math.Min(Math.Max(old + move, _lowest), farthest);
            var w = mix.At(i);
            target[i] = (source[i] * (1f - w)) + (wet * w);
        }

        (v->Delay, v->OldDelay, v->Fade, v->FadeStep) = (delay, old, fade, step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Read(float* past, float* width, int newest, double delay, int mask)
    {
        // Whole frames back, and what a value lies behind the older of its neighbours.
        var back = (int)delay;
        var t = 1.0 - (delay - back);
        if (t >= 1.0) t = 0.0;
        else back++;
        return SincTable.At(width, past + ((newest - back - ((SincTable.Taps / 2) - 1)) & mask), (float)t);
    }

    private readonly void Take(Voice* v, float* source)
    {
        var at = v->Written & (_ring - 1);
        var silent = true;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var x = Vector128.Load(source + i);
            x.Store(v->Past + at + i);
            x.Store(v->Past + _ring + at + i);
            silent &= Vector128.EqualsAll(x, Vector128<float>.Zero);
        }

        v->Written = (v->Written + Limits.Grid) & 0x3FFF_FFFF;
        v->Quiet = silent ? Math.Min(v->Quiet + Limits.Grid, _ring) : 0;
        for (var i = 0; i < Limits.Grid; i++)
        {
            v->Mean += source[i];
            if (((at + i + 1) & (_step - 1)) != 0) continue;
            var place = v->CoarseWritten & (MostCoarse - 1);
            v->Coarse[place] = v->Coarse[place + MostCoarse] = v->Mean;
            v->CoarseWritten = (v->CoarseWritten + 1) & 0x3FFF_FFFF;
            v->Mean = 0f;
        }
    }

    // Begins a crossfade where the delay will have left its range by the crossfade's end.
    private readonly void Jump(Voice* v, double fastest, double slowest)
    {
        var frames = Math.Min(_fade, 0.4 * _range / Math.Max(Math.Max(fastest - 1.0, 1.0 - slowest), 1e-3));
        var back = fastest > 1.0 && v->Delay - ((fastest - 1.0) * (frames + Limits.Grid)) < _lowest;
        var forth = slowest < 1.0 && v->Delay > _lowest + _range + 1.0;
        if (!back && !forth) return;

        var jump = Search(v, v->Delay, back ? 1 : -1);
        v->OldDelay = v->Delay;
        v->Delay += back ? jump : -jump;
        v->Fade = 0f;
        v->FadeStep = (float)(1.0 / Math.Max(frames, 16.0));
    }

    // Frames of the best jump, and how like the two places are.
    private readonly double Search(Voice* v, double delay, int direction)
    {
        var here = v->CoarseWritten - 1 - (int)(delay / _step);
        var mask = MostCoarse - 1;
        var reference = v->Coarse + ((here - _window) & mask);
        var (best, place) = (-2f, _coarse);
        for (var lag = _shortest; lag <= _coarse; lag++)
        {
            var score = Likeness(reference, v->Coarse + ((here - _window - (direction * lag)) & mask), _window);

            // Among equals the longest jump: fewer of them.
            score += 0.02f * lag / _coarse;
            if (!(score > best)) continue;
            (best, place) = (score, lag);
        }

        // To the frame, and by a parabola to a part of it.
        var stride = _step >> 3;
        var fine = v->Past;
        var (centre, origin) = (place * _step, v->Written - 1 - (int)delay - (FinePoints * stride));
        var scores = stackalloc float[67];
        var (top, peak) = (-2f, _step);
        for (var i = 0; i <= 2 * _step; i++)
        {
            var lag = centre - _step + i;
            scores[i] = Likeness(fine, origin, origin - (direction * lag), stride);
            if (scores[i] > top) (top, peak) = (scores[i], i);
        }

        v->Likeness = Math.Max(0f, Math.Min(top, 1f));
        var shift = 0.0;
        if (peak > 0 && peak < 2 * _step)
        {
            // A float does not tell neighbouring lags of a low note from each other.
            var lag = direction * (centre - _step + peak);
            var a = Precise(fine, origin, origin - lag + direction, stride);
            var b = Precise(fine, origin, origin - lag, stride);
            var c = Precise(fine, origin, origin - lag - direction, stride);
            var bend = a - (2.0 * b) + c;
            if (bend < -1e-12) shift = Math.Max(-0.5, Math.Min(0.5 * (a - c) / bend, 0.5));
        }

        return Math.Max(1.0, centre - _step + peak + shift);
    }

    private static float Likeness(float* a, float* b, int count)
    {
        var (both, one, other) = (Vector128<float>.Zero, Vector128<float>.Zero, Vector128<float>.Zero);
        for (var i = 0; i < count; i += 4)
        {
            Vector128<float> x = Vector128.Load(a + i), y = Vector128.Load(b + i);
            both += x * y;
            one += x * x;
            other += y * y;
        }

        return Vector128.Sum(both) / MathF.Sqrt((Vector128.Sum(one) * Vector128.Sum(other)) + 1e-20f);
    }

    private readonly float Likeness(float* past, int first, int second, int stride)
    {
        var mask = _ring - 1;
        if (stride == 1) return Likeness(past + (first & mask), past + (second & mask), FinePoints);
        var (both, one, other) = (0f, 0f, 0f);
        for (var i = 0; i < FinePoints; i++)
        {
            float x = past[(first + (i * stride)) & mask], y = past[(second + (i * stride)) & mask];
            both += x * y;
            one += x * x;
            other += y * y;
        }

        return both / MathF.Sqrt((one * other) + 1e-20f);
    }

    private readonly double Precise(float* past, int first, int second, int stride)
    {
        var mask = _ring - 1;
        var (both, one, other) = (0.0, 0.0, 0.0);
        for (var i = 0; i < FinePoints; i++)
        {
            double x = past[(first + (i * stride)) & mask], y = past[(second + (i * stride)) & mask];
            both += x * y;
            one += x * x;
            other += y * y;
        }

        return both / Math.Sqrt((one * other) + 1e-30);
    }
}
