// Delay: echoes that darken as they repeat; turning the time bends their pitch as tape does.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// One echo line a voice. A change of time is a glide: the read point approaches its new place with a time constant of 50 ms and at
/// most two frames a frame, so nothing clicks. The repeat path is linear up to 10 V and then bends towards 20 V.
/// </summary>
public unsafe struct Delay : IModule<Delay>
{
    private const int Time = 0, Feedback = 1, Tone = 2, Mix = 3, Modulation = 4;
    private const int LongestSetting = 0, ChannelsSetting = 1;
    private const float MostFeedback = 0.98f;
    private const float GlideSeconds = 0.05f;
    private const double FastestGlide = 2.0;
    private const float Knee = 10f;

    // From 20 V to below 1e-8 V at the most feedback: 187 dB in steps of 0.175 dB.
    private const long RepeatsOfTail = 1070;

    private Voice* _voices;
    private int _channels;
    private double _frames;
    private double _glide;
    private bool _running;

    private struct Voice
    {
        public DelayLine Line;
        public OnePole Tone;
        public int QuietFrames;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "delay",
        Name = "Delay",
        Family = "Space",
        Text = "Repeats a sound as fading echoes; turning the time bends their pitch.",
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be repeated."),
            new PortDescriptor("time", "Time CV", "Stretches the time; fast movement gives vibrato and chorus."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The sound and its echoes.", ChannelRule.Setting, ChannelsSetting)],
        Parameters =
        [
            new ParameterDescriptor("time", "Time", "s", 0.001f, 20f, 0.35f, ParameterCurve.Exponential,
                "From one echo to the next, at most the longest time set for this module."),
            new ParameterDescriptor("feedback", "Feedback", "", 0f, MostFeedback, 0.45f, ParameterCurve.Linear,
                "How much of an echo is repeated."),
            new ParameterDescriptor("tone", "Tone", "Hz", 200f, 10_000f, 5_000f, ParameterCurve.Exponential,
                "Each repeat loses what is above this."),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 0.4f, ParameterCurve.Linear, "0 is the sound alone, 1 the echoes alone."),
            new ParameterDescriptor("mod", "CV amount", "", -1f, 1f, 0f, ParameterCurve.Linear,
                "5 V at the CV stretches the time by this part of it."),
        ],
        Settings =
        [
            new SettingDescriptor("longest", "Longest time (s)", 1, 20, 2, "Longest echo in seconds; memory is set aside for it."),
            new SettingDescriptor("channels", "Channels", 1, Limits.MaxChannels, 1, "Voices it repeats, each by itself."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need)
    {
        var channels = setup.Settings[ChannelsSetting];
        need.Need<Voice>(channels);
        for (var i = 0; i < channels; i++) need.Need<float>(DelayLine.Floats(LongestFrames(in setup)));
    }

    public static void Construct(ref Delay self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._channels = setup.Settings[ChannelsSetting];
        self._voices = memory.Take<Voice>(self._channels);
        var frames = LongestFrames(in setup);
        for (var i = 0; i < self._channels && !memory.Overdrawn; i++)
            self._voices[i].Line = new DelayLine(memory.Take<float>(DelayLine.Floats(frames)), frames);

        self._glide = -FastMath.Exp2Minus1(-1.442695f * Limits.Grid / (GlideSeconds * setup.SampleRate));
        timing.TailFrames = RepeatsOfTail * frames;
    }

    public static void Reset(ref Delay self)
    {
        for (var i = 0; i < self._channels; i++)
        {
            self._voices[i].Line.Clear();
            self._voices[i].Tone = default;
            self._voices[i].QuietFrames = 0;
        }

        self._running = false;
    }

    public static ProcessResult Process(ref Delay self, in ProcessContext context)
    {
        var settled = true;
        var sound = true;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var target = Math.Max(DelayLine.Shortest,
                Math.Min(context.Param(Time, segment + 1) * (double)context.SampleRate, self._voices->Line.Longest));
            if (!self._running)
            {
                self._running = true;
                self._frames = target;
            }

            const double Most = FastestGlide * Limits.Grid;
            var next = self._frames + Math.Clamp((target - self._frames) * self._glide, -Most, Most);
            if (Math.Abs(target - next) < 1e-3) next = target;
            settled &= next == target && self._frames == target;
            for (var i = 0; i < self._channels; i++) sound &= Segment(self._voices + i, in context, segment, i, self._frames, next);
            self._frames = next;
        }

        if (!sound) return ProcessResult.Error;

        var asleep = settled && context.Inputs[0].Silent;
        for (var i = 0; asleep && i < self._channels; i++)
        {
            asleep = self._voices[i].QuietFrames >= self._voices[i].Line.Length && self._voices[i].Tone.IsZero
                && Block.IsZero(context.Out(0, i), context.Frames);
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static int LongestFrames(in InstanceSetup setup) => (int)(setup.Settings[LongestSetting] * setup.SampleRate);

    // False where what is stored is no number any more.
    private static bool Segment(Voice* voice, in ProcessContext context, int segment, int channel, double from, double to)
    {
        var at = segment * Limits.Grid;
        var source = context.In(0, channel) + at;
        var cv = context.In(1, channel) + at;
        var target = context.Out(0, channel) + at;
        var feedback = new GridRamp(in context, Feedback, segment);
        var mix = new GridRamp(in context, Mix, segment);
        var modulation = new GridRamp(in context, Modulation, segment);
        var tone = new GridRamp(
            OnePole.Coefficient(context.Param(Tone, segment), context.SampleRate),
            OnePole.Coefficient(context.Param(Tone, segment + 1), context.SampleRate));
        var step = (to - from) / Limits.Grid;
        var longest = (double)voice->Line.Longest;
        var sound = true;
        for (var i = 0; i < Limits.Grid; i++)
        {
            var frames = (from + (step * i)) * (1.0 + (modulation.At(i) * cv[i] * 0.2));
            var echo = voice->Line.Read(Math.Max(DelayLine.Shortest, Math.Min(frames, longest)));
            var repeat = Bend(voice->Tone.LowPass(echo, tone.At(i)));
            var stored = Denormal.Flush(source[i] + (feedback.At(i) * repeat));
            sound &= float.IsFinite(stored);
            voice->QuietFrames = stored == 0f ? Math.Min(voice->QuietFrames + 1, voice->Line.Length) : 0;
            voice->Line.Write(stored);
            var wet = mix.At(i);
            target[i] = (source[i] * (1f - wet)) + (echo * wet);
        }

        return sound;
    }

    private static float Bend(float x)
    {
        var over = Math.Abs(x) - Knee;
        if (over <= 0f) return x;
        return MathF.CopySign(Knee + (over / (1f + (over / Knee))), x);
    }
}
