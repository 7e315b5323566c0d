// Sample Player: a recording at any pitch, started by a gate.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Plays an asset (full scale = 5 V) at asset rate / sample rate * 2^pitch, band-limited (see <see cref="SincKernel"/>). When an asset
/// arrives, a job off
/// the RT threads finds its peak, for Normalise, and 128 places where it rises through zero, at which playing may start without a click;
/// until its reply comes, starts are where the knob says and the gain is 1.
/// A start while the voice still sounds, or in the middle of a slice, slides from the old sound to the new within a few milliseconds.
/// In a loop the loop points of the file are used where they lie within the part that is played.
/// With Overlap at n, the last n starts of a channel sound together; one more takes the place of the oldest or the quietest, which fades
/// out within 4 ms under the new one. Only the newest follows the pitch input: the others keep the pitch they had.
/// </summary>
public unsafe struct SamplePlayer : IModule<SamplePlayer>
{
    private const int GateIn = 0, PitchIn = 1, SliceIn = 2, StartIn = 3, LengthIn = 4;
    private const int Tune = 0, Level = 1, Start = 2, LengthParam = 3, Mode = 4, Normalise = 5, Slices = 6;
    private const int Reverse = 7, Root = 8, Steal = 9;
    private const int Once = 0, Loop = 2;
    private const int Analyse = 1, MostOverlap = 8;
    private const int Places = 128;
    private const int SearchFrames = 4096;
    private const float Volts = 5f;
    private const float FadeSeconds = 0.004f;
    private const float SlideSeconds = 0.001f;

    // How long a sound that was loud counts as loud: no period that can be heard is longer.
    private const float LoudSeconds = 0.03f;

    // What Normalise may amplify: 40 dB; more would only raise noise.
    private const float MostGain = 100f;

    private nint _sample;
    private Voice* _voices;
    private Player* _players;
    private long* _places;
    private float* _table;
    private float* _edges;
    private float _peakGain, _gain, _fade, _slide, _forget, _speed;
    private uint _serial;
    private int _overlap, _each;
    private bool _analysed, _asked, _running;

    private struct Voice
    {
        public SchmittTrigger Gate;
        public uint Starts;
    }

    // One start of a voice. The last of a voice's players is there for the one that has to go.
    private struct Player
    {
        public uint Start;
        public float Octaves, Loud;
        public double At, Begin, End, LoopBegin, LoopEnd;
        public float Fade, FadeStep;
        public float Left, Right, SlideLeft, SlideRight;
        public bool Plays, Backwards, Looped, Slides;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "sample-player",
        Name = "Sample Player",
        Family = "Sources",
        Text = "Plays a recording, or slices of it, at any pitch, forwards or backwards, once or in a loop.",
        Help = """
            Plays a recording: a drum, a voice, a whole loop. A gate starts it, Mode says whether it plays to its end, as long as
            the gate is open, or round and round. Pitch follows 1 V an octave and stays clean upwards, as nothing above hearing
            folds back. Each channel of a wide cable is a voice of its own; a voice that is started while it still sounds slides
            over without a click.

            Start and Length cut a part out of the recording. Slices divides that part evenly, and the voltage at Slice picks one: a
            sequencer there rearranges a drum loop. All of it is taken at the moment of the start. In a loop, the loop points of the
            file are used if it has any. With Root on the file's note, 0 V plays it at middle C, so that several recordings are in
            tune with each other.

            Overlap, a setting, lets a cymbal ring on under its next strokes: so many starts of one channel sound at once, and Steal says
            which of them goes when one more comes. It goes without a click.

            Try a drum loop with Slices at 16, a clock into Gate and a random voltage into Slice. Then turn Reverse on, or play one short
            sound with a keyboard's pitch and gate in gate mode.
            """,
        Inputs =
        [
            new PortDescriptor("gate", "Gate", "Starts the sample; unpatched, it starts by itself."),
            new PortDescriptor("pitch", "Pitch", "1 V an octave; 0 V is as recorded."),
            new PortDescriptor("slice", "Slice", "Which slice is played: 0 to 10 V from the first to the last."),
            new PortDescriptor("start", "Start CV", "Moves the start; 10 V are the whole recording."),
            new PortDescriptor("length", "Length CV", "Changes the length; 10 V are the whole recording."),
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
            new ParameterDescriptor("slices", "Slices", "", 1f, 64f, 1f, ParameterCurve.Stepped, "Into how many parts it is divided."),
            new ParameterDescriptor("reverse", "Reverse", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Plays backwards.", "off", "on"),
            new ParameterDescriptor("root", "Root", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "What 0 V plays: the recorded pitch, or middle C by the note the file names.", "as recorded", "file's note"),
            new ParameterDescriptor("steal", "Steal", "", 0f, 1f, 0f, ParameterCurve.Stepped,
                "Which one gives way where more would sound at once than Overlap allows.", "oldest", "quietest"),
        ],
        Settings =
        [
            new SettingDescriptor("overlap", "Overlap", 1, MostOverlap, 1, "How many starts of one channel can sound at once."),
        ],
        Assets = [new AssetDescriptor("sample", "Sample", "The recording.")],
        HasTail = true,
    };

