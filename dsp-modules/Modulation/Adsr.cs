// ADSR: a voltage that rises and falls with a gate, exact to the sample.
using SspHost.Abi;
using SspHost.Dsp;

namespace SspHost.Modules;

/// <summary>
/// An attack of T seconds reaches the top T * rate frames after the gate's edge, from whatever level it started; decay and release
/// likewise. A retrigger attacks again from the present level. In a loop the attack begins again in the frame in which the decay arrives,
/// so that a round lasts attack + decay; one shot goes on into the release there. Velocity is taken in the frame of the edge.
/// </summary>
public unsafe struct Adsr : IModule<Adsr>
{
    private const int Attack = 0, Decay = 1, Sustain = 2, Release = 3, Curvature = 4, Level = 5, AttackBend = 6, Mode = 7,
        VelocityAmount = 8;
    private const int Gate = 0, Retrigger = 1, Velocity = 2;
    private const int Loop = 1, OneShot = 2;
    private const int Envelope = 0, End = 1;
    private const float Longest = 20f;

    private Voice* _voices;
    private int _triggerFrames;

    private struct Voice
    {
        public EnvelopeSegments Segments;
        public SchmittTrigger Gate, Retrigger;
        public TriggerPulse End;
    }

    public static ModuleDescriptor Describe() => new()
    {
        Id = "adsr",
        Name = "ADSR",
        Family = "Modulation",
        Text = "Shapes a note: rises when a gate opens, falls back, holds, and fades when it closes.",
        Help = """
            An envelope: the voltage that makes a note out of a steady sound. When the gate opens it rises to the top in the time of
            Attack, falls to the Sustain level in the time of Decay, stays there while the gate is open, and falls to nothing in the time
            of Release. Each of these takes exactly its time, from whatever level it starts, so notes that follow fast on each other
            never click.

            Attack curve and Curve bend the ways: above 0 they start fast and settle, as a capacitor does and as ears like it for
            percussion; below 0 they start slowly, for swells.

            - Mode "loop" starts the attack again as soon as the decay is over, while the gate is open: a slow wave with its own shape.
            - Mode "one shot" runs through all of it for each rise of the gate, however short: for triggers.
            - Velocity makes soft notes quieter: patch the Velocity of a keyboard or of a sequencer there. It is read at the start of
            a note.

            Try: a sequencer's Gate into Gate, Envelope into the CV of a VCA and also, through an attenuverter, into the
            cutoff of a filter. A trigger comes out of End when a note has faded: patch it to whatever should happen next.
            """,
        Inputs =
        [
            new PortDescriptor("gate", "Gate", "Open above 1 V, closed below 0.1 V."),
            new PortDescriptor("retrig", "Retrigger", "A trigger starts the attack again while the gate is open."),
            new PortDescriptor("velocity", "Velocity", "How hard the note was played: 10 V is the full level. Unpatched it is full."),
        ],
        Outputs =
        [
            new PortDescriptor("env", "Envelope", "0 V to the level."),
            new PortDescriptor("end", "End", "A trigger when the release is over."),
        ],
        Parameters =
        [
            new ParameterDescriptor("attack", "Attack", "s", 0.0005f, Longest, 0.005f, ParameterCurve.Exponential,
                "Time to rise to the top."),
            new ParameterDescriptor("decay", "Decay", "s", 0.0005f, Longest, 0.2f, ParameterCurve.Exponential,
                "Time to fall to the sustain level."),
            new ParameterDescriptor("sustain", "Sustain", "", 0f, 1f, 0.6f, ParameterCurve.Linear,
                "Part of the level that is held while the gate is open."),
            new ParameterDescriptor("release", "Release", "s", 0.0005f, Longest, 0.4f, ParameterCurve.Exponential,
                "Time to fall to nothing."),
            new ParameterDescriptor("curve", "Curve", "", -1f, 1f, 0.4f, ParameterCurve.Linear,
                "Bend of decay and release: above 0 fast at first, below 0 slow at first, 0 straight."),
            new ParameterDescriptor("level", "Level", "V", 0f, 10f, 10f, ParameterCurve.Linear, "Voltage at the top."),
            new ParameterDescriptor("attack_curve", "Attack curve", "", -1f, 1f, 0.4f, ParameterCurve.Linear,
                "Bend of the attack: above 0 fast at first, below 0 slow at first, 0 straight."),
            new ParameterDescriptor("mode", "Mode", "", 0f, 2f, 0f, ParameterCurve.Stepped,
                "Hold while the gate is open, attack and decay again and again, or run through once.", "hold", "loop", "one shot"),
            new ParameterDescriptor("velocity", "Velocity", "", 0f, 1f, 1f, ParameterCurve.Linear,
                "How much quieter soft notes are."),
        ],
        Telemetry = [new TelemetryDescriptor("level", TelemetryKind.Meter, 1, "V", "The envelope.")],
    };

