// Modal: a body of 32 modes that is struck, or fed with any sound: strings, bells, bars and what lies between.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// A bank of 32 resonances (see <see cref="ModalBank"/> for the sources). A strike is one impulse through a one-pole low-pass, the mallet's
/// hardness, so that what each mode gets is known; an exciter input feeds the same body.
/// </summary>
public unsafe struct Modal : IModule<Modal>
{
    private const int Trigger = 0, Accent = 1, PitchIn = 2, ExciterIn = 3, StructureIn = 4, DecayIn = 5, PositionIn = 6;
    private const int PitchParam = 0, Structure = 1, DecayParam = 2, Damping = 3, Position = 4, Hardness = 5, AccentParam = 6;
    private const float StrikeVolts = 2.5f;
    private const float ExciterGain = 0.02f;

    // A steady voltage would bend the body for good: the exciter is heard from here on.
    private const float ExciterHertz = 15f;

    private Voice* _voices;
    private float* _table;

    private struct Voice
    {
        public StrikeInput Strikes;
        public ModalBank Bank;
        public ModalShape Shape;
        public OnePole Direct;
        public float Soft;
        public bool Sounds;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "modal",
        Name = "Modal",
        Family = "Sources",
        Text = "A body of 32 resonances to strike or to feed: string, bell, bar, and everything between them.",
        Help = """
            Things that ring do so in a few pitches at once, each dying in its own time. This is 32 of them. Structure decides where
            they lie: to the left they are the harmonics of a string, in the middle the partials of a church bell, to the right
            those of a metal bar; between those are bodies nobody has built.

            Decay is how long the low ones ring, Damping how much sooner the high ones die: none is glass, much is wood. Position is
            where it is struck, Hardness what with, from a felt mallet to a steel one. What comes into Exciter shakes the body, too, so that
            it is also a resonator for drums, noise or a voice. Each channel of a wide cable has a body of its own.

            Try a gate sequence into Strike and its pitch into Pitch, with Structure at 0.5 and a Decay of 8 seconds: bells. Then turn
            Structure to 1, Decay to half a second and Damping up: a marimba.
            """,
        Inputs =
        [
            new PortDescriptor("trigger", "Strike", "Strikes the body; unpatched, it is struck once when placed."),
            new PortDescriptor("accent", "Accent", "How hard, 0 to 10 V, taken at the strike."),
            new PortDescriptor("pitch", "Pitch", "1 V an octave; 0 V is middle C."),
            new PortDescriptor("exciter", "Exciter", "Sound that shakes the body."),
            new PortDescriptor("structure", "Structure CV", "10 V go the whole way."),
            new PortDescriptor("decay", "Decay CV", "Doubles the decay with each volt; -5 V is a hand on the body."),
            new PortDescriptor("position", "Position CV", "10 V go the whole way."),
        ],
        Outputs = [new PortDescriptor("out", "Out", "The body.")],
        Parameters =
        [
            new ParameterDescriptor("pitch", "Pitch", "V/oct", -4f, 4f, 0f, ParameterCurve.Linear, "The note, added to the pitch input."),
            new ParameterDescriptor("structure", "Structure", "", 0f, 1f, 0.5f, ParameterCurve.Linear,
                "Where the modes lie: 0 harmonic, 0.5 bell, 1 bar."),
            new ParameterDescriptor("decay", "Decay", "s", 0.05f, 12f, 3f, ParameterCurve.Exponential,
                "Time in which the lowest modes fall by 60 dB."),
            new ParameterDescriptor("damping", "Damping", "oct", 0f, 2f, 0.6f, ParameterCurve.Linear,
                "How often the decay halves with each octave above the pitch."),
            new ParameterDescriptor("position", "Position", "", 0.01f, 0.5f, 0.2f, ParameterCurve.Linear,
                "Where it is struck, as a part of its length."),
            new ParameterDescriptor("hardness", "Hardness", "Hz", 100f, 16_000f, 4_000f, ParameterCurve.Exponential,
                "The mallet: how far up it excites."),
            new ParameterDescriptor("accent", "Accent amount", "", 0f, 1f, 0.7f, ParameterCurve.Linear,
                "How much of the loudness the accent decides."),
        ],
        HasTail = true,
    };

