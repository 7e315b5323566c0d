// Saturator: warmth, grit and clipping by four curves, without aliases.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// Out = 5 V (f(g in / 5 V + bias) - f(bias)), f one of the curves of <see cref="ISaturation"/>, at eight times the rate; behind it a
/// one-pole low-pass (Tone), the mix, and a one-pole high-pass at 5 Hz that keeps out the DC of lopsided waves. Auto level divides by
/// (f(g + bias) - f(-g + bias)) / 2, so that a wave of 10 V from tip to tip keeps its height at any drive.
/// </summary>
public unsafe struct Saturator : IModule<Saturator>
{
    private const int In = 0, DriveIn = 1;
    private const int Curve = 0, Drive = 1, DriveAmount = 2, Bias = 3, Tone = 4, Auto = 5, Mix = 6;
    private const int Groups = Limits.MaxChannels / 4;
    private const int Over = 8;
    private const float Volts = 5f;
    private const float MostDecibels = 30f;
    private const float BlockerHertz = 5f;

    // A bias at the very end of a curve leaves next to nothing of a quiet sound: that is not made up for.
    private const float LeastSpan = 0.25f;

    // One decibel in octaves of amplitude.
    private const float Decibel = 0.166096405f;

    private Voices* _groups;
    private float _blocker;