    public static void Require(in InstanceSetup setup, ref Requirements need) => need.Need<Voice>(Limits.MaxChannels);

    public static void Construct(ref Adsr self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
    {
        self._voices = memory.Take<Voice>(Limits.MaxChannels);
        self._triggerFrames = TriggerPulse.Frames(setup.SampleRate);
        timing.TailFrames = (long)(3f * Longest * setup.SampleRate) + self._triggerFrames + 1;
    }

    public static void Reset(ref Adsr self) => Block.Zero(self._voices, Limits.MaxChannels);

    public static ProcessResult Process(ref Adsr self, in ProcessContext context)
    {
        var channels = context.Outputs[Envelope].Channels;
        var asleep = context.Inputs[Gate].Silent && context.Inputs[Retrigger].Silent && context.Inputs[Velocity].Silent;
        for (var voice = 0; voice < channels; voice++)
        {
            var v = self._voices + voice;
            asleep &= v->Segments.AtRest && v->End.AtRest;
            for (var segment = 0; segment < context.Segments; segment++) Segment(v, in context, segment, voice, self._triggerFrames);
        }

        context.Telemetry[0] = Block.Peak(context.Out(Envelope), context.Frames);
        return asleep ? ProcessResult.Sleep : ProcessResult.Continue;
    }

    private static void Segment(Voice* v, in ProcessContext context, int segment, int voice, int triggerFrames)
    {
        var shape = new EnvelopeShape(
            1.0 / Duration.Frames(context.Param(Attack, segment), context.SampleRate),
            1.0 / Duration.Frames(context.Param(Decay, segment), context.SampleRate),
            1.0 / Duration.Frames(context.Param(Release, segment), context.SampleRate));
        var sustain = new GridRamp(in context, Sustain, segment);
        var level = new GridRamp(in context, Level, segment);
        var bend = new GridRamp(in context, Curvature, segment);
        var attackBend = new GridRamp(in context, AttackBend, segment);
        var moving = bend.Step != 0f || attackBend.Step != 0f;
        var curve = new Curve(bend.Start);
        var attack = new Curve(attackBend.Start);
        var mode = (int)(context.Param(Mode, segment) + 0.5f);
        var amount = context.Inputs[Velocity].Connected ? context.Param(VelocityAmount, segment) : 0f;
        var at = segment * Limits.Grid;
        var gate = context.In(Gate, voice) + at;
        var retrigger = context.In(Retrigger, voice) + at;
        var velocity = context.In(Velocity, voice) + at;
        var envelope = context.Out(Envelope, voice) + at;
        var end = context.Out(End, voice) + at;
        for (var i = 0; i < Limits.Grid; i++)
        {
            if (moving)
            {
                curve = new Curve(bend.At(i));
                attack = new Curve(attackBend.At(i));
            }

            var wasOpen = v->Gate.IsHigh;
            var opens = v->Gate.Rises(gate[i]);
            var again = v->Retrigger.Rises(retrigger[i]);
            if (opens || (again && v->Gate.IsHigh)) v->Segments.Attack(Top(velocity[i], amount));
            else if (wasOpen && !v->Gate.IsHigh && mode != OneShot) v->Segments.Release();

            envelope[i] = v->Segments.Next(in shape, in attack, in curve, sustain.At(i), out var ended) * level.At(i);
            if (ended) v->End.Fire(triggerFrames);
            end[i] = v->End.Next();

            // Where the decay has arrived the next way begins in the same frame.
            if (!v->Segments.Sustains || (mode == 0 && v->Gate.IsHigh)) continue;
            if (mode == Loop && v->Gate.IsHigh) v->Segments.Attack(Top(velocity[i], amount), shape.AttackStep);
            else v->Segments.Release(shape.ReleaseStep);
        }
    }
    private static float Top(float velocity, float amount) =>
        amount == 0f ? 1f : 1f + (amount * ((Math.Min(Math.Max(velocity, 0f), 10f) * 0.1f) - 1f));
}