    public static long SharedBytes(float sampleRate) => ModalBank.TableBytes;

    public static void BuildShared(void* shared, float sampleRate) => ModalBank.Build((float*)shared);

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Limits.MaxChannels);

    public static void Construct(ref Modal self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._table = (float*)setup.Shared;
        timing.TailFrames = -1;
    }

    public static void Reset(ref Modal self) => Block.Zero(self._voices, Limits.MaxChannels);

    public static ProcessResult Process(ref Modal self, in ProcessContext context)
    {
        var channels = context.Outputs[0].Channels;
        var asleep = true;
        for (var channel = 0; channel < channels; channel++)
        {
            for (var segment = 0; segment < context.Segments; segment++)
                asleep &= !Segment(self._voices + channel, self._table, in context, segment, channel);
        }

        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    // Whether anything sounded.
    private static bool Segment(Voice* voice, float* table, in ProcessContext context, int segment, int channel)
    {
        var at = segment * Limits.Grid;
        var target = context.Out(0, channel) + at;
        var exciter = context.In(ExciterIn, channel) + at;
        var excitation = stackalloc float[Limits.Grid];
        var ports = new StrikePorts(Trigger, Accent);
        var struck = voice->Strikes.Read(in context, in ports, channel, segment, context.Param(AccentParam, segment), 128, excitation, 1);
        if (!struck)
        {
            if (!voice->Sounds && Block.IsZero(exciter, Limits.Grid))
            {
                Block.Clear(target, Limits.Grid);
                return false;
            }

            Block.Clear(excitation, Limits.Grid);
        }

        var shape = Shape(in context, segment, channel);
        if (!shape.Equals(voice->Shape))
        {
            voice->Shape = shape;
            voice->Bank.Tune(table, in shape, context.SampleRate);
        }

        var softness = 2f * OnePole.Coefficient(context.Param(Hardness, segment), context.SampleRate);
        var direct = OnePole.Coefficient(ExciterHertz, context.SampleRate);
        var soft = voice->Soft;
        for (var i = 0; i < Limits.Grid; i++)
        {
            soft = Denormal.Flush(soft + (((excitation[i] * StrikeVolts) - soft) * softness));
            var x = Math.Min(Math.Max(exciter[i], -20f), 20f);
            excitation[i] = soft + (ExciterGain * (x - voice->Direct.LowPass(x, direct)));
        }

        voice->Soft = soft;
        var rest = voice->Bank.Render(excitation, target);
        voice->Sounds = !rest || soft != 0f || !voice->Direct.IsZero;
        return true;
    }

    private static ModalShape Shape(in ProcessContext context, int segment, int channel)
    {
        var at = segment * Limits.Grid;
        var volts = context.Param(PitchParam, segment) + context.In(PitchIn, channel)[at];
        var longer = Math.Min(Math.Max(context.In(DecayIn, channel)[at], -8f), 2f);
        var structure = context.Param(Structure, segment) + (0.1f * context.In(StructureIn, channel)[at]);
        var position = context.Param(Position, segment) + (0.05f * context.In(PositionIn, channel)[at]);
        return new ModalShape
        {
            Hertz = Pitch.ToHertz(Math.Min(Math.Max(volts, -6f), 6f)),
            Structure = Math.Min(Math.Max(structure, 0f), 1f),
            Seconds = Math.Min(Math.Max(context.Param(DecayParam, segment) * FastMath.Exp2(longer), 0.005f), 12f),
            Damping = context.Param(Damping, segment),
            Position = Math.Min(Math.Max(position, 0.01f), 0.5f),
        };
    }
}
