// Sample Player: a recording at any pitch, started by a gate.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Plays an asset (full scale = 5 V) at asset rate / sample rate * 2^pitch, by cubic interpolation. When an asset arrives, a job off
/// the RT threads finds its peak, for Normalise, and 128 places where it rises through zero, at which playing may start without a click;
/// until its reply comes, starts are where the knob says and the gain is 1.
/// A start while the voice still sounds slides from the old sound to the new within a few milliseconds.
/// </summary>
public unsafe struct SamplePlayer : IModule<SamplePlayer>
{
    private const int GateIn = 0, PitchIn = 1;
    private const int Tune = 0, Level = 1, Start = 2, LengthParam = 3, Mode = 4, Normalise = 5;
    private const int Once = 0, Loop = 2;
    private const int Analyse = 1;
    private const int Places = 128;
    private const int SearchFrames = 4096;
    private const float Volts = 5f;
    private const float FadeSeconds = 0.004f;
    private const float SlideSeconds = 0.001f;

    // What Normalise may amplify: 40 dB; more would only raise noise.
    private const float MostGain = 100f;

    private nint _sample;
    private Voice* _voices;
    private long* _places;
    private float _peakGain, _gain, _fade, _slide;
    private uint _serial;
    private bool _analysed, _asked, _running;

    private struct Voice
    {
        public SchmittTrigger Gate;
        public double At, Begin, End;
        public float Fade, FadeStep;
        public float Left, Right, SlideLeft, SlideRight;
        public bool Plays;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "sample-player",
        Name = "Sample Player",
        Family = "Sources",
        Text = "Plays a recording at any pitch, once, as long as a gate is open, or in a loop.",
        Inputs =
        [
            new PortDescriptor("gate", "Gate", "Starts the sample; unpatched, it starts by itself."),
            new PortDescriptor("pitch", "Pitch", "1 V an octave; 0 V is as recorded."),
        ],
        Outputs =
        [
            new PortDescriptor("left", "Left", "Left channel, or the only one."),
            new PortDescriptor("right", "Right", "Right channel, or the only one."),
        ],
        Parameters =
        [
            new ParameterDescriptor("tune", "Tune", "V/oct", -4f, 4f, 0f, ParameterCurve.Linear,
                "Pitch, in octaves from the recorded one."),
            new ParameterDescriptor("level", "Level", "", 0f, 2f, 1f, ParameterCurve.Linear, "Volume; 1 plays full scale as 5 V."),
            new ParameterDescriptor("start", "Start", "", 0f, 1f, 0f, ParameterCurve.Linear,
                "Where in the recording it begins, taken at each start."),
            new ParameterDescriptor("length", "Length", "", 0f, 1f, 1f, ParameterCurve.Linear,
                "How much of the recording is played from there, taken at each start."),
            new ParameterDescriptor("mode", "Mode", "", 0f, 2f, 0f, ParameterCurve.Stepped,
                "To the end, while the gate is open, or round and round while it is.", "once", "gate", "loop"),
            new ParameterDescriptor("normalise", "Normalise", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "Brings quiet recordings up to full level.", "off", "on"),
        ],
        Assets = [new AssetDescriptor("sample", "Sample", "The recording.")],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Voice>(Limits.MaxChannels);
        need.Need<long>(Places);
    }

    public static void Construct(ref SamplePlayer self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._places = memory.Take<long>(Places);
        self._peakGain = 1f;
        self._fade = 1f / (FadeSeconds * setup.SampleRate);
        self._slide = FastMath.Exp2(-1.442695f / (SlideSeconds * setup.SampleRate));
        timing.TailFrames = -1;
    }

    public static void Reset(ref SamplePlayer self)
    {
        new Span<Voice>(self._voices, Limits.MaxChannels).Clear();
        self._running = false;
    }