    public static long SharedBytes(float sampleRate) => SincKernel.Bytes;

    public static void BuildShared(void* shared, float sampleRate) => SincKernel.Build((float*)shared);

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        need.Need<Voice>(Limits.MaxChannels);
        need.Need<Player>(Limits.MaxChannels * Players(in setup));
        need.Need<long>(Places);
        need.Need<float>(SincKernel.MostTaps);
    }

    public static void Construct(ref SamplePlayer self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._overlap = setup.Settings[0];
        self._each = Players(in setup);
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._players = memory.Take<Player>(Limits.MaxChannels * self._each);
        self._places = memory.Take<long>(Places);
        self._edges = memory.Take<float>(SincKernel.MostTaps);
        self._table = (float*)setup.Shared;
        self._speed = setup.SampleRate;
        self._peakGain = 1f;
        self._fade = 1f / (FadeSeconds * setup.SampleRate);
        self._forget = FastMath.Exp2(-1.442695f / (LoudSeconds * setup.SampleRate));
        self._slide = FastMath.Exp2(-1.442695f / (SlideSeconds * setup.SampleRate));
        timing.TailFrames = -1;
    }

    public static void Reset(ref SamplePlayer self)
    {
        Block.Zero(self._voices, Limits.MaxChannels);
        Block.Zero(self._players, Limits.MaxChannels * self._each);
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
        for (var i = 0; i < Limits.MaxChannels * self._each; i++)
        {
            // What sounds slides to silence from where it is: the other file begins anywhere.
            var p = self._players + i;
            (p->SlideLeft, p->SlideRight) = Sounds(p) ? (p->Left, p->Right) : (0f, 0f);
            (p->Plays, p->Slides) = (false, false);
        }

        // A gate that is held, or not patched, starts the other file.
        for (var i = 0; i < Limits.MaxChannels; i++) self._voices[i].Gate = default;
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
            for (var i = 0; i < self._each; i++) asleep &= !Sounds(self._players + (voice * self._each) + i);
            asleep = asleep && Block.IsZero(context.Out(0, voice), context.Frames) && Block.IsZero(context.Out(1, voice), context.Frames);
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
        var ratio = Sample == null ? 0.0 : (double)Sample->Rate / _speed;
        var faster = FastMath.Log2(Vector128.CreateScalarUnsafe((float)ratio))[0];
        var root = Sample != null && context.Param(Root, segment) >= 0.5f && float.IsFinite(Sample->Root)
            ? Math.Min(Math.Max(Sample->Root, -6f), 6f) : 0f;
        var loops = mode == Loop;
        var players = _players + (voice * _each);
        for (var i = 0; i < Limits.Grid; i++)
        {
            var wasOpen = v->Gate.IsHigh;
            var starts = v->Gate.Rises(patched ? gate[i] : Sample == null ? 0f : SchmittTrigger.High);
            var (l, r) = (0f, 0f);
            if (Sample != null && starts)
            {
                var p = Choose(players, context.Param(Steal, segment) >= 0.5f);
                var slides = Sounds(p);
                if (!slides) p->Left = p->Right = 0f;
                Begin(p, in context, segment, i, voice);
                p->Start = ++v->Starts;
                p->Slides = slides || context.Param(Slices, segment) >= 1.5f || p->Backwards;
            }
            else if (wasOpen && !v->Gate.IsHigh && mode != Once)
            {
                for (var n = 0; n < _each; n++) players[n].FadeStep = -_fade;
            }

            for (var n = 0; n < _each; n++)
            {
                var p = players + n;
                if (!Sounds(p)) continue;
                if (p->Start == v->Starts) p->Octaves = tune.At(i) + Math.Min(Math.Max(pitch[i], -12f), 12f) - root;
                Next(p, ratio, faster, loops);
                l += p->Left;
                r += p->Right;
            }

            var volume = Volts * level.At(i) * gain.At(i);
            left[i] = l * volume;
            right[i] = r * volume;
        }
    }