    private struct Voices
    {
        public EightTimes Up, Down;
        public Vector128<float> Before, Gain, Bias, Rest, Level;
        public OnePoleLanes Tone, Blocker;
        public bool Running;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "saturator",
        Name = "Saturator",
        Family = "Dynamics",
        Text = "Drives a sound into one of four curves: from warmth through grit to a hard clip.",
        Help = """
            A louder sound than a circuit has room for is bent at its tips, and bending makes overtones. Drive decides how far it
            goes; the curve decides how it bends. Tanh is soft and symmetrical, all odd overtones. Tape has a little more room below
            than above, which adds even ones. Diode never quite flattens: it squashes, and keeps some of the dynamics. Clip is
            straight up to the edge and flat beyond.

            Bias pushes the sound to one side of the curve, for even overtones and gated, sputtering sounds with much of it; the
            offset this would make is taken out. With Auto on, a full-scale sound keeps its height while you turn the drive, so you
            hear the colour and not the loudness. Nothing below 20 kHz is there that the curve did not make: no aliases.

            - Try a sine from a VCO and sweep Drive with each curve.
            - Try a drum loop, curve clip, drive 20 dB, mix 0.3: parallel distortion.
            - Patch an envelope into Drive CV with an amount of 0.5: each note starts rough and ends clean.
            - Try a bass with the curve tape, a bias of 0.5 and the tone at 3 kHz.
            """,
        Inputs =
        [
            new PortDescriptor("in", "In", "Sound to be driven."),
            new PortDescriptor("drive", "Drive CV", "Moves the drive by its amount."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The driven sound.")],
        Parameters =
        [
            new ParameterDescriptor("curve", "Curve", "", 0f, 3f, 0f, ParameterCurve.Stepped, "How it bends.", "tanh", "tape", "diode", "clip"),
            new ParameterDescriptor("drive", "Drive", "dB", 0f, MostDecibels, 12f, ParameterCurve.Linear, "Gain before the curve."),
            new ParameterDescriptor("drive_amount", "Drive amount", "", -1f, 1f, 0.5f, ParameterCurve.Linear,
                "How far 10 V at the drive CV move it, as a part of its whole travel."),
            new ParameterDescriptor("bias", "Bias", "", -2f, 2f, 0f, ParameterCurve.Linear,
                "Pushes to one side: 1 is where the curve bites. More even overtones."),
            new ParameterDescriptor("tone", "Tone", "Hz", 500f, 20_000f, 20_000f, ParameterCurve.Exponential, "Softens what the curve added."),
            new ParameterDescriptor("auto", "Auto level", "", 0f, 1f, 1f, ParameterCurve.Stepped,
                "Keeps a full-scale sound as loud whatever the drive.", "off", "on"),
            new ParameterDescriptor("mix", "Mix", "", 0f, 1f, 1f, ParameterCurve.Linear, "0 is the sound alone, 1 the driven one."),
        ],
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voices>(Groups);

    public static void Construct(ref Saturator self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<Voices>(Groups);
        self._blocker = OnePole.Coefficient(BlockerHertz, setup.SampleRate);
        timing.LatencyFrames = EightTimes.Latency;

        // 60 V of DC behind the blocker fall to 1e-8 in ln(6e9) = 22.5 time constants of 1 / (2 pi 5 Hz).
        timing.TailFrames = (long)(0.8f * setup.SampleRate) + 1024;
    }

    public static void Reset(ref Saturator self) => Block.Zero(self._groups, Groups);

    public static ProcessResult Process(ref Saturator self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = context.Inputs[In].Silent;
        for (var segment = 0; segment < context.Segments; segment++)
        {
            var curve = (int)context.Param(Curve, segment);
            for (var first = 0; first < channels; first += 4)
            {
                var group = self._groups + (first / 4);
                asleep &= curve switch
                {
                    1 => Segment<TapeSaturation>(group, self._blocker, in context, segment, first, channels),
                    2 => Segment<DiodeSaturation>(group, self._blocker, in context, segment, first, channels),
                    3 => Segment<HardClip>(group, self._blocker, in context, segment, first, channels),
                    _ => Segment<TanhSaturation>(group, self._blocker, in context, segment, first, channels),
                };
            }
        }

        for (var voice = 0; asleep && voice < channels; voice++) asleep = Block.IsZero(context.Out(0, voice), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static bool Segment<TCurve>(
        Voices* group, float blocker, in ProcessContext context, int segment, int first, int channels) where TCurve : struct, ISaturation
    {
        var drive = new GridRamp(in context, Drive, segment);
        var amount = new GridRamp(in context, DriveAmount, segment);
        var bias = new GridRamp(in context, Bias, segment);
        var mix = new GridRamp(in context, Mix, segment);
        var tone = Vector128.Create(OnePole.Coefficient(context.Param(Tone, segment), context.SampleRate * Over));
        var auto = context.Param(Auto, segment) >= 0.5f;
        var frames = stackalloc Vector128<float>[Limits.Grid];
        var drives = stackalloc Vector128<float>[Limits.Grid];
        var eight = stackalloc Vector128<float>[Over];
        var at = segment * Limits.Grid;
        VoiceLanes.Load(in context, In, first, channels, at, frames);
        VoiceLanes.Load(in context, DriveIn, first, channels, at, drives);
        var silent = VoiceLanes.Silent(frames);
        var still = context.Inputs[DriveIn].Silent && drive.Step == 0f && bias.Step == 0f;
        if (!group->Running)
        {
            group->Running = true;
            Settings<TCurve>(drive.Start, drives[0], amount.Start, bias.Start, auto, out group->Gain, out group->Rest, out group->Level);
            group->Bias = group->Before = Vector128.Create(bias.Start);
        }

        var (gain, rest, level) = (group->Gain, group->Rest, group->Level);
        for (var i = 0; i < Limits.Grid; i++)
        {
            // Gain, bias, and what follows from them move on straight lines of eight steps.
            if (i == 0 || !still) Settings<TCurve>(drive.At(i), drives[i], amount.At(i), bias.At(i), auto, out gain, out rest, out level);
            var b = Vector128.Create(bias.At(i));
            var eighth = Vector128.Create(1f / Over);
            var gainStep = (gain - group->Gain) * eighth;
            var biasStep = (b - group->Bias) * eighth;
            var restStep = (rest - group->Rest) * eighth;
            var levelStep = (level - group->Level) * eighth;
            var (g, o, r, l) = (group->Gain, group->Bias, group->Rest, group->Level);
            var wet = Vector128.Create(mix.At(i));
            var dry = Vector128<float>.One - wet;
            var before = group->Before;
            group->Up.Up(frames[i], eight);
            for (var k = 0; k < Over; k++)
            {
                g += gainStep;
                o += biasStep;
                r += restStep;
                l += levelStep;
                var x = eight[k];
                var u = (x * g) + o;
                var y = (TCurve.Between(before, u) - r) * l;
                before = u;
                eight[k] = (group->Tone.LowPass(y, tone) * wet) + (x * dry);
            }

            group->Before = before;
            (group->Gain, group->Bias, group->Rest, group->Level) = (gain, b, rest, level);
            var mixed = group->Down.Down(eight);
            frames[i] = mixed - group->Blocker.LowPass(mixed, Vector128.Create(blocker));
        }

        VoiceLanes.Store(in context, 0, first, channels, at, frames);
        return Settle(group, silent);
    }

    // The gain before the curve in 1 / V, what the curve makes of the bias alone, and the volts behind it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Settings<TCurve>(
        float drive, Vector128<float> cv, float amount, float bias, bool auto,
        out Vector128<float> gain, out Vector128<float> rest, out Vector128<float> level) where TCurve : struct, ISaturation
    {
        var decibels = Vector128.Create(drive) + (cv * Vector128.Create(amount * (MostDecibels / 10f)));
        decibels = Vector128.MinNative(Vector128.MaxNative(decibels, Vector128<float>.Zero), Vector128.Create(MostDecibels));
        var g = FastMath.Exp2(decibels * Vector128.Create(Decibel));
        var b = Vector128.Create(bias);
        gain = g * Vector128.Create(1f / Volts);
        rest = TCurve.Between(b, b);
        level = Vector128.Create(Volts);
        if (!auto) return;
        var (top, bottom) = (b + g, b - g);
        var span = TCurve.Between(top, top) - TCurve.Between(bottom, bottom);
        level = Vector128.Create(2f * Volts) / Vector128.MaxNative(span, Vector128.Create(LeastSpan));
    }

    private static bool Settle(Voices* group, Vector128<float> quiet)
    {
        var peak = Vector128.MaxNative(Vector128.MaxNative(group->Up.Peak(), group->Down.Peak()), Vector128.Abs(group->Before - group->Bias));
        peak = Vector128.MaxNative(peak, Vector128.MaxNative(group->Tone.Peak(), group->Blocker.Peak()));
        var mask = quiet & Vector128.LessThan(peak, Vector128.Create(Denormal.Threshold));
        if (Vector128.EqualsAll(mask.AsInt32(), Vector128<int>.Zero)) return false;
        group->Up.Clear(mask);
        group->Down.Clear(mask);
        group->Tone.Clear(mask);
        group->Blocker.Clear(mask);
        group->Before = Vector128.ConditionalSelect(mask, group->Bias, group->Before);
        return VoiceLanes.All(mask);
    }
}
