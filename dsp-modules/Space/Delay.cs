// Delay: echoes in time with a clock or a knob, straight, wide or from side to side; digital or off a tape.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// One echo line a voice and side, read between samples by <see cref="Lagrange"/>; whole delays are exact. With a clock the time is the
/// last measured period times Ratio, halved until it fits: exact to the frame for whole ratios. A change of time is a glide (the read
/// point approaches its new place with a time constant of 50 ms and at most two frames a frame) or a crossfade of 30 ms between the two
/// places. Tape is the glide, wow of 0.6 Hz and flutter of 6.3 Hz (+-0.3 % and +-0.1 % of speed at full Wow), saturation
/// tanh(k x) / k with k = 0.2 Drive a volt, and the head's filter on the first echo too. Repeats lose what is above Tone and below Low cut
/// (trapezoidal one-poles); what goes round is linear up to 10 V and never above 20 V. Hold repeats what is in the line for ever, bit for
/// bit but on tape. The shortest delay is <see cref="SegmentLine.Shortest"/> frames.
/// </summary>
public unsafe struct Delay : IModule<Delay>
{
    private const int In = 0, TimeIn = 1, ClockIn = 2, RightIn = 3, HoldIn = 4;
    private const int Out = 0, Right = 1;
    private const int Time = 0, Feedback = 1, Tone = 2, Mix = 3, Modulation = 4, Mode = 5, Ratio = 6, LowCut = 7, Hold = 8, Wow = 9, Drive = 10;
    private const int LongestSetting = 0, ChannelsSetting = 1, SidesSetting = 2;
    private const int Glides = 0, Crossfades = 1, Tape = 2;
    private const int Mono = 0, PingPong = 2;
    private const int MostSides = 2;
    private const float MostFeedback = 0.98f;
    private const float GlideSeconds = 0.05f, CrossfadeSeconds = 0.03f, FadeSeconds = 0.01f;
    private const double FastestGlide = 2.0;
    private const float WowHertz = 0.6f, FlutterHertz = 6.3f, WowPart = 0.003f, FlutterPart = 0.001f;

    // No denormal: those count as nothing on a real-time thread.
    private const float Begun = 1e-6f;

    // A knob's float is this close to the whole number of frames it means.
    private const double Whole = 2e-3;

    // From 20 V to below 1e-8 V at the most feedback: 187 dB in steps of 0.175 dB.
    private const long RepeatsOfTail = 1070;

    private Voice* _voices;
    private Side* _lines;
    private SlowPhase _wowPhase, _flutterPhase;
    private SchmittTrigger _clock, _holdGate;
    private ulong _lastRise;
    private double _period, _wobble;
    private float _toneHertz, _lowCutHertz;
    private OnePoleGains _tone, _lowCut;
    private double _glide;
    private float _tape, _hold;
    private int _channels, _sides, _rises;
    private bool _running;

    // Where a voice is read: at Frames, and on the way of a crossfade (Faded, 0..1) also at Next.
    private struct Voice
    {
        public double Frames, Next;
        public float Faded;
    }

    private struct Side
    {
        public SegmentLine Line;
        public OnePoleFour Tone, LowCut;
    }

