// Clap: a few hands one after the other, then the room.
using System.Runtime.Intrinsics;
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// The analogue clap (the hand clap circuit of the TR-808's service notes, Roland 1981): band-passed noise behind an envelope that
/// restarts a few times about 11 ms apart and then decays as a small room does. Restarts are exact to the sample.
/// </summary>
public unsafe struct Clap : IModule<Clap>
{
    private const int Trigger = 0, Accent = 1, DecayIn = 2;
    private const int Hands = 0, Spread = 1, DecayParam = 2, Tone = 3, Width = 4, AccentParam = 5, Key = 6;
    private const int Groups = Limits.MaxChannels / 4;
    private const float NoiseVolts = 1f;

    // A hand has fallen by 30 dB when the next one comes.
    private const float HandTime = 2f;

    // Makes a band of noise, loud at first, peak at 5 V.
    private const float Gain = 16f;

    private StruckVoices<Drum>* _groups;
    private ulong _seed;

    private struct Drum : IStruck<Drum>
    {
        public LinearSvf Filter;
        public Vector128<float> Level, Strength, HandsLeft, Wait;

        static bool IStruck<Drum>.Play(ref Drum self, in ProcessContext context, in StruckSegment now, Vector128<float>* frames) =>
            Clap.Play(ref self, in context, in now, frames);
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "clap",
        Name = "Clap",
        Family = "Sources",
        Text = "Hand claps: a few hands a moment apart, then the sound of the room.",
        Help = """
            A crowd of hands, made of noise: each strike is a few short bursts a moment apart and then a longer one, which is heard
            as the room. Hands says how many bursts there are, Spread how far apart: narrow it is one sharp clap, wide it is a tired
            audience.

            Tone is the pitch of the palms and Width how much of the noise is let through around it. The accent input makes strikes quieter
            below 10 V. A note strikes it, too: the Key knob says which, -1 is any.

            Try it together with a snare on the same trigger. Then open Decay to a second for a big room, or set Hands to 1 and Tone
            high for a rim click, and let an LFO on Decay CV lengthen every fourth one.
            """,
        Inputs =
        [
            new PortDescriptor("trigger", "Trigger", "Claps; unpatched, it claps once when placed."),
            new PortDescriptor("accent", "Accent", "How hard, 0 to 10 V, taken at the strike."),
            new PortDescriptor("decay", "Decay CV", "Doubles the decay with each volt."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The claps.")],
        Parameters =
        [
            new ParameterDescriptor("hands", "Hands", "", 1f, 8f, 4f, ParameterCurve.Stepped,
                "Bursts in a clap; the last one is the room's."),
            new ParameterDescriptor("spread", "Spread", "s", 0.002f, 0.05f, 0.011f, ParameterCurve.Exponential,
                "Time from one burst to the next."),
            new ParameterDescriptor("decay", "Decay", "s", 0.03f, 3f, 0.5f, ParameterCurve.Exponential,
                "Time in which the last burst falls by 60 dB."),
            new ParameterDescriptor("tone", "Tone", "Hz", 200f, 8_000f, 1_000f, ParameterCurve.Exponential, "Middle of the band."),
            new ParameterDescriptor("width", "Width", "", 0.1f, 2f, 0.6f, ParameterCurve.Exponential,
                "Width of the band, as a part of its frequency."),
            new ParameterDescriptor("accent", "Accent amount", "", 0f, 1f, 0.7f, ParameterCurve.Linear,
                "How much of the loudness the accent and the velocity decide."),
            new ParameterDescriptor("key", "Key", "", -1f, 127f, 39f, ParameterCurve.Stepped, "Note that claps; -1: any."),
        ],
        AcceptsEvents = true,
        HasTail = true,
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<StruckVoices<Drum>>(Groups);

    public static void Construct(ref Clap self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._groups = memory.Take<StruckVoices<Drum>>(Groups);
        self._seed = setup.Seed;
        timing.TailFrames = -1;
    }

    public static void Reset(ref Clap self) => Block.Zero(self._groups, Groups);

    public static ProcessResult Process(ref Clap self, in ProcessContext context)
    {
        var ports = new StrikePorts(Trigger, Accent);
        return StruckVoices<Drum>.Process(self._groups, in context, in ports, AccentParam, Key, self._seed);
    }

    // Four voices over sixteen frames; true while anything sounds.
    private static bool Play(ref Drum drum, in ProcessContext context, in StruckSegment now, Vector128<float>* frames)
    {
        var (segment, first, channels, at) = (now.Segment, now.First, now.Channels, now.At);
        var strikes = now.Strikes;
        var struck = strikes != null;
        var rate = context.SampleRate;
        var (zero, one) = (Vector128<float>.Zero, Vector128<float>.One);
        VoiceLanes.Load(in context, DecayIn, first, channels, at, frames);
        var longer = FastMath.Exp2(Vector128.MinNative(Vector128.MaxNative(frames[0], Vector128.Create(-5f)), Vector128.Create(2f)));
        var seconds = context.Param(Spread, segment);
        var roomLoss = Decay.Loss(Vector128.Create(context.Param(DecayParam, segment)) * longer, rate);
        var handLoss = Vector128.Create(Decay.Loss(HandTime * seconds, rate));
        var apart = Vector128.Create(MathF.Round(seconds * rate));
        var hands = Vector128.Create(MathF.Round(context.Param(Hands, segment)));
        var g = FastMath.TanPi(Vector128.Create(Math.Min(context.Param(Tone, segment) / rate, 0.4f)));
        var width = context.Param(Width, segment);
        var k = Vector128.Create(width);
        var inverse = LinearSvf.Inverse(g, k);

        // The band's height is 1 / width, its loudness 1 / sqrt(width).
        var gain = Vector128.Create(Gain * MathF.Sqrt(width));
        var noise = stackalloc float[Limits.Grid];
        TimedNoise.Fill(in context, now.Seed, segment, NoiseVolts, noise);
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (struck)
            {
                var mask = Vector128.GreaterThan(strikes[i], zero);
                drum.Strength = Vector128.ConditionalSelect(mask, strikes[i], drum.Strength);
                drum.HandsLeft = Vector128.ConditionalSelect(mask, hands, drum.HandsLeft);
                drum.Wait = Vector128.AndNot(drum.Wait, mask);
            }

            var claps = Vector128.GreaterThan(drum.HandsLeft, zero) & Vector128.LessThanOrEqual(drum.Wait, zero);
            drum.Level = Vector128.ConditionalSelect(claps, drum.Strength, drum.Level);
            drum.HandsLeft -= claps & one;
            drum.Wait = Vector128.MaxNative(Vector128.ConditionalSelect(claps, apart, drum.Wait) - one, zero);
            drum.Filter.Next(drum.Level * Vector128.Create(noise[i]), g, k, inverse, out _, out var band, out _);
            frames[i] = band * gain * k;
            var loss = Vector128.ConditionalSelect(Vector128.GreaterThan(drum.HandsLeft, zero), handLoss, roomLoss);
            drum.Level = Denormal.Flush(drum.Level - (drum.Level * loss));
        }

        var silent = Vector128.Equals(drum.Level, zero) & Vector128.Equals(drum.HandsLeft, zero);
        return !drum.Filter.Settle(silent);
    }
}