    private static int Players(in InstanceSetup setup) => setup.Settings[0] == 1 ? 1 : setup.Settings[0] + 1;

    private static bool Sounds(Player* p) => p->Plays || p->SlideLeft != 0f || p->SlideRight != 0f;

    // The next frame of one start.
    private readonly void Next(Player* p, double ratio, float faster, bool loops)
    {
        var (l, r) = (0f, 0f);
        if (p->Plays)
        {
            var kernel = SincKernel.Of(_table, p->Octaves + faster);
            l = Read(p, in kernel, 0, loops) * p->Fade;
            r = Sample->Channels > 1 ? Read(p, in kernel, 1, loops) * p->Fade : l;
            Advance(p, ratio * FastMath.Exp2(p->Octaves), loops);
        }

        if (p->Slides)
        {
            p->SlideLeft = p->Left - l;
            p->SlideRight = p->Right - r;
            p->Slides = false;
        }

        p->Left = l + p->SlideLeft;
        p->Right = r + p->SlideRight;
        p->SlideLeft = Denormal.Flush(p->SlideLeft * _slide);
        p->SlideRight = Denormal.Flush(p->SlideRight * _slide);
        p->Loud = Math.Max(p->Loud * _forget, Math.Max(Math.Abs(p->Left), Math.Abs(p->Right)));
    }

    // Who plays a new start. Where as many sound as may, one of them fades out; where nobody is free, the one that is quietest already
    // starts anew and slides over.
    private readonly Player* Choose(Player* players, bool quietest)
    {
        if (_each == 1) return players;
        var sounding = 0;
        Player* free = null, gone = null, victim = null;
        for (var n = 0; n < _each; n++)
        {
            var p = players + n;
            if (!Sounds(p))
            {
                free = p;
                continue;
            }

            if (gone == null || p->Fade < gone->Fade) gone = p;
            if (!p->Plays || p->FadeStep != 0f) continue;
            sounding++;
            if (victim == null || (quietest ? p->Loud < victim->Loud : p->Start < victim->Start)) victim = p;
        }

        if (sounding >= _overlap && victim != null) victim->FadeStep = -_fade;
        return free != null ? free : gone;
    }

    private readonly void Advance(Player* v, double step, bool loops)
    {
        v->At += v->Backwards ? -step : step;

        // A part cut out of a recording does not end by itself.
        var left = v->Backwards ? v->At - v->Begin : v->End - v->At;
        var cut = v->Backwards ? v->Begin > 0.0 : v->End < Sample->Frames;
        if (!loops && v->FadeStep == 0f && cut && left * _fade <= step) v->FadeStep = -_fade;
        v->Fade = Math.Max(v->Fade + v->FadeStep, 0f);
        if (loops && (v->Backwards ? v->At < v->LoopBegin : v->At >= v->LoopEnd))
        {
            var length = v->LoopEnd - v->LoopBegin;
            var beyond = v->Backwards ? v->LoopEnd - v->At : v->At - v->LoopBegin;
            beyond -= length * Math.Floor(beyond / length);
            v->At = v->Backwards ? v->LoopEnd - beyond : v->LoopBegin + beyond;
            if (v->At >= v->LoopEnd) v->At = v->LoopBegin;
            v->Looped = true;
        }

        if (v->At >= v->End || v->At < v->Begin || v->Fade == 0f) v->Plays = false;
    }