    public static void AssetChanged(ref SamplePlayer self, int slot, Asset* asset)
    {
        var usable = asset != null && asset->Frames >= 2 && asset->Channels >= 1 && asset->Rate > 0f;
        Volatile.Write(ref self._sample, usable ? (nint)asset : 0);
        self._serial++;
        self._analysed = false;
        self._asked = !usable;
        self._peakGain = 1f;
        for (var i = 0; i < Limits.MaxChannels; i++) self._voices[i].Plays = false;
    }

    /// <summary>
    /// Finds peak and starting places. The asset is freed by the thread that runs this, so the one read here stays while this runs;
    /// the places are read by process only after the reply for the same asset, and written only while there is none.
    /// </summary>
    public static void Work(ref SamplePlayer self, ref WorkJob job)
    {
        var asset = (Asset*)Volatile.Read(ref self._sample);
        job.Result = 0;
        if (job.Kind != Analyse || asset == null) return;

        var peak = 0f;
        for (var channel = 0; channel < asset->Channels; channel++)
        {
            var samples = Asset.Channel(asset, channel);
            for (long i = 0; i < asset->Frames; i++) peak = Math.Max(peak, Math.Abs(samples[i]));
        }

        for (var place = 0; place < Places; place++) self._places[place] = RisingZeroNear(asset, place * asset->Frames / Places);
        var gain = peak > 0f ? Math.Min(1f / peak, MostGain) : 1f;
        job.Result = (job.Argument << 32) | BitConverter.SingleToUInt32Bits(gain);
    }