    // What all voices and sides share in a segment.
    private ref struct Sweep
    {
        public OnePoleGains Tone, LowCut;
        public GridRamp Feedback, Mix, Modulation, Tape, Hold;
        public double Target, Wobble, NextWobble;
        public float Saturation;
        public int Mode;

        // One side that glides, no tape and no hold, and nothing moves the time: what a voice that has arrived can do in one loop.
        public bool Plain;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "delay",
        Name = "Delay",
        Family = "Space",
        Text = "Repeats a sound as fading echoes, in time with a clock, digital or off a tape.",
        Help = """
            Plays what it hears again after Time, and that again, weaker by Feedback, until it has died away. Each repeat loses
            highs above Tone and lows below Low cut, so that echoes step back behind the sound.

            Patch a clock into Clock and the echoes keep time with it: Ratio says how many of its steps an echo takes, three
            quarters of a step for the dotted eighths that everybody knows. Mode is what happens when the time changes. Glide bends
            the pitch; crossfade goes over without a bend; tape bends as well, wavers by Wow, is driven into saturation by Drive,
            and its head takes the highs of the first echo too.

            Try a pluck at In, Time at 0.35 s and Feedback at 0.5, and turn Time slowly. With the setting Sides at ping-pong the
            echoes go from left to right and back: patch both outputs. Then set Feedback to 0.9, play a chord and switch Hold on:
            what is in the line goes round for ever, and new sounds pass over it.

            - Short times with much feedback ring like a pipe; an LFO at Time CV with CV amount at 0.02 makes a chorus of it.
            - A gate at Hold does as the knob does.
            - The setting Longest is the memory it has. A time that a clock asks for beyond it is halved until it fits.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be repeated; the left side of it."),
            new PortDescriptor("time", "Time CV", "Stretches the time; fast movement gives vibrato and chorus."),
            new PortDescriptor("clock", "Clock", "Echoes keep time with the rises here.", ChannelRule.Fixed),
            new PortDescriptor("right", "Right in", "The right side where it has two; unpatched it is the left one."),
            new PortDescriptor("hold", "Hold", "While this is high, what is in the line goes round for ever.", ChannelRule.Fixed),
        ],
        Outputs =
        [
            new PortDescriptor("out", "Out", "The sound and its echoes; the left side of them.", ChannelRule.Setting, ChannelsSetting),
            new PortDescriptor("right", "Right", "The right side; the same where there is one side only.", ChannelRule.Setting, ChannelsSetting),
        ],
        Parameters =
        [
            new ParameterDescriptor("time", "Time", "s", 0.001f, 20f, 0.35f, ParameterCurve.Exponential,
                "From one echo to the next, at most the longest time set for this module; without a clock."),
            new ParameterDescriptor("feedback", "Feedback", "", 0f, MostFeedback, 0.45f, ParameterCurve.Linear,
                "How much of an echo is repeated."),
            new ParameterDescriptor("tone", "Tone", "Hz", 200f, 10_000f, 5_000f, ParameterCurve.Exponential,
                "Each repeat loses what is above this."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 0.4f, ParameterCurve.Linear, "0 is the sound alone, 1 the echoes alone."),
            new ParameterDescriptor("mod", "CV amount", "", -1f, 1f, 0f, ParameterCurve.Linear,
                "5 V at the CV stretches the time by this part of it."),
            new ParameterDescriptor("mode", "Mode", "", 0f, 2f, 0f, ParameterCurve.Stepped, "How it goes from one time to another.", "glide",
                "crossfade", "tape"),
            new ParameterDescriptor("ratio", "Ratio", "", 0f, 12f, 7f, ParameterCurve.Stepped, "Steps of the clock that an echo takes.", "1/8", "1/6",
                "1/4", "1/3", "1/2", "2/3", "3/4", "1", "3/2", "2", "3", "4", "8"),
            new ParameterDescriptor("low_cut", "Low cut", "Hz", 10f, 2_000f, 10f, ParameterCurve.Exponential,
                "Each repeat loses what is below this."),
            new ParameterDescriptor("hold", "Hold", "", 0f, 1f, 0f, ParameterCurve.Stepped, "Lets what is in the line go round for ever.", "off",
                "on"),
            new ParameterDescriptor("wow", "Wow", "", 0f, 1f, 0.3f, ParameterCurve.Linear, "How much the tape wavers."),
            new ParameterDescriptor("drive", "Drive", "", 0f, 1f, 0.4f, ParameterCurve.Linear, "How soon the tape saturates."),
        ],
        Settings =
        [
            new SettingDescriptor("longest", "Longest time (s)", 1, 20, 2, "Longest echo in seconds; memory is set aside for it."),
            new SettingDescriptor("channels", "Channels", 1, Limits.MaxChannels, 1, "Voices it repeats, each by itself."),
            new SettingDescriptor("sides", "Sides", 0, 2, 0, "One side, two, or echoes that go from one to the other.", "mono", "stereo",
                "ping-pong"),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        var lines = setup.Settings[ChannelsSetting] * SidesOf(in setup);
        need.Need<Voice>(setup.Settings[ChannelsSetting]);
        need.Need<Side>(lines);
        for (var i = 0; i < lines; i++) need.Need<float>(SegmentLine.Floats(LongestFrames(in setup)));
    }

    public static void Construct(ref Delay self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._channels = setup.Settings[ChannelsSetting];
        self._sides = setup.Settings[SidesSetting];
        var lines = self._channels * SidesOf(in setup);
        self._voices = memory.Take<Voice>(self._channels);
        self._lines = memory.Take<Side>(lines);
        var frames = LongestFrames(in setup);
        for (var i = 0; i < lines && !memory.Overdrawn; i++)
            self._lines[i].Line = new SegmentLine(memory.Take<float>(SegmentLine.Floats(frames)), frames);

        self._glide = -FastMath.Exp2Minus1(-1.442695f * Limits.Grid / (GlideSeconds * setup.SampleRate));
        timing.TailFrames = RepeatsOfTail * frames;
    }

    public static void Reset(ref Delay self)
    {
        var lines = self._channels * (self._sides == Mono ? 1 : MostSides);
        for (var i = 0; i < lines; i++)
        {
            self._lines[i].Line.Clear();
            self._lines[i].Tone = default;
            self._lines[i].LowCut = default;
        }

        Block.Zero(self._voices, self._channels);
        self._wowPhase = self._flutterPhase = default;
        self._clock = self._holdGate = default;
        self._rises = 0;
        self._lastRise = 0;
        self._period = self._wobble = 0.0;
        self._tape = self._hold = 0f;
        self._running = false;
    }

    public static ProcessResult Process(ref Delay self, in ProcessContext context)
    {
        var woke = self._wowPhase.Wake(in context);
        woke |= self._flutterPhase.Wake(in context);
        if (woke) self._wobble = self.Wobble(context.Param(Wow), context.SampleRate);
        var settled = true;
        var sound = true;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var sweep = self.Shared(in context, segment, out var still);
            settled &= still;
            for (var i = 0; i < self._channels; i++) sound &= self.Segment(in context, segment, i, in sweep, ref settled);
            self._running = true;
        }

        if (!sound) return ProcessResult.Error;
        var asleep = settled && self._hold == 0f && context.Inputs[In].Silent && context.Inputs[RightIn].Silent && context.Inputs[ClockIn].Silent
            && context.Inputs[HoldIn].Silent && context.Inputs[TimeIn].Silent;
        var lines = self._channels * (self._sides == Mono ? 1 : MostSides);
        for (var i = 0; asleep && i < lines; i++)
            asleep = self._lines[i].Line.AtRest && self._lines[i].Tone.IsZero && self._lines[i].LowCut.IsZero;
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static int LongestFrames(in InstanceSetup setup) => (int)(setup.Settings[LongestSetting] * setup.SampleRate);

    private static int SidesOf(in InstanceSetup setup) => setup.Settings[SidesSetting] == Mono ? 1 : MostSides;

    private static double Steps(int choice) => choice switch
    {
        0 => 1.0 / 8, 1 => 1.0 / 6, 2 => 1.0 / 4, 3 => 1.0 / 3, 4 => 1.0 / 2, 5 => 2.0 / 3, 6 => 3.0 / 4, 7 => 1.0, 8 => 3.0 / 2, 9 => 2.0,
        10 => 3.0, 11 => 4.0, _ => 8.0,
    };

    // `still` is false while anything glides.
    private Sweep Shared(in ProcessContext context, int segment, out bool still)
    {
        var at = segment * Limits.Grid;
        if (context.Inputs[HoldIn].Silent)
        {
            _ = _holdGate.Rises(0f);
        }
        else
        {
            var gate = context.In(HoldIn) + at;
            for (var i = 0; i < Limits.Grid; i++) _ = _holdGate.Rises(gate[i]);
        }

        if (context.Inputs[ClockIn].Silent) _ = _clock.Rises(0f);
        else Follow(context.In(ClockIn) + at, context.Time + (ulong)at);
        var mode = (int)(context.Param(Mode, segment) + 0.5f);
        var fade = Limits.Grid / (FadeSeconds * context.SampleRate);
        var tape = mode == Tape ? 1f : 0f;
        var hold = _holdGate.IsHigh || context.Param(Hold, segment) >= 0.5f ? 1f : 0f;
        if (!_running) (_tape, _hold) = (tape, hold);
        var before = (Tape: _tape, Hold: _hold, Wobble: _wobble);
        _tape = Glide.Towards(_tape, tape, fade);
        _hold = Glide.Towards(_hold, hold, fade);
        still = _tape == tape && _hold == hold;
        _wowPhase.Advance(WowHertz, context.SampleRate);
        _flutterPhase.Advance(FlutterHertz, context.SampleRate);
        _wobble = Wobble(context.Param(Wow, segment + 1), context.SampleRate);
        return new Sweep
        {
            Tone = Gains(ref _toneHertz, ref _tone, context.Param(Tone, segment + 1), context.SampleRate),
            LowCut = Gains(ref _lowCutHertz, ref _lowCut, context.Param(LowCut, segment + 1), context.SampleRate),
            Feedback = new GridRamp(in context, Feedback, segment),
            Mix = new GridRamp(in context, Mix, segment),
            Modulation = new GridRamp(in context, Modulation, segment),
            Tape = new GridRamp(before.Tape, _tape),
            Hold = new GridRamp(before.Hold, _hold),
            Target = Target(in context, segment, hold != 0f),
            Wobble = before.Wobble,
            NextWobble = _wobble,
            Saturation = 0.2f * context.Param(Drive, segment + 1) * _tape,
            Mode = mode,
            Plain = _running && _sides == Mono && mode == Glides && before.Tape == 0f && _tape == 0f && before.Hold == 0f && _hold == 0f
                && (context.Inputs[TimeIn].Silent || (context.Param(Modulation, segment) == 0f && context.Param(Modulation, segment + 1) == 0f)),
        };
    }

    // Sixteen frames of the clock, the first of them at `time`.
    private void Follow(float* clock, ulong time)
    {
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (!_clock.Rises(clock[i])) continue;
            var now = time + (ulong)i;
            if (_rises > 0) _period = now - _lastRise;
            _lastRise = now;
            _rises = Math.Min(_rises + 1, 2);
        }
    }

    // Worked out again only where the cutoff has moved.
    private static OnePoleGains Gains(ref float hertz, ref OnePoleGains gains, float wanted, float sampleRate)
    {
        if (hertz != wanted)
        {
            hertz = wanted;
            gains = new OnePoleGains(OnePole.Coefficient(wanted, sampleRate));
        }

        return gains;
    }

    // Frames by which the tape is off where it should be.
    private readonly double Wobble(float wow, float sampleRate)
    {
        if (_tape == 0f) return 0.0;
        const float Wave = 1f / (2f * MathF.PI);
        var slow = FastMath.SinTurns(_wowPhase.Turns()) * (Wave * WowPart / WowHertz);
        var fast = FastMath.SinTurns(_flutterPhase.Turns()) * (Wave * FlutterPart / FlutterHertz);
        return (slow + fast) * wow * _tape * sampleRate;
    }

    private readonly double Target(in ProcessContext context, int segment, bool hold)
    {
        var longest = (double)Longest(context.SampleRate);
        double frames;
        if (context.Inputs[ClockIn].Connected && _rises > 1)
        {
            frames = _period * Steps((int)(context.Param(Ratio, segment) + 0.5f));
            while (frames > longest) frames *= 0.5;
        }
        else
        {
            frames = Math.Min(context.Param(Time, segment + 1) * (double)context.SampleRate, longest);
            var whole = Math.Round(frames);
            if (Math.Abs(frames - whole) < Whole) frames = whole;
        }

        // What goes round for ever must not lose highs each time.
        if (hold) frames = Math.Round(frames);
        return Math.Max(frames, SegmentLine.Shortest);
    }

    private readonly int Longest(float sampleRate) => Math.Min(_lines->Line.Length - (2 * Limits.Grid), (int)(20f * sampleRate));

    // False where what is stored is no number any more.
    private readonly bool Segment(in ProcessContext context, int segment, int channel, in Sweep sweep, ref bool settled)
    {
        var at = segment * Limits.Grid;
        ref var voice = ref _voices[channel];
        if (sweep.Plain && voice.Faded == 0f && voice.Frames == sweep.Target) return Plain(in context, at, channel, in sweep);
        return Moving(in context, segment, channel, in sweep, ref settled);
    }

    [SkipLocalsInit]
    private readonly bool Moving(in ProcessContext context, int segment, int channel, in Sweep sweep, ref bool settled)
    {
        var at = segment * Limits.Grid;
        ref var voice = ref _voices[channel];
        var from = voice.Frames;
        var to = Move(ref voice, in context, segment, channel, in sweep, ref settled, ref from);
        var echo = stackalloc float[Limits.Grid];
        var echoRight = stackalloc float[Limits.Grid];
        var kept = stackalloc float[Limits.Grid];
        var keptRight = stackalloc float[Limits.Grid];
        var side = _lines + (channel * (_sides == Mono ? 1 : MostSides));
        Echo(side, in context, segment, channel, in voice, from, to, in sweep, echo, kept);
        var source = context.In(In, channel) + at;
        if (_sides == Mono)
        {
            var sound = Store(side, source, kept, echo, in sweep);
            Put(context.Out(Out, channel) + at, source, echo, kept, in sweep);
            if (context.Outputs[Right].Connected) Block.ScaleSegment(context.Out(Right, channel) + at, context.Out(Out, channel) + at, new GridRamp(1f, 1f));
            else context.LeaveUnwritten(Right);
            GoOn(ref voice, to, context.SampleRate);
            return sound;
        }

        Echo(side + 1, in context, segment, channel, in voice, from, to, in sweep, echoRight, keptRight);
        var sourceRight = (context.Inputs[RightIn].Connected ? context.In(RightIn, channel) : context.In(In, channel)) + at;
        bool both;
        if (_sides == PingPong)
        {
            var together = stackalloc float[Limits.Grid];
            Block.ScaleSegment(together, source, new GridRamp(0.5f, 0.5f));
            Block.AddScaledSegment(together, sourceRight, new GridRamp(0.5f, 0.5f));
            both = Store(side, together, keptRight, echo, in sweep);
            Block.Clear(together, Limits.Grid);
            both &= Store(side + 1, together, kept, echoRight, in sweep);
        }
        else
        {
            both = Store(side, source, kept, echo, in sweep);
            both &= Store(side + 1, sourceRight, keptRight, echoRight, in sweep);
        }

        Put(context.Out(Out, channel) + at, source, echo, kept, in sweep);
        Put(context.Out(Right, channel) + at, sourceRight, echoRight, keptRight, in sweep);
        GoOn(ref voice, to, context.SampleRate);
        return both;
    }

    private static void GoOn(ref Voice voice, double to, float sampleRate)
    {
        voice.Frames = to;
        if (voice.Faded > 0f) voice.Faded = Math.Min(voice.Faded + FadeStep(sampleRate), 1f);
    }

    // A segment of one side whose echo stands still, in one go: what is heard, what goes round, what is stored. False where that is no number.
    [SkipLocalsInit]
    private readonly bool Plain(in ProcessContext context, int at, int channel, in Sweep sweep)
    {
        var side = _lines + channel;
        var scratch = stackalloc float[Limits.Grid];
        var echo = side->Line.Standing(scratch, sweep.Target);
        var source = context.In(In, channel) + at;
        var target = context.Out(Out, channel) + at;
        var (tone, lowCut) = (side->Tone, side->LowCut);
        var (sum, bits) = (Vector128<float>.Zero, Vector128<float>.Zero);
        var (feedback, feedbackStep) = (sweep.Feedback.Four(0), Vector128.Create(4f * sweep.Feedback.Step));
        var (wet, wetStep) = (sweep.Mix.Four(0), Vector128.Create(4f * sweep.Mix.Step));
        var room = side->Line.Room;
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var heard = Vector128.Load(echo + i);
            var kept = tone.LowPass(heard, in sweep.Tone);
            kept -= lowCut.LowPass(kept, in sweep.LowCut);
            var dry = Vector128.Load(source + i);
            Vector128.MultiplyAddEstimate(wet, heard, dry * (Vector128<float>.One - wet)).Store(target + i);
            var stored = Denormal.Flush(Vector128.MultiplyAddEstimate(feedback, SoftLimit.Bend(kept), dry));
            stored.Store(room + i);
            bits |= stored;
            sum += stored * Vector128<float>.Zero;
            feedback += feedbackStep;
            wet += wetStep;
        }

        (side->Tone, side->LowCut) = (tone, lowCut);
        side->Line.Written(bits);
        side->Line.Advance();
        if (context.Outputs[Right].Connected) Block.Copy(context.Out(Right, channel) + at, target, Limits.Grid);
        else context.LeaveUnwritten(Right);
        return Vector128.EqualsAll(sum, Vector128<float>.Zero);
    }

    // Where the segment begins and ends to be read; a crossfade begins or goes on.
    private readonly double Move(
        ref Voice voice, in ProcessContext context, int segment, int channel, in Sweep sweep, ref bool settled, ref double from)
    {
        var target = sweep.Target;
        if (sweep.Mode == Crossfades)
        {
            var cv = context.In(TimeIn, channel)[(segment * Limits.Grid) + Limits.Grid - 1] * context.Param(Modulation, segment + 1);
            target = Math.Max(SegmentLine.Shortest, Math.Min(target * (1.0 + (0.2 * cv)), Longest(context.SampleRate)));
        }

        if (!_running) from = voice.Frames = target;
        if (voice.Faded > 0f)
        {
            // Both places stand while one goes over into the other.
            settled = false;
            if (voice.Faded < 1f) return from;
            from = voice.Frames = voice.Next;
            voice.Faded = 0f;
        }

        if (sweep.Mode == Crossfades)
        {
            if (target == from) return from;
            settled = false;
            voice.Next = target;
            voice.Faded = Begun;
            return from;
        }

        const double Most = FastestGlide * Limits.Grid;
        var to = from + Math.Max(-Most, Math.Min((target - from) * _glide, Most));
        if (Math.Abs(target - to) < 1e-3) to = target;
        settled &= to == target && from == target;
        return to;
    }

    // What is heard again in this segment, and what of it goes round.
    private readonly void Echo(
        Side* side, in ProcessContext context, int segment, int channel, in Voice voice, double from, double to, in Sweep sweep, float* echo,
        float* kept)
    {
        var longest = (double)Longest(context.SampleRate);
        var cv = context.In(TimeIn, channel) + (segment * Limits.Grid);
        if (voice.Faded > 0f)
        {
            side->Line.Read(echo, from);
            side->Line.Read(kept, voice.Next);
            Block.MixSegment(kept, echo, new GridRamp(Math.Min(voice.Faded, 1f), Math.Min(voice.Faded + FadeStep(context.SampleRate), 1f)));
            Block.ScaleSegment(echo, kept, new GridRamp(1f, 1f));
        }
        else if (IsLine(in context, in sweep))
        {
            side->Line.Read(echo, Within(from + sweep.Wobble, longest), Within(to + sweep.NextWobble, longest));
        }
        else
        {
            // The whole part apart, so that what is between samples keeps its bits.
            var (start, step) = (from + sweep.Wobble, (to + sweep.NextWobble - from - sweep.Wobble) / Limits.Grid);
            var whole = (int)Within(start * (1.0 + (0.2 * sweep.Modulation.At(0) * cv[0])), longest);
            for (var i = 0; i < Limits.Grid; i++)
            {
                var frames = (start + (step * i)) * (1.0 + (0.2 * sweep.Modulation.At(i) * cv[i]));
                kept[i] = (float)(Within(frames, longest) - whole);
            }

            side->Line.Read(echo, whole, kept);
        }

        var (tone, lowCut) = (side->Tone, side->LowCut);
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var x = tone.LowPass(Vector128.Load(echo + i), in sweep.Tone);
            (x - lowCut.LowPass(x, in sweep.LowCut)).Store(kept + i);
        }

        (side->Tone, side->LowCut) = (tone, lowCut);
    }

    // Whether the delay runs along a line from where the segment begins to be read to where it ends.
    private static bool IsLine(in ProcessContext context, in Sweep sweep) =>
        sweep.Mode == Crossfades || context.Inputs[TimeIn].Silent || (sweep.Modulation.Start == 0f && sweep.Modulation.Step == 0f);

    private static float FadeStep(float sampleRate) => Limits.Grid / (CrossfadeSeconds * sampleRate);

    private static double Within(double frames, double longest) => Math.Max((double)SegmentLine.Shortest, Math.Min(frames, longest));

    // One side's segment into its line: the sound and what goes round, or what is held. False where it is no number.
    [SkipLocalsInit]
    private static bool Store(Side* side, float* source, float* kept, float* echo, in Sweep sweep)
    {
        var stored = stackalloc float[Limits.Grid];
        var sum = Vector128<float>.Zero;
        var feedback = sweep.Feedback.Four(0);
        var more = Vector128.Create(4f * sweep.Feedback.Step);
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var x = Vector128.MultiplyAddEstimate(feedback, SoftLimit.Bend(Vector128.Load(kept + i)), Vector128.Load(source + i));
            feedback += more;
            x = Denormal.Flush(x);
            sum += x * Vector128<float>.Zero;
            x.Store(stored + i);
        }

        var sound = Vector128.EqualsAll(sum, Vector128<float>.Zero);
        if (sweep.Saturation > 0f || sweep.Hold.Start != 0f || sweep.Hold.Step != 0f) sound &= Bend(stored, echo, in sweep);
        side->Line.Write(stored);
        side->Line.Advance();
        return sound;
    }

    // What the tape saturates, and what is held in place of what would be stored. False where that is no number.
    private static bool Bend(float* stored, float* echo, in Sweep sweep)
    {
        var sum = Vector128<float>.Zero;
        var saturation = Vector128.Create(Math.Max(sweep.Saturation, 1e-3f));
        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var x = Vector128.Load(stored + i);
            if (sweep.Saturation > 0f) x = FastMath.Tanh(x * saturation) / saturation;
            var hold = sweep.Hold.Four(i);
            x = Denormal.Flush((x * (Vector128<float>.One - hold)) + (Vector128.Load(echo + i) * hold));
            sum += x * Vector128<float>.Zero;
            x.Store(stored + i);
        }

        return Vector128.EqualsAll(sum, Vector128<float>.Zero);
    }

    // The tape's head takes the highs of what is heard as well as of what goes round.
    private static void Put(float* target, float* source, float* echo, float* kept, in Sweep sweep)
    {
        if (sweep.Tape.Start == 0f && sweep.Tape.Step == 0f)
        {
            var wet = sweep.Mix.Four(0);
            var more = Vector128.Create(4f * sweep.Mix.Step);
            for (var i = 0; i < Limits.Grid; i += 4)
            {
                var dry = Vector128.Load(source + i) * (Vector128<float>.One - wet);
                Vector128.MultiplyAddEstimate(wet, Vector128.Load(echo + i), dry).Store(target + i);
                wet += more;
            }

            return;
        }

        for (var i = 0; i < Limits.Grid; i += 4)
        {
            var heard = Vector128.Load(echo + i);
            heard += sweep.Tape.Four(i) * (Vector128.Load(kept + i) - heard);
            var wet = sweep.Mix.Four(i);
            ((Vector128.Load(source + i) * (Vector128<float>.One - wet)) + (heard * wet)).Store(target + i);
        }
    }
}