    private readonly void Begin(Player* v, in ProcessContext context, int segment, int frame, int voice)
    {
        var at = (segment * Limits.Grid) + frame;
        var frames = (double)Sample->Frames;
        var start = Part(context.Param(Start, segment) + (0.1f * context.In(StartIn, voice)[at]));
        var length = Part(context.Param(LengthParam, segment) + (0.1f * context.In(LengthIn, voice)[at]));
        v->Begin = Place(start);
        v->End = Math.Min(v->Begin + Math.Max(length * frames, 2.0), frames);
        v->Begin = Math.Min(v->Begin, v->End - 2.0);
        var slices = Math.Max(MathF.Round(context.Param(Slices, segment)), 1f);
        if (slices > 1f)
        {
            var slice = Math.Min(MathF.Floor(Part(0.1f * context.In(SliceIn, voice)[at]) * slices), slices - 1f);
            var each = (v->End - v->Begin) / slices;
            v->Begin = Math.Floor(v->Begin + (slice * each));
            v->End = Math.Min(v->Begin + Math.Max(Math.Floor(each), 2.0), frames);
            v->Begin = Math.Min(v->Begin, v->End - 2.0);
        }

        // The file's loop, where the part has all of it.
        var named = Sample->LoopEnd >= Sample->LoopStart + 2 && Sample->LoopStart >= v->Begin && Sample->LoopEnd <= v->End;
        v->LoopBegin = named ? Sample->LoopStart : v->Begin;
        v->LoopEnd = named ? Sample->LoopEnd : v->End;
        v->Backwards = context.Param(Reverse, segment) >= 0.5f;
        v->At = v->Backwards ? v->End - 1.0 : v->Begin;
        v->Looped = false;
        v->Fade = 1f;
        v->FadeStep = 0f;
        v->Loud = 1f;
        v->Plays = true;
    }

    private static float Part(float x) => Math.Min(Math.Max(x, 0f), 1f);

    private readonly double Place(float start)
    {
        if (!_analysed) return Math.Floor(start * (double)Sample->Frames);
        return _places[Math.Clamp((int)(start * Places), 0, Places - 1)];
    }

    // Around its ends a loop reads its other end, the recording zeros.
    private readonly float Read(Player* v, in SincRow kernel, int channel, bool loops)
    {
        var samples = Asset.Channel(Sample, channel);
        var whole = (long)v->At;
        var t = (float)(v->At - whole);
        var half = kernel.Taps / 2;
        var (first, last) = (0L, Sample->Frames);
        if (loops) last = (long)v->LoopEnd;
        if (loops && v->Looped) first = (long)v->LoopBegin;
        if (whole - half + 1 >= first && whole + half < last) return SincKernel.At(in kernel, samples + whole, t);
        for (var j = 0; j < kernel.Taps; j++)
        {
            var at = whole - half + 1 + j;
            if (loops) at = Around(at, first, (long)v->LoopBegin, last);
            _edges[j] = at >= 0 && at < Sample->Frames ? samples[at] : 0f;
        }

        return SincKernel.At(in kernel, _edges + half - 1, t);
    }

    // A short loop may be passed several times within one kernel.
    private static long Around(long at, long first, long begin, long end)
    {
        if (at >= first && at < end) return at;
        var length = end - begin;
        if (length <= 0 || (at < first && first < begin)) return at;
        var beyond = (at - begin) % length;
        return begin + (beyond < 0 ? beyond + length : beyond);
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