    public static ProcessResult Process(ref SamplePlayer self, in ProcessContext context)
    {
        if (context.TryTakeReply(out _, out var result) && (uint)(result >> 32) == self._serial && self._serial != 0)
        {
            self._peakGain = BitConverter.UInt32BitsToSingle((uint)result);
            self._analysed = true;
        }

        if (!self._asked) self._asked = context.RequestWork(Analyse, self._serial);

        var channels = context.Outputs[0].Channels;
        var asleep = self._analysed && (context.Inputs[GateIn].Silent || !context.Inputs[GateIn].Connected);
        for (var segment = 0; segment < context.Segments; segment++)
        {
            // Normalise switches in as a glide: a jump of level in a playing sound would click.
            var wanted = context.Param(Normalise, segment) >= 0.5f ? self._peakGain : 1f;
            if (!self._running) self._gain = wanted;
            self._running = true;
            var next = self._gain + ((wanted - self._gain) * 0.1f);
            if (Math.Abs(next - wanted) < 1e-5f * wanted) next = wanted;
            for (var voice = 0; voice < channels; voice++) self.Segment(in context, segment, voice, new GridRamp(self._gain, next));
            asleep &= self._gain == wanted;
            self._gain = next;
        }

        for (var voice = 0; voice < channels; voice++)
        {
            var v = self._voices + voice;
            asleep &= !v->Plays && v->SlideLeft == 0f && v->SlideRight == 0f
                && Block.IsZero(context.Out(0, voice), context.Frames) && Block.IsZero(context.Out(1, voice), context.Frames);
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private readonly Asset* Sample => (Asset*)_sample;

    private readonly void Segment(in ProcessContext context, int segment, int voice, GridRamp gain)
    {
        var v = _voices + voice;
        var tune = new GridRamp(in context, Tune, segment);
        var level = new GridRamp(in context, Level, segment);
        var mode = (int)(context.Param(Mode, segment) + 0.5f);
        var at = segment * Limits.Grid;
        var gate = context.In(GateIn, voice) + at;
        var pitch = context.In(PitchIn, voice) + at;
        var left = context.Out(0, voice) + at;
        var right = context.Out(1, voice) + at;
        var patched = context.Inputs[GateIn].Connected;
        var ratio = Sample == null ? 0.0 : (double)Sample->Rate / context.SampleRate;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var wasOpen = v->Gate.IsHigh;
            if (Sample == null) left[i] = right[i] = 0f;
            var starts = v->Gate.Rises(patched ? gate[i] : Sample == null ? 0f : SchmittTrigger.High);
            if (Sample == null)
            {
                v->Plays = false;
                v->SlideLeft = v->SlideRight = v->Left = v->Right = 0f;
                continue;
            }

            var sounded = v->Plays || v->SlideLeft != 0f || v->SlideRight != 0f;
            if (starts) Begin(v, in context, segment);
            else if (wasOpen && !v->Gate.IsHigh && mode != Once) v->FadeStep = -_fade;

            var (l, r) = (0f, 0f);
            if (v->Plays)
            {
                var loops = mode == Loop;
                l = Read(Sample, 0, v->At, v->Begin, v->End, loops) * v->Fade;
                r = Read(Sample, Math.Min(1, Sample->Channels - 1), v->At, v->Begin, v->End, loops) * v->Fade;
                var step = ratio * FastMath.Exp2(tune.At(i) + Math.Clamp(pitch[i], -12f, 12f));
                v->At += step;

                // A part cut out of a recording does not end by itself.
                if (!loops && v->FadeStep == 0f && v->End < Sample->Frames && (v->End - v->At) * _fade <= step) v->FadeStep = -_fade;
                v->Fade = Math.Max(v->Fade + v->FadeStep, 0f);
                if (loops && v->At >= v->End) v->At = v->Begin + ((v->At - v->Begin) % (v->End - v->Begin));
                if (v->At >= v->End || v->Fade == 0f) v->Plays = false;
            }

            if (starts && sounded)
            {
                v->SlideLeft = v->Left - l;
                v->SlideRight = v->Right - r;
            }

            v->Left = l + v->SlideLeft;
            v->Right = r + v->SlideRight;
            v->SlideLeft = Denormal.Flush(v->SlideLeft * _slide);
            v->SlideRight = Denormal.Flush(v->SlideRight * _slide);
            var volume = Volts * level.At(i) * gain.At(i);
            left[i] = v->Left * volume;
            right[i] = v->Right * volume;
        }
    }

    private readonly void Begin(Voice* v, in ProcessContext context, int segment)
    {
        var frames = (double)Sample->Frames;
        v->Begin = Place(context.Param(Start, segment));
        v->End = Math.Min(v->Begin + Math.Max(context.Param(LengthParam, segment) * frames, 2.0), frames);
        v->Begin = Math.Min(v->Begin, v->End - 2.0);
        v->At = v->Begin;
        v->Fade = 1f;
        v->FadeStep = 0f;
        v->Plays = true;
    }

    private readonly double Place(float start)
    {
        if (!_analysed) return Math.Floor(start * (double)Sample->Frames);
        return _places[Math.Clamp((int)(start * Places), 0, Places - 1)];
    }

    // Around the ends a loop reads its other end, anything else reads zeros.
    private static float Read(Asset* asset, int channel, double at, double begin, double end, bool loops)
    {
        var samples = Asset.Channel(asset, channel);
        var whole = (long)at;
        var t = (float)(at - whole);
        var (first, last) = ((long)begin, (long)end);
        if (whole - 1 >= first && whole + 2 < last)
            return Hermite.At(samples[whole - 1], samples[whole], samples[whole + 1], samples[whole + 2], t);
        return Hermite.At(
            Edge(samples, whole - 1, first, last, loops), Edge(samples, whole, first, last, loops),
            Edge(samples, whole + 1, first, last, loops), Edge(samples, whole + 2, first, last, loops), t);
    }

    private static float Edge(float* samples, long at, long first, long last, bool loops)
    {
        if (at >= first && at < last) return samples[at];
        if (!loops) return 0f;
        var length = last - first;
        return samples[first + ((((at - first) % length) + length) % length)];
    }

    private static long RisingZeroNear(Asset* asset, long wanted)
    {
        if (wanted == 0) return 0;
        var samples = Asset.Channel(asset, 0);
        for (var distance = 0; distance < SearchFrames; distance++)
        {
            var (before, after) = (wanted - distance, wanted + distance);
            if (before >= 1 && samples[before - 1] < 0f && samples[before] >= 0f) return before;
            if (after < asset->Frames && samples[after - 1] < 0f && samples[after] >= 0f) return after;
        }

        return wanted;
    }
}
